#include "base/reason.h"

#include <stdarg.h>
#include <stdio.h>

int reason_set(struct reason *why, int r, const char *fmt, ...)
{
	if (!why || why->text[0])
		return r;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return r;
}
