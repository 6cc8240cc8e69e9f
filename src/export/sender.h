/*
 * sender: a thread that brings parcels to one destination, behind a bounded queue (outbox.h). Whoever puts something in never waits for
 * the receiver: what it cannot take is lost and counted, or goes to the spool.
 */
#pragma once

#include "export/destination.h"
#include "export/outbox.h"

struct sender;
struct spool;

struct sender_settings {
	struct spool *spool; /* borrowed; NULL: none */
	bool patient;        /* of a recording: what is put in waits for room, for nothing is missed meanwhile */
};

/* Takes what is in @to on success. -errno and @why. */
int sender_new(struct sender **ret, struct destination *to, const struct sender_settings *settings, struct reason *why);
void sender_free(struct sender *s); /* after sender_finish() */

void sender_put(struct sender *s, struct slice body, uint32_t items); /* copies @body */
/* What waits is sent, within five seconds; then the thread is over and the counts are final. */
void sender_close(struct sender *s);  /* begins with that, and returns at once */
void sender_finish(struct sender *s); /* waits for it */

struct sender_counts {
	uint64_t sent, lost[EXPORT_LOSSES], spooled; /* items */
};
struct sender_counts sender_counts(struct sender *s);
const struct destination *sender_destination(const struct sender *s);
/* What the receiver did that people should know, once for each kind of it: "http://... answers 400: ...". False: nothing new. */
bool sender_news(struct sender *s, struct strbuf *out);
