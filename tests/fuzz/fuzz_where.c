/*
 * Any text is an expression or is refused with a reason. Of an expression, the kernel's part and the user's part together
 * say what the whole says, for values that the first bytes give.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shape/where.h"
#include "shape/where_eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct event event_of(const __s64 values[WHERE_FIELDS], struct named_value arguments[6])
{
	struct event e;
	event_init(&e, EVENT_FUNCTION_CALL);
	for (int i = 0; i < 6; i++)
		arguments[i] = (struct named_value){ SLICE("name"), {}, INT_VALUE(values[WHERE_ARG1 + i]) };
	e.field[CALL_ARGUMENTS] = (struct value){ .kind = VALUE_ARGUMENTS, .list = { arguments, 6 } };
	e.field[CALL_RETURN] = (struct value)INT_VALUE(values[WHERE_RET]);
	e.field[CALL_DURATION] = (struct value)UINT_VALUE((uint64_t)values[WHERE_DURATION]);
	e.pid = (uint32_t)values[WHERE_PID];
	e.tid = (uint32_t)values[WHERE_TID];
	e.process_name = SLICE("nginx");
	return e;
}

static void check_parts(struct where *w, const __s64 values[WHERE_FIELDS], unsigned known, bool has_uid)
{
	struct named_value arguments[6];
	struct where_program p;
	struct event e = event_of(values, arguments);
	where_kernel(w, &p);
	bool kernel = where_eval(&p, values, ~0u), user = where_matches(w, &e), all = where_matches_all(w, &e);
	if (p.n > WHERE_MAX || (p.n == 0 && !where_needs_user(w)))
		abort();
	if (!has_uid && (kernel && user) != all) /* uid is in no event */
		abort();
	if (kernel && !where_eval(&p, values, known))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	__s64 values[WHERE_FIELDS] = {};
	if (len < WHERE_FIELDS + 2)
		return 0;
	for (int i = 0; i < WHERE_FIELDS; i++)
		values[i] = (int8_t)bytes[i];
	values[WHERE_PID] &= 0xff;
	values[WHERE_TID] &= 0xff;
	unsigned known = bytes[WHERE_FIELDS] | (unsigned)bytes[WHERE_FIELDS + 1] << 8;
	_cleanup_(free) char *text = strndup((const char *)bytes + WHERE_FIELDS + 2, len - WHERE_FIELDS - 2);
	_cleanup_(where_free) struct where *w = NULL;
	_cleanup_(strbuf_done) struct strbuf parts = {};
	struct reason why = {};
	int r = where_new(&w, "--where", text, &why);
	if ((r < 0) != (why.text[0] != '\0'))
		abort();
	if (r < 0)
		return 0;
	check_parts(w, values, known, strstr(text, "uid") != NULL);
	where_describe(w, &parts);
	return 0;
}
