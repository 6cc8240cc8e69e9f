/* What verifiers of several kernels wrote for programs of ours, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macro.h"
#include "priv/verdict.h"

static const struct log_case {
	const char *name, *log;
	struct verdict want;
} cases[] = {
	{ "one program",
	  "verification time 266 usec\nstack depth 376\n"
	  "processed 247 insns (limit 1000000) max_states_per_insn 1 total_states 16 peak_states 16 mark_read 6\n",
	  { .instructions = 247, .total_states = 16, .peak_states = 16, .stack_bytes = 376, .verify_ns = 266000 } },
	{ "its largest subprogram counts",
	  "verification time 5 usec\nstack depth 88+16+104+0\nprocessed 9 insns (limit 1000000) max_states_per_insn 0 total_states 3 peak_states 2 mark_read 1\n",
	  { .instructions = 9, .total_states = 3, .peak_states = 2, .stack_bytes = 192, .verify_ns = 5000 } },
	{ "without time and mark_read",
	  "stack depth 0+0\nprocessed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0\n",
	  { .instructions = 2, .verify_ns = VERDICT_UNKNOWN } },
	{ "the last line counts, not what a message says",
	  "processed 7 of them\nverification time 1 usec\nstack depth 8\n"
	  "processed 11 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 1",
	  { .instructions = 11, .total_states = 1, .peak_states = 1, .stack_bytes = 8, .verify_ns = 1000 } },
	{ "nothing", "",
	  { .instructions = VERDICT_UNKNOWN, .total_states = VERDICT_UNKNOWN, .peak_states = VERDICT_UNKNOWN, .stack_bytes = VERDICT_UNKNOWN, .verify_ns = VERDICT_UNKNOWN } },
	{ "words without numbers", "stack depth none\nprocessed few insns",
	  { .instructions = VERDICT_UNKNOWN, .total_states = VERDICT_UNKNOWN, .peak_states = VERDICT_UNKNOWN, .stack_bytes = VERDICT_UNKNOWN, .verify_ns = VERDICT_UNKNOWN } },
};

static void logs_of_the_verifier_are_read(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct verdict got = {};
		verdict_of_log(cases[i].log, &got);
		print_message("# %s\n", cases[i].name);
		assert_int_equal(got.instructions, cases[i].want.instructions);
		assert_int_equal(got.total_states, cases[i].want.total_states);
		assert_int_equal(got.peak_states, cases[i].want.peak_states);
		assert_int_equal(got.stack_bytes, cases[i].want.stack_bytes);
		assert_int_equal(got.verify_ns, cases[i].want.verify_ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(logs_of_the_verifier_are_read) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
