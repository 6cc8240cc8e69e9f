/* longjmp out of nested calls, again and again; what comes after must be paired rightly. */
#include <setjmp.h>
#include <stdio.h>

static jmp_buf back;

__attribute__((noinline)) int deepest(int n)
{
	if (n % 3 == 0)
		longjmp(back, 1);
	return n * 2;
}

__attribute__((noinline)) int middle(int n)
{
	return deepest(n) + 1;
}

__attribute__((noinline)) int outer(int n)
{
	if (setjmp(back))
		return -n;
	return middle(n) + 1;
}

int main(void)
{
	volatile long sum = 0;
	for (volatile int i = 0; i < 30; i++)
		sum += outer(i);
	printf("sum %ld\n", sum);
	return 3;
}
