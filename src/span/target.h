/*
 * target: what of a request's target and Host may be kept: the path and the name. Queries, fragments, parameters of a path (RFC 3986, 3.3:
 * /a;jsessionid=b), names of users and passwords may not.
 */
#pragma once

#include "base/slice.h"
#include "base/strbuf.h"

/* Of each form of RFC 9112, 3.2, added to @out: /a;b/c?d and http://user:password@host/a/c are /a/c; without a path it is /; user:password@host:443 is host:443. */
void target_path(struct slice target, struct strbuf *out);
/* user:password@host:80 is host:80. Borrowed from @host. */
struct slice target_host(struct slice host);
