/* targets: which processes the options mean. Kinds are joined by AND, values of one kind by OR. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/reason.h"
#include "config/options.h"
#include "probe/task/task.abi.h"

struct targets {
	const struct options *options;
	struct task_criteria criteria; /* what the kernel half asks of a process that executes a file */
	int cgroup_fds[CRITERIA_MAX];
	char *cgroups[CRITERIA_MAX];   /* their paths from the root of the hierarchy, as /proc/PID/cgroup tells; "": the root */
	bool picks_up; /* processes that appear later can match */
	bool by_kind;  /* something other than --all and -p was given */
};

/* Resolves users, namespaces and cgroups. -EINVAL or -ENOENT and @why: the option that is wrong. */
int targets_init(struct targets *t, const struct options *o, struct reason *why);
void targets_done(struct targets *t);
DEFINE_CLEANUP_IN_PLACE(struct targets, targets_done)

/*
 * Does the process match everything that was asked? A process that ended meanwhile does not. @comm: its name, when a fact tells
 * that it may match from now on; NULL: it has been found by looking.
 */
bool targets_match(const struct targets *t, pid_t pid, const char *comm);
