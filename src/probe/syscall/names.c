/* names: flags and enumerations. Written as strace writes them: what has no name stays a number. */
#include <inttypes.h>

#include "probe/syscall/decode.h"

const char *names_find(const struct names *names, uint64_t value)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->row[i].value == value && names->row[i].mask == ~0ull)
			return names->row[i].name;
	return NULL;
}

struct value names_enum(struct call *c, const struct names *names, uint64_t value)
{
	const char *name = names_find(names, value);
	if (name)
		return value_named(UINT_VALUE(value), name);
	return value_text(c, UINT_VALUE(value), value ? "%#" PRIx64 " /* %s */" : "%" PRIx64 " /* %s */", value, names->unknown);
}

static bool row_applies(const struct name_row *row, uint64_t value, uint64_t rest)
{
	if (row->value)
		return (rest & row->mask) == row->value;
	return row->mask == ~0ull ? value == 0 : (value & row->mask) == 0;
}

void names_add_flags(struct strbuf *out, const struct names *names, uint64_t value)
{
	uint64_t rest = value;
	const char *separator = "";
	for (size_t i = 0; i < names->n; i++) {
		const struct name_row *row = &names->row[i];
		if (!row_applies(row, value, rest))
			continue;
		strbuf_adds(out, separator);
		strbuf_adds(out, row->name);
		separator = "|";
		rest &= ~row->mask;
	}
	if (rest && !*separator)
		strbuf_addf(out, "%#" PRIx64 " /* %s */", rest, names->unknown);
	else if (rest)
		strbuf_addf(out, "|%#" PRIx64, rest);
	else if (!*separator)
		strbuf_addc(out, '0');
}

struct value names_flags(struct call *c, const struct names *names, uint64_t value)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	names_add_flags(&b, names, value);
	return value_taken(c, UINT_VALUE(value), &b);
}
