/* service: how people would call the service that a process is part of: service.name of OpenTelemetry, with no setting of ours. */
#pragma once

#include <sys/types.h>

#include "base/slice.h"
#include "base/strbuf.h"

struct service_facts {
	struct slice declared; /* OTEL_SERVICE_NAME of its own environment; empty: none */
	struct slice cgroup;   /* empty: not known, or the one that utrace itself is in */
	struct slice exe;      /* path; empty: not known */
	struct slice words;    /* command line, each word ended by NUL */
	struct slice comm;
};

/*
 * What the process says of itself, else its systemd unit, else of an interpreter the script, module, class or jar that it runs, else the
 * executable, else comm.
 */
void service_choose(struct strbuf *out, const struct service_facts *f);

/* The same of a living process; @exe and @comm as they are known. Of one that has ended it is made of these alone. */
void service_name(struct strbuf *out, pid_t pid, const char *exe, const char *comm);
