/*
 * Threads that end in the middle of nested calls, by pthread_exit() or pthread_cancel(), with cleanup handlers in each frame.
 * glibc loads libgcc_s at that moment and unwinds the stack with it. "exit", "cancel": which; then how many threads.
 * "wait" as the third word: the threads stand in their calls until a line comes on stdin, and before main() returns it says
 * "ended" and waits for another.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int cleaned, inside;
static int by_cancel, wait_first;
static int gate[2];

static void cleanup(void *unused)
{
	(void)unused;
	cleaned++;
}

__attribute__((noinline)) int deepest(int n)
{
	char c;
	inside++;
	if (wait_first && read(gate[0], &c, 1) < 0)
		return -1;
	if (!by_cancel)
		pthread_exit(NULL);
	for (;;)
		pause();
	return n;
}

__attribute__((noinline)) int middle(int n)
{
	int r;
	pthread_cleanup_push(cleanup, NULL);
	r = deepest(n + 1) + 1;
	pthread_cleanup_pop(1);
	return r;
}

__attribute__((noinline)) int outer(int n)
{
	int r;
	pthread_cleanup_push(cleanup, NULL);
	r = middle(n + 1) + 1;
	pthread_cleanup_pop(1);
	return r;
}

static void *thread(void *arg)
{
	return (void *)(long)outer((int)(long)arg);
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 4;
	pthread_t threads[64];
	by_cancel = argc > 1 && strcmp(argv[1], "cancel") == 0;
	wait_first = argc > 3;
	if (n > 64 || pipe(gate) < 0)
		return 1;
	for (int i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, thread, (void *)(long)i);
	while (inside < n)
		usleep(100);
	if (wait_first) {
		puts("inside");
		fflush(stdout);
		getchar();
		for (int i = 0; i < n; i++)
			if (write(gate[1], "x", 1) != 1)
				return 1;
	}
	for (int i = 0; i < n; i++) {
		if (by_cancel)
			pthread_cancel(threads[i]);
		pthread_join(threads[i], NULL);
	}
	if (wait_first) {
		puts("ended");
		fflush(stdout);
		getchar();
	}
	printf("cleaned %d\n", cleaned);
	return 3;
}
