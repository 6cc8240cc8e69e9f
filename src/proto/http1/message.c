#include "proto/http1/message.h"

#include <ctype.h>

#include "base/macro.h"

static void emit(const struct http1 *c, const struct proto_message *m)
{
	c->start.emit(c->start.ctx, m);
}

static void emit_end(struct http1 *c, enum proto_side from, enum proto_end end, uint64_t at, const struct http1_head *trailers)
{
	struct stream *s = &c->stream[from];
	struct proto_message m = {
		.event = PROTO_END, .from = from, .id = s->id, .answers = s->answers, .offset = s->begin, .end = end,
		.head_bytes = s->head_bytes, .wire_bytes = at - s->begin, .body_bytes = s->body_bytes,
	};
	if (trailers) {
		m.fields = trailers->fields;
		m.n_fields = trailers->n_fields;
		m.fields_left_out = trailers->bad_fields + trailers->left_out;
	}
	s->open = false;
	emit(c, &m);
}

void message_ended(struct http1 *c, enum proto_side from, enum proto_end end, uint64_t at)
{
	if (c->stream[from].open)
		emit_end(c, from, end, at, NULL);
}

void message_complete(struct http1 *c, enum proto_side from, const struct http1_head *trailers)
{
	struct stream *s = &c->stream[from];
	s->phase = s->connects ? PHASE_WAITING : PHASE_HEAD;
	s->ended_at = s->offset;
	emit_end(c, from, PROTO_COMPLETE, s->offset, trailers);
}

void message_still_lost(struct stream *s)
{
	gather_clear(&s->head);
	s->phase = PHASE_LOST;
	s->tries = s->begun = false;
}

void message_lost(struct http1 *c, enum proto_side from, enum proto_loss why)
{
	struct stream *s = &c->stream[from];
	s->lost_at = s->begun ? s->head_at : s->offset;
	message_still_lost(s);
	emit(c, &(struct proto_message){ .event = PROTO_LOST, .from = from, .offset = s->lost_at, .loss = why });
}

/* The other side goes on, which shows that a message with a lost end is over: requests are read before they are answered,
 * responses before the next request, unless the client pipelines. */
static void end_by_other_side(struct http1 *c, enum proto_side from, bool interim)
{
	enum proto_side side = from == PROTO_CLIENT ? PROTO_SERVER : PROTO_CLIENT;
	struct stream *s = &c->stream[side];
	bool lost = s->phase == PHASE_LOST || s->phase == PHASE_LAST_CHUNK || s->tries;
	if (s->open && lost && !interim && (side == PROTO_CLIENT || pairs_waiting(&c->pairs) == 0))
		message_ended(c, side, PROTO_UNKNOWN, s->offset);
}

/* RFC 9110 section 7.8: protocol names are compared without case. */
static void hand_over(struct http1 *c, struct slice name)
{
	struct stream *client = &c->stream[PROTO_CLIENT], *server = &c->stream[PROTO_SERVER];
	size_t len = MIN(name.len, sizeof(c->upgraded) - 1);
	for (size_t i = 0; i < len; i++)
		c->upgraded[i] = (char)tolower((unsigned char)name.data[i]);
	c->upgraded[len] = '\0';
	if (client->phase != PHASE_WAITING)
		client->ended_at = client->begun ? client->head_at : client->offset;
	server->ended_at = server->offset;
}

static void both_become_other(struct http1 *c)
{
	for (int side = 0; side < PROTO_SIDES; side++) {
		gather_clear(&c->stream[side].head);
		message_ended(c, side, PROTO_UNKNOWN, c->stream[side].offset);
		c->stream[side].phase = PHASE_OTHER;
	}
}

/* No tunnel after all. What the client has sent since as if there were one is none of our messages. */
static void wait_no_more(struct http1 *c)
{
	struct stream *client = &c->stream[PROTO_CLIENT];
	if (client->phase != PHASE_WAITING)
		return;
	client->phase = PHASE_HEAD;
	if (client->offset != client->ended_at)
		message_lost(c, PROTO_CLIENT, PROTO_LOSS_BAD);
}

static enum http1_body request(struct http1 *c, struct stream *s, const struct http1_head *head)
{
	const struct stream *server = &c->stream[PROTO_SERVER];
	enum http1_asked asked = pairs_asked(head->start.method);
	bool server_lost = server->phase == PHASE_LOST || server->tries;
	if (s->tries)
		pairs_missed_requests(&c->pairs);
	s->id = pairs_request(&c->pairs, asked, !s->tries && !server_lost);
	s->connects = asked == ASKED_CONNECT;
	return http1_request_body(head);
}

static enum http1_body response(struct http1 *c, struct stream *s, const struct http1_head *head, bool cut)
{
	enum http1_asked asked;
	if (s->tries)
		pairs_missed_responses(&c->pairs);
	s->id++;
	s->answers = pairs_oldest(&c->pairs, &asked);
	if (http1_is_interim(head))
		return BODY_NONE;
	pairs_answered(&c->pairs);
	struct slice name = http1_hands_over(head, asked);
	if (name.len && !cut)
		hand_over(c, name);
	else
		wait_no_more(c);
	return http1_response_body(head, asked);
}

static void emit_head(struct http1 *c, enum proto_side from, const struct http1_head *head, enum http1_body body, bool cut)
{
	const struct stream *s = &c->stream[from];
	emit(c, &(struct proto_message){
		.event = PROTO_HEAD, .from = from, .id = s->id, .answers = s->answers, .offset = s->begin, .head_bytes = s->head_bytes,
		.method = head->start.method, .target = head->start.target, .version = head->start.version,
		.reason = head->start.reason, .status = head->start.status,
		.fields = head->fields, .n_fields = head->n_fields, .fields_left_out = head->bad_fields + head->left_out,
		.interim = from == PROTO_SERVER && http1_is_interim(head), .head_cut = cut,
		.of_known_length = !cut && (body == BODY_NONE || body == BODY_LENGTH),
		.body_length = !cut && body == BODY_LENGTH ? head->length : 0,
		.skipped_bytes = s->tries ? s->head_at - s->lost_at : 0,
		.upgrade = c->upgraded[0] ? c->upgraded : NULL,
	});
}

static void begin_body(struct http1 *c, enum proto_side from, enum http1_body body, uint64_t length)
{
	static const enum phase phases[] = {
		[BODY_NONE] = PHASE_HEAD, [BODY_LENGTH] = PHASE_LENGTH, [BODY_CHUNKED] = PHASE_CHUNKED,
		[BODY_UNTIL_CLOSE] = PHASE_UNTIL_CLOSE, [BODY_UNCLEAR] = PHASE_LOST,
	};
	struct stream *s = &c->stream[from];
	s->phase = phases[body];
	s->left = length;
	s->in_chunks = body == BODY_CHUNKED;
	s->chunked = (struct chunked){};
	if (body == BODY_NONE)
		message_complete(c, from, NULL);
	else if (body == BODY_UNCLEAR)
		message_lost(c, from, PROTO_LOSS_LENGTH);
}

void message_begins(struct http1 *c, enum proto_side from, const struct http1_head *head, bool cut)
{
	struct stream *s = &c->stream[from];
	end_by_other_side(c, from, from == PROTO_SERVER && http1_is_interim(head));
	message_ended(c, from, PROTO_UNKNOWN, s->head_at);
	enum http1_body body = from == PROTO_CLIENT ? request(c, s, head) : response(c, s, head, cut);
	s->begin = s->head_at;
	s->head_bytes = s->offset - s->head_at;
	s->body_bytes = 0;
	s->open = true;
	emit_head(c, from, head, body, cut);
	s->tries = s->begun = false;
	if (!cut)
		begin_body(c, from, body, head->length);
	if (c->upgraded[0])
		both_become_other(c);
}
