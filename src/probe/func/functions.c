/*
 * functions: puts probes on the wanted user functions of one process.
 *
 * How the end of a call is seen is decided per process. A return probe hijacks the return address: an exception or a
 * thread's cancellation that unwinds through such a frame ends the program. So return probes go only where nothing is
 * mapped that unwinds; elsewhere every RET instruction of the function is probed, and where those cannot be listed, only
 * the entry. When an unwinder is mapped later, return probes are taken away and RETs are probed instead; calls that were
 * open at that moment keep their hijacked return address, which the kernel gives back only when they return.
 *
 * A goroutine changes threads and its stack moves: entry and exit cannot find each other by thread and stack pointer, and
 * a wrong pair is worse than none. So of Go functions the entries alone are probed, unless --exits=sites asks for more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "priv/loader.h"
#include "probe/func/internal.h"
#include "probe/func/prototypes.h"

#define STRING_DEFAULT_BYTES 64

/* What is to be attached of one binary, gathered before it is attached by one link each. */
struct batch {
	uint64_t *offsets, *cookies;
	size_t n, cap_offsets, cap_cookies;
};

static void batch_done(struct batch *b)
{
	free(b->offsets);
	free(b->cookies);
	*b = (struct batch){};
}
DEFINE_CLEANUP_IN_PLACE(struct batch, batch_done)

static void batch_add(struct batch *b, uint64_t offset, uint64_t cookie)
{
	size_t n = b->n;
	GROW(b->offsets, n, b->cap_offsets);
	GROW(b->cookies, n, b->cap_cookies);
	b->offsets[n] = offset;
	b->cookies[n] = cookie;
	b->n++;
}

static struct fetch fetch_of_string(const struct func_state *s, struct engine *e, unsigned argument)
{
	uint64_t bytes = engine_options(e)->string_bytes;
	return (struct fetch){
		.from = FETCH_REGISTER, .index = arch_argument_registers[argument], .kind = FETCH_STRING,
		.max = (uint16_t)MIN(bytes ? bytes : STRING_DEFAULT_BYTES, (uint64_t)FETCH_MAX_BYTES),
	};
}

/* Parameters by the prototype; strings are read by the plan. */
static void apply_prototype(const struct func_state *s, struct engine *e, const struct prototype *proto, struct func_info *info,
			    struct parameter *parameters, struct fetch_plan *plan)
{
	for (unsigned i = 0; i < PROTOTYPE_MAX && proto->parameter[i].name; i++) {
		const struct prototype_parameter *from = &proto->parameter[i];
		struct parameter *to = &parameters[info->n_parameters++];
		*to = (struct parameter){ .from = FROM_ARGUMENT, .which = (uint8_t)i, .format = (uint8_t)from->format,
					  .size = (uint8_t)from->size, .name = from->name, .type = from->type };
		if (from->format != FORMAT_STRING || plan->n == FETCH_MAX)
			continue;
		to->from = FROM_FETCH;
		to->which = (uint8_t)plan->n;
		plan->fetch[plan->n++] = fetch_of_string(s, e, i);
	}
	struct parameter *result = &parameters[info->n_parameters++];
	*result = (struct parameter){ .from = FROM_RETURN, .format = (uint8_t)proto->result_format,
				      .size = (uint8_t)proto->result_size, .type = proto->result };
	if (proto->result_format == FORMAT_STRING)
		result->format = FORMAT_HEX;
}

static bool is_libc(const char *name)
{
	return strncmp(name, "libc.so", 7) == 0 || strncmp(name, "libc-2", 6) == 0 || strncmp(name, "libc.musl", 9) == 0;
}

static struct probe_cost cost_of(const struct func_state *s, const struct func_target *t, bool sites)
{
	if (s->exits == EXITS_NONE)
		return s->calibration.entry_only[t->entry.cost];
	return sites ? s->calibration.by_site[t->entry.cost] : s->calibration.by_return[t->entry.cost];
}

enum func_exits func_exits_of(enum exits_mode mode, bool process_needs_sites, struct binary *b, struct func_target *t)
{
	if (mode == EXITS_NONE || (mode == EXITS_AUTO && b->is_go))
		return FUNC_ENTRY_ALONE;
	bool by_return = mode == EXITS_RETURN || (mode == EXITS_AUTO && !process_needs_sites);
	if (by_return && !binary_needs_return_address(b, t))
		return FUNC_BY_RETURN;
	binary_find_returns(b, t);
	return t->n_returns ? FUNC_BY_SITES : FUNC_ENTRY_ALONE;
}

static uint32_t number_of(struct engine *e, struct func_state *s, struct binary *b, struct func_target *t, bool sites)
{
	if (t->probe[sites])
		return t->probe[sites];
	struct parameter parameters[PROTOTYPE_MAX + 1];
	struct fetch_plan plan = {};
	struct probe_cost cost = cost_of(s, t, sites);
	struct func_info info = {
		.kind = PROBE_FUNCTION, .name = t->name, .linkage_name = t->func.linkage_name,
		.module = b->name, .path = b->path, .of_executable = b->is_executable,
		.inside_ns = cost.inside_ns, .outside_ns = cost.outside_ns, .hidden_ns = cost.hidden_ns,
		.twin = sites ? t->probe[false] : 0, .parameters = parameters,
	};
	const struct prototype *proto = is_libc(b->name) && engine_options(e)->args ? prototype_find(t->func.linkage_name) : NULL;
	if (proto)
		apply_prototype(s, e, proto, &info, parameters, &plan);
	return t->probe[sites] = func_probe_add(e, s, &info, &plan);
}

/* Attaches; where the kernel refuses the whole, finds out which functions it refuses and leaves those out. */
static int attach_batch(struct engine *e, struct func_process *fp, struct uprobe_request q, size_t *ret_attached, struct reason *why)
{
	struct reason refused = {};
	int r = attach_uprobes(&fp->links, true, &q, &refused);
	if (r == 0) {
		*ret_attached += q.n;
		return 0;
	}
	if (r == -ESRCH || q.n == 1)
		return reason_set(why, r, "%s", refused.text);
	struct uprobe_request half = q;
	half.n = q.n / 2;
	int first = attach_batch(e, fp, half, ret_attached, why);
	half.offsets += half.n;
	half.cookies += half.n;
	half.n = q.n - half.n;
	int second = attach_batch(e, fp, half, ret_attached, why);
	return first < 0 ? first : second;
}

static int attach_all(struct engine *e, struct func_state *s, struct func_process *fp, struct binary *b, const struct batch *batch,
		      enum attach_kind kind, const char *program, struct reason *why)
{
	struct uprobe_request q = {
		.file_fd = b->fd, .pid = fp->pid, .kind = kind, .program_fd = func_program(s, program),
		.offsets = batch->offsets, .cookies = batch->cookies, .n = batch->n,
	};
	if (q.n == 0)
		return 0;
	if (s->mechanism == UPROBES_PERF_EVENT)
		return attach_uprobes(&fp->links, false, &q, why);
	size_t attached = 0;
	return attach_batch(e, fp, q, &attached, why);
}

/* What goes where: entries with a return probe, entries alone, RETs. */
struct plan {
	struct batch with_return, entries, returns;
};

static void plan_done(struct plan *p)
{
	batch_done(&p->with_return);
	batch_done(&p->entries);
	batch_done(&p->returns);
}
DEFINE_CLEANUP_IN_PLACE(struct plan, plan_done)

/* Entries of a process that may change over, or just does, ask whose turn it is. Slots beyond the table are shared: no turns. */
static uint32_t turn_of(const struct func_process *fp)
{
	if (fp->slot >= FUNC_COST_SLOTS || (fp->use_sites && fp->former.n == 0))
		return 0;
	return fp->use_sites ? COOKIE_FROM_SITES : COOKIE_UNTIL_SITES;
}

static void plan_function(struct engine *e, struct func_state *s, struct func_process *fp, struct binary *b,
			  struct func_target *t, struct plan *plan)
{
	enum func_exits exits = func_exits_of(s->exits, fp->use_sites, b, t);
	bool sites = s->exits != EXITS_NONE && exits != FUNC_BY_RETURN;
	uint32_t probe = number_of(e, s, b, t, sites);
	if (!probe)
		return;
	struct probe_cost cost = cost_of(s, t, sites);
	uint32_t call_ns = cost.inside_ns + cost.outside_ns, hit_ns = s->exits == EXITS_NONE ? call_ns : call_ns / 2;
	uint64_t entry = t->func.offset + t->entry.offset;
	uint32_t flags = (sites ? COOKIE_SITE_EXIT : 0) | (exits == FUNC_ENTRY_ALONE ? COOKIE_ENTRY_ALONE : 0) | turn_of(fp) | COST_FLAGS(hit_ns);
	uint64_t cookie = COOKIE(probe, fp->slot % FUNC_COST_SLOTS, flags);
	batch_add(exits == FUNC_BY_RETURN ? &plan->with_return : &plan->entries, entry, cookie);
	for (size_t i = 0; exits == FUNC_BY_SITES && i < t->n_returns; i++)
		batch_add(&plan->returns, t->returns[i], cookie);
}

static int attach_plan(struct engine *e, struct func_state *s, struct func_process *fp, struct binary *b, const struct plan *plan,
		       struct reason *why)
{
	int r;
	if (s->mechanism == UPROBES_SESSION) {
		r = attach_all(e, s, fp, b, &plan->with_return, ATTACH_SESSION, "func_session", why);
	} else {
		r = attach_all(e, s, fp, b, &plan->with_return, ATTACH_RETURN, "func_exit", why);
		if (r == 0)
			r = attach_all(e, s, fp, b, &plan->with_return, ATTACH_ENTRY, "func_entry", why);
	}
	if (r == 0)
		r = attach_all(e, s, fp, b, &plan->returns, ATTACH_ENTRY, "func_exit", why);
	if (r == 0)
		r = attach_all(e, s, fp, b, &plan->entries, ATTACH_ENTRY, "func_entry", why);
	return r;
}

static int attach_binary(struct engine *e, struct func_state *s, struct func_process *fp, struct binary *b, struct reason *why)
{
	if (hashmap_get(&fp->done, (uintptr_t)b))
		return 0;
	int r = binary_resolve(b, &s->patterns, why);
	if (r < 0)
		return r;
	_cleanup_(plan_done) struct plan plan = {};
	for (size_t i = 0; i < b->n_targets; i++) {
		if (b->targets[i].refused == SITE_OK)
			plan_function(e, s, fp, b, &b->targets[i], &plan);
		if (i % TARGETS_A_COPY == 0)
			elf_forget_bytes(b->elf);
	}
	elf_forget(b->elf);
	alloc_trim(); /* before the first event: the buffers that then fill are as large */
	r = attach_plan(e, s, fp, b, &plan, why);
	if (r == 0 && !hashmap_put(&fp->points_done, (uintptr_t)b, b))
		r = func_attach_usdt(e, s, fp, b, why);
	elf_forget(b->elf);
	hashmap_put(&fp->done, (uintptr_t)b, b);
	s->attached += plan.with_return.n + plan.entries.n;
	return r == -ESRCH ? 0 : r;
}

static void set_by_sites(struct engine *e, const struct func_process *fp, uint32_t by_sites)
{
	uint32_t slot = fp->slot;
	if (slot < FUNC_COST_SLOTS)
		bpf_map_update_elem(loader_map(engine_loader(e), "func_by_sites"), &slot, &by_sites, BPF_ANY);
}

static struct func_process *process_of(struct engine *e, struct func_state *s, const struct process *p)
{
	struct func_process *fp = hashmap_get(&s->processes, (uint64_t)p->pid);
	if (!fp) {
		fp = xcalloc(1, sizeof(*fp));
		fp->pid = p->pid;
		fp->slot = p->slot;
		fp->use_sites = s->exits == EXITS_SITES;
		hashmap_put(&s->processes, (uint64_t)p->pid, fp);
		set_by_sites(e, fp, false);
		func_begin_watch(e, fp);
	}
	memcpy(fp->comm, p->comm, sizeof(fp->comm));
	return fp;
}

/*
 * An unwinder has appeared: the return probes must go before it is used. They stay until their successors are attached, so
 * that other threads, which may run on, miss no call; entries count in one of the two sets at any moment.
 */
static void change_to_sites(struct func_process *fp)
{
	if (fp->use_sites)
		return;
	fp->former = fp->links;
	fp->links = (struct links){};
	hashmap_done(&fp->done);
	fp->use_sites = true;
}

static void end_change(struct engine *e, struct func_process *fp)
{
	if (fp->former.n == 0)
		return;
	set_by_sites(e, fp, true);
	links_done(&fp->former);
}

/* The user wants return probes all the same: said once what that can do. */
static void warn_of_return_probes(struct engine *e, struct func_state *s, const struct func_process *fp, const struct binary *b)
{
	if (s->warned)
		return;
	s->warned = true;
	engine_note(e, "--exits=return in %s[%d], which maps %s: an exception, a panic or a cancelled thread that unwinds through a "
		    "probed call can end it (--exits=auto is safe)", fp->comm, fp->pid, b->name);
}

int func_attach_process(struct engine *e, struct func_state *s, const struct process *p, struct reason *why)
{
	struct func_process *fp = process_of(e, s, p);
	int r = 0;
	if (fp->tripped || s->detached)
		return 0;
	for (size_t i = 0; i < p->mappings.n; i++) {
		struct binary *b = binaries_get(&s->binaries, p->pid, &p->mappings.items[i]);
		if (b && p->exe[0] && strcmp(p->mappings.items[i].path, p->exe) == 0)
			b->is_executable = true;
		if (!b || !binary_forbids_return_probes(b))
			continue;
		if (s->exits == EXITS_AUTO)
			change_to_sites(fp);
		else if (s->exits == EXITS_RETURN)
			warn_of_return_probes(e, s, fp, b);
	}
	for (size_t i = 0; i < p->mappings.n; i++) {
		struct binary *b = binaries_get(&s->binaries, p->pid, &p->mappings.items[i]);
		if (!b || !b->elf)
			continue;
		if (!patterns_want_file(&s->patterns, SPACE_USER, b->path, b->is_executable) &&
		    !patterns_want_file(&s->patterns, SPACE_USDT, b->path, true))
			continue;
		int one = attach_binary(e, s, fp, b, why);
		r = r < 0 ? r : one;
	}
	end_change(e, fp);
	return r;
}

void func_unprobe_process(struct func_process *fp)
{
	links_done(&fp->links);
	links_done(&fp->former);
	links_done(&fp->point_links);
}

void func_retire_process(struct engine *e, struct func_process *fp)
{
	engine_retire(e, &fp->links);
	engine_retire(e, &fp->former);
	engine_retire(e, &fp->point_links);
}

void func_drop_process(struct func_state *s, pid_t pid)
{
	struct func_process *fp = hashmap_remove(&s->processes, (uint64_t)pid);
	if (!fp)
		return;
	s->tripped -= fp->tripped;
	func_unprobe_process(fp);
	hashmap_done(&fp->done);
	hashmap_done(&fp->points_done);
	free(fp);
}
