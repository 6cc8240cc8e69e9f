/* Argument strings of USDT notes: each operand moves on, and what it says of a fetch is something that a probe can do. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/usdt_arg.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct fetch *f)
{
	bool indexed = f->flags & FETCH_INDEXED;
	if (f->size != 1 && f->size != 2 && f->size != 4 && f->size != 8)
		abort();
	if (f->from == FETCH_REGISTER && (f->index >= REG_COUNT || (indexed && f->index2 >= REG_COUNT) || f->scale > 3))
		abort();
	if (f->from != FETCH_REGISTER && (f->from != FETCH_CONSTANT || f->flags & (FETCH_DEREF | FETCH_INDEXED)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(free) char *text = strndup((const char *)bytes, len);
	const char *at = text;
	for (;;) {
		struct fetch f;
		size_t consumed = 0;
		int r = usdt_argument_parse(at, &f, &consumed);
		if (r != 0 && r != -ENOTSUP)
			return 0;
		if (consumed == 0 || consumed > strlen(at))
			abort();
		if (r == 0)
			check(&f);
		at += consumed;
	}
}
