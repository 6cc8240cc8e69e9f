#pragma once
#include "shape/where.abi.h"
static inline bool where_eval(const struct where_program *p, const __s64 *values, unsigned known) { return true; }
