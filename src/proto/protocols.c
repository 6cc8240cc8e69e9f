#include "proto/proto.h"

#include "base/macro.h"
#include "proto/http1/http1.h"

const struct proto_ops *const protocols[] = {
	&http1_proto,
	NULL,
};

const char *const proto_loss_names[PROTO_LOSSES] = {
	[PROTO_LOSS_GAP] = "gap",
	[PROTO_LOSS_BAD] = "bad",
	[PROTO_LOSS_LIMIT] = "limit",
	[PROTO_LOSS_LENGTH] = "length",
	[PROTO_LOSS_CLOSED] = "closed",
};

const struct proto_ops *proto_find(const char *name)
{
	for (size_t i = 0; protocols[i]; i++)
		if (streq(protocols[i]->name, name))
			return protocols[i];
	return NULL;
}

enum proto_verdict proto_detect(struct slice first, const struct proto_ops **ret_ops)
{
	enum proto_verdict verdict = PROTO_NOT;
	for (size_t i = 0; protocols[i]; i++) {
		enum proto_verdict v = protocols[i]->detect(first);
		if (v == PROTO_IS_CLIENT || v == PROTO_IS_SERVER) {
			*ret_ops = protocols[i];
			return v;
		}
		verdict = MAX(verdict, v);
	}
	return verdict;
}
