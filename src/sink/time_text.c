#include "sink/time_text.h"

#include <time.h>

#include "base/macro.h"

void time_of_day(struct strbuf *out, uint64_t local_ns)
{
	unsigned second = (unsigned)(local_ns / NSEC_PER_SEC % 86400);
	strbuf_addf(out, "%02u:%02u:%02u.%06u", second / 3600, second / 60 % 60, second % 60, (unsigned)(local_ns % NSEC_PER_SEC / 1000));
}

static void set_second(struct rfc3339 *last, uint64_t second)
{
	time_t s = (time_t)second;
	struct tm tm;
	gmtime_r(&s, &tm);
	last->second = second;
	strftime(last->text, sizeof(last->text), "%Y-%m-%dT%H:%M:%S", &tm);
}

void time_rfc3339(struct strbuf *out, struct rfc3339 *last, uint64_t realtime_ns)
{
	uint64_t second = realtime_ns / NSEC_PER_SEC, ns = realtime_ns % NSEC_PER_SEC;
	char fraction[11] = ".000000000Z";
	if (!last->text[0] || last->second != second)
		set_second(last, second);
	for (size_t i = 9; ns; i--, ns /= 10)
		fraction[i] = (char)('0' + ns % 10);
	strbuf_adds(out, last->text);
	strbuf_add(out, fraction, sizeof(fraction));
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
	while (i + 1 < ARRAY_SIZE(units) && ns >= units[i].below)
		i++;
	if (i == 0) {
		strbuf_addf(out, "%lluns", (unsigned long long)ns);
		return;
	}
	double value = (double)ns / (double)units[i].unit;
	strbuf_addf(out, "%.*f%s", value < 10 ? 2 : value < 100 ? 1 : 0, value, units[i].name);
}
