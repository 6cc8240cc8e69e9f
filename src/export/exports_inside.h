/* exports_inside: the shape of exports, for its own files. */
#pragma once

#include <stdio.h>

#include "export/exports.h"
#include "export/scrape.h"
#include "export/sender.h"
#include "export/series.h"
#include "export/spool.h"
#include "sink/resources.h"
#include "sink/sink.h"

#define TARGETS_MAX 16 /* receivers, each with one signal */

/* What is being gathered for one receiver. */
struct batch {
	struct sink *sink; /* NULL: nothing yet */
	FILE *out;
	char *body;
	size_t len;
	uint32_t spans;
	uint64_t since_ns;
};

struct target {
	struct sender *sender;
	struct spool *spool;
	struct batch batch;
};

struct exports {
	struct target targets[TARGETS_MAX];
	size_t n;
	int spool_fd;
	bool patient;
	struct series_table *series; /* NULL: nobody asks for metrics */
	struct scrape *scrape;
	uint64_t interval_ns, metrics_due_ns; /* of the events' own time */
	uint64_t until_ns;                    /* the end of the last request: time of day */
	struct sink_resource resource;
	struct text_list attribute_texts; /* names and values of resource.attributes */
	struct named_value attributes[RESOURCE_ATTRIBUTES_MAX];
};
