#include "sink/time_text.h"

#include <time.h>

#include "base/macro.h"

void time_of_day(struct strbuf *out, uint64_t realtime_ns)
{
	time_t s = (time_t)(realtime_ns / NSEC_PER_SEC);
	struct tm tm;
	localtime_r(&s, &tm);
	strbuf_addf(out, "%02d:%02d:%02d.%06u", tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(realtime_ns % NSEC_PER_SEC / 1000));
}

void time_rfc3339(struct strbuf *out, uint64_t realtime_ns)
{
	time_t s = (time_t)(realtime_ns / NSEC_PER_SEC);
	struct tm tm;
	gmtime_r(&s, &tm);
	strbuf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%09uZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
		    tm.tm_sec, (unsigned)(realtime_ns % NSEC_PER_SEC));
}

void time_duration(struct strbuf *out, uint64_t ns)
{
	static const struct {
		uint64_t below, unit;
		const char *name;
	} units[] = {
		{ NSEC_PER_USEC, 1, "ns" },
		{ NSEC_PER_MSEC, NSEC_PER_USEC, "us" },
		{ NSEC_PER_SEC, NSEC_PER_MSEC, "ms" },
		{ UINT64_MAX, NSEC_PER_SEC, "s" },
	};
	size_t i = 0;
	while (ns >= units[i].below)
		i++;
	if (i == 0) {
		strbuf_addf(out, "%lluns", (unsigned long long)ns);
		return;
	}
	double value = (double)ns / (double)units[i].unit;
	strbuf_addf(out, "%.*f%s", value < 10 ? 2 : value < 100 ? 1 : 0, value, units[i].name);
}
