/* format: which sink a command line asks for, and what is said of those that there are. */
#pragma once

#include "cmd/cmd.h"
#include "sink/sink.h"

/*
 * By --format, --json, the suffix of -o FILE; else text. @events: types that the command will bring, as EVENT_BIT()s.
 * Returns 0, or EXIT_USAGE after one line that says what is wrong with it.
 */
int format_choose(const struct cmd *cmd, const struct options *o, uint32_t events, const struct sink_ops **ret);

void format_help(struct strbuf *out);  /* for --help: name, what it is, suffixes */
void format_man(struct strbuf *out);   /* the same as man source */
void format_words(struct strbuf *out); /* names, separated by blanks */
