/* A copy of /proc/kallsyms with any bytes in it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sym/kallsyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(fd_close) int fd = memfd_create("fuzz", MFD_CLOEXEC);
	_cleanup_(kallsyms_free) struct kallsyms *k = NULL;
	const struct kernel_func *funcs;
	struct reason why = {};
	char path[64];
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (kallsyms_new_from(&k, path, &why) < 0) {
		if (!why.text[0])
			abort();
		return 0;
	}
	size_t n = kallsyms_functions(k, &funcs);
	for (size_t i = 0; i < n; i++)
		if (!funcs[i].name[0] || !funcs[i].module || (i && strcmp(funcs[i - 1].name, funcs[i].name) > 0))
			abort();
	return 0;
}
