/* fact.abi.h: what a probe is, as a record: so that calls can be read where the binary is not. Made in user space. */
#pragma once

#include "bpf/record.abi.h"

#define FUNC_PROBE_FACT REC_FACT_TYPE(REC_FUNC, 0)

enum probe_kind { PROBE_FUNCTION, PROBE_KERNEL_FUNCTION, PROBE_USDT, PROBE_TRACEPOINT };

/* How a value is written; where it comes from: a raw argument, the return value, or an item of the fetch plan. */
enum parameter_format { FORMAT_HEX, FORMAT_INT, FORMAT_UINT, FORMAT_STRING };
enum parameter_from { FROM_ARGUMENT, FROM_RETURN, FROM_FETCH };

struct parameter_abi {
	__u8 from;   /* enum parameter_from */
	__u8 which;  /* index of the raw argument or of the fetch */
	__u8 format; /* enum parameter_format */
	__u8 size;   /* bytes of an integer */
	__u8 pad[4];
};

enum probe_flag {
	PROBE_OF_EXECUTABLE = 1 << 0, /* its module is what the process executes, not a library */
};

/*
 * Followed by the parameters, then texts, each ended by NUL: name, linkage name (empty: the same), module, path of its file,
 * source file, and of each parameter its name and type. Shown by `report`, which finds the probes of a pattern by them.
 */
struct func_probe_fact {
	struct rec_head head;
	__u32 probe;
	__u32 line;       /* 0: not known */
	__u32 inside_ns;  /* own cost: see func.abi.h */
	__u32 outside_ns;
	__u8 kind;        /* enum probe_kind */
	__u8 n_parameters;
	__u8 flags;       /* enum probe_flag */
	__u8 pad[5];
};
_Static_assert(sizeof(struct func_probe_fact) == 64, "layout");
