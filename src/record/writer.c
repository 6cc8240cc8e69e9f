/*
 * The caller's side gathers records; a chunk that is full goes through the queue to a thread, which seals it and writes it
 * (or keeps it, in a ring). Between the two there are only the queue and three atomics: the first error, the number of the
 * stretch that is full, and how well chunks compress.
 *
 * A stretch is what begins with STATE: a file, or a piece of a ring. The caller numbers those that it began, the thread
 * those that it came to; the thread says "stretch 3 is full" by number, so that a caller who has begun the fourth since then
 * does not begin a fifth. A caller in a hurry is up to a queue ahead of the thread, which is a lot for a small stretch: so
 * it also reckons itself, from what it gave and how well that compresses.
 */
#include "record/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "record/chunk.h"
#include "record/keep.h"
#include "record/queue.h"
#include "record/store.h"

#define CHUNK_AGE_NS NSEC_PER_SEC
#define SMALL_CHUNK_BYTES (64 * 1024u) /* of a small ring: its pieces are made of at least one */
#define RING_PIECES 8

struct record_writer {
	/* settings */
	bool is_ring;
	uint32_t chunk_bytes;                /* raw */
	uint64_t stretch_bytes, stretch_ns;  /* 0: without end */

	/* the caller's */
	struct gathered now;
	uint64_t first_added_ns;   /* CLOCK_MONOTONIC when the chunk's first record came */
	uint64_t began_ns;         /* the stretch */
	uint32_t began;            /* stretches */
	uint64_t given_bytes;      /* of the stretch, raw */
	bool used, begins;         /* the stretch has records; its next STATE chunk is the first */

	/* both */
	struct queue queue;
	_Atomic uint32_t full;     /* stretches that are full: up to this one */
	_Atomic uint32_t permille; /* stored bytes of 1000 raw ones, in the last chunk of records */
	_Atomic int error;
	pthread_t thread;

	/* the thread's */
	struct store store;
	struct keep keep;
	uint32_t came_to;          /* stretches */
	uint64_t bytes;            /* of the stretch, stored */
};

static void writer_free(struct record_writer *w)
{
	strbuf_done(&w->now.raw);
	queue_done(&w->queue);
	keep_done(&w->keep);
	store_done(&w->store);
	free(w);
}
DEFINE_CLEANUP(struct record_writer *, writer_free)

/* Said by both sides; never taken back by the one that is behind. */
static void tell_full(struct record_writer *w, uint32_t stretch)
{
	uint32_t full = atomic_load_explicit(&w->full, memory_order_relaxed);
	while (full < stretch && !atomic_compare_exchange_weak(&w->full, &full, stretch))
		;
}

/* --- the thread --- */

static int begin_stretch(struct record_writer *w)
{
	w->bytes = 0;
	w->came_to++;
	if (w->is_ring) {
		keep_begin_piece(&w->keep, clock_monotonic_ns());
		return 0;
	}
	if (w->came_to == 1)
		return 0; /* the first file was begun by record_writer_open() */
	int r = store_finish(&w->store);
	return r < 0 ? r : store_begin(&w->store, false, NULL);
}

static int put_sealed(struct record_writer *w)
{
	struct strbuf *sealed = &w->store.sealed;
	if (!w->is_ring)
		return store_chunk(&w->store, sealed);
	keep_add(&w->keep, strbuf_slice(sealed), clock_monotonic_ns());
	return 0;
}

/* Not by STATE alone is a stretch full: those that hold nothing else would follow each other for ever. */
static void tell_size(struct record_writer *w, size_t raw_bytes)
{
	atomic_store_explicit(&w->permille, (uint32_t)(w->store.sealed.len * 1000 / raw_bytes), memory_order_relaxed);
	if ((w->stretch_bytes && w->bytes >= w->stretch_bytes) || store_is_full(&w->store))
		tell_full(w, w->came_to);
}

static int write_chunk(struct record_writer *w, const struct gathered *g)
{
	int r = g->begins ? begin_stretch(w) : 0;
	if (r < 0)
		return r;
	chunk_seal(w->store.zstd, &g->what, strbuf_slice(&g->raw), &w->store.sealed);
	w->bytes += w->store.sealed.len;
	r = put_sealed(w);
	if (r < 0)
		return r;
	if (g->what.kind == RECORD_RECORDS)
		tell_size(w, g->raw.len);
	return 0;
}

static int sync_when_due(struct record_writer *w)
{
	uint64_t dirty_ns = w->store.dirty_ns;
	return dirty_ns && clock_monotonic_ns() - dirty_ns >= RECORD_SYNC_NS ? store_sync(&w->store) : 0;
}

static int carry_out(struct record_writer *w, const struct gathered *g)
{
	if (g->order == ORDER_SAVE)
		return keep_save(&w->keep, &w->store, clock_monotonic_ns());
	if (g->order == ORDER_END)
		return store_finish(&w->store);
	return write_chunk(w, g);
}

static void *writer_thread(void *arg)
{
	struct record_writer *w = arg;
	for (bool end = false; !end;) {
		uint64_t dirty_ns = w->store.error ? 0 : w->store.dirty_ns;
		struct gathered *g = queue_peek(&w->queue, dirty_ns ? dirty_ns + RECORD_SYNC_NS : 0);
		int r = w->store.error;
		if (g && (r == 0 || g->order == ORDER_END))
			r = carry_out(w, g);
		if (r == 0)
			r = sync_when_due(w);
		if (r < 0 && !w->error)
			atomic_store(&w->error, r);
		end = g && g->order == ORDER_END;
		if (g)
			queue_drop(&w->queue);
	}
	return NULL;
}

/* Signals are for the main thread; SIGXFSZ blocked makes a write over the limit fail with EFBIG. */
static int start_thread(struct record_writer *w)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&w->thread, NULL, writer_thread, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

/* --- the caller --- */

/* A ring writes nothing yet, but what cannot be written is said now. */
static int may_create(const char *path, struct reason *why)
{
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
		return 0;
	const char *slash = strrchr(path, '/');
	_cleanup_(free) char *folder = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	if (errno == ENOENT && faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) == 0)
		return 0;
	return reason_set(why, -errno, "cannot create the recording %s: %s", path, strerror(errno));
}

static void settle(struct record_writer *w, const struct record_writer_settings *settings)
{
	uint64_t ring_bytes = settings->ring_bytes ? settings->ring_bytes : RECORD_RING_BYTES;
	w->is_ring = settings->ring_bytes || settings->ring_ns;
	w->stretch_bytes = w->is_ring ? MAX(ring_bytes / RING_PIECES, 1ull) : settings->rotate_bytes;
	w->stretch_ns = w->is_ring ? settings->ring_ns / RING_PIECES : settings->rotate_ns;
	w->keep = (struct keep){ .max_bytes = ring_bytes, .max_ns = settings->ring_ns };
	w->chunk_bytes = RECORD_CHUNK_BYTES;
	if (w->stretch_bytes && w->stretch_bytes < w->chunk_bytes)
		w->chunk_bytes = (uint32_t)MAX(w->stretch_bytes, (uint64_t)SMALL_CHUNK_BYTES);
	w->now.what.kind = RECORD_RECORDS;
	w->permille = 1000;
}

int record_writer_open(struct record_writer **ret, const struct record_writer_settings *settings, struct reason *why)
{
	_cleanup_(writer_free) struct record_writer *w = xcalloc(1, sizeof(*w));
	queue_init(&w->queue);
	settle(w, settings);
	int r = store_init(&w->store, settings->path, settings->meta, settings->layout);
	w->store.is_partial = settings->tentative && !w->is_ring;
	if (r == 0)
		r = w->is_ring ? may_create(settings->path, why) : store_begin(&w->store, true, why);
	if (r == 0)
		r = start_thread(w);
	if (r < 0)
		return reason_set(why, r, "cannot begin the recording %s: %s", settings->path, strerror(-r));
	*ret = take_ptr(w);
	return 0;
}

static void give(struct record_writer *w, enum order order, uint8_t next_kind)
{
	w->now.order = order;
	queue_put(&w->queue, &w->now);
	w->now.what.kind = next_kind;
}

static void reckon(struct record_writer *w, size_t raw_bytes)
{
	w->given_bytes += raw_bytes;
	uint64_t stored_bytes = w->given_bytes * atomic_load_explicit(&w->permille, memory_order_relaxed) / 1000;
	if (w->stretch_bytes && w->used && stored_bytes >= w->stretch_bytes)
		tell_full(w, w->began);
}

static void hand_over(struct record_writer *w, uint8_t next_kind)
{
	w->now.begins = w->begins && w->now.what.kind == RECORD_STATE;
	if (!w->now.raw.len && !w->now.begins) {
		w->now.what.kind = next_kind;
		return;
	}
	w->begins = w->begins && !w->now.begins;
	reckon(w, w->now.raw.len);
	give(w, ORDER_CHUNK, next_kind);
}

static void count(struct record_chunk_header *what, const struct rec_head *rec)
{
	what->n_records++;
	if (rec_is_fact(rec->type)) {
		what->flags |= RECORD_HAS_FACTS;
		return;
	}
	if (!what->first_ns || rec->time_ns < what->first_ns)
		what->first_ns = rec->time_ns;
	what->last_ns = MAX(what->last_ns, rec->time_ns);
}

void record_writer_add(struct record_writer *w, const struct rec_head *rec)
{
	if (record_writer_error(w) || rec->length < sizeof(*rec) || rec->length % 8)
		return;
	if (!w->now.raw.len) {
		w->first_added_ns = clock_monotonic_ns();
		strbuf_reserve(&w->now.raw, w->chunk_bytes + REC_MAX_BYTES);
	}
	count(&w->now.what, rec);
	strbuf_add(&w->now.raw, rec, rec->length);
	w->used |= w->now.what.kind == RECORD_RECORDS;
	if (w->now.raw.len >= w->chunk_bytes)
		hand_over(w, w->now.what.kind);
}

bool record_writer_wants_state(struct record_writer *w)
{
	return w->now.what.kind != RECORD_STATE && atomic_load_explicit(&w->full, memory_order_relaxed) == w->began;
}

void record_writer_begin_state(struct record_writer *w)
{
	hand_over(w, RECORD_STATE);
	w->began++;
	w->began_ns = clock_monotonic_ns();
	w->given_bytes = 0;
	w->begins = true;
	w->used = false;
}

void record_writer_end_state(struct record_writer *w)
{
	hand_over(w, RECORD_RECORDS);
}

void record_writer_tick(struct record_writer *w, uint64_t now_ns)
{
	bool in_state = w->now.what.kind == RECORD_STATE;
	if (!in_state && w->now.raw.len && now_ns >= w->first_added_ns + CHUNK_AGE_NS)
		hand_over(w, RECORD_RECORDS);
	if (w->stretch_ns && w->used && now_ns >= w->began_ns + w->stretch_ns)
		tell_full(w, w->began);
}

void record_writer_save(struct record_writer *w)
{
	if (!w->is_ring)
		return;
	hand_over(w, RECORD_RECORDS);
	give(w, ORDER_SAVE, RECORD_RECORDS);
	tell_full(w, w->began);
}

int record_writer_error(const struct record_writer *w)
{
	return atomic_load_explicit(&w->error, memory_order_relaxed);
}

int record_writer_close(struct record_writer *w, struct record_written *ret_written)
{
	hand_over(w, RECORD_RECORDS);
	give(w, ORDER_END, RECORD_RECORDS);
	pthread_join(w->thread, NULL);
	int r = record_writer_error(w);
	if (ret_written)
		*ret_written = (struct record_written){ w->store.records, w->store.bytes, w->store.files };
	writer_free(w);
	return r;
}

int record_writer_keep(struct record_writer *w)
{
	return w->store.is_partial ? store_keep(&w->store) : 0;
}

void record_writer_drop(struct record_writer *w)
{
	_cleanup_(free) char *partial = w->store.is_partial ? xasprintf("%s.partial", w->store.path) : NULL;
	record_writer_close(w, NULL);
	if (partial)
		unlink(partial);
}
