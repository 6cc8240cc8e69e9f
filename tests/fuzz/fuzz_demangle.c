/* Names of a stranger's symbol table: their text is bounded, and so is the time that it takes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sym/demangle.h"

#define TEXT_MAX_BYTES (65u << 10) /* what demangle.h promises, and what compilers append */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *name = strndup((const char *)bytes, len);
	char *text = demangle(name);
	if (text && (strlen(text) > TEXT_MAX_BYTES + len || !*text))
		abort();
	free(text);
	free(name);
	return 0;
}
