/* open: calls that have been open for a second are shown before they end, so that what hangs is seen. */
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "priv/loader.h"
#include "probe/func/internal.h"

#define OPEN_FOR_NS NSEC_PER_SEC

/* Is this call, at depth @depth of the thread, still the one that was shown? */
static bool shown_already(struct func_state *s, const struct func_call_rec *call)
{
	uint64_t key = (uint64_t)call->head.tid << 32 | call->depth;
	void *number = (void *)(uintptr_t)call->call;
	return hashmap_put(&s->shown_open, key, number) == number;
}

static void show_thread(struct engine *e, struct func_state *s, struct func_thread *t, uint64_t now)
{
	uint32_t slot_bytes = s->slot_bytes, slots = FUNC_SLOTS_BYTES / slot_bytes;
	for (uint32_t i = 0; i < MIN(t->depth, slots); i++) {
		struct func_call_rec *call = (void *)(t->stack + (size_t)i * slot_bytes);
		if (call->head.time_ns == 0 || call->head.time_ns + OPEN_FOR_NS > now)
			return; /* those above it are younger still */
		if (call->flags & CALL_SKIPPED || shown_already(s, call))
			continue;
		call->flags |= CALL_STILL_OPEN;
		call->head.length = (uint16_t)(sizeof(*call) + call->fetched_bytes);
		call->head.generation = t->generation;
		if (call->fetched_bytes <= slot_bytes - sizeof(*call))
			engine_fact(e, &call->head);
	}
}

void func_show_open(struct engine *e, struct func_state *s)
{
	const struct options *o = engine_options(e);
	if (o->min_ns > OPEN_FOR_NS || o->where || s->exits == EXITS_NONE)
		return;
	int map = loader_map(engine_loader(e), "func_threads");
	_cleanup_(free) struct func_thread *t = xcalloc(1, sizeof(*t));
	uint64_t now = clock_monotonic_ns();
	uint32_t tid, next;
	if (s->shown_open.n > 65536)
		hashmap_done(&s->shown_open);
	for (int r = bpf_map_get_next_key(map, NULL, &next); r == 0; r = bpf_map_get_next_key(map, &tid, &next)) {
		tid = next;
		if (bpf_map_lookup_elem(map, &tid, t) == 0 && t->depth)
			show_thread(e, s, t, now);
	}
}
