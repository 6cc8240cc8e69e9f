#!/usr/bin/env python3
"""Writes a C program of N small functions f0 .. fN-1 that calls them all, again and again, and checks each round's sum.

It prints "ready", works until SIGTERM, then prints how many rounds there were and how many were wrong. With a number of
rounds as its argument it ends by itself.
"""
import sys

n = int(sys.argv[1])
print("#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>")
print("static volatile sig_atomic_t over;\nstatic void stop(int sig) { (void)sig; over = 1; }")
print("static volatile long seed = 1;")
for i in range(n):
    print(f"__attribute__((noinline)) long f{i}(long a, long b) {{ volatile long kept = a * {i + 3} + b; return kept ^ seed; }}")
print("static long round_once(long a) {\n\tlong sum = 0;")
for i in range(n):
    print(f"\tsum += f{i}(a, sum);")
print("\treturn sum;\n}")
print("""int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 0, done = 0, wrong = 0;
	signal(SIGTERM, stop);
	long want = round_once(7);
	puts("ready");
	fflush(stdout);
	for (; !over && (!rounds || done < rounds); done++)
		wrong += round_once(7) != want;
	printf("%ld wrong of %s rounds\\n", wrong, done ? "some" : "no");
	return wrong != 0;
}""")
