/* Recordings whose records are told apart by a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "numbered.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "engine/fact.abi.h"
#include "probe/func/fact.abi.h"
#include "probe/func/func.abi.h"
#include "probe/syscall/syscall.abi.h"
#include "probe/task/task.abi.h"
#include "record/layout.h"

static const struct {
	uint16_t type;
	uint32_t size;
} record_types[] = {
	{ TASK_FORK, sizeof(struct task_rec) },
	{ TASK_EXEC, sizeof(struct task_rec) },
	{ TASK_EXIT, sizeof(struct task_rec) },
	{ TASK_MAP, sizeof(struct task_rec) },
	{ RUN_TICK, sizeof(struct rec_head) },
	{ RUN_LOSS, sizeof(struct run_loss_rec) },
	{ RUN_CLOCK, sizeof(struct run_clock_rec) },
	{ RUN_PROCESS, sizeof(struct run_process_rec) },
	{ RUN_PROCESS_END, sizeof(struct rec_head) },
	{ RUN_NOTE, sizeof(struct run_note_rec) },
	{ RUN_ACCOUNT, sizeof(struct run_account_rec) },
	{ RUN_THREAD, sizeof(struct run_thread_rec) },
	{ FUNC_CALL, sizeof(struct func_call_rec) },
	{ FUNC_POINT, sizeof(struct func_point_rec) },
	{ FUNC_PROBE_FACT, sizeof(struct func_probe_fact) },
	{ REC_SYSCALL_CALL, sizeof(struct syscall_rec) },
};

/* --- records that are told apart by their number --- */

uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

void make_record(union record *rec, uint32_t n)
{
	uint64_t random = mix(n + 1);
	size_t tail = 8 * (random >> 32) % 200;
	size_t which = random % ARRAY_SIZE(record_types);
	for (size_t i = 0; i < sizeof(rec->bytes); i += 8) {
		uint64_t word = i % 24 ? mix(random + i) : 7;
		memcpy(rec->bytes + i, &word, sizeof(word));
	}
	rec->head.type = record_types[which].type;
	rec->head.length = (uint16_t)((record_types[which].size + tail) & ~7ull);
	rec->head.time_ns = (n + 1) * 1000ull;
	rec->head.seq = n;
	rec->head.strand = n;
}

void assert_is_record(const struct rec_head *got, uint32_t n)
{
	union record want;
	make_record(&want, n);
	assert_int_equal(got->seq, n);
	assert_int_equal(got->length, want.head.length);
	assert_memory_equal(got, want.bytes, want.head.length);
}

static void add_state(struct record_writer *w, uint32_t n)
{
	struct run_clock_rec clock = { .head = { .type = RUN_CLOCK, .length = sizeof(clock) }, .realtime_offset_ns = n };
	record_writer_begin_state(w);
	record_writer_add(w, &clock.head);
	record_writer_end_state(w);
}

bool is_state(const struct rec_head *rec)
{
	return rec->type == RUN_CLOCK && rec->time_ns == 0;
}

void add_records(struct record_writer *w, uint32_t first, uint32_t end)
{
	for (uint32_t n = first; n < end; n++) {
		union record rec;
		if (record_writer_wants_state(w))
			add_state(w, n);
		make_record(&rec, n);
		record_writer_add(w, &rec.head);
	}
}

/* --- files --- */

char *folder;

char *path_of(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

struct record_writer *open_writer(struct record_writer_settings settings)
{
	struct record_writer *w = NULL;
	struct reason why = {};
	settings.meta = SLICE("{\"of\":\"a test\"}");
	settings.layout = record_layout_own();
	if (record_writer_open(&w, &settings, &why) < 0)
		fail_msg("%s", why.text);
	return w;
}

struct record_reader *open_reader(const char *path)
{
	struct record_reader *r = NULL;
	struct reason why = {};
	if (record_reader_open(&r, path, &why) < 0)
		fail_msg("%s", why.text);
	return r;
}

void write_recording(const char *path, uint32_t records)
{
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path });
	add_records(w, 0, records);
	assert_int_equal(record_writer_close(w, NULL), 0);
}

int next_record(struct record_reader *r, const struct rec_head **ret)
{
	struct reason why = {};
	int e;
	do
		e = record_reader_next(r, ret, &why);
	while (e == 1 && is_state(*ret));
	if (e < 0)
		fail_msg("%s", why.text);
	return e;
}

void assert_holds(const char *path, uint32_t first, uint32_t end)
{
	_cleanup_(record_reader_free) struct record_reader *r = open_reader(path);
	const struct rec_head *rec;
	for (uint32_t n = first; n < end; n++) {
		assert_int_equal(next_record(r, &rec), 1);
		assert_is_record(rec, n);
	}
	assert_int_equal(next_record(r, &rec), 0);
	struct record_damage damage;
	record_reader_damage(r, &damage);
	assert_int_equal(damage.chunks + damage.records + damage.tail_bytes + damage.not_closed, 0);
}

static void chunk_is_a_second_old(struct record_writer *w)
{
	record_writer_tick(w, clock_monotonic_ns() + 2 * NSEC_PER_SEC);
}

/* @chunks chunks of @each records, in files of about @rotate_bytes. */
void write_chunks(const char *path, uint32_t chunks, uint32_t each, uint64_t rotate_bytes)
{
	struct record_writer *w = open_writer((struct record_writer_settings){ .path = path, .rotate_bytes = rotate_bytes });
	for (uint32_t i = 0; i < chunks; i++) {
		add_records(w, i * each, (i + 1) * each);
		chunk_is_a_second_old(w);
	}
	assert_int_equal(record_writer_close(w, NULL), 0);
}

int make_folder(void **state)
{
	folder = xstrdup("/tmp/test_record.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

int remove_folder(void **state)
{
	_cleanup_(free) char *command = xasprintf("rm -r %s", folder);
	free(folder);
	return system(command);
}
