/* clock: nanoseconds. Records carry CLOCK_MONOTONIC (bpf_ktime_get_ns); people read CLOCK_REALTIME. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static inline uint64_t clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* What to add to a monotonic time to get the time of day; best of several readings of the pair. */
int64_t clock_realtime_offset_ns(void);
