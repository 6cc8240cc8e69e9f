/* sock.bpf.h: what the kernel halves of the sock family share, whatever tells them that bytes have passed. */
#pragma once

#include "bpf/emit.h"
#include "bpf/socket.h"
#include "bpf/target.h"
#include "probe/sock/sock.abi.h"

const volatile __u32 sock_capture_bytes = SOCK_CAPTURE_BYTES;
const volatile bool sock_keep_encrypted = false; /* all of what is captured, also where nobody can read it */

/* What is kept of a connection while it is open. */
struct sock_state {
	__u64 connection;  /* 0: this is new */
	__u64 seen_ns;
	__u64 began_ns;    /* of connect(); 0: not seen */
	__u64 established_ns;
	__u64 bytes[SOCK_DIRECTIONS];
	__u64 before_bytes[SOCK_DIRECTIONS];
	__u32 next_seq[SOCK_DIRECTIONS];
	__u32 calls[SOCK_DIRECTIONS];
	__u32 pid, tid, generation; /* who made or first used it */
	__u32 error;
	__u8 has_seq[SOCK_DIRECTIONS]; /* next_seq is known */
	__u8 told;         /* SOCK_CONN is in the ring */
	__u8 closed;       /* SOCK_CLOSE is */
	__u8 end;          /* enum sock_end */
	__u8 hello;        /* it began as TLS does */
	__u8 encrypted;    /* a bit each direction: what passes there is */
	__u8 pad[1];
};

/* Who builds a record: none of them can be interrupted by itself on its CPU, but each by others. */
enum sock_place { IN_RECEIVE = SOCK_RECEIVED, IN_SEND = SOCK_SENT, IN_STATE, IN_DESTROY, IN_RELEASE, SOCK_PLACES };

/* Records while they are built. The verifier adds the largest piece to the largest offset: hence twice the room. */
struct sock_scratch {
	__u64 limit; /* of bytes to capture */
	struct sock_conn_rec conn;
	struct sock_data_rec rec;
	char bytes[2 * SOCK_CAPTURE_BYTES_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SOCK_PLACES);
	__type(key, __u32);
	__type(value, struct sock_scratch);
} sock_scratches SEC(".maps");

static __always_inline struct sock_scratch *scratch_of(__u32 place)
{
	return bpf_map_lookup_elem(&sock_scratches, &place);
}

static __always_inline bool is_stream(struct sock *sk, __u16 family, __u16 type)
{
	return type == SOCKET_STREAM && (family == SOCK_INET || family == SOCK_INET6 || family == SOCK_UNIX);
}

/* The state of a connection that is seen first. */
static __always_inline void state_begin(struct sock_state *s, __u64 connection)
{
	__u64 id = bpf_get_current_pid_tgid();
	s->connection = connection;
	s->seen_ns = bpf_ktime_get_ns();
	s->pid = id >> 32;
	s->tid = id;
	s->generation = task_generation(current_task());
}

static __always_inline void head_of(struct rec_head *head, const struct sock_state *s, __u32 type, __u32 length)
{
	head->type = type;
	head->length = length;
	head->cpu = bpf_get_smp_processor_id();
	head->flags = REC_KERNEL;
	head->time_ns = bpf_ktime_get_ns();
	head->pid = s->pid;
	head->tid = s->tid;
	head->generation = s->generation;
}

/* ---- what a connection is ---- */

static __always_inline void map_ipv4(__u8 *to, __be32 address)
{
	to[10] = 0xff;
	to[11] = 0xff;
	__builtin_memcpy(to + 12, &address, 4);
}

static __always_inline void describe_inet(struct sock_conn_rec *rec, struct sock *sk)
{
	rec->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	rec->peer_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (rec->family == SOCK_INET) {
		map_ipv4(rec->local_address, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		map_ipv4(rec->peer_address, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	} else {
		BPF_CORE_READ_INTO(&rec->local_address, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&rec->peer_address, sk, __sk_common.skc_v6_daddr);
	}
}

/*
 * Where connect() was not seen: connect() takes a port from a bucket that it has made with fastreuse -1, and an accepted socket is in its
 * listener's, which bind() has made (kernel: net/ipv4/inet_hashtables.c, __inet_hash_connect; inet_connection_sock.c, inet_csk_get_port).
 */
static __always_inline void guess_role(struct sock_conn_rec *rec, struct sock *sk)
{
	struct inet_bind_bucket *bucket = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_bind_hash);
	if (!bucket)
		return;
	rec->role = BPF_CORE_READ(bucket, fastreuse) < 0 ? SOCK_CLIENT : SOCK_SERVER;
	rec->flags |= SOCK_ROLE_GUESSED;
}

static __always_inline void describe_tcp(struct sock_conn_rec *rec, const struct sock_state *s, struct sock *sk)
{
	if (s->began_ns) {
		rec->role = SOCK_CLIENT;
		return;
	}
	guess_role(rec, sk);
	if (rec->role == SOCK_SERVER && !s->before_bytes[SOCK_RECEIVED] && !s->before_bytes[SOCK_SENT])
		rec->established_ns = tcp_established_ns((struct tcp_sock *)sk);
	rec->before_bytes[SOCK_RECEIVED] = s->before_bytes[SOCK_RECEIVED];
	rec->before_bytes[SOCK_SENT] = s->before_bytes[SOCK_SENT];
	if (rec->role == SOCK_CLIENT && rec->before_bytes[SOCK_SENT])
		rec->before_bytes[SOCK_SENT]--; /* who connected has its SYN acknowledged: tcp_snd_una_update() counts it */
	if (rec->role == SOCK_CLIENT || rec->before_bytes[SOCK_RECEIVED] || rec->before_bytes[SOCK_SENT])
		rec->flags |= SOCK_OPEN_BEFORE;
}

static __always_inline void describe_path(struct sock_conn_rec *rec, struct unix_address *address)
{
	struct sockaddr_un *name = address->name;
	__u32 length = BPF_CORE_READ(address, len) - sizeof(name->sun_family);
	const char *path = name->sun_path;
	char first = 0;
	bpf_probe_read_kernel(&first, 1, path);
	if (first == '\0') {
		rec->flags |= SOCK_PATH_ABSTRACT;
		path++;
		length--;
	}
	HIDE(length);
	if (length > sizeof(name->sun_path))
		return;
	bpf_probe_read_kernel(rec->path, length, path);
	if (first && length)
		length--; /* its NUL */
	rec->path_length = length;
}

/* What is bound is the listener's; what it accepts has its address too. */
static __always_inline void describe_unix(struct sock_conn_rec *rec, struct sock *sk)
{
	struct unix_address *own = BPF_CORE_READ((struct unix_sock *)sk, addr);
	struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	struct unix_address *other = peer ? BPF_CORE_READ((struct unix_sock *)peer, addr) : NULL;
	struct pid *pid = BPF_CORE_READ(sk, sk_peer_pid);
	rec->peer_pid = pid ? BPF_CORE_READ(pid, numbers[0].nr) : 0;
	if (own && !other)
		rec->role = SOCK_SERVER;
	else if (!own && other)
		rec->role = SOCK_CLIENT;
	if (!own && other)
		rec->flags |= SOCK_PATH_IS_PEERS;
	if (own || other)
		describe_path(rec, own ? own : other);
}

/* Tells what the connection is; when there is no room, the next time. */
static __always_inline void tell_connection(void *ctx, struct sock_state *s, struct sock *sk, __u32 place)
{
	struct sock_scratch *scratch = s->told ? NULL : scratch_of(place);
	if (!scratch)
		return;
	struct sock_conn_rec *rec = &scratch->conn;
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u64 length = family == SOCK_UNIX ? sizeof(*rec) : SOCK_CONN_REC_SHORT;
	__builtin_memset(rec, 0, sizeof(*rec));
	head_of(&rec->head, s, SOCK_CONN, length);
	rec->connection = s->connection;
	rec->seen_ns = s->seen_ns;
	rec->began_ns = s->began_ns;
	rec->established_ns = s->established_ns;
	rec->family = family;
	rec->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (family == SOCK_UNIX) {
		describe_unix(rec, sk);
	} else {
		describe_inet(rec, sk);
		if (BPF_CORE_READ(sk, sk_protocol) == PROTOCOL_TCP)
			describe_tcp(rec, s, sk);
		else
			rec->flags |= SOCK_OTHER_STREAM;
	}
	HIDE(length);
	if (length > sizeof(*rec))
		return;
	if (emit_uncounted(ctx, rec, length))
		lose(LOSS_RING_FULL);
	else
		s->told = 1;
}

/* ---- what passed ---- */

/* x86-64, arch/x86/entry/syscalls/syscall_64.tbl */
enum sock_call {
	CALL_READ = 0, CALL_WRITE = 1, CALL_READV = 19, CALL_WRITEV = 20, CALL_SENDFILE = 40, CALL_SENDTO = 44, CALL_RECVFROM = 45,
	CALL_SENDMSG = 46, CALL_RECVMSG = 47, CALL_SPLICE = 275, CALL_PREADV2 = 327, CALL_PWRITEV2 = 328,
};

/* The call at hand: its number and the arguments that lead to the buffer. */
struct sock_regs {
	__u64 nr, second, third;
	bool foreign; /* they are not of a call that is under way */
};

struct sock_iovec {
	__u64 base, length;
};

static __always_inline void capture_piece(struct sock_scratch *s, __u64 addr, __u64 length)
{
	__u32 at = *(volatile __u16 *)&s->rec.captured, limit = s->limit, room = limit - at;
	if (at >= limit)
		return;
	__u32 n = length < room ? length : room;
	HIDE(n);
	HIDE(at);
	if (n > SOCK_CAPTURE_BYTES_MAX || at >= SOCK_CAPTURE_BYTES_MAX)
		return;
	if (bpf_probe_read_user(s->bytes + at, n, (void *)addr))
		s->rec.flags |= SOCK_UNREADABLE;
	else
		s->rec.captured = at + n;
}

/* The pieces of an iovec, up to what has passed. */
static __always_inline void capture_pieces(struct sock_scratch *s, __u64 iovecs, __u64 count)
{
	__u64 left = s->rec.bytes;
	for (__u32 i = 0; i < SOCK_IOVECS && i < count && left; i++) {
		struct sock_iovec v = {};
		if (bpf_probe_read_user(&v, sizeof(v), (void *)(iovecs + i * sizeof(v)))) {
			s->rec.flags |= SOCK_UNREADABLE;
			return;
		}
		__u64 n = v.length < left ? v.length : left;
		capture_piece(s, v.base, n);
		if (s->rec.flags & SOCK_UNREADABLE || s->rec.captured >= s->limit)
			return;
		left -= n;
	}
}

static __always_inline void capture(struct sock_scratch *s, const struct sock_regs *regs)
{
	__u64 iovecs[2] = {};
	switch (regs->nr) {
	case CALL_READ:
	case CALL_WRITE:
	case CALL_SENDTO:
	case CALL_RECVFROM:
		capture_piece(s, regs->second, s->rec.bytes);
		return;
	case CALL_READV:
	case CALL_WRITEV:
	case CALL_PREADV2:
	case CALL_PWRITEV2:
		capture_pieces(s, regs->second, regs->third);
		return;
	case CALL_SENDMSG:
	case CALL_RECVMSG: /* struct user_msghdr: name, its length, then the iovecs and their number */
		if (bpf_probe_read_user(iovecs, sizeof(iovecs), (void *)(regs->second + 16)))
			s->rec.flags |= SOCK_UNREADABLE;
		else
			capture_pieces(s, iovecs[0], iovecs[1]);
		return;
	case CALL_SENDFILE:
	case CALL_SPLICE:
		s->rec.flags |= SOCK_NO_BUFFER;
		return;
	}
	s->rec.flags |= SOCK_FOREIGN;
}

/* The first message of TLS names servers and protocols, somewhere in up to 2 KiB; whoever reads it reads the head of its record before it. */
#define FIRST_BYTES 2048
#define FIRST_OFFSET 5

static __always_inline __u32 limit_at(__u64 offset)
{
	bool first = !sock_keep_encrypted && sock_capture_bytes >= SOCK_CAPTURE_BYTES && sock_capture_bytes < FIRST_BYTES && offset <= FIRST_OFFSET;
	return first ? FIRST_BYTES : sock_capture_bytes;
}

#define RECORD_HANDSHAKE 22 /* of TLS: RFC 8446, 5.1. Head: type, version 3.1 to 3.3, length */
#define RECORD_DATA 23
#define RECORD_BYTES_MIN 17 /* of data: its authentication and the type inside */
#define ENCRYPTED_BYTES 8   /* that are kept: the record's head, and no more than pads anyway */

/* Of what is encrypted nobody needs more than the heads of records. */
static __always_inline void leave_out_encrypted(struct sock_state *s, struct sock_scratch *scratch, __u32 direction)
{
	struct sock_data_rec *rec = &scratch->rec;
	const __u8 *p = (const __u8 *)scratch->bytes;
	bool midway = s->before_bytes[SOCK_RECEIVED] || s->before_bytes[SOCK_SENT];
	if (rec->captured >= 5 && p[1] == 3 && p[2] >= 1 && p[2] <= 3) {
		if (p[0] == RECORD_HANDSHAKE && rec->offset == 0)
			s->hello = 1;
		if (p[0] == RECORD_DATA && (s->hello || midway) && ((__u32)p[3] << 8 | p[4]) >= RECORD_BYTES_MIN)
			s->encrypted |= 1 << (direction & 1);
	}
	if (s->encrypted >> (direction & 1) & 1 && rec->captured > ENCRYPTED_BYTES)
		rec->captured = ENCRYPTED_BYTES;
}

/* Where the bytes lie in the stream. */
static __always_inline void place_bytes(struct sock_data_rec *rec, struct sock_state *s, __u32 direction, bool has_seq, __u32 seq)
{
	HIDE(direction);
	direction &= SOCK_DIRECTIONS - 1;
	if (has_seq) {
		__u32 gap = seq - s->next_seq[direction];
		if (s->has_seq[direction] && gap && gap < 1u << 31) {
			s->bytes[direction] += gap;
			rec->flags |= SOCK_NOT_SEEN_BEFORE;
		}
		rec->flags |= SOCK_HAS_SEQ;
		rec->tcp_seq = seq;
		s->next_seq[direction] = seq + rec->bytes;
		s->has_seq[direction] = 1;
	}
	rec->offset = s->bytes[direction];
	s->bytes[direction] += rec->bytes;
	s->calls[direction]++;
}

/* Sends the record of a call that passed @bytes. @foreign, in regs: no bytes of it are looked for. */
static __always_inline void tell_bytes(void *ctx, struct sock_state *s, __u32 direction, __u32 bytes, const struct sock_regs *regs,
				       bool has_seq, __u32 seq, __u32 flags)
{
	struct sock_scratch *scratch = scratch_of(direction);
	if (!scratch)
		return;
	struct sock_data_rec *rec = &scratch->rec;
	__u64 id = bpf_get_current_pid_tgid();
	*rec = (struct sock_data_rec){ .connection = s->connection, .bytes = bytes, .direction = direction, .flags = flags };
	head_of(&rec->head, s, SOCK_DATA, 0);
	if (rec->head.tid != (__u32)id) {
		rec->head.pid = id >> 32;
		rec->head.tid = id;
		rec->head.generation = task_generation(current_task());
	}
	place_bytes(rec, s, direction, has_seq, seq);
	scratch->limit = limit_at(rec->offset);
	if (regs->foreign)
		rec->flags |= SOCK_FOREIGN;
	else if (sock_capture_bytes && !(flags & SOCK_NO_BUFFER))
		capture(scratch, regs);
	if (sock_capture_bytes && !sock_keep_encrypted)
		leave_out_encrypted(s, scratch, direction);
	__u64 captured = *(volatile __u16 *)&rec->captured;
	HIDE(captured);
	if (captured > SOCK_CAPTURE_BYTES_MAX)
		return;
	__builtin_memset(scratch->bytes + captured, 0, 8); /* what pads it is of nobody */
	__u64 length = sizeof(*rec) + ((captured + 7) & ~7ull);
	rec->head.length = length;
	emit(ctx, rec, length);
}

/* ---- the end ---- */

static __always_inline void tell_end(void *ctx, struct sock_state *s, struct sock *sk, __u32 end, __u32 place)
{
	struct sock_close_rec rec = {};
	if (s->closed)
		return;
	tell_connection(ctx, s, sk, place);
	head_of(&rec.head, s, SOCK_CLOSE, sizeof(rec));
	rec.connection = s->connection;
	rec.seen_ns = s->seen_ns;
	rec.bytes[SOCK_RECEIVED] = s->bytes[SOCK_RECEIVED];
	rec.bytes[SOCK_SENT] = s->bytes[SOCK_SENT];
	rec.calls[SOCK_RECEIVED] = s->calls[SOCK_RECEIVED];
	rec.calls[SOCK_SENT] = s->calls[SOCK_SENT];
	rec.error = s->error;
	rec.end = end;
	if (BPF_CORE_READ(sk, sk_protocol) == PROTOCOL_TCP) {
		rec.retransmits = BPF_CORE_READ((struct tcp_sock *)sk, total_retrans);
		rec.srtt_us = BPF_CORE_READ((struct tcp_sock *)sk, srtt_us) >> 3; /* eighths: net/ipv4/tcp_input.c */
	}
	s->closed = 1;
	emit(ctx, &rec, sizeof(rec));
}

/* ---- the life of a TCP connection ---- */

/* connect() begins in the process; it ends in whatever the CPU was at, so whose it is has been kept. */
static __always_inline void connect_begins(struct sock_state *s)
{
	s->began_ns = bpf_ktime_get_ns();
	s->error = 0;
	s->end = SOCK_CLOSED;
}

static __always_inline void state_changed(void *ctx, struct sock_state *s, struct sock *sk, int old, int new)
{
	int error = BPF_CORE_READ(sk, sk_err);
	if (new == TCP_STATE_ESTABLISHED) {
		s->established_ns = bpf_ktime_get_ns();
		tell_connection(ctx, s, sk, IN_STATE);
	}
	if (new == TCP_STATE_CLOSE && error) {
		s->error = error;
		s->end = old == TCP_STATE_SYN_SENT ? SOCK_FAILED : SOCK_RESET;
		tell_connection(ctx, s, sk, IN_STATE); /* its addresses are taken away soon */
	}
	if (new != TCP_STATE_SYN_SENT && new != TCP_STATE_ESTABLISHED && socket_has_no_file(sk))
		tell_end(ctx, s, sk, s->end, IN_STATE);
}
