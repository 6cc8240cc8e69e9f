/* What is known of captures without reading their packets one by one for their content. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "net/capture.h"

/*
 * draft-ietf-opsawg-pcap: micro- and nanoseconds, in either byte order; draft-ietf-opsawg-pcapng: the Section Header Block, which reads the
 * same both ways.
 */
bool capture_is_one(const char *path)
{
	static const uint32_t magics[] = { 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a };
	struct stat st;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) /* what is read of a pipe is gone */
		return false;
	_cleanup_(fclose) FILE *f = fopen(path, "re");
	uint32_t first = 0;
	if (!f || fread(&first, sizeof(first), 1, f) != 1)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (first == magics[i])
			return true;
	return false;
}

int capture_span(const char *path, uint64_t *ret_first_ns, uint64_t *ret_last_ns, struct reason *why)
{
	_cleanup_(capture_free) struct capture *c = NULL;
	struct capture_frame frame;
	uint64_t first = UINT64_MAX, last = 0;
	int r = capture_open(&c, path, why);
	if (r < 0)
		return r;
	while (capture_next(c, &frame) > 0) {
		first = MIN(first, frame.time_ns);
		last = MAX(last, frame.time_ns);
	}
	if (first > last)
		return reason_set(why, -ENODATA, "%s holds no packets", path);
	*ret_first_ns = first;
	*ret_last_ns = last;
	return 0;
}
