/* privilege: what this process may do, as the kernel tells it, and whom to blame when it refuses something. */
#pragma once

#include <limits.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/reason.h"
#include "base/strbuf.h"

#define PRIVILEGE_UNKNOWN INT_MIN
#define CAP_BIT(cap) (1ull << (cap))

struct privilege {
	uid_t uid, euid;
	uint64_t caps;       /* effective, CAP_BIT(CAP_...) */
	uint64_t caps_known; /* all that this kernel has */
	bool user_namespace; /* not the first one: the capabilities count inside it only, and BPF asks for the first's */
	int seccomp;         /* 0 none, 1 strict, 2 a filter */
	int unprivileged_bpf_disabled, perf_event_paranoid, kptr_restrict; /* sysctls, or PRIVILEGE_UNKNOWN */
	char lockdown[32];   /* none, integrity, confidentiality; "" when it cannot be known: no securityfs */
	char lsms[160];      /* in use, comma separated, in the kernel's order; "" when it cannot be known */
};

void privilege_read(struct privilege *ret);

bool privilege_has(const struct privilege *p, int cap);
bool privilege_has_lsm(const struct privilege *p, const char *name);

const char *capability_name(int cap); /* "CAP_BPF"; NULL: none that we know */
/* The names of a set, joined by ", ". */
void capability_names(uint64_t caps, struct strbuf *out);

/*
 * Explains why @call (of the kernel's, "BPF_PROG_LOAD") failed with @r, for which @caps are needed (CAP_SYS_ADMIN stands
 * for CAP_BPF and CAP_PERFMON too). Returns @r.
 */
int privilege_blame(int r, const char *call, uint64_t caps, struct reason *why);
