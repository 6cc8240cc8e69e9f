/*
 * tracefs: which tracepoints this kernel has, and where in a record of one each field lies.
 *
 * The format of a record is text, events/SYSTEM/EVENT/format; parsing it is a pure function, which is fuzzed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "base/slice.h"

enum tracefs_loc {
	TRACEFS_IN_PLACE,
	TRACEFS_DATA_LOC, /* "__data_loc": a u32 at @offset: where in the record (low half), bytes (high half) */
	TRACEFS_REL_LOC,  /* "__rel_loc", 5.16: the same, counted from behind this u32 */
};

struct tracefs_field {
	char *name;
	char *type;       /* as the kernel writes it, without brackets and __data_loc: "pid_t", "const char *", "char" of char[16] */
	uint32_t offset;  /* bytes from the beginning of the record */
	uint32_t size;    /* bytes in the record; of a __data_loc field, 4 */
	bool is_signed;   /* trust this for "in place" values only: for char[] it says how the kernel's char is */
	bool is_array;    /* [N] or [] */
	bool is_common;   /* of every event (common_pid ...); a BPF program of the tracepoint cannot read these first 8 bytes */
	uint8_t loc;      /* enum tracefs_loc */
};

struct tracefs_format {
	char *name;       /* of the event, without its system */
	uint32_t id;      /* perf_event_attr.config of PERF_TYPE_TRACEPOINT */
	struct tracefs_field *fields;
	size_t n, cap;
};

void tracefs_format_done(struct tracefs_format *f);
DEFINE_CLEANUP_IN_PLACE(struct tracefs_format, tracefs_format_done)

/*
 * tracefs_format_parse() - the text of one format file.
 * @ret: filled on success, owns its strings, and is the caller's to release; untouched on failure
 *
 * Returns 0, or -EINVAL when this is not a format: no ID, a field without its name or place, or one that ends beyond
 * TRACEFS_RECORD_MAX_BYTES. Reads @text only.
 */
int tracefs_format_parse(struct slice text, struct tracefs_format *ret);
#define TRACEFS_RECORD_MAX_BYTES 65536u /* perf's own limit of a record: PERF_MAX_TRACE_SIZE is 8192 */

const struct tracefs_field *tracefs_field_find(const struct tracefs_format *f, const char *name); /* NULL: none */

/* The descriptor of the root of tracefs, which the caller closes: see kernelfs_open(). Keep it as long as events are looked up. */
int tracefs_open(struct reason *why);

/* The format of one event. -ENOENT and @why when this kernel has no such event. */
int tracefs_format(int tracefs_fd, const char *system, const char *event, struct tracefs_format *ret, struct reason *why);

struct tracefs_events {
	char **names; /* "system:event", sorted */
	size_t n, cap;
};

void tracefs_events_done(struct tracefs_events *e);
DEFINE_CLEANUP_IN_PLACE(struct tracefs_events, tracefs_events_done)

/* The events whose "system:event" matches @glob (fnmatch, "sched:*"), of those that can be traced. @ret is empty when none does. */
int tracefs_events(int tracefs_fd, const char *glob, struct tracefs_events *ret, struct reason *why);
