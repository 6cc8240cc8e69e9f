#include "record/keep.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/macro.h"

static void piece_free(struct piece *p)
{
	for (struct kept_chunk *c = p->chunks, *next; c; c = next) {
		next = c->next;
		strbuf_done(&c->sealed);
		free(c);
	}
	free(p);
}

static void drop_oldest(struct keep *k)
{
	struct piece *p = k->pieces;
	k->bytes -= p->bytes;
	k->pieces = p->next;
	if (!k->pieces)
		k->newest = NULL;
	piece_free(p);
}

void keep_done(struct keep *k)
{
	while (k->pieces)
		drop_oldest(k);
}

void keep_begin_piece(struct keep *k, uint64_t now_ns)
{
	struct piece *p = xcalloc(1, sizeof(*p));
	p->began_ns = now_ns;
	p->last = &p->chunks;
	if (k->newest)
		k->newest->next = p;
	else
		k->pieces = p;
	k->newest = p;
}

/* A piece is too old when all that must be kept lies in those after it. */
static void drop_old(struct keep *k, uint64_t now_ns)
{
	while (k->max_ns && k->pieces && k->pieces->next && now_ns - k->pieces->next->began_ns >= k->max_ns)
		drop_oldest(k);
	while (k->bytes > k->max_bytes && k->pieces->next)
		drop_oldest(k);
}

void keep_add(struct keep *k, struct slice sealed, uint64_t now_ns)
{
	if (!k->newest)
		keep_begin_piece(k, now_ns);
	struct kept_chunk *c = xcalloc(1, sizeof(*c));
	c->sealed.data = xmalloc(sealed.len + 1);
	c->sealed.cap = sealed.len + 1;
	strbuf_add(&c->sealed, sealed.data, sealed.len);
	*k->newest->last = c;
	k->newest->last = &c->next;
	k->newest->bytes += sealed.len;
	k->bytes += sealed.len;
	drop_old(k, now_ns);
}

int keep_save(struct keep *k, struct store *s, uint64_t now_ns)
{
	drop_old(k, now_ns);
	int r = store_begin(s, true, NULL);
	while (k->pieces) {
		for (struct kept_chunk *c = k->pieces->chunks; c && r == 0; c = c->next)
			r = store_chunk(s, &c->sealed);
		drop_oldest(k);
	}
	int finished = store_finish(s);
	return r < 0 ? r : finished;
}
