/*
 * rehearse: the programs of this family for `utrace verify`: in each shape that makes another program of the one source, and
 * with the copies that attach loads for single probes. Histograms come with the counts.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "priv/ability.h"
#include "probe/func/internal.h"

DEFINE_CLEANUP(struct btf *, btf__free)

#define WHERE "--where=arg1>4k&&(ret!=0||duration>1ms)&&uid==0&&pid!=1"
const struct probe_shape func_shapes[] = {
	{ "calls", "*", ABILITY_BIT(ABILITY_UPROBE) },
	{ "entries", "--exits=none *", ABILITY_BIT(ABILITY_UPROBE) },
	{ "values", "libc:*", ABILITY_BIT(ABILITY_UPROBE) },
	{ "filtered", "--min=1ms --depth=3 --sample=1/100 " WHERE " libc:*", ABILITY_BIT(ABILITY_UPROBE) },
	{ "stat", "--stat *", ABILITY_BIT(ABILITY_UPROBE) },
	{ "stat-where", "--stat " WHERE " *", ABILITY_BIT(ABILITY_UPROBE) },
	{ "count", "--stat --exits=none *", ABILITY_BIT(ABILITY_UPROBE) },
	{ "multi", "libc:*", ABILITY_BIT(ABILITY_UPROBE_MULTI), ABILITY_BIT(ABILITY_UPROBE_SESSION) },
	{ "uprobe", "libc:*", ABILITY_BIT(ABILITY_UPROBE), ABILITY_BIT(ABILITY_UPROBE_MULTI) },
	{ "no-loop", WHERE " libc:*", ABILITY_BIT(ABILITY_UPROBE), ABILITY_BIT(ABILITY_LOOP) | ABILITY_BIT(ABILITY_UPROBE_MULTI) },
	{ "no-cookie", WHERE " libc:*", ABILITY_BIT(ABILITY_UPROBE), ABILITY_BIT(ABILITY_COOKIE) | ABILITY_BIT(ABILITY_LOOP) },
	{ "usdt", "usdt:*:*", ABILITY_BIT(ABILITY_UPROBE) },
	{ "tracepoint", "t:sched:sched_switch", ABILITY_BIT(ABILITY_TRACEPOINT) },
	{ "kprobe-session", "k:vfs_read", ABILITY_BIT(ABILITY_KPROBE_SESSION) },
	{ "kprobe-multi", "k:vfs_read", ABILITY_BIT(ABILITY_KPROBE_MULTI), ABILITY_BIT(ABILITY_KPROBE_SESSION) },
	{ "fentry", "k:vfs_read", ABILITY_BIT(ABILITY_FENTRY), ABILITY_BIT(ABILITY_KPROBE_MULTI) },
	{ "kprobe", "k:vfs_read", ABILITY_BIT(ABILITY_KPROBE), ABILITY_BIT(ABILITY_KPROBE_MULTI) | ABILITY_BIT(ABILITY_FENTRY) },
	{},
};

static int rehearse_trampoline(struct engine *e, const struct func_state *s, struct reason *why)
{
	static const char *const programs[] = { "func_fentry", "func_fexit", NULL };
	_cleanup_(btf__free) struct btf *kernel = btf__load_vmlinux_btf();
	struct bpf_object *copy;
	struct trampoline t;
	if (!kernel)
		return reason_set(why, -errno, "the kernel's types cannot be read: %s", strerror(errno));
	int r = func_describe_trampoline(kernel, s->kernel.names[0], &t, why);
	return r == 0 ? func_copy(e, s, 0, programs, &t, &copy, why) : r;
}

int func_rehearse(struct engine *e, void *state, struct reason *why)
{
	static const char *const kprobes[] = { "func_kernel_entry", "func_kernel_exit", NULL }, *const tracepoint[] = { "func_tracepoint", NULL };
	const struct func_state *s = state;
	bool cookie = ability_has(ABILITY_COOKIE), kernel = s->kernel.n > 0;
	struct bpf_object *copy;
	int r = 0;
	if (kernel && s->kernel_mechanism == KERNEL_FUNCTIONS_FENTRY)
		r = rehearse_trampoline(e, s, why);
	else if (kernel && !cookie)
		r = func_copy(e, s, 0, kprobes, NULL, &copy, why);
	if (r == 0 && !cookie && patterns_have(&s->patterns, SPACE_TRACEPOINT))
		r = func_copy(e, s, 0, tracepoint, NULL, &copy, why);
	return r;
}
