/*
 * Frames of any bytes, of each link layer, and the connections that come of them. The first byte chooses the link layer; each frame is two
 * bytes of its length, a byte with how many milliseconds have passed and whether it was cut (128), and the frame.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "net/flows.h"

#define CUT 128
#define BEYOND_BYTES 1000 /* of a frame that was cut */
#define NUMBERS 4096

struct seen {
	uint64_t next[NUMBERS][FLOW_SIDES];
	bool closed[NUMBERS];
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void on_piece(void *arg, struct flow *f, const struct tcp_piece *p)
{
	struct seen *seen = arg;
	check(p->captured.len <= p->bytes && p->side < FLOW_SIDES);
	if (f->number >= NUMBERS)
		return;
	check(!seen->closed[f->number] && p->offset >= seen->next[f->number][p->side]);
	seen->next[f->number][p->side] = p->offset + p->bytes;
}

static void on_closed(void *arg, struct flow *f, enum flow_end how)
{
	struct seen *seen = arg;
	check(how <= FLOW_OPEN);
	if (f->number >= NUMBERS)
		return;
	check(!seen->closed[f->number]);
	seen->closed[f->number] = true;
}

static void take(struct flows *f, int link, struct slice frame, bool cut, uint64_t now_ns)
{
	struct packet p;
	_cleanup_(free) char *exact = xmalloc(frame.len ?: 1);
	memcpy(exact, frame.data, frame.len);
	if (packet_read(link, (struct slice){ exact, frame.len }, (uint32_t)frame.len + (cut ? BEYOND_BYTES : 0), &p) != PACKET_TCP)
		return;
	check(p.captured.len <= p.bytes && (!p.captured.len || (p.captured.data >= exact && p.captured.data + p.captured.len <= exact + frame.len)));
	flows_take(f, &p, now_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const int links[] = { LINK_ETHERNET, LINK_RAW, LINK_NULL, LINK_LOOP, LINK_COOKED, LINK_COOKED2, LINK_IPV4, LINK_IPV6 };
	static const struct flows_ops ops = { .piece = on_piece, .closed = on_closed };
	_cleanup_(free) struct seen *seen = xcalloc(1, sizeof(*seen));
	_cleanup_(flows_free) struct flows *f = flows_new(1, &ops, seen);
	uint64_t now_ns = 1;
	int link = links[len ? bytes[0] % ARRAY_SIZE(links) : 0];
	for (size_t at = 1; at + 3 <= len;) {
		size_t n = MIN((size_t)(bytes[at] << 8 | bytes[at + 1]), len - at - 3);
		bool cut = bytes[at + 2] & CUT;
		now_ns += (bytes[at + 2] & ~CUT) * NSEC_PER_MSEC;
		take(f, link, (struct slice){ (const char *)bytes + at + 3, n }, cut, now_ns);
		at += 3 + n;
	}
	flows_finish(f);
	return 0;
}
