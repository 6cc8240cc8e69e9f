/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * func-fallback: func for kernels without bpf_loop (before 5.17). Of calls that were left without a return only some are
 * closed at a time; the rest is counted as lost. The verifier walks each turn of its loops, so it takes longer to load.
 */
#define HAS_LOOP false
#include "probe/func/func.bpf.c"
