#include "base/histogram.h"

#include "base/macro.h"

uint64_t histogram_lower(size_t bucket)
{
	if (bucket < 8)
		return bucket;
	unsigned octave = (unsigned)(bucket / 8) + 2;
	return (1ull << octave) + ((uint64_t)(bucket % 8) << (octave - 3));
}

uint64_t histogram_upper(size_t bucket)
{
	return histogram_lower(bucket + 1) - 1;
}

size_t histogram_bucket(uint64_t value, size_t buckets)
{
	if (value < 8)
		return (size_t)value;
	unsigned octave = 63 - (unsigned)__builtin_clzll(value);
	size_t bucket = (octave - 2) * 8 + ((value >> (octave - 3)) & 7);
	return MIN(bucket, buckets - 1);
}

uint64_t histogram_quantile(const unsigned long long *counts, size_t buckets, double q, uint64_t min, uint64_t max)
{
	uint64_t total = 0, below = 0;
	for (size_t i = 0; i < buckets; i++)
		total += counts[i];
	if (total == 0)
		return 0;
	double rank = q * (double)total; /* the nearest rank is the next whole one */
	uint64_t want = MAX((uint64_t)rank + ((double)(uint64_t)rank < rank), 1ull);
	for (size_t i = 0; i < buckets; i++) {
		below += counts[i];
		if (below >= want)
			return MAX(min, MIN(max, (histogram_lower(i) + histogram_upper(i)) / 2));
	}
	return max;
}
