/* arg_time: times, intervals and timers. */
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "probe/syscall/decode.h"

struct value timespec_value(struct call *c, int64_t sec, int64_t nsec)
{
	struct fields f = {};
	fields_add(&f, "tv_sec", INT_VALUE(sec));
	fields_add(&f, "tv_nsec", INT_VALUE(nsec));
	return fields_struct(c, &f, false);
}

struct value timeval_value(struct call *c, int64_t sec, int64_t usec)
{
	struct fields f = {};
	fields_add(&f, "tv_sec", INT_VALUE(sec));
	fields_add(&f, "tv_usec", INT_VALUE(usec));
	return fields_struct(c, &f, false);
}

static struct value pair_at(struct call *c, enum arg_when when, uint64_t addr,
			    struct value (*make)(struct call *, int64_t, int64_t))
{
	int64_t t[2];
	if ((when == AT_EXIT && !call_succeeded(c)) || !memory_read(c, when, addr, &t))
		return value_address(c, addr);
	return make(c, t[0], t[1]);
}

struct value timespec_at(struct call *c, enum arg_when when, uint64_t addr)
{
	return pair_at(c, when, addr, timespec_value);
}

static struct value decode_timespec(struct call *c, uint64_t word, const struct arg_type *type)
{
	return pair_at(c, type->memory[0].when, word, timespec_value);
}

static struct value decode_timeval(struct call *c, uint64_t word, const struct arg_type *type)
{
	return pair_at(c, type->memory[0].when, word, timeval_value);
}

static struct value interval_at(struct call *c, enum arg_when when, uint64_t addr,
				struct value (*make)(struct call *, int64_t, int64_t))
{
	struct fields f = {};
	int64_t t[4];
	if ((when == AT_EXIT && !call_succeeded(c)) || !memory_read(c, when, addr, &t))
		return value_address(c, addr);
	fields_add(&f, "it_interval", make(c, t[0], t[1]));
	fields_add(&f, "it_value", make(c, t[2], t[3]));
	return fields_struct(c, &f, false);
}

static struct value decode_itimerval(struct call *c, uint64_t word, const struct arg_type *type)
{
	return interval_at(c, type->memory[0].when, word, timeval_value);
}

static struct value decode_itimerspec(struct call *c, uint64_t word, const struct arg_type *type)
{
	return interval_at(c, type->memory[0].when, word, timespec_value);
}

/* nanosleep: what is left is written only when a signal came. */
static struct value decode_remaining(struct call *c, uint64_t word, const struct arg_type *type)
{
	return value_address(c, word);
}

static struct value file_time(struct call *c, const int64_t t[2])
{
	struct value v = timespec_value(c, t[0], t[1]);
	time_t sec = t[0];
	struct tm tm;
	char day[32];
	if (t[1] == UTIME_NOW || t[1] == UTIME_OMIT)
		return value_text(c, v, "%s", t[1] == UTIME_NOW ? "UTIME_NOW" : "UTIME_OMIT");
	if ((t[0] == 0 && t[1] == 0) || t[1] < 0 || t[1] > 999999999 || !localtime_r(&sec, &tm))
		return v;
	char zone[8];
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	if (t[1])
		return value_text(c, v, "%.*s /* %s.%09" PRId64 "%s */", (int)v.text.len, v.text.data, day, t[1], zone);
	return value_text(c, v, "%.*s /* %s%s */", (int)v.text.len, v.text.data, day, zone);
}

static struct value decode_file_times(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	int64_t t[4];
	if (!memory_read(c, AT_ENTRY, word, &t))
		return value_address(c, word);
	fields_add(&f, "", file_time(c, t));
	fields_add(&f, "", file_time(c, t + 2));
	return fields_list(c, &f, false);
}

/* clock_t of times(2): 100 to the second on all Linux. */
static struct value ticks_value(struct call *c, int64_t ticks)
{
	struct value v = INT_VALUE(ticks);
	return ticks ? value_text(c, v, "%" PRId64 " /* %" PRId64 ".%02" PRId64 " s */", ticks, ticks / 100, ticks % 100) : v;
}

static struct value decode_tms(struct call *c, uint64_t word, const struct arg_type *type)
{
	static const char *const names[] = { "tms_utime", "tms_stime", "tms_cutime", "tms_cstime" };
	struct fields f = {};
	int64_t t[4];
	if (!call_succeeded(c) || !memory_read(c, AT_EXIT, word, &t))
		return value_address(c, word);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fields_add(&f, names[i], ticks_value(c, t[i]));
	return fields_struct(c, &f, false);
}

static struct value decode_timezone(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	int32_t t[2];
	if (!call_succeeded(c) || !memory_read(c, AT_EXIT, word, &t))
		return value_address(c, word);
	fields_add(&f, "tz_minuteswest", INT_VALUE(t[0]));
	fields_add(&f, "tz_dsttime", INT_VALUE(t[1]));
	return fields_struct(c, &f, false);
}

#define MEMORY(when, bytes) { { SYSCALL_FETCH_BYTES, when, COUNT_ONE, bytes, bytes } }
const struct arg_type type_timespec_in = { "const struct timespec *", decode_timespec, NULL, MEMORY(AT_ENTRY, 16) };
const struct arg_type type_timespec_out = { "struct timespec *", decode_timespec, NULL, MEMORY(AT_EXIT, 16) };
const struct arg_type type_timeval_in = { "const struct timeval *", decode_timeval, NULL, MEMORY(AT_ENTRY, 16) };
const struct arg_type type_timeval_out = { "struct timeval *", decode_timeval, NULL, MEMORY(AT_EXIT, 16) };
const struct arg_type type_remaining = { "struct timespec *", decode_remaining };
const struct arg_type type_itimerval_in = { "const struct itimerval *", decode_itimerval, NULL, MEMORY(AT_ENTRY, 32) };
const struct arg_type type_itimerval_out = { "struct itimerval *", decode_itimerval, NULL, MEMORY(AT_EXIT, 32) };
const struct arg_type type_itimerspec_in = { "const struct itimerspec *", decode_itimerspec, NULL, MEMORY(AT_ENTRY, 32) };
const struct arg_type type_itimerspec_out = { "struct itimerspec *", decode_itimerspec, NULL, MEMORY(AT_EXIT, 32) };
const struct arg_type type_file_times = { "const struct timespec[2]", decode_file_times, NULL, MEMORY(AT_ENTRY, 32) };
const struct arg_type type_tms = { "struct tms *", decode_tms, NULL, MEMORY(AT_EXIT, 32) };
const struct arg_type type_timezone = { "struct timezone *", decode_timezone, NULL, MEMORY(AT_EXIT, 8) };
