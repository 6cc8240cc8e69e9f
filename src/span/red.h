/* red: requests, errors, durations of each route: what --stat shows of requests. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/hashmap.h"
#include "base/slice.h"

#define RED_BUCKETS 320

struct red_row {
	char *name; /* "GET /users/{id}" */
	bool of_client;
	uint64_t requests, errors, timed, total_ns, min_ns, max_ns;
	unsigned long long bucket[RED_BUCKETS]; /* base/histogram.h */
};

struct red {
	struct hashmap rows; /* kind and name -> struct red_row. As many as there are routes (route.h) and methods */
};

void red_done(struct red *r);
/* @timed: its end was seen. */
void red_add(struct red *r, bool of_client, struct slice name, bool error, bool timed, uint64_t duration_ns);
const struct red_row *red_next(const struct red *r, size_t *at); /* iterates: NULL ends */
