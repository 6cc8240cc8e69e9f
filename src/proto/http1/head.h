/*
 * head: what the head of a message says. Pure: bytes in, slices of them out.
 *
 * An observer is not a server: what a strict server answers with 400 is a request nonetheless, so only the start line decides
 * whether this is HTTP. Field lines that are none are left out and counted, and what a message says of its length is kept with
 * its contradictions, for framing.h to judge.
 */
#pragma once

#include "proto/proto.h"

#define HTTP1_HEAD_BYTES 65536 /* longer ones are cut; nginx takes 32 KiB, apache2 100 lines of 8 KiB */
#define HTTP1_FIELDS 200       /* kept of one head; the rest is counted, but still frames the message */
#define HTTP1_METHOD_BYTES 32  /* the longest registered has 17 (UPDATEREDIRECTREF) */

struct http1_start_line {
	struct slice method, target; /* of a request */
	struct slice version;        /* "HTTP/1.1" */
	struct slice reason;         /* of a response */
	uint32_t status;
	bool minor_0;                /* HTTP/1.0 */
};

struct http1_head {
	struct http1_start_line start;

	/* What fields say of the message's length, RFC 9112 section 6. */
	bool has_length, bad_length; /* Content-Length: none, contradicting, or no number */
	uint64_t length;
	bool has_coding, chunked;    /* Transfer-Encoding; its last coding is "chunked" */
	bool has_host;
	struct slice upgrade;        /* Upgrade: its first protocol; empty: none */

	uint32_t n_fields, bad_fields, left_out;
	struct proto_field fields[HTTP1_FIELDS];
};

/* @line has no line end. False: this is no start line of HTTP/1, and *ret is of no use. */
bool http1_start_line(struct http1_start_line *ret, enum proto_side from, struct slice line);

/*
 * False: no start line of HTTP/1 begins with @begun. The bytes before @seen were asked about before; a line that passes may
 * still turn out to be none, one that does not pass never turns out to be one.
 */
bool http1_start_line_may_be(enum proto_side from, struct slice begun, size_t seen);

/* @bytes is a whole head: start line, fields, each line with its end; the empty line may be missing. False: no start line. */
bool http1_head_parse(struct http1_head *head, enum proto_side from, struct slice bytes);

/* Field lines alone: trailers. */
void http1_fields_parse(struct http1_head *head, enum proto_side from, struct slice bytes);

/* The head is too well made to be a piece of a body: for who looks for a message in the middle of a stream. */
bool http1_head_convinces(const struct http1_head *head, enum proto_side from);
bool http1_method_convinces(struct slice method); /* also an empty one */

/* A line fold becomes blanks, RFC 9112 section 5.2. @bytes: a head; the line after its start line stays as it is. */
void http1_unfold(char *bytes, size_t len);

/* Without its line end, CRLF or LF alone (RFC 9112 section 2.2). @bytes begins with the line; *ret_next: where the next begins. */
struct slice http1_line(struct slice bytes, size_t *ret_next);
