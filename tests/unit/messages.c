/*
 * messages: what the parsers make of a recorded connection, for tests that compare with others. Standard input is steps: who
 * ('>' client, '<' server), what ('d' bytes that passed, 's' a segment begins, 'g' gap, 'c' close), 4 bytes length, little-endian,
 * and of 'd' so many bytes. Its arguments are the protocol, and "midway". One line an event, fields parted by tabs, bytes in hex:
 *   head  SIDE ID ANSWERS OFFSET HEAD_BYTES METHOD TARGET STATUS CUT INTERIM UPGRADE NAME=VALUE...
 *   end   SIDE ID ANSWERS WIRE_BYTES BODY_BYTES HOW
 *   lost  SIDE OFFSET WHY
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "proto/proto.h"

static void print_hex(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		printf("%02x", (unsigned char)s.data[i]);
}

static void print_head(const struct proto_message *m)
{
	printf("\t%" PRIu64 "\t%" PRIu64 "\t", m->offset, m->head_bytes);
	print_hex(m->method);
	putchar('\t');
	print_hex(m->target);
	printf("\t%u\t%d\t%d\t%s", m->status, m->head_cut, m->interim, m->upgrade ?: "");
	for (uint32_t i = 0; i < m->n_fields; i++) {
		putchar('\t');
		print_hex(m->fields[i].name);
		putchar('=');
		print_hex(m->fields[i].value);
	}
}

static void print_message(void *ctx, const struct proto_message *m)
{
	static const char *const events[] = { "head", "end", "lost" }, *const ends[] = { "complete", "cut", "unknown" };
	printf("%s\t%c", events[m->event], m->from == PROTO_CLIENT ? '>' : '<');
	if (m->event == PROTO_LOST) {
		printf("\t%" PRIu64 "\t%s\n", m->offset, proto_loss_names[m->loss]);
		return;
	}
	printf("\t%" PRIu64 "\t%" PRIu64, m->id, m->answers);
	if (m->event == PROTO_HEAD)
		print_head(m);
	else
		printf("\t%" PRIu64 "\t%" PRIu64 "\t%s", m->wire_bytes, m->body_bytes, ends[m->end]);
	putchar('\n');
}

/* One step; false: there are no more. */
static bool step(const struct proto_ops *ops, void *state)
{
	unsigned char s[6];
	if (fread(s, 1, sizeof(s), stdin) != sizeof(s))
		return false;
	enum proto_side from = s[0] == '>' ? PROTO_CLIENT : PROTO_SERVER;
	uint32_t len = s[2] | (uint32_t)s[3] << 8 | (uint32_t)s[4] << 16 | (uint32_t)s[5] << 24;
	if (s[1] == 's')
		ops->segment(state, from);
	else if (s[1] == 'g')
		ops->gap(state, from, len);
	else if (s[1] == 'c')
		ops->close(state, from);
	if (s[1] != 'd')
		return true;
	_cleanup_(free) char *bytes = xmalloc(len ?: 1);
	if (fread(bytes, 1, len, stdin) != len)
		return false;
	ops->feed(state, from, (struct slice){ bytes, len });
	return true;
}

int main(int argc, char **argv)
{
	const struct proto_ops *ops = argc > 1 ? proto_find(argv[1]) : NULL;
	if (!ops) {
		fprintf(stderr, "messages PROTOCOL [midway] < STEPS\n");
		return 2;
	}
	_cleanup_(free) void *state = xmalloc(ops->state_size);
	ops->init(state, &(struct proto_start){ print_message, NULL, argc > 2 && streq(argv[2], "midway") });
	while (step(ops, state))
		;
	ops->done(state);
	return ferror(stdin) || fflush(stdout) != 0;
}
