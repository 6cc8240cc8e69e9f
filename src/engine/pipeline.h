/* pipeline: the way of a record to the sink, the same for what happens now and for a recording. engine_fact() is its door. */
#pragma once

struct engine;

/* After the last record: what the families have gathered, the account, the last line. */
void pipeline_finish(struct engine *e);

/* What comes next does not continue what came before: a part of the recording is left out, or missing. */
void pipeline_cut(struct engine *e);
