/*
 * replay.c - runs a fuzzer over the inputs of its corpus, once each, without libFuzzer: any compiler, any sanitizer, seconds.
 * Folders and files are its arguments. The bounds are those of tools/fuzz.py; what breaks one ends the program, and the last
 * line names the input.
 */
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define INPUT_MAX_BYTES (1u << 20)
#define INPUT_MAX_SECONDS 20 /* of the processor, under two sanitizers; $REPLAY_SLOWER times as many under valgrind */
#define MEMORY_MAX_KB (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static unsigned inputs;

static long peak_kb(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* In memory of exactly its size, so that a read beyond it is seen. */
static uint8_t *read_input(const char *path, size_t size)
{
	_cleanup_(fclose) FILE *f = fopen(path, "re");
	uint8_t *bytes = xmalloc(size ?: 1);
	if (!f || size > INPUT_MAX_BYTES || fread(bytes, 1, size, f) != size) {
		fprintf(stderr, "cannot read it\n");
		exit(1);
	}
	return bytes;
}

/* What takes longer is ended by SIGPROF. */
static void limit(long seconds)
{
	const char *slower = getenv("REPLAY_SLOWER");
	seconds *= slower ? atol(slower) : 1;
	setitimer(ITIMER_PROF, &(struct itimerval){ .it_value.tv_sec = seconds }, NULL);
}

static int run(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	if (kind != FTW_F)
		return kind == FTW_D ? 0 : -1;
	fprintf(stderr, "%s\n", path);
	_cleanup_(free) uint8_t *bytes = read_input(path, (size_t)st->st_size);
	limit(INPUT_MAX_SECONDS);
	LLVMFuzzerTestOneInput(bytes, (size_t)st->st_size);
	limit(0);
	inputs++;
	if (peak_kb() <= MEMORY_MAX_KB)
		return 0;
	fprintf(stderr, "%ld kB of memory\n", peak_kb());
	return -1;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (nftw(argv[i], run, 16, FTW_PHYS) != 0)
			return 1;
	printf("%u inputs\n", inputs);
	return inputs > 0 ? 0 : 1;
}
