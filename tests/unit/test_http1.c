#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "proto/http1/http1.h"
#include "proto/http1/head.h"
#include "proto/http1/pairs.h"
#include "proto/proto.h"

/*
 * What passes on a connection, and what is told of it. A script is steps, each a line of its own literal:
 *   "> bytes" from the client, "< bytes" from the server; the line ends are in the bytes
 *   ">gap N", "<gap N" (N may be "?"), ">segment", "<segment", ">close", "<close"
 * What is told is text, a line an event:
 *   >1 GET /a HTTP/1.1 @0+27 [Host=x|..] length=N cut skipped=N    the head of the client's first message, its offset and length
 *   >1 end 27/0 [trailer=x] cut|unknown                             its end: bytes on the wire, of the body
 *   <1=1 200 ...                                                    the server's first message, an answer to the client's first
 *   >lost bad @27
 */
enum { STEPS = 24 };

struct http_case {
	const char *name;
	const char *steps[STEPS];
	const char *want;
	bool midway;
};

static void add_head(struct strbuf *b, const struct proto_message *m)
{
	if (m->from == PROTO_CLIENT)
		strbuf_addf(b, " %.*s %.*s", (int)m->method.len, m->method.data, (int)m->target.len, m->target.data);
	else
		strbuf_addf(b, " %u", m->status);
	strbuf_addf(b, " %.*s @%" PRIu64 "+%" PRIu64, (int)m->version.len, m->version.data, m->offset, m->head_bytes);
	if (m->interim)
		strbuf_adds(b, " interim");
	if (m->head_cut)
		strbuf_adds(b, " cut");
	if (m->body_length)
		strbuf_addf(b, " length=%" PRIu64, m->body_length);
	if (!m->of_known_length)
		strbuf_adds(b, " length=?");
	if (m->skipped_bytes)
		strbuf_addf(b, " skipped=%" PRIu64, m->skipped_bytes);
	if (m->upgrade)
		strbuf_addf(b, " upgrade=%s", m->upgrade);
}

static void add_fields(struct strbuf *b, const struct proto_message *m)
{
	for (uint32_t i = 0; i < m->n_fields && i < 4; i++)
		strbuf_addf(b, "%s%.*s=%.*s", i ? "|" : " [", (int)m->fields[i].name.len, m->fields[i].name.data,
			    (int)m->fields[i].value.len, m->fields[i].value.data);
	strbuf_adds(b, m->n_fields ? "]" : "");
	if (m->fields_left_out)
		strbuf_addf(b, " left_out=%u", m->fields_left_out);
}

static void tell(void *ctx, const struct proto_message *m)
{
	static const char *const ends[] = { "", " cut", " unknown" };
	struct strbuf *b = ctx;
	strbuf_addc(b, m->from == PROTO_CLIENT ? '>' : '<');
	if (m->event == PROTO_LOST) {
		strbuf_addf(b, "lost %s @%" PRIu64 "\n", proto_loss_names[m->loss], m->offset);
		return;
	}
	strbuf_addf(b, "%" PRIu64, m->id);
	if (m->from == PROTO_SERVER)
		strbuf_addf(b, "=%" PRIu64, m->answers);
	if (m->event == PROTO_HEAD)
		add_head(b, m);
	else
		strbuf_addf(b, " end %" PRIu64 "/%" PRIu64 "%s", m->wire_bytes, m->body_bytes, ends[m->end]);
	add_fields(b, m);
	strbuf_addc(b, '\n');
}

/* In memory of its own and of its size: what is kept of a piece after the call is seen by the sanitizers. */
static size_t feed_piece(void *state, enum proto_side from, const char *bytes, size_t len)
{
	_cleanup_(free) char *piece = xmalloc(len ?: 1);
	memcpy(piece, bytes, len);
	return http1_proto.feed(state, from, (struct slice){ piece, len });
}

static void feed_in_pieces(void *state, enum proto_side from, const char *bytes, size_t len, size_t piece)
{
	for (size_t at = 0; at < len; at += piece) {
		size_t n = MIN(piece, len - at);
		if (feed_piece(state, from, bytes + at, n) < n)
			return;
	}
}

static void step(void *state, const char *s, size_t piece)
{
	enum proto_side from = s[0] == '>' ? PROTO_CLIENT : PROTO_SERVER;
	if (s[1] == ' ')
		feed_in_pieces(state, from, s + 2, strlen(s + 2), piece);
	else if (strncmp(s + 1, "gap ", 4) == 0)
		http1_proto.gap(state, from, s[5] == '?' ? PROTO_GAP_UNKNOWN : strtoull(s + 5, NULL, 10));
	else if (streq(s + 1, "segment"))
		http1_proto.segment(state, from);
	else if (streq(s + 1, "close"))
		http1_proto.close(state, from);
	else
		fail_msg("no step: %s", s);
}

static void run(const struct http_case *c, size_t piece, struct strbuf *told)
{
	_cleanup_(free) void *state = xmalloc(http1_proto.state_size);
	http1_proto.init(state, &(struct proto_start){ tell, told, c->midway });
	for (size_t i = 0; i < STEPS && c->steps[i]; i++)
		step(state, c->steps[i], piece);
	http1_proto.done(state);
}

static const struct http_case cases[] = {
#include "http1_cases.h"
};

static void each_exchange_is_told_as_the_rfc_has_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(strbuf_done) struct strbuf told = {};
		run(&cases[i], SIZE_MAX, &told);
		if (!streq(strbuf_str(&told), cases[i].want))
			fail_msg("%s: told:\n%swanted:\n%s", cases[i].name, strbuf_str(&told), cases[i].want);
	}
}

static void pieces_change_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t piece = 1; piece < 80; piece += piece < 9 ? 1 : 7) {
			_cleanup_(strbuf_done) struct strbuf told = {};
			run(&cases[i], piece, &told);
			if (!streq(strbuf_str(&told), cases[i].want))
				fail_msg("%s: in pieces of %zu told:\n%swanted:\n%s", cases[i].name, piece, strbuf_str(&told), cases[i].want);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_exchange_is_told_as_the_rfc_has_it),
		cmocka_unit_test(pieces_change_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
