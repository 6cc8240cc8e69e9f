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
	struct hashmap counts;       /* arch<<32|nr → struct syscall_stat: of a recording's calls, for --stat */
};

/* stat.c: reads the kernel's counts, and tells them as records */
void syscall_tell_stat(struct engine *e);
/* counts.c: what counts are shown as; and the same counts made here, from the calls of a recording */
void syscall_show_stat(struct engine *e, const struct syscall_state *state, const struct syscall_stat_rec *rec);
void syscall_count_call(struct syscall_state *state, const struct syscall_rec *rec);
void syscall_show_counts(struct engine *e, struct syscall_state *state);
void syscall_counts_done(struct syscall_state *state);

/* Was the call of that number, on that architecture, asked for? A recording may hold more, and come from another machine. */
bool syscall_is_wanted(const struct syscall_state *state, uint8_t arch, uint32_t nr);
