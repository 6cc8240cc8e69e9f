/*
 * budget: what each BPF program may cost, as JSON: {"func_entry": {"calls": {"instructions": 3000, "stack_bytes": 200}}}.
 *
 * Programs by name, then the shapes in which they are loaded, then the figures of struct verdict. Ours lie beside each
 * family, src/probe/FAMILY/budget.json, and are part of the binary; `tools/budgets.py` writes them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "priv/verdict.h"

/* A figure that can have a budget: its name in JSON, and where it lies in struct verdict. */
struct budget_figure {
	const char *name;
	size_t offset;
};

extern const struct budget_figure budget_figures[]; /* ends with a NULL name */
uint64_t budget_figure_of(const struct verdict *v, const struct budget_figure *f);

struct budget;

/* Those of every family; with @path (NULL: none) a file whose budgets count more. -EINVAL, -ENOENT ... and @why: it cannot be used. */
int budget_new(struct budget **ret, const char *path, struct reason *why);
void budget_free(struct budget *b);
DEFINE_CLEANUP(struct budget *, budget_free)

/* What @f of a program may be in a shape; false: nobody says. */
bool budget_limit(const struct budget *b, const char *program, const char *shape, const struct budget_figure *f, uint64_t *ret);
/* Is there any figure for that program in that shape? */
bool budget_knows(const struct budget *b, const char *program, const char *shape);
