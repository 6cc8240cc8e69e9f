/* The parser of tracefs format files takes any bytes: what it accepts lies inside the largest record and has names. */
#include <stdint.h>
#include <stdlib.h>

#include "priv/tracefs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(tracefs_format_done) struct tracefs_format f = {};
	if (tracefs_format_parse((struct slice){ (const char *)data, size }, &f) < 0) {
		if (f.n || f.name)
			abort();
		return 0;
	}
	for (size_t i = 0; i < f.n; i++) {
		const struct tracefs_field *field = &f.fields[i];
		if (!field->name[0] || !field->type[0] || field->offset + field->size > TRACEFS_RECORD_MAX_BYTES)
			abort();
		if (!tracefs_field_find(&f, field->name))
			abort();
	}
	return 0;
}
