#include <jansson.h>
#include <stdio.h>

#include "base/macro.h"
#include "cmd/cmd.h"
#include "config/text.h"
#include "config/typo.h"
#include "event/event.h"

#define FIELDS_OF_ALL 2 /* the first of event_common_fields: timestamp, event_type; the others are of events of tasks */

DEFINE_CLEANUP(json_t *, json_decref)

/* How each kind of field is written in JSON, as a JSON schema. */
static const struct {
	const char *kind;
	const char *schema;
} kind_schemas[] = {
	{ "uint", "{\"type\": \"integer\", \"minimum\": 0}" },
	{ "int", "{\"type\": \"integer\"}" },
	{ "bool", "{\"type\": \"boolean\"}" },
	{ "string", "{\"type\": \"string\"}" },
	{ "time", "{\"type\": \"string\", \"format\": \"date-time\"}" },
	{ "address", "{\"type\": \"string\", \"pattern\": \"^0x[0-9a-f]+$\"}" },
	{ "list", "{\"type\": \"array\"}" },
	{ "object", "{\"type\": \"object\"}" },
	{ "value", "{\"type\": \"object\", \"properties\": {\"type\": {\"type\": \"string\"}, \"value\": {}}}" },
	{ "arguments", "{\"type\": \"array\", \"items\": {\"type\": \"object\", \"properties\": "
	               "{\"name\": {\"type\": \"string\"}, \"type\": {\"type\": \"string\"}, \"value\": {}}}}" },
};

/* Owned by the caller; a kind without a row says nothing about the value. */
static json_t *field_schema(const struct event_field *field)
{
	json_t *schema = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kind_schemas); i++)
		if (streq(kind_schemas[i].kind, field->kind))
			schema = json_loads(kind_schemas[i].schema, 0, NULL);
	if (!schema)
		schema = json_object();
	json_object_set_new(schema, "description", json_string(field->doc));
	return schema;
}

static bool has_common(const struct event_type *type, size_t i)
{
	return event_common_fields[i].name && (type->of_task || i < FIELDS_OF_ALL);
}

static json_t *type_schema(const struct event_type *type)
{
	json_t *properties = json_object();
	for (size_t i = 0; has_common(type, i); i++)
		json_object_set_new(properties, event_common_fields[i].name, field_schema(&event_common_fields[i]));
	for (uint32_t i = 0; i < type->n_fields; i++)
		json_object_set_new(properties, type->fields[i].name, field_schema(&type->fields[i]));
	json_object_set_new(json_object_get(properties, "event_type"), "const", json_string(type->name));
	return json_pack("{s:s, s:s, s:s, s:o, s:[s, s], s:b}", "title", type->name, "description", type->doc, "type", "object",
	                 "properties", properties, "required", "timestamp", "event_type", "additionalProperties", 0);
}

/* @type NULL: of all types. */
static void explain_json(struct strbuf *out, const struct event_type *type)
{
	_cleanup_(json_decref) json_t *schema =
		type ? type_schema(type) : json_pack("{s:s, s:[]}", "title", "utrace event", "oneOf");
	for (size_t i = 0; !type && i < EVENT_TYPES; i++)
		json_array_append_new(json_object_get(schema, "oneOf"), type_schema(&event_types[i]));
	json_object_set_new(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	_cleanup_(free) char *text = json_dumps(schema, JSON_INDENT(2));
	strbuf_addf(out, "%s\n", text ? text : "{}");
}

static void explain_field(struct strbuf *out, const struct event_field *field)
{
	char left[64];
	snprintf(left, sizeof(left), "%-18s %s%s%s", field->name, field->kind, field->unit ? ", " : "",
	         field->unit ? field->unit : "");
	text_row(out, left, field->doc, 34);
}

static void explain_type(struct strbuf *out, const struct event_type *type)
{
	strbuf_addf(out, "%s: %s\n\n", type->name, type->doc);
	for (size_t i = 0; has_common(type, i); i++)
		explain_field(out, &event_common_fields[i]);
	for (uint32_t i = 0; i < type->n_fields; i++)
		explain_field(out, &type->fields[i]);
}

static void list_types(struct strbuf *out)
{
	for (size_t i = 0; i < EVENT_TYPES; i++)
		text_row(out, event_types[i].name, event_types[i].doc, 20);
}

static int unknown_type(const struct cmd *self, const char *name)
{
	struct typo typo = { .want = name };
	for (size_t i = 0; i < EVENT_TYPES; i++)
		typo_offer(&typo, event_types[i].name);
	if (!typo.best)
		return cmd_usage(self, "no event is called '%.80s' (list them: utrace explain)", name);
	return cmd_usage(self, "no event is called '%.80s'; nearest: %s", name, typo.best);
}

static void words(struct strbuf *out)
{
	for (size_t i = 0; i < EVENT_TYPES; i++)
		strbuf_addf(out, "%s\n", event_types[i].name);
}

static int run(const struct cmd *self, struct options *o)
{
	int r = cmd_check_words(self, o, 0, 1);
	if (r)
		return r;
	const struct event_type *type = o->patterns.n ? event_type_find(o->patterns.items[0]) : NULL;
	if (o->patterns.n && !type)
		return unknown_type(self, o->patterns.items[0]);
	_cleanup_(strbuf_done) struct strbuf out = {};
	if (o->json)
		explain_json(&out, type);
	else if (type)
		explain_type(&out, type);
	else
		list_types(&out);
	return cmd_print(&out);
}

static const char *const examples[] = {
	"utrace explain", "the types of events",
	"utrace explain function_call", "the fields of one, with their units",
	"utrace explain --json", "the JSON schema of all that --json writes",
	NULL,
};

const struct cmd explain_cmd = {
	.name = "explain",
	.usage = "[EVENT] [--json]",
	.summary = "what an event and its fields mean",
	.groups = OPTIONS_JSON,
	.examples = examples,
	.words = words,
	.run = run,
};
