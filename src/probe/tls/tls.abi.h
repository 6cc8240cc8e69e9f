/*
 * tls.abi.h: records of the tls family, shared by its kernel half and tls.c.
 *
 * Each call of a TLS library that passed plaintext is told once, when it has returned. Which connection it belongs to is found in user
 * space: the kernel half knows the library's object alone. None is counted per thread (head.seq is 0): what was lost of an object shows in
 * the offsets of its directions, byte by byte.
 */
#pragma once

#include "bpf/record.abi.h"

enum tls_record {
	TLS_DATA = REC_TYPE(REC_TLS, 1),
	TLS_SESSION = REC_FACT_TYPE(REC_TLS, 2),
};

enum tls_direction { TLS_RECEIVED, TLS_SENT, TLS_DIRECTIONS }; /* as enum sock_direction */
enum tls_data_flag {
	TLS_OWN_SOCKET = 1 << 0, /* the call reads or writes a socket itself, or it is not TLS: nothing is fed from memory */
	TLS_UNREADABLE = 1 << 3, /* as SOCK_UNREADABLE */
};

#define TLS_CAPTURE_BYTES_MAX 4096 /* of one call, as of a socket's */
#define TLS_CAPTURE_BYTES 512

/* head.time_ns: the end of the call. Followed by @captured bytes, the first of the @bytes of plaintext that passed. */
struct tls_data_rec {
	struct rec_head head;
	__u64 object;    /* address of the library's: SSL *, gnutls_session_t, PRFileDesc * */
	__u64 offset;    /* plaintext of this direction that passed by the object before, since it was seen */
	__u64 began_ns;  /* of the call */
	__u32 bytes;
	__u16 captured;
	__u16 flags;     /* enum tls_data_flag */
	__u8 direction;  /* enum tls_direction */
	__u8 pad[7];
};
_Static_assert(sizeof(struct tls_data_rec) == sizeof(struct rec_head) + 40, "layout");

enum tls_session_flag {
	TLS_ESTABLISHED = 1 << 0, /* the handshake has ended well */
	TLS_RESUMED = 1 << 1,     /* an earlier session's secrets were used */
	TLS_ALERTED = 1 << 2,     /* it was refused, by @alert */
	TLS_ALERT_SENT = 1 << 3,  /* by the traced process; else by the peer */
	TLS_ALERT_HIDDEN = 1 << 4, /* encrypted: which one it was cannot be told */
};

/*
 * What passed in the clear before a connection was encrypted. Made in user space when the handshake has ended, one way or the other. Times
 * are those at which records passed. Followed by texts, each ended by NUL: the server's name that the client asked for; what the server chose
 * of the protocols that may follow (ALPN; TLS 1.3 hides that); those that the client offered, comma-separated.
 */
struct tls_session_rec {
	struct rec_head head;
	__u64 connection;
	__u64 began_ns;       /* the client's hello; 0: it was not seen */
	__u64 established_ns; /* 0: it was not */
	__u16 version;        /* 0x0304 is 1.3; 0: not known */
	__u16 cipher;         /* number of the suite (IANA, TLS Cipher Suites) */
	__u16 flags;          /* enum tls_session_flag */
	__u8 alert;           /* its description: RFC 8446, 6 */
	__u8 pad;
};
_Static_assert(sizeof(struct tls_session_rec) == sizeof(struct rec_head) + 32, "layout");

/* How a function says what passed: its first two arguments are the object and the buffer. */
enum tls_result {
	TLS_RESULT_INT,  /* int: bytes; 0 or less: none */
	TLS_RESULT_LONG, /* the same, as wide as a pointer */
	TLS_RESULT_EX,   /* int, 1: the fourth argument points to how many, size_t */
	TLS_RESULT_EX2,  /* the same of the fifth */
};

/* The cookie of a probe. */
#define TLS_COOKIE(direction, result, at_ret, own_socket) \
	((__u64)(direction) | (__u64)(result) << 8 | (__u64)(at_ret) << 16 | (__u64)(own_socket) << 17)
#define TLS_COOKIE_DIRECTION(cookie) ((__u32)(cookie) & 1)
#define TLS_COOKIE_RESULT(cookie) ((__u32)((cookie) >> 8) & 0xff)
#define TLS_COOKIE_AT_RET(cookie) ((__u32)((cookie) >> 16) & 1) /* the function's end is seen at its RET, which has not taken the return address yet */
#define TLS_COOKIE_OWN_SOCKET(cookie) ((__u32)((cookie) >> 17) & 1)
