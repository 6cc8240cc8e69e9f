/* Instead of post.c where libcurl or zlib was not there when utrace was built. */
#include <errno.h>

#include "export/post.h"

int post_new(struct post **ret, const struct destination *d, const atomic_bool *stop, struct reason *why)
{
	return reason_set(why, -ENOTSUP, "this build of utrace sends nothing: it was made without libcurl");
}

void post_free(struct post *p)
{
}

struct answer post_send(struct post *p, struct slice body)
{
	return (struct answer){ .failure = "no libcurl", .grpc_status = -1 };
}
