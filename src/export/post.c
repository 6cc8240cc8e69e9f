#include "export/post.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/library.h"
#include "base/macro.h"

#define GZIP_WINDOW (15 + 16) /* zlib.h, deflateInit2: 16 more is the gzip format */
#define GRPC_PREFIX_BYTES 5

/* What we use of libcurl: loaded, not linked. */
static struct {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
	CURLcode (*easy_perform)(CURL *);
	CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
	void (*easy_cleanup)(CURL *);
	const char *(*easy_strerror)(CURLcode);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
} curl;

enum header { HEADER_CONTENT_TYPE, HEADER_RETRY_AFTER, HEADER_GRPC_STATUS, HEADER_GRPC_MESSAGE, HEADER_GRPC_DETAILS, HEADERS };
static const char *const header_names[HEADERS] = { "content-type", "retry-after", "grpc-status", "grpc-message", "grpc-status-details-bin" };

struct post {
	const struct destination *d;
	const atomic_bool *stop;
	CURL *easy;
	struct curl_slist *headers;
	struct strbuf packed; /* what is sent, where it is not the body as it is */
	struct strbuf answered;
	struct strbuf header[HEADERS];
	struct strbuf failure;
	bool too_long;
	char error[CURL_ERROR_SIZE];
};

static int load_curl(struct reason *why)
{
	const struct library_symbol symbols[] = {
		{ "curl_global_init", &curl.global_init },
		{ "curl_easy_init", &curl.easy_init },
		{ "curl_easy_setopt", &curl.easy_setopt },
		{ "curl_easy_perform", &curl.easy_perform },
		{ "curl_easy_getinfo", &curl.easy_getinfo },
		{ "curl_easy_cleanup", &curl.easy_cleanup },
		{ "curl_easy_strerror", &curl.easy_strerror },
		{ "curl_slist_append", &curl.slist_append },
		{ "curl_slist_free_all", &curl.slist_free_all },
	};
	if (curl.global_init)
		return 0;
	int r = library_load("libcurl.so.4", symbols, ARRAY_SIZE(symbols), why);
	return r < 0 ? r : curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : reason_set(why, -ENOTSUP, "libcurl does not begin");
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct post *p = arg;
	if (p->answered.len + size * n > ANSWER_BODY_MAX) {
		p->too_long = true;
		return 0; /* ends the transfer */
	}
	strbuf_add(&p->answered, bytes, size * n);
	return size * n;
}

static void clear_headers(struct post *p)
{
	for (size_t i = 0; i < HEADERS; i++)
		strbuf_clear(&p->header[i]);
}

/* Trailers come here as well, after the body. */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	struct post *p = arg;
	size_t len = size * n;
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		clear_headers(p); /* what came before was 100 Continue, or a proxy's */
	for (size_t i = 0; i < HEADERS; i++) {
		size_t name = strlen(header_names[i]), from = name + 1, to = len;
		if (len <= name || line[name] != ':' || strncasecmp(line, header_names[i], name) != 0)
			continue;
		while (from < to && strchr(" \t", line[from]))
			from++;
		while (to > from && strchr(" \t\r\n", line[to - 1]))
			to--;
		strbuf_clear(&p->header[i]);
		strbuf_add(&p->header[i], line + from, to - from);
	}
	return len;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	return atomic_load(((struct post *)arg)->stop); /* not 0 ends the transfer */
}

static void add_header(struct post *p, const char *line)
{
	p->headers = curl.slist_append(p->headers, line);
}

static void set_headers(struct post *p)
{
	static const char *const types[] = {
		[WIRE_OTLP_PROTOBUF] = "Content-Type: application/x-protobuf", [WIRE_OTLP_JSON] = "Content-Type: application/json",
		[WIRE_OTLP_GRPC] = "Content-Type: application/grpc", [WIRE_ZIPKIN] = "Content-Type: application/json",
	};
	bool is_grpc = p->d->wire == WIRE_OTLP_GRPC;
	add_header(p, types[p->d->wire]);
	add_header(p, "Expect:"); /* we do not wait for 100 Continue */
	if (is_grpc)
		add_header(p, "TE: trailers");
	if (p->d->gzip)
		add_header(p, is_grpc ? "grpc-encoding: gzip" : "Content-Encoding: gzip");
	for (size_t i = 0; i < p->d->headers.n; i++)
		add_header(p, p->d->headers.items[i]);
	curl.easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers);
}

static void set_tls(struct post *p)
{
	if (p->d->ca)
		curl.easy_setopt(p->easy, CURLOPT_CAINFO, p->d->ca);
	if (p->d->certificate)
		curl.easy_setopt(p->easy, CURLOPT_SSLCERT, p->d->certificate);
	if (p->d->key)
		curl.easy_setopt(p->easy, CURLOPT_SSLKEY, p->d->key);
}

static void set_up(struct post *p)
{
	bool is_grpc = p->d->wire == WIRE_OTLP_GRPC, tls = strncmp(p->d->url, "https:", 6) == 0;
	curl.easy_setopt(p->easy, CURLOPT_URL, p->d->url);
	curl.easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl.easy_setopt(p->easy, CURLOPT_HTTP_VERSION,
			 (long)(!is_grpc ? CURL_HTTP_VERSION_1_1 : tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE));
	curl.easy_setopt(p->easy, CURLOPT_USERAGENT, "utrace/" UTRACE_VERSION);
	curl.easy_setopt(p->easy, CURLOPT_POST, 1L);
	curl.easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)p->d->timeout_ms);
	curl.easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(p->easy, CURLOPT_QUICK_EXIT, 1L); /* a name that nobody resolves does not hold up the end */
	curl.easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->error);
	curl.easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl.easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
	curl.easy_setopt(p->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl.easy_setopt(p->easy, CURLOPT_HEADERDATA, p);
	curl.easy_setopt(p->easy, CURLOPT_NOPROGRESS, 0L);
	curl.easy_setopt(p->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl.easy_setopt(p->easy, CURLOPT_XFERINFODATA, p);
	set_headers(p);
	set_tls(p);
}

int post_new(struct post **ret, const struct destination *d, const atomic_bool *stop, struct reason *why)
{
	int r = load_curl(why);
	if (r < 0)
		return r;
	struct post *p = xcalloc(1, sizeof(*p));
	*p = (struct post){ .d = d, .stop = stop, .easy = curl.easy_init() };
	if (!p->easy) {
		free(p);
		return reason_set(why, -ENOMEM, "libcurl does not begin");
	}
	set_up(p);
	*ret = p;
	return 0;
}

void post_free(struct post *p)
{
	if (!p)
		return;
	curl.easy_cleanup(p->easy);
	curl.slist_free_all(p->headers);
	strbuf_done(&p->packed);
	strbuf_done(&p->answered);
	strbuf_done(&p->failure);
	for (size_t i = 0; i < HEADERS; i++)
		strbuf_done(&p->header[i]);
	free(p);
}

static void add_gzip(struct strbuf *out, struct slice body)
{
	z_stream z = {};
	deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY);
	size_t most = deflateBound(&z, body.len);
	strbuf_reserve(out, most);
	z.next_in = (Bytef *)body.data;
	z.avail_in = (uInt)body.len;
	z.next_out = (Bytef *)out->data + out->len;
	z.avail_out = (uInt)most;
	deflate(&z, Z_FINISH);
	out->len += most - z.avail_out;
	deflateEnd(&z);
}

/* Compressed, and for gRPC with its prefix: gRPC over HTTP2, Length-Prefixed-Message. */
static struct slice pack(struct post *p, struct slice body)
{
	bool is_grpc = p->d->wire == WIRE_OTLP_GRPC;
	if (!is_grpc && !p->d->gzip)
		return body;
	strbuf_clear(&p->packed);
	strbuf_pad(&p->packed, '\0', is_grpc ? GRPC_PREFIX_BYTES : 0);
	if (p->d->gzip)
		add_gzip(&p->packed, body);
	else
		strbuf_add_slice(&p->packed, body);
	if (is_grpc) {
		uint32_t length = htonl((uint32_t)(p->packed.len - GRPC_PREFIX_BYTES));
		p->packed.data[0] = p->d->gzip;
		memcpy(p->packed.data + 1, &length, sizeof(length));
	}
	return strbuf_slice(&p->packed);
}

static const char *failure_of(struct post *p, CURLcode code)
{
	if (code == CURLE_OK || p->too_long)
		return NULL;
	strbuf_clear(&p->failure);
	strbuf_addf(&p->failure, "cannot be reached: %s", p->error[0] ? p->error : curl.easy_strerror(code));
	return p->failure.data;
}

struct answer post_send(struct post *p, struct slice body)
{
	struct slice bytes = pack(p, body);
	clear_headers(p);
	strbuf_clear(&p->answered);
	p->too_long = false;
	p->error[0] = '\0';
	curl.easy_setopt(p->easy, CURLOPT_POSTFIELDS, bytes.data);
	curl.easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes.len);
	CURLcode code = curl.easy_perform(p->easy);
	struct answer a = {
		.failure = failure_of(p, code), .too_long = p->too_long, .body = strbuf_slice(&p->answered),
		.content_type = strbuf_slice(&p->header[HEADER_CONTENT_TYPE]), .retry_after = strbuf_slice(&p->header[HEADER_RETRY_AFTER]),
		.grpc_status = p->header[HEADER_GRPC_STATUS].len ? atoi(p->header[HEADER_GRPC_STATUS].data) : -1,
		.grpc_message = strbuf_slice(&p->header[HEADER_GRPC_MESSAGE]), .grpc_details = strbuf_slice(&p->header[HEADER_GRPC_DETAILS]),
	};
	curl.easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &a.http_status);
	return a;
}
