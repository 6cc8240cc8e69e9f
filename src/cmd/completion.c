/*
 * Completion for three shells, from the command and option tables. The scripts are whole: a key press starts no utrace.
 * What a value may be is told by the metavar of its option (struct completer), or by the option's own words.
 */
#include <string.h>

#include "base/macro.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "config/option_row.h"

/* One column a shell: how it is asked for such names. */
static const struct completer {
	const char *metavar;
	const char *bash; /* commands that fill COMPREPLY for $cur */
	const char *zsh;  /* action of _arguments */
	const char *fish; /* arguments of complete */
	void (*words)(struct strbuf *out); /* in place of these: all that it may be, separated by blanks; NULL: no list */
} completers[] = {
	{ "FILE", "_utrace_files", "_files", "-r -F" },
	{ "PATH", "_utrace_files", "_files", "-r -F" },
	{ "PID", "_utrace_words \"$(cd /proc && echo [0-9]*)\"", "_pids", "-x -a '(__fish_complete_pids)'" },
	{ "USER", "_utrace_words \"$(compgen -u)\"", "_users", "-x -a '(__fish_complete_users)'" },
	{ "NAME", "_utrace_words \"$(cat /proc/[0-9]*/comm 2>/dev/null | sort -u)\"",
	  "{_wanted names expl name compadd - ${(f)\"$(cat /proc/[0-9]*/comm(N) 2>/dev/null)\"}}",
	  "-x -a '(cat /proc/*/comm 2>/dev/null | sort -u)'" },
	{ "FORMAT", .words = format_words },
	{ NULL, "return", " ", "-x" },
};

static const struct completer *completer_of(const struct option_row *row)
{
	const struct completer *c = completers;
	while (c->metavar && !streq(c->metavar, row->metavar))
		c++;
	return c;
}

/* In single quotes; a quote itself is written '\'', which all three shells read alike. */
static void add_quoted(struct strbuf *out, const char *text)
{
	strbuf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			strbuf_adds(out, "'\\''");
		else
			strbuf_addc(out, *text);
	}
	strbuf_addc(out, '\'');
}

/* What the value may be, separated by blanks; nothing where that is no list. */
static void add_words(struct strbuf *out, const struct option_row *row)
{
	for (size_t i = 0; row->words && row->words[i]; i++)
		strbuf_addf(out, "%s%s", i ? " " : "", row->words[i]);
	if (!row->words && row->metavar && completer_of(row)->words)
		completer_of(row)->words(out);
}

/* The first argument's words of a command, separated by blanks. */
static void add_first_words(struct strbuf *out, const struct cmd *cmd)
{
	size_t begin = out->len;
	if (cmd->words)
		cmd->words(out);
	for (size_t i = begin; i < out->len; i++)
		if (out->data[i] == '\n')
			out->data[i] = i + 1 < out->len ? ' ' : '"';
}

static const char *shown_no(const struct option_row *row)
{
	return option_on_by_default(row) ? "no-" : "";
}

static void bash_values(struct strbuf *out)
{
	strbuf_adds(out, "\tcase $prev in\n");
	for (const struct option_row *row = option_rows; row->name; row++) {
		if (!row->metavar)
			continue;
		strbuf_adds(out, "\t");
		if (row->letter)
			strbuf_addf(out, "-%c|", row->letter);
		strbuf_addf(out, "--%s) ", row->name);
		_cleanup_(strbuf_done) struct strbuf values = {};
		add_words(&values, row);
		if (values.len) {
			strbuf_addf(out, "_utrace_words \"%s\"; return ;;\n", strbuf_str(&values));
		} else {
			const char *action = completer_of(row)->bash;
			strbuf_addf(out, "%s%s ;;\n", action, streq(action, "return") ? "" : "; return");
		}
	}
	strbuf_adds(out, "\tesac\n");
}

static void bash_command(struct strbuf *out, const struct cmd *cmd)
{
	strbuf_addf(out, "\t%s)\n\t\toptions=\"", cmd->name);
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_taken(row, cmd->groups))
			strbuf_addf(out, "--%s%s ", shown_no(row), row->name);
	strbuf_adds(out, "\"\n\t\twords=\"");
	size_t before = out->len;
	add_first_words(out, cmd);
	strbuf_adds(out, out->len == before ? "\"\n" : "\n");
	strbuf_addf(out, "\t\tstarts=%s ;;\n", cmd->groups & OPTIONS_TARGET ? "yes" : "");
}

static void add_command_names(struct strbuf *out)
{
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			strbuf_addf(out, "%s ", commands[i]->name);
}

/* readline splits at =, so that --exits=au comes as three words. */
static void bash(struct strbuf *out)
{
	strbuf_adds(out, "# Completion of utrace for bash. Use: eval \"$(utrace completion bash)\"\n"
	                 "_utrace_words()\n{\n\tmapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")\n}\n\n"
	                 "_utrace_files()\n{\n\tcompopt -o filenames\n\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n}\n\n"
	                 "_utrace()\n{\n"
	                 "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options words starts i\n"
	                 "\tCOMPREPLY=()\n\tif ((COMP_CWORD == 1)); then\n\t\t_utrace_words \"");
	add_command_names(out);
	strbuf_adds(out, "--help --version\"\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			bash_command(out, commands[i]);
	strbuf_adds(out, "\t*) return ;;\n\tesac\n"
	                 "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n\t\t[[ $starts && ${COMP_WORDS[i]} == -- ]] || continue\n"
	                 "\t\tif ((COMP_CWORD == i + 1)) && [[ $cur != */* ]]; then\n"
	                 "\t\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n\t\telse\n\t\t\t_utrace_files\n\t\tfi\n"
	                 "\t\treturn\n\tdone\n"
	                 "\tif [[ $cur == = ]]; then\n\t\tcur=\n\telif [[ $prev == = ]]; then\n"
	                 "\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n\tfi\n");
	bash_values(out);
	strbuf_adds(out, "\tif [[ $cur == -* ]]; then\n\t\t_utrace_words \"$options\"\n"
	                 "\telif ((COMP_CWORD == 2)); then\n\t\t_utrace_words \"$words\"\n"
	                 "\telif [[ ${COMP_WORDS[1]} == config ]]; then\n\t\t_utrace_files\n\tfi\n}\n"
	                 "complete -F _utrace utrace\n");
}

/* Of the text in [...] of an _arguments specification. */
static void zsh_help(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			strbuf_addc(out, '\\');
		strbuf_addc(out, *text);
	}
}

static void zsh_option(struct strbuf *out, const struct option_row *row, const char *dashed, const char *equals)
{
	_cleanup_(strbuf_done) struct strbuf spec = {};
	strbuf_addf(&spec, "*%s%s[", dashed, row->metavar ? equals : "");
	zsh_help(&spec, row->help);
	strbuf_addc(&spec, ']');
	if (row->metavar) {
		strbuf_adds(&spec, ":");
		zsh_help(&spec, row->metavar);
		strbuf_addc(&spec, ':');
		_cleanup_(strbuf_done) struct strbuf values = {};
		add_words(&values, row);
		if (values.len)
			strbuf_addf(&spec, "(%s)", strbuf_str(&values));
		else
			strbuf_adds(&spec, completer_of(row)->zsh);
	}
	strbuf_adds(out, " \\\n\t\t\t");
	add_quoted(out, strbuf_str(&spec));
}

static void zsh_command(struct strbuf *out, const struct cmd *cmd)
{
	strbuf_addf(out, "\t%s)\n\t\t_arguments -s -S", cmd->name);
	for (const struct option_row *row = option_rows; row->name; row++) {
		if (!option_taken(row, cmd->groups))
			continue;
		char letter[] = { '-', row->letter, 0 };
		_cleanup_(strbuf_done) struct strbuf dashed = {};
		strbuf_addf(&dashed, "--%s%s", shown_no(row), row->name);
		zsh_option(out, row, strbuf_str(&dashed), "=");
		if (row->letter)
			zsh_option(out, row, letter, "+");
	}
	if (cmd->words) {
		strbuf_adds(out, " \\\n\t\t\t\"1:what:(");
		add_first_words(out, cmd);
		out->len--; /* the quote, which belongs behind the bracket */
		strbuf_adds(out, ")\"");
	}
	const char *rest = cmd->groups & OPTIONS_TARGET ? "*::command:_normal" : "*:file:_files";
	strbuf_addf(out, " \\\n\t\t\t'%s' ;;\n", rest);
}

static void zsh(struct strbuf *out)
{
	strbuf_adds(out, "#compdef utrace\n# Completion of utrace for zsh. Use: eval \"$(utrace completion zsh)\"\n_utrace()\n{\n"
	                 "\tlocal -a commands\n\tlocal expl\n\tcommands=(");
	for (size_t i = 0; commands[i]; i++) {
		if (commands[i]->hidden)
			continue;
		_cleanup_(strbuf_done) struct strbuf spec = {};
		strbuf_addf(&spec, "%s:%s", commands[i]->name, commands[i]->summary);
		strbuf_adds(out, "\n\t\t");
		add_quoted(out, strbuf_str(&spec));
	}
	strbuf_adds(out, "\n\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n"
	                 "\tshift words\n\t((CURRENT--))\n\tcase $words[1] in\n");
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			zsh_command(out, commands[i]);
	strbuf_adds(out, "\tesac\n}\nif [[ $funcstack[1] == _utrace ]]; then _utrace \"$@\"; else compdef _utrace utrace; fi\n");
}

static void fish_option(struct strbuf *out, const struct cmd *cmd, const struct option_row *row)
{
	strbuf_addf(out, "complete -c utrace -n '__fish_seen_subcommand_from %s' -l %s%s", cmd->name, shown_no(row), row->name);
	if (row->letter)
		strbuf_addf(out, " -s %c", row->letter);
	_cleanup_(strbuf_done) struct strbuf values = {};
	add_words(&values, row);
	if (values.len) {
		strbuf_addf(out, " -x -a '%s'", strbuf_str(&values));
	} else if (row->metavar) {
		strbuf_addf(out, " %s", completer_of(row)->fish);
	}
	strbuf_adds(out, " -d ");
	add_quoted(out, row->help);
	strbuf_addc(out, '\n');
}

static void fish_command(struct strbuf *out, const struct cmd *cmd)
{
	strbuf_addf(out, "complete -c utrace -n __fish_use_subcommand -f -a %s -d ", cmd->name);
	add_quoted(out, cmd->summary);
	strbuf_addc(out, '\n');
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_taken(row, cmd->groups))
			fish_option(out, cmd, row);
	if (!cmd->words)
		return;
	strbuf_addf(out, "complete -c utrace -n '__fish_seen_subcommand_from %s' -a \"", cmd->name);
	add_first_words(out, cmd);
	strbuf_addc(out, '\n');
}

static void fish(struct strbuf *out)
{
	strbuf_adds(out, "# Completion of utrace for fish. Use: utrace completion fish | source\n");
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			fish_command(out, commands[i]);
}

static const struct shell {
	const char *name;
	void (*write)(struct strbuf *out);
} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

static void words(struct strbuf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		strbuf_addf(out, "%s\n", shells[i].name);
}

static int run(const struct cmd *self, struct options *o)
{
	int r = cmd_check_words(self, o, 1, 1);
	if (r)
		return r;
	_cleanup_(strbuf_done) struct strbuf out = {};
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (streq(shells[i].name, o->patterns.items[0]))
			shells[i].write(&out);
	if (!out.len)
		return cmd_usage(self, "no completion for the shell '%.80s': utrace completion %s", o->patterns.items[0],
		                 self->usage);
	return cmd_print(&out);
}

static const char *const examples[] = {
	"eval \"$(utrace completion bash)\"", "in ~/.bashrc",
	"utrace completion fish > ~/.config/fish/completions/utrace.fish", "once",
	NULL,
};

const struct cmd completion_cmd = {
	.name = "completion",
	.usage = "bash | zsh | fish",
	.summary = "a script that makes a shell complete commands, options and values",
	.examples = examples,
	.words = words,
	.run = run,
};
