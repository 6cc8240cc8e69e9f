/*
 * options: every setting of utrace, once. One table row makes the flag, the key of the JSON configuration, the
 * environment variable, the help text, the man page and the shell completion.
 *
 * Precedence: default < configuration file (--config FILE, or $UTRACE_CONFIG) < environment < command line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "base/strbuf.h"

struct text_list {
	char **items; /* NULL-terminated, owned; NULL when empty */
	size_t n;
};

struct number_list {
	uint64_t *items;
	size_t n;
};

enum exits_mode { EXITS_AUTO, EXITS_RETURN, EXITS_SITES, EXITS_NONE };
enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

#define OVERHEAD_DEFAULT (-1.0) /* max_overhead: by kind of target */
#define OVERHEAD_NONE (-2.0)

struct options {
	/* Target. Kinds are joined by AND, values of one kind by OR. */
	struct number_list pids;          /* -p */
	struct text_list names;           /* -n: glob of comm or of the executable's base name */
	struct text_list executables;     /* -e: path */
	struct text_list cgroups;         /* --cgroup: path below the cgroup root, or absolute */
	struct text_list pidns, netns, mntns; /* --pidns ...: a pid whose namespace is meant, or an inode number (> 4194304) */
	struct text_list users;           /* -u: name or uid */
	bool all;                         /* --all: every process of the machine */
	bool no_follow;                   /* --no-follow: not the children */
	char **command;                   /* after --: argv, NULL-terminated, borrowed from main's; NULL: none */

	/* What. */
	struct text_list patterns;        /* positional arguments */

	/* Filters and shape. */
	uint64_t min_ns;                  /* --min */
	unsigned depth;                   /* --depth; 0: no limit */
	uint64_t sample_one_in;           /* --sample 1/100 → 100; 0 and 1: every one */
	bool args;                        /* --args / --no-args; default true */
	enum exits_mode exits;            /* --exits */
	char *where;                      /* --where; NULL: none */
	uint64_t limit;                   /* --limit; 0: none */
	uint64_t duration_ns;             /* --duration; 0: none */
	uint64_t string_bytes;            /* --string-bytes: kept of each string; default 64 */
	double max_overhead;              /* --max-overhead: fraction (0.5 for 50%), OVERHEAD_DEFAULT or OVERHEAD_NONE */
	uint64_t buffer_bytes;            /* --buffer: of the events ring; default 16 MiB; a power of two */
	uint64_t max_threads;             /* --max-threads: whose calls are followed; default 1024 */
	uint64_t max_probes;              /* --max-probes: default 50000; 16 on kernels with perf_event uprobes alone (0: by mechanism) */

	/* Shape of the output. */
	bool list;                        /* -l */
	bool stat, hist;                  /* --stat, --hist */
	char *sort;                       /* --sort KEY */
	char *columns;                    /* --columns A,B */
	bool json;                        /* --json */
	char *output;                     /* -o FILE; "-" is stdout */
	enum color_mode color;            /* --color */
	bool quiet, verbose;              /* -q, -v */
};

/* Which options a command takes, as a bit set; each row of the table says to which groups it belongs. */
enum option_group {
	OPTIONS_GENERAL = 1 << 0, /* --config --color -q -v --help: every command */
	OPTIONS_TARGET = 1 << 1,
	OPTIONS_FILTER = 1 << 2,  /* --min --where --limit --duration ... */
	OPTIONS_CALLS = 1 << 3,   /* --depth --sample --exits --args */
	OPTIONS_TABLE = 1 << 4,   /* --stat --hist --sort --columns */
	OPTIONS_OUTPUT = 1 << 5,  /* --json -o */
	OPTIONS_LIST = 1 << 6,    /* -l */
	OPTIONS_TRACER = 1 << 7,  /* --buffer --max-threads --max-overhead ... */
};

void options_init(struct options *o); /* defaults */
void options_done(struct options *o);
DEFINE_CLEANUP_IN_PLACE(struct options, options_done)

/*
 * Fills @o from the configuration file, the environment and argv[0..argc) (the words after the command's name).
 * @groups: what the command takes; anything else is a usage error. Returns 0; 1 when --help was asked; -EINVAL with
 * @why (names the word, and the nearest option when it is unknown); -ENOENT or -EINVAL for the configuration.
 */
int options_parse(struct options *o, unsigned groups, int argc, char **argv, struct reason *why);

void options_help(struct strbuf *out, unsigned groups);       /* the options of a command, aligned, for --help */
void options_man(struct strbuf *out, unsigned groups);        /* the same as mdoc/man source */
void options_complete(struct strbuf *out, unsigned groups);   /* one "--name<TAB>help" a line */
void options_schema(struct strbuf *out);                      /* JSON schema of the configuration file */
void options_generate(struct strbuf *out);                    /* a configuration file with every key at its default */

/* Readers of single values, shared with --where: 0 or -EINVAL; the whole of @s must be the value. */
int parse_time_ns(const char *s, uint64_t *ret_ns);  /* 5ms 10us 1.5s 2m 100ns; a bare number is seconds */
int parse_bytes(const char *s, uint64_t *ret_bytes); /* 512 64k 16M 1G (powers of 1024) */
int parse_number(const char *s, uint64_t *ret);      /* 42 0x2a */
