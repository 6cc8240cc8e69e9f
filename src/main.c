#include "cmd/cmd.h"

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return commands[0] ? 0 : 2;
}
