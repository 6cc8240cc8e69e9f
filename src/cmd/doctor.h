/* doctor: what the command found, and the two ways to tell it; what other commands ask before they trace. */
#pragma once

#include <stdbool.h>
#include <sys/utsname.h>

#include "base/strbuf.h"
#include "priv/mechanism.h"
#include "priv/privilege.h"

struct doctor_use {
	const char *key;     /* in JSON: "user_functions" */
	const char *command; /* for people: "func PATTERN" */
	const struct mechanism *mechanism;
};

enum { DOCTOR_USES = 8 };

struct doctor {
	struct utsname machine;
	struct privilege privilege;
	uint64_t missing_caps;  /* of those that utrace has a use for */
	char exe[4096];         /* our own binary, for setcap */
	bool is_static;
	struct doctor_use uses[DOCTOR_USES];
};

/* What to type so that nothing of missing_caps is missing; "" when nothing is. */
void doctor_grant(const struct doctor *d, struct strbuf *out);

/* EXIT_DONE when BPF programs may be loaded; else @status, after one line that says what is missing and how to grant it. */
int doctor_check(int status);

/* A line or few: what of all this works here. */
void doctor_here(struct strbuf *out);

void doctor_text(const struct doctor *d, struct strbuf *out); /* at most 100 columns */
void doctor_json(const struct doctor *d, struct strbuf *out); /* one object on one line */
