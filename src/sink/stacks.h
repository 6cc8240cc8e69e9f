/*
 * stacks: nested calls as a tree of frames, each with the time that was spent in it and in no frame above it.
 *
 * Calls are told as they end, the innermost first, when it is not known yet what called them. So each that ends takes what its own
 * calls have left under its number, puts itself above that, and leaves the whole under the number of its caller: what is kept is as
 * large as the program has different stacks, however many calls there are.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/hashmap.h"
#include "base/slice.h"
#include "base/strbuf.h"

struct stack_frame;
struct stacks {
	struct hashmap names;   /* of frames, owned */
	struct hashmap pending; /* call → a nameless frame that holds what the call has called so far */
	struct stack_frame *root;
	size_t n_frames;        /* bounded: what would need more is counted in the frame below */
	struct strbuf text;
};

struct stack_call {
	struct slice process;  /* the lowest frame of its stack */
	struct slice name;
	uint64_t id, parent;   /* 0: none */
	uint64_t duration_ns;  /* 0 where it is not known: then it is as long as what it called */
};

void stacks_done(struct stacks *s);
void stacks_end(struct stacks *s, const struct stack_call *call);
void stacks_begin(struct stacks *s, const struct stack_call *call); /* it is open: its end may never be told */
/* Writes a line for each stack with time of its own: frames joined by ';', a blank, nanoseconds. Takes what is pending as it stands. */
void stacks_print(struct stacks *s, FILE *out);
