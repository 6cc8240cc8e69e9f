#include "record/layout_fields.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "bpf/record.abi.h"

/* Bounds on what a strange BTF can make us do. */
#define MAX_STEPS (1 << 18) /* members and elements looked at */
#define MAX_DEPTH 8         /* structures and arrays inside each other */
#define MAX_MODIFIERS 16    /* typedef, const ... one after the other */
#define MAX_FIELDS 512      /* of a record type */
#define MAX_NAME 128        /* bytes of a field's name */
#define MAX_RECORD_BYTES (UINT16_MAX & ~7u)

struct flattening {
	const struct btf *btf;
	struct layout_fields *fields;
	struct layout_record *record;
	uint32_t used_bytes; /* of the record, by its fields so far */
	int steps;
};

/* --- types --- */

static const struct btf_type *resolve(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	for (int i = 0; t && i < MAX_MODIFIERS; i++) {
		if (!btf_is_mod(t) && !btf_is_typedef(t))
			return t;
		t = btf__type_by_id(btf, t->type);
	}
	return NULL;
}

static const char *name_of(const struct btf *btf, uint32_t offset)
{
	const char *name = btf__name_by_offset(btf, offset);
	return name && strnlen(name, MAX_NAME) < MAX_NAME ? name : NULL;
}

static bool is_number(const struct btf_type *t)
{
	bool sized = t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8;
	if (btf_is_int(t))
		return sized && btf_int_bits(t) == t->size * 8 && btf_int_offset(t) == 0;
	return sized && btf_is_any_enum(t);
}

static bool is_signed(const struct btf_type *t)
{
	return btf_is_int(t) ? btf_int_encoding(t) & BTF_INT_SIGNED : btf_kflag(t);
}

/* Bytes of a value that is not looked into; 0: it cannot be told. */
static uint32_t size_of_leaf(const struct btf_type *t)
{
	if (btf_is_ptr(t))
		return 8;
	return btf_is_int(t) || btf_is_any_enum(t) || btf_is_float(t) || btf_is_union(t) ? t->size : 0;
}

/* --- fields --- */

static int add_leaf(struct flattening *f, const struct btf_type *t, const char *path, uint64_t offset, uint32_t count)
{
	struct layout_record *record = f->record;
	uint32_t size = size_of_leaf(t);
	uint64_t bytes = (uint64_t)size * count;
	if (!size || offset + bytes > record->size || f->used_bytes + bytes > record->size || record->n == MAX_FIELDS)
		return -EBADMSG;
	if (!count)
		return 0;
	f->used_bytes += (uint32_t)bytes;
	GROW(record->fields, record->n, record->cap);
	record->fields[record->n++] = (struct layout_field){
		.path = arena_strndup(&f->fields->names, path, strlen(path)),
		.offset = (uint32_t)offset,
		.size = size,
		.count = count,
		.is_number = is_number(t),
		.is_signed = is_signed(t),
	};
	return 0;
}

static int flatten(struct flattening *f, uint32_t id, const char *path, uint64_t offset, int depth);

static int flatten_struct(struct flattening *f, const struct btf_type *t, const char *path, uint64_t offset, int depth)
{
	const struct btf_member *members = btf_members(t);
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *name = name_of(f->btf, members[i].name_off);
		uint32_t bit = btf_member_bit_offset(t, i);
		if (!name || bit % 8 || btf_member_bitfield_size(t, i))
			return -EBADMSG;
		char inner[MAX_DEPTH * (MAX_NAME + 2)];
		snprintf(inner, sizeof(inner), "%s%s%s", path, path[0] && name[0] ? "." : "", name);
		int r = flatten(f, members[i].type, inner, offset + bit / 8, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

/* An array of numbers is one field; of anything else, each element has its own. */
static int flatten_array(struct flattening *f, const struct btf_type *t, const char *path, uint64_t offset, int depth)
{
	const struct btf_array *a = btf_array(t);
	const struct btf_type *element = resolve(f->btf, a->type);
	if (!element)
		return -EBADMSG;
	if (size_of_leaf(element))
		return add_leaf(f, element, path, offset, a->nelems);
	if (!btf_is_struct(element) || !element->size)
		return a->nelems ? -EBADMSG : 0; /* arrays of arrays: none of our records has one */
	for (uint32_t i = 0; i < a->nelems; i++) {
		char inner[MAX_DEPTH * (MAX_NAME + 2)];
		snprintf(inner, sizeof(inner), "%s.%u", path, i);
		int r = flatten(f, a->type, inner, offset + (uint64_t)i * element->size, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

static int flatten(struct flattening *f, uint32_t id, const char *path, uint64_t offset, int depth)
{
	const struct btf_type *t = resolve(f->btf, id);
	if (!t || depth == MAX_DEPTH || --f->steps < 0 || offset > f->record->size)
		return -EBADMSG;
	if (btf_is_struct(t))
		return flatten_struct(f, t, path, offset, depth + 1);
	if (btf_is_array(t))
		return flatten_array(f, t, path, offset, depth + 1);
	return add_leaf(f, t, path, offset, 1);
}

/* --- records --- */

static bool has_field(const struct layout_record *record, const char *path, uint32_t offset, uint32_t size)
{
	for (uint32_t i = 0; i < record->n; i++)
		if (streq(record->fields[i].path, path))
			return record->fields[i].offset == offset && record->fields[i].size == size && record->fields[i].count == 1;
	return false;
}

/* Type and length are read before anything is known of a record: they stay where they are in all versions. */
static bool has_head(const struct layout_record *record)
{
	return has_field(record, "head.type", offsetof(struct rec_head, type), 2) &&
	       has_field(record, "head.length", offsetof(struct rec_head, length), 2);
}

static int add_record(struct flattening *f, uint16_t type, uint32_t id)
{
	const struct btf_type *t = resolve(f->btf, id);
	if (layout_fields_find(f->fields, type))
		return -EBADMSG;
	if (!t || !btf_is_struct(t) || t->size % 8 || t->size < sizeof(struct rec_head) || t->size > MAX_RECORD_BYTES)
		return -EBADMSG;
	GROW(f->fields->records, f->fields->n, f->fields->cap);
	f->record = &f->fields->records[f->fields->n++];
	*f->record = (struct layout_record){ .type = type, .size = t->size };
	f->used_bytes = 0;
	int r = flatten(f, id, "", 0, 0);
	return r == 0 && !has_head(f->record) ? -EBADMSG : r;
}

/* "r0301": 0x0301. */
static bool type_of_name(const char *name, uint16_t *ret)
{
	unsigned int type;
	char again[8];
	if (!name || sscanf(name, "r%4x", &type) != 1)
		return false;
	snprintf(again, sizeof(again), "r%04x", type & 0xffff);
	*ret = (uint16_t)type;
	return streq(again, name);
}

static int add_records(struct flattening *f)
{
	int id = btf__find_by_name_kind(f->btf, "record_types", BTF_KIND_STRUCT);
	if (id < 0)
		return -EBADMSG;
	const struct btf_type *t = btf__type_by_id(f->btf, (uint32_t)id);
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *member = &btf_members(t)[i];
		uint16_t type;
		if (!type_of_name(name_of(f->btf, member->name_off), &type))
			continue;
		int r = add_record(f, type, member->type);
		if (r < 0)
			return r;
	}
	return f->fields->n ? 0 : -EBADMSG;
}

/* What libbpf takes on trust: that the header has the size it knows, and the byte order of this machine. */
static bool is_plausible(struct slice btf)
{
	struct btf_header h;
	if (btf.len < sizeof(h))
		return false;
	memcpy(&h, btf.data, sizeof(h));
	return h.magic == BTF_MAGIC && h.version == BTF_VERSION && h.hdr_len == sizeof(h);
}

int layout_fields_read(struct layout_fields *fields, struct slice bytes, struct reason *why)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL); /* it would tell the user of what is wrong */
	struct btf *btf = is_plausible(bytes) ? btf__new(bytes.data, (uint32_t)bytes.len) : NULL;
	struct flattening f = { .btf = btf, .fields = fields, .steps = MAX_STEPS };
	int r = btf ? add_records(&f) : -EBADMSG;
	btf__free(btf);
	libbpf_set_print(print);
	return r < 0 ? reason_set(why, r, "the layout of its records does not hold together") : 0;
}

void layout_fields_done(struct layout_fields *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		free(f->records[i].fields);
	free(f->records);
	arena_done(&f->names);
}

const struct layout_record *layout_fields_find(const struct layout_fields *f, uint16_t type)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->records[i].type == type)
			return &f->records[i];
	return NULL;
}
