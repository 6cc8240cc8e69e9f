/* What a process is called by those who run it: command lines as /proc/PID/cmdline has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "sys/service.h"

static const struct {
	const char *want, *exe;
	struct slice words; /* SLICE() leaves out the last NUL, and so does a line that was cut */
	const char *cgroup, *declared, *comm;
} cases[] = {
	{ "nginx", "/usr/sbin/nginx", SLICE("nginx: worker process") },
	{ "shop", "/usr/bin/python3.11", SLICE("python3\0/srv/shop.py\0--port\0" "80") },
	{ "shop", "/usr/bin/python3.11", SLICE("python3\0-u\0-W\0error\0-X\0dev\0shop.py") },
	{ "gunicorn", "/usr/bin/python3.11", SLICE("/usr/bin/python3\0/usr/bin/gunicorn\0shop:app") },
	{ "gunicorn", "/usr/bin/python3.11", SLICE("gunicorn: worker [shop:app]\0\0\0") },
	{ "uvicorn", "/usr/bin/python3.11", SLICE("python\0-m\0uvicorn.main\0shop:app") },
	{ "python3.11", "/usr/bin/python3.11", SLICE("python3\0-c\0import shop") },
	{ "python3.11", "/usr/bin/python3.11", SLICE("python3") },
	{ "python3.11", "/usr/bin/python3.11", SLICE("") },
	{ "shop", "/usr/bin/node", SLICE("node\0--require\0./trace.js\0/srv/shop/index.js") },
	{ "server", "/usr/bin/node", SLICE("node\0server.mjs") },
	{ "index", "/usr/bin/node", SLICE("node\0index.js") },
	{ "node", "/usr/bin/node", SLICE("node\0-e\0shop()") },
	{ "puma", "/usr/bin/ruby3.1", SLICE("ruby\0-I\0lib\0/usr/bin/puma") },
	{ "worker", "/usr/bin/php8.2", SLICE("php\0-d\0x=1\0-f\0/srv/worker.php") },
	{ "shop-1.2", "/usr/lib/jvm/17/bin/java", SLICE("java\0-Xmx1g\0-jar\0/srv/shop-1.2.jar\0--x") },
	{ "Shop", "/usr/lib/jvm/17/bin/java", SLICE("java\0-cp\0a.jar:b.jar\0@args\0org.example.Shop") },
	{ "Shop", "/usr/lib/jvm/17/bin/java", SLICE("java\0-p\0m\0-m\0shop/org.example.Shop") },
	{ "backup", "/usr/bin/bash", SLICE("bash\0-x\0/opt/backup.sh") },
	{ "bash", "/usr/bin/bash", SLICE("bash\0-c\0sleep 1") },
	{ "pythonista", "/opt/pythonista", SLICE("pythonista\0shop.py") }, /* no interpreter */
	{ "shop", "/usr/bin/python3.11", SLICE("python3\0main.py"), .cgroup = "/system.slice/shop.service" },
	{ "shop", "/usr/bin/python3.11", SLICE("python3\0main.py"), .cgroup = "/system.slice/system-shop.slice/shop@2.service" },
	{ "main", "/usr/bin/python3.11", SLICE("python3\0main.py"), .cgroup = "/user.slice/user-1000.slice/user@1000.service/app.slice/term.service" },
	{ "main", "/usr/bin/python3.11", SLICE("python3\0main.py"), .cgroup = "/system.slice/docker-0123.scope" },
	{ "main", "/usr/bin/python3.11", SLICE("python3\0main.py"), .cgroup = "/system.slice/cron.service" },
	{ "main", "/usr/bin/python3.11", SLICE("python3\0main.py"), .cgroup = "/system.slice/systemd-udevd.service" },
	{ "checkout", "/usr/sbin/nginx", SLICE("nginx"), .cgroup = "/system.slice/nginx.service", .declared = "checkout" },
	{ "kworker/0:1", "", SLICE(""), .comm = "kworker/0:1" },
};

static void a_service_has_the_name_that_people_would_give_it(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(strbuf_done) struct strbuf name = {};
		struct service_facts f = {
			.declared = slice_of(cases[i].declared), .cgroup = slice_of(cases[i].cgroup), .exe = slice_of(cases[i].exe),
			.words = cases[i].words, .comm = slice_of(cases[i].comm ? cases[i].comm : "comm"),
		};
		service_choose(&name, &f);
		if (!streq(strbuf_str(&name), cases[i].want))
			fail_msg("row %zu: '%s', not '%s'", i, strbuf_str(&name), cases[i].want);
	}
}

static void a_living_process_is_asked_itself(void **state)
{
	_cleanup_(strbuf_done) struct strbuf name = {}, gone = {};
	service_name(&name, getpid(), "/x/prog", "comm");
	assert_string_equal(strbuf_str(&name), "prog");
	service_name(&gone, 4194304 + 1, "/x/gone", "comm");
	assert_string_equal(strbuf_str(&gone), "gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_has_the_name_that_people_would_give_it),
		cmocka_unit_test(a_living_process_is_asked_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
