/* internal: the engine's own shape, shared by its files only. */
#pragma once

#include <signal.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "engine/account.h"
#include "engine/engine.h"
#include "engine/names.h"
#include "engine/processes.h"
#include "engine/targets.h"
#include "engine/threads.h"
#include "probe/probe.h"
#include "shape/where.h"

#define FAMILIES_MAX 8
#define ARENA_BYTES_A_BATCH (1024 * 1024)

enum wake { WAKE_RING, WAKE_TIMER, WAKE_SIGNAL };

struct family {
	const struct probe_ops *ops;
	void *state;
	bool off; /* it could not be loaded here */
};

struct engine {
	const struct engine_job *job;
	struct sink *sink;
	struct family families[FAMILIES_MAX];
	size_t n_families;
	struct loader *loader;
	struct ring *facts, *events;
	struct targets targets;
	struct processes processes;
	struct names names;
	struct threads threads;
	struct held *held;
	struct retire *retire;
	struct where *where;
	struct account account;
	struct arena arena;
	struct requests *requests;   /* NULL: nobody asks for them */
	struct recording *recording; /* NULL: nothing is recorded */
	int64_t realtime_offset_ns;
	int32_t utc_offset_s;
	uint64_t now_ns;    /* CLOCK_MONOTONIC, as the records tell it */
	uint64_t since_ns, until_ns; /* of a recording: what is to be shown; CLOCK_MONOTONIC */
	uint64_t started_ns;
	int epoll_fd, signal_fd, timer_fd;
	sigset_t mask;              /* what we found, for the command */
	struct sigaction on_pipe;
	struct rlimit files;
	unsigned looks;
	int signal;         /* the first that asked us to end; 0: none */
	bool suspend;       /* Ctrl-Z: we stop when the command has */
	uint64_t lost_facts; /* when we last looked */
	bool more_held;     /* held processes wait to be looked at */
	bool more_records;  /* a round of the rings has left some */
	bool loaded;        /* kernel halves and rings are there */
	bool rehearsal;     /* nothing is attached: the verifier is asked what it thinks */
	bool stopping;      /* orderly end */
	bool abandoned;     /* a signal: at once */
	bool limit_reached;
	bool detached;      /* probes are gone, the command runs on */
	int status;
};
