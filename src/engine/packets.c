/*
 * A capture holds both ends of each connection and no process. Each connection is told once, as its server would see it: what the client
 * sent is received. Times are those of the packets, in the time of day, and the clock of the records is that.
 */
#include "engine/packets.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/macro.h"
#include "engine/fact.abi.h"
#include "engine/internal.h"
#include "engine/pipeline.h"
#include "net/capture.h"
#include "net/flows.h"
#include "probe/sock/sock.abi.h"

#define TICK_NS (250 * NSEC_PER_MSEC) /* of the capture's time, as live */

struct packets {
	struct engine *e;
	struct flows *flows;
	uint64_t kinds[PACKET_KINDS];
	uint64_t ticked_ns;
	union {
		struct sock_data_rec rec;
		uint8_t bytes[sizeof(struct sock_data_rec) + SOCK_CAPTURE_BYTES_MAX];
	} data;
};

static bool is_ipv4(const uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; /* RFC 4291, 2.5.5.2 */
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

static void tell_connection(struct packets *p, struct flow *f)
{
	const struct packet_end *server = &f->end[FLOW_SERVER], *client = &f->end[FLOW_CLIENT];
	struct sock_conn_rec rec = {
		.head = { .type = SOCK_CONN, .length = SOCK_CONN_REC_SHORT, .time_ns = f->seen_ns },
		.connection = f->number, .seen_ns = f->seen_ns, .began_ns = f->began_ns, .established_ns = f->established_ns,
		.family = is_ipv4(server->address) ? SOCK_INET : SOCK_INET6, .role = f->guessed ? SOCK_ROLE_UNKNOWN : SOCK_SERVER,
		.flags = (uint16_t)((f->midway ? SOCK_OPEN_BEFORE : 0) | (f->guessed ? SOCK_ROLE_GUESSED : 0)),
		.local_port = server->port, .peer_port = client->port,
	};
	if (f->told)
		return;
	f->told = true;
	memcpy(rec.local_address, server->address, sizeof(rec.local_address));
	memcpy(rec.peer_address, client->address, sizeof(rec.peer_address));
	engine_fact(p->e, &rec.head);
}

/* A packet may be larger than a record: then it is several, the last with the bytes that were not captured. */
static void on_piece(void *arg, struct flow *f, const struct tcp_piece *piece)
{
	struct packets *p = arg;
	tell_connection(p, f);
	uint32_t at = 0;
	do {
		uint32_t left = piece->bytes - at;
		size_t captured = piece->captured.len > at ? piece->captured.len - at : 0, kept = MIN(captured, (size_t)SOCK_CAPTURE_BYTES_MAX);
		uint32_t bytes = kept < captured ? (uint32_t)kept : left;
		p->data.rec = (struct sock_data_rec){
			.head = { .type = SOCK_DATA, .length = (uint16_t)((sizeof(p->data.rec) + kept + 7) & ~(size_t)7), .time_ns = piece->time_ns },
			.connection = f->number, .offset = piece->offset + at, .bytes = bytes, .tcp_seq = piece->seq + at, .captured = (uint16_t)kept,
			.flags = SOCK_HAS_SEQ, .direction = piece->side == FLOW_CLIENT ? SOCK_RECEIVED : SOCK_SENT,
		};
		if (kept)
			memcpy(p->data.bytes + sizeof(p->data.rec), piece->captured.data + at, kept);
		engine_fact(p->e, &p->data.rec.head);
		at += bytes;
	} while (at < piece->bytes);
}

/* An answer that ends with the connection ends when its server closes, whenever the client does. */
static void on_closed(void *arg, struct flow *f, enum flow_end how)
{
	static const uint8_t ends[] = {
		[FLOW_CLOSED] = SOCK_CLOSED, [FLOW_PEER_CLOSED] = SOCK_PEER_CLOSED, [FLOW_RESET] = SOCK_RESET, [FLOW_FAILED] = SOCK_FAILED,
		[FLOW_OPEN] = SOCK_STILL_OPEN,
	};
	struct packets *p = arg;
	const struct tcp_stream *sent = f->tcp.sent;
	bool server_closed = f->ended_ns[FLOW_SERVER];
	struct sock_close_rec rec = {
		.head = { .type = SOCK_CLOSE, .length = sizeof(rec), .time_ns = server_closed ? f->ended_ns[FLOW_SERVER] : f->last_ns },
		.connection = f->number, .seen_ns = f->seen_ns,
		.bytes = { [SOCK_RECEIVED] = sent[FLOW_CLIENT].offset, [SOCK_SENT] = sent[FLOW_SERVER].offset },
		.calls = { [SOCK_RECEIVED] = f->packets[FLOW_CLIENT], [SOCK_SENT] = f->packets[FLOW_SERVER] },
		.error = how == FLOW_RESET ? ECONNRESET : how == FLOW_FAILED ? ECONNREFUSED : 0,
		.retransmits = sent[FLOW_CLIENT].repeats + sent[FLOW_SERVER].repeats,
		.end = how == FLOW_OPEN && server_closed ? SOCK_CLOSED : ends[how],
	};
	tell_connection(p, f);
	engine_fact(p->e, &rec.head);
}

static const struct flows_ops ops = { .piece = on_piece, .closed = on_closed };

static struct rec_head head_of(uint16_t type, size_t bytes, uint64_t time_ns)
{
	return (struct rec_head){ .type = type, .length = (uint16_t)bytes, .time_ns = time_ns };
}

/* The time zone is ours: a capture does not tell that of its machine. */
static void tell_clock(struct engine *e, uint64_t first_ns)
{
	time_t then = (time_t)(first_ns / NSEC_PER_SEC);
	struct tm tm = {};
	localtime_r(&then, &tm);
	struct run_clock_rec rec = { .head = head_of(RUN_CLOCK, sizeof(rec), first_ns), .utc_offset_s = (int32_t)tm.tm_gmtoff };
	engine_fact(e, &rec.head);
}

static void pass_time(struct packets *p, uint64_t now_ns)
{
	struct rec_head tick = head_of(RUN_TICK, sizeof(tick), now_ns);
	if (!p->ticked_ns)
		tell_clock(p->e, now_ns);
	if (p->ticked_ns && now_ns < p->ticked_ns + TICK_NS)
		return;
	p->ticked_ns = now_ns;
	engine_fact(p->e, &tick);
}

static void take(struct packets *p, const struct capture_frame *frame)
{
	struct packet packet;
	enum packet_kind kind = packet_read(frame->link, frame->bytes, frame->wire_bytes, &packet);
	p->kinds[kind]++;
	if (kind == PACKET_TCP)
		flows_take(p->flows, &packet, frame->time_ns);
}

static void tell_missing(struct packets *p)
{
	struct flows_count count = flows_count(p->flows);
	uint64_t n[PACKET_KINDS], packets = 0;
	memcpy(n, p->kinds, sizeof(n));
	for (size_t i = 0; i < PACKET_KINDS; i++)
		packets += n[i];
	if (!n[PACKET_TCP])
		engine_note(p->e, "none of the %llu packets is TCP", (unsigned long long)packets);
	if (n[PACKET_FRAGMENT] + n[PACKET_CUT] + n[PACKET_BAD])
		engine_note(p->e, "packets that are left out: %llu fragments of IP, %llu of which too little was captured, %llu malformed",
			    (unsigned long long)n[PACKET_FRAGMENT], (unsigned long long)n[PACKET_CUT], (unsigned long long)n[PACKET_BAD]);
	if (count.lost_bytes)
		engine_note(p->e, "%llu bytes of connections are not in the capture: requests there are marked (gap), or missing",
			    (unsigned long long)count.lost_bytes);
	if (count.evicted)
		engine_note(p->e, "more than %d connections at a time: %llu that were silent for longest were given up", FLOWS_MAX,
			    (unsigned long long)count.evicted);
	if (capture_is_cut(p->e->job->packets))
		engine_note(p->e, "the capture ends in the middle of a packet: it is shown as far as it goes");
}

static void tell_account(struct engine *e)
{
	struct run_account_rec rec = { .head = head_of(RUN_ACCOUNT, sizeof(rec), e->now_ns), .last = true };
	account_read(&e->account, -1, &rec);
	engine_fact(e, &rec.head);
}

int packets_run(struct engine *e, struct reason *why)
{
	struct packets p = { .e = e };
	struct capture_frame frame;
	uint64_t seed = 0;
	if (getrandom(&seed, sizeof(seed), 0) < 0)
		seed = (uint64_t)(uintptr_t)&p;
	p.flows = flows_new(seed, &ops, &p);
	while (!e->stopping && !e->limit_reached && capture_next(e->job->packets, &frame) > 0) {
		pass_time(&p, frame.time_ns);
		take(&p, &frame);
		if (e->arena.used_bytes > ARENA_BYTES_A_BATCH)
			arena_reset(&e->arena);
	}
	flows_finish(p.flows);
	tell_missing(&p);
	tell_account(e);
	pipeline_finish(e);
	flows_free(p.flows);
	return 0;
}
