/* none: for what is recorded and not shown. */
#include "sink/sink.h"

static void none_write(void *state, const struct event *event)
{
	(void)state;
	(void)event;
}

static void none_close(void *state)
{
	(void)state;
}

const struct sink_ops none_sink = {
	.name = "none",
	.takes = ~0u,
	.state_size = 1,
	.write = none_write,
	.close = none_close,
};
