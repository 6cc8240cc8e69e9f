/*
 * sock.abi.h: records of the sock family, shared by its kernel halves and sock.c.
 *
 * A connection is told once (SOCK_CONN, before anything else of it), each call that sent or received bytes on it once (SOCK_DATA, when
 * the call has ended), its end once (SOCK_CLOSE). All three go the same way, in order. None is counted per thread (head.seq is 0): what
 * was lost of a connection shows in the offsets of its directions, byte by byte.
 */
#pragma once

#include "bpf/record.abi.h"

/* What is made of a connection in user space when it ends (SOCK_ENDED) stands in recordings for SOCK_CLOSE, behind the requests that the end brings. */
enum sock_record {
	SOCK_CONN = REC_FACT_TYPE(REC_SOCK, 1),
	SOCK_DATA = REC_TYPE(REC_SOCK, 2),
	SOCK_CLOSE = REC_TYPE(REC_SOCK, 3),
	SOCK_ENDED = REC_TYPE(REC_SOCK, 4),
};

/* As seen from the traced process; also indices of what is counted both ways. */
enum sock_direction { SOCK_RECEIVED, SOCK_SENT, SOCK_DIRECTIONS };

/* The numbers of the kernel (include/linux/socket.h), which are the same on all architectures. */
enum sock_family { SOCK_UNIX = 1, SOCK_INET = 2, SOCK_INET6 = 10 };

enum sock_role {
	SOCK_ROLE_UNKNOWN, /* a socketpair, for one */
	SOCK_SERVER,       /* accepted */
	SOCK_CLIENT,       /* connected */
};

enum sock_conn_flag {
	SOCK_OPEN_BEFORE = 1 << 0,    /* bytes had passed, or it was connected, before we came */
	SOCK_ROLE_GUESSED = 1 << 1,   /* from how the local port or path was bound: a client that binds before it connects looks like a server */
	SOCK_PATH_IS_PEERS = 1 << 2,  /* the path is the other end's */
	SOCK_PATH_ABSTRACT = 1 << 3,  /* the path's first byte, NUL in the kernel, is not part of it */
	SOCK_OTHER_STREAM = 1 << 4,   /* neither TCP nor Unix: MPTCP, SMC */
};

#define SOCK_PATH_BYTES 112 /* sun_path has 108 */

/* head.time_ns: when it is told; the task: who made or first used it. */
struct sock_conn_rec {
	struct rec_head head;
	__u64 connection; /* the socket's cookie where the kernel tells it (as `ss -e` shows), else a number of ours; unique in the run */
	__u64 seen_ns;    /* when it was seen first */
	__u64 began_ns;   /* when connect() began; 0: not seen */
	__u64 established_ns; /* when it came about; 0: not known. Of a server, before it accepts */
	__u64 before_bytes[SOCK_DIRECTIONS]; /* passed before; only of TCP. Offsets of SOCK_DATA do not count them */
	__u8 family;      /* enum sock_family */
	__u8 role;        /* enum sock_role */
	__u16 flags;      /* enum sock_conn_flag */
	__u16 local_port; /* host order, as peer_port */
	__u16 peer_port;
	__u8 local_address[16]; /* network order; of IPv4 as ::ffff:a.b.c.d, also where an IPv6 socket speaks IPv4 */
	__u8 peer_address[16];
	__u32 netns;      /* inode */
	__u32 peer_pid;   /* SOCK_UNIX: as SO_PEERCRED tells, in the initial pid namespace; 0: not known */
	__u32 path_length;
	__u32 pad;
	char path[SOCK_PATH_BYTES]; /* SOCK_UNIX: not ended by NUL; the others end before it */
};
_Static_assert(sizeof(struct sock_conn_rec) == sizeof(struct rec_head) + 104 + SOCK_PATH_BYTES, "layout");
#define SOCK_CONN_REC_SHORT (sizeof(struct sock_conn_rec) - SOCK_PATH_BYTES)

enum sock_data_flag {
	SOCK_HAS_SEQ = 1 << 0,    /* tcp_seq is known */
	SOCK_NO_BUFFER = 1 << 1,  /* the bytes were in no buffer of the process: sendfile, splice */
	SOCK_FOREIGN = 1 << 2,    /* made by another than the call at hand (io_uring, a 32-bit call): nobody knows where the buffer is */
	SOCK_UNREADABLE = 1 << 3, /* the buffer, or its rest, could not be read */
	SOCK_NOT_SEEN_BEFORE = 1 << 4, /* bytes of this direction passed just before in a way that we do not see (splice from the socket):
					  the offset has been moved by them */
};

#define SOCK_CAPTURE_BYTES_MAX 4096 /* of one call */
#define SOCK_CAPTURE_BYTES 512
#define SOCK_IOVECS 16              /* of one call, that are captured */

/* head.time_ns: the end of the call. Followed by @captured bytes, the first of the @bytes that passed. */
struct sock_data_rec {
	struct rec_head head;
	__u64 connection;
	__u64 offset;    /* bytes of this direction before, since the connection was seen */
	__u64 began_ns;  /* of the call; 0: not seen */
	__u32 bytes;
	__u32 tcp_seq;   /* of the first byte */
	__u16 captured;
	__u16 flags;     /* enum sock_data_flag */
	__u8 direction;  /* enum sock_direction */
	__u8 pad[3];
};
_Static_assert(sizeof(struct sock_data_rec) == sizeof(struct rec_head) + 40, "layout");

enum sock_end {
	SOCK_CLOSED,      /* by the process, or with it */
	SOCK_PEER_CLOSED, /* the process has read the end of what the peer sent: all that is seen of the end of a Unix socket */
	SOCK_RESET,       /* by the peer, or by a timeout: @error */
	SOCK_FAILED,      /* it was never established: @error */
	SOCK_STILL_OPEN,  /* nobody knows: it was lost sight of */
};

/* head.time_ns: when the process let go of it. */
struct sock_close_rec {
	struct rec_head head;
	__u64 connection;
	__u64 seen_ns;  /* when it was seen first */
	__u64 bytes[SOCK_DIRECTIONS]; /* since then, also those of lost records and those that were not seen */
	__u32 calls[SOCK_DIRECTIONS]; /* that passed bytes */
	__u32 error;    /* errno */
	__u32 retransmits; /* of TCP, in its whole life */
	__u32 srtt_us;  /* smoothed round trip time; 0: not known */
	__u8 end;       /* enum sock_end */
	__u8 pad[3];
};
_Static_assert(sizeof(struct sock_close_rec) == sizeof(struct rec_head) + 56, "layout");

/* All that is shown of the end: bytes that a recording leaves out cannot be counted from it. head: when it ended; who made or first used it. */
struct sock_ended_rec {
	struct rec_head head;
	__u64 connection;
	__u64 seen_ns;
	__u64 bytes[SOCK_DIRECTIONS];
	__u64 lost_bytes[SOCK_DIRECTIONS]; /* of them those that no SOCK_DATA has told of */
	__u32 calls[SOCK_DIRECTIONS];
	__u32 error;
	__u32 retransmits;
	__u32 srtt_us;
	__u8 end;       /* enum sock_end */
	__u8 pad[3];
};
_Static_assert(sizeof(struct sock_ended_rec) == sizeof(struct rec_head) + 72, "layout");
