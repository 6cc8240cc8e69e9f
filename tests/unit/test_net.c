/* Captured packets: the TCP segment of each frame, bytes in order from segments in any, connections with a beginning and an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/strbuf.h"
#include "net/flows.h"
#include "net/packet.h"
#include "net/tcp.h"

/* --- packets --- */

/* Frames as hexadecimal; blanks part what a person wants to see apart. */
#define ETHERNET(type) "020000000001 020000000002" type
#define IPV4(total, rest) "4500" total "0001" "0000" "4006" "0000" "7f000001 7f000002" rest
#define IPV4_OF(flags, proto) "45000028" "0001" flags "40" proto "0000" "7f000001 7f000002"
#define IPV6(length, next) "60000000" length next "40" "20010db8000000000000000000000001" "20010db8000000000000000000000002"
#define TCP "1f90" "0050" "00000064" "000000c8" "5018" "0200" "0000" "0000"
#define TCP_WITH_OPTIONS "1f90" "0050" "00000064" "000000c8" "8018" "0200" "0000" "0000" "0101080a 00000001 00000002"

#define SEEN4 "127.0.0.1 8080 > 80 100/200 "
#define SEEN6 "2001 8080 > 80 100/200 "

static const struct {
	const char *name;
	int link;
	const char *frame;
	uint32_t more; /* bytes that were not captured */
	const char *told;
} frames[] = {
	{ "ethernet, IPv4", LINK_ETHERNET, ETHERNET("0800") IPV4("002b", TCP) "616263", .told = SEEN4 "3 abc" },
	{ "what pads the frame is no payload", LINK_ETHERNET, ETHERNET("0800") IPV4("0029", TCP) "610000000000", .told = SEEN4 "1 a" },
	{ "options", LINK_ETHERNET, ETHERNET("0800") IPV4("0036", TCP_WITH_OPTIONS) "6162", .told = SEEN4 "2 ab" },
	{ "a payload that the capture cut", LINK_ETHERNET, ETHERNET("0800") IPV4("0428", TCP) "6162", .more = 998, .told = SEEN4 "1000 ab" },
	{ "options that the capture cut", LINK_ETHERNET, ETHERNET("0800") IPV4("0036", "1f90" "0050" "00000064" "000000c8" "8018" "0200" "0000" "0000"),
	  .more = 14, .told = SEEN4 "2 " },
	{ "a head that the capture cut", LINK_ETHERNET, ETHERNET("0800") IPV4("0428", "1f900050"), .more = 1000, .told = "cut" },
	{ "a packet for the card to cut, without a length", LINK_ETHERNET, ETHERNET("0800") IPV4("0000", TCP) "6162", .more = 80000, .told = SEEN4 "80002 ab" },
	{ "a VLAN tag", LINK_ETHERNET, ETHERNET("8100") "0064" "0800" IPV4("0029", TCP) "61", .told = SEEN4 "1 a" },
	{ "two VLAN tags", LINK_ETHERNET, ETHERNET("88a8") "0064" "8100" "0065" "0800" IPV4("0029", TCP) "61", .told = SEEN4 "1 a" },
	{ "IPv6", LINK_ETHERNET, ETHERNET("86dd") IPV6("0015", "06") TCP "61", .told = SEEN6 "1 a" },
	{ "IPv6 with options on the way", LINK_ETHERNET, ETHERNET("86dd") IPV6("0025", "00") "3c00000000000000" "0600000000000000" TCP "61", .told = SEEN6 "1 a" },
	{ "IPv6 with an authentication header", LINK_ETHERNET, ETHERNET("86dd") IPV6("002d", "33") "0604" "000000000000" "00000000" "000000000000000000000000" TCP "61", .told = SEEN6 "1 a" },
	{ "a fragment of IPv6", LINK_ETHERNET, ETHERNET("86dd") IPV6("001d", "2c") "0600000100000001" TCP "61", .told = "fragment" },
	{ "the first fragment", LINK_ETHERNET, ETHERNET("0800") IPV4_OF("2000", "06") TCP, .told = "fragment" },
	{ "a later fragment", LINK_ETHERNET, ETHERNET("0800") IPV4_OF("0010", "06") TCP, .told = "fragment" },
	{ "UDP", LINK_ETHERNET, ETHERNET("0800") IPV4_OF("0000", "11") "0035003500080000", .told = "other" },
	{ "ARP", LINK_ETHERNET, ETHERNET("0806") "0001", .told = "other" },
	{ "cooked", LINK_COOKED, "0000" "0304" "0006" "0000000000000000" "0800" IPV4("0029", TCP) "61", .told = SEEN4 "1 a" },
	{ "cooked, version 2", LINK_COOKED2, "86dd" "0000" "00000001" "0304" "00" "06" "0000000000000000" IPV6("0015", "06") TCP "61", .told = SEEN6 "1 a" },
	{ "raw, IPv4", LINK_RAW, IPV4("0029", TCP) "61", .told = SEEN4 "1 a" },
	{ "raw, IPv6", LINK_RAW_IN_FILES, IPV6("0015", "06") TCP "61", .told = SEEN6 "1 a" },
	{ "loopback of a small-endian machine", LINK_NULL, "02000000" IPV4("0029", TCP) "61", .told = SEEN4 "1 a" },
	{ "loopback of macOS, IPv6", LINK_NULL, "1e000000" IPV6("0015", "06") TCP "61", .told = SEEN6 "1 a" },
	{ "loopback of OpenBSD", LINK_LOOP, "00000002" IPV4("0029", TCP) "61", .told = SEEN4 "1 a" },
	{ "a data offset beyond the packet", LINK_RAW, IPV4("0028", "1f90" "0050" "00000064" "000000c8" "f018" "0200" "0000" "0000"), .told = "bad" },
	{ "a header length below the least", LINK_RAW, "4400" "0028" "0001" "0000" "4006" "0000" "7f000001 7f000002" TCP, .told = "bad" },
	{ "nothing", LINK_ETHERNET, "", .told = "cut" },
};

static size_t from_hex(const char *hex, char *ret)
{
	size_t n = 0;
	for (unsigned byte; *hex; hex++)
		if (*hex != ' ' && sscanf(hex, "%2x", &byte) == 1) {
			ret[n++] = (char)byte;
			hex++;
		}
	return n;
}

static void add_address(struct strbuf *b, const uint8_t *a)
{
	if (a[10] == 0xff)
		strbuf_addf(b, "%u.%u.%u.%u", a[12], a[13], a[14], a[15]);
	else
		strbuf_addf(b, "%02x%02x", a[0], a[1]);
}

static void each_frame_has_its_segment(void **state)
{
	static const char *const kinds[] = { [PACKET_OTHER] = "other", [PACKET_FRAGMENT] = "fragment", [PACKET_CUT] = "cut", [PACKET_BAD] = "bad" };
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		_cleanup_(strbuf_done) struct strbuf told = {};
		char bytes[256];
		struct packet p;
		size_t len = from_hex(frames[i].frame, bytes);
		assert_true(packet_link_known(frames[i].link));
		enum packet_kind kind = packet_read(frames[i].link, (struct slice){ bytes, len }, (uint32_t)len + frames[i].more, &p);
		if (kind == PACKET_TCP) {
			add_address(&told, p.from.address);
			strbuf_addf(&told, " %u > %u %u/%u %u %.*s", p.from.port, p.to.port, p.seq, p.ack, p.bytes, (int)p.captured.len, p.captured.data);
			assert_int_equal(p.flags, TCP_ACK);
		} else {
			strbuf_adds(&told, kinds[kind]);
		}
		if (!streq(strbuf_str(&told), frames[i].told))
			fail_msg("%s: %s", frames[i].name, strbuf_str(&told));
	}
}

static void a_frame_may_end_anywhere(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		char bytes[256];
		struct packet p;
		size_t len = from_hex(frames[i].frame, bytes);
		for (size_t cut = 0; cut < len; cut++) {
			char *exact = malloc(cut ?: 1);
			memcpy(exact, bytes, cut);
			if (packet_read(frames[i].link, (struct slice){ exact, cut }, (uint32_t)len, &p) == PACKET_TCP)
				assert_true(p.captured.len <= p.bytes && p.captured.data + p.captured.len <= exact + cut);
			free(exact);
		}
	}
}

/* --- streams --- */

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";

#define FIRST 0xfffffffbu /* the sequence number of 'a': it wraps on the way */
#define MS 1000000ull

/*
 * '>', '<': the letters from @at, @n of them, @kept captured (0: all), of one side or the other, which has the other's up to @ack;
 * 'e': '>' ends at @at.
 */
struct turn {
	char what;
	uint32_t at, n, ack;
	uint64_t ms;
	uint32_t kept;
};

static const struct {
	const char *name;
	struct turn turns[8];
	const char *told; /* SIDE OFFSET+BYTES:CAPTURED@MS */
} streams[] = {
	{ "in order", { { '>', 0, 3, 0, 1 }, { '>', 3, 3, 0, 2 } }, ">0+3:abc@1 >3+3:def@2 " },
	{ "in the wrong order", { { '>', 0, 3, 0, 1 }, { '>', 6, 3, 0, 2 }, { '>', 3, 3, 0, 3 } }, ">0+3:abc@1 >3+3:def@3 >6+3:ghi@3 " },
	{ "written in another order than captured", { { '>', 0, 3, 0, 1 }, { '>', 6, 3, 0, 3 }, { '>', 3, 3, 0, 2 } }, ">0+3:abc@1 >3+3:def@2 >6+3:ghi@3 " },
	{ "twice", { { '>', 0, 3, 0, 1 }, { '>', 0, 3, 0, 2 }, { '>', 3, 1, 0, 3 } }, ">0+3:abc@1 >3+1:d@3 " },
	{ "again, and more", { { '>', 0, 3, 0, 1 }, { '>', 1, 5, 0, 2 } }, ">0+3:abc@1 >3+3:def@2 " },
	{ "held twice", { { '>', 0, 1, 0, 1 }, { '>', 3, 2, 0, 2 }, { '>', 2, 5, 0, 3 }, { '>', 1, 1, 0, 4 } }, ">0+1:a@1 >1+1:b@4 >2+5:cdefg@4 " },
	{ "filled by what is longer than the hole", { { '>', 0, 1, 0, 1 }, { '>', 3, 2, 0, 2 }, { '>', 1, 8, 0, 3 } }, ">0+1:a@1 >1+8:bcdefghi@3 " },
	{ "a hole that was acknowledged is given up, but not at once",
	  { { '>', 0, 1, 0, 1 }, { '>', 3, 2, 0, 2 }, { '<', 0, 0, 5, 3 }, { '<', 0, 0, 5, 22 }, { '>', 5, 1, 0, 23 } }, ">0+1:a@1 >3! >3+2:de@2 >5+1:f@23 " },
	{ "it may still come", { { '>', 0, 1, 0, 1 }, { '>', 3, 2, 0, 2 }, { '<', 0, 0, 5, 3 }, { '>', 1, 2, 0, 4 } }, ">0+1:a@1 >1+2:bc@4 >3+2:de@4 " },
	{ "what is not acknowledged may come late", { { '>', 0, 1, 0, 1 }, { '>', 3, 2, 0, 2 }, { '<', 0, 0, 1, 900 }, { '>', 1, 2, 0, 1000 } }, ">0+1:a@1 >1+2:bc@1000 >3+2:de@1000 " },
	{ "without acknowledgements a hole has ten seconds", { { '>', 0, 1, 0, 1 }, { '>', 3, 2, 0, 2 }, { '>', 5, 1, 0, 10003 } }, ">0+1:a@1 >3! >3+2:de@2 >5+1:f@10003 " },
	{ "two holes, and the capture ends", { { '>', 0, 1, 0, 1 }, { '>', 2, 1, 0, 2 }, { '>', 4, 1, 0, 3 } }, ">0+1:a@1 >2! >2+1:c@2 >4! >4+1:e@3 " },
	{ "cut by the capture", { { '>', 0, 10, 0, 1, 2 }, { '>', 10, 2, 0, 2 } }, ">0+10:ab@1 >10+2:kl@2 " },
	{ "cut, and again", { { '>', 0, 4, 0, 1 }, { '>', 0, 10, 0, 2, 6 }, { '>', 2, 9, 0, 3, 1 } }, ">0+4:abcd@1 >4+6:ef@2 >10+1:@3 " },
	{ "the end comes before the rest", { { '>', 0, 1, 0, 1 }, { 'e', 4 }, { '>', 1, 3, 0, 2 } }, ">0+1:a@1 >1+3:bcd@2 end " },
	{ "the rest never comes", { { '>', 0, 1, 0, 1 }, { 'e', 4 } }, ">0+1:a@1 >4! end " },
	{ "far ahead: of another connection", { { '>', 0, 1, 0, 1 }, { '>', 0x50000000, 1, 0, 2, 1 }, { '>', 1, 1, 0, 3 } }, ">0+1:a@1 >1+1:b@3 " },
	{ "an answer that was written before its question", { { '<', 0, 2, 3, 2 }, { '>', 0, 3, 0, 1 } }, ">0+3:abc@1 <0+2:ab@2 " },
	{ "a question that waited for a missing answer waits for it, a while",
	  { { '>', 0, 3, 0, 1 }, { '<', 2, 2, 3, 3 }, { '>', 3, 3, 4, 4 }, { '<', 4, 1, 6, 5 }, { '>', 6, 1, 5, 30 } },
	  ">0+3:abc@1 <2! <2+2:cd@3 >3+3:def@4 <4+1:e@5 >6+1:g@30 " },
	{ "an answer that was not captured at all", { { '>', 0, 3, 0, 1 }, { '>', 3, 3, 4, 4 }, { '<', 4, 1, 6, 5 }, { '<', 5, 1, 6, 30 } }, ">0+3:abc@1 <4! >3+3:def@4 <4+1:e@5 <5+1:f@30 " },
	{ "what is sent without waiting is not held", { { '>', 0, 3, 0, 1 }, { '>', 3, 3, 0, 2 }, { '<', 0, 2, 6, 3 } }, ">0+3:abc@1 >3+3:def@2 <0+2:ab@3 " },
	{ "a repetition may know what came after it first passed", { { '<', 0, 2, 3, 2 }, { '>', 0, 3, 2, 5 } }, ">0+3:abc@5 <0+2:ab@2 " },
};

struct teller {
	struct strbuf text;
	uint64_t next[TCP_SIDES];
};

static void note(void *arg, const struct tcp_piece *p)
{
	struct teller *t = arg;
	if (!p->bytes)
		strbuf_addf(&t->text, "%c%llu! ", "><"[p->side], (unsigned long long)p->offset);
	else
		strbuf_addf(&t->text, "%c%llu+%u:%.*s@%llu ", "><"[p->side], (unsigned long long)p->offset, p->bytes, (int)p->captured.len, p->captured.data,
		    (unsigned long long)(p->time_ns / MS));
	assert_true(p->offset >= t->next[p->side] && p->seq == FIRST + (uint32_t)p->offset);
	t->next[p->side] = p->offset + p->bytes;
}

static void play(struct tcp *t, const struct turn *turns, size_t n)
{
	for (size_t i = 0; i < n && turns[i].what; i++) {
		const struct turn *g = &turns[i];
		struct slice captured = { g->at < sizeof(alphabet) ? alphabet + g->at : alphabet, g->kept ? g->kept : g->n };
		struct tcp_segment segment = { FIRST + g->at, g->n, captured, true, FIRST + g->ack, g->ms * MS };
		if (g->what == 'e')
			tcp_end(t, 0, FIRST + g->at);
		else
			tcp_take(t, g->what == '<', &segment);
	}
}

static void bytes_come_in_order_and_once(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		struct teller teller = {};
		struct tcp_room room = {};
		struct tcp t = { .room = &room, .fn = note, .arg = &teller };
		tcp_begin(&t, 0, FIRST);
		tcp_begin(&t, 1, FIRST);
		play(&t, streams[i].turns, ARRAY_SIZE(streams[i].turns));
		tcp_finish(&t);
		strbuf_adds(&teller.text, tcp_has_ended(&t, 0) ? "end " : "");
		if (!streq(strbuf_str(&teller.text), streams[i].told))
			fail_msg("%s: %s", streams[i].name, strbuf_str(&teller.text));
		tcp_done(&t);
		assert_int_equal(room.bytes, 0);
		strbuf_done(&teller.text);
	}
}

static void ignore(void *arg, const struct tcp_piece *p)
{
	*(uint64_t *)arg += p->bytes;
}

/* A thousand connections that lack their first byte, each with megabytes behind it. */
static void what_is_held_is_bounded(void **state)
{
	static struct tcp talks_of_a_kind[1000];
	static char bytes[60000];
	struct tcp_room room = {};
	uint64_t told = 0, lost = 0;
	size_t most = 0;
	for (uint32_t turn = 0; turn < 20; turn++)
		for (size_t i = 0; i < ARRAY_SIZE(talks_of_a_kind); i++) {
			struct tcp *t = &talks_of_a_kind[i];
			struct tcp_segment g = { .seq = 1 + turn * sizeof(bytes), .bytes = sizeof(bytes), .captured = { bytes, sizeof(bytes) }, .time_ns = 1 };
			t->room = &room;
			t->fn = ignore;
			t->arg = &told;
			tcp_begin(t, 0, 0);
			tcp_take(t, 0, &g);
			most = MAX(most, room.bytes);
		}
	for (size_t i = 0; i < ARRAY_SIZE(talks_of_a_kind); i++) {
		tcp_finish(&talks_of_a_kind[i]);
		lost += talks_of_a_kind[i].sent[0].lost_bytes;
	}
	assert_true(most < TCP_ROOM_BYTES + 2 * sizeof(bytes));
	assert_int_equal(told, 1000 * 20 * sizeof(bytes));
	assert_int_equal(lost, 1000);
	assert_int_equal(room.bytes, 0);
}

/* --- connections --- */

/* '>' from the client (10.0.0.1:40000), '<' from the server (port 80), @flags as tcpdump has them: S, ., F, R. */
struct sent {
	char direction;
	const char *flags;
	uint32_t seq, ack;
	const char *bytes;
	uint64_t s;
};

static const struct {
	const char *name;
	struct sent sent[10];
	const char *told;
} talks[] = {
	{ "from beginning to end",
	  { { '>', "S", 10, 0 }, { '<', "S.", 20, 11 }, { '>', ".", 11, 21 }, { '>', ".", 11, 21, "hi" }, { '<', ".F", 21, 13, "ho" }, { '>', ".F", 13, 24 }, { '<', ".", 24, 14 } },
	  "1>0:hi 1<0:ho 1 closed " },
	{ "the client closes first",
	  { { '>', "S", 10, 0 }, { '<', "S.", 20, 11 }, { '>', ".F", 11, 21, "hi" }, { '<', ".F", 21, 14, "ho" } }, "1>0:hi 1<0:ho 1 peer_closed " },
	{ "open before", { { '<', ".", 500, 700, "ho" }, { '>', ".", 700, 502, "hi" } }, "1<0:ho 1>0:hi 1 open midway " },
	{ "acknowledgements alone are no connection", { { '>', ".", 700, 502 }, { '<', ".", 502, 700 } }, "" },
	{ "refused", { { '>', "S", 10, 0 }, { '<', "R.", 0, 11 } }, "1 failed " },
	{ "reset", { { '>', "S", 10, 0 }, { '<', "S.", 20, 11 }, { '>', ".", 11, 21, "hi" }, { '<', "R", 21, 0 } }, "1>0:hi 1 reset " },
	{ "SYN again", { { '>', "S", 10, 0 }, { '>', "S", 10, 0, .s = 1 }, { '<', "S.", 20, 11 }, { '<', "S.", 20, 11 }, { '>', ".", 11, 21, "hi" } }, "1>0:hi 1 open " },
	{ "the same ports anew", { { '>', "S", 10, 0 }, { '>', ".", 11, 21, "hi" }, { '>', "S", 99, 0 }, { '>', ".", 100, 21, "ho" } }, "1>0:hi 1 open 2>0:ho 2 open " },
	{ "what is repeated behind the end is no new connection",
	  { { '>', "S", 10, 0 }, { '<', "S.", 20, 11 }, { '>', ".F", 11, 21, "hi" }, { '<', ".F", 21, 14, "ho" }, { '<', ".F", 21, 14, "ho", .s = 2 }, { '>', ".", 11, 21, "hi", .s = 3 } },
	  "1>0:hi 1<0:ho 1 peer_closed " },
	{ "much later it is", { { '>', "S", 10, 0 }, { '<', "R.", 0, 11 }, { '>', ".", 11, 21, "hi", .s = 90 } }, "1 failed 2>0:hi 2 open midway " },
	{ "an answer whose question was captured later", { { '>', "S", 10, 0 }, { '<', "S.", 20, 11 }, { '<', ".", 21, 13, "ho" }, { '>', ".", 11, 21, "hi" } }, "1>0:hi 1<0:ho 1 open " },
	{ "data with the SYN", { { '>', "S", 10, 0, "hi" }, { '<', "S.", 20, 13, "ho" } }, "1>0:hi 1<0:ho 1 open " },
};

static void piece(void *arg, struct flow *f, const struct tcp_piece *p)
{
	strbuf_addf(arg, "%llu%c%llu:%.*s ", (unsigned long long)f->number, p->side == FLOW_CLIENT ? '>' : '<', (unsigned long long)p->offset, (int)p->captured.len,
		    p->captured.data);
}

static void closed(void *arg, struct flow *f, enum flow_end how)
{
	static const char *const names[] = { "closed", "peer_closed", "reset", "failed", "open" };
	assert_int_equal(f->end[FLOW_CLIENT].port, 40000);
	strbuf_addf(arg, "%llu %s %s", (unsigned long long)f->number, names[how], f->midway ? "midway " : "");
}

static const struct flows_ops ops = { .piece = piece, .closed = closed };

static void take(struct flows *f, const struct sent *s)
{
	struct packet_end client = { { 10, 0, 0, 1 }, 40000 }, server = { { 10, 0, 0, 2 }, 80 };
	struct packet p = { .seq = s->seq, .ack = s->ack, .captured = slice_of(s->bytes), .bytes = (uint32_t)slice_of(s->bytes).len };
	p.from = s->direction == '>' ? client : server;
	p.to = s->direction == '>' ? server : client;
	for (const char *c = s->flags; *c; c++)
		p.flags |= *c == 'S' ? TCP_SYN : *c == 'F' ? TCP_FIN : *c == 'R' ? TCP_RST : TCP_ACK;
	flows_take(f, &p, 1 + s->s * NSEC_PER_SEC);
}

static void connections_have_a_beginning_and_an_end(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(talks); i++) {
		_cleanup_(strbuf_done) struct strbuf told = {};
		_cleanup_(flows_free) struct flows *f = flows_new(7, &ops, &told);
		for (size_t j = 0; j < ARRAY_SIZE(talks[i].sent) && talks[i].sent[j].direction; j++)
			take(f, &talks[i].sent[j]);
		flows_finish(f);
		if (!streq(strbuf_str(&told), talks[i].told))
			fail_msg("%s: %s", talks[i].name, strbuf_str(&told));
	}
}

static void count_piece(void *arg, struct flow *f, const struct tcp_piece *p)
{
}

static void count_closed(void *arg, struct flow *f, enum flow_end how)
{
	(*(size_t *)arg)++;
}

/* A scan: SYNs alone, from everywhere. */
static void connections_are_bounded(void **state)
{
	static const struct flows_ops counting = { .piece = count_piece, .closed = count_closed };
	size_t told = 0, n = 3 * FLOWS_MAX;
	_cleanup_(flows_free) struct flows *f = flows_new(7, &counting, &told);
	for (uint32_t i = 0; i < n; i++) {
		struct packet p = { .flags = TCP_SYN, .seq = i, .to = { .port = 80 } };
		memcpy(p.from.address, &i, sizeof(i));
		flows_take(f, &p, 1);
	}
	assert_int_equal(flows_count(f).evicted, n - FLOWS_MAX);
	flows_finish(f);
	assert_int_equal(told, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_frame_has_its_segment),
		cmocka_unit_test(a_frame_may_end_anywhere),
		cmocka_unit_test(bytes_come_in_order_and_once),
		cmocka_unit_test(what_is_held_is_bounded),
		cmocka_unit_test(connections_have_a_beginning_and_an_end),
		cmocka_unit_test(connections_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
