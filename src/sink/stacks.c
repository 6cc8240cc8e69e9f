#include "sink/stacks.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "sink/utf8.h"

#define FRAMES_MAX (1u << 20)
#define PENDING_MAX (1u << 16) /* calls whose end is awaited; when there are more, some ends were lost: all are taken as they stand */

struct stack_frame {
	const char *name;           /* one pointer a name; NULL: a holder of what is pending */
	uint64_t self_ns;
	struct stack_frame *child, *next;
	/* of a holder */
	uint64_t below_ns;          /* durations of the calls that it holds */
	const char *process;
	const char *open_name;      /* of its call, when that is known to be open */
	uint64_t parent;
};

/* The same text has the same pointer. What would end a frame or a line is replaced. */
static const char *name_of(struct stacks *s, struct slice text)
{
	strbuf_clear(&s->text);
	utf8_add(&s->text, text);
	for (size_t i = 0; i < s->text.len; i++)
		if (iscntrl((unsigned char)s->text.data[i]))
			s->text.data[i] = '?';
		else if (s->text.data[i] == ';')
			s->text.data[i] = ':';
	const char *key = strbuf_str(&s->text);
	char *name = hashmap_get_str(&s->names, key);
	if (!name)
		hashmap_put_str(&s->names, key, name = xstrdup(key));
	return name;
}

/* The frame called @name above @below; it comes to the front, where it is looked for first. */
static struct stack_frame *frame_above(struct stacks *s, struct stack_frame *below, const char *name)
{
	struct stack_frame **at = &below->child;
	while (*at && (*at)->name != name)
		at = &(*at)->next;
	struct stack_frame *f = *at;
	if (f) {
		*at = f->next;
	} else if (s->n_frames >= FRAMES_MAX) {
		return below;
	} else {
		f = xcalloc(1, sizeof(*f));
		f->name = name;
		s->n_frames++;
	}
	f->next = below->child;
	below->child = f;
	return f;
}

/* All that stands above @from comes to stand above @to; @from is gone. */
static void move_frames(struct stacks *s, struct stack_frame *to, struct stack_frame *from)
{
	to->self_ns += from->self_ns;
	for (struct stack_frame *f = from->child, *next; f; f = next) {
		next = f->next;
		struct stack_frame **at = &to->child;
		while (*at && (*at)->name != f->name)
			at = &(*at)->next;
		if (*at) {
			move_frames(s, *at, f);
			s->n_frames--;
			continue;
		}
		f->next = to->child;
		to->child = f;
	}
	free(from);
}

static struct stack_frame *root_of(struct stacks *s, const char *process)
{
	if (!s->root)
		s->root = xcalloc(1, sizeof(*s->root));
	return frame_above(s, s->root, process);
}

static void put_end(struct stacks *s, const char *process, const char *name, uint64_t parent, uint64_t duration_ns, struct stack_frame *held);

/* Callers have smaller numbers than what they called. */
static int by_number_down(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x < y) - (x > y);
}

static void settle(struct stacks *s)
{
	_cleanup_(free) uint64_t *ids = xcalloc(s->pending.n + 1, sizeof(*ids));
	size_t n = 0, at = 0;
	uint64_t id;
	void *item;
	while (hashmap_next(&s->pending, &at, &id, &item))
		ids[n++] = id;
	qsort(ids, n, sizeof(*ids), by_number_down);
	for (size_t i = 0; i < n; i++) {
		struct stack_frame *held = hashmap_remove(&s->pending, ids[i]);
		if (held->open_name)
			put_end(s, held->process, held->open_name, hashmap_get(&s->pending, held->parent) ? held->parent : 0, 0, held);
		else
			move_frames(s, root_of(s, held->process), held);
	}
}

static struct stack_frame *holder_of(struct stacks *s, uint64_t call, const char *process)
{
	struct stack_frame *held = hashmap_get(&s->pending, call);
	if (held)
		return held;
	if (s->pending.n >= PENDING_MAX)
		settle(s);
	held = xcalloc(1, sizeof(*held));
	held->process = process;
	hashmap_put(&s->pending, call, held);
	return held;
}

/* @held: what the call has called, or NULL; gone afterwards. */
static void put_end(struct stacks *s, const char *process, const char *name, uint64_t parent, uint64_t duration_ns, struct stack_frame *held)
{
	uint64_t below_ns = held ? held->below_ns : 0;
	struct stack_frame *below = parent ? holder_of(s, parent, process) : root_of(s, process);
	below->below_ns += MAX(duration_ns, below_ns);
	struct stack_frame *f = frame_above(s, below, name);
	f->self_ns += duration_ns > below_ns ? duration_ns - below_ns : 0;
	if (held)
		move_frames(s, f, held);
}

void stacks_end(struct stacks *s, const struct stack_call *call)
{
	const char *process = name_of(s, call->process), *name = name_of(s, call->name);
	put_end(s, process, name, call->parent, call->duration_ns, call->id ? hashmap_remove(&s->pending, call->id) : NULL);
}

void stacks_begin(struct stacks *s, const struct stack_call *call)
{
	struct stack_frame *held = holder_of(s, call->id, name_of(s, call->process));
	held->open_name = name_of(s, call->name);
	held->parent = call->parent;
}

static void print_frame(struct stacks *s, const struct stack_frame *f, FILE *out)
{
	size_t len = s->text.len;
	if (f->name)
		strbuf_addf(&s->text, "%s%s", len ? ";" : "", f->name);
	if (f->self_ns)
		fprintf(out, "%s %llu\n", strbuf_str(&s->text), (unsigned long long)f->self_ns);
	for (const struct stack_frame *above = f->child; above; above = above->next)
		print_frame(s, above, out);
	s->text.len = len;
	if (s->text.data)
		s->text.data[len] = '\0';
}

void stacks_print(struct stacks *s, FILE *out)
{
	settle(s);
	strbuf_clear(&s->text);
	if (s->root)
		print_frame(s, s->root, out);
}

static void frame_free(struct stack_frame *f)
{
	for (struct stack_frame *above = f->child, *next; above; above = next) {
		next = above->next;
		frame_free(above);
	}
	free(f);
}

void stacks_done(struct stacks *s)
{
	size_t at = 0;
	uint64_t key;
	void *item;
	while (hashmap_next(&s->pending, &at, &key, &item))
		frame_free(item);
	at = 0;
	while (hashmap_next(&s->names, &at, &key, &item))
		free(item);
	if (s->root)
		frame_free(s->root);
	hashmap_done(&s->pending);
	hashmap_done(&s->names);
	strbuf_done(&s->text);
}
