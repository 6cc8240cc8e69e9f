#include "export/series.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "sink/span_fields.h"
#include "sink/utf8.h"

static const double bounds[] = SERIES_BOUNDS;
_Static_assert(ARRAY_SIZE(bounds) + 1 == SERIES_BUCKETS, "the last is for all that is longer");

struct series_table {
	pthread_mutex_t lock;
	struct hashmap by_key; /* of struct series: "server", NUL, texts */
	struct series *overflow[2]; /* of servers, of clients; NULL: not needed yet */
	uint64_t since_ns;
};

static const char *const attributes[SERIES_TEXTS] = {
	[SERIES_SERVICE] = "service.name", [SERIES_METHOD] = "http.request.method", [SERIES_ROUTE] = "http.route",
	[SERIES_STATUS] = "http.response.status_code", [SERIES_ERROR] = "error.type", [SERIES_SERVER] = "server.address", [SERIES_PORT] = "server.port",
};

const char *series_attribute(enum series_text text)
{
	return attributes[text];
}

struct series_table *series_table_new(void)
{
	struct series_table *t = xcalloc(1, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

static void free_series(struct series *s)
{
	for (size_t i = 0; s && i < SERIES_TEXTS; i++)
		free(s->text[i]);
	free(s);
}

void series_table_free(struct series_table *t)
{
	size_t at = 0;
	uint64_t key;
	void *item;
	if (!t)
		return;
	while (hashmap_next(&t->by_key, &at, &key, &item))
		free_series(item);
	free_series(t->overflow[0]);
	free_series(t->overflow[1]);
	hashmap_done(&t->by_key);
	free(t);
}

/* Whoever asks may invent methods: semantic conventions, http.request.method. */
static struct slice known_method(struct slice method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH" };
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (slice_eq_str(method, known[i]))
			return method;
	return SLICE("_OTHER");
}

/* The texts of a series of this request, one behind the other, each ended by NUL: its key is the whole. */
static void texts_of(const struct event *e, bool of_client, struct slice service, struct strbuf ret[SERIES_TEXTS])
{
	utf8_add(&ret[SERIES_SERVICE], service);
	for (size_t i = SERIES_METHOD; i < SERIES_TEXTS; i++) {
		struct value v = span_attribute(e, attributes[i]);
		if ((i == SERIES_SERVER || i == SERIES_PORT) && !of_client)
			continue; /* opt-in: what a client writes as its Host would make series of a server */
		if (i == SERIES_METHOD)
			v.s = known_method(v.s);
		if (v.kind == VALUE_UINT)
			strbuf_add_uint(&ret[i], v.u);
		else if (v.kind == VALUE_STRING)
			utf8_add(&ret[i], v.s);
	}
}

static struct series *make(bool of_client)
{
	struct series *s = xcalloc(1, sizeof(*s));
	s->of_client = of_client;
	exponential_init(&s->durations);
	return s;
}

static struct series *overflow_of(struct series_table *t, bool of_client)
{
	struct series **s = &t->overflow[of_client];
	if (*s)
		return *s;
	*s = make(of_client);
	(*s)->overflow = true;
	for (size_t i = 0; i < SERIES_TEXTS; i++)
		(*s)->text[i] = xstrdup("");
	return *s;
}

static struct series *find(struct series_table *t, const struct event *e, bool of_client, struct slice service)
{
	struct strbuf texts[SERIES_TEXTS] = {};
	_cleanup_(strbuf_done) struct strbuf key = {};
	texts_of(e, of_client, service, texts);
	strbuf_addc(&key, of_client ? 'c' : 's');
	for (size_t i = 0; i < SERIES_TEXTS; i++)
		strbuf_addf(&key, "%s\n", strbuf_str(&texts[i]));
	struct series *s = hashmap_get_str(&t->by_key, key.data);
	if (!s && t->by_key.n < SERIES_MAX) {
		s = make(of_client);
		for (size_t i = 0; i < SERIES_TEXTS; i++)
			s->text[i] = xstrdup(strbuf_str(&texts[i]));
		hashmap_put_str(&t->by_key, key.data, s);
	}
	for (size_t i = 0; i < SERIES_TEXTS; i++)
		strbuf_done(&texts[i]);
	return s ? s : overflow_of(t, of_client);
}

static void copy_text(char *to, size_t size, const struct value *v)
{
	snprintf(to, size, "%.*s", v->kind == VALUE_STRING ? (int)v->s.len : 0, v->s.data ? v->s.data : "");
}

void series_add(struct series_table *t, const struct event *e, struct slice service)
{
	bool of_client = slice_eq_str(e->field[REQUEST_KIND].s, "client");
	uint64_t begin_ns = e->time_ns + (uint64_t)e->realtime_offset_ns, duration_ns = e->field[REQUEST_DURATION].u;
	size_t at = 0;
	if (e->field[REQUEST_DURATION].kind != VALUE_UINT)
		return;
	double seconds = (double)duration_ns / NSEC_PER_SEC;
	while (at < ARRAY_SIZE(bounds) && seconds > bounds[at])
		at++;
	pthread_mutex_lock(&t->lock);
	struct series *s = find(t, e, of_client, service);
	t->since_ns = t->since_ns ? MIN(t->since_ns, begin_ns) : begin_ns;
	exponential_add(&s->durations, seconds);
	s->bucket[at]++;
	s->exemplar[at].time_ns = begin_ns + duration_ns;
	s->exemplar[at].value = seconds;
	copy_text(s->exemplar[at].trace_id, sizeof(s->exemplar[at].trace_id), &e->field[REQUEST_TRACE_ID]);
	copy_text(s->exemplar[at].span_id, sizeof(s->exemplar[at].span_id), &e->field[REQUEST_SPAN_ID]);
	pthread_mutex_unlock(&t->lock);
}

/* By service, so that formats that tell a service once can; then by name, so that a person finds a line again. */
static int compare(const void *a, const void *b)
{
	const struct series *x = a, *y = b;
	int order = strcmp(x->text[SERIES_SERVICE], y->text[SERIES_SERVICE]);
	order = order ? order : x->of_client - y->of_client;
	for (size_t i = SERIES_METHOD; i < SERIES_TEXTS && !order; i++)
		order = strcmp(x->text[i], y->text[i]);
	return order;
}

size_t series_copy(struct series_table *t, struct series **ret, uint64_t *ret_since_ns)
{
	size_t at = 0, n = 0;
	uint64_t key;
	void *item;
	struct series *all = xcalloc(SERIES_MAX + 2, sizeof(*all));
	pthread_mutex_lock(&t->lock);
	while (hashmap_next(&t->by_key, &at, &key, &item))
		all[n++] = *(struct series *)item;
	for (size_t i = 0; i < ARRAY_SIZE(t->overflow); i++)
		if (t->overflow[i])
			all[n++] = *t->overflow[i];
	*ret_since_ns = t->since_ns;
	pthread_mutex_unlock(&t->lock);
	qsort(all, n, sizeof(*all), compare);
	*ret = all;
	return n;
}
