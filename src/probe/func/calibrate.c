#include "probe/func/calibrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "priv/loader.h"
#include "probe/func/internal.h"

/*
 * The two functions. Each is aligned and ends in one RET; their instructions are known, so no table is needed.
 */
#if defined(__x86_64__)
__asm__(".text\n.p2align 6\n"
	".hidden calibrate_emulated\n.globl calibrate_emulated\n.type calibrate_emulated, @function\n"
	"calibrate_emulated: push %rbp\n pop %rbp\n ret\n.size calibrate_emulated, . - calibrate_emulated\n"
	".p2align 6\n"
	".hidden calibrate_stepped\n.globl calibrate_stepped\n.type calibrate_stepped, @function\n"
	"calibrate_stepped: mov %rdi, %rax\n ret\n.size calibrate_stepped, . - calibrate_stepped\n");
#define RET_OF_EMULATED 2 /* push 1 byte, pop 1 byte */
#define RET_OF_STEPPED 3  /* mov 3 bytes */
#elif defined(__aarch64__)
__asm__(".text\n.p2align 6\n"
	".hidden calibrate_emulated\n.globl calibrate_emulated\n.type calibrate_emulated, @function\n"
	"calibrate_emulated: nop\n ret\n.size calibrate_emulated, . - calibrate_emulated\n"
	".p2align 6\n"
	".hidden calibrate_stepped\n.globl calibrate_stepped\n.type calibrate_stepped, @function\n"
	"calibrate_stepped: mov x1, x0\n ret\n.size calibrate_stepped, . - calibrate_stepped\n");
#define RET_OF_EMULATED 4
#define RET_OF_STEPPED 4
#endif
extern long calibrate_emulated(long), calibrate_stepped(long);

#define CALLS 200

static long (*const function_of[2])(long) = { [SITE_EMULATED] = calibrate_emulated, [SITE_STEPPED] = calibrate_stepped };
static const uint32_t ret_of[2] = { [SITE_EMULATED] = RET_OF_EMULATED, [SITE_STEPPED] = RET_OF_STEPPED };

/* Where the function lies in our own file. */
static int own_offset(const void *code, uint64_t *ret)
{
	_cleanup_(mappings_done) struct mappings maps = {};
	int r = proc_mappings(&maps, getpid());
	for (size_t i = 0; r == 0 && i < maps.n; i++) {
		const struct mapping *m = &maps.items[i];
		if ((uint64_t)code < m->start || (uint64_t)code >= m->end)
			continue;
		*ret = (uint64_t)code - m->start + m->offset;
		return 0;
	}
	return r < 0 ? r : -ENOENT;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

/*
 * Of many single calls the lower quartile: interruptions only ever add, and the very fastest is luckier than a call in a
 * program will be. Both parts of the cost are taken alike, so that their sum is not more than the whole.
 */
static uint64_t quartile(uint64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), by_size);
	return n ? ns[n / 4] : 0;
}

/* One call, the clock's own time in it. */
static uint64_t time_call(long (*function)(long))
{
	uint64_t ns[CALLS];
	for (size_t i = 0; i < CALLS; i++) {
		uint64_t start = clock_monotonic_ns();
		function((long)i);
		ns[i] = clock_monotonic_ns() - start;
	}
	return quartile(ns, CALLS);
}

/* The same, as the kernel half saw it: the last call's duration is still in the thread's stack of calls. */
static uint64_t time_inside(struct loader *l, long (*function)(long))
{
	_cleanup_(free) struct func_thread *thread = xcalloc(1, sizeof(*thread));
	const struct func_call_rec *call = (const void *)thread->stack;
	uint32_t tid = (uint32_t)gettid();
	uint64_t ns[CALLS];
	size_t n = 0;
	for (size_t i = 0; i < CALLS; i++) {
		function((long)i);
		if (bpf_map_lookup_elem(loader_map(l, "func_threads"), &tid, thread) < 0)
			return 0;
		if (call->flags & CALL_EXIT_SEEN)
			ns[n++] = call->duration_ns;
	}
	return quartile(ns, n);
}

/*
 * What a call costs that --depth leaves out. This thread gets as many open calls as are shown, none of which can have been
 * left: they began where the stack ends. A depth that there is no room for hides nothing, the calls are lost.
 */
static uint64_t time_hidden(struct engine *e, const struct func_state *s, long (*function)(long))
{
	uint32_t tid = (uint32_t)gettid(), depth = (uint32_t)engine_options(e)->depth;
	if (depth == 0 || depth >= FUNC_SLOTS_BYTES / s->slot_bytes)
		return 0;
	_cleanup_(free) struct func_thread *thread = xcalloc(1, sizeof(*thread));
	struct func_call_rec *top = (void *)(thread->stack + (size_t)(depth - 1) * s->slot_bytes);
	int map = loader_map(engine_loader(e), "func_threads");
	thread->depth = depth;
	top->sp = UINT64_MAX;
	if (bpf_map_update_elem(map, &tid, thread, BPF_ANY) < 0)
		return 0;
	uint64_t ns = time_call(function);
	bpf_map_delete_elem(map, &tid);
	return ns;
}

enum way { BY_RETURN, BY_SITE, ENTRY_ONLY };

static int attach_way(struct func_state *s, struct links *links, enum way way, enum site_cost cost, uint64_t entry, struct reason *why)
{
	_cleanup_(fd_close) int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool multi = s->mechanism != UPROBES_PERF_EVENT;
	uint64_t ret = entry + ret_of[cost];
	uint64_t cookie = COOKIE(CALIBRATION_PROBE, FUNC_COST_SLOTS - 1, 0);
	uint64_t site_cookie = COOKIE(CALIBRATION_PROBE, FUNC_COST_SLOTS - 1, COOKIE_SITE_EXIT);
	struct uprobe_request q = { .file_fd = self, .pid = getpid(), .program_fd = func_program(s, "func_entry"), .offsets = &entry, .cookies = &cookie, .n = 1 };
	if (way == BY_RETURN && s->mechanism == UPROBES_SESSION) {
		q.kind = ATTACH_SESSION;
		q.program_fd = func_program(s, "func_session");
		return attach_uprobes(links, true, &q, why);
	}
	if (way == BY_SITE)
		q.cookies = &site_cookie;
	int r = attach_uprobes(links, multi, &q, why);
	if (r < 0 || way == ENTRY_ONLY)
		return r;
	q.program_fd = func_program(s, "func_exit");
	q.kind = way == BY_RETURN ? ATTACH_RETURN : ATTACH_ENTRY;
	if (way == BY_SITE)
		q.offsets = &ret;
	return attach_uprobes(links, multi, &q, why);
}

static int measure(struct engine *e, struct func_state *s, enum way way, enum site_cost cost, struct probe_cost *ret, struct reason *why)
{
	long (*function)(long) = function_of[cost];
	uint64_t entry;
	int r = own_offset(function, &entry);
	if (r < 0)
		return r;
	uint64_t bare = time_call(function);
	_cleanup_(links_done) struct links links = {};
	r = attach_way(s, &links, way, cost, entry, why);
	if (r < 0)
		return r;
	uint64_t whole = time_call(function);
	uint64_t inside = way == ENTRY_ONLY ? 0 : time_inside(engine_loader(e), function);
	uint64_t hidden = way == ENTRY_ONLY ? 0 : time_hidden(e, s, function);
	whole = whole > bare ? whole - bare : 0;
	inside = MIN(inside, whole);
	hidden = hidden > bare ? hidden - bare : 0;
	*ret = (struct probe_cost){ (uint32_t)inside, (uint32_t)(whole - inside), (uint32_t)MIN(hidden, whole) };
	return 0;
}

int calibrate(struct engine *e, struct func_state *s, enum exits_mode exits, struct calibration *ret, struct reason *why)
{
	int r = 0;
	for (int cost = SITE_EMULATED; r == 0 && cost <= SITE_STEPPED; cost++) {
		if (exits == EXITS_NONE)
			r = measure(e, s, ENTRY_ONLY, cost, &ret->entry_only[cost], why);
		if (r == 0 && (exits == EXITS_AUTO || exits == EXITS_RETURN))
			r = measure(e, s, BY_RETURN, cost, &ret->by_return[cost], why);
		if (r == 0 && (exits == EXITS_AUTO || exits == EXITS_SITES))
			r = measure(e, s, BY_SITE, cost, &ret->by_site[cost], why);
	}
	uint32_t tid = (uint32_t)gettid();
	bpf_map_delete_elem(loader_map(engine_loader(e), "func_threads"), &tid);
	return r;
}
