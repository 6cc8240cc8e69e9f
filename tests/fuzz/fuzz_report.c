/*
 * Records of any bytes, shown as `utrace report` shows them: through the pipeline, the decoders and the sinks. The first byte
 * is of bits: 1: system calls and sockets, not functions   2: as JSON   4: a table   8: with histograms   16: filtered   32: as one of the
 * formats of timelines, stacks and rows, which the bits 64 and 128 choose
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "base/macro.h"
#include "engine/engine.h"
#include "probe/probe.h"
#include "record/reader.h"
#include "record_file.h"
#include "sink/sink.h"

enum { OF_SYSCALLS = 1, AS_JSON = 2, AS_TABLE = 4, WITH_HISTOGRAMS = 8, FILTERED = 16, AS_OTHER = 32, WHICH_OTHER = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A length that leads outside would hide all that follows. */
static void mend_lengths(char *at, size_t left)
{
	while (left >= sizeof(struct rec_head)) {
		struct rec_head head;
		memcpy(&head, at, sizeof(head));
		size_t length = MAX((size_t)head.length, sizeof(head));
		head.length = (uint16_t)(MIN(length, left) & ~7u);
		memcpy(at, &head, sizeof(head));
		at += head.length;
		left -= head.length;
	}
}

static int make_file(const uint8_t *bytes, size_t size)
{
	_cleanup_(strbuf_done) struct strbuf records = {};
	struct record_file f = {};
	strbuf_add(&records, bytes, size);
	mend_lengths(records.data, records.len);
	record_file_begin(&f);
	record_file_add_beginning(&f);
	record_file_add(&f, &(struct record_chunk_header){ .kind = RECORD_STATE }, (struct slice){});
	record_file_add(&f, &(struct record_chunk_header){ .kind = RECORD_RECORDS, .flags = RECORD_HAS_FACTS, .last_ns = UINT64_MAX },
			strbuf_slice(&records));
	return record_file_open(&f);
}

static const struct sink_ops *format_of(uint8_t how)
{
	static const char *const others[] = { "csv", "chrome", "perfetto", "folded" };
	const struct sink_ops *ops = sink_find(how & AS_OTHER ? others[how >> WHICH_OTHER] : how & AS_JSON ? "json" : "text");
	return ops->needs ? sink_find("csv") : ops;
}

/* A terminal shows the text: nothing in it may be a command to the terminal. JSON is read line by line, chrome's as a whole. */
static void check_output(char *text, size_t len, const struct sink_ops *format)
{
	for (size_t i = 0; i < len && format->for_people; i++)
		if ((unsigned char)text[i] < ' ' && text[i] != '\n')
			abort();
	if (streq(format->name, "chrome")) {
		json_t *trace = json_loadb(text, len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL); /* jansson has no unsigned integers */
		if (!json_is_array(json_object_get(trace, "traceEvents")))
			abort();
		json_decref(trace);
	}
	char *rest = text, *line;
	while (streq(format->name, "json") && (line = strsep(&rest, "\n")) && rest) {
		json_error_t error = {};
		json_t *event = json_loads(line, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error);
		if (!json_is_object(event)) {
			fprintf(stderr, "%s: %s\n", error.text, line);
			abort();
		}
		json_decref(event);
	}
}

static void show(struct record_reader *from, const struct options *o, uint8_t how)
{
	static const char *const functions[] = { "func", NULL }, *const calls[] = { "syscall", "sock", "tls", NULL };
	_cleanup_(free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	_cleanup_(strbuf_done) struct strbuf summary = {};
	struct sink_settings settings = { .out = out, .histograms = o->hist, .flat = o->where };
	const struct sink_ops *format = format_of(how);
	settings.events = probe_events(how & OF_SYSCALLS ? calls : functions, o->stat || o->hist) |
			  probe_events(how & OF_SYSCALLS ? calls : functions, true);
	struct reason why = {};
	struct sink *sink;
	if (!out || sink_open(&sink, format, &settings, &why) < 0)
		abort();
	struct engine_job job = {
		.command = how & OF_SYSCALLS ? "sys" : "func", .options = o, .families = how & OF_SYSCALLS ? calls : functions, .sink = sink,
		.from = from, .until_ns = UINT64_MAX, .summary = &summary,
	};
	engine_run(&job, &why);
	sink_close(sink);
	fclose(out);
	check_output(text, len, format);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[64];
	if (size < 1)
		return 0;
	_cleanup_(fd_close) int fd = make_file(bytes + 1, size - 1);
	_cleanup_(record_reader_free) struct record_reader *from = NULL;
	_cleanup_(options_done) struct options o;
	struct reason why = {};
	log_max_level = LOG_ERROR;
	record_file_path(fd, path);
	if (record_reader_open(&from, path, &why) < 0)
		abort();
	options_init(&o);
	o.raw = true;
	o.stat = bytes[0] & AS_TABLE;
	o.hist = bytes[0] & WITH_HISTOGRAMS;
	if (bytes[0] & FILTERED) {
		o.where = strdup("duration > 1us && comm ~ \"*n*\" || arg1 == 4096");
		o.min_ns = 1;
	}
	show(from, &o, bytes[0]);
	return 0;
}
