/*
 * binding: which connection a library's object speaks on. The library tells nobody; what tells is what the thread does on sockets.
 *
 *  1. Bytes of a TLS connection that pass while the library's call is open are the object's: servers and clients that give the
 *     library their socket (nginx, curl, Python's blocking sockets, GnuTLS).
 *  2. Else, for who feeds the library from memory (Python's asyncio, Node): what an object that has no connection yet gives to read was
 *     received last on this thread, and what was written to it is sent next on this thread.
 *
 * An object that is bound stays so until 1. tells otherwise (its address is another's now), or the connection ends. What it passes before
 * it is bound waits, PENDING_MAX pieces. Only connections that were seen to speak TLS are considered. Pure: no kernel, no clock.
 */
#pragma once

#include "base/cleanup.h"
#include "probe/segment.h"
#include "probe/tls/handshake.h"

#define TLS_OBJECTS_MAX 65536
#define TLS_THREADS_MAX 16384 /* on which TLS connections passed bytes; all are forgotten when there are more */
#define TLS_PENDING_MAX 8

struct bindings;

/* @fn gets the plaintext of a connection, as a segment: offsets are of the plaintext. */
typedef void (*plaintext_fn)(void *arg, struct connection *c, const struct segment *s);

/* @fn gets each connection's handshake once: when it has ended, or the connection with what there was of it. */
typedef void (*handshake_fn)(void *arg, struct connection *c, const struct handshake *h, const struct rec_head *head);

struct bindings *bindings_new(plaintext_fn plaintext, handshake_fn handshake, void *arg);
void bindings_free(struct bindings *b);
DEFINE_CLEANUP(struct bindings *, bindings_free)

void bindings_passed(struct bindings *b, struct connection *c, const struct segment *s); /* bytes as they are on the wire */
void bindings_closed(struct bindings *b, struct connection *c);
void bindings_data(struct bindings *b, const struct tls_data_rec *rec);
uint64_t bindings_unbound(const struct bindings *b); /* pieces whose connection was never found */

bool tls_looks_like(struct slice first); /* does it begin with the head of a TLS record (RFC 8446, 5.1)? */
