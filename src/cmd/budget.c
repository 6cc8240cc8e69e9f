#include "cmd/budget.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "priv/object.h"
#include "probe/families.h"

#define FIGURE(field) { #field, offsetof(struct verdict, field) }

const struct budget_figure budget_figures[] = {
	FIGURE(instructions), FIGURE(total_states), FIGURE(peak_states), FIGURE(stack_bytes), FIGURE(jited_bytes),
	FIGURE(xlated_bytes), FIGURE(verify_ns), {},
};

struct budget {
	json_t *own, *given; /* objects; @given NULL: no file */
};

uint64_t budget_figure_of(const struct verdict *v, const struct budget_figure *f)
{
	return *(const uint64_t *)((const char *)v + f->offset);
}

static bool is_figure(const char *name)
{
	for (const struct budget_figure *f = budget_figures; f->name; f++)
		if (streq(f->name, name))
			return true;
	return false;
}

static int check_shape(const char *program, const char *shape, json_t *figures, struct reason *why)
{
	const char *name;
	json_t *limit;
	if (!json_is_object(figures))
		return reason_set(why, -EINVAL, "the budget of %s (%s) is no object", program, shape);
	json_object_foreach(figures, name, limit) {
		if (!is_figure(name))
			return reason_set(why, -EINVAL, "the budget of %s (%s) has '%.40s', which is no figure; see: utrace explain program",
					  program, shape, name);
		if (!json_is_integer(limit) || json_integer_value(limit) < 0)
			return reason_set(why, -EINVAL, "the budget of %s (%s): %s is no number", program, shape, name);
	}
	return 0;
}

static int check(json_t *budget, struct reason *why)
{
	const char *program, *shape;
	json_t *shapes, *figures;
	int r = json_is_object(budget) ? 0 : reason_set(why, -EINVAL, "a budget is an object of programs");
	json_object_foreach(budget, program, shapes) {
		if (!json_is_object(shapes))
			return reason_set(why, -EINVAL, "the budget of %.80s is no object of shapes", program);
		json_object_foreach(shapes, shape, figures)
			r = r == 0 ? check_shape(program, shape, figures, why) : r;
	}
	return r;
}

static int read_file(const char *path, json_t **ret, struct reason *why)
{
	json_error_t error;
	_cleanup_(fclose) FILE *file = fopen(path, "re");
	if (!file)
		return reason_set(why, -errno, "the budget '%s' cannot be read: %s", path, strerror(errno));
	*ret = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	if (!*ret)
		return reason_set(why, -EINVAL, "the budget '%s' is no JSON: line %d: %s", path, error.line, error.text);
	struct reason wrong = {};
	int r = check(*ret, &wrong);
	return r < 0 ? reason_set(why, r, "'%s': %s", path, wrong.text) : 0;
}

/* Names of programs are their family's, so that one object holds all. */
static int read_own(json_t *all, struct reason *why)
{
	for (size_t i = 0; probe_families[i]; i++) {
		_cleanup_(free) char *name = xasprintf("%s/budget.json", probe_families[i]->name);
		struct slice text = object_bytes(name);
		json_t *one = text.data ? json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
		if (!one)
			return reason_set(why, -EINVAL, "src/probe/%s is no JSON", name);
		int r = check(one, why);
		json_object_update(all, one);
		json_decref(one);
		if (r < 0)
			return r;
	}
	return 0;
}

int budget_new(struct budget **ret, const char *path, struct reason *why)
{
	_cleanup_(budget_free) struct budget *b = xcalloc(1, sizeof(*b));
	b->own = json_object();
	int r = read_own(b->own, why);
	if (r == 0 && path)
		r = read_file(path, &b->given, why);
	if (r == 0)
		*ret = take_ptr(b);
	return r;
}

void budget_free(struct budget *b)
{
	if (!b)
		return;
	json_decref(b->own);
	json_decref(b->given);
	free(b);
}

static json_t *of_shape(const json_t *budget, const char *program, const char *shape)
{
	return json_object_get(json_object_get(budget, program), shape);
}

bool budget_limit(const struct budget *b, const char *program, const char *shape, const struct budget_figure *f, uint64_t *ret)
{
	json_t *limit = json_object_get(of_shape(b->given, program, shape), f->name);
	if (!limit)
		limit = json_object_get(of_shape(b->own, program, shape), f->name);
	if (limit)
		*ret = (uint64_t)json_integer_value(limit);
	return limit != NULL;
}

bool budget_knows(const struct budget *b, const char *program, const char *shape)
{
	return of_shape(b->given, program, shape) || of_shape(b->own, program, shape);
}
