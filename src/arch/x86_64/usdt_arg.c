#include "arch/usdt_arg.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/macro.h"

/* The rest of one operand; @left shrinks from its front. */
struct operand {
	const char *at, *end;
};

static bool take(struct operand *o, char c)
{
	if (o->at == o->end || *o->at != c)
		return false;
	o->at++;
	return true;
}

static bool at_end(const struct operand *o)
{
	return o->at == o->end;
}

static bool is_symbol_character(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_.$@", c));
}

/* One number: decimal, or hexadecimal behind 0x; unsigned ones up to 2^64-1 keep their bits. */
static int read_number(struct operand *o, int64_t *ret)
{
	if (at_end(o))
		return -EINVAL;
	bool negative = take(o, '-') || (take(o, '+') && false);
	if (at_end(o) || !isdigit((unsigned char)*o->at))
		return !at_end(o) && is_symbol_character(*o->at) ? -ENOTSUP : -EINVAL;
	char *end;
	errno = 0;
	unsigned long long x = strtoull(o->at, &end, 0);
	if (errno == ERANGE || end > o->end)
		return -EINVAL;
	o->at = end;
	*ret = (int64_t)(negative ? -x : x);
	return !at_end(o) && is_symbol_character(*o->at) ? -EINVAL : 0;
}

/* A sum of numbers, as compilers write displacements: "8", "-16", "8+16". Nothing at all is 0. */
static int read_sum(struct operand *o, int64_t *ret)
{
	uint64_t sum = 0;
	for (bool first = true; !at_end(o) && *o->at != '('; first = false) {
		int64_t x;
		if (!first && *o->at != '+' && *o->at != '-')
			return -EINVAL;
		int r = read_number(o, &x);
		if (r < 0)
			return r;
		sum += (uint64_t)x;
	}
	*ret = (int64_t)sum;
	return 0;
}

/* "%name" */
static int read_register(struct operand *o, struct arch_part *ret)
{
	if (!take(o, '%'))
		return -EINVAL;
	const char *begin = o->at;
	while (!at_end(o) && isalnum((unsigned char)*o->at))
		o->at++;
	int r = arch_register_find((struct slice){ begin, (size_t)(o->at - begin) }, ret);
	if (r == -ENOENT)
		return -EINVAL;
	if (r == 0 && (ret->index == REG_FLAGS || ret->offset > 0))
		return -ENOTSUP;
	return r;
}

/* A base or an index: the whole of a register, and not rip, which is relative to an instruction that is not there. */
static int read_address_register(struct operand *o, uint8_t *ret)
{
	struct arch_part part;
	int r = read_register(o, &part);
	if (r < 0)
		return r;
	if (part.size != 8 || part.index == REG_IP)
		return -ENOTSUP;
	*ret = part.index;
	return 0;
}

/* Behind the comma: "%index" or "%index,scale" */
static int read_index(struct operand *o, struct fetch *f)
{
	int r = read_address_register(o, &f->index2);
	if (r < 0)
		return r;
	f->flags |= FETCH_INDEXED;
	if (!take(o, ','))
		return 0;
	if (at_end(o) || !strchr("1248", *o->at))
		return -EINVAL;
	f->scale = (uint8_t)__builtin_ctz((unsigned)(*o->at++ - '0'));
	return 0;
}

/* "number(%base)", "number(%base,%index,scale)" */
static int read_memory(struct operand *o, struct fetch *f)
{
	int64_t offset;
	int r = read_sum(o, &offset);
	if (r < 0)
		return r;
	if (!take(o, '('))
		return -ENOTSUP; /* an absolute address */
	f->offset = offset;
	f->flags |= FETCH_DEREF;
	if (!at_end(o) && *o->at == ',')
		return -ENOTSUP; /* an index without base */
	r = read_address_register(o, &f->index);
	if (r == 0 && take(o, ','))
		r = read_index(o, f);
	if (r < 0)
		return r;
	return take(o, ')') ? 0 : -EINVAL;
}

static int read_operand(struct operand *o, struct fetch *f)
{
	struct arch_part part;
	int64_t number;
	int r;
	if (take(o, '$')) {
		f->from = FETCH_CONSTANT;
		r = read_number(o, &number);
		f->offset = r < 0 ? 0 : number;
	} else if (!at_end(o) && *o->at == '%') {
		r = read_register(o, &part);
		if (r < 0)
			return r;
		f->index = part.index;
		f->size = MIN(f->size, part.size);
		if (take(o, ':'))
			return -ENOTSUP; /* %fs:..., thread-local */
	} else {
		r = read_memory(o, f);
	}
	if (r < 0)
		return r;
	return at_end(o) ? 0 : -EINVAL;
}

/* "[-]SIZE[f]@" */
static int read_size(struct operand *o, struct fetch *f)
{
	f->flags |= take(o, '-') ? FETCH_SIGNED : 0;
	unsigned size = 0;
	size_t digits = 0;
	for (; !at_end(o) && isdigit((unsigned char)*o->at) && digits < 3; digits++)
		size = size * 10 + (unsigned)(*o->at++ - '0');
	f->flags |= take(o, 'f') ? FETCH_FLOAT : 0;
	if (digits == 0 || size == 0 || !take(o, '@') || at_end(o))
		return -EINVAL;
	f->size = (uint8_t)MIN(size, 255u);
	return size == 1 || size == 2 || size == 4 || size == 8 ? 0 : -ENOTSUP;
}

int usdt_argument_parse(const char *text, struct fetch *ret, size_t *ret_consumed)
{
	size_t blanks = strspn(text, " \t"), len = strcspn(text + blanks, " \t");
	if (len == 0)
		return -ENODATA;
	struct operand o = { text + blanks, text + blanks + len };
	struct fetch f = { .from = FETCH_REGISTER, .kind = FETCH_VALUE };
	int r = read_size(&o, &f);
	if (r == 0)
		r = read_operand(&o, &f);
	if (r == 0)
		*ret = f;
	if (r == 0 || r == -ENOTSUP)
		*ret_consumed = blanks + len;
	return r;
}
