/* resolve: which functions of a file the patterns want. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "probe/func/internal.h"

/* Names outlive what was read of the file. */
static const char *keep(struct binary *b, const char *name)
{
	return arena_strndup(&b->names, name, strlen(name));
}

static struct func_target plan_target(struct binary *b, const struct elf_func *f, const char *name)
{
	struct func_target t = { .func = *f, .name = keep(b, name) };
	t.func.linkage_name = streq(name, f->linkage_name) ? t.name : keep(b, f->linkage_name);
	t.refused = site_entry(elf_bytes(b->elf, f->offset, MIN(f->size ? f->size : 32, 4096ul)), &t.entry);
	return t;
}

int binary_resolve(struct binary *b, struct patterns *patterns, struct reason *why)
{
	const struct elf_func *funcs;
	size_t n, cap = 0;
	if (b->resolved || !b->elf)
		return 0;
	b->resolved = true;
	int r = elf_functions(b->elf, &funcs, &n, why);
	if (r < 0)
		return r;
	uint64_t last = UINT64_MAX; /* several names of one address: the first that is wanted is probed */
	for (size_t i = 0; i < n; i++) {
		const struct elf_func *f = &funcs[i];
		if (f->ifunc || f->offset == last)
			continue;
		_cleanup_(free) char *demangled = elf_func_demangled(b->elf, f);
		const char *name = demangled ? demangled : f->linkage_name;
		struct pattern *p = patterns_match(patterns, SPACE_USER, b->path, b->is_executable, name, f->linkage_name);
		if (!p || f->fragment)
			continue;
		last = f->offset;
		p->matched++;
		GROW(b->targets, b->n_targets, cap);
		b->targets[b->n_targets++] = plan_target(b, f, name);
		if (b->n_targets % TARGETS_A_COPY == 0)
			elf_forget_bytes(b->elf);
	}
	elf_forget(b->elf);
	alloc_trim();
	return 0;
}
