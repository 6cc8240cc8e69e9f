#include "proto/http1/field.h"

#include <strings.h>

/* tchar of RFC 9110 section 5.6.2. */
static const bool tchars[256] = {
	['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true, ['*'] = true, ['+'] = true,
	['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

size_t field_token(struct slice s, size_t at)
{
	size_t end = at;
	while (end < s.len && tchars[(unsigned char)s.data[end]])
		end++;
	return end - at;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice field_trim(struct slice s)
{
	while (s.len && is_blank(s.data[0]))
		s = (struct slice){ s.data + 1, s.len - 1 };
	while (s.len && is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

struct slice field_first(struct slice list)
{
	const char *comma = list.len ? memchr(list.data, ',', list.len) : NULL;
	return field_trim((struct slice){ list.data, comma ? (size_t)(comma - list.data) : list.len });
}

struct slice field_last(struct slice list)
{
	const char *comma = list.len ? memrchr(list.data, ',', list.len) : NULL;
	size_t at = comma ? (size_t)(comma + 1 - list.data) : 0;
	return field_trim((struct slice){ list.data + at, list.len - at });
}

bool field_name_is(struct slice name, const char *lower)
{
	return name.len == strlen(lower) && strncasecmp(name.data, lower, name.len) == 0;
}

/* 1*DIGIT and nothing else: no sign, no 0x, no blank inside. */
static bool number(struct slice s, uint64_t *ret)
{
	uint64_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '9' || n > (INT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(s.data[i] - '0');
	}
	*ret = n;
	return s.len > 0;
}

bool field_length(struct slice value, bool again, uint64_t *length)
{
	for (;;) {
		struct slice first = field_first(value);
		const char *comma = value.len ? memchr(value.data, ',', value.len) : NULL;
		uint64_t n;
		if (!number(first, &n) || (again && n != *length))
			return false;
		*length = n;
		again = true;
		if (!comma)
			return true;
		value.len -= (size_t)(comma + 1 - value.data);
		value.data = comma + 1;
	}
}
