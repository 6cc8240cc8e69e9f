/* cut: a part of a recording as a recording. */
#pragma once

#include "cmd/cmd.h"

/* Is that what the command line asks for: an export to a file whose name ends as those of recordings do? */
bool cut_is_asked(const struct options *o);
/* Writes the pieces of o->from in which something of --since to --until lies to o->output. Returns the exit status. */
int cut_run(const struct cmd *cmd, const struct options *o);
