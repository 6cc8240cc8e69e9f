/*
 * cookie.abi.h: how a user probe keeps its cookie where the kernel has none for it (before 5.15).
 *
 * The kernel keeps the path under which a probe was asked for, as it was written. "//" and "/./" mean nothing in a path, so
 * 64 times one of them spell the cookie: /proc/ ("./" | "//") x 64 self/fd/N. Bit 0 comes first; '/' is 1.
 */
#pragma once

#define COOKIE_PATH_BEGIN "/proc/"
#define COOKIE_PATH_SKIP (sizeof(COOKIE_PATH_BEGIN) - 1)
#define COOKIE_PATH_BITS 64 /* of two characters each */
#define COOKIE_PATH_WORDS (COOKIE_PATH_BITS * 2 / 8) /* of 8 characters: 4 bits */
_Static_assert(('/' & 1) == 1 && ('.' & 1) == 0, "the lowest bit of the character is the cookie's");
