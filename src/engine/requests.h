/* requests: the pieces that families capture become requests, the requests records, and the records events. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bpf/record.abi.h"

struct connection;
struct engine;
struct requests;
struct segment;

struct requests *requests_new(void);
void requests_free(struct requests *r);

bool requests_wanted(const struct engine *e);
/* What one call passed on a connection. Of a recording, requests come as records of their own. */
void requests_pass(struct engine *e, struct connection *c, const struct segment *s);
/* What passes from now on is another conversation than what has passed: the plaintext of what was encrypted. */
void requests_restart(struct engine *e, struct connection *c, uint64_t time_ns);
/* Its end, which gives back what was kept of it. True: requests were seen on it. */
bool requests_close(struct engine *e, struct connection *c, uint64_t time_ns);

void requests_take(struct engine *e, const struct rec_head *rec); /* a record of REC_SPAN: shown, or counted */
void requests_conclude(struct engine *e);                         /* shows what was counted */
