/* post: one POST after the other to one destination, and what was answered. Blocking: it is for a thread of its own. By libcurl. */
#pragma once

#include <stdatomic.h>

#include "base/reason.h"
#include "export/destination.h"

struct post;

/* @d is borrowed as long as it lives; @stop: once it is true, what is under way ends within a second. -ENOTSUP, -ENOENT and @why: no libcurl. */
int post_new(struct post **ret, const struct destination *d, const atomic_bool *stop, struct reason *why);
void post_free(struct post *p);
DEFINE_CLEANUP(struct post *, post_free)

/* Always gives an answer, be it that there was none; borrowed until the next one. */
struct answer post_send(struct post *p, struct slice body);
