/*
 * twice: a function that returns twice. longjmp goes where _setjmp took its return address from the stack.
 *
 * Prints its number of arguments, which lie where _start finds no return address, and how often _setjmp returned.
 */
#include <setjmp.h>
#include <stdio.h>

static jmp_buf again;

int main(int argc, char **argv)
{
	static int returned;
	(void)argv;
	if (setjmp(again) < 3) {
		returned++;
		longjmp(again, returned);
	}
	printf("%d arguments, returned %d times\n", argc - 1, returned + 1);
	return 0;
}
