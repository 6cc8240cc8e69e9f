#include "cmd/cmd.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/macro.h"
#include "config/typo.h"

extern const struct cmd completion_cmd;
extern const struct cmd config_cmd;
extern const struct cmd explain_cmd;
extern const struct cmd export_cmd;
extern const struct cmd func_cmd;
extern const struct cmd help_cmd;
extern const struct cmd man_cmd;
extern const struct cmd record_cmd;
extern const struct cmd report_cmd;
extern const struct cmd req_cmd;
extern const struct cmd sys_cmd;
extern const struct cmd verify_cmd;
extern const struct cmd version_cmd;

extern const struct cmd doctor_cmd;

const struct cmd *const commands[] = {
	&func_cmd,
	&sys_cmd,
	&req_cmd,
	&record_cmd,
	&report_cmd,
	&export_cmd,
	&doctor_cmd,
	&verify_cmd,
	&explain_cmd,
	&config_cmd,
	&completion_cmd,
	&help_cmd,
	&version_cmd,
	&man_cmd,
	NULL,
};

const struct cmd *cmd_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (streq(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* A word of the user may hold a newline or an escape sequence: neither may reach the terminal through us. */
static void print_line(struct strbuf *line)
{
	for (size_t i = 0; i < line->len; i++)
		if (iscntrl((unsigned char)line->data[i]))
			line->data[i] = '?';
	fprintf(stderr, "utrace: %s\n", strbuf_str(line));
}

static int fail(int status, const char *help, const char *fmt, va_list ap)
{
	_cleanup_(strbuf_done) struct strbuf line = {};
	strbuf_addv(&line, fmt, ap);
	if (status == EXIT_USAGE && !strstr(strbuf_str(&line), "see: "))
		strbuf_addf(&line, " (see: %s)", help);
	print_line(&line);
	return status;
}

int cmd_fail(int status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fail(status, "utrace help", fmt, ap);
	va_end(ap);
	return status;
}

int cmd_usage(const struct cmd *cmd, const char *fmt, ...)
{
	char help[64];
	snprintf(help, sizeof(help), "utrace %s --help", cmd->called ? cmd->called : cmd->name);
	va_list ap;
	va_start(ap, fmt);
	fail(EXIT_USAGE, help, fmt, ap);
	va_end(ap);
	return EXIT_USAGE;
}

int cmd_unknown(const char *name)
{
	struct typo typo = { .want = name };
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			typo_offer(&typo, commands[i]->name);
	if (!typo.best)
		return cmd_fail(EXIT_USAGE, "no command is called '%.80s'", name);
	return cmd_fail(EXIT_USAGE, "no command is called '%.80s'; nearest: %s", name, typo.best);
}

int cmd_check_words(const struct cmd *cmd, const struct options *o, size_t min, size_t max)
{
	if (o->patterns.n < min)
		return cmd_usage(cmd, "%s needs more words: utrace %s %s", cmd->name, cmd->name, cmd->usage);
	if (o->patterns.n > max)
		return cmd_usage(cmd, "%s takes no '%.80s': utrace %s %s", cmd->name, o->patterns.items[max], cmd->name,
		                 cmd->usage);
	return 0;
}

/* Of the ways to name targets those that the events of a recording can answer. */
static int check_recorded_target(const struct cmd *cmd, const struct options *o)
{
	if (o->command)
		return cmd_usage(cmd, "a recording is of the past: -- COMMAND cannot be started for it");
	if (o->executables.n || o->cgroups.n || o->pidns.n || o->netns.n || o->mntns.n || o->users.n)
		return cmd_usage(cmd, "of a recording, targets are named by -p PID and -n NAME");
	return 0;
}

int cmd_check_target(const struct cmd *cmd, const struct options *o)
{
	if (o->from)
		return check_recorded_target(cmd, o);
	if (o->command && options_name_running(o))
		return cmd_usage(cmd, "-- COMMAND is a target by itself; -p, -n, -e, -u, --cgroup, --all name processes that run already: leave "
				      "out one or the other");
	if (options_have_target(o))
		return 0;
	return cmd_usage(cmd, "%s of which process? Name a target: -p PID, -n NAME, -e PATH, -u USER, --cgroup PATH, --all or "
	                      "-- COMMAND", cmd->name);
}

int cmd_print(const struct strbuf *out)
{
	if (fwrite(strbuf_str(out), 1, out->len, stdout) == out->len && fflush(stdout) == 0)
		return EXIT_DONE;
	return cmd_fail(EXIT_FAILED, "cannot write to standard output: %s", strerror(errno));
}

static void takers(struct strbuf *out, unsigned groups)
{
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden && (commands[i]->groups & groups))
			strbuf_addf(out, "%s%s", out->len ? ", " : "", commands[i]->name);
}

static int answer(const struct cmd *cmd, int outcome)
{
	_cleanup_(strbuf_done) struct strbuf out = {};
	if (outcome == OPTIONS_SHOW_HELP)
		help_command(&out, cmd);
	else
		version_text(&out);
	return cmd_print(&out);
}

const struct cmd *cmd_find_traced(const char *name)
{
	const struct cmd *cmd = cmd_find(name);
	return cmd && (cmd->groups & OPTIONS_RECORD) ? cmd : NULL;
}

static int run(const struct cmd *cmd, struct options *o, int argc, char **argv)
{
	log_max_level = o->quiet ? LOG_ERROR : o->verbose ? LOG_DEBUG : LOG_NOTE;
	return cmd->run_other ? cmd->run_other(cmd, o, argc, argv) : cmd->run(cmd, o);
}

int cmd_run_as(const struct cmd *cmd, unsigned groups, struct options *o, int argc, char **argv)
{
	int first = argc;
	struct option_scope scope = { .command = o->from ? "report" : cmd->name, .groups = groups, .takers = takers, .ret_word = cmd->run_other ? &first : NULL };
	struct reason why = {};
	int r = options_parse(o, &scope, argc, argv, &why);
	if (r < 0)
		return cmd_usage(cmd, "%s", why.text);
	return r == OPTIONS_RUN ? run(cmd, o, argc - first, argv + first) : answer(cmd, r);
}

int cmd_main(const struct cmd *cmd, int argc, char **argv)
{
	_cleanup_(options_done) struct options o;
	options_init(&o);
	return cmd_run_as(cmd, cmd->groups, &o, argc, argv);
}
