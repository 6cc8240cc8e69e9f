#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "priv/ability.h"
#include "priv/mechanism.h"
#include "priv/privilege.h"

/* Abilities are found out once a process, so each claim has its own. Returns what @claim returned: 0 is well. */
static int in_child(int (*claim)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(claim());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void rows_are_complete_and_names_unique(void **state)
{
	for (enum ability_id a = 0; a < ABILITIES; a++) {
		const struct ability *row = &abilities[a];
		assert_non_null(row->name);
		assert_non_null(row->what);
		assert_non_null(row->since);
		assert_non_null(row->how);
		assert_non_null(row->probe);
		assert_null(strpbrk(row->name, ", "));
		for (enum ability_id b = 0; b < a; b++)
			assert_string_not_equal(abilities[b].name, row->name);
	}
}

/* So that finding one out never waits for itself. */
static void needs_never_go_round(void **state)
{
	uint32_t settled = 0;
	for (int round = 0; round < ABILITIES; round++)
		for (enum ability_id id = 0; id < ABILITIES; id++)
			if ((abilities[id].needs & ~settled) == 0)
				settled |= ABILITY_BIT(id);
	assert_int_equal(settled, ABILITY_BIT(ABILITIES) - 1);
}

static const struct without_case {
	const char *list;
	int want;
} without_cases[] = {
	{ "", 0 },
	{ "multi", 0 },
	{ "ringbuf,multi,session,bpf_loop,btf", 0 },
	{ ", multi ,, session,", 0 },
	{ "Multi", -EINVAL },
	{ "mult", -EINVAL },
	{ "multi,uprobe_multi", -EINVAL },
};

static void an_unknown_name_in_utrace_without_is_told(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(without_cases); i++) {
		struct reason why = {};
		setenv("UTRACE_WITHOUT", without_cases[i].list, 1);
		assert_int_equal(ability_check_without(&why), without_cases[i].want);
	}
	struct reason why = {};
	setenv("UTRACE_WITHOUT", "btf,nosuch,multi", 1);
	assert_int_equal(ability_check_without(&why), -EINVAL);
	assert_non_null(strstr(why.text, "'nosuch'"));
	assert_non_null(strstr(why.text, "ringbuf"));
	unsetenv("UTRACE_WITHOUT");
	assert_int_equal(ability_check_without(NULL), 0);
}

static int multi_is_off(void)
{
	setenv("UTRACE_WITHOUT", "ringbuf, multi", 1);
	bool as_told = streq(ability_why_not(ABILITY_UPROBE_MULTI), "switched off by UTRACE_WITHOUT");
	bool with_it = !ability_has(ABILITY_UPROBE_SESSION);
	bool fallback = ability_has(ABILITY_UPROBE) == (mechanism_for_uprobes() == UPROBES_PERF_EVENT);
	bool buffer = ability_has(ABILITY_BPF) == (mechanism_for_events() == EVENTS_PERF_BUFFER);
	return as_told && with_it && fallback && buffer ? 0 : 1;
}

static int bpf_is_off(void)
{
	setenv("UTRACE_WITHOUT", "bpf", 1);
	for (enum ability_id id = 0; id < ABILITIES; id++)
		if (ability_has(id) && abilities[id].needs)
			return 1;
	return mechanism_for_uprobes() || mechanism_for_kernel_functions() || mechanism_for_events() ||
	       mechanism_for_tracepoints() || mechanism_for_syscalls();
}

static void what_is_switched_off_takes_its_dependents_along(void **state)
{
	assert_int_equal(in_child(multi_is_off), 0);
	assert_int_equal(in_child(bpf_is_off), 0);
}

static int count_open_files(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int nothing_stays_open(void)
{
	int before = count_open_files();
	for (enum ability_id id = 0; id < ABILITIES; id++)
		ability_has(id);
	return count_open_files() != before;
}

static void trying_leaves_no_descriptor_and_so_no_probe(void **state)
{
	assert_int_equal(in_child(nothing_stays_open), 0);
}

/* As a user without any capability: each is refused, and "bpf" names what it lacks. */
static int refused_politely(void)
{
	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		return 2;
	struct privilege p;
	privilege_read(&p);
	if (p.caps || p.euid == 0)
		return 3;
	if (!strstr(ability_why_not(ABILITY_BPF), "CAP_BPF") && !strstr(ability_why_not(ABILITY_BPF), "CAP_SYS_ADMIN"))
		return 4;
	for (enum ability_id id = 0; id < ABILITIES; id++)
		if (id != ABILITY_BTF && ability_has(id))
			return 5;
	return 0;
}

static void without_privilege_each_says_what_is_missing(void **state)
{
	assert_int_equal(in_child(refused_politely), 0);
}

static void capabilities_have_the_names_of_the_kernel(void **state)
{
	assert_string_equal(capability_name(CAP_BPF), "CAP_BPF");
	assert_string_equal(capability_name(CAP_SYS_PTRACE), "CAP_SYS_PTRACE");
	assert_string_equal(capability_name(CAP_DAC_READ_SEARCH), "CAP_DAC_READ_SEARCH");
	assert_string_equal(capability_name(CAP_CHOWN), "CAP_CHOWN");
	assert_null(capability_name(CAP_LAST_CAP + 1));
	_cleanup_(strbuf_done) struct strbuf b = {};
	capability_names(CAP_BIT(CAP_BPF) | CAP_BIT(CAP_KILL), &b);
	assert_string_equal(strbuf_str(&b), "CAP_KILL, CAP_BPF");
}

static void sys_admin_stands_for_bpf_and_perfmon_only(void **state)
{
	struct privilege p = { .caps = CAP_BIT(CAP_SYS_ADMIN) };
	assert_true(privilege_has(&p, CAP_BPF));
	assert_true(privilege_has(&p, CAP_PERFMON));
	assert_false(privilege_has(&p, CAP_SYS_PTRACE));
}

static void an_lsm_is_found_by_its_whole_name(void **state)
{
	struct privilege p = { .lsms = "lockdown,capability,bpf" };
	assert_true(privilege_has_lsm(&p, "bpf"));
	assert_true(privilege_has_lsm(&p, "lockdown"));
	assert_false(privilege_has_lsm(&p, "lock"));
	assert_false(privilege_has_lsm(&p, "capability,bpf"));
	assert_false(privilege_has_lsm(&(struct privilege){}, "bpf"));
}

static int lsms_unprivileged(void)
{
	struct privilege root, nobody;
	privilege_read(&root);
	if (geteuid() != 0 || !root.lsms[0] || setgid(65534) < 0 || setuid(65534) < 0)
		return 0;
	privilege_read(&nobody);
	return nobody.lsms[0] && !streq(root.lsms, nobody.lsms); /* empty before Linux 6.8 */
}

/* The file of securityfs and lsm_list_modules(2) are two sources of the same. */
static void security_modules_are_the_same_for_all_users(void **state)
{
	assert_int_equal(in_child(lsms_unprivileged), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_complete_and_names_unique),
		cmocka_unit_test(needs_never_go_round),
		cmocka_unit_test(an_unknown_name_in_utrace_without_is_told),
		cmocka_unit_test(what_is_switched_off_takes_its_dependents_along),
		cmocka_unit_test(trying_leaves_no_descriptor_and_so_no_probe),
		cmocka_unit_test(without_privilege_each_says_what_is_missing),
		cmocka_unit_test(capabilities_have_the_names_of_the_kernel),
		cmocka_unit_test(sys_admin_stands_for_bpf_and_perfmon_only),
		cmocka_unit_test(an_lsm_is_found_by_its_whole_name),
		cmocka_unit_test(security_modules_are_the_same_for_all_users),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
