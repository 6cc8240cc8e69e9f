/* kernel: kernel functions, by one multi link, by kprobes, or by trampolines. Tasks that are no targets are left out in the kernel. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "priv/ability.h"
#include "priv/kernelfs.h"
#include "priv/loader.h"
#include "priv/tracefs.h"
#include "probe/func/internal.h"
#include "sym/kallsyms.h"

DEFINE_CLEANUP(struct btf *, btf__free)

/* "name [module]" a line: what ftrace can reach, which is what a multi link and a trampoline can. NULL: not known. */
static char *traceable_functions(void)
{
	_cleanup_(fd_close) int fd = tracefs_open(NULL);
	char *text = NULL;
	return fd >= 0 && kernelfs_read(fd, "available_filter_functions", &text) == 0 ? text : NULL;
}

static void add_name(struct kernel_targets *k, const char *name)
{
	for (size_t i = k->n; i-- > 0 && k->n - i < 4;)
		if (streq(k->names[i], name))
			return; /* static functions of one name: the kernel would refuse the list */
	GROW(k->names, k->n, k->cap);
	k->names[k->n++] = xstrdup(name);
}

static void match(struct func_state *s, const char *name, struct nearest near[])
{
	struct pattern *p = patterns_match(&s->patterns, SPACE_KERNEL, NULL, false, name, name);
	for (size_t i = 0; i < s->patterns.n; i++)
		if (s->patterns.items[i].space == SPACE_KERNEL)
			nearest_offer(&near[i], name);
	if (!p)
		return;
	p->matched++;
	add_name(&s->kernel, name);
}

static void match_traceable(struct func_state *s, char *text, struct nearest near[])
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		line[strcspn(line, " \t")] = '\0';
		match(s, line, near);
	}
}

static int match_kallsyms(struct func_state *s, struct nearest near[], struct reason *why)
{
	_cleanup_(kallsyms_free) struct kallsyms *k = NULL;
	const struct kernel_func *funcs;
	int r = kallsyms_new(&k, why);
	size_t n = r < 0 ? 0 : kallsyms_functions(k, &funcs);
	for (size_t i = 0; i < n; i++)
		match(s, funcs[i].name, near);
	return r;
}

static int every_pattern_matched(const struct func_state *s, const struct nearest near[], struct reason *why)
{
	char text[256];
	for (size_t i = 0; i < s->patterns.n; i++) {
		const struct pattern *p = &s->patterns.items[i];
		if (p->space == SPACE_KERNEL && !p->negated && !p->matched) {
			nearest_text(&near[i], text, sizeof(text));
			return reason_set(why, -ENOENT, "no function of the kernel matches '%s'%s%s (list them: utrace func -l 'k:*')", p->glob,
					  text[0] ? "; " : "", text);
		}
	}
	return 0;
}

int func_count_kernel(struct func_state *s, size_t *ret_n, struct reason *why)
{
	*ret_n = s->kernel.n;
	if (!patterns_have(&s->patterns, SPACE_KERNEL) || s->kernel.n)
		return 0;
	if (s->kernel_mechanism == KERNEL_FUNCTIONS_NONE)
		return reason_set(why, -ENOTSUP, "kernel functions need kprobes or fentry; this kernel lets us have neither. User functions work; "
				  "see: utrace doctor");
	_cleanup_(free) struct nearest *near = xcalloc(s->patterns.n, sizeof(*near));
	for (size_t i = 0; i < s->patterns.n; i++)
		near[i].want = s->patterns.items[i].glob;
	_cleanup_(free) char *traceable = s->kernel_mechanism == KERNEL_FUNCTIONS_KPROBE ? NULL : traceable_functions();
	int r = 0;
	if (traceable)
		match_traceable(s, traceable, near);
	else
		r = match_kallsyms(s, near, why);
	if (r == 0)
		r = every_pattern_matched(s, near, why);
	bool one_by_one = s->kernel_mechanism == KERNEL_FUNCTIONS_KPROBE || s->kernel_mechanism == KERNEL_FUNCTIONS_FENTRY;
	if (r == 0 && one_by_one && s->kernel.n > ONE_BY_ONE_MAX)
		return reason_set(why, -E2BIG, "%zu kernel functions match; this kernel attaches them one by one, at most %d", s->kernel.n, ONE_BY_ONE_MAX);
	*ret_n = s->kernel.n;
	return r;
}

static uint64_t kernel_cookie(struct engine *e, struct func_state *s, const char *name)
{
	struct func_info info = { .kind = PROBE_KERNEL_FUNCTION, .name = name, .module = "kernel" };
	return COOKIE(func_probe_add(e, s, &info, NULL), FUNC_COST_SLOTS - 1, 0);
}

/* One link for all; where the kernel refuses a name the list is halved until the refused ones stand alone. */
static void attach_list(struct func_state *s, enum attach_kind kind, char **names, const uint64_t *cookies, size_t n, size_t *ret_refused)
{
	static const char *const programs[] = {
		[ATTACH_ENTRY] = "func_kernel_entry", [ATTACH_RETURN] = "func_kernel_exit", [ATTACH_SESSION] = "func_kernel_session",
	};
	int program = func_program(s, programs[kind]);
	int r = attach_kprobes_multi(&s->links, program, kind, (const char *const *)names, cookies, n, NULL);
	if (r == 0 || n == 1) {
		*ret_refused += r < 0;
		return;
	}
	attach_list(s, kind, names, cookies, n / 2, ret_refused);
	attach_list(s, kind, names + n / 2, cookies + n / 2, n - n / 2, ret_refused);
}

static int attach_by_link(struct engine *e, struct func_state *s, const uint64_t *cookies, struct reason *why)
{
	bool session = s->kernel_mechanism == KERNEL_FUNCTIONS_KPROBE_SESSION && s->exits != EXITS_NONE;
	size_t refused = 0;
	if (!session && s->exits != EXITS_NONE)
		attach_list(s, ATTACH_RETURN, s->kernel.names, cookies, s->kernel.n, &refused);
	refused = 0;
	attach_list(s, session ? ATTACH_SESSION : ATTACH_ENTRY, s->kernel.names, cookies, s->kernel.n, &refused);
	if (refused == s->kernel.n)
		return reason_set(why, -ENOTSUP, "the kernel lets none of these functions be probed (%s ...)", s->kernel.names[0]);
	if (refused)
		engine_note(e, "the kernel refused %zu of %zu kernel functions", refused, s->kernel.n);
	return 0;
}

/* @cookie: for both; where the kernel has no cookies, @o is a copy that knows it. */
static int attach_kprobes(struct func_state *s, const struct bpf_object *o, const char *name, uint64_t cookie, struct reason *why)
{
	int r = 0;
	if (s->exits != EXITS_NONE)
		r = attach_kprobe(&s->links, func_program_of(o, "func_kernel_exit"), name, cookie, true, why);
	return r == 0 ? attach_kprobe(&s->links, func_program_of(o, "func_kernel_entry"), name, cookie, false, why) : r;
}

static int attach_each_kprobe(struct engine *e, struct func_state *s, const uint64_t *cookies, struct reason *why)
{
	static const char *const programs[] = { "func_kernel_entry", "func_kernel_exit", NULL };
	struct bpf_object *o = s->object;
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->kernel.n; i++) {
		if (!ability_has(ABILITY_COOKIE))
			r = func_copy(e, s, cookies[i], programs, NULL, &o, why);
		if (r == 0)
			r = attach_kprobes(s, o, s->kernel.names[i], cookies[i], why);
	}
	return r;
}

/* How many words @proto's arguments take: a structure of 16 bytes takes two. */
static uint32_t count_argument_words(const struct btf *kernel, const struct btf_type *proto)
{
	uint32_t words = 0;
	for (int i = 0; i < btf_vlen(proto); i++) {
		int64_t bytes = btf__resolve_size(kernel, btf_params(proto)[i].type);
		words += bytes > 8 ? 2 : 1;
	}
	return words;
}

int func_describe_trampoline(const struct btf *kernel, const char *name, struct trampoline *ret, struct reason *why)
{
	int id = btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC);
	if (id < 0)
		return reason_set(why, id, "the kernel's types do not have the function %s", name);
	const struct btf_type *proto = btf__type_by_id(kernel, btf__type_by_id(kernel, (uint32_t)id)->type);
	*ret = (struct trampoline){ .function = name, .argument_words = count_argument_words(kernel, proto), .has_result = proto->type != 0 };
	return 0;
}

static int attach_trampoline(struct engine *e, struct func_state *s, const struct trampoline *t, uint64_t cookie, struct reason *why)
{
	static const char *const both[] = { "func_fentry", "func_fexit", NULL }, *const entry[] = { "func_fentry", NULL };
	struct bpf_object *copy;
	bool exits = s->exits != EXITS_NONE;
	int r = func_copy(e, s, cookie, exits ? both : entry, t, &copy, why);
	if (r == 0 && exits)
		r = attach_loaded(&s->links, func_program_of(copy, "func_fexit"), BPF_TRACE_FEXIT, 0, why);
	return r == 0 ? attach_loaded(&s->links, func_program_of(copy, "func_fentry"), BPF_TRACE_FENTRY, 0, why) : r;
}

static int attach_trampolines(struct engine *e, struct func_state *s, const uint64_t *cookies, struct reason *why)
{
	_cleanup_(btf__free) struct btf *kernel = btf__load_vmlinux_btf();
	if (!kernel)
		return reason_set(why, -errno, "the kernel's types cannot be read: %s", strerror(errno));
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->kernel.n; i++) {
		struct trampoline t;
		r = func_describe_trampoline(kernel, s->kernel.names[i], &t, why);
		if (r == 0)
			r = attach_trampoline(e, s, &t, cookies[i], why);
	}
	return r;
}

int func_attach_kernel(struct engine *e, struct func_state *s, struct reason *why)
{
	if (s->kernel.n == 0)
		return 0;
	_cleanup_(free) uint64_t *cookies = xcalloc(s->kernel.n, sizeof(*cookies));
	for (size_t i = 0; i < s->kernel.n; i++)
		cookies[i] = kernel_cookie(e, s, s->kernel.names[i]);
	s->attached += s->kernel.n;
	switch (s->kernel_mechanism) {
	case KERNEL_FUNCTIONS_KPROBE_MULTI:
	case KERNEL_FUNCTIONS_KPROBE_SESSION:
		return attach_by_link(e, s, cookies, why);
	case KERNEL_FUNCTIONS_FENTRY:
		return attach_trampolines(e, s, cookies, why);
	default:
		return attach_each_kprobe(e, s, cookies, why);
	}
}
