/* Any word is a pattern or is refused with a reason; what it matches does not depend on how often it is asked. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "probe/func/pattern.h"

DEFINE_CLEANUP_IN_PLACE(struct patterns, patterns_done)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void match(const struct patterns *p, const char *name)
{
	static const char *const paths[] = { NULL, "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/libc-2.31.so", "/usr/sbin/nginx" };
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		for (enum pattern_space space = SPACE_USER; space <= SPACE_USDT; space++) {
			const struct pattern *found = patterns_match(p, space, paths[i], i == 3, name, name);
			if (found && (found->negated || found->space != space || !patterns_have(p, space)))
				abort();
			if (found && paths[i] && !patterns_want_file(p, space, paths[i], i == 3))
				abort();
		}
}

/* Lines: patterns, and behind an empty one the name that they are asked about. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	_cleanup_(free) char *text = strndup((const char *)bytes, len);
	char *items[8], *rest = text, *line;
	struct text_list list = { .items = items };
	while ((line = strsep(&rest, "\n")) && *line && list.n < 8)
		items[list.n++] = line;
	_cleanup_(patterns_done) struct patterns p = {};
	struct reason why = {};
	if (list.n == 0)
		return 0;
	int r = patterns_parse(&p, &list, &why);
	if ((r < 0) != (why.text[0] != '\0'))
		abort();
	for (size_t i = 0; r == 0 && i < p.n; i++)
		if (!p.items[i].glob[0] || (p.items[i].space == SPACE_USDT && !p.items[i].provider))
			abort();
	if (r == 0)
		match(&p, rest ? rest : "ngx_http_handler");
	return 0;
}
