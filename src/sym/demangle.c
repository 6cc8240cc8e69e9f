/*
 * Names as people write them and as patterns match them: without parameters ("Foo::bar", not "Foo::bar(int) const"), so
 * that a C++ function is asked for as a C one is. What compilers append stays: "Foo::bar.constprop.0".
 *
 * libiberty knows the grammars, but trusts its names; ours come from files that may be hostile.
 *  - A name's text may double with each back reference. The C++ and Rust demanglers write into a callback and own no
 *    memory but their stack, so we count what they write and longjmp() out of them. (Rust's holds a few hundred bytes while
 *    it prints an identifier in punycode; such a name costs us those.)
 *  - Parsing C++ conversion operators backtracks: each nested T_I... takes twice as long as the one before.
 *  - D's has no callback, and backtracks at each nested function type. So what can multiply there is counted beforehand.
 */
#include "sym/demangle.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "base/strbuf.h"

#define NAME_MAX_BYTES 4096u
#define TEXT_MAX_BYTES (64u << 10)
#define CONVERSIONS_MAX 12 /* nested: 2 ** 12 ways to parse */
#define LIFETIMES_MAX_DIGITS 2
#define D_BRANCHES_MAX 32  /* 2 ** 16 ways to parse, 10 ms, or text that grows 3 ** (32 / 3) times */

struct text {
	struct strbuf buf;
	jmp_buf too_long;
};

typedef int demangler(const char *name, int options, demangle_callbackref callback, void *opaque);

static void collect(const char *s, size_t len, void *opaque)
{
	struct text *t = opaque;
	if (t->buf.len + len > TEXT_MAX_BYTES)
		longjmp(t->too_long, 1);
	strbuf_add(&t->buf, s, len);
}

static bool fits(demangler *f, const char *name, int options, struct text *t)
{
	return setjmp(t->too_long) == 0 && f(name, options, collect, t) && t->buf.len;
}

static char *run(demangler *f, const char *name, int options, const char *suffix)
{
	struct text t = {};
	if (!fits(f, name, options, &t)) {
		strbuf_done(&t.buf);
		return NULL;
	}
	strbuf_adds(&t.buf, suffix);
	return t.buf.data;
}

/* Letters that open a function type count twice, back references once; those within identifiers cannot be told apart. */
static bool is_bounded_d(const char *name)
{
	unsigned branches = 0;
	for (; *name; name++)
		branches += strchr("FUVWRY", *name) ? 2 : *name == 'Q';
	return branches <= D_BRANCHES_MAX;
}

static bool is_bounded_cpp(const char *name)
{
	unsigned branches = 0;
	if (!strstr(name, "cv"))
		return true;
	for (const char *p = name; (p = strstr(p, "_I")); p++)
		branches++;
	return branches <= CONVERSIONS_MAX;
}

/*
 * "for<'a, 'b>" of Rust's v0 is a G and how many there are, as a number of base 62 that ends in '_'. libiberty counts up to it
 * even where it prints nothing, and so past our limit of text. Two digits are more than any real function has.
 */
static bool is_bounded_rust(const char *name)
{
	for (const char *p = name; (p = strchr(p, 'G')); p++) {
		size_t digits = strspn(p + 1, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
		if (p > name && strchr("FD", p[-1]) && p[1 + digits] == '_' && digits > LIFETIMES_MAX_DIGITS)
			return false;
	}
	return true;
}

static char *demangle_cpp(const char *name)
{
	/* Nothing in a C++ name is a dot: what follows one is the compiler's (.cold, .part.0, .llvm.1234). */
	_cleanup_(free) char *stem = strndup(name, strcspn(name, "."));
	/*
	 * Without libiberty's limit of recursion, which refuses names above 1 KiB unseen; NAME_MAX_BYTES bounds the depth: 4,000
	 * nested pointers take 1 MB of stack.
	 */
	return stem && is_bounded_cpp(stem) ? run(cplus_demangle_v3_callback, stem, DMGL_NO_RECURSE_LIMIT, name + strlen(stem)) : NULL;
}

char *demangle(const char *name)
{
	if (name[0] != '_' || strnlen(name, NAME_MAX_BYTES + 1) > NAME_MAX_BYTES)
		return NULL;
	if (name[1] == 'D')
		return is_bounded_d(name) ? dlang_demangle(name, DMGL_NO_OPTS) : NULL;
	if (name[1] != 'Z' && name[1] != 'R')
		return NULL;
	/* With that limit: a back reference of Rust may lead to itself. */
	if (name[1] == 'R' && !is_bounded_rust(name))
		return NULL;
	char *text = run(rust_demangle_callback, name, DMGL_NO_OPTS, "");
	if (text || name[1] != 'Z')
		return text;
	return demangle_cpp(name);
}
