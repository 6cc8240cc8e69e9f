/* What was sent and what was lost, for people and for JSON. */
#include "base/macro.h"
#include "export/exports_inside.h"

static uint64_t lost_of(const struct sender_counts *c)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < EXPORT_LOSSES; i++)
		sum += c->lost[i];
	return sum;
}

static void add_text(struct strbuf *out, struct sender *s)
{
	const struct destination *d = sender_destination(s);
	struct sender_counts c = sender_counts(s);
	strbuf_addf(out, "; %llu %s sent to %s", (unsigned long long)c.sent, d->signal == SIGNAL_TRACES ? "spans" : "points", d->shown);
	if (c.spooled)
		strbuf_addf(out, ", %llu in the spool", (unsigned long long)c.spooled);
	strbuf_addf(out, ", %llu lost", (unsigned long long)lost_of(&c));
	const char *before = " (";
	for (size_t i = 0; i < EXPORT_LOSSES; i++) {
		if (!c.lost[i])
			continue;
		strbuf_addf(out, "%s%llu: %s", before, (unsigned long long)c.lost[i], export_loss_text((enum export_loss)i));
		before = "; ";
	}
	strbuf_adds(out, before[0] == ';' ? ")" : "");
}

void exports_text(struct exports *x, struct strbuf *out)
{
	for (size_t i = 0; x && i < x->n; i++)
		add_text(out, x->targets[i].sender);
}

static struct value losses_of(const struct sender_counts *c, struct arena *arena)
{
	struct named_value *lost = arena_new(arena, struct named_value, EXPORT_LOSSES);
	size_t n = 0;
	for (size_t i = 0; i < EXPORT_LOSSES; i++)
		if (c->lost[i])
			lost[n++] = (struct named_value){ .name = slice_of(export_loss_name((enum export_loss)i)), .value = UINT_VALUE(c->lost[i]) };
	return (struct value){ .kind = VALUE_STRUCT, .list = { lost, n } };
}

static struct value value_of(struct sender *s, struct arena *arena)
{
	const struct destination *d = sender_destination(s);
	struct sender_counts c = sender_counts(s);
	struct named_value *fields = arena_new(arena, struct named_value, 5);
	fields[0] = (struct named_value){ .name = SLICE("to"), .value = STRING_VALUE(arena_dup(arena, slice_of(d->shown))) };
	fields[1] = (struct named_value){ .name = SLICE("signal"), .value = STRING_VALUE(d->signal == SIGNAL_TRACES ? SLICE("traces") : SLICE("metrics")) };
	fields[2] = (struct named_value){ .name = SLICE("sent"), .value = UINT_VALUE(c.sent) };
	fields[3] = (struct named_value){ .name = SLICE("spooled"), .value = UINT_VALUE(c.spooled) };
	fields[4] = (struct named_value){ .name = SLICE("lost"), .value = losses_of(&c, arena) };
	return (struct value){ .kind = VALUE_STRUCT, .list = { fields, 5 } };
}

struct value exports_value(struct exports *x, struct arena *arena)
{
	if (!x)
		return (struct value){};
	struct named_value *items = arena_new(arena, struct named_value, x->n);
	for (size_t i = 0; i < x->n; i++)
		items[i].value = value_of(x->targets[i].sender, arena);
	return (struct value){ .kind = VALUE_LIST, .list = { items, x->n } };
}

bool exports_lost_any(struct exports *x)
{
	uint64_t sum = 0;
	for (size_t i = 0; x && i < x->n; i++) {
		struct sender_counts c = sender_counts(x->targets[i].sender);
		sum += lost_of(&c);
	}
	return sum;
}
