/*
 * site: places for probes in x86-64 code.
 *
 * An entry probe sits on the first instruction, or behind an endbr64, which does nothing but is stepped over (10 us) where
 * the push after it is emulated (0.5 us). Two traps are looked for:
 *
 * - A branch back to the instruction behind endbr64, as of a loop that is the whole function: a probe there would count
 *   turns, not calls. Then the probe sits on the endbr64.
 * - A nop of five bytes, which Linux 6.18 turns into a call of a trampoline of its own: that call pushes, and so
 *   overwrites what a leaf function keeps below its stack pointer (psABI x86-64, 3.2.2: the red zone of 128 bytes). At the
 *   very entry nothing is kept there yet; but where a function uses the red zone at all, the probe sits beside the nop.
 *
 * Exit probes sit on the RETs. A sweep from the first byte finds them, and distrusts itself: a probe that hits data would
 * change it. Bytes that are no instruction, instructions that no program uses, and branches into the middle of an
 * instruction tell that data lies among the code.
 */
#include "arch/site.h"

#include <capstone/capstone.h>
#include <string.h>

#include "arch/x86_64/insn.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/macro.h"

#define ENDBR64_BYTES 4

const char *site_refusal_text(enum site_refusal r)
{
	static const char *const texts[] = {
		[SITE_OK] = "can be probed",
		[SITE_NO_CODE] = "no code there",
		[SITE_INVALID_INSN] = "the kernel puts no probe on the instruction there",
		[SITE_RED_ZONE_NOP5] = "a probe on its nop would overwrite what it keeps below the stack pointer",
		[SITE_NO_SIZE] = "its end is not known",
		[SITE_UNDECODABLE] = "not all of its bytes are instructions",
	};
	return (unsigned)r < ARRAY_SIZE(texts) ? texts[r] : "?";
}

/* A walk over instructions in the order in which they lie. */
struct sweep {
	csh capstone;
	cs_insn *insn; /* the current one; detail is NULL unless asked for */
	const uint8_t *at;
	size_t left;
	uint64_t next; /* offset of the next one */
};

static void sweep_done(struct sweep *s)
{
	if (s->insn)
		cs_free(s->insn, 1);
	if (s->capstone)
		cs_close(&s->capstone);
}
DEFINE_CLEANUP_IN_PLACE(struct sweep, sweep_done)

static bool sweep_begin(struct sweep *s, struct slice code, uint32_t offset, bool detail)
{
	if (offset >= code.len || cs_open(CS_ARCH_X86, CS_MODE_64, &s->capstone) != CS_ERR_OK)
		return false;
	cs_option(s->capstone, CS_OPT_DETAIL, detail ? CS_OPT_ON : CS_OPT_OFF);
	s->insn = cs_malloc(s->capstone);
	s->at = (const uint8_t *)code.data + offset;
	s->left = code.len - offset;
	s->next = offset;
	return s->insn != NULL;
}

/* False at the end (@left is 0), or at what is no instruction. */
static bool sweep_next(struct sweep *s)
{
	return s->left > 0 && cs_disasm_iter(s->capstone, &s->at, &s->left, &s->next, s->insn);
}

/* Offset that a relative jump or call leads to; -1 for every other instruction. */
static int64_t branch_target(const uint8_t *bytes, size_t len, uint64_t offset)
{
	struct insn i;
	if (!insn_read(bytes, len, &i) || i.map == INSN_VECTOR)
		return -1;
	bool near = i.map == INSN_0F ? (i.opcode & 0xf0) == 0x80 : i.opcode == 0xe8 || i.opcode == 0xe9;
	bool near8 = i.map == INSN_ONE_BYTE && ((i.opcode & 0xf0) == 0x70 || i.opcode == 0xeb || (i.opcode & 0xfc) == 0xe0);
	int32_t distance;
	if (near && len >= 5)
		memcpy(&distance, bytes + len - 4, 4);
	else if (near8 && len >= 2)
		distance = (int8_t)bytes[len - 1];
	else
		return -1;
	return (int64_t)(offset + len) + distance;
}

/* Is @bytes[0..end) perhaps the end of a jump of @distance? */
static bool ends_jump(const uint8_t *bytes, size_t end, int64_t distance)
{
	int32_t far = 0;
	if (end >= 2 && distance >= INT8_MIN && bytes[end - 1] == (uint8_t)distance) {
		uint8_t opcode = bytes[end - 2];
		if ((opcode & 0xf0) == 0x70 || (opcode & 0xfc) == 0xe0 || opcode == 0xeb)
			return true;
	}
	if (end < 5)
		return false;
	memcpy(&far, bytes + end - 4, 4);
	return far == distance && (bytes[end - 5] == 0xe9 || (bytes[end - 5] & 0xf0) == 0x80);
}

/* Quick and unsure, as it looks at bytes and not at instructions: one function in thirty has such bytes by chance. */
static bool may_branch_to(struct slice code, uint32_t target)
{
	for (size_t end = target + 1; end <= code.len; end++)
		if (ends_jump((const uint8_t *)code.data, end, (int64_t)target - (int64_t)end))
			return true;
	return false;
}

static bool branches_to(struct slice code, uint32_t target)
{
	if (!may_branch_to(code, target))
		return false;
	_cleanup_(sweep_done) struct sweep s = {};
	if (!sweep_begin(&s, code, 0, false))
		return true;
	while (sweep_next(&s))
		if (branch_target(s.insn->bytes, s.insn->size, s.insn->address) == (int64_t)target && s.insn->bytes[0] != 0xe8)
			return true;
	return false;
}

/* Does it touch what lies below the stack pointer, or (in a leaf) could it by a copy of that? */
static void look_at_stack(const cs_insn *insn, bool *below, bool *copied)
{
	const cs_x86 *x = &insn->detail->x86;
	for (uint8_t i = 0; i < x->op_count; i++) {
		const cs_x86_op *op = &x->operands[i];
		if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RSP && op->mem.disp < 0)
			*below = true;
		if (i > 0 && op->type == X86_OP_REG && op->reg == X86_REG_RSP)
			*copied = true;
	}
}

bool site_uses_red_zone(struct slice code)
{
	_cleanup_(sweep_done) struct sweep s = {};
	bool below = false, copied = false, calls = false;
	if (!sweep_begin(&s, code, 0, true))
		return true;
	while (sweep_next(&s)) {
		look_at_stack(s.insn, &below, &copied);
		calls |= s.insn->id == X86_INS_CALL;
	}
	return below || (copied && !calls) || s.left > 0;
}

enum site_refusal site_at(struct slice code, uint32_t offset, struct site *ret)
{
	_cleanup_(sweep_done) struct sweep s = {};
	struct insn i;
	/* Most functions begin with a push, which is known by sight; a disassembler takes 10 us to begin. */
	if (offset < code.len && insn_read((const uint8_t *)code.data + offset, code.len - offset, &i) && insn_is_push(&i)) {
		*ret = (struct site){ .offset = offset, .cost = SITE_EMULATED };
		return SITE_OK;
	}
	if (!sweep_begin(&s, code, offset, false) || !sweep_next(&s) || !insn_read(s.insn->bytes, s.insn->size, &i))
		return SITE_NO_CODE;
	if (!insn_can_be_probed(&i))
		return SITE_INVALID_INSN;
	if (s.insn->size == 5 && insn_is_nop(&i) && site_uses_red_zone(code))
		return SITE_RED_ZONE_NOP5;
	*ret = (struct site){ .offset = offset, .cost = insn_is_emulated(&i) ? SITE_EMULATED : SITE_STEPPED };
	return SITE_OK;
}

enum site_refusal site_entry(struct slice code, struct site *ret)
{
	uint32_t first = 0;
	if (code.len > ENDBR64_BYTES && memcmp(code.data, "\xf3\x0f\x1e\xfa", ENDBR64_BYTES) == 0 && !branches_to(code, ENDBR64_BYTES))
		first = ENDBR64_BYTES;
	enum site_refusal r = site_at(code, first, ret);
	if (r == SITE_RED_ZONE_NOP5 && !branches_to(code, first + 5) && site_at(code, first + 5, ret) == SITE_OK)
		return SITE_OK;
	if (r != SITE_OK && r != SITE_NO_CODE && first > 0)
		return site_at(code, 0, ret);
	return r;
}

/* What a sweep has learnt of where instructions begin, a bit a byte. */
static bool bit(const uint8_t *bits, uint64_t n)
{
	return bits[n / 8] >> (n % 8) & 1;
}

static void set_bit(uint8_t *bits, uint64_t n)
{
	bits[n / 8] |= (uint8_t)(1u << (n % 8));
}

/* add %al,(%rax): nobody adds to a place the low byte of its address. */
static bool is_zeroes(const cs_insn *insn)
{
	return insn->size == 2 && insn->bytes[0] == 0 && insn->bytes[1] == 0;
}

static bool is_return(const struct insn *i)
{
	return i->map == INSN_ONE_BYTE && (i->opcode == 0xc3 || i->opcode == 0xc2);
}

/* glibc jumps over the lock of a locked instruction where there is one thread alone. */
static bool targets_are_instructions(struct slice code, const uint8_t *begins, const uint8_t *targets)
{
	for (size_t i = 0; i < code.len; i++) {
		bool behind_lock = i > 0 && (uint8_t)code.data[i - 1] == 0xf0 && bit(begins, i - 1);
		if (bit(targets, i) && !bit(begins, i) && !behind_lock)
			return false;
	}
	return true;
}

enum site_refusal site_returns(struct slice code, struct site *ret, size_t max, size_t *ret_n)
{
	_cleanup_(sweep_done) struct sweep s = {};
	if (code.len == 0)
		return SITE_NO_SIZE;
	if (!sweep_begin(&s, code, 0, false))
		return SITE_NO_CODE;
	_cleanup_(free) uint8_t *begins = xcalloc(1, code.len / 8 + 1);
	_cleanup_(free) uint8_t *targets = xcalloc(1, code.len / 8 + 1);
	size_t n = 0;
	while (sweep_next(&s)) {
		struct insn i;
		if (!insn_read(s.insn->bytes, s.insn->size, &i) || insn_is_foreign(&i) || is_zeroes(s.insn))
			return SITE_UNDECODABLE;
		set_bit(begins, s.insn->address);
		int64_t target = branch_target(s.insn->bytes, s.insn->size, s.insn->address);
		if (target >= 0 && target < (int64_t)code.len)
			set_bit(targets, (uint64_t)target);
		if (!is_return(&i))
			continue;
		if (!insn_can_be_probed(&i))
			return SITE_INVALID_INSN;
		if (n++ < max)
			ret[n - 1] = (struct site){ .offset = (uint32_t)s.insn->address, .cost = SITE_STEPPED };
	}
	if (s.left > 0)
		return SITE_UNDECODABLE;
	if (!targets_are_instructions(code, begins, targets))
		return SITE_UNDECODABLE;
	*ret_n = n;
	return SITE_OK;
}
