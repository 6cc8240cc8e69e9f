/* packets: shows a capture of packets: the same pipeline, fed with the records that sock would have made at the servers. */
#pragma once

struct engine;
struct reason;

/* Reads the job's capture to its end, to --limit, or until nobody reads any more. */
int packets_run(struct engine *e, struct reason *why);
