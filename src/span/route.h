/*
 * route: names of low cardinality for paths, as http.route wants them: /users/4711/orders -> /users/{id}/orders.
 *
 * What looks like an identifier in a path (a number, a uuid, a hash, a date, a long mixed word) becomes a placeholder at once. What only
 * turns out to be one (names, slugs) is learnt: where one place of a path has had CHILDREN_MAX different words, the next one there is
 * {name}. All is bounded: beyond ROUTES_MAX routes a path is {other}, so a scan makes no thousandth series.
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/slice.h"
#include "base/strbuf.h"

struct routes;
struct routes *routes_new(void);
void routes_free(struct routes *r);
DEFINE_CLEANUP(struct routes *, routes_free)

/* The route of @path (of a request target: what stands before '?' and '#'), added to @out. The same path may get a shorter one later. */
void routes_find(struct routes *r, struct slice path, struct strbuf *out);

/* What a single segment stands for: "{id}", "{uuid}", "{hash}", "{date}"; NULL: it may be a word. Pure, for tests. */
const char *route_placeholder(struct slice segment);
