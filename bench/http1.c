/*
 * http1: what it costs to parse HTTP/1 messages, as a capture hands them over: a request in one piece, its response in one.
 * http1 [MESSAGES]: prints nanoseconds a message, best of five rounds. Under `perf stat -e instructions:u` or callgrind, instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "proto/proto.h"

/* As nginx 1.22 and curl 7.88 write them, and a browser's request. */
static const char curl[] = "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";
static const char nginx[] =
	"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 20:00:00 GMT\r\nContent-Type: text/html\r\n"
	"Content-Length: 16\r\nLast-Modified: Sat, 21 Nov 2026 19:00:00 GMT\r\nConnection: keep-alive\r\nETag: \"65f0-264\"\r\n"
	"Accept-Ranges: bytes\r\n\r\n0123456789abcdef";
static const char browser[] =
	"GET /a/long/path/to/some/page?with=a&query=string HTTP/1.1\r\nHost: www.example.org\r\nConnection: keep-alive\r\n"
	"sec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\n"
	"Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/128.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
	"Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n"
	"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\r\n";
static const char node[] =
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sat, 21 Nov 2026 20:00:00 GMT\r\nConnection: keep-alive\r\n"
	"Transfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";

static uint64_t heads, ends;

static void count(void *ctx, const struct proto_message *m)
{
	heads += m->event == PROTO_HEAD;
	ends += m->event == PROTO_END;
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

/* @len = 1: byte by byte, as no kernel hands them over. */
static void feed(const struct proto_ops *ops, void *state, enum proto_side from, struct slice bytes, size_t len)
{
	ops->segment(state, from);
	for (size_t at = 0; at < bytes.len; at += len)
		ops->feed(state, from, (struct slice){ bytes.data + at, MIN(len, bytes.len - at) });
}

static double round_ns(const struct proto_ops *ops, struct slice request, struct slice response, size_t piece, uint64_t n)
{
	_cleanup_(free) void *state = xmalloc(ops->state_size);
	ops->init(state, &(struct proto_start){ .emit = count });
	heads = ends = 0;
	uint64_t begin = now_ns();
	for (uint64_t i = 0; i < n; i += 2) {
		feed(ops, state, PROTO_CLIENT, request, piece);
		feed(ops, state, PROTO_SERVER, response, piece);
	}
	double ns = (double)(now_ns() - begin) / (double)n;
	ops->done(state);
	if (heads != ends || heads != (n + 1) / 2 * 2) {
		fprintf(stderr, "http1: %lu heads and %lu ends of %lu messages\n", heads, ends, n);
		exit(1);
	}
	return ns;
}

static void measure(const char *name, struct slice request, struct slice response, size_t piece, uint64_t n)
{
	const struct proto_ops *ops = proto_find("http1");
	double best = round_ns(ops, request, response, piece, n);
	for (int i = 1; i < 5; i++) {
		double ns = round_ns(ops, request, response, piece, n);
		best = MIN(best, ns);
	}
	printf("%-24s %7.1f ns a message, %9.0f a second, %4zu bytes each\n", name, best, 1e9 / best, (request.len + response.len) / 2);
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
	measure("curl, nginx", SLICE(curl), SLICE(nginx), SIZE_MAX / 2, n);
	measure("browser, node", SLICE(browser), SLICE(node), SIZE_MAX / 2, n);
	measure("in pieces of 100", SLICE(curl), SLICE(nginx), 100, n);
	measure("byte by byte", SLICE(curl), SLICE(nginx), 1, n / 10);
	return 0;
}
