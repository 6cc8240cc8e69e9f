/* func -l: what would be probed, where it is written, by which mechanism; and what is refused, and why. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "cmd/output.h"
#include "engine/targets.h"
#include "probe/func/list.h"
#include "shape/where.h"
#include "sys/proc.h"

static void print_row(void *arg, const struct func_listed *row)
{
	struct strbuf *out = arg;
	size_t start = out->len;
	strbuf_addf(out, "%s:%s:%s", row->space, row->module, row->name);
	strbuf_pad(out, ' ', out->len - start < 56 ? 56 - (out->len - start) : 1);
	if (row->mechanism)
		strbuf_adds(out, row->mechanism);
	else
		strbuf_addf(out, "refused: %s", row->refused);
	if (row->file)
		strbuf_addf(out, "  %s:%u", row->file, row->line);
	strbuf_addc(out, '\n');
}

/* The file that a command would execute: as execvp finds it. */
static char *find_command(const char *name)
{
	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
	const char *path = getenv("PATH");
	for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
		size_t len = strcspn(at, ":");
		char *full = xasprintf("%.*s/%s", (int)len, at, name);
		if (access(full, X_OK) == 0)
			return full;
		free(full);
		at += len + (at[len] == ':');
	}
	return NULL;
}

struct files {
	char **items;
	size_t n, cap;
};

static void files_done(struct files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->items[i]);
	free(f->items);
}
DEFINE_CLEANUP_IN_PLACE(struct files, files_done)

static void files_add(struct files *f, char *path)
{
	GROW(f->items, f->n, f->cap);
	f->items[f->n++] = path;
}

/* Files that need no process: -e, the command, and objects given as paths (/usr/lib/libx.so:*). */
static int named_files(const struct options *o, struct files *ret, struct reason *why)
{
	for (size_t i = 0; i < o->executables.n; i++)
		files_add(ret, xstrdup(o->executables.items[i]));
	if (o->command) {
		char *path = find_command(o->command[0]);
		if (!path)
			return reason_set(why, -ENOENT, "'%s' cannot be executed: not found", o->command[0]);
		files_add(ret, path);
	}
	for (size_t i = 0; i < o->patterns.n; i++) {
		const char *slash = strchr(o->patterns.items[i], '/');
		const char *colon = slash ? strrchr(slash, ':') : NULL;
		if (colon && !strpbrk(slash, "*?["))
			files_add(ret, xstrndup(slash, (size_t)(colon - slash)));
	}
	return 0;
}

static int processes(const struct options *o, pid_t **ret, size_t *ret_n, struct reason *why)
{
	_cleanup_(targets_done) struct targets t;
	bool by_process = o->pids.n || o->names.n || o->users.n || o->cgroups.n || o->pidns.n || o->netns.n || o->mntns.n || o->all;
	int r = targets_init(&t, o, why);
	if (r < 0 || !by_process)
		return r;
	pid_t *all;
	size_t n = 0;
	r = proc_all(&all, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (targets_match(&t, all[i], NULL))
			all[(*ret_n)++] = all[i];
	*ret = all;
	return r == 0 && *ret_n == 0 ? reason_set(why, -ESRCH, "no process fits what was asked") : r;
}

/* Which part of --where the kernel decides, and which is left to user space. */
static int describe_where(const struct options *o, struct strbuf *out, struct reason *why)
{
	_cleanup_(where_free) struct where *where = NULL;
	int r = o->where ? where_new(&where, "--where", o->where, why) : 0;
	if (r == 0 && where) {
		strbuf_adds(out, "where, decided in the ");
		where_describe(where, out);
		strbuf_addc(out, '\n');
	}
	return r;
}

/* Is there a pattern that asks for a file: any but those of the kernel's functions and tracepoints? */
static bool asks_for_files(const struct options *o)
{
	for (size_t i = 0; i < o->patterns.n; i++) {
		const char *p = o->patterns.items[i] + (o->patterns.items[i][0] == '!');
		if (strncmp(p, "k:", 2) != 0 && strncmp(p, "t:", 2) != 0)
			return true;
	}
	return false;
}

int func_list(const struct cmd *cmd, const struct options *o)
{
	_cleanup_(files_done) struct files files = {};
	_cleanup_(free) pid_t *pids = NULL;
	_cleanup_(strbuf_done) struct strbuf out = {};
	size_t n = 0;
	struct reason why = {};
	int r = named_files(o, &files, &why);
	if (r == 0 && files.n == 0 && asks_for_files(o) && cmd_check_target(cmd, o))
		return EXIT_USAGE;
	if (r == 0)
		r = processes(o, &pids, &n, &why);
	if (r == 0)
		r = describe_where(o, &out, &why);
	if (r == 0)
		r = func_list_matches(o, pids, n, (const char *const *)files.items, files.n, print_row, &out, &why);
	if (r == -EINVAL)
		return cmd_usage(cmd, "%s", why.text);
	if (r < 0)
		return cmd_fail(EXIT_FAILED, "%s%s", why.text[0] ? why.text : strerror(-r),
				r == -ENXIO && n == 0 ? "; nothing is started for -l: a library is named by its path, or is one of a process that runs (-p)" : "");
	return cmd_print(&out);
}
