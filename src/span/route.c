#include "span/route.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/macro.h"

#define ROUTES_MAX 1000   /* of one service: what a metrics store bears as series */
#define CHILDREN_MAX 50   /* different words in one place, before it is a {name} */
#define DEPTH_MAX 16      /* segments; deeper paths end in {rest} */
#define SEGMENT_BYTES 64  /* a longer word is {name} */
#define PLACES_MAX 20000  /* of the tree: some 4 MB */

/* A place in the tree of words. */
struct place {
	struct hashmap words; /* word -> struct place */
	struct place *any;    /* behind a placeholder; NULL: none has been seen */
	bool is_route;        /* some path has ended here */
	bool has_many;        /* too many words: all further ones are {name} */
};

struct routes {
	struct place root;
	size_t n;      /* routes handed out */
	size_t places;
};

static void place_done(struct place *p)
{
	size_t at = 0;
	uint64_t key;
	void *below;
	while (hashmap_next(&p->words, &at, &key, &below)) {
		place_done(below);
		free(below);
	}
	hashmap_done(&p->words);
	if (p->any)
		place_done(p->any);
	free(p->any);
}

struct routes *routes_new(void)
{
	return xcalloc(1, sizeof(struct routes));
}

void routes_free(struct routes *r)
{
	if (!r)
		return;
	place_done(&r->root);
	free(r);
}

struct kinds {
	size_t digits, hex, upper, lower, dashes, other;
};

static struct kinds count(struct slice s)
{
	struct kinds k = {};
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];
		k.digits += isdigit(c) != 0;
		k.hex += isxdigit(c) != 0;
		k.upper += isupper(c) != 0;
		k.lower += islower(c) != 0;
		k.dashes += c == '-';
		k.other += !isalnum(c) && c != '-';
	}
	return k;
}

/* 8-4-4-4-12 hexadecimal digits: RFC 9562, section 4. */
static bool is_uuid(struct slice s, const struct kinds *k)
{
	return s.len == 36 && k->hex == 32 && k->dashes == 4 && s.data[8] == '-' && s.data[13] == '-' && s.data[18] == '-' && s.data[23] == '-';
}

/* 2026-11-21 or 20261121: RFC 3339, section 5.6, and ISO 8601's basic form with a year of our time. */
static bool is_date(struct slice s, const struct kinds *k)
{
	if (s.len == 10 && k->digits == 8 && k->dashes == 2)
		return s.data[4] == '-' && s.data[7] == '-';
	return s.len == 8 && k->digits == 8 && (memcmp(s.data, "19", 2) == 0 || memcmp(s.data, "20", 2) == 0);
}

const char *route_placeholder(struct slice s)
{
	struct kinds k = count(s);
	if (s.len == 0)
		return NULL;
	if (is_uuid(s, &k))
		return "{uuid}";
	if (is_date(s, &k))
		return "{date}";
	if (k.digits == s.len || (k.digits && k.digits + k.dashes == s.len))
		return "{id}";
	if (s.len >= 16 && k.hex == s.len && k.digits)
		return "{hash}"; /* of 64 bits and more: git's are 40 digits, an object id of MongoDB 24 */
	if (s.len >= 20 && k.other == 0 && k.digits >= 3 && k.upper && k.lower)
		return "{hash}"; /* base64url: tokens, short links */
	return NULL;
}

static struct place *place_new(struct routes *r)
{
	return r->places++ < PLACES_MAX ? xcalloc(1, sizeof(struct place)) : NULL;
}

/* The place behind a word of its own; NULL: words here are not told apart any more. */
static struct place *behind_word(struct routes *r, struct place *p, struct slice word)
{
	char text[SEGMENT_BYTES + 1];
	if (word.len > SEGMENT_BYTES || memchr(word.data, '\0', word.len))
		return NULL;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	struct place *known = hashmap_get_str(&p->words, text);
	if (!known && !p->has_many && (known = place_new(r)))
		hashmap_put_str(&p->words, text, known);
	p->has_many |= p->words.n == CHILDREN_MAX;
	return known;
}

/* Goes on by one segment, whose name is added to @out; NULL: the tree is full. */
static struct place *step(struct routes *r, struct place *p, struct slice word, struct strbuf *out)
{
	const char *placeholder = route_placeholder(word);
	struct place *next = placeholder ? NULL : behind_word(r, p, word);
	if (next) {
		strbuf_add_slice(out, word);
		return next;
	}
	strbuf_adds(out, placeholder ? placeholder : "{name}");
	if (!p->any)
		p->any = place_new(r);
	return p->any;
}

/* The segment behind the slash that @path begins with; @path then begins with the next slash, or is empty. */
static struct slice next_segment(struct slice *path)
{
	const char *begin = path->data + 1, *end = memchr(begin, '/', path->len - 1);
	size_t len = end ? (size_t)(end - begin) : path->len - 1;
	path->data += len + 1;
	path->len -= len + 1;
	return (struct slice){ begin, len };
}

/* Each route counts once; those that come when there are too many have no name of their own. */
static bool may_be_route(struct routes *r, struct place *p)
{
	if (!p || (!p->is_route && r->n >= ROUTES_MAX))
		return false;
	r->n += !p->is_route;
	p->is_route = true;
	return true;
}

void routes_find(struct routes *r, struct slice path, struct strbuf *out)
{
	size_t begin = out->len;
	struct place *p = &r->root;
	if (path.len == 0 || path.data[0] != '/') {
		strbuf_adds(out, path.len == 1 && path.data[0] == '*' ? "*" : "{other}"); /* OPTIONS *; CONNECT has an authority */
		return;
	}
	for (int depth = 0; p && path.len; depth++) {
		strbuf_addc(out, '/');
		if (depth == DEPTH_MAX) {
			strbuf_adds(out, "{rest}");
			break;
		}
		p = step(r, p, next_segment(&path), out);
	}
	if (may_be_route(r, p))
		return;
	out->len = begin;
	strbuf_adds(out, "{other}");
}
