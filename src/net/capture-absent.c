/* Instead of capture.c where there is no libpcap. */
#include "net/capture.h"

#include <errno.h>

int capture_open(struct capture **ret, const char *path, struct reason *why)
{
	return reason_set(why, -ENOTSUP, "%s is a capture of packets, and this build of utrace was made without libpcap, which reads them", path);
}

void capture_free(struct capture *c)
{
}

int capture_next(struct capture *c, struct capture_frame *ret)
{
	return 0;
}

bool capture_is_cut(const struct capture *c)
{
	return false;
}
