/*
 * probes: USDT probes with arguments of all sizes and signs, in registers, memory and constants.
 *
 * usage: probes. Prints each probe that it passes, `NAME ARGUMENT...` with tabs between, in order. Built with
 * -D_SDT_HAS_SEMAPHORES each probe has a semaphore, and `semaphore NAME VALUE` is printed for two of them.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/sdt.h>

#define FUNCTION __attribute__((noinline, noclone))

#ifdef _SDT_HAS_SEMAPHORES
#define SEMAPHORE(name) __extension__ unsigned short truth_##name##_semaphore __attribute__((used, section(".probes")))
SEMAPHORE(nothing);
SEMAPHORE(small);
SEMAPHORE(large);
SEMAPHORE(many);
SEMAPHORE(constants);
SEMAPHORE(members);
#endif

struct pair {
	int16_t a;
	uint64_t b;
	int32_t list[4];
};

FUNCTION void nothing(void)
{
	DTRACE_PROBE(truth, nothing);
	printf("nothing\n");
}

FUNCTION void small(int8_t a, uint8_t b, int16_t c, uint16_t d)
{
	DTRACE_PROBE4(truth, small, a, b, c, d);
	printf("small\t%d\t%u\t%d\t%u\n", a, b, c, d);
}

FUNCTION void large(int32_t a, uint32_t b, int64_t c, uint64_t d)
{
	DTRACE_PROBE4(truth, large, a, b, c, d);
	printf("large\t%d\t%u\t%lld\t%llu\n", a, b, (long long)c, (unsigned long long)d);
}

FUNCTION void many(int a)
{
	int8_t b = (int8_t)(a * 3);
	uint16_t c = (uint16_t)(a * 5);
	int64_t d = a * 7ll, e = d * d;
	uint32_t f = (uint32_t)a * 11u;
	int g = a ^ 1, h = a + 2, i = -a, j = a - 100;
	DTRACE_PROBE10(truth, many, a, b, c, d, e, f, g, h, i, j);
	printf("many\t%d\t%d\t%u\t%lld\t%lld\t%u\t%d\t%d\t%d\t%d\n", a, b, c, (long long)d, (long long)e, f, g, h, i, j);
}

FUNCTION void constants(void)
{
	DTRACE_PROBE3(truth, constants, -5, 4000000000u, (int8_t)-128);
	printf("constants\t-5\t4000000000\t-128\n");
}

FUNCTION void members(const struct pair *p, int i)
{
	DTRACE_PROBE4(truth, members, p->a, p->b, p->list[i], p->list[3]);
	printf("members\t%d\t%llu\t%d\t%d\n", p->a, (unsigned long long)p->b, p->list[i], p->list[3]);
}

int main(void)
{
	struct pair pair = { -7, UINT64_MAX - 1, { 1, -2, 3, INT32_MIN } };
	nothing();
	small(-1, 200, -300, 65535);
	small(INT8_MIN, UINT8_MAX, INT16_MIN, 0);
	large(-1, UINT32_MAX, -1, UINT64_MAX);
	large(INT32_MIN, 0, INT64_MIN, 1ull << 63);
	for (int i = -2; i < 60; i += 13)
		many(i);
	constants();
	for (int i = 0; i < 4; i++)
		members(&pair, i);
#ifdef _SDT_HAS_SEMAPHORES
	printf("semaphore\tmany\t%u\n", (unsigned)*(volatile unsigned short *)&truth_many_semaphore);
	printf("semaphore\tnothing\t%u\n", (unsigned)*(volatile unsigned short *)&truth_nothing_semaphore);
#endif
	return 0;
}
