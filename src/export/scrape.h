/* scrape: serves series to Prometheus over HTTP, at /metrics, by a thread of its own. By libmicrohttpd, which is loaded when it is needed. */
#pragma once

#include "base/reason.h"
#include "export/series.h"

struct scrape;

/* @address: PORT (of loopback), HOST:PORT, :PORT (of all addresses). @series is borrowed. -EINVAL, -EADDRINUSE ... and @why. */
int scrape_new(struct scrape **ret, const char *address, struct series_table *series, struct reason *why);
void scrape_free(struct scrape *s);
