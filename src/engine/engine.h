/*
 * engine: the loop that joins kernel halves, decoders and sinks. One thread, one epoll; see architecture.md.
 */
#pragma once

#include "base/reason.h"
#include "base/strbuf.h"
#include "config/options.h"

struct capture;
struct exports;
struct record_reader;
struct sink;
struct verdict;

struct engine_job {
	const char *command;         /* name of the command: kept in a recording, so that it can be shown as it was made */
	const struct options *options;
	const char *const *families; /* names of probe families, NULL-terminated; "task" comes by itself */
	struct sink *sink;           /* borrowed */
	struct exports *exports;     /* borrowed: where requests are sent as well; NULL: nowhere */
	struct record_reader *from;  /* borrowed: show these records instead of what happens now; NULL: live */
	struct capture *packets;     /* borrowed: show what these packets carry; NULL: live, or @from */
	uint64_t since_ns, until_ns; /* of them, those that began then; CLOCK_MONOTONIC of that machine; 0 and UINT64_MAX: all */
	bool without_targets;        /* the job looks at no process: nothing to be found is no error */
	struct strbuf *summary;      /* gets the last line: shown, lost, own CPU; for after the sink is closed */
};

/*
 * Runs until interrupted, the limit or the duration is reached, every target has ended, or the command has. Returns the
 * exit status of the program (enum exit_status of cmd.h); @why is filled when utrace itself failed.
 */
int engine_run(const struct engine_job *job, struct reason *why);

/*
 * Loads the kernel halves that @job would run with, and neither looks for targets nor attaches anything; @see is told of
 * each program. The job needs no sink and no summary. -errno and @why: one of them cannot be had here.
 */
int engine_rehearse(const struct engine_job *job, void (*see)(void *arg, const struct verdict *verdict), void *arg, struct reason *why);
