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

/* What is missing of a recording is said, once and at its end. */
static void tell_damage(const struct options *o, const struct record_reader *from)
{
	struct record_damage d;
	if (!from)
		return;
	record_reader_damage(from, &d);
	if (d.not_closed)
		log_note("the recording '%s' was not closed (its tracer was ended by force, or still writes): it is shown as far as it goes", o->from);
	if (d.chunks || d.records)
		log_note("parts of the recording '%s' are damaged: %llu pieces and %llu single records are left out", o->from,
			 (unsigned long long)d.chunks, (unsigned long long)d.records);
}

/* Would what is shown be written over what it is read from? */
static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	return a && b && stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The machine that it happens or happened on; NULL: what it is read from does not tell. The caller frees it. */
static char *host_of(const struct options *o, const struct record_reader *from)
{
	struct utsname here;
	if (o->from && !from)
		return NULL;
	if (!from)
		return uname(&here) == 0 ? xstrdup(here.nodename) : NULL;
	struct slice text = record_reader_meta(from);
	_cleanup_(json_decref) json_t *meta = json_loadb(text.data, text.len, 0, NULL);
	return xstrdup(json_string_value(json_object_get(meta, "host")));
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

int cmd_trace(const struct cmd *cmd, struct options *o, const char *const *families)
{
	struct reason why = {};
	if (!o->from && !o->stat && !o->hist && (o->sort || o->columns))
		return cmd_usage(cmd, "%s is for tables: add --stat", o->sort ? "--sort" : "--columns");
	if (writes_over_source(o))
		return cmd_usage(cmd, "'%.80s' is what is read; it would be overwritten", o->output);
	bool is_packets = o->from && capture_is_one(o->from);
	int status = is_packets ? check_packets(cmd, o) : 0;
	if (status)
		return status;
	if (cut_is_asked(o))
		return cut_run(cmd, o);
	const struct sink_ops *format;
	uint32_t events = probe_events(families, o->stat || o->hist);
	if (o->from)
		events |= probe_events(families, true); /* it may have been counted when it was recorded */
	status = o->silent ? record_to(cmd, o, &format) : format_choose(cmd, o, events, &format);
	if (status == 0)
		status = check(cmd, o);
	if (status)
		return status;
	_cleanup_(record_reader_free) struct record_reader *from = NULL;
	_cleanup_(capture_free) struct capture *packets = NULL;
	uint64_t since_ns = 0, until_ns = UINT64_MAX;
	int r = o->from ? span_of(o, &since_ns, &until_ns, &why) : 0;
	if (r == 0 && o->from)
		r = is_packets ? capture_open(&packets, o->from, &why) : record_reader_open(&from, o->from, &why);
	if (r < 0)
		return r == -EINVAL ? cmd_usage(cmd, "%s", why.text) : cmd_fail(EXIT_FAILED, "%s", why.text);
	if (from)
		record_reader_seek(from, since_ns, until_ns);
	_cleanup_(free) char *host = host_of(o, from);
	_cleanup_(exports_free) struct exports *exports = NULL;
	struct exports_settings receivers = { .options = o, .host = host, .patient = o->from != NULL };
	r = exports_new(&exports, &receivers, &why);
	if (r < 0)
		return r == -EINVAL ? cmd_usage(cmd, "%s", why.text) : cmd_fail(exit_failed(o), "%s", why.text);
	FILE *out = open_output(o, &why);
	if (!out)
		return cmd_fail(exit_failed(o), "%s", why.text);
	struct sink_settings settings = {
		.out = out, .color = wants_color(o, out), .resource = { .host = host }, .sort = o->sort, .columns = o->columns, .flat = o->where != NULL, .histograms = o->hist,
		.shared = o->command && out == stdout,
		.events = events,
	};
	struct sink *sink;
	if (sink_open(&sink, format, &settings, &why) < 0)
		return cmd_usage(cmd, "%s", why.text);
	_cleanup_(strbuf_done) struct strbuf summary = {}, left_out = {};
	struct engine_job job = {
		.command = cmd->name, .options = o, .families = families, .sink = sink, .exports = exports, .summary = &summary,
		.from = from, .packets = packets, .since_ns = since_ns, .until_ns = until_ns,
	};
	status = engine_run(&job, &why);
	sink_left_out(sink, &left_out);
	int written = sink_close(sink);
	if (out != stdout && out != stderr && fclose(out) != 0 && written == 0)
		written = -errno;
	if (written < 0 && written != -EPIPE)
		return cmd_fail(exit_failed(o), "%s could not be written to its end: %s", name_of(o, out), strerror(-written));
	tell_damage(o, from);
	if (left_out.len)
		log_note("no place in %s for: %s", format->name, left_out.data);
	if (summary.len)
		log_note("%s", summary.data);
	if (status == 0 && o->from && exports_lost_any(exports))
		return EXIT_FAILED; /* the last line says how many, and why */
	if (why.text[0])
		return status == EXIT_USAGE ? cmd_usage(cmd, "%s", why.text) : cmd_fail(status, "%s", why.text);
	return status;
}
