/* func.abi.h: calls of functions, and hits of single points (USDT, tracepoints). Times are nanoseconds. */
#pragma once

#include "bpf/fetch.abi.h"
#include "bpf/record.abi.h"
#include "shape/where.abi.h"

enum func_rec_type {
	FUNC_CALL = REC_TYPE(REC_FUNC, 1),
	FUNC_POINT = REC_TYPE(REC_FUNC, 2), /* USDT probe or tracepoint */
	FUNC_STAT = REC_TYPE(REC_FUNC, 3),  /* the counts of a probe, as user space has read them */
};

enum func_call_flag {
	CALL_EXIT_SEEN = 1 << 0,  /* duration_ns, overhead_ns and return_value hold */
	CALL_NO_EXIT_PROBE = 1 << 1, /* only entries are probed */
	CALL_STILL_OPEN = 1 << 2, /* shown early; its end comes later under the same call number */
	CALL_SKIPPED = 1 << 3,    /* kernel half only: left out by --sample */
};

/* A call. It is built in the thread's stack of open calls when the function is entered and sent when it returns. */
struct func_call_rec {
	struct rec_head head;  /* time: of the entry */
	__u32 probe;           /* its number, see FACT_PROBE */
	__u32 call;            /* of the thread, from 1 */
	__u32 parent;          /* call of the traced function that it was made from; 0: none */
	__u16 depth;           /* open traced calls when it began */
	__u16 flags;           /* enum func_call_flag */
	__u64 duration_ns;     /* the probes' own cost subtracted */
	__u64 overhead_ns;     /* what was subtracted: own and of the traced calls inside, hidden ones as well */
	__u64 below_ns;        /* durations of the traced calls directly inside */
	__u64 sp;              /* stack pointer at the first instruction; 0: not known */
	__u64 return_value;    /* the integer return register */
	__u64 argument[6];     /* the integer argument registers, in order */
	__u32 fetched_bytes;   /* of struct fetched that follow */
	__u32 fetched_n;
};
_Static_assert(sizeof(struct func_call_rec) == 152, "layout");

struct func_point_rec {
	struct rec_head head;
	__u32 probe;
	__u32 fetched_bytes;
	__u32 fetched_n;
	__u32 pad;
};
_Static_assert(sizeof(struct func_point_rec) == 56, "layout");

/*
 * The cookie of an attached probe, which its program gets back: what it is, and what it costs whom.
 * bits 0..31 probe number, 32..47 slot of the process in `func_cost`, 48..51 flags, 52..63 cost of a hit in COST_UNIT_NS
 */
enum func_cookie_flag {
	COOKIE_SITE_EXIT = 1 << 0, /* an exit probe on a RET instruction: sp is that of the entry, not 8 above it */
	COOKIE_ENTRY_ALONE = 1 << 1, /* the exit of this function is not probed */
	COOKIE_UNTIL_SITES = 1 << 2, /* an entry that counts until the process is marked in `func_by_sites` ... */
	COOKIE_FROM_SITES = 1 << 3,  /* ... and one that counts from then on: two sets of probes change over at once */
};
#define COOKIE(probe, slot, flags) ((__u64)(probe) | (__u64)(slot) << 32 | (__u64)(flags) << 48)
#define COOKIE_PROBE(cookie) ((__u32)(cookie))
#define COOKIE_SLOT(cookie) ((__u32)((cookie) >> 32) & 0xffff)
#define COOKIE_FLAGS(cookie) ((__u32)((cookie) >> 48) & 0xf)
#define COOKIE_COST(cookie) ((cookie) >> 52)
#define COST_UNIT_NS 16
#define COST_MAX 4095 /* 65 us: stepping takes 1 to 10 */
#define COST_OF_POINT_NS 1000 /* of a USDT probe, about: its nop is emulated, its arguments are read */
#define COST_FLAGS(ns) ((__u32)((ns) / COST_UNIT_NS < COST_MAX ? (ns) / COST_UNIT_NS : COST_MAX) << 4) /* for COOKIE() */

#define CALIBRATION_PROBE 0 /* number 0 is nobody's: its calls are ours, not shown, and no loss when there is no room for them */
#define FUNC_COST_SLOTS 4096 /* processes told apart by the overhead breaker; later ones share by modulo */
#define FUNC_SLOTS_BYTES 16384 /* of open calls, a thread: 107 calls without fetched values */
#define FUNC_FETCH_BYTES 1024  /* of fetched values, a record */
#define FUNC_PLANS 4096          /* fetch plans at the most; a probe uses plan func_probe.plan */

/* What the kernel half knows of a probe. */
struct func_probe {
	__u32 inside_ns;  /* the probe's own cost that lies between the two clock readings of a call */
	__u32 outside_ns; /* the rest of it, which lies in the caller's time */
	__u32 hidden_ns;  /* all of it, of a call below --depth: it lies in the deepest call that is shown */
	__u32 plan;       /* index of its fetch plan; 0: none */
	__u32 twin;       /* of a probe with RET sites: the number that its function had with a return probe; 0: none */
};

/*
 * Durations are counted in 8 buckets an octave: bucket n < 8 holds n ns, then each power of two is cut in 8.
 * Up to 2^41 ns (36 minutes); the last bucket holds all above.
 */
#define HIST_BUCKETS 320

/* The kernel half's memory of a thread; user space reads it to calibrate and to show calls that are still open. */
struct func_thread {
	__u32 depth; /* open calls, those that found no slot included */
	__u32 calls; /* number of the newest */
	__u32 seq;
	__u32 generation;
	__u32 busy; /* inside one of these programs: an interrupt must not touch the stack */
	__u32 pad;
	struct fetch_source fetch;
	__s64 where_values[WHERE_FIELDS];
	char stack[FUNC_SLOTS_BYTES]; /* open calls, slot_bytes each */
	struct func_point_rec point; /* the one being built */
	char tail[2 * (FETCH_MAX_BYTES + FUNC_FETCH_BYTES)]; /* its fetches; and what a fetch into the last slot may touch */
};

struct func_stat {
	__u64 calls, total_ns, self_ns, max_ns;
	__u64 min_and_1_ns; /* the shortest plus 1; 0: none yet */
	__u64 entries; /* of functions whose exits are not probed */
};

struct func_hist {
	__u64 bucket[HIST_BUCKETS];
};

/* A bucket that is not empty. */
struct func_bucket {
	__u32 bucket;
	__u32 pad;
	__u64 count;
};

struct func_stat_rec {
	struct rec_head head;
	__u32 probe;
	__u32 buckets_n;  /* of struct func_bucket that follow; 0: there is no histogram */
	struct func_stat stat;
};
_Static_assert(sizeof(struct func_stat_rec) == 96, "layout");
