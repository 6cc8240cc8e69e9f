#include "priv/loader.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "bpf/record.abi.h"
#include "priv/ability.h"
#include "priv/object.h"

#define OBJECTS_MAX 96 /* trampolines take one each, and where there are no cookies kprobes and tracepoints too */
#define STATS_LEVEL 4           /* BPF_LOG_STATS, include/linux/bpf_verifier.h: a few lines, and what is wrong */
#define STATS_BYTES (16u << 10)

struct loader {
	struct loader_settings settings;
	struct bpf_object *objects[OBJECTS_MAX];
	size_t n;
	char **logs; /* of the verifier's statistics, one a program */
	size_t logs_n, logs_cap;
};

/* What libbpf and the verifier say goes to the debug log; the most telling line of it becomes the reason. */
static _Thread_local char said[256];

/* In the verifier's log, the line before its statistics names the fault. */
static void keep_verdict(const char *log)
{
	const char *end = strstr(log, "\nprocessed ");
	if (!end)
		return;
	const char *start = end;
	while (start > log && start[-1] != '\n')
		start--;
	snprintf(said, sizeof(said), "%.*s", (int)MIN(end - start, 250), start);
}

static int hear(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	_cleanup_(strbuf_done) struct strbuf text = {};
	strbuf_addv(&text, fmt, ap);
	if (level == LIBBPF_DEBUG || text.len == 0)
		return 0;
	char *line = text.data;
	if (strstr(line, "BEGIN PROG LOAD LOG"))
		keep_verdict(line);
	else if (level == LIBBPF_WARN && !said[0])
		snprintf(said, sizeof(said), "%.*s", (int)MIN(strcspn(line, "\n"), 250ul), line);
	for (char *save = NULL, *at = strtok_r(line, "\n", &save); at; at = strtok_r(NULL, "\n", &save))
		log_debug("%s", at);
	return 0;
}

int loader_new(struct loader **ret, const struct loader_settings *settings)
{
	struct loader *l = xcalloc(1, sizeof(*l));
	l->settings = *settings;
	libbpf_set_print(hear);
	*ret = l;
	return 0;
}

void loader_free(struct loader *l)
{
	if (!l)
		return;
	while (l->n)
		bpf_object__close(l->objects[--l->n]);
	while (l->logs_n)
		free(l->logs[--l->logs_n]);
	free(l->logs);
	free(l);
}

static int size_ring(struct loader *l, struct bpf_object *o, const char *name, uint32_t bytes)
{
	struct bpf_map *map = bpf_object__find_map_by_name(o, name);
	if (!map)
		return 0;
	if (!l->settings.by_perf)
		return bpf_map__set_max_entries(map, bytes);
	bpf_map__set_type(map, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	bpf_map__set_key_size(map, sizeof(int));
	bpf_map__set_value_size(map, sizeof(int));
	return bpf_map__set_max_entries(map, 0); /* libbpf: one for each possible CPU */
}

/* NAME-fallback, where there is one, for kernels without bpf_loop. */
static struct slice bytes_for_kernel(const char *name)
{
	_cleanup_(free) char *fallback = xasprintf("%s-fallback", name);
	struct slice bytes = ability_has(ABILITY_LOOP) ? (struct slice){} : object_bytes(fallback);
	return bytes.data ? bytes : object_bytes(name);
}

/* Looked at once: libbpf would tell what is wrong with the file by a number, and without one look in places of its own. */
static int check_types(const struct loader *l, struct reason *why)
{
	const char *path = l->settings.btf_path;
	if (!path && !ability_has(ABILITY_BTF))
		return reason_set(why, -ENOTSUP, "this kernel does not tell its types (%s): --btf FILE names a file of them; see: utrace doctor",
				  ability_why_not(ABILITY_BTF));
	struct btf *types = path && l->n == 0 ? btf__parse(path, NULL) : NULL;
	if (path && l->n == 0 && !types)
		return reason_set(why, -EINVAL, "the kernel's types cannot be read from %s: %s", path, access(path, R_OK) < 0 ? strerror(errno) : "it has no BTF");
	btf__free(types);
	return 0;
}

int loader_open(struct loader *l, const char *name, struct bpf_object **ret, struct reason *why)
{
	if (l->n == OBJECTS_MAX)
		return reason_set(why, -E2BIG, "too many programs: on this kernel each tracepoint and kernel function takes one, at most %d; narrow the pattern", OBJECTS_MAX);
	struct slice bytes = bytes_for_kernel(name);
	if (!bytes.data)
		return reason_set(why, -ENOENT, "this build has no kernel half '%s'", name);
	int r = check_types(l, why);
	if (r < 0)
		return r;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name, .btf_custom_path = l->settings.btf_path);
	said[0] = '\0';
	struct bpf_object *o = bpf_object__open_mem(bytes.data, bytes.len, &opts);
	if (!o)
		return reason_set(why, -errno, "the kernel half '%s' cannot be opened: %s", name, said);
	l->objects[l->n++] = o;
	r = size_ring(l, o, "events", l->settings.events_bytes);
	if (r == 0)
		r = size_ring(l, o, "facts", l->settings.facts_bytes);
	uint32_t wake_bytes = MIN(EVENTS_WAKE_BYTES, l->settings.events_bytes / 2);
	loader_set_value(o, "emit_by_perf", l->settings.by_perf);
	loader_set_value(o, "wake_bytes", wake_bytes);
	if (r < 0)
		return r;
	*ret = o;
	return 0;
}

static int find_in_rodata(struct bpf_object *o, const char *variable, size_t size)
{
	const struct btf *btf = bpf_object__btf(o);
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	if (id < 0)
		return -ENOENT;
	const struct btf_type *section = btf__type_by_id(btf, id);
	const struct btf_var_secinfo *item = btf_var_secinfos(section);
	for (int i = 0; i < btf_vlen(section); i++, item++) {
		const struct btf_type *var = btf__type_by_id(btf, item->type);
		if (streq(btf__name_by_offset(btf, var->name_off), variable))
			return item->size == size ? (int)item->offset : -EINVAL;
	}
	return -ENOENT;
}

static struct bpf_map *rodata_of(const struct bpf_object *o)
{
	struct bpf_map *map;
	bpf_object__for_each_map(map, o) {
		const char *name = bpf_map__name(map);
		size_t len = strlen(name);
		if (len >= 7 && streq(name + len - 7, ".rodata"))
			return map;
	}
	return NULL;
}

int loader_set(struct bpf_object *o, const char *variable, const void *value, size_t size)
{
	struct bpf_map *rodata = rodata_of(o);
	if (!rodata)
		return -ENOENT;
	int offset = find_in_rodata(o, variable, size);
	if (offset < 0)
		return offset;
	size_t all;
	char *bytes = (char *)bpf_map__initial_value(rodata, &all);
	if (!bytes || (size_t)offset + size > all)
		return -ENOENT;
	memcpy(bytes + offset, value, size);
	return 0;
}

void loader_copy_settings(struct bpf_object *to, const struct bpf_object *from)
{
	size_t n_to = 0, n_from = 0;
	struct bpf_map *map, *rodata = rodata_of(to), *source = rodata_of(from);
	void *bytes = rodata ? (void *)bpf_map__initial_value(rodata, &n_to) : NULL;
	const void *other = source ? bpf_map__initial_value(source, &n_from) : NULL;
	if (bytes && other && n_to == n_from)
		memcpy(bytes, other, n_to);
	bpf_object__for_each_map(map, to) {
		const struct bpf_map *same = bpf_object__find_map_by_name(from, bpf_map__name(map));
		if (same && !strchr(bpf_map__name(map), '.'))
			bpf_map__set_max_entries(map, bpf_map__max_entries(same));
	}
}

static int share_maps(struct loader *l, struct bpf_object *o)
{
	struct bpf_map *map;
	bpf_object__for_each_map(map, o) {
		const char *name = bpf_map__name(map);
		if (strchr(name, '.'))
			continue; /* .rodata and the like are the object's own */
		int fd = loader_map(l, name);
		if (fd >= 0 && bpf_map__reuse_fd(map, fd) < 0)
			return -EINVAL;
	}
	return 0;
}

static void ask_for_statistics(struct loader *l, struct bpf_object *o)
{
	struct bpf_program *p;
	bpf_object__for_each_program(p, o) {
		if (!bpf_program__autoload(p))
			continue;
		GROW(l->logs, l->logs_n, l->logs_cap);
		char *log = l->logs[l->logs_n++] = xcalloc(1, STATS_BYTES);
		bpf_program__set_log_buf(p, log, STATS_BYTES);
		bpf_program__set_log_level(p, STATS_LEVEL);
	}
}

int loader_verdicts(const struct loader *l, void (*see)(void *arg, const struct verdict *verdict), void *arg, struct reason *why)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < l->n; i++) {
		struct bpf_program *p;
		bpf_object__for_each_program(p, l->objects[i]) {
			size_t len;
			const char *log = bpf_program__log_buf(p, &len);
			struct verdict verdict = { .object = bpf_object__name(l->objects[i]) };
			if (!log || bpf_program__fd(p) < 0)
				continue;
			r = verdict_read(p, log, &verdict, why);
			if (r < 0)
				break;
			see(arg, &verdict);
		}
	}
	return r;
}

int loader_load(struct loader *l, struct bpf_object *o, struct reason *why)
{
	const char *name = bpf_object__name(o);
	if (share_maps(l, o) < 0)
		return reason_set(why, -EINVAL, "the maps of '%s' do not fit those already loaded: %s", name, said);
	if (l->settings.verdicts)
		ask_for_statistics(l, o);
	said[0] = '\0';
	int r = bpf_object__load(o);
	if (r < 0)
		return reason_set(why, r, "the kernel half '%s' was refused (%s): %s; see: utrace doctor", name, strerror(-r),
				  said[0] ? said : "no more is known");
	return 0;
}

int loader_map(const struct loader *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(l->objects[i], name);
		if (map && bpf_map__fd(map) >= 0)
			return bpf_map__fd(map);
	}
	return -ENOENT;
}

bool loader_by_perf(const struct loader *l)
{
	return l->settings.by_perf;
}
