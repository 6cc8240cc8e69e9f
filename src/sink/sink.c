#include "sink/sink.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"

#define LINE_BYTES (64 * 1024)

int sink_open(struct sink **ret, const struct sink_ops *ops, const struct sink_settings *settings, struct reason *why)
{
	struct sink *s = xcalloc(1, sizeof(*s));
	*s = (struct sink){ .ops = ops, .state = xcalloc(1, ops->state_size), .out = settings->out };
	int r = ops->open ? ops->open(s->state, settings, why) : 0;
	if (settings->shared)
		setvbuf(settings->out, NULL, _IOLBF, LINE_BYTES);
	if (r < 0) {
		ops->close(s->state);
		free(s->state);
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

/* errno is that of the write: nothing that sinks do behind it fails. */
static void note_error(struct sink *s)
{
	if (!s->error && ferror(s->out))
		s->error = errno ? errno : EIO;
}

void sink_write(struct sink *s, const struct event *event)
{
	enum event_type_id type = (enum event_type_id)(event->type - event_types);
	if (!(s->ops->takes & EVENT_BIT(type))) {
		s->left_out[type]++;
		return;
	}
	s->ops->write(s->state, event);
	note_error(s);
}

void sink_left_out(const struct sink *s, struct strbuf *out)
{
	static const uint32_t of_the_run = EVENT_BIT(EVENT_PROCESS) | EVENT_BIT(EVENT_LOST) | EVENT_BIT(EVENT_SUMMARY);
	for (size_t i = 0; i < EVENT_TYPES; i++)
		if (s->left_out[i] && !(of_the_run & EVENT_BIT(i)))
			strbuf_addf(out, "%s%llu %s", out->len ? ", " : "", (unsigned long long)s->left_out[i], event_types[i].name);
}

int sink_flush(struct sink *s)
{
	fflush(s->out);
	note_error(s);
	return -s->error;
}

int sink_close(struct sink *s)
{
	if (!s)
		return 0;
	s->ops->close(s->state);
	note_error(s);
	int r = sink_flush(s);
	free(s->state);
	free(s);
	return r;
}
