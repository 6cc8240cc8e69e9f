/*
 * syscall.abi.h: records and plans of the syscall family, shared by syscall.bpf.c and syscall.c.
 *
 * A record is made when a call ends (or when it cannot end: exit_group), with what was read at the entry and at the
 * exit behind it as `struct fetched` items. Each item names the address that its bytes came from, so decoders follow
 * pointers through the record as strace follows them through the process.
 */
#pragma once

#include "bpf/fetch.abi.h"
#include "bpf/record.abi.h"

#define SYSCALL_MAX_NR 512      /* numbers are below this on all architectures (Linux 6.18: 470) */
#define SYSCALL_OTHER (SYSCALL_MAX_NR - 1) /* stands for all numbers beyond the tables: the plan that says whether they are wanted */
#define SYSCALL_ARGS 6
#define SYSCALL_FETCHES 10      /* of one call's plan; pselect6 has 9 */
#define SYSCALL_MAX_PATH 512    /* kept of a path */
#define SYSCALL_MAX_IOVECS 8    /* of one call whose contents are read */
#define SYSCALL_MAX_STRINGS 16  /* argv[] that are read */
#define SYSCALL_FETCH_BYTES_MAX 2048 /* of all that is read for one call; the last piece may go beyond it */
#define SYSCALL_MAX_MESSAGES 2  /* of sendmmsg and recvmmsg, with their parts */

enum syscall_record {
	REC_SYSCALL_CALL = REC_TYPE(REC_SYSCALL, 1),
	REC_SYSCALL_STAT = REC_TYPE(REC_SYSCALL, 2), /* the counts of a call, as user space has read them */
};

enum syscall_flag {
	SYSCALL_NO_RETURN = 1 << 0, /* ended without a return: exit, or still open when the tracer stopped */
	SYSCALL_NO_ENTRY = 1 << 1,  /* began before the tracer came: no duration, nothing read at the entry */
	SYSCALL_COMPAT = 1 << 2,    /* made through the 32-bit table: the number is not of ours, nothing was read */
	SYSCALL_X32 = 1 << 3,       /* bit 30 of the number was set (x32 ABI): the same */
};

/* Whose numbers: a record may be read on another machine. */
enum syscall_arch { SYSCALL_X86_64, SYSCALL_ARM64, SYSCALL_ARCHS };

struct syscall_rec {
	struct rec_head head;
	__s64 ret;         /* as the kernel returned it: -errno in -4095..-1 */
	__u64 duration_ns;
	__u64 arg[SYSCALL_ARGS];
	__u32 nr;
	__u8 flags;        /* enum syscall_flag */
	__u8 arch;         /* enum syscall_arch */
	__u16 lost_before; /* records of this thread lost just before */
};
_Static_assert(sizeof(struct syscall_rec) == sizeof(struct rec_head) + 72, "layout");

/* fetched.which of this family: the argument that led there, and when it was read. */
#define SYSCALL_WHICH_ARG 0x07
#define SYSCALL_WHICH_EXIT 0x08  /* read after the kernel's work; otherwise it is what the caller gave */
#define SYSCALL_WHICH_COUNT 0x10 /* no bytes of memory: a __u32, the number of pointers up to NULL */

enum syscall_fetch_kind {
	SYSCALL_FETCH_NONE,
	SYSCALL_FETCH_STRING,   /* up to NUL */
	SYSCALL_FETCH_BYTES,    /* @unit bytes times the count */
	SYSCALL_FETCH_STRINGS,  /* an array of pointers to strings, and the strings; the count of all */
	SYSCALL_FETCH_POINTERS, /* the count of an array of pointers up to NULL */
	SYSCALL_FETCH_IOVEC,    /* struct iovec[count], and what they point to */
	SYSCALL_FETCH_MSGHDR,   /* struct msghdr with name, iovecs and control */
	SYSCALL_FETCH_MMSGHDR,  /* struct mmsghdr[count], each with its parts */
	SYSCALL_FETCH_DIRENTS,  /* the count of directory entries in the result's bytes; @unit: offset of d_reclen */
	SYSCALL_FETCH_SIGFRAME, /* the signal mask in the frame under the stack pointer (rt_sigreturn) */
	SYSCALL_FETCH_KINDS
};

enum syscall_count {
	SYSCALL_COUNT_ONE,
	SYSCALL_COUNT_ARG,     /* argument @count_arg */
	SYSCALL_COUNT_RETURN,  /* the return value */
	SYSCALL_COUNT_POINTED, /* the int to which argument @count_arg points */
	SYSCALL_COUNT_BITS,    /* argument @count_arg is a number of bits: bytes in whole words */
	SYSCALL_COUNT_IOCTL,   /* the size that the ioctl command in @count_arg carries, else @max */
};

struct syscall_fetch {
	__u8 kind;      /* enum syscall_fetch_kind */
	__u8 arg;       /* the pointer: argument 0..5 */
	__u8 at_exit;   /* read when the call has ended (only when it succeeded), else at the entry */
	__u8 count;     /* enum syscall_count */
	__u8 count_arg;
	__u8 pad;
	__u16 unit;     /* bytes of one item */
	__u16 max;      /* bytes kept at most, below SYSCALL_MAX_PATH */
	__u16 pad2[3];
};
_Static_assert(sizeof(struct syscall_fetch) == 16, "layout");

enum syscall_plan_flag {
	SYSCALL_WANTED = 1 << 0,    /* chosen by the user */
	SYSCALL_NEVER_ENDS = 1 << 1, /* told at the entry: exit, exit_group */
	SYSCALL_MAKES_TASK = 1 << 2, /* the child's return is not a call of the child's */
	SYSCALL_EXECS = 1 << 3,      /* the exit is in another image: the argument registers are gone */
};

/* What to do with one call; the kernel half holds one for each number. */
struct syscall_plan {
	__u32 flags; /* enum syscall_plan_flag */
	__u32 n;
	struct syscall_fetch fetch[SYSCALL_FETCHES];
};
_Static_assert(sizeof(struct syscall_plan) == 8 + 16 * SYSCALL_FETCHES, "layout");

/*
 * Reading is a list of steps: one step reads one piece, and a piece that is an array or a structure adds steps for what it
 * points to. One flat loop for all kinds keeps the kernel's verifier content.
 */
#define SYSCALL_STEPS 64 /* of one moment (entry or exit) of one call */

struct syscall_step {
	__u64 addr;
	__u64 origin; /* of a count: where it began */
	__u32 length; /* bytes wanted */
	__u32 count;  /* pointers or directory entries counted by earlier steps */
	__u8 kind;    /* enum syscall_fetch_kind */
	__u8 which;   /* SYSCALL_WHICH_* */
	__u8 fetch;   /* of the plan: index */
	__u8 pad[5];
};
_Static_assert(sizeof(struct syscall_step) == 32, "layout");

#define SYSCALL_PIECE_BYTES (sizeof(struct fetched) + SYSCALL_MAX_PATH)

/* The kernel half's memory of a thread: its open call, as the record that it will be. */
struct syscall_thread {
	__u32 generation;
	__u32 seq;    /* of the record sent last */
	__u32 open;   /* a call is open */
	__u32 used;   /* bytes of tail */
	__u32 failed; /* fetches of the plan that could not be read at the entry: tried again at the exit, when the kernel has paged them in */
	__u32 pad;
	struct syscall_rec rec;
	char tail[SYSCALL_FETCH_BYTES_MAX + SYSCALL_PIECE_BYTES];
};

/* Durations are counted in 8 buckets an octave: see probe/func/func.abi.h. */
#define SYSCALL_BUCKETS 320
struct syscall_stat {
	__u64 calls, errors, total_ns, min_ns, max_ns;
	__u64 bucket[SYSCALL_BUCKETS];
};

/* A bucket that is not empty. */
struct syscall_bucket {
	__u32 bucket;
	__u32 pad;
	__u64 count;
};

struct syscall_stat_rec {
	struct rec_head head;
	__u32 nr;
	__u8 arch;       /* enum syscall_arch */
	__u8 pad[3];
	__u64 calls, errors, total_ns, min_ns, max_ns;
	__u32 buckets_n; /* of struct syscall_bucket that follow */
	__u32 pad2;
};
_Static_assert(sizeof(struct syscall_stat_rec) == sizeof(struct rec_head) + 56, "layout");
