/* req: requests as they end. */
#include <string.h>

#include "base/macro.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "engine/engine.h"

/* 404, 5xx, 40x, error */
static bool is_status(const char *text)
{
	if (!text || streq(text, "error"))
		return true;
	return strlen(text) == 3 && strchr("12345", text[0]) && strspn(text + 1, "0123456789xX") == 2;
}

static int req_run(const struct cmd *cmd, struct options *o)
{
	int r = cmd_check_words(cmd, o, 0, 0);
	if (r == 0 && !is_status(o->status))
		return cmd_usage(cmd, "--status: '%.80s' is none (404, 5xx, or error)", o->status);
	if (r == 0)
		r = cmd_check_target(cmd, o);
	static const char *const families[] = { "sock", "tls", NULL };
	return r ? r : cmd_trace(cmd, o, families);
}

static const char *const examples[] = {
	"utrace req -n nginx", "the requests of every nginx, one line each, as they end",
	"utrace req --min 100ms --status 5xx -n gunicorn", "the slow ones that failed",
	"utrace req --stat --duration 10s -n nginx", "requests, errors and times by route",
	"utrace req -- curl http://localhost/", "what a client asks",
	"utrace req --export otlp+http://localhost -n nginx", "to the OpenTelemetry Collector, Jaeger, Tempo ... of this machine as well",
	NULL,
};

const struct cmd req_cmd = {
	.name = "req",
	.usage = "[TARGET] [OPTIONS]",
	.summary = "requests as they end: method, route, status, time, bytes, peer",
	.things = "requests",
	.details = "HTTP/1 over TCP and Unix sockets, in plain text or TLS, of servers and of clients, recognised by what they say and not by their port. Connections that "
		   "are open already are joined at their next request. Paths are shown as routes: what looks like an identifier in them is "
		   "{id}, {uuid}, {hash} or {date}; queries, headers and bodies are not kept.\n\n"
		   "The time is from the first byte of the request to the last of its answer, at the process' own calls. With --stat the same "
		   "requests are counted by method and route, as they end: it saves lines, not work.",
	.groups = OPTIONS_GENERAL | OPTIONS_TARGET | OPTIONS_FILTER | OPTIONS_REQUESTS | OPTIONS_SOCKET | OPTIONS_CAPTURE | OPTIONS_TABLE | OPTIONS_OUTPUT | OPTIONS_FORMAT |
		  OPTIONS_EXPORT | OPTIONS_RECORD | OPTIONS_TRACER,
	.examples = examples,
	.run = req_run,
};
