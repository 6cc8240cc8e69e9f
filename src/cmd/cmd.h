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
	const char *usage;   /* what follows the name: "PATTERN... [TARGET] [OPTIONS]" */
	const char *summary; /* one line */
	const char *details; /* paragraphs for --help and the man page; may be NULL */
	unsigned groups;     /* enum option_group: which options it takes */
	const char *const *examples; /* NULL-terminated pairs: command line, what it shows; may be NULL */
	int (*run)(const struct cmd *cmd, struct options *o); /* returns the exit status */
};

extern const struct cmd *const commands[]; /* ends with NULL */
const struct cmd *cmd_find(const char *name); /* NULL: none */

/* Prints "utrace: WHY" (and what to type for help when it is a usage error); returns @status. */
int cmd_fail(int status, const char *fmt, ...) _printf_(2, 3);
