#include "probe/binary.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/macro.h"

static void free_binary(struct binary *b)
{
	for (size_t i = 0; i < b->n_targets; i++)
		free(b->targets[i].returns);
	free(b->targets);
	arena_done(&b->names);
	elf_close(b->elf);
	if (b->fd >= 0)
		close(b->fd);
	free(b->path);
	free(b);
}

void binaries_done(struct binaries *b)
{
	for (size_t i = 0; i < b->n; i++)
		free_binary(b->items[i]);
	free(b->items);
	*b = (struct binaries){};
}

static struct binary *add(struct binaries *all, int fd, const char *path, uint64_t dev, uint64_t inode)
{
	struct binary *b = xcalloc(1, sizeof(*b));
	*b = (struct binary){ .dev = dev, .inode = inode, .fd = fd, .path = xstrdup(path) };
	const char *slash = strrchr(b->path, '/');
	b->name = slash ? slash + 1 : b->path;
	if (elf_open_fd(&b->elf, fd, path, NULL) == 0) {
		b->has_unwinder = elf_has_unwinder(b->elf);
		b->is_go = elf_has_section(b->elf, ".gopclntab") || elf_has_section(b->elf, ".go.buildinfo");
		elf_forget(b->elf);
		b->is_v8 = strncmp(b->name, "node", 4) == 0 || strncmp(b->name, "libnode", 7) == 0 || strstr(b->name, "v8");
	}
	GROW(all->items, all->n, all->cap);
	return all->items[all->n++] = b;
}

static struct binary *find(const struct binaries *all, uint64_t dev, uint64_t inode)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i]->dev == dev && all->items[i]->inode == inode)
			return all->items[i];
	return NULL;
}

struct binary *binaries_get(struct binaries *all, pid_t pid, const struct mapping *m)
{
	struct binary *b = find(all, m->dev, m->inode);
	if (b)
		return b;
	int fd = proc_open_mapping(pid, m);
	return fd < 0 ? NULL : add(all, fd, m->path, m->dev, m->inode);
}

struct binary *binaries_open(struct binaries *all, const char *path, struct reason *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		reason_set(why, -errno, "'%s' cannot be read: %s", path, strerror(errno));
		return NULL;
	}
	uint64_t dev = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev);
	struct binary *b = find(all, dev, st.st_ino);
	if (b) {
		close(fd);
		return b;
	}
	b = add(all, fd, path, dev, st.st_ino);
	if (!b->elf) {
		struct elf *elf;
		elf_open_fd(&elf, fd, path, why);
		return NULL;
	}
	return b;
}

bool binary_forbids_return_probes(const struct binary *b)
{
	return b->has_unwinder || b->is_go || b->is_v8;
}

/*
 * Functions that return twice, the second time to an address that they took off the stack the first time: a hijacked one is
 * a trampoline that the kernel has by then forgotten, and the program ends by SIGILL.
 */
static const char *const return_twice[] = { "setjmp", "_setjmp", "__setjmp", "sigsetjmp", "__sigsetjmp", "savectx", "getcontext",
					    "__getcontext", "swapcontext", "__swapcontext" };

/* The address in the file at which the kernel starts it; what lies on the stack there is argc, not a return address. */
static uint64_t start_of(const struct binary *b)
{
	struct slice head = elf_bytes(b->elf, 0, sizeof(Elf64_Ehdr));
	Elf64_Ehdr ehdr;
	if (head.len < sizeof(ehdr) || head.data[EI_CLASS] != ELFCLASS64)
		return 0;
	memcpy(&ehdr, head.data, sizeof(ehdr));
	return ehdr.e_entry;
}

bool binary_needs_return_address(const struct binary *b, const struct func_target *t)
{
	if (t->func.addr == start_of(b))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(return_twice); i++)
		if (streq(t->func.linkage_name, return_twice[i]))
			return true;
	return false;
}

void binary_find_returns(struct binary *b, struct func_target *t)
{
	struct site sites[64];
	size_t n = 0;
	if (t->returns || t->returns_refused != SITE_OK)
		return;
	if (t->func.size == 0) {
		t->returns_refused = SITE_NO_SIZE;
		return;
	}
	struct slice code = elf_bytes(b->elf, t->func.offset, t->func.size);
	t->returns_refused = site_returns(code, sites, ARRAY_SIZE(sites), &n);
	if (t->returns_refused != SITE_OK)
		return;
	_cleanup_(free) struct site *many = n > ARRAY_SIZE(sites) ? xcalloc(n, sizeof(*many)) : NULL;
	if (many)
		site_returns(code, many, n, &n);
	t->returns = xcalloc(n, sizeof(*t->returns));
	for (size_t i = 0; i < n; i++)
		t->returns[i] = t->func.offset + (many ? many[i] : sites[i]).offset;
	t->n_returns = n;
}
