/*
 * destination: where one signal goes, and how: from --export and from the standard environment (OpenTelemetry specification,
 * protocol/exporter.md and configuration/sdk-environment-variables.md; a variable of the signal counts more than that of all).
 *
 *	otlp+http://HOST[:4318][/BASE]   OTLP/HTTP; with TLS otlp+https:// (443). /v1/traces is put behind BASE
 *	otlp+grpc://HOST[:4317]          OTLP/gRPC; with TLS otlp+grpcs:// (443)
 *	zipkin+http://HOST[:9411][/PATH] Zipkin v2, JSON; with TLS zipkin+https:// (443). Without a PATH it is /api/v2/spans
 *	otlp, zipkin                     as the environment says: OTEL_EXPORTER_OTLP_ENDPOINT ..., OTEL_EXPORTER_ZIPKIN_ENDPOINT
 */
#pragma once

#include "base/reason.h"
#include "config/options.h"
#include "export/answer.h"

enum signal_kind { SIGNAL_TRACES, SIGNAL_METRICS, SIGNAL_KINDS };

struct destination {
	enum wire wire;
	enum signal_kind signal;
	char *url;                 /* as it is asked for */
	char *shown;               /* the same for people: without a password, without a query */
	struct text_list headers;  /* "Name: value" */
	uint64_t timeout_ms;       /* of one attempt */
	bool gzip;
	char *ca, *certificate, *key; /* PEM files; NULL: those of the system, none, none */
};

void destination_done(struct destination *d);
DEFINE_CLEANUP_IN_PLACE(struct destination, destination_done)

/* Reads variables of the environment: getenv(), or a table of a test. */
typedef char *(*read_variable)(const char *name);

/*
 * 0; 1: this receiver takes no such signal; -EINVAL and @why: @word or a variable is wrong, or a file that is named cannot be read.
 */
int destination_find(struct destination *ret, const char *word, enum signal_kind signal, read_variable env, struct reason *why);

/* "k1=v1,k2=v2", percent-encoded: of HEADERS and OTEL_RESOURCE_ATTRIBUTES. -EINVAL: not so. Names and values are pairs in @ret. */
int destination_pairs(struct text_list *ret, const char *text);
