/* arg_open: how files are opened, made and locked. */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "probe/syscall/decode.h"

#define TMPFILE_BIT 020000000 /* __O_TMPFILE, uapi/asm-generic/fcntl.h */

static struct value open_flags_value(struct call *c, uint64_t flags)
{
	static const char *const access[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };
	_cleanup_(strbuf_done) struct strbuf b = {};
	strbuf_adds(&b, access[flags & O_ACCMODE]);
	if (flags & ~(uint64_t)O_ACCMODE) {
		strbuf_addc(&b, '|');
		names_add_flags(&b, &open_mode_names, flags & ~(uint64_t)O_ACCMODE);
	}
	return value_taken(c, UINT_VALUE(flags), &b);
}

struct value decode_open_flags(struct call *c, uint64_t word, const struct arg_type *type)
{
	return open_flags_value(c, (uint32_t)word);
}
const struct arg_type type_open_flags = { "int", decode_open_flags };

/* The mode counts only where a file may be made. */
static struct value decode_open_mode(struct call *c, uint64_t word, const struct arg_type *type)
{
	if (!(call_arg(c, c->at - 1) & (O_CREAT | TMPFILE_BIT)))
		return (struct value){};
	return value_octal(c, (uint16_t)word);
}
const struct arg_type type_open_mode = { "mode_t", decode_open_mode };

static const struct name_row resolve_rows[] = {
	FLAG_AS(0x01, "RESOLVE_NO_XDEV"), FLAG_AS(0x02, "RESOLVE_NO_MAGICLINKS"), FLAG_AS(0x04, "RESOLVE_NO_SYMLINKS"),
	FLAG_AS(0x08, "RESOLVE_BENEATH"), FLAG_AS(0x10, "RESOLVE_IN_ROOT"), FLAG_AS(0x20, "RESOLVE_CACHED"),
};
static const struct names resolve_names = NAMES(resolve_rows, "RESOLVE_???");

static struct value decode_open_how(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	uint64_t how[3]; /* struct open_how: flags, mode, resolve */
	if (!memory_read(c, AT_ENTRY, word, &how))
		return value_address(c, word);
	fields_add(&f, "flags", open_flags_value(c, how[0]));
	if (how[0] & (O_CREAT | TMPFILE_BIT))
		fields_add(&f, "mode", value_octal(c, how[1]));
	fields_add(&f, "resolve", names_flags(c, &resolve_names, how[2]));
	return fields_struct(c, &f, false);
}
const struct arg_type type_open_how = { "struct open_how *", decode_open_how, NULL, { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_ONE, 24, 24 } } };

static struct value decode_node_mode(struct call *c, uint64_t word, const struct arg_type *type)
{
	return mode_value(c, (uint16_t)word);
}
const struct arg_type type_node_mode = { "mode_t", decode_node_mode };

/* mknod: a device number counts for devices only. */
static struct value decode_node_device(struct call *c, uint64_t word, const struct arg_type *type)
{
	unsigned kind = call_arg(c, c->at - 1) & S_IFMT;
	return kind == S_IFCHR || kind == S_IFBLK ? device_value(c, word) : (struct value){};
}
const struct arg_type type_node_device = { "dev_t", decode_node_device };
