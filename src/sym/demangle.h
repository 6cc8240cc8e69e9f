/* demangle: C++ (Itanium), Rust (legacy and v0) and D names as people write them. */
#pragma once

/*
 * Returns a string to free(), without parameters in C++, or NULL when @name is not mangled (or malformed). Bounded: a name
 * over 4 KiB, one whose text would exceed 64 KiB, and one made to be parsed forever are left alone.
 */
char *demangle(const char *name);
