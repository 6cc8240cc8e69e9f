/* The manual in man(7) source, from the tables that make --help: utrace(1) and a page a command. */
#include <ctype.h>
#include <string.h>

#include "base/macro.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "config/text.h"

/* No date: the same source makes the same page. */
static void title(struct strbuf *out, const char *page)
{
	strbuf_adds(out, ".TH ");
	for (; *page; page++)
		strbuf_addf(out, "%s%c", *page == '-' ? "\\" : "", toupper((unsigned char)*page));
	strbuf_adds(out, " 1 \"\" \"utrace " UTRACE_VERSION "\" \"User Commands\"\n.SH NAME\n");
}

static void paragraphs(struct strbuf *out, const char *text)
{
	const char *end;
	for (; (end = strstr(text, "\n\n")); text = end + 2) {
		_cleanup_(free) char *one = strndup(text, (size_t)(end - text));
		if (one)
			text_roff(out, one);
		strbuf_adds(out, "\n.PP\n");
	}
	text_roff(out, text);
	strbuf_addc(out, '\n');
}

static void item(struct strbuf *out, const char *term, const char *text)
{
	strbuf_adds(out, ".TP\n.B ");
	text_roff(out, term);
	strbuf_addc(out, '\n');
	text_roff(out, text);
	strbuf_addc(out, '\n');
}

static void exit_status(struct strbuf *out)
{
	strbuf_adds(out, ".SH EXIT STATUS\n");
	item(out, "0", "Done.");
	item(out, "1", "Something failed; one line on standard error says what, and what to do.");
	item(out, "2", "The command line or the configuration is wrong.");
}

static void exit_status_of_command(struct strbuf *out)
{
	exit_status(out);
	strbuf_adds(out, ".PP\nWith\n.B \\-\\- COMMAND\n"
	                 "it is that of the command (128 and the signal's number when one ended it), or:\n");
	item(out, "125", "utrace itself failed.");
	item(out, "126", "The command cannot be executed.");
	item(out, "127", "The command was not found.");
}

static void command_examples(struct strbuf *out, const struct cmd *cmd)
{
	if (!cmd->examples)
		return;
	strbuf_adds(out, ".SH EXAMPLES\n");
	for (const char *const *e = cmd->examples; e[0]; e += 2)
		item(out, e[0], e[1]);
}

static void command_page(struct strbuf *out, const struct cmd *cmd)
{
	char page[64] = "utrace-";
	strncat(page, cmd->name, sizeof(page) - strlen(page) - 1);
	title(out, page);
	text_roff(out, page);
	strbuf_adds(out, " \\- ");
	text_roff(out, cmd->summary);
	strbuf_addf(out, "\n.SH SYNOPSIS\n.B utrace %s\n", cmd->name);
	if (*cmd->usage) {
		text_roff(out, cmd->usage);
		strbuf_addc(out, '\n');
	}
	if (cmd->details) {
		strbuf_adds(out, ".SH DESCRIPTION\n");
		paragraphs(out, cmd->details);
	}
	strbuf_adds(out, ".SH OPTIONS\n");
	options_man(out, cmd->groups);
	if (cmd->groups & OPTIONS_FORMAT)
		format_man(out);
	command_examples(out, cmd);
	if (cmd->groups & OPTIONS_TARGET)
		exit_status_of_command(out);
	else
		exit_status(out);
	strbuf_adds(out, ".SH SEE ALSO\n.BR utrace (1)\n");
}

static void see_also(struct strbuf *out)
{
	bool first = true;
	strbuf_adds(out, ".SH SEE ALSO\n");
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden) {
			strbuf_addf(out, "%s.BR utrace\\-%s (1)", first ? "" : ",\n", commands[i]->name);
			first = false;
		}
	strbuf_addc(out, '\n');
}

static void main_page(struct strbuf *out)
{
	title(out, "utrace");
	strbuf_adds(out, "utrace \\- show what any program is doing, in any language\n.SH SYNOPSIS\n.B utrace\n"
	                 "COMMAND [TARGET] [WHAT] [OPTIONS]\n.SH DESCRIPTION\n");
	paragraphs(out, "utrace watches programs that run, without changing them: small programs in the kernel filter and record "
	                "what they do, utrace decodes and shows it.");
	strbuf_adds(out, ".SH COMMANDS\n");
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			item(out, commands[i]->name, commands[i]->summary);
	strbuf_adds(out, ".SH OPTIONS\nOf every command that traces; its own are in its page.\n");
	options_man(out, OPTIONS_GENERAL);
	strbuf_adds(out, ".SH ENVIRONMENT\nEach setting has a variable. It counts more than the configuration file and less "
	                 "than the command line; an empty one is as good as none.\n");
	options_man_environment(out);
	exit_status_of_command(out);
	see_also(out);
}

static int run(const struct cmd *self, struct options *o)
{
	int r = cmd_check_words(self, o, 0, 1);
	if (r)
		return r;
	const struct cmd *cmd = o->patterns.n ? cmd_find(o->patterns.items[0]) : NULL;
	if (o->patterns.n && !cmd)
		return cmd_unknown(o->patterns.items[0]);
	_cleanup_(strbuf_done) struct strbuf out = {};
	if (cmd)
		command_page(&out, cmd);
	else
		main_page(&out);
	return cmd_print(&out);
}

const struct cmd man_cmd = {
	.name = "man",
	.usage = "[COMMAND]",
	.summary = "the manual as man(7) source: utrace(1), or the page of a command",
	.hidden = true,
	.run = run,
};
