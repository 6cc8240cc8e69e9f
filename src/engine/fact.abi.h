/*
 * fact.abi.h: what the engine itself tells as records, so that a recording holds all that was shown. Made in user space.
 * Times are CLOCK_MONOTONIC nanoseconds.
 */
#pragma once

#include "bpf/record.abi.h"

enum run_rec_type {
	RUN_TICK = REC_TYPE(REC_FACT, 1),    /* a quarter of a second has passed: what was held back may be shown */
	RUN_LOSS = REC_TYPE(REC_FACT, 2),    /* something was lost here */
	RUN_CUT = REC_TYPE(REC_FACT, 3),     /* what follows does not continue what came before: a recording was cut here */
	RUN_CLOCK = REC_FACT_TYPE(REC_FACT, 0),   /* what time of day it is */
	RUN_PROCESS = REC_FACT_TYPE(REC_FACT, 1), /* head: a process and, as time, since when it has this name; 0: always */
	RUN_PROCESS_END = REC_FACT_TYPE(REC_FACT, 2),
	RUN_NOTE = REC_FACT_TYPE(REC_FACT, 3),    /* told to the user */
	RUN_ACCOUNT = REC_FACT_TYPE(REC_FACT, 4), /* what has been lost since the beginning */
	RUN_THREAD = REC_FACT_TYPE(REC_FACT, 5),  /* head: a thread, its generation and its last sequence number */
};

struct run_clock_rec {
	struct rec_head head;
	__s64 realtime_offset_ns; /* time of day = monotonic time + this */
	__s32 utc_offset_s;       /* local time = UTC + this, seconds */
	__u32 pad;
};
_Static_assert(sizeof(struct run_clock_rec) == 56, "layout");

struct run_process_rec {
	struct rec_head head;
	__u64 start_ns; /* since boot; 0: not known */
	__u32 uid;      /* 4294967295: not known */
	__u32 exe_len;  /* bytes of the path of the executable that follow, not terminated; behind them the service's name, ended by NUL */
	char comm[16];  /* NUL-terminated */
};
_Static_assert(sizeof(struct run_process_rec) == 72, "layout");

struct run_loss_rec {
	struct rec_head head;
	__u32 cause; /* enum loss_cause */
	__u32 count;
};
_Static_assert(sizeof(struct run_loss_rec) == 48, "layout");

struct run_note_rec {
	struct rec_head head;
	__u32 len; /* bytes of text that follow, not terminated */
	__u32 pad;
};
_Static_assert(sizeof(struct run_note_rec) == 48, "layout");

#define RUN_CAUSES 32 /* room in the record; enum loss_cause only grows at its end */
struct run_account_rec {
	struct rec_head head;
	__u64 lost[RUN_CAUSES]; /* by enum loss_cause */
	__u64 malformed;        /* records that could not be read */
	__u64 cpu_ns;           /* of the tracer itself */
	__u32 last;             /* the run has ended */
	__u32 pad;
};
_Static_assert(sizeof(struct run_account_rec) == 40 + 8 * RUN_CAUSES + 24, "layout");

struct run_thread_rec {
	struct rec_head head;
	__u64 number; /* of the thread in this run, from 1: its calls are numbered from number << 32 */
	__u32 family; /* enum rec_family: each counts its records of a thread */
	__u32 pad;
};
_Static_assert(sizeof(struct run_thread_rec) == 56, "layout");
