	{ "a request and its answer",
	  { "> GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" },
	  ">1 GET /a HTTP/1.1 @0+28 [Host=x]\n"
	  ">1 end 28/0\n"
	  "<1=1 200 HTTP/1.1 @0+38 length=5 [Content-Length=5]\n"
	  "<1=1 end 43/5\n" },
