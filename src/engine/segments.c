/* segments: what connections carry and how they end, as events. */
#include "probe/segment.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/macro.h"
#include "config/options.h"
#include "engine/internal.h"
#include "engine/recording.h"
#include "engine/request_event.h"
#include "engine/requests.h"
#include "engine/secured.h"

bool engine_wants_bytes(const struct engine *e)
{
	return e->job->options->raw || e->requests;
}

static const char *transport_of(const struct sock_conn_rec *c)
{
	if (c->family == SOCK_UNIX)
		return "unix";
	return c->flags & SOCK_OTHER_STREAM ? "stream" : "tcp";
}

static struct slice inet_address(struct arena *arena, const uint8_t *address, uint16_t port)
{
	static const uint8_t ipv4_mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN] = "";
	if (memcmp(address, ipv4_mapped, sizeof(ipv4_mapped)) == 0) {
		inet_ntop(AF_INET, address + sizeof(ipv4_mapped), text, sizeof(text));
		return arena_printf(arena, "%s:%u", text, port);
	}
	inet_ntop(AF_INET6, address, text, sizeof(text));
	return arena_printf(arena, "[%s]:%u", text, port);
}

static struct slice unix_path(struct arena *arena, const struct sock_conn_rec *c)
{
	return arena_printf(arena, "%s%.*s", c->flags & SOCK_PATH_ABSTRACT ? "@" : "", (int)c->path_length, c->path);
}

static void put_unix(struct arena *arena, const struct sock_conn_rec *c, struct event *event)
{
	if (c->path_length)
		event->field[c->flags & SOCK_PATH_IS_PEERS ? CONN_PEER : CONN_LOCAL] = STRING_VALUE(unix_path(arena, c));
	if (c->peer_pid)
		event->field[CONN_PEER_PROCESS] = UINT_VALUE(c->peer_pid);
}

static void put_inet(struct arena *arena, const struct sock_conn_rec *c, struct event *event)
{
	event->field[CONN_LOCAL] = STRING_VALUE(inet_address(arena, c->local_address, c->local_port));
	event->field[CONN_PEER] = STRING_VALUE(inet_address(arena, c->peer_address, c->peer_port));
	if (c->began_ns && c->established_ns > c->began_ns)
		event->field[CONN_CONNECT] = UINT_VALUE(c->established_ns - c->began_ns);
	if (c->role == SOCK_SERVER && c->established_ns && c->seen_ns > c->established_ns)
		event->field[CONN_UNREAD] = UINT_VALUE(c->seen_ns - c->established_ns);
	if (c->before_bytes[SOCK_RECEIVED])
		event->field[CONN_RECEIVED_BEFORE] = UINT_VALUE(c->before_bytes[SOCK_RECEIVED]);
	if (c->before_bytes[SOCK_SENT])
		event->field[CONN_SENT_BEFORE] = UINT_VALUE(c->before_bytes[SOCK_SENT]);
}

static void put_identity(struct arena *arena, const struct sock_conn_rec *c, struct event *event)
{
	event->field[CONN_TRANSPORT] = STRING_VALUE(slice_of(transport_of(c)));
	if (c->role != SOCK_ROLE_UNKNOWN)
		event->field[CONN_ROLE] = STRING_VALUE(slice_of(c->role == SOCK_SERVER ? "server" : "client"));
	if (c->family == SOCK_UNIX)
		put_unix(arena, c, event);
	else
		put_inet(arena, c, event);
}

static void put_end(const struct sock_ended_rec *end, struct event *event)
{
	static const char *const names[] = { "closed", "peer_closed", "reset", "failed", "open" };
	const char *error = end->error ? strerrorname_np((int)end->error) : NULL;
	event->field[CONN_END] = STRING_VALUE(slice_of(end->end < ARRAY_SIZE(names) ? names[end->end] : "closed"));
	if (error)
		event->field[CONN_ERROR] = STRING_VALUE(slice_of(error));
	if (end->retransmits)
		event->field[CONN_RETRANSMITS] = UINT_VALUE(end->retransmits);
	if (end->srtt_us)
		event->field[CONN_ROUND_TRIP] = UINT_VALUE((uint64_t)end->srtt_us * 1000);
}

/* Packets belong to no process: what tells servers apart is where they listen. */
static void emit_of(struct engine *e, struct event *event, const struct connection *c, const struct rec_head *head)
{
	engine_place(e, event, head);
	if (!head->pid) {
		event->runtime = NULL;
		event->process_name = c->told ? inet_address(&e->arena, c->told->local_address, c->told->local_port) : (struct slice){};
	}
	engine_emit(e, event);
}

static void show_connection(struct engine *e, struct connection *c, const struct sock_ended_rec *end)
{
	struct event event;
	uint64_t duration_ns = end->head.time_ns > c->seen_ns ? end->head.time_ns - c->seen_ns : 0;
	uint64_t lost = end->lost_bytes[SOCK_RECEIVED] + end->lost_bytes[SOCK_SENT];
	if (duration_ns < e->job->options->min_ns)
		return;
	event_init(&event, EVENT_CONNECTION);
	event.field[CONN_ID] = UINT_VALUE(c->number);
	if (c->told)
		put_identity(&e->arena, c->told, &event);
	put_end(end, &event);
	event.where_open = true;
	secured_connection(e, c, &event);
	event.field[CONN_DURATION] = UINT_VALUE(duration_ns);
	event.field[CONN_RECEIVED] = UINT_VALUE(end->bytes[SOCK_RECEIVED]);
	event.field[CONN_SENT] = UINT_VALUE(end->bytes[SOCK_SENT]);
	event.field[CONN_RECEIVES] = UINT_VALUE(end->calls[SOCK_RECEIVED]);
	event.field[CONN_SENDS] = UINT_VALUE(end->calls[SOCK_SENT]);
	if (lost)
		event.field[CONN_LOST] = UINT_VALUE(lost);
	emit_of(e, &event, c, &c->task);
}

/* Where nobody knows which end serves, both may. */
static bool port_fits(const struct options *o, const struct sock_conn_rec *told)
{
	if (!told)
		return o->ports.n == 0;
	return (told->role != SOCK_CLIENT && request_port_fits(o, told->local_port)) || (told->role != SOCK_SERVER && request_port_fits(o, told->peer_port));
}

/* Who asks for some requests, or their table, has not asked for connections; those whose requests are shown are shown by them. */
static bool is_wanted(const struct options *o, const struct connection *c, bool has_requests)
{
	bool of_requests = has_requests || o->status || o->path || o->method;
	return !o->stat && port_fits(o, c->told) && (!of_requests || o->connections || o->raw);
}

static void tell_families(struct engine *e, struct connection *c, bool closed)
{
	for (size_t i = 0; i < e->n_families; i++) {
		const struct family *f = &e->families[i];
		void (*tell)(struct engine *, void *, struct connection *) = closed ? f->ops->closed : f->ops->closing;
		if (tell) /* also one whose kernel half cannot be had: this needs none */
			tell(e, f->state, c);
	}
}

void engine_connection_ended(struct engine *e, struct connection *c, const struct sock_ended_rec *rec)
{
	tell_families(e, c, false);
	bool told = e->requests && requests_close(e, c, rec->head.time_ns);
	if (e->recording)
		recording_add(e, &rec->head);
	if (is_wanted(e->job->options, c, told))
		show_connection(e, c, rec);
	tell_families(e, c, true);
}

void engine_connection_closed(struct engine *e, struct connection *c, const struct sock_close_rec *end)
{
	struct sock_ended_rec rec = { .head = c->task, .connection = c->number, .seen_ns = c->seen_ns };
	rec.head.type = SOCK_ENDED;
	rec.head.length = sizeof(rec);
	rec.head.time_ns = end ? end->head.time_ns : MAX(e->now_ns, c->last_ns);
	rec.end = end ? end->end : SOCK_STILL_OPEN;
	for (size_t d = 0; d < SOCK_DIRECTIONS; d++) {
		rec.bytes[d] = end ? end->bytes[d] : c->next_offset[d];
		rec.calls[d] = end ? end->calls[d] : (uint32_t)c->calls[d];
		rec.lost_bytes[d] = c->lost_bytes[d];
	}
	if (end) {
		rec.error = end->error;
		rec.retransmits = end->retransmits;
		rec.srtt_us = end->srtt_us;
	}
	engine_connection_ended(e, c, &rec);
}

static struct slice hex_of(struct arena *arena, struct slice bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_alloc(arena, bytes.len * 2 + 1);
	for (size_t i = 0; i < bytes.len; i++) {
		text[2 * i] = digits[(uint8_t)bytes.data[i] >> 4];
		text[2 * i + 1] = digits[(uint8_t)bytes.data[i] & 15];
	}
	return (struct slice){ text, bytes.len * 2 };
}

static const char *missing(uint16_t flags)
{
	if (flags & SOCK_NO_BUFFER)
		return "no_buffer";
	if (flags & SOCK_FOREIGN)
		return "foreign";
	return flags & SOCK_UNREADABLE ? "unreadable" : NULL;
}

static void carry(struct engine *e, struct connection *c, const struct segment *s)
{
	struct event event;
	const char *why = missing(s->flags);
	if (e->requests)
		requests_pass(e, c, s);
	if (!e->job->options->raw || e->job->options->stat || !s->bytes || !port_fits(e->job->options, c->told) || engine_counts_alone(e))
		return;
	event_init(&event, EVENT_SEGMENT);
	event.where_open = true;
	event.field[SEGMENT_CONNECTION] = UINT_VALUE(c->number);
	event.field[SEGMENT_DIRECTION] = STRING_VALUE(slice_of(s->direction == SOCK_SENT ? "sent" : "received"));
	event.field[SEGMENT_OFFSET] = UINT_VALUE(s->offset);
	event.field[SEGMENT_BYTES] = UINT_VALUE(s->bytes);
	if (s->has_seq)
		event.field[SEGMENT_SEQUENCE] = UINT_VALUE(s->tcp_seq);
	if (s->captured.len)
		event.field[SEGMENT_PAYLOAD] = STRING_VALUE(hex_of(&e->arena, s->captured));
	if (why)
		event.field[SEGMENT_MISSING] = STRING_VALUE(slice_of(why));
	if (c->has_plaintext)
		event.field[SEGMENT_PLAINTEXT] = BOOL_VALUE(true);
	if (s->lost_before)
		event.field[SEGMENT_LOST_BEFORE] = UINT_VALUE(s->lost_before);
	emit_of(e, &event, c, s->head);
}

void engine_segment(struct engine *e, struct connection *c, const struct segment *s)
{
	for (size_t i = 0; i < e->n_families; i++)
		if (e->families[i].ops->passed)
			e->families[i].ops->passed(e, e->families[i].state, c, s);
	if (!c->has_plaintext)
		carry(e, c, s);
}

void engine_plaintext(struct engine *e, struct connection *c, const struct segment *s)
{
	if (!c->has_plaintext && e->requests)
		requests_restart(e, c, s->head->time_ns);
	c->has_plaintext = true;
	carry(e, c, s);
}
