#include "sym/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macro.h"

#define TEXT_MAX_BYTES (256u << 20)

struct kallsyms {
	char *text; /* the file; names are parts of it, made to end where they end */
	struct kernel_func *funcs;
	size_t n, cap;
};

static int read_text(char **ret, int fd)
{
	_cleanup_(free) char *text = NULL;
	size_t len = 0, cap = 0;
	ssize_t n;
	do {
		if (cap - len < 2) {
			cap = cap ? cap * 2 : 1u << 20;
			text = xrealloc(text, cap);
		}
		n = read(fd, text + len, cap - len - 1);
		if (n < 0)
			return -errno;
		len += (size_t)n;
	} while (n > 0 && len < TEXT_MAX_BYTES);
	text[len] = '\0';
	*ret = take_ptr(text);
	return 0;
}

/* "ffffffffc0a01000 t nf_nat_init\t[nf_nat]": cuts @line up. False: not a function of the kernel. */
static bool parse_line(char *line, struct kernel_func *ret)
{
	char *end;
	ret->addr = strtoull(line, &end, 16);
	if (end == line || end[0] != ' ' || !end[1] || !strchr("tTwW", end[1]) || end[2] != ' ')
		return false;
	char *name = end + 3, *module = strpbrk(name, " \t");
	ret->name = name;
	ret->module = "kernel";
	if (module && module[1] == '[') {
		*module = '\0';
		module[1 + strcspn(module + 1, "]")] = '\0';
		ret->module = module + 2;
	}
	return *name && strncmp(name, "__pfx_", 6) != 0 && strncmp(name, "__cfi_", 6) != 0 && !streq(ret->module, "bpf") &&
	       strncmp(ret->module, "__builtin__", 11) != 0;
}

static int by_name(const void *a, const void *b)
{
	const struct kernel_func *x = a, *y = b;
	return strcmp(x->name, y->name) ?: strcmp(x->module, y->module) ?: (x->addr > y->addr) - (x->addr < y->addr);
}

static void parse(struct kallsyms *k)
{
	for (char *line = k->text, *next; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		GROW(k->funcs, k->n, k->cap);
		if (parse_line(line, &k->funcs[k->n]))
			k->n++;
	}
	if (k->n)
		qsort(k->funcs, k->n, sizeof(*k->funcs), by_name);
}

int kallsyms_new_from(struct kallsyms **ret, const char *path, struct reason *why)
{
	_cleanup_(kallsyms_free) struct kallsyms *k = xcalloc(1, sizeof(*k));
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : read_text(&k->text, fd);
	if (r < 0)
		return reason_set(why, r, "cannot read %s: %s", path, strerror(-r));
	parse(k);
	if (!k->n)
		return reason_set(why, -ENOENT, "%s lists no function; was the kernel built with CONFIG_KALLSYMS?", path);
	*ret = take_ptr(k);
	return 0;
}

int kallsyms_new(struct kallsyms **ret, struct reason *why)
{
	return kallsyms_new_from(ret, "/proc/kallsyms", why);
}

void kallsyms_free(struct kallsyms *k)
{
	if (!k)
		return;
	free(k->text);
	free(k->funcs);
	free(k);
}

size_t kallsyms_functions(const struct kallsyms *k, const struct kernel_func **ret)
{
	*ret = k->funcs;
	return k->n;
}
