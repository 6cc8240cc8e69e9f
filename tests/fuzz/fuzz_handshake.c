/*
 * A TLS connection's beginning, or anything: what is told of it does not depend on the pieces in which its bytes come, texts end where they
 * must, it ends once.
 *
 * The input is what passes, received first. Byte 0xfe makes the next one a command: '<' and '>' change the direction; 'm' as many bytes as
 * the byte after it says pass that were not captured; 'l' so many were lost.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "probe/tls/handshake.h"

#define COMMAND 0xfe
#define PIECE_BYTES 7 /* no fewer than show a record */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(bool holds)
{
	if (!holds)
		abort();
}

struct run {
	struct handshake h;
	size_t piece;
	uint64_t now_ns;
	bool lost, ended;
};

static void pass(struct run *r, enum tls_direction d, struct slice chunk, uint64_t more, uint64_t lost)
{
	size_t at = 0;
	do {
		size_t n = MIN(r->piece, chunk.len - at);
		bool last = at + n == chunk.len;
		bool ended = handshake_pass(&r->h, d, (struct slice){ chunk.data + at, n }, n + (last ? more : 0), at ? 0 : lost, r->now_ns);
		check(!ended || !r->ended);
		r->ended |= ended;
		at += n;
	} while (at < chunk.len);
	r->lost |= !r->h.stream[d].begun || r->h.stream[d].lost; /* a later piece may look like a beginning */
}

static void run(struct run *r, const uint8_t *bytes, size_t len)
{
	enum tls_direction d = TLS_RECEIVED;
	uint64_t lost = 0;
	for (size_t at = 0; at < len; r->now_ns++) {
		const uint8_t *end = memchr(bytes + at, COMMAND, len - at);
		size_t n = end ? (size_t)(end - bytes) - at : len - at, next = at + n;
		uint8_t command = next + 1 < len ? bytes[next + 1] : 0, many = next + 2 < len ? bytes[next + 2] : 0;
		uint64_t more = command == 'm' ? many : 0;
		if (n || more)
			pass(r, d, (struct slice){ (const char *)bytes + at, n }, more, lost);
		lost = command == 'l' ? many : 0;
		d = command == '<' ? TLS_SENT : command == '>' ? TLS_RECEIVED : d;
		at = next + (command == 'l' || command == 'm' ? 3 : 2);
	}
}

static void check_end(const struct handshake *h)
{
	check(memchr(h->server_name, '\0', sizeof(h->server_name)) && memchr(h->alpn, '\0', sizeof(h->alpn)) && memchr(h->offered, '\0', sizeof(h->offered)));
	check(!(h->flags & TLS_ESTABLISHED) == !h->established_ns);
	check(!(h->flags & TLS_ESTABLISHED) || !(h->flags & TLS_ALERTED));
	check(!(h->flags & TLS_ESTABLISHED) || h->established_ns >= h->began_ns);
	check(!h->flags || h->over || h->agreed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct run whole = { .piece = SIZE_MAX, .now_ns = 1 }, pieces = { .piece = PIECE_BYTES, .now_ns = 1 };
	run(&whole, bytes, len);
	run(&pieces, bytes, len);
	check_end(&whole.h);
	check_end(&pieces.h);
	if (!whole.lost && !pieces.lost) {
		check(whole.h.version == pieces.h.version && whole.h.cipher == pieces.h.cipher && whole.h.flags == pieces.h.flags);
		check(memcmp(whole.h.server_name, pieces.h.server_name, sizeof(whole.h.server_name)) == 0);
	}
	handshake_done(&whole.h);
	handshake_done(&pieces.h);
	return 0;
}
