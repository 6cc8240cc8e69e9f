/* task: follows the life of targets: children, exec, libraries mapped later, the end. Every run has this family. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "config/options.h"
#include "priv/ability.h"
#include "priv/attach.h"
#include "priv/link.h"
#include "priv/loader.h"
#include "probe/families.h"
#include "probe/task/task.abi.h"
#include "sym/elf.h"

struct task_state {
	struct bpf_object *object;
	struct links links;      /* of the whole run */
	struct hashmap by_pid;   /* pid → struct watched */
};

/* A process whose dynamic linker has our probe. */
struct watched {
	struct links links;
	uint64_t dev, inode; /* of the linker */
};

static int program(struct bpf_object *o, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(o, name));
}

static int set_cgroups(struct engine *e, struct task_state *s)
{
	int map = bpf_map__fd(bpf_object__find_map_by_name(s->object, "criteria_cgroups"));
	const int *fds = engine_cgroup_fds(e);
	for (uint32_t i = 0; i < engine_criteria(e)->n_cgroups; i++)
		if (bpf_map_update_elem(map, &i, &fds[i], BPF_ANY) < 0)
			return -errno;
	return 0;
}

static int task_load(struct engine *e, void *state, struct reason *why)
{
	struct task_state *s = state;
	int r = loader_open(engine_loader(e), "task", &s->object, why);
	if (r < 0)
		return r;
	uint32_t self = (uint32_t)getpid();
	bool all = engine_wants_all(e);
	loader_set(s->object, "criteria", engine_criteria(e), sizeof(struct task_criteria));
	loader_set_value(s->object, "target_not", self);
	loader_set_value(s->object, "target_all", all);
	if (ability_has(ABILITY_UPROBE_MULTI))
		bpf_program__set_expected_attach_type(bpf_object__find_program_by_name(s->object, "task_map"),
						      (enum bpf_attach_type)LINK_UPROBE_MULTI);
	r = loader_load(engine_loader(e), s->object, why);
	return r == 0 ? set_cgroups(e, s) : r;
}

static int task_attach(struct engine *e, void *state, struct reason *why)
{
	struct task_state *s = state;
	int r = attach_raw(&s->links, program(s->object, "task_fork"), "sched_process_fork", why);
	if (r == 0)
		r = attach_raw(&s->links, program(s->object, "task_exec"), "sched_process_exec", why);
	if (r == 0)
		r = attach_raw(&s->links, program(s->object, "task_exit"), "sched_process_exit", why);
	if (r == 0)
		r = attach_raw(&s->links, program(s->object, "task_rename"), "task_rename", why);
	if (r == 0 && engine_criteria(e)->n_cgroups && engine_criteria(e)->flags)
		r = attach_raw(&s->links, program(s->object, "task_move"), "cgroup_attach_task", why);
	return r;
}

/* The dynamic linker: the mapped file that defines _dl_debug_state (glibc: elf/dl-debug.c; musl: ldso/dynlink.c). */
static int find_linker(const struct process *p, const struct watched *w, int *ret_fd, uint64_t *ret_offset, const struct mapping **ret)
{
	for (size_t i = 0; i < p->mappings.n; i++) {
		const struct mapping *m = &p->mappings.items[i];
		const char *base = strrchr(m->path, '/');
		if (!base || (strncmp(base, "/ld-", 4) != 0 && strncmp(base, "/ld.", 4) != 0))
			continue;
		if (w && w->dev == m->dev && w->inode == m->inode)
			return -EALREADY;
		_cleanup_(fd_close) int fd = proc_open_mapping(p->pid, m);
		_cleanup_(elf_close) struct elf *elf = NULL;
		const struct elf_func *funcs;
		size_t n;
		if (fd < 0 || elf_open_fd(&elf, fd, m->path, NULL) < 0 || elf_functions(elf, &funcs, &n, NULL) < 0)
			continue;
		for (size_t k = 0; k < n; k++) {
			if (strcmp(funcs[k].linkage_name, "_dl_debug_state") != 0)
				continue;
			*ret = m;
			*ret_offset = funcs[k].offset;
			*ret_fd = take_fd(fd);
			return 0;
		}
	}
	return -ENOENT;
}

static int task_process_changed(struct engine *e, void *state, const struct process *p, struct reason *why)
{
	struct task_state *s = state;
	int file;
	uint64_t offset, cookie = 0;
	const struct mapping *linker;
	struct watched *w = hashmap_get(&s->by_pid, (uint64_t)p->pid);
	if (find_linker(p, w, &file, &offset, &linker) < 0)
		return 0; /* watched already, or linked statically */
	_cleanup_(fd_close) int fd = file;
	if (!w)
		hashmap_put(&s->by_pid, (uint64_t)p->pid, w = xcalloc(1, sizeof(*w)));
	w->dev = linker->dev;
	w->inode = linker->inode;
	struct uprobe_request request = {
		.file_fd = fd, .pid = p->pid, .kind = ATTACH_ENTRY, .program_fd = program(s->object, "task_map"),
		.offsets = &offset, .cookies = &cookie, .n = 1,
	};
	int r = attach_uprobes(&w->links, ability_has(ABILITY_UPROBE_MULTI), &request, why);
	return r == -ESRCH ? 0 : r;
}

static void drop_watched(struct engine *e, struct watched *w)
{
	if (!w)
		return;
	engine_retire(e, &w->links);
	free(w);
}

static void task_process_gone(struct engine *e, void *state, const struct process *p)
{
	struct task_state *s = state;
	drop_watched(e, hashmap_remove(&s->by_pid, (uint64_t)p->pid));
}

/* The next image has most likely the same linker, and our probe is on it already. */
static void task_process_executed(struct engine *e, void *state, const struct process *p)
{
	(void)e;
	(void)state;
	(void)p;
}

static void on_exec(struct engine *e, const struct task_rec *rec)
{
	pid_t pid = (pid_t)rec->head.pid;
	if (rec->flags & TASK_CANDIDATE && !engine_would_take(e, pid, rec->comm))
		return;
	engine_target_exec(e, pid, rec->start_ns, rec->comm, rec->head.time_ns, rec->flags & TASK_BY_THREAD);
}

/* One that runs already has another name or another cgroup. */
static void on_change(struct engine *e, const struct task_rec *rec)
{
	pid_t pid = (pid_t)rec->head.pid;
	if (rec->flags & TASK_CANDIDATE && engine_would_take(e, pid, rec->comm))
		engine_target_joined(e, pid, rec->start_ns, rec->head.time_ns);
	if (rec->head.type == TASK_RENAME)
		engine_target_renamed(e, pid, rec->start_ns, rec->comm, rec->head.time_ns);
}

static void task_decode(struct engine *e, void *state, const struct rec_head *head)
{
	const struct task_rec *rec = (const void *)head;
	if (head->length < TASK_REC_SHORT || !engine_is_live(e))
		return; /* of those in a recording nobody can become a target */
	pid_t pid = (pid_t)head->pid;
	switch (head->type) {
	case TASK_FORK:
		engine_target_began(e, (pid_t)rec->child, rec->start_ns, head->time_ns);
		break;
	case TASK_EXEC:
		on_exec(e, rec);
		break;
	case TASK_EXIT:
		engine_target_ended(e, pid, rec->start_ns);
		break;
	case TASK_RENAME:
	case TASK_MOVE:
		on_change(e, rec);
		break;
	case TASK_MAP:
		engine_target_changed(e, pid, rec->start_ns);
		break;
	}
}

static void task_detach(struct engine *e, void *state)
{
	struct task_state *s = state;
	size_t at = 0;
	uint64_t pid;
	void *w;
	while (hashmap_next(&s->by_pid, &at, &pid, &w)) {
		hashmap_remove(&s->by_pid, pid);
		drop_watched(e, w);
	}
}

static void task_close(struct engine *e, void *state)
{
	struct task_state *s = state;
	task_detach(e, state);
	hashmap_done(&s->by_pid);
	links_done(&s->links);
}

static const struct probe_shape task_shapes[] = {
	{ "pids", "-p 1" },
	{ "criteria", "-n nginx* -e /bin/true -u 0 --pidns=4294967295 --netns=4294967295 --mntns=4294967295" }, /* inodes of namespaces */
	{ "all", "--all" },
	{},
};

const struct probe_ops task_probe = {
	.name = "task",
	.record_family = REC_TASK,
	.state_size = sizeof(struct task_state),
	.shapes = task_shapes,
	.load = task_load,
	.attach = task_attach,
	.process_changed = task_process_changed,
	.process_gone = task_process_gone,
	.process_executed = task_process_executed,
	.decode = task_decode,
	.detach = task_detach,
	.close = task_close,
};
