#include "cmd/doctor.h"

#include <jansson.h>

#include "base/alloc.h"
#include "priv/ability.h"

DEFINE_CLEANUP(json_t *, json_decref)

static json_t *text_or_null(const char *s)
{
	return s[0] ? json_string(s) : json_null();
}

static json_t *number_or_null(int n)
{
	return n == PRIVILEGE_UNKNOWN ? json_null() : json_integer(n);
}

static json_t *capability_array(uint64_t caps)
{
	json_t *array = json_array();
	for (int cap = 0; cap < 64; cap++)
		if ((caps & CAP_BIT(cap)) && capability_name(cap))
			json_array_append_new(array, json_string(capability_name(cap)));
	return array;
}

static json_t *lsm_array(const char *lsms)
{
	if (!lsms[0])
		return json_null();
	json_t *array = json_array();
	while (*lsms) {
		size_t len = strcspn(lsms, ",");
		json_array_append_new(array, json_stringn(lsms, len));
		lsms += len + (lsms[len] == ',');
	}
	return array;
}

static json_t *kernel_object(const struct doctor *d)
{
	const struct privilege *p = &d->privilege;
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "release", d->machine.release, "machine", d->machine.machine,
			 "btf", ability_has(ABILITY_BTF), "lockdown", text_or_null(p->lockdown), "security_modules",
			 lsm_array(p->lsms), "unprivileged_bpf_disabled", number_or_null(p->unprivileged_bpf_disabled),
			 "perf_event_paranoid", number_or_null(p->perf_event_paranoid), "kptr_restrict",
			 number_or_null(p->kptr_restrict));
}

static json_t *user_object(const struct doctor *d)
{
	const struct privilege *p = &d->privilege;
	_cleanup_(strbuf_done) struct strbuf grant = {};
	doctor_grant(d, &grant);
	return json_pack("{s:I, s:I, s:b, s:i, s:o, s:o, s:o}", "uid", (json_int_t)p->uid, "effective_uid", (json_int_t)p->euid,
			 "user_namespace", p->user_namespace, "seccomp", p->seccomp, "capabilities",
			 capability_array(p->caps & p->caps_known), "missing_capabilities", capability_array(d->missing_caps), "grant", text_or_null(strbuf_str(&grant)));
}

static json_t *ability_array(void)
{
	json_t *array = json_array();
	for (enum ability_id id = 0; id < ABILITIES; id++) {
		const struct ability *a = &abilities[id];
		json_array_append_new(array, json_pack("{s:s, s:b, s:s, s:s, s:o, s:s}", "name", a->name, "here", ability_has(id),
						       "for", a->what, "since", a->since, "why_not",
						       text_or_null(ability_why_not(id)), "how", a->how));
	}
	return array;
}

static json_t *use_object(const struct doctor *d)
{
	json_t *object = json_object();
	for (size_t i = 0; i < DOCTOR_USES; i++)
		json_object_set_new(object, d->uses[i].key, json_string(d->uses[i].mechanism->name));
	return object;
}

void doctor_json(const struct doctor *d, struct strbuf *out)
{
	_cleanup_(json_decref) json_t *all =
		json_pack("{s:s, s:o, s:o, s:{s:b, s:b}, s:[s, s], s:o, s:o}", "version", UTRACE_VERSION, "kernel", kernel_object(d),
			  "user", user_object(d), "build", "static", d->is_static, "debuginfod", 0, "untested", "arm64", "Linux before 5.10", "abilities",
			  ability_array(), "mechanisms", use_object(d));
	_cleanup_(free) char *text = json_dumps(all, JSON_COMPACT);
	strbuf_adds(out, text);
	strbuf_addc(out, '\n');
}
