/* cookie.h: which probe a program is on, on every kernel. */
#pragma once

#include "bpf/cookie.abi.h"
#include "bpf/kernel.h"

const volatile bool has_cookie = true; /* bpf_get_attach_cookie */
const volatile __u64 own_cookie = 0;   /* of a copy of the object that serves one probe alone; 0: of none */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct trace_uprobe {
	char *filename;
};

/* While the programs of a perf_event uprobe run, utask->vaddr points to this. kernel: kernel/trace/trace_uprobe.c, since 3.15 */
struct uprobe_dispatch_data {
	struct trace_uprobe *tu;
};

#pragma clang attribute pop

/* The cookie in the path of the current uprobe; 0 if it cannot be read. */
static __always_inline __u64 cookie_in_path(void)
{
	struct uprobe_dispatch_data *dispatch = (void *)BPF_CORE_READ(current_task(), utask, vaddr);
	const char *path = BPF_CORE_READ(dispatch, tu, filename);
	__u64 words[COOKIE_PATH_WORDS], cookie = 0;
	if (bpf_probe_read_kernel(words, sizeof(words), path + COOKIE_PATH_SKIP))
		return 0;
	for (int i = 0; i < COOKIE_PATH_WORDS; i++) {
		__u64 bits = words[i] & 0x0001000100010001; /* the product has them side by side from bit 48 on */
		cookie |= (bits * (1ull << 48 | 1ull << 33 | 1ull << 18 | 1ull << 3) >> 48 & 0xf) << i * 4;
	}
	return cookie;
}

static __always_inline __u64 probe_cookie(void *ctx)
{
	if (own_cookie)
		return own_cookie;
	return has_cookie ? bpf_get_attach_cookie(ctx) : cookie_in_path();
}
