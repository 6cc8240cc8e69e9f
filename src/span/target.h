/* target: what of a request's target and Host may be kept: the path and the name. Queries, fragments, names of users and passwords may not. */
#pragma once

#include "base/slice.h"

/* Of each form of RFC 9112, 3.2: /a?b and http://user:password@host/a?b are /a; without a path it is /; user:password@host:443 is host:443. */
struct slice target_path(struct slice target);
/* user:password@host:80 is host:80. */
struct slice target_host(struct slice host);
