/* processes: the table of targets, from the moment that they are known until they end. */
#pragma once

#include "base/hashmap.h"
#include "probe/probe.h"

struct target_process {
	struct process process;
	uint64_t start_ns;       /* since boot, whole ticks, as proc_start_time() tells; 0: not known */
	uint64_t since_ns;       /* CLOCK_MONOTONIC: when it began; 0: it was there */
	bool told;               /* its name, as a fact */
	bool ended;              /* freed by the next sweep: whoever walks over the table may stand on it */
	struct target_process *next;
};

struct processes {
	struct hashmap by_pid;          /* of struct target_process */
	struct target_process *first;   /* all of them */
	uint32_t slots;                 /* handed out so far */
	size_t n;                       /* that have not ended */
};

void processes_done(struct processes *t);
struct target_process *processes_find(const struct processes *t, pid_t pid); /* not ended; NULL: no target */
/* The one that is there, or a new one. One that began at another time (@start_ns, 0: not known) is not the same. */
struct target_process *processes_add(struct processes *t, pid_t pid, uint64_t start_ns);
bool processes_same_start(uint64_t a_ns, uint64_t b_ns); /* to the tick that /proc tells; 0: not known, as good as the same */
bool processes_is_same(const struct target_process *p, uint64_t start_ns);
/* Reads name, executable and mappings anew. 1: the mappings have changed; -ESRCH: it ended meanwhile. */
int processes_refresh(struct target_process *p);
void processes_rename(struct target_process *p, const char *comm); /* it executed a file; its name is to be told anew */
void processes_end(struct processes *t, struct target_process *p);
void processes_sweep(struct processes *t); /* frees those that have ended */
pid_t processes_of_thread(pid_t tid); /* its process; @tid itself when that cannot be told */
