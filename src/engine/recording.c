#include "engine/recording.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "engine/internal.h"
#include "probe/sock/sock.abi.h"
#include "probe/tls/tls.abi.h"
#include "record/layout.h"
#include "record/writer.h"

#define SAVINGS_MAX 100               /* files that a trigger can make in one run */
#define SAVINGS_APART_NS NSEC_PER_SEC /* triggers that come sooner are counted alone */

DEFINE_CLEANUP(json_t *, json_decref)

struct recording {
	struct record_writer *writer;
	struct where *trigger; /* NULL: none, or the signal */
	bool is_ring, by_signal, saving_state, stopped;
	uint64_t saved_ns;
	uint32_t saved, ignored; /* triggers */
};

static json_t *words_of(const struct options *o)
{
	_cleanup_(text_list_done) struct text_list words = {};
	options_words(o, OPTIONS_SHOWING, &words);
	json_t *array = json_array();
	for (size_t i = 0; i < words.n; i++)
		json_array_append_new(array, json_string(words.items[i]));
	return array;
}

/* What a reader may want to know before the first record; `report` needs command and words to show it as it was shown. */
static char *make_meta(const struct engine *e)
{
	struct utsname u = {};
	uname(&u);
	_cleanup_(json_decref) json_t *meta = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:o}",
		"utrace", UTRACE_VERSION, "host", u.nodename, "kernel", u.release, "kernel_version", u.version, "machine", u.machine,
		"cpus", (json_int_t)sysconf(_SC_NPROCESSORS_CONF), "command", e->job->command, "words", words_of(e->job->options));
	return meta ? json_dumps(meta, JSON_COMPACT) : xstrdup("{}"); /* a host whose name is no UTF-8 */
}

/* "100M" or "10m": a size or a time. */
static int read_bound(const char *option, const char *text, uint64_t *ret_bytes, uint64_t *ret_ns, struct reason *why)
{
	if (!text || parse_bytes_or_time(text, ret_bytes, ret_ns) == 0)
		return 0;
	return reason_set(why, -EINVAL, "%s: '%.80s' is neither a size (100M) nor a time (10m)", option, text);
}

static int read_trigger(struct recording *r, const struct options *o, struct reason *why)
{
	if (o->trigger && !o->ring)
		return reason_set(why, -EINVAL, "--trigger saves what a ring holds: it needs --ring SIZE or TIME (--ring 200M)");
	r->by_signal = !o->trigger || streq(o->trigger, "SIGUSR2");
	return r->by_signal ? 0 : where_new(&r->trigger, "--trigger", o->trigger, why);
}

static void recording_free(struct recording *r)
{
	where_free(r->trigger);
	free(r);
}
DEFINE_CLEANUP(struct recording *, recording_free)

int recording_open(struct recording **ret, struct engine *e, struct reason *why)
{
	const struct options *o = engine_options(e);
	if (!o->record && !o->rotate && !o->ring && !o->trigger)
		return 0;
	if (!o->record)
		return reason_set(why, -EINVAL, "--rotate, --ring and --trigger say how --record FILE writes; where to?");
	if (o->ring && o->rotate)
		return reason_set(why, -EINVAL, "--ring keeps the newest alone, --rotate keeps all: choose one of them");
	_cleanup_(recording_free) struct recording *r = xcalloc(1, sizeof(*r));
	_cleanup_(free) char *meta = make_meta(e);
	struct record_writer_settings settings = { .tentative = true, .path = o->record, .meta = slice_of(meta), .layout = record_layout_own() };
	int error = read_trigger(r, o, why);
	if (error == 0)
		error = read_bound("--rotate", o->rotate, &settings.rotate_bytes, &settings.rotate_ns, why);
	if (error == 0)
		error = read_bound("--ring", o->ring, &settings.ring_bytes, &settings.ring_ns, why);
	if (error == 0)
		error = record_writer_open(&r->writer, &settings, why);
	if (error < 0)
		return error;
	r->is_ring = o->ring != NULL;
	*ret = take_ptr(r);
	return 0;
}

void engine_save_fact(struct engine *e, const struct rec_head *rec)
{
	record_writer_add(e->recording->writer, rec);
}

static void save_one(void *arg, const struct rec_head *rec)
{
	engine_save_fact(arg, rec);
}

static void save_note(struct engine *e, const char *text)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	struct run_note_rec rec = { .head = { .type = RUN_NOTE, .time_ns = e->now_ns }, .len = (uint32_t)strlen(text) };
	strbuf_add(&b, &rec, sizeof(rec));
	strbuf_adds(&b, text);
	strbuf_pad(&b, '\0', -b.len & 7);
	((struct rec_head *)b.data)->length = (uint16_t)b.len;
	engine_save_fact(e, (const struct rec_head *)b.data);
}

/* All that a reader who begins here has to know. */
static void save_state(struct engine *e)
{
	struct run_clock_rec clock = {
		.head = { .type = RUN_CLOCK, .length = sizeof(clock), .time_ns = e->now_ns },
		.realtime_offset_ns = e->realtime_offset_ns, .utc_offset_s = e->utc_offset_s,
	};
	if (e->realtime_offset_ns) /* else it is what is being told */
		engine_save_fact(e, &clock.head);
	names_save(&e->names, save_one, e);
	threads_save(&e->threads, save_one, e);
	for (size_t i = 0; i < e->account.notes.n; i++)
		save_note(e, e->account.notes.items[i]);
	for (size_t i = 0; i < e->n_families; i++)
		if (!e->families[i].off && e->families[i].ops->save)
			e->families[i].ops->save(e, e->families[i].state);
}

/*
 * What comes behind the limit is not shown, and so not kept; how the run ends is. Nor are the bytes that sockets carry, unless they are
 * asked for: the requests that were made of them are.
 */
static bool is_kept(const struct engine *e, const struct rec_head *rec)
{
	if ((rec->type == SOCK_DATA || rec->type == TLS_DATA) && !engine_options(e)->raw)
		return false;
	if (rec->type == SOCK_CLOSE) /* SOCK_ENDED will stand for it */
		return false;
	return !e->limit_reached || rec->type >> 8 == REC_FACT;
}

void recording_add(struct engine *e, const struct rec_head *rec)
{
	struct recording *r = e->recording;
	if (r->stopped || !is_kept(e, rec))
		return;
	if (record_writer_wants_state(r->writer)) {
		record_writer_begin_state(r->writer);
		save_state(e);
		record_writer_end_state(r->writer);
	}
	record_writer_add(r->writer, rec);
}

/* A full disk ends the recording, not the run; without a display there is nothing else to run for. */
static void check_writer(struct engine *e, struct recording *r)
{
	int error = record_writer_error(r->writer);
	if (!error || r->stopped)
		return;
	r->stopped = true;
	engine_note(e, "the recording '%s' stops here: %s; it can be read up to here", engine_options(e)->record, strerror(-error));
	if (engine_options(e)->silent)
		engine_stop(e, 1);
}

void recording_tick(struct engine *e)
{
	record_writer_tick(e->recording->writer, clock_monotonic_ns());
	check_writer(e, e->recording);
}

void recording_trigger(struct engine *e)
{
	struct recording *r = e->recording;
	uint64_t now = clock_monotonic_ns();
	if (!r->is_ring || r->saved == SAVINGS_MAX || (r->saved && now - r->saved_ns < SAVINGS_APART_NS)) {
		r->ignored++;
		return;
	}
	r->saved_ns = now;
	r->saved++;
	record_writer_save(r->writer);
}

void recording_event(struct engine *e, const struct event *event)
{
	struct recording *r = e->recording;
	if (r->trigger && event->type->of_task && where_matches_all(r->trigger, event))
		recording_trigger(e);
}

const struct where *recording_trigger_expression(const struct recording *r)
{
	return r->trigger;
}

bool recording_looks_at_events(const struct recording *r)
{
	return r && r->trigger;
}

bool recording_wants_signal(const struct recording *r)
{
	return r->is_ring && r->by_signal;
}

static void add_size(struct strbuf *out, uint64_t bytes)
{
	if (bytes < 10 * 1024)
		strbuf_addf(out, "%llu bytes", (unsigned long long)bytes);
	else if (bytes < 10 * 1024 * 1024)
		strbuf_addf(out, "%llu kB", (unsigned long long)bytes / 1024);
	else
		strbuf_addf(out, "%llu MB", (unsigned long long)bytes / 1024 / 1024);
}

static void tell_written(const struct engine *e, const struct recording *r, const struct record_written *w, struct strbuf *out)
{
	if (w->files == 0) {
		strbuf_addf(out, "; nothing was recorded: no trigger came");
		return;
	}
	strbuf_addf(out, "; recorded in '%s'", engine_options(e)->record);
	if (w->files > 1)
		strbuf_addf(out, " and %u more files", w->files - 1);
	strbuf_adds(out, ", ");
	add_size(out, w->bytes);
	if (r->ignored)
		strbuf_addf(out, " (%u more triggers came too soon after one another)", r->ignored);
}

int recording_begun(struct engine *e, struct reason *why)
{
	int r = record_writer_keep(e->recording->writer);
	return r < 0 ? reason_set(why, r, "the recording cannot be called '%s': %s", engine_options(e)->record, strerror(-r)) : 0;
}

void recording_drop(struct engine *e)
{
	_cleanup_(recording_free) struct recording *r = e->recording;
	e->recording = NULL;
	record_writer_drop(r->writer);
}

int recording_close(struct engine *e, struct strbuf *summary, struct reason *why)
{
	_cleanup_(recording_free) struct recording *r = e->recording;
	struct record_written written = {};
	e->recording = NULL;
	if (r->is_ring && r->by_signal && !engine_options(e)->trigger && !r->saved)
		record_writer_save(r->writer);
	int error = record_writer_close(r->writer, &written);
	tell_written(e, r, &written, summary);
	if (error < 0 && !r->stopped) /* else it has been told */
		reason_set(why, error, "the recording '%s' is not whole: %s; it can be read as far as it goes", engine_options(e)->record, strerror(-error));
	return error;
}
