/* The table as machines read it: the schema of the configuration, and a configuration with all defaults. */
#include <jansson.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "config/option_row.h"

DEFINE_CLEANUP(json_t *, json_decref)

static void dump(struct strbuf *out, const json_t *json)
{
	_cleanup_(free) char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	strbuf_adds(out, text ? text : "{}");
	strbuf_addc(out, '\n');
}

static json_t *words_schema(const struct option_row *row)
{
	json_t *words = json_array();
	for (size_t i = 0; row->words[i]; i++)
		json_array_append_new(words, json_string(row->words[i]));
	json_array_append_new(words, json_null());
	return json_pack("{s:o}", "enum", words);
}

static json_t *types_schema(unsigned forms)
{
	static const struct {
		unsigned form;
		const char *type;
	} types[] = {
		{ FORM_BOOLEAN, "boolean" }, { FORM_INTEGER, "integer" }, { FORM_REAL, "number" },
		{ FORM_TEXT, "string" },     { FORM_TEXTS, "array" },     { FORM_INTEGERS, "array" },
	};
	json_t *array = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (forms & types[i].form)
			json_array_append_new(array, json_string(types[i].type));
	json_array_append_new(array, json_string("null"));
	return array;
}

static void add_bounds(json_t *schema, const struct option_row *row)
{
	json_object_set_new(schema, "minimum", json_integer((json_int_t)row->min));
	if (row->max)
		json_object_set_new(schema, "maximum", json_integer((json_int_t)row->max));
}

static json_t *row_schema(const struct option_row *row)
{
	const struct option_kind_ops *kind = &option_kinds[row->kind];
	json_t *schema = row->kind == OPTION_WORD ? words_schema(row) : json_pack("{s:o}", "type", types_schema(kind->forms));
	json_t *item = schema;
	if (kind->forms & (FORM_TEXTS | FORM_INTEGERS)) {
		item = json_pack("{s:s}", "type", kind->forms & FORM_TEXTS ? "string" : "integer");
		json_object_set_new(schema, "items", item);
	}
	if (kind->pattern)
		json_object_set_new(item, "pattern", json_string(kind->pattern));
	if (kind->forms & (FORM_INTEGER | FORM_INTEGERS))
		add_bounds(item, row);
	json_object_set_new(schema, "description", json_sprintf("%s%s", option_on_by_default(row) ? "false: " : "", row->help));
	return schema;
}

void options_schema(struct strbuf *out)
{
	json_t *properties = json_object();
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_in_file(row))
			json_object_set_new(properties, option_key(row).text, row_schema(row));
	_cleanup_(json_decref) json_t *schema =
		json_pack("{s:s, s:s, s:s, s:b, s:o}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title",
	                  "utrace configuration", "type", "object", "additionalProperties", 0, "properties", properties);
	dump(out, schema);
}

static json_t *default_of(const struct option_row *row)
{
	unsigned forms = option_kinds[row->kind].forms;
	uint64_t number;
	if (option_is_switch(row))
		return json_boolean(option_on_by_default(row));
	if (forms & (FORM_TEXTS | FORM_INTEGERS))
		return json_array();
	if (row->fallback && forms == FORM_INTEGER && parse_number(row->fallback, &number) == 0)
		return json_integer((json_int_t)number);
	if (row->fallback)
		return json_string(row->fallback);
	return forms & FORM_INTEGER ? json_integer(0) : json_null();
}

void options_generate(struct strbuf *out)
{
	_cleanup_(json_decref) json_t *settings = json_object();
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_in_file(row))
			json_object_set_new(settings, option_key(row).text, default_of(row));
	dump(out, settings);
}
