#include "cmd/format.h"

#include <unistd.h>

#include "base/macro.h"
#include "config/text.h"

/* "text, json, csv": those that there are for such events. */
static int no_format(const struct cmd *cmd, uint32_t events, const char *why, const char *name)
{
	_cleanup_(strbuf_done) struct strbuf names = {};
	sink_names(&names, events);
	return cmd_usage(cmd, "%s '%.80s'; there are: %s", why, name, strbuf_str(&names));
}

/* Neither a terminal nor the stderr of a traced command is a place for what people cannot read. */
static int check_place(const struct cmd *cmd, const struct options *o, const struct sink_ops *ops)
{
	bool is_file = o->output && !streq(o->output, "-");
	if (!ops->for_people && o->command && !o->output)
		return cmd_usage(cmd, "%s with -- COMMAND needs -o FILE (-o - is stdout): the command's standard error is for people", ops->name);
	if (ops->binary && !is_file && isatty(STDOUT_FILENO))
		return cmd_usage(cmd, "%s is nothing for a terminal: -o FILE", ops->name);
	return 0;
}

int format_choose(const struct cmd *cmd, const struct options *o, uint32_t events, const struct sink_ops **ret)
{
	const char *name = o->format ? o->format : o->json ? "json" : NULL;
	const struct sink_ops *ops = name ? sink_find(name) : o->output ? sink_of_file(o->output) : NULL;
	if (!ops && name)
		return no_format(cmd, ~0u, "no format is called", name);
	if (!ops && o->exporting)
		return no_format(cmd, events, "export needs -o FILE with the suffix of a format, or --format; none of these is", o->output ? o->output : "");
	if (!ops)
		ops = sink_find("text");
	if (ops->needs)
		return cmd_usage(cmd, "this build of utrace has no %s: it was made without %s", ops->name, ops->needs);
	if (!(ops->takes & events))
		return no_format(cmd, events, "what is asked for has no place in the format", ops->name);
	int r = check_place(cmd, o, ops);
	if (r == 0)
		*ret = ops;
	return r;
}

static void add_summary(struct strbuf *out, const struct sink_ops *ops)
{
	strbuf_adds(out, ops->summary);
	const char *before = " (-o *";
	for (const char *const *suffix = ops->suffixes; *suffix; suffix++, before = " *")
		strbuf_addf(out, "%s%s", before, *suffix);
	strbuf_addc(out, ')');
	if (ops->needs)
		strbuf_addf(out, "; not in this build, which was made without %s", ops->needs);
}

void format_help(struct strbuf *out)
{
	strbuf_adds(out, "\nFormats:\n");
	for (size_t i = 0; sinks[i]; i++) {
		_cleanup_(strbuf_done) struct strbuf summary = {};
		add_summary(&summary, sinks[i]);
		text_row(out, sinks[i]->name, strbuf_str(&summary), 12);
	}
}

void format_man(struct strbuf *out)
{
	strbuf_adds(out, ".SH FORMATS\n");
	for (size_t i = 0; sinks[i]; i++) {
		_cleanup_(strbuf_done) struct strbuf summary = {};
		add_summary(&summary, sinks[i]);
		strbuf_addf(out, ".TP\n.B %s\n", sinks[i]->name);
		text_roff(out, strbuf_str(&summary));
		strbuf_adds(out, ".\n");
	}
}

void format_words(struct strbuf *out)
{
	for (size_t i = 0; sinks[i]; i++)
		strbuf_addf(out, "%s%s", i ? " " : "", sinks[i]->name);
}
