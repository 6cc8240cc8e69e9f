/* Records of any bytes, one behind the other as in a ring, become events or are refused; every event can be written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probe/syscall/syscall.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* One record in memory of exactly its size, so that a read beyond it is seen. */
static void decode(const uint8_t *bytes, size_t len)
{
	_cleanup_(arena_done) struct arena a = {};
	_cleanup_(strbuf_done) struct strbuf line = {};
	_cleanup_(free) struct syscall_rec *rec = malloc(len);
	struct event e;
	memcpy(rec, bytes, len);
	if (syscall_decode(rec, len, &a, &e) < 0)
		return;
	syscall_line(&e, &line);
	if (line.len < 5)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	while (len >= sizeof(struct rec_head)) {
		struct rec_head head;
		memcpy(&head, bytes, sizeof(head));
		size_t take = head.length >= sizeof(head) && head.length <= len ? head.length : len;
		decode(bytes, take);
		bytes += take;
		len -= take;
	}
	return 0;
}
