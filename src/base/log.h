/*
 * log: what the user is told on stderr. Only commands report errors; libraries may log at debug level.
 * The level is one of the two globals of the program (the other: the parsed options).
 */
#pragma once

#include "base/cleanup.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTE, LOG_DEBUG };

extern enum log_level log_max_level; /* default LOG_NOTE; --quiet: LOG_ERROR; --verbose: LOG_DEBUG */

/* Prints "utrace: " and one line to stderr. */
void log_line(enum log_level level, const char *fmt, ...) _printf_(2, 3);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_note(...) log_line(LOG_NOTE, __VA_ARGS__)
#define log_debug(...)                                  \
	do {                                            \
		if (log_max_level >= LOG_DEBUG)         \
			log_line(LOG_DEBUG, __VA_ARGS__); \
	} while (0)
