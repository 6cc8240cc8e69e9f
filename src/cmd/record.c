/* record: runs another command and keeps what it sees, without showing it. */
#include "base/macro.h"
#include "cmd/cmd.h"

static int record_run(const struct cmd *cmd, struct options *o, int argc, char **argv)
{
	const struct cmd *other = argc ? cmd_find_traced(argv[0]) : NULL;
	if (!other)
		return cmd_usage(cmd, "record what? '%.80s' is no command that traces: utrace record -o FILE func ...", argc ? argv[0] : "");
	o->silent = true;
	return cmd_run_as(other, other->groups, o, argc - 1, argv + 1);
}

static const char *const examples[] = {
	"utrace record -o slow.utr func 'ngx_http_*' -n nginx", "the calls of every nginx, until Ctrl-C",
	"utrace report slow.utr", "shown as it was recorded",
	"utrace report slow.utr func --stat", "the same calls as a table",
	"utrace record -o ring.utr --ring 200M --trigger 'duration > 1s' sys -n postgres", "what led to a system call of a second",
	NULL,
};

const struct cmd record_cmd = {
	.name = "record",
	.usage = "-o FILE [OPTIONS] COMMAND ...",
	.summary = "keep what another command sees in a file",
	.details = "COMMAND is func, sys or req, with its own words and options, as if it were typed without record. FILE holds what was seen and "
		   "every name that is needed to read it: utrace report shows it on any machine, also when the programs are gone.",
	.groups = OPTIONS_GENERAL | OPTIONS_OUTPUT | OPTIONS_RECORD,
	.examples = examples,
	.run_other = record_run,
};
