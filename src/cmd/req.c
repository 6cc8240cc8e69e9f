/* req: what programs say to each other over sockets. */
#include "cmd/cmd.h"
#include "cmd/output.h"

static int req_run(const struct cmd *cmd, struct options *o)
{
	static const char *const families[] = { "sock", NULL };
	int r = cmd_check_words(cmd, o, 0, 0);
	if (r == 0)
		r = cmd_check_target(cmd, o);
	return r ? r : cmd_trace(cmd, o, families);
}

static const char *const examples[] = {
	"utrace req -n nginx", "every connection of every nginx, as it ends",
	"utrace req --raw -p 812", "and what passes on it",
	NULL,
};

const struct cmd req_cmd = {
	.name = "req",
	.usage = "[TARGET] [OPTIONS]",
	.summary = "connections over TCP and Unix stream sockets, as they end",
	.details = "A line is a connection: how long it lasted, bytes received and sent, its own address and the other's, how it ended. Connections "
		   "that were open before count from when they are seen first.",
	.groups = OPTIONS_GENERAL | OPTIONS_TARGET | OPTIONS_FILTER | OPTIONS_SOCKET | OPTIONS_OUTPUT | OPTIONS_FORMAT | OPTIONS_RECORD | OPTIONS_TRACER,
	.hidden = true, /* until requests are seen as well */
	.examples = examples,
	.run = req_run,
};
