/* Instead of scrape.c where libmicrohttpd was not there when utrace was built. */
#include <errno.h>

#include "export/scrape.h"

int scrape_new(struct scrape **ret, const char *address, struct series_table *series, struct reason *why)
{
	return reason_set(why, -ENOTSUP, "this build of utrace serves nothing: it was made without libmicrohttpd");
}

void scrape_free(struct scrape *s)
{
}
