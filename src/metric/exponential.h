/*
 * exponential: a histogram whose buckets grow by a constant factor, OpenTelemetry's base-2 exponential histogram and Prometheus' native one:
 * bucket i counts values in (base^i, base^(i+1)], base = 2^(2^-scale). It begins as fine as it can, and halves its resolution whenever
 * what came does not fit: opentelemetry-specification, metrics/data-model.md, ExponentialHistogram, and metrics/sdk.md for the bounds.
 */
#pragma once

#include <stdint.h>

#define EXPONENTIAL_BUCKETS 160   /* sdk.md, MaxSize */
#define EXPONENTIAL_SCALE_MAX 20  /* sdk.md, MaxScale */

struct exponential {
	int scale;
	int32_t offset; /* index of bucket[0] */
	uint32_t n;     /* buckets from there on that are in use */
	uint64_t count, zero;
	double sum, min, max;
	uint64_t bucket[EXPONENTIAL_BUCKETS];
};

void exponential_init(struct exponential *h);
void exponential_add(struct exponential *h, double value); /* not negative */
void exponential_coarsen(struct exponential *h, int scale); /* to this scale, if it is finer */
double exponential_upper(const struct exponential *h, int32_t index); /* of the bucket with this index: the largest value */
