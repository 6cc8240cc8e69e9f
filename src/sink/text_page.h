/* text_page: lines as people read them: time and process at the left, durations in one column. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "event/event.h"

struct text_page {
	FILE *out;         /* borrowed */
	bool color;
	size_t who_width;  /* of the longest "time process[pid]" so far, so that durations line up */
	struct strbuf line; /* the one being written */
};

void text_page_done(struct text_page *p);

void text_line_begin(struct text_page *p);
void text_line_end(struct text_page *p); /* writes it */
uint64_t text_local_ns(const struct event *e); /* since the epoch, in the local time of where it happened */
/* "14:02:11.120394 nginx[812]", and blanks to the column of durations: a thread that is not the first is named too. */
void text_line_who(struct text_page *p, uint64_t local_ns, uint32_t pid, uint32_t tid, struct slice name);
/* Six characters hold any duration; before them three blanks, behind them the sign of a loss. */
void text_line_duration(struct text_page *p, bool known, uint64_t ns, const char *otherwise, bool lost_before);
