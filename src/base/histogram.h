/*
 * histogram: 8 buckets an octave, as kernel halves count them: bucket n < 8 holds the value n, then every power of two is
 * cut in 8 equal parts. Relative width of a bucket: at most 1/8.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t histogram_lower(size_t bucket); /* the smallest value of a bucket */
uint64_t histogram_upper(size_t bucket); /* the largest */
size_t histogram_bucket(uint64_t value, size_t buckets); /* the last of @buckets for all that is larger: bpf/hist.h does the same */
/*
 * The value below or at which the fraction @q (0..1) of the counts lies: the middle of its bucket, but never outside of
 * @min..@max, which are known exactly. 0 when empty.
 */
uint64_t histogram_quantile(const unsigned long long *counts, size_t buckets, double q, uint64_t min, uint64_t max);
