/*
 * What a process says of itself, be it what it may: its service has a name of at most 128 bytes, which is part of what was told.
 *
 * The input: declared name, cgroup, executable, comm, each ended by a new line; then the command line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "sys/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct slice take_line(struct slice *in)
{
	const char *end = in->len ? memchr(in->data, '\n', in->len) : NULL;
	struct slice line = { in->data, end ? (size_t)(end - in->data) : in->len };
	size_t step = line.len + (end != NULL);
	*in = (struct slice){ in->data + step, in->len - step };
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(strbuf_done) struct strbuf name = {};
	_cleanup_(free) char *copy = malloc(len + 1);
	memcpy(copy, bytes, len);
	struct slice rest = { copy, len };
	struct service_facts f = { .declared = take_line(&rest), .cgroup = take_line(&rest), .exe = take_line(&rest), .comm = take_line(&rest) };
	f.words = rest;
	service_choose(&name, &f);
	if (name.len > 128 || (name.len && !memmem(copy, len, name.data, name.len)) || (!name.len && f.comm.len))
		abort();
	return 0;
}
