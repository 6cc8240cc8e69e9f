/*
 * The command line, in GNU style: --name value, --name=value, -n value, -nvalue, -qv; options and words mixed.
 *
 * The words are first only taken apart, because the command line names the configuration file and yet counts more than
 * what stands in it. Then values are read in the order of precedence: file, environment, command line.
 */
#include "config/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "config/option_row.h"
#include "config/typo.h"

/* An option as it was typed. */
struct given {
	const struct option_row *row;
	const char *value;        /* NULL: a switch */
	bool on;                  /* false: --no-name */
	struct option_name typed; /* "--depth", "-p": for messages */
};

struct walk {
	struct options *o;
	const struct option_scope *scope;
	int argc, at; /* at: the next word to look at */
	char **argv;
	struct given *given;
	size_t n, cap;
	int outcome; /* enum options_outcome */
};

static void walk_done(struct walk *w)
{
	free(w->given);
}
DEFINE_CLEANUP_IN_PLACE(struct walk, walk_done)

void options_init(struct options *o)
{
	*o = (struct options){};
	for (const struct option_row *row = option_rows; row->name; row++)
		option_reset(row, o);
}

void options_done(struct options *o)
{
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_kinds[row->kind].clear)
			option_kinds[row->kind].clear((char *)o + row->offset);
	for (size_t i = 0; i < o->patterns.n; i++)
		free(o->patterns.items[i]);
	free(o->patterns.items);
	*o = (struct options){};
}

bool options_name_running(const struct options *o)
{
	return o->pids.n || o->names.n || o->executables.n || o->cgroups.n || o->pidns.n || o->netns.n || o->mntns.n ||
	       o->users.n || o->all;
}

bool options_have_target(const struct options *o)
{
	return options_name_running(o) || o->command;
}

static int unknown(const struct walk *w, const char *typed, struct reason *why)
{
	struct typo typo = { .want = typed[0] == '-' && typed[1] == '-' ? typed + 2 : typed };
	bool negated = strncmp(typo.want, "no-", 3) == 0;
	if (negated)
		typo.want += 3;
	for (const struct option_row *row = option_rows; row->name; row++)
		if (option_taken(row, w->scope->groups) && (!negated || option_can_be_negated(row)))
			typo_offer(&typo, row->name);
	if (!typo.best)
		return reason_set(why, -EINVAL, "%s has no option %.80s", w->scope->command, typed);
	return reason_set(why, -EINVAL, "%s has no option %.80s; nearest: --%s%s", w->scope->command, typed, negated ? "no-" : "",
	                  typo.best);
}

static int not_taken(const struct walk *w, const struct option_row *row, const char *typed, struct reason *why)
{
	_cleanup_(strbuf_done) struct strbuf others = {};
	if (w->scope->takers)
		w->scope->takers(&others, row->groups);
	return reason_set(why, -EINVAL, "%s has no option %s%s%s", w->scope->command, typed,
	                  others.len ? "; it belongs to: " : "", strbuf_str(&others));
}

/* Takes one option that was found at a word. @attached: what stood behind = or the letter; NULL: nothing. */
static int take(struct walk *w, const struct option_row *row, struct option_name typed, const char *attached, bool on,
                struct reason *why)
{
	if (!option_taken(row, w->scope->groups))
		return not_taken(w, row, typed.text, why);
	if (row->kind == OPTION_ASK && !attached) {
		w->outcome = row->letter == 'h' ? OPTIONS_SHOW_HELP : OPTIONS_SHOW_VERSION;
		return 0;
	}
	if (option_is_switch(row) && attached)
		return reason_set(why, -EINVAL, "%s takes no value, and '%.80s' is one", typed.text, attached);
	const char *value = attached;
	if (!option_is_switch(row) && !value && w->at < w->argc && !streq(w->argv[w->at], "--"))
		value = w->argv[w->at++];
	if (!option_is_switch(row) && !value)
		return reason_set(why, -EINVAL, "%s needs a value: %s %s", typed.text, typed.text, row->metavar);
	GROW(w->given, w->n, w->cap);
	w->given[w->n++] = (struct given){ row, value, on, typed };
	return 0;
}

static int walk_long(struct walk *w, const char *word, struct reason *why)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const char *attached = name[len] ? name + len + 1 : NULL;
	struct option_name typed;
	snprintf(typed.text, sizeof(typed.text), "%.*s", (int)len + 2, word);
	const struct option_row *row = option_by_name(name, len);
	bool on = true;
	if (!row && len > 3 && strncmp(name, "no-", 3) == 0) {
		row = option_by_name(name + 3, len - 3);
		on = false;
		if (row && !option_can_be_negated(row))
			row = NULL;
	}
	return row ? take(w, row, typed, attached, on, why) : unknown(w, typed.text, why);
}

/* Letters of switches may share a word (-qv); a letter that takes a value ends it (-n NAME, -nNAME). */
static int walk_letters(struct walk *w, const char *word, struct reason *why)
{
	for (const char *letter = word + 1; *letter && !w->outcome; letter++) {
		const struct option_row *row = option_by_letter(*letter);
		struct option_name typed = { .text = { '-', *letter } };
		if (!row)
			return reason_set(why, -EINVAL, "%s has no option %.80s", w->scope->command,
			                  letter == word + 1 ? word : typed.text);
		bool valued = !option_is_switch(row);
		int r = take(w, row, typed, valued && letter[1] ? letter + 1 : NULL, true, why);
		if (r < 0 || valued)
			return r;
	}
	return 0;
}

/* After "--": the command to start, or plain words for a command of utrace that has no target. */
static int walk_rest(struct walk *w, struct reason *why)
{
	if (w->scope->groups & OPTIONS_TARGET) {
		if (w->at == w->argc || !*w->argv[w->at])
			return reason_set(why, -EINVAL, "-- is followed by no command; wanted: utrace %s ... -- COMMAND ARGS",
			                  w->scope->command);
		w->o->command = w->argv + w->at;
		w->at = w->argc;
	}
	while (w->at < w->argc)
		text_list_add(&w->o->patterns, w->argv[w->at++]);
	return 0;
}

static bool is_word(const char *word)
{
	return word[0] != '-' || !word[1] || streq(word, "--");
}

static int walk_word(struct walk *w, struct reason *why)
{
	const char *word = w->argv[w->at++];
	if (streq(word, "--"))
		return walk_rest(w, why);
	if (strncmp(word, "--", 2) == 0)
		return walk_long(w, word, why);
	if (word[0] == '-' && word[1])
		return walk_letters(w, word, why);
	if (!*word)
		return reason_set(why, -EINVAL, "an empty word among the arguments of %s", w->scope->command);
	text_list_add(&w->o->patterns, word);
	return 0;
}

/*
 * Only variables that belong to a row are looked at, so that an unknown UTRACE_... is no error: Kubernetes gives every
 * container UTRACE_SERVICE_HOST and others when a service is called utrace.
 */
static int read_environment(struct options *o, struct reason *why)
{
	for (const struct option_row *row = option_rows; row->name; row++) {
		const char *text = option_in_environment(row) ? getenv(option_environment(row).text) : NULL;
		if (!text || !*text)
			continue;
		int r = option_read_environment(row, o, text, why);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_given(const struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (streq(w->given[i].row->name, name))
			return true;
	return false;
}

static const char *config_path(const struct walk *w)
{
	const char *path = getenv("UTRACE_CONFIG");
	for (size_t i = 0; i < w->n; i++)
		if (streq(w->given[i].row->name, "config"))
			path = w->given[i].value;
	return path && *path ? path : NULL;
}

static int read_settings(const struct walk *w, struct reason *why)
{
	const char *path = config_path(w);
	if (w->o->settings_read && !is_given(w, "config"))
		return 0;
	w->o->settings_read = true;
	int r = path ? options_read_file(w->o, path, why) : 0;
	return r < 0 ? r : read_environment(w->o, why);
}

static bool given_before(const struct walk *w, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (w->given[k].row == w->given[i].row)
			return true;
	return false;
}

/* Lists grow by each option of the command line, and by these alone: they replace what file and environment hold. */
static int read_given(const struct walk *w, struct reason *why)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct given *g = &w->given[i];
		if (option_is_switch(g->row)) {
			option_switch(g->row, w->o, g->on);
			continue;
		}
		if (!given_before(w, i))
			option_reset(g->row, w->o);
		int r = option_read(g->row, w->o, g->value, g->typed.text, why);
		if (r < 0)
			return r;
	}
	return 0;
}

int options_parse(struct options *o, const struct option_scope *scope, int argc, char **argv, struct reason *why)
{
	_cleanup_(walk_done) struct walk w = { .o = o, .scope = scope, .argc = argc, .argv = argv };
	int r = 0;
	while (w.at < argc && r == 0 && !w.outcome && !(scope->ret_word && is_word(argv[w.at])))
		r = walk_word(&w, why);
	if (scope->ret_word)
		*scope->ret_word = w.at;
	if (r < 0 || w.outcome)
		return r < 0 ? r : w.outcome;
	if (scope->groups & OPTIONS_GENERAL)
		r = read_settings(&w, why);
	if (r == 0)
		r = read_given(&w, why);
	return r;
}
