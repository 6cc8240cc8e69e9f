#include "export/sender.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "export/post.h"
#include "export/spool.h"

#define QUEUE_BYTES (8u << 20)               /* about 15,000 spans */
#define GIVE_UP_NS (300 * NSEC_PER_SEC)      /* as the Collector's exporters: exporterhelper, max_elapsed_time */
#define END_NS (5 * NSEC_PER_SEC)            /* for what waits at the end; less, if an attempt may take less */
#define GIVE_UP_PATIENT_NS (30 * NSEC_PER_SEC) /* somebody waits for the end */

struct sender {
	struct destination to;
	struct post *post;
	struct spool *spool;
	bool patient;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct outbox box;
	struct strbuf news;
	unsigned told;      /* kinds of trouble that were news already, as bits of enum outcome */
	uint64_t deadline_ns; /* of the end; CLOCK_MONOTONIC */
	uint64_t spooled;   /* items on the disk */
	uint64_t damaged_told;
	bool busy;          /* an attempt is under way */
	bool running, over;
	atomic_bool stop;
	pthread_t thread;
};

static int init_lock(struct sender *s)
{
	pthread_condattr_t clock;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	return -pthread_cond_init(&s->changed, &clock);
}

int sender_new(struct sender **ret, struct destination *to, const struct sender_settings *settings, struct reason *why)
{
	struct sender *s = xcalloc(1, sizeof(*s));
	*s = (struct sender){ .to = *to, .spool = settings->spool, .patient = settings->patient };
	int r = init_lock(s);
	if (r == 0)
		r = post_new(&s->post, &s->to, &s->stop, why);
	if (r < 0) {
		free(s);
		return r;
	}
	outbox_init(&s->box, QUEUE_BYTES, s->patient ? GIVE_UP_PATIENT_NS : GIVE_UP_NS);
	s->box.for_good = s->patient;
	s->box.keeps = s->spool != NULL;
	s->spooled = s->spool ? spool_items(s->spool) : 0;
	*to = (struct destination){};
	*ret = s;
	return 0;
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	sender_close(s);
	sender_finish(s);
	post_free(s->post);
	outbox_done(&s->box);
	strbuf_done(&s->news);
	destination_done(&s->to);
	free(s);
}

/* Each kind of trouble is told once: the counts tell the rest. */
static void tell(struct sender *s, enum outcome kind, const struct strbuf *said)
{
	if (!said->len || s->told & 1u << kind)
		return;
	s->told |= 1u << kind;
	strbuf_addf(&s->news, "%s%s %s%s", s->news.len ? "; " : "", s->to.shown, said->data,
		    kind == OUTCOME_RETRY ? " (it is tried again, what comes waits)" : kind == OUTCOME_NOT_TAKEN ? " (no more of this is sent)" : "");
}

/* Spans that find no place were asked for; a receiver without metrics is a common thing. */
static void judge(struct sender *s, struct verdict_of_answer *v)
{
	if (v->outcome == OUTCOME_NOT_TAKEN && s->to.signal == SIGNAL_TRACES)
		v->outcome = OUTCOME_REFUSED;
}

/* These three have the lock and give it away meanwhile: neither the receiver nor the disk may stall who puts something in. */

static void attempt(struct sender *s, struct parcel *p)
{
	_cleanup_(strbuf_done) struct strbuf said = {};
	uint64_t number = p->spooled;
	s->busy = true;
	pthread_mutex_unlock(&s->lock);
	struct answer a = post_send(s->post, (struct slice){ p->body, p->len });
	struct verdict_of_answer v = answer_judge(s->to.wire, &a, time(NULL), &said);
	uint64_t now_ns = clock_monotonic_ns();
	if (number && v.outcome != OUTCOME_RETRY)
		spool_remove(s->spool, number);
	pthread_mutex_lock(&s->lock);
	s->busy = false;
	judge(s, &v);
	tell(s, v.outcome, &said);
	outbox_answer(&s->box, p, &v, now_ns, (uint32_t)(now_ns * 2654435761u >> 7));
	pthread_cond_broadcast(&s->changed);
}

static void put_on_disk(struct sender *s, struct parcel *p)
{
	for (struct parcel *next; p; p = next) {
		next = p->next;
		pthread_mutex_unlock(&s->lock);
		int r = spool_put(s->spool, p);
		pthread_mutex_lock(&s->lock);
		if (r < 0)
			s->box.lost[EXPORT_SPOOL] += p->items;
		free(p);
	}
}

/* What lies on the disk goes when nothing newer waits. */
static void take_from_disk(struct sender *s)
{
	if (s->box.first || s->box.closed || s->box.gave_up)
		return;
	pthread_mutex_unlock(&s->lock);
	struct parcel *p = spool_take(s->spool);
	pthread_mutex_lock(&s->lock);
	if (p)
		outbox_put_first(&s->box, p);
}

static void mind_the_disk(struct sender *s)
{
	if (!s->spool)
		return;
	put_on_disk(s, take_ptr(s->box.aside));
	put_on_disk(s, outbox_spill(&s->box));
	take_from_disk(s);
	s->spooled = spool_items(s->spool);
	uint64_t damaged = spool_damaged(s->spool) - s->damaged_told;
	if (damaged)
		strbuf_addf(&s->news, "%s%llu files of the spool were damaged and are thrown away", s->news.len ? "; " : "", (unsigned long long)damaged);
	s->damaged_told += damaged;
}

static void wait_until(struct sender *s, uint64_t due_ns)
{
	struct timespec t = { (time_t)(due_ns / NSEC_PER_SEC), (long)(due_ns % NSEC_PER_SEC) };
	if (due_ns == UINT64_MAX)
		pthread_cond_wait(&s->changed, &s->lock);
	else
		pthread_cond_timedwait(&s->changed, &s->lock, &t);
}

static void *run(void *arg)
{
	struct sender *s = arg;
	pthread_mutex_lock(&s->lock);
	for (;;) {
		uint64_t due_ns;
		mind_the_disk(s);
		struct parcel *p = outbox_take(&s->box, clock_monotonic_ns(), &due_ns);
		if (p)
			attempt(s, p);
		else if (s->box.closing && !s->box.aside)
			break;
		else if (!s->box.aside)
			wait_until(s, due_ns);
	}
	s->over = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* At the first parcel, when whoever starts programs has done so; signals are the main thread's. */
static void begin(struct sender *s)
{
	sigset_t all, before;
	if (s->running)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->running = pthread_create(&s->thread, NULL, run, s) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void sender_put(struct sender *s, struct slice body, uint32_t items)
{
	struct parcel *p = parcel_new(body.data, body.len, items);
	pthread_mutex_lock(&s->lock);
	begin(s);
	while (s->patient && s->running && !s->box.closed && !s->box.gave_up && !outbox_has_room(&s->box, body.len) && s->box.n)
		pthread_cond_wait(&s->changed, &s->lock);
	outbox_put(&s->box, p);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

void sender_close(struct sender *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->spool && !s->box.closing)
		begin(s); /* what lies on the disk is tried also when nothing came */
	while (s->patient && s->running && (s->box.n || s->busy))
		pthread_cond_wait(&s->changed, &s->lock);
	if (!s->box.closing)
		s->deadline_ns = clock_monotonic_ns() + MIN(s->to.timeout_ms * NSEC_PER_MSEC, END_NS);
	outbox_close(&s->box);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

void sender_finish(struct sender *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->running && !s->over && clock_monotonic_ns() < s->deadline_ns)
		wait_until(s, s->deadline_ns);
	pthread_mutex_unlock(&s->lock);
	if (!s->running)
		return;
	atomic_store(&s->stop, true);
	pthread_join(s->thread, NULL);
	s->running = false;
}

struct sender_counts sender_counts(struct sender *s)
{
	struct sender_counts c = {};
	pthread_mutex_lock(&s->lock);
	c.spooled = s->spooled;
	c.sent = s->box.sent;
	for (size_t i = 0; i < EXPORT_LOSSES; i++)
		c.lost[i] = s->box.lost[i];
	pthread_mutex_unlock(&s->lock);
	return c;
}

const struct destination *sender_destination(const struct sender *s)
{
	return &s->to;
}

bool sender_news(struct sender *s, struct strbuf *out)
{
	pthread_mutex_lock(&s->lock);
	bool any = s->news.len;
	strbuf_adds(out, any && out->len ? "; " : "");
	strbuf_add_slice(out, strbuf_slice(&s->news));
	strbuf_clear(&s->news);
	pthread_mutex_unlock(&s->lock);
	return any;
}
