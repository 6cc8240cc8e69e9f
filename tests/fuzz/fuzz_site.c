/*
 * A function of any bytes: where probes go in it lies in it, in order, on RETs, and is the same when it is asked again. The
 * disassembler is the distribution's capstone.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/site.h"
#include "base/alloc.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_returns(struct slice code)
{
	struct site few[4];
	size_t n = 0, again = 0;
	if (site_returns(code, few, 4, &n) != SITE_OK)
		return;
	_cleanup_(free) struct site *all = xcalloc(n + 1, sizeof(*all));
	if (site_returns(code, all, n, &again) != SITE_OK || again != n)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (all[i].offset >= code.len || (i && all[i].offset <= all[i - 1].offset) || (i < 4 && few[i].offset != all[i].offset))
			abort();
		struct site at;
		if (site_at(code, all[i].offset, &at) != SITE_OK)
			abort(); /* what is listed can be probed */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice code = { (const char *)bytes, len };
	struct site s;
	if (site_entry(code, &s) == SITE_OK && s.offset >= len)
		abort();
	for (uint32_t at = 0; at <= len && at < 16; at++)
		if (site_at(code, at, &s) == SITE_OK && (s.offset != at || at >= len))
			abort();
	site_uses_red_zone(code);
	check_returns(code);
	return 0;
}
