#include "sink/text_requests.h"

#include <string.h>

#include "sink/span_fields.h"
#include "sink/text_value.h"

static void add_peer(struct strbuf *b, const struct event *e)
{
	struct value address = span_attribute(e, "network.peer.address"), port = span_attribute(e, "network.peer.port");
	bool of_client = slice_eq_str(e->field[REQUEST_KIND].s, "client");
	if (address.kind == VALUE_NONE)
		return;
	strbuf_addf(b, "  %s ", of_client ? "->" : "<-");
	bool is_ipv6 = memchr(address.s.data, ':', address.s.len);
	strbuf_addf(b, is_ipv6 ? "[%.*s]:%llu" : "%.*s:%llu", (int)address.s.len, address.s.data, (unsigned long long)port.u);
}

/* "GET /users/{id}  200   3.2ms   412B/8.1kB  <- 10.0.0.7:51234" */
void request_text(struct text_page *p, const struct event *e)
{
	struct strbuf *b = &p->line;
	struct value status = span_attribute(e, "http.response.status_code");
	text_line_duration(p, true, e->field[REQUEST_DURATION].u, "", false);
	size_t begin = b->len;
	text_plain(b, e->field[REQUEST_NAME].s);
	strbuf_pad(b, ' ', b->len - begin < 32 ? 32 - (b->len - begin) : 1);
	if (status.kind == VALUE_UINT)
		strbuf_addf(b, "%3llu  ", (unsigned long long)status.u);
	else
		strbuf_adds(b, "  ?  ");
	begin = b->len;
	text_bytes(b, e->field[REQUEST_SENT].u);
	strbuf_addc(b, '/');
	text_bytes(b, e->field[REQUEST_RECEIVED].u);
	strbuf_pad(b, ' ', b->len - begin < 14 ? 14 - (b->len - begin) : 0);
	add_peer(b, e);
	if (e->field[REQUEST_INCOMPLETE].kind == VALUE_STRING)
		strbuf_addf(b, "  (%.*s)", (int)e->field[REQUEST_INCOMPLETE].s.len, e->field[REQUEST_INCOMPLETE].s.data);
}

static struct value tls_value(const struct event *e, const char *name)
{
	const struct value *tls = &e->field[CONN_TLS];
	for (size_t i = 0; tls->kind == VALUE_STRUCT && i < tls->list.n; i++)
		if (slice_eq_str(tls->list.items[i].name, name))
			return tls->list.items[i].value;
	return (struct value){};
}

/* "  TLS 1.3 example.org", "  TLS refused by peer: unknown_ca" */
static void add_tls(struct strbuf *b, const struct event *e)
{
	struct value version = tls_value(e, "tls.protocol.version"), name = tls_value(e, "tls.client.server_name");
	struct value alert = tls_value(e, "alert"), by = tls_value(e, "alert_by");
	if (e->field[CONN_TLS].kind != VALUE_STRUCT)
		return;
	strbuf_adds(b, "  TLS");
	if (version.kind == VALUE_STRING)
		strbuf_addf(b, " %.*s", (int)version.s.len, version.s.data);
	if (name.kind == VALUE_STRING)
		strbuf_addf(b, " %.*s", (int)name.s.len, name.s.data);
	if (alert.kind == VALUE_STRING)
		strbuf_addf(b, " refused by %.*s: %.*s", (int)by.s.len, by.s.data, (int)alert.s.len, alert.s.data);
	else if (!tls_value(e, "tls.established").boolean)
		strbuf_adds(b, " not established");
}

/* "tcp  412B/8.1kB  127.0.0.1:80 <- 10.0.0.7:51234": received and sent; the arrow points from who connected. */
void connection_text(struct text_page *p, const struct event *e)
{
	struct strbuf *b = &p->line;
	const struct value *d = &e->field[CONN_DURATION], *role = &e->field[CONN_ROLE];
	bool known = role->kind == VALUE_STRING;
	text_line_duration(p, d->kind == VALUE_UINT, d->u, "", e->field[CONN_LOST].kind == VALUE_UINT);
	text_plain(b, e->field[CONN_TRANSPORT].s);
	strbuf_adds(b, "  ");
	text_bytes(b, e->field[CONN_RECEIVED].u);
	strbuf_addc(b, '/');
	text_bytes(b, e->field[CONN_SENT].u);
	strbuf_adds(b, "  ");
	text_plain(b, e->field[CONN_LOCAL].s);
	strbuf_adds(b, !known ? " -- " : slice_eq_str(role->s, "server") ? " <- " : " -> ");
	if (e->field[CONN_PEER].kind == VALUE_STRING)
		text_plain(b, e->field[CONN_PEER].s);
	else
		strbuf_addf(b, "[%llu]", (unsigned long long)e->field[CONN_PEER_PROCESS].u);
	strbuf_adds(b, "  ");
	text_plain(b, e->field[CONN_END].s);
	if (e->field[CONN_ERROR].kind == VALUE_STRING) {
		strbuf_addc(b, ' ');
		text_plain(b, e->field[CONN_ERROR].s);
	}
	add_tls(b, e);
}

void segment_text(struct text_page *p, const struct event *e)
{
	struct strbuf *b = &p->line;
	text_line_duration(p, false, 0, "", e->field[SEGMENT_LOST_BEFORE].kind == VALUE_UINT);
	text_plain(b, e->field[SEGMENT_DIRECTION].s);
	strbuf_addf(b, " %llu+%llu on %llu: ", (unsigned long long)e->field[SEGMENT_OFFSET].u, (unsigned long long)e->field[SEGMENT_BYTES].u,
		    (unsigned long long)e->field[SEGMENT_CONNECTION].u);
	text_plain(b, e->field[SEGMENT_PAYLOAD].s);
}
