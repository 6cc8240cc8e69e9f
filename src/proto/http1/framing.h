/* framing: where a message ends, from what its head says: RFC 9112 section 6.3, whose numbers the cases carry. */
#pragma once

#include "proto/http1/head.h"
#include "proto/http1/pairs.h"

enum http1_body {
	BODY_NONE,
	BODY_LENGTH,      /* head->length bytes */
	BODY_CHUNKED,
	BODY_UNTIL_CLOSE,
	BODY_UNCLEAR,     /* servers answer 400 and close; clients give up */
};

enum http1_body http1_request_body(const struct http1_head *head);
enum http1_body http1_response_body(const struct http1_head *head, enum http1_asked asked);

/* An answer before the answer, RFC 9110 section 15.2: 1xx but 101. */
bool http1_is_interim(const struct http1_head *head);

/* The response hands the connection over to another protocol: "websocket" ... Empty: it does not. "tunnel": to any (CONNECT). */
struct slice http1_hands_over(const struct http1_head *head, enum http1_asked asked);
