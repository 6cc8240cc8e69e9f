/* func: calls of functions, USDT probes and tracepoints. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/output.h"
#include "engine/engine.h"

static int func_run(const struct cmd *cmd, struct options *o)
{
	int r = cmd_check_words(cmd, o, o->from ? 0 : 1, SIZE_MAX);
	if (r == 0 && !o->list)
		r = cmd_check_target(cmd, o);
	if (r)
		return r;
	static const char *const families[] = { "func", NULL };
	return o->list ? func_list(cmd, o) : cmd_trace(cmd, o, families);
}

static const char *const examples[] = {
	"utrace func 'ngx_http_*' -n nginx", "the calls of every nginx, as a tree",
	"utrace func -p 812 'ngx_http_*' --min 1ms", "only calls of at least a millisecond",
	"utrace func --stat -n redis-server '*Command'", "a table of calls, counted in the kernel",
	"utrace func libc:malloc -- ls", "what ls allocates",
	"utrace func -l 'k:tcp_*'", "which functions of the kernel would be probed",
	NULL,
};

const struct cmd func_cmd = {
	.name = "func",
	.usage = "PATTERN... [TARGET] [OPTIONS]",
	.summary = "calls of functions as a nested tree, with time, arguments and results",
	.things = "calls of functions",
	.details = "PATTERN is [!][SPACE:][OBJECT:]GLOB. SPACE: u (native user code, the default), k (kernel), t (tracepoint, as in "
		   "t:sched:sched_switch), usdt (as in usdt:PROVIDER:NAME). OBJECT is a library or binary (libc, /usr/sbin/nginx); without "
		   "it the target's own executable is meant. '!' takes away what an earlier pattern has matched.\n\n"
		   "Durations and self times have the probes' own measured cost subtracted. With --stat and --hist calls are counted in "
		   "the kernel and nothing is copied for each.\n\n"
		   "Signs before a call: '...' it is still open, '?' its end was not seen (it was left by an exception or longjmp, or its "
		   "process ended), '!' events were lost just before it.",
	.groups = OPTIONS_GENERAL | OPTIONS_TARGET | OPTIONS_FILTER | OPTIONS_CALLS | OPTIONS_PROBES | OPTIONS_CAPTURE | OPTIONS_TABLE | OPTIONS_OUTPUT | OPTIONS_FORMAT | OPTIONS_RECORD | OPTIONS_LIST | OPTIONS_TRACER,
	.examples = examples,
	.run = func_run,
};
