/* Light load: argv[1] calls of a small function, then a pause of 5 ms, again and again until SIGTERM. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t over;
static volatile long kept;

static void stop(int sig)
{
	(void)sig;
	over = 1;
}

__attribute__((noinline)) long step(long n)
{
	for (int i = 0; i < 1000; i++)
		kept += n ^ i;
	return kept;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 100;
	signal(SIGTERM, stop);
	puts("ready");
	fflush(stdout);
	while (!over) {
		for (long i = 0; i < n; i++)
			step(i);
		usleep(5000);
	}
	return 0;
}
