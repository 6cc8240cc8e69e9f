#include "export/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "record/crc32c.h"

#define MAGIC 0x31305053525455ull /* "UTRSP01" */
#define PARCEL_BYTES_MAX (64u << 20)

/* Before the body. Little-endian, as everything that utrace runs on. */
struct spool_head {
	uint64_t magic;
	uint64_t len;
	uint32_t items;
	uint32_t crc32c; /* of the body */
};
_Static_assert(sizeof(struct spool_head) == 24, "layout");

struct spooled {
	uint64_t number;
	uint64_t bytes;
	uint32_t items;
};

struct spool {
	int folder_fd;
	char *name;
	uint64_t max_bytes, bytes, items, damaged;
	struct spooled *files; /* the oldest first */
	size_t n, cap;
	uint64_t next;
};

DEFINE_CLEANUP(DIR *, closedir)

int spool_folder_open(const char *path, struct reason *why)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return reason_set(why, -errno, "--spool: '%.200s' cannot be made: %s", path, strerror(errno));
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return reason_set(why, -errno, "--spool: '%.200s' cannot be opened: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return reason_set(why, -errno, "--spool: another utrace uses '%.200s'; give each its own", path);
	return take_fd(fd);
}

static char *file_name(const struct spool *s, uint64_t number)
{
	return xasprintf("%s.%016" PRIx64, s->name, number);
}

static bool read_all(int fd, void *to, size_t len)
{
	size_t got = 0;
	for (ssize_t n; got < len && (n = read(fd, (char *)to + got, len - got)) > 0;)
		got += (size_t)n;
	return got == len;
}

static bool write_all(int fd, const void *from, size_t len)
{
	size_t put = 0;
	for (ssize_t n; put < len && (n = write(fd, (const char *)from + put, len - put)) > 0;)
		put += (size_t)n;
	return put == len;
}

static int open_file(const struct spool *s, uint64_t number, struct spool_head *ret)
{
	_cleanup_(free) char *name = file_name(s, number);
	_cleanup_(fd_close) int fd = openat(s->folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!read_all(fd, ret, sizeof(*ret)) || ret->magic != MAGIC || ret->len > PARCEL_BYTES_MAX)
		return -EBADMSG;
	return take_fd(fd);
}

static void forget(struct spool *s, size_t i)
{
	_cleanup_(free) char *name = file_name(s, s->files[i].number);
	unlinkat(s->folder_fd, name, 0);
	s->bytes -= s->files[i].bytes;
	s->items -= s->files[i].items;
	memmove(&s->files[i], &s->files[i + 1], (--s->n - i) * sizeof(*s->files));
}

static void note(struct spool *s, uint64_t number, const struct spool_head *head)
{
	GROW(s->files, s->n, s->cap);
	s->files[s->n++] = (struct spooled){ number, sizeof(*head) + head->len, head->items };
	s->bytes += sizeof(*head) + head->len;
	s->items += head->items;
	s->next = MAX(s->next, number + 1);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct spooled *)a)->number, y = ((const struct spooled *)b)->number;
	return x < y ? -1 : x > y;
}

/* What another run has left. */
static int look(struct spool *s)
{
	size_t len = strlen(s->name);
	_cleanup_(fd_close) int fd = openat(s->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedir) DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder)
		return -errno;
	fd = -1; /* the folder's own now */
	for (struct dirent *d; (d = readdir(folder));) {
		char *end;
		struct spool_head head;
		if (strncmp(d->d_name, s->name, len) != 0 || d->d_name[len] != '.' || strlen(d->d_name) != len + 17)
			continue;
		uint64_t number = strtoull(d->d_name + len + 1, &end, 16);
		_cleanup_(fd_close) int file = *end ? -1 : open_file(s, number, &head);
		if (file >= 0) {
			note(s, number, &head);
		} else if (!*end) {
			s->damaged++;
			unlinkat(s->folder_fd, d->d_name, 0);
		}
	}
	if (s->n)
		qsort(s->files, s->n, sizeof(*s->files), by_number);
	return 0;
}

int spool_new(struct spool **ret, int folder_fd, const char *name, uint64_t max_bytes, struct reason *why)
{
	_cleanup_(spool_free) struct spool *s = xcalloc(1, sizeof(*s));
	*s = (struct spool){ .folder_fd = folder_fd, .name = xstrdup(name), .max_bytes = max_bytes, .next = 1 };
	int r = look(s);
	if (r < 0)
		return reason_set(why, r, "--spool: it cannot be read: %s", strerror(-r));
	*ret = take_ptr(s);
	return 0;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	free(s->files);
	free(s->name);
	free(s);
}

int spool_put(struct spool *s, const struct parcel *p)
{
	struct spool_head head = { MAGIC, p->len, p->items, crc32c(p->body, p->len) };
	if (s->bytes + sizeof(head) + p->len > s->max_bytes)
		return -ENOSPC;
	_cleanup_(free) char *name = file_name(s, s->next), *part = xasprintf("%s.part", s->name);
	_cleanup_(fd_close) int fd = openat(s->folder_fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	errno = 0;
	if (!write_all(fd, &head, sizeof(head)) || !write_all(fd, p->body, p->len) || renameat(s->folder_fd, part, s->folder_fd, name) < 0) {
		int r = errno ? -errno : -EIO;
		unlinkat(s->folder_fd, part, 0);
		return r;
	}
	note(s, s->next, &head);
	return 0;
}

/* NULL: it is not whole. */
static struct parcel *read_file(const struct spool *s, uint64_t number)
{
	struct spool_head head;
	_cleanup_(fd_close) int fd = open_file(s, number, &head);
	if (fd < 0)
		return NULL;
	struct parcel *p = xmalloc(sizeof(*p) + head.len);
	*p = (struct parcel){ .items = head.items, .len = head.len, .spooled = number };
	if (read_all(fd, p->body, head.len) && crc32c(p->body, head.len) == head.crc32c)
		return p;
	free(p);
	return NULL;
}

struct parcel *spool_take(struct spool *s)
{
	while (s->n) {
		struct parcel *p = read_file(s, s->files[0].number);
		if (p)
			return p;
		s->damaged++;
		forget(s, 0);
	}
	return NULL;
}

void spool_remove(struct spool *s, uint64_t number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->files[i].number == number) {
			forget(s, i);
			return;
		}
}

uint64_t spool_items(const struct spool *s)
{
	return s->items;
}

uint64_t spool_damaged(const struct spool *s)
{
	return s->damaged;
}
