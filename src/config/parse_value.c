/* Readers of single values. Nothing is rounded, and what does not fit is refused: "1.5ns" is no time. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "config/options.h"

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "", NSEC_PER_SEC },         { "ns", 1 },
	{ "us", NSEC_PER_USEC },      { "ms", NSEC_PER_MSEC },
	{ "s", NSEC_PER_SEC },        { "m", 60 * NSEC_PER_SEC },
	{ "h", 3600 * NSEC_PER_SEC }, {},
};

static const struct unit byte_units[] = {
	{ "", 1 },           { "k", 1ull << 10 }, { "K", 1ull << 10 },
	{ "M", 1ull << 20 }, { "m", 1ull << 20 }, { "G", 1ull << 30 },
	{ "g", 1ull << 30 }, { "T", 1ull << 40 }, {},
};

static const struct unit *unit_find(const struct unit *units, const char *suffix)
{
	for (; units->suffix; units++)
		if (streq(units->suffix, suffix))
			return units;
	return NULL;
}

/* Digits at *@s, which moves behind them. @ret_scale: ten to the power of their number. */
static int read_digits(const char **s, uint64_t *ret, uint64_t *ret_scale)
{
	uint64_t value = 0, scale = 1;
	const char *p = *s;
	for (; isdigit((unsigned char)*p); p++) {
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p - '0', &value))
			return -EINVAL;
		if (ret_scale && __builtin_mul_overflow(scale, 10, &scale))
			return -EINVAL;
	}
	if (p == *s)
		return -EINVAL;
	*s = p;
	*ret = value;
	if (ret_scale)
		*ret_scale = scale;
	return 0;
}

/* DIGITS[.DIGITS]UNIT */
static int parse_scaled(const char *s, const struct unit *units, uint64_t *ret)
{
	uint64_t whole, part = 0, scale = 1;
	if (read_digits(&s, &whole, NULL) < 0)
		return -EINVAL;
	if (*s == '.') {
		s++;
		if (read_digits(&s, &part, &scale) < 0)
			return -EINVAL;
	}
	const struct unit *unit = unit_find(units, s);
	if (!unit)
		return -EINVAL;
	unsigned __int128 sum = (unsigned __int128)part * unit->factor;
	if (sum % scale)
		return -EINVAL;
	sum = sum / scale + (unsigned __int128)whole * unit->factor;
	if (sum > UINT64_MAX)
		return -EINVAL;
	*ret = (uint64_t)sum;
	return 0;
}

int parse_time_ns(const char *s, uint64_t *ret_ns)
{
	return parse_scaled(s, time_units, ret_ns);
}

int parse_bytes(const char *s, uint64_t *ret_bytes)
{
	return parse_scaled(s, byte_units, ret_bytes);
}

int parse_bytes_or_time(const char *s, uint64_t *ret_bytes, uint64_t *ret_ns)
{
	size_t number = strspn(s, "0123456789.");
	if (!s[number])
		return -EINVAL; /* of what? */
	return unit_find(time_units, s + number) ? parse_time_ns(s, ret_ns) : parse_bytes(s, ret_bytes);
}

static int parse_hex(const char *s, uint64_t *ret)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF");
	if (n == 0 || n > 16 || s[n])
		return -EINVAL;
	uint64_t value = 0;
	for (; *s; s++)
		value = value << 4 | (uint64_t)(isdigit((unsigned char)*s) ? *s - '0' : (*s | 0x20) - 'a' + 10);
	*ret = value;
	return 0;
}

int parse_number(const char *s, uint64_t *ret)
{
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return parse_hex(s + 2, ret);
	uint64_t value;
	if (read_digits(&s, &value, NULL) < 0 || *s)
		return -EINVAL;
	*ret = value;
	return 0;
}
