#include "sink/utf8.h"

size_t utf8_length(struct slice text)
{
	const unsigned char *s = (const unsigned char *)text.data;
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
	if (n == 0 || n > text.len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void utf8_add(struct strbuf *out, struct slice s)
{
	for (size_t i = 0; i < s.len;) {
		size_t from = i;
		while (i < s.len && (unsigned char)s.data[i] < 0x80)
			i++;
		if (i > from)
			strbuf_add(out, s.data + from, i - from);
		if (i == s.len)
			return;
		struct slice rest = { s.data + i, s.len - i };
		unsigned char c = (unsigned char)s.data[i];
		size_t n = utf8_length(rest);
		if (n == 0) {
			strbuf_addc(out, (char)(0xc0 | c >> 6));
			strbuf_addc(out, (char)(0x80 | (c & 0x3f)));
		} else {
			strbuf_add(out, rest.data, n);
		}
		i += n ? n : 1;
	}
}
