#include "engine/request_event.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"

bool request_texts(const struct request_rec *rec, struct slice ret[TEXTS])
{
	struct slice rest = { (const char *)(rec + 1), rec->head.length - sizeof(*rec) };
	for (size_t i = 0; i < TEXTS; i++) {
		const char *end = memchr(rest.data, '\0', rest.len);
		if (!end && i < TEXTS_OF_OLD)
			return false;
		if (!end) {
			ret[i] = (struct slice){};
			continue;
		}
		ret[i] = (struct slice){ rest.data, (size_t)(end - rest.data) };
		rest = (struct slice){ end + 1, rest.len - ret[i].len - 1 };
	}
	return true;
}

bool request_is_error(const struct request_rec *rec)
{
	return rec->flags & REQUEST_NO_ANSWER || rec->status >= (rec->kind == REQUEST_CLIENT ? 400u : 500u);
}

static bool glob_fits(const char *glob, struct slice text)
{
	_cleanup_(free) char *copy = xstrndup(text.data, text.len);
	return !glob || fnmatch(glob, copy, 0) == 0;
}

/* "404", "5xx", "error" */
static bool status_fits(const char *wanted, const struct request_rec *rec)
{
	char status[16];
	if (!wanted || (streq(wanted, "error") && request_is_error(rec)))
		return true;
	snprintf(status, sizeof(status), "%u", rec->status);
	if (strlen(status) != strlen(wanted))
		return false;
	for (size_t i = 0; wanted[i]; i++)
		if (wanted[i] != status[i] && wanted[i] != 'x' && wanted[i] != 'X')
			return false;
	return true;
}

bool request_port_fits(const struct options *o, uint16_t port)
{
	for (size_t i = 0; i < o->ports.n; i++)
		if (o->ports.items[i] == port)
			return true;
	return o->ports.n == 0;
}

bool request_fits(const struct options *o, const struct request_rec *rec, const struct slice texts[TEXTS])
{
	uint16_t port = rec->kind == REQUEST_CLIENT ? rec->peer_port : rec->local_port;
	return rec->duration_ns >= o->min_ns && status_fits(o->status, rec) && request_port_fits(o, port) &&
	       glob_fits(o->method, texts[TEXT_METHOD]) && glob_fits(o->path, texts[TEXT_PATH]);
}

static struct slice address_text(struct arena *a, const uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff }; /* RFC 4291, 2.5.5.2 */
	char text[INET6_ADDRSTRLEN];
	bool is_ipv4 = memcmp(address, mapped, sizeof(mapped)) == 0;
	inet_ntop(is_ipv4 ? AF_INET : AF_INET6, is_ipv4 ? address + 12 : address, text, sizeof(text));
	return arena_dup(a, slice_of(text));
}

struct attributes {
	struct named_value *items;
	size_t n;
};

static void add_string(struct attributes *a, const char *name, struct slice text)
{
	if (text.len)
		a->items[a->n++] = (struct named_value){ .name = slice_of(name), .value = STRING_VALUE(text) };
}

static void add_uint(struct attributes *a, const char *name, uint64_t n)
{
	a->items[a->n++] = (struct named_value){ .name = slice_of(name), .value = UINT_VALUE(n) };
}

/* Host: without its port, RFC 9110, 7.2. */
static struct slice host_name(struct slice host)
{
	const char *colon = host.len && host.data[0] != '[' ? memchr(host.data, ':', host.len) : NULL;
	return colon ? (struct slice){ host.data, (size_t)(colon - host.data) } : host;
}

/* Stable names of OpenTelemetry's semantic conventions 1.23 and later. */
static struct value attributes_of(struct arena *arena, const struct request_rec *rec, const struct slice texts[TEXTS])
{
	struct attributes a = { .items = arena_new(arena, struct named_value, 24) };
	bool of_client = rec->kind == REQUEST_CLIENT;
	add_string(&a, "http.request.method", texts[TEXT_METHOD]);
	add_string(&a, "url.scheme", rec->flags & REQUEST_TLS ? SLICE("https") : SLICE("http"));
	add_string(&a, "url.path", texts[TEXT_PATH]);
	if (!of_client)
		add_string(&a, "http.route", texts[TEXT_ROUTE]);
	if (rec->status)
		add_uint(&a, "http.response.status_code", rec->status);
	add_uint(&a, "http.request.body.size", rec->request_body_bytes);
	add_uint(&a, "http.response.body.size", rec->response_body_bytes);
	add_string(&a, "server.address", host_name(texts[TEXT_HOST]));
	if (rec->local_port || rec->peer_port) {
		add_uint(&a, "server.port", of_client ? rec->peer_port : rec->local_port);
		add_string(&a, "network.local.address", address_text(arena, rec->local_address));
		add_uint(&a, "network.local.port", rec->local_port);
		add_string(&a, "network.peer.address", address_text(arena, rec->peer_address));
		add_uint(&a, "network.peer.port", rec->peer_port);
	}
	add_string(&a, "network.protocol.name", texts[TEXT_PROTOCOL]);
	add_string(&a, "network.protocol.version", texts[TEXT_VERSION]);
	add_string(&a, "user_agent.original", texts[TEXT_USER_AGENT]);
	if (rec->flags & REQUEST_TLS)
		add_string(&a, "tls.protocol.name", SLICE("tls"));
	add_string(&a, "tls.protocol.version", texts[TEXT_TLS_VERSION]);
	add_string(&a, "tls.cipher", texts[TEXT_TLS_CIPHER]);
	add_string(&a, "tls.client.server_name", texts[TEXT_TLS_SERVER_NAME]);
	add_string(&a, "tls.next_protocol", texts[TEXT_TLS_NEXT_PROTOCOL]);
	if (request_is_error(rec))
		add_string(&a, "error.type", rec->status ? arena_printf(arena, "%u", rec->status) : SLICE("no_answer"));
	return (struct value){ .kind = VALUE_STRUCT, .list = { a.items, a.n } };
}

static const char *incomplete(uint16_t flags)
{
	return flags & REQUEST_NO_ANSWER ? "unanswered" : flags & REQUEST_CUT ? "cut" : flags & REQUEST_GAP ? "gap" : NULL;
}

void request_event(struct arena *arena, const struct request_rec *rec, const struct slice texts[TEXTS], struct slice name, struct event *ev)
{
	uint64_t before = rec->request_ns + rec->processing_ns;
	const char *not_all = incomplete(rec->flags);
	event_init(ev, EVENT_REQUEST);
	ev->runtime = "native";
	ev->where_open = true;
	ev->field[REQUEST_NAME] = STRING_VALUE(name);
	ev->field[REQUEST_KIND] = STRING_VALUE(rec->kind == REQUEST_CLIENT ? SLICE("client") : SLICE("server"));
	ev->field[REQUEST_TRACE_ID] = STRING_VALUE(arena_printf(arena, "%016llx%016llx", (unsigned long long)rec->trace_id[0], (unsigned long long)rec->trace_id[1]));
	ev->field[REQUEST_SPAN_ID] = STRING_VALUE(arena_printf(arena, "%016llx", (unsigned long long)rec->span_id));
	ev->field[REQUEST_DURATION] = UINT_VALUE(rec->duration_ns);
	ev->field[REQUEST_ASKING] = UINT_VALUE(rec->request_ns);
	ev->field[REQUEST_PROCESSING] = UINT_VALUE(rec->processing_ns);
	ev->field[REQUEST_ANSWERING] = UINT_VALUE(rec->duration_ns > before ? rec->duration_ns - before : 0);
	ev->field[REQUEST_SENT] = UINT_VALUE(rec->request_bytes);
	ev->field[REQUEST_RECEIVED] = UINT_VALUE(rec->response_bytes);
	ev->field[REQUEST_STATUS] = STRING_VALUE(request_is_error(rec) ? SLICE("error") : SLICE("unset"));
	ev->field[REQUEST_ATTRIBUTES] = attributes_of(arena, rec, texts);
	if (not_all)
		ev->field[REQUEST_INCOMPLETE] = STRING_VALUE(slice_of(not_all));
}

void request_of_packets(struct arena *arena, const struct request_rec *rec, struct event *ev)
{
	struct slice address = address_text(arena, rec->local_address);
	bool is_ipv6 = memchr(address.data, ':', address.len);
	ev->runtime = NULL;
	ev->process_name = arena_printf(arena, is_ipv6 ? "[%.*s]:%u" : "%.*s:%u", (int)address.len, address.data, rec->local_port);
}
