#include "sink/sink.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"

int sink_open(struct sink **ret, const struct sink_ops *ops, const struct sink_settings *settings, struct reason *why)
{
	struct sink *s = xcalloc(1, sizeof(*s));
	*s = (struct sink){ .ops = ops, .state = xcalloc(1, ops->state_size), .out = settings->out };
	int r = ops->open ? ops->open(s->state, settings, why) : 0;
	if (r < 0) {
		free(s->state);
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void sink_close(struct sink *s)
{
	if (!s)
		return;
	s->ops->close(s->state);
	fflush(s->out);
	free(s->state);
	free(s);
}

int sink_flush(struct sink *s)
{
	return fflush(s->out) == 0 && !ferror(s->out) ? 0 : -EIO;
}
