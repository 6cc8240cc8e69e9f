#include "base/clock.h"

int64_t clock_realtime_offset_ns(void)
{
	int64_t best_offset = 0;
	uint64_t best_width = UINT64_MAX;
	for (int i = 0; i < 5; i++) {
		uint64_t before = clock_monotonic_ns();
		uint64_t real = clock_ns(CLOCK_REALTIME);
		uint64_t width = clock_monotonic_ns() - before;
		if (width >= best_width)
			continue;
		best_width = width;
		best_offset = (int64_t)(real - (before + width / 2));
	}
	return best_offset;
}
