/* time_text: times as people and JSON write them. */
#pragma once

#include <stdint.h>

#include "base/strbuf.h"

void time_of_day(struct strbuf *out, uint64_t realtime_ns);  /* 14:02:11.120394, local time */
void time_rfc3339(struct strbuf *out, uint64_t realtime_ns); /* 2026-11-21T14:02:11.120394512Z */
void time_duration(struct strbuf *out, uint64_t ns);         /* "312ns" "3.21ms" "12.3s": three digits, its unit */
