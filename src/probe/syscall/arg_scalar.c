/* arg_scalar: arguments that are numbers. */
#include <fcntl.h>
#include <inttypes.h>

#include "probe/syscall/decode.h"

struct value decode_int(struct call *c, uint64_t word, const struct arg_type *type)
{
	return INT_VALUE((int32_t)word);
}

static struct value decode_uint(struct call *c, uint64_t word, const struct arg_type *type)
{
	return UINT_VALUE((uint32_t)word);
}

static struct value decode_long(struct call *c, uint64_t word, const struct arg_type *type)
{
	return INT_VALUE((int64_t)word);
}

static struct value decode_ulong(struct call *c, uint64_t word, const struct arg_type *type)
{
	return UINT_VALUE(word);
}

static struct value decode_hex_uint(struct call *c, uint64_t word, const struct arg_type *type)
{
	return value_hex(c, (uint32_t)word);
}

static struct value decode_hex_ulong(struct call *c, uint64_t word, const struct arg_type *type)
{
	return value_hex(c, word);
}

struct value decode_address(struct call *c, uint64_t word, const struct arg_type *type)
{
	return value_address(c, word);
}

static struct value decode_dirfd(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct value v = INT_VALUE((int32_t)word);
	return v.i == AT_FDCWD ? value_named(v, "AT_FDCWD") : v;
}

/* -1 leaves the owner as it is. */
static struct value decode_uid(struct call *c, uint64_t word, const struct arg_type *type)
{
	return (uint32_t)word == UINT32_MAX ? INT_VALUE(-1) : UINT_VALUE((uint32_t)word);
}

static struct value decode_mode(struct call *c, uint64_t word, const struct arg_type *type)
{
	return value_octal(c, (uint16_t)word);
}

struct value decode_flags(struct call *c, uint64_t word, const struct arg_type *type)
{
	return names_flags(c, type->names, (uint32_t)word);
}

struct value decode_flags_long(struct call *c, uint64_t word, const struct arg_type *type)
{
	return names_flags(c, type->names, word);
}

struct value decode_enum(struct call *c, uint64_t word, const struct arg_type *type)
{
	return names_enum(c, type->names, (uint32_t)word);
}

static struct value decode_pointed_int(struct call *c, uint64_t word, const struct arg_type *type)
{
	enum arg_when when = type->memory[0].when;
	int32_t x;
	if ((when == AT_EXIT && !call_succeeded(c)) || !memory_read(c, when, word, &x))
		return value_address(c, word);
	return value_bracketed(c, INT_VALUE(x));
}

static struct value decode_pointed_uint(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint32_t x;
	if (!call_succeeded(c) || !memory_read(c, AT_EXIT, word, &x))
		return value_address(c, word);
	return value_bracketed(c, UINT_VALUE(x));
}

/* An offset that the kernel moves: [0] => [4096]. */
static struct value decode_pointed_offset(struct call *c, uint64_t word, const struct arg_type *type)
{
	int64_t before, after;
	if (!memory_read(c, AT_ENTRY, word, &before))
		return value_address(c, word);
	struct value v = value_bracketed(c, INT_VALUE(before));
	if (!call_succeeded(c) || !memory_read(c, AT_EXIT, word, &after) || before == after)
		return v;
	return value_text(c, v, "[%" PRId64 "] => [%" PRId64 "]", before, after);
}

static struct value decode_ints(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	enum arg_when when = type->memory[0].when;
	size_t n = type->memory[0].unit / sizeof(int32_t);
	int32_t x[2];
	if (!call_succeeded(c) || !memory_get(c, when, word, n * sizeof(*x), x))
		return value_address(c, word);
	for (size_t i = 0; i < n; i++)
		fields_add(&f, "", INT_VALUE(x[i]));
	return fields_list(c, &f, false);
}

/* Group ids: as many as argument 0 (setgroups) or the result (getgroups) says. */
static struct value decode_groups(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	enum arg_when when = type->memory[0].when;
	uint64_t n = when == AT_EXIT ? (uint64_t)c->rec->ret : (uint32_t)call_arg(c, 0);
	if (when == AT_EXIT && (!call_succeeded(c) || call_arg(c, 0) == 0))
		return value_address(c, word);
	for (uint64_t i = 0; i < n && f.n < FIELDS_MAX; i++) {
		uint32_t gid;
		if (!memory_read(c, when, word + i * sizeof(gid), &gid))
			break;
		fields_add(&f, "", UINT_VALUE(gid));
	}
	return f.n || n == 0 ? fields_list(c, &f, f.n < n) : value_address(c, word);
}

/* A word that only 32-bit machines use: the high half of an offset. */
static struct value decode_skipped(struct call *c, uint64_t word, const struct arg_type *type)
{
	return (struct value){};
}

const struct arg_type type_skipped = { "long", decode_skipped };
const struct arg_type type_word = { "long", decode_hex_ulong };
const struct arg_type type_int = { "int", decode_int };
const struct arg_type type_uint = { "unsigned int", decode_uint };
const struct arg_type type_long = { "long", decode_long };
const struct arg_type type_ulong = { "unsigned long", decode_ulong };
const struct arg_type type_size = { "size_t", decode_ulong };
const struct arg_type type_offset = { "off_t", decode_long };
const struct arg_type type_hex_uint = { "unsigned int", decode_hex_uint };
const struct arg_type type_hex = { "unsigned long", decode_hex_ulong };
const struct arg_type type_address = { "void *", decode_address };
const struct arg_type type_fd = { "int", decode_int };
const struct arg_type type_dirfd = { "int", decode_dirfd };
const struct arg_type type_pid = { "pid_t", decode_int };
const struct arg_type type_uid = { "uid_t", decode_uid };
const struct arg_type type_mode = { "mode_t", decode_mode };
const struct arg_type type_int_in = { "int *", decode_pointed_int, NULL, { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_ONE, 4, 4 } } };
const struct arg_type type_int_out = { "int *", decode_pointed_int, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, 4, 4 } } };
const struct arg_type type_uint_out = { "unsigned int *", decode_pointed_uint, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, 4, 4 } } };
const struct arg_type type_offset_ptr = { "off_t *", decode_pointed_offset, NULL, { { SYSCALL_FETCH_BYTES, AT_BOTH, COUNT_ONE, 8, 8 } } };
const struct arg_type type_fd_pair = { "int[2]", decode_ints, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, 8, 8 } } };
const struct arg_type type_groups_in = { "const gid_t *", decode_groups, NULL, { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_FIRST, 4, 96 } } };
const struct arg_type type_groups_out = { "gid_t *", decode_groups, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_RETURN, 4, 96 } } };
