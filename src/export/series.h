/*
 * series: requests, errors and durations by service, route, method and status: the metrics http.server.request.duration and
 * http.client.request.duration of OpenTelemetry's stable conventions. Bounded: what would be one series too many is counted in one that
 * says so (metrics/sdk.md, cardinality limits). Safe for several threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "event/event.h"
#include "metric/exponential.h"

#define SERIES_MAX 2000 /* metrics/sdk.md, the default of the cardinality limit */

/* Seconds: semantic conventions, http-metrics.md, explicit bucket boundaries of http.server.request.duration. */
#define SERIES_BOUNDS { 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10 }
#define SERIES_BUCKETS 15 /* one more than bounds */

/* A request that a bucket counts. */
struct exemplar {
	uint64_t time_ns; /* of day; 0: there is none */
	double value;     /* seconds */
	char trace_id[33], span_id[17];
};

enum series_text {
	SERIES_SERVICE, SERIES_METHOD, SERIES_SCHEME, SERIES_ROUTE, SERIES_STATUS, SERIES_ERROR, SERIES_SERVER, SERIES_PORT, SERIES_TEXTS
};

/* Texts are empty where the series has no such attribute; they live as long as the table. */
struct series {
	bool of_client;
	bool overflow; /* of all that found no room */
	char *text[SERIES_TEXTS];
	struct exponential durations; /* seconds */
	uint64_t bucket[SERIES_BUCKETS];
	struct exemplar exemplar[SERIES_BUCKETS]; /* the newest of each */
};

struct series_table;

struct series_table *series_table_new(void);
void series_table_free(struct series_table *t);
DEFINE_CLEANUP(struct series_table *, series_table_free)

/* A request, also one that was not answered: it has an error.type then. @service is borrowed. */
void series_add(struct series_table *t, const struct event *e, struct slice service);
/* A copy of all of them as they are now, by service; free() it. Also when the first request of all began: time of day. */
size_t series_copy(struct series_table *t, struct series **ret, uint64_t *ret_since_ns);

const char *series_attribute(enum series_text text); /* its name: "http.route" */
