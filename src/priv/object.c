#include "priv/object.h"

#include "base/macro.h"

struct slice object_bytes(const char *name)
{
	for (const struct object_row *row = bpf_object_table; row->name; row++)
		if (streq(row->name, name))
			return (struct slice){ row->bytes, row->len };
	return (struct slice){};
}
