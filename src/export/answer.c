#include "export/answer.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include <jansson.h>

#include "base/macro.h"
#include "base/protobuf.h"

#define LONGEST_REST_NS (300 * NSEC_PER_SEC) /* that a receiver may ask for: it may be wrong, or have another clock */
#define TOLD_BYTES_MAX 200                   /* of what a stranger says */
#define GRPC_PREFIX_BYTES 5                  /* compressed or not, and the length: gRPC over HTTP2, Length-Prefixed-Message */

enum {
	GRPC_CANCELLED = 1, GRPC_DEADLINE_EXCEEDED = 4, GRPC_RESOURCE_EXHAUSTED = 8, GRPC_ABORTED = 10,
	GRPC_OUT_OF_RANGE = 11, GRPC_UNIMPLEMENTED = 12, GRPC_UNAVAILABLE = 14, GRPC_DATA_LOSS = 15,
};
enum { RESPONSE_PARTIAL_SUCCESS = 1, PARTIAL_REJECTED = 1, PARTIAL_MESSAGE = 2 }; /* Export*ServiceResponse of each signal */
/* google/rpc */
enum {
	STATUS_MESSAGE = 2, STATUS_DETAILS = 3, ANY_TYPE_URL = 1, ANY_VALUE = 2, RETRY_INFO_DELAY = 1,
	DURATION_SECONDS = 1, DURATION_NANOS = 2,
};

DEFINE_CLEANUP(json_t *, json_decref)

/* What a stranger says, on one line of ours. */
static void add_told(struct strbuf *say, struct slice text)
{
	size_t n = MIN(text.len, (size_t)TOLD_BYTES_MAX);
	for (size_t i = 0; i < n; i++)
		strbuf_addc(say, (unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f ? ' ' : text.data[i]);
	if (n < text.len)
		strbuf_adds(say, "...");
}

/* RFC 9110, 10.2.3: seconds, or a date. */
static uint64_t rest_ns(struct slice text, int64_t now_s)
{
	char copy[64];
	struct tm tm = {};
	if (!text.len || text.len >= sizeof(copy))
		return 0;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	char *end;
	long long s = strtoll(copy, &end, 10);
	if (*end && strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		s = (long long)timegm(&tm) - now_s;
	else if (*end)
		return 0;
	return s <= 0 ? 0 : MIN((uint64_t)s, LONGEST_REST_NS / NSEC_PER_SEC) * NSEC_PER_SEC;
}

static bool find_field(struct slice in, uint32_t number, enum protobuf_type type, struct protobuf_field *ret)
{
	struct protobuf_field f;
	bool found = false;
	while (protobuf_next(&in, &f) > 0)
		if (f.number == number && f.type == type) {
			*ret = f;
			found = true;
		}
	return found;
}

static bool is_message(struct slice in)
{
	struct protobuf_field f;
	int r;
	while ((r = protobuf_next(&in, &f)) > 0)
		;
	return r == 0;
}

static uint64_t tell_rejected(struct strbuf *say, uint64_t rejected, struct slice message)
{
	if (rejected)
		strbuf_addf(say, "took a part and rejected %llu: ", (unsigned long long)rejected);
	else if (message.len)
		strbuf_adds(say, "took all, and warns: ");
	add_told(say, message);
	return rejected;
}

static struct verdict_of_answer read_protobuf(struct slice body, struct strbuf *say)
{
	struct protobuf_field partial, rejected = {}, message = {};
	struct verdict_of_answer v = { .outcome = OUTCOME_DELIVERED };
	if (!is_message(body)) {
		strbuf_adds(say, "answers with what is no protobuf");
		return (struct verdict_of_answer){ .outcome = OUTCOME_NO_RECEIVER };
	}
	if (!find_field(body, RESPONSE_PARTIAL_SUCCESS, PROTOBUF_BYTES, &partial))
		return v;
	find_field(partial.bytes, PARTIAL_REJECTED, PROTOBUF_VARINT, &rejected);
	find_field(partial.bytes, PARTIAL_MESSAGE, PROTOBUF_BYTES, &message);
	v.rejected = tell_rejected(say, rejected.u, message.bytes);
	return v;
}

/* 64-bit numbers are strings in JSON of protobuf; readers take both. */
static uint64_t number_of(const json_t *v)
{
	long long n = json_is_string(v) ? strtoll(json_string_value(v), NULL, 10) : json_integer_value(v);
	return n > 0 ? (uint64_t)n : 0;
}

static struct verdict_of_answer read_json(struct slice body, struct strbuf *say)
{
	_cleanup_(json_decref) json_t *root = json_loadb(body.data, body.len, 0, NULL);
	struct verdict_of_answer v = { .outcome = OUTCOME_DELIVERED };
	if (!json_is_object(root)) {
		strbuf_adds(say, "answers with what is no JSON object");
		return (struct verdict_of_answer){ .outcome = OUTCOME_NO_RECEIVER };
	}
	json_t *partial = json_object_get(root, "partialSuccess"), *spans = json_object_get(partial, "rejectedSpans");
	const char *message = json_string_value(json_object_get(partial, "errorMessage"));
	v.rejected = tell_rejected(say, number_of(spans ? spans : json_object_get(partial, "rejectedDataPoints")), slice_of(message));
	return v;
}

static bool is_type(struct slice type, const char *name)
{
	size_t len = strlen(name);
	return type.len >= len && strncasecmp(type.data, name, len) == 0;
}

/* A page of a proxy, or of some other server, is no receipt. */
static struct verdict_of_answer judge_good(enum wire wire, const struct answer *a, struct strbuf *say)
{
	if (wire == WIRE_ZIPKIN || (a->body.len == 0 && !is_type(a->content_type, "text/")))
		return (struct verdict_of_answer){ .outcome = OUTCOME_DELIVERED };
	if (!a->too_long && is_type(a->content_type, "application/x-protobuf"))
		return read_protobuf(a->body, say);
	if (!a->too_long && is_type(a->content_type, "application/json"))
		return read_json(a->body, say);
	strbuf_addf(say, "answers %ld with %s", a->http_status, a->too_long ? "an endless body of " : "");
	add_told(say, a->content_type.len ? a->content_type : SLICE("a body of no type"));
	strbuf_adds(say, ", as no receiver does");
	return (struct verdict_of_answer){ .outcome = OUTCOME_NO_RECEIVER };
}

/* The body of an error is a google.rpc.Status, if it is protobuf; or text. */
static void tell_error(const struct answer *a, struct strbuf *say)
{
	struct protobuf_field message = {};
	strbuf_addf(say, "answers %ld", a->http_status);
	if (is_type(a->content_type, "application/x-protobuf") && !find_field(a->body, STATUS_MESSAGE, PROTOBUF_BYTES, &message))
		return;
	struct slice text = message.bytes.data ? message.bytes : is_type(a->content_type, "text/html") ? (struct slice){} : a->body;
	if (text.len) {
		strbuf_adds(say, ": ");
		add_told(say, text);
	}
}

static struct verdict_of_answer judge_http(enum wire wire, const struct answer *a, int64_t now_s, struct strbuf *say)
{
	struct verdict_of_answer v = { .outcome = OUTCOME_REFUSED };
	if (a->http_status >= 200 && a->http_status < 300)
		return judge_good(wire, a, say);
	tell_error(a, say);
	if (a->http_status == 429 || (a->http_status >= 502 && a->http_status <= 504)) {
		v.outcome = OUTCOME_RETRY;
		v.not_before_ns = rest_ns(a->retry_after, now_s);
	} else if (a->http_status == 404 || a->http_status == 405 || a->http_status == 501) {
		v.outcome = OUTCOME_NOT_TAKEN;
	}
	return v;
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

static void unpack_base64(struct slice text, struct strbuf *out)
{
	uint32_t bits = 0, n = 0;
	for (size_t i = 0; i < text.len; i++) {
		int digit = base64_digit(text.data[i]);
		if (digit < 0)
			break;
		bits = bits << 6 | (uint32_t)digit;
		n += 6;
		if (n >= 8)
			strbuf_addc(out, (char)(bits >> (n -= 8)));
	}
}

/* google.rpc.RetryInfo among the details of a status: how long. False: it is not there. */
static bool find_retry_info(struct slice details, uint64_t *ret_ns)
{
	_cleanup_(strbuf_done) struct strbuf status = {};
	struct protobuf_field f, type, value, delay, seconds = {}, nanos = {};
	unpack_base64(details, &status);
	for (struct slice in = strbuf_slice(&status); protobuf_next(&in, &f) > 0;) {
		if (f.number != STATUS_DETAILS || f.type != PROTOBUF_BYTES || !find_field(f.bytes, ANY_TYPE_URL, PROTOBUF_BYTES, &type))
			continue;
		if (!slice_eq_str(type.bytes, "type.googleapis.com/google.rpc.RetryInfo") || !find_field(f.bytes, ANY_VALUE, PROTOBUF_BYTES, &value))
			continue;
		if (find_field(value.bytes, RETRY_INFO_DELAY, PROTOBUF_BYTES, &delay)) {
			find_field(delay.bytes, DURATION_SECONDS, PROTOBUF_VARINT, &seconds);
			find_field(delay.bytes, DURATION_NANOS, PROTOBUF_VARINT, &nanos);
		}
		*ret_ns = MIN(seconds.u, LONGEST_REST_NS / NSEC_PER_SEC) * NSEC_PER_SEC + MIN(nanos.u, NSEC_PER_SEC);
		return true;
	}
	return false;
}

static bool may_be_tried_again(int status)
{
	static const int again[] = { GRPC_CANCELLED, GRPC_DEADLINE_EXCEEDED, GRPC_ABORTED, GRPC_OUT_OF_RANGE, GRPC_UNAVAILABLE, GRPC_DATA_LOSS };
	for (size_t i = 0; i < ARRAY_SIZE(again); i++)
		if (again[i] == status)
			return true;
	return false;
}

static struct verdict_of_answer judge_grpc(const struct answer *a, struct strbuf *say)
{
	struct verdict_of_answer v = { .outcome = OUTCOME_REFUSED };
	if (a->grpc_status == 0) {
		struct slice message = { a->body.data + GRPC_PREFIX_BYTES, a->body.len - GRPC_PREFIX_BYTES };
		bool plain = a->body.len > GRPC_PREFIX_BYTES && !a->body.data[0];
		return plain ? read_protobuf(message, say) : (struct verdict_of_answer){ .outcome = OUTCOME_DELIVERED };
	}
	strbuf_addf(say, "answers with gRPC status %d", a->grpc_status);
	if (a->grpc_message.len) {
		strbuf_adds(say, ": ");
		add_told(say, a->grpc_message);
	}
	bool told = find_retry_info(a->grpc_details, &v.not_before_ns);
	if (may_be_tried_again(a->grpc_status) || (a->grpc_status == GRPC_RESOURCE_EXHAUSTED && told))
		v.outcome = OUTCOME_RETRY;
	else if (a->grpc_status == GRPC_UNIMPLEMENTED)
		v.outcome = OUTCOME_NOT_TAKEN;
	return v;
}

struct verdict_of_answer answer_judge(enum wire wire, const struct answer *a, int64_t now_s, struct strbuf *say)
{
	if (a->failure) {
		strbuf_adds(say, a->failure);
		return (struct verdict_of_answer){ .outcome = OUTCOME_RETRY };
	}
	if (wire != WIRE_OTLP_GRPC)
		return judge_http(wire, a, now_s, say);
	if (a->grpc_status >= 0)
		return judge_grpc(a, say);
	if (a->http_status == 200) {
		strbuf_adds(say, "answers as no gRPC server does");
		return (struct verdict_of_answer){ .outcome = OUTCOME_NO_RECEIVER };
	}
	return judge_http(wire, a, now_s, say);
}
