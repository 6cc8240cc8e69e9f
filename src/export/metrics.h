/* metrics: series as the formats of their readers. */
#pragma once

#include "base/strbuf.h"
#include "export/series.h"
#include "sink/resources.h"

/* The body of an ExportMetricsServiceRequest: exponential histograms, cumulative since @since_ns. Returns the number of data points. */
uint32_t metrics_otlp(struct strbuf *out, const struct series *all, size_t n, const struct sink_resource *given, uint64_t since_ns, uint64_t now_ns);

enum exposition { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS, EXPOSITION_PROTOBUF };

/* What a scrape by Prometheus gets: classic buckets as text, with exemplars as OpenMetrics; protobuf has native histograms as well. */
void metrics_expose(struct strbuf *out, enum exposition form, const struct series *all, size_t n, uint64_t since_ns);
/* What fits an Accept header (NULL: none was sent) best, and the Content-Type of it. */
enum exposition metrics_accepted(const char *accept, const char **ret_type);
