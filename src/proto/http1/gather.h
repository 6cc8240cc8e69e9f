/*
 * gather: finds the end of a head (or of trailers) in bytes that come in pieces. What comes in one piece is not copied; only a
 * head that is still open at the end of a piece is kept, HTTP1_HEAD_BYTES of it at most. Each byte is looked at once.
 */
#pragma once

#include "proto/http1/head.h"

enum gather_found {
	GATHER_MORE, /* all bytes are taken; the head goes on */
	GATHER_HEAD, /* a whole head, its empty line included */
	GATHER_BAD,  /* it begins like none; all bytes are taken */
	GATHER_LONG, /* HTTP1_HEAD_BYTES have been taken, and it goes on */
};

struct gather {
	char *kept;       /* of a head that began in an earlier piece; NULL: nothing. Owned */
	uint32_t len, cap;
	uint32_t line;    /* where the line that is still open begins; > 0: the start line is whole, and good */
	uint32_t looked;  /* bytes before it hold no line end that has not been seen */
	bool folded;      /* a line continues the one before it */
	bool trailers;    /* field lines only: set by the caller */
};

/*
 * @ret_used: how many bytes of @in belong to the head. @ret_head, of GATHER_HEAD: it lives until gather_clear(), and no
 * longer than @in.
 */
enum gather_found gather_feed(struct gather *g, enum proto_side from, struct slice in, size_t *ret_used, struct slice *ret_head);

/* The whole lines seen so far; empty unless the start line is among them. */
struct slice gather_lines(struct gather *g);

void gather_clear(struct gather *g); /* for the next head; gives back what was kept */
