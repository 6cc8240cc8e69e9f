/* Calls with known values: numbers, strings, a string that is too long, nesting, recursion, a table of libc functions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

__attribute__((noinline)) long twice(long n)
{
	return n * 2;
}

__attribute__((noinline)) int deep(int n)
{
	return n == 0 ? 1 : deep(n - 1) + 1;
}

__attribute__((noinline)) long work(int round)
{
	char name[16];
	snprintf(name, sizeof(name), "V%d", round);
	setenv(name, round ? "short" : LONG, 1);
	unsetenv(name);
	return twice(round) + deep(round % 5) + twice(-round);
}

int main(int argc, char **argv)
{
	long sum = 0, rounds = argc > 1 ? atol(argv[1]) : 40;
	for (int i = 0; i < rounds; i++)
		sum += work(i);
	printf("%ld\n", sum);
	return 0;
}
