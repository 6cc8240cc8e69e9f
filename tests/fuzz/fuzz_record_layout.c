/*
 * The layout (BTF) of a stranger's recording, and records that it describes. First a number of changes to our own layout, each
 * two bytes of place and one of value; 255: the layout itself follows instead, behind two bytes of its length. The rest is records.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/macro.h"
#include "record/layout.h"

#define WHOLE 255

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct slice changed(const uint8_t *changes, size_t n, char **ret)
{
	struct slice own = record_layout_own();
	char *copy = *ret = xmalloc(own.len);
	memcpy(copy, own.data, own.len);
	for (size_t i = 0; i < n; i++)
		copy[(changes[3 * i] | (size_t)changes[3 * i + 1] << 8) % own.len] = (char)changes[3 * i + 2];
	return (struct slice){ copy, own.len };
}

/* In memory of exactly its size. */
static void adapt(const struct record_layout *l, const uint8_t *bytes, size_t len)
{
	_cleanup_(strbuf_done) struct strbuf scratch = {};
	_cleanup_(free) struct rec_head *rec = xmalloc(len);
	memcpy(rec, bytes, len);
	rec->length = (uint16_t)len;
	const struct rec_head *ours = record_layout_adapt(l, rec, &scratch);
	if (ours && (ours->length < sizeof(*ours) || ours->length % 8 || ours->type != rec->type || (ours != rec && ours->length > scratch.len)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_(record_layout_free) struct record_layout *l = NULL;
	_cleanup_(free) char *copy = NULL;
	struct slice theirs;
	struct reason why = {};
	if (size < 3)
		return 0;
	size_t used = bytes[0] == WHOLE ? 3 + MIN(size - 3, (size_t)(bytes[1] | bytes[2] << 8)) : MIN(size, 1 + 3 * (size_t)bytes[0]);
	if (bytes[0] == WHOLE) {
		copy = xmalloc(used - 3 + 1);
		memcpy(copy, bytes + 3, used - 3);
		theirs = (struct slice){ copy, used - 3 };
	} else {
		theirs = changed(bytes + 1, (used - 1) / 3, &copy);
	}
	if (record_layout_new(&l, theirs, &why) < 0) {
		if (!why.text[0])
			abort();
		return 0;
	}
	for (bytes += used, size -= used; size >= sizeof(struct rec_head);) {
		struct rec_head head;
		memcpy(&head, bytes, sizeof(head));
		size_t length = MAX((size_t)head.length, sizeof(head)), len = MIN(length, size) & ~7ul;
		adapt(l, bytes, len);
		bytes += len;
		size -= len;
	}
	return 0;
}
