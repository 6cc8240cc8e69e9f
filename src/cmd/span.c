#include "cmd/span.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "engine/fact.abi.h"
#include "net/capture.h"
#include "record/reader.h"

#define DAY_NS (86400 * NSEC_PER_SEC)
#define FACTS_FIRST 100000 /* records that are looked at for the clock: it is told before everything else */

/* What is needed to understand a time of day. */
struct recorded {
	int64_t realtime_offset_ns;
	int64_t utc_offset_ns;
	uint64_t first_ns, last_ns; /* CLOCK_MONOTONIC */
};

static int read_clock(struct record_reader *reader, struct recorded *ret, struct reason *why)
{
	const struct rec_head *rec;
	for (int i = 0; i < FACTS_FIRST && record_reader_next(reader, &rec, why) > 0; i++) {
		const struct run_clock_rec *clock = (const void *)rec;
		if (rec->type != RUN_CLOCK || rec->length < sizeof(*clock))
			continue;
		ret->realtime_offset_ns = clock->realtime_offset_ns;
		ret->utc_offset_ns = clock->utc_offset_s * (int64_t)NSEC_PER_SEC;
		return 0;
	}
	return reason_set(why, -ENODATA, "the recording does not tell what time of day it was; give --since and --until as 10s, from its beginning");
}

static int read_recording(const char *path, struct recorded *ret, struct reason *why)
{
	_cleanup_(record_reader_free) struct record_reader *reader = NULL;
	int r = record_reader_open(&reader, path, why);
	if (r < 0)
		return r;
	record_reader_span(reader, &ret->first_ns, &ret->last_ns);
	return read_clock(reader, ret, why);
}

/* Times of packets are those of the day; the time zone is ours. */
static int read_capture(const char *path, struct recorded *ret, struct reason *why)
{
	int r = capture_span(path, &ret->first_ns, &ret->last_ns, why);
	time_t then = (time_t)(ret->first_ns / NSEC_PER_SEC);
	struct tm tm = {};
	localtime_r(&then, &tm);
	ret->utc_offset_ns = tm.tm_gmtoff * (int64_t)NSEC_PER_SEC;
	return r;
}

/* ".5" → 500,000,000; moves behind it. */
static uint64_t take_fraction(const char **s)
{
	uint64_t ns = 0, unit = NSEC_PER_SEC / 10;
	if (**s != '.')
		return 0;
	for ((*s)++; isdigit((unsigned char)**s); (*s)++, unit /= 10)
		ns += unit * (uint64_t)(**s - '0');
	return ns;
}

/* "14:02", "14:02:11.5": on the day of the beginning, or on the next when the beginning is later than that. */
static int read_time_of_day(const char *text, const struct recorded *r, uint64_t *ret_ns)
{
	struct tm tm = {};
	const char *rest = strptime(text, "%H:%M:%S", &tm);
	rest = rest ? rest : strptime(text, "%H:%M", &tm);
	if (!rest)
		return -EINVAL;
	uint64_t of_day = (uint64_t)(tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) * NSEC_PER_SEC + take_fraction(&rest);
	if (*rest)
		return -EINVAL;
	uint64_t first = r->first_ns + (uint64_t)(r->realtime_offset_ns + r->utc_offset_ns);
	uint64_t local = first / DAY_NS * DAY_NS + of_day;
	if (local < first && local + DAY_NS <= first + (r->last_ns - r->first_ns))
		local += DAY_NS;
	uint64_t offset = (uint64_t)(r->realtime_offset_ns + r->utc_offset_ns);
	*ret_ns = local > offset ? local - offset : 0;
	return 0;
}

/* "2026-11-21T14:02:11.5", a blank instead of the T; "Z" at its end: UTC. */
static int read_date(const char *text, const struct recorded *r, uint64_t *ret_ns)
{
	struct tm tm = {};
	const char *rest = strptime(text, "%Y-%m-%d", &tm);
	if (!rest || (*rest != 'T' && *rest != ' '))
		return -EINVAL;
	rest = strptime(rest + 1, "%H:%M:%S", &tm);
	if (!rest)
		return -EINVAL;
	int64_t ns = timegm(&tm) * (int64_t)NSEC_PER_SEC + (int64_t)take_fraction(&rest);
	if (!streq(rest, "Z") && *rest)
		return -EINVAL;
	ns -= r->realtime_offset_ns + (*rest ? 0 : r->utc_offset_ns);
	*ret_ns = ns > 0 ? (uint64_t)ns : 0;
	return 0;
}

static int read_time(const char *text, const struct recorded *r, uint64_t *ret_ns)
{
	uint64_t ns;
	bool from_end = text[0] == '-';
	if (parse_time_ns(text + from_end, &ns) == 0) {
		*ret_ns = !from_end ? r->first_ns + ns : r->last_ns > ns ? r->last_ns - ns : 0;
		return 0;
	}
	return strchr(text, '-') ? read_date(text, r, ret_ns) : read_time_of_day(text, r, ret_ns);
}

static int read_option(const char *name, const char *text, const struct recorded *r, uint64_t *ret_ns, struct reason *why)
{
	if (!text || read_time(text, r, ret_ns) == 0)
		return 0;
	return reason_set(why, -EINVAL, "%s: '%.80s' is no time (14:02:11.5, 2026-11-21T14:02:11, or 10s after the beginning)", name, text);
}

int span_of(const struct options *o, uint64_t *ret_since_ns, uint64_t *ret_until_ns, struct reason *why)
{
	struct recorded recorded = {};
	uint64_t since = 0, until = UINT64_MAX;
	int r = 0;
	if (o->since || o->until) {
		r = (capture_is_one(o->from) ? read_capture : read_recording)(o->from, &recorded, why);
		if (r == 0)
			r = read_option("--since", o->since, &recorded, &since, why);
		if (r == 0)
			r = read_option("--until", o->until, &recorded, &until, why);
	}
	if (r < 0)
		return r;
	*ret_since_ns = since;
	*ret_until_ns = until;
	return 0;
}
