#include "span/target.h"

#define AUTHORITY_BYTES (255 + sizeof(":65535") - 1) /* RFC 1035, 2.3.4; what is longer may be a name of a user whose '@' was cut off */

/* What stands behind the last '@': RFC 3986, 3.2. */
static struct slice without_user(struct slice authority)
{
	const char *at = memrchr(authority.data, '@', authority.len);
	if (!at && authority.len > AUTHORITY_BYTES)
		return (struct slice){};
	return at ? (struct slice){ at + 1, (size_t)(authority.data + authority.len - at - 1) } : authority;
}

struct slice target_host(struct slice host)
{
	return host.len ? without_user(host) : host;
}

static struct slice up_to(struct slice s, const char *any_of)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr(any_of, s.data[i]) && s.data[i])
			return (struct slice){ s.data, i };
	return s;
}

static struct slice with_parameters(struct slice target)
{
	static const char scheme[] = "://";
	if (target.len == 0 || target.data[0] == '/')
		return up_to(target, "?#");
	const char *authority = memmem(target.data, target.len, scheme, sizeof(scheme) - 1);
	if (!authority)
		return without_user(up_to(target, "?#"));
	authority += sizeof(scheme) - 1;
	struct slice rest = { authority, (size_t)(target.data + target.len - authority) };
	struct slice name = up_to(rest, "/?#");
	struct slice path = up_to((struct slice){ name.data + name.len, rest.len - name.len }, "?#");
	return path.len ? path : SLICE("/");
}

/* Of each segment of a path what stands before ';'. */
void target_path(struct slice target, struct strbuf *out)
{
	struct slice rest = with_parameters(target);
	while (rest.len) {
		const char *next = memchr(rest.data + 1, '/', rest.len - 1);
		size_t len = next ? (size_t)(next - rest.data) : rest.len;
		strbuf_add_slice(out, up_to((struct slice){ rest.data, len }, ";"));
		rest = (struct slice){ rest.data + len, rest.len - len };
	}
}
