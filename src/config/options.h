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

void text_list_add(struct text_list *list, const char *text); /* copies @text */
void text_list_done(struct text_list *list);
DEFINE_CLEANUP_IN_PLACE(struct text_list, text_list_done)
void number_list_add(struct number_list *list, uint64_t number);

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
	struct number_list pidns, netns, mntns; /* --pidns ...: a pid whose namespace is meant, or an inode number (> 4194304) */
	struct text_list users;           /* -u: name or uid */
	bool all;                         /* --all: every process of the machine */
	bool no_follow;                   /* --no-follow: not the children */
	char **command;                   /* after --: argv, NULL-terminated, borrowed from main's; NULL: none */

	/* What. */
	struct text_list patterns;        /* positional arguments */

	/* Filters and shape. */
	uint64_t min_ns;                  /* --min */
	uint64_t depth;                   /* --depth; 0: no limit */
	uint64_t sample_one_in;           /* --sample 1/100 → 100; 1: every one */
	bool args;                        /* --args / --no-args; default true */
	enum exits_mode exits;            /* --exits */
	char *where;                      /* --where; NULL: none */
	uint64_t limit;                   /* --limit; 0: none */
	uint64_t duration_ns;             /* --duration; 0: none */
	bool connections;                 /* --connections: also those whose requests are shown */
	bool raw;                         /* --raw: what passed, as it was */
	uint64_t capture_bytes;           /* --capture: of what each call sends or receives; default 512 */
	uint64_t string_bytes;            /* --string-bytes: kept of each string; default 64 */
	double max_overhead;              /* --max-overhead: fraction (0.5 for 50%), OVERHEAD_DEFAULT or OVERHEAD_NONE */
	uint64_t buffer_bytes;            /* --buffer: of the events ring; default 16 MiB; a power of two */
	uint64_t max_threads;             /* --max-threads: whose calls are followed; default 1024 */
	uint64_t max_probes;              /* --max-probes: default 50000; 16 on kernels with perf_event uprobes alone (0: by mechanism) */
	char *btf;                        /* --btf FILE: the kernel's types; NULL: its own */

	/* Of requests. */
	char *path, *method;              /* --path, --method: globs; NULL: any */
	char *status;                     /* --status: 404, 5xx, error; NULL: any */
	struct number_list ports;         /* --port: of the server's end */

	/* Shape of the output. */
	bool list;                        /* -l */
	bool stat, hist;                  /* --stat, --hist */
	char *sort;                       /* --sort KEY */
	char *columns;                    /* --columns A,B */
	bool json;                        /* --json: as --format json */
	char *format;                     /* --format; NULL: by --json, then by the suffix of -o, else text */
	char *budget;                     /* --budget FILE of verify; NULL: the built-in one alone */
	char *output;                     /* -o FILE; "-" is stdout */
	struct text_list exports;         /* --export: receivers */
	char *signals;                    /* --signals; NULL: all */
	char *listen;                     /* --listen: where Prometheus scrapes; NULL: nowhere */
	char *spool;                      /* --spool DIR; NULL: none */
	uint64_t spool_bytes;             /* --spool-size, of each receiver; default 256 MiB */
	char *record;                     /* --record FILE; NULL: none */
	char *rotate, *ring;              /* --rotate, --ring: a size or a time; NULL: none */
	char *trigger;                    /* --trigger: EXPR or SIGUSR2; NULL: none */
	bool silent;                      /* show nothing: `utrace record` */
	enum color_mode color;            /* --color */
	bool quiet, verbose;              /* -q, -v */

	/* Of a recording: shown instead of what happens now. */
	char *from;                       /* its path, borrowed from main's; NULL: live */
	bool as_recorded;                 /* patterns and filters are those of the recording */
	char *since, *until;              /* --since, --until */
	bool reparse;                     /* --reparse: requests from the bytes of it, not those that it holds */
	bool exporting;                   /* to a file, in a format that is told: `utrace export` */

	char *config;                     /* --config FILE, $UTRACE_CONFIG; NULL: none */
	bool settings_read;               /* file and environment: words that are parsed later count more */
};

/* Which options a command takes, as a bit set; each row of the table says to which groups it belongs. */
enum option_group {
	OPTIONS_GENERAL = 1 << 0, /* --config --color -q -v: what reads settings at all; --help and --version are always taken */
	OPTIONS_TARGET = 1 << 1,
	OPTIONS_FILTER = 1 << 2,  /* --min --where --limit: what a recording can be asked as well */
	OPTIONS_CALLS = 1 << 3,   /* --depth --args --hist: the same of calls */
	OPTIONS_TABLE = 1 << 4,   /* --stat --sort --columns */
	OPTIONS_OUTPUT = 1 << 5,  /* --json -o */
	OPTIONS_LIST = 1 << 6,    /* -l */
	OPTIONS_TRACER = 1 << 7,  /* --buffer --max-threads --max-overhead ... */
	OPTIONS_JSON = 1 << 8,    /* --json without -o: commands that answer on stdout */
	OPTIONS_BUDGET = 1 << 9,  /* --budget */
	OPTIONS_RECORD = 1 << 10, /* --record --rotate --ring --trigger */
	OPTIONS_REPORT = 1 << 11, /* --since --until --reparse */
	OPTIONS_FORMAT = 1 << 12, /* --format: what writes events */
	OPTIONS_CAPTURE = 1 << 13, /* --duration --string-bytes: how we look at what happens now */
	OPTIONS_PROBES = 1 << 14, /* --sample --exits: the same of calls */
	OPTIONS_REQUESTS = 1 << 15, /* --path --method --status --port */
	OPTIONS_SOCKET = 1 << 16, /* --raw --capture --connections: what looks at what sockets carry */
	OPTIONS_EXPORT = 1 << 17, /* --export --spool */
	/* What a recording keeps of the command line that made it, and can be asked as well. */
	OPTIONS_SHOWING = OPTIONS_FILTER | OPTIONS_CALLS | OPTIONS_REQUESTS | OPTIONS_SOCKET | OPTIONS_TABLE,
	OPTIONS_ALL_GROUPS = (1 << 19) - 1,
};

/* The command that the options are for. */
struct option_scope {
	const char *command;   /* its name, for messages */
	unsigned groups;       /* what it takes; anything else is a usage error */
	/* Writes the names of the commands that take any of @groups ("func, sys"); NULL: not told. */
	void (*takers)(struct strbuf *out, unsigned groups);
	/* Stop at the first word that is no option: it is *@ret_word, and not taken; argc when there is none. NULL: take all. */
	int *ret_word;
};

enum options_outcome {
	OPTIONS_RUN = 0,
	OPTIONS_SHOW_HELP = 1,    /* --help was given: nothing else was looked at */
	OPTIONS_SHOW_VERSION = 2, /* --version likewise */
};

void options_init(struct options *o); /* defaults */
void options_done(struct options *o);
DEFINE_CLEANUP_IN_PLACE(struct options, options_done)

/*
 * Fills @o, which options_init() made, from the configuration file, the environment (both only with OPTIONS_GENERAL) and
 * argv[0..argc) (the words after the command's name; argv[argc] is NULL). Returns enum options_outcome; -EINVAL with @why
 * (names the word, and the nearest option when it is unknown); -ENOENT, -EACCES ... when the configuration cannot be read.
 */
int options_parse(struct options *o, const struct option_scope *scope, int argc, char **argv, struct reason *why);
bool options_name_running(const struct options *o); /* any of the target options: processes that run already, or will */
bool options_have_target(const struct options *o);  /* one of them, or a command */

/* Adds to @ret the words that make the values of @o: the positional ones, then each option of @groups that is not at its default. */
void options_words(const struct options *o, unsigned groups, struct text_list *ret);

/* Reads a configuration: -EINVAL and @why (key, file, line) when it is wrong; the file cannot be read: other -errno. */
int options_read_file(struct options *o, const char *path, struct reason *why);
int options_read_json(struct options *o, struct slice text, const char *name, struct reason *why); /* @name: for messages */

/* What the table says, for people and machines. */
void options_help(struct strbuf *out, unsigned groups);     /* the options of a command, aligned, for --help */
void options_man(struct strbuf *out, unsigned groups);      /* the same as man source: .SS a group, .TP an option */
void options_man_environment(struct strbuf *out);           /* the variables as man source */
void options_complete(struct strbuf *out, unsigned groups); /* one "--name<TAB>help" a line */
void options_schema(struct strbuf *out);                    /* JSON schema of the configuration file */
void options_generate(struct strbuf *out);                  /* a configuration file with every key at its default */
void options_list(struct strbuf *out);                      /* "key    what it is", one a line, for `config explain` */
int options_explain(struct strbuf *out, const char *key, struct reason *why); /* all about a setting; -ENOENT and the nearest */

/* Readers of single values, shared with --where: 0 or -EINVAL; the whole of @s must be the value, and fit. */
int parse_time_ns(const char *s, uint64_t *ret_ns);  /* 5ms 10us 1.5s 2m 1h 100ns; a bare number is seconds */
int parse_bytes(const char *s, uint64_t *ret_bytes); /* 512 64k 1.5M 1G (powers of 1024) */
int parse_number(const char *s, uint64_t *ret);      /* 42 0x2a */
int parse_bytes_or_time(const char *s, uint64_t *ret_bytes, uint64_t *ret_ns); /* 100M or 10m, by its unit; one of the two is set */
