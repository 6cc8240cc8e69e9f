/* Dialogues: what passes on a connection becomes each question with its own answer, whatever comes between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/strbuf.h"
#include "span/dialogue.h"

/* A call: '>' sent to us by the client, '<' sent by us; "+N": N bytes more passed that were not captured; "~N": N bytes were lost before it. */
struct step {
	char direction;
	const char *bytes;
	uint32_t more, lost;
	uint64_t at_ns;
};

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static const struct {
	const char *name;
	struct step steps[8];
	uint64_t end_ns; /* 0: the connection stays open */
	const char *told; /* "METHOD PATH STATUS began-asked-answered-ended request/response marks;" */
} cases[] = {
	{ "a question and its answer",
	  { { '>', GET("/a"), .at_ns = 10 }, { '<', OK, .at_ns = 30 } },
	  .told = "GET /a 200 10-10-30-30 28/40;" },
	{ "in pieces",
	  { { '>', "GET /a HT", .at_ns = 10 }, { '>', "TP/1.1\r\n\r\n", .at_ns = 20 }, { '<', "HTTP/1.1 204 No Content\r\n", .at_ns = 30 }, { '<', "\r\n", .at_ns = 40 } },
	  .told = "GET /a 204 10-20-30-40 19/27;" },
	{ "one after the other",
	  { { '>', GET("/a"), .at_ns = 1 }, { '<', OK, .at_ns = 2 }, { '>', GET("/b"), .at_ns = 3 }, { '<', OK, .at_ns = 4 } },
	  .told = "GET /a 200 1-1-2-2 28/40;GET /b 200 3-3-4-4 28/40;" },
	{ "pipelined",
	  { { '>', GET("/a") GET("/b"), .at_ns = 1 }, { '<', OK OK, .at_ns = 5 } },
	  .told = "GET /a 200 1-1-5-5 28/40;GET /b 200 1-1-5-5 28/40;" },
	{ "an answer that comes before all of its question",
	  { { '>', "POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nxx", .at_ns = 1 }, { '<', OK, .at_ns = 2 }, { '>', "xx", .at_ns = 3 } },
	  .told = "POST /a 200 1-3-2-2 43/40;" },
	{ "a body that is not captured",
	  { { '>', GET("/a"), .at_ns = 1 }, { '<', "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", .more = 1000, .at_ns = 2 }, { '>', GET("/b"), .at_ns = 3 }, { '<', OK, .at_ns = 4 } },
	  .told = "GET /a 200 1-1-2-2 28/1041;GET /b 200 3-3-4-4 28/40;" },
	{ "an answer whose end was not captured ends with its last call, not when the next question comes",
	  { { '>', GET("/a"), .at_ns = 1 }, { '<', "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", .more = 700, .at_ns = 2 }, { '<', "xx", .at_ns = 3 },
	    { '>', GET("/b"), .at_ns = 90 }, { '<', OK, .at_ns = 91 } },
	  .told = "GET /a 200 1-1-2-3 28/756 gap;GET /b 200 90-90-91-91 28/40;" },
	{ "a question whose end was not captured ends with its last call, not with the answer",
	  { { '>', "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", .more = 700, .at_ns = 2 }, { '<', OK, .at_ns = 90 } },
	  .told = "POST /a 200 2-2-90-90 764/40 gap;" },
	{ "100 Continue is not the answer, but bytes of it",
	  { { '>', "POST /a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", .at_ns = 1 }, { '<', "HTTP/1.1 100 Continue\r\n\r\n", .at_ns = 2 }, { '>', "xx", .at_ns = 3 }, { '<', OK, .at_ns = 9 } },
	  .told = "POST /a 200 1-3-9-9 63/65;" },
	{ "closed before the answer",
	  { { '>', GET("/a"), .at_ns = 1 } },
	  .end_ns = 8, .told = "GET /a 0 1-1-0-8 28/0 unanswered;" },
	{ "closed inside the answer",
	  { { '>', GET("/a"), .at_ns = 1 }, { '<', "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", .at_ns = 2 } },
	  .end_ns = 8, .told = "GET /a 200 1-1-2-8 28/40 cut;" },
	{ "closed inside a question that was answered early",
	  { { '>', "POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nab", .at_ns = 1 }, { '<', OK, .at_ns = 2 } },
	  .end_ns = 8, .told = "POST /a 200 1-8-2-2 41/40 cut;" },
	{ "not HTTP",
	  { { '>', "\x16\x03\x01\x02", .at_ns = 1 }, { '<', "\x16\x03\x03\x01", .at_ns = 2 } },
	  .end_ns = 8, .told = "" },
	{ "an answer is lost, and with it the next question: the answer to that is none to the first",
	  { { '>', GET("/a"), .at_ns = 1 }, { '<', OK, .lost = 300, .at_ns = 4 }, { '>', GET("/c"), .lost = 28, .at_ns = 5 }, { '<', OK, .at_ns = 6 } },
	  .told = "GET /a 0 1-1-0-1 28/0 gap;GET /c 200 5-5-6-6 28/40;" },
	{ "an answer that was lost on the way to us is no error of the server",
	  { { '>', GET("/a"), .at_ns = 1 }, { '>', GET("/b"), .lost = 0, .at_ns = 3 }, { '<', OK, .lost = 17, .at_ns = 4 } },
	  .end_ns = 8, .told = "*" }, /* what can be said depends on the parser; only that none is unanswered */
};

static void note(void *arg, const struct request *r)
{
	strbuf_addf(arg, "%.*s %.*s %u %llu-%llu-%llu-%llu %llu/%llu%s%s%s;", (int)r->method.len, r->method.data, (int)r->target.len, r->target.data,
		    r->status, (unsigned long long)r->began_ns, (unsigned long long)r->asked_ns, (unsigned long long)r->answered_ns,
		    (unsigned long long)r->ended_ns, (unsigned long long)r->request_bytes, (unsigned long long)r->response_bytes,
		    r->unanswered ? " unanswered" : "", r->cut ? " cut" : "", r->gap ? " gap" : "");
}

static void play(struct dialogue *d, const struct step *steps, size_t n)
{
	uint64_t offset[2] = {};
	for (size_t i = 0; i < n && steps[i].bytes; i++) {
		const struct step *s = &steps[i];
		bool sent = s->direction == '<';
		struct slice bytes = slice_of(s->bytes);
		offset[sent] += s->lost;
		struct passed p = { .sent = sent, .offset = offset[sent], .bytes = bytes.len + s->more, .captured = bytes, .ended_ns = s->at_ns };
		dialogue_pass(d, &p);
		offset[sent] += p.bytes;
	}
}

static void each_question_has_its_answer(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(strbuf_done) struct strbuf told = {};
		_cleanup_(dialogue_free) struct dialogue *d = dialogue_new(false, note, &told);
		play(d, cases[i].steps, ARRAY_SIZE(cases[i].steps));
		if (cases[i].end_ns)
			dialogue_end(d, cases[i].end_ns);
		if (streq(cases[i].told, "*") ? !!strstr(strbuf_str(&told), "unanswered") : !streq(strbuf_str(&told), cases[i].told))
			fail_msg("%s: %s", cases[i].name, strbuf_str(&told));
	}
}

/* The traced process is the client: what it sends are the questions, and they begin when the call begins. */
static void a_client_asks_from_the_beginning_of_its_call(void **state)
{
	_cleanup_(strbuf_done) struct strbuf told = {};
	_cleanup_(dialogue_free) struct dialogue *d = dialogue_new(false, note, &told);
	struct passed question = { .sent = true, .captured = slice_of(GET("/a")), .bytes = sizeof(GET("/a")) - 1, .began_ns = 5, .ended_ns = 7 };
	struct passed answer = { .captured = slice_of(OK), .bytes = sizeof(OK) - 1, .began_ns = 8, .ended_ns = 20 };
	dialogue_pass(d, &question);
	dialogue_pass(d, &answer);
	assert_string_equal(strbuf_str(&told), "GET /a 200 5-7-20-20 28/40;");
}

static void questions_without_end_are_bounded(void **state)
{
	_cleanup_(strbuf_done) struct strbuf told = {};
	_cleanup_(dialogue_free) struct dialogue *d = dialogue_new(false, note, &told);
	uint64_t offset = 0;
	for (int i = 0; i < 3 * REQUESTS_MAX; i++) {
		struct passed p = { .offset = offset, .captured = slice_of(GET("/a")), .bytes = sizeof(GET("/a")) - 1, .ended_ns = 1 };
		dialogue_pass(d, &p);
		offset += p.bytes;
	}
	assert_int_equal(dialogue_lost(d).questions, 2 * REQUESTS_MAX);
}

/* What is kept of a connection is counted, and given back when it is left alone; what was asked is told. */
static void one_that_keeps_too_much_is_left_alone(void **state)
{
	_cleanup_(strbuf_done) struct strbuf told = {};
	_cleanup_(dialogue_free) struct dialogue *d = dialogue_new(false, note, &told);
	static const char line[] = "X-Long: 0123456789012345678901234567890123456789\r\n";
	struct passed first = { .captured = slice_of(GET("/a") "GET /b HTTP/1.1\r\n"), .bytes = sizeof(GET("/a")) - 1 + 17, .ended_ns = 1 };
	uint64_t offset = first.bytes;
	dialogue_pass(d, &first);
	for (int i = 0; i < 1000; i++, offset += sizeof(line) - 1) {
		struct passed p = { .offset = offset, .captured = slice_of(line), .bytes = sizeof(line) - 1, .ended_ns = 2 };
		dialogue_pass(d, &p);
	}
	assert_in_range(dialogue_kept(d), 1000 * (sizeof(line) - 1), 65536 + 8192);
	dialogue_give_up(d);
	assert_int_equal(dialogue_kept(d), 0);
	struct passed late = { .offset = offset, .captured = slice_of("\r\n" GET("/c")), .bytes = sizeof(GET("/c")) + 1, .ended_ns = 3 };
	dialogue_pass(d, &late);
	dialogue_end(d, 4);
	assert_string_equal(strbuf_str(&told), "GET /a 0 1-1-0-1 28/0 gap;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_question_has_its_answer),
		cmocka_unit_test(a_client_asks_from_the_beginning_of_its_call),
		cmocka_unit_test(questions_without_end_are_bounded),
		cmocka_unit_test(one_that_keeps_too_much_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
