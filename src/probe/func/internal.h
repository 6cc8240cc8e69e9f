/* internal: the shape of the func family, shared by its files only. */
#pragma once

#include "arch/arch.h"
#include "base/hashmap.h"
#include "config/options.h"
#include "priv/attach.h"
#include "priv/link.h"
#include "priv/mechanism.h"
#include "probe/binary.h"
#include "probe/func/calibrate.h"
#include "probe/func/fact.abi.h"
#include "probe/func/func.abi.h"
#include "probe/func/pattern.h"
#include "probe/probe.h"
#include "shape/where.h"
#include "sym/nearest.h"

struct bpf_object;

/* A parameter as decoding needs it. */
struct parameter {
	uint8_t from, which, format, size;
	const char *name, *type;
};

/* What is known of a probe. Whoever makes one borrows the text; of those that decoding knows it lies in their fact. */
struct func_info {
	enum probe_kind kind;
	bool of_executable;
	bool wanted;   /* by the patterns; live all are */
	const char *name, *linkage_name, *module, *path, *file;
	uint32_t line, inside_ns, outside_ns;
	uint32_t hidden_ns; /* see struct func_probe; not part of the fact */
	uint32_t twin; /* see struct func_probe; not part of the fact */
	const struct parameter *parameters;
	size_t n_parameters;
	struct func_probe_fact *fact; /* owned; NULL: not one of decoding's */
};

/* The probes of one process. */
struct func_process {
	pid_t pid;
	uint32_t slot;
	bool use_sites;       /* exits at RET sites: something here unwinds through frames */
	struct links links;       /* of functions */
	struct links former;      /* return probes that are being replaced by RET sites */
	struct links point_links; /* of USDT probes */
	struct hashmap done;  /* binary → its functions are attached */
	struct hashmap points_done; /* binary → its USDT probes are attached */
	uint64_t cost_ns, cpu_ns; /* what probes cost it, and its CPU time, at the breaker's last look */
	bool watched;         /* by the breaker */
	bool tripped;         /* the breaker took its probes away */
	char comm[16];
};

/* Counts of a probe, added up over CPUs. */
struct func_counts {
	struct func_stat stat;
	struct func_hist hist;
	bool has_hist;
};

struct func_state {
	struct patterns patterns;
	struct binaries binaries;
	struct where *where;
	struct bpf_object *object;
	enum uprobe_mechanism mechanism;
	enum kernel_mechanism kernel_mechanism;
	enum exits_mode exits;
	struct calibration calibration;
	struct links links;           /* not bound to a process: tracepoints, kernel functions */
	struct kernel_targets {
		char **names;         /* of kernel functions */
		size_t n, cap;
	} kernel;
	struct hashmap processes;     /* pid → struct func_process */
	uint32_t probes_n;            /* numbers given out, 0 unused */
	uint32_t probes_cap;          /* room in the kernel's tables */
	uint32_t hists_cap;           /* room for histograms: later probes have counts and sums alone */
	uint32_t plans_n, plans_cap;
	struct hashmap infos;         /* probe → struct func_info; decoding side. A strange recording's numbers may be any */
	uint32_t infos_last;          /* the largest of these numbers */
	struct hashmap counts;        /* probe → struct func_counts: of a recording's calls, for --stat */
	struct hashmap shown_open;    /* tid<<32|depth → number of the call that was shown while it was open */
	uint32_t slot_bytes;
	size_t attached;              /* functions, over all processes */
	bool over_cap;                /* told: more functions than room */
	bool warned;                  /* told: return probes where something unwinds */
	size_t tripped;               /* of the processes: those that the breaker has freed */
	bool detached;
};

/* probes.c: numbers, and the kernel's tables */
uint32_t func_probe_add(struct engine *e, struct func_state *s, const struct func_info *info, const struct fetch_plan *plan);
/* fact.c: what probes are, as records */
void func_tell_probe(struct engine *e, uint32_t probe, const struct func_info *info);
void func_learn_probe(struct engine *e, struct func_state *s, const struct func_probe_fact *fact);
void func_save_probes(struct engine *e, const struct func_state *s);
const struct func_info *func_info_of(const struct func_state *s, uint32_t probe); /* NULL: not known */
void func_infos_done(struct func_state *s);
/* resolve.c: finds what the patterns want in it, once */
#define TARGETS_A_COPY 256 /* are looked at before the bytes of their code are given back: of node's that is 1 MB */
int binary_resolve(struct binary *b, struct patterns *patterns, struct reason *why);
/* functions.c */
enum func_exits { FUNC_ENTRY_ALONE, FUNC_BY_RETURN, FUNC_BY_SITES };
enum func_exits func_exits_of(enum exits_mode mode, bool process_needs_sites, struct binary *b, struct func_target *t);
int func_attach_process(struct engine *e, struct func_state *s, const struct process *p, struct reason *why);
void func_drop_process(struct func_state *s, pid_t pid);
void func_unprobe_process(struct func_process *fp); /* takes its probes away */
void func_retire_process(struct engine *e, struct func_process *fp); /* the same in the background */
/* copy.c */
#define ONE_BY_ONE_MAX 64 /* kernel functions, or tracepoints, of which each is loaded, attached and detached by itself */
struct trampoline {
	const char *function;    /* of the kernel */
	uint32_t argument_words; /* what its arguments take, in registers */
	bool has_result;
};
/* @programs, up to NULL, loaded for the probe with this cookie; @t: fentry and fexit. The loader owns the copy. */
int func_copy(struct engine *e, const struct func_state *s, uint64_t cookie, const char *const programs[], const struct trampoline *t,
	      struct bpf_object **ret, struct reason *why);
/* kernel.c */
int func_count_kernel(struct func_state *s, size_t *ret_n, struct reason *why);
int func_attach_kernel(struct engine *e, struct func_state *s, struct reason *why);
struct btf;
int func_describe_trampoline(const struct btf *kernel, const char *function, struct trampoline *ret, struct reason *why);
/* rehearse.c: for `utrace verify` */
extern const struct probe_shape func_shapes[];
int func_rehearse(struct engine *e, void *state, struct reason *why);
/* points.c */
int func_attach_tracepoints(struct engine *e, struct func_state *s, struct reason *why);
bool func_usdt_wanted(struct func_state *s, const struct binary *b, const struct usdt_probe *probe);
struct tracefs_events;
int func_find_tracepoints(int tracefs, struct pattern *p, struct tracefs_events *ret, struct reason *why); /* -ENOENT: none */
int func_attach_usdt(struct engine *e, struct func_state *s, struct func_process *fp, struct binary *b, struct reason *why);
/* decode.c */
void func_decode(struct engine *e, void *state, const struct rec_head *rec);
/* stat.c: reads the kernel's counts, and tells them as records */
void func_tell_stat(struct engine *e, struct func_state *s);
/* counts.c: what counts are shown as; and the same counts made here, from the calls of a recording */
void func_show_stat(struct engine *e, struct func_state *s, const struct func_stat_rec *rec);
void func_count_call(struct func_state *s, const struct func_call_rec *call);
void func_show_counts(struct engine *e, struct func_state *s);
void func_counts_done(struct func_state *s);
/* open.c: calls that have been open for a second are shown before they end */
void func_show_open(struct engine *e, struct func_state *s);
/* breaker.c */
void func_begin_watch(struct engine *e, struct func_process *fp); /* before its first probe; again: nothing */
void func_watch_overhead(struct engine *e, struct func_state *s);

/* Why a pattern matched nothing: -ENOENT, with the nearest names. */
int func_explain_no_match(const struct func_state *s, const struct pattern *p, struct reason *why);
void func_state_done(struct func_state *s); /* all that needs no kernel */
int func_program_of(const struct bpf_object *o, const char *name); /* its descriptor */
int func_program(const struct func_state *s, const char *name);
