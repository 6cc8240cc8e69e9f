#include "span/target.h"

/* What stands behind the last '@': RFC 3986, 3.2. */
static struct slice without_user(struct slice authority)
{
	const char *at = memrchr(authority.data, '@', authority.len);
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

struct slice target_path(struct slice target)
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
