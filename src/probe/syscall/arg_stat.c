/* arg_stat: what stat, statx and statfs tell. */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "probe/syscall/decode.h"

struct value device_value(struct call *c, uint64_t dev)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	strbuf_addf(&b, "makedev(%#x, %#x)", major(dev), minor(dev));
	return value_taken(c, UINT_VALUE(dev), &b);
}

struct value mode_value(struct call *c, uint32_t mode)
{
	static const struct {
		uint32_t kind;
		const char *name;
	} kinds[] = { { S_IFREG, "S_IFREG" }, { S_IFDIR, "S_IFDIR" }, { S_IFLNK, "S_IFLNK" }, { S_IFCHR, "S_IFCHR" },
		      { S_IFBLK, "S_IFBLK" }, { S_IFIFO, "S_IFIFO" }, { S_IFSOCK, "S_IFSOCK" } };
	_cleanup_(strbuf_done) struct strbuf b = {};
	uint32_t kind = mode & S_IFMT;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind) {
			strbuf_adds(&b, kinds[i].name);
			strbuf_addc(&b, '|');
			kind = 0;
		}
	strbuf_adds(&b, mode & S_ISUID ? "S_ISUID|" : "");
	strbuf_adds(&b, mode & S_ISGID ? "S_ISGID|" : "");
	strbuf_adds(&b, mode & S_ISVTX ? "S_ISVTX|" : "");
	add_octal(&b, kind | (mode & 0777));
	return value_taken(c, UINT_VALUE(mode), &b);
}

/* Where the fields lie: arch/x86/include/uapi/asm/stat.h, include/uapi/asm-generic/stat.h (arm64). */
static const struct {
	uint16_t mode, rdev, size, bytes;
} stat_layout[SYSCALL_ARCHS] = {
	[SYSCALL_X86_64] = { 24, 40, 48, 144 },
	[SYSCALL_ARM64] = { 16, 32, 48, 128 },
};
#define STAT_BYTES 56 /* up to and with st_size, on both */

static struct value decode_stat(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	char bytes[STAT_BYTES];
	uint32_t mode;
	uint64_t rdev, size;
	if (!call_succeeded(c) || c->rec->arch >= SYSCALL_ARCHS || !memory_get(c, AT_EXIT, word, sizeof(bytes), bytes))
		return value_address(c, word);
	memcpy(&mode, bytes + stat_layout[c->rec->arch].mode, sizeof(mode));
	memcpy(&rdev, bytes + stat_layout[c->rec->arch].rdev, sizeof(rdev));
	memcpy(&size, bytes + stat_layout[c->rec->arch].size, sizeof(size));
	fields_add(&f, "st_mode", mode_value(c, mode));
	if (S_ISCHR(mode) || S_ISBLK(mode))
		fields_add(&f, "st_rdev", device_value(c, rdev));
	else
		fields_add(&f, "st_size", INT_VALUE((int64_t)size));
	return fields_struct(c, &f, true);
}
const struct arg_type type_stat = { "struct stat *", decode_stat, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, STAT_BYTES, STAT_BYTES } } };

static const struct name_row statx_mask_rows[] = {
	FLAG_AS(0xfff, "STATX_ALL"), FLAG_AS(0x7ff, "STATX_BASIC_STATS"), FLAG_AS(0x1, "STATX_TYPE"), FLAG_AS(0x2, "STATX_MODE"),
	FLAG_AS(0x4, "STATX_NLINK"), FLAG_AS(0x8, "STATX_UID"), FLAG_AS(0x10, "STATX_GID"), FLAG_AS(0x20, "STATX_ATIME"),
	FLAG_AS(0x40, "STATX_MTIME"), FLAG_AS(0x80, "STATX_CTIME"), FLAG_AS(0x100, "STATX_INO"), FLAG_AS(0x200, "STATX_SIZE"),
	FLAG_AS(0x400, "STATX_BLOCKS"), FLAG_AS(0x800, "STATX_BTIME"), FLAG_AS(0x1000, "STATX_MNT_ID"), FLAG_AS(0x2000, "STATX_DIOALIGN"),
	FLAG_AS(0x4000, "STATX_MNT_ID_UNIQUE"), FLAG_AS(0x8000, "STATX_SUBVOL"), FLAG_AS(0x10000, "STATX_WRITE_ATOMIC"),
	FLAG_AS(0x20000, "STATX_DIO_READ_ALIGN"),
};
FLAG_TYPE(statx_mask, "STATX_???");

static const struct name_row statx_attr_rows[] = {
	FLAG_AS(0x4, "STATX_ATTR_COMPRESSED"), FLAG_AS(0x10, "STATX_ATTR_IMMUTABLE"), FLAG_AS(0x20, "STATX_ATTR_APPEND"),
	FLAG_AS(0x40, "STATX_ATTR_NODUMP"), FLAG_AS(0x800, "STATX_ATTR_ENCRYPTED"), FLAG_AS(0x1000, "STATX_ATTR_AUTOMOUNT"),
	FLAG_AS(0x2000, "STATX_ATTR_MOUNT_ROOT"), FLAG_AS(0x100000, "STATX_ATTR_VERITY"), FLAG_AS(0x200000, "STATX_ATTR_DAX"),
};
static const struct names statx_attr_names = NAMES(statx_attr_rows, "STATX_ATTR_???");

/* The beginning of struct statx (uapi/linux/stat.h). */
struct statx_head {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, spare;
	uint64_t ino, size;
};

static struct value decode_statx(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	struct statx_head st;
	if (!call_succeeded(c) || !memory_read(c, AT_EXIT, word, &st))
		return value_address(c, word);
	fields_add(&f, "stx_mask", names_flags(c, &statx_mask_names, st.mask));
	fields_add(&f, "stx_attributes", names_flags(c, &statx_attr_names, st.attributes));
	fields_add(&f, "stx_mode", mode_value(c, st.mode));
	fields_add(&f, "stx_size", UINT_VALUE(st.size));
	return fields_struct(c, &f, true);
}
const struct arg_type type_statx = { "struct statx *", decode_statx, NULL,
				     { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, sizeof(struct statx_head), sizeof(struct statx_head) } } };

/* uapi/linux/magic.h, and the file systems that keep theirs to themselves. */
static const struct name_row fs_magic_rows[] = {
	NAME_AS(0xef53, "EXT2_SUPER_MAGIC"), NAME_AS(0x1021994, "TMPFS_MAGIC"), NAME_AS(0x9fa0, "PROC_SUPER_MAGIC"),
	NAME_AS(0x62656572, "SYSFS_MAGIC"), NAME_AS(0x794c7630, "OVERLAYFS_SUPER_MAGIC"), NAME_AS(0x58465342, "XFS_SUPER_MAGIC"),
	NAME_AS(0x9123683e, "BTRFS_SUPER_MAGIC"), NAME_AS(0x27e0eb, "CGROUP_SUPER_MAGIC"), NAME_AS(0x63677270, "CGROUP2_SUPER_MAGIC"),
	NAME_AS(0x1cd1, "DEVPTS_SUPER_MAGIC"), NAME_AS(0x6969, "NFS_SUPER_MAGIC"), NAME_AS(0x50495045, "PIPEFS_MAGIC"),
	NAME_AS(0x534f434b, "SOCKFS_MAGIC"), NAME_AS(0x73717368, "SQUASHFS_MAGIC"), NAME_AS(0x858458f6, "RAMFS_MAGIC"),
	NAME_AS(0x958458f6, "HUGETLBFS_MAGIC"), NAME_AS(0x65735546, "FUSE_SUPER_MAGIC"), NAME_AS(0x64626720, "DEBUGFS_MAGIC"),
	NAME_AS(0x74726163, "TRACEFS_MAGIC"), NAME_AS(0xcafe4a11, "BPF_FS_MAGIC"), NAME_AS(0x73636673, "SECURITYFS_MAGIC"),
	NAME_AS(0xf97cff8c, "SELINUX_MAGIC"), NAME_AS(0x9041934, "ANON_INODE_FS_MAGIC"), NAME_AS(0x4d44, "MSDOS_SUPER_MAGIC"),
	NAME_AS(0x9660, "ISOFS_SUPER_MAGIC"), NAME_AS(0x1021997, "V9FS_MAGIC"),
};
static const struct names fs_magic_names = NAMES(fs_magic_rows, "???");

static const struct name_row statfs_flag_rows[] = {
	FLAG_AS(0x20, "ST_VALID"), FLAG_AS(0x1, "ST_RDONLY"), FLAG_AS(0x2, "ST_NOSUID"), FLAG_AS(0x4, "ST_NODEV"),
	FLAG_AS(0x8, "ST_NOEXEC"), FLAG_AS(0x10, "ST_SYNCHRONOUS"), FLAG_AS(0x40, "ST_MANDLOCK"), FLAG_AS(0x400, "ST_NOATIME"),
	FLAG_AS(0x800, "ST_NODIRATIME"), FLAG_AS(0x1000, "ST_RELATIME"), FLAG_AS(0x2000, "ST_NOSYMFOLLOW"),
};
static const struct names statfs_flag_names = NAMES(statfs_flag_rows, "ST_???");

/* struct statfs of 64-bit machines (uapi/asm-generic/statfs.h), without its spare words. */
struct statfs_head {
	uint64_t type, bsize, blocks, bfree, bavail, files, ffree;
	uint32_t fsid[2];
	uint64_t namelen, frsize, flags;
};

static struct value fsid_value(struct call *c, const uint32_t fsid[2])
{
	struct fields val = {}, f = {};
	fields_add(&val, "", value_hex(c, fsid[0]));
	fields_add(&val, "", value_hex(c, fsid[1]));
	fields_add(&f, "val", fields_list(c, &val, false));
	return fields_struct(c, &f, false);
}

static struct value decode_statfs(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	struct statfs_head st;
	if (!call_succeeded(c) || !memory_read(c, AT_EXIT, word, &st))
		return value_address(c, word);
	fields_add(&f, "f_type", names_enum(c, &fs_magic_names, st.type));
	fields_add(&f, "f_bsize", UINT_VALUE(st.bsize));
	fields_add(&f, "f_blocks", UINT_VALUE(st.blocks));
	fields_add(&f, "f_bfree", UINT_VALUE(st.bfree));
	fields_add(&f, "f_bavail", UINT_VALUE(st.bavail));
	fields_add(&f, "f_files", UINT_VALUE(st.files));
	fields_add(&f, "f_ffree", UINT_VALUE(st.ffree));
	fields_add(&f, "f_fsid", fsid_value(c, st.fsid));
	fields_add(&f, "f_namelen", UINT_VALUE(st.namelen));
	fields_add(&f, "f_frsize", UINT_VALUE(st.frsize));
	fields_add(&f, "f_flags", names_flags(c, &statfs_flag_names, st.flags));
	return fields_struct(c, &f, false);
}
const struct arg_type type_statfs = { "struct statfs *", decode_statfs, NULL,
				      { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_ONE, sizeof(struct statfs_head), sizeof(struct statfs_head) } } };
