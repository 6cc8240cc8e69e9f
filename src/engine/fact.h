/* fact: tells as records what the engine itself knows, so that it is recorded. Live, but for notes; each is decoded before it returns. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/record.abi.h"

struct engine;
struct process;

void fact_clock(struct engine *e);  /* the time of day and the time zone; nothing when they are as told before */
void fact_tick(struct engine *e);
void fact_note(struct engine *e, const char *text);
/* The process has its name since then (CLOCK_MONOTONIC; 0: as long as we know it). */
void fact_process(struct engine *e, const struct process *p, uint64_t start_ns, uint64_t since_ns);
/* A process that has ended already had another name from @time_ns on; @comm: 16 bytes. */
void fact_name(struct engine *e, pid_t pid, uint64_t start_ns, const char *comm, uint64_t time_ns);
void fact_process_end(struct engine *e, pid_t pid);
void fact_loss(struct engine *e, enum loss_cause cause, uint32_t n, pid_t pid, uint64_t time_ns);
void fact_account(struct engine *e, bool last);
