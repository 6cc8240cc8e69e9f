/* time_text: times as people and JSON write them. */
#pragma once

#include <stdint.h>

#include "base/strbuf.h"

void time_of_day(struct strbuf *out, uint64_t local_ns); /* 14:02:11.120394; @local_ns: since the epoch, in local time */

/* 2026-11-21T14:02:11.120394512Z. What comes before the point is kept from call to call: zero @last before the first. */
struct rfc3339 {
	uint64_t second;
	char text[32];
};
void time_rfc3339(struct strbuf *out, struct rfc3339 *last, uint64_t realtime_ns);

void time_duration(struct strbuf *out, uint64_t ns);         /* "312ns" "3.21ms" "12.3s": three digits, its unit */
