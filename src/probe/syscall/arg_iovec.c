/* arg_iovec: scattered buffers and messages. */
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/syscall/decode.h"

#define ALL_BYTES UINT64_MAX
#define IOVEC_BYTES 16

static struct value iovec_item(struct call *c, enum arg_when when, uint64_t base, uint64_t len, uint64_t filled)
{
	struct fields f = {};
	fields_add(&f, "iov_base", value_bytes(c, when, base, filled));
	fields_add(&f, "iov_len", UINT_VALUE(len));
	return fields_struct(c, &f, false);
}

/* @bytes: how many the kernel has moved in all; buffers beyond them are empty. */
struct value iovec_value(struct call *c, enum arg_when when, uint64_t addr, uint64_t n, uint64_t bytes)
{
	struct fields f = {};
	for (uint64_t i = 0; i < n && f.n < FIELDS_MAX; i++) {
		uint64_t iov[2];
		if (!memory_read(c, AT_BOTH, addr + i * IOVEC_BYTES, &iov))
			break;
		uint64_t filled = MIN(iov[1], bytes);
		bytes -= bytes == ALL_BYTES ? 0 : filled;
		fields_add(&f, "", iovec_item(c, when, iov[0], iov[1], filled));
	}
	return !addr || (n && !f.n) ? value_address(c, addr) : fields_list(c, &f, f.n < n);
}

/* Buffers that were not filled: their addresses. */
static struct value iovec_addresses(struct call *c, uint64_t addr, uint64_t n)
{
	struct fields f = {};
	for (uint64_t i = 0; i < n && f.n < FIELDS_MAX; i++) {
		struct fields item = {};
		uint64_t iov[2];
		if (!memory_read(c, AT_BOTH, addr + i * IOVEC_BYTES, &iov))
			break;
		fields_add(&item, "iov_base", value_address(c, iov[0]));
		fields_add(&item, "iov_len", UINT_VALUE(iov[1]));
		fields_add(&f, "", fields_struct(c, &item, false));
	}
	return !addr || (n && !f.n) ? value_address(c, addr) : fields_list(c, &f, f.n < n);
}

static struct value decode_iovec_in(struct call *c, uint64_t word, const struct arg_type *type)
{
	return iovec_value(c, AT_ENTRY, word, call_arg(c, c->at + 1), ALL_BYTES);
}

static struct value decode_iovec_out(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint64_t n = call_arg(c, c->at + 1);
	if (!call_succeeded(c))
		return iovec_addresses(c, word, n);
	return iovec_value(c, AT_EXIT, word, n, (uint64_t)c->rec->ret);
}

#define IOVEC_ARRAY { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_NEXT, IOVEC_BYTES, IOVEC_BYTES * SYSCALL_MAX_IOVECS }
const struct arg_type type_iovec_in = { "const struct iovec *", decode_iovec_in, NULL, { { SYSCALL_FETCH_IOVEC, AT_ENTRY, COUNT_NEXT, IOVEC_BYTES } } };
const struct arg_type type_iovec_out = { "const struct iovec *", decode_iovec_out, NULL,
					 { IOVEC_ARRAY, { SYSCALL_FETCH_IOVEC, AT_EXIT, COUNT_NEXT, IOVEC_BYTES } } };

/* The kernel's struct user_msghdr. */
struct kernel_msghdr {
	uint64_t name;
	uint32_t namelen, pad;
	uint64_t iov, iovlen, control, controllen;
	uint32_t flags, pad2;
};

struct kernel_cmsghdr {
	uint64_t len;
	uint32_t level, type;
};

static const struct name_row control_type_rows[] = { NAME_AS(1, "SCM_RIGHTS"), NAME_AS(2, "SCM_CREDENTIALS"), NAME_AS(29, "SO_TIMESTAMP_OLD"),
						     NAME_AS(35, "SO_TIMESTAMPNS_OLD") };
static const struct names control_type_names = NAMES(control_type_rows, "SCM_???");

static struct value rights_value(struct call *c, struct slice s)
{
	struct fields f = {};
	for (size_t i = 0; i + 4 <= s.len; i += 4) {
		int32_t fd;
		memcpy(&fd, s.data + i, sizeof(fd));
		fields_add(&f, "", INT_VALUE(fd));
	}
	return fields_list(c, &f, f.n < s.len / 4);
}

static struct value credentials_value(struct call *c, struct slice s)
{
	struct fields f = {};
	uint32_t id[3];
	memcpy(id, s.data, sizeof(id));
	fields_add(&f, "pid", UINT_VALUE(id[0]));
	fields_add(&f, "uid", UINT_VALUE(id[1]));
	fields_add(&f, "gid", UINT_VALUE(id[2]));
	return fields_struct(c, &f, false);
}

static struct value control_item(struct call *c, const struct kernel_cmsghdr *h, struct slice bytes)
{
	struct fields f = {};
	bool of_socket = h->level == SOL_SOCKET;
	fields_add(&f, "cmsg_len", UINT_VALUE(h->len));
	fields_add(&f, "cmsg_level", of_socket ? value_named(UINT_VALUE(h->level), "SOL_SOCKET") : value_hex(c, h->level));
	fields_add(&f, "cmsg_type", of_socket ? names_enum(c, &control_type_names, h->type) : value_hex(c, h->type));
	if (of_socket && h->type == 1)
		fields_add(&f, "cmsg_data", rights_value(c, bytes));
	else if (of_socket && h->type == 2 && bytes.len >= 12)
		fields_add(&f, "cmsg_data", credentials_value(c, bytes));
	else if (bytes.len)
		fields_add(&f, "cmsg_data", value_hex_string(c, bytes, false));
	return fields_struct(c, &f, false);
}

static struct value control_value(struct call *c, enum arg_when when, uint64_t addr, uint64_t len)
{
	struct fields f = {};
	struct slice s;
	if (!addr || !memory_some(c, when, addr, len, &s))
		return value_address(c, addr);
	for (size_t at = 0; at + sizeof(struct kernel_cmsghdr) <= s.len && f.n < FIELDS_MAX;) {
		struct kernel_cmsghdr h;
		memcpy(&h, s.data + at, sizeof(h));
		if (h.len < sizeof(h) || h.len > s.len - at)
			break;
		fields_add(&f, "", control_item(c, &h, (struct slice){ s.data + at + sizeof(h), h.len - sizeof(h) }));
		at += (h.len + 7) & ~7ull;
	}
	return fields_list(c, &f, s.len < len);
}

static struct value name_value(struct call *c, enum arg_when when, const struct kernel_msghdr *m)
{
	struct slice s;
	if (!m->name || m->namelen < 2 || m->namelen > 128 || !memory_some(c, when, m->name, m->namelen, &s) || s.len < 2)
		return value_address(c, m->name);
	return sockaddr_value(c, s);
}

static struct value namelen_value(struct call *c, enum arg_when when, uint64_t addr, uint32_t after)
{
	struct kernel_msghdr before;
	if (when == AT_EXIT && memory_read(c, AT_ENTRY, addr, &before) && before.namelen != after)
		return value_text(c, UINT_VALUE(after), "%" PRIu32 " => %" PRIu32, before.namelen, after);
	return UINT_VALUE(after);
}

static bool message_at(struct call *c, enum arg_when when, uint64_t addr, uint64_t bytes, struct value *ret)
{
	struct fields f = {};
	struct kernel_msghdr m;
	if (!memory_read(c, when, addr, &m))
		return false;
	fields_add(&f, "msg_name", name_value(c, when, &m));
	fields_add(&f, "msg_namelen", namelen_value(c, when, addr, m.namelen));
	fields_add(&f, "msg_iov", iovec_value(c, when, m.iov, m.iovlen, bytes));
	fields_add(&f, "msg_iovlen", UINT_VALUE(m.iovlen));
	if (m.controllen)
		fields_add(&f, "msg_control", control_value(c, when, m.control, m.controllen));
	fields_add(&f, "msg_controllen", UINT_VALUE(m.controllen));
	fields_add(&f, "msg_flags", names_flags(c, &message_flag_names, m.flags));
	*ret = fields_struct(c, &f, false);
	return true;
}

static struct value decode_message_in(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct value v;
	return message_at(c, AT_ENTRY, word, ALL_BYTES, &v) ? v : value_address(c, word);
}

static struct value decode_message_out(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct value v;
	struct fields f = {};
	struct kernel_msghdr m;
	if (call_succeeded(c) && message_at(c, AT_EXIT, word, (uint64_t)c->rec->ret, &v))
		return v;
	if (!memory_read(c, AT_ENTRY, word, &m))
		return value_address(c, word);
	fields_add(&f, "msg_namelen", UINT_VALUE(m.namelen));
	return fields_struct(c, &f, false);
}

#define MESSAGE_BYTES 56
const struct arg_type type_message_in = { "const struct msghdr *", decode_message_in, NULL, { { SYSCALL_FETCH_MSGHDR, AT_ENTRY } } };
const struct arg_type type_message_out = { "struct msghdr *", decode_message_out, NULL,
					   { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_ONE, MESSAGE_BYTES, MESSAGE_BYTES }, { SYSCALL_FETCH_MSGHDR, AT_EXIT } } };

#define MESSAGES_UNIT 64 /* struct mmsghdr: a msghdr, and the bytes that were moved */

/* sendmmsg, recvmmsg: @n messages whose parts were read @when; their lengths are there after success. */
static struct value messages_value(struct call *c, enum arg_when when, uint64_t addr, uint64_t n)
{
	struct fields f = {};
	for (uint64_t i = 0; i < n && i < SYSCALL_MAX_MESSAGES; i++) {
		struct fields item = {};
		struct value v;
		uint32_t len = 0;
		uint64_t at = addr + i * MESSAGES_UNIT;
		bool moved = call_succeeded(c) && (int64_t)i < c->rec->ret && memory_read(c, AT_EXIT, at + MESSAGE_BYTES, &len);
		if (!message_at(c, when, at, when == AT_EXIT ? len : ALL_BYTES, &v))
			break;
		fields_add(&item, "msg_hdr", v);
		if (moved)
			fields_add(&item, "msg_len", UINT_VALUE(len));
		fields_add(&f, "", fields_struct(c, &item, false));
	}
	return n && !f.n ? value_address(c, addr) : fields_list(c, &f, f.n < n);
}

static struct value decode_messages_in(struct call *c, uint64_t word, const struct arg_type *type)
{
	return messages_value(c, AT_ENTRY, word, (uint32_t)call_arg(c, c->at + 1));
}

static struct value decode_messages_out(struct call *c, uint64_t word, const struct arg_type *type)
{
	return call_succeeded(c) ? messages_value(c, AT_EXIT, word, (uint64_t)c->rec->ret) : value_address(c, word);
}

#define MESSAGES_MAX (MESSAGES_UNIT * SYSCALL_MAX_MESSAGES)
const struct arg_type type_messages_in = {
	"struct mmsghdr *", decode_messages_in, NULL,
	{ { SYSCALL_FETCH_MMSGHDR, AT_ENTRY, COUNT_NEXT, MESSAGES_UNIT }, { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_RETURN, MESSAGES_UNIT, MESSAGES_MAX } }
};
const struct arg_type type_messages_out = { "struct mmsghdr *", decode_messages_out, NULL,
					    { { SYSCALL_FETCH_MMSGHDR, AT_EXIT, COUNT_RETURN, MESSAGES_UNIT } } };
