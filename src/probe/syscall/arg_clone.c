/* arg_clone: how tasks are made. clone's arguments are named, as strace does, because their order differs by architecture. */
#include <inttypes.h>
#include <string.h>

#include "probe/syscall/decode.h"

#define SIGNAL_MASK 0xff
enum { VM = 0x100, PIDFD = 0x1000, SETTLS = 0x80000, PARENT_SETTID = 0x100000, CHILD_CLEARTID = 0x200000, CHILD_SETTID = 0x1000000 };

static struct value flags_value(struct call *c, uint64_t word)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	char buf[16];
	uint64_t flags = word & ~(uint64_t)SIGNAL_MASK;
	const char *name = signal_name(word & SIGNAL_MASK, buf, sizeof(buf));
	if (flags || !(word & SIGNAL_MASK))
		names_add_flags(&b, &clone_flag_names, flags);
	if (word & SIGNAL_MASK)
		strbuf_addf(&b, "%s%s%s", b.len ? "|" : "", name ? "SIG" : "", name ? name : "?");
	return value_text(c, UINT_VALUE(word), "flags=%s", strbuf_str(&b));
}

static struct value decode_clone_flags(struct call *c, uint64_t word, const struct arg_type *type)
{
	return flags_value(c, word);
}
const struct arg_type type_clone_word = { "unsigned long", decode_clone_flags };

static struct value named_address(struct call *c, const char *name, uint64_t addr)
{
	struct value v = ADDRESS_VALUE(addr);
	return addr ? value_text(c, v, "%s=%#" PRIx64, name, addr) : value_text(c, v, "%s=NULL", name);
}

static struct value decode_stack(struct call *c, uint64_t word, const struct arg_type *type)
{
	return named_address(c, "child_stack", word);
}
const struct arg_type type_clone_stack = { "void *", decode_stack };

/* The kernel leaves the child's thread id there (or a descriptor of it). */
static struct value decode_parent_tid(struct call *c, uint64_t word, const struct arg_type *type)
{
	int32_t tid;
	if (!(call_arg(c, 0) & (PARENT_SETTID | PIDFD)))
		return (struct value){};
	if (call_succeeded(c) && memory_read(c, AT_EXIT, word, &tid))
		return value_text(c, ADDRESS_VALUE(word), "parent_tid=[%" PRId32 "]", tid);
	return named_address(c, "parent_tid", word);
}
const struct arg_type type_clone_parent = { "int *", decode_parent_tid, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, 4, 4 } } };

static struct value decode_child_tid(struct call *c, uint64_t word, const struct arg_type *type)
{
	if (!(call_arg(c, 0) & (CHILD_SETTID | CHILD_CLEARTID)))
		return (struct value){};
	return named_address(c, "child_tidptr", word);
}
const struct arg_type type_clone_child = { "int *", decode_child_tid };

static struct value decode_tls(struct call *c, uint64_t word, const struct arg_type *type)
{
	return call_arg(c, 0) & SETTLS ? named_address(c, "tls", word) : (struct value){};
}
const struct arg_type type_clone_tls = { "void *", decode_tls };

/* struct clone_args, its first version (uapi/linux/sched.h). */
struct clone_args_0 {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static struct value decode_clone_args(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {}, after = {};
	struct clone_args_0 a;
	if (!memory_read(c, AT_ENTRY, word, &a))
		return value_address(c, word);
	fields_add(&f, "flags", names_flags(c, &clone_flag_names, a.flags));
	if (a.flags & PIDFD)
		fields_add(&f, "pidfd", value_address(c, a.pidfd));
	if (a.flags & (CHILD_SETTID | CHILD_CLEARTID))
		fields_add(&f, "child_tid", value_address(c, a.child_tid));
	if (a.flags & PARENT_SETTID)
		fields_add(&f, "parent_tid", value_address(c, a.parent_tid));
	fields_add(&f, "exit_signal", decode_signal(c, a.exit_signal, NULL));
	fields_add(&f, "stack", value_address(c, a.stack));
	fields_add(&f, "stack_size", value_hex(c, a.stack_size));
	if (a.flags & SETTLS)
		fields_add(&f, "tls", value_address(c, a.tls));
	struct value v = fields_struct(c, &f, false);
	/* What lies at parent_tid now is the result. */
	if (!(a.flags & PARENT_SETTID) || !call_succeeded(c))
		return v;
	fields_add(&after, "parent_tid", value_bracketed(c, INT_VALUE(c->rec->ret)));
	struct value left = fields_struct(c, &after, false);
	return value_text(c, v, "%.*s => %.*s", (int)v.text.len, v.text.data, (int)left.text.len, left.text.data);
}
const struct arg_type type_clone_args = { "struct clone_args *", decode_clone_args, NULL,
					  { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_ONE, 64, 64 } } };

static struct value decode_wait_status(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint32_t s;
	char buf[16];
	if (!word || !call_succeeded(c) || c->rec->ret == 0 || !memory_read(c, AT_EXIT, word, &s))
		return value_address(c, word);
	struct value v = INT_VALUE((int32_t)s);
	uint32_t signal = (s & 0xff) == 0x7f ? s >> 8 & 0xff : s & 0x7f;
	const char *name = signal_name(signal, buf, sizeof(buf));
	if (s == 0xffff)
		return value_text(c, v, "[{WIFCONTINUED(s)}]");
	if (signal == 0)
		return value_text(c, v, "[{WIFEXITED(s) && WEXITSTATUS(s) == %" PRIu32 "}]", s >> 8 & 0xff);
	if ((s & 0xff) == 0x7f)
		return value_text(c, v, "[{WIFSTOPPED(s) && WSTOPSIG(s) == SIG%s}]", name ? name : "?");
	return value_text(c, v, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIG%s%s}]", name ? name : "?", s & 0x80 ? " && WCOREDUMP(s)" : "");
}
const struct arg_type type_wait_status = { "int *", decode_wait_status, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, 4, 4 } } };
