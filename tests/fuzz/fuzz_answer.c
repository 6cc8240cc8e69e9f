/*
 * What a receiver answers, be it what it may: one line is said of it, no rest is longer than five minutes, and what is told of a part is told
 * of what was delivered.
 *
 * The input: the wire, the HTTP status divided by 100 and its rest, the gRPC status, the content type, each a byte; then Retry-After,
 * grpc-message, grpc-status-details-bin, each ended by NUL; then the body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "export/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct slice take_text(struct slice *in)
{
	struct slice text = { in->data, strnlen(in->data, in->len) };
	size_t step = MIN(text.len + 1, in->len);
	*in = (struct slice){ in->data + step, in->len - step };
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const types[] = { "application/x-protobuf", "application/json", "text/html", "application/grpc", "" };
	_cleanup_(strbuf_done) struct strbuf said = {};
	if (len < 5)
		return 0;
	_cleanup_(free) char *copy = malloc(len - 5 + 1); /* as large as it is, so that a byte too much is seen */
	memcpy(copy, bytes + 5, len - 5);
	struct slice rest = { copy, len - 5 };
	struct answer a = {
		.http_status = bytes[1] % 10 * 100 + bytes[2] % 100, .grpc_status = bytes[3] % 20 - 1, .too_long = bytes[1] & 0x80,
		.content_type = slice_of(types[bytes[4] % ARRAY_SIZE(types)]),
		.retry_after = take_text(&rest), .grpc_message = take_text(&rest), .grpc_details = take_text(&rest),
	};
	a.body = rest;
	struct verdict_of_answer v = answer_judge((enum wire)(bytes[0] % 4), &a, 1795298400, &said);
	if (v.not_before_ns > 301 * NSEC_PER_SEC || (v.rejected && v.outcome != OUTCOME_DELIVERED) || (v.not_before_ns && v.outcome == OUTCOME_DELIVERED))
		abort();
	if (v.outcome != OUTCOME_DELIVERED && !said.len)
		abort();
	for (size_t i = 0; i < said.len; i++)
		if ((unsigned char)said.data[i] < 0x20 || said.data[i] == 0x7f)
			abort();
	return 0;
}
