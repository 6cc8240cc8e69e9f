#include "engine/ring.h"

#include <errno.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/alloc.h"

struct ring {
	struct ring_buffer *ring;
	struct perf_buffer *perf;
	ring_fn fn;
	void *arg;
	uint64_t lost;
};

static void take(struct ring *r, const void *bytes, size_t size)
{
	const struct rec_head *rec = bytes;
	if (size < sizeof(*rec) || rec->length < sizeof(*rec) || rec->length > size) {
		r->lost++;
		return;
	}
	r->fn(r->arg, rec);
}

static int on_ring(void *arg, void *bytes, size_t size)
{
	take(arg, bytes, size);
	return 0;
}

static void on_perf(void *arg, int cpu, void *bytes, uint32_t size)
{
	(void)cpu;
	take(arg, bytes, size);
}

static void on_perf_lost(void *arg, int cpu, unsigned long long n)
{
	(void)cpu;
	(void)arg;
	(void)n; /* the kernel half counted it: bpf_perf_event_output said so */
}

int ring_new(struct ring **ret, int map_fd, bool by_perf, uint32_t perf_pages, ring_fn fn, void *arg, struct reason *why)
{
	_cleanup_(ring_free) struct ring *r = xcalloc(1, sizeof(*r));
	r->fn = fn;
	r->arg = arg;
	if (by_perf)
		r->perf = perf_buffer__new(map_fd, perf_pages, on_perf, on_perf_lost, r, NULL);
	else
		r->ring = ring_buffer__new(map_fd, on_ring, r, NULL);
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
	free(r);
}

int ring_fd(const struct ring *r)
{
	return r->ring ? ring_buffer__epoll_fd(r->ring) : perf_buffer__epoll_fd(r->perf);
}

int ring_consume(struct ring *r)
{
	return r->ring ? ring_buffer__consume(r->ring) : perf_buffer__consume(r->perf);
}

uint64_t ring_lost(const struct ring *r)
{
	return r->lost;
}
