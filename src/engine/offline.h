/* offline: shows a recording: the same pipeline, fed from a file. */
#pragma once

struct engine;
struct reason;

/* Reads the job's recording to its end, to --limit, or until nobody reads any more. -errno and @why: it cannot be read. */
int offline_run(struct engine *e, struct reason *why);
