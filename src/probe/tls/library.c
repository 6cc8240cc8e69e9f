#include "probe/tls/library.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/macro.h"

#define CODE_BYTES 4096u  /* of a function, that are looked at for the place of its probe */
#define WRAPPER_BYTES 256u /* that does little more than to call another */

enum function {
	SSL_READ, SSL_WRITE, SSL_READ_EX, SSL_WRITE_EX, SSL_WRITE_EX2, GNUTLS_RECV, GNUTLS_SEND, GNUTLS_SEND2,
	NSPR_READ, NSPR_RECV, NSPR_WRITE, NSPR_SEND, NSS_IMPORT, FUNCTIONS,
};

/*
 * OpenSSL since 1.1, BoringSSL and LibreSSL (ssl.h); GnuTLS (gnutls.h). What peeks, or only shakes hands, passes nothing. Of functions that
 * are a jump to another of them (SSL_write_ex since OpenSSL 3.3, gnutls_record_send since 3.6) the other is probed. NSS puts itself below
 * the reads and writes of NSPR, which serve files as well; they are jumps, so they have no RETs.
 */
static const struct {
	const char *name;
	enum tls_direction direction;
	enum tls_result result;
	enum function jumps_to; /* where the library has that; 0: to none */
} functions[FUNCTIONS] = {
	[SSL_READ] = { "SSL_read", TLS_RECEIVED, TLS_RESULT_INT, 0 },
	[SSL_WRITE] = { "SSL_write", TLS_SENT, TLS_RESULT_INT, 0 },
	[SSL_READ_EX] = { "SSL_read_ex", TLS_RECEIVED, TLS_RESULT_EX, 0 },
	[SSL_WRITE_EX] = { "SSL_write_ex", TLS_SENT, TLS_RESULT_EX, SSL_WRITE_EX2 },
	[SSL_WRITE_EX2] = { "SSL_write_ex2", TLS_SENT, TLS_RESULT_EX2, 0 },
	[GNUTLS_RECV] = { "gnutls_record_recv", TLS_RECEIVED, TLS_RESULT_LONG, 0 },
	[GNUTLS_SEND] = { "gnutls_record_send", TLS_SENT, TLS_RESULT_LONG, GNUTLS_SEND2 },
	[GNUTLS_SEND2] = { "gnutls_record_send2", TLS_SENT, TLS_RESULT_LONG, 0 },
	[NSPR_READ] = { "PR_Read", TLS_RECEIVED, TLS_RESULT_INT, 0 },
	[NSPR_RECV] = { "PR_Recv", TLS_RECEIVED, TLS_RESULT_INT, 0 },
	[NSPR_WRITE] = { "PR_Write", TLS_SENT, TLS_RESULT_INT, 0 },
	[NSPR_SEND] = { "PR_Send", TLS_SENT, TLS_RESULT_INT, 0 },
	[NSS_IMPORT] = { "SSL_ImportFD", 0, 0, 0 }, /* passes nothing: it tells that NSS is here */
};

static struct slice code_of(struct binary *b, uint64_t offset, uint64_t size)
{
	return elf_bytes(b->elf, offset, (size_t)MIN(size ? size : WRAPPER_BYTES, CODE_BYTES));
}

static struct tls_function *add(struct tls_library *l, struct binary *b, enum function which, const struct elf_func *func)
{
	struct tls_function f = {
		.target = { .func = *func, .name = functions[which].name }, .direction = functions[which].direction, .result = functions[which].result,
		.for_returns = true, .for_sites = true,
	};
	f.target.func.linkage_name = functions[which].name;
	f.target.refused = site_entry(code_of(b, func->offset, func->size), &f.target.entry);
	if (f.target.refused != SITE_OK || l->n == TLS_FUNCTIONS_MAX)
		return NULL;
	l->functions[l->n] = f;
	return &l->functions[l->n++];
}

/*
 * OpenSSL's @plain and @ex both do no more than to call a function without a name, with @ex's arguments and result. To probe that one costs a
 * twentieth where it begins by a push and they do not, and it is one instead of two. Where returns are looked for, @plain and @ex serve: it may
 * end by a jump.
 */
static void prefer_inner(struct tls_library *l, struct binary *b, const struct elf_func found[FUNCTIONS], enum function plain, enum function ex)
{
	const struct elf_func *p = &found[plain], *x = &found[ex];
	if (!p->linkage_name || !x->linkage_name)
		return;
	int64_t distance = site_wrapped(code_of(b, x->offset, MIN(x->size, WRAPPER_BYTES)));
	struct elf_func inner = { .addr = x->addr + (uint64_t)distance, .offset = x->offset + (uint64_t)distance };
	struct site site;
	if (!distance || !site_calls(code_of(b, p->offset, MIN(p->size, WRAPPER_BYTES)), (int64_t)(inner.offset - p->offset)) ||
	    site_entry(code_of(b, inner.offset, 0), &site) != SITE_OK || site.cost != SITE_EMULATED)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (l->functions[i].target.func.offset == p->offset || l->functions[i].target.func.offset == x->offset)
			l->functions[i].for_returns = false;
	struct tls_function *f = add(l, b, ex, &inner);
	if (f)
		f->for_sites = false;
}

struct tls_library *tls_library_new(struct binary *b)
{
	const char *names[FUNCTIONS];
	struct elf_func found[FUNCTIONS] = {};
	struct tls_library *l = xcalloc(1, sizeof(*l));
	if (!b->elf)
		return l;
	for (size_t i = 0; i < FUNCTIONS; i++)
		names[i] = functions[i].name;
	size_t n = elf_find(b->elf, names, FUNCTIONS, found);
	l->is_nss = found[NSS_IMPORT].linkage_name;
	l->needs_nss = found[NSPR_READ].linkage_name;
	for (enum function i = 0; n && i < NSS_IMPORT; i++)
		if (found[i].linkage_name && !(functions[i].jumps_to && found[functions[i].jumps_to].linkage_name))
			add(l, b, i, &found[i]);
	prefer_inner(l, b, found, SSL_READ, SSL_READ_EX);
	prefer_inner(l, b, found, SSL_WRITE, found[SSL_WRITE_EX2].linkage_name ? SSL_WRITE_EX2 : SSL_WRITE_EX);
	elf_forget(b->elf);
	return l;
}

void tls_library_free(struct tls_library *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->functions[i].target.returns);
	free(l);
}
