/* pattern: what of a program is meant: [!][SPACE:][OBJECT:]GLOB, as interface.md defines it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/reason.h"
#include "config/options.h"

enum pattern_space { SPACE_USER, SPACE_KERNEL, SPACE_TRACEPOINT, SPACE_USDT };

struct pattern {
	const char *text;  /* as it was typed; borrowed */
	bool negated;
	enum pattern_space space;
	char *real_path;   /* of an object that is named by its path: where that leads here; NULL: nowhere, or no path */
	char *object;      /* library, binary, or path; NULL: the target's own executable. tracepoint: system. usdt: binary */
	char *provider;    /* usdt only */
	char *glob;
	size_t matched;    /* functions, over all files so far */
};

struct patterns {
	struct pattern *items;
	size_t n;
};

/* -EINVAL and @why: a space that does not exist, an empty name, nothing but what is taken away. */
int patterns_parse(struct patterns *ret, const struct text_list *texts, struct reason *why);
void patterns_done(struct patterns *p);

bool pattern_wants_file(const struct pattern *p, const char *path, bool is_executable);
/* The pattern that makes the function wanted, NULL when none does or one takes it away. @name, @linkage: both are tried. */
struct pattern *patterns_match(const struct patterns *p, enum pattern_space space, const char *path, bool is_executable,
			       const char *name, const char *linkage);
bool patterns_have(const struct patterns *p, enum pattern_space space);
/* Does some pattern want functions of this file at all? */
bool patterns_want_file(const struct patterns *p, enum pattern_space space, const char *path, bool is_executable);
