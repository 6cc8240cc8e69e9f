#include "priv/link.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

/* union bpf_attr, BPF_LINK_CREATE with .uprobe_multi: include/uapi/linux/bpf.h, Linux 6.6 */
struct uprobe_multi_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, uprobe_flags, pid, pad;
};
_Static_assert(sizeof(struct uprobe_multi_attr) == 64, "layout");

/* ... with .kprobe_multi, Linux 5.18 */
struct kprobe_multi_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint32_t kprobe_flags, cnt;
	uint64_t syms, addrs, cookies;
};
_Static_assert(sizeof(struct kprobe_multi_attr) == 48, "layout");

#define UPROBE_MULTI_RETURN 1u /* BPF_F_UPROBE_MULTI_RETURN */
#define KPROBE_MULTI_RETURN 1u /* BPF_F_KPROBE_MULTI_RETURN */

static int create(const void *attr, unsigned size)
{
	int fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, attr, size);
	return fd < 0 ? -errno : fd;
}

int link_uprobe_multi(int prog_fd, enum link_attach_type type, const struct uprobe_multi *u)
{
	struct uprobe_multi_attr attr = {
		.prog_fd = (uint32_t)prog_fd,
		.attach_type = type,
		.path = (uintptr_t)u->path,
		.offsets = (uintptr_t)u->offsets,
		.ref_ctr_offsets = (uintptr_t)u->ref_counters,
		.cookies = (uintptr_t)u->cookies,
		.cnt = u->n,
		.uprobe_flags = u->at_return ? UPROBE_MULTI_RETURN : 0,
		.pid = (uint32_t)u->pid,
	};
	return create(&attr, sizeof(attr));
}

int link_kprobe_multi(int prog_fd, enum link_attach_type type, const struct kprobe_multi *k)
{
	struct kprobe_multi_attr attr = {
		.prog_fd = (uint32_t)prog_fd,
		.attach_type = type,
		.kprobe_flags = k->at_return ? KPROBE_MULTI_RETURN : 0,
		.cnt = k->n,
		.syms = (uintptr_t)k->names,
		.cookies = (uintptr_t)k->cookies,
	};
	return create(&attr, sizeof(attr));
}
