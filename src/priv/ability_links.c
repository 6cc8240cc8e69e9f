/*
 * Detaching waits for the kernel's grace periods: 28 ms a uprobe link, 0.1 s a perf_event probe or tracepoint (6.18).
 * So where a request can be made that goes through all of the kernel's checks but the last, "is there such a file, or
 * such a function", its refusal is the proof: nothing gets attached. What detaches at once (raw and typed tracepoints,
 * iterators, trampolines) is attached for microseconds to something that is rare, with a program that only returns.
 */
#include "priv/ability_probes.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "priv/kernelfs.h"
#include "priv/link.h"
#include "priv/privilege.h"
#include "priv/tracefs.h"

#define CAPS_OF_LINKS (CAP_BIT(CAP_BPF) | CAP_BIT(CAP_PERFMON))
#define NO_SUCH_FUNCTION "utrace_asks_whether_this_could_be_probed"
#define RARE_TRACEPOINT "sched_process_exec"

static int perf_event(const struct perf_event_attr *attr)
{
	int fd = (int)syscall(SYS_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The number of a perf event source that is no constant. Documentation/ABI/testing/sysfs-bus-event_source-devices */
static int source_type(const char *name, const char *config, uint32_t *ret, struct reason *why)
{
	_cleanup_(free) char *text = NULL;
	_cleanup_(free) char *path = xasprintf("/sys/bus/event_source/devices/%s/type", name);
	int r = kernelfs_read(AT_FDCWD, path, &text);
	if (r < 0 && access("/sys/bus/event_source/devices", F_OK) < 0)
		return reason_set(why, r, "no /sys/bus/event_source/devices: is sysfs mounted?");
	if (r < 0)
		return reason_set(why, r, "no %s: this kernel was built without %s", path, config);
	*ret = (uint32_t)strtoul(text, NULL, 10);
	return 0;
}

/* @r is what came of a request that can only be refused, at best with @proof. */
static int refused_with(int r, int proof, const char *call, uint64_t caps, struct reason *why)
{
	if (r == proof)
		return 0;
	if (r < 0)
		return privilege_blame(r, call, caps, why);
	close(r);
	return reason_set(why, -EINVAL, "%s took what it should refuse", call);
}

int ability_try_uprobe(struct reason *why)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .config1 = (uintptr_t) "/" };
	int r = source_type("uprobe", "CONFIG_UPROBE_EVENTS", &attr.type, why);
	if (r < 0)
		return r;
	/* CAP_PERFMON was enough once; 6.18 asks for CAP_SYS_ADMIN. "/" is not a file: EINVAL. */
	return refused_with(perf_event(&attr), -EINVAL, "perf_event_open", CAP_BIT(CAP_SYS_ADMIN), why);
}

static int try_uprobe_link(enum link_attach_type type, pid_t pid, int proof, struct reason *why)
{
	static const uint64_t offset = 0;
	struct uprobe_multi u = { .path = "/", .offsets = &offset, .n = 1, .pid = pid };
	_cleanup_(fd_close) int prog = ability_load_nothing(BPF_PROG_TYPE_KPROBE, type, 0, why);
	if (prog < 0)
		return prog;
	return refused_with(link_uprobe_multi(prog, type, &u), proof, "BPF_LINK_CREATE", CAPS_OF_LINKS, why);
}

int ability_try_uprobe_multi(struct reason *why)
{
	int r = try_uprobe_link(LINK_UPROBE_MULTI, getpid(), -EBADF, why);
	if (r < 0)
		return r;
	/* The first kernels took the pid for a thread's, and missed all others. Since then a bad pid is EINVAL, before "/" is EBADF. */
	struct reason ignored = {};
	if (try_uprobe_link(LINK_UPROBE_MULTI, -1, -EINVAL, &ignored) < 0)
		return reason_set(why, -EOPNOTSUPP, "this kernel's filter by process sees the main thread only (fixed in 6.10)");
	return 0;
}

int ability_try_uprobe_session(struct reason *why)
{
	return try_uprobe_link(LINK_UPROBE_SESSION, getpid(), -EBADF, why);
}

int ability_try_semaphore(struct reason *why)
{
	static const char path[] = "/sys/bus/event_source/devices/uprobe/format/ref_ctr_offset";
	return access(path, F_OK) < 0 ? reason_set(why, -errno, "no %s", path) : 0;
}

int ability_try_kprobe(struct reason *why)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .config1 = (uintptr_t)NO_SUCH_FUNCTION };
	int r = source_type("kprobe", "CONFIG_KPROBE_EVENTS", &attr.type, why);
	if (r < 0)
		return r;
	return refused_with(perf_event(&attr), -ENOENT, "perf_event_open", CAP_BIT(CAP_PERFMON), why);
}

static int try_kprobe_link(enum link_attach_type type, struct reason *why)
{
	static const char *const names[] = { NO_SUCH_FUNCTION };
	struct kprobe_multi k = { .names = names, .n = 1 };
	_cleanup_(fd_close) int prog = ability_load_nothing(BPF_PROG_TYPE_KPROBE, type, 0, why);
	if (prog < 0)
		return prog;
	return refused_with(link_kprobe_multi(prog, type, &k), -ESRCH, "BPF_LINK_CREATE", CAPS_OF_LINKS, why);
}

int ability_try_kprobe_multi(struct reason *why)
{
	return try_kprobe_link(LINK_KPROBE_MULTI, why);
}

int ability_try_kprobe_session(struct reason *why)
{
	return try_kprobe_link(LINK_KPROBE_SESSION, why);
}

/* perf_event tracepoints: the id from tracefs, a program for it, and perf_event_open for our own thread at all. */
int ability_try_tracepoint(struct reason *why)
{
	_cleanup_(tracefs_format_done) struct tracefs_format f = {};
	_cleanup_(fd_close) int tracefs = tracefs_open(why);
	if (tracefs < 0)
		return tracefs;
	int r = tracefs_format(tracefs, "sched", RARE_TRACEPOINT, &f, why);
	if (r < 0)
		return r;
	_cleanup_(fd_close) int prog = ability_load_nothing(BPF_PROG_TYPE_TRACEPOINT, 0, 0, why);
	if (prog < 0)
		return prog;
	struct perf_event_attr attr = { .size = sizeof(attr), .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY };
	_cleanup_(fd_close) int event = perf_event(&attr);
	return event < 0 ? privilege_blame(event, "perf_event_open", CAP_BIT(CAP_PERFMON), why) : 0;
}

/* What is attached to by its id in the kernel's BTF. */
enum kernel_type { TYPE_FUNCTION, TYPE_TRACEPOINT, TYPE_LSM_HOOK, TYPE_ITERATOR, TYPE_SOCK_LENGTH, TYPE_UNIX_RELEASE, KERNEL_TYPES };

static const struct {
	const char *name;
	int kind;
} kernel_types[KERNEL_TYPES] = {
	[TYPE_FUNCTION] = { "ksys_sync", BTF_KIND_FUNC },
	[TYPE_TRACEPOINT] = { "btf_trace_" RARE_TRACEPOINT, BTF_KIND_TYPEDEF },
	[TYPE_LSM_HOOK] = { "bpf_lsm_sb_pivotroot", BTF_KIND_FUNC },
	[TYPE_ITERATOR] = { "bpf_iter_task", BTF_KIND_FUNC },
	[TYPE_SOCK_LENGTH] = { "btf_trace_sock_recv_length", BTF_KIND_TYPEDEF },
	[TYPE_UNIX_RELEASE] = { "unix_release", BTF_KIND_FUNC },
};

/* The id of one, or -errno. All are looked up at the first call: reading the kernel's BTF takes 10 ms. */
static int kernel_type_id(enum kernel_type which)
{
	static int ids[KERNEL_TYPES];
	if (ids[0] == 0) {
		struct btf *btf = btf__parse_raw("/sys/kernel/btf/vmlinux");
		int error = btf ? 0 : -errno;
		for (size_t i = 0; i < KERNEL_TYPES; i++)
			ids[i] = error ? error : btf__find_by_name_kind(btf, kernel_types[i].name, (__u32)kernel_types[i].kind);
		btf__free(btf);
	}
	return ids[which];
}

static int load_for(int type, int attach_type, enum kernel_type which, struct reason *why)
{
	int id = kernel_type_id(which);
	if (id < 0)
		return reason_set(why, id, "no %s in the kernel's BTF", kernel_types[which].name);
	return ability_load_nothing(type, attach_type, (unsigned)id, why);
}

static int attach_and_detach(int prog, const char *raw_tracepoint, struct reason *why)
{
	if (prog < 0)
		return prog;
	_cleanup_(fd_close) int link = bpf_raw_tracepoint_open(raw_tracepoint, prog);
	return link < 0 ? privilege_blame(-errno, "BPF_RAW_TRACEPOINT_OPEN", CAPS_OF_LINKS, why) : 0;
}

int ability_try_raw_tracepoint(struct reason *why)
{
	_cleanup_(fd_close) int prog = ability_load_nothing(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, why);
	return attach_and_detach(prog, RARE_TRACEPOINT, why);
}

int ability_try_btf_tracepoint(struct reason *why)
{
	_cleanup_(fd_close) int prog = load_for(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, TYPE_TRACEPOINT, why);
	return attach_and_detach(prog, NULL, why);
}

int ability_try_fentry(struct reason *why)
{
	_cleanup_(fd_close) int prog = load_for(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, TYPE_FUNCTION, why);
	return attach_and_detach(prog, NULL, why);
}

int ability_try_lsm(struct reason *why)
{
	struct privilege p;
	privilege_read(&p);
	/* The programs of an LSM that is not in use attach, and are never called. */
	if (p.lsms[0] && !privilege_has_lsm(&p, "bpf"))
		return reason_set(why, -EOPNOTSUPP, "bpf is not among the security modules in use (%s)", p.lsms);
	_cleanup_(fd_close) int prog = load_for(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, TYPE_LSM_HOOK, why);
	return attach_and_detach(prog, NULL, why);
}

int ability_try_task_iter(struct reason *why)
{
	_cleanup_(fd_close) int prog = load_for(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, TYPE_ITERATOR, why);
	if (prog < 0)
		return prog;
	_cleanup_(fd_close) int link = bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL);
	return link < 0 ? privilege_blame(-errno, "BPF_LINK_CREATE", CAPS_OF_LINKS, why) : 0;
}

/* Loaded and not attached: what fires so often is left alone. */
int ability_try_sock_length(struct reason *why)
{
	_cleanup_(fd_close) int prog = load_for(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, TYPE_SOCK_LENGTH, why);
	return MIN(prog, 0);
}

int ability_try_unix_release(struct reason *why)
{
	_cleanup_(fd_close) int prog = load_for(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, TYPE_UNIX_RELEASE, why);
	return MIN(prog, 0);
}
