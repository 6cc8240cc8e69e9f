/* arg_signal: signals, sets of them, and what to do with them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "probe/syscall/decode.h"

#define SIGNALS 64
#define FIRST_RT 32 /* the kernel's SIGRTMIN; glibc's begins two later */

const char *signal_name(unsigned nr, char *buf, size_t len)
{
	const char *name = nr && nr < FIRST_RT ? sigabbrev_np((int)nr) : NULL;
	if (name)
		snprintf(buf, len, "%s", name);
	else if (nr == FIRST_RT)
		snprintf(buf, len, "RTMIN");
	else if (nr > FIRST_RT && nr <= SIGNALS)
		snprintf(buf, len, "RT_%u", nr - FIRST_RT);
	else
		return NULL;
	/* glibc calls 29 POLL; the kernel and strace call it IO. */
	return streq(buf, "POLL") ? "IO" : buf;
}

struct value decode_signal(struct call *c, uint64_t word, const struct arg_type *type)
{
	char buf[16];
	struct value v = INT_VALUE((int32_t)word);
	const char *name = signal_name((uint32_t)word, buf, sizeof(buf));
	return name ? value_text(c, v, "SIG%s", name) : v;
}
const struct arg_type type_signal = { "int", decode_signal };

/* Written inverted, ~[...], when two thirds of all are in it. */
struct value sigset_value(struct call *c, uint64_t mask, unsigned n_signals)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	bool inverted = (unsigned)__builtin_popcountll(mask) >= n_signals * 2 / 3;
	uint64_t shown = inverted ? ~mask : mask;
	strbuf_adds(&b, inverted ? "~[" : "[");
	for (unsigned i = 0; i < n_signals; i++) {
		char buf[16];
		if (shown >> i & 1)
			strbuf_addf(&b, "%s%s", b.data[b.len - 1] == '[' ? "" : " ", signal_name(i + 1, buf, sizeof(buf)));
	}
	strbuf_addc(&b, ']');
	return value_taken(c, UINT_VALUE(mask), &b);
}

/* The size of a set is the last argument of every call that takes one; a wrong size makes it unreadable for the kernel too. */
static struct value decode_sigset(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint64_t mask;
	enum arg_when when = type->memory[0].when;
	uint64_t size = call_arg(c, syscall_n_args(c->row) - 1);
	if ((when == AT_EXIT && !call_succeeded(c)) || size != sizeof(mask) || !memory_read(c, when, word, &mask))
		return value_address(c, word);
	return sigset_value(c, mask, SIGNALS);
}
const struct arg_type type_sigset_in = { "const sigset_t *", decode_sigset, NULL, { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_ONE, 8, 8 } } };
const struct arg_type type_sigset_out = { "sigset_t *", decode_sigset, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, 8, 8 } } };

/* signalfd: the size is the argument behind. */
static struct value decode_signalfd_set(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint64_t mask;
	if (call_arg(c, c->at + 1) != sizeof(mask) || !memory_read(c, AT_ENTRY, word, &mask))
		return value_address(c, word);
	return sigset_value(c, mask, SIGNALS);
}
const struct arg_type type_signalfd_set = { "const sigset_t *", decode_signalfd_set, NULL,
					    { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_ONE, 8, 8 } } };

#define RESTORER 0x04000000
static const struct name_row action_flag_rows[] = {
	FLAG_AS(RESTORER, "SA_RESTORER"), FLAG_AS(0x08000000, "SA_ONSTACK"), FLAG_AS(0x10000000, "SA_RESTART"),
	FLAG_AS(0x20000000, "SA_INTERRUPT"), FLAG_AS(0x40000000, "SA_NODEFER"), FLAG_AS(0x80000000, "SA_RESETHAND"),
	FLAG_AS(0x4, "SA_SIGINFO"), FLAG_AS(0x1, "SA_NOCLDSTOP"), FLAG_AS(0x2, "SA_NOCLDWAIT"),
};
static const struct names action_flag_names = NAMES(action_flag_rows, "SA_???");

/* The kernel's struct sigaction of x86-64 and arm64. */
struct kernel_sigaction {
	uint64_t handler, flags, restorer, mask;
};

static struct value handler_value(struct call *c, uint64_t handler)
{
	static const char *const names[] = { "SIG_DFL", "SIG_IGN" };
	struct value v = ADDRESS_VALUE(handler);
	return handler < ARRAY_SIZE(names) ? value_named(v, names[handler]) : v;
}

static struct value decode_sigaction(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	struct kernel_sigaction sa;
	enum arg_when when = type->memory[0].when;
	if ((when == AT_EXIT && !call_succeeded(c)) || !memory_read(c, when, word, &sa))
		return value_address(c, word);
	fields_add(&f, "sa_handler", handler_value(c, sa.handler));
	fields_add(&f, "sa_mask", sigset_value(c, sa.mask, SIGNALS));
	fields_add(&f, "sa_flags", names_flags(c, &action_flag_names, sa.flags));
	if (sa.flags & RESTORER)
		fields_add(&f, "sa_restorer", value_address(c, sa.restorer));
	return fields_struct(c, &f, false);
}
const struct arg_type type_sigaction_in = { "const struct sigaction *", decode_sigaction, NULL,
					    { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_ONE, 32, 32 } } };
const struct arg_type type_sigaction_out = { "struct sigaction *", decode_sigaction, NULL,
					     { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, 32, 32 } } };

static const struct name_row stack_flag_rows[] = { FLAG_AS(1, "SS_ONSTACK"), FLAG_AS(2, "SS_DISABLE"), FLAG_AS(1u << 31, "SS_AUTODISARM") };
static const struct names stack_flag_names = NAMES(stack_flag_rows, "SS_???");

static struct value decode_sigstack(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	struct {
		uint64_t sp;
		uint32_t flags, pad;
		uint64_t size;
	} ss;
	enum arg_when when = type->memory[0].when;
	if ((when == AT_EXIT && !call_succeeded(c)) || !memory_read(c, when, word, &ss))
		return value_address(c, word);
	fields_add(&f, "ss_sp", value_address(c, ss.sp));
	fields_add(&f, "ss_flags", names_flags(c, &stack_flag_names, ss.flags));
	fields_add(&f, "ss_size", UINT_VALUE(ss.size));
	return fields_struct(c, &f, false);
}
const struct arg_type type_sigstack_in = { "const stack_t *", decode_sigstack, NULL, { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_ONE, 24, 24 } } };
const struct arg_type type_sigstack_out = { "stack_t *", decode_sigstack, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, 24, 24 } } };

/* rt_sigreturn has no argument; what it restores lies on the stack. */
static struct value decode_sigframe(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	for (unsigned i = 0; i < c->n_pieces; i++) {
		uint64_t mask;
		if (c->piece[i].bytes.len != sizeof(mask))
			continue;
		memcpy(&mask, c->piece[i].bytes.data, sizeof(mask));
		fields_add(&f, "mask", sigset_value(c, mask, SIGNALS));
		return fields_struct(c, &f, false);
	}
	return (struct value){};
}
const struct arg_type type_sigframe = { "struct ucontext *", decode_sigframe, NULL, { { SYSCALL_FETCH_SIGFRAME, AT_ENTRY, COUNT_ONE, 8, 8 } } };

static const struct name_row child_code_rows[] = { NAME_AS(1, "CLD_EXITED"), NAME_AS(2, "CLD_KILLED"), NAME_AS(3, "CLD_DUMPED"),
						   NAME_AS(4, "CLD_TRAPPED"), NAME_AS(5, "CLD_STOPPED"), NAME_AS(6, "CLD_CONTINUED") };
static const struct names child_code_names = NAMES(child_code_rows, "CLD_???");

/* siginfo_t as waitid fills it: uapi/asm-generic/siginfo.h, _sigchld. */
struct child_siginfo {
	int32_t signo, error, code, pad, pid;
	uint32_t uid;
	int32_t status, pad2;
	int64_t utime, stime;
};

static struct value decode_child_siginfo(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	struct child_siginfo si;
	if (!call_succeeded(c) || !memory_read(c, AT_EXIT, word, &si))
		return value_address(c, word);
	if (!si.signo)
		return fields_struct(c, &f, false);
	fields_add(&f, "si_signo", decode_signal(c, (uint32_t)si.signo, NULL));
	fields_add(&f, "si_code", names_enum(c, &child_code_names, (uint32_t)si.code));
	fields_add(&f, "si_pid", INT_VALUE(si.pid));
	fields_add(&f, "si_uid", UINT_VALUE(si.uid));
	fields_add(&f, "si_status", si.code == 1 ? INT_VALUE(si.status) : decode_signal(c, (uint32_t)si.status, NULL));
	fields_add(&f, "si_utime", INT_VALUE(si.utime));
	fields_add(&f, "si_stime", INT_VALUE(si.stime));
	return fields_struct(c, &f, false);
}
const struct arg_type type_child_siginfo = { "siginfo_t *", decode_child_siginfo, NULL,
					     { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, 48, 48 } } };
