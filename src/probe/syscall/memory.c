/* memory: what the record holds of the process's memory, found by address. */
#include <string.h>

#include "probe/syscall/decode.h"

static enum arg_when piece_when(const struct memory_piece *p)
{
	return p->which & SYSCALL_WHICH_EXIT ? AT_EXIT : AT_ENTRY;
}

/* Does the piece begin at or before @addr and go beyond it (or, empty, lie there)? */
static bool holds(const struct memory_piece *p, enum arg_when when, uint64_t addr)
{
	if (!(when & piece_when(p)) || p->which & SYSCALL_WHICH_COUNT || p->status == FETCHED_UNREADABLE)
		return false;
	return addr == p->addr || (addr > p->addr && addr - p->addr < p->bytes.len);
}

/* Of several pieces the one that goes furthest. */
static const struct memory_piece *find(const struct call *c, enum arg_when when, uint64_t addr)
{
	const struct memory_piece *best = NULL;
	for (unsigned i = 0; i < c->n_pieces; i++) {
		const struct memory_piece *p = &c->piece[i];
		if (holds(p, when, addr) && (!best || p->bytes.len - (addr - p->addr) > best->bytes.len - (addr - best->addr)))
			best = p;
	}
	return best;
}

bool memory_some(const struct call *c, enum arg_when when, uint64_t addr, size_t len, struct slice *ret)
{
	if (len == 0) {
		*ret = SLICE("");
		return true;
	}
	const struct memory_piece *p = find(c, when, addr);
	if (!p || p->bytes.len == 0)
		return false;
	size_t skip = addr - p->addr;
	*ret = (struct slice){ p->bytes.data + skip, MIN(len, p->bytes.len - skip) };
	return true;
}

bool memory_get(const struct call *c, enum arg_when when, uint64_t addr, size_t len, void *ret)
{
	struct slice s;
	if (!addr || !memory_some(c, when, addr, len, &s) || s.len < len)
		return false;
	memcpy(ret, s.data, len);
	return true;
}

bool memory_string(const struct call *c, enum arg_when when, uint64_t addr, struct slice *ret, bool *ret_truncated)
{
	const struct memory_piece *p = find(c, when, addr);
	if (!p)
		return false;
	size_t skip = addr - p->addr;
	struct slice s = { p->bytes.data + skip, p->bytes.len - skip };
	const char *end = s.len ? memchr(s.data, '\0', s.len) : NULL;
	*ret_truncated = !end && p->status == FETCHED_TRUNCATED;
	*ret = (struct slice){ s.data, end ? (size_t)(end - s.data) : s.len };
	return true;
}

bool memory_count(const struct call *c, uint64_t addr, uint32_t *ret)
{
	for (unsigned i = 0; i < c->n_pieces; i++) {
		const struct memory_piece *p = &c->piece[i];
		if (!(p->which & SYSCALL_WHICH_COUNT) || p->addr != addr || p->bytes.len < sizeof(*ret))
			continue;
		memcpy(ret, p->bytes.data, sizeof(*ret));
		return true;
	}
	return false;
}
