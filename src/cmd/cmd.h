/* cmd: one file a subcommand, one row each in commands.c. Commands are the only place that reports errors to the user. */
#pragma once

#include "config/options.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,            /* one line on stderr says what and what to do */
	EXIT_USAGE = 2,
	EXIT_TRACER_FAILED = 125,   /* with -- COMMAND: utrace itself failed */
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
};

struct cmd {
	const char *name;
	const char *called;  /* whose --help tells more; NULL: its own. Of a command that another one runs */
	const char *usage;   /* what follows the name: "PATTERN... [TARGET] [OPTIONS]" */
	const char *summary; /* one line */
	const char *things;  /* what it shows, of a command that can be recorded: "requests"; else NULL */
	const char *details; /* paragraphs for --help and the man page, an empty line between them; may be NULL */
	unsigned groups;     /* enum option_group: which options it takes; 0: --help and --version alone */
	bool hidden;         /* from the overview and the completion: for our own build */
	const char *const *examples; /* NULL-terminated pairs: command line, what it shows; may be NULL */
	void (*words)(struct strbuf *out); /* what its first argument may be, one a line, for completion; may be NULL */
	int (*run)(const struct cmd *cmd, struct options *o); /* returns the exit status */
	/* Instead of it, for a command whose words name another command: parses its words itself. Options come first. NULL: run. */
	int (*run_other)(const struct cmd *cmd, struct options *o, int argc, char **argv);
};

extern const struct cmd *const commands[]; /* ends with NULL */
const struct cmd *cmd_find(const char *name); /* NULL: none */

/* Parses the words after the name, then runs; --help and --version are answered here. Returns the exit status. */
int cmd_main(const struct cmd *cmd, int argc, char **argv);

/*
 * The ways to fail: each prints "utrace: WHY" as one line (control characters become "?") and returns the exit status.
 * A usage error also says where help is, unless WHY does ("see: ...").
 */
int cmd_fail(int status, const char *fmt, ...) _printf_(2, 3);
int cmd_usage(const struct cmd *cmd, const char *fmt, ...) _printf_(2, 3); /* EXIT_USAGE; help is that of @cmd */
int cmd_unknown(const char *name); /* EXIT_USAGE: no such command, and the nearest */
int cmd_check_words(const struct cmd *cmd, const struct options *o, size_t min, size_t max); /* 0 or EXIT_USAGE */
int cmd_check_target(const struct cmd *cmd, const struct options *o);                        /* 0 or EXIT_USAGE */

/* What "utrace itself failed" is to this command line: EXIT_TRACER_FAILED when it names a command to run. */
static inline int exit_failed(const struct options *o)
{
	return o->command ? EXIT_TRACER_FAILED : EXIT_FAILED;
}

/* Writes an answer to stdout: EXIT_DONE, or EXIT_FAILED when it could not be written (full disk), said on stderr. */
int cmd_print(const struct strbuf *out);

/*
 * For run_other(): the command called @name if it traces (and so can be recorded and shown again), NULL otherwise; and runs it
 * with @o, to which its own words in @argv are added.
 */
const struct cmd *cmd_find_traced(const char *name);
int cmd_run_as(const struct cmd *cmd, unsigned groups, struct options *o, int argc, char **argv);

/* help.c */
void help_overview(struct strbuf *out);
void help_command(struct strbuf *out, const struct cmd *cmd);
/* version.c */
void version_text(struct strbuf *out);
