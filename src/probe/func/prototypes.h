/* prototypes: parameters of functions that every program shares, where no debug information is needed to know them. */
#pragma once

#include <stddef.h>

#include "bpf/fetch.abi.h"
#include "probe/func/fact.abi.h"

struct prototype_parameter {
	const char *name, *type;
	enum parameter_format format;
	unsigned size; /* bytes of an integer */
};

#define PROTOTYPE_MAX 6

struct prototype {
	const char *name;
	const char *result;               /* type of what it returns; "void": nothing */
	enum parameter_format result_format;
	unsigned result_size;
	struct prototype_parameter parameter[PROTOTYPE_MAX];
};

/* NULL: not in the table. Only for functions of the C library: any program may have its own `write_file`. */
const struct prototype *prototype_find(const char *name);
