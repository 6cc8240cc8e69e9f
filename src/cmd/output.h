/* output: what every command that traces does with its events: where they go, in which form, and with which exit status. */
#pragma once

#include "cmd/cmd.h"

/* Opens the output, runs the families over the targets, reports what failed. Returns the exit status. */
int cmd_trace(const struct cmd *cmd, struct options *o, const char *const *families);

/* Lists what `func` would probe (-l). */
int func_list(const struct cmd *cmd, const struct options *o);
