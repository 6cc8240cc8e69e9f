#include <bpf/libbpf.h>
#include <jansson.h>
#include <sys/utsname.h>

#include "cmd/cmd.h"
#include "sink/sink.h"

/* The libraries and the kernel are what a bug report needs and its author does not know. */
void version_text(struct strbuf *out)
{
	struct utsname host;
	strbuf_adds(out, "utrace " UTRACE_VERSION "\n");
	strbuf_addf(out, "libbpf %s, jansson %s", libbpf_version_string(), jansson_version_str());
	if (uname(&host) == 0)
		strbuf_addf(out, ", %s %s %s", host.sysname, host.release, host.machine);
	strbuf_adds(out, "\nformats: ");
	sink_names(out, ~0u);
	strbuf_addc(out, '\n');
}

static int run(const struct cmd *self, struct options *o)
{
	int r = cmd_check_words(self, o, 0, 0);
	if (r)
		return r;
	_cleanup_(strbuf_done) struct strbuf out = {};
	version_text(&out);
	return cmd_print(&out);
}

const struct cmd version_cmd = {
	.name = "version",
	.usage = "",
	.summary = "the version of utrace, of its libraries and of the kernel",
	.run = run,
};
