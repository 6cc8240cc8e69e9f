/* counts: what the counts of a system call are shown as; and, for a recording of single calls, the same counts made from them. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/histogram.h"
#include "base/macro.h"
#include "probe/syscall/internal.h"

static struct slice name_of(struct engine *e, uint8_t arch, uint32_t nr)
{
	const struct syscall_row *row = arch < SYSCALL_ARCHS ? syscall_by_number(arch, nr) : NULL;
	if (row)
		return slice_of(row->name);
	return nr == SYSCALL_OTHER ? SLICE("(unknown numbers)") : arena_printf(engine_arena(e), "syscall_%#x", nr);
}

static void show(struct engine *e, uint8_t arch, uint32_t nr, const struct syscall_stat *s)
{
	struct event ev;
	event_init(&ev, EVENT_SYSCALL_STAT);
	ev.field[SYSSTAT_FUNCTION] = STRING_VALUE(name_of(e, arch, nr));
	ev.field[SYSSTAT_CALLS] = UINT_VALUE(s->calls);
	ev.field[SYSSTAT_ERRORS] = UINT_VALUE(s->errors);
	ev.field[SYSSTAT_TOTAL] = UINT_VALUE(s->total_ns);
	ev.field[SYSSTAT_MIN] = UINT_VALUE(s->min_ns);
	ev.field[SYSSTAT_P50] = UINT_VALUE(histogram_quantile(s->bucket, SYSCALL_BUCKETS, 0.50, s->min_ns, s->max_ns));
	ev.field[SYSSTAT_P99] = UINT_VALUE(histogram_quantile(s->bucket, SYSCALL_BUCKETS, 0.99, s->min_ns, s->max_ns));
	ev.field[SYSSTAT_MAX] = UINT_VALUE(s->max_ns);
	engine_emit(e, &ev);
}

void syscall_show_stat(struct engine *e, const struct syscall_state *state, const struct syscall_stat_rec *rec)
{
	const struct syscall_bucket *buckets = (const void *)(rec + 1);
	if (rec->head.length < sizeof(*rec) || rec->buckets_n > (rec->head.length - sizeof(*rec)) / sizeof(*buckets))
		return;
	if (!syscall_is_wanted(state, rec->arch, rec->nr))
		return;
	struct syscall_stat s = { .calls = rec->calls, .errors = rec->errors, .total_ns = rec->total_ns, .min_ns = rec->min_ns, .max_ns = rec->max_ns };
	for (uint32_t i = 0; i < rec->buckets_n; i++)
		if (buckets[i].bucket < SYSCALL_BUCKETS)
			s.bucket[buckets[i].bucket] = buckets[i].count;
	show(e, rec->arch, rec->nr, &s);
}

/* As count_call() of syscall.bpf.c counts it. */
void syscall_count_call(struct syscall_state *state, const struct syscall_rec *rec)
{
	uint32_t nr = rec->nr < SYSCALL_MAX_NR ? rec->nr : SYSCALL_OTHER;
	uint64_t key = (uint64_t)rec->arch << 32 | nr;
	struct syscall_stat *s = hashmap_get(&state->counts, key);
	if (rec->flags & (SYSCALL_NO_RETURN | SYSCALL_COMPAT | SYSCALL_X32))
		return;
	if (!s)
		hashmap_put(&state->counts, key, s = xcalloc(1, sizeof(*s)));
	s->calls++;
	s->errors += rec->ret < 0 && rec->ret >= -4095;
	if (rec->flags & SYSCALL_NO_ENTRY)
		return; /* nobody knows how long it took */
	s->min_ns = s->min_ns ? MIN(s->min_ns, rec->duration_ns) : rec->duration_ns;
	s->max_ns = MAX(s->max_ns, rec->duration_ns);
	s->total_ns += rec->duration_ns;
	s->bucket[histogram_bucket(rec->duration_ns, SYSCALL_BUCKETS)]++;
}

void syscall_show_counts(struct engine *e, struct syscall_state *state)
{
	for (uint8_t arch = 0; state->counts.n && arch < SYSCALL_ARCHS; arch++)
		for (uint32_t nr = 0; nr < SYSCALL_MAX_NR; nr++) {
			const struct syscall_stat *s = hashmap_get(&state->counts, (uint64_t)arch << 32 | nr);
			if (s)
				show(e, arch, nr, s);
		}
}

void syscall_counts_done(struct syscall_state *state)
{
	size_t at = 0;
	uint64_t key;
	void *s;
	while (hashmap_next(&state->counts, &at, &key, &s))
		free(s);
	hashmap_done(&state->counts);
}
