/* demangle: C++ (Itanium), Rust (legacy and v0) and D names as people write them. */
#pragma once

/* Returns a string to free(), or NULL when @name is not mangled (or malformed). Bounded: a name over 4 KiB is left alone. */
char *demangle(const char *name);
