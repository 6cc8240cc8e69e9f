/* Text of any bytes in the place of /proc/PID/maps, stat, status and cgroup: the first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/proc_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void read_maps(struct slice text)
{
	_cleanup_(mappings_done) struct mappings m = {};
	size_t path_bytes = 0;
	mappings_parse(&m, text);
	for (size_t i = 0; i < m.n; i++) {
		path_bytes += strlen(m.items[i].path) + 1;
		if (m.items[i].path[0] != '/' || m.items[i].inode == 0)
			abort();
	}
	if (path_bytes > m.path_bytes || m.path_bytes > text.len + m.n || m.cut)
		abort();
}

static void read_cgroup(char *text, size_t len)
{
	const char *path = proc_cgroup_parse(text);
	if (path && (path < text || path > text + len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct proc_stat stat;
	uid_t uid;
	if (len == 0)
		return 0;
	_cleanup_(free) char *text = xmalloc(len);
	memcpy(text, bytes + 1, len - 1);
	text[len - 1] = '\0';
	switch (bytes[0]) {
	case 'm':
		read_maps((struct slice){ (const char *)bytes + 1, len - 1 });
		break;
	case 's':
		proc_stat_parse(text, &stat);
		break;
	case 'u':
		proc_uid_parse(text, &uid);
		break;
	default:
		read_cgroup(text, len);
	}
	return 0;
}
