/*
 * held: a command that we start, kept still whenever new code of it must be probed before it runs.
 *
 * It runs under ptrace (PTRACE_SEIZE), as under strace, with all its children unless told not to follow: each stands
 * still after exec and after fork, and when the dynamic linker has mapped libraries (the kernel half then sends a SIGSTOP
 * that is caught here and never delivered), so no call is missed. If utrace dies the kernel lets them all go.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/reason.h"

struct held;

enum held_change { HELD_EXEC, HELD_FORK, HELD_MAP };

struct held_ops {
	/* The process stands still until this returns. @parent: who forked it, for HELD_FORK. */
	void (*changed)(void *arg, pid_t pid, enum held_change what);
};

/* Starts @argv, standing still before its first instruction. -ENOENT, -EACCES: it cannot be executed. */
int held_start(struct held **ret, char **argv, bool follow, const struct held_ops *ops, void *arg, struct reason *why);
void held_free(struct held *h); /* lets everything go */
DEFINE_CLEANUP(struct held *, held_free)

pid_t held_pid(const struct held *h);
bool held_has(const struct held *h, pid_t pid); /* is the process under our hand? */
void held_release(struct held *h);              /* lets the command begin */
/* Call on SIGCHLD: deals with all that stopped or ended. */
void held_dispatch(struct held *h);
bool held_ended(const struct held *h, int *ret_status); /* has the command itself ended? its wait status */
/* Passes a signal on to the command. */
void held_kill(struct held *h, int sig);
