/*
 * binary: one file with functions that some family wants, found once for all processes that map it: names, the offsets to probe
 * and what a probe costs there. Kept by device and inode; its file stays open, so that probes and names survive a rename.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch/site.h"
#include "base/arena.h"
#include "base/reason.h"
#include "sym/elf.h"
#include "sys/proc.h"

struct func_target {
	struct elf_func func;  /* its names are the binary's */
	const char *name;      /* for people */
	uint32_t probe[2];     /* its numbers in this run, with return probe and with RET sites (their costs differ); 0: none yet */
	struct site entry;     /* offset from the function's first byte */
	uint64_t *returns;     /* file offsets of its RETs, when asked for; owned */
	size_t n_returns;
	enum site_refusal refused;        /* of the entry: it cannot be probed at all */
	enum site_refusal returns_refused; /* its RETs cannot be listed */
};

struct binary {
	uint64_t dev, inode;
	int fd;
	char *path;            /* as the first process saw it */
	const char *name;      /* base name, in @path */
	bool is_executable;    /* some process executes it (patterns without OBJECT mean it) */
	bool has_unwinder;
	bool is_go, is_v8;     /* runtimes that walk or move their stacks: no return probes */
	struct elf *elf;       /* NULL: not ELF. What was read of it is forgotten when it is not needed at the moment */
	struct arena names;    /* of targets */
	struct func_target *targets;
	size_t n_targets;
	bool resolved;
	bool listed_with_sites; /* -l: some process that maps it needs RET sites */
};

struct binaries {
	struct binary **items;
	size_t n, cap;
};

void binaries_done(struct binaries *b);
/* The file behind a mapping: known already, or opened now. NULL: it cannot be opened. */
struct binary *binaries_get(struct binaries *b, pid_t pid, const struct mapping *m);
/* A file that nobody maps yet (-l PATH). */
struct binary *binaries_open(struct binaries *b, const char *path, struct reason *why);

/* Does a process that maps it lose when return addresses are not what they were? */
bool binary_forbids_return_probes(const struct binary *b);
/* Would a return probe on this one function do harm in any process: _start, setjmp ...? */
bool binary_needs_return_address(const struct binary *b, const struct func_target *t);
/* Lists the RETs of a target, once. */
void binary_find_returns(struct binary *b, struct func_target *t);
