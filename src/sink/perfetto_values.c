#include "sink/perfetto_values.h"

#include "base/macro.h"
#include "base/strbuf.h"
#include "sink/utf8.h"

#define NAMES_MAX 65536

void interned_done(struct interned *names)
{
	hashmap_done(&names->numbers);
}

char *perfetto_text(struct arena *a, struct slice s)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	utf8_add(&b, s);
	return arena_strndup(a, strbuf_str(&b), b.len);
}

static void tell(struct fresh_names *fresh, struct arena *a, uint64_t number, const char *name)
{
	Utrace__InternedName *item = arena_new(a, Utrace__InternedName, 1);
	utrace__interned_name__init(item);
	item->has_iid = true;
	item->iid = number;
	item->name = arena_strndup(a, name, strlen(name));
	if (fresh->n == fresh->cap) {
		Utrace__InternedName **items = arena_new(a, Utrace__InternedName *, fresh->cap * 2 + 8);
		if (fresh->n)
			memcpy(items, fresh->items, fresh->n * sizeof(*items));
		fresh->items = items;
		fresh->cap = fresh->cap * 2 + 8;
	}
	fresh->items[fresh->n++] = item;
}

uint64_t interned_number(struct interned *names, const char *name, struct arena *a, struct fresh_names *fresh)
{
	uintptr_t number = (uintptr_t)hashmap_get_str(&names->numbers, name);
	if (number || names->numbers.n >= NAMES_MAX)
		return number;
	number = names->numbers.n + 1;
	hashmap_put_str(&names->numbers, name, (void *)number);
	tell(fresh, a, number, name);
	return number;
}

struct writer {
	struct interned *names;
	struct arena *arena;
	struct fresh_names *fresh;
};

static Utrace__DebugAnnotation *annotation(const struct writer *w, const struct value *v);

static void set_text(const struct writer *w, Utrace__DebugAnnotation *to, struct slice s, bool truncated)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	utf8_add(&b, s);
	strbuf_adds(&b, truncated ? "..." : "");
	struct slice text = arena_dup(w->arena, strbuf_slice(&b));
	to->has_string_value = true;
	to->string_value = (ProtobufCBinaryData){ .len = text.len, .data = (uint8_t *)text.data };
}

static void set_name(const struct writer *w, Utrace__DebugAnnotation *to, struct slice name)
{
	char *text = perfetto_text(w->arena, name);
	to->name_iid = interned_number(w->names, text, w->arena, w->fresh);
	to->has_name_iid = to->name_iid != 0;
	to->name = to->has_name_iid ? NULL : text;
}

/* A dictionary wants names: what has none is known by its place. */
static void set_items(const struct writer *w, Utrace__DebugAnnotation *to, const struct value *v)
{
	bool named = v->kind != VALUE_LIST;
	Utrace__DebugAnnotation **items = arena_new(w->arena, Utrace__DebugAnnotation *, v->list.n);
	for (size_t i = 0; i < v->list.n; i++) {
		const struct named_value *item = &v->list.items[i];
		items[i] = annotation(w, &item->value);
		if (named)
			set_name(w, items[i], item->name.len ? item->name : arena_printf(w->arena, "%zu", i + 1));
	}
	*(named ? &to->n_dict_entries : &to->n_array_values) = v->list.n;
	*(named ? &to->dict_entries : &to->array_values) = items;
}

/* A value as people write it, where that is not as its kind is written. */
static Utrace__DebugAnnotation *annotation(const struct writer *w, const struct value *v)
{
	Utrace__DebugAnnotation *to = arena_new(w->arena, Utrace__DebugAnnotation, 1);
	utrace__debug_annotation__init(to);
	if (v->text.len && v->kind != VALUE_ARGUMENTS) {
		set_text(w, to, v->text, false);
		return to;
	}
	switch (v->kind) {
	case VALUE_NONE:
		set_text(w, to, v->type, false);
		break;
	case VALUE_BOOL:
		to->has_bool_value = true;
		to->bool_value = v->boolean;
		break;
	case VALUE_UINT:
		to->has_uint_value = true;
		to->uint_value = v->u;
		break;
	case VALUE_INT:
		to->has_int_value = true;
		to->int_value = v->i;
		break;
	case VALUE_DOUBLE:
		to->has_double_value = true;
		to->double_value = v->d;
		break;
	case VALUE_STRING:
		set_text(w, to, v->s, v->truncated);
		break;
	case VALUE_ADDRESS:
		to->has_pointer_value = true;
		to->pointer_value = v->u;
		break;
	case VALUE_UNREADABLE:
		set_text(w, to, SLICE("?"), false);
		break;
	case VALUE_LIST:
	case VALUE_STRUCT:
	case VALUE_ARGUMENTS:
		set_items(w, to, v);
		break;
	}
	return to;
}

size_t perfetto_fields(const struct event *e, uint32_t fields, struct interned *names, struct arena *a, struct fresh_names *fresh,
		       Utrace__DebugAnnotation ***ret)
{
	const struct writer w = { names, a, fresh };
	Utrace__DebugAnnotation **items = arena_new(a, Utrace__DebugAnnotation *, EVENT_MAX_FIELDS);
	size_t n = 0;
	for (uint32_t i = 0; i < e->type->n_fields; i++) {
		if (!(fields & 1u << i))
			continue;
		items[n] = annotation(&w, &e->field[i]);
		set_name(&w, items[n++], slice_of(e->type->fields[i].name));
	}
	*ret = items;
	return n;
}
