/*
 * request.abi.h: a request, as a record: what was made of the bytes of a connection when it ended. Made in user space, and kept in
 * recordings instead of the bytes. Times are CLOCK_MONOTONIC nanoseconds.
 */
#pragma once

#include "bpf/record.abi.h"

#define REQUEST_DONE REC_TYPE(REC_SPAN, 1)

enum request_kind { REQUEST_SERVER, REQUEST_CLIENT };

enum request_flag {
	REQUEST_NO_ANSWER = 1 << 0,   /* the connection ended, or was lost sight of, before one */
	REQUEST_CUT = 1 << 1,         /* the answer, or the request, ended with the connection, before its own end */
	REQUEST_GAP = 1 << 2,         /* bytes were not captured: sizes are at least so much, the end is an estimate */
	REQUEST_MIDWAY = 1 << 3,      /* the connection is older than the trace */
	REQUEST_TLS = 1 << 4,         /* it was encrypted on the wire: bytes are those of the plaintext */
};

/*
 * head: time: the first byte of the request (server: when it was read; client: when it was sent); the thread that did it.
 * Followed by texts, each ended by NUL: method, path, route, host, user agent, protocol ("http"), its version ("1.1"); where it was
 * encrypted, the version of TLS ("1.3"), its cipher suite, the server's name that the client asked for, and ALPN's choice.
 */
struct request_rec {
	struct rec_head head;
	__u64 duration_ns;     /* to the last byte of the answer */
	__u64 request_ns;      /* until the last byte of the request */
	__u64 processing_ns;   /* from there to the first byte of the answer */
	__u64 request_bytes;   /* on the wire, head and framing included */
	__u64 response_bytes;
	__u64 request_body_bytes;
	__u64 response_body_bytes;
	__u64 connection;
	__u64 span_id;
	__u64 trace_id[2];     /* high and low half */
	__u8 local_address[16]; /* network order; IPv4 as ::ffff:a.b.c.d */
	__u8 peer_address[16];
	__u16 local_port, peer_port; /* host order; 0: a Unix socket */
	__u32 status;          /* of the protocol; 0: none */
	__u8 kind;             /* enum request_kind */
	__u8 pad;
	__u16 flags;           /* enum request_flag */
	__u32 pad2;
};
_Static_assert(sizeof(struct request_rec) == 40 + 88 + 32 + 16, "layout");
