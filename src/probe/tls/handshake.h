/*
 * handshake: what a TLS connection tells before it is encrypted: the names that the client asked for, what was agreed on, when it was
 * done or who refused it (RFC 8446 and 5246). Pure: bytes and times in, values out; bytes may be missing anywhere.
 *
 * The end of a handshake cannot be read, only its shape: up to TLS 1.2 both sides change their cipher; in 1.3 the client's first
 * encrypted record is its last word, unless it is as short as an alert.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/strbuf.h"
#include "probe/tls/tls.abi.h"

#define TLS_NAME_BYTES 256

struct handshake {
	uint64_t began_ns, established_ns; /* 0: not seen */
	uint16_t version, cipher;          /* 0: not known */
	uint16_t flags;                    /* enum tls_session_flag */
	uint8_t alert;
	bool over;                         /* nothing more is looked at */
	bool agreed;                       /* the server has said which version and cipher */
	enum tls_direction client;         /* what the client says passes in this direction */
	char server_name[TLS_NAME_BYTES], alpn[TLS_NAME_BYTES], offered[TLS_NAME_BYTES];
	struct {
		uint8_t bytes[32], len;
	} session_id;                      /* the client's */
	struct record_stream {
		bool begun, lost, changed; /* lost: where records begin is not known; changed: its cipher has been */
		uint8_t head[5], head_len;
		uint64_t skip;             /* bytes of the record that are of no interest */
		uint64_t want;             /* bytes of a handshake record that are still to come */
		struct strbuf body;
	} stream[TLS_DIRECTIONS];
};

void handshake_done(struct handshake *h);

/*
 * What one call passed: @captured, the first of @bytes; @lost of this direction just before were not seen. True: the handshake has ended
 * with it, well or not.
 */
bool handshake_pass(struct handshake *h, enum tls_direction d, struct slice captured, uint64_t bytes, uint64_t lost, uint64_t time_ns);

const char *tls_version_text(uint16_t version);       /* "1.3"; NULL: unknown */
/* The IANA name of a cipher suite; NULL: not one of the usual. */
const char *tls_cipher_text(uint16_t cipher);
const char *tls_alert_text(uint8_t alert);            /* "handshake_failure"; NULL: unknown */
