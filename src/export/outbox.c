#include "export/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"

/*
 * The first wait, its growth and its bound, as the Collector's exporters have them (exporterhelper, RetryConfig) but for the first,
 * which there is 5 s: people watch.
 */
#define FIRST_WAIT_NS NSEC_PER_SEC
#define LONGEST_WAIT_NS (30 * NSEC_PER_SEC)

static const struct {
	const char *name, *text;
} losses[EXPORT_LOSSES] = {
	[EXPORT_QUEUE_FULL] = { "queue_full", "the receiver takes less than comes" },
	[EXPORT_REFUSED] = { "refused", "refused by the receiver" },
	[EXPORT_REJECTED] = { "rejected", "rejected, while others with them were taken" },
	[EXPORT_NO_ANSWER] = { "no_receiver", "what answers is no such receiver" },
	[EXPORT_GIVEN_UP] = { "given_up", "the receiver could not take them for too long" },
	[EXPORT_AT_END] = { "at_end", "not sent when the run was over" },
	[EXPORT_SPOOL] = { "spool", "no room in the spool" },
};

const char *export_loss_name(enum export_loss loss)
{
	return losses[loss].name;
}

const char *export_loss_text(enum export_loss loss)
{
	return losses[loss].text;
}

struct parcel *parcel_new(const void *body, size_t len, uint32_t items)
{
	struct parcel *p = xmalloc(sizeof(*p) + len);
	*p = (struct parcel){ .items = items, .len = len };
	memcpy(p->body, body, len);
	return p;
}

void outbox_init(struct outbox *o, size_t max_bytes, uint64_t give_up_ns)
{
	*o = (struct outbox){ .max_bytes = max_bytes, .give_up_ns = give_up_ns };
	o->last = &o->first;
}

static void free_all(struct parcel *p)
{
	for (struct parcel *next; p; p = next) {
		next = p->next;
		free(p);
	}
}

void outbox_done(struct outbox *o)
{
	free_all(o->first);
	free_all(o->aside);
	*o = (struct outbox){};
}

bool outbox_has_room(const struct outbox *o, size_t bytes)
{
	return bytes <= o->max_bytes - MIN(o->bytes, o->max_bytes);
}

/* What lies on the disk already stays there. */
void outbox_lose(struct outbox *o, enum export_loss why, struct parcel *p)
{
	bool may_wait = why == EXPORT_GIVEN_UP || why == EXPORT_AT_END;
	if (may_wait && p->spooled) {
		free(p);
	} else if (may_wait && o->keeps) {
		p->next = o->aside;
		o->aside = p;
	} else {
		o->lost[why] += p->items;
		free(p);
	}
}

void outbox_put(struct outbox *o, struct parcel *p)
{
	p->next = NULL;
	if (o->closed) {
		free(p);
		return;
	}
	if (o->gave_up || !outbox_has_room(o, p->len)) {
		outbox_lose(o, o->gave_up ? EXPORT_GIVEN_UP : EXPORT_QUEUE_FULL, p);
		return;
	}
	*o->last = p;
	o->last = &p->next;
	o->bytes += p->len;
	o->n++;
}

void outbox_put_first(struct outbox *o, struct parcel *p)
{
	p->next = o->first;
	o->first = p;
	if (o->last == &o->first)
		o->last = &p->next;
	o->bytes += p->len;
	o->n++;
}

static struct parcel *pop(struct outbox *o)
{
	struct parcel *p = o->first;
	o->first = p->next;
	if (!o->first)
		o->last = &o->first;
	o->bytes -= p->len;
	o->n--;
	p->next = NULL;
	return p;
}

struct parcel *outbox_take(struct outbox *o, uint64_t now_ns, uint64_t *ret_due_ns)
{
	if (!o->first || now_ns < o->due_ns) {
		*ret_due_ns = o->first ? o->due_ns : UINT64_MAX;
		return NULL;
	}
	struct parcel *p = pop(o);
	p->since_ns = p->attempts++ ? p->since_ns : now_ns;
	return p;
}

struct parcel *outbox_spill(struct outbox *o)
{
	return o->keeps && o->bytes > o->max_bytes / 2 ? pop(o) : NULL;
}

/* 1, 2, 4 ... 30 s, each between half and one and a half of it. */
static uint64_t wait_ns(unsigned failures, uint32_t random)
{
	uint64_t wait = FIRST_WAIT_NS << MIN(failures - 1, 5u);
	wait = MIN(wait, LONGEST_WAIT_NS);
	return wait / 2 + wait * (random % 1024) / 1024;
}

static void give_up_all(struct outbox *o, enum export_loss why)
{
	o->gave_up = true;
	while (o->first)
		outbox_lose(o, why, pop(o));
}

static void try_later(struct outbox *o, struct parcel *p, const struct verdict_of_answer *v, uint64_t now_ns, uint32_t random)
{
	uint64_t wait = MAX(wait_ns(++o->failures, random), v->not_before_ns);
	if (o->closing) {
		outbox_lose(o, EXPORT_AT_END, p);
		give_up_all(o, EXPORT_AT_END);
		return;
	}
	o->due_ns = now_ns + wait;
	if (o->due_ns - p->since_ns <= o->give_up_ns) {
		outbox_put_first(o, p);
		return;
	}
	outbox_lose(o, EXPORT_GIVEN_UP, p);
	if (o->for_good)
		give_up_all(o, EXPORT_GIVEN_UP);
}

void outbox_answer(struct outbox *o, struct parcel *p, const struct verdict_of_answer *v, uint64_t now_ns, uint32_t random)
{
	if (v->outcome == OUTCOME_RETRY) {
		try_later(o, p, v, now_ns, random);
		return;
	}
	uint64_t rejected = MIN(v->rejected, (uint64_t)p->items);
	o->failures = 0;
	o->due_ns = 0;
	if (v->outcome == OUTCOME_DELIVERED) {
		o->sent += p->items - rejected;
		o->lost[EXPORT_REJECTED] += rejected;
	} else if (v->outcome == OUTCOME_NOT_TAKEN) {
		o->closed = true;
	} else {
		o->lost[v->outcome == OUTCOME_REFUSED ? EXPORT_REFUSED : EXPORT_NO_ANSWER] += p->items;
	}
	free(p);
}

void outbox_close(struct outbox *o)
{
	o->closing = true;
	o->due_ns = 0;
}

uint64_t outbox_lost(const struct outbox *o)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < EXPORT_LOSSES; i++)
		sum += o->lost[i];
	return sum;
}
