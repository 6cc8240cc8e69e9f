#include "engine/requests.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/histogram.h"
#include "base/macro.h"
#include "engine/internal.h"
#include "engine/request_event.h"
#include "engine/secured.h"
#include "export/exports.h"
#include "probe/segment.h"
#include "span/dialogue.h"
#include "span/red.h"
#include "span/route.h"
#include "span/target.h"

#define KEPT_MAX_BYTES (32u << 20) /* of heads and questions that are not whole yet, on all connections: 3 KB for each of 10,000 */
#define KEPT_FAIR_BYTES 8192 /* that one may keep when there is no room: others go first */
#define CONNECTIONS_WITH_REQUESTS_MAX 131072 /* that are open at a time: as many as are told apart at all */

struct requests {
	struct routes *routes;
	struct red red;
	struct hashmap seen_on; /* numbers of connections that are open and had requests */
	struct dialogue_lost lost; /* over all connections that have ended */
	uint64_t passed;           /* calls whose bytes were captured */
	uint64_t given_up;         /* connections that kept more than there is room for */
	size_t kept_bytes;         /* by those that are open */
	uint64_t ids[2]; /* state of the generator of span ids; never both 0 */
};

/* What is kept of a connection: its address is the connection's `spans`. */
struct talk {
	struct engine *e;
	struct connection *connection;
	struct dialogue *dialogue;
	size_t kept_bytes;
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

static uint16_t flags_of(const struct request *r, const struct connection *c)
{
	const struct sock_conn_rec *told = c->told;
	return (uint16_t)((r->unanswered ? REQUEST_NO_ANSWER : 0) | (r->cut ? REQUEST_CUT : 0) | (r->gap ? REQUEST_GAP : 0) |
			  (told && told->flags & SOCK_OPEN_BEFORE ? REQUEST_MIDWAY : 0) | (c->has_plaintext ? REQUEST_TLS : 0));
}

static void set_ends(struct request_rec *rec, const struct sock_conn_rec *told, bool turned)
{
	memcpy(turned ? rec->peer_address : rec->local_address, told->local_address, sizeof(rec->local_address));
	memcpy(turned ? rec->local_address : rec->peer_address, told->peer_address, sizeof(rec->peer_address));
	rec->local_port = turned ? told->peer_port : told->local_port;
	rec->peer_port = turned ? told->local_port : told->peer_port;
}

/* Of packets, requests are always told from the server's end; which one that is may have been guessed wrong, until now. */
static struct request_rec describe(struct requests *all, const struct connection *c, const struct request *r)
{
	bool turned = !r->pid && r->of_client;
	uint64_t answered_ns = r->answered_ns ? r->answered_ns : r->ended_ns;
	struct request_rec rec = {
		.head = { .type = REQUEST_DONE, .time_ns = r->began_ns, .pid = r->pid, .tid = r->tid, .generation = r->generation },
		.duration_ns = r->ended_ns - r->began_ns,
		.request_ns = r->asked_ns - r->began_ns,
		.processing_ns = answered_ns > r->asked_ns ? answered_ns - r->asked_ns : 0,
		.request_bytes = r->request_bytes, .response_bytes = r->response_bytes,
		.request_body_bytes = r->request_body_bytes, .response_body_bytes = r->response_body_bytes,
		.connection = c->number, .span_id = next_id(all), .trace_id = { next_id(all), next_id(all) },
		.status = r->status, .kind = r->of_client && !turned ? REQUEST_CLIENT : REQUEST_SERVER, .flags = flags_of(r, c),
	};
	if (c->told)
		set_ends(&rec, c->told, turned);
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
	_cleanup_(strbuf_done) struct strbuf b = {}, path = {}, route = {};
	target_path(r->target, &path);
	routes_find(all->routes, strbuf_slice(&path), &route);
	strbuf_add(&b, &rec, sizeof(rec));
	struct slice version = r->version.len > 5 ? (struct slice){ r->version.data + 5, r->version.len - 5 } : r->version; /* "HTTP/1.1" */
	struct secured tls = secured_of(talk->e, talk->connection);
	struct slice texts[TEXTS] = { r->method, strbuf_slice(&path), strbuf_slice(&route), target_host(r->host), r->user_agent, SLICE("http"), version,
				      tls.version, tls.cipher, tls.server_name, tls.next_protocol };
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

static void note_kept(struct requests *all, struct talk *talk)
{
	size_t kept = dialogue_kept(talk->dialogue);
	all->kept_bytes += kept - talk->kept_bytes;
	talk->kept_bytes = kept;
}

static bool keeps_too_much(const struct requests *all, const struct talk *talk)
{
	return all->kept_bytes > KEPT_MAX_BYTES && (talk->kept_bytes > KEPT_FAIR_BYTES || all->kept_bytes > 2 * KEPT_MAX_BYTES);
}

void requests_pass(struct engine *e, struct connection *c, const struct segment *s)
{
	if (e->job->from && !e->job->options->reparse)
		return;
	e->requests->passed += s->captured.len > 0;
	struct passed p = {
		.sent = s->direction == SOCK_SENT, .offset = s->offset, .bytes = s->bytes, .captured = s->captured,
		.began_ns = s->began_ns, .ended_ns = s->head->time_ns, .pid = s->head->pid, .tid = s->head->tid, .generation = s->head->generation,
	};
	struct talk *talk = talk_of(e, c);
	dialogue_pass(talk->dialogue, &p);
	note_kept(e->requests, talk);
	if (!keeps_too_much(e->requests, talk))
		return;
	e->requests->given_up++;
	dialogue_give_up(talk->dialogue);
	note_kept(e->requests, talk);
}

static void end_talk(struct engine *e, struct connection *c, uint64_t time_ns)
{
	struct talk *talk = c->spans;
	if (!talk)
		return;
	dialogue_end(talk->dialogue, time_ns);
	struct dialogue_lost lost = dialogue_lost(talk->dialogue);
	e->requests->lost.questions += lost.questions;
	e->requests->lost.places += lost.places;
	e->requests->kept_bytes -= talk->kept_bytes;
	dialogue_free(talk->dialogue);
	free(talk);
	c->spans = NULL;
}

void requests_restart(struct engine *e, struct connection *c, uint64_t time_ns)
{
	end_talk(e, c, time_ns);
}

bool requests_close(struct engine *e, struct connection *c, uint64_t time_ns)
{
	end_talk(e, c, time_ns);
	return hashmap_remove(&e->requests->seen_on, c->number);
}

/* --stat: what is sent does not depend on what is shown. */
static void count(struct engine *e, const struct request_rec *rec, struct slice name, struct event *ev)
{
	red_add(&e->requests->red, rec->kind == REQUEST_CLIENT, name, request_is_error(rec), rec->status, rec->duration_ns);
	ev->realtime_offset_ns = e->realtime_offset_ns;
	exports_write(e->job->exports, ev);
}

void requests_take(struct engine *e, const struct rec_head *head)
{
	const struct request_rec *rec = (const void *)head;
	const struct options *o = e->job->options;
	struct slice texts[TEXTS];
	if (head->type != REQUEST_DONE || head->length < sizeof(*rec) || !request_texts(rec, texts))
		return;
	if (e->requests->seen_on.n < CONNECTIONS_WITH_REQUESTS_MAX)
		hashmap_put(&e->requests->seen_on, rec->connection, e);
	if (!request_fits(o, rec, texts))
		return;
	if (!o->stat && engine_counts_alone(e))
		return;
	/* A server's name has its route; a client does not know it: method and path's route are ours for both. */
	struct slice name = arena_printf(&e->arena, "%.*s %.*s", (int)texts[TEXT_METHOD].len, texts[TEXT_METHOD].data,
					 (int)texts[TEXT_ROUTE].len, texts[TEXT_ROUTE].data);
	struct event ev;
	request_event(&e->arena, rec, texts, name, &ev);
	engine_place(e, &ev, head);
	struct slice service = names_service_at(&e->names, (pid_t)head->pid, head->time_ns);
	if (service.len)
		ev.field[REQUEST_SERVICE] = STRING_VALUE(service);
	if (!head->pid)
		request_of_packets(&e->arena, rec, &ev);
	if (!o->stat)
		engine_emit(e, &ev);
	else if (engine_passes(e, &ev))
		count(e, rec, name, &ev);
}

static void tell_lost(struct engine *e, const struct dialogue_lost *lost, uint64_t given_up)
{
	if (lost->places)
		engine_note(e, "%llu times the place in a connection was lost (bytes not captured, or no HTTP): requests there may be missing",
			    (unsigned long long)lost->places);
	if (lost->questions)
		engine_note(e, "%llu requests had no answer and made room for others", (unsigned long long)lost->questions);
	if (given_up)
		engine_note(e, "%llu connections were left alone: more was begun on them, and not ended, than there is room for (%u MB)",
			    (unsigned long long)given_up, KEPT_MAX_BYTES >> 20);
}

void requests_conclude(struct engine *e)
{
	const struct red_row *row;
	if (!e->requests)
		return;
	if (e->job->options->reparse && !e->requests->passed)
		engine_note(e, "the recording holds no bytes to make requests of: they are there when it was made with --raw");
	tell_lost(e, &e->requests->lost, e->requests->given_up);
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
