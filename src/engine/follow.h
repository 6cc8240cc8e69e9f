/* follow: what the engine's loop itself asks of the targets; families use probe.h. */
#pragma once

#include "engine/held.h"
#include "engine/internal.h"

extern const struct held_ops follow_held_ops; /* a process that we started stands still */

void follow_add(struct engine *e, pid_t pid);                       /* found by looking, not by a fact */
void follow_look(struct engine *e, struct target_process *p);       /* attaches to what it maps now */
void follow_mark(struct engine *e, const struct target_process *p, bool is_new); /* tells the kernel half; not new: only if it is still there */
void follow_end(struct engine *e, struct target_process *p);
