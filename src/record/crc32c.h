/* crc32c: the checksum of recordings, CRC-32C (Castagnoli), as RFC 3720 section 12.1 and appendix B.4 have it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *bytes, size_t len);
/* The same without the CPU's instruction: for tests, and for CPUs that lack it. */
uint32_t crc32c_by_table(const void *bytes, size_t len);
