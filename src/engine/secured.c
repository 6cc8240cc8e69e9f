#include "engine/secured.h"

#include <string.h>

#include "engine/internal.h"
#include "probe/segment.h"
#include "probe/tls/handshake.h"

static const struct tls_session_rec *session_of(const struct engine *e, const struct connection *c)
{
	const struct tls_session_rec *rec = NULL;
	for (size_t i = 0; i < e->n_families && !rec; i++)
		if (e->families[i].ops->session)
			rec = e->families[i].ops->session(e->families[i].state, c);
	return rec;
}

static struct slice next_text(struct slice *rest)
{
	const char *end = rest->len ? memchr(rest->data, '\0', rest->len) : NULL;
	if (!end)
		return (struct slice){};
	struct slice text = { rest->data, (size_t)(end - rest->data) };
	*rest = (struct slice){ end + 1, rest->len - text.len - 1 };
	return text;
}

struct secured secured_of(struct engine *e, const struct connection *c)
{
	struct secured s = { .rec = session_of(e, c) };
	if (!s.rec)
		return s;
	struct slice rest = { (const char *)(s.rec + 1), s.rec->head.length - sizeof(*s.rec) };
	s.version = slice_of(tls_version_text(s.rec->version));
	s.cipher = slice_of(tls_cipher_text(s.rec->cipher));
	if (!s.cipher.len && s.rec->cipher)
		s.cipher = arena_printf(&e->arena, "0x%04x", s.rec->cipher);
	s.server_name = next_text(&rest);
	s.next_protocol = next_text(&rest);
	s.offered_protocols = next_text(&rest);
	return s;
}

struct values {
	struct named_value *items;
	size_t n;
};

static void add(struct values *v, const char *name, struct value value)
{
	if (value.kind != VALUE_STRING || value.s.len)
		v->items[v->n++] = (struct named_value){ .name = slice_of(name), .value = value };
}

static struct slice alert_text(struct engine *e, const struct tls_session_rec *rec)
{
	const char *name = rec->flags & TLS_ALERT_HIDDEN ? "encrypted" : tls_alert_text(rec->alert);
	return name ? slice_of(name) : arena_printf(&e->arena, "%u", rec->alert);
}

void secured_connection(struct engine *e, const struct connection *c, struct event *event)
{
	struct secured s = secured_of(e, c);
	if (!s.rec)
		return;
	struct values v = { .items = arena_new(&e->arena, struct named_value, 10) };
	bool established = s.rec->flags & TLS_ESTABLISHED;
	add(&v, "tls.protocol.version", STRING_VALUE(s.version));
	add(&v, "tls.cipher", STRING_VALUE(s.cipher));
	add(&v, "tls.client.server_name", STRING_VALUE(s.server_name));
	add(&v, "tls.next_protocol", STRING_VALUE(s.next_protocol));
	add(&v, "tls.established", BOOL_VALUE(established));
	if (established)
		add(&v, "tls.resumed", BOOL_VALUE((s.rec->flags & TLS_RESUMED) != 0));
	add(&v, "offered_protocols", STRING_VALUE(s.offered_protocols));
	if (established && s.rec->began_ns && s.rec->established_ns >= s.rec->began_ns)
		add(&v, "handshake_ns", UINT_VALUE(s.rec->established_ns - s.rec->began_ns));
	if (s.rec->flags & TLS_ALERTED) {
		add(&v, "alert", STRING_VALUE(alert_text(e, s.rec)));
		add(&v, "alert_by", STRING_VALUE(s.rec->flags & TLS_ALERT_SENT ? SLICE("process") : SLICE("peer")));
	}
	event->field[CONN_TLS] = (struct value){ .kind = VALUE_STRUCT, .list = { v.items, v.n } };
}
