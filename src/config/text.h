/* text: lines that end before the margin, for help. */
#pragma once

#include "base/strbuf.h"

#define HELP_COLUMNS 100

/* Adds the words of @text, the first at @column (where @out stands), later lines indented by @indent; ends the line. */
void text_wrap(struct strbuf *out, const char *text, size_t column, size_t indent);
/* One row of two columns: @left after two blanks, @text at @indent, or below @left when that is longer. */
void text_row(struct strbuf *out, const char *left, const char *text, size_t indent);
/* A paragraph for man(7): dashes and backslashes escaped, no line begins with a control character. */
void text_roff(struct strbuf *out, const char *text);
