/*
 * socket.h: the kernel structures of sockets, and of them only the fields that we read: see kernel.h. struct tcp_sock begins with
 * inet_connection_sock, which begins with inet_sock, which begins with sock; unix_sock begins with sock (kernel: include/linux/tcp.h,
 * include/net/af_unix.h).
 */
#pragma once

#include "bpf/kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr {
	__u8 bytes[16];
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	unsigned long skc_flags;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct sock {
	struct sock_common __sk_common;
	int sk_err;
	struct socket *sk_socket;
	__u16 sk_protocol;
	__u16 sk_type;
	__u8 sk_shutdown;
	struct pid *sk_peer_pid;
};

struct inet_bind_bucket {
	signed char fastreuse;
};

struct tcp_ulp_ops;

struct inet_connection_sock {
	struct inet_bind_bucket *icsk_bind_hash;
	const struct tcp_ulp_ops *icsk_ulp_ops;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 copied_seq;
	__u32 write_seq;
	__u32 rcv_nxt;
	__u32 snd_una;
	__u32 srtt_us;
	__u32 total_retrans;
	__u64 bytes_received;
	__u64 bytes_acked;
	__u64 tcp_mstamp; /* CLOCK_MONOTONIC, microseconds, as the next */
	struct {
		__u64 time;
	} rcvq_space;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len; /* of the sockaddr_un that is its tail */
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

/* The references of a file: a plain count up to 6.12, then one in which those that are left are below zero (include/linux/file_ref.h). */
typedef struct {
	long counter;
} atomic_long_t;

struct file___count {
	atomic_long_t f_count;
};

typedef struct {
	atomic_long_t refcnt;
} file_ref_t;

struct file___ref {
	file_ref_t f_ref;
};

#pragma clang attribute pop

/* include/linux/socket.h, include/net/tcp_states.h, include/net/sock.h */
#define SOCKET_STREAM 1
#define PROTOCOL_TCP 6
#define SHUTDOWN_BOTH 3
#define MESSAGE_OOB 0x1
#define MESSAGE_PEEK 0x2
#define MESSAGE_TRUNC 0x20
#define MESSAGE_ERRQUEUE 0x2000
#define SOCK_FLAG_DONE 0x2 /* enum sock_flags: the peer's FIN is here */
enum tcp_state { TCP_STATE_ESTABLISHED = 1, TCP_STATE_SYN_SENT = 2, TCP_STATE_CLOSE = 7 };

/* Is nobody left who has it open? So it is while it is closed. */
static __always_inline bool socket_has_no_file(struct sock *sk)
{
	struct file *file = BPF_CORE_READ(sk, sk_socket, file);
	if (!file)
		return true;
	struct file___ref *by_ref = (void *)file;
	struct file___count *by_count = (void *)file;
	if (bpf_core_field_exists(by_ref->f_ref))
		return BPF_CORE_READ(by_ref, f_ref.refcnt.counter) < 0;
	return BPF_CORE_READ(by_count, f_count.counter) <= 0;
}

/* The end that the peer sent takes a sequence number of its own, which whoever reads up to it takes with the last bytes. */
static __always_inline __u32 tcp_end_was_read(unsigned long flags, __u32 rcv_nxt, __u32 copied_seq)
{
	return flags & SOCK_FLAG_DONE && rcv_nxt == copied_seq;
}

/*
 * When a connection was established, until its first receives have been measured; 0: that is over. The room for what is received is
 * measured from its establishment on, and anew from "now" on (net/ipv4/tcp_input.c, tcp_init_buffer_space, tcp_rcv_space_adjust).
 */
static __always_inline __u64 tcp_established_ns(struct tcp_sock *tcp)
{
	__u64 since_us = BPF_CORE_READ(tcp, rcvq_space.time);
	return since_us < BPF_CORE_READ(tcp, tcp_mstamp) ? since_us * 1000 : 0;
}
