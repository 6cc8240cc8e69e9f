/* A configuration of any bytes is read or refused with a reason, and what was read can be freed. */
#include <stdint.h>
#include <stdlib.h>

#include "config/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(options_done) struct options o;
	struct reason why = {};
	options_init(&o);
	int r = options_read_json(&o, (struct slice){ (const char *)bytes, len }, "fuzz", &why);
	if ((r < 0) != (why.text[0] != '\0'))
		abort();
	return 0;
}
