#include "record/crc32c.h"

#include <stdbool.h>
#include <string.h>

#if defined(__aarch64__)
#include <sys/auxv.h>

#define HWCAP_CRC32_BIT (1ul << 7) /* linux/arch/arm64/include/uapi/asm/hwcap.h */
#define WITH_INSTRUCTION

/* In assembler: the compilers have different names for it. */
static inline uint64_t crc_step8(uint64_t crc, uint64_t word)
{
	__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %1" : "+r"(crc) : "r"(word));
	return crc;
}

static inline uint64_t crc_step1(uint64_t crc, uint8_t byte)
{
	__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(byte));
	return crc;
}

static bool has_instruction(void)
{
	return getauxval(AT_HWCAP) & HWCAP_CRC32_BIT;
}
#elif defined(__x86_64__)
#define WITH_INSTRUCTION __attribute__((target("sse4.2")))
#define crc_step8(crc, word) __builtin_ia32_crc32di((crc), (word))
#define crc_step1(crc, byte) __builtin_ia32_crc32qi((uint32_t)(crc), (byte))

static bool has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#endif

#ifdef WITH_INSTRUCTION
WITH_INSTRUCTION static uint32_t by_instruction(const unsigned char *at, size_t len)
{
	uint64_t crc = UINT32_MAX;
	for (; len >= 8; at += 8, len -= 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		crc = crc_step8(crc, word);
	}
	for (; len; at++, len--)
		crc = crc_step1(crc, *at);
	return ~(uint32_t)crc;
}
#endif

uint32_t crc32c_by_table(const void *bytes, size_t len)
{
	/* What four bits add, of the polynomial 0x1edc6f41, reflected. */
	static const uint32_t nibble[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const unsigned char *at = bytes;
	uint32_t crc = UINT32_MAX;
	for (; len; at++, len--) {
		crc ^= *at;
		crc = (crc >> 4) ^ nibble[crc & 0xf];
		crc = (crc >> 4) ^ nibble[crc & 0xf];
	}
	return ~crc;
}

uint32_t crc32c(const void *bytes, size_t len)
{
#ifdef WITH_INSTRUCTION
	if (has_instruction())
		return by_instruction(bytes, len);
#endif
	return crc32c_by_table(bytes, len);
}
