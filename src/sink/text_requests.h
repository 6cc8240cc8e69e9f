/* text_requests: requests, connections and what passes on them, as lines. */
#pragma once

#include "sink/text_page.h"

void request_text(struct text_page *p, const struct event *e);
void connection_text(struct text_page *p, const struct event *e);
void segment_text(struct text_page *p, const struct event *e);
