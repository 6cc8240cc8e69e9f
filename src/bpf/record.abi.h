/* record.abi.h: what every record begins with. Shared by all kernel halves and user space. */
#pragma once

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#endif

/* Record types: the high byte is the family, the low byte its record. */
enum rec_family {
	REC_TASK = 0x01,    /* probe/task: facts about processes */
	REC_FACT = 0x02,    /* the engine: names, clock, losses */
	REC_FUNC = 0x03,    /* probe/func */
	REC_SYSCALL = 0x04, /* probe/syscall */
	REC_SOCK = 0x05,    /* probe/sock */
	REC_SPAN = 0x06,    /* span: what was made of others */
	REC_TLS = 0x07,     /* probe/tls */
};
#define REC_TYPE(family, n) (((family) << 8) | (n))
/* A fact holds from then on: whoever begins to read in the middle of a recording must know it. The other records are past. */
#define REC_FACT_TYPE(family, n) REC_TYPE(family, 0x80 | (n))
#define rec_is_fact(type) (((type) & 0x80) != 0)

enum rec_flag {
	REC_KERNEL = 1 << 0, /* what happened, happened in kernel code */
};

/*
 * 40 bytes. @time_ns is CLOCK_MONOTONIC at the beginning of what the record tells. @pid is the process (tgid) and @tid
 * the thread, both in the initial pid namespace. @generation tells two tasks of the same pid apart: it is the start
 * time of the thread (task_struct.start_time) in units of 2^10 ns, its low half. @seq counts the records of the thread, lost ones
 * too, so that a gap shows where something was lost. @strand is 0 when the strand is the thread itself.
 */
struct rec_head {
	__u16 type;
	__u16 length; /* bytes, head and padding included, a multiple of 8 */
	__u16 cpu;
	__u16 flags; /* enum rec_flag */
	__u64 time_ns;
	__u32 pid;
	__u32 tid;
	__u32 generation;
	__u32 seq;
	__u64 strand;
};
_Static_assert(sizeof(struct rec_head) == 40, "layout");

#define REC_MAX_BYTES 8192 /* of one record */
#define EVENTS_WAKE_BYTES (256 * 1024u) /* pending in the events ring before its reader is woken; half of a smaller ring */

/* Why something that happened is not shown. Counted per CPU in the map `losses`, and told at the end. */
enum loss_cause {
	LOSS_RING_FULL,    /* events: no room in the ring buffer: the reader was too slow */
	LOSS_FACTS_FULL,   /* facts: no room */
	LOSS_TOO_DEEP,     /* calls: nested deeper than the thread's stack of open calls holds */
	LOSS_TOO_MANY_THREADS, /* calls: no room for another thread */
	LOSS_NESTED,       /* events that interrupted our own bookkeeping on the same thread */
	LOSS_UNWOUND,      /* calls left by longjmp or an exception, more at once than could be told */
	LOSS_NOT_HELD,     /* processes that ran for a moment before they could be probed */
	LOSS_TOO_MANY_CONNECTIONS, /* connections: no memory for another */
	LOSS_CAUSES
};
