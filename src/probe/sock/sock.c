/*
 * sock: what traced processes send and receive on TCP and Unix stream sockets, handed on as the segments of connections.
 *
 * Sockets are told of by two tracepoints that fire when bytes have moved, so other system calls cost nothing; on kernels before 6.3 by
 * the ends of system calls. The end of a TCP connection is told by its changes of state, that of a Unix socket by fentry. Without
 * fentry only its peer tells of it, so one that the process itself closes stays open here until the run is over or room is needed.
 */
#include <errno.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/macro.h"
#include "config/options.h"
#include "priv/ability.h"
#include "priv/attach.h"
#include "priv/loader.h"
#include "priv/mechanism.h"
#include "probe/families.h"
#include "probe/segment.h"
#include "probe/sock/connections.h"
#include "probe/sock/sock.abi.h"

#define IDLE_NS (10ull * 1000 * 1000 * 1000) /* a Unix socket that was silent for so long makes room for another */

struct sock_state {
	struct bpf_object *object;
	enum socket_mechanism mechanism;
	struct links links;
	struct connections connections;
	bool too_many; /* told */
};

static int sock_load(struct engine *e, void *state, struct reason *why)
{
	static const struct {
		const char *name, *release; /* of the program that is not for every kernel */
	} objects[] = { [SOCKETS_SYSCALLS] = { "sock-exit", "sock_exit_release" }, [SOCKETS_LENGTHS] = { "sock", "sock_release" } };
	struct sock_state *s = state;
	s->mechanism = mechanism_for_sockets();
	if (s->mechanism == SOCKETS_NONE)
		return reason_set(why, -ENOTSUP, "%s", socket_mechanisms[SOCKETS_NONE].what);
	int r = loader_open(engine_loader(e), objects[s->mechanism].name, &s->object, why);
	if (r < 0)
		return r;
	if (!ability_has(ABILITY_UNIX_RELEASE))
		bpf_program__set_autoload(bpf_object__find_program_by_name(s->object, objects[s->mechanism].release), false);
	uint32_t bytes = engine_wants_bytes(e) ? (uint32_t)engine_options(e)->capture_bytes : 0;
	bool keep_encrypted = engine_options(e)->raw;
	loader_set_value(s->object, "sock_capture_bytes", bytes);
	loader_set_value(s->object, "sock_keep_encrypted", keep_encrypted);
	return loader_load(engine_loader(e), s->object, why);
}

/* States before bytes: a connection whose bytes are seen has its end seen. */
static int sock_attach(struct engine *e, void *state, struct reason *why)
{
	static const struct {
		enum socket_mechanism mechanism;
		int attach_type; /* of what was loaded for its target */
		const char *program, *raw_tracepoint;
	} points[] = {
		{ SOCKETS_LENGTHS, BPF_TRACE_FENTRY, "sock_release", NULL },
		{ SOCKETS_LENGTHS, BPF_TRACE_RAW_TP, "sock_destroy", NULL },
		{ SOCKETS_LENGTHS, BPF_TRACE_RAW_TP, "sock_state", NULL },
		{ SOCKETS_LENGTHS, BPF_TRACE_RAW_TP, "sock_receive", NULL },
		{ SOCKETS_LENGTHS, BPF_TRACE_RAW_TP, "sock_send", NULL },
		{ SOCKETS_SYSCALLS, BPF_TRACE_FENTRY, "sock_exit_release", NULL },
		{ SOCKETS_SYSCALLS, 0, "sock_exit_destroy", "tcp_destroy_sock" },
		{ SOCKETS_SYSCALLS, 0, "sock_exit_state", "inet_sock_set_state" },
		{ SOCKETS_SYSCALLS, 0, "sock_exit", "sys_exit" },
	};
	struct sock_state *s = state;
	int r = 0;
	(void)e;
	for (size_t i = 0; i < ARRAY_SIZE(points) && r == 0; i++) {
		if (points[i].mechanism != s->mechanism)
			continue;
		int fd = bpf_program__fd(bpf_object__find_program_by_name(s->object, points[i].program));
		if (points[i].raw_tracepoint)
			r = attach_raw(&s->links, fd, points[i].raw_tracepoint, why);
		else if (fd >= 0)
			r = attach_loaded(&s->links, fd, points[i].attach_type, 0, why);
	}
	return r;
}

static void close_unseen(void *arg, struct connection *c)
{
	engine_connection_closed(arg, c, NULL);
}

static bool is_idle_unix(const struct connection *c, uint64_t now_ns)
{
	return c->told && c->told->family == SOCK_UNIX && c->last_ns + IDLE_NS < now_ns;
}

static void make_room(struct engine *e, struct sock_state *s, uint64_t now_ns)
{
	size_t at = 0;
	struct connection *c;
	while ((c = connections_next(&s->connections, &at))) {
		if (!is_idle_unix(c, now_ns))
			continue;
		engine_connection_closed(e, c, NULL);
		connections_remove(&s->connections, c);
	}
}

static struct connection *connection_of(struct engine *e, struct sock_state *s, uint64_t number, const struct rec_head *head)
{
	struct connection *c = connections_take(&s->connections, number, head);
	if (!c && !s->too_many) {
		make_room(e, s, head->time_ns);
		c = connections_take(&s->connections, number, head);
	}
	if (!c && !s->too_many) {
		s->too_many = true;
		engine_note(e, "more than %d connections are open: what passes on others is not shown", CONNECTIONS_MAX);
	}
	if (c)
		c->last_ns = head->time_ns;
	return c;
}

/* Bytes up to @offset that no segment has told of. */
static uint64_t lost_up_to(struct connection *c, unsigned direction, uint64_t offset)
{
	uint64_t lost = offset > c->next_offset[direction] ? offset - c->next_offset[direction] : 0;
	c->lost_bytes[direction] += lost;
	return lost;
}

static void take_conn(struct engine *e, struct sock_state *s, const struct sock_conn_rec *rec)
{
	struct connection *c = connection_of(e, s, rec->connection, &rec->head);
	if (c)
		connections_tell(c, rec);
}

static void take_data(struct engine *e, struct sock_state *s, const struct sock_data_rec *rec)
{
	struct connection *c = connection_of(e, s, rec->connection, &rec->head);
	if (!c || rec->direction >= SOCK_DIRECTIONS || rec->captured > rec->head.length - sizeof(*rec))
		return;
	struct segment segment = {
		.direction = rec->direction,
		.flags = rec->flags,
		.has_seq = rec->flags & SOCK_HAS_SEQ,
		.tcp_seq = rec->tcp_seq,
		.bytes = rec->bytes,
		.captured = { (const char *)(rec + 1), rec->captured },
		.offset = rec->offset,
		.lost_before = lost_up_to(c, rec->direction, rec->offset),
		.began_ns = rec->began_ns,
		.head = &rec->head,
	};
	c->calls[rec->direction]++;
	c->next_offset[rec->direction] = MAX(c->next_offset[rec->direction], rec->offset + rec->bytes);
	engine_segment(e, c, &segment);
}

static void take_close(struct engine *e, struct sock_state *s, const struct sock_close_rec *rec)
{
	struct connection *c = connection_of(e, s, rec->connection, &rec->head);
	if (!c)
		return;
	bool left_out = !engine_is_live(e) && !c->calls[SOCK_RECEIVED] && !c->calls[SOCK_SENT]; /* of a recording of before SOCK_ENDED */
	if (!left_out) {
		lost_up_to(c, SOCK_RECEIVED, rec->bytes[SOCK_RECEIVED]);
		lost_up_to(c, SOCK_SENT, rec->bytes[SOCK_SENT]);
	}
	engine_connection_closed(e, c, rec);
	connections_remove(&s->connections, c);
}

static void take_ended(struct engine *e, struct sock_state *s, const struct sock_ended_rec *rec)
{
	struct connection *c = connection_of(e, s, rec->connection, &rec->head);
	if (!c)
		return;
	if (!c->told)
		c->seen_ns = c->task.time_ns = rec->seen_ns;
	engine_connection_ended(e, c, rec);
	connections_remove(&s->connections, c);
}

static void sock_decode(struct engine *e, void *state, const struct rec_head *head)
{
	switch (head->type) {
	case SOCK_CONN:
		if (head->length >= SOCK_CONN_REC_SHORT)
			take_conn(e, state, (const void *)head);
		break;
	case SOCK_DATA:
		if (head->length >= sizeof(struct sock_data_rec))
			take_data(e, state, (const void *)head);
		break;
	case SOCK_CLOSE:
		if (head->length >= sizeof(struct sock_close_rec))
			take_close(e, state, (const void *)head);
		break;
	case SOCK_ENDED:
		if (head->length >= sizeof(struct sock_ended_rec))
			take_ended(e, state, (const void *)head);
		break;
	}
}

static void sock_conclude(struct engine *e, void *state)
{
	struct sock_state *s = state;
	connections_done(&s->connections, close_unseen, e);
}

static void sock_save(struct engine *e, void *state)
{
	struct sock_state *s = state;
	size_t at = 0;
	struct connection *c;
	while ((c = connections_next(&s->connections, &at)))
		if (c->told)
			engine_save_fact(e, &c->told->head);
}

static void sock_detach(struct engine *e, void *state)
{
	(void)e;
	links_done(&((struct sock_state *)state)->links);
}

static void sock_close(struct engine *e, void *state)
{
	struct sock_state *s = state;
	(void)e;
	links_done(&s->links);
	connections_done(&s->connections, NULL, NULL);
}

static const struct probe_shape sock_shapes[] = {
	{ "sizes", "", ABILITY_BIT(ABILITY_SOCK_LENGTH), 0 },
	{ "bytes", "--raw", ABILITY_BIT(ABILITY_SOCK_LENGTH), 0 },
	{ "requests", "", ABILITY_BIT(ABILITY_SOCK_LENGTH), 0, "req" },
	{ "exit", "--raw", 0, ABILITY_BIT(ABILITY_SOCK_LENGTH) },
	{ "exit-requests", "", 0, ABILITY_BIT(ABILITY_SOCK_LENGTH), "req" },
	{},
};

const struct probe_ops sock_probe = {
	.name = "sock",
	.record_family = REC_SOCK,
	.state_size = sizeof(struct sock_state),
	.shapes = sock_shapes,
	.events = EVENT_BIT(EVENT_CONNECTION) | EVENT_BIT(EVENT_SEGMENT) | EVENT_BIT(EVENT_REQUEST),
	.tables = EVENT_BIT(EVENT_REQUEST_STAT),
	.load = sock_load,
	.attach = sock_attach,
	.decode = sock_decode,
	.conclude = sock_conclude,
	.save = sock_save,
	.detach = sock_detach,
	.close = sock_close,
};
