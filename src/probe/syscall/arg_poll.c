/* arg_poll: poll, select and epoll. What became ready is written behind the result. */
#include <inttypes.h>
#include <string.h>

#include "probe/syscall/decode.h"

#define POLLFD_BYTES 8
#define POLL_SHOWN 16

struct kernel_pollfd {
	int32_t fd;
	uint16_t events, revents;
};

static struct value pollfd_value(struct call *c, const struct kernel_pollfd *p, const char *name, uint16_t events)
{
	struct fields f = {};
	fields_add(&f, "fd", INT_VALUE(p->fd));
	if (p->fd >= 0)
		fields_add(&f, name, names_flags(c, &poll_event_names, events));
	return fields_struct(c, &f, false);
}

static void note_ready_fds(struct call *c, uint64_t addr, uint64_t n)
{
	struct fields f = {};
	for (uint64_t i = 0; i < n && f.n < FIELDS_MAX; i++) {
		struct kernel_pollfd p;
		if (!memory_read(c, AT_EXIT, addr + i * sizeof(p), &p))
			break;
		if (p.revents)
			fields_add(&f, "", pollfd_value(c, &p, "revents", p.revents));
	}
	if (f.n) {
		struct value v = fields_list(c, &f, f.n < (uint64_t)c->rec->ret);
		result_note(c, "%.*s", (int)v.text.len, v.text.data);
	}
}

static struct value decode_pollfds(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	uint64_t n = (uint32_t)call_arg(c, c->at + 1);
	if (call_succeeded(c) && c->rec->ret == 0)
		result_note(c, "Timeout");
	else if (call_succeeded(c))
		note_ready_fds(c, word, n);
	for (uint64_t i = 0; i < n && f.n < FIELDS_MAX; i++) {
		struct kernel_pollfd p;
		if (!memory_read(c, AT_ENTRY, word + i * sizeof(p), &p))
			break;
		fields_add(&f, "", pollfd_value(c, &p, "events", p.events));
	}
	return !word || (n && !f.n) ? value_address(c, word) : fields_list(c, &f, f.n < n);
}
const struct arg_type type_pollfds = { "struct pollfd *", decode_pollfds, NULL,
				       { { SYSCALL_FETCH_BYTES, AT_BOTH, COUNT_NEXT, POLLFD_BYTES, POLLFD_BYTES * POLL_SHOWN } } };

/* ", left {tv_sec=0, tv_nsec=5}" when the kernel has counted a timeout down. */
static void note_time_left(struct call *c, uint64_t addr, struct value (*make)(struct call *, int64_t, int64_t))
{
	int64_t t[2];
	if (!call_succeeded(c) || c->rec->ret == 0 || !memory_read(c, AT_EXIT, addr, &t))
		return;
	struct value v = make(c, t[0], t[1]);
	result_note(c, "%.*s%sleft %.*s", (int)c->note.len, c->note.len ? c->note.data : "", c->note.len ? ", " : "", (int)v.text.len,
		    v.text.data);
}

static struct value decode_poll_timeout(struct call *c, uint64_t word, const struct arg_type *type)
{
	note_time_left(c, word, timespec_value);
	return timespec_at(c, AT_ENTRY, word);
}
const struct arg_type type_poll_timeout = { "struct timespec *", decode_poll_timeout, NULL, { { SYSCALL_FETCH_BYTES, AT_BOTH, COUNT_ONE, 16, 16 } } };

/* An fd_set as [3 5]; "" when there is none of it in the record. */
static bool write_fd_set(struct call *c, struct strbuf *out, enum arg_when when, uint64_t addr)
{
	uint32_t n = MIN((uint32_t)call_arg(c, 0), 1024u);
	struct slice s;
	const char *separator = "";
	if (!addr || !memory_some(c, when, addr, ((size_t)n + 63) / 64 * 8, &s))
		return false;
	strbuf_addc(out, '[');
	for (uint32_t fd = 0; fd < n && fd / 8 < s.len; fd++)
		if (s.data[fd / 8] >> (fd % 8) & 1) {
			strbuf_addf(out, "%s%" PRIu32, separator, fd);
			separator = " ";
		}
	strbuf_addc(out, ']');
	return true;
}

/* "in [3], out [5]" of what select has left set. */
static void note_ready_set(struct call *c, uint64_t addr)
{
	static const char *const names[] = { "", "in", "out", "except" };
	_cleanup_(strbuf_done) struct strbuf b = {};
	if (!call_succeeded(c) || c->rec->ret == 0 || c->at >= ARRAY_SIZE(names))
		return;
	if (write_fd_set(c, &b, AT_EXIT, addr) && !streq(strbuf_str(&b), "[]"))
		result_note(c, "%.*s%s%s %s", (int)c->note.len, c->note.len ? c->note.data : "", c->note.len ? ", " : "", names[c->at],
			    strbuf_str(&b));
}

static struct value decode_fd_set(struct call *c, uint64_t word, const struct arg_type *type)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	if (call_succeeded(c) && c->rec->ret == 0)
		result_note(c, "Timeout");
	note_ready_set(c, word);
	if (!write_fd_set(c, &b, AT_ENTRY, word))
		return value_address(c, word);
	return value_taken(c, ADDRESS_VALUE(word), &b);
}
const struct arg_type type_fd_set = { "fd_set *", decode_fd_set, NULL, { { SYSCALL_FETCH_BYTES, AT_BOTH, COUNT_FIRST_BITS, 1, 128 } } };

static struct value decode_select_timeout(struct call *c, uint64_t word, const struct arg_type *type)
{
	int64_t t[2];
	note_time_left(c, word, timeval_value);
	return memory_read(c, AT_ENTRY, word, &t) ? timeval_value(c, t[0], t[1]) : value_address(c, word);
}
const struct arg_type type_select_timeout = { "struct timeval *", decode_select_timeout, NULL,
					      { { SYSCALL_FETCH_BYTES, AT_BOTH, COUNT_ONE, 16, 16 } } };

/* pselect6 takes its mask and the mask's size through one pointer, laid out like an iovec. */
static struct value decode_pselect_mask(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	uint64_t pair[2], mask;
	if (!memory_read(c, AT_ENTRY, word, &pair))
		return value_address(c, word);
	bool known = pair[1] == sizeof(mask) && memory_read(c, AT_ENTRY, pair[0], &mask);
	fields_add(&f, "sigmask", known ? sigset_value(c, mask, 64) : value_address(c, pair[0]));
	fields_add(&f, "sigsetsize", UINT_VALUE(pair[1]));
	return fields_struct(c, &f, false);
}
const struct arg_type type_pselect_mask = { "void *", decode_pselect_mask, NULL, { { SYSCALL_FETCH_IOVEC, AT_ENTRY, COUNT_ONE, 16 } } };

/* Packed on x86-64 only (uapi/linux/eventpoll.h). */
static const struct {
	uint8_t bytes, data_offset;
} epoll_layout[SYSCALL_ARCHS] = { [SYSCALL_X86_64] = { 12, 4 }, [SYSCALL_ARM64] = { 16, 8 } };
#define EPOLL_BYTES_HERE (SYSCALL_ARCH_HERE == SYSCALL_X86_64 ? 12 : 16)
#define EPOLL_SHOWN 16

static struct value epoll_data_value(struct call *c, uint64_t u64)
{
	struct fields f = {};
	fields_add(&f, "u32", UINT_VALUE((uint32_t)u64));
	fields_add(&f, "u64", UINT_VALUE(u64));
	return fields_struct(c, &f, false);
}

static bool epoll_event_at(struct call *c, enum arg_when when, uint64_t addr, struct value *ret)
{
	struct fields f = {};
	char bytes[16];
	uint32_t events;
	uint64_t u64;
	if (c->rec->arch >= SYSCALL_ARCHS || !memory_get(c, when, addr, epoll_layout[c->rec->arch].bytes, bytes))
		return false;
	memcpy(&events, bytes, sizeof(events));
	memcpy(&u64, bytes + epoll_layout[c->rec->arch].data_offset, sizeof(u64));
	fields_add(&f, "events", names_flags(c, &epoll_event_names, events));
	fields_add(&f, "data", epoll_data_value(c, u64));
	*ret = fields_struct(c, &f, false);
	return true;
}

#define CTL_DEL 2
static struct value decode_epoll_event(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct value v;
	if ((uint32_t)call_arg(c, 1) == CTL_DEL || !epoll_event_at(c, AT_ENTRY, word, &v))
		return value_address(c, word);
	return v;
}
const struct arg_type type_epoll_event = { "struct epoll_event *", decode_epoll_event, NULL,
					   { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_ONE, EPOLL_BYTES_HERE, EPOLL_BYTES_HERE } } };

static struct value decode_epoll_events(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct fields f = {};
	struct value v;
	if (!call_succeeded(c) || c->rec->arch >= SYSCALL_ARCHS)
		return value_address(c, word);
	for (int64_t i = 0; i < c->rec->ret && f.n < FIELDS_MAX; i++) {
		if (!epoll_event_at(c, AT_EXIT, word + (uint64_t)i * epoll_layout[c->rec->arch].bytes, &v))
			break;
		fields_add(&f, "", v);
	}
	return f.n || !c->rec->ret ? fields_list(c, &f, (int64_t)f.n < c->rec->ret) : value_address(c, word);
}
const struct arg_type type_epoll_events = { "struct epoll_event *", decode_epoll_events, NULL,
					    { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_RETURN, EPOLL_BYTES_HERE, EPOLL_BYTES_HERE * EPOLL_SHOWN } } };
