#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/macro.h"
#include "cmd/cut.h"
#include "cmd/doctor.h"
#include "cmd/format.h"
#include "cmd/span.h"
#include "engine/engine.h"
#include "export/exports.h"
#include "net/capture.h"
#include "priv/ability.h"
#include "probe/probe.h"
#include "record/reader.h"
#include "sink/sink.h"

DEFINE_CLEANUP(json_t *, json_decref)

/* The command's own stderr belongs to people and to the command; ours goes there too, as strace's does, unless -o says where. */
static FILE *open_output(const struct options *o, struct reason *why)
{
	if (o->output && streq(o->output, "-"))
		return stdout;
	if (!o->output)
		return o->command ? stderr : stdout;
	FILE *f = fopen(o->output, "we");
	if (!f)
		reason_set(why, -errno, "'%s' cannot be written: %s", o->output, strerror(errno));
	return f;
}

static const char *name_of(const struct options *o, FILE *out)
{
	return out == stdout ? "standard output" : out == stderr ? "standard error" : o->output;
}

static bool wants_color(const struct options *o, FILE *out)
{
	if (o->color != COLOR_AUTO)
		return o->color == COLOR_ALWAYS;
	const char *no = getenv("NO_COLOR");
	return isatty(fileno(out)) && !(no && *no);
}

/* utrace record -o FILE: that is where records go; nothing is shown. */
static int record_to(const struct cmd *cmd, struct options *o, const struct sink_ops **ret)
{
	*ret = &none_sink;
	if (!o->record) {
		o->record = o->output;
		o->output = NULL;
	}
	return o->record && !streq(o->record, "-") ? 0 : cmd_usage(cmd, "record needs a file: utrace record -o FILE %s ...", cmd->name);
}

static int check(const struct cmd *cmd, struct options *o)
{
	struct reason why = {};
	if (o->from)
		return 0;
	if (ability_check_without(&why) < 0)
		return cmd_usage(cmd, "%s", why.text);
	return doctor_check(exit_failed(o));
}

/* What is missing of a recording is said, once and at its end. Returns whether there is damage; not to be closed is none. */
static bool tell_damage(const struct options *o, const struct record_reader *from)
{
	struct record_damage d = {};
	if (from)
		record_reader_damage(from, &d);
	if (d.not_closed)
		log_note("the recording '%s' was not closed (its tracer was ended by force, or still writes): it is shown as far as it goes", o->from);
	if (d.chunks || d.records)
		log_note("parts of the recording '%s' are damaged: %llu pieces and %llu single records are left out", o->from,
			 (unsigned long long)d.chunks, (unsigned long long)d.records);
	return d.chunks || d.records;
}

/* Would what is shown be written over what it is read from? */
static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	return a && b && stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Are they one file, or would they be? */
static bool same_name(const char *a, const char *b)
{
	while (strncmp(a, "./", 2) == 0)
		a += 2;
	while (strncmp(b, "./", 2) == 0)
		b += 2;
	return streq(a, b) || same_file(a, b);
}

/* What the meta of a recording says of @key; NULL: nothing. The caller frees it. */
static char *meta_of(const struct record_reader *from, const char *key)
{
	struct slice text = record_reader_meta(from);
	_cleanup_(json_decref) json_t *meta = json_loadb(text.data, text.len, 0, NULL);
	return xstrdup(json_string_value(json_object_get(meta, key)));
}

/* The machine that it happens or happened on; NULL: what it is read from does not tell. The caller frees it. */
static char *host_of(const struct options *o, const struct record_reader *from)
{
	struct utsname here;
	if (o->from && !from)
		return NULL;
	if (!from)
		return uname(&here) == 0 ? xstrdup(here.nodename) : NULL;
	return meta_of(from, "host");
}

/* The same of each file of a rotated recording. */
static bool writes_over_source(const struct options *o)
{
	bool same = same_file(o->from, o->output), there = o->from;
	for (unsigned i = 1; there && !same; i++) {
		_cleanup_(free) char *next = xasprintf("%s.%u", o->from, i);
		there = access(next, F_OK) == 0;
		same = there && same_file(next, o->output);
	}
	return same;
}

/* What a capture of packets cannot be asked. */
static int check_packets(const struct cmd *cmd, const struct options *o)
{
	if (o->pids.n || o->names.n)
		return cmd_usage(cmd, "packets belong to no process: -p and -n have nothing to choose from in a capture; --port does");
	return cut_is_asked(o) ? cmd_usage(cmd, "a capture of packets is no recording, and is not written as one") : 0;
}

/* A run: what it reads, and where what it shows goes. */
struct run {
	const struct cmd *cmd;
	struct options *options;
	const char *const *families;
	const struct sink_ops *format;
	uint32_t events;            /* which may come: 1 << enum event_id */
	struct record_reader *from; /* NULL: live, or packets */
	struct capture *packets;    /* NULL: live, or a recording */
	uint64_t since_ns, until_ns;
	char *host;
	struct exports *exports;
	FILE *out;
	struct sink *sink;
};

static void run_done(struct run *run)
{
	exports_free(run->exports);
	capture_free(run->packets);
	record_reader_free(run->from);
	free(run->host);
}
DEFINE_CLEANUP_IN_PLACE(struct run, run_done)

/* Which words do not go together? 0 or EXIT_USAGE, and said. */
static int check_words(const struct cmd *cmd, const struct options *o)
{
	if (!o->from && !o->stat && !o->hist && (o->sort || o->columns))
		return cmd_usage(cmd, "%s is for tables: add --stat", o->sort ? "--sort" : "--columns");
	if (writes_over_source(o))
		return cmd_usage(cmd, "'%.80s' is what is read; it would be overwritten", o->output);
	if (o->record && o->output && same_name(o->record, o->output))
		return cmd_usage(cmd, "--record and -o both write '%.80s'", o->output);
	return o->from && capture_is_one(o->from) ? check_packets(cmd, o) : 0;
}

static int choose_format(struct run *run)
{
	struct options *o = run->options;
	run->events = probe_events(run->families, o->stat || o->hist);
	if (o->from)
		run->events |= probe_events(run->families, true); /* it may have been counted when it was recorded */
	int status = o->silent ? record_to(run->cmd, o, &run->format) : format_choose(run->cmd, o, run->events, &run->format);
	return status ? status : check(run->cmd, o);
}

static int open_source(struct run *run, struct reason *why)
{
	const struct options *o = run->options;
	if (!o->from)
		return 0;
	int r = span_of(o, &run->since_ns, &run->until_ns, why);
	if (r == 0)
		r = capture_is_one(o->from) ? capture_open(&run->packets, o->from, why) : record_reader_open(&run->from, o->from, why);
	if (r == 0 && run->from)
		record_reader_seek(run->from, run->since_ns, run->until_ns);
	return r;
}

/* -EINVAL: words are wrong. */
static int open_display(struct run *run, struct reason *why)
{
	const struct options *o = run->options;
	struct exports_settings receivers = { .options = o, .host = run->host, .patient = o->from != NULL };
	int r = exports_new(&run->exports, &receivers, why);
	if (r < 0)
		return r;
	run->out = open_output(o, why);
	if (!run->out)
		return -EIO; /* said already: why it cannot be written */
	struct sink_settings settings = {
		.out = run->out, .color = wants_color(o, run->out), .resource = { .host = run->host }, .sort = o->sort, .columns = o->columns,
		.flat = o->where != NULL, .histograms = o->hist, .shared = o->command && run->out == stdout, .events = run->events,
	};
	return sink_open(&run->sink, run->format, &settings, why) < 0 ? -EINVAL : 0;
}

/* A recording holds what one command saw: asked for what another shows, it has nothing. */
static void tell_foreign(const struct run *run)
{
	_cleanup_(free) char *recorded = run->from ? meta_of(run->from, "command") : NULL;
	if (recorded && !streq(recorded, run->cmd->name))
		log_note("the recording holds what '%.80s' saw; there are no %s in it", recorded, run->cmd->things);
}

/* What was shown is complete on disk, or said not to be; then come the last lines. Returns the exit status. */
static int conclude(struct run *run, int status, const struct strbuf *summary, const struct reason *why)
{
	const struct options *o = run->options;
	_cleanup_(strbuf_done) struct strbuf left_out = {};
	sink_left_out(run->sink, &left_out);
	int written = sink_close(run->sink);
	if (run->out != stdout && run->out != stderr && fclose(run->out) != 0 && written == 0)
		written = -errno;
	if (written < 0 && written != -EPIPE)
		return cmd_fail(exit_failed(o), "%s could not be written to its end: %s", name_of(o, run->out), strerror(-written));
	bool damaged = tell_damage(o, run->from);
	tell_foreign(run);
	if (left_out.len)
		log_note("no place in %s for: %s", run->format->name, left_out.data);
	if (summary->len)
		log_note("%s", summary->data);
	if (status == 0 && (damaged || (o->from && exports_lost_any(run->exports))))
		return EXIT_FAILED; /* said already */
	if (why->text[0])
		return status == EXIT_USAGE ? cmd_usage(run->cmd, "%s", why->text) : cmd_fail(status, "%s", why->text);
	return status;
}

int cmd_trace(const struct cmd *cmd, struct options *o, const char *const *families)
{
	struct reason why = {};
	int status = check_words(cmd, o);
	if (status)
		return status;
	if (cut_is_asked(o))
		return cut_run(cmd, o);
	_cleanup_(run_done) struct run run = { .cmd = cmd, .options = o, .families = families, .until_ns = UINT64_MAX };
	status = choose_format(&run);
	if (status)
		return status;
	int r = open_source(&run, &why);
	run.host = r < 0 ? NULL : host_of(o, run.from);
	if (r == 0)
		r = open_display(&run, &why);
	if (r < 0)
		return r == -EINVAL ? cmd_usage(cmd, "%s", why.text) : cmd_fail(exit_failed(o), "%s", why.text);
	_cleanup_(strbuf_done) struct strbuf summary = {};
	struct engine_job job = {
		.command = cmd->name, .options = o, .families = families, .sink = run.sink, .exports = run.exports, .summary = &summary,
		.from = run.from, .packets = run.packets, .since_ns = run.since_ns, .until_ns = run.until_ns,
	};
	status = engine_run(&job, &why);
	return conclude(&run, status, &summary, &why);
}
