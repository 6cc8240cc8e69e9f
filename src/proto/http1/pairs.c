#include "proto/http1/pairs.h"

void pairs_init(struct pairs *p)
{
	*p = (struct pairs){ .oldest = 1 };
}

uint64_t pairs_waiting(const struct pairs *p)
{
	return p->newest + 1 - p->oldest;
}

/* Methods are case-sensitive, RFC 9110 section 9.1. */
enum http1_asked pairs_asked(struct slice method)
{
	return slice_eq_str(method, "HEAD") ? ASKED_HEAD : slice_eq_str(method, "CONNECT") ? ASKED_CONNECT : ASKED_OTHER;
}

uint64_t pairs_request(struct pairs *p, enum http1_asked asked, bool sure)
{
	p->pipelined |= sure && pairs_waiting(p) > 0;
	p->newest++;
	if (p->in_doubt)
		p->oldest = p->newest + 1;
	else if (pairs_waiting(p) <= PAIRS_KEPT)
		p->asked[p->newest % PAIRS_KEPT] = (uint8_t)asked;
	return p->newest;
}

uint64_t pairs_oldest(const struct pairs *p, enum http1_asked *ret_asked)
{
	bool any = pairs_waiting(p) > 0;
	*ret_asked = any ? (enum http1_asked)p->asked[p->oldest % PAIRS_KEPT] : ASKED_OTHER;
	return any ? p->oldest : 0;
}

void pairs_answered(struct pairs *p)
{
	if (pairs_waiting(p) == 0)
		return;
	p->asked[p->oldest % PAIRS_KEPT] = ASKED_OTHER;
	p->oldest++;
}

static void doubt(struct pairs *p)
{
	memset(p->asked, 0, sizeof(p->asked));
	p->oldest = p->newest + 1;
	p->in_doubt = true;
}

/* A client that does not pipeline waits for the answer to the one that was missed: that comes before the next request. */
void pairs_missed_requests(struct pairs *p)
{
	if (p->pipelined)
		doubt(p);
}

void pairs_missed_responses(struct pairs *p)
{
	if (p->pipelined && pairs_waiting(p) > 1)
		doubt(p);
	while (pairs_waiting(p) > 1)
		pairs_answered(p);
}
