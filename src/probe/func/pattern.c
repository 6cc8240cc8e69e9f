#include "probe/func/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"

static const struct {
	const char *name;
	enum pattern_space space;
} spaces[] = {
	{ "u", SPACE_USER },
	{ "k", SPACE_KERNEL },
	{ "t", SPACE_TRACEPOINT },
	{ "usdt", SPACE_USDT },
};

/* Spaces of interface.md whose runtimes this version does not know. */
static const char *const later_spaces[] = { "go", "py", "java", "js", "ruby", "php", "perl" };

/* The first ':' that separates: '::' is part of a C++ or Rust name. */
static const char *separator(const char *s)
{
	for (; *s; s++) {
		if (s[0] != ':')
			continue;
		if (s[1] != ':')
			return s;
		s++;
	}
	return NULL;
}

static const char *last_separator(const char *s)
{
	const char *last = NULL;
	for (const char *at = separator(s); at; at = separator(at + 1))
		last = at;
	return last;
}

static bool take_space(const char **s, enum pattern_space *ret)
{
	const char *colon = separator(*s);
	for (size_t i = 0; colon && i < ARRAY_SIZE(spaces); i++) {
		size_t len = strlen(spaces[i].name);
		if ((size_t)(colon - *s) != len || strncmp(*s, spaces[i].name, len) != 0)
			continue;
		*ret = spaces[i].space;
		*s = colon + 1;
		return true;
	}
	return false;
}

static const char *unknown_runtime(const char *s)
{
	const char *colon = separator(s);
	for (size_t i = 0; colon && i < ARRAY_SIZE(later_spaces); i++)
		if (strlen(later_spaces[i]) == (size_t)(colon - s) && strncmp(s, later_spaces[i], (size_t)(colon - s)) == 0)
			return later_spaces[i];
	return NULL;
}

static bool is_line(const char *glob)
{
	if (!*glob)
		return false;
	for (; *glob; glob++)
		if (!isdigit((unsigned char)*glob))
			return false;
	return true;
}

/* usdt:[OBJECT:]PROVIDER:NAME */
static int split_usdt(struct pattern *p, const char *s, struct reason *why)
{
	const char *last = last_separator(s);
	if (!last)
		return reason_set(why, -EINVAL, "'%s' names no provider; a USDT pattern is usdt:[OBJECT:]PROVIDER:NAME", p->text);
	p->glob = xstrdup(last + 1);
	_cleanup_(free) char *rest = xstrndup(s, (size_t)(last - s));
	const char *colon = last_separator(rest);
	p->provider = xstrdup(colon ? colon + 1 : rest);
	p->object = colon ? xstrndup(rest, (size_t)(colon - rest)) : NULL;
	p->real_path = p->object && strchr(p->object, '/') ? realpath(p->object, NULL) : NULL;
	return 0;
}

static int split(struct pattern *p, const char *s, struct reason *why)
{
	if (p->space == SPACE_USDT)
		return split_usdt(p, s, why);
	const char *colon = last_separator(s);
	p->glob = xstrdup(colon ? colon + 1 : s);
	p->object = colon ? xstrndup(s, (size_t)(colon - s)) : NULL;
	p->real_path = p->object && strchr(p->object, '/') ? realpath(p->object, NULL) : NULL;
	if (p->space == SPACE_TRACEPOINT && !colon)
		return reason_set(why, -EINVAL, "'%s' names no system; a tracepoint is t:SYSTEM:NAME, as in t:sched:sched_switch", p->text);
	if (p->space == SPACE_USER && colon && is_line(p->glob))
		return reason_set(why, -EINVAL, "'%s' is a source line; this version probes functions only", p->text);
	return 0;
}

static int parse_one(struct pattern *p, const char *text, struct reason *why)
{
	const char *s = text;
	*p = (struct pattern){ .text = text, .space = SPACE_USER };
	if (*s == '!') {
		p->negated = true;
		s++;
	}
	const char *runtime = unknown_runtime(s);
	if (runtime)
		return reason_set(why, -EINVAL, "'%s': functions of the %s runtime are not known to this version; u:, k:, t: and usdt: are", text, runtime);
	take_space(&s, &p->space);
	int r = split(p, s, why);
	if (r == 0 && (!p->glob[0] || (p->object && !p->object[0])))
		return reason_set(why, -EINVAL, "'%s' has an empty part; a pattern is [SPACE:][OBJECT:]GLOB", text);
	return r;
}

int patterns_parse(struct patterns *ret, const struct text_list *texts, struct reason *why)
{
	size_t wanted = 0;
	ret->items = xcalloc(texts->n, sizeof(*ret->items));
	for (size_t i = 0; i < texts->n; i++) {
		int r = parse_one(&ret->items[i], texts->items[i], why);
		ret->n = i + 1;
		if (r < 0)
			return r;
		wanted += !ret->items[i].negated;
	}
	return wanted ? 0 : reason_set(why, -EINVAL, "no function is asked for; as in: utrace func 'ngx_http_*' -n nginx");
}

void patterns_done(struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->items[i].object);
		free(p->items[i].real_path);
		free(p->items[i].provider);
		free(p->items[i].glob);
	}
	free(p->items);
	*p = (struct patterns){};
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* `libc` is libc.so.6 and libc-2.31.so; a path is a path; anything else is a glob of the base name. */
static bool object_is(const char *object, const char *path)
{
	const char *base = base_of(path);
	char longer[300];
	if (strchr(object, '/'))
		return fnmatch(object, path, 0) == 0;
	if (fnmatch(object, base, 0) == 0)
		return true;
	snprintf(longer, sizeof(longer), "%s.so*", object);
	if (fnmatch(longer, base, 0) == 0)
		return true;
	snprintf(longer, sizeof(longer), "%s-[0-9]*.so*", object);
	return fnmatch(longer, base, 0) == 0;
}

bool pattern_wants_file(const struct pattern *p, const char *path, bool is_executable)
{
	if (p->real_path && streq(p->real_path, path))
		return true; /* maps tell where links lead: /lib is /usr/lib */
	return p->object ? object_is(p->object, path) : is_executable;
}

struct pattern *patterns_match(const struct patterns *p, enum pattern_space space, const char *path, bool is_executable,
			       const char *name, const char *linkage)
{
	struct pattern *found = NULL;
	for (size_t i = 0; i < p->n; i++) {
		struct pattern *at = &p->items[i];
		if (at->space != space || (!found && at->negated) || (found && !at->negated))
			continue;
		if (path && !pattern_wants_file(at, path, is_executable))
			continue;
		if (fnmatch(at->glob, name, 0) != 0 && (linkage == name || fnmatch(at->glob, linkage, 0) != 0))
			continue;
		found = at->negated ? NULL : at;
	}
	return found;
}

bool patterns_have(const struct patterns *p, enum pattern_space space)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].space == space && !p->items[i].negated)
			return true;
	return false;
}

bool patterns_want_file(const struct patterns *p, enum pattern_space space, const char *path, bool is_executable)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].space == space && !p->items[i].negated && pattern_wants_file(&p->items[i], path, is_executable))
			return true;
	return false;
}
