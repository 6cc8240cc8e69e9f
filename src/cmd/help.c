#include "base/macro.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "config/text.h"

static bool any_takes(unsigned groups)
{
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->groups & groups)
			return true;
	return false;
}

void help_overview(struct strbuf *out)
{
	strbuf_adds(out, "utrace " UTRACE_VERSION " shows what any program is doing, in any language, without changing it.\n\n"
	                 "usage: utrace COMMAND [TARGET] [WHAT] [OPTIONS]\n\n");
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			text_row(out, commands[i]->name, commands[i]->summary, 14);
	if (any_takes(OPTIONS_TARGET))
		strbuf_adds(out, "\nTARGET is -p PID, -n NAME, -e PATH, -u USER, --cgroup PATH, --all, or a program to start:\n"
		                 "-- COMMAND ARGS\n");
	strbuf_adds(out, "\nAll about a command: utrace help COMMAND, or man utrace-COMMAND\n");
}

void help_command(struct strbuf *out, const struct cmd *cmd)
{
	strbuf_addf(out, "utrace %s: ", cmd->name);
	text_wrap(out, cmd->summary, 0, 0);
	strbuf_addf(out, "\nusage: utrace %s%s%s\n", cmd->name, *cmd->usage ? " " : "", cmd->usage);
	if (cmd->details) {
		strbuf_addc(out, '\n');
		text_wrap(out, cmd->details, 0, 0);
	}
	options_help(out, cmd->groups);
	if (cmd->groups & OPTIONS_FORMAT)
		format_help(out);
	if (cmd->examples)
		strbuf_adds(out, "\nExamples:\n");
	for (const char *const *e = cmd->examples; e && e[0]; e += 2) {
		strbuf_addf(out, "  %s\n      ", e[0]);
		text_wrap(out, e[1], 6, 6);
	}
}

static void words(struct strbuf *out)
{
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			strbuf_addf(out, "%s\n", commands[i]->name);
}

static int run(const struct cmd *self, struct options *o)
{
	int r = cmd_check_words(self, o, 0, 1);
	if (r)
		return r;
	_cleanup_(strbuf_done) struct strbuf out = {};
	const struct cmd *cmd = o->patterns.n ? cmd_find(o->patterns.items[0]) : NULL;
	if (o->patterns.n && !cmd)
		return cmd_unknown(o->patterns.items[0]);
	if (cmd)
		help_command(&out, cmd);
	else
		help_overview(&out);
	return cmd_print(&out);
}

const struct cmd help_cmd = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "the commands, or all about one of them",
	.words = words,
	.run = run,
};
