/* ability_probes: the trying behind the rows of ability.c. Each returns 0 when the kernel lets us, or -errno and @why. */
#pragma once

#include "base/reason.h"

/* ability_programs.c: found out by loading programs and making maps. */
int ability_try_bpf(struct reason *why);
int ability_try_btf(struct reason *why);
int ability_try_ringbuf(struct reason *why);
int ability_try_cookie(struct reason *why);
int ability_try_loop(struct reason *why);
int ability_try_task_storage(struct reason *why);
int ability_try_sock_storage(struct reason *why);

/* ability_links.c: found out by attaching, or by how the kernel refuses what cannot be attached. */
int ability_try_uprobe(struct reason *why);
int ability_try_uprobe_multi(struct reason *why);
int ability_try_uprobe_session(struct reason *why);
int ability_try_semaphore(struct reason *why);
int ability_try_kprobe(struct reason *why);
int ability_try_kprobe_multi(struct reason *why);
int ability_try_kprobe_session(struct reason *why);
int ability_try_tracepoint(struct reason *why);
int ability_try_raw_tracepoint(struct reason *why);
int ability_try_btf_tracepoint(struct reason *why);
int ability_try_fentry(struct reason *why);
int ability_try_lsm(struct reason *why);
int ability_try_task_iter(struct reason *why);
int ability_try_sock_length(struct reason *why);
int ability_try_unix_release(struct reason *why);

/* Shared by both: loads "return 0" as a program of @type. Returns its descriptor, which the caller closes, or -errno and @why. */
int ability_load_nothing(int type, int attach_type, unsigned btf_id, struct reason *why);
