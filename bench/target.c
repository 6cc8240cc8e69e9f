/*
 * target: the traced side of a measurement. Each line "FUNCTION CALLS" on standard input makes one round; the answer is
 * the thread's CPU time of the round and the time that elapsed, in nanoseconds. It does nothing in between, so that several can wait side by side
 * and be asked in turn.
 *
 * `emulated` begins with an instruction that the kernel emulates when it is probed, nothing in `stepped` is one of those
 * (kernel: arch/x86/kernel/uprobes.c): the difference is the price of a single step.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#if defined(BENCH_PG) /* compiled with -pg, for tracers in the process */
long emulated(long n, const char *text, long more);
__attribute__((noinline)) long emulated(long n, const char *text, long more)
{
	__asm__ volatile("" : : "r"(text));
	return n + more;
}
static long stepped(long n, const char *text, long more)
{
	return emulated(n, text, more);
}
#elif defined(__x86_64__)
__asm__(".text\n.p2align 6\n.globl emulated\n.type emulated, @function\n"
	"emulated: push %rbp\n mov %rsp, %rbp\n lea (%rdi,%rdx), %rax\n pop %rbp\n"
	".globl emulated_ret\n.type emulated_ret, @function\nemulated_ret: ret\n.size emulated_ret, . - emulated_ret\n.size emulated, . - emulated\n"
	".p2align 6\n.globl stepped\n.type stepped, @function\n"
	"stepped: mov %rdi, %rax\n add %rdx, %rax\n ret\n.size stepped, . - stepped\n");
#elif defined(__aarch64__)
__asm__(".text\n.p2align 6\n.globl emulated\n.type emulated, @function\n"
	"emulated: nop\n add x0, x0, x2\n"
	".globl emulated_ret\n.type emulated_ret, @function\nemulated_ret: ret\n.size emulated_ret, . - emulated_ret\n.size emulated, . - emulated\n"
	".p2align 6\n.globl stepped\n.type stepped, @function\n"
	"stepped: mov x1, x0\n add x0, x1, x2\n ret\n.size stepped, . - stepped\n");
#endif
#if !defined(BENCH_PG)
extern long emulated(long n, const char *text, long more), stepped(long n, const char *text, long more);
#endif

static const struct {
	const char *name;
	long (*call)(long n, const char *text, long more);
} functions[] = { { "emulated", emulated }, { "stepped", stepped } };

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void make_round(long (*call)(long, const char *, long), long calls)
{
	uint64_t elapsed = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
	for (long i = 0; i < calls; i++)
		call(i, "text", 7);
	cpu = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	elapsed = now_ns(CLOCK_MONOTONIC) - elapsed;
	printf("%llu %llu\n", (unsigned long long)cpu, (unsigned long long)elapsed);
}

int main(void)
{
	char name[32];
	long calls;
	while (scanf("%31s %ld", name, &calls) == 2) {
		for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
			if (strcmp(functions[i].name, name) == 0)
				make_round(functions[i].call, calls);
		fflush(stdout);
	}
	return 0;
}
