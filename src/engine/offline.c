#include "engine/offline.h"

#include "base/clock.h"
#include "engine/internal.h"
#include "engine/pipeline.h"
#include "record/reader.h"
#include "sink/sink.h"

#define FLUSH_EVERY 65536 /* records, where a recording has no ticks for long */

/* What was lost where the recording is damaged, or cut short by the end of the tracer, is told as any other loss. */
static void tell_damage(struct engine *e)
{
	struct record_damage damage;
	record_reader_damage(e->job->from, &damage);
	if (damage.chunks)
		account_note(&e->account, SLICE("parts of the recording are damaged and left out"));
	e->account.malformed += damage.records;
}

/* --reparse: what was made of the bytes then is not what is asked for. */
static bool is_made_anew(const struct engine *e, const struct rec_head *rec)
{
	return e->job->options->reparse && rec->type >> 8 == REC_SPAN;
}

int offline_run(struct engine *e, struct reason *why)
{
	const struct rec_head *rec;
	uint64_t n = 0;
	int r;
	while (!e->stopping && !e->limit_reached && (r = record_reader_next(e->job->from, &rec, why)) != 0) {
		if (r < 0)
			return r;
		if (record_reader_after_cut(e->job->from))
			pipeline_cut(e);
		if (!is_made_anew(e, rec))
			engine_fact(e, rec);
		if (e->arena.used_bytes > ARENA_BYTES_A_BATCH)
			arena_reset(&e->arena);
		if (++n % FLUSH_EVERY == 0 && sink_flush(e->sink) < 0)
			break;
	}
	tell_damage(e);
	pipeline_finish(e);
	return 0;
}
