/*
 * where: --where EXPR.
 *
 *   expr := or;  or := and ('||' and)*;  and := not ('&&' not)*;  not := '!' not | '(' expr ')' | compare
 *   compare := FIELD ('==' '!=' '<' '<=' '>' '>=' '~') VALUE;  VALUE := number (0x, k/M/G, ns/us/ms/s) | "string"
 *   FIELD := arg1..arg9 ret duration pid tid comm uid, or the name of an argument or of a field of the event
 *
 * k, M and G are powers of 1024. Other than 0, a duration needs its unit. Numbers compare as 64 bits without sign, unless
 * the constant has a minus sign or an order of arguments, ret or a name is asked against 0 ("ret < 0"). '~' is a glob over text.
 *
 * Nothing tells how wide a value in a register is, and an int that is negative fills only the low half of it. So what has bit 31
 * set and nothing above it is negative where numbers compare with sign: all that is shown with a minus sign is "< 0". It may
 * have been 2 to 4 GiB without sign; "!= 0" and ">= 1" take that for what it is. The result of a system call is always 64 bits.
 *
 * The expression is split at its outermost &&: what the kernel can decide (numbers of arg1..arg6, ret, duration, pid, tid,
 * uid) becomes a where_program, the rest is decided on the finished event. uid is known to the kernel alone.
 */
#pragma once

#include <stdbool.h>

#include "base/reason.h"
#include "base/strbuf.h"
#include "event/event.h"
#include "shape/where.abi.h"

struct where;
int where_new(struct where **ret, const char *option, const char *text, struct reason *why); /* -EINVAL and @why (with @option and the column) */
void where_free(struct where *w);
DEFINE_CLEANUP(struct where *, where_free)

/* The kernel's part. Nothing for the kernel: n = 0. */
void where_kernel(const struct where *w, struct where_program *ret);
/* Is there a part that only user space can decide? */
bool where_needs_user(const struct where *w);
/* Does it need the end of the call (ret, duration)? Then nothing can be decided at the entry. */
bool where_needs_exit(const struct where *w);
/* Writes the two parts as text, for -l: "kernel: arg1 > 5; user: comm ~ \"ng*\"". */
void where_describe(const struct where *w, struct strbuf *out);
/* The user's part on a finished event (an argument that is not there makes its comparison false). */
bool where_matches(struct where *w, const struct event *e);
/* The whole expression on a finished event, where no kernel has decided its part: a recording. */
bool where_matches_all(struct where *w, const struct event *e);
/* A name that was looked for in at least one event and stood in none: borrowed, NULL: none. */
const char *where_name_never_found(const struct where *w);
