/*
 * copy: a copy of the kernel half that serves one probe alone. Trampolines need one each: their programs are loaded for one
 * function. So does what has no cookie: before 5.15 nothing tells a program on which kprobe or tracepoint it is. (User probes
 * keep theirs in their path: bpf/cookie.abi.h.)
 */
#include <bpf/libbpf.h>

#include "base/macro.h"
#include "priv/loader.h"
#include "probe/func/internal.h"

static bool among(const char *const *names, const char *name)
{
	while (*names && !streq(*names, name))
		names++;
	return *names != NULL;
}

int func_copy(struct engine *e, const struct func_state *s, uint64_t cookie, const char *const programs[], const struct trampoline *t,
	      struct bpf_object **ret, struct reason *why)
{
	struct bpf_program *p;
	int r = loader_open(engine_loader(e), "func", ret, why);
	if (r < 0)
		return r;
	loader_copy_settings(*ret, s->object);
	loader_set_value(*ret, "own_cookie", cookie);
	if (t) {
		loader_set_value(*ret, "argument_words", t->argument_words);
		loader_set_value(*ret, "has_result", t->has_result);
	}
	bpf_object__for_each_program(p, *ret) {
		bool wanted = among(programs, bpf_program__name(p));
		bpf_program__set_autoload(p, wanted);
		if (wanted && t)
			bpf_program__set_attach_target(p, 0, t->function);
	}
	return loader_load(engine_loader(e), *ret, why);
}
