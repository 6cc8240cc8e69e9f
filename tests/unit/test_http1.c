#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "proto/http1/http1.h"
#include "proto/http1/pairs.h"
#include "proto/proto.h"

/*
 * What passes on a connection, and what is told of it. A script is steps, each a line of its own literal:
 *   "> bytes" from the client, "< bytes" from the server; the line ends are in the bytes
 *   ">gap N", "<gap N" (N may be "?"), ">segment", "<segment", ">close", "<close"
 * What is told is text, a line an event:
 *   >1 GET /a HTTP/1.1 @0+27 [Host=x|..] length=N cut skipped=N    the head of the client's first message, its offset and length
 *   >1 end 27/0 [trailer=x] cut|unknown                             its end: bytes on the wire, of the body
 *   <1=1 200 ...                                                    the server's first message, an answer to the client's first
 *   >lost bad @27
 */
enum { STEPS = 24 };

struct http_case {
	const char *name;
	const char *steps[STEPS];
	const char *want;
	bool midway;
};

static void add_head(struct strbuf *b, const struct proto_message *m)
{
	if (m->from == PROTO_CLIENT)
		strbuf_addf(b, " %.*s %.*s", (int)m->method.len, m->method.data, (int)m->target.len, m->target.data);
	else
		strbuf_addf(b, " %u", m->status);
	strbuf_addf(b, " %.*s @%" PRIu64 "+%" PRIu64, (int)m->version.len, m->version.data, m->offset, m->head_bytes);
	if (m->interim)
		strbuf_adds(b, " interim");
	if (m->head_cut)
		strbuf_adds(b, " cut");
	if (m->body_length)
		strbuf_addf(b, " length=%" PRIu64, m->body_length);
	if (!m->of_known_length)
		strbuf_adds(b, " length=?");
	if (m->skipped_bytes)
		strbuf_addf(b, " skipped=%" PRIu64, m->skipped_bytes);
	if (m->upgrade)
		strbuf_addf(b, " upgrade=%s", m->upgrade);
}

static void add_fields(struct strbuf *b, const struct proto_message *m)
{
	for (uint32_t i = 0; i < m->n_fields && i < 4; i++)
		strbuf_addf(b, "%s%.*s=%.*s", i ? "|" : " [", (int)m->fields[i].name.len, m->fields[i].name.data,
			    (int)m->fields[i].value.len, m->fields[i].value.data);
	strbuf_adds(b, m->n_fields ? "]" : "");
	if (m->fields_left_out)
		strbuf_addf(b, " left_out=%u", m->fields_left_out);
}

static void tell(void *ctx, const struct proto_message *m)
{
	static const char *const ends[] = { "", " cut", " unknown" };
	struct strbuf *b = ctx;
	strbuf_addc(b, m->from == PROTO_CLIENT ? '>' : '<');
	if (m->event == PROTO_LOST) {
		strbuf_addf(b, "lost %s @%" PRIu64 "\n", proto_loss_names[m->loss], m->offset);
		return;
	}
	strbuf_addf(b, "%" PRIu64, m->id);
	if (m->from == PROTO_SERVER)
		strbuf_addf(b, "=%" PRIu64, m->answers);
	if (m->event == PROTO_HEAD)
		add_head(b, m);
	else
		strbuf_addf(b, " end %" PRIu64 "/%" PRIu64 "%s", m->wire_bytes, m->body_bytes, ends[m->end]);
	add_fields(b, m);
	strbuf_addc(b, '\n');
}

/* In memory of its own and of its size: what is kept of a piece after the call is seen by the sanitizers. */
static size_t feed_piece(void *state, enum proto_side from, const char *bytes, size_t len)
{
	_cleanup_(free) char *piece = xmalloc(len ?: 1);
	memcpy(piece, bytes, len);
	return http1_proto.feed(state, from, (struct slice){ piece, len });
}

static void feed_in_pieces(void *state, enum proto_side from, const char *bytes, size_t len, size_t piece)
{
	for (size_t at = 0; at < len; at += piece) {
		size_t n = MIN(piece, len - at);
		if (feed_piece(state, from, bytes + at, n) < n)
			return;
	}
}

static void step(void *state, const char *s, size_t piece)
{
	enum proto_side from = s[0] == '>' ? PROTO_CLIENT : PROTO_SERVER;
	if (s[1] == ' ')
		feed_in_pieces(state, from, s + 2, strlen(s + 2), piece);
	else if (strncmp(s + 1, "gap ", 4) == 0)
		http1_proto.gap(state, from, s[5] == '?' ? PROTO_GAP_UNKNOWN : strtoull(s + 5, NULL, 10));
	else if (streq(s + 1, "segment"))
		http1_proto.segment(state, from);
	else if (streq(s + 1, "close"))
		http1_proto.close(state, from);
	else
		fail_msg("no step: %s", s);
}

static void run(const struct http_case *c, size_t piece, struct strbuf *told)
{
	_cleanup_(free) void *state = xmalloc(http1_proto.state_size);
	http1_proto.init(state, &(struct proto_start){ tell, told, c->midway });
	for (size_t i = 0; i < STEPS && c->steps[i]; i++)
		step(state, c->steps[i], piece);
	http1_proto.done(state);
}

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_TOLD(id, at) ">" id " GET / HTTP/1.1 @" at "+27 [Host=x]\n>" id " end 27/0\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define OK_TOLD(id, to, at) "<" id "=" to " 200 HTTP/1.1 @" at "+38 [Content-Length=0]\n<" id "=" to " end 38/0\n"
#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define HELLO_TOLD(id, to, at) "<" id "=" to " 200 HTTP/1.1 @" at "+38 length=5 [Content-Length=5]\n<" id "=" to " end 43/5\n"
#define HEAD_OF_9 "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
#define HEAD_OF_9_TOLD(id, to, at) "<" id "=" to " 200 HTTP/1.1 @" at "+38 length=9 [Content-Length=9]\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_TOLD "<1=0 200 HTTP/1.1 @0+47 length=? [Transfer-Encoding=chunked]\n"

static const struct http_case cases[] = {
	/* Between two messages */
	{ "a request and its answer",
	  { "> GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" },
	  ">1 GET /a HTTP/1.1 @0+28 [Host=x]\n>1 end 28/0\n"
	  "<1=1 200 HTTP/1.1 @0+38 length=5 [Content-Length=5]\n<1=1 end 43/5\n" },
	{ "keep-alive: a request after an answer, two times",
	  { "> " GET, "< " OK, "> " GET, "< " OK },
	  GET_TOLD("1", "0") OK_TOLD("1", "1", "0") GET_TOLD("2", "27") OK_TOLD("2", "2", "38") },
	{ "pipelining: answers come in the order of the requests (9112 9.3.2)",
	  { "> " GET GET GET, "< " OK OK, "< " OK },
	  GET_TOLD("1", "0") GET_TOLD("2", "27") GET_TOLD("3", "54")
	  OK_TOLD("1", "1", "0") OK_TOLD("2", "2", "38") OK_TOLD("3", "3", "76") },
	{ "pipelining: a HEAD between two GETs has an answer with no body",
	  { "> " GET "HEAD / HTTP/1.1\r\n\r\n" GET, "< " HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" HELLO },
	  GET_TOLD("1", "0") ">2 HEAD / HTTP/1.1 @27+19\n>2 end 19/0\n" GET_TOLD("3", "46") HELLO_TOLD("1", "1", "0")
	  "<2=2 200 HTTP/1.1 @43+38 [Content-Length=5]\n<2=2 end 38/0\n" HELLO_TOLD("3", "3", "81") },
	{ "empty lines before a request are no part of it (9112 2.2)",
	  { "> \r\n\r\n" GET "\r\n" GET }, GET_TOLD("1", "4") GET_TOLD("2", "33") },
	{ "an answer to nothing that was asked", { "< " OK, "> " GET, "< " OK }, OK_TOLD("1", "0", "0") GET_TOLD("1", "0") OK_TOLD("2", "1", "38") },

	/* Start lines */
	{ "bare LF ends a line (9112 2.2)", { "> GET / HTTP/1.1\nHost: x\n\n" }, ">1 GET / HTTP/1.1 @0+24 [Host=x]\n>1 end 24/0\n" },
	{ "runs of blanks in a request line", { "> GET \t /  HTTP/1.0 \r\n\r\n" }, ">1 GET / HTTP/1.0 @0+22\n>1 end 22/0\n" },
	{ "a target in absolute form, with a query", { "> GET http://a/b?c=d HTTP/1.1\r\n\r\n" },
	  ">1 GET http://a/b?c=d HTTP/1.1 @0+31\n>1 end 31/0\n" },
	{ "a method of one's own", { "> frob-it * HTTP/1.1\r\n\r\n" }, ">1 frob-it * HTTP/1.1 @0+22\n>1 end 22/0\n" },
	{ "a target in UTF-8", { "> GET /\xc3\xa9 HTTP/1.1\r\n\r\n" }, ">1 GET /\xc3\xa9 HTTP/1.1 @0+20\n>1 end 20/0\n" },
	{ "a minor version to come (9110 2.5)", { "> GET / HTTP/1.7\r\n\r\n" }, ">1 GET / HTTP/1.7 @0+18\n>1 end 18/0\n" },
	{ "HTTP/0.9 is refused", { "> GET /\r\n" }, ">lost bad @0\n" },
	{ "HTTP/2 is refused", { "> PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }, ">lost bad @0\n" },
	{ "the version's case matters (9112 2.3)", { "> GET / http/1.1\r\n\r\n" }, ">lost bad @0\n" },
	{ "a version of two digits", { "> GET / HTTP/1.11\r\n\r\n" }, ">lost bad @0\n" },
	{ "a target with a blank", { "> GET /a b HTTP/1.1\r\n\r\n" }, ">lost bad @0\n" },
	{ "no target", { "> GET HTTP/1.1\r\n\r\n" }, ">lost bad @0\n" },
	{ "a bare CR in a request line", { "> GET /a\rb HTTP/1.1\r\n\r\n" }, ">lost bad @0\n" },
	{ "a method of 33 letters", { "> ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n\r\n" }, ">lost bad @0\n" },
	{ "a handshake of TLS", { "> \x16\x03\x01\x02" }, ">lost bad @0\n" },
	{ "SSH", { "> SSH-2.0-OpenSSH_9.2\r\n" }, ">lost bad @0\n" },
	{ "RTSP", { "> OPTIONS * RTSP/1.0\r\n\r\n" }, ">lost bad @0\n" },
	{ "a command of redis", { "> *1\r\n$4\r\nPING\r\n", "< +PONG\r\n" }, ">lost bad @0\n<lost bad @0\n" },
	{ "a status without a reason and without its blank", { "< HTTP/1.1 204\r\n\r\n" }, "<1=0 204 HTTP/1.1 @0+16\n<1=0 end 16/0\n" },
	{ "a status with a blank and no reason", { "< HTTP/1.0 304 \r\n\r\n" }, "<1=0 304 HTTP/1.0 @0+17\n<1=0 end 17/0\n" },
	{ "a status of four digits", { "< HTTP/1.1 2000 OK\r\n\r\n" }, "<lost bad @0\n" },
	{ "a status below 100", { "< HTTP/1.1 042 OK\r\n\r\n" }, "<lost bad @0\n" },
	{ "a status that nobody knows", { "< HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n" },
	  "<1=0 999 HTTP/1.1 @0+38 [Content-Length=0]\n<1=0 end 38/0\n" },
	{ "shoutcast", { "< ICY 200 OK\r\n\r\n" }, "<lost bad @0\n" },
	{ "after a bad head, a segment may begin with a good one", { "> GET /\r\n\r\n", ">segment", "> " GET },
	  ">lost bad @0\n>1 GET / HTTP/1.1 @9+27 skipped=9 [Host=x]\n>1 end 27/0\n" },

	/* Fields */
	{ "blanks around a value, none, and a colon in it",
	  { "> GET / HTTP/1.1\r\nA:  b c\t \r\nD:\r\nE:f:g\r\n\r\n" }, ">1 GET / HTTP/1.1 @0+40 [A=b c|D=|E=f:g]\n>1 end 40/0\n" },
	{ "a folded value becomes one line (9112 5.2)",
	  { "> GET / HTTP/1.1\r\nA: b\r\n\tc\r\n d\r\nE: f\r\n\r\n" }, ">1 GET / HTTP/1.1 @0+38 [A=b  \tc   d|E=f]\n>1 end 38/0\n" },
	{ "a fold after the start line is no field (9112 2.2)",
	  { "> GET / HTTP/1.1\r\n A: b\r\nE: f\r\n\r\n" }, ">1 GET / HTTP/1.1 @0+31 [E=f] left_out=1\n>1 end 31/0\n" },
	{ "lines that are no fields are left out",
	  { "> GET / HTTP/1.1\r\nno colon\r\n: x\r\na b: c\r\nE: f\r\n\r\n" }, ">1 GET / HTTP/1.1 @0+47 [E=f] left_out=3\n>1 end 47/0\n" },
	{ "a blank before the colon: a server refuses it, a client takes it off (9112 5.1)",
	  { "> GET / HTTP/1.1\r\nA : b\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n" },
	  ">1 GET / HTTP/1.1 @0+25 left_out=1\n>1 end 25/0\n<1=1 200 HTTP/1.1 @0+39 [Content-Length=0]\n<1=1 end 39/0\n" },

	/* Lengths, 9112 6.3 */
	{ "a body of a request", { "> POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" GET },
	  ">1 POST / HTTP/1.1 @0+38 length=3 [Content-Length=3]\n>1 end 41/3\n" GET_TOLD("2", "41") },
	{ "(1) 204 and 304 have no body, whatever they say",
	  { "> " GET GET GET, "< HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n" "HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n" OK },
	  GET_TOLD("1", "0") GET_TOLD("2", "27") GET_TOLD("3", "54")
	  "<1=1 204 HTTP/1.1 @0+37 [Content-Length=5]\n<1=1 end 37/0\n"
	  "<2=2 304 HTTP/1.1 @37+46 [Transfer-Encoding=chunked]\n<2=2 end 46/0\n" OK_TOLD("3", "3", "83") },
	{ "(3) chunked is stronger than a length",
	  { "> POST / HTTP/1.1\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" GET },
	  ">1 POST / HTTP/1.1 @0+67 length=? [Content-Length=99|Transfer-Encoding=chunked]\n>1 end 78/1\n" GET_TOLD("2", "78") },
	{ "(4) a request whose last coding is not chunked", { "> POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\nabc" },
	  ">1 POST / HTTP/1.1 @0+53 length=? [Transfer-Encoding=chunked, gzip]\n>lost length @53\n" },
	{ "(4) a response whose last coding is not chunked lasts until the connection closes",
	  { "< HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", "<close" },
	  "<1=0 200 HTTP/1.1 @0+44 length=? [Transfer-Encoding=gzip]\n<1=0 end 47/3\n" },
	{ "codings may stand in two fields, in any case",
	  { "< HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n" },
	  "<1=0 200 HTTP/1.1 @0+72 length=? [Transfer-Encoding=gzip|transfer-encoding=Chunked]\n<1=0 end 77/0\n" },
	{ "(5) lengths that repeat themselves",
	  { "> POST / HTTP/1.1\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nab" GET },
	  ">1 POST / HTTP/1.1 @0+60 length=2 [Content-Length=2, 2|Content-Length=2]\n>1 end 62/2\n" GET_TOLD("2", "62") },
	{ "(5) lengths that contradict each other", { "> POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc" GET, ">close" },
	  ">1 POST / HTTP/1.1 @0+57 length=? [Content-Length=2|Content-Length=3]\n>lost length @57\n>1 end 87/0 unknown\n" },
	{ "(5) a length with a sign", { "> POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc" },
	  ">1 POST / HTTP/1.1 @0+39 length=? [Content-Length=+3]\n>lost length @39\n" },
	{ "(5) a negative length", { "< HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" },
	  "<1=0 200 HTTP/1.1 @0+39 length=? [Content-Length=-1]\n<lost length @39\n" },
	{ "(5) no number at all", { "> POST / HTTP/1.1\r\nContent-Length:\r\n\r\n" },
	  ">1 POST / HTTP/1.1 @0+36 length=? [Content-Length=]\n>lost length @36\n" },
	{ "(5) a number beyond 2^64", { "> POST / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\n" },
	  ">1 POST / HTTP/1.1 @0+57 length=? [Content-Length=18446744073709551617]\n>lost length @57\n" },
	{ "(8) a response without length lasts until the connection closes",
	  { "> " GET, "< HTTP/1.0 200 OK\r\n\r\nabc", "< HTTP/1.0 200 OK", "<close" },
	  GET_TOLD("1", "0") "<1=1 200 HTTP/1.0 @0+19 length=?\n<1=1 end 37/18\n" },
	{ "a body that is cut", { "> POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na", ">close" },
	  ">1 POST / HTTP/1.1 @0+38 length=3 [Content-Length=3]\n>1 end 39/1 cut\n" },
	{ "a head that is cut is told as far as it came", { "> GET / HTTP/1.1\r\nHost: x\r\nCook", ">close", ">close" },
	  ">1 GET / HTTP/1.1 @0+29 cut length=? [Host=x]\n>lost closed @29\n>1 end 29/0 cut\n" },
	{ "a start line that is cut", { "> GET / HTT", ">close" }, ">lost closed @0\n" },

	/* Chunks, 9112 7.1 */
	{ "chunks with extensions, upper case, leading zeros and blanks; trailers",
	  { "< HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b;c\"\r\nabc\r\n00A \r\n0123456789\r\n0;last\r\nSum: 1\r\nB: c\r\n\r\n" OK },
	  "<1=0 200 HTTP/1.1 @0+47 length=? [Transfer-Encoding=chunked]\n<1=0 end 105/13 [Sum=1|B=c]\n" OK_TOLD("2", "0", "105") },
	{ "chunks with bare LF", { "< HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nab\n0\n\n" OK },
	  "<1=0 200 HTTP/1.1 @0+44 length=? [Transfer-Encoding=chunked]\n<1=0 end 52/2\n" OK_TOLD("2", "0", "52") },
	{ "a chunk longer than it said", { "< " CHUNKED "2\r\nabc\r\n0\r\n\r\n", "<close" }, CHUNKED_TOLD "<lost length @53\n<1=0 end 60/2 unknown\n" },
	{ "a chunk size that is none", { "< " CHUNKED "0x2\r\nab\r\n" }, CHUNKED_TOLD "<lost length @49\n" },
	{ "a chunk size beyond 2^64", { "< " CHUNKED "10000000000000002\r\nab\r\n" }, CHUNKED_TOLD "<lost length @64\n" },
	{ "no chunk size", { "< " CHUNKED "\r\nab\r\n" }, CHUNKED_TOLD "<lost length @48\n" },
	{ "chunks that are cut", { "< " CHUNKED "5\r\nab", "<close" }, CHUNKED_TOLD "<1=0 end 52/2 cut\n" },

	/* Answers before the answer, and other protocols */
	{ "100 Continue is not the answer (9110 15.2)",
	  { "> PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "< HTTP/1.1 100 Continue\r\n\r\n", "> ab", "< " OK },
	  ">1 PUT / HTTP/1.1 @0+59 length=2 [Expect=100-continue|Content-Length=2]\n"
	  "<1=1 100 HTTP/1.1 @0+25 interim\n<1=1 end 25/0\n>1 end 61/2\n" OK_TOLD("2", "1", "25") },
	{ "103 Early Hints, then the answer", { "> " GET, "< HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" OK },
	  GET_TOLD("1", "0") "<1=1 103 HTTP/1.1 @0+37 interim [Link=a]\n<1=1 end 37/0\n" OK_TOLD("2", "1", "37") },
	{ "101: what follows is a websocket (9110 7.8)",
	  { "> GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", "< HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\r\n\x81\x05hello",
	    "> \x81\x85", "<close" },
	  ">1 GET / HTTP/1.1 @0+38 [Upgrade=websocket]\n>1 end 38/0\n"
	  "<1=1 101 HTTP/1.1 @0+56 upgrade=websocket [Upgrade=WebSocket]\n<1=1 end 56/0\n" },
	{ "an upgrade that the server does not take", { "> GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", "< " OK, "> " GET, "< " OK },
	  ">1 GET / HTTP/1.1 @0+32 [Upgrade=h2c]\n>1 end 32/0\n" OK_TOLD("1", "1", "0") GET_TOLD("2", "32") OK_TOLD("2", "2", "38") },
	{ "CONNECT: a tunnel, whatever its length says (9110 9.3.6)",
	  { "> CONNECT a:1 HTTP/1.1\r\n\r\n", "< HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\x16\x03", "> \x16\x03" },
	  ">1 CONNECT a:1 HTTP/1.1 @0+24\n>1 end 24/0\n<1=1 200 HTTP/1.1 @0+38 upgrade=tunnel [Content-Length=5]\n<1=1 end 38/0\n" },
	{ "CONNECT refused: HTTP goes on",
	  { "> CONNECT a:1 HTTP/1.1\r\n\r\n", "< HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n", "> " GET, "< " OK },
	  ">1 CONNECT a:1 HTTP/1.1 @0+24\n>1 end 24/0\n<1=1 407 HTTP/1.1 @0+37 [Content-Length=0]\n<1=1 end 37/0\n"
	  GET_TOLD("2", "24") OK_TOLD("2", "2", "37") },
	{ "CONNECT refused, of a client that did not wait",
	  { "> CONNECT a:1 HTTP/1.1\r\n\r\n\x16\x03", "< HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n", ">segment", "> " GET },
	  ">1 CONNECT a:1 HTTP/1.1 @0+24\n>1 end 24/0\n>lost bad @26\n<1=1 407 HTTP/1.1 @0+37 [Content-Length=0]\n<1=1 end 37/0\n"
	  ">2 GET / HTTP/1.1 @26+27 [Host=x]\n>2 end 27/0\n" },

	/* Gaps */
	{ "a gap inside a body loses nothing", { "> " GET, "< " HEAD_OF_9 "abc", "<gap 6", "> " GET, "< " OK },
	  GET_TOLD("1", "0") HEAD_OF_9_TOLD("1", "1", "0") "<1=1 end 47/9\n" GET_TOLD("2", "27") OK_TOLD("2", "2", "47") },
	{ "a body that no byte of was captured", { "> " GET, "< " HEAD_OF_9, "<gap 4", "<gap 5" },
	  GET_TOLD("1", "0") HEAD_OF_9_TOLD("1", "1", "0") "<1=1 end 47/9\n" },
	{ "a gap beyond a body: it has ended, the place is lost, a head is found",
	  { "> " GET, "< " HEAD_OF_9 "abc", "<gap 10", "< " OK },
	  GET_TOLD("1", "0") HEAD_OF_9_TOLD("1", "1", "0") "<1=1 end 47/9\n<lost gap @47\n"
	  "<2=0 200 HTTP/1.1 @51+38 skipped=4 [Content-Length=0]\n<2=0 end 38/0\n" },
	{ "a gap until the connection closes", { "< HTTP/1.0 200 OK\r\n\r\nabc", "<gap 1000000", "<close" },
	  "<1=0 200 HTTP/1.0 @0+19 length=?\n<1=0 end 1000022/1000003\n" },
	{ "a gap in a head: what was seen is told, the next is found",
	  { "> GET /a HTTP/1.1\r\nHost: x\r\nCookie: a=", ">gap 500", "> " GET },
	  ">1 GET /a HTTP/1.1 @0+36 cut length=? [Host=x]\n>lost gap @36\n>1 end 536/0 unknown\n>2 GET / HTTP/1.1 @536+27 skipped=500 [Host=x]\n>2 end 27/0\n" },
	{ "a gap in a start line: nothing is told", { "> GET /aaaaaaa", ">gap 500", "> " GET },
	  ">lost gap @0\n>1 GET / HTTP/1.1 @512+27 skipped=512 [Host=x]\n>1 end 27/0\n" },
	{ "a gap between messages", { "> " GET, ">gap 27", "> " GET }, GET_TOLD("1", "0") ">lost gap @27\n>2 GET / HTTP/1.1 @54+27 skipped=27 [Host=x]\n>2 end 27/0\n" },
	{ "what follows a gap is no head: bytes pass until a segment begins with one",
	  { "> " GET, ">gap 5", "> rest of a body\r\n" GET, ">segment", "> more", ">segment", "> " GET },
	  GET_TOLD("1", "0") ">lost gap @27\n>2 GET / HTTP/1.1 @79+27 skipped=52 [Host=x]\n>2 end 27/0\n" },
	{ "a request in a body is none: without Host it does not convince",
	  { ">gap 5", "> GET / HTTP/1.1\r\nAccept: x\r\n\r\n", ">gap 5", "> get / HTTP/1.0\r\n\r\n", ">gap 5", "> GET / HTTP/1.0\r\n\r\n" },
	  ">lost gap @0\n>1 GET / HTTP/1.0 @62+18 skipped=62\n>1 end 18/0\n" },
	{ "a gap inside a chunk", { "< " CHUNKED "5\r\na", "<gap 4", "< \r\n0\r\n\r\n" OK }, CHUNKED_TOLD "<1=0 end 62/5\n" OK_TOLD("2", "0", "62") },
	{ "a gap over the end of a chunk", { "< " CHUNKED "5\r\na", "<gap 6", "< 0\r\n\r\n" OK }, CHUNKED_TOLD "<1=0 end 62/5\n" OK_TOLD("2", "0", "62") },
	{ "a gap over the last chunk", { "< " CHUNKED "5\r\na", "<gap 11", "< " OK }, CHUNKED_TOLD "<1=0 end 62/5\n" OK_TOLD("2", "0", "62") },
	{ "a gap over chunks: the next head ends the message", { "< " CHUNKED "5\r\na", "<gap 99", "< " OK },
	  CHUNKED_TOLD "<lost gap @51\n<1=0 end 150/5 unknown\n<2=0 200 HTTP/1.1 @150+38 skipped=99 [Content-Length=0]\n<2=0 end 38/0\n" },
	{ "a gap over chunks: the last chunk ends the message, if a segment begins with it",
	  { "< " CHUNKED "5\r\na", "<gap 99", "< 5\r\nhallo\r\n", "<segment", "< 0\r\nX", "<segment", "< 0\r\n\r\n", "<segment", "< junk", "<segment", "< " OK },
	  CHUNKED_TOLD "<lost gap @51\n<1=0 end 169/5 unknown\n<2=0 200 HTTP/1.1 @173+38 skipped=122 [Content-Length=0]\n<2=0 end 38/0\n" },
	{ "a gap over chunks: the next request ends the answer", { "> " GET, "< " CHUNKED "5\r\na", "<gap 99", "> " GET, "<segment", "< " OK },
	  GET_TOLD("1", "0") "<1=1 200 HTTP/1.1 @0+47 length=? [Transfer-Encoding=chunked]\n<lost gap @51\n<1=1 end 150/5 unknown\n"
	  GET_TOLD("2", "27") "<2=2 200 HTTP/1.1 @150+38 skipped=99 [Content-Length=0]\n<2=2 end 38/0\n" },
	{ "a gap over a chunked request: its answer ends it", { "> PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", ">gap 99", "< " OK },
	  ">1 PUT / HTTP/1.1 @0+46 length=? [Transfer-Encoding=chunked]\n>lost gap @46\n>1 end 145/0 unknown\n" OK_TOLD("1", "1", "0") },
	{ "a gap of unknown length in a body", { "< " HEAD_OF_9 "abc", "<gap ?", "< " OK },
	  HEAD_OF_9_TOLD("1", "0", "0") "<lost gap @41\n<1=0 end 41/3 unknown\n<2=0 200 HTTP/1.1 @41+38 [Content-Length=0]\n<2=0 end 38/0\n" },
	{ "an answer was missed: the last request is the one that waits", { "> " GET, "<gap 38", "> " GET, "<segment", "< " OK },
	  GET_TOLD("1", "0") "<lost gap @0\n" GET_TOLD("2", "27") "<1=2 200 HTTP/1.1 @38+38 skipped=38 [Content-Length=0]\n<1=2 end 38/0\n" },
	{ "an answer was missed of a client that pipelines: nobody knows whose the next is",
	  { "> " GET GET GET, "< " OK, "<gap 38", "< " OK, "> " GET, "< " OK },
	  GET_TOLD("1", "0") GET_TOLD("2", "27") GET_TOLD("3", "54") OK_TOLD("1", "1", "0")
	  "<lost gap @38\n<2=0 200 HTTP/1.1 @76+38 skipped=38 [Content-Length=0]\n<2=0 end 38/0\n" GET_TOLD("4", "81") OK_TOLD("3", "0", "114") },
	{ "a request was missed of a client that pipelines: nobody knows whose the next answer is",
	  { "> " GET GET, "< " OK OK, ">gap 27", "> " GET, "< " OK },
	  GET_TOLD("1", "0") GET_TOLD("2", "27") OK_TOLD("1", "1", "0") OK_TOLD("2", "2", "38")
	  ">lost gap @54\n>3 GET / HTTP/1.1 @81+27 skipped=27 [Host=x]\n>3 end 27/0\n" OK_TOLD("3", "0", "76") },
	{ "a request was missed of a client that does not: its answer is nobody's",
	  { "> " GET, "< " OK, ">gap 27", "< " OK, "> " GET, "< " OK },
	  GET_TOLD("1", "0") OK_TOLD("1", "1", "0") ">lost gap @27\n" OK_TOLD("2", "0", "38")
	  ">2 GET / HTTP/1.1 @54+27 skipped=27 [Host=x]\n>2 end 27/0\n" OK_TOLD("3", "2", "76") },

	/* Begun in the middle of a connection */
	{ "midway: the first bytes are a head", { "> " GET, "< " OK }, GET_TOLD("1", "0") OK_TOLD("1", "1", "0"), true },
	{ "midway: the first bytes are the end of a body", { "< llo</html>\r\n", "> " GET, "<segment", "< " OK },
	  GET_TOLD("1", "0") "<1=1 200 HTTP/1.1 @12+38 skipped=12 [Content-Length=0]\n<1=1 end 38/0\n", true },
	{ "midway: the answer to a request that was not seen", { "< " OK, "> " GET, "< " OK },
	  OK_TOLD("1", "0", "0") GET_TOLD("1", "0") OK_TOLD("2", "1", "38"), true },
	{ "midway: a head in two segments", { "> GET / HTTP/1.1\r\nHo", ">segment", "> st: x\r\n\r\n" }, GET_TOLD("1", "0"), true },
	{ "midway: a head of which a part is missing is not told", { "> GET / HTTP/1.1\r\nHo", ">gap 7", "> \r\n\r\n", ">segment", "> " GET },
	  ">1 GET / HTTP/1.1 @29+27 skipped=29 [Host=x]\n>1 end 27/0\n", true },
};

static void each_exchange_is_told_as_the_rfc_has_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(strbuf_done) struct strbuf told = {};
		run(&cases[i], SIZE_MAX, &told);
		if (!streq(strbuf_str(&told), cases[i].want))
			fail_msg("%s: told:\n%swanted:\n%s", cases[i].name, strbuf_str(&told), cases[i].want);
	}
}

static void pieces_change_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t piece = 1; piece < 80; piece += piece < 9 ? 1 : 7) {
			_cleanup_(strbuf_done) struct strbuf told = {};
			run(&cases[i], piece, &told);
			if (!streq(strbuf_str(&told), cases[i].want))
				fail_msg("%s: in pieces of %zu told:\n%swanted:\n%s", cases[i].name, piece, strbuf_str(&told), cases[i].want);
		}
	}
}

static const struct detect_case {
	const char *first;
	enum proto_verdict want;
} detect_cases[] = {
	{ "", PROTO_MORE },
	{ "GET / HTTP/1.1\r\n", PROTO_IS_CLIENT },
	{ "GET / HTTP/1.0\n", PROTO_IS_CLIENT },
	{ "M-SEARCH * HTTP/1.1\r\nHost", PROTO_IS_CLIENT },
	{ "GET / HTTP/1.1", PROTO_MORE },
	{ "G", PROTO_MORE },
	{ "H", PROTO_MORE }, /* HEAD or HTTP/1.1 */
	{ "HTTP/1.1 200 OK\r\n", PROTO_IS_SERVER },
	{ "HTTP/1.1 2", PROTO_MORE },
	{ "get / HTTP/1.1\r\n", PROTO_NOT }, /* nobody's, but it may be text */
	{ "GET /\r\n", PROTO_NOT },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PROTO_NOT },
	{ "OPTIONS * RTSP/1.0\r\n", PROTO_NOT },
	{ "\x16\x03\x01", PROTO_NOT },
	{ "SSH-2.0-x\r\n", PROTO_NOT },
	{ "EHLO mail\r\n", PROTO_NOT },
	{ "220 mail ESMTP\r\n", PROTO_NOT },
	{ "*1\r\n$4\r\nPING\r\n", PROTO_NOT },
	{ "set k 0 0 1\r\n", PROTO_NOT },
	{ "{\"a\": 1}", PROTO_NOT },
	{ "\r\nGET / HTTP/1.1\r\n", PROTO_NOT }, /* a segment that begins so is rarely a request */
};

static void the_first_bytes_tell_who_speaks(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(detect_cases); i++) {
		const struct proto_ops *ops = NULL;
		enum proto_verdict v = proto_detect(slice_of(detect_cases[i].first), &ops);
		if (v != detect_cases[i].want)
			fail_msg("'%s': %d, not %d", detect_cases[i].first, v, detect_cases[i].want);
		assert_ptr_equal(ops, v == PROTO_IS_CLIENT || v == PROTO_IS_SERVER ? &http1_proto : NULL);
	}
}

/* The verdict on a beginning never contradicts that on the whole. */
static void a_beginning_of_http_may_become_http(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(detect_cases); i++) {
		struct slice first = slice_of(detect_cases[i].first);
		for (; first.len > 0 && detect_cases[i].want >= PROTO_IS_CLIENT; first.len--)
			assert_int_not_equal(http1_proto.detect(first), PROTO_NOT);
	}
}

/* A head of @fields fields, each of @value bytes. */
static void add_long_head(struct strbuf *b, unsigned fields, size_t value)
{
	strbuf_adds(b, "> GET / HTTP/1.1\r\n");
	for (unsigned i = 0; i < fields; i++) {
		strbuf_adds(b, "A: ");
		strbuf_pad(b, 'x', value);
		strbuf_adds(b, "\r\n");
	}
	strbuf_adds(b, "\r\n");
}

static const struct limit_case {
	const char *name;
	unsigned fields;
	size_t value;
	const char *want; /* without the fields */
} limit_cases[] = {
	{ "200 fields are kept", 200, 1, ">1 GET / HTTP/1.1 @0+1218\n>1 end 1218/0\n" },
	{ "the 201st is counted", 201, 1, ">1 GET / HTTP/1.1 @0+1224 left_out=1\n>1 end 1224/0\n" },
	{ "a head of 64 KiB", 1, 65536 - 16 - 5 - 2, ">1 GET / HTTP/1.1 @0+65536\n>1 end 65536/0\n" },
	{ "a longer one is told as far as it goes", 2, 40000, ">1 GET / HTTP/1.1 @0+65536 cut length=?\n>lost limit @65536\n" },
	{ "of a longer field nothing is told but the start line", 1, 65536, ">1 GET / HTTP/1.1 @0+65536 cut length=?\n>lost limit @65536\n" },
};

static void take_out_fields(struct strbuf *b)
{
	char *open, *end;
	while ((open = b->data ? strstr(b->data, " [") : NULL) && (end = strchr(open, ']')))
		memmove(open, end + 1, strlen(end + 1) + 1);
}

static void heads_have_limits(void **state)
{
	static const size_t pieces[] = { SIZE_MAX, 1, 1000, 32768 };
	for (size_t i = 0; i < ARRAY_SIZE(limit_cases) * ARRAY_SIZE(pieces); i++) {
		const struct limit_case *c = &limit_cases[i / ARRAY_SIZE(pieces)];
		_cleanup_(strbuf_done) struct strbuf told = {}, passes = {};
		add_long_head(&passes, c->fields, c->value);
		run(&(struct http_case){ .steps = { strbuf_str(&passes) } }, pieces[i % ARRAY_SIZE(pieces)], &told);
		take_out_fields(&told);
		if (!streq(strbuf_str(&told), c->want))
			fail_msg("%s: told:\n%swanted:\n%s", c->name, strbuf_str(&told), c->want);
	}
}

/* What a server sends to fill our memory: an extension without end. */
static void a_chunk_extension_has_a_limit(void **state)
{
	_cleanup_(strbuf_done) struct strbuf told = {}, passes = {};
	strbuf_adds(&passes, "< " CHUNKED "1;");
	strbuf_pad(&passes, 'x', 16384 - 2 - 2);
	strbuf_adds(&passes, "\r\na\r\n1;");
	strbuf_pad(&passes, 'x', 16384);
	run(&(struct http_case){ .steps = { strbuf_str(&passes) } }, 1000, &told);
	assert_string_equal(strbuf_str(&told), CHUNKED_TOLD "<lost length @32819\n"); /* 47 + 16384 + 3 + 16384, and the first byte too many */
}

static const struct upgrade_case {
	const char *request, *more, *response;
	const char *name;
	uint64_t client, server;
} upgrade_cases[] = {
	{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", "HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\n\r\n", "websocket", 27, 38 },
	{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", "HTTP/1.1 101 x\r\nUpgrade: h2c, x\r\n\r\n", "h2c", 27, 35 },
	{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", "HTTP/1.1 101 x\r\n\r\n", "unnamed", 27, 18 },
	{ "CONNECT a:1 HTTP/1.1\r\n\r\n", "", "HTTP/1.1 200 x\r\n\r\n", "tunnel", 24, 18 },
	{ "CONNECT a:1 HTTP/1.1\r\n\r\n", "\x16\x03\x01", "HTTP/1.1 200 x\r\n\r\n", "tunnel", 24, 18 },
};

static void what_follows_an_upgrade_is_left_to_the_other_protocol(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(upgrade_cases); i++) {
		const struct upgrade_case *c = &upgrade_cases[i];
		_cleanup_(free) void *conn = xmalloc(http1_proto.state_size);
		_cleanup_(strbuf_done) struct strbuf told = {}, response = {};
		struct proto_upgrade up;
		http1_proto.init(conn, &(struct proto_start){ tell, &told });
		assert_int_equal(http1_proto.feed(conn, PROTO_CLIENT, slice_of(c->request)), strlen(c->request));
		assert_int_equal(http1_proto.feed(conn, PROTO_CLIENT, slice_of(c->more)), strlen(c->more));
		assert_false(http1_proto.upgrade(conn, &up));
		strbuf_addf(&response, "%sGET / HTTP/1.1\r\n\r\n", c->response);
		assert_int_equal(http1_proto.feed(conn, PROTO_SERVER, strbuf_slice(&response)), strlen(c->response));
		assert_true(http1_proto.upgrade(conn, &up));
		assert_string_equal(up.name, c->name);
		assert_int_equal(up.offset[PROTO_CLIENT], c->client);
		assert_int_equal(up.offset[PROTO_SERVER], c->server);
		assert_int_equal(http1_proto.feed(conn, PROTO_CLIENT, SLICE("GET / HTTP/1.1\r\n\r\n")), 0);
		http1_proto.done(conn);
	}
}

/* More wait than are kept; each answer still has its number, and the HEADs among the first their framing. */
static void a_thousand_requests_may_wait(void **state)
{
	struct pairs p;
	enum http1_asked asked;
	pairs_init(&p);
	for (uint64_t id = 1; id <= 1000; id++)
		assert_int_equal(pairs_request(&p, id % 3 ? ASKED_OTHER : ASKED_HEAD, true), id);
	for (uint64_t id = 1; id <= 1000; id++, pairs_answered(&p)) {
		assert_int_equal(pairs_oldest(&p, &asked), id);
		assert_int_equal(asked, id % 3 || id > PAIRS_KEPT ? ASKED_OTHER : ASKED_HEAD);
	}
	assert_int_equal(pairs_oldest(&p, &asked), 0);
	pairs_answered(&p);
	assert_int_equal(pairs_request(&p, ASKED_HEAD, true), 1001);
	assert_int_equal(pairs_oldest(&p, &asked), 1001);
	assert_int_equal(asked, ASKED_HEAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_exchange_is_told_as_the_rfc_has_it),
		cmocka_unit_test(pieces_change_nothing),
		cmocka_unit_test(the_first_bytes_tell_who_speaks),
		cmocka_unit_test(a_beginning_of_http_may_become_http),
		cmocka_unit_test(heads_have_limits),
		cmocka_unit_test(a_chunk_extension_has_a_limit),
		cmocka_unit_test(what_follows_an_upgrade_is_left_to_the_other_protocol),
		cmocka_unit_test(a_thousand_requests_may_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
