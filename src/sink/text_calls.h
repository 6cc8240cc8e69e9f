/*
 * text_calls: calls as a tree. They reach us as they end, the innermost first; those of a thread are kept until the outermost
 * one has ended, then shown in the order in which they began. What stays open for a second is shown as it stands.
 */
#pragma once

#include "base/hashmap.h"
#include "event/event.h"
#include "sink/text_page.h"

struct text_calls {
	bool flat;              /* each by itself as it ends, at the margin: what it was called from may never come, or comes later */
	uint64_t now_ns;        /* CLOCK_MONOTONIC, by the last tick: the same live and from a recording */
	struct hashmap threads; /* pid<<32|tid → struct thread */
};

void text_calls_done(struct text_calls *s, struct text_page *page); /* shows what is kept */
void text_calls_add(struct text_calls *s, struct text_page *page, const struct event *e);
void text_calls_tick(struct text_calls *s, struct text_page *page, uint64_t now_ns);
