/*
 * A ring buffer has the order of the events. It is read here and not by libbpf, which maps its memory twice in a row so that
 * no record is ever in two pieces: that is resident memory twice (32 MB for 16). The few records that go over the end are
 * put together instead. Perf buffers are one for each CPU, and a thread that moves from one to another
 * leaves its records in both: they are put in order by the time at which each was sent. What is younger than SETTLE_NS when
 * a round begins waits for the next, since an older record may not have reached its own buffer yet.
 */
#include "engine/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/strbuf.h"

#define SETTLE_NS (1 * NSEC_PER_MSEC)

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

/* As the kernel lays it out: kernel/bpf/ringbuf.c, struct bpf_ringbuf. Positions only grow; the mask makes offsets of them. */
struct memory {
	int fd;                 /* of the map; borrowed */
	uint64_t *consumer;     /* a page of its own, which we write; NULL: there is no ring buffer */
	const uint64_t *producer; /* a page, and behind it the data */
	const char *data;
	uint64_t size, page;    /* bytes; the size is a power of two */
	char whole[UINT16_MAX + 1]; /* a record that goes over the end */
};

struct ring {
	struct memory *memory;
	struct perf_buffer *perf;
	ring_fn fn;
	void *arg;
	uint64_t malformed;
	struct batch batch;
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

static void memory_free(struct memory *m)
{
	if (!m)
		return;
	if (m->consumer)
		munmap(m->consumer, m->page);
	if (m->producer)
		munmap((void *)m->producer, m->page + m->size);
	free(m);
}
DEFINE_CLEANUP(struct memory *, memory_free)

static int memory_new(struct memory **ret, int map_fd)
{
	_cleanup_(memory_free) struct memory *m = xcalloc(1, sizeof(*m));
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);
	if (bpf_obj_get_info_by_fd(map_fd, &info, &len) < 0)
		return -errno;
	m->fd = map_fd;
	m->size = info.max_entries;
	m->page = (uint64_t)sysconf(_SC_PAGESIZE);
	void *consumer = mmap(NULL, m->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	m->consumer = consumer;
	void *producer = mmap(NULL, m->page + m->size, PROT_READ, MAP_SHARED, map_fd, (off_t)m->page);
	if (producer == MAP_FAILED)
		return -errno;
	m->producer = producer;
	m->data = (const char *)producer + m->page;
	*ret = take_ptr(m);
	return 0;
}

/* The @len bytes at a position, in one piece. */
static const void *bytes_at(struct memory *m, uint64_t position, uint32_t len)
{
	uint64_t at = position & (m->size - 1), first = MIN((uint64_t)len, m->size - at);
	if (first == len || len > sizeof(m->whole))
		return m->data + at;
	memcpy(m->whole, m->data + at, first);
	memcpy(m->whole + first, m->data, len - first);
	return m->whole;
}

/* Each record has a word before it: its length, and whether it is still written or was given up (linux/bpf.h, BPF_RINGBUF_HDR_SZ). */
static int consume_memory(struct ring *r)
{
	struct memory *m = r->memory;
	uint64_t at = *m->consumer;
	int n = 0;
	while (at < __atomic_load_n(m->producer, __ATOMIC_ACQUIRE)) {
		uint32_t word = __atomic_load_n((const uint32_t *)(m->data + (at & (m->size - 1))), __ATOMIC_ACQUIRE);
		uint32_t len = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		if (word & BPF_RINGBUF_BUSY_BIT)
			break;
		if (len > sizeof(m->whole))
			r->malformed++;
		else if (!(word & BPF_RINGBUF_DISCARD_BIT) && ++n)
			take(r, bytes_at(m, at + BPF_RINGBUF_HDR_SZ, len), len);
		at += (len + BPF_RINGBUF_HDR_SZ + 7) & ~7ull;
		__atomic_store_n(m->consumer, at, __ATOMIC_RELEASE);
	}
	return n;
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
		errno = -memory_new(&r->memory, q->map_fd);
	if (!r->memory && !r->perf)
		return reason_set(why, -errno, "the ring of events cannot be read: %s", strerror(errno));
	*ret = take_ptr(r);
	return 0;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	memory_free(r->memory);
	perf_buffer__free(r->perf);
	batch_done(&r->batch);
	free(r);
}

int ring_fd(const struct ring *r)
{
	return r->memory ? r->memory->fd : perf_buffer__epoll_fd(r->perf);
}

static int by_time(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;
	if (x->sent_ns != y->sent_ns)
		return x->sent_ns < y->sent_ns ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Hands over what was sent until @until_ns; the rest begins the next batch. The number handed over. */
static int hand_over(struct ring *r, uint64_t until_ns)
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
	return (int)n;
}

int ring_consume(struct ring *r, bool last)
{
	if (r->memory)
		return consume_memory(r);
	uint64_t until_ns = last ? UINT64_MAX : clock_monotonic_ns() - SETTLE_NS;
	int n = perf_buffer__consume(r->perf);
	return n < 0 ? n : hand_over(r, until_ns);
}

uint64_t ring_malformed(const struct ring *r)
{
	return r->malformed;
}
