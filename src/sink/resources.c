#include "sink/resources.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/macro.h"

void resources_init(struct resources *r, const struct sink_resource *given)
{
	*r = (struct resources){ .given = *given, .items = xcalloc(RESOURCES_SPANS, sizeof(*r->items)) };
}

void resources_clear(struct resources *r)
{
	for (size_t i = 0; i < r->n; i++) {
		strbuf_done(&r->items[i].spans);
		strbuf_done(&r->items[i].service);
	}
	r->n = r->spans = 0;
}

void resources_done(struct resources *r)
{
	resources_clear(r);
	free(r->items);
}

struct slice resource_service(const struct sink_resource *given, const struct event *e)
{
	const struct value *service = &e->field[REQUEST_SERVICE];
	for (size_t i = 0; i < given->n; i++)
		if (slice_eq_str(given->attributes[i].name, "service.name") && given->attributes[i].value.kind == VALUE_STRING)
			return given->attributes[i].value.s;
	return service->kind == VALUE_STRING && service->s.len ? service->s : e->process_name;
}

struct resource *resources_of(struct resources *r, const struct event *e)
{
	struct slice service = resource_service(&r->given, e);
	r->spans++;
	for (size_t i = 0; i < r->n; i++)
		if (r->items[i].pid == e->pid && slice_eq(service, strbuf_slice(&r->items[i].service)))
			return &r->items[i];
	struct resource *fresh = &r->items[r->n++];
	*fresh = (struct resource){ .pid = e->pid };
	strbuf_add_slice(&fresh->service, service);
	return fresh;
}

static bool is_given(const struct sink_resource *given, struct slice name)
{
	for (size_t i = 0; i < given->n; i++)
		if (slice_eq(given->attributes[i].name, name))
			return true;
	return false;
}

/* What the user gives counts more than what was found out. */
static size_t add(struct named_value *to, size_t n, const struct sink_resource *given, struct slice name, struct value v)
{
	if ((v.kind == VALUE_STRING && !v.s.len) || is_given(given, name))
		return n;
	to[n] = (struct named_value){ .name = name, .value = v };
	return n + 1;
}

size_t resource_attributes(const struct resources *r, const struct resource *resource, struct named_value ret[RESOURCE_ATTRIBUTES_MAX])
{
	const struct sink_resource *given = &r->given;
	struct slice service = resource->service.len ? strbuf_slice(&resource->service) : SLICE("unknown_service"); /* semantic conventions: service.name */
	size_t n = add(ret, 0, given, SLICE("service.name"), STRING_VALUE(service));
	if (resource->pid)
		n = add(ret, n, given, SLICE("process.pid"), UINT_VALUE(resource->pid));
	n = add(ret, n, given, SLICE("host.name"), STRING_VALUE(slice_of(given->host)));
	for (size_t i = 0; i < given->n && n < RESOURCE_ATTRIBUTES_MAX; i++)
		ret[n++] = given->attributes[i];
	return n;
}
