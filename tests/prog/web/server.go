// The paths of the request tests by Go.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

func answer(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	parts := strings.Split(r.URL.Path, "/")
	n, _ := strconv.Atoi(parts[2])
	if parts[1] == "status" {
		w.WriteHeader(n)
		return
	}
	if parts[1] == "size" {
		w.Header().Set("Content-Length", parts[2])
	}
	for at := 0; at < n; at += 700 {
		io.WriteString(w, strings.Repeat("x", min(700, n-at)))
		if parts[1] == "chunked" {
			w.(http.Flusher).Flush()
		}
	}
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	http.Serve(l, http.HandlerFunc(answer))
}
