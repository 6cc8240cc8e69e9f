#include "base/macro.h"
#include "cmd/cmd.h"

static int generate(const struct cmd *self, const char *word)
{
	_cleanup_(strbuf_done) struct strbuf out = {};
	options_generate(&out);
	return cmd_print(&out);
}

static int schema(const struct cmd *self, const char *word)
{
	_cleanup_(strbuf_done) struct strbuf out = {};
	options_schema(&out);
	return cmd_print(&out);
}

static int validate(const struct cmd *self, const char *path)
{
	_cleanup_(options_done) struct options checked;
	_cleanup_(strbuf_done) struct strbuf out = {};
	struct reason why = {};
	options_init(&checked);
	if (options_read_file(&checked, path, &why) < 0)
		return cmd_usage(self, "%s", why.text);
	strbuf_addf(&out, "%s: valid\n", path);
	return cmd_print(&out);
}

static int explain(const struct cmd *self, const char *key)
{
	_cleanup_(strbuf_done) struct strbuf out = {};
	struct reason why = {};
	if (!key)
		options_list(&out);
	else if (options_explain(&out, key, &why) < 0)
		return cmd_usage(self, "%s", why.text);
	return cmd_print(&out);
}

static const struct action {
	const char *name;
	size_t min, max; /* words after it */
	int (*run)(const struct cmd *self, const char *word);
} actions[] = {
	{ "generate", 0, 0, generate },
	{ "validate", 1, 1, validate },
	{ "explain", 0, 1, explain },
	{ "schema", 0, 0, schema },
};

static void words(struct strbuf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		strbuf_addf(out, "%s\n", actions[i].name);
}

static int run(const struct cmd *self, struct options *o)
{
	int r = cmd_check_words(self, o, 1, 2);
	if (r)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!streq(actions[i].name, o->patterns.items[0]))
			continue;
		r = cmd_check_words(self, o, 1 + actions[i].min, 1 + actions[i].max);
		return r ? r : actions[i].run(self, o->patterns.n > 1 ? o->patterns.items[1] : NULL);
	}
	return cmd_usage(self, "config has no '%.80s': utrace config %s", o->patterns.items[0], self->usage);
}

static const char *const examples[] = {
	"utrace config generate > utrace.json", "a file with every setting at its default",
	"utrace config validate utrace.json", "is it right? If not: the line, the key and what was meant",
	"utrace config explain max_threads", "what the setting does, and its option and environment variable",
	NULL,
};

const struct cmd config_cmd = {
	.name = "config",
	.usage = "generate | validate FILE | explain [KEY] | schema",
	.summary = "the settings: a file with all of them, a check of one, what each means",
	.details = "Every option that is a setting can stand in a JSON file (--config FILE or $UTRACE_CONFIG) and in the "
	           "environment. The environment counts more than the file, the command line more than both. schema prints the "
	           "JSON schema of the file.",
	.examples = examples,
	.words = words,
	.run = run,
};
