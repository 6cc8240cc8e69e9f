/* services: what probe families ask of the engine: its parts. */
#include <stdarg.h>
#include <stdio.h>

#include "engine/fact.h"
#include "engine/internal.h"
#include "engine/retire.h"

const struct options *engine_options(const struct engine *e)
{
	return e->job->options;
}

struct loader *engine_loader(const struct engine *e)
{
	return e->loader;
}

struct arena *engine_arena(struct engine *e)
{
	return &e->arena;
}

bool engine_is_recorded(const struct engine *e)
{
	return e->recording;
}

bool engine_is_live(const struct engine *e)
{
	return !e->job->from && !e->job->packets;
}

const struct process *engine_next_process(struct engine *e, size_t *at)
{
	struct target_process *p = e->processes.first;
	size_t i = 0;
	for (; p; p = p->next)
		if (!p->ended && i++ == *at)
			break;
	(*at)++;
	return p ? &p->process : NULL;
}

void engine_note(struct engine *e, const char *fmt, ...)
{
	char text[768];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fact_note(e, text);
}

void engine_stop(struct engine *e, int status)
{
	e->stopping = true;
	if (!e->status)
		e->status = status;
}
