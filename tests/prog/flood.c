/*
 * flood: calls one function as fast as it can, and tells how often.
 *
 * usage: flood CALLS [THREADS]. Each thread makes CALLS calls. Prints the sum of all calls.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS_MAX 16

__attribute__((noinline)) long flood_call(long n)
{
	__asm__ volatile("" ::: "memory");
	return n + 1;
}

static void *run(void *calls)
{
	long made = 0;
	while (made < *(long *)calls)
		made = flood_call(made);
	return (void *)made;
}

int main(int argc, char **argv)
{
	long calls = argc > 1 ? atol(argv[1]) : 1000, sum = 0;
	int threads = argc > 2 ? atoi(argv[2]) : 1;
	pthread_t thread[THREADS_MAX];
	if (threads < 1 || threads > THREADS_MAX)
		return 2;
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, run, &calls) != 0)
			return 1;
	for (int i = 0; i < threads; i++) {
		void *made;
		pthread_join(thread[i], &made);
		sum += (long)made;
	}
	printf("%ld\n", sum);
	return 0;
}
