/*
 * nest: calls functions in all the ways in which C can, and writes down which and in what order.
 *
 * Built with -finstrument-functions: the compiler calls the two hooks below as each function is entered and left, so the
 * log is the compiler's truth. usage: nest LOG. The log's first line is the address of main; the others are
 * `TID > ADDRESS` for an entry and `TID < ADDRESS` for an exit, in the order of each thread.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define UNTRACED __attribute__((no_instrument_function))
#define FUNCTION __attribute__((noinline, noclone))
#define LOG_MAX 65536
#define THREADS 3

struct line {
	void *function;
	char what;
};

struct log {
	pid_t tid;
	size_t n;
	struct line lines[LOG_MAX];
};

static __thread struct log *own_log;
static struct log *logs[THREADS + 1];

UNTRACED static void add(void *function, char what)
{
	if (own_log && own_log->n < LOG_MAX)
		own_log->lines[own_log->n++] = (struct line){ function, what };
}

UNTRACED void __cyg_profile_func_enter(void *function, void *caller)
{
	(void)caller;
	add(function, '>');
}

UNTRACED void __cyg_profile_func_exit(void *function, void *caller)
{
	(void)caller;
	add(function, '<');
}

UNTRACED static void begin_log(int i)
{
	logs[i] = own_log = calloc(1, sizeof(*own_log));
	own_log->tid = gettid();
}

FUNCTION int nest_leaf(int n)
{
	return n ^ 1;
}

FUNCTION int nest_many_returns(int n)
{
	if (n % 4 == 0)
		return nest_leaf(n);
	if (n % 4 == 1)
		return 7;
	for (int i = 0; i < n; i++)
		if (nest_leaf(i) > 5)
			return i;
	return n;
}

FUNCTION int nest_recurse(int n)
{
	return n == 0 ? nest_leaf(n) : 1 + nest_recurse(n - 1);
}

FUNCTION int nest_odd(int n);

FUNCTION int nest_even(int n)
{
	return n == 0 ? 1 : nest_odd(n - 1);
}

FUNCTION int nest_odd(int n)
{
	return n == 0 ? 0 : nest_even(n - 1);
}

FUNCTION int nest_fibonacci(int n)
{
	return n < 2 ? n : nest_fibonacci(n - 1) + nest_fibonacci(n - 2);
}

FUNCTION int nest_by_pointer(int (*function)(int), int n)
{
	return function(n) + function(n + 1);
}

FUNCTION void nest_nothing(void)
{
}

FUNCTION int nest_order(const void *a, const void *b)
{
	return nest_leaf(*(const int *)a) - nest_leaf(*(const int *)b);
}

FUNCTION int nest_through_libc(int n)
{
	int numbers[8];
	for (int i = 0; i < 8; i++)
		numbers[i] = (n + 1) * (i * 37 % 11);
	qsort(numbers, 8, sizeof(*numbers), nest_order);
	return numbers[n % 8];
}

FUNCTION int nest_big_frame(int n)
{
	volatile char room[3000];
	room[n] = (char)n;
	return nest_many_returns(room[n]);
}

FUNCTION long nest_all(int rounds)
{
	long sum = 0;
	for (int i = 0; i < rounds; i++) {
		nest_nothing();
		sum += nest_recurse(i % 20) + nest_even(i % 15) + nest_fibonacci(i % 8);
		sum += nest_by_pointer(nest_many_returns, i) + nest_by_pointer(nest_big_frame, i);
		sum += nest_through_libc(i);
	}
	return sum;
}

UNTRACED static void *run(void *number)
{
	begin_log((int)(intptr_t)number);
	return (void *)nest_all(20 + 5 * (int)(intptr_t)number);
}

UNTRACED static void write_log(FILE *out, const struct log *log)
{
	for (size_t i = 0; i < log->n; i++)
		fprintf(out, "%d %c %p\n", log->tid, log->lines[i].what, log->lines[i].function);
}

UNTRACED int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
	if (!out)
		return 2;
	begin_log(THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i);
	nest_all(30);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	fprintf(out, "%p\n", (void *)main);
	for (int i = 0; i <= THREADS; i++)
		write_log(out, logs[i]);
	return fclose(out) != 0;
}
