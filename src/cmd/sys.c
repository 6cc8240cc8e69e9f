/* sys: system calls, decoded. */
#include <stdint.h>

#include "cmd/cmd.h"
#include "cmd/output.h"
#include "engine/engine.h"
#include "probe/syscall/syscall.h"

/* "openat(dirfd, pathname, flags, mode)" */
static void add_signature(struct strbuf *out, const struct syscall_row *row)
{
	strbuf_addf(out, "%s(", row->name);
	for (unsigned i = 0; i < syscall_n_args(row); i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", row->arg[i].name);
	strbuf_adds(out, ")\n");
}

static int sys_list(const bool *chosen)
{
	_cleanup_(strbuf_done) struct strbuf out = {};
	for (long nr = 0; nr < SYSCALL_MAX_NR; nr++) {
		const struct syscall_row *row = chosen[nr] ? syscall_by_number(SYSCALL_ARCH_HERE, nr) : NULL;
		if (row)
			add_signature(&out, row);
	}
	return cmd_print(&out);
}

static int sys_run(const struct cmd *cmd, struct options *o)
{
	bool chosen[SYSCALL_MAX_NR];
	struct reason why = {};
	if (syscall_choose(chosen, o->patterns.items, o->patterns.n, &why) < 0)
		return cmd_usage(cmd, "%s", why.text);
	if (o->list)
		return sys_list(chosen);
	int r = cmd_check_target(cmd, o);
	static const char *const families[] = { "syscall", NULL };
	return r ? r : cmd_trace(cmd, o, families);
}

static const char *const examples[] = {
	"utrace sys -n nginx", "every system call of every nginx",
	"utrace sys openat 'stat*' -- ls", "which files ls looks at",
	"utrace sys --min 10ms -p 812", "what a process waits for",
	"utrace sys --stat -n redis-server", "a table of calls, errors and times, counted in the kernel",
	"utrace sys '!futex' '!clock_*' -n java", "all but these",
	NULL,
};

const struct cmd sys_cmd = {
	.name = "sys",
	.usage = "[CALL...] [TARGET] [OPTIONS]",
	.summary = "system calls with decoded arguments, results and durations",
	.things = "system calls",
	.details = "CALL is a name or a glob, or several joined by commas; '!' in front takes away from those before it, or from all. Without one every system call is "
		   "shown. A call is shown when it ends; one that does not return, or is still open at the end, with '= ?'.\n\n"
		   "Arguments are written as strace writes them. Memory is read without waiting for the disk: what is paged out is shown as "
		   "its address. With --stat and --hist calls are counted in the kernel and nothing is copied for each.",
	.groups = OPTIONS_GENERAL | OPTIONS_TARGET | OPTIONS_FILTER | OPTIONS_CAPTURE | OPTIONS_TABLE | OPTIONS_OUTPUT | OPTIONS_FORMAT | OPTIONS_RECORD | OPTIONS_LIST | OPTIONS_TRACER,
	.examples = examples,
	.run = sys_run,
};
