#include "event/event.h"

#include <string.h>

#include "base/macro.h"

const struct event_field event_common_fields[] = {
	{ "timestamp", "time", NULL, "when it happened, or began: RFC 3339, nanoseconds, UTC" },
	{ "event_type", "string", NULL, "which of the types below it is" },
	{ "runtime", "string", NULL, "whose code it was: native, kernel, go, jvm, python, v8 ..." },
	{ "process_id", "uint", NULL, "process, as seen from the initial pid namespace" },
	{ "thread_id", "uint", NULL, "thread, as seen from the initial pid namespace" },
	{ "process_name", "string", NULL, "the thread's comm at that time" },
	{ "strand_id", "uint", NULL, "goroutine, task or coroutine, where the runtime has them" },
	{},
};

static const struct event_field function_call_fields[] = {
	[CALL_FUNCTION] = { "function_name", "string", NULL, "demangled name" },
	[CALL_MODULE] = { "module_name", "string", NULL, "base name of the binary or library, or kernel" },
	[CALL_FILE] = { "file", "string", NULL, "source file, where debug information tells" },
	[CALL_LINE] = { "line", "uint", NULL, "source line" },
	[CALL_DURATION] = { "duration_ns", "uint", "ns", "from entry to exit, the probes' own measured cost subtracted" },
	[CALL_SELF] = { "self_ns", "uint", "ns", "duration without that of the traced calls inside" },
	[CALL_OVERHEAD] = { "overhead_ns", "uint", "ns", "what was subtracted: the probes' own cost, of this call and of those inside" },
	[CALL_DEPTH] = { "depth", "uint", NULL, "traced calls that were open on this thread; 0: outermost" },
	[CALL_ID] = { "call_id", "uint", NULL, "names the call within this run" },
	[CALL_PARENT_ID] = { "parent_call_id", "uint", NULL, "the traced call that it was made from; absent: outermost" },
	[CALL_ARGUMENTS] = { "arguments", "arguments", NULL, "values at entry" },
	[CALL_RETURN] = { "return_value", "value", NULL, "value at exit" },
	[CALL_END] = { "end", "string", NULL, "only when the exit was not seen: open, unseen, not_probed" },
	[CALL_LOST_BEFORE] = { "lost_before", "uint", NULL, "events of this thread lost just before this one" },
};

static const struct event_field function_stat_fields[] = {
	[STAT_FUNCTION] = { "function_name", "string", NULL, "demangled name" },
	[STAT_MODULE] = { "module_name", "string", NULL, "base name of the binary or library, or kernel" },
	[STAT_CALLS] = { "calls", "uint", NULL, "calls that ended" },
	[STAT_TOTAL] = { "total_ns", "uint", "ns", "sum of durations, the probes' own measured cost subtracted" },
	[STAT_SELF] = { "self_ns", "uint", "ns", "total without the traced calls inside" },
	[STAT_MIN] = { "min_ns", "uint", "ns", "shortest call" },
	[STAT_P50] = { "p50_ns", "uint", "ns", "median, from a histogram of 8 buckets an octave" },
	[STAT_P99] = { "p99_ns", "uint", "ns", "99th percentile" },
	[STAT_MAX] = { "max_ns", "uint", "ns", "longest call" },
	[STAT_OVERHEAD] = { "overhead_ns", "uint", "ns", "the probe's own cost that was subtracted from each call" },
	[STAT_HISTOGRAM] = { "histogram", "list", NULL, "[{le_ns, count}]: calls not longer than le_ns, not cumulative" },
};

static const struct event_field syscall_fields[] = {
	[SYSCALL_FUNCTION] = { "function_name", "string", NULL, "name of the system call" },
	[SYSCALL_NUMBER] = { "number", "uint", NULL, "its number on this architecture" },
	[SYSCALL_DURATION] = { "duration_ns", "uint", "ns", "from entry to exit" },
	[SYSCALL_ARGUMENTS] = { "arguments", "arguments", NULL, "decoded arguments" },
	[SYSCALL_RETURN] = { "return_value", "value", NULL, "what it returned; absent when it did not return" },
	[SYSCALL_ERROR] = { "error", "string", NULL, "name of the error: ENOENT ..." },
	[SYSCALL_LOST_BEFORE] = { "lost_before", "uint", NULL, "events of this thread lost just before this one" },
};

static const struct event_field syscall_stat_fields[] = {
	[SYSSTAT_FUNCTION] = { "function_name", "string", NULL, "name of the system call" },
	[SYSSTAT_CALLS] = { "calls", "uint", NULL, "calls that ended" },
	[SYSSTAT_ERRORS] = { "errors", "uint", NULL, "calls that returned an error" },
	[SYSSTAT_TOTAL] = { "total_ns", "uint", "ns", "sum of durations" },
	[SYSSTAT_MIN] = { "min_ns", "uint", "ns", "shortest call" },
	[SYSSTAT_P50] = { "p50_ns", "uint", "ns", "median, from a histogram of 8 buckets an octave" },
	[SYSSTAT_P99] = { "p99_ns", "uint", "ns", "99th percentile" },
	[SYSSTAT_MAX] = { "max_ns", "uint", "ns", "longest call" },
};

static const struct event_field point_fields[] = {
	[POINT_NAME] = { "function_name", "string", NULL, "name of the tracepoint or probe" },
	[POINT_PROVIDER] = { "module_name", "string", NULL, "its system or provider" },
	[POINT_ARGUMENTS] = { "arguments", "arguments", NULL, "its fields or arguments" },
	[POINT_LOST_BEFORE] = { "lost_before", "uint", NULL, "events of this thread lost just before this one" },
};

static const struct event_field request_fields[] = {
	[REQUEST_NAME] = { "name", "string", NULL, "method and route: of low cardinality" },
	[REQUEST_KIND] = { "kind", "string", NULL, "server or client" },
	[REQUEST_TRACE_ID] = { "trace_id", "string", NULL, "32 hexadecimal digits" },
	[REQUEST_SPAN_ID] = { "span_id", "string", NULL, "16 hexadecimal digits" },
	[REQUEST_PARENT_SPAN_ID] = { "parent_span_id", "string", NULL, "the request that caused it; absent: not known" },
	[REQUEST_DURATION] = { "duration_ns", "uint", "ns", "from the first byte of the request to the last of its answer" },
	[REQUEST_ASKING] = { "asking_ns", "uint", "ns", "from the first to the last byte of the request" },
	[REQUEST_PROCESSING] = { "processing_ns", "uint", "ns", "from there to the first byte of the answer" },
	[REQUEST_ANSWERING] = { "answering_ns", "uint", "ns", "from the first to the last byte of the answer" },
	[REQUEST_SENT] = { "request_bytes", "uint", "bytes", "on the wire, head and framing included" },
	[REQUEST_RECEIVED] = { "response_bytes", "uint", "bytes", "the same of the answer" },
	[REQUEST_STATUS] = { "status", "string", NULL, "the span's: unset, ok, error; the protocol's own is an attribute" },
	[REQUEST_ATTRIBUTES] = { "attributes", "object", NULL, "by OpenTelemetry's semantic conventions" },
	[REQUEST_INCOMPLETE] = { "incomplete", "string", NULL, "only when not all was seen: unanswered, cut, gap" },
	[REQUEST_SERVICE] = { "service_name", "string", NULL, "what the process belongs to: OTEL_SERVICE_NAME, its unit, script or executable" },
};

static const struct event_field request_stat_fields[] = {
	[REQSTAT_KIND] = { "kind", "string", NULL, "server or client" },
	[REQSTAT_NAME] = { "name", "string", NULL, "method and route" },
	[REQSTAT_CALLS] = { "requests", "uint", NULL, "requests that ended" },
	[REQSTAT_ERRORS] = { "errors", "uint", NULL, "those whose status is error" },
	[REQSTAT_TOTAL] = { "total_ns", "uint", "ns", "sum of durations" },
	[REQSTAT_P50] = { "p50_ns", "uint", "ns", "median, from a histogram of 8 buckets an octave" },
	[REQSTAT_P99] = { "p99_ns", "uint", "ns", "99th percentile" },
	[REQSTAT_MAX] = { "max_ns", "uint", "ns", "the longest" },
};

static const struct event_field connection_fields[] = {
	[CONN_ID] = { "connection_id", "uint", NULL, "names the connection's end within this run: the socket's cookie, where the kernel has one" },
	[CONN_TRANSPORT] = { "transport", "string", NULL, "tcp, unix, or stream (any other)" },
	[CONN_ROLE] = { "role", "string", NULL, "server: accepted; client: connected; absent: not known" },
	[CONN_LOCAL] = { "local_address", "string", NULL, "ADDRESS:PORT, or the path of the Unix socket (@ in front: abstract)" },
	[CONN_PEER] = { "peer_address", "string", NULL, "the same of the other end" },
	[CONN_PEER_PROCESS] = { "peer_process_id", "uint", NULL, "who connected or listened at the other end of a Unix socket" },
	[CONN_DURATION] = { "duration_ns", "uint", "ns", "since it was seen first" },
	[CONN_CONNECT] = { "connect_ns", "uint", "ns", "from connect() until it was established" },
	[CONN_RECEIVED] = { "received_bytes", "uint", "bytes", "since it was seen first" },
	[CONN_SENT] = { "sent_bytes", "uint", "bytes", "since it was seen first" },
	[CONN_RECEIVES] = { "receives", "uint", NULL, "calls that received bytes" },
	[CONN_SENDS] = { "sends", "uint", NULL, "calls that sent bytes" },
	[CONN_RECEIVED_BEFORE] = { "received_before_bytes", "uint", "bytes", "before it was seen; only of TCP, only when there were any" },
	[CONN_SENT_BEFORE] = { "sent_before_bytes", "uint", "bytes", "the same of bytes sent" },
	[CONN_LOST] = { "lost_bytes", "uint", "bytes", "passed unseen: records were lost, or they were spliced from the socket" },
	[CONN_RETRANSMITS] = { "retransmits", "uint", NULL, "TCP segments that were sent again" },
	[CONN_ROUND_TRIP] = { "round_trip_ns", "uint", "ns", "TCP's smoothed round trip time at the end" },
	[CONN_END] = { "end", "string", NULL, "closed, peer_closed, reset, failed; open: the end was not seen" },
	[CONN_UNREAD] = { "unread_ns", "uint", "ns", "from when a server's connection was established until it first read or wrote on it" },
	[CONN_TLS] = { "tls", "object", NULL, "what passed before it was encrypted, by OpenTelemetry's semantic conventions, and handshake_ns, alert, "
					      "alert_by (process or peer), offered_protocols" },
	[CONN_ERROR] = { "error", "string", NULL, "name of the error: ECONNREFUSED ..." },
};

static const struct event_field segment_fields[] = {
	[SEGMENT_CONNECTION] = { "connection_id", "uint", NULL, "as in connection" },
	[SEGMENT_DIRECTION] = { "direction", "string", NULL, "received or sent" },
	[SEGMENT_OFFSET] = { "offset", "uint", "bytes", "bytes of this direction before it, since the connection was seen" },
	[SEGMENT_SEQUENCE] = { "tcp_sequence", "uint", NULL, "TCP sequence number of its first byte" },
	[SEGMENT_BYTES] = { "bytes", "uint", "bytes", "that one call passed" },
	[SEGMENT_PAYLOAD] = { "payload", "string", NULL, "the first of them, in hexadecimal digits" },
	[SEGMENT_MISSING] = { "missing", "string", NULL, "why there are none: no_buffer (sendfile), foreign (io_uring), unreadable" },
	[SEGMENT_PLAINTEXT] = { "plaintext", "bool", NULL, "only when true: what the TLS library was given or gave; the offset is of the plaintext" },
	[SEGMENT_LOST_BEFORE] = { "lost_before_bytes", "uint", "bytes", "passed unseen just before it" },
};

static const struct event_field process_fields[] = {
	[PROCESS_WHAT] = { "what", "string", NULL, "fork, exec, exit" },
	[PROCESS_FILE] = { "file", "string", NULL, "executable" },
	[PROCESS_PARENT] = { "parent_process_id", "uint", NULL, "who made it" },
	[PROCESS_STATUS] = { "exit_status", "int", NULL, "wait status, when it ended" },
};

static const struct event_field program_fields[] = {
	[PROGRAM_NAME] = { "program_name", "string", NULL, "name of the BPF program; absent where this kernel has no use for it" },
	[PROGRAM_FAMILY] = { "family", "string", NULL, "the probe family that it belongs to: func, syscall, task" },
	[PROGRAM_SHAPE] = { "shape", "string", NULL, "for which kind of command line it was loaded: calls, stat ..." },
	[PROGRAM_INSTRUCTIONS] = { "instructions", "uint", NULL, "processed by the verifier, once for each path that it followed" },
	[PROGRAM_TOTAL_STATES] = { "total_states", "uint", NULL, "states that the verifier kept" },
	[PROGRAM_PEAK_STATES] = { "peak_states", "uint", NULL, "of them at the same time" },
	[PROGRAM_STACK] = { "stack_bytes", "uint", "bytes", "of the program and of its largest subprogram" },
	[PROGRAM_JITED] = { "jited_bytes", "uint", "bytes", "machine code; 0: the kernel interprets it" },
	[PROGRAM_XLATED] = { "xlated_bytes", "uint", "bytes", "BPF code as the kernel runs it" },
	[PROGRAM_VERIFY] = { "verify_ns", "uint", "ns", "time of verification" },
	[PROGRAM_BUDGET] = { "budget", "object", NULL, "what these figures may be, by name" },
	[PROGRAM_WHY_NOT] = { "why_not", "string", NULL, "why this kernel has no use for the shape" },
};

static const struct event_field lost_fields[] = {
	[LOST_CAUSE] = { "cause", "string", NULL, "why it could not be shown" },
	[LOST_COUNT] = { "count", "uint", NULL, "how many events" },
	[LOST_FUNCTION] = { "function_name", "string", NULL, "of which function, where that is known" },
};

static const struct event_field summary_fields[] = {
	[SUMMARY_EVENTS] = { "events", "uint", NULL, "events shown" },
	[SUMMARY_LOST] = { "lost", "object", NULL, "events not shown, by cause" },
	[SUMMARY_CPU] = { "cpu_ns", "uint", "ns", "CPU time of the tracer itself" },
	[SUMMARY_NOTES] = { "notes", "list", NULL, "what could not be done: families that are off, probes refused" },
	[SUMMARY_EXPORTS] = { "exports", "list", NULL, "of each receiver of --export: where, items sent, kept in the spool, lost by cause" },
};

#define TYPE(type_name, type_fields, task, type_doc) \
	{ .name = type_name, .doc = type_doc, .fields = type_fields, .n_fields = ARRAY_SIZE(type_fields), .of_task = task }

const struct event_type event_types[EVENT_TYPES] = {
	[EVENT_FUNCTION_CALL] = TYPE("function_call", function_call_fields, true, "a call of a function, when it ended"),
	[EVENT_FUNCTION_STAT] = TYPE("function_stat", function_stat_fields, false, "all calls of a function, counted in the kernel"),
	[EVENT_SYSCALL] = TYPE("syscall", syscall_fields, true, "a system call, when it ended"),
	[EVENT_SYSCALL_STAT] = TYPE("syscall_stat", syscall_stat_fields, false, "all calls of a system call"),
	[EVENT_TRACEPOINT] = TYPE("tracepoint", point_fields, true, "a kernel tracepoint"),
	[EVENT_USDT] = TYPE("usdt", point_fields, true, "a user statically defined tracepoint"),
	[EVENT_REQUEST] = TYPE("request", request_fields, true, "a request and its answer: a span"),
	[EVENT_REQUEST_STAT] = TYPE("request_stat", request_stat_fields, false, "all requests of a route"),
	[EVENT_CONNECTION] = TYPE("connection", connection_fields, true, "a connection, TCP or Unix stream, as it ends"),
	[EVENT_SEGMENT] = TYPE("segment", segment_fields, true, "the bytes that one call sent or received on a connection (--raw)"),
	[EVENT_PROCESS] = TYPE("process", process_fields, true, "a traced process began, executed a file, or ended"),
	[EVENT_PROGRAM] = TYPE("program", program_fields, false, "a BPF program as this kernel's verifier sees it (utrace verify)"),
	[EVENT_LOST] = TYPE("lost", lost_fields, true, "events that happened but are not shown"),
	[EVENT_SUMMARY] = TYPE("summary", summary_fields, false, "the last object of a run"),
};

const struct event_type *event_type_find(const char *name)
{
	for (size_t i = 0; i < EVENT_TYPES; i++)
		if (streq(event_types[i].name, name))
			return &event_types[i];
	return NULL;
}

const struct value *event_duration(const struct event *e)
{
	switch ((enum event_type_id)(e->type - event_types)) {
	case EVENT_FUNCTION_CALL:
		return &e->field[CALL_DURATION];
	case EVENT_SYSCALL:
		return &e->field[SYSCALL_DURATION];
	case EVENT_REQUEST:
		return &e->field[REQUEST_DURATION];
	case EVENT_CONNECTION:
		return &e->field[CONN_DURATION];
	default:
		return NULL;
	}
}

void event_init(struct event *e, enum event_type_id type)
{
	memset(e, 0, sizeof(*e));
	e->type = &event_types[type];
}
