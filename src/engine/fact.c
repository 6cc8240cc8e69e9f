#include "engine/fact.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "engine/internal.h"
#include "engine/ring.h"
#include "priv/loader.h"
#include "sys/service.h"

static struct rec_head head_of(uint16_t type, size_t bytes, pid_t pid, uint64_t time_ns)
{
	return (struct rec_head){ .type = type, .length = (uint16_t)bytes, .time_ns = time_ns, .pid = (uint32_t)pid, .tid = (uint32_t)pid };
}

static int32_t utc_offset_s(void)
{
	time_t now = time(NULL);
	struct tm tm = {};
	localtime_r(&now, &tm);
	return (int32_t)tm.tm_gmtoff;
}

/* The difference of the clocks stays as it was when we began, so that the times of a run can be compared with each other. */
void fact_clock(struct engine *e)
{
	struct run_clock_rec rec = { .head = head_of(RUN_CLOCK, sizeof(rec), 0, clock_monotonic_ns()) };
	rec.realtime_offset_ns = e->realtime_offset_ns ? e->realtime_offset_ns : clock_realtime_offset_ns();
	rec.utc_offset_s = utc_offset_s();
	if (rec.realtime_offset_ns != e->realtime_offset_ns || rec.utc_offset_s != e->utc_offset_s)
		engine_fact(e, &rec.head);
}

void fact_tick(struct engine *e)
{
	struct rec_head head = head_of(RUN_TICK, sizeof(head), 0, clock_monotonic_ns());
	engine_fact(e, &head);
}

/* A record whose fixed part is followed by text. */
static void tell_with_text(struct engine *e, const void *rec, size_t bytes, const char *text, size_t len)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	strbuf_add(&b, rec, bytes);
	strbuf_add(&b, text, len);
	strbuf_pad(&b, '\0', -b.len & 7);
	((struct rec_head *)b.data)->length = (uint16_t)b.len;
	engine_fact(e, (const struct rec_head *)b.data);
}

void fact_note(struct engine *e, const char *text)
{
	uint64_t now_ns = engine_is_live(e) ? clock_monotonic_ns() : e->now_ns;
	struct run_note_rec rec = { .head = head_of(RUN_NOTE, sizeof(rec), 0, now_ns), .len = (uint32_t)strlen(text) };
	tell_with_text(e, &rec, sizeof(rec), text, rec.len);
}

void fact_process(struct engine *e, const struct process *p, uint64_t start_ns, uint64_t since_ns)
{
	struct run_process_rec rec = {
		.head = head_of(RUN_PROCESS, sizeof(rec), p->pid, since_ns), .start_ns = start_ns, .exe_len = (uint32_t)strlen(p->exe),
	};
	uid_t uid;
	rec.uid = proc_uid(p->pid, &uid) < 0 ? UINT32_MAX : uid;
	memcpy(rec.comm, p->comm, sizeof(rec.comm));
	_cleanup_(strbuf_done) struct strbuf text = {};
	strbuf_adds(&text, p->exe);
	if (e->requests)
		service_name(&text, p->pid, p->exe, p->comm);
	strbuf_addc(&text, '\0');
	tell_with_text(e, &rec, sizeof(rec), text.data, text.len);
}

void fact_name(struct engine *e, pid_t pid, uint64_t start_ns, const char *comm, uint64_t time_ns)
{
	const struct run_process_rec *known = names_fact_at(&e->names, pid, time_ns);
	if (!known || !processes_same_start(known->start_ns, start_ns) || strncmp(known->comm, comm, sizeof(known->comm)) == 0)
		return;
	_cleanup_(free) struct run_process_rec *fact = xmalloc(known->head.length);
	memcpy(fact, known, known->head.length);
	memcpy(fact->comm, comm, sizeof(fact->comm));
	fact->head.time_ns = time_ns;
	engine_fact(e, &fact->head);
	fact_process_end(e, pid);
}

void fact_process_end(struct engine *e, pid_t pid)
{
	struct rec_head head = head_of(RUN_PROCESS_END, sizeof(head), pid, clock_monotonic_ns());
	engine_fact(e, &head);
}

void fact_loss(struct engine *e, enum loss_cause cause, uint32_t n, pid_t pid, uint64_t time_ns)
{
	struct run_loss_rec rec = { .head = head_of(RUN_LOSS, sizeof(rec), pid, time_ns), .cause = cause, .count = n };
	engine_fact(e, &rec.head);
}

void fact_account(struct engine *e, bool last)
{
	struct run_account_rec rec = { .head = head_of(RUN_ACCOUNT, sizeof(rec), 0, clock_monotonic_ns()), .last = last };
	account_read(&e->account, loader_map(e->loader, "losses"), &rec);
	rec.malformed = ring_malformed(e->facts) + ring_malformed(e->events);
	engine_fact(e, &rec.head);
}
