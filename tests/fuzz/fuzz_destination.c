/*
 * --export and the environment, be they what they may: an address has no blanks and no new lines, what is shown has no password, a header is
 * one line.
 *
 * The input: the word, and the values of the variables below, each ended by a new line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "export/destination.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *const names[] = { "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_COMPRESSION",
				     "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_ZIPKIN_ENDPOINT" };
static char *values[ARRAY_SIZE(names)];

static char *variable(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(name, names[i]))
			return values[i];
	return NULL;
}

static void check(const struct destination *d)
{
	const char *host = strstr(d->shown, "://");
	if (!host || strpbrk(d->url, " \n\r\t"))
		abort();
	size_t authority = strcspn(host + 3, "/");
	if (memchr(host + 3, '@', authority) || strchr(d->shown, '?'))
		abort();
	for (size_t i = 0; i < d->headers.n; i++)
		if (strpbrk(d->headers.items[i], "\r\n") || !strstr(d->headers.items[i], ": "))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(free) char *text = malloc(len + 1);
	memcpy(text, bytes, len);
	text[len] = '\0';
	char *rest = text, *word = strsep(&rest, "\n");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		values[i] = rest ? strsep(&rest, "\n") : NULL;
	for (int signal = 0; signal < SIGNAL_KINDS; signal++) {
		_cleanup_(destination_done) struct destination d = {};
		struct reason why = {};
		int r = destination_find(&d, word, (enum signal_kind)signal, variable, &why);
		if (r == 0)
			check(&d);
		else if (r < 0 && !why.text[0])
			abort();
	}
	return 0;
}
