#include "priv/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/macro.h"

/* The number behind the last @word of the log: statistics stand at its end. */
static uint64_t number_after(const char *log, const char *word)
{
	const char *last = NULL;
	for (const char *at = log; (at = strstr(at, word)); at += strlen(word))
		last = at + strlen(word);
	char *end = NULL;
	uint64_t n = last ? strtoull(last, &end, 10) : 0;
	return last && end != last ? n : VERDICT_UNKNOWN;
}

/* "stack depth 88+0+64": of the program and of each of its subprograms; kernel/bpf/verifier.c, print_verification_stats(). */
static uint64_t stack_depth(const char *log)
{
	uint64_t own = number_after(log, "stack depth "), deepest = 0;
	const char *at = strstr(log, "stack depth ");
	while (at && (at = strpbrk(at, "+\n")) && *at == '+')
		deepest = MAX(deepest, strtoull(++at, NULL, 10));
	return own == VERDICT_UNKNOWN ? own : own + deepest;
}

void verdict_of_log(const char *log, struct verdict *ret)
{
	uint64_t usec = number_after(log, "verification time ");
	ret->instructions = number_after(log, "processed ");
	ret->total_states = number_after(log, "total_states ");
	ret->peak_states = number_after(log, "peak_states ");
	ret->stack_bytes = stack_depth(log);
	ret->verify_ns = usec == VERDICT_UNKNOWN ? usec : usec * NSEC_PER_USEC;
}

int verdict_read(const struct bpf_program *p, const char *log, struct verdict *ret, struct reason *why)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	const char *name = bpf_program__name(p);
	int r = bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len);
	if (r < 0)
		return reason_set(why, r, "the kernel does not tell what became of the program %s: %s", name, strerror(-r));
	verdict_of_log(log, ret);
	ret->program = name;
	ret->jited_bytes = info.jited_prog_len;
	ret->xlated_bytes = info.xlated_prog_len;
	if (info.verified_insns) /* 5.16 */
		ret->instructions = info.verified_insns;
	return 0;
}
