#include "record/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "record/chunk.h"
#include "record/crc32c.h"

int store_init(struct store *s, const char *path, struct slice meta, struct slice layout)
{
	*s = (struct store){
		.path = xstrdup(path),
		.meta = xstrndup(meta.len ? meta.data : "", meta.len),
		.meta_len = meta.len,
		.layout = xmalloc(layout.len + 1),
		.layout_len = layout.len,
		.fd = -1,
		.zstd = ZSTD_createCCtx(),
	};
	if (layout.len)
		memcpy(s->layout, layout.data, layout.len);
	return s->zstd ? 0 : -ENOMEM;
}

void store_done(struct store *s)
{
	if (s->fd >= 0)
		close(s->fd);
	ZSTD_freeCCtx(s->zstd);
	strbuf_done(&s->sealed);
	free(s->index);
	free(s->layout);
	free(s->meta);
	free(s->path);
}

static int write_at(int fd, const char *bytes, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* All or nothing: what could not be written whole is cut off again. */
static int append(struct store *s, const void *bytes, size_t len)
{
	if (s->error)
		return s->error;
	int r = write_at(s->fd, bytes, len, s->offset);
	if (r < 0) {
		if (ftruncate(s->fd, (off_t)s->offset) < 0)
			r = -errno;
		return s->error = r;
	}
	s->offset += len;
	s->bytes += len;
	if (!s->dirty_ns)
		s->dirty_ns = clock_monotonic_ns();
	return 0;
}

static void remember(struct store *s, const struct record_chunk_header *h)
{
	GROW(s->index, s->n_index, s->cap_index);
	s->index[s->n_index++] = (struct record_index_entry){
		.offset = s->offset,
		.first_ns = h->first_ns,
		.last_ns = h->last_ns,
		.n_records = h->n_records,
		.kind = h->kind,
		.flags = h->flags,
	};
}

int store_chunk(struct store *s, struct strbuf *sealed)
{
	struct record_chunk_header h;
	memcpy(&h, sealed->data, sizeof(h));
	chunk_number(sealed, s->number);
	remember(s, &h);
	int r = append(s, sealed->data, sealed->len);
	if (r < 0) {
		s->n_index--;
		return r;
	}
	s->number++;
	s->records += h.kind == RECORD_RECORDS ? h.n_records : 0;
	return 0;
}

static int store_bytes(struct store *s, uint8_t kind, struct slice raw)
{
	chunk_seal(s->zstd, &(struct record_chunk_header){ .kind = kind }, raw, &s->sealed);
	return store_chunk(s, &s->sealed);
}

/* O_NONBLOCK: a FIFO that nobody reads is an error at once; it does nothing to a file. */
static int create(const char *path, int *ret_fd, struct reason *why)
{
	_cleanup_(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0)
		return reason_set(why, -errno, "cannot create the recording %s: %s", path, strerror(errno));
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return reason_set(why, -EINVAL, "%s is not a regular file: a recording is written to one", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) /* until it is closed: two that write one file spoil it */
		return reason_set(why, -EBUSY, "another utrace is writing the recording %s", path);
	if (ftruncate(fd, 0) < 0)
		return reason_set(why, -errno, "cannot empty %s: %s", path, strerror(errno));
	if (fchmod(fd, 0600) < 0) /* an old one may be open to others */
		return reason_set(why, -errno, "cannot make %s readable by its owner alone: %s", path, strerror(errno));
	*ret_fd = take_fd(fd);
	return 0;
}

static int file_header(struct store *s)
{
	struct record_file_header h = {
		.version = RECORD_VERSION,
		.header_bytes = sizeof(h),
		.segment = s->segment,
		.created_ns = clock_ns(CLOCK_REALTIME),
	};
	memcpy(h.magic, RECORD_FILE_MAGIC, sizeof(h.magic));
	memcpy(h.id, s->id, sizeof(h.id));
	h.crc32c = crc32c(&h, offsetof(struct record_file_header, crc32c));
	return append(s, &h, sizeof(h));
}

static int new_id(struct store *s)
{
	s->segment = 0;
	s->number = 0;
	return getrandom(s->id, sizeof(s->id), 0) == sizeof(s->id) ? 0 : -EIO;
}

static int begin(struct store *s, bool anew, const char *path, struct reason *why)
{
	int r = anew ? new_id(s) : 0;
	if (r < 0)
		return r;
	r = create(path, &s->fd, why);
	if (r < 0)
		return r;
	s->offset = 0;
	s->n_index = 0;
	s->files++;
	r = file_header(s);
	if (r == 0)
		r = store_bytes(s, RECORD_META, (struct slice){ s->meta, s->meta_len });
	if (r == 0)
		r = store_bytes(s, RECORD_LAYOUT, (struct slice){ s->layout, s->layout_len });
	s->segment++;
	return r < 0 ? reason_set(why, r, "cannot write the recording %s: %s", path, strerror(-r)) : 0;
}

static char *partial_path(const struct store *s)
{
	return xasprintf("%s.partial", s->path);
}

int store_keep(const struct store *s)
{
	_cleanup_(free) char *partial = partial_path(s);
	return rename(partial, s->path) < 0 ? -errno : 0;
}

/* What has the name now: nothing, or a file that nobody writes. */
static int check_former(const char *path, struct reason *why)
{
	struct stat st;
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return reason_set(why, -EINVAL, "%s is not a regular file: a recording is written to one", path);
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return reason_set(why, -EBUSY, "another utrace is writing the recording %s", path);
	return 0;
}

int store_begin(struct store *s, bool anew, struct reason *why)
{
	if (s->error)
		return s->error;
	_cleanup_(free) char *path = s->files ? xasprintf("%s.%u", s->path, s->files) : s->is_partial ? partial_path(s) : xstrdup(s->path);
	if (s->is_partial && !s->files)
		s->error = check_former(s->path, why);
	return s->error ? s->error : (s->error = begin(s, anew || !s->files, path, why));
}

bool store_is_full(const struct store *s)
{
	return s->n_index >= STORE_MAX_CHUNKS;
}

int store_sync(struct store *s)
{
	if (s->error || s->fd < 0 || !s->dirty_ns)
		return s->error;
	s->dirty_ns = 0;
	return s->error = fdatasync(s->fd) < 0 ? -errno : 0;
}

static int end(struct store *s)
{
	struct record_footer f = { .index_offset = s->offset, .magic = RECORD_FOOTER_MAGIC };
	f.crc32c = crc32c(&f, offsetof(struct record_footer, crc32c));
	int r = store_bytes(s, RECORD_INDEX, (struct slice){ (const char *)s->index, s->n_index * sizeof(*s->index) });
	if (r == 0)
		r = append(s, &f, sizeof(f));
	return r == 0 ? store_sync(s) : r;
}

int store_finish(struct store *s)
{
	if (s->fd < 0)
		return s->error;
	int r = s->error ? s->error : end(s);
	int fd = take_fd(s->fd);
	if (close(fd) < 0 && r == 0)
		r = s->error = -errno;
	return r;
}
