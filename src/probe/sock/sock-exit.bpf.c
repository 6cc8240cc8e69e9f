/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sock-exit: the same for kernels without the tracepoints of sock.bpf.c (before 6.3): system calls as they end, and by their descriptor
 * the socket.
 *
 * Every system call of every process comes here. There is no memory that goes with a socket in such programs (5.10), so what is kept of a
 * connection lies in a table by its address; a socket that took the address of another is told by its inode. What passes otherwise than
 * by a call with a descriptor (io_uring, sendmmsg, recvmmsg) shows in TCP's sequence numbers only.
 */
#include "probe/sock/sock.bpf.h"

#include <bpf/bpf_tracing.h>

#include "arch/x86_64/registers.abi.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A connection, and the socket's inode. */
struct sock_entry {
	struct sock_state state;
	__u64 inode;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64); /* struct sock */
	__type(value, struct sock_entry);
} sock_entries SEC(".maps");

struct { /* one entry, all zero: a connection's beginning */
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sock_entry);
} sock_blank SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sock_numbers SEC(".maps");

#define NUMBER_CPU_SHIFT 40 /* connections of a CPU that have numbers of their own */

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} __attribute__((preserve_access_index));

struct files_struct {
	struct fdtable *fdt;
} __attribute__((preserve_access_index));

struct file___socket {
	void *private_data;
} __attribute__((preserve_access_index));

struct inode___mode {
	unsigned short i_mode;
} __attribute__((preserve_access_index));

#define TS_COMPAT 2 /* arch/x86/include/asm/thread_info.h: a 32-bit system call */

struct thread_info___exit {
	unsigned int status;
} __attribute__((preserve_access_index));

struct task_struct___exit {
	struct thread_info___exit thread_info;
	struct files_struct *files;
} __attribute__((preserve_access_index));

#define MODE_KIND 0170000 /* include/uapi/linux/stat.h: S_IFMT, S_IFSOCK */
#define MODE_SOCKET 0140000

static __always_inline __u64 inode_of(struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
}

/* The socket of a descriptor of the current task; NULL: it is none. */
static __always_inline struct sock *socket_of(__u32 fd)
{
	struct task_struct___exit *task = (void *)current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL;
	if (fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	struct inode___mode *inode = file ? (void *)BPF_CORE_READ(file, f_inode) : NULL;
	if (!inode || (BPF_CORE_READ(inode, i_mode) & MODE_KIND) != MODE_SOCKET)
		return NULL;
	struct file___socket *of_socket = (void *)file;
	struct socket *socket = BPF_CORE_READ(of_socket, private_data);
	return BPF_CORE_READ(socket, sk);
}

static __always_inline struct sock_entry *entry_of(struct sock *sk)
{
	__u64 key = (__u64)sk;
	return bpf_map_lookup_elem(&sock_entries, &key);
}

static __always_inline void forget(struct sock *sk)
{
	__u64 key = (__u64)sk;
	bpf_map_delete_elem(&sock_entries, &key);
}

static __always_inline struct sock_state *state_new(struct sock *sk, __u64 inode)
{
	__u32 zero = 0;
	__u64 key = (__u64)sk;
	struct sock_entry *blank = bpf_map_lookup_elem(&sock_blank, &zero);
	__u64 *number = bpf_map_lookup_elem(&sock_numbers, &zero);
	if (!blank || !number || bpf_map_update_elem(&sock_entries, &key, blank, BPF_ANY)) {
		lose(LOSS_TOO_MANY_CONNECTIONS);
		return NULL;
	}
	struct sock_entry *e = entry_of(sk);
	if (!e)
		return NULL;
	e->inode = inode;
	state_begin(&e->state, (__u64)bpf_get_smp_processor_id() << NUMBER_CPU_SHIFT | ++*number);
	return &e->state;
}

/* The one that had the address before was closed, or its end would have been seen. */
static __always_inline struct sock_state *state_of(void *ctx, struct sock *sk, __u32 place)
{
	__u64 inode = inode_of(sk);
	struct sock_entry *e = entry_of(sk);
	if (e && e->inode == inode)
		return &e->state;
	if (e && e->state.told)
		tell_end(ctx, &e->state, sk, SOCK_CLOSED, place);
	return state_new(sk, inode);
}

/* The sequence number up to which the process has read bytes. */
static __always_inline __u32 read_seq(struct tcp_sock *tcp)
{
	struct sock *sk = (void *)tcp;
	__u32 copied = BPF_CORE_READ(tcp, copied_seq);
	return copied - tcp_end_was_read(BPF_CORE_READ(sk, __sk_common.skc_flags), BPF_CORE_READ(tcp, rcv_nxt), copied);
}

static __always_inline void count_before(struct sock_state *s, struct tcp_sock *tcp, __u32 direction, __u32 bytes)
{
	s->before_bytes[SOCK_RECEIVED] = BPF_CORE_READ(tcp, bytes_received) - (BPF_CORE_READ(tcp, rcv_nxt) - read_seq(tcp)) -
					 (direction == SOCK_RECEIVED ? bytes : 0);
	s->before_bytes[SOCK_SENT] = BPF_CORE_READ(tcp, bytes_acked) + (BPF_CORE_READ(tcp, write_seq) - BPF_CORE_READ(tcp, snd_una)) -
				     (direction == SOCK_SENT ? bytes : 0);
}

static __always_inline bool is_tcp(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_family) != SOCK_UNIX && BPF_CORE_READ(sk, sk_protocol) == PROTOCOL_TCP;
}

/* A call is over: what it did, by its registers and its number. */
struct sock_call_end {
	struct sock_regs regs;
	__u32 direction;
	__u32 bytes;
	__u32 flags;
};

static __always_inline int passed(void *ctx, struct sock *sk, const struct sock_call_end *c)
{
	struct tcp_sock *tcp = (void *)sk;
	if (!sk || !is_stream(sk, BPF_CORE_READ(sk, __sk_common.skc_family), BPF_CORE_READ(sk, sk_type)))
		return 0;
	struct sock_state *s = state_of(ctx, sk, c->direction);
	if (!s)
		return 0;
	bool has_tcp = is_tcp(sk);
	if (!s->told) {
		if (has_tcp && !s->calls[SOCK_RECEIVED] && !s->calls[SOCK_SENT])
			count_before(s, tcp, c->direction, c->bytes);
		tell_connection(ctx, s, sk, c->direction);
	}
	bool has_seq = has_tcp && !BPF_CORE_READ(tcp, inet_conn.icsk_ulp_ops);
	__u32 seq = c->direction == SOCK_SENT ? BPF_CORE_READ(tcp, write_seq) : read_seq(tcp);
	tell_bytes(ctx, s, c->direction, c->bytes, &c->regs, has_seq, seq - c->bytes, c->flags);
	return 0;
}

static __always_inline int passed_nothing(void *ctx, struct sock *sk)
{
	struct sock_entry *e = sk ? entry_of(sk) : NULL;
	if (!e || BPF_CORE_READ(sk, __sk_common.skc_family) != SOCK_UNIX || BPF_CORE_READ(sk, sk_shutdown) != SHUTDOWN_BOTH)
		return 0;
	if (e->inode == inode_of(sk))
		tell_end(ctx, &e->state, sk, SOCK_PEER_CLOSED, IN_RECEIVE);
	return 0;
}

#define AT(r, reg) ((r)[(reg) - REG_R10]) /* registers are read from the first that is wanted on */

/* Which registers hold the descriptor and the flags of a receive; false: the call is none of ours. */
static __always_inline bool look_at(struct sock_call_end *c, const __u64 *r, __u32 *ret_fd, __u64 *ret_flags)
{
	*ret_fd = AT(r, REG_DI);
	*ret_flags = 0;
	switch (c->regs.nr) {
	case CALL_RECVFROM:
		*ret_flags = AT(r, REG_R10);
		break;
	case CALL_RECVMSG:
		*ret_flags = AT(r, REG_DX);
		break;
	case CALL_READ:
	case CALL_READV:
	case CALL_PREADV2:
	case CALL_SPLICE: /* from the descriptor; to another is looked at apart */
		break;
	case CALL_WRITE:
	case CALL_WRITEV:
	case CALL_PWRITEV2:
	case CALL_SENDTO:
	case CALL_SENDMSG:
	case CALL_SENDFILE:
		c->direction = SOCK_SENT;
		break;
	default:
		return false;
	}
	return true;
}

SEC("raw_tp/sys_exit")
int sock_exit(struct raw_tracepoint *ctx)
{
	struct sock_call_end c = {};
	__s64 ret = ctx->args[1];
	__u64 r[REG_ORIG_AX - REG_R10 + 1], flags;
	__u32 fd;
	if (!target_wants_current())
		return 0;
	bpf_probe_read_kernel(r, sizeof(r), (void *)(ctx->args[0] + REG_R10 * 8));
	c.regs = (struct sock_regs){ .nr = AT(r, REG_ORIG_AX), .second = AT(r, REG_SI), .third = AT(r, REG_DX) };
	if (!look_at(&c, r, &fd, &flags) || flags & (MESSAGE_PEEK | MESSAGE_OOB | MESSAGE_ERRQUEUE))
		return 0;
	struct task_struct___exit *task = (void *)current_task();
	if (BPF_CORE_READ(task, thread_info.status) & TS_COMPAT)
		return 0; /* its numbers are others */
	struct sock *sk = socket_of(fd);
	if (!sk && c.regs.nr == CALL_SPLICE) {
		sk = socket_of(AT(r, REG_DX));
		c.direction = SOCK_SENT;
	}
	if (ret <= 0)
		return passed_nothing(ctx, sk);
	c.bytes = ret;
	c.flags = flags & MESSAGE_TRUNC ? SOCK_NO_BUFFER : 0;
	return passed(ctx, sk, &c);
}

SEC("raw_tp/inet_sock_set_state")
int sock_exit_state(struct raw_tracepoint *ctx)
{
	struct sock *sk = (void *)ctx->args[0];
	int old = ctx->args[1], new = ctx->args[2];
	if (BPF_CORE_READ(sk, sk_protocol) != PROTOCOL_TCP)
		return 0;
	if (new == TCP_STATE_SYN_SENT) {
		struct sock_state *s = target_wants_current() ? state_of(ctx, sk, IN_STATE) : NULL;
		if (s)
			connect_begins(s);
		return 0;
	}
	struct sock_entry *e = entry_of(sk);
	if (!e)
		return 0;
	state_changed(ctx, &e->state, sk, old, new);
	if (e->state.closed)
		forget(sk);
	return 0;
}

SEC("raw_tp/tcp_destroy_sock")
int sock_exit_destroy(struct raw_tracepoint *ctx)
{
	struct sock *sk = (void *)ctx->args[0];
	struct sock_entry *e = entry_of(sk);
	if (!e)
		return 0;
	tell_end(ctx, &e->state, sk, e->state.end, IN_DESTROY);
	forget(sk);
	return 0;
}

/* Unix sockets have no states; they are let go of here. */
SEC("fentry/unix_release")
int BPF_PROG(sock_exit_release, struct socket *socket)
{
	struct sock *sk = BPF_CORE_READ(socket, sk);
	struct sock_entry *e = sk ? entry_of(sk) : NULL;
	if (!e)
		return 0;
	if (e->inode == inode_of(sk))
		tell_end(ctx, &e->state, sk, SOCK_CLOSED, IN_RELEASE);
	forget(sk);
	return 0;
}
