#include "record/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "record/chunk.h"

#define SEARCH_BYTES (64 * 1024u) /* at a time, behind damage */

/* The bytes that there are: fewer than @len at the end of the file. */
static ssize_t read_at(const struct segment *s, void *to, size_t len, uint64_t at)
{
	size_t done = 0;
	len = at < s->size ? MIN((uint64_t)len, s->size - at) : 0;
	while (done < len) {
		ssize_t n = pread(s->fd, (char *)to + done, len - done, (off_t)(at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* --- beginning and end --- */

static int read_head(struct segment *s, const char *path, struct reason *why)
{
	char bytes[RECORD_HEADER_MAX_BYTES];
	ssize_t n = read_at(s, bytes, sizeof(bytes), 0);
	if (n < 0)
		return reason_set(why, (int)n, "cannot read %s: %s", path, strerror((int)-n));
	if (n < (ssize_t)sizeof(s->head))
		return reason_set(why, -ENODATA, "%s is not a recording of utrace: it is too short", path);
	if (memcmp(bytes, RECORD_FILE_MAGIC, sizeof(s->head.magic)) != 0)
		return reason_set(why, -EBADMSG, "%s is not a recording of utrace", path);
	memcpy(&s->head, bytes, sizeof(s->head));
	uint16_t header_bytes = s->head.header_bytes;
	if (header_bytes < sizeof(s->head) || header_bytes > n || !record_header_sum_holds(bytes, header_bytes))
		return reason_set(why, -EBADMSG, "%s: its first bytes are damaged: it cannot be read", path);
	if (s->head.version > RECORD_VERSION)
		return reason_set(why, -ENOTSUP, "%s is of version %u, this utrace reads recordings up to version %u: read it with a later one",
				  path, s->head.version, RECORD_VERSION);
	return 0;
}

static void read_footer(struct segment *s)
{
	struct record_footer f;
	if (s->size < sizeof(f) || read_at(s, &f, sizeof(f), s->size - sizeof(f)) != sizeof(f))
		return;
	/* The checksum is not the last field here: the magic is, so that it is found from the end. */
	s->closed = f.magic == RECORD_FOOTER_MAGIC && record_header_sum_holds(&f, sizeof(f) - sizeof(f.magic));
	s->index_offset = f.index_offset;
}

int segment_open(struct segment *s, const char *path, struct reason *why)
{
	_cleanup_(segment_done) struct segment new = { .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) };
	struct stat st;
	if (new.fd < 0 || fstat(new.fd, &st) < 0)
		return reason_set(why, -errno, "cannot open the recording %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return reason_set(why, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, "%s is not a regular file: a recording is one", path);
	new.size = (uint64_t)st.st_size;
	int r = read_head(&new, path, why);
	if (r < 0)
		return r;
	read_footer(&new);
	*s = new;
	new.fd = -1;
	return 0;
}

void segment_done(struct segment *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* --- chunks --- */

static bool whole_chunk(const struct segment *s, const char *bytes, size_t len, uint64_t at, struct record_chunk_header *ret)
{
	struct record_chunk_header h;
	if (chunk_header_read(bytes, len, &h) < 0 || chunk_end(at, &h) > s->size)
		return false;
	*ret = h;
	return true;
}

/*
 * Looks through @len bytes that begin at @at for a whole chunk. True: @ret_used is where, in them; else it is how many of
 * them need not be looked at again. Every byte is looked at a bounded number of times, whatever they are.
 */
static bool search(const struct segment *s, const char *bytes, size_t len, uint64_t at, size_t *ret_used, struct record_chunk_header *ret)
{
	static const uint32_t magic = RECORD_CHUNK_MAGIC;
	bool last = at + len >= s->size;
	size_t from = 0;
	for (;;) {
		const char *found = memmem(bytes + from, len - from, &magic, sizeof(magic));
		*ret_used = found ? (size_t)(found - bytes) : len - MIN(len - from, sizeof(magic) - 1);
		if (!found || (!last && len - *ret_used < RECORD_HEADER_MAX_BYTES))
			return false;
		if (whole_chunk(s, found, len - *ret_used, at + *ret_used, ret))
			return true;
		from = *ret_used + 1;
	}
}

static int resynchronise(const struct segment *s, uint64_t *at, struct record_chunk_header *ret)
{
	char bytes[SEARCH_BYTES];
	uint64_t from = *at;
	for (;;) {
		ssize_t n = read_at(s, bytes, sizeof(bytes), from);
		size_t used;
		if (n <= 0)
			return (int)n;
		bool found = search(s, bytes, (size_t)n, from, &used, ret);
		from += used;
		if (found)
			*at = from;
		if (found || n < (ssize_t)sizeof(bytes))
			return found;
	}
}

int segment_chunk(struct segment *s, uint64_t *at, struct record_chunk_header *ret)
{
	char bytes[RECORD_HEADER_MAX_BYTES];
	ssize_t n = read_at(s, bytes, sizeof(struct record_chunk_header), *at);
	if (n > 0 && whole_chunk(s, bytes, (size_t)n, *at, ret))
		return 1;
	return n <= 0 ? (int)n : resynchronise(s, at, ret);
}

int segment_stored(struct segment *s, uint64_t at, const struct record_chunk_header *h, struct strbuf *stored)
{
	strbuf_clear(stored);
	strbuf_reserve(stored, h->stored_bytes);
	ssize_t n = read_at(s, stored->data, h->stored_bytes, at + h->header_bytes);
	if (n < 0)
		return (int)n;
	stored->len = (size_t)n;
	stored->data[n] = '\0';
	return 0;
}

uint64_t segment_tail(const struct segment *s, uint64_t at)
{
	uint64_t end = s->closed ? s->size - sizeof(struct record_footer) : s->size;
	return at < end ? end - at : 0;
}
