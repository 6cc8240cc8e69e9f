/*
 * verdict: what the kernel's verifier and its compiler made of one BPF program.
 *
 * Most of it is in the log that the verifier writes when it is asked for its statistics (BPF_LOG_STATS, 5.2), the rest in
 * what the kernel tells of a loaded program (struct bpf_prog_info).
 */
#pragma once

#include <stdint.h>

#include "base/reason.h"

#define VERDICT_UNKNOWN UINT64_MAX /* this kernel does not tell */

struct verdict {
	const char *object, *program; /* names: "func", "func_entry"; the loader's */
	uint64_t instructions;  /* processed: of the program itself once for each path that the verifier followed */
	uint64_t total_states, peak_states; /* that it kept, to see that a path joins another */
	uint64_t stack_bytes;   /* of the program, and the largest of its subprograms */
	uint64_t jited_bytes;   /* machine code; 0: the kernel interprets it, or hides it */
	uint64_t xlated_bytes;  /* BPF code as it is run: 8 an instruction */
	uint64_t verify_ns;
};

struct bpf_program;

/* Reads the statistics in a verifier's @log; what is not there becomes VERDICT_UNKNOWN. */
void verdict_of_log(const char *log, struct verdict *ret);
/* What became of a loaded program, whose verifier wrote @log. -errno and @why: the kernel does not tell. */
int verdict_read(const struct bpf_program *p, const char *log, struct verdict *ret, struct reason *why);
