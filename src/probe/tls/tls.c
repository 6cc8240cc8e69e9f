/*
 * tls: the plaintext of TLS connections, from the libraries that processes speak it with, handed on as segments in place of what passes
 * on the wire.
 *
 * A few functions of each library are probed, in the targets alone, wherever they are mapped: at the start, when a process executes
 * another file, when it loads a library later. Their ends are seen by return probes, or, in a process that unwinds its stack, at their
 * RETs (as in probe/func). When an unwinder comes later, the probes at the RETs are attached before the return probes go: a call that both
 * see is told once, because the first of them ends it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "config/options.h"
#include "priv/ability.h"
#include "priv/attach.h"
#include "priv/link.h"
#include "priv/loader.h"
#include "priv/mechanism.h"
#include "probe/families.h"
#include "probe/segment.h"
#include "probe/tls/binding.h"
#include "probe/tls/library.h"

#define TLS_SESSIONS_MAX 131072 /* of connections that are open: as many as are told apart at all */
#define SESSION_BYTES_MAX (sizeof(struct tls_session_rec) + 3 * TLS_NAME_BYTES + 8)

struct tls_process {
	struct links links;
	struct hashmap done; /* libraries that are attached */
	bool use_sites;
};

struct tls_state {
	struct engine *e;
	struct bpf_object *object;
	enum uprobe_mechanism mechanism;
	struct binaries binaries;
	struct hashmap libraries; /* binary → struct tls_library */
	struct hashmap processes; /* pid → struct tls_process */
	struct bindings *bindings;
	struct hashmap sessions;  /* number of the connection → struct tls_session_rec, a copy */
	bool detached;
};

static void give_plaintext(void *arg, struct connection *c, const struct segment *s)
{
	struct tls_state *state = arg;
	engine_plaintext(state->e, c, s);
}

static void add_text(struct strbuf *b, const char *text)
{
	strbuf_add(b, text, strlen(text) + 1);
}

static void tell_session(void *arg, struct connection *c, const struct handshake *h, const struct rec_head *head)
{
	struct tls_state *state = arg;
	_cleanup_(strbuf_done) struct strbuf b = {};
	struct tls_session_rec rec = {
		.head = { .type = TLS_SESSION, .time_ns = head->time_ns, .pid = head->pid, .tid = head->tid, .generation = head->generation },
		.connection = c->number, .began_ns = h->began_ns, .established_ns = h->established_ns, .version = h->version, .cipher = h->cipher,
		.flags = h->flags, .alert = h->alert,
	};
	if (!engine_is_live(state->e))
		return; /* a recording has the record that was made then */
	strbuf_add(&b, &rec, sizeof(rec));
	add_text(&b, h->server_name);
	add_text(&b, h->alpn);
	add_text(&b, h->offered);
	strbuf_pad(&b, '\0', -b.len & 7);
	((struct rec_head *)b.data)->length = (uint16_t)b.len;
	engine_fact(state->e, (const struct rec_head *)b.data);
}

static int tls_open(struct engine *e, void *state, struct reason *why)
{
	struct tls_state *s = state;
	s->e = e;
	s->bindings = bindings_new(give_plaintext, tell_session, s);
	return 0;
}

static void choose_programs(struct tls_state *s)
{
	static const char *const plain[] = { "tls_enter", "tls_leave" };
	bool session = s->mechanism == UPROBES_SESSION, multi = session || s->mechanism == UPROBES_MULTI;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		bpf_program__set_expected_attach_type(bpf_object__find_program_by_name(s->object, plain[i]),
						      (enum bpf_attach_type)(multi ? LINK_UPROBE_MULTI : 0));
	struct bpf_program *both = bpf_object__find_program_by_name(s->object, "tls_session");
	bpf_program__set_expected_attach_type(both, (enum bpf_attach_type)LINK_UPROBE_SESSION);
	bpf_program__set_autoload(both, session);
}

static int tls_load(struct engine *e, void *state, struct reason *why)
{
	struct tls_state *s = state;
	s->mechanism = mechanism_for_uprobes();
	if (s->mechanism == UPROBES_NONE)
		return reason_set(why, -ENOTSUP, "the plaintext of TLS needs uprobes: %s; see: utrace doctor", ability_why_not(ABILITY_UPROBE));
	int r = loader_open(engine_loader(e), "tls", &s->object, why);
	if (r < 0)
		return r;
	bool cookie = ability_has(ABILITY_COOKIE);
	uint32_t bytes = engine_wants_bytes(e) ? (uint32_t)engine_options(e)->capture_bytes : 0;
	loader_set_value(s->object, "has_cookie", cookie);
	loader_set_value(s->object, "tls_capture_bytes", bytes);
	choose_programs(s);
	return loader_load(engine_loader(e), s->object, why);
}

/* ---- probes of a process ---- */

static struct tls_library *library_of(struct tls_state *s, struct binary *b)
{
	struct tls_library *l = hashmap_get(&s->libraries, (uintptr_t)b);
	if (!l) {
		l = tls_library_new(b);
		hashmap_put(&s->libraries, (uintptr_t)b, l);
	}
	return l;
}

/* What one link holds. */
struct spots {
	uint64_t *offsets, *cookies;
	size_t n, cap_offsets, cap_cookies;
};

static void spots_done(struct spots *s)
{
	free(s->offsets);
	free(s->cookies);
}
DEFINE_CLEANUP_IN_PLACE(struct spots, spots_done)

static void add_spot(struct spots *s, uint64_t offset, uint64_t cookie)
{
	size_t n = s->n;
	GROW(s->offsets, n, s->cap_offsets);
	GROW(s->cookies, n, s->cap_cookies);
	s->offsets[n] = offset;
	s->cookies[n] = cookie;
	s->n++;
}

static int attach_spots(struct tls_state *s, struct links *links, const struct binary *b, pid_t pid, const struct spots *spots,
			enum attach_kind kind, const char *program, struct reason *why)
{
	struct uprobe_request q = {
		.file_fd = b->fd, .pid = pid, .kind = kind, .offsets = spots->offsets, .cookies = spots->cookies, .n = spots->n,
		.program_fd = bpf_program__fd(bpf_object__find_program_by_name(s->object, program)),
	};
	return attach_uprobes(links, s->mechanism != UPROBES_PERF_EVENT, &q, why);
}

/* Ends before entries: a call whose entry is seen has its end seen. */
static int attach_library(struct tls_state *s, struct tls_process *p, pid_t pid, struct binary *b, struct tls_library *l, struct reason *why)
{
	_cleanup_(spots_done) struct spots entries = {}, returns = {};
	for (size_t i = 0; i < l->n; i++) {
		struct tls_function *f = &l->functions[i];
		struct func_target *t = &f->target;
		uint64_t cookie = TLS_COOKIE(f->direction, f->result, p->use_sites, l->needs_nss);
		if (!(p->use_sites ? f->for_sites : f->for_returns))
			continue;
		if (p->use_sites)
			binary_find_returns(b, t);
		if (p->use_sites && !t->n_returns)
			continue; /* nobody would see what it passed */
		add_spot(&entries, t->func.offset + t->entry.offset, cookie);
		for (size_t k = 0; p->use_sites && k < t->n_returns; k++)
			add_spot(&returns, t->returns[k], cookie);
	}
	elf_forget(b->elf);
	if (!p->use_sites && s->mechanism == UPROBES_SESSION)
		return attach_spots(s, &p->links, b, pid, &entries, ATTACH_SESSION, "tls_session", why);
	int r = p->use_sites ? attach_spots(s, &p->links, b, pid, &returns, ATTACH_ENTRY, "tls_leave", why) :
			       attach_spots(s, &p->links, b, pid, &entries, ATTACH_RETURN, "tls_leave", why);
	return r < 0 ? r : attach_spots(s, &p->links, b, pid, &entries, ATTACH_ENTRY, "tls_enter", why);
}

static struct tls_process *process_of(struct tls_state *s, pid_t pid)
{
	struct tls_process *p = hashmap_get(&s->processes, (uint64_t)pid);
	if (!p) {
		p = xcalloc(1, sizeof(*p));
		hashmap_put(&s->processes, (uint64_t)pid, p);
	}
	return p;
}

static bool unwinds(struct tls_state *s, const struct process *process)
{
	for (size_t i = 0; i < process->mappings.n; i++) {
		const struct binary *b = binaries_get(&s->binaries, process->pid, &process->mappings.items[i]);
		if (b && binary_forbids_return_probes(b))
			return true;
	}
	return false;
}

static bool maps_nss(struct tls_state *s, const struct process *process)
{
	for (size_t i = 0; i < process->mappings.n; i++) {
		struct binary *b = binaries_get(&s->binaries, process->pid, &process->mappings.items[i]);
		if (b && library_of(s, b)->is_nss)
			return true;
	}
	return false;
}

static int tls_process_changed(struct engine *e, void *state, const struct process *process, struct reason *why)
{
	struct tls_state *s = state;
	struct tls_process *p = process_of(s, process->pid);
	_cleanup_(links_done) struct links former = {};
	int r = 0;
	(void)e;
	if (!p->use_sites && unwinds(s, process)) {
		former = p->links;
		p->links = (struct links){};
		hashmap_done(&p->done);
		p->use_sites = true;
	}
	bool nss = maps_nss(s, process);
	for (size_t i = 0; i < process->mappings.n && !s->detached; i++) {
		struct binary *b = binaries_get(&s->binaries, process->pid, &process->mappings.items[i]);
		struct tls_library *l = b ? library_of(s, b) : NULL;
		if (!l || !l->n || (l->needs_nss && !nss) || hashmap_put(&p->done, (uintptr_t)b, b))
			continue;
		int one = attach_library(s, p, process->pid, b, l, why);
		r = r < 0 || one == -ESRCH ? r : one; /* it may have ended */
	}
	return r;
}

static void drop_process(struct engine *e, struct tls_state *s, pid_t pid)
{
	struct tls_process *p = hashmap_remove(&s->processes, (uint64_t)pid);
	if (!p)
		return;
	if (e)
		engine_retire(e, &p->links);
	links_done(&p->links);
	hashmap_done(&p->done);
	free(p);
}

static void tls_process_gone(struct engine *e, void *state, const struct process *process)
{
	drop_process(e, state, process->pid);
}

/* Links live on with the process. What was decided for its former image is decided anew. */
static void tls_process_executed(struct engine *e, void *state, const struct process *process)
{
	struct tls_state *s = state;
	struct tls_process *p = hashmap_get(&s->processes, (uint64_t)process->pid);
	(void)e;
	if (p && p->use_sites)
		drop_process(NULL, s, process->pid); /* at once: the next image may map the same files */
}

/* ---- what they tell ---- */

static void take_session(struct tls_state *s, const struct tls_session_rec *rec)
{
	if (rec->head.length > SESSION_BYTES_MAX || (s->sessions.n >= TLS_SESSIONS_MAX && !hashmap_get(&s->sessions, rec->connection)))
		return;
	struct tls_session_rec *copy = xmalloc(rec->head.length);
	memcpy(copy, rec, rec->head.length);
	free(hashmap_put(&s->sessions, rec->connection, copy));
}

static void tls_decode(struct engine *e, void *state, const struct rec_head *head)
{
	struct tls_state *s = state;
	const struct tls_data_rec *data = (const void *)head;
	(void)e;
	if (head->type == TLS_DATA && head->length >= sizeof(*data) && data->captured <= head->length - sizeof(*data))
		bindings_data(s->bindings, data);
	else if (head->type == TLS_SESSION && head->length >= sizeof(struct tls_session_rec))
		take_session(s, (const void *)head);
}

static const struct tls_session_rec *tls_session(const void *state, const struct connection *c)
{
	return hashmap_get(&((const struct tls_state *)state)->sessions, c->number);
}

static void tls_save(struct engine *e, void *state)
{
	struct tls_state *s = state;
	size_t at = 0;
	uint64_t number;
	void *rec;
	while (hashmap_next(&s->sessions, &at, &number, &rec))
		engine_save_fact(e, rec);
}

static void tls_passed(struct engine *e, void *state, struct connection *c, const struct segment *segment)
{
	(void)e;
	bindings_passed(((struct tls_state *)state)->bindings, c, segment);
}

static void tls_closing(struct engine *e, void *state, struct connection *c)
{
	(void)e;
	bindings_closed(((struct tls_state *)state)->bindings, c);
}

static void tls_closed(struct engine *e, void *state, struct connection *c)
{
	(void)e;
	free(hashmap_remove(&((struct tls_state *)state)->sessions, c->number));
}

static void tls_conclude(struct engine *e, void *state)
{
	struct tls_state *s = state;
	uint64_t unbound = bindings_unbound(s->bindings);
	if (unbound)
		engine_note(e, "%llu pieces of TLS plaintext belong to no connection that was seen: requests there are missing",
			    (unsigned long long)unbound);
}

static void tls_detach(struct engine *e, void *state)
{
	struct tls_state *s = state;
	size_t at = 0;
	uint64_t pid;
	void *p;
	s->detached = true;
	while (hashmap_next(&s->processes, &at, &pid, &p))
		engine_retire(e, &((struct tls_process *)p)->links);
}

static void tls_close(struct engine *e, void *state)
{
	struct tls_state *s = state;
	size_t at = 0;
	uint64_t key;
	void *one;
	(void)e;
	while (hashmap_next(&s->processes, &at, &key, &one))
		drop_process(NULL, s, (pid_t)key);
	at = 0;
	while (hashmap_next(&s->libraries, &at, &key, &one))
		tls_library_free(one);
	hashmap_done(&s->processes);
	hashmap_done(&s->libraries);
	at = 0;
	while (hashmap_next(&s->sessions, &at, &key, &one))
		free(one);
	hashmap_done(&s->sessions);
	binaries_done(&s->binaries);
	bindings_free(s->bindings);
}

static const struct probe_shape tls_shapes[] = {
	{ "session", "--raw", ABILITY_BIT(ABILITY_UPROBE_SESSION), 0 },
	{ "multi", "--raw", ABILITY_BIT(ABILITY_UPROBE_MULTI), ABILITY_BIT(ABILITY_UPROBE_SESSION) },
	{ "uprobe", "--raw", ABILITY_BIT(ABILITY_UPROBE), ABILITY_BIT(ABILITY_UPROBE_MULTI) },
	{ "no-cookie", "--raw", ABILITY_BIT(ABILITY_UPROBE), ABILITY_BIT(ABILITY_COOKIE) },
	{},
};

const struct probe_ops tls_probe = {
	.name = "tls",
	.record_family = REC_TLS,
	.state_size = sizeof(struct tls_state),
	.shapes = tls_shapes,
	.open = tls_open,
	.load = tls_load,
	.process_changed = tls_process_changed,
	.process_gone = tls_process_gone,
	.process_executed = tls_process_executed,
	.decode = tls_decode,
	.passed = tls_passed,
	.closing = tls_closing,
	.closed = tls_closed,
	.session = tls_session,
	.conclude = tls_conclude,
	.save = tls_save,
	.detach = tls_detach,
	.close = tls_close,
};
