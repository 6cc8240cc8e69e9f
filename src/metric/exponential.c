#include "metric/exponential.h"

#include <math.h>
#include <string.h>

#include "base/macro.h"

void exponential_init(struct exponential *h)
{
	*h = (struct exponential){ .scale = EXPONENTIAL_SCALE_MAX };
}

/* Values that are powers of the base belong to the bucket below: log2() of a power of two is exact, and those are what people notice. */
static int32_t index_of(const struct exponential *h, double value)
{
	return (int32_t)ceil(ldexp(log2(value), h->scale)) - 1;
}

double exponential_upper(const struct exponential *h, int32_t index)
{
	return exp2(ldexp(index + 1, -h->scale));
}

static void halve(struct exponential *h)
{
	uint64_t coarse[EXPONENTIAL_BUCKETS] = {};
	int32_t offset = h->offset >> 1; /* downwards for negative ones too */
	uint32_t n = 0;
	for (uint32_t i = 0; i < h->n; i++) {
		uint32_t at = (uint32_t)(((h->offset + (int32_t)i) >> 1) - offset);
		coarse[at] += h->bucket[i];
		n = at + 1;
	}
	memcpy(h->bucket, coarse, sizeof(coarse));
	h->offset = offset;
	h->n = n;
	h->scale--;
}

void exponential_coarsen(struct exponential *h, int scale)
{
	while (h->scale > scale)
		halve(h);
}

/* Makes the bucket of @value one of those that are there, and returns its place. */
static uint32_t place_of(struct exponential *h, double value)
{
	for (;; halve(h)) {
		int32_t index = index_of(h, value);
		int32_t low = h->n ? MIN(h->offset, index) : index, high = h->n ? MAX(h->offset + (int32_t)h->n - 1, index) : index;
		if ((int64_t)high - low >= EXPONENTIAL_BUCKETS)
			continue;
		uint32_t below = h->n ? (uint32_t)(h->offset - low) : 0;
		memmove(h->bucket + below, h->bucket, h->n * sizeof(*h->bucket));
		memset(h->bucket, 0, below * sizeof(*h->bucket));
		h->offset = low;
		h->n = (uint32_t)(high - low) + 1;
		return (uint32_t)(index - low);
	}
}

void exponential_add(struct exponential *h, double value)
{
	h->min = h->count ? MIN(h->min, value) : value;
	h->max = h->count ? MAX(h->max, value) : value;
	h->sum += value;
	h->count++;
	if (value <= 0)
		h->zero++;
	else
		h->bucket[place_of(h, value)]++;
}
