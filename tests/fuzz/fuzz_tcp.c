/*
 * A connection whose bytes are known by their place: segments of it in any order, cut, twice or never. Whatever is handed on is what stands
 * there, in order, at most once; what was never handed on is counted as lost; nothing stays held.
 *
 * The input is turns of six bytes: what it is (1: the end; 8: of the other side; 16, 32: how many times longer; 64: it acknowledges), where
 * (two), how many bytes, how many of them were captured, and a byte that is the milliseconds that pass and, 256 times, what is acknowledged.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "net/tcp.h"

#define FIRST 0xffff8000u /* sequence numbers wrap on the way */

struct told {
	uint64_t next[TCP_SIDES], bytes[TCP_SIDES];
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static char byte_at(unsigned side, uint64_t offset)
{
	return (char)((offset + side) * 0x9e3779b97f4a7c15ull >> 56);
}

static void on_piece(void *arg, const struct tcp_piece *p)
{
	struct told *told = arg;
	check(p->offset >= told->next[p->side] && p->captured.len <= p->bytes && p->seq == FIRST + (uint32_t)p->offset);
	for (size_t i = 0; i < p->captured.len; i++)
		check(p->captured.data[i] == byte_at(p->side, p->offset + i));
	told->next[p->side] = p->offset + p->bytes;
	told->bytes[p->side] += p->bytes;
}

static void take(struct tcp *t, const uint8_t turn[6], uint64_t now_ns)
{
	unsigned side = turn[0] >> 3 & 1;
	uint32_t at = (uint32_t)turn[1] << 8 | turn[2], n = (uint32_t)turn[3] << (turn[0] >> 4 & 3);
	size_t kept = MIN(n, (uint32_t)turn[4]);
	_cleanup_(free) char *captured = xmalloc(kept ?: 1);
	for (size_t i = 0; i < kept; i++)
		captured[i] = byte_at(side, at + i);
	struct tcp_segment g = { FIRST + at, n, { captured, kept }, turn[0] & 64, FIRST + turn[5] * 256u, now_ns };
	if (turn[0] & 1)
		tcp_end(t, side, FIRST + at + n);
	tcp_take(t, side, &g);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct told told = {};
	struct tcp_room room = {};
	struct tcp t = { .room = &room, .fn = on_piece, .arg = &told };
	uint64_t now_ns = 1;
	tcp_begin(&t, 0, FIRST);
	tcp_begin(&t, 1, FIRST);
	for (size_t i = 0; i + 6 <= len; i += 6) {
		now_ns += bytes[i + 5] * NSEC_PER_MSEC;
		take(&t, bytes + i, now_ns);
	}
	tcp_finish(&t);
	check(room.bytes == 0);
	for (unsigned side = 0; side < TCP_SIDES; side++) {
		const struct tcp_stream *s = &t.sent[side];
		check(!s->first && s->held_n == 0 && s->held_bytes == 0);
		check(told.bytes[side] + s->lost_bytes == s->offset && s->next == FIRST + (uint32_t)s->offset);
	}
	tcp_done(&t);
	return 0;
}
