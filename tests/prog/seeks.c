/*
 * seeks: system calls with known arguments and results, then another program in its place.
 *
 * usage: seeks FILE PROGRAM. Prints `lseek FD OFFSET WHENCE RESULT` with tabs between for each call, and its pid.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void seek(int fd, long offset, int whence)
{
	long result = lseek(fd, offset, whence);
	printf("lseek\t%d\t%ld\t%d\t%ld\n", fd, offset, whence, result < 0 ? -errno : result);
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[1], O_RDONLY) : -1;
	if (fd < 0)
		return 2;
	seek(fd, 0, SEEK_SET);
	seek(fd, 5, SEEK_SET);
	seek(fd, -2, SEEK_CUR);
	seek(fd, -1, SEEK_END);
	seek(fd, 1l << 40, SEEK_SET);
	seek(fd, -1, SEEK_SET);
	seek(-1, 0, SEEK_SET);
	seek(fd, 0, 77);
	printf("pid\t%d\n", getpid());
	fflush(stdout);
	execl(argv[2], "seeks-renamed", "again", NULL);
	return 1;
}
