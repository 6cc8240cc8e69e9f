/* fetch.h: runs a fetch plan: reads registers, memory and contexts as data tells it, into the tail of a record. */
#pragma once

#include "bpf/fetch.abi.h"
#include "bpf/kernel.h"

static __always_inline __u64 fetch_register(const struct fetch_source *from, __u32 index)
{
	__u64 value = 0;
	bpf_probe_read_kernel(&value, sizeof(value), (void *)(from->registers + (index & 31) * 8));
	return value;
}

static __always_inline __s64 fetch_sized(__u64 value, const struct fetch *f)
{
	__u32 shift = 64 - 8 * (f->size & 15);
	shift &= 63;
	return f->flags & FETCH_SIGNED ? (__s64)(value << shift) >> shift : (__s64)(value << shift >> shift);
}

static __always_inline long fetch_memory(const struct fetch *f, void *to, __u32 size, __u64 addr)
{
	return f->flags & FETCH_KERNEL ? bpf_probe_read_kernel(to, size, (void *)addr) : bpf_probe_read_user(to, size, (void *)addr);
}

static __always_inline __u64 fetch_base(const struct fetch_source *from, const struct fetch *f)
{
	__u64 value = 0;
	switch (f->from) {
	case FETCH_REGISTER:
		return fetch_register(from, f->index);
	case FETCH_CONTEXT:
		bpf_probe_read_kernel(&value, sizeof(value), (void *)(from->context + f->offset));
		return value;
	case FETCH_CONSTANT:
		return f->offset;
	default:
		return from->returned;
	}
}

/* The address that a dereferencing fetch means. */
static __always_inline __u64 fetch_address(const struct fetch_source *from, const struct fetch *f, __u64 base)
{
	if (f->flags & FETCH_DATA_LOC)
		return from->context + (base & 0xffff);
	if (f->from == FETCH_CONTEXT)
		return f->flags & FETCH_DEREF ? base : from->context + f->offset;
	__u64 addr = f->flags & FETCH_DEREF ? base + f->offset : base;
	if (f->flags & FETCH_INDEXED)
		addr += fetch_register(from, f->index2) << (f->scale & 3);
	return addr;
}

static __always_inline void fetch_value(const struct fetch_source *from, const struct fetch *f, struct fetched *out)
{
	__u64 value = fetch_base(from, f);
	if (f->flags & FETCH_DEREF) {
		__u64 addr = fetch_address(from, f, value);
		value = 0;
		if (fetch_memory(f, &value, sizeof(value), addr)) {
			/* near the end of a page the eight bytes may not be there, the wanted ones may */
			if (fetch_memory(f, &value, 4, addr) && fetch_memory(f, &value, 1, addr))
				out->status = FETCHED_UNREADABLE;
		}
	}
	out->value = fetch_sized(value, f);
}

static __always_inline __u32 fetch_length(const struct fetch_source *from, const struct fetch *f, __u64 base)
{
	__u64 length = f->max;
	if (f->flags & FETCH_DATA_LOC)
		length = (base >> 16) & 0xffff;
	if (f->flags & FETCH_LENGTH)
		length = f->length_from == 255 ? (__u64)from->returned : fetch_register(from, f->length_from);
	return length > f->max ? f->max : length;
}

/* Room after the header at @bytes is at least FETCH_MAX_BYTES. */
static __always_inline void fetch_string(const struct fetch_source *from, const struct fetch *f, struct fetched *out, void *bytes)
{
	out->value = fetch_address(from, f, fetch_base(from, f));
	__u32 max = f->max & (FETCH_MAX_BYTES * 2 - 1);
	if (max > FETCH_MAX_BYTES)
		max = FETCH_MAX_BYTES;
	HIDE(max);
	if (max > FETCH_MAX_BYTES || max == 0)
		return;
	long n = f->flags & FETCH_KERNEL ? bpf_probe_read_kernel_str(bytes, max, (void *)out->value)
	                                 : bpf_probe_read_user_str(bytes, max, (void *)out->value);
	if (n < 0)
		out->status = FETCHED_UNREADABLE;
	else
		out->length = n > 0 ? n - 1 : 0;
	if (n == (long)max)
		out->status = FETCHED_TRUNCATED;
}

static __always_inline void fetch_bytes(const struct fetch_source *from, const struct fetch *f, struct fetched *out, void *bytes)
{
	__u64 base = fetch_base(from, f);
	__u32 length = fetch_length(from, f, base);
	out->value = fetch_address(from, f, base);
	if (length > FETCH_MAX_BYTES)
		length = FETCH_MAX_BYTES;
	HIDE(length);
	if (length > FETCH_MAX_BYTES)
		return;
	if (fetch_memory(f, bytes, length, out->value)) {
		out->status = FETCHED_UNREADABLE;
		length = 0;
	}
	out->length = length;
}

struct fetching {
	struct fetch_source *from;
	const struct fetch_plan *plan;
	char *out;
	__u32 room_max; /* bound of from->room */
};

/* One fetch of the plan; 1 ends. How far the output is filled is kept in memory, so that the verifier sees each round alike. */
static long fetch_one(__u32 i, struct fetching *f)
{
	struct fetch_source *from = f->from;
	if (i >= FETCH_MAX || i >= f->plan->n)
		return 1;
	const struct fetch *fetch = &f->plan->fetch[i];
	if (!(fetch->flags & FETCH_AT_EXIT) != !from->at_exit)
		return 0;
	__u32 used = *(volatile __u32 *)&from->used;
	if (used > f->room_max)
		return 1;
	struct fetched *item = (void *)(f->out + used);
	*item = (struct fetched){ .which = i };
	from->n++;
	if (used + sizeof(*item) + (fetch->kind == FETCH_VALUE ? 0 : fetch->max) > from->room)
		item->status = FETCHED_NO_ROOM;
	else if (fetch->kind == FETCH_VALUE)
		fetch_value(from, fetch, item);
	else if (fetch->kind == FETCH_STRING)
		fetch_string(from, fetch, item, item + 1);
	else
		fetch_bytes(from, fetch, item, item + 1);
	*(volatile __u32 *)&from->used = used + sizeof(*item) + ((item->length + 7) & ~7u);
	return 0;
}

/*
 * fetch_run() - @plan's fetches for this moment (entry or exit) into @out, which has @room_max + FETCH_MAX_BYTES + 16 bytes
 * of accessible memory; @room_max bounds from->room. @by_loop: the kernel has bpf_loop, which the verifier likes better.
 */
static __always_inline void fetch_run(struct fetch_source *from, const struct fetch_plan *plan, char *out, const __u32 room_max, bool by_loop)
{
	struct fetching f = { .from = from, .plan = plan, .out = out, .room_max = room_max };
	if (by_loop) {
		bpf_loop(FETCH_MAX, fetch_one, &f, 0);
		return;
	}
	for (__u32 i = 0; i < FETCH_MAX; i++)
		if (fetch_one(i, &f))
			return;
}
