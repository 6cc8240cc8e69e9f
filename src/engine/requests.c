#include "engine/requests.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/histogram.h"
#include "base/macro.h"
#include "engine/internal.h"
#include "probe/segment.h"
#include "span/dialogue.h"
#include "span/red.h"
#include "span/request.abi.h"
#include "span/route.h"

#define CONNECTIONS_WITH_REQUESTS_MAX 131072 /* that are open at a time: as many as are told apart at all */

struct requests {
	struct routes *routes;
	struct red red;
	struct hashmap seen_on; /* numbers of connections that are open and had requests */
	struct dialogue_lost lost; /* over all connections that have ended */
	uint64_t ids[2]; /* state of the generator of span ids; never both 0 */
};

/* What is kept of a connection: its address is the connection's `spans`. */
struct talk {
	struct engine *e;
	struct connection *connection;
	struct dialogue *dialogue;
};

struct requests *requests_new(void)
{
	struct requests *r = xcalloc(1, sizeof(*r));
	r->routes = routes_new();
	if (getrandom(r->ids, sizeof(r->ids), 0) != sizeof(r->ids))
		r->ids[0] = (uint64_t)(uintptr_t)r;
	r->ids[1] |= 1;
	return r;
}

void requests_free(struct requests *r)
{
	if (!r)
		return;
	routes_free(r->routes);
	red_done(&r->red);
	hashmap_done(&r->seen_on);
	free(r);
}

/* xorshift128+ (Vigna 2014): ids have to differ, not to be secret. */
static uint64_t next_id(struct requests *r)
{
	uint64_t x = r->ids[0], y = r->ids[1];
	r->ids[0] = y;
	x ^= x << 23;
	r->ids[1] = x ^ y ^ (x >> 17) ^ (y >> 26);
	return r->ids[1] + y;
}

bool requests_wanted(const struct engine *e)
{
	return e->job->command && streq(e->job->command, "req");
}

/* ---- requests into records ---- */

static struct slice path_of(struct slice target)
{
	static const char scheme[] = "://";
	const char *authority = memmem(target.data, target.len, scheme, sizeof(scheme) - 1); /* absolute-form: RFC 9112, 3.2.2 */
	if (authority && target.data[0] != '/') {
		const char *rest = authority + sizeof(scheme) - 1;
		const char *path = memchr(rest, '/', (size_t)(target.data + target.len - rest));
		target = path ? (struct slice){ path, (size_t)(target.data + target.len - path) } : SLICE("/");
	}
	for (size_t i = 0; i < target.len; i++)
		if (target.data[i] == '?' || target.data[i] == '#')
			return (struct slice){ target.data, i }; /* what stands in a query is not kept */
	return target;
}

static uint16_t flags_of(const struct request *r, const struct sock_conn_rec *told)
{
	return (uint16_t)((r->unanswered ? REQUEST_NO_ANSWER : 0) | (r->cut ? REQUEST_CUT : 0) | (r->gap ? REQUEST_GAP : 0) |
			  (told && told->flags & SOCK_OPEN_BEFORE ? REQUEST_MIDWAY : 0));
}

static struct request_rec describe(struct requests *all, const struct connection *c, const struct request *r)
{
	uint64_t answered_ns = r->answered_ns ? r->answered_ns : r->ended_ns;
	struct request_rec rec = {
		.head = { .type = REQUEST_DONE, .time_ns = r->began_ns, .pid = r->pid, .tid = r->tid, .generation = r->generation },
		.duration_ns = r->ended_ns - r->began_ns,
		.request_ns = r->asked_ns - r->began_ns,
		.processing_ns = answered_ns > r->asked_ns ? answered_ns - r->asked_ns : 0,
		.request_bytes = r->request_bytes, .response_bytes = r->response_bytes,
		.request_body_bytes = r->request_body_bytes, .response_body_bytes = r->response_body_bytes,
		.connection = c->number, .span_id = next_id(all), .trace_id = { next_id(all), next_id(all) },
		.status = r->status, .kind = r->of_client ? REQUEST_CLIENT : REQUEST_SERVER, .flags = flags_of(r, c->told),
	};
	if (c->told) {
		memcpy(rec.local_address, c->told->local_address, sizeof(rec.local_address));
		memcpy(rec.peer_address, c->told->peer_address, sizeof(rec.peer_address));
		rec.local_port = c->told->local_port;
		rec.peer_port = c->told->peer_port;
	}
	return rec;
}

static void add_text(struct strbuf *b, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		strbuf_addc(b, text.data[i] ? text.data[i] : '?');
	strbuf_addc(b, '\0');
}

static void on_request(void *arg, const struct request *r)
{
	struct talk *talk = arg;
	struct requests *all = talk->e->requests;
	struct request_rec rec = describe(all, talk->connection, r);
	_cleanup_(strbuf_done) struct strbuf b = {}, route = {};
	struct slice path = path_of(r->target);
	routes_find(all->routes, path, &route);
	strbuf_add(&b, &rec, sizeof(rec));
	struct slice version = r->version.len > 5 ? (struct slice){ r->version.data + 5, r->version.len - 5 } : r->version; /* "HTTP/1.1" */
	struct slice texts[] = { r->method, path, strbuf_slice(&route), r->host, r->user_agent, SLICE("http"), version };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		add_text(&b, texts[i]);
	strbuf_pad(&b, '\0', -b.len & 7);
	((struct rec_head *)b.data)->length = (uint16_t)b.len;
	engine_fact(talk->e, (const struct rec_head *)b.data);
}

static struct talk *talk_of(struct engine *e, struct connection *c)
{
	struct talk *talk = c->spans;
	if (talk)
		return talk;
	talk = xcalloc(1, sizeof(*talk));
	*talk = (struct talk){ .e = e, .connection = c };
	talk->dialogue = dialogue_new(!c->told || c->told->flags & SOCK_OPEN_BEFORE, on_request, talk);
	return c->spans = talk;
}

void requests_pass(struct engine *e, struct connection *c, const struct segment *s)
{
	if (!engine_is_live(e))
		return;
	struct passed p = {
		.sent = s->direction == SOCK_SENT, .offset = s->offset, .bytes = s->bytes, .captured = s->captured,
		.began_ns = s->began_ns, .ended_ns = s->head->time_ns, .pid = s->head->pid, .tid = s->head->tid, .generation = s->head->generation,
	};
	dialogue_pass(talk_of(e, c)->dialogue, &p);
}

bool requests_close(struct engine *e, struct connection *c, uint64_t time_ns)
{
	struct talk *talk = c->spans;
	bool seen = hashmap_remove(&e->requests->seen_on, c->number); /* those that the end itself brings follow in a recording */
	if (!talk)
		return seen;
	dialogue_end(talk->dialogue, time_ns);
	struct dialogue_lost lost = dialogue_lost(talk->dialogue);
	e->requests->lost.questions += lost.questions;
	e->requests->lost.places += lost.places;
	dialogue_free(talk->dialogue);
	free(talk);
	c->spans = NULL;
	hashmap_remove(&e->requests->seen_on, c->number);
	return seen;
}

/* ---- records into events ---- */

enum text { TEXT_METHOD, TEXT_PATH, TEXT_ROUTE, TEXT_HOST, TEXT_USER_AGENT, TEXT_PROTOCOL, TEXT_VERSION, TEXTS };

static bool read_texts(const struct request_rec *rec, struct slice ret[TEXTS])
{
	struct slice rest = { (const char *)(rec + 1), rec->head.length - sizeof(*rec) };
	for (size_t i = 0; i < TEXTS; i++) {
		const char *end = memchr(rest.data, '\0', rest.len);
		if (!end)
			return false;
		ret[i] = (struct slice){ rest.data, (size_t)(end - rest.data) };
		rest = (struct slice){ end + 1, rest.len - ret[i].len - 1 };
	}
	return true;
}

/* Of a server an answer of 5xx is an error, of a client 4xx as well: semantic conventions for HTTP spans, 1.23. */
static bool is_error(const struct request_rec *rec)
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
	if (!wanted || (streq(wanted, "error") && is_error(rec)))
		return true;
	snprintf(status, sizeof(status), "%u", rec->status);
	if (strlen(status) != strlen(wanted))
		return false;
	for (size_t i = 0; wanted[i]; i++)
		if (wanted[i] != status[i] && wanted[i] != 'x' && wanted[i] != 'X')
			return false;
	return true;
}

static bool port_fits(const struct number_list *ports, const struct request_rec *rec)
{
	uint16_t port = rec->kind == REQUEST_CLIENT ? rec->peer_port : rec->local_port;
	for (size_t i = 0; i < ports->n; i++)
		if (ports->items[i] == port)
			return true;
	return ports->n == 0;
}

static bool fits(const struct options *o, const struct request_rec *rec, const struct slice texts[TEXTS])
{
	return rec->duration_ns >= o->min_ns && status_fits(o->status, rec) && port_fits(&o->ports, rec) &&
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
	if (is_error(rec))
		add_string(&a, "error.type", rec->status ? arena_printf(arena, "%u", rec->status) : SLICE("no_answer"));
	return (struct value){ .kind = VALUE_STRUCT, .list = { a.items, a.n } };
}

static const char *incomplete(uint16_t flags)
{
	return flags & REQUEST_NO_ANSWER ? "unanswered" : flags & REQUEST_CUT ? "cut" : flags & REQUEST_GAP ? "gap" : NULL;
}

static void make_event(struct engine *e, const struct request_rec *rec, const struct slice texts[TEXTS], struct slice name, struct event *ev)
{
	uint64_t before = rec->request_ns + rec->processing_ns;
	const char *not_all = incomplete(rec->flags);
	event_init(ev, EVENT_REQUEST);
	ev->runtime = "native";
	ev->where_open = true;
	ev->field[REQUEST_NAME] = STRING_VALUE(name);
	ev->field[REQUEST_KIND] = STRING_VALUE(rec->kind == REQUEST_CLIENT ? SLICE("client") : SLICE("server"));
	ev->field[REQUEST_TRACE_ID] = STRING_VALUE(arena_printf(&e->arena, "%016llx%016llx", (unsigned long long)rec->trace_id[0], (unsigned long long)rec->trace_id[1]));
	ev->field[REQUEST_SPAN_ID] = STRING_VALUE(arena_printf(&e->arena, "%016llx", (unsigned long long)rec->span_id));
	ev->field[REQUEST_DURATION] = UINT_VALUE(rec->duration_ns);
	ev->field[REQUEST_ASKING] = UINT_VALUE(rec->request_ns);
	ev->field[REQUEST_PROCESSING] = UINT_VALUE(rec->processing_ns);
	ev->field[REQUEST_ANSWERING] = UINT_VALUE(rec->duration_ns > before ? rec->duration_ns - before : 0);
	ev->field[REQUEST_SENT] = UINT_VALUE(rec->request_bytes);
	ev->field[REQUEST_RECEIVED] = UINT_VALUE(rec->response_bytes);
	ev->field[REQUEST_STATUS] = STRING_VALUE(is_error(rec) ? SLICE("error") : SLICE("unset"));
	ev->field[REQUEST_ATTRIBUTES] = attributes_of(&e->arena, rec, texts);
	if (not_all)
		ev->field[REQUEST_INCOMPLETE] = STRING_VALUE(slice_of(not_all));
}

void requests_take(struct engine *e, const struct rec_head *head)
{
	const struct request_rec *rec = (const void *)head;
	const struct options *o = e->job->options;
	struct slice texts[TEXTS];
	if (head->type != REQUEST_DONE || head->length < sizeof(*rec) || !read_texts(rec, texts))
		return;
	if (e->requests->seen_on.n < CONNECTIONS_WITH_REQUESTS_MAX)
		hashmap_put(&e->requests->seen_on, rec->connection, e);
	if (!fits(o, rec, texts))
		return;
	if (!o->stat && engine_counts_alone(e))
		return;
	/* A server's name has its route; a client does not know it: method and path's route are ours for both. */
	struct slice name = arena_printf(&e->arena, "%.*s %.*s", (int)texts[TEXT_METHOD].len, texts[TEXT_METHOD].data,
					 (int)texts[TEXT_ROUTE].len, texts[TEXT_ROUTE].data);
	struct event ev;
	make_event(e, rec, texts, name, &ev);
	engine_place(e, &ev, head);
	if (!o->stat)
		engine_emit(e, &ev);
	else if (engine_passes(e, &ev))
		red_add(&e->requests->red, rec->kind == REQUEST_CLIENT, name, is_error(rec), rec->status, rec->duration_ns);
}

static void tell_lost(struct engine *e, const struct dialogue_lost *lost)
{
	if (lost->places)
		engine_note(e, "%llu times the place in a connection was lost (bytes not captured, or no HTTP): requests there may be missing",
			    (unsigned long long)lost->places);
	if (lost->questions)
		engine_note(e, "%llu requests had no answer and made room for others", (unsigned long long)lost->questions);
}

void requests_conclude(struct engine *e)
{
	const struct red_row *row;
	if (!e->requests)
		return;
	tell_lost(e, &e->requests->lost);
	for (size_t at = 0; (row = red_next(&e->requests->red, &at));) {
		struct event ev;
		event_init(&ev, EVENT_REQUEST_STAT);
		ev.field[REQSTAT_KIND] = STRING_VALUE(row->of_client ? SLICE("client") : SLICE("server"));
		ev.field[REQSTAT_NAME] = STRING_VALUE(slice_of(row->name));
		ev.field[REQSTAT_CALLS] = UINT_VALUE(row->requests);
		ev.field[REQSTAT_ERRORS] = UINT_VALUE(row->errors);
		ev.field[REQSTAT_TOTAL] = UINT_VALUE(row->total_ns);
		ev.field[REQSTAT_P50] = UINT_VALUE(histogram_quantile(row->bucket, RED_BUCKETS, 0.50, row->min_ns, row->max_ns));
		ev.field[REQSTAT_P99] = UINT_VALUE(histogram_quantile(row->bucket, RED_BUCKETS, 0.99, row->min_ns, row->max_ns));
		ev.field[REQSTAT_MAX] = UINT_VALUE(row->max_ns);
		engine_emit(e, &ev);
	}
}
