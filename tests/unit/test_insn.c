/* The truth about which instructions can be probed is the kernel: it is asked, where it has uprobe_multi (6.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/site.h"
#include "arch/x86_64/insn.h"
#include "base/cleanup.h"
#include "base/macro.h"

#define SLOT 32 /* bytes of the file for each instruction */
#define CASES 4096
#define ATTACH_UPROBE_MULTI 48 /* BPF_TRACE_UPROBE_MULTI, which the headers of 6.1 lack */

/* What stands before the opcode. */
static const struct {
	const char *bytes;
	uint8_t len;
} prefixes[] = { { "", 0 },         { "\x0f", 1 },     { "\x66", 1 },         { "\x66\x0f", 2 },        { "\xf3", 1 },
	         { "\x48", 1 },     { "\xf2", 1 },     { "\xc5\xf9", 2 },     { "\xc4\xe2\x79", 3 },    { "\x62\xf1\x7d\x48", 4 },
	         { "\x2e", 1 },     { "\x3e\x0f", 2 }, { "\xf0", 1 },         { "\x64", 1 } };

struct probe_case {
	uint8_t code[SLOT];
	bool mine;
	bool by_oversight; /* refused here alone */
	bool asked;        /* when refused; each takes the kernel 50 ms */
};

static struct probe_case cases[CASES];
static size_t n_cases;

static void make_cases(void)
{
	for (size_t p = 0; p < ARRAY_SIZE(prefixes); p++) {
		for (unsigned opcode = 0; opcode < 256; opcode++) {
			struct probe_case *c = &cases[n_cases];
			struct site s;
			struct insn i;
			memset(c->code, 0x90, SLOT);
			memcpy(c->code, prefixes[p].bytes, prefixes[p].len);
			c->code[prefixes[p].len] = (uint8_t)opcode;
			memset(c->code + prefixes[p].len + 1, 0x11, 16);
			enum site_refusal r = site_at((struct slice){ (const char *)c->code, SLOT }, 0, &s);
			if (r == SITE_NO_CODE || !insn_read(c->code, SLOT, &i))
				continue;
			c->mine = r == SITE_OK;
			c->asked = p == 0 || (i.map == INSN_VECTOR && prefixes[p].len == 2) || opcode == 0x01;
			c->by_oversight = i.map == INSN_0F && !i.refused_prefix && (i.opcode & 0xf0) != 0x80;
			n_cases++;
		}
	}
}

static int program_load(void)
{
	const struct bpf_insn insns[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = (enum bpf_attach_type)ATTACH_UPROBE_MULTI);
	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", insns, 2, &opts);
}

/* One link on many offsets, for this process alone; -errno when the kernel refuses any of them. */
static int link_create(int prog, const char *path, const unsigned long *offsets, unsigned n)
{
	struct {
		uint32_t prog_fd, target_fd, attach_type, flags;
		uint64_t path, offsets, ref_ctr_offsets, cookies;
		uint32_t n, multi_flags, pid, pad;
	} attr = { .prog_fd = (uint32_t)prog,
		   .attach_type = ATTACH_UPROBE_MULTI,
		   .path = (uintptr_t)path,
		   .offsets = (uintptr_t)offsets,
		   .n = n,
		   .pid = (uint32_t)getpid() };
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : (int)fd;
}

/* Does the kernel take all of cases[from..to) that site_at() takes? If not, finds one that it refuses. */
static void check_taken(int prog, const char *path, size_t from, size_t to)
{
	static unsigned long offsets[CASES];
	unsigned n = 0;
	for (size_t i = from; i < to; i++)
		if (cases[i].mine)
			offsets[n++] = i * SLOT;
	if (n == 0)
		return;
	_cleanup_(fd_close) int link = link_create(prog, path, offsets, n);
	if (link >= 0)
		return;
	const uint8_t *c = cases[from].code;
	if (to - from == 1)
		fail_msg("the kernel refuses %02x %02x %02x %02x %02x: %s", c[0], c[1], c[2], c[3], c[4], strerror(-link));
	check_taken(prog, path, from, from + (to - from) / 2);
	check_taken(prog, path, from + (to - from) / 2, to);
}

static void check_refused(int prog, const char *path)
{
	unsigned refused = 0;
	for (size_t i = 0; i < n_cases; i++) {
		if (cases[i].mine || cases[i].by_oversight || !cases[i].asked)
			continue;
		unsigned long offset = i * SLOT;
		_cleanup_(fd_close) int link = link_create(prog, path, &offset, 1);
		const uint8_t *c = cases[i].code;
		if (link >= 0)
			fail_msg("the kernel takes %02x %02x %02x %02x %02x", c[0], c[1], c[2], c[3], c[4]);
		refused++;
	}
	print_message("%zu instructions, %u of those that we refuse were offered to the kernel\n", n_cases, refused);
}

static void the_kernel_takes_what_we_take_and_refuses_what_we_refuse(void **state)
{
	char path[] = "/tmp/utrace-test-insn-XXXXXX";
	_cleanup_(fd_close) int prog = program_load();
	if (prog < 0)
		skip();
	make_cases();
	assert_true(n_cases > 1500);
	_cleanup_(fd_close) int fd = mkstemp(path);
	assert_true(fd >= 0);
	for (size_t i = 0; i < n_cases; i++)
		assert_int_equal(write(fd, cases[i].code, SLOT), SLOT);
	void *code = mmap(NULL, n_cases * SLOT, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(code, MAP_FAILED);
	check_taken(prog, path, 0, n_cases);
	check_refused(prog, path);
	munmap(code, n_cases * SLOT);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_takes_what_we_take_and_refuses_what_we_refuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
