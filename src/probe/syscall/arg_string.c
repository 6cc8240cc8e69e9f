/* arg_string: paths, buffers and arrays of strings. */
#include <inttypes.h>
#include <string.h>

#include "probe/syscall/decode.h"

struct value decode_path(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct slice s;
	bool truncated;
	enum arg_when when = type->memory[0].when;
	if (!word || (when == AT_EXIT && !call_succeeded(c)) || !memory_string(c, when, word, &s, &truncated))
		return value_address(c, word);
	return value_string(c, s, truncated);
}

/* What the caller gives: as long as the next argument says. */
static struct value decode_bytes_in(struct call *c, uint64_t word, const struct arg_type *type)
{
	return value_bytes(c, AT_ENTRY, word, call_arg(c, c->at + 1));
}

/* What the kernel has written: as long as the result says. */
static struct value decode_bytes_out(struct call *c, uint64_t word, const struct arg_type *type)
{
	if (!call_succeeded(c))
		return value_address(c, word);
	return value_bytes(c, AT_EXIT, word, (uint64_t)c->rec->ret);
}

static struct value decode_random(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct slice s = {};
	uint64_t len = (uint64_t)c->rec->ret;
	if (!call_succeeded(c) || !word || !memory_some(c, AT_EXIT, word, len, &s))
		return value_address(c, word);
	return value_hex_string(c, s, s.len < len);
}

/* getcwd: the result counts the NUL. */
static struct value decode_cwd(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct slice s;
	bool truncated;
	if (!call_succeeded(c) || !memory_string(c, AT_EXIT, word, &s, &truncated))
		return value_address(c, word);
	return value_string(c, s, truncated);
}

/* A value of an extended attribute: a size of 0 asks for the length only. */
static struct value decode_xattr_out(struct call *c, uint64_t word, const struct arg_type *type)
{
	return call_arg(c, c->at + 1) ? decode_bytes_out(c, word, type) : value_address(c, word);
}

static struct value decode_strings(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	uint32_t total = 0;
	if (!word || !memory_count(c, word, &total))
		return value_address(c, word);
	for (uint32_t i = 0; i < total && i < SYSCALL_MAX_STRINGS; i++) {
		uint64_t at;
		struct slice s;
		bool truncated;
		if (!memory_read(c, AT_ENTRY, word + i * sizeof(at), &at))
			break;
		if (memory_string(c, AT_ENTRY, at, &s, &truncated))
			fields_add(&f, "", value_string(c, s, truncated));
		else
			fields_add(&f, "", value_address(c, at));
	}
	return fields_list(c, &f, f.n < total);
}

static struct value decode_environment(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint32_t n;
	struct value v = value_address(c, word);
	if (!word || !memory_count(c, word, &n))
		return v;
	return value_text(c, v, "%#" PRIx64 " /* %" PRIu32 " var%s */", word, n, n == 1 ? "" : "s");
}

static struct value decode_dirents(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint32_t n = 0;
	struct value v = value_address(c, word);
	if (!call_succeeded(c) || (c->rec->ret > 0 && !memory_count(c, word, &n)))
		return v;
	return value_text(c, v, "%#" PRIx64 " /* %" PRIu32 " entr%s */", word, n, n == 1 ? "y" : "ies");
}

const struct arg_type type_path = { "const char *", decode_path, NULL, { { SYSCALL_FETCH_STRING, AT_ENTRY, .max = SYSCALL_MAX_PATH } } };
const struct arg_type type_string = { "const char *", decode_path, NULL, { { SYSCALL_FETCH_STRING, AT_ENTRY } } };
const struct arg_type type_bytes_in = { "const void *", decode_bytes_in, NULL, { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_NEXT, 1 } } };
const struct arg_type type_bytes_out = { "void *", decode_bytes_out, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_RETURN, 1 } } };
const struct arg_type type_xattr_out = { "void *", decode_xattr_out, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_RETURN, 1 } } };
const struct arg_type type_link_out = { "char *", decode_bytes_out, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_RETURN, 1, SYSCALL_MAX_PATH } } };
const struct arg_type type_random_out = { "void *", decode_random, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_RETURN, 1 } } };
const struct arg_type type_cwd_out = { "char *", decode_cwd, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_RETURN, 1, SYSCALL_MAX_PATH } } };
const struct arg_type type_strings = { "char *const *", decode_strings, NULL, { { SYSCALL_FETCH_STRINGS, AT_ENTRY } } };
const struct arg_type type_environment = { "char *const *", decode_environment, NULL, { { SYSCALL_FETCH_POINTERS, AT_ENTRY } } };
const struct arg_type type_dirents = { "struct linux_dirent *", decode_dirents, NULL, { { SYSCALL_FETCH_DIRENTS, AT_EXIT, COUNT_RETURN, 16 } } };
