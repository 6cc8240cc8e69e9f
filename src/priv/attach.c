#include "priv/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "base/alloc.h"
#include "bpf/cookie.abi.h"
#include "priv/ability.h"
#include "priv/link.h"

void links_add(struct links *l, int fd)
{
	GROW(l->fds, l->n, l->cap);
	l->fds[l->n++] = fd;
}

void links_done(struct links *l)
{
	for (size_t i = 0; i < l->n; i++)
		close(l->fds[i]);
	free(l->fds);
	*l = (struct links){};
}

static int attach_multi(struct links *l, const struct uprobe_request *q)
{
	char path[40];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", q->file_fd);
	struct uprobe_multi u = {
		.path = path, .offsets = q->offsets, .ref_counters = q->semaphores, .cookies = q->cookies,
		.n = (uint32_t)q->n, .pid = q->pid, .at_return = q->kind == ATTACH_RETURN,
	};
	int fd = link_uprobe_multi(q->program_fd, q->kind == ATTACH_SESSION ? LINK_UPROBE_SESSION : LINK_UPROBE_MULTI, &u);
	if (fd < 0)
		return fd;
	links_add(l, fd);
	return 0;
}

static int pmu_type(const char *name)
{
	char path[80];
	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", name);
	_cleanup_(fclose) FILE *f = fopen(path, "re");
	int type = -1;
	if (!f || fscanf(f, "%d", &type) != 1)
		return -ENOENT;
	return type;
}

/* Opens a perf event, links the program to it with its cookie where there are cookies (5.15), else sets it. */
static int attach_perf_event(struct links *l, struct perf_event_attr *attr, pid_t pid, int program_fd, uint64_t cookie)
{
	attr->size = sizeof(*attr);
	_cleanup_(fd_close) int fd = (int)syscall(SYS_perf_event_open, attr, pid, pid > 0 ? -1 : 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	LIBBPF_OPTS(bpf_link_create_opts, opts, .perf_event.bpf_cookie = cookie);
	int link = ability_has(ABILITY_COOKIE) ? bpf_link_create(program_fd, fd, BPF_PERF_EVENT, &opts) : -EINVAL;
	if (link < 0 && ioctl(fd, PERF_EVENT_IOC_SET_BPF, program_fd) < 0)
		return link != -EINVAL ? link : -errno;
	if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
		return -errno;
	if (link >= 0)
		links_add(l, link);
	links_add(l, take_fd(fd));
	return 0;
}

#define PATH_OF_FILE_BYTES (sizeof(COOKIE_PATH_BEGIN "self/fd/") + COOKIE_PATH_BITS * 2 + 12)

/* The path of an open file; it spells the cookie where the kernel keeps none. */
static void path_of_file(char path[PATH_OF_FILE_BYTES], int fd, uint64_t cookie)
{
	char *at = stpcpy(path, COOKIE_PATH_BEGIN);
	if (!ability_has(ABILITY_COOKIE))
		for (int bit = 0; bit < COOKIE_PATH_BITS; bit++)
			at = stpcpy(at, cookie >> bit & 1 ? "//" : "./");
	sprintf(at, "self/fd/%d", fd);
}

/* config of a uprobe: bit 0 a return probe, bits 32.. the semaphore's offset (/sys/bus/event_source/devices/uprobe/format). */
static int attach_perf_uprobe(struct links *l, const struct uprobe_request *q, size_t i, int type)
{
	char path[PATH_OF_FILE_BYTES];
	path_of_file(path, q->file_fd, q->cookies[i]);
	struct perf_event_attr attr = {
		.type = (uint32_t)type,
		.config = (q->kind == ATTACH_RETURN) | (q->semaphores ? q->semaphores[i] << 32 : 0),
		.uprobe_path = (uint64_t)path,
		.probe_offset = q->offsets[i],
	};
	return attach_perf_event(l, &attr, q->pid, q->program_fd, q->cookies[i]);
}

int attach_uprobes(struct links *l, bool multi, const struct uprobe_request *q, struct reason *why)
{
	if (q->n == 0)
		return 0;
	if (multi) {
		int r = attach_multi(l, q);
		return r < 0 ? reason_set(why, r, "%zu uprobes in process %d were refused: %s", q->n, q->pid, strerror(-r)) : 0;
	}
	int type = pmu_type("uprobe");
	if (type < 0)
		return reason_set(why, type, "this kernel has no uprobes (CONFIG_UPROBE_EVENTS)");
	for (size_t i = 0; i < q->n; i++) {
		int r = attach_perf_uprobe(l, q, i, type);
		if (r < 0)
			return reason_set(why, r, "a uprobe at offset 0x%llx in process %d was refused: %s",
					  (unsigned long long)q->offsets[i], q->pid, strerror(-r));
	}
	return 0;
}

int attach_raw(struct links *l, int program_fd, const char *tracepoint, struct reason *why)
{
	if (!ability_has(ABILITY_RAW_TRACEPOINT))
		return reason_set(why, -ENOTSUP, "raw tracepoints cannot be had: %s; see: utrace doctor", ability_why_not(ABILITY_RAW_TRACEPOINT));
	int fd = bpf_raw_tracepoint_open(tracepoint, program_fd);
	if (fd < 0)
		return reason_set(why, fd, "the tracepoint %s cannot be had: %s", tracepoint, strerror(-fd));
	links_add(l, fd);
	return 0;
}

int attach_tracepoint(struct links *l, int program_fd, uint64_t id, uint64_t cookie, struct reason *why)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .config = id };
	int r = attach_perf_event(l, &attr, -1, program_fd, cookie);
	return r < 0 ? reason_set(why, r, "a tracepoint was refused: %s", strerror(-r)) : 0;
}

int attach_kprobes_multi(struct links *l, int program_fd, enum attach_kind kind, const char *const *names, const uint64_t *cookies, size_t n,
			 struct reason *why)
{
	struct kprobe_multi k = { .names = names, .cookies = cookies, .n = (uint32_t)n, .at_return = kind == ATTACH_RETURN };
	int fd = link_kprobe_multi(program_fd, kind == ATTACH_SESSION ? LINK_KPROBE_SESSION : LINK_KPROBE_MULTI, &k);
	if (fd < 0)
		return reason_set(why, fd, "%zu kernel functions were refused: %s", n, strerror(-fd));
	links_add(l, fd);
	return 0;
}

int attach_kprobe(struct links *l, int program_fd, const char *name, uint64_t cookie, bool on_return, struct reason *why)
{
	int type = pmu_type("kprobe");
	if (type < 0)
		return reason_set(why, type, "this kernel has no kprobes");
	struct perf_event_attr attr = { .type = (uint32_t)type, .config = on_return, .kprobe_func = (uint64_t)name };
	int r = attach_perf_event(l, &attr, -1, program_fd, cookie);
	return r < 0 ? reason_set(why, r, "a kprobe on %s was refused: %s", name, strerror(-r)) : 0;
}

int attach_loaded(struct links *l, int program_fd, int attach_type, uint64_t cookie, struct reason *why)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .tracing.cookie = cookie);
	int fd = bpf_link_create(program_fd, 0, (enum bpf_attach_type)attach_type, &opts);
	if (fd < 0)
		fd = bpf_raw_tracepoint_open(NULL, program_fd); /* kernels before 5.15 attach tracing programs this way */
	if (fd < 0)
		return reason_set(why, fd, "a trampoline was refused: %s", strerror(-fd));
	links_add(l, fd);
	return 0;
}
