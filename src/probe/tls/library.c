#include "probe/tls/library.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/macro.h"

#define CODE_BYTES 4096ul /* of a function, that are looked at for the place of its probe */

/*
 * OpenSSL since 1.1, BoringSSL and LibreSSL (ssl.h); GnuTLS (gnutls.h). What peeks, or only shakes hands, passes nothing.
 */
static const struct {
	const char *name;
	enum tls_direction direction;
	enum tls_result result;
} functions[] = {
	{ "SSL_read", TLS_RECEIVED, TLS_RESULT_INT },
	{ "SSL_write", TLS_SENT, TLS_RESULT_INT },
	{ "SSL_read_ex", TLS_RECEIVED, TLS_RESULT_EX },
	{ "SSL_write_ex", TLS_SENT, TLS_RESULT_EX },
	{ "gnutls_record_recv", TLS_RECEIVED, TLS_RESULT_LONG },
	{ "gnutls_record_send", TLS_SENT, TLS_RESULT_LONG },
};
_Static_assert(ARRAY_SIZE(functions) <= TLS_FUNCTIONS_MAX, "room");

struct tls_library *tls_library_new(struct binary *b)
{
	const char *names[ARRAY_SIZE(functions)];
	struct elf_func found[ARRAY_SIZE(functions)] = {};
	struct tls_library *l = xcalloc(1, sizeof(*l));
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		names[i] = functions[i].name;
	size_t n = b->elf ? elf_find(b->elf, names, ARRAY_SIZE(names), found) : 0;
	for (size_t i = 0; n && i < ARRAY_SIZE(functions); i++) {
		struct tls_function f = { .direction = functions[i].direction, .result = functions[i].result };
		if (!found[i].linkage_name)
			continue;
		f.target.func = found[i];
		f.target.func.linkage_name = f.target.name = functions[i].name;
		f.target.refused = site_entry(elf_bytes(b->elf, found[i].offset, MIN(found[i].size ? found[i].size : 32, CODE_BYTES)), &f.target.entry);
		if (f.target.refused == SITE_OK)
			l->functions[l->n++] = f;
	}
	if (b->elf)
		elf_forget(b->elf);
	return l;
}

void tls_library_free(struct tls_library *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->functions[i].target.returns);
	free(l);
}
