/*
 * floor OBJECT PID FILE ENTRIES [RETS]: loads one of the smallest programs that give an answer and attaches it to PID
 * until standard input ends; then says what was counted and lost. ENTRIES and RETS are file offsets, joined by commas.
 *
 * It is what utrace is measured against: the same link types, the same kind of ring, and nothing that a user would miss
 * only later (no nesting, no filter, no other process, no kernel but this one).
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "floor.h"

#define LOOK_MS 20

/* include/uapi/linux/bpf.h: enum bpf_attach_type, 6.6 and 6.13, younger than the oldest libbpf that we build with */
enum { MULTI = 48, SESSION = 57 };

/* union bpf_attr, BPF_LINK_CREATE with .uprobe_multi */
struct multi_attr {
	__u32 prog_fd, target_fd, attach_type, flags;
	__u64 path, offsets, ref_ctr_offsets, cookies;
	__u32 cnt, uprobe_flags, pid, pad;
};

static int die(const char *what, int err)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(1);
}

static __u32 parse_offsets(char *text, __u64 *offsets)
{
	__u32 n = 0;
	for (char *one = strtok(text, ","); one && n < FLOOR_FUNCTIONS; one = strtok(NULL, ","))
		offsets[n++] = strtoull(one, NULL, 0);
	return n;
}

static int type_of(const char *program)
{
	return strcmp(program, "session") ? MULTI : SESSION;
}

static void attach(struct bpf_object *object, const char *program, int pid, const char *file, char *where)
{
	struct bpf_program *p = bpf_object__find_program_by_name(object, program);
	__u64 offsets[FLOOR_FUNCTIONS], cookies[FLOOR_FUNCTIONS];
	if (!p || !where)
		return;
	for (__u64 i = 0; i < FLOOR_FUNCTIONS; i++)
		cookies[i] = i;
	struct multi_attr attr = {
		.prog_fd = (__u32)bpf_program__fd(p), .attach_type = (__u32)type_of(program), .path = (__u64)file, .offsets = (__u64)offsets,
		.cookies = (__u64)cookies, .cnt = parse_offsets(where, offsets), .pid = (__u32)pid,
	};
	if (syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr)) < 0)
		die(program, errno);
}

static struct bpf_object *load(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *p;
	if (!object)
		die(path, errno);
	bpf_object__for_each_program(p, object)
		bpf_program__set_expected_attach_type(p, (enum bpf_attach_type)type_of(bpf_program__name(p)));
	int r = bpf_object__load(object);
	if (r < 0)
		die(path, r);
	return object;
}

static int on_record(void *n, void *bytes, size_t size)
{
	++*(__u64 *)n;
	return 0;
}

/* Adds up whatever a per-CPU array holds. */
static __u64 sum_of(struct bpf_map *map)
{
	size_t words = bpf_map__value_size(map) / 8 * (size_t)libbpf_num_possible_cpus();
	__u64 *value = calloc(words, 8), sum = 0;
	for (__u32 i = 0; value && i < FLOOR_FUNCTIONS; i++) {
		if (bpf_map_lookup_elem(bpf_map__fd(map), &i, value) < 0)
			continue;
		for (size_t w = 0; w < words; w++)
			sum += value[w];
	}
	free(value);
	return sum;
}

static __u64 lost_of(struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, "lost");
	__u64 lost = 0;
	__u32 zero = 0;
	if (map)
		bpf_map_lookup_elem(bpf_map__fd(map), &zero, &lost);
	return lost;
}

int main(int argc, char **argv)
{
	if (argc < 5)
		die("usage: floor OBJECT PID FILE ENTRIES [RETS]", EINVAL);
	struct bpf_object *object = load(argv[1]);
	struct bpf_map *ring_map = bpf_object__find_map_by_name(object, "ring"), *counts = bpf_object__find_map_by_name(object, "counts");
	__u64 events = 0;
	struct ring_buffer *ring = ring_map ? ring_buffer__new(bpf_map__fd(ring_map), on_record, &events, NULL) : NULL;
	int pid = atoi(argv[2]);
	attach(object, "at_return", pid, argv[3], argc > 5 ? argv[5] : NULL);
	char *entries = strdup(argv[4]);
	attach(object, "session", pid, argv[3], argv[4]);
	attach(object, "entry", pid, argv[3], entries);
	for (struct pollfd in = { .fd = 0, .events = POLLIN }; poll(&in, 1, LOOK_MS) == 0;)
		if (ring)
			ring_buffer__consume(ring);
	if (ring)
		ring_buffer__consume(ring);
	printf("%llu events, %llu lost\n", (unsigned long long)(counts ? sum_of(counts) : events), (unsigned long long)lost_of(object));
	ring_buffer__free(ring);
	bpf_object__close(object);
	free(entries);
	return 0;
}
