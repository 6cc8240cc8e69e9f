/*
 * answer: what a receiver's answer means. Pure. OTLP specification 1.5, "OTLP/HTTP Response" and "OTLP/gRPC Response"; of Zipkin any 2xx is
 * good, and errors are understood as those of OTLP.
 */
#pragma once

#include "base/slice.h"
#include "base/strbuf.h"
#include "export/outbox.h"

#define ANSWER_BODY_MAX 65536 /* that are read; an answer of an exporter is a few bytes */

enum wire { WIRE_OTLP_PROTOBUF, WIRE_OTLP_JSON, WIRE_OTLP_GRPC, WIRE_ZIPKIN };

struct answer {
	const char *failure;      /* there was none: why ("Connection refused"); NULL: there is one */
	long http_status;
	int grpc_status;          /* -1: none was told */
	bool too_long;            /* more than ANSWER_BODY_MAX came; the rest was not read */
	struct slice content_type;
	struct slice retry_after; /* as the header has it; empty: none */
	struct slice grpc_message, grpc_details; /* percent-encoded; base64 */
	struct slice body;
};

/* @now_s: time of day, for a Retry-After that is a date. @say gets what happened, for people; nothing when all is well. */
struct verdict_of_answer answer_judge(enum wire wire, const struct answer *a, int64_t now_s, struct strbuf *say);
