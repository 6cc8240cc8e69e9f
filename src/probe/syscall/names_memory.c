/* names_memory: flags and enumerations of memory. Values: uapi/asm-generic/mman.h, mman-common.h, uapi/linux/{ipc,shm,memfd}.h. */
#include <inttypes.h>
#include <sys/mman.h>

#include "probe/syscall/decode.h"

static const struct name_row prot_rows[] = {
	{ ~0ull, 0, "PROT_NONE" }, FLAG_AS(1, "PROT_READ"), FLAG_AS(2, "PROT_WRITE"), FLAG_AS(4, "PROT_EXEC"), FLAG_AS(8, "PROT_SEM"),
	FLAG_AS(0x01000000, "PROT_GROWSDOWN"), FLAG_AS(0x02000000, "PROT_GROWSUP"),
};
static const struct names prot_names = NAMES(prot_rows, "PROT_???");
const struct arg_type type_prot = { "int", decode_flags, &prot_names };

#define MAP_TYPE_MASK 0xf
static const struct name_row map_flags_rows[] = {
	{ MAP_TYPE_MASK, 0, "MAP_FILE" }, { MAP_TYPE_MASK, 1, "MAP_SHARED" }, { MAP_TYPE_MASK, 2, "MAP_PRIVATE" },
	{ MAP_TYPE_MASK, 3, "MAP_SHARED_VALIDATE" }, { MAP_TYPE_MASK, 8, "MAP_DROPPABLE" }, FLAG_AS(0x10, "MAP_FIXED"),
	FLAG_AS(0x20, "MAP_ANONYMOUS"),
	FLAG_AS(0x40, "MAP_32BIT"), FLAG_AS(0x4000, "MAP_NORESERVE"), FLAG_AS(0x8000, "MAP_POPULATE"), FLAG_AS(0x10000, "MAP_NONBLOCK"),
	FLAG_AS(0x100, "MAP_GROWSDOWN"), FLAG_AS(0x800, "MAP_DENYWRITE"), FLAG_AS(0x1000, "MAP_EXECUTABLE"), FLAG_AS(0x2000, "MAP_LOCKED"),
	FLAG_AS(0x20000, "MAP_STACK"), FLAG_AS(0x40000, "MAP_HUGETLB"), FLAG_AS(0x80000, "MAP_SYNC"),
	FLAG_AS(0x100000, "MAP_FIXED_NOREPLACE"),
};
static const struct names map_flags_names = NAMES(map_flags_rows, "MAP_???");

/* The size of a huge page is a number in the six highest bits: n<<MAP_HUGE_SHIFT. */
static struct value decode_huge(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint32_t huge = (uint32_t)word >> 26;
	struct value v = names_flags(c, type->names, (uint32_t)word & ((1u << 26) - 1));
	v.u = (uint32_t)word;
	const char *shift = type == &type_memfd_flags ? "MFD_HUGE_SHIFT" : "MAP_HUGE_SHIFT";
	return huge ? value_text(c, v, "%.*s|%" PRIu32 "<<%s", (int)v.text.len, v.text.data, huge, shift) : v;
}
const struct arg_type type_map_flags = { "int", decode_huge, &map_flags_names };

static const struct name_row memfd_flags_rows[] = { FLAG_AS(1, "MFD_CLOEXEC"), FLAG_AS(2, "MFD_ALLOW_SEALING"), FLAG_AS(4, "MFD_HUGETLB"),
						    FLAG_AS(8, "MFD_NOEXEC_SEAL"), FLAG_AS(16, "MFD_EXEC") };
static const struct names memfd_flags_names = NAMES(memfd_flags_rows, "MFD_???");
const struct arg_type type_memfd_flags = { "unsigned int", decode_huge, &memfd_flags_names };

static const struct name_row mremap_flags_rows[] = { FLAG_AS(1, "MREMAP_MAYMOVE"), FLAG_AS(2, "MREMAP_FIXED"), FLAG_AS(4, "MREMAP_DONTUNMAP") };
FLAG_TYPE(mremap_flags, "MREMAP_???");

/* mremap: the new address counts only where one is asked for. */
static struct value decode_mremap_address(struct call *c, uint64_t word, const struct arg_type *type)
{
	return call_arg(c, 3) & 2 ? value_address(c, word) : (struct value){};
}
const struct arg_type type_mremap_address = { "void *", decode_mremap_address };

static const struct name_row msync_flags_rows[] = { FLAG_AS(4, "MS_SYNC"), FLAG_AS(1, "MS_ASYNC"), FLAG_AS(2, "MS_INVALIDATE") };
FLAG_TYPE(msync_flags, "MS_???");

static const struct name_row mlockall_flags_rows[] = { FLAG_AS(1, "MCL_CURRENT"), FLAG_AS(2, "MCL_FUTURE"), FLAG_AS(4, "MCL_ONFAULT") };
FLAG_TYPE(mlockall_flags, "MCL_???");

static const struct name_row mlock_flags_rows[] = { FLAG_AS(1, "MLOCK_ONFAULT") };
FLAG_TYPE(mlock_flags, "MLOCK_???");

static const struct name_row madvise_rows[] = {
	NAME_AS(0, "MADV_NORMAL"), NAME_AS(1, "MADV_RANDOM"), NAME_AS(2, "MADV_SEQUENTIAL"), NAME_AS(3, "MADV_WILLNEED"),
	NAME_AS(4, "MADV_DONTNEED"), NAME_AS(8, "MADV_FREE"), NAME_AS(9, "MADV_REMOVE"), NAME_AS(10, "MADV_DONTFORK"),
	NAME_AS(11, "MADV_DOFORK"), NAME_AS(12, "MADV_MERGEABLE"), NAME_AS(13, "MADV_UNMERGEABLE"), NAME_AS(14, "MADV_HUGEPAGE"),
	NAME_AS(15, "MADV_NOHUGEPAGE"), NAME_AS(16, "MADV_DONTDUMP"), NAME_AS(17, "MADV_DODUMP"), NAME_AS(18, "MADV_WIPEONFORK"),
	NAME_AS(19, "MADV_KEEPONFORK"), NAME_AS(20, "MADV_COLD"), NAME_AS(21, "MADV_PAGEOUT"), NAME_AS(22, "MADV_POPULATE_READ"),
	NAME_AS(23, "MADV_POPULATE_WRITE"), NAME_AS(24, "MADV_DONTNEED_LOCKED"), NAME_AS(25, "MADV_COLLAPSE"),
	NAME_AS(100, "MADV_HWPOISON"), NAME_AS(101, "MADV_SOFT_OFFLINE"), NAME_AS(102, "MADV_GUARD_INSTALL"),
	NAME_AS(103, "MADV_GUARD_REMOVE"),
};
ENUM_TYPE(madvise, "MADV_???");

static const struct name_row shmat_flags_rows[] = { FLAG_AS(010000, "SHM_RDONLY"), FLAG_AS(020000, "SHM_RND"), FLAG_AS(040000, "SHM_REMAP"),
						    FLAG_AS(0100000, "SHM_EXEC") };
FLAG_TYPE(shmat_flags, "SHM_???");

/* Creation flags and a mode in one word: IPC_CREAT|0600. */
static const struct name_row ipc_flags_rows[] = { FLAG_AS(01000, "IPC_CREAT"), FLAG_AS(02000, "IPC_EXCL"), FLAG_AS(04000, "IPC_NOWAIT") };
static const struct names ipc_flags_names = NAMES(ipc_flags_rows, "IPC_???");

static struct value decode_ipc_flags(struct call *c, uint64_t word, const struct arg_type *type)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	uint32_t flags = (uint32_t)word & ~0777u;
	if (flags) {
		names_add_flags(&b, type->names, flags);
		strbuf_addc(&b, '|');
	}
	strbuf_addf(&b, "%#03" PRIo32, (uint32_t)word & 0777);
	return value_taken(c, UINT_VALUE((uint32_t)word), &b);
}
const struct arg_type type_ipc_flags = { "int", decode_ipc_flags, &ipc_flags_names };

static struct value decode_ipc_key(struct call *c, uint64_t word, const struct arg_type *type)
{
	if ((uint32_t)word == 0)
		return value_named(UINT_VALUE(0), "IPC_PRIVATE");
	return value_hex(c, (uint32_t)word);
}
const struct arg_type type_ipc_key = { "key_t", decode_ipc_key };

static const struct name_row ipc_command_rows[] = { NAME_AS(0, "IPC_RMID"), NAME_AS(1, "IPC_SET"), NAME_AS(2, "IPC_STAT"), NAME_AS(3, "IPC_INFO") };
ENUM_TYPE(ipc_command, "IPC_???");

static const struct name_row membarrier_rows[] = {
	NAME_AS(0, "MEMBARRIER_CMD_QUERY"), NAME_AS(1, "MEMBARRIER_CMD_GLOBAL"), NAME_AS(2, "MEMBARRIER_CMD_GLOBAL_EXPEDITED"),
	NAME_AS(4, "MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED"), NAME_AS(8, "MEMBARRIER_CMD_PRIVATE_EXPEDITED"),
	NAME_AS(16, "MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED"), NAME_AS(32, "MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE"),
	NAME_AS(64, "MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE"), NAME_AS(128, "MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ"),
	NAME_AS(256, "MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ"), NAME_AS(512, "MEMBARRIER_CMD_GET_REGISTRATIONS"),
};
static const struct names membarrier_names = NAMES(membarrier_rows, "MEMBARRIER_CMD_???");

/* The commands once more, as the bits of what MEMBARRIER_CMD_QUERY returns. */
static void note_commands(struct call *c)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	uint64_t rest = (uint64_t)c->rec->ret;
	for (size_t i = 1; i < ARRAY_SIZE(membarrier_rows); i++) {
		if (!(rest & membarrier_rows[i].value))
			continue;
		strbuf_addf(&b, "%s%s", b.len ? "|" : "", membarrier_rows[i].name);
		rest &= ~membarrier_rows[i].value;
	}
	if (rest)
		strbuf_addf(&b, "%s%#" PRIx64, b.len ? "|" : "", rest);
	c->hex_result = true;
	result_note(c, "%s", strbuf_str(&b));
}

static struct value decode_membarrier(struct call *c, uint64_t word, const struct arg_type *type)
{
	if ((uint32_t)word == 0 && call_succeeded(c) && c->rec->ret)
		note_commands(c);
	return decode_enum(c, word, type);
}
const struct arg_type type_membarrier = { "int", decode_membarrier, &membarrier_names };
