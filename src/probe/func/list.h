/* list: what `func` would probe, and how, without probing it. */
#pragma once

#include "base/reason.h"
#include "config/options.h"

struct func_listed {
	const char *space;      /* "u", "k", "t", "usdt" */
	const char *module;     /* binary, system or provider */
	const char *name;
	const char *file;       /* source; NULL: not known */
	unsigned line;
	const char *mechanism;  /* "session", "sites", "entry" ...; NULL: refused */
	const char *refused;    /* why it cannot be probed */
};

typedef void (*func_list_fn)(void *arg, const struct func_listed *row);

/*
 * Calls @fn for each match in the files of @pids (their executables and mapped libraries) and in the files named by
 * @paths. -ENOENT and @why: a pattern matches nothing (nearest names); -EINVAL: a wrong pattern.
 */
int func_list_matches(const struct options *o, const pid_t *pids, size_t n_pids, const char *const *paths, size_t n_paths, func_list_fn fn,
		      void *arg, struct reason *why);
