/* decode: one record of a system call into an event. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "probe/syscall/decode.h"

#define MAX_ERRNO 4095 /* include/linux/err.h */

uint64_t call_arg(const struct call *c, unsigned i)
{
	return i < SYSCALL_ARGS ? c->rec->arg[i] : 0;
}

static bool is_error(int64_t ret)
{
	return ret < 0 && ret >= -MAX_ERRNO;
}

bool call_succeeded(const struct call *c)
{
	return !(c->rec->flags & SYSCALL_NO_RETURN) && !is_error(c->rec->ret);
}

bool call_is(const struct call *c, const char *name)
{
	return streq(c->row->name, name);
}

void result_note(struct call *c, const char *fmt, ...)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(&b, fmt, ap);
	va_end(ap);
	c->note = arena_dup(c->arena, strbuf_slice(&b));
}

/* Errors that the kernel keeps to itself (include/linux/errno.h): a tracer sees them, the program does not. */
static const char *internal_error_name(int64_t err)
{
	switch (err) {
	case 512:
		return "ERESTARTSYS";
	case 513:
		return "ERESTARTNOINTR";
	case 514:
		return "ERESTARTNOHAND";
	case 516:
		return "ERESTART_RESTARTBLOCK";
	default:
		return NULL;
	}
}

/* Cuts the record into its pieces; a length that leads outside ends in -EBADMSG. */
static int read_pieces(struct call *c, size_t len)
{
	const char *at = (const char *)(c->rec + 1), *end = (const char *)c->rec + MIN(len, (size_t)c->rec->head.length);
	while (end - at >= (ssize_t)sizeof(struct fetched)) {
		struct fetched f;
		memcpy(&f, at, sizeof(f));
		at += sizeof(f);
		size_t padded = ((size_t)f.length + 7) & ~(size_t)7;
		if (padded > (size_t)(end - at))
			return -EBADMSG;
		if (c->n_pieces < CALL_MAX_PIECES)
			c->piece[c->n_pieces++] =
				(struct memory_piece){ f.value, { at, f.length }, f.which, f.status };
		at += padded;
	}
	return 0;
}

static struct value decode_arguments(struct call *c)
{
	struct named_value *args = arena_new(c->arena, struct named_value, SYSCALL_ARGS);
	size_t n = 0;
	for (unsigned i = 0; i < syscall_n_args(c->row); i++) {
		c->at = c->row->order ? c->row->order[i] : i;
		const struct syscall_arg *arg = &c->row->arg[c->at];
		struct value v = arg->type->decode(c, c->rec->arg[c->at], arg->type);
		if (v.kind != VALUE_NONE)
			args[n++] = (struct named_value){ slice_of(arg->name), slice_of(arg->type->c_type), v };
	}
	struct value v = { .kind = VALUE_ARGUMENTS, .list = { args, n } };
	_cleanup_(strbuf_done) struct strbuf b = {};
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(&b, i ? ", " : "");
		value_write(&b, &args[i].value);
	}
	return value_taken(c, v, &b);
}

static struct value plain_result(struct call *c, int64_t ret)
{
	if (c->hex_result)
		return value_hex(c, (uint64_t)ret);
	switch (c->row->result) {
	case RESULT_ADDRESS:
		return ret ? ADDRESS_VALUE((uint64_t)ret) : value_named(ADDRESS_VALUE(0), "0");
	case RESULT_OCTAL:
		return value_octal(c, (uint64_t)ret);
	case RESULT_UINT:
		return UINT_VALUE((uint64_t)ret);
	default:
		return INT_VALUE(ret);
	}
}

static struct value error_result(struct call *c, int64_t err, struct value *ret_name)
{
	const char *name = internal_error_name(err);
	struct value v = INT_VALUE(-1);
	if (name) {
		v = value_text(c, v, "? %s", name);
	} else if ((name = strerrorname_np((int)err))) {
		_cleanup_(strbuf_done) struct strbuf b = {};
		strbuf_adds(&b, "-1 ");
		strbuf_adds(&b, name);
		v = value_taken(c, v, &b);
	} else {
		name = value_text(c, v, "%" PRId64, err).text.data;
		v = value_text(c, v, "-1 (errno %s)", name);
	}
	*ret_name = STRING_VALUE(slice_of(name));
	return v;
}

static struct value decode_result(struct call *c, struct value *ret_error)
{
	int64_t ret = c->rec->ret;
	if (c->rec->flags & SYSCALL_NO_RETURN)
		return (struct value){};
	if (is_error(ret))
		return error_result(c, -ret, ret_error);
	struct value v = plain_result(c, ret);
	if (!c->note.len)
		return v;
	_cleanup_(strbuf_done) struct strbuf b = {};
	value_write(&b, &v);
	return value_text(c, v, "%s (%.*s)", strbuf_str(&b), (int)c->note.len, c->note.data);
}

/* A call whose number is not in our table, or that came through another one: its words. */
static const struct syscall_row *row_of_unknown(struct call *c)
{
	static const char *const names[SYSCALL_ARGS] = { "arg1", "arg2", "arg3", "arg4", "arg5", "arg6" };
	const char *table = c->rec->flags & SYSCALL_COMPAT ? "ia32:" : c->rec->flags & SYSCALL_X32 ? "x32:" : "";
	struct syscall_row *row = arena_new(c->arena, struct syscall_row, 1);
	row->name = arena_printf(c->arena, "syscall_%s%#x", table, c->rec->nr).data;
	for (unsigned i = 0; i < SYSCALL_ARGS; i++)
		row->arg[i] = (struct syscall_arg){ names[i], &type_word };
	return row;
}

static const struct syscall_row *row_of(struct call *c)
{
	const struct syscall_row *row = NULL;
	if (!(c->rec->flags & (SYSCALL_COMPAT | SYSCALL_X32)))
		row = syscall_by_number(c->rec->arch, c->rec->nr);
	return row ? row : row_of_unknown(c);
}

int syscall_decode(const struct syscall_rec *rec, size_t len, struct arena *a, struct event *ret)
{
	if (len < sizeof(*rec) || rec->head.length < sizeof(*rec) || rec->head.length > len)
		return -EBADMSG;
	struct call c = { .rec = rec, .arena = a };
	int r = read_pieces(&c, len);
	if (r < 0)
		return r;
	c.row = row_of(&c);
	event_init(ret, EVENT_SYSCALL);
	ret->time_ns = rec->head.time_ns;
	ret->pid = rec->head.pid;
	ret->tid = rec->head.tid;
	ret->strand_id = rec->head.strand;
	ret->runtime = "kernel";
	ret->field[SYSCALL_FUNCTION] = STRING_VALUE(slice_of(c.row->name));
	ret->field[SYSCALL_NUMBER] = UINT_VALUE(rec->nr);
	if (!(rec->flags & (SYSCALL_NO_ENTRY | SYSCALL_NO_RETURN)))
		ret->field[SYSCALL_DURATION] = UINT_VALUE(rec->duration_ns);
	ret->field[SYSCALL_ARGUMENTS] = decode_arguments(&c);
	ret->field[SYSCALL_RETURN] = decode_result(&c, &ret->field[SYSCALL_ERROR]);
	if (rec->lost_before)
		ret->field[SYSCALL_LOST_BEFORE] = UINT_VALUE(rec->lost_before);
	return 0;
}

void syscall_line(const struct event *e, struct strbuf *out)
{
	strbuf_add_slice(out, e->field[SYSCALL_FUNCTION].s);
	strbuf_addc(out, '(');
	strbuf_add_slice(out, e->field[SYSCALL_ARGUMENTS].text);
	strbuf_adds(out, ") = ");
	if (e->field[SYSCALL_RETURN].kind == VALUE_NONE)
		strbuf_addc(out, '?');
	else
		value_write(out, &e->field[SYSCALL_RETURN]);
}
