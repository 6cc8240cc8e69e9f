/*
 * values: calls with known arguments, results and durations, and prints what it did.
 *
 * usage: values FILE... Prints lines of words with tabs between: NAME, its argument and its result, in order; then
 * "measured", NAME, calls and the nanoseconds that its own clock says they took. Functions begin with value_; libc's are called through it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FUNCTION __attribute__((noinline, noclone))
#define SLEEP_NS 5000000
#define SLEEPS 20

FUNCTION int64_t value_long(int64_t n)
{
	return n - 1;
}

FUNCTION void *value_pointer(void *p)
{
	return p;
}

FUNCTION void value_sleep(void)
{
	struct timespec t = { 0, SLEEP_NS };
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL) == EINTR)
		;
}

FUNCTION void value_outer(void)
{
	value_sleep();
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void open_files(char **paths, int n)
{
	for (int i = 0; i < n; i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		printf("open\t%s\t%d\n", paths[i], fd);
		if (fd >= 0)
			close(fd);
	}
}

static void compare_strings(void)
{
	static const char *const texts[] = { "", "a", "with space and \"quotes\"", "gr\xc3\xbc\xc3\x9f" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *found = getenv(texts[i]);
		printf("getenv\t%s\t%p\n", texts[i], (const void *)found);
	}
	printf("getenv\tVALUES_TEST\t%p\n", (void *)getenv("VALUES_TEST"));
}

static void close_wrongly(void)
{
	printf("close\t%d\t%d\n", -1, close(-1));
	printf("close\t%d\t%d\n", INT_MAX, close(INT_MAX));
}

static void call_own(void)
{
	static const int64_t numbers[] = { 0, 1, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN + 1 };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		printf("value_long\t%lld\t%lld\n", (long long)numbers[i], (long long)value_long(numbers[i]));
	printf("value_pointer\t%p\t%p\n", (void *)stdout, value_pointer(stdout));
	printf("value_pointer\t%p\t%p\n", NULL, value_pointer(NULL));
}

int main(int argc, char **argv)
{
	open_files(argv + 1, argc - 1);
	compare_strings();
	close_wrongly();
	call_own();
	uint64_t start = now_ns();
	for (int i = 0; i < SLEEPS; i++)
		value_outer();
	printf("measured\tvalue_outer\t%d\t%llu\n", SLEEPS, (unsigned long long)(now_ns() - start));
	return 0;
}
