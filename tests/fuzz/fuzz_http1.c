/*
 * A connection of HTTP/1, or of anything: what is told of it does not depend on the pieces in which it comes, each head has one
 * end at most, and in order, sizes are those of what passed, answers are to requests that were told.
 *
 * The input is what passes, the client first. Byte 0xfe makes the next one a command: '<' and '>' change the side, 's' a segment
 * begins, 'g' a gap of as many bytes as the byte after it says, 'G' one of 256 times as many, 'u' one of unknown length, 'c' close.
 * Its first byte, when it is 'm': begun midway.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "proto/http1/http1.h"

#define COMMAND 0xfe

struct told {
	uint64_t hash;
	uint64_t id[PROTO_SIDES], end[PROTO_SIDES]; /* the last message of each side; its end, or of the one before */
	uint64_t next[PROTO_SIDES];   /* no message begins before it */
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void hash_bytes(struct told *t, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		t->hash = (t->hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
}

static void hash_slice(struct told *t, struct slice s)
{
	hash_bytes(t, &s.len, sizeof(s.len));
	hash_bytes(t, s.data, s.len);
}

static void hash_message(struct told *t, const struct proto_message *m)
{
	const uint64_t numbers[] = {
		m->event, m->from, m->id, m->answers, m->offset, m->head_bytes, m->status, m->n_fields, m->fields_left_out, m->interim,
		m->head_cut, m->of_known_length, m->body_length, m->skipped_bytes, m->end, m->wire_bytes, m->body_bytes, m->loss,
	};
	hash_bytes(t, numbers, sizeof(numbers));
	hash_slice(t, m->method);
	hash_slice(t, m->target);
	hash_slice(t, m->version);
	hash_slice(t, m->reason);
	hash_slice(t, slice_of(m->upgrade));
	for (uint32_t i = 0; i < m->n_fields; i++) {
		hash_slice(t, m->fields[i].name);
		hash_slice(t, m->fields[i].value);
	}
}

static void tell(void *ctx, const struct proto_message *m)
{
	struct told *t = ctx;
	hash_message(t, m);
	check(m->from < PROTO_SIDES && m->answers <= t->id[PROTO_CLIENT]);
	if (m->event == PROTO_LOST)
		return;
	if (m->event == PROTO_HEAD) {
		check(m->id == t->id[m->from] + 1 && t->end[m->from] == t->id[m->from] && m->offset >= t->next[m->from]);
		check(m->head_bytes > 0 && (m->from == PROTO_SERVER ? m->status >= 100 && m->status <= 999 : m->method.len && m->target.len));
		t->id[m->from] = m->id;
		return;
	}
	check(m->id == t->id[m->from] && t->end[m->from] == m->id - 1);
	check(m->wire_bytes >= m->head_bytes && m->body_bytes <= m->wire_bytes - m->head_bytes);
	t->end[m->from] = m->id;
	t->next[m->from] = m->offset + m->head_bytes;
}

static bool feed(void *state, enum proto_side from, const uint8_t *bytes, size_t len)
{
	_cleanup_(free) char *piece = xmalloc(len ?: 1);
	memcpy(piece, bytes, len);
	size_t used = http1_proto.feed(state, from, (struct slice){ piece, len });
	struct proto_upgrade up;
	bool other = http1_proto.upgrade(state, &up);
	check(used <= len && (used == len || other));
	return !other;
}

/* The command at @bytes, which begins after COMMAND; returns its length. */
static size_t command(void *state, enum proto_side *from, const uint8_t *bytes, size_t len)
{
	uint64_t n = len > 1 ? bytes[1] : 0;
	switch (len ? bytes[0] : 0) {
	case '<':
	case '>':
		*from = bytes[0] == '>' ? PROTO_CLIENT : PROTO_SERVER;
		return 1;
	case 's':
		http1_proto.segment(state, *from);
		return 1;
	case 'g':
	case 'G':
		http1_proto.gap(state, *from, bytes[0] == 'g' ? n : n << 8);
		return MIN(len, (size_t)2);
	case 'u':
		http1_proto.gap(state, *from, PROTO_GAP_UNKNOWN);
		return 1;
	case 'c':
		http1_proto.close(state, *from);
		return 1;
	default:
		return 0;
	}
}

static uint64_t run(const uint8_t *bytes, size_t len, size_t piece)
{
	struct told told = {};
	_cleanup_(free) void *state = xmalloc(http1_proto.state_size);
	enum proto_side from = PROTO_CLIENT;
	size_t at = len && bytes[0] == 'm';
	http1_proto.init(state, &(struct proto_start){ tell, &told, at == 1 });
	while (at < len) {
		if (bytes[at] == COMMAND) {
			at += 1 + command(state, &from, bytes + at + 1, len - at - 1);
			continue;
		}
		const uint8_t *end = memchr(bytes + at, COMMAND, len - at);
		size_t n = MIN(piece, end ? (size_t)(end - bytes) - at : len - at);
		if (!feed(state, from, bytes + at, n))
			break;
		at += n;
	}
	http1_proto.done(state);
	return told.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(free) char *first = xmalloc(len ?: 1);
	const struct proto_ops *ops;
	memcpy(first, bytes, len);
	proto_detect((struct slice){ first, len }, &ops);
	uint64_t whole = run(bytes, len, len);
	check(run(bytes, len, 1) == whole);
	check(run(bytes, len, 7) == whole);
	return 0;
}
