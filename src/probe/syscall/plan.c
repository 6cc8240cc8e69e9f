/* plan: what the kernel half reads for a call follows from the types of its arguments. */
#include "probe/syscall/decode.h"

static void set_count(struct syscall_fetch *f, unsigned arg, enum arg_count count)
{
	static const struct {
		enum syscall_count count;
		int arg;       /* relative to the pointer's, or */
		bool absolute; /* from the first */
	} table[] = {
		[COUNT_ONE] = { SYSCALL_COUNT_ONE, 0, false },
		[COUNT_NEXT] = { SYSCALL_COUNT_ARG, 1, false },
		[COUNT_PREVIOUS] = { SYSCALL_COUNT_ARG, -1, false },
		[COUNT_FIRST] = { SYSCALL_COUNT_ARG, 0, true },
		[COUNT_RETURN] = { SYSCALL_COUNT_RETURN, 0, false },
		[COUNT_NEXT_POINTED] = { SYSCALL_COUNT_POINTED, 1, false },
		[COUNT_FIRST_BITS] = { SYSCALL_COUNT_BITS, 0, true },
		[COUNT_SECOND_IOCTL] = { SYSCALL_COUNT_IOCTL, 1, true },
	};
	f->count = table[count].count;
	f->count_arg = (uint8_t)((table[count].absolute ? table[count].arg : (int)arg + table[count].arg) & 7);
	if (f->count_arg >= SYSCALL_ARGS)
		f->count_arg = SYSCALL_ARGS - 1;
}

static void add(struct syscall_plan *plan, unsigned arg, const struct arg_memory *m, bool at_exit, unsigned string_bytes)
{
	if (plan->n == SYSCALL_FETCHES)
		return;
	struct syscall_fetch *f = &plan->fetch[plan->n++];
	*f = (struct syscall_fetch){ .kind = m->kind, .arg = arg, .at_exit = at_exit, .unit = MAX(m->unit, 1) };
	f->max = (uint16_t)MIN(m->max ? m->max : string_bytes, (unsigned)SYSCALL_MAX_PATH);
	set_count(f, arg, m->count);
}

void syscall_plan(const struct syscall_row *row, unsigned string_bytes, struct syscall_plan *ret)
{
	*ret = (struct syscall_plan){ .flags = row->flags };
	for (int at_exit = 0; at_exit < 2; at_exit++)
		for (unsigned i = 0; i < syscall_n_args(row); i++) {
			const struct arg_memory *m = row->arg[i].type->memory;
			for (unsigned k = 0; k < 2; k++)
				if (m[k].kind && m[k].when & (at_exit ? AT_EXIT : AT_ENTRY))
					add(ret, i, &m[k], at_exit, string_bytes);
		}
}
