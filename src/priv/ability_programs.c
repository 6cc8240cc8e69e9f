#include "priv/ability_probes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "priv/insn.h"
#include "priv/privilege.h"

#define CAPS_OF_PROGRAMS (CAP_BIT(CAP_BPF) | CAP_BIT(CAP_PERFMON))

/*
 * The smallest BTF that a map of typed values and a program with a callback ask for: int; int (void); two functions of
 * that type. Format: Documentation/bpf/btf.rst.
 */
static const struct tiny_btf {
	struct btf_header head;
	struct {
		struct btf_type integer;
		__u32 integer_encoding;
		struct btf_type prototype, main, callback;
	} types;
	char strings[16];
} tiny_btf = {
	.head = { .magic = 0xeb9f, .version = 1, .hdr_len = sizeof(struct btf_header), .type_len = sizeof(tiny_btf.types),
		  .str_off = sizeof(tiny_btf.types), .str_len = sizeof(tiny_btf.strings) },
	.types = {
		.integer = { .name_off = 1, .info = BTF_KIND_INT << 24, .size = 4 },
		.integer_encoding = BTF_INT_SIGNED << 24 | 32,
		.prototype = { .info = BTF_KIND_FUNC_PROTO << 24, .type = 1 },
		.main = { .name_off = 5, .info = BTF_KIND_FUNC << 24 | BTF_FUNC_GLOBAL, .type = 2 },
		.callback = { .name_off = 10, .info = BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC, .type = 2 },
	},
	.strings = "\0int\0main\0back",
};
enum { TINY_INT = 1, TINY_MAIN = 3, TINY_CALLBACK = 4 };
_Static_assert(sizeof(tiny_btf.types) == 52, "layout");

static int load(int type, const struct bpf_insn *insns, size_t n, struct bpf_prog_load_opts *opts, struct reason *why)
{
	int fd = bpf_prog_load(type, "ability", "GPL", insns, n, opts);
	return fd < 0 ? privilege_blame(-errno, "BPF_PROG_LOAD", CAPS_OF_PROGRAMS, why) : fd;
}

static int load_and_close(const struct bpf_insn *insns, size_t n, struct bpf_prog_load_opts *opts, struct reason *why)
{
	_cleanup_(fd_close) int fd = load(BPF_PROG_TYPE_KPROBE, insns, n, opts, why);
	return MIN(fd, 0);
}

int ability_load_nothing(int type, int attach_type, unsigned btf_id, struct reason *why)
{
	static const struct bpf_insn nothing[] = { INSN_MOV_IMM(BPF_REG_0, 0), INSN_EXIT };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type, .attach_btf_id = btf_id);
	return load(type, nothing, ARRAY_SIZE(nothing), &opts, why);
}

/* A kprobe program is what uprobes run too; the verifier takes it on kernels without kprobes. */
int ability_try_bpf(struct reason *why)
{
	_cleanup_(fd_close) int fd = ability_load_nothing(BPF_PROG_TYPE_KPROBE, 0, 0, why);
	return MIN(fd, 0);
}

int ability_try_btf(struct reason *why)
{
	static const char path[] = "/sys/kernel/btf/vmlinux";
	__u16 magic = 0;
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return reason_set(why, -errno, "%s: %s", path, strerror(errno));
	if (read(fd, &magic, sizeof(magic)) != sizeof(magic) || magic != tiny_btf.head.magic)
		return reason_set(why, -EINVAL, "%s: not BTF", path);
	return 0;
}

int ability_try_ringbuf(struct reason *why)
{
	_cleanup_(fd_close) int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ability", 0, 0, (__u32)sysconf(_SC_PAGESIZE), NULL);
	return fd < 0 ? privilege_blame(-errno, "BPF_MAP_CREATE", CAP_BIT(CAP_BPF), why) : 0;
}

int ability_try_cookie(struct reason *why)
{
	static const struct bpf_insn insns[] = {
		INSN_CALL(BPF_FUNC_get_attach_cookie),
		INSN_MOV_IMM(BPF_REG_0, 0),
		INSN_EXIT,
	};
	return load_and_close(insns, ARRAY_SIZE(insns), NULL, why);
}

static int load_tiny_btf(struct reason *why)
{
	int fd = bpf_btf_load(&tiny_btf, sizeof(tiny_btf), NULL);
	return fd < 0 ? privilege_blame(-errno, "BPF_BTF_LOAD", CAP_BIT(CAP_BPF), why) : fd;
}

int ability_try_loop(struct reason *why)
{
	static const struct bpf_insn insns[] = {
		INSN_MOV_IMM(BPF_REG_1, 1),
		INSN_LOAD(BPF_REG_2, BPF_PSEUDO_FUNC, 6), /* from here to the callback, in instructions */
		INSN_MOV_IMM(BPF_REG_3, 0),
		INSN_MOV_IMM(BPF_REG_4, 0),
		INSN_CALL(BPF_FUNC_loop),
		INSN_MOV_IMM(BPF_REG_0, 0),
		INSN_EXIT,
		INSN_MOV_IMM(BPF_REG_0, 1), /* the callback: no more */
		INSN_EXIT,
	};
	static const struct bpf_func_info functions[] = { { 0, TINY_MAIN }, { 8, TINY_CALLBACK } };
	_cleanup_(fd_close) int btf = load_tiny_btf(why);
	if (btf < 0)
		return btf;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_btf_fd = (__u32)btf, .func_info = functions, .func_info_cnt = 2,
		    .func_info_rec_size = sizeof(functions[0]));
	return load_and_close(insns, ARRAY_SIZE(insns), &opts, why);
}

int ability_try_task_storage(struct reason *why)
{
	_cleanup_(fd_close) int btf = load_tiny_btf(why);
	if (btf < 0)
		return btf;
	LIBBPF_OPTS(bpf_map_create_opts, opts, .btf_fd = (__u32)btf, .btf_key_type_id = TINY_INT, .btf_value_type_id = TINY_INT,
		    .map_flags = BPF_F_NO_PREALLOC);
	_cleanup_(fd_close) int map = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "ability", 4, 4, 0, &opts);
	if (map < 0)
		return privilege_blame(-errno, "BPF_MAP_CREATE", CAP_BIT(CAP_BPF), why);
	const struct bpf_insn insns[] = {
		INSN_CALL(BPF_FUNC_get_current_task_btf),
		INSN_MOV_REG(BPF_REG_2, BPF_REG_0),
		INSN_LOAD(BPF_REG_1, BPF_PSEUDO_MAP_FD, map),
		INSN_MOV_IMM(BPF_REG_3, 0),
		INSN_MOV_IMM(BPF_REG_4, BPF_LOCAL_STORAGE_GET_F_CREATE),
		INSN_CALL(BPF_FUNC_task_storage_get),
		INSN_MOV_IMM(BPF_REG_0, 0),
		INSN_EXIT,
	};
	return load_and_close(insns, ARRAY_SIZE(insns), NULL, why);
}

/* A program that gets the storage of a socket could be loaded where none can be had: 7.x takes memory for it by cmpxchg16b alone. */
int ability_try_sock_storage(struct reason *why)
{
	_cleanup_(fd_close) int btf = load_tiny_btf(why);
	if (btf < 0)
		return btf;
	LIBBPF_OPTS(bpf_map_create_opts, opts, .btf_fd = (__u32)btf, .btf_key_type_id = TINY_INT, .btf_value_type_id = TINY_INT,
		    .map_flags = BPF_F_NO_PREALLOC);
	_cleanup_(fd_close) int map = bpf_map_create(BPF_MAP_TYPE_SK_STORAGE, "ability", 4, 4, 0, &opts);
	if (map < 0)
		return privilege_blame(-errno, "BPF_MAP_CREATE", CAP_BIT(CAP_BPF), why);
	_cleanup_(fd_close) int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int value = 1;
	if (socket_fd < 0 || bpf_map_update_elem(map, &socket_fd, &value, BPF_ANY) < 0)
		return reason_set(why, -errno, "a socket's memory: %s", strerror(errno));
	return 0;
}
