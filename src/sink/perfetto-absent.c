/* perfetto, where protobuf-c was not there when utrace was built: known by its name, refused with the reason. */
#include "sink/sink.h"

const struct sink_ops perfetto_sink = {
	.name = "perfetto",
	.summary = "Perfetto's protobuf traces, for ui.perfetto.dev and SQL",
	.suffixes = (const char *const[]){ ".pftrace", ".perfetto-trace", ".perfetto", NULL },
	.needs = "protobuf-c",
};
