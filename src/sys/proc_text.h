/*
 * proc_text: what the text of a file of /proc says; bytes in, values out, so that it can be fuzzed. A process chooses its
 * name, its paths and how much it maps: part of that text is a stranger's.
 */
#pragma once

#include "base/slice.h"
#include "sys/proc.h"

/* Bounds of one struct mappings: 64 times as much code as Chromium's processes map. Its memory stays below 40 MB. */
#define MAPPINGS_MAX 65536
#define MAPPINGS_PATHS_MAX_BYTES (32u << 20)

struct proc_stat {
	char state;
	pid_t parent;
	uint64_t start_ticks;
};

int proc_stat_parse(const char *text, struct proc_stat *ret);   /* of stat; -EIO */
int proc_uid_parse(const char *text, uid_t *ret);               /* the effective one, of status; -EIO */
char *proc_cgroup_parse(char *text);                            /* the path in it; cuts @text up; NULL: none */
/* Adds the executable mappings of files that lines of maps tell of. @text: whole lines, the last perhaps without its newline. */
void mappings_parse(struct mappings *m, struct slice text);
