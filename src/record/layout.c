#include "record/layout.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "priv/object.h"
#include "record/layout_fields.h"

/* A field of theirs and where it goes. */
struct move {
	uint32_t from, to, count;
	uint32_t from_size, to_size;
	bool extends_sign;
};

/* How records of one type become ours. */
struct change {
	bool none;
	uint32_t from_size, to_size; /* of the fixed part */
	uint32_t n, cap;
	struct move *moves;
};

struct record_layout {
	struct change **families[256]; /* by the high byte of the type, then by the low one */
};

/* --- our own --- */

static const Elf64_Shdr *sections_of(struct slice object, const Elf64_Ehdr **ret)
{
	*ret = (const void *)object.data;
	return (const void *)(object.data + (*ret)->e_shoff);
}

struct slice record_layout_own(void)
{
	struct slice object = object_bytes("records");
	const Elf64_Ehdr *elf;
	const Elf64_Shdr *sections = sections_of(object, &elf);
	const char *names = object.data + sections[elf->e_shstrndx].sh_offset;
	for (int i = 0; i < elf->e_shnum; i++)
		if (streq(names + sections[i].sh_name, ".BTF"))
			return (struct slice){ object.data + sections[i].sh_offset, sections[i].sh_size };
	return (struct slice){};
}

/* --- comparing --- */

static const struct layout_field *field_at(const struct layout_record *record, const char *path)
{
	for (uint32_t i = 0; i < record->n; i++)
		if (streq(record->fields[i].path, path))
			return &record->fields[i];
	return NULL;
}

static bool same_place(const struct layout_field *a, const struct layout_field *b)
{
	return a->offset == b->offset && a->size == b->size && a->count == b->count;
}

static bool same_record(const struct layout_record *a, const struct layout_record *b)
{
	if (a->size != b->size || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!streq(a->fields[i].path, b->fields[i].path) || !same_place(&a->fields[i], &b->fields[i]))
			return false;
	return true;
}

static void add_move(struct change *c, const struct layout_field *from, const struct layout_field *to)
{
	if (from->size != to->size && (!from->is_number || !to->is_number))
		return; /* no meaning in common */
	GROW(c->moves, c->n, c->cap);
	c->moves[c->n++] = (struct move){
		.from = from->offset,
		.to = to->offset,
		.count = MIN(from->count, to->count),
		.from_size = from->size,
		.to_size = to->size,
		.extends_sign = from->is_signed,
	};
}

static struct change *change_between(const struct layout_record *theirs, const struct layout_record *ours)
{
	struct change *c = xcalloc(1, sizeof(*c));
	c->none = same_record(theirs, ours);
	c->from_size = theirs->size;
	c->to_size = ours->size;
	for (uint32_t i = 0; !c->none && i < ours->n; i++) {
		const struct layout_field *from = field_at(theirs, ours->fields[i].path);
		if (from)
			add_move(c, from, &ours->fields[i]);
	}
	return c;
}

static void put_change(struct record_layout *l, uint16_t type, struct change *c)
{
	struct change ***family = &l->families[type >> 8];
	if (!*family)
		*family = xcalloc(256, sizeof(**family));
	(*family)[type & 0xff] = c;
}

int record_layout_between(struct record_layout **ret, struct slice theirs, struct slice ours, struct reason *why)
{
	_cleanup_(layout_fields_done) struct layout_fields from = {}, to = {};
	int r = layout_fields_read(&to, ours, why);
	if (r < 0)
		return r;
	bool same = slice_eq(theirs, ours);
	r = same ? 0 : layout_fields_read(&from, theirs, why);
	if (r < 0)
		return r;
	struct record_layout *l = xcalloc(1, sizeof(*l));
	for (uint32_t i = 0; i < to.n; i++) {
		const struct layout_record *mine = &to.records[i];
		const struct layout_record *his = same ? mine : layout_fields_find(&from, mine->type);
		if (his)
			put_change(l, mine->type, change_between(his, mine));
	}
	*ret = l;
	return 0;
}

int record_layout_new(struct record_layout **ret, struct slice theirs, struct reason *why)
{
	return record_layout_between(ret, theirs, record_layout_own(), why);
}

static void change_free(struct change *c)
{
	if (c)
		free(c->moves);
	free(c);
}

void record_layout_free(struct record_layout *l)
{
	for (size_t i = 0; l && i < ARRAY_SIZE(l->families); i++) {
		for (size_t j = 0; l->families[i] && j < 256; j++)
			change_free(l->families[i][j]);
		free(l->families[i]);
	}
	free(l);
}

/* --- records --- */

/* Little-endian, as all of a recording: the low bytes come first. */
static void move_number(char *to, uint32_t to_size, const char *from, uint32_t from_size, bool extends_sign)
{
	bool negative = extends_sign && from[from_size - 1] < 0;
	memset(to, negative ? 0xff : 0, to_size);
	memcpy(to, from, MIN(from_size, to_size));
}

static void move_field(const struct move *m, char *to, const char *from, uint32_t from_len)
{
	uint32_t there = from_len > m->from ? (from_len - m->from) / m->from_size : 0;
	uint32_t count = MIN(m->count, there);
	if (m->from_size == m->to_size) {
		memcpy(to + m->to, from + m->from, (size_t)count * m->from_size);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		move_number(to + m->to + i * m->to_size, m->to_size, from + m->from + i * m->from_size, m->from_size, m->extends_sign);
}

static const struct rec_head *apply(const struct change *c, const struct rec_head *rec, struct strbuf *scratch)
{
	uint32_t fixed = MIN((uint32_t)rec->length, c->from_size);
	uint32_t length = c->to_size + (rec->length - fixed);
	if (length > UINT16_MAX)
		return NULL;
	strbuf_clear(scratch);
	strbuf_pad(scratch, 0, c->to_size);
	for (uint32_t i = 0; i < c->n; i++)
		move_field(&c->moves[i], scratch->data, (const char *)rec, fixed);
	strbuf_add(scratch, (const char *)rec + fixed, rec->length - fixed);
	struct rec_head *out = (struct rec_head *)scratch->data;
	out->length = (uint16_t)length;
	return out;
}

const struct rec_head *record_layout_adapt(const struct record_layout *l, const struct rec_head *rec, struct strbuf *scratch)
{
	struct change **family = l->families[rec->type >> 8];
	const struct change *c = family ? family[rec->type & 0xff] : NULL;
	if (!c || rec->length < sizeof(*rec))
		return NULL;
	return c->none ? rec : apply(c, rec, scratch);
}
