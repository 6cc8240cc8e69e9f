#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

enum log_level log_max_level = LOG_NOTE;

void log_line(enum log_level level, const char *fmt, ...)
{
	if (level > log_max_level)
		return;
	char line[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *c = line; *c; c++) /* names in it are others', and a terminal obeys control characters */
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	fprintf(stderr, "utrace: %s\n", line);
}
