/*
 * loader: puts kernel halves into the kernel. Objects are opened from the binary itself; maps of the same name in several
 * objects are one map; the rings become perf buffers where the kernel has no ring buffer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"

struct bpf_object;
struct loader;

struct loader_settings {
	bool by_perf;           /* perf buffers instead of ring buffers */
	uint32_t events_bytes;  /* of the events ring; power of two of at least a page */
	uint32_t facts_bytes;
	uint32_t perf_pages;    /* of a perf buffer, per CPU */
	const char *btf_path;   /* a file with the kernel's types, borrowed; NULL: the kernel's own */
};

int loader_new(struct loader **ret, const struct loader_settings *settings);
void loader_free(struct loader *l); /* unloads every object */
DEFINE_CLEANUP(struct loader *, loader_free)

/* Opens the object @name (src/probe/NAME/NAME.bpf.c, or its NAME-fallback.bpf.c for old kernels). It belongs to the loader. */
int loader_open(struct loader *l, const char *name, struct bpf_object **ret, struct reason *why);

/* Sets a `const volatile` of an opened object. -ENOENT: it has none of that name and size. */
int loader_set(struct bpf_object *o, const char *variable, const void *value, size_t size);
#define loader_set_value(o, variable, value) loader_set((o), (variable), &(value), sizeof(value))

/* Gives an opened copy of an object all that was set in another: its constants and the sizes of its maps. */
void loader_copy_settings(struct bpf_object *to, const struct bpf_object *from);

/* Shares maps, then loads. On failure @why says what the verifier or the kernel said, in one line. */
int loader_load(struct loader *l, struct bpf_object *o, struct reason *why);

/* A map by name, of any loaded object; -ENOENT. The descriptor stays the loader's. */
int loader_map(const struct loader *l, const char *name);
bool loader_by_perf(const struct loader *l);
