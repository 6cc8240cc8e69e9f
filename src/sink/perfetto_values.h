/* perfetto_values: names and values of events as messages of perfetto.proto, in the arena of one packet. */
#pragma once

#include "base/arena.h"
#include "base/hashmap.h"
#include "event/event.h"
#include "sink/perfetto.pb-c.h"

/* Names told once and then known by number. Bounded: what comes after is written out each time. */
struct interned {
	struct hashmap numbers; /* name → iid, from 1 */
};

void interned_done(struct interned *names);

/* What one packet brings of new names. */
struct fresh_names {
	Utrace__InternedName **items;
	size_t n, cap;
};

/* NUL-terminated, well-formed UTF-8, in @a: others would refuse the packet. */
char *perfetto_text(struct arena *a, struct slice s);
/* The number of a name; @fresh gets it when it is new. 0: there is no more room. */
uint64_t interned_number(struct interned *names, const char *name, struct arena *a, struct fresh_names *fresh);
/* The fields of @e whose bits are set; returns how many. */
size_t perfetto_fields(const struct event *e, uint32_t fields, struct interned *names, struct arena *a, struct fresh_names *fresh,
		       Utrace__DebugAnnotation ***ret);
