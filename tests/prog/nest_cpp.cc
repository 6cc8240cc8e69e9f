/*
 * nest_cpp: methods, virtual ones, templates, lambdas, constructors and destructors, operators and statics, entered and left
 * in order (no exceptions: they have a test of their own). Log and usage as in nest.c.
 */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <unistd.h>
#include <vector>

#define UNTRACED __attribute__((no_instrument_function))
#define FUNCTION __attribute__((noinline))

namespace
{
struct Line {
	void *function;
	char what;
};
struct Log {
	pid_t tid;
	size_t n;
	Line lines[65536];
};
thread_local Log *own_log;
std::vector<Log *> logs;

UNTRACED void add(void *function, char what)
{
	if (own_log && own_log->n < 65536)
		own_log->lines[own_log->n++] = Line{ function, what };
}
}

extern "C" UNTRACED void __cyg_profile_func_enter(void *function, void *)
{
	add(function, '>');
}

extern "C" UNTRACED void __cyg_profile_func_exit(void *function, void *)
{
	add(function, '<');
}

namespace nest
{
struct Shape {
	FUNCTION explicit Shape(int size) : size(size) {}
	FUNCTION virtual ~Shape() {}
	FUNCTION virtual int area() const = 0;
	FUNCTION int twice() const { return 2 * area(); }
	int size;
};

struct Square final : Shape {
	FUNCTION explicit Square(int size) : Shape(size) {}
	FUNCTION ~Square() override {}
	FUNCTION int area() const override { return size * size; }
	FUNCTION bool operator<(const Square &other) const { return area() < other.area(); }
};

struct Circle final : Shape {
	FUNCTION explicit Circle(int size) : Shape(size) {}
	FUNCTION ~Circle() override {}
	FUNCTION int area() const override { return 3 * size * size; }
};

template <typename T> FUNCTION T largest(T a, T b)
{
	return a < b ? b : a;
}

FUNCTION static int file_local(int n)
{
	return largest(n, 3) + (int)largest(n + 0.5, 2.5);
}

FUNCTION long all(int rounds)
{
	long sum = 0;
	for (int i = 0; i < rounds; i++) {
		std::unique_ptr<Shape> shape;
		if (i % 2)
			shape.reset(new Square(i));
		else
			shape.reset(new Circle(i));
		auto add_to = [&sum](int n) FUNCTION { sum += n; };
		add_to(shape->twice());
		sum += Square(i) < Square(3);
		sum += file_local(i);
	}
	return sum;
}
}

UNTRACED static void run(size_t i)
{
	own_log = logs[i];
	own_log->tid = gettid();
	nest::all(10 + 5 * (int)i);
}

UNTRACED int main(int argc, char **argv)
{
	FILE *out = argc > 1 ? fopen(argv[1], "w") : nullptr;
	if (!out)
		return 2;
	for (int i = 0; i < 3; i++)
		logs.push_back(static_cast<Log *>(calloc(1, sizeof(Log))));
	std::thread one(run, 0), two(run, 1);
	run(2);
	one.join();
	two.join();
	fprintf(out, "%p\n", reinterpret_cast<void *>(main));
	for (const Log *log : logs)
		for (size_t i = 0; i < log->n; i++)
			fprintf(out, "%d %c %p\n", log->tid, log->lines[i].what, log->lines[i].function);
	return fclose(out) != 0;
}
