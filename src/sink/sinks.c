/* The formats, in the order in which help shows them. */
#include <string.h>

#include "base/macro.h"
#include "sink/sink.h"

extern const struct sink_ops chrome_sink;
extern const struct sink_ops csv_sink;
extern const struct sink_ops folded_sink;
extern const struct sink_ops jaeger_sink;
extern const struct sink_ops json_sink;
extern const struct sink_ops otlp_sink;
extern const struct sink_ops perfetto_sink;
extern const struct sink_ops text_sink;
extern const struct sink_ops zipkin_sink;

const struct sink_ops *const sinks[] = {
	&text_sink,
	&json_sink,
	&csv_sink,
	&chrome_sink,
	&perfetto_sink,
	&folded_sink,
	&otlp_sink,
	&zipkin_sink,
	&jaeger_sink,
	NULL,
};

const struct sink_ops *sink_find(const char *name)
{
	for (size_t i = 0; sinks[i]; i++)
		if (streq(sinks[i]->name, name))
			return sinks[i];
	return NULL;
}

/* Length of the suffix of @path that asks for this format; 0: none does. */
static size_t suffix_length(const struct sink_ops *ops, const char *path)
{
	size_t len = strlen(path), best = 0;
	for (const char *const *suffix = ops->suffixes; *suffix; suffix++) {
		size_t n = strlen(*suffix);
		if (n < len && streq(path + len - n, *suffix))
			best = MAX(best, n);
	}
	return best;
}

const struct sink_ops *sink_of_file(const char *path)
{
	const struct sink_ops *best = NULL;
	for (size_t i = 0; sinks[i]; i++)
		if (suffix_length(sinks[i], path) > (best ? suffix_length(best, path) : 0))
			best = sinks[i];
	return best;
}

void sink_names(struct strbuf *out, uint32_t events)
{
	const char *comma = "";
	for (size_t i = 0; sinks[i]; i++) {
		if (sinks[i]->needs || !(sinks[i]->takes & events))
			continue;
		strbuf_addf(out, "%s%s", comma, sinks[i]->name);
		comma = ", ";
	}
}
