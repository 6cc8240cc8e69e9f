/* arg_prctl: options and what each takes (uapi/linux/prctl.h). */
#include <inttypes.h>

#include "probe/syscall/decode.h"

/*
 * @arguments: a letter for each that is written: d number, x hexadecimal, p address, s string given, o string returned,
 * S signal, c capability, D dumpable, u pointer to a pid returned.
 */
static const struct prctl_row {
	uint32_t option;
	const char *name, *arguments;
} options[] = {
	{ 1, "PR_SET_PDEATHSIG", "S" }, { 2, "PR_GET_PDEATHSIG", "u" }, { 3, "PR_GET_DUMPABLE", "" }, { 4, "PR_SET_DUMPABLE", "D" },
	{ 5, "PR_GET_UNALIGN", "p" }, { 6, "PR_SET_UNALIGN", "x" }, { 7, "PR_GET_KEEPCAPS", "" }, { 8, "PR_SET_KEEPCAPS", "d" },
	{ 9, "PR_GET_FPEMU", "p" }, { 10, "PR_SET_FPEMU", "d" }, { 11, "PR_GET_FPEXC", "p" }, { 12, "PR_SET_FPEXC", "d" },
	{ 13, "PR_GET_TIMING", "" }, { 14, "PR_SET_TIMING", "d" }, { 15, "PR_SET_NAME", "s" }, { 16, "PR_GET_NAME", "o" },
	{ 19, "PR_GET_ENDIAN", "p" }, { 20, "PR_SET_ENDIAN", "d" }, { 21, "PR_GET_SECCOMP", "" }, { 22, "PR_SET_SECCOMP", "dp" },
	{ 23, "PR_CAPBSET_READ", "c" }, { 24, "PR_CAPBSET_DROP", "c" }, { 25, "PR_GET_TSC", "p" }, { 26, "PR_SET_TSC", "d" },
	{ 27, "PR_GET_SECUREBITS", "" }, { 28, "PR_SET_SECUREBITS", "x" }, { 29, "PR_SET_TIMERSLACK", "d" },
	{ 30, "PR_GET_TIMERSLACK", "" }, { 31, "PR_TASK_PERF_EVENTS_DISABLE", "" }, { 32, "PR_TASK_PERF_EVENTS_ENABLE", "" },
	{ 33, "PR_MCE_KILL", "dxxx" }, { 34, "PR_MCE_KILL_GET", "xxxx" }, { 35, "PR_SET_MM", "dxxx" },
	{ 36, "PR_SET_CHILD_SUBREAPER", "d" }, { 37, "PR_GET_CHILD_SUBREAPER", "u" }, { 38, "PR_SET_NO_NEW_PRIVS", "dxxx" },
	{ 39, "PR_GET_NO_NEW_PRIVS", "xxxx" }, { 40, "PR_GET_TID_ADDRESS", "p" }, { 41, "PR_SET_THP_DISABLE", "dxxx" },
	{ 42, "PR_GET_THP_DISABLE", "xxxx" }, { 47, "PR_CAP_AMBIENT", "Acxx" }, { 52, "PR_GET_SPECULATION_CTRL", "d" },
	{ 53, "PR_SET_SPECULATION_CTRL", "dx" }, { 57, "PR_SET_IO_FLUSHER", "dxxx" }, { 58, "PR_GET_IO_FLUSHER", "xxxx" },
	{ 59, "PR_SET_SYSCALL_USER_DISPATCH", "xxxx" }, { 62, "PR_SCHED_CORE", "xdxx" }, { 65, "PR_SET_MDWE", "xxxx" },
	{ 66, "PR_GET_MDWE", "xxxx" }, { 0x53564d41, "PR_SET_VMA", "Vxdn" }, { 0x59616d61, "PR_SET_PTRACER", "d" },
};

static const struct prctl_row *find(uint32_t option)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].option == option)
			return &options[i];
	return NULL;
}

static struct value dumpable_value(struct call *c, uint64_t x)
{
	static const struct name_row rows[] = { NAME_AS(0, "SUID_DUMP_DISABLE"), NAME_AS(1, "SUID_DUMP_USER"), NAME_AS(2, "SUID_DUMP_ROOT") };
	static const struct names names = NAMES(rows, "SUID_DUMP_???");
	return names_enum(c, &names, x);
}

static struct value ambient_value(struct call *c, uint64_t x)
{
	static const struct name_row rows[] = { NAME_AS(1, "PR_CAP_AMBIENT_IS_SET"), NAME_AS(2, "PR_CAP_AMBIENT_RAISE"),
						NAME_AS(3, "PR_CAP_AMBIENT_LOWER"), NAME_AS(4, "PR_CAP_AMBIENT_CLEAR_ALL") };
	static const struct names names = NAMES(rows, "PR_CAP_AMBIENT_???");
	return names_enum(c, &names, x);
}

static struct value decode_option(struct call *c, uint64_t word, const struct arg_type *type)
{
	const struct prctl_row *row = find((uint32_t)word);
	uint32_t option = (uint32_t)word;
	if (row && option == 3 && call_succeeded(c)) {
		struct value v = dumpable_value(c, (uint64_t)c->rec->ret);
		result_note(c, "%.*s", (int)v.text.len, v.text.data);
	}
	if (row)
		return value_named(UINT_VALUE(option), row->name);
	return value_text(c, UINT_VALUE(option), option ? "%#" PRIx32 " /* PR_??? */" : "%" PRIx32 " /* PR_??? */", option);
}
const struct arg_type type_prctl_option = { "int", decode_option };

static struct value string_value(struct call *c, enum arg_when when, uint64_t addr)
{
	struct slice s;
	bool truncated;
	if ((when == AT_EXIT && !call_succeeded(c)) || !memory_string(c, when, addr, &s, &truncated))
		return value_address(c, addr);
	return value_string(c, s, truncated);
}

static struct value argument_value(struct call *c, char kind, uint64_t word)
{
	int32_t pid;
	switch (kind) {
	case 'd':
		return INT_VALUE((int64_t)word);
	case 'p':
		return value_address(c, word);
	case 's': case 'n':
		return string_value(c, AT_ENTRY, word);
	case 'o':
		return string_value(c, AT_EXIT, word);
	case 'S':
		return decode_signal(c, word, NULL);
	case 'c':
		return names_enum(c, &cap_names, word);
	case 'D':
		return dumpable_value(c, word);
	case 'A':
		return ambient_value(c, word);
	case 'V':
		return word ? value_hex(c, word) : value_named(UINT_VALUE(word), "PR_SET_VMA_ANON_NAME");
	case 'u':
		if (call_succeeded(c) && memory_read(c, AT_EXIT, word, &pid))
			return value_bracketed(c, INT_VALUE(pid));
		return value_address(c, word);
	default:
		return value_hex(c, word);
	}
}

static struct value decode_argument(struct call *c, uint64_t word, const struct arg_type *type)
{
	const struct prctl_row *row = find((uint32_t)call_arg(c, 0));
	const char *kinds = row ? row->arguments : "xxxx";
	for (unsigned i = 1; i < c->at && *kinds; i++)
		kinds++;
	return *kinds ? argument_value(c, *kinds, word) : (struct value){};
}
#define NAME_BYTES 80 /* TASK_COMM_LEN is 16; the name of a mapping ANON_VMA_NAME_MAX_LEN, 80 */
const struct arg_type type_prctl_argument = { "unsigned long", decode_argument, NULL,
					      { { SYSCALL_FETCH_STRING, AT_BOTH, COUNT_ONE, 1, 16 } } };
const struct arg_type type_prctl_name = { "unsigned long", decode_argument, NULL,
					  { { SYSCALL_FETCH_STRING, AT_ENTRY, COUNT_ONE, 1, NAME_BYTES } } };
const struct arg_type type_prctl_word = { "unsigned long", decode_argument };
