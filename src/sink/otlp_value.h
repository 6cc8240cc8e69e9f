/* otlp_value: what all signals of OpenTelemetry's protobuf share. Field numbers: opentelemetry-proto, common/v1/common.proto. */
#pragma once

#include "base/strbuf.h"
#include "event/event.h"

void otlp_add_text(struct strbuf *b, uint32_t field, struct slice text);                   /* as UTF-8, whatever it holds */
void otlp_add_id(struct strbuf *b, uint32_t field, struct slice hex);                      /* of a trace or span: bytes here */
void otlp_add_attribute(struct strbuf *b, uint32_t field, const struct named_value *item); /* KeyValue */
void otlp_add_resource(struct strbuf *b, uint32_t field, const struct named_value *attributes, size_t n);
void otlp_add_scope(struct strbuf *b, uint32_t field); /* InstrumentationScope: utrace and its version */
