/* wrapper: functions that only hand their arguments on. Their first instruction is often one that the kernel steps over, that of what they call a push. */
#include <string.h>

#include "arch/site.h"

#define ENDBR64 "\xf3\x0f\x1e\xfa"
#define SUB_RSP "\x48\x83\xec" /* sub $imm8,%rsp */
#define CALL 0xe8              /* of a relative address, 4 bytes */
#define CALL_BYTES 5

static int64_t target_of_call(const char *call, size_t offset)
{
	int32_t distance;
	memcpy(&distance, call + 1, sizeof(distance));
	return (int64_t)(offset + CALL_BYTES) + distance;
}

int64_t site_wrapped(struct slice code)
{
	size_t at = 0;
	while (at + CALL_BYTES <= code.len) {
		const char *p = code.data + at;
		if (memcmp(p, ENDBR64, 4) == 0 || memcmp(p, SUB_RSP, 3) == 0)
			at += 4;
		else if ((p[0] & 0xf8) == 0x50) /* push of a register */
			at += 1;
		else
			return (uint8_t)p[0] == CALL ? target_of_call(p, at) : 0;
	}
	return 0;
}

bool site_calls(struct slice code, int64_t distance)
{
	for (size_t at = 0; at + CALL_BYTES <= code.len; at++)
		if ((uint8_t)code.data[at] == CALL && target_of_call(code.data + at, at) == distance)
			return true;
	return false;
}
