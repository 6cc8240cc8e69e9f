/*
 * probe: the seam that every probe family plugs into; one row in families.c each.
 *
 * A family is a kernel half (filter, capture, emit), the records that it emits, and the user half below, which chooses
 * what to attach and turns the records into events. The engine owns the order of things: open → load (maps shared by
 * name, shape set through rodata) → attach to each target as it comes → decode what the rings bring → drain what is
 * kept in maps → close. A family that fails in load disables itself alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/reason.h"
#include "bpf/record.abi.h"
#include "event/event.h"
#include "sys/proc.h"

struct connection;
struct engine;
struct links;
struct loader;
struct options;
struct segment;
struct tls_session_rec;

/* A command line, in words, that a family serves by programs of their own: `utrace verify` loads them. */
struct probe_shape {
	const char *name;  /* short: "stat", "calls, where" */
	const char *words; /* divided by blanks: "--stat *" */
	uint32_t needs;    /* ABILITY_BIT()s without which it is not for this kernel */
	uint32_t without;  /* those that are left out, so that a lesser mechanism is taken */
	const char *command; /* that it is loaded for, where that makes a difference; NULL: none */
};

/* A target. Borrowed from the engine's table; valid until process_gone returns. */
struct process {
	pid_t pid;
	uint32_t slot;        /* small number of its own, from 0 */
	char comm[16];
	char exe[4096];       /* path as the process sees it; empty: unknown */
	bool held;            /* started by us: it stands still while process_changed runs */
	struct mappings mappings; /* executable files, as of the last change */
};

struct probe_ops {
	const char *name;      /* also the name of its BPF object */
	uint8_t record_family; /* enum rec_family */
	size_t state_size;     /* bytes of the family's own state, zeroed; handed back to every call */
	const struct probe_shape *shapes; /* ends with a NULL name */
	uint32_t events;       /* types that it emits one by one, as EVENT_BIT()s; 0: none */
	uint32_t tables;       /* and with --stat or --hist, in place of them */

	/* Chooses what to do from the options, before anything is loaded. -errno and @why: the command fails. */
	int (*open)(struct engine *e, void *state, struct reason *why);
	/* Loads the kernel half. -errno and @why: the family is off. */
	int (*load)(struct engine *e, void *state, struct reason *why);
	/*
	 * Loads, once each, what attach loads anew for every probe; for `utrace verify`. -errno and @why: the verifier refused it.
	 * May be NULL.
	 */
	int (*rehearse)(struct engine *e, void *state, struct reason *why);
	/* The rings are open and there is no target yet: attaches what is not bound to one process, measures. -errno and @why: the family is off. May be NULL. */
	int (*attach)(struct engine *e, void *state, struct reason *why);
	/* A target appeared, or changed (exec, new mapping): attach to it. May be NULL. -errno and @why: told, the run goes on. */
	int (*process_changed)(struct engine *e, void *state, const struct process *p, struct reason *why);
	/* A target ended or executed another file: detach from it. May be NULL. */
	void (*process_gone)(struct engine *e, void *state, const struct process *p);
	/*
	 * Instead of it at an exec, for a family whose links live on: the kernel puts the probes of a link on what the process maps
	 * anew of the same file. process_changed follows. May be NULL.
	 */
	void (*process_executed)(struct engine *e, void *state, const struct process *p);
	/* All targets that exist have been attached to. -errno and @why: the command fails (nothing matched). May be NULL. */
	int (*ready)(struct engine *e, void *state, struct reason *why);
	/*
	 * One record of this family, borrowed: emits events by engine_emit(). Works from records alone, live or from a file; what it
	 * keeps from one to the next, save() can tell.
	 */
	void (*decode)(struct engine *e, void *state, const struct rec_head *rec);
	/* What any family has captured, live or from a recording, before the engine makes something of it. May be NULL. */
	void (*passed)(struct engine *e, void *state, struct connection *c, const struct segment *s);
	/* A connection has ended: before that is shown, and when what was kept of it goes. May be NULL. */
	void (*closing)(struct engine *e, void *state, struct connection *c);
	void (*closed)(struct engine *e, void *state, struct connection *c);
	/* What is known of the TLS of a connection, with its texts; NULL: nothing. May be NULL. */
	const struct tls_session_rec *(*session)(const void *state, const struct connection *c);
	/* Live, four times a second and at the end (@last): tells as facts what is kept in maps. May be NULL. */
	void (*drain)(struct engine *e, void *state, bool last);
	/* Live and from a recording, after the last record: emits what decode has gathered. May be NULL. */
	void (*conclude)(struct engine *e, void *state);
	/* Hands the facts that restore what decode knows to engine_save_fact(). May be NULL: it knows nothing. */
	void (*save)(struct engine *e, void *state);
	/* Takes every probe away: the limit is reached, the target runs on. What was counted can still be drained. */
	void (*detach)(struct engine *e, void *state);
	void (*close)(struct engine *e, void *state); /* detaches and frees all; called also after a failed open or load */
};

extern const struct probe_ops *const probe_families[]; /* ends with NULL */
const struct probe_ops *probe_family(const char *name);
/* What the families (names, NULL-terminated) will emit: of tables with @tables, else of single events. EVENT_BIT()s. */
uint32_t probe_events(const char *const *families, bool tables);

/* What the engine does for families. */
const struct options *engine_options(const struct engine *e);
struct loader *engine_loader(const struct engine *e);
struct arena *engine_arena(struct engine *e);  /* of the batch: emptied after each round of the rings */
bool engine_is_recorded(const struct engine *e); /* what is told now will be asked again by others */
bool engine_is_live(const struct engine *e);   /* false: records come from a recording; there is no kernel half and no target */
void engine_emit(struct engine *e, struct event *event);      /* completes the common fields, filters, writes */
void engine_emit_of(struct engine *e, struct event *event, const struct rec_head *rec); /* the same, with the task and time of @rec */
/*
 * True when nobody looks at single events: they are recorded, and neither shown nor asked anything. The event is counted then,
 * and need not be made.
 */
bool engine_counts_alone(struct engine *e);
/* Its two halves, for what is counted and not written: gives the task and time of @rec, asks the filters. */
void engine_place(struct engine *e, struct event *event, const struct rec_head *rec);
bool engine_passes(const struct engine *e, const struct event *event);
/*
 * The number, in this run, of the thread of @rec, from 1; @ret_lost: how many of its records were lost just before @rec, which is
 * told. NULL: the record is none of the thread's sequence.
 */
uint64_t engine_thread(struct engine *e, const struct rec_head *rec, uint32_t *ret_lost);
/*
 * A record made in user space joins the stream: it is recorded, then decoded as any other. What is shown must come from a
 * record, or a recording would not show it.
 */
void engine_fact(struct engine *e, const struct rec_head *rec);
void engine_save_fact(struct engine *e, const struct rec_head *rec); /* from save(): into the recording alone */
void engine_note(struct engine *e, const char *fmt, ...) _printf_(2, 3); /* told on stderr once, and in the summary */
void engine_stop(struct engine *e, int status);               /* end the run; the first status other than 0 counts */
/* Of targets, for the family that learns of their lives. All are idempotent. */
struct task_criteria;
const struct task_criteria *engine_criteria(const struct engine *e);
bool engine_wants_all(const struct engine *e);                  /* --all, and nothing that narrows it */
const int *engine_cgroup_fds(const struct engine *e);          /* CRITERIA_MAX of them, -1: none */
bool engine_would_take(struct engine *e, pid_t pid, const char *comm); /* does the process, of this name, fit what was asked? */
bool engine_is_target(struct engine *e, pid_t pid);
/*
 * A fact may be read when its process is long gone and another has its number. So each names the process by its start as
 * well (@start_ns since boot, 0: whoever has the number now), and one that does not fit is left alone.
 */
void engine_target_began(struct engine *e, pid_t pid, uint64_t start_ns, uint64_t time_ns); /* forked by a target: the kernel half has it already */
void engine_target_changed(struct engine *e, pid_t pid, uint64_t start_ns);  /* its mappings changed */
/* It may be new. @by_thread: by another thread than the first, whose links are dead then. */
void engine_target_exec(struct engine *e, pid_t pid, uint64_t start_ns, const char *comm, uint64_t time_ns, bool by_thread);
void engine_target_renamed(struct engine *e, pid_t pid, uint64_t start_ns, const char *comm, uint64_t time_ns);
void engine_target_joined(struct engine *e, pid_t pid, uint64_t start_ns, uint64_t time_ns); /* it ran before, and fits what was asked from now on */
void engine_target_ended(struct engine *e, pid_t pid, uint64_t start_ns);
/* Takes probes away in the background; @links is empty then. All are gone when the engine's detach returns. */
void engine_retire(struct engine *e, struct links *links);
/* Iterates over the targets: NULL ends. */
const struct process *engine_next_process(struct engine *e, size_t *at);
