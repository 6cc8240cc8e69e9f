#include "cmd/doctor.h"

#include "base/macro.h"
#include "priv/ability.h"
#include "sink/sink.h"

enum {
	SCREEN_COLUMNS = 100,
	LABEL_COLUMNS = 16, /* names of things, at the left */
	HERE_COLUMNS = 6,
	WHAT_COLUMNS = 52,
	USES_COLUMNS = 16,
};

/* Adds @text in words; lines that would be longer than the screen go on below, @indent columns in. @column: where we are. */
static void add_wrapped(struct strbuf *out, size_t column, size_t indent, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, " ");
		if (column > indent && column + 1 + len > SCREEN_COLUMNS) {
			strbuf_addc(out, '\n');
			strbuf_pad(out, ' ', indent);
			column = indent;
		} else if (column > indent) {
			strbuf_addc(out, ' ');
			column++;
		}
		strbuf_add(out, text, len);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	strbuf_addc(out, '\n');
}

static void add_line(struct strbuf *out, const char *label, const struct strbuf *text)
{
	strbuf_addf(out, "%-*s", LABEL_COLUMNS, label);
	add_wrapped(out, LABEL_COLUMNS, LABEL_COLUMNS, strbuf_str(text));
}

static void add_user(struct strbuf *out, const struct privilege *p)
{
	_cleanup_(strbuf_done) struct strbuf text = {};
	static const char *const seccomp[] = { "none", "strict", "filter" };
	uint64_t lacks = p->caps_known & ~p->caps;
	strbuf_addf(&text, p->euid == 0 ? "root" : "uid %u", p->euid);
	strbuf_adds(&text, p->user_namespace ? " in a user namespace" : "");
	strbuf_adds(&text, ", capabilities: ");
	if (!p->caps)
		strbuf_adds(&text, "none");
	else if (!lacks)
		strbuf_adds(&text, "all");
	else if (__builtin_popcountll(lacks) <= 8)
		strbuf_adds(&text, "all but "), capability_names(lacks, &text);
	else
		capability_names(p->caps, &text);
	strbuf_addf(&text, "; seccomp %s", seccomp[(unsigned)p->seccomp % ARRAY_SIZE(seccomp)]);
	add_line(out, "user", &text);
}

static void add_sysctl(struct strbuf *text, const char *name, int value)
{
	if (value == PRIVILEGE_UNKNOWN)
		strbuf_addf(text, ", %s unknown", name);
	else
		strbuf_addf(text, ", %s %d", name, value);
}

static void add_machine(struct strbuf *out, const struct doctor *d)
{
	const struct privilege *p = &d->privilege;
	_cleanup_(strbuf_done) struct strbuf kernel = {}, security = {}, build = {};
	strbuf_addf(out, "utrace %s on Linux %s %s\n", UTRACE_VERSION, d->machine.release, d->machine.machine);
	add_user(out, p);
	strbuf_addf(&kernel, "BTF %s", ability_has(ABILITY_BTF) ? "yes" : "no");
	add_sysctl(&kernel, "unprivileged_bpf_disabled", p->unprivileged_bpf_disabled);
	add_sysctl(&kernel, "perf_event_paranoid", p->perf_event_paranoid);
	add_sysctl(&kernel, "kptr_restrict", p->kptr_restrict);
	add_line(out, "kernel", &kernel);
	strbuf_addf(&security, "lockdown %s; modules %s", p->lockdown[0] ? p->lockdown : "unknown (no securityfs)",
		    p->lsms[0] ? p->lsms : "unknown (no securityfs)");
	add_line(out, "security", &security);
	strbuf_addf(&build, "%s; debuginfod: no; not tested: arm64, Linux before 5.10 (RHEL 8); formats: ", d->is_static ? "static" : "dynamic");
	sink_names(&build, ~0u);
	add_line(out, "build", &build);
}

static void add_missing(struct strbuf *out, const struct doctor *d)
{
	_cleanup_(strbuf_done) struct strbuf missing = {}, grant = {};
	if (!d->missing_caps)
		return;
	capability_names(d->missing_caps, &missing);
	add_line(out, "missing", &missing);
	doctor_grant(d, &grant);
	add_line(out, "grant", &grant);
}

static void add_ability(struct strbuf *out, enum ability_id id)
{
	const struct ability *a = &abilities[id];
	const char *why = ability_why_not(id);
	bool only_needs = strncmp(why, "needs ", 6) == 0;
	strbuf_addf(out, "%-*s%-*s%-*s%s\n", LABEL_COLUMNS, a->name, HERE_COLUMNS, *why ? "no" : "yes", WHAT_COLUMNS, a->what,
		    only_needs ? why : a->since);
	if (!*why || only_needs)
		return;
	_cleanup_(strbuf_done) struct strbuf text = {};
	strbuf_addf(&text, "%s; %s", why, a->how);
	strbuf_pad(out, ' ', LABEL_COLUMNS + HERE_COLUMNS);
	add_wrapped(out, LABEL_COLUMNS + HERE_COLUMNS, LABEL_COLUMNS + HERE_COLUMNS, strbuf_str(&text));
}

void doctor_text(const struct doctor *d, struct strbuf *out)
{
	add_machine(out, d);
	add_missing(out, d);
	strbuf_addf(out, "\n%-*s%-*s%-*s%s\n", LABEL_COLUMNS, "ability", HERE_COLUMNS, "here", WHAT_COLUMNS, "for", "since Linux");
	for (enum ability_id id = 0; id < ABILITIES; id++)
		add_ability(out, id);
	strbuf_addf(out, "\n%-*s%s\n", LABEL_COLUMNS, "command", "will use");
	for (size_t i = 0; i < DOCTOR_USES; i++)
		strbuf_addf(out, "%-*s%-*s%s\n", LABEL_COLUMNS, d->uses[i].command, USES_COLUMNS, d->uses[i].mechanism->name,
			    d->uses[i].mechanism->what);
}
