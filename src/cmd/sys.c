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

static int sys_list(const struct cmd *cmd, const struct options *o)
{
	_cleanup_(strbuf_done) struct strbuf out = {};
	const struct syscall_row *rows[SYSCALL_MAX_NR];
	for (size_t i = 0; i < o->patterns.n || (i == 0 && !o->patterns.n); i++) {
		const char *glob = o->patterns.n ? o->patterns.items[i] : "*";
		size_t n = syscall_match(SYSCALL_ARCH_HERE, glob, rows);
		if (n == 0)
			return cmd_fail(EXIT_FAILED, "no system call is called '%.80s' (list them: utrace sys -l)", glob);
		for (size_t k = 0; k < n; k++)
			add_signature(&out, rows[k]);
	}
	return cmd_print(&out);
}

static int sys_run(const struct cmd *cmd, struct options *o)
{
	int r = o->list ? 0 : cmd_check_target(cmd, o);
	if (r)
		return r;
	static const char *const families[] = { "syscall", NULL };
	return o->list ? sys_list(cmd, o) : cmd_trace(cmd, o, families);
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
	.details = "CALL is a name or a glob; '!' in front takes away from those before it, or from all. Without one every system call is "
		   "shown. A call is shown when it ends; one that does not return, or is still open at the end, with '= ?'.\n\n"
		   "Arguments are written as strace writes them. Memory is read without waiting for the disk: what is paged out is shown as "
		   "its address. With --stat calls are counted in the kernel and nothing is copied for each.",
	.groups = OPTIONS_GENERAL | OPTIONS_TARGET | OPTIONS_FILTER | OPTIONS_TABLE | OPTIONS_OUTPUT | OPTIONS_LIST | OPTIONS_TRACER,
	.examples = examples,
	.run = sys_run,
};
