/* resources: spans by whose they are: formats of OpenTelemetry tell a service and its process once, and then their spans. */
#pragma once

#include "base/strbuf.h"
#include "event/event.h"
#include "sink/sink.h"

#define RESOURCES_SPANS 512 /* at most; as many as the Collector's exporters send at a time by default: sdk/trace.md, maxExportBatchSize */
#define RESOURCE_ATTRIBUTES_MAX 64

struct resource {
	uint32_t pid;          /* 0: not known */
	struct strbuf service; /* empty: not known */
	struct strbuf spans;   /* as the format writes them */
};

struct resources {
	struct sink_resource given;
	struct resource *items; /* those that have spans */
	size_t n, spans;
};

void resources_init(struct resources *r, const struct sink_resource *given);
void resources_done(struct resources *r);
void resources_clear(struct resources *r);
/* Where the span of this request belongs; it is counted. At most RESOURCES_SPANS until they are cleared. */
struct resource *resources_of(struct resources *r, const struct event *e);
/* What is told of a resource: service.name, process.pid, host.name, and what was given. Borrowed from @r and @resource. */
size_t resource_attributes(const struct resources *r, const struct resource *resource, struct named_value ret[RESOURCE_ATTRIBUTES_MAX]);

/* The service of a request: the one that was given, else as it was found out, else the name of the process. */
struct slice resource_service(const struct sink_resource *given, const struct event *e);
