#include "cmd/cut.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/macro.h"
#include "cmd/span.h"
#include "engine/fact.abi.h"
#include "record/layout.h"
#include "record/reader.h"
#include "record/writer.h"

bool cut_is_asked(const struct options *o)
{
	const char *suffix = o->output ? strrchr(o->output, '.') : NULL;
	return o->exporting && suffix && streq(suffix, ".utr");
}

static void add_cut(struct record_writer *w, uint64_t time_ns)
{
	struct rec_head cut = { .type = RUN_CUT, .length = sizeof(cut), .time_ns = time_ns };
	record_writer_add(w, &cut);
}

/* Facts that come before the first other record are the state that the part begins with. */
static int copy(struct record_reader *r, struct record_writer *w, struct reason *why)
{
	const struct rec_head *rec;
	bool in_state = true;
	int more;
	record_writer_begin_state(w);
	while ((more = record_reader_next(r, &rec, why)) > 0) {
		bool begins = in_state && !rec_is_fact(rec->type);
		if (begins) {
			record_writer_end_state(w);
			in_state = false;
		}
		if (begins || (!in_state && record_reader_after_cut(r)))
			add_cut(w, rec->time_ns);
		record_writer_add(w, rec);
	}
	if (in_state)
		record_writer_end_state(w);
	return more;
}

/* Who sends a part to somebody must not believe that more was left out than is. */
static bool asks_more(const struct options *o)
{
	return o->patterns.n || o->pids.n || o->names.n || o->min_ns || o->depth || o->where || o->limit || o->stat || o->hist || o->path || o->method ||
	       o->status || o->ports.n || !o->args;
}

int cut_run(const struct cmd *cmd, const struct options *o)
{
	if (asks_more(o))
		return cmd_usage(cmd, "a recording is cut by --since and --until alone: patterns and other filters are for report and other formats");
	_cleanup_(record_reader_free) struct record_reader *reader = NULL;
	struct record_writer *writer = NULL;
	struct record_written written = {};
	struct reason why = {};
	uint64_t since_ns, until_ns;
	int r = span_of(o, &since_ns, &until_ns, &why);
	if (r == -EINVAL)
		return cmd_usage(cmd, "%s", why.text);
	if (r == 0)
		r = record_reader_open(&reader, o->from, &why);
	if (r < 0)
		return cmd_fail(EXIT_FAILED, "%s", why.text);
	record_reader_seek(reader, since_ns, until_ns);
	struct record_writer_settings settings = { .path = o->output, .meta = record_reader_meta(reader), .layout = record_layout_own() };
	r = record_writer_open(&writer, &settings, &why);
	if (r < 0)
		return cmd_fail(EXIT_FAILED, "%s", why.text);
	r = copy(reader, writer, &why);
	int error = record_writer_close(writer, &written);
	if (r < 0 || error < 0)
		return cmd_fail(EXIT_FAILED, "'%s' is not whole: %s", o->output, r < 0 ? why.text : strerror(-error));
	log_note("%llu records in '%s', %llu kB", (unsigned long long)written.records, o->output, (unsigned long long)written.bytes / 1024);
	return EXIT_DONE;
}
