/*
 * held: a command that we start, kept still whenever new code of it must be probed before it runs.
 *
 * It runs under ptrace (PTRACE_SEIZE), as under strace, with all its children unless told not to follow: each stands
 * still after exec and after fork, and when the dynamic linker has mapped libraries (the kernel half then sends a signal
 * that is caught here and never delivered; see task_map), so no call is missed. If utrace dies the kernel lets them all go.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/reason.h"

struct held;

enum held_change { HELD_EXEC, HELD_EXEC_BY_THREAD, HELD_FORK, HELD_MAP, HELD_END };

struct held_ops {
	/* The process stands still until this returns; at HELD_END it is no more. */
	void (*changed)(void *arg, pid_t pid, enum held_change what);
	/* Was the signal that the thread is about to get sent by our kernel half? Asked once for each. */
	bool (*is_ours)(void *arg, pid_t tid);
};

struct held_command {
	char **argv;
	bool follow;               /* hold its children too */
	struct rlimit files;       /* the command begins with this limit of open files ... */
	sigset_t mask;             /* ... this mask ... */
	struct sigaction on_pipe;  /* ... and this way with SIGPIPE: as if its caller had executed it */
};

/* Starts the command, standing still before its first instruction. -ENOENT, -EACCES: it cannot be executed. */
int held_start(struct held **ret, const struct held_command *command, const struct held_ops *ops, void *arg, struct reason *why);
void held_free(struct held *h); /* lets everything go */
DEFINE_CLEANUP(struct held *, held_free)

pid_t held_pid(const struct held *h);
bool held_has(const struct held *h, pid_t pid); /* is the process under our hand? */
void held_release(struct held *h);              /* lets the command begin */
/* Call on SIGCHLD: deals with what stopped or ended. True: there may be more; look at other things, then call again. */
bool held_dispatch(struct held *h);
bool held_ended(const struct held *h, int *ret_status); /* has the command itself ended? its wait status */
/*
 * Have all of them ended, also those that have not been told of yet? A child is told of at its own first stop, which may be seen
 * after its parent's end.
 */
bool held_alone(const struct held *h);
bool held_stopped(const struct held *h);                /* is it stopped as a job (SIGTSTP, SIGSTOP)? */
/* Passes a signal on to the command. */
void held_kill(struct held *h, int sig);
