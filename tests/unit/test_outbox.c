/* What waits to be sent, with a clock that the test turns: who goes first, when it is tried again, what is lost and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "export/outbox.h"

#define ROOM 1000
#define GIVE_UP (300 * NSEC_PER_SEC)
#define MIDDLE 512 /* of the jitter: neither shorter nor longer */

static const struct verdict_of_answer delivered = { .outcome = OUTCOME_DELIVERED }, retry = { .outcome = OUTCOME_RETRY };

static void put(struct outbox *o, char name, size_t len, uint32_t items)
{
	char body[ROOM + 1];
	memset(body, name, sizeof(body));
	outbox_put(o, parcel_new(body, len, items));
}

/* The name of the parcel that may be tried now; 0: none. It is answered at once. */
static char tried(struct outbox *o, uint64_t now_ns, const struct verdict_of_answer *v)
{
	uint64_t due;
	struct parcel *p = outbox_take(o, now_ns, &due);
	char name = p ? p->body[0] : 0;
	if (p)
		outbox_answer(o, p, v, now_ns, MIDDLE);
	return name;
}

static uint64_t due_at(struct outbox *o, uint64_t now_ns)
{
	uint64_t due = 0;
	assert_null(outbox_take(o, now_ns, &due));
	return due;
}

static void parcels_go_in_the_order_in_which_they_came(void **state)
{
	_cleanup_(outbox_done) struct outbox o;
	outbox_init(&o, ROOM, GIVE_UP);
	for (char c = 'a'; c <= 'c'; c++)
		put(&o, c, 10, 2);
	for (char c = 'a'; c <= 'c'; c++)
		assert_int_equal(tried(&o, 1, &delivered), c);
	assert_int_equal(due_at(&o, 1), UINT64_MAX);
	assert_int_equal(o.sent, 6);
	assert_int_equal(o.bytes, 0);
}

static void what_finds_no_room_is_lost_and_what_waits_stays(void **state)
{
	_cleanup_(outbox_done) struct outbox o;
	outbox_init(&o, ROOM, GIVE_UP);
	put(&o, 'a', 600, 1);
	put(&o, 'b', 600, 7);
	put(&o, 'c', 400, 1);
	assert_int_equal(o.lost[EXPORT_QUEUE_FULL], 7);
	assert_int_equal(tried(&o, 1, &delivered), 'a');
	assert_int_equal(tried(&o, 1, &delivered), 'c');
	assert_int_equal(outbox_lost(&o), 7);
}

static void waits_double_until_half_a_minute_and_all_wait_behind_the_first(void **state)
{
	static const uint64_t waits_s[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
	_cleanup_(outbox_done) struct outbox o;
	uint64_t now = 1000;
	outbox_init(&o, ROOM, GIVE_UP);
	put(&o, 'a', 10, 1);
	put(&o, 'b', 10, 1);
	for (size_t i = 0; i < ARRAY_SIZE(waits_s); i++) {
		assert_int_equal(tried(&o, now, &retry), 'a');
		assert_int_equal(due_at(&o, now), now + waits_s[i] * NSEC_PER_SEC);
		now += waits_s[i] * NSEC_PER_SEC;
	}
	assert_int_equal(tried(&o, now, &delivered), 'a');
	assert_int_equal(tried(&o, now, &retry), 'b');
	assert_int_equal(due_at(&o, now), now + NSEC_PER_SEC); /* a success begins anew */
}

static void jitter_is_between_half_and_one_and_a_half(void **state)
{
	for (uint32_t random = 0; random < 100000; random += 77) {
		_cleanup_(outbox_done) struct outbox o;
		uint64_t due;
		outbox_init(&o, ROOM, GIVE_UP);
		put(&o, 'a', 10, 1);
		outbox_answer(&o, outbox_take(&o, 1, &due), &retry, 1, random);
		due = due_at(&o, 1);
		assert_in_range(due, NSEC_PER_SEC / 2, 1 + NSEC_PER_SEC * 3 / 2);
	}
}

static void a_receiver_that_wants_rest_gets_it(void **state)
{
	_cleanup_(outbox_done) struct outbox o;
	struct verdict_of_answer later = { .outcome = OUTCOME_RETRY, .not_before_ns = 20 * NSEC_PER_SEC };
	outbox_init(&o, ROOM, GIVE_UP);
	put(&o, 'a', 10, 1);
	assert_int_equal(tried(&o, 1, &later), 'a');
	assert_int_equal(due_at(&o, 1), 1 + 20 * NSEC_PER_SEC);
	assert_int_equal(tried(&o, 1 + 20 * NSEC_PER_SEC, &delivered), 'a');
}

static void after_five_minutes_the_first_is_given_up_and_the_next_has_its_turn(void **state)
{
	_cleanup_(outbox_done) struct outbox o;
	uint64_t now = 1, due;
	int attempts = 0;
	outbox_init(&o, ROOM, GIVE_UP);
	put(&o, 'a', 10, 5);
	put(&o, 'b', 10, 1);
	for (; !o.lost[EXPORT_GIVEN_UP]; attempts++) {
		struct parcel *p = outbox_take(&o, now, &due);
		assert_non_null(p);
		assert_int_equal(p->body[0], 'a');
		outbox_answer(&o, p, &retry, now, MIDDLE);
		now = o.due_ns;
	}
	assert_int_equal(o.lost[EXPORT_GIVEN_UP], 5);
	assert_int_equal(attempts, 14); /* 1 + 2 + 4 + 8 + 16 s, then each 30 s */
	assert_int_equal(tried(&o, now, &delivered), 'b');
}

static void who_waits_for_the_end_gives_up_on_all_at_once(void **state)
{
	_cleanup_(outbox_done) struct outbox o;
	outbox_init(&o, ROOM, NSEC_PER_SEC / 2);
	o.for_good = true;
	put(&o, 'a', 10, 5);
	put(&o, 'b', 10, 6);
	assert_int_equal(tried(&o, 1, &retry), 'a');
	put(&o, 'c', 10, 7);
	assert_int_equal(o.lost[EXPORT_GIVEN_UP], 18);
	assert_int_equal(due_at(&o, 1), UINT64_MAX);
}

static void each_outcome_is_counted_as_what_it_is(void **state)
{
	static const struct {
		struct verdict_of_answer v;
		uint64_t sent;
		enum export_loss cause;
		uint64_t lost;
	} cases[] = {
		{ { .outcome = OUTCOME_DELIVERED }, 9, 0, 0 },
		{ { .outcome = OUTCOME_DELIVERED, .rejected = 4 }, 5, EXPORT_REJECTED, 4 },
		{ { .outcome = OUTCOME_DELIVERED, .rejected = 400 }, 0, EXPORT_REJECTED, 9 }, /* more than there were */
		{ { .outcome = OUTCOME_REFUSED }, 0, EXPORT_REFUSED, 9 },
		{ { .outcome = OUTCOME_NO_RECEIVER }, 0, EXPORT_NO_ANSWER, 9 },
		{ { .outcome = OUTCOME_NOT_TAKEN }, 0, 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(outbox_done) struct outbox o;
		outbox_init(&o, ROOM, GIVE_UP);
		put(&o, 'a', 10, 9);
		assert_int_equal(tried(&o, 1, &cases[i].v), 'a');
		assert_int_equal(o.sent, cases[i].sent);
		assert_int_equal(o.lost[cases[i].cause], cases[i].lost);
		assert_int_equal(outbox_lost(&o), cases[i].lost);
		assert_int_equal(o.first == NULL, true); /* nothing of it is tried again */
	}
}

static void a_receiver_without_such_a_signal_is_asked_once(void **state)
{
	_cleanup_(outbox_done) struct outbox o;
	struct verdict_of_answer none = { .outcome = OUTCOME_NOT_TAKEN };
	outbox_init(&o, ROOM, GIVE_UP);
	put(&o, 'a', 10, 1);
	assert_int_equal(tried(&o, 1, &none), 'a');
	put(&o, 'b', 10, 1);
	assert_int_equal(due_at(&o, 1), UINT64_MAX);
	assert_int_equal(outbox_lost(&o), 0);
}

static void at_the_end_all_is_tried_at_once_until_the_first_failure(void **state)
{
	_cleanup_(outbox_done) struct outbox o;
	outbox_init(&o, ROOM, GIVE_UP);
	for (char c = 'a'; c <= 'd'; c++)
		put(&o, c, 10, 1);
	assert_int_equal(tried(&o, 1, &retry), 'a');
	outbox_close(&o);
	assert_int_equal(tried(&o, 2, &delivered), 'a'); /* it does not wait for its turn */
	assert_int_equal(tried(&o, 2, &retry), 'b');
	assert_int_equal(due_at(&o, 2), UINT64_MAX);
	assert_int_equal(o.sent, 1);
	assert_int_equal(o.lost[EXPORT_AT_END], 3);
}

static void a_spool_gets_what_is_given_up_and_what_fills_more_than_half(void **state)
{
	_cleanup_(outbox_done) struct outbox o;
	outbox_init(&o, ROOM, GIVE_UP);
	o.keeps = true;
	put(&o, 'a', 400, 1);
	assert_null(outbox_spill(&o));
	put(&o, 'b', 400, 1);
	_cleanup_(free) struct parcel *first = outbox_spill(&o);
	assert_int_equal(first->body[0], 'a');
	assert_null(outbox_spill(&o));
	outbox_close(&o);
	assert_int_equal(tried(&o, 1, &retry), 'b');
	assert_int_equal(o.aside->body[0], 'b');
	assert_int_equal(outbox_lost(&o), 0);
}

static void what_lies_in_the_spool_is_not_lost_when_it_is_given_up(void **state)
{
	_cleanup_(outbox_done) struct outbox o;
	outbox_init(&o, ROOM, GIVE_UP);
	o.keeps = true;
	struct parcel *p = parcel_new("a", 1, 3);
	p->spooled = 7;
	outbox_put_first(&o, p);
	outbox_close(&o);
	assert_int_equal(tried(&o, 1, &retry), 'a');
	assert_null(o.aside);
	assert_int_equal(outbox_lost(&o), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parcels_go_in_the_order_in_which_they_came),
		cmocka_unit_test(what_finds_no_room_is_lost_and_what_waits_stays),
		cmocka_unit_test(waits_double_until_half_a_minute_and_all_wait_behind_the_first),
		cmocka_unit_test(jitter_is_between_half_and_one_and_a_half),
		cmocka_unit_test(a_receiver_that_wants_rest_gets_it),
		cmocka_unit_test(after_five_minutes_the_first_is_given_up_and_the_next_has_its_turn),
		cmocka_unit_test(who_waits_for_the_end_gives_up_on_all_at_once),
		cmocka_unit_test(each_outcome_is_counted_as_what_it_is),
		cmocka_unit_test(a_receiver_without_such_a_signal_is_asked_once),
		cmocka_unit_test(at_the_end_all_is_tried_at_once_until_the_first_failure),
		cmocka_unit_test(a_spool_gets_what_is_given_up_and_what_fills_more_than_half),
		cmocka_unit_test(what_lies_in_the_spool_is_not_lost_when_it_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
