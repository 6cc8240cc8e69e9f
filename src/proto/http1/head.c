#include "proto/http1/head.h"

#include "base/macro.h"
#include "proto/http1/field.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What text is made of: no control characters but the tab. Bytes above 0x7f are obs-text, RFC 9110 section 5.5. */
static bool is_text(char c)
{
	return (unsigned char)c >= ' ' ? c != 0x7f : c == '\t';
}

static size_t blanks(struct slice s, size_t at)
{
	size_t end = at;
	while (end < s.len && is_blank(s.data[end]))
		end++;
	return end - at;
}

static struct slice part(struct slice s, size_t from, size_t to)
{
	return (struct slice){ s.data + from, to - from };
}

struct slice http1_line(struct slice bytes, size_t *ret_next)
{
	const char *nl = memchr(bytes.data, '\n', bytes.len);
	size_t len = nl ? (size_t)(nl - bytes.data) : bytes.len;
	*ret_next = nl ? len + 1 : len;
	if (nl && len && bytes.data[len - 1] == '\r')
		len--;
	return (struct slice){ bytes.data, len };
}

/* "HTTP/1.x" at @at. Any minor version is read as 1.1 but that of 1.0, RFC 9110 section 2.5. Case matters, RFC 9112 section 2.3. */
static bool take_version(struct http1_start_line *ret, struct slice line, size_t at)
{
	if (line.len < at + 8 || memcmp(line.data + at, "HTTP/1.", 7) != 0 || !is_digit(line.data[at + 7]))
		return false;
	ret->version = part(line, at, at + 8);
	ret->minor_0 = line.data[at + 7] == '0';
	return true;
}

/* method SP request-target SP HTTP-version, RFC 9112 section 3; any run of blanks parts them, as lenient servers have it. */
static bool request_line(struct http1_start_line *ret, struct slice line)
{
	size_t method = field_token(line, 0), target = method + blanks(line, method), end = target;
	while (end < line.len && is_text(line.data[end]) && !is_blank(line.data[end]))
		end++;
	size_t version = end + blanks(line, end);
	if (method == 0 || method > HTTP1_METHOD_BYTES || target == method || end == target || version == end)
		return false;
	if (!take_version(ret, line, version) || version + 8 + blanks(line, version + 8) != line.len)
		return false;
	ret->method = part(line, 0, method);
	ret->target = part(line, target, end);
	return true;
}

/* HTTP-version SP status-code SP [reason-phrase], RFC 9112 section 4; many leave out the second blank with the reason. */
static bool status_line(struct http1_start_line *ret, struct slice line)
{
	if (!take_version(ret, line, 0))
		return false;
	size_t at = 8 + blanks(line, 8);
	if (at == 8 || line.len < at + 3 || line.data[at] == '0' || (line.len > at + 3 && !is_blank(line.data[at + 3])))
		return false;
	ret->status = 0;
	for (size_t i = at; i < at + 3; i++) {
		if (!is_digit(line.data[i]))
			return false;
		ret->status = ret->status * 10 + (uint32_t)(line.data[i] - '0');
	}
	for (size_t i = at + 3; i < line.len; i++)
		if (!is_text(line.data[i]))
			return false;
	ret->reason = field_trim(part(line, at + 3, line.len));
	return true;
}

bool http1_start_line(struct http1_start_line *ret, enum proto_side from, struct slice line)
{
	return from == PROTO_CLIENT ? request_line(ret, line) : status_line(ret, line);
}

bool http1_start_line_may_be(enum proto_side from, struct slice begun, size_t seen)
{
	size_t fixed = MIN(begun.len, (size_t)7), method;
	if (from == PROTO_SERVER && memcmp(begun.data, "HTTP/1.", fixed) != 0)
		return false;
	if (from == PROTO_CLIENT && seen <= HTTP1_METHOD_BYTES) {
		method = field_token(part(begun, 0, MIN(begun.len, (size_t)HTTP1_METHOD_BYTES + 1)), 0);
		if (method > HTTP1_METHOD_BYTES || (begun.len > 0 && method == 0) || (method < begun.len && !is_blank(begun.data[method])))
			return false;
	}
	for (size_t i = seen; i < begun.len; i++)
		if (!is_text(begun.data[i]) && begun.data[i] != '\r')
			return false;
	return true;
}

/* field-name ":" OWS field-value OWS, RFC 9112 section 5. In responses blanks before the colon are taken off, section 5.1. */
static bool field_line(struct proto_field *f, enum proto_side from, struct slice line)
{
	size_t name = field_token(line, 0), colon = from == PROTO_SERVER ? name + blanks(line, name) : name;
	if (name == 0 || colon >= line.len || line.data[colon] != ':')
		return false;
	f->name = part(line, 0, name);
	f->value = field_trim(part(line, colon + 1, line.len));
	return true;
}

static void note_framing(struct http1_head *head, const struct proto_field *f)
{
	if (f->name.len == 14 && field_name_is(f->name, "content-length")) {
		head->bad_length |= !field_length(f->value, head->has_length, &head->length);
		head->has_length = true;
	} else if (f->name.len == 17 && field_name_is(f->name, "transfer-encoding")) {
		head->has_coding = true;
		head->chunked = field_name_is(field_last(f->value), "chunked");
	} else if (f->name.len == 7 && field_name_is(f->name, "upgrade")) {
		head->upgrade = head->upgrade.len ? head->upgrade : field_first(f->value);
	} else if (f->name.len == 4 && field_name_is(f->name, "host")) {
		head->has_host = true;
	}
}

void http1_fields_parse(struct http1_head *head, enum proto_side from, struct slice bytes)
{
	for (size_t at = 0, next; at < bytes.len; at += next) {
		struct slice line = http1_line(part(bytes, at, bytes.len), &next);
		struct proto_field f;
		if (line.len == 0)
			continue;
		if (!field_line(&f, from, line)) {
			head->bad_fields++;
			continue;
		}
		note_framing(head, &f);
		if (head->n_fields < HTTP1_FIELDS)
			head->fields[head->n_fields++] = f;
		else
			head->left_out++;
	}
}

bool http1_head_parse(struct http1_head *head, enum proto_side from, struct slice bytes)
{
	size_t next;
	memset(head, 0, offsetof(struct http1_head, fields));
	if (!http1_start_line(&head->start, from, http1_line(bytes, &next)))
		return false;
	http1_fields_parse(head, from, part(bytes, next, bytes.len));
	return true;
}

/* All registered ones are upper case. */
bool http1_method_convinces(struct slice method)
{
	for (size_t i = 0; i < method.len; i++)
		if (!(method.data[i] >= 'A' && method.data[i] <= 'Z') && method.data[i] != '-')
			return false;
	return true;
}

/* A request of HTTP/1.1 without Host is answered with 400, RFC 9112 section 3.2. */
bool http1_head_convinces(const struct http1_head *head, enum proto_side from)
{
	return http1_method_convinces(head->start.method) && head->bad_fields == 0 &&
	       (from == PROTO_SERVER || head->start.minor_0 || head->has_host);
}

void http1_unfold(char *bytes, size_t len)
{
	char *nl = memchr(bytes, '\n', len);
	while (nl && (nl = memchr(nl + 1, '\n', len - (size_t)(nl + 1 - bytes)))) {
		if (nl + 1 == bytes + len || !is_blank(nl[1]))
			continue;
		if (nl[-1] == '\r')
			nl[-1] = ' ';
		*nl = ' ';
	}
}
