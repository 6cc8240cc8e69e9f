/* arg_sockaddr: addresses of sockets, and the lengths that go with them. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "probe/syscall/decode.h"

static void add_unix(struct call *c, struct fields *f, struct slice path)
{
	if (path.len == 0)
		return;
	if (path.data[0]) {
		const char *end = memchr(path.data, '\0', path.len);
		path.len = end ? (size_t)(end - path.data) : path.len;
		fields_add(f, "sun_path", value_string(c, path, false));
		return;
	}
	/* Abstract: a NUL, then a name that may hold more of them. */
	struct value v = value_string(c, (struct slice){ path.data + 1, path.len - 1 }, false);
	fields_add(f, "sun_path", value_text(c, v, "@%.*s", (int)v.text.len, v.text.data));
}

static void add_inet(struct call *c, struct fields *f, const struct sockaddr_in *in)
{
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
	fields_add(f, "sin_port", value_text(c, UINT_VALUE(ntohs(in->sin_port)), "htons(%u)", ntohs(in->sin_port)));
	fields_add(f, "sin_addr", value_text(c, value_string(c, slice_of(text), false), "inet_addr(\"%s\")", text));
}

static void add_inet6(struct call *c, struct fields *f, const struct sockaddr_in6 *in)
{
	char text[INET6_ADDRSTRLEN];
	inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof(text));
	fields_add(f, "sin6_port", value_text(c, UINT_VALUE(ntohs(in->sin6_port)), "htons(%u)", ntohs(in->sin6_port)));
	fields_add(f, "sin6_flowinfo", value_text(c, UINT_VALUE(ntohl(in->sin6_flowinfo)), "htonl(%u)", ntohl(in->sin6_flowinfo)));
	fields_add(f, "sin6_addr", value_text(c, value_string(c, slice_of(text), false), "inet_pton(AF_INET6, \"%s\", &sin6_addr)", text));
	fields_add(f, "sin6_scope_id", UINT_VALUE(in->sin6_scope_id));
}

static void add_netlink(struct call *c, struct fields *f, const struct sockaddr_nl *nl)
{
	fields_add(f, "nl_pid", UINT_VALUE(nl->nl_pid));
	fields_add(f, "nl_groups", value_text(c, UINT_VALUE(nl->nl_groups), "%#08x", nl->nl_groups));
}

static void add_vsock(struct call *c, struct fields *f, const struct sockaddr_vm *vm)
{
	static const struct name_row rows[] = { NAME_AS(0xffffffff, "VMADDR_CID_ANY"), NAME_AS(0, "VMADDR_CID_HYPERVISOR"),
						NAME_AS(1, "VMADDR_CID_LOCAL"), NAME_AS(2, "VMADDR_CID_HOST") };
	static const struct names names = NAMES(rows, "VMADDR_CID_???");
	const char *name = names_find(&names, vm->svm_cid);
	struct value cid = value_hex(c, vm->svm_cid);
	fields_add(f, "svm_cid", name ? value_text(c, cid, "%s", name) : cid);
	fields_add(f, "svm_port", value_hex(c, vm->svm_port));
	fields_add(f, "svm_flags", UINT_VALUE(vm->svm_flags));
}

/* Writes the parts of a known family; false: not known, or too short. */
static bool add_parts(struct call *c, struct fields *f, uint16_t family, struct slice s)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_nl nl;
		struct sockaddr_vm vm;
	} u = {};
	memcpy(&u, s.data, MIN(s.len, sizeof(u)));
	if (family == AF_UNIX)
		add_unix(c, f, (struct slice){ s.data + 2, MIN(s.len - 2, sizeof(((struct sockaddr_un *)0)->sun_path)) });
	else if (family == AF_INET && s.len >= sizeof(u.in))
		add_inet(c, f, &u.in);
	else if (family == AF_INET6 && s.len >= 24) /* without sin6_scope_id: RFC 2133 */
		add_inet6(c, f, &u.in6);
	else if (family == AF_NETLINK && s.len >= sizeof(u.nl))
		add_netlink(c, f, &u.nl);
	else if (family == AF_VSOCK && s.len >= sizeof(u.vm))
		add_vsock(c, f, &u.vm);
	else
		return false;
	return true;
}

/* inet_pton(...) stands without "sin6_addr=" before it. */
static struct value without_name(struct call *c, struct value v)
{
	static const char name[] = "sin6_addr=inet_pton";
	const char *at = memmem(v.text.data, v.text.len, name, sizeof(name) - 1);
	if (!at)
		return v;
	size_t before = (size_t)(at - v.text.data), skip = sizeof("sin6_addr=") - 1;
	return value_text(c, v, "%.*s%.*s", (int)before, v.text.data, (int)(v.text.len - before - skip), at + skip);
}

struct value sockaddr_value(struct call *c, struct slice s)
{
	struct fields f = {};
	uint16_t family;
	memcpy(&family, s.data, sizeof(family));
	fields_add(&f, "sa_family", names_enum(c, &address_family_names, family));
	bool known = add_parts(c, &f, family, s);
	if (!known && s.len > sizeof(family))
		fields_add(&f, "sa_data", value_string(c, (struct slice){ s.data + 2, s.len - 2 }, false));
	struct value v = fields_struct(c, &f, false);
	return known && family == AF_INET6 ? without_name(c, v) : v;
}

static struct value decode_sockaddr_in(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct slice s;
	uint32_t len = (uint32_t)call_arg(c, c->at + 1);
	if (!word || len < 2 || len > sizeof(struct sockaddr_storage) || !memory_some(c, AT_ENTRY, word, len, &s) || s.len < 2)
		return value_address(c, word);
	return sockaddr_value(c, s);
}

/* What accept, getpeername or recvfrom left: as much as fits the caller's buffer. */
static struct value decode_sockaddr_out(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct slice s;
	uint32_t room = 0, len = 0;
	uint64_t len_at = call_arg(c, c->at + 1);
	if (!word || !call_succeeded(c) || !memory_read(c, AT_EXIT, len_at, &len))
		return value_address(c, word);
	if (memory_read(c, AT_ENTRY, len_at, &room))
		len = MIN(len, room);
	if (len < 2 || !memory_some(c, AT_EXIT, word, len, &s) || s.len < 2)
		return value_address(c, word);
	return sockaddr_value(c, s);
}

static struct value decode_socklen(struct call *c, uint64_t word, const struct arg_type *type)
{
	int32_t before, after;
	if (!memory_read(c, AT_ENTRY, word, &before))
		return value_address(c, word);
	struct value v = value_bracketed(c, INT_VALUE(before));
	if (!call_succeeded(c) || !memory_read(c, AT_EXIT, word, &after) || after == before)
		return v;
	return value_text(c, INT_VALUE(after), "[%" PRId32 " => %" PRId32 "]", before, after);
}

#define ADDR_MAX 128 /* struct sockaddr_storage */
const struct arg_type type_sockaddr_in = { "const struct sockaddr *", decode_sockaddr_in, NULL,
					   { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_NEXT, 1, ADDR_MAX } } };
const struct arg_type type_sockaddr_out = { "struct sockaddr *", decode_sockaddr_out, NULL,
					    { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_NEXT_POINTED, 1, ADDR_MAX } } };
const struct arg_type type_socklen_ptr = { "socklen_t *", decode_socklen, NULL, { { SYSCALL_FETCH_BYTES, AT_BOTH, COUNT_ONE, 4, 4 } } };
