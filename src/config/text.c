#include "config/text.h"

#include <string.h>

void text_wrap(struct strbuf *out, const char *text, size_t column, size_t indent)
{
	size_t begin = column;
	while (*(text += strspn(text, " "))) {
		size_t len = strcspn(text, " \n");
		if (column > begin && column + 1 + len > HELP_COLUMNS) {
			strbuf_addc(out, '\n');
			strbuf_pad(out, ' ', indent);
			column = begin = indent;
		} else if (column > begin) {
			strbuf_addc(out, ' ');
			column++;
		}
		strbuf_add(out, text, len);
		column += len;
		text += len;
		if (*text == '\n' && *++text) {
			strbuf_addc(out, '\n');
			size_t deep = *text == '\n' ? 0 : indent;
			strbuf_pad(out, ' ', deep);
			column = begin = deep;
		}
	}
	strbuf_addc(out, '\n');
}

void text_row(struct strbuf *out, const char *left, const char *text, size_t indent)
{
	size_t column = strlen(left) + 2;
	strbuf_addf(out, "  %s", left);
	if (column + 2 > indent) {
		strbuf_addc(out, '\n');
		column = 0;
	}
	strbuf_pad(out, ' ', indent - column);
	text_wrap(out, text, indent, indent);
}

void text_roff(struct strbuf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		strbuf_adds(out, "\\&");
	for (const char *p = text; *p; p++) {
		if (*p == '\\')
			strbuf_adds(out, "\\e");
		else if (*p == '-')
			strbuf_adds(out, "\\-");
		else if (*p == '\'')
			strbuf_adds(out, "\\(aq");
		else if (*p == '~')
			strbuf_adds(out, "\\(ti");
		else if (*p == '^')
			strbuf_adds(out, "\\(ha");
		else
			strbuf_addc(out, *p);
		if (*p == '\n' && (p[1] == '.' || p[1] == '\''))
			strbuf_adds(out, "\\&");
	}
}
