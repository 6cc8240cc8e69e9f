/* span: what --since and --until mean for a recording. */
#pragma once

#include <stdint.h>

#include "base/reason.h"
#include "config/options.h"

/*
 * As CLOCK_MONOTONIC of the machine that recorded: 14:02, 14:02:11.5 and 2026-11-21T14:02:11 in its local time (with Z: UTC),
 * 10s after the beginning of the recording, -10s before its end. 0 and UINT64_MAX when not given. -EINVAL and @why: neither.
 */
int span_of(const struct options *o, uint64_t *ret_since_ns, uint64_t *ret_until_ns, struct reason *why);
