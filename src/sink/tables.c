#include "sink/tables.h"

static const struct table_column stat_columns[] = {
	{ "calls", STAT_CALLS, false, false },
	{ "total", STAT_TOTAL, true, false },
	{ "self", STAT_SELF, true, false },
	{ "min", STAT_MIN, true, false },
	{ "p50", STAT_P50, true, false },
	{ "p99", STAT_P99, true, false },
	{ "max", STAT_MAX, true, false },
	{ "overhead", STAT_OVERHEAD, true, false },
	{ "module", STAT_MODULE, false, true },
	{ "function", STAT_FUNCTION, false, true },
	{},
};

static const struct table_column syscall_columns[] = {
	{ "calls", SYSSTAT_CALLS, false, false },
	{ "errors", SYSSTAT_ERRORS, false, false },
	{ "total", SYSSTAT_TOTAL, true, false },
	{ "min", SYSSTAT_MIN, true, false },
	{ "p50", SYSSTAT_P50, true, false },
	{ "p99", SYSSTAT_P99, true, false },
	{ "max", SYSSTAT_MAX, true, false },
	{ "call", SYSSTAT_FUNCTION, false, true },
	{},
};

static const struct table_column request_columns[] = {
	{ "requests", REQSTAT_CALLS, false, false },
	{ "errors", REQSTAT_ERRORS, false, false },
	{ "total", REQSTAT_TOTAL, true, false },
	{ "p50", REQSTAT_P50, true, false },
	{ "p99", REQSTAT_P99, true, false },
	{ "max", REQSTAT_MAX, true, false },
	{ "kind", REQSTAT_KIND, false, true },
	{ "request", REQSTAT_NAME, false, true },
	{},
};

const struct table_kind table_kinds[TABLE_KINDS] = {
	{ EVENT_FUNCTION_STAT, stat_columns, "total", "calls,total,self,p50,p99,function" },
	{ EVENT_SYSCALL_STAT, syscall_columns, "total", NULL },
	{ EVENT_REQUEST_STAT, request_columns, "requests", NULL },
};
