/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sock: what traced processes send and receive on stream sockets, one record a call.
 *
 * The tracepoints sock_send_length and sock_recv_length (6.3) fire when the kernel has moved the bytes and before the call returns. So
 * calls that have nothing to do with sockets cost nothing, and the registers with which the process came into the kernel still lead
 * to its buffer. What is kept of a connection lies with the socket and goes with it; a socket that no traced process uses has none.
 *
 * The registers are only trusted while the call is under way: the kernel keeps -ENOSYS in the result's register until then, and work that
 * io_uring has put off is done afterwards, in the name of any other call.
 */
#include "probe/sock/sock.bpf.h"

#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sock_state);
} sock_states SEC(".maps");

#define ERROR_NOSYS 38

/* include/linux/sched.h: threads of the kernel, and those of io_uring that are in the process */
#define TASK_IO_WORKER 0x10
#define TASK_KERNEL 0x200000

#define TS_COMPAT 2 /* arch/x86/include/asm/thread_info.h: a 32-bit system call */

struct thread_info___call {
	unsigned int status;
} __attribute__((preserve_access_index));

struct task_struct___call {
	struct thread_info___call thread_info;
	unsigned int flags;
} __attribute__((preserve_access_index));

struct pt_regs {
	unsigned long si, dx, ax, orig_ax;
} __attribute__((preserve_access_index));

static __always_inline struct sock_state *state_of(struct sock *sk)
{
	struct sock_state *s = bpf_sk_storage_get(&sock_states, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!s)
		lose(LOSS_TOO_MANY_CONNECTIONS);
	else if (!s->connection)
		state_begin(s, bpf_get_socket_cookie(sk));
	return s;
}

static __always_inline void read_call(struct sock_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct___call *call = (void *)task;
	struct pt_regs *r = (void *)bpf_task_pt_regs(task);
	regs->nr = r->orig_ax;
	regs->second = r->si;
	regs->third = r->dx;
	regs->foreign = call->flags & (TASK_IO_WORKER | TASK_KERNEL) || call->thread_info.status & TS_COMPAT || (__s64)r->ax != -ERROR_NOSYS;
}

/* The sequence number up to which the process has read bytes. */
static __always_inline __u32 read_seq(struct tcp_sock *tcp, struct sock *sk)
{
	return tcp->copied_seq - tcp_end_was_read(sk->__sk_common.skc_flags, tcp->rcv_nxt, tcp->copied_seq);
}

/* Of the first call that is seen: what had passed before it. */
static __always_inline void count_before(struct sock_state *s, struct tcp_sock *tcp, struct sock *sk, __u32 direction, __u32 bytes)
{
	__u64 received = tcp->bytes_received - (tcp->rcv_nxt - read_seq(tcp, sk)), sent = tcp->bytes_acked + (tcp->write_seq - tcp->snd_una);
	s->before_bytes[SOCK_RECEIVED] = received - (direction == SOCK_RECEIVED ? bytes : 0);
	s->before_bytes[SOCK_SENT] = sent - (direction == SOCK_SENT ? bytes : 0);
}

static __always_inline int passed(void *ctx, struct sock *sk, __u32 bytes, __u32 direction, __u32 flags)
{
	struct sock_regs regs;
	if (!target_wants_current() || !is_stream(sk, sk->__sk_common.skc_family, sk->sk_type))
		return 0;
	struct sock_state *s = state_of(sk);
	if (!s)
		return 0;
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	if (!s->told) {
		if (tcp && !s->calls[SOCK_RECEIVED] && !s->calls[SOCK_SENT])
			count_before(s, tcp, sk, direction, bytes);
		tell_connection(ctx, s, sk, direction);
	}
	bool has_seq = tcp && !tcp->inet_conn.icsk_ulp_ops; /* under kTLS the sequence counts what the bytes become */
	__u32 seq = has_seq ? (direction == SOCK_SENT ? tcp->write_seq : read_seq(tcp, sk)) - bytes : 0;
	read_call(&regs);
	tell_bytes(ctx, s, direction, bytes, &regs, has_seq, seq, flags);
	return 0;
}

/* The end of a Unix socket has no tracepoint. It shows to the other end too, which can read or write no more. */
static __always_inline int passed_nothing(void *ctx, struct sock *sk, __u32 place)
{
	if (sk->__sk_common.skc_family != SOCK_UNIX || sk->sk_shutdown != SHUTDOWN_BOTH || !target_wants_current())
		return 0;
	struct sock_state *s = bpf_sk_storage_get(&sock_states, sk, NULL, 0);
	if (s)
		tell_end(ctx, s, sk, SOCK_PEER_CLOSED, place);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(sock_receive, struct sock *sk, int ret, int flags)
{
	if (flags & (MESSAGE_PEEK | MESSAGE_OOB | MESSAGE_ERRQUEUE))
		return 0; /* not of the stream, or to be read again */
	if (ret <= 0)
		return passed_nothing(ctx, sk, IN_RECEIVE);
	return passed(ctx, sk, ret, SOCK_RECEIVED, flags & MESSAGE_TRUNC ? SOCK_NO_BUFFER : 0);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(sock_send, struct sock *sk, int ret)
{
	return ret > 0 ? passed(ctx, sk, ret, SOCK_SENT, 0) : passed_nothing(ctx, sk, IN_SEND);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(sock_state, const struct sock *const_sk, int old, int new)
{
	struct sock *sk = (struct sock *)const_sk;
	if (sk->sk_protocol != PROTOCOL_TCP)
		return 0;
	struct sock_state *s = NULL;
	if (new != TCP_STATE_SYN_SENT)
		s = bpf_sk_storage_get(&sock_states, sk, NULL, 0);
	else if (target_wants_current())
		s = state_of(sk);
	if (s && new == TCP_STATE_SYN_SENT)
		connect_begins(s);
	else if (s)
		state_changed(ctx, s, sk, old, new);
	return 0;
}

/* One that was reset, or shut down both ways, changes its state no more when the process closes it. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(sock_destroy, struct sock *sk)
{
	struct sock_state *s = bpf_sk_storage_get(&sock_states, sk, NULL, 0);
	if (s)
		tell_end(ctx, s, sk, s->end, IN_DESTROY);
	return 0;
}

/* Unix sockets have no states; they are let go of here. */
SEC("fentry/unix_release")
int BPF_PROG(sock_release, struct socket *socket)
{
	struct sock *sk = socket->sk;
	struct sock_state *s = sk ? bpf_sk_storage_get(&sock_states, sk, NULL, 0) : NULL;
	if (s)
		tell_end(ctx, s, sk, SOCK_CLOSED, IN_RELEASE);
	return 0;
}
