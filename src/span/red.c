#include "span/red.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/histogram.h"
#include "base/macro.h"

void red_done(struct red *r)
{
	size_t at = 0;
	uint64_t key;
	void *item;
	while (hashmap_next(&r->rows, &at, &key, &item)) {
		struct red_row *row = item;
		free(row->name);
		free(row);
	}
	hashmap_done(&r->rows);
}

static struct red_row *row_of(struct red *r, bool of_client, struct slice name)
{
	_cleanup_(free) char *key = xasprintf("%c%.*s", of_client ? 'c' : 's', (int)name.len, name.data);
	struct red_row *row = hashmap_get_str(&r->rows, key);
	if (row)
		return row;
	row = xcalloc(1, sizeof(*row));
	row->name = xstrndup(name.data, name.len);
	row->of_client = of_client;
	hashmap_put_str(&r->rows, key, row);
	return row;
}

void red_add(struct red *r, bool of_client, struct slice name, bool error, bool timed, uint64_t duration_ns)
{
	struct red_row *row = row_of(r, of_client, name);
	row->requests++;
	row->errors += error;
	if (!timed)
		return;
	row->min_ns = row->timed++ ? MIN(row->min_ns, duration_ns) : duration_ns;
	row->max_ns = MAX(row->max_ns, duration_ns);
	row->total_ns += duration_ns;
	row->bucket[histogram_bucket(duration_ns, RED_BUCKETS)]++;
}

const struct red_row *red_next(const struct red *r, size_t *at)
{
	uint64_t key;
	void *row;
	return hashmap_next(&r->rows, at, &key, &row) ? row : NULL;
}
