#include "cmd/doctor.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/macro.h"
#include "cmd/cmd.h"
#include "config/text.h"
#include "priv/ability.h"

/* To trace; to read the memory map and the executable of other users' processes. */
#define CAPS_WANTED (CAP_BIT(CAP_BPF) | CAP_BIT(CAP_PERFMON) | CAP_BIT(CAP_SYS_PTRACE) | CAP_BIT(CAP_DAC_READ_SEARCH))

static void choose(struct doctor *d)
{
	const struct doctor_use uses[DOCTOR_USES] = {
		{ "user_functions", "func PATTERN", &uprobe_mechanisms[mechanism_for_uprobes()] },
		{ "usdt", "func usdt:", &usdt_mechanisms[mechanism_for_uprobes()] },
		{ "kernel_functions", "func k:", &kernel_mechanisms[mechanism_for_kernel_functions()] },
		{ "tracepoints", "func t:", &tracepoint_mechanisms[mechanism_for_tracepoints()] },
		{ "system_calls", "sys", &syscall_mechanisms[mechanism_for_syscalls()] },
		{ "sockets", "req", &socket_mechanisms[mechanism_for_sockets()] },
		{ "tls", "req of TLS", &tls_mechanisms[mechanism_for_uprobes()] },
		{ "events", "all", &event_mechanisms[mechanism_for_events()] },
	};
	memcpy(d->uses, uses, sizeof(uses));
}

static void examine(struct doctor *d)
{
	*d = (struct doctor){};
	uname(&d->machine);
	privilege_read(&d->privilege);
	for (int cap = 0; cap < 64; cap++)
		if ((CAPS_WANTED & CAP_BIT(cap)) && (d->privilege.user_namespace || !privilege_has(&d->privilege, cap)))
			d->missing_caps |= CAP_BIT(cap);
	if (readlink("/proc/self/exe", d->exe, sizeof(d->exe) - 1) < 0)
		strcpy(d->exe, "$(which utrace)");
	d->is_static = getauxval(AT_BASE) == 0; /* nothing interprets us: getauxval(3) */
	choose(d);
}

/* As setcap(8) wants them: "cap_bpf,cap_perfmon". */
static void add_for_setcap(uint64_t caps, struct strbuf *out)
{
	_cleanup_(strbuf_done) struct strbuf names = {};
	capability_names(caps, &names);
	for (const char *at = strbuf_str(&names); *at; at++)
		if (*at != ' ')
			strbuf_addc(out, (char)tolower((unsigned char)*at));
}

void doctor_grant(const struct doctor *d, struct strbuf *out)
{
	if (!d->missing_caps)
		return;
	if (d->privilege.user_namespace) {
		strbuf_adds(out, "run it outside of this user namespace: capabilities given inside do not count for BPF");
	} else if (d->privilege.euid == 0) {
		strbuf_adds(out, "root lacks them here: a container needs --cap-add (or --privileged) for each");
	} else {
		strbuf_adds(out, "sudo utrace ..., or once for all users: sudo setcap ");
		add_for_setcap(d->missing_caps | (d->privilege.caps & CAPS_WANTED), out);
		strbuf_addf(out, "+ep %s", d->exe);
	}
}

/* Why no BPF program can be loaded, and what to do. */
static void add_obstacle(const struct doctor *d, struct strbuf *out)
{
	_cleanup_(strbuf_done) struct strbuf missing = {}, grant = {};
	capability_names(d->missing_caps, &missing);
	doctor_grant(d, &grant);
	if (!missing.len)
		strbuf_addf(out, "nothing can be traced: %s; see: utrace doctor", ability_why_not(ABILITY_BPF));
	else
		strbuf_addf(out, "tracing needs %s: %s", strbuf_str(&missing), strbuf_str(&grant));
}

int doctor_check(int status)
{
	if (ability_has(ABILITY_BPF))
		return EXIT_DONE;
	struct doctor d;
	_cleanup_(strbuf_done) struct strbuf text = {};
	examine(&d);
	add_obstacle(&d, &text);
	return cmd_fail(status, "%s", strbuf_str(&text));
}

void doctor_here(struct strbuf *out)
{
	struct doctor d;
	_cleanup_(strbuf_done) struct strbuf text = {};
	examine(&d);
	bool can = ability_has(ABILITY_BPF);
	for (size_t i = 0; can && i < DOCTOR_USES; i++)
		if (streq(d.uses[i].mechanism->name, "none"))
			strbuf_addf(&text, "%s%s (%s)", text.len ? ", " : "all works but ", d.uses[i].command, d.uses[i].mechanism->what);
	if (!can)
		add_obstacle(&d, &text);
	else if (!text.len)
		strbuf_adds(&text, "all of it works");
	static const char here[] = "Here ";
	strbuf_adds(out, here);
	text_wrap(out, strbuf_str(&text), sizeof(here) - 1, 0);
}

static int write_to(const char *path, const struct strbuf *text)
{
	_cleanup_(fclose) FILE *file = path && !streq(path, "-") ? fopen(path, "we") : NULL;
	FILE *out = path && !streq(path, "-") ? file : stdout;
	if (!out || fwrite(text->data, 1, text->len, out) != text->len || fflush(out) != 0)
		return cmd_fail(EXIT_FAILED, "cannot write to %s: %s", path ? path : "stdout", strerror(errno));
	return EXIT_DONE;
}

static int doctor_run(const struct cmd *cmd, struct options *o)
{
	struct reason why = {};
	struct doctor d;
	_cleanup_(strbuf_done) struct strbuf text = {};
	if (o->patterns.n)
		return cmd_fail(EXIT_USAGE, "doctor takes no '%s'; see: utrace doctor --help", o->patterns.items[0]);
	if (ability_check_without(&why) < 0)
		return cmd_fail(EXIT_USAGE, "%s", why.text);
	examine(&d);
	(o->json ? doctor_json : doctor_text)(&d, &text);
	return write_to(o->output, &text);
}

const struct cmd doctor_cmd = {
	.name = "doctor",
	.usage = "[--json] [-o FILE]",
	.summary = "what works here and why not",
	.details = "Tries what this kernel lets this user do, and tells which mechanism each command will use, what is missing, "
		   "why, and how to get it. Nothing is traced and nothing is changed. UTRACE_WITHOUT=NAME,... switches abilities "
		   "off, for this command and all others.",
	.groups = OPTIONS_GENERAL | OPTIONS_OUTPUT,
	.examples = (const char *const[]){ "utrace doctor", "what works here", "UTRACE_WITHOUT=multi utrace doctor --json",
					   "what an older kernel would use", NULL },
	.run = doctor_run,
};
