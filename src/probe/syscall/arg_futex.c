/* arg_futex: which of futex's arguments there are depends on the operation (uapi/linux/futex.h). */
#include <inttypes.h>

#include "probe/syscall/decode.h"

#define COMMAND 0x7f
#define PRIVATE 128
#define CLOCK_REALTIME_FLAG 256

enum futex_op { WAIT, WAKE, FD, REQUEUE, CMP_REQUEUE, WAKE_OP, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_BITSET, WAKE_BITSET,
		WAIT_REQUEUE_PI, CMP_REQUEUE_PI, LOCK_PI2, OPS };

/* What follows the operation: v val, t timeout, n second number, a second address, b bitset, x third number, o wake operation. */
static const struct {
	const char *name, *arguments;
} ops[OPS] = {
	[WAIT] = { "FUTEX_WAIT", "vt" }, [WAKE] = { "FUTEX_WAKE", "v" }, [FD] = { "FUTEX_FD", "v" },
	[REQUEUE] = { "FUTEX_REQUEUE", "vna" }, [CMP_REQUEUE] = { "FUTEX_CMP_REQUEUE", "vnax" }, [WAKE_OP] = { "FUTEX_WAKE_OP", "vnao" },
	[LOCK_PI] = { "FUTEX_LOCK_PI", "t" }, [UNLOCK_PI] = { "FUTEX_UNLOCK_PI", "" }, [TRYLOCK_PI] = { "FUTEX_TRYLOCK_PI", "" },
	[WAIT_BITSET] = { "FUTEX_WAIT_BITSET", "vtb" }, [WAKE_BITSET] = { "FUTEX_WAKE_BITSET", "vb" },
	[WAIT_REQUEUE_PI] = { "FUTEX_WAIT_REQUEUE_PI", "vta" }, [CMP_REQUEUE_PI] = { "FUTEX_CMP_REQUEUE_PI", "vnax" },
	[LOCK_PI2] = { "FUTEX_LOCK_PI2", "t" },
};

static bool takes(const struct call *c, char argument)
{
	uint32_t op = (uint32_t)call_arg(c, 1) & COMMAND;
	const char *arguments = op < OPS ? ops[op].arguments : "vtax";
	for (; *arguments; arguments++)
		if (*arguments == argument)
			return true;
	return false;
}

static struct value decode_op(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint32_t op = (uint32_t)word & COMMAND, rest = (uint32_t)word & ~(uint32_t)(COMMAND | PRIVATE | CLOCK_REALTIME_FLAG);
	_cleanup_(strbuf_done) struct strbuf b = {};
	if (op < OPS)
		strbuf_adds(&b, ops[op].name);
	else
		strbuf_addf(&b, "%#" PRIx32 " /* FUTEX_??? */", op);
	if (word & PRIVATE)
		strbuf_adds(&b, op == FD || op >= OPS ? "|FUTEX_PRIVATE_FLAG" : "_PRIVATE");
	if (word & CLOCK_REALTIME_FLAG)
		strbuf_adds(&b, "|FUTEX_CLOCK_REALTIME");
	if (rest)
		strbuf_addf(&b, "|%#" PRIx32, rest);
	return value_taken(c, UINT_VALUE((uint32_t)word), &b);
}
const struct arg_type type_futex_op = { "int", decode_op };

static struct value decode_value(struct call *c, uint64_t word, const struct arg_type *type)
{
	return takes(c, 'v') ? UINT_VALUE((uint32_t)word) : (struct value){};
}
const struct arg_type type_futex_value = { "uint32_t", decode_value };

static struct value decode_timeout(struct call *c, uint64_t word, const struct arg_type *type)
{
	if (takes(c, 't'))
		return timespec_at(c, AT_ENTRY, word);
	return takes(c, 'n') ? UINT_VALUE((uint32_t)word) : (struct value){};
}
const struct arg_type type_futex_timeout = { "const struct timespec *", decode_timeout, NULL,
					     { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_ONE, 16, 16 } } };

static struct value decode_second(struct call *c, uint64_t word, const struct arg_type *type)
{
	return takes(c, 'a') ? value_address(c, word) : (struct value){};
}
const struct arg_type type_futex_second = { "uint32_t *", decode_second };

/* FUTEX_WAKE_OP: four fields in a word, op<<28|cmp<<24|oparg<<12|cmparg, written in the order of the macro's use. */
static struct value wake_op_value(struct call *c, uint32_t word)
{
	static const char *const verbs[] = { "SET", "ADD", "OR", "ANDN", "XOR" };
	static const char *const tests[] = { "EQ", "NE", "LT", "LE", "GT", "GE" };
	_cleanup_(strbuf_done) struct strbuf b = {};
	uint32_t verb = word >> 28 & 7, test = word >> 24 & 15, first = word >> 12 & 0xfff, second = word & 0xfff;
	if (word >> 31)
		strbuf_adds(&b, "FUTEX_OP_OPARG_SHIFT<<28|");
	if (verb < ARRAY_SIZE(verbs))
		strbuf_addf(&b, "FUTEX_OP_%s<<28", verbs[verb]);
	else
		strbuf_addf(&b, "%#" PRIx32 "<<28 /* FUTEX_OP_??? */", verb);
	strbuf_addf(&b, "|%#" PRIx32 "<<12|", first);
	if (test < ARRAY_SIZE(tests))
		strbuf_addf(&b, "FUTEX_OP_CMP_%s<<24", tests[test]);
	else
		strbuf_addf(&b, "%#" PRIx32 "<<24 /* FUTEX_OP_CMP_??? */", test);
	strbuf_addf(&b, "|%#" PRIx32, second);
	return value_taken(c, UINT_VALUE(word), &b);
}

static struct value decode_third(struct call *c, uint64_t word, const struct arg_type *type)
{
	uint32_t x = (uint32_t)word;
	if (takes(c, 'b'))
		return x == UINT32_MAX ? value_named(UINT_VALUE(x), "FUTEX_BITSET_MATCH_ANY") : value_hex(c, x);
	if (takes(c, 'o'))
		return wake_op_value(c, x);
	return takes(c, 'x') ? UINT_VALUE(x) : (struct value){};
}
const struct arg_type type_futex_third = { "uint32_t", decode_third };
