#include "probe/tls/handshake.h"

#include <string.h>

#include "base/macro.h"

#define HELLO_BYTES_MAX 16384 /* a record's content: RFC 8446, 5.1 */
#define RECORD_BYTES_MAX (HELLO_BYTES_MAX + 2048)
#define HIDDEN_ALERT_BYTES 19 /* level, description, type of the content, 16 of authentication: all suites of 1.3 but one */

enum content { CONTENT_CHANGE_CIPHER = 20, CONTENT_ALERT = 21, CONTENT_HANDSHAKE = 22, CONTENT_DATA = 23 };
enum message { MESSAGE_CLIENT_HELLO = 1, MESSAGE_SERVER_HELLO = 2 };
enum extension { EXTENSION_SERVER_NAME = 0, EXTENSION_ALPN = 16, EXTENSION_PRE_SHARED_KEY = 41, EXTENSION_VERSIONS = 43 };

/* ---- what is read of bytes: nothing beyond their end ---- */

struct cursor {
	const uint8_t *at, *end;
	bool short_of; /* something was longer than what is there */
};

static uint32_t take_number(struct cursor *c, size_t bytes)
{
	uint32_t n = 0;
	if ((size_t)(c->end - c->at) < bytes) {
		c->short_of = true;
		c->at = c->end;
		return 0;
	}
	while (bytes--)
		n = n << 8 | *c->at++;
	return n;
}

/* The next @len bytes, or what is there of them. */
static struct cursor take(struct cursor *c, size_t len)
{
	size_t there = MIN(len, (size_t)(c->end - c->at));
	struct cursor part = { c->at, c->at + there, there < len };
	c->short_of |= part.short_of;
	c->at += there;
	return part;
}

/* A vector whose length stands in front of it in @bytes. */
static struct cursor take_vector(struct cursor *c, size_t bytes)
{
	return take(c, take_number(c, bytes));
}

static void copy_text(char to[TLS_NAME_BYTES], struct cursor from)
{
	size_t len = MIN((size_t)(from.end - from.at), (size_t)TLS_NAME_BYTES - 1);
	for (size_t i = 0; i < len; i++)
		to[i] = from.at[i] > ' ' && from.at[i] < 0x7f ? (char)from.at[i] : '?'; /* names of both are ASCII */
	to[len] = '\0';
}

/* ---- hellos ---- */

/* server_name: RFC 6066, 3 */
static void take_server_name(struct handshake *h, struct cursor c)
{
	struct cursor list = take_vector(&c, 2);
	uint32_t type = take_number(&list, 1);
	struct cursor name = take_vector(&list, 2);
	if (type == 0 && !name.short_of)
		copy_text(h->server_name, name);
}

/* application_layer_protocol_negotiation: RFC 7301, 3.1 */
static void take_protocols(char to[TLS_NAME_BYTES], struct cursor c)
{
	struct cursor list = take_vector(&c, 2);
	size_t len = 0;
	to[0] = '\0';
	while (list.at < list.end) {
		char name[TLS_NAME_BYTES];
		struct cursor one = take_vector(&list, 1);
		if (one.short_of)
			return;
		copy_text(name, one);
		if (len + strlen(name) + 2 > TLS_NAME_BYTES)
			return;
		len += (size_t)(stpcpy(stpcpy(to + len, len ? "," : ""), name) - (to + len));
	}
}

static void take_client_hello(struct handshake *h, struct cursor c)
{
	take(&c, 2 + 32); /* a version for old servers, random bytes */
	struct cursor id = take_vector(&c, 1);
	take_vector(&c, 2); /* ciphers */
	take_vector(&c, 1); /* compression */
	struct cursor extensions = take_vector(&c, 2);
	h->session_id.len = (uint8_t)MIN((size_t)(id.end - id.at), sizeof(h->session_id.bytes));
	memcpy(h->session_id.bytes, id.at, h->session_id.len);
	while (extensions.at < extensions.end) {
		uint32_t type = take_number(&extensions, 2);
		struct cursor body = take_vector(&extensions, 2);
		if (type == EXTENSION_SERVER_NAME)
			take_server_name(h, body);
		else if (type == EXTENSION_ALPN)
			take_protocols(h->offered, body);
	}
}

/* A server that asks for another hello says so by this for random bytes: RFC 8446, 4.1.3. */
static bool asks_again(const struct cursor *random)
{
	static const uint8_t again[8] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11 };
	return random->end - random->at == 32 && memcmp(random->at, again, sizeof(again)) == 0;
}

static void take_server_hello(struct handshake *h, struct cursor c)
{
	uint16_t version = (uint16_t)take_number(&c, 2);
	struct cursor random = take(&c, 32), id = take_vector(&c, 1);
	uint16_t cipher = (uint16_t)take_number(&c, 2);
	bool known = !c.short_of, with_key = false;
	take_number(&c, 1);
	struct cursor extensions = take_vector(&c, 2);
	if (!known || asks_again(&random))
		return;
	while (extensions.at < extensions.end) {
		uint32_t type = take_number(&extensions, 2);
		struct cursor body = take_vector(&extensions, 2);
		if (type == EXTENSION_VERSIONS && !body.short_of)
			version = (uint16_t)take_number(&body, 2);
		else if (type == EXTENSION_ALPN)
			take_protocols(h->alpn, body);
		with_key |= type == EXTENSION_PRE_SHARED_KEY;
	}
	h->agreed = true;
	h->version = version;
	h->cipher = cipher;
	size_t id_len = (size_t)(id.end - id.at);
	bool same_id = id_len && id_len == h->session_id.len && memcmp(id.at, h->session_id.bytes, id_len) == 0;
	if (version >= 0x0304 ? with_key : same_id)
		h->flags |= TLS_RESUMED;
}

/* The messages of a handshake record; one may be cut where it was not captured. */
static void take_messages(struct handshake *h, enum tls_direction d, struct slice body, uint64_t time_ns)
{
	struct cursor c = { (const uint8_t *)body.data, (const uint8_t *)body.data + body.len, false };
	while (c.at < c.end && !h->agreed) {
		uint32_t type = take_number(&c, 1);
		struct cursor message = take_vector(&c, 3);
		if (type == MESSAGE_CLIENT_HELLO) {
			h->client = d;
			h->began_ns = h->began_ns ? h->began_ns : time_ns;
			take_client_hello(h, message);
		} else if (type == MESSAGE_SERVER_HELLO) {
			h->client = d == TLS_SENT ? TLS_RECEIVED : TLS_SENT;
			take_server_hello(h, message);
		}
	}
}

/* ---- records ---- */

static void establish(struct handshake *h, uint64_t time_ns)
{
	h->flags |= TLS_ESTABLISHED;
	h->established_ns = time_ns;
	h->over = true;
}

static void refuse(struct handshake *h, enum tls_direction d, uint8_t alert, uint16_t flags)
{
	h->flags |= (uint16_t)(TLS_ALERTED | flags | (d == TLS_SENT ? TLS_ALERT_SENT : 0));
	h->alert = alert;
	h->over = true;
}

static void take_alert(struct handshake *h, enum tls_direction d, struct slice body)
{
	if (body.len != 2)
		refuse(h, d, 0, TLS_ALERT_HIDDEN);
	else if (body.data[0] == 2 || body.data[1] == 0) /* fatal, or the end before anything was said */
		refuse(h, d, (uint8_t)body.data[1], 0);
}

/* A record's head has passed. */
static void begin_record(struct handshake *h, enum tls_direction d, struct record_stream *s, uint64_t time_ns)
{
	uint64_t length = (uint64_t)s->head[3] << 8 | s->head[4];
	s->head_len = 0;
	s->skip = length;
	bool bad = s->head[1] != 3 || s->head[0] < CONTENT_CHANGE_CIPHER || s->head[0] > CONTENT_DATA || length > RECORD_BYTES_MAX;
	if (bad) {
		s->lost = true;
		return;
	}
	if ((s->head[0] == CONTENT_HANDSHAKE && !h->agreed) || s->head[0] == CONTENT_ALERT) {
		s->skip = 0;
		s->want = length;
		strbuf_clear(&s->body);
	} else if (s->head[0] == CONTENT_CHANGE_CIPHER) {
		s->changed = true;
		if (h->agreed && h->version < 0x0304 && h->stream[TLS_RECEIVED].changed && h->stream[TLS_SENT].changed)
			establish(h, time_ns);
	} else if (s->head[0] == CONTENT_DATA && !h->agreed && !h->began_ns) {
		h->over = true; /* it is older than what we see */
	} else if (s->head[0] == CONTENT_DATA && h->agreed && d == h->client) {
		if (length == HIDDEN_ALERT_BYTES)
			refuse(h, d, 0, TLS_ALERT_HIDDEN);
		else
			establish(h, time_ns);
	}
}

static void end_body(struct handshake *h, enum tls_direction d, struct record_stream *s, uint64_t time_ns)
{
	struct slice body = strbuf_slice(&s->body);
	s->want = 0;
	if (s->head[0] == CONTENT_ALERT)
		take_alert(h, d, body);
	else
		take_messages(h, d, body, time_ns);
	strbuf_done(&s->body);
}

static size_t walk_some(struct handshake *h, enum tls_direction d, struct slice bytes, uint64_t time_ns)
{
	struct record_stream *s = &h->stream[d];
	size_t n;
	if (s->skip) {
		n = (size_t)MIN(s->skip, (uint64_t)bytes.len);
		s->skip -= n;
	} else if (s->want) {
		n = (size_t)MIN(s->want, (uint64_t)bytes.len);
		strbuf_add(&s->body, bytes.data, n);
		s->want -= n;
		if (!s->want)
			end_body(h, d, s, time_ns);
	} else {
		n = MIN(sizeof(s->head) - s->head_len, bytes.len);
		memcpy(s->head + s->head_len, bytes.data, n);
		s->head_len = (uint8_t)(s->head_len + n);
		if (s->head_len == sizeof(s->head))
			begin_record(h, d, s, time_ns);
	}
	return n;
}

/* Bytes that were not captured: a hello is read as far as it is there; a record that began among them is lost. */
static void pass_over(struct handshake *h, enum tls_direction d, uint64_t bytes, uint64_t time_ns)
{
	struct record_stream *s = &h->stream[d];
	uint64_t rest = s->want;
	if (!bytes)
		return;
	if (s->want)
		end_body(h, d, s, time_ns);
	s->skip += rest;
	s->lost = bytes > s->skip || s->head_len;
	s->skip -= MIN(s->skip, bytes);
}

static bool begins_record(struct slice bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.data;
	return bytes.len >= 3 && p[0] >= CONTENT_CHANGE_CIPHER && p[0] <= CONTENT_DATA && p[1] == 3 && p[2] <= 4;
}

bool handshake_pass(struct handshake *h, enum tls_direction d, struct slice captured, uint64_t bytes, uint64_t lost, uint64_t time_ns)
{
	struct record_stream *s = &h->stream[d];
	if (h->over)
		return false;
	if (lost)
		pass_over(h, d, lost, time_ns);
	if ((s->lost || !s->begun) && !h->over) {
		if (!begins_record(captured))
			return false;
		s->lost = false;
		s->begun = true;
		s->head_len = 0;
		s->skip = s->want = 0;
	}
	for (size_t at = 0; at < captured.len && !h->over && !s->lost;)
		at += walk_some(h, d, (struct slice){ captured.data + at, captured.len - at }, time_ns);
	if (!h->over && !s->lost)
		pass_over(h, d, bytes - MIN(bytes, (uint64_t)captured.len), time_ns);
	return h->over;
}

void handshake_done(struct handshake *h)
{
	strbuf_done(&h->stream[TLS_RECEIVED].body);
	strbuf_done(&h->stream[TLS_SENT].body);
}
