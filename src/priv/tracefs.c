#include "priv/tracefs.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "priv/kernelfs.h"
#include "priv/privilege.h"

int tracefs_open(struct reason *why)
{
	return kernelfs_open(&kernelfs_tracefs, why);
}

/* A name that cannot lead out of the folder of its system. */
static bool is_plain(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

int tracefs_format(int tracefs_fd, const char *system, const char *event, struct tracefs_format *ret, struct reason *why)
{
	_cleanup_(free) char *text = NULL;
	if (!is_plain(system) || !is_plain(event))
		return reason_set(why, -ENOENT, "no tracepoint can be named '%s:%s'", system, event);
	_cleanup_(free) char *path = xasprintf("events/%s/%s/format", system, event);
	int r = kernelfs_read(tracefs_fd, path, &text);
	if (r == -ENOENT)
		return reason_set(why, r, "this kernel has no tracepoint '%s:%s'", system, event);
	if (r < 0)
		return privilege_blame(r, path, CAP_BIT(CAP_DAC_READ_SEARCH), why);
	r = tracefs_format_parse(slice_of(text), ret);
	if (r < 0)
		return reason_set(why, r, "tracefs: %s: not the format of a tracepoint", path);
	return 0;
}

void tracefs_events_done(struct tracefs_events *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->names[i]);
	free(e->names);
	*e = (struct tracefs_events){};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int tracefs_events(int tracefs_fd, const char *glob, struct tracefs_events *ret, struct reason *why)
{
	_cleanup_(free) char *text = NULL;
	_cleanup_(tracefs_events_done) struct tracefs_events e = {};
	/* Not events/: that lists ftrace's own record types too, which nothing can attach to. */
	int r = kernelfs_read(tracefs_fd, "available_events", &text);
	if (r < 0)
		return privilege_blame(r, "tracefs/available_events", CAP_BIT(CAP_DAC_READ_SEARCH), why);
	char *rest = text, *name;
	while ((name = strsep(&rest, "\n"))) {
		if (!name[0] || fnmatch(glob, name, 0) != 0)
			continue;
		GROW(e.names, e.n, e.cap);
		e.names[e.n++] = xstrdup(name);
	}
	if (e.n)
		qsort(e.names, e.n, sizeof(*e.names), by_name);
	*ret = e;
	e = (struct tracefs_events){};
	return 0;
}
