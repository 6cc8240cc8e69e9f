/* The table: a new option is a row here and a field in struct options. Rows stand in the order of the help. */
#include "config/option_row.h"

#define FIELD(field) .offset = offsetof(struct options, field)
#define PID_MAX 4194304 /* PID_MAX_LIMIT of 64-bit kernels, include/linux/threads.h */
#define CAPTURE_MAX_BYTES 4096 /* SOCK_CAPTURE_BYTES_MAX, probe/sock/sock.abi.h */
#define STRING_MAX_BYTES 512 /* FETCH_MAX_BYTES, bpf/fetch.abi.h */

static const char *const exits_words[] = { "auto", "return", "sites", "none", NULL };
static const char *const color_words[] = { "auto", "always", "never", NULL };
_Static_assert(EXITS_NONE == 3 && sizeof(enum exits_mode) == sizeof(int), "exits_words");
_Static_assert(COLOR_NEVER == 2 && sizeof(enum color_mode) == sizeof(int), "color_words");

const struct option_heading option_headings[] = {
	{ OPTIONS_TARGET, "Target", "-- COMMAND ARGS...", "start this program, and miss none of its calls; it comes last" },
	{ OPTIONS_LIST, "Before tracing" },
	{ OPTIONS_FILTER, "Filters" },
	{ OPTIONS_REQUESTS, "Requests" },
	{ OPTIONS_CALLS, "Calls" },
	{ OPTIONS_PROBES, "Probes" },
	{ OPTIONS_SOCKET, "Sockets" },
	{ OPTIONS_CAPTURE, "Capture" },
	{ OPTIONS_TABLE, "Tables" },
	{ OPTIONS_OUTPUT, "Output" },
	{ OPTIONS_EXPORT, "Over the network" },
	{ OPTIONS_RECORD, "Recording" },
	{ OPTIONS_REPORT, "Of a recording" },
	{ OPTIONS_BUDGET, "Budgets" },
	{ OPTIONS_JSON, "Output" },
	{ OPTIONS_FORMAT, "Format of the output" },
	{ OPTIONS_TRACER, "Tracer" },
	{ OPTIONS_GENERAL, "General" },
	{},
};

const struct option_row option_rows[] = {
	{ "pid", 'p', OPTION_NUMBERS, OPTIONS_TARGET, FIELD(pids), .metavar = "PID", .min = 1, .max = PID_MAX,
	  .help = "the process PID; several: -p 12,13",
	  .more = "Options of one kind widen the target (either process), options of different kinds narrow it (this user's "
	          "processes in that cgroup)." },
	{ "name", 'n', OPTION_TEXTS, OPTIONS_TARGET, FIELD(names), .metavar = "NAME",
	  .help = "processes whose name, or executable's base name, matches the glob NAME",
	  .more = "Processes that get such a name later are traced as well: by exec, or by prctl(PR_SET_NAME) of their first thread. "
	          "Descendants stay targets when they execute another program." },
	{ "executable", 'e', OPTION_TEXTS, OPTIONS_TARGET, FIELD(executables), .metavar = "PATH",
	  .help = "processes that run the executable PATH" },
	{ "cgroup", .kind = OPTION_TEXTS, .groups = OPTIONS_TARGET, FIELD(cgroups), .metavar = "PATH",
	  .help = "processes in this cgroup, or below it",
	  .more = "PATH is absolute, or below the root of the cgroup file system. Processes that execute a file there later, or are "
	          "moved there, are traced as well; who leaves stays a target." },
	{ "pidns", .kind = OPTION_NUMBERS, .groups = OPTIONS_TARGET, FIELD(pidns), .metavar = "PID|INODE", .min = 1,
	  .help = "processes in the pid namespace of PID, or in the one with this inode number",
	  .more = "A number above 4194304, the highest pid, is an inode number, as readlink /proc/PID/ns/pid shows it." },
	{ "netns", .kind = OPTION_NUMBERS, .groups = OPTIONS_TARGET, FIELD(netns), .metavar = "PID|INODE", .min = 1,
	  .help = "the same for the network namespace" },
	{ "mntns", .kind = OPTION_NUMBERS, .groups = OPTIONS_TARGET, FIELD(mntns), .metavar = "PID|INODE", .min = 1,
	  .help = "the same for the mount namespace" },
	{ "user", 'u', OPTION_TEXTS, OPTIONS_TARGET, FIELD(users), .metavar = "USER",
	  .help = "processes of this user, by name or number",
	  .more = "Processes that execute a file as this user later are traced as well; one that becomes this user without "
	          "executing a file (setuid of a server's worker) is not: name it by -p of its parent, or by -n." },
	{ "all", .kind = OPTION_FLAG, .groups = OPTIONS_TARGET, FIELD(all),
	  .help = "every process of the machine",
	  .more = "Nothing else means the whole machine: a command without a target is an error." },
	{ "follow", .kind = OPTION_NEGATED, .groups = OPTIONS_TARGET, FIELD(no_follow), .fallback = "true",
	  .help = "leave the children of targets alone" },

	{ "list", 'l', OPTION_FLAG, OPTIONS_LIST, OPTION_ONLY_COMMAND_LINE, FIELD(list),
	  .help = "list what would be probed, and how, and stop",
	  .more = "What is refused is listed with the reason." },

	{ "min", .kind = OPTION_TIME, .groups = OPTIONS_FILTER, FIELD(min_ns), .metavar = "TIME",
	  .help = "only what took at least so long (5ms)",
	  .more = "Of calls it is decided in the kernel: what is shorter costs no event." },
	{ "where", .kind = OPTION_TEXT, .groups = OPTIONS_FILTER, FIELD(where), .metavar = "EXPR",
	  .help = "only what the expression holds for: 'arg1 > 4k && comm ~ \"nginx*\"'",
	  .more = "Comparisons (== != < <= > >=, and ~ for globs) of arg1 to arg9, ret, an argument's name, duration, pid, tid, "
	          "comm or uid with a number (0x2a, 4k, 5ms) or a \"string\", joined by && || ! and parentheses. What the kernel "
	          "can decide is decided there." },
	{ "limit", .kind = OPTION_NUMBER, .groups = OPTIONS_FILTER, FIELD(limit), .metavar = "N",
	  .help = "stop after N events" },
	{ "duration", .kind = OPTION_TIME, .groups = OPTIONS_CAPTURE, FIELD(duration_ns), .metavar = "TIME",
	  .help = "stop after this time (10s)",
	  .more = "The probes go; a command that utrace started runs on." },

	{ "path", .kind = OPTION_TEXT, .groups = OPTIONS_REQUESTS, FIELD(path), .metavar = "GLOB",
	  .help = "only requests whose path matches: '/api/*'" },
	{ "method", .kind = OPTION_TEXT, .groups = OPTIONS_REQUESTS, FIELD(method), .metavar = "GLOB",
	  .help = "only requests of this method: GET, 'P*'" },
	{ "status", .kind = OPTION_TEXT, .groups = OPTIONS_REQUESTS, FIELD(status), .metavar = "STATUS",
	  .help = "only requests that ended so: 404, 5xx, or error" },
	{ "port", .kind = OPTION_NUMBERS, .groups = OPTIONS_REQUESTS, FIELD(ports), .metavar = "PORT", .min = 1, .max = 65535,
	  .help = "only requests to this port of the server; several: --port 80,8080" },

	{ "depth", .kind = OPTION_NUMBER, .groups = OPTIONS_CALLS, FIELD(depth), .metavar = "N",
	  .help = "at most N calls deep; 1: the outermost only, 0: any depth" },
	{ "sample", .kind = OPTION_RATIO, .groups = OPTIONS_PROBES, FIELD(sample_one_in), .metavar = "1/N", .fallback = "1/1",
	  .help = "one of N outermost calls, with all calls inside it" },
	{ "args", .kind = OPTION_FLAG, .groups = OPTIONS_CALLS, FIELD(args), .fallback = "true",
	  .help = "neither arguments nor results: fewer bytes a call" },
	{ "exits", .kind = OPTION_WORD, .groups = OPTIONS_PROBES, FIELD(exits), .metavar = "HOW", .fallback = "auto",
	  .words = exits_words,
	  .help = "how the end of a call is seen: auto, return, sites or none",
	  .more = "return: return probes, cheap, but deadly to a program that unwinds its stack through them (C++ exceptions, "
	          "Rust panics, Go). sites: probes on the return instructions, dearer, harmless. none: entries only. auto: "
	          "return where nothing unwinds, else sites." },
	{ "string-bytes", .kind = OPTION_BYTES, .groups = OPTIONS_CAPTURE, FIELD(string_bytes), .metavar = "SIZE",
	  .fallback = "64", .min = 1, .max = STRING_MAX_BYTES,
	  .help = "how much of each string is kept" },

	{ "connections", .kind = OPTION_FLAG, .groups = OPTIONS_SOCKET, FIELD(connections),
	  .help = "show connections as they end, also those whose requests are shown" },
	{ "raw", .kind = OPTION_FLAG, .groups = OPTIONS_SOCKET, FIELD(raw),
	  .help = "each piece that was sent or received, with its bytes as they were",
	  .more = "Passwords, cookies and bodies are among them, on the screen and in a recording." },
	{ "capture", .kind = OPTION_BYTES, .groups = OPTIONS_SOCKET, FIELD(capture_bytes), .metavar = "SIZE",
	  .fallback = "512", .min = 1, .max = CAPTURE_MAX_BYTES,
	  .help = "how much is looked at of what one call sends or receives" },

	{ "stat", .kind = OPTION_FLAG, .groups = OPTIONS_TABLE, FIELD(stat),
	  .help = "a table of counts and times instead of single events" },
	{ "hist", .kind = OPTION_FLAG, .groups = OPTIONS_CALLS, FIELD(hist),
	  .help = "histograms of the times of calls, made in the kernel, instead of single calls" },
	{ "sort", .kind = OPTION_TEXT, .groups = OPTIONS_TABLE, FIELD(sort), .metavar = "KEY",
	  .help = "order of the table: the name of a column" },
	{ "columns", .kind = OPTION_TEXT, .groups = OPTIONS_TABLE, FIELD(columns), .metavar = "A,B,...",
	  .help = "which columns the table has" },

	{ "budget", .kind = OPTION_TEXT, .groups = OPTIONS_BUDGET, .traits = OPTION_ONLY_COMMAND_LINE, FIELD(budget), .metavar = "FILE",
	  .help = "what programs may cost (JSON); what FILE does not name keeps its own budget",
	  .more = "{\"PROGRAM\": {\"SHAPE\": {\"FIGURE\": NUMBER}}}: the figures are those of utrace explain program." },

	{ "json", .kind = OPTION_FLAG, .groups = OPTIONS_OUTPUT | OPTIONS_JSON, FIELD(json),
	  .help = "JSON instead of text",
	  .more = "One object a line; utrace explain tells what their fields mean." },
	{ "format", .kind = OPTION_TEXT, .groups = OPTIONS_FORMAT, FIELD(format), .metavar = "FORMAT",
	  .help = "how events are written (see Formats); else the suffix of -o FILE tells, else it is text",
	  .more = "--json is the same as --format json, which counts less than a format that is named." },
	{ "output", 'o', OPTION_TEXT, OPTIONS_OUTPUT, FIELD(output), .metavar = "FILE",
	  .help = "write to FILE; - is standard output",
	  .more = "With -- COMMAND, what utrace writes goes to standard error unless this says otherwise." },

	{ "export", .kind = OPTION_TEXTS, .groups = OPTIONS_EXPORT, FIELD(exports), .metavar = "URL",
	  .help = "send requests as spans, too: otlp+http://HOST, otlp+grpc://HOST, zipkin+http://HOST; otlp: as OTEL_* say",
	  .more = "Ports are 4318, 4317 and 9411 unless told; otlp+https, otlp+grpcs and zipkin+https have TLS and port 443. The variables "
	          "OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT, _COMPRESSION, _CERTIFICATE, _CLIENT_CERTIFICATE, _CLIENT_KEY, _PROTOCOL, "
	          "OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are heeded, but nothing is sent unless --export asks for it. A receiver that is "
	          "down or slow never holds up tracing: up to 8M wait in memory, and what is lost is counted." },
	{ "signals", .kind = OPTION_TEXT, .groups = OPTIONS_EXPORT, FIELD(signals), .metavar = "WORDS",
	  .help = "what is sent: traces, metrics, or both (traces,metrics), as is without it",
	  .more = "Metrics are http.server.request.duration and http.client.request.duration by service, method, route and status, as exponential "
	          "histograms, every minute (OTEL_METRIC_EXPORT_INTERVAL) and at the end." },
	{ "listen", .kind = OPTION_TEXT, .groups = OPTIONS_EXPORT, FIELD(listen), .metavar = "ADDR",
	  .help = "serve the same metrics to Prometheus at http://ADDR/metrics: 9464 (of loopback), HOST:PORT, :PORT",
	  .more = "Classic buckets as text, exemplars as OpenMetrics, native histograms where Prometheus asks for them." },
	{ "spool", .kind = OPTION_TEXT, .groups = OPTIONS_EXPORT, FIELD(spool), .metavar = "DIR",
	  .help = "keep in DIR what a receiver could not take, and send it in the next run" },
	{ "spool-size", .kind = OPTION_BYTES, .groups = OPTIONS_EXPORT, FIELD(spool_bytes), .metavar = "SIZE", .fallback = "256M", .min = 1 << 20,
	  .help = "how much of it, for each receiver" },

	{ "record", .kind = OPTION_TEXT, .groups = OPTIONS_RECORD, .traits = OPTION_ONLY_COMMAND_LINE, FIELD(record), .metavar = "FILE",
	  .help = "keep all that is seen in FILE, for utrace report",
	  .more = "What is written survives the end of utrace by kill -9 up to its last second; what a power cut can take is five." },
	{ "rotate", .kind = OPTION_TEXT, .groups = OPTIONS_RECORD, FIELD(rotate), .metavar = "SIZE|TIME",
	  .help = "go on in FILE.1, FILE.2 ... whenever a file is so large (100M) or so old (10m)",
	  .more = "utrace report FILE reads them all as one; each of them can be read alone, too." },
	{ "ring", .kind = OPTION_TEXT, .groups = OPTIONS_RECORD, FIELD(ring), .metavar = "SIZE|TIME",
	  .help = "keep the newest alone, in memory (200M, 5m), until --trigger saves it",
	  .more = "Later savings go to FILE.1, FILE.2 ... Without --trigger it is saved by SIGUSR2, or at the end." },
	{ "trigger", .kind = OPTION_TEXT, .groups = OPTIONS_RECORD, FIELD(trigger), .metavar = "EXPR|SIGUSR2",
	  .help = "save the ring when an event fits EXPR (duration > 100ms), or on the signal",
	  .more = "EXPR is that of --where." },

	{ "since", .kind = OPTION_TEXT, .groups = OPTIONS_REPORT, .traits = OPTION_ONLY_COMMAND_LINE, FIELD(since), .metavar = "TIME",
	  .help = "only what began at TIME or later: 14:02:11.5, 2026-11-21T14:02:11, or 10s after the beginning" },
	{ "until", .kind = OPTION_TEXT, .groups = OPTIONS_REPORT, .traits = OPTION_ONLY_COMMAND_LINE, FIELD(until), .metavar = "TIME",
	  .help = "only what began before TIME" },

	{ "reparse", .kind = OPTION_FLAG, .groups = OPTIONS_REPORT, .traits = OPTION_ONLY_COMMAND_LINE, FIELD(reparse),
	  .help = "make requests anew from the bytes in the recording, if it was made with them",
	  .more = "--raw keeps them. By the parsers of this utrace, which may know more than that which recorded." },

	{ "max-overhead", .kind = OPTION_SHARE, .groups = OPTIONS_TRACER, FIELD(max_overhead), .metavar = "SHARE",
	  .fallback = "auto",
	  .help = "detach from a target that pays more of its CPU time than this for probes (50%), or none",
	  .more = "auto: 50% for processes that utrace did not start, none for -- COMMAND." },
	{ "buffer", .kind = OPTION_BYTES, .groups = OPTIONS_TRACER, .traits = OPTION_POWER_OF_TWO, FIELD(buffer_bytes),
	  .metavar = "SIZE", .fallback = "16M", .min = 64 << 10, .max = 1 << 30,
	  .help = "memory between kernel and utrace; a larger one survives longer bursts",
	  .more = "A power of two. Events that find it full are counted and reported." },
	{ "max-threads", .kind = OPTION_NUMBER, .groups = OPTIONS_TRACER, FIELD(max_threads), .metavar = "N",
	  .fallback = "1024", .min = 1, .max = 1 << 20,
	  .help = "threads whose calls are followed at a time" },
	{ "max-probes", .kind = OPTION_NUMBER, .groups = OPTIONS_TRACER, FIELD(max_probes), .metavar = "N", .max = 1 << 20,
	  .help = "functions probed at most; 0: 50000, or 16 where the kernel attaches them one by one",
	  .more = "Kernels before 6.6 need about 0.2 s to detach each probe." },
	{ "btf", .kind = OPTION_TEXT, .groups = OPTIONS_TRACER, FIELD(btf), .metavar = "FILE",
	  .help = "the kernel's types, where the kernel itself does not have them",
	  .more = "A kernel without CONFIG_DEBUG_INFO_BTF (doctor says which) needs a file made from its debug information: "
	          "pahole -J --btf_encode_detached=FILE vmlinux. Else /sys/kernel/btf/vmlinux is used." },

	{ "color", .kind = OPTION_WORD, .groups = OPTIONS_GENERAL, FIELD(color), .metavar = "WHEN", .fallback = "auto",
	  .words = color_words,
	  .help = "auto, always or never",
	  .more = "auto: on a terminal, unless the variable NO_COLOR is set." },
	{ "quiet", 'q', OPTION_FLAG, OPTIONS_GENERAL, FIELD(quiet), .help = "nothing on standard error but errors" },
	{ "verbose", 'v', OPTION_FLAG, OPTIONS_GENERAL, FIELD(verbose), .help = "say what is done, and why" },
	{ "config", .kind = OPTION_TEXT, .groups = OPTIONS_GENERAL, .traits = OPTION_NOT_IN_FILE, FIELD(config),
	  .metavar = "FILE",
	  .help = "read settings from FILE (JSON)",
	  .more = "The environment counts more than the file, the command line more than both. utrace config generate writes "
	          "such a file." },
	{ "help", 'h', OPTION_ASK, .help = "this text" },
	{ "version", 'V', OPTION_ASK, .help = "the version of utrace" },
	{},
};
