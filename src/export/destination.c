#include "export/destination.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macro.h"

#define TIMEOUT_DEFAULT_MS 10000 /* OTEL_EXPORTER_OTLP_TIMEOUT */
#define TIMEOUT_MAX_MS 600000

static const struct scheme {
	const char *word;       /* before "://" */
	const char *url_scheme;
	enum wire wire;
	unsigned port;
} schemes[] = {
	{ "otlp+http", "http", WIRE_OTLP_PROTOBUF, 4318 },
	{ "otlp+https", "https", WIRE_OTLP_PROTOBUF, 443 },
	{ "otlp+grpc", "http", WIRE_OTLP_GRPC, 4317 },
	{ "otlp+grpcs", "https", WIRE_OTLP_GRPC, 443 },
	{ "zipkin+http", "http", WIRE_ZIPKIN, 9411 },
	{ "zipkin+https", "https", WIRE_ZIPKIN, 443 },
};

static const char *const signal_words[SIGNAL_KINDS] = { "TRACES", "METRICS" };
static const char *const http_paths[SIGNAL_KINDS] = { "/v1/traces", "/v1/metrics" };
static const char *const grpc_paths[SIGNAL_KINDS] = {
	"/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
};

void destination_done(struct destination *d)
{
	free(d->url);
	free(d->shown);
	text_list_done(&d->headers);
	free(d->ca);
	free(d->certificate);
	free(d->key);
}

/* A variable of the receiver: that of the signal before that of all. An empty one is none. @ret_name: which it was. */
static const char *variable(const struct destination *d, read_variable env, const char *what, char ret_name[64])
{
	const char *receiver = d->wire == WIRE_ZIPKIN ? "ZIPKIN" : "OTLP", *value = NULL;
	if (d->wire != WIRE_ZIPKIN) {
		snprintf(ret_name, 64, "OTEL_EXPORTER_%s_%s_%s", receiver, signal_words[d->signal], what);
		value = env(ret_name);
	}
	if (!value || !*value) {
		snprintf(ret_name, 64, "OTEL_EXPORTER_%s_%s", receiver, what);
		value = env(ret_name);
	}
	return value && *value ? value : NULL;
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

static char *decode_percents(const char *from, size_t len)
{
	struct strbuf b = {};
	for (; len && isblank((unsigned char)*from); len--)
		from++;
	while (len && isblank((unsigned char)from[len - 1]))
		len--;
	strbuf_reserve(&b, len);
	for (size_t i = 0; i < len; i++) {
		bool coded = from[i] == '%' && i + 2 < len && hex(from[i + 1]) >= 0 && hex(from[i + 2]) >= 0;
		strbuf_addc(&b, coded ? (char)(hex(from[i + 1]) << 4 | hex(from[i + 2])) : from[i]);
		i += coded ? 2 : 0;
	}
	return b.len ? b.data : (free(b.data), xstrdup(""));
}

int destination_pairs(struct text_list *ret, const char *text)
{
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, ","), name = strcspn(at, "=,");
		if (name == len && strspn(at, " \t") < len)
			return -EINVAL;
		if (name < len) {
			_cleanup_(free) char *key = decode_percents(at, name), *value = decode_percents(at + name + 1, len - name - 1);
			if (!*key)
				return -EINVAL;
			text_list_add(ret, key);
			text_list_add(ret, value);
		}
		at += len + (at[len] == ',');
	}
	return 0;
}

/* Neither may a line of HTTP end here, RFC 9110, 5.5 and 5.6.2. */
static bool is_header(const char *name, const char *value)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c))
			return false;
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

static int read_headers(struct destination *d, read_variable env, struct reason *why)
{
	char name[64];
	const char *text = variable(d, env, "HEADERS", name);
	_cleanup_(text_list_done) struct text_list pairs = {};
	int r = text ? destination_pairs(&pairs, text) : 0;
	for (size_t i = 0; r == 0 && i < pairs.n; i += 2) {
		_cleanup_(free) char *line = xasprintf("%s: %s", pairs.items[i], pairs.items[i + 1]);
		r = is_header(pairs.items[i], pairs.items[i + 1]) ? 0 : -EINVAL;
		text_list_add(&d->headers, line);
	}
	return r < 0 ? reason_set(why, r, "%s is no list of headers (NAME=VALUE,NAME=VALUE)", name) : 0; /* what it holds may be a secret */
}

static int read_file_name(struct destination *d, read_variable env, const char *what, char **ret, struct reason *why)
{
	char name[64];
	const char *path = variable(d, env, what, name);
	if (path && access(path, R_OK) < 0)
		return reason_set(why, -EINVAL, "%s: '%.200s' cannot be read: %s", name, path, strerror(errno));
	*ret = xstrdup(path);
	return 0;
}

static int read_rest(struct destination *d, read_variable env, struct reason *why)
{
	char name[64], *end = NULL;
	const char *timeout = variable(d, env, "TIMEOUT", name);
	d->timeout_ms = timeout ? strtoull(timeout, &end, 10) : TIMEOUT_DEFAULT_MS;
	if (timeout && (!isdigit((unsigned char)*timeout) || *end || !d->timeout_ms || d->timeout_ms > TIMEOUT_MAX_MS))
		return reason_set(why, -EINVAL, "%s: '%.40s' is no number of milliseconds (1 to %d)", name, timeout, TIMEOUT_MAX_MS);
	const char *compression = variable(d, env, "COMPRESSION", name);
	d->gzip = compression && streq(compression, "gzip");
	if (compression && !d->gzip && !streq(compression, "none"))
		return reason_set(why, -EINVAL, "%s: '%.40s' is not known (gzip, none)", name, compression);
	int r = read_headers(d, env, why);
	if (r == 0)
		r = read_file_name(d, env, "CERTIFICATE", &d->ca, why);
	if (r == 0)
		r = read_file_name(d, env, "CLIENT_CERTIFICATE", &d->certificate, why);
	return r == 0 ? read_file_name(d, env, "CLIENT_KEY", &d->key, why) : r;
}

static char *without_secrets(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	size_t authority = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', authority);
	const char *rest = at ? at + 1 : host;
	return xasprintf("%.*s%.*s", (int)(host - url), url, (int)strcspn(rest, "?#"), rest);
}

struct address {
	struct slice authority, path; /* of a URL, as they are written; the path with its query */
	bool has_port;
};

/* @rest: what stands behind "://". -EINVAL: no host, or what no URL has. */
static int split_address(const char *rest, struct address *ret)
{
	size_t len = strcspn(rest, "/?#");
	const char *at = memrchr(rest, '@', len), *host = at ? at + 1 : rest, *end = rest + len;
	const char *bracket = memchr(host, ']', (size_t)(end - host));
	for (const char *c = rest; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return -EINVAL;
	if (host == end || host[0] == ':')
		return -EINVAL;
	const char *from = bracket ? bracket : host;
	*ret = (struct address){ { rest, len }, slice_of(end), memchr(from, ':', (size_t)(end - from)) != NULL };
	return 0;
}

/* What is put behind the path of @a, and that path. */
static const char *path_behind(const struct destination *d, struct address *a, bool as_is)
{
	while (!as_is && a->path.len && a->path.data[a->path.len - 1] == '/')
		a->path.len--;
	if (d->wire == WIRE_OTLP_GRPC) {
		a->path = (struct slice){ "", 0 };
		return grpc_paths[d->signal];
	}
	if (as_is)
		return "";
	return d->wire != WIRE_ZIPKIN ? http_paths[d->signal] : a->path.len ? "" : "/api/v2/spans";
}

/* @port: when none is told; 0: that of the scheme. */
static int set_url(struct destination *d, const char *scheme, const char *rest, unsigned port, bool as_is)
{
	struct address a;
	char with_port[16] = "";
	if (split_address(rest, &a) < 0)
		return -EINVAL;
	if (port && !a.has_port)
		snprintf(with_port, sizeof(with_port), ":%u", port);
	const char *behind = path_behind(d, &a, as_is);
	d->url = xasprintf("%s://%.*s%s%.*s%s", scheme, (int)a.authority.len, a.authority.data, with_port, (int)a.path.len, a.path.data, behind);
	d->shown = without_secrets(d->url);
	return 0;
}

/* "otlp", "zipkin": the environment says where. */
static int find_in_environment(struct destination *d, read_variable env, struct reason *why)
{
	char name[64];
	const char *protocol = d->wire == WIRE_ZIPKIN ? NULL : variable(d, env, "PROTOCOL", name);
	if (protocol && streq(protocol, "grpc"))
		d->wire = WIRE_OTLP_GRPC;
	const char *url = variable(d, env, "ENDPOINT", name);
	bool as_is = url && d->wire != WIRE_OTLP_GRPC && !streq(name, "OTEL_EXPORTER_OTLP_ENDPOINT");
	if (!url)
		url = d->wire == WIRE_ZIPKIN ? "http://localhost:9411" : d->wire == WIRE_OTLP_GRPC ? "http://localhost:4317" : "http://localhost:4318";
	const char *rest = strstr(url, "://");
	bool tls = strncmp(url, "https://", 8) == 0;
	if (!rest || (!tls && strncmp(url, "http://", 7) != 0) || set_url(d, tls ? "https" : "http", rest + 3, 0, as_is) < 0)
		return reason_set(why, -EINVAL, "%s: it is no address (http://HOST:PORT, https://HOST:PORT)", name);
	return 0;
}

static int find_by_word(struct destination *d, const char *word, struct reason *why)
{
	const char *rest = strstr(word, "://");
	for (size_t i = 0; rest && i < ARRAY_SIZE(schemes); i++) {
		const struct scheme *s = &schemes[i];
		if (strlen(s->word) != (size_t)(rest - word) || strncmp(word, s->word, strlen(s->word)) != 0)
			continue;
		d->wire = s->wire;
		if (set_url(d, s->url_scheme, rest + 3, s->port, false) == 0)
			return 0;
	}
	return reason_set(why, -EINVAL, "--export: '%.*s' is no receiver (otlp+http://HOST, otlp+https://HOST, otlp+grpc://HOST, otlp+grpcs://HOST, "
			  "zipkin+http://HOST, zipkin+https://HOST; otlp or zipkin: as OTEL_EXPORTER_OTLP_ENDPOINT says)",
			  (int)MIN(rest ? (size_t)(rest - word) : 40u, 40u), word); /* behind it may stand a password */
}

static int read_json_wish(struct destination *d, read_variable env, struct reason *why)
{
	char name[64];
	const char *protocol = d->wire == WIRE_ZIPKIN ? NULL : variable(d, env, "PROTOCOL", name);
	if (!protocol || streq(protocol, "grpc") || streq(protocol, "http/protobuf"))
		return 0;
	if (!streq(protocol, "http/json"))
		return reason_set(why, -EINVAL, "%s: '%.40s' is not known (grpc, http/protobuf, http/json)", name, protocol);
	if (d->wire == WIRE_OTLP_PROTOBUF && d->signal == SIGNAL_TRACES)
		d->wire = WIRE_OTLP_JSON;
	return 0;
}

int destination_find(struct destination *ret, const char *word, enum signal_kind signal, read_variable env, struct reason *why)
{
	_cleanup_(destination_done) struct destination d = { .signal = signal, .wire = streq(word, "zipkin") ? WIRE_ZIPKIN : WIRE_OTLP_PROTOBUF };
	int r = streq(word, "otlp") || streq(word, "zipkin") ? find_in_environment(&d, env, why) : find_by_word(&d, word, why);
	if (r == 0)
		r = read_json_wish(&d, env, why);
	if (r == 0)
		r = read_rest(&d, env, why);
	if (r < 0)
		return r;
	if (d.wire == WIRE_ZIPKIN && signal != SIGNAL_TRACES)
		return 1;
	*ret = d;
	d = (struct destination){};
	return 0;
}
