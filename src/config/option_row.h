/*
 * option_row: the columns of the option table, for the files of this room and the completion scripts.
 *
 * The name makes the rest: --max-threads is the key "max_threads" of the configuration and UTRACE_MAX_THREADS of the
 * environment.
 */
#pragma once

#include "config/options.h"

enum option_kind {
	OPTION_FLAG,    /* bool; --name sets it, --no-name takes it back */
	OPTION_NEGATED, /* bool that holds the opposite of the name: `follow` lives in options.no_follow */
	OPTION_TEXT,    /* char * */
	OPTION_TEXTS,   /* struct text_list; the option may be repeated */
	OPTION_NUMBER,  /* uint64_t */
	OPTION_NUMBERS, /* struct number_list; repeated, or "12,13" */
	OPTION_TIME,    /* uint64_t, nanoseconds */
	OPTION_BYTES,   /* uint64_t */
	OPTION_RATIO,   /* uint64_t: "1/100" is 100 */
	OPTION_SHARE,   /* double: "50%" is 0.5; "auto" and "none" are OVERHEAD_DEFAULT and OVERHEAD_NONE */
	OPTION_WORD,    /* enum of row->words */
	OPTION_ASK,     /* no value and no place: --help, --version */
	OPTION_KINDS
};

enum option_trait {
	OPTION_POWER_OF_TWO = 1 << 0,
	OPTION_NOT_IN_FILE = 1 << 1,        /* --config itself */
	OPTION_ONLY_COMMAND_LINE = 1 << 2,  /* says what this one run is to do */
};

struct option_row {
	const char *name;    /* long name */
	char letter;         /* short name; 0: none */
	enum option_kind kind;
	unsigned groups;     /* enum option_group */
	unsigned traits;     /* enum option_trait */
	size_t offset;       /* of its field in struct options */
	const char *metavar; /* NULL: takes no value. The shells complete FILE, PATH, USER, NAME and PID */
	const char *fallback; /* default, as it is typed; NULL: zero or empty */
	const char *const *words; /* OPTION_WORD: in the order of the enum, ends with NULL */
	uint64_t min, max;   /* of a number, time or size; max 0: no bound */
	const char *help;    /* one line, true of every command that takes it: how each does it is in the command's own text */
	const char *more;    /* paragraph for the man page; may be NULL */
};

extern const struct option_row option_rows[]; /* ends with a NULL name */

struct option_heading {
	unsigned group;
	const char *title;
	const char *term, *help; /* a last line that is no option: "-- COMMAND ARGS"; NULL: none */
};
extern const struct option_heading option_headings[]; /* in the order of help; ends with a NULL title */

/* Is @row to be shown under @heading for a command that takes @groups? A row of several groups shows under the first. */
bool option_under(const struct option_row *row, const struct option_heading *heading, unsigned groups);
bool option_taken(const struct option_row *row, unsigned groups);
bool option_in_file(const struct option_row *row);
bool option_in_environment(const struct option_row *row);
bool option_is_switch(const struct option_row *row);  /* takes no value */
bool option_can_be_negated(const struct option_row *row); /* is there a --no-name? */
bool option_on_by_default(const struct option_row *row); /* a switch that is shown as --no-name */

#define OPTION_NAME_MAX 40
struct option_name {
	char text[OPTION_NAME_MAX];
};
struct option_name option_key(const struct option_row *row);         /* max_threads */
struct option_name option_environment(const struct option_row *row); /* UTRACE_MAX_THREADS */
const struct option_row *option_by_name(const char *name, size_t len);
const struct option_row *option_by_letter(char letter);
const struct option_row *option_by_key(const char *key);
int option_unknown_key(const char *key, const char *origin, struct reason *why); /* -ENOENT; @why begins with @origin */

/* What each kind of value is, to people and to JSON. */
enum json_form {
	FORM_BOOLEAN = 1 << 0,
	FORM_INTEGER = 1 << 1,
	FORM_REAL = 1 << 2,
	FORM_TEXT = 1 << 3,
	FORM_TEXTS = 1 << 4,    /* array of strings */
	FORM_INTEGERS = 1 << 5, /* array of integers */
};

struct option_kind_ops {
	/* Reads @text into the field at @field (a list gets one more item). -EINVAL: see accepts. NULL: takes no text. */
	int (*read)(const struct option_row *row, void *field, const char *text);
	void (*clear)(void *field); /* frees what the field holds and zeroes it; NULL: nothing to free */
	const char *accepts;        /* "a time (5ms, 10us, 1.5s, 2m; a bare number is seconds)" */
	unsigned forms;             /* enum json_form: how a configuration may write it */
	const char *pattern;        /* of its text, for the JSON schema (ECMA 262); NULL: any */
	/* The value as it would be typed. NULL: a list or a switch. */
	void (*write)(const struct option_row *row, const void *field, struct strbuf *out);
};
extern const struct option_kind_ops option_kinds[OPTION_KINDS];

void option_reset(const struct option_row *row, struct options *o); /* to its default */
void option_switch(const struct option_row *row, struct options *o, bool on);
/* Reads a value; @origin names it in @why: "--depth", "UTRACE_DEPTH", "utrace.json:3: depth". */
int option_read(const struct option_row *row, struct options *o, const char *text, const char *origin, struct reason *why);
/* The same for the environment: lists are separated by commas, switches are 1/0, true/false, yes/no, on/off. */
int option_read_environment(const struct option_row *row, struct options *o, const char *text, struct reason *why);
