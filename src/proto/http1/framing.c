#include "proto/http1/framing.h"

enum http1_body http1_request_body(const struct http1_head *head)
{
	if (head->has_coding) /* (3), (4): over any Content-Length; a last coding that is not chunked leaves no way to tell the end */
		return head->chunked ? BODY_CHUNKED : BODY_UNCLEAR;
	if (head->bad_length) /* (5) */
		return BODY_UNCLEAR;
	return head->has_length && head->length ? BODY_LENGTH : BODY_NONE; /* (6), (7) */
}

static bool never_has_body(const struct http1_head *head, enum http1_asked asked)
{
	return asked == ASKED_HEAD || head->start.status / 100 == 1 || head->start.status == 204 || head->start.status == 304;
}

enum http1_body http1_response_body(const struct http1_head *head, enum http1_asked asked)
{
	if (never_has_body(head, asked) || http1_hands_over(head, asked).len) /* (1), (2) */
		return BODY_NONE;
	if (head->has_coding) /* (3), (4) */
		return head->chunked ? BODY_CHUNKED : BODY_UNTIL_CLOSE;
	if (head->bad_length) /* (5) */
		return BODY_UNCLEAR;
	if (!head->has_length) /* (8) */
		return BODY_UNTIL_CLOSE;
	return head->length ? BODY_LENGTH : BODY_NONE; /* (6) */
}

bool http1_is_interim(const struct http1_head *head)
{
	return head->start.status / 100 == 1 && head->start.status != 101;
}

/* RFC 9110 sections 7.8 (Upgrade) and 9.3.6 (CONNECT: any 2xx). */
struct slice http1_hands_over(const struct http1_head *head, enum http1_asked asked)
{
	if (head->start.status == 101)
		return head->upgrade.len ? head->upgrade : SLICE("unnamed");
	return asked == ASKED_CONNECT && head->start.status / 100 == 2 ? SLICE("tunnel") : (struct slice){};
}
