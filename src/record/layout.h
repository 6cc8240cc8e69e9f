/*
 * layout: which record type has which fields. A recording carries the BTF of its record types; a reader compares it with
 * its own and moves fields by name where they differ: a field that the recording lacks is zero, one that the reader does
 * not know is dropped, what follows a record's fixed part is kept.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "bpf/record.abi.h"

/* The layout of this binary as it is written into recordings: BTF, borrowed for the life of the program. */
struct slice record_layout_own(void);

struct record_layout; /* from the layout of a recording to ours */

/* @theirs: BTF of a recording. -EBADMSG and @why: it does not hold together, or lacks the head of records. */
int record_layout_new(struct record_layout **ret, struct slice theirs, struct reason *why);
/* The same between any two layouts: for tests of what a later reader does. */
int record_layout_between(struct record_layout **ret, struct slice theirs, struct slice ours, struct reason *why);
void record_layout_free(struct record_layout *l);
DEFINE_CLEANUP(struct record_layout *, record_layout_free)

/*
 * One record of theirs as one of ours: @rec itself where nothing differs, else a copy in @scratch. NULL: of a type that
 * one of the two does not know, or too short.
 */
const struct rec_head *record_layout_adapt(const struct record_layout *l, const struct rec_head *rec, struct strbuf *scratch);
