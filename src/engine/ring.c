/*
 * A ring buffer has the order of the events. Perf buffers are one for each CPU, and a thread that moves from one to another
 * leaves its records in both: they are put in order by the time at which each was sent. What is younger than SETTLE_NS when
 * a round begins waits for the next, since an older record may not have reached its own buffer yet.
 */
#include "engine/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/libbpf.h>
#include <linux/perf_event.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/strbuf.h"

#define SETTLE_NS (1 * NSEC_PER_MSEC)
#define RECORDS_A_ROUND 4096u /* some 10 ms of work: libbpf reads a ring buffer until it is empty, which in a flood it may never be */

/* A record that was taken out of a perf buffer. */
struct taken {
	uint64_t sent_ns; /* CLOCK_MONOTONIC */
	size_t at;        /* in the bytes */
	uint32_t size;
};

struct batch {
	struct taken *items;
	size_t n, cap;
	struct strbuf bytes; /* each record at a multiple of 8 */
};

struct ring {
	struct ring_buffer *ring;
	struct perf_buffer *perf;
	ring_fn fn;
	void *arg;
	uint64_t malformed;
	struct batch batch;
	uint32_t left; /* records until the round is over */
};

static void batch_done(struct batch *b)
{
	free(b->items);
	strbuf_done(&b->bytes);
	*b = (struct batch){};
}
DEFINE_CLEANUP_IN_PLACE(struct batch, batch_done)

static void batch_add(struct batch *b, uint64_t sent_ns, const void *bytes, uint32_t size)
{
	GROW(b->items, b->n, b->cap);
	b->items[b->n++] = (struct taken){ .sent_ns = sent_ns, .at = b->bytes.len, .size = size };
	strbuf_add(&b->bytes, bytes, size);
	strbuf_pad(&b->bytes, '\0', -b->bytes.len & 7);
}

static void take(struct ring *r, const void *bytes, size_t size)
{
	const struct rec_head *rec = bytes;
	if (size < sizeof(*rec) || rec->length < sizeof(*rec) || rec->length > size) {
		r->malformed++;
		return;
	}
	r->fn(r->arg, rec);
}

static int on_ring(void *arg, void *bytes, size_t size)
{
	struct ring *r = arg;
	take(r, bytes, size);
	return r->left && --r->left == 0 ? -EAGAIN : 0; /* libbpf stops there, with this record taken */
}

/*
 * The sample holds what its sample_type asks for (perf_event_open(2), PERF_RECORD_SAMPLE). PERF_RECORD_LOST is not looked
 * at: bpf_perf_event_output() told the kernel half, which has counted it.
 */
static enum bpf_perf_event_ret on_perf(void *arg, int cpu, struct perf_event_header *header)
{
	struct ring *r = arg;
	const struct {
		struct perf_event_header header;
		uint64_t sent_ns;
		uint32_t size;
		char bytes[];
	} *sample = (const void *)header;
	if (header->type != PERF_RECORD_SAMPLE)
		return LIBBPF_PERF_EVENT_CONT;
	if (header->size < sizeof(*sample) || sample->size > header->size - offsetof(typeof(*sample), bytes))
		r->malformed++;
	else
		batch_add(&r->batch, sample->sent_ns, sample->bytes, sample->size);
	return LIBBPF_PERF_EVENT_CONT;
}

static struct perf_buffer *open_perf(struct ring *r, const struct ring_request *q)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_BPF_OUTPUT, .sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW | PERF_SAMPLE_TIME, .use_clockid = 1, .clockid = CLOCK_MONOTONIC,
		.watermark = 1, .wakeup_watermark = q->wake_bytes,
	};
	return perf_buffer__new_raw(q->map_fd, q->perf_pages, &attr, on_perf, r, NULL);
}

int ring_new(struct ring **ret, const struct ring_request *q, ring_fn fn, void *arg, struct reason *why)
{
	_cleanup_(ring_free) struct ring *r = xcalloc(1, sizeof(*r));
	r->fn = fn;
	r->arg = arg;
	if (q->by_perf)
		r->perf = open_perf(r, q);
	else
		r->ring = ring_buffer__new(q->map_fd, on_ring, r, NULL);
	if (!r->ring && !r->perf)
		return reason_set(why, -errno, "the ring of events cannot be read: %s", strerror(errno));
	*ret = take_ptr(r);
	return 0;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	ring_buffer__free(r->ring);
	perf_buffer__free(r->perf);
	batch_done(&r->batch);
	free(r);
}

int ring_fd(const struct ring *r)
{
	return r->ring ? ring_buffer__epoll_fd(r->ring) : perf_buffer__epoll_fd(r->perf);
}

static int by_time(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;
	if (x->sent_ns != y->sent_ns)
		return x->sent_ns < y->sent_ns ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Hands over what was sent until @until_ns; the rest begins the next batch. */
static void hand_over(struct ring *r, uint64_t until_ns)
{
	_cleanup_(batch_done) struct batch b = r->batch;
	r->batch = (struct batch){};
	size_t n = 0;
	if (b.n)
		qsort(b.items, b.n, sizeof(b.items[0]), by_time);
	for (; n < b.n && b.items[n].sent_ns <= until_ns; n++)
		take(r, b.bytes.data + b.items[n].at, b.items[n].size);
	for (size_t i = n; i < b.n; i++)
		batch_add(&r->batch, b.items[i].sent_ns, b.bytes.data + b.items[i].at, b.items[i].size);
}

bool ring_consume(struct ring *r, bool last)
{
	if (r->ring) {
		r->left = last ? 0 : RECORDS_A_ROUND;
		return ring_buffer__consume(r->ring) == -EAGAIN;
	}
	/* Of perf buffers libbpf reads what was there when it began: a round by itself. */
	uint64_t until_ns = last ? UINT64_MAX : clock_monotonic_ns() - SETTLE_NS;
	if (perf_buffer__consume(r->perf) >= 0)
		hand_over(r, until_ns);
	return false;
}

uint64_t ring_malformed(const struct ring *r)
{
	return r->malformed;
}
