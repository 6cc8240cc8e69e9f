#include "cmd/cmd.h"

#include "base/alloc.h"
#include "base/macro.h"
#include "cmd/doctor.h"

/* What stands where a command should, and asks for no command: --help, --version, or nothing at all. */
static int without_command(const char *word)
{
	_cleanup_(strbuf_done) struct strbuf out = {};
	if (!word || streq(word, "--help") || streq(word, "-h"))
		help_overview(&out);
	else if (streq(word, "--version") || streq(word, "-V"))
		version_text(&out);
	else
		return cmd_fail(EXIT_USAGE, "'%.80s' stands before the command; wanted: utrace COMMAND [TARGET] [WHAT] [OPTIONS]",
		                word);
	if (!word)
		doctor_here(&out);
	return cmd_print(&out);
}

int main(int argc, char **argv)
{
	alloc_init();
	if (argc < 2 || argv[1][0] == '-')
		return without_command(argc < 2 ? NULL : argv[1]);
	const struct cmd *cmd = cmd_find(argv[1]);
	return cmd ? cmd_main(cmd, argc - 2, argv + 2) : cmd_unknown(argv[1]);
}
