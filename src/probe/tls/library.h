/*
 * library: which functions of a file pass plaintext of TLS, and where their probes go. A library is known by the names that it defines,
 * whatever file it is in: a shared object, or the program itself.
 */
#pragma once

#include "probe/binary.h"
#include "probe/tls/tls.abi.h"

struct tls_function {
	struct func_target target; /* its returns are the library's */
	enum tls_direction direction;
	enum tls_result result;
	bool for_returns, for_sites; /* is it the one to probe where return probes are used, where RETs are? */
};

#define TLS_FUNCTIONS_MAX 16

struct tls_library {
	struct tls_function functions[TLS_FUNCTIONS_MAX];
	size_t n;
	bool is_nss, needs_nss; /* NSPR reads and writes whatever a process has open: of interest where NSS is */
};

struct tls_library *tls_library_new(struct binary *b); /* what @b defines: often nothing */
void tls_library_free(struct tls_library *l);
