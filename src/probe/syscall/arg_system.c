/* arg_system: limits, usage, and what the machine tells of itself. */
#include <inttypes.h>
#include <string.h>

#include "probe/syscall/decode.h"

#define MEMORY(when, bytes) { { SYSCALL_FETCH_BYTES, when, COUNT_ONE, bytes, bytes } }

static struct value limit_value(struct call *c, uint64_t x)
{
	if (x == UINT64_MAX)
		return value_named(UINT_VALUE(x), "RLIM64_INFINITY");
	if (x > 1024 && x % 1024 == 0)
		return value_text(c, UINT_VALUE(x), "%" PRIu64 "*1024", x / 1024);
	return UINT_VALUE(x);
}

static struct value decode_rlimit(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	uint64_t limit[2];
	enum arg_when when = type->memory[0].when;
	if ((when == AT_EXIT && !call_succeeded(c)) || !memory_read(c, when, word, &limit))
		return value_address(c, word);
	fields_add(&f, "rlim_cur", limit_value(c, limit[0]));
	fields_add(&f, "rlim_max", limit_value(c, limit[1]));
	return fields_struct(c, &f, false);
}
const struct arg_type type_rlimit_in = { "const struct rlimit *", decode_rlimit, NULL, MEMORY(AT_ENTRY, 16) };
const struct arg_type type_rlimit_out = { "struct rlimit *", decode_rlimit, NULL, MEMORY(AT_EXIT, 16) };

static struct value decode_rusage(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	int64_t t[4];
	bool none = call_is(c, "wait4") && c->rec->ret == 0;
	if (!call_succeeded(c) || none || !memory_read(c, AT_EXIT, word, &t))
		return value_address(c, word);
	fields_add(&f, "ru_utime", timeval_value(c, t[0], t[1]));
	fields_add(&f, "ru_stime", timeval_value(c, t[2], t[3]));
	return fields_struct(c, &f, true);
}
const struct arg_type type_rusage = { "struct rusage *", decode_rusage, NULL, MEMORY(AT_EXIT, 32) };

#define UTS_FIELD 65 /* __NEW_UTS_LEN + 1 */
static struct value decode_utsname(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	char name[2][UTS_FIELD];
	if (!call_succeeded(c) || !memory_read(c, AT_EXIT, word, &name))
		return value_address(c, word);
	fields_add(&f, "sysname", value_string(c, (struct slice){ name[0], strnlen(name[0], UTS_FIELD) }, false));
	fields_add(&f, "nodename", value_string(c, (struct slice){ name[1], strnlen(name[1], UTS_FIELD) }, false));
	return fields_struct(c, &f, true);
}
const struct arg_type type_utsname = { "struct utsname *", decode_utsname, NULL, MEMORY(AT_EXIT, 2 * UTS_FIELD) };

/* uapi/linux/sysinfo.h of 64-bit machines. */
struct kernel_sysinfo {
	int64_t uptime;
	uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint32_t pad2;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit, pad3;
};

static struct value loads_value(struct call *c, const uint64_t loads[3])
{
	struct fields f = {};
	for (unsigned i = 0; i < 3; i++)
		fields_add(&f, "", UINT_VALUE(loads[i]));
	return fields_list(c, &f, false);
}

static struct value decode_sysinfo(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	struct kernel_sysinfo s;
	if (!call_succeeded(c) || !memory_read(c, AT_EXIT, word, &s))
		return value_address(c, word);
	fields_add(&f, "uptime", INT_VALUE(s.uptime));
	fields_add(&f, "loads", loads_value(c, s.loads));
	fields_add(&f, "totalram", UINT_VALUE(s.totalram));
	fields_add(&f, "freeram", UINT_VALUE(s.freeram));
	fields_add(&f, "sharedram", UINT_VALUE(s.sharedram));
	fields_add(&f, "bufferram", UINT_VALUE(s.bufferram));
	fields_add(&f, "totalswap", UINT_VALUE(s.totalswap));
	fields_add(&f, "freeswap", UINT_VALUE(s.freeswap));
	fields_add(&f, "procs", UINT_VALUE(s.procs));
	fields_add(&f, "totalhigh", UINT_VALUE(s.totalhigh));
	fields_add(&f, "freehigh", UINT_VALUE(s.freehigh));
	fields_add(&f, "mem_unit", UINT_VALUE(s.mem_unit));
	return fields_struct(c, &f, false);
}
const struct arg_type type_sysinfo = { "struct sysinfo *", decode_sysinfo, NULL, MEMORY(AT_EXIT, sizeof(struct kernel_sysinfo)) };

/* A CPU mask as [0 1 5]. */
static struct value decode_cpu_mask(struct call *c, uint64_t word, const struct arg_type *type)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	struct slice s;
	enum arg_when when = type->memory[0].when;
	uint64_t bytes = when == AT_EXIT ? (uint64_t)c->rec->ret : call_arg(c, c->at - 1);
	if ((when == AT_EXIT && !call_succeeded(c)) || !word || !memory_some(c, when, word, bytes, &s))
		return value_address(c, word);
	strbuf_addc(&b, '[');
	for (size_t i = 0; i < s.len * 8; i++)
		if (s.data[i / 8] >> (i % 8) & 1)
			strbuf_addf(&b, "%s%zu", b.len > 1 ? " " : "", i);
	strbuf_adds(&b, s.len < bytes ? " ...]" : "]");
	return value_taken(c, ADDRESS_VALUE(word), &b);
}
const struct arg_type type_cpu_mask_in = { "const cpu_set_t *", decode_cpu_mask, NULL, { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_PREVIOUS, 1, 128 } } };
const struct arg_type type_cpu_mask_out = { "cpu_set_t *", decode_cpu_mask, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_RETURN, 1, 128 } } };

#define CAPABILITY_VERSION_1 0x19980330
#define CAPABILITY_VERSION_3 0x20080522
static struct value decode_cap_header(struct call *c, uint64_t word, const struct arg_type *type)
{
	static const struct name_row rows[] = { NAME_AS(CAPABILITY_VERSION_1, "_LINUX_CAPABILITY_VERSION_1"),
						NAME_AS(0x20071026, "_LINUX_CAPABILITY_VERSION_2"),
						NAME_AS(CAPABILITY_VERSION_3, "_LINUX_CAPABILITY_VERSION_3") };
	static const struct names names = NAMES(rows, "_LINUX_CAPABILITY_VERSION_???");
	struct fields f = {};
	uint32_t header[2];
	if (!memory_read(c, AT_ENTRY, word, &header))
		return value_address(c, word);
	fields_add(&f, "version", names_enum(c, &names, header[0]));
	fields_add(&f, "pid", INT_VALUE((int32_t)header[1]));
	return fields_struct(c, &f, false);
}
const struct arg_type type_cap_header = { "struct __user_cap_header_struct *", decode_cap_header, NULL, MEMORY(AT_ENTRY, 8) };

static struct value cap_set_value(struct call *c, uint64_t set)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	uint64_t rest = set;
	for (unsigned i = 0; i < 64; i++) {
		const char *name = set >> i & 1 ? names_find(&cap_names, i) : NULL;
		if (!name)
			continue;
		strbuf_addf(&b, "%s1<<%s", b.len ? "|" : "", name);
		rest &= ~(1ull << i);
	}
	if (rest)
		strbuf_addf(&b, "%s%#" PRIx64, b.len ? "|" : "", rest);
	return value_text(c, UINT_VALUE(set), "%s", b.len ? strbuf_str(&b) : "0");
}

/* Two sets of three 32-bit words: effective, permitted, inheritable; the second holds the higher capabilities. */
static struct value decode_cap_sets(struct call *c, uint64_t word, const struct arg_type *type)
{
	static const char *const names[] = { "effective", "permitted", "inheritable" };
	struct fields f = {};
	uint32_t sets[2][3], version = 0;
	enum arg_when when = type->memory[0].when;
	memory_read(c, AT_ENTRY, call_arg(c, 0), &version);
	size_t bytes = version == CAPABILITY_VERSION_1 ? sizeof(sets[0]) : sizeof(sets);
	memset(sets, 0, sizeof(sets));
	if ((when == AT_EXIT && !call_succeeded(c)) || !memory_get(c, when, word, bytes, sets))
		return value_address(c, word);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fields_add(&f, names[i], cap_set_value(c, sets[0][i] | (uint64_t)sets[1][i] << 32));
	return fields_struct(c, &f, false);
}
const struct arg_type type_cap_sets_in = { "const struct __user_cap_data_struct *", decode_cap_sets, NULL, MEMORY(AT_ENTRY, 24) };
const struct arg_type type_cap_sets_out = { "struct __user_cap_data_struct *", decode_cap_sets, NULL, MEMORY(AT_EXIT, 24) };
