#include "export/scrape.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "base/alloc.h"
#include "base/library.h"
#include "base/macro.h"
#include "config/options.h"
#include "export/metrics.h"

#define CONNECTIONS_MAX 16u /* who scrapes is one, or a few */
#define IDLE_S 10u

/* What we use of libmicrohttpd: loaded, not linked. */
static struct {
	struct MHD_Daemon *(*start_daemon)(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback, void *, MHD_AccessHandlerCallback, void *, ...);
	void (*stop_daemon)(struct MHD_Daemon *);
	const char *(*lookup)(struct MHD_Connection *, enum MHD_ValueKind, const char *key);
	struct MHD_Response *(*response)(size_t size, void *buffer, enum MHD_ResponseMemoryMode mode);
	enum MHD_Result (*add_header)(struct MHD_Response *, const char *name, const char *value);
	enum MHD_Result (*queue)(struct MHD_Connection *, unsigned status, struct MHD_Response *);
	void (*destroy)(struct MHD_Response *);
} mhd;

struct scrape {
	struct series_table *series;
	struct MHD_Daemon *daemon;
};

static int load(struct reason *why)
{
	const struct library_symbol symbols[] = {
		{ "MHD_start_daemon", &mhd.start_daemon },
		{ "MHD_stop_daemon", &mhd.stop_daemon },
		{ "MHD_lookup_connection_value", &mhd.lookup },
		{ "MHD_create_response_from_buffer", &mhd.response },
		{ "MHD_add_response_header", &mhd.add_header },
		{ "MHD_queue_response", &mhd.queue },
		{ "MHD_destroy_response", &mhd.destroy },
	};
	return library_load("libmicrohttpd.so.12", symbols, ARRAY_SIZE(symbols), why);
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type, struct strbuf *body)
{
	struct MHD_Response *r = mhd.response(body->len, (void *)strbuf_str(body), MHD_RESPMEM_MUST_COPY);
	if (!r)
		return MHD_NO;
	mhd.add_header(r, "Content-Type", type);
	enum MHD_Result queued = mhd.queue(c, status, r);
	mhd.destroy(r);
	return queued;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method, const char *version, const char *upload,
				  size_t *upload_len, void **state)
{
	const struct scrape *s = arg;
	_cleanup_(strbuf_done) struct strbuf body = {};
	_cleanup_(free) struct series *all = NULL;
	const char *type = "text/plain; charset=utf-8";
	uint64_t since_ns;
	if (!streq(method, "GET") && !streq(method, "HEAD"))
		return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, type, &body);
	if (!streq(url, "/metrics")) {
		strbuf_adds(&body, "metrics are at /metrics\n");
		return answer(c, MHD_HTTP_NOT_FOUND, type, &body);
	}
	size_t n = series_copy(s->series, &all, &since_ns);
	enum exposition form = metrics_accepted(mhd.lookup(c, MHD_HEADER_KIND, "Accept"), &type);
	metrics_expose(&body, form, all, n, since_ns);
	return answer(c, MHD_HTTP_OK, type, &body);
}

/* "9464", "127.0.0.1:9464", "[::1]:9464", ":9464" */
static int find_address(const char *text, struct addrinfo **ret, struct reason *why)
{
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool brackets = len > 1 && text[0] == '[' && text[len - 1] == ']';
	_cleanup_(free) char *host = !colon ? xstrdup("127.0.0.1") : len ? xstrndup(text + brackets, len - 2 * brackets) : NULL;
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_family = host ? AF_UNSPEC : AF_INET, .ai_socktype = SOCK_STREAM };
	uint64_t number;
	if (parse_number(port, &number) < 0 || number == 0 || number > UINT16_MAX)
		return reason_set(why, -EINVAL, "--listen: '%.80s' has no port (9464, 127.0.0.1:9464, :9464)", text);
	int r = getaddrinfo(host, port, &hints, ret);
	return r == 0 ? 0 : reason_set(why, -EINVAL, "--listen: '%.80s': %s", text, gai_strerror(r));
}

static struct MHD_Daemon *start(struct scrape *s, const struct addrinfo *at)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | (at->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	struct MHD_Daemon *d = mhd.start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, at->ai_addr, MHD_OPTION_CONNECTION_LIMIT,
						CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return d;
}

int scrape_new(struct scrape **ret, const char *address, struct series_table *series, struct reason *why)
{
	struct addrinfo *at = NULL;
	int r = load(why);
	if (r == 0)
		r = find_address(address, &at, why);
	if (r < 0)
		return r;
	struct scrape *s = xcalloc(1, sizeof(*s));
	s->series = series;
	errno = 0;
	s->daemon = start(s, at);
	r = s->daemon ? 0 : errno ? -errno : -EIO;
	freeaddrinfo(at);
	if (r < 0) {
		free(s);
		return reason_set(why, r, "--listen: '%.80s' cannot be listened on: %s", address, strerror(-r));
	}
	*ret = s;
	return 0;
}

void scrape_free(struct scrape *s)
{
	if (!s)
		return;
	mhd.stop_daemon(s->daemon);
	free(s);
}
