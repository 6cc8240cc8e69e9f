#include "export/series.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "sink/utf8.h"

static const double bounds[] = SERIES_BOUNDS;
_Static_assert(ARRAY_SIZE(bounds) + 1 == SERIES_BUCKETS, "the last is for all that is longer");

struct series_table {
	pthread_mutex_t lock;
	struct hashmap by_key; /* of struct series: "server", NUL, texts */
	struct strbuf key;          /* of the request that is counted: its memory is used again */
	struct series *overflow[2]; /* of servers, of clients; NULL: not needed yet */
	uint64_t since_ns;
};

static const struct slice attributes[SERIES_TEXTS] = {
	[SERIES_SERVICE] = SLICE("service.name"), [SERIES_METHOD] = SLICE("http.request.method"), [SERIES_SCHEME] = SLICE("url.scheme"),
	[SERIES_ROUTE] = SLICE("http.route"), [SERIES_STATUS] = SLICE("http.response.status_code"), [SERIES_ERROR] = SLICE("error.type"),
	[SERIES_SERVER] = SLICE("server.address"), [SERIES_PORT] = SLICE("server.port"),
};

const char *series_attribute(enum series_text text)
{
	return attributes[text].data;
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
	strbuf_done(&t->key);
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

static void find_values(const struct event *e, struct value ret[SERIES_TEXTS])
{
	const struct value *all = &e->field[REQUEST_ATTRIBUTES];
	for (size_t n = 0; all->kind == VALUE_STRUCT && n < all->list.n; n++)
		for (size_t i = SERIES_METHOD; i < SERIES_TEXTS; i++)
			if (slice_eq(all->list.items[n].name, attributes[i]))
				ret[i] = all->list.items[n].value;
}

/* What tells the series of a request from others: its texts, one behind the other, each ended by a new line. */
static void make_key(struct strbuf *key, const struct event *e, bool of_client, struct slice service)
{
	struct value values[SERIES_TEXTS] = { [SERIES_SERVICE] = STRING_VALUE(service) };
	find_values(e, values);
	values[SERIES_METHOD] = (struct value)STRING_VALUE(known_method(values[SERIES_METHOD].s));
	/* Opt-in by the conventions: what a client writes as its Host would make series of a server. */
	if (of_client)
		values[SERIES_SCHEME] = (struct value){};
	else
		values[SERIES_SERVER] = values[SERIES_PORT] = (struct value){};
	strbuf_clear(key);
	strbuf_addc(key, of_client ? 'c' : 's');
	for (size_t i = 0; i < SERIES_TEXTS; i++) {
		if (values[i].kind == VALUE_UINT)
			strbuf_add_uint(key, values[i].u);
		else if (values[i].kind == VALUE_STRING)
			utf8_add(key, values[i].s);
		strbuf_addc(key, '\n');
	}
}

/* A name of a service with a new line in it, which is nobody's, moves the others: its series is a strange one, and no more. */
static void take_texts(struct series *s, const char *key)
{
	const char *at = key + 1;
	for (size_t i = 0; i < SERIES_TEXTS; i++) {
		size_t len = strcspn(at, "\n");
		s->text[i] = xstrndup(at, len);
		at += len + (at[len] == '\n');
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
	make_key(&t->key, e, of_client, service);
	struct series *s = hashmap_get_str(&t->by_key, t->key.data);
	if (s || t->by_key.n == SERIES_MAX)
		return s ? s : overflow_of(t, of_client);
	s = make(of_client);
	take_texts(s, t->key.data);
	hashmap_put_str(&t->by_key, t->key.data, s);
	return s;
}

static void copy_text(char *to, size_t size, const struct value *v)
{
	size_t len = v->kind == VALUE_STRING ? MIN(v->s.len, size - 1) : 0;
	if (len)
		memcpy(to, v->s.data, len);
	to[len] = '\0';
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
