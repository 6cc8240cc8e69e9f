/* tables: which types of events come as tables, and their columns; a row of table_kinds[] each. */
#pragma once

#include "event/event.h"
#include "sink/table.h"

struct table_kind {
	enum event_type_id type;
	const struct table_column *columns;
	const char *sort;   /* unless --sort says otherwise */
	const char *shown;  /* to people, unless --columns says otherwise; NULL: all */
};

enum { TABLE_KINDS = 3 };
extern const struct table_kind table_kinds[TABLE_KINDS];
