/* report, export: show a recording as it was recorded, or as any other command would. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/macro.h"
#include "cmd/cmd.h"
#include "cmd/cut.h"
#include "net/capture.h"
#include "record/reader.h"

DEFINE_CLEANUP(json_t *, json_decref)

/* What cannot be asked of the past. */
#define GROUPS_OF_NOW (OPTIONS_TRACER | OPTIONS_RECORD | OPTIONS_LIST | OPTIONS_CAPTURE | OPTIONS_PROBES)

/* The words come from a stranger's file: they may say what is shown, never where it is written to or what is run. */
static bool only_show(const struct text_list *words)
{
	_cleanup_(options_done) struct options o;
	struct option_scope scope = { .command = "report", .groups = OPTIONS_SHOWING };
	struct reason why = {};
	options_init(&o);
	return words->n == 0 || options_parse(&o, &scope, (int)words->n, words->items, &why) == OPTIONS_RUN;
}

/* The command that made the recording, and its words. */
static int read_meta(const char *path, const struct cmd **ret_cmd, struct text_list *ret_words, struct reason *why)
{
	_cleanup_(record_reader_free) struct record_reader *reader = NULL;
	int r = record_reader_open(&reader, path, why);
	if (r < 0)
		return r;
	struct slice text = record_reader_meta(reader);
	_cleanup_(json_decref) json_t *meta = json_loadb(text.data, text.len, 0, NULL);
	const char *name = json_string_value(json_object_get(meta, "command"));
	*ret_cmd = name ? cmd_find_traced(name) : NULL;
	size_t i;
	json_t *word;
	json_array_foreach (json_object_get(meta, "words"), i, word)
		if (json_is_string(word))
			text_list_add(ret_words, json_string_value(word));
	if (!only_show(ret_words))
		*ret_cmd = NULL;
	return 0;
}

/* Does -o name a recording? It may stand before FILE or behind it. */
static bool cuts(const struct options *o, int argc, char **argv)
{
	bool found = cut_is_asked(o);
	for (int i = 1; i < argc && !found; i++) {
		size_t len = strlen(argv[i]);
		found = len > 4 && streq(argv[i] + len - 4, ".utr");
	}
	return found;
}

/* What shows FILE as it is: the command that made the recording, with its words; of packets, requests. */
static int find_out(const char *path, bool packets, const struct cmd **ret_cmd, struct text_list *ret_words, struct reason *why)
{
	if (!packets)
		return read_meta(path, ret_cmd, ret_words, why);
	*ret_cmd = cmd_find_traced("req");
	return 0;
}

static int show(const struct cmd *cmd, struct options *o, int argc, char **argv)
{
	_cleanup_(text_list_done) struct text_list words = {};
	const struct cmd *recorded = NULL, *other = argc > 1 ? cmd_find_traced(argv[1]) : NULL;
	struct reason why = {};
	if (argc == 0)
		return cmd_usage(cmd, "which recording? utrace %s FILE", cmd->name);
	bool packets = capture_is_one(argv[0]);
	if (find_out(argv[0], packets, &recorded, &words, &why) < 0)
		return cmd_fail(EXIT_FAILED, "%s", why.text);
	if (!other && argc > 1 && argv[1][0] != '-')
		return cmd_usage(cmd, "'%.80s' is no command that shows a recording: utrace %s FILE [func|sys|req ...]", argv[1], cmd->name);
	if (packets && other && other != recorded)
		return cmd_usage(cmd, "'%s' is a capture of packets: it holds requests alone (utrace %s FILE req)", argv[0], cmd->name);
	if (!other && !recorded)
		return cmd_fail(EXIT_FAILED, "'%s' was made by a command that this utrace does not know; name one: utrace %s FILE func", argv[0], cmd->name);
	if (other || (o->exporting && cuts(o, argc, argv)))
		text_list_done(&words); /* a part of a recording is cut by time alone: what else was asked then is no reason to refuse */
	for (int i = other ? 2 : 1; i < argc; i++)
		text_list_add(&words, argv[i]);
	o->from = argv[0];
	o->as_recorded = !other;
	other = other ? other : recorded;
	struct cmd as = *other;
	as.called = cmd->name;
	unsigned groups = (other->groups & ~GROUPS_OF_NOW) | OPTIONS_REPORT;
	return cmd_run_as(&as, groups, o, (int)words.n, words.items);
}

static int report_run(const struct cmd *cmd, struct options *o, int argc, char **argv)
{
	return show(cmd, o, argc, argv);
}

static int export_run(const struct cmd *cmd, struct options *o, int argc, char **argv)
{
	o->exporting = true;
	return show(cmd, o, argc, argv);
}

static const char *const report_examples[] = {
	"utrace report slow.utr", "as it was shown, or would have been",
	"utrace report slow.utr --since 14:02:10 --until 14:02:15", "five seconds of it",
	"utrace report slow.utr func --stat", "its calls as a table",
	"utrace report slow.utr --min 10ms --json", "its slow calls, as JSON",
	"utrace report web.pcap req --stat", "requests in a capture made by tcpdump, by route",
	NULL,
};

static const char *const export_examples[] = {
	"utrace export slow.utr -o slow.json", "every event as a line of JSON",
	"utrace export slow.utr --since 14:02:10 --until 14:02:15 -o part.utr", "five seconds of it, to be sent to somebody",
	NULL,
};

#define GROUPS_OF_REPORT \
	(OPTIONS_GENERAL | OPTIONS_SHOWING | OPTIONS_OUTPUT | OPTIONS_FORMAT | OPTIONS_EXPORT | OPTIONS_REPORT)

const struct cmd report_cmd = {
	.name = "report",
	.usage = "[OPTIONS] FILE [COMMAND [WHAT]] [OPTIONS]",
	.summary = "show a recording as it was recorded, or as any command would",
	.details = "FILE is what utrace record or --record wrote; the further files of a rotated recording are read with it. Without COMMAND it "
		   "is shown as the command that made it shows it, with its patterns, filters and tables; options that are given here come on top. With COMMAND "
		   "(func, sys, req) it is shown as that command would show it: other patterns, --stat, --where, --json.\n\n"
		   "A recording that the end of the tracer cut short is read to its last whole chunk. Nothing but FILE is needed: names are in it.\n\n"
		   "FILE may also be a capture of packets, pcap or pcapng, as tcpdump writes it: its requests are shown as their servers' ends saw them.",
	.groups = GROUPS_OF_REPORT,
	.examples = report_examples,
	.run_other = report_run,
};

const struct cmd export_cmd = {
	.name = "export",
	.usage = "[OPTIONS] FILE [COMMAND [WHAT]] -o FILE",
	.summary = "turn a recording into another format",
	.details = "What utrace report shows, written to a file in the format that its suffix, or --format, tells. A suffix .utr makes "
		   "another recording: the pieces of about a second in which something between --since and --until lies, with all names; it is cut by time "
		   "alone.",
	.groups = GROUPS_OF_REPORT,
	.examples = export_examples,
	.run_other = export_run,
};
