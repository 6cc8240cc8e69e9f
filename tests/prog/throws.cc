// Throws an exception through frames of functions that are probed: each prints what it caught and what was unwound.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

static int unwound;

struct guard {
	~guard() { unwound++; }
};

__attribute__((noinline)) int deepest(int n)
{
	if (n % 3 == 0)
		throw std::runtime_error("n is " + std::to_string(n));
	return n * 2;
}

__attribute__((noinline)) int through(int n)
{
	guard g;
	return deepest(n) + 1;
}

__attribute__((noinline)) int catches(int n)
{
	try {
		return through(n);
	} catch (const std::exception &) {
		return -n;
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 30;
	long sum = 0;
	for (int i = 0; i < rounds; i++)
		sum += catches(i);
	printf("sum %ld, unwound %d\n", sum, unwound);
	return 3;
}
