/* arg_fcntl: what fcntl's third argument and result mean depends on the command. */
#include <fcntl.h>
#include <inttypes.h>

#include "probe/syscall/decode.h"

static const struct name_row command_rows[] = {
	NAME_AS(0, "F_DUPFD"), NAME_AS(1, "F_GETFD"), NAME_AS(2, "F_SETFD"), NAME_AS(3, "F_GETFL"), NAME_AS(4, "F_SETFL"),
	NAME_AS(5, "F_GETLK"), NAME_AS(6, "F_SETLK"), NAME_AS(7, "F_SETLKW"), NAME_AS(8, "F_SETOWN"), NAME_AS(9, "F_GETOWN"),
	NAME_AS(10, "F_SETSIG"), NAME_AS(11, "F_GETSIG"), NAME_AS(12, "F_GETLK64"), NAME_AS(13, "F_SETLK64"), NAME_AS(14, "F_SETLKW64"),
	NAME_AS(15, "F_SETOWN_EX"), NAME_AS(16, "F_GETOWN_EX"), NAME_AS(17, "F_GETOWNER_UIDS"), NAME_AS(36, "F_OFD_GETLK"),
	NAME_AS(37, "F_OFD_SETLK"), NAME_AS(38, "F_OFD_SETLKW"), NAME_AS(1024, "F_SETLEASE"), NAME_AS(1025, "F_GETLEASE"),
	NAME_AS(1026, "F_NOTIFY"), NAME_AS(1027, "F_DUPFD_QUERY"), NAME_AS(1028, "F_CREATED_QUERY"), NAME_AS(1029, "F_CANCELLK"),
	NAME_AS(1030, "F_DUPFD_CLOEXEC"), NAME_AS(1031, "F_SETPIPE_SZ"), NAME_AS(1032, "F_GETPIPE_SZ"), NAME_AS(1033, "F_ADD_SEALS"),
	NAME_AS(1034, "F_GET_SEALS"), NAME_AS(1035, "F_GET_RW_HINT"), NAME_AS(1036, "F_SET_RW_HINT"),
};
static const struct names command_names = NAMES(command_rows, "F_???");
const struct arg_type type_fcntl_command = { "int", decode_enum, &command_names };

static const struct name_row fd_flag_rows[] = { FLAG_AS(1, "FD_CLOEXEC") };
static const struct names fd_flag_names = NAMES(fd_flag_rows, "FD_???");

static const struct name_row seal_rows[] = { FLAG_AS(1, "F_SEAL_SEAL"), FLAG_AS(2, "F_SEAL_SHRINK"), FLAG_AS(4, "F_SEAL_GROW"),
					     FLAG_AS(8, "F_SEAL_WRITE"), FLAG_AS(16, "F_SEAL_FUTURE_WRITE"), FLAG_AS(32, "F_SEAL_EXEC") };
static const struct names seal_names = NAMES(seal_rows, "F_SEAL_???");

static const struct name_row notify_rows[] = {
	FLAG_AS(1, "DN_ACCESS"), FLAG_AS(2, "DN_MODIFY"), FLAG_AS(4, "DN_CREATE"), FLAG_AS(8, "DN_DELETE"),
	FLAG_AS(16, "DN_RENAME"), FLAG_AS(32, "DN_ATTRIB"), FLAG_AS(0x80000000, "DN_MULTISHOT"),
};
static const struct names notify_names = NAMES(notify_rows, "DN_???");

static const struct name_row lock_type_rows[] = { NAME_AS(0, "F_RDLCK"), NAME_AS(1, "F_WRLCK"), NAME_AS(2, "F_UNLCK") };
static const struct names lock_type_names = NAMES(lock_type_rows, "F_???");

static const struct name_row lock_whence_rows[] = { NAME_AS(0, "SEEK_SET"), NAME_AS(1, "SEEK_CUR"), NAME_AS(2, "SEEK_END") };
static const struct names lock_whence_names = NAMES(lock_whence_rows, "SEEK_???");

/* struct flock of 64-bit machines. */
struct kernel_flock {
	uint16_t type, whence;
	uint32_t pad;
	int64_t start, len;
	int32_t pid, pad2;
};

static struct value lock_value(struct call *c, enum arg_when when, uint64_t addr, bool with_pid)
{
	struct fields f = {};
	struct kernel_flock l;
	if ((when == AT_EXIT && !call_succeeded(c)) || !memory_read(c, when, addr, &l))
		return value_address(c, addr);
	fields_add(&f, "l_type", names_enum(c, &lock_type_names, l.type));
	fields_add(&f, "l_whence", names_enum(c, &lock_whence_names, l.whence));
	fields_add(&f, "l_start", INT_VALUE(l.start));
	fields_add(&f, "l_len", INT_VALUE(l.len));
	if (with_pid)
		fields_add(&f, "l_pid", INT_VALUE(l.pid));
	return fields_struct(c, &f, false);
}

static void note_flags(struct call *c, const struct names *names)
{
	c->hex_result = true;
	if (!call_succeeded(c) || c->rec->ret == 0)
		return;
	struct value v = names_flags(c, names, (uint64_t)c->rec->ret);
	result_note(c, "flags %.*s", (int)v.text.len, v.text.data);
}

/* Commands without a third argument: their result is what counts. */
static struct value decode_without_argument(struct call *c, uint32_t command)
{
	if (command == F_GETFD)
		note_flags(c, &fd_flag_names);
	else if (command == 1034) /* F_GET_SEALS */
		note_flags(c, &seal_names);
	else if (command == F_GETFL && call_succeeded(c)) {
		struct value v = decode_open_flags(c, (uint64_t)c->rec->ret, NULL);
		result_note(c, "flags %.*s", (int)v.text.len, v.text.data);
		c->hex_result = true;
	}
	return (struct value){};
}

static struct value decode_fcntl(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint32_t command = (uint32_t)call_arg(c, 1);
	switch (command) {
	case 1: case 3: case 9: case 11: case 1025: case 1032: case 1034:
		return decode_without_argument(c, command);
	case 2:
		return names_flags(c, &fd_flag_names, (uint32_t)word);
	case 4:
		return decode_open_flags(c, word, type);
	case 5: case 36:
		return lock_value(c, AT_EXIT, word, true);
	case 6: case 7: case 37: case 38:
		return lock_value(c, AT_ENTRY, word, false);
	case 10:
		return decode_signal(c, word, type);
	case 1024:
		return names_enum(c, &lock_type_names, (uint32_t)word);
	case 1026:
		return names_flags(c, &notify_names, (uint32_t)word);
	case 1033:
		return names_flags(c, &seal_names, (uint32_t)word);
	case 0: case 8: case 1030: case 1031:
		return INT_VALUE((int32_t)word);
	default:
		return names_find(&command_names, command) ? value_address(c, word) : value_hex(c, word);
	}
}
const struct arg_type type_fcntl_argument = { "unsigned long", decode_fcntl, NULL, { { SYSCALL_FETCH_BYTES, AT_BOTH, COUNT_ONE, 32, 32 } } };
