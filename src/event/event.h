/*
 * event: something that happened, as values with names: what sinks write and people read.
 *
 * Decoders make events from records. A `struct event` is borrowed: it and all that it points to live in the arena of
 * the batch. Which fields an event has is told by its type, a row of the one table in types.c; sinks walk that row and
 * need no code for a particular type. The same table makes the JSON schema, the docs and `utrace explain`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum value_kind {
	VALUE_NONE, /* absent: not written at all */
	VALUE_BOOL,
	VALUE_UINT,
	VALUE_INT,
	VALUE_DOUBLE,
	VALUE_STRING,
	VALUE_ADDRESS,     /* written as 0x... */
	VALUE_UNREADABLE,  /* could not be read: written as the string "?" */
	VALUE_LIST,        /* of named values without names: a JSON array */
	VALUE_STRUCT,      /* of named values: a JSON object */
	VALUE_ARGUMENTS,   /* of named values: an array of {"name", "type", "value"} */
};

struct value {
	enum value_kind kind;
	bool truncated; /* there was more than is shown */
	union {
		bool boolean;
		uint64_t u; /* VALUE_UINT, VALUE_ADDRESS */
		int64_t i;
		double d;
		struct slice s;
		struct {
			const struct named_value *items;
			size_t n;
		} list;
	};
	struct slice type; /* of a result: "int", "void"; empty: not known, a raw register. Of others it lies in the named_value */
	struct slice text; /* how people write it, where that is not how its kind is written: "O_RDONLY|O_CLOEXEC", "AT_FDCWD" */
};

struct named_value {
	struct slice name; /* empty: none */
	struct slice type; /* empty: not known; "int", "char *", "struct stat" */
	struct value value;
};

#define UINT_VALUE(x) ((struct value){ .kind = VALUE_UINT, .u = (x) })
#define INT_VALUE(x) ((struct value){ .kind = VALUE_INT, .i = (x) })
#define ADDRESS_VALUE(x) ((struct value){ .kind = VALUE_ADDRESS, .u = (x) })
#define BOOL_VALUE(x) ((struct value){ .kind = VALUE_BOOL, .boolean = (x) })
#define STRING_VALUE(x) ((struct value){ .kind = VALUE_STRING, .s = (x) })

/* One field of an event type, or one of those that every event may have. */
struct event_field {
	const char *name; /* in JSON, in --where, in the docs */
	const char *kind; /* "uint", "int", "string", "bool", "address", "arguments", "value", "list", "object", "time" */
	const char *unit; /* "ns", "bytes", or NULL */
	const char *doc;
};

enum event_type_id {
	EVENT_FUNCTION_CALL,
	EVENT_FUNCTION_STAT,
	EVENT_SYSCALL,
	EVENT_SYSCALL_STAT,
	EVENT_TRACEPOINT,
	EVENT_USDT,
	EVENT_REQUEST,
	EVENT_REQUEST_STAT,
	EVENT_CONNECTION,
	EVENT_SEGMENT,
	EVENT_PROCESS,
	EVENT_PROGRAM,
	EVENT_LOST,
	EVENT_SUMMARY,
	EVENT_TYPES
};

#define EVENT_MAX_FIELDS 24
#define EVENT_BIT(id) (1u << (id)) /* sets of types */

struct event_type {
	const char *name;
	const char *doc;
	const struct event_field *fields;
	uint32_t n_fields;
	bool of_task; /* has runtime, process_id, thread_id, process_name */
};

extern const struct event_type event_types[EVENT_TYPES];
extern const struct event_field event_common_fields[]; /* ends with a NULL name */
const struct event_type *event_type_find(const char *name); /* NULL: none */

/* Indices into event.field[], in the order of each type's row. */
enum function_call_field {
	CALL_FUNCTION, CALL_MODULE, CALL_FILE, CALL_LINE, CALL_DURATION, CALL_SELF, CALL_OVERHEAD, CALL_DEPTH, CALL_ID,
	CALL_PARENT_ID, CALL_ARGUMENTS, CALL_RETURN, CALL_END, CALL_LOST_BEFORE,
};
enum function_stat_field {
	STAT_FUNCTION, STAT_MODULE, STAT_CALLS, STAT_TOTAL, STAT_SELF, STAT_MIN, STAT_P50, STAT_P99, STAT_MAX, STAT_OVERHEAD,
	STAT_HISTOGRAM,
};
enum syscall_field {
	SYSCALL_FUNCTION, SYSCALL_NUMBER, SYSCALL_DURATION, SYSCALL_ARGUMENTS, SYSCALL_RETURN, SYSCALL_ERROR, SYSCALL_LOST_BEFORE,
};
enum syscall_stat_field { SYSSTAT_FUNCTION, SYSSTAT_CALLS, SYSSTAT_ERRORS, SYSSTAT_TOTAL, SYSSTAT_MIN, SYSSTAT_P50, SYSSTAT_P99, SYSSTAT_MAX };
enum point_field { POINT_NAME, POINT_PROVIDER, POINT_ARGUMENTS, POINT_LOST_BEFORE }; /* tracepoint, usdt */
enum request_field {
	REQUEST_NAME, REQUEST_KIND, REQUEST_TRACE_ID, REQUEST_SPAN_ID, REQUEST_PARENT_SPAN_ID, REQUEST_DURATION, REQUEST_ASKING,
	REQUEST_PROCESSING, REQUEST_ANSWERING, REQUEST_SENT, REQUEST_RECEIVED, REQUEST_STATUS, REQUEST_ATTRIBUTES, REQUEST_INCOMPLETE,
	REQUEST_SERVICE,
};
enum request_stat_field { REQSTAT_KIND, REQSTAT_NAME, REQSTAT_CALLS, REQSTAT_ERRORS, REQSTAT_TOTAL, REQSTAT_P50, REQSTAT_P99, REQSTAT_MAX };
enum connection_field {
	CONN_ID, CONN_TRANSPORT, CONN_ROLE, CONN_LOCAL, CONN_PEER, CONN_PEER_PROCESS, CONN_DURATION, CONN_CONNECT, CONN_RECEIVED, CONN_SENT,
	CONN_RECEIVES, CONN_SENDS, CONN_RECEIVED_BEFORE, CONN_SENT_BEFORE, CONN_LOST, CONN_RETRANSMITS, CONN_ROUND_TRIP, CONN_END, CONN_ERROR,
	CONN_UNREAD, CONN_TLS,
};
enum segment_field {
	SEGMENT_CONNECTION, SEGMENT_DIRECTION, SEGMENT_OFFSET, SEGMENT_SEQUENCE, SEGMENT_BYTES, SEGMENT_PAYLOAD, SEGMENT_MISSING, SEGMENT_LOST_BEFORE,
	SEGMENT_PLAINTEXT,
};
enum process_field { PROCESS_WHAT, PROCESS_FILE, PROCESS_PARENT, PROCESS_STATUS };
enum program_field {
	PROGRAM_NAME, PROGRAM_FAMILY, PROGRAM_SHAPE, PROGRAM_INSTRUCTIONS, PROGRAM_TOTAL_STATES, PROGRAM_PEAK_STATES, PROGRAM_STACK,
	PROGRAM_JITED, PROGRAM_XLATED, PROGRAM_VERIFY, PROGRAM_BUDGET, PROGRAM_WHY_NOT,
};
enum lost_field { LOST_CAUSE, LOST_COUNT, LOST_FUNCTION };
enum summary_field { SUMMARY_EVENTS, SUMMARY_LOST, SUMMARY_CPU, SUMMARY_NOTES, SUMMARY_EXPORTS };

struct event {
	const struct event_type *type;
	uint64_t time_ns;       /* CLOCK_MONOTONIC; the start of what has a duration */
	int64_t realtime_offset_ns; /* time of day = time_ns + this */
	int32_t utc_offset_s;   /* local time = UTC + this: where the event happened, not where it is read */
	const char *runtime;    /* "native", "kernel", "go" ... */
	uint32_t pid, tid;      /* 0: not of a task */
	struct slice process_name; /* comm at that time; empty: not known */
	uint64_t strand_id;     /* 0: the thread itself */
	bool where_open;        /* no part of --where has been decided in the kernel */
	struct value field[EVENT_MAX_FIELDS]; /* in the order of type->fields */
};

/* The field that tells how long it took; NULL: the type has none. Its kind is VALUE_NONE when it did not end. */
const struct value *event_duration(const struct event *e);

/* Clears @e and sets its type. */
void event_init(struct event *e, enum event_type_id type);
