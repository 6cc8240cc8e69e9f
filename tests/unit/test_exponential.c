/* Exponential histograms against their definition: metrics/data-model.md of OpenTelemetry's specification. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "metric/exponential.h"

static uint64_t counted(const struct exponential *h)
{
	uint64_t sum = h->zero;
	for (uint32_t i = 0; i < h->n; i++)
		sum += h->bucket[i];
	return sum;
}

/* Values of a table, so that those of a bucket can be counted by hand. */
static void must_hold(const struct exponential *h, const double *values, size_t n)
{
	assert_int_equal(h->count, n);
	assert_int_equal(counted(h), n);
	for (uint32_t i = 0; i < h->n; i++) {
		double low = exponential_upper(h, h->offset + (int32_t)i - 1), high = exponential_upper(h, h->offset + (int32_t)i);
		uint64_t want = 0;
		for (size_t v = 0; v < n; v++)
			want += values[v] > low && values[v] <= high;
		if (h->bucket[i] != want)
			fail_msg("bucket %u, (%.17g, %.17g]: %d, not %d", i, low, high, (int)h->bucket[i], (int)want);
	}
}

static void each_value_is_in_the_bucket_whose_bounds_hold_it(void **state)
{
	double values[400];
	struct exponential h;
	exponential_init(&h);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		values[i] = exp((double)(i * 7919 % ARRAY_SIZE(values)) / 40 - 7) * 1.0001; /* 0.9 ms to 20 s, in a strange order */
		exponential_add(&h, values[i]);
	}
	must_hold(&h, values, ARRAY_SIZE(values));
	assert_int_equal(h.scale, 3); /* log2(e^10) = 14.4 octaves in 160 buckets: 8 an octave */
}

static void powers_of_two_are_the_upper_bounds_of_their_buckets(void **state)
{
	static const double values[] = { 0.0009765625, 0.5, 1, 2, 4, 1024 };
	struct exponential h;
	exponential_init(&h);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		exponential_add(&h, values[i]);
	must_hold(&h, values, ARRAY_SIZE(values));
	assert_true(exponential_upper(&h, h.offset) == 0.0009765625);
}

static void one_value_is_as_fine_as_can_be(void **state)
{
	struct exponential h;
	exponential_init(&h);
	exponential_add(&h, 0.003);
	exponential_add(&h, 0.003);
	assert_int_equal(h.scale, EXPONENTIAL_SCALE_MAX);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.bucket[0], 2);
	assert_true(fabs(exponential_upper(&h, h.offset) - 0.003) < 0.003 * 1e-6);
}

static void nothing_is_its_own_count(void **state)
{
	struct exponential h;
	exponential_init(&h);
	exponential_add(&h, 0);
	exponential_add(&h, 1);
	assert_int_equal(h.zero, 1);
	assert_int_equal(counted(&h), 2);
	assert_true(h.min == 0 && h.max == 1 && h.sum == 1);
}

static void coarser_is_the_same_in_fewer_buckets(void **state)
{
	double values[100];
	struct exponential h;
	exponential_init(&h);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		exponential_add(&h, values[i] = 0.001 * (double)(i + 1));
	for (int scale = h.scale; scale >= -4; scale--) {
		exponential_coarsen(&h, scale);
		assert_int_equal(h.scale, scale);
		must_hold(&h, values, ARRAY_SIZE(values));
	}
}

static void the_smallest_and_the_largest_fit_together(void **state)
{
	static const double values[] = { 1e-9, 3.15e9 };
	struct exponential h;
	exponential_init(&h);
	exponential_add(&h, values[0]);
	exponential_add(&h, values[1]);
	must_hold(&h, values, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_is_in_the_bucket_whose_bounds_hold_it),
		cmocka_unit_test(powers_of_two_are_the_upper_bounds_of_their_buckets),
		cmocka_unit_test(one_value_is_as_fine_as_can_be),
		cmocka_unit_test(nothing_is_its_own_count),
		cmocka_unit_test(coarser_is_the_same_in_fewer_buckets),
		cmocka_unit_test(the_smallest_and_the_largest_fit_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
