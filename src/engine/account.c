#include "engine/account.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/macro.h"

/* How each cause is called in JSON, and how people read it. */
static const struct {
	const char *name, *text;
} causes[LOSS_CAUSES] = {
	[LOSS_RING_FULL] = { "ring_full", "the buffer was full (--buffer makes it larger)" },
	[LOSS_FACTS_FULL] = { "facts_full", "the buffer of facts was full" },
	[LOSS_TOO_DEEP] = { "too_deep", "nested too deep (--depth looks at fewer levels)" },
	[LOSS_TOO_MANY_THREADS] = { "too_many_threads", "more threads than --max-threads" },
	[LOSS_NESTED] = { "nested", "interrupted our own bookkeeping" },
	[LOSS_UNWOUND] = { "unwound", "calls left by longjmp or an exception, too many at once" },
	[LOSS_NOT_HELD] = { "not_held", "processes that ran before they were probed" },
	[LOSS_TOO_MANY_CONNECTIONS] = { "too_many_connections", "no memory for another connection" },
};

const char *loss_name(enum loss_cause cause)
{
	return cause < LOSS_CAUSES ? causes[cause].name : "unknown";
}

void account_told(struct account *a, const struct event *lost)
{
	for (size_t i = 0; i < LOSS_CAUSES; i++)
		if (slice_eq_str(lost->field[LOST_CAUSE].s, causes[i].name))
			a->told[i] += lost->field[LOST_COUNT].u;
}

void account_done(struct account *a)
{
	for (size_t i = 0; i < a->notes.n; i++)
		free(a->notes.items[i]);
	a->notes.n = 0;
}

bool account_note(struct account *a, struct slice text)
{
	for (size_t i = 0; i < a->notes.n; i++)
		if (slice_eq_str(text, a->notes.items[i]))
			return false;
	if (a->notes.n < ARRAY_SIZE(a->notes.items))
		a->notes.items[a->notes.n++] = xstrndup(text.data, text.len);
	return true;
}

static int read_losses(int losses_fd, uint64_t ret[LOSS_CAUSES])
{
	int cpus = libbpf_num_possible_cpus();
	if (cpus < 0)
		return cpus;
	_cleanup_(free) uint64_t *per_cpu = xcalloc((size_t)cpus, sizeof(*per_cpu));
	for (uint32_t cause = 0; cause < LOSS_CAUSES; cause++) {
		if (bpf_map_lookup_elem(losses_fd, &cause, per_cpu) < 0)
			return -errno;
		ret[cause] = 0;
		for (int cpu = 0; cpu < cpus; cpu++)
			ret[cause] += per_cpu[cpu];
	}
	return 0;
}

uint64_t account_lost_facts(int losses_fd)
{
	uint64_t losses[LOSS_CAUSES];
	return read_losses(losses_fd, losses) < 0 ? 0 : losses[LOSS_FACTS_FULL];
}

int account_begin(struct account *a, int losses_fd)
{
	return read_losses(losses_fd, a->before);
}

static uint64_t own_cpu_ns(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NSEC_PER_SEC +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * NSEC_PER_USEC;
}

int account_read(const struct account *a, int losses_fd, struct run_account_rec *ret)
{
	uint64_t lost[LOSS_CAUSES] = {};
	int r = losses_fd < 0 ? 0 : read_losses(losses_fd, lost);
	for (size_t cause = 0; r == 0 && cause < LOSS_CAUSES; cause++)
		ret->lost[cause] = lost[cause] - a->before[cause];
	ret->lost[LOSS_NOT_HELD] += a->not_held;
	ret->cpu_ns = own_cpu_ns();
	return r;
}

void account_take(struct account *a, const struct run_account_rec *rec)
{
	_Static_assert(LOSS_CAUSES <= RUN_CAUSES, "a cause has no room in the record");
	for (size_t cause = 0; cause < LOSS_CAUSES; cause++)
		a->lost[cause] = rec->lost[cause];
	a->malformed = rec->malformed;
	a->cpu_ns = rec->cpu_ns;
}

uint64_t account_lost(const struct account *a)
{
	uint64_t sum = a->malformed;
	for (size_t i = 0; i < LOSS_CAUSES; i++)
		sum += a->lost[i];
	return sum;
}

void account_text(const struct account *a, struct strbuf *out)
{
	strbuf_addf(out, "%llu events, %llu lost", (unsigned long long)a->shown, (unsigned long long)account_lost(a));
	const char *before = " (";
	for (size_t i = 0; i < LOSS_CAUSES; i++) {
		if (!a->lost[i])
			continue;
		strbuf_addf(out, "%s%llu: %s", before, (unsigned long long)a->lost[i], causes[i].text);
		before = "; ";
	}
	if (before[0] == ';')
		strbuf_addc(out, ')');
	strbuf_addf(out, ", %.2f s of CPU for the tracer itself", (double)a->cpu_ns / NSEC_PER_SEC);
}

void account_event(const struct account *a, struct arena *arena, struct event *ret)
{
	event_init(ret, EVENT_SUMMARY);
	ret->field[SUMMARY_EVENTS] = UINT_VALUE(a->shown);
	struct named_value *lost = arena_new(arena, struct named_value, LOSS_CAUSES + 1);
	size_t n = 0;
	for (size_t i = 0; i < LOSS_CAUSES; i++)
		if (a->lost[i])
			lost[n++] = (struct named_value){ .name = slice_of(causes[i].name), .value = UINT_VALUE(a->lost[i]) };
	if (a->malformed)
		lost[n++] = (struct named_value){ .name = SLICE("malformed"), .value = UINT_VALUE(a->malformed) };
	ret->field[SUMMARY_LOST] = (struct value){ .kind = VALUE_STRUCT, .list = { lost, n } };
	ret->field[SUMMARY_CPU] = UINT_VALUE(a->cpu_ns);
	struct named_value *notes = arena_new(arena, struct named_value, a->notes.n + 1);
	for (size_t i = 0; i < a->notes.n; i++)
		notes[i].value = STRING_VALUE(slice_of(a->notes.items[i]));
	if (a->notes.n)
		ret->field[SUMMARY_NOTES] = (struct value){ .kind = VALUE_LIST, .list = { notes, a->notes.n } };
}
