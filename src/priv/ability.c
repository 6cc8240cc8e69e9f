#include "priv/ability.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "priv/ability_probes.h"

#define BPF ABILITY_BIT(ABILITY_BPF)
#define BTF ABILITY_BIT(ABILITY_BTF)
#define COOKIE ABILITY_BIT(ABILITY_COOKIE)

const struct ability abilities[ABILITIES] = {
	[ABILITY_BPF] = { "bpf", "BPF programs that trace", "4.1", "run as root, or grant these (above)",
			  .probe = ability_try_bpf },
	[ABILITY_BTF] = { "btf", "the kernel's types: structure fields by name", "5.4, CONFIG_DEBUG_INFO_BTF",
			  "served by a file: --btf FILE", .probe = ability_try_btf },
	[ABILITY_RINGBUF] = { "ringbuf", "one buffer of events for all CPUs", "5.8", "served by the perf buffer", BPF,
			      ability_try_ringbuf },
	[ABILITY_COOKIE] = { "cookie", "a probe knows its number", "5.15", "served by the path of the probe, or a program for each", BPF,
			     ability_try_cookie },
	[ABILITY_LOOP] = { "bpf_loop", "loops in kernel halves: long stacks, long texts", "5.17", "served by bounded loops, which take longer to load", BPF,
			   ability_try_loop },
	[ABILITY_TASK_STORAGE] = { "task_storage", "memory that belongs to a thread", "5.13", "served by a bounded hash table",
				   BPF | BTF, ability_try_task_storage },
	[ABILITY_UPROBE] = { "uprobe", "user functions, one by one", "4.17, CONFIG_UPROBE_EVENTS", "multi serves better",
			     BPF, ability_try_uprobe },
	[ABILITY_UPROBE_MULTI] = { "multi", "thousands of user functions by one link", "6.6",
				   "served by uprobe: few functions, slow to detach", BPF | COOKIE, ability_try_uprobe_multi },
	[ABILITY_UPROBE_SESSION] = { "session", "entry and return of user functions in one probe", "6.13", "served by multi",
				     BPF | ABILITY_BIT(ABILITY_UPROBE_MULTI), ability_try_uprobe_session },
	[ABILITY_USDT_SEMAPHORE] = { "semaphore", "USDT probes that are off until somebody watches", "4.20",
				     "those probes stay silent", BPF, ability_try_semaphore },
	[ABILITY_KPROBE] = { "kprobe", "kernel functions, one by one", "4.17, CONFIG_KPROBE_EVENTS",
			     "a kernel with CONFIG_KPROBES=y, or fentry", BPF, ability_try_kprobe },
	[ABILITY_KPROBE_MULTI] = { "kprobe_multi", "thousands of kernel functions by one link", "5.18, CONFIG_FPROBE",
				   "served by fentry or kprobe", BPF | COOKIE, ability_try_kprobe_multi },
	[ABILITY_KPROBE_SESSION] = { "kprobe_session", "entry and return of kernel functions in one probe", "6.10, CONFIG_FPROBE",
				     "served by kprobe_multi", BPF | ABILITY_BIT(ABILITY_KPROBE_MULTI),
				     ability_try_kprobe_session },
	[ABILITY_FENTRY] = { "fentry", "kernel functions by trampolines, cheap at each call", "5.5, BTF", "served by kprobe_multi or kprobe",
			     BPF | BTF, ability_try_fentry },
	[ABILITY_RAW_TRACEPOINT] = { "raw_tp", "system calls, and the lives of processes", "4.17", "nothing is traced without", BPF,
				     ability_try_raw_tracepoint },
	[ABILITY_BTF_TRACEPOINT] = { "tp_btf", "tracepoints with typed arguments", "5.5, BTF", "served by raw_tp", BPF | BTF,
				     ability_try_btf_tracepoint },
	[ABILITY_TRACEPOINT] = { "tracepoint", "tracepoints with their fields by name", "4.7, tracefs",
				 "run as root", BPF, ability_try_tracepoint },
	[ABILITY_LSM] = { "lsm", "security hooks that may refuse", "5.7, CONFIG_BPF_LSM", "boot with lsm=...,bpf where bpf is not in use", BPF | BTF,
			  ability_try_lsm },
	[ABILITY_TASK_ITER] = { "iter", "a list of all tasks from inside the kernel", "5.8, BTF", "served by /proc", BPF | BTF,
				ability_try_task_iter },
	[ABILITY_SOCK_STORAGE] = { "sk_storage", "memory that belongs to a socket", "5.11", "served by a bounded hash table", BPF | BTF,
				   ability_try_sock_storage },
	[ABILITY_SOCK_LENGTH] = { "sock_length", "what sockets send and receive; other calls are free", "6.3, BTF",
				  "served by raw_tp: every system call pays a little", BPF | BTF | ABILITY_BIT(ABILITY_SOCK_STORAGE), ability_try_sock_length },
	[ABILITY_UNIX_RELEASE] = { "unix_release", "the end of Unix sockets", "5.5, fentry", "told when the other end has read it",
				   BPF | BTF | ABILITY_BIT(ABILITY_FENTRY), ability_try_unix_release },
};

#undef BPF
#undef BTF
#undef COOKIE

/* What was found out: this belongs to the machine, not to a caller. */
static struct {
	bool tried;
	struct reason why; /* empty: it is here */
} found[ABILITIES];

/* Takes the next name of the list at *@at; false at its end. */
static bool next_name(const char **at, struct slice *ret_name)
{
	*at += strspn(*at, ", ");
	*ret_name = (struct slice){ *at, strcspn(*at, ", ") };
	*at += ret_name->len;
	return ret_name->len > 0;
}

static bool switched_off(enum ability_id id)
{
	const char *at = getenv("UTRACE_WITHOUT");
	struct slice name;
	while (at && next_name(&at, &name))
		if (slice_eq_str(name, abilities[id].name))
			return true;
	return false;
}

static void find_out(enum ability_id id)
{
	struct reason *why = &found[id].why;
	if (switched_off(id)) {
		reason_set(why, 0, "switched off by UTRACE_WITHOUT");
		return;
	}
	for (enum ability_id need = 0; need < ABILITIES; need++) {
		if ((abilities[id].needs & ABILITY_BIT(need)) && !ability_has(need)) {
			reason_set(why, 0, "needs %s", abilities[need].name);
			return;
		}
	}
	int r = abilities[id].probe(why);
	if (r < 0)
		reason_set(why, r, "%s", strerrorname_np(-r));
	else
		*why = (struct reason){};
}

/* Not written down in found[]: it holds for a while only. */
static uint32_t left_out;

void ability_leave_out(uint32_t bits)
{
	left_out = bits;
	for (enum ability_id id = 0; id < ABILITIES; id++) /* needs stand before what needs them */
		if (abilities[id].needs & left_out)
			left_out |= ABILITY_BIT(id);
}

const char *ability_why_not(enum ability_id id)
{
	if (left_out & ABILITY_BIT(id))
		return "left out";
	if (!found[id].tried) {
		find_out(id);
		found[id].tried = true;
	}
	return found[id].why.text;
}

bool ability_has(enum ability_id id)
{
	return !ability_why_not(id)[0];
}

static bool is_ability(struct slice name)
{
	for (enum ability_id id = 0; id < ABILITIES; id++)
		if (slice_eq_str(name, abilities[id].name))
			return true;
	return false;
}

int ability_check_without(struct reason *why)
{
	const char *at = getenv("UTRACE_WITHOUT");
	struct slice name;
	while (at && next_name(&at, &name)) {
		if (is_ability(name))
			continue;
		_cleanup_(strbuf_done) struct strbuf all = {};
		for (enum ability_id id = 0; id < ABILITIES; id++)
			strbuf_addf(&all, "%s%s", id ? ", " : "", abilities[id].name);
		return reason_set(why, -EINVAL, "UTRACE_WITHOUT: there is no ability '%.*s'; there are: %s", (int)name.len,
				  name.data, all.data);
	}
	return 0;
}
