/* internal: what the user half of the family keeps. */
#pragma once

#include "base/hashmap.h"
#include "priv/attach.h"
#include "probe/families.h"
#include "probe/syscall/syscall.h"
#include "shape/where.h"

struct bpf_object;

struct syscall_state {
	struct bpf_object *object;
	struct links links;
	struct where *where;         /* NULL: none */
	bool wanted[SYSCALL_MAX_NR]; /* by number */
	struct hashmap seen;         /* tid → struct syscall_seen */
};

/* stat.c: emits the counts that were made in the kernel. */
void syscall_report_stat(struct engine *e);
