#include "proto/http1/gather.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/macro.h"

#define FIRST_BYTES 512 /* of memory: most heads that come in pieces fit into two of it */

static void keep(struct gather *g, struct slice bytes)
{
	size_t len = g->len + bytes.len;
	if (len > g->cap) {
		size_t twice = MAX(len, (size_t)g->cap * 2);
		size_t cap = MAX(twice, (size_t)FIRST_BYTES);
		g->cap = (uint32_t)MIN(cap, (size_t)HTTP1_HEAD_BYTES);
		g->kept = xrealloc(g->kept, g->cap);
	}
	memcpy(g->kept + g->len, bytes.data, bytes.len);
	g->len = (uint32_t)len;
}

/* One more line of @view, which ends before @nl. */
static enum gather_found take_line(struct gather *g, enum proto_side from, struct slice view, size_t nl)
{
	struct http1_start_line unused;
	size_t next;
	struct slice line = http1_line((struct slice){ view.data + g->line, nl + 1 - g->line }, &next);
	bool first = g->line == 0 && !g->trailers;
	if (first && !http1_start_line(&unused, from, line))
		return GATHER_BAD;
	g->folded |= g->line > 0 && line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
	g->line = g->looked = (uint32_t)nl + 1;
	return line.len == 0 ? GATHER_HEAD : GATHER_MORE;
}

static enum gather_found look(struct gather *g, enum proto_side from, struct slice view)
{
	const char *nl;
	while ((nl = memchr(view.data + g->looked, '\n', view.len - g->looked))) {
		enum gather_found found = take_line(g, from, view, (size_t)(nl - view.data));
		if (found != GATHER_MORE)
			return found;
	}
	if (g->line == 0 && !g->trailers && !http1_start_line_may_be(from, view, g->looked))
		return GATHER_BAD;
	g->looked = (uint32_t)view.len;
	return view.len < HTTP1_HEAD_BYTES ? GATHER_MORE : GATHER_LONG;
}

/* Folds are smoothed in a copy: what was fed is not ours. */
static struct slice whole(struct gather *g, struct slice view)
{
	struct slice head = { view.data, g->line };
	if (!g->folded)
		return head;
	if (g->len == 0)
		keep(g, head);
	http1_unfold(g->kept, head.len);
	return (struct slice){ g->kept, head.len };
}

enum gather_found gather_feed(struct gather *g, enum proto_side from, struct slice in, size_t *ret_used, struct slice *ret_head)
{
	size_t before = g->len, take = MIN(in.len, HTTP1_HEAD_BYTES - before);
	struct slice view = { in.data, take };
	if (before) {
		keep(g, view);
		view = (struct slice){ g->kept, g->len };
	}
	enum gather_found found = look(g, from, view);
	*ret_used = found == GATHER_HEAD ? g->line - before : take;
	if (found == GATHER_HEAD)
		*ret_head = whole(g, view);
	else if (found != GATHER_BAD && !before)
		keep(g, view);
	return found;
}

struct slice gather_lines(struct gather *g)
{
	return g->line ? whole(g, (struct slice){ g->kept, g->len }) : (struct slice){};
}

void gather_clear(struct gather *g)
{
	free(g->kept);
	*g = (struct gather){};
}
