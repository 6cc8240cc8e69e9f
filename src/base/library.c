#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int library_load(const char *soname, const struct library_symbol *symbols, size_t n, struct reason *why)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return reason_set(why, -ENOENT, "%s is not installed here, or cannot be loaded: %s", soname, dlerror());
	for (size_t i = 0; i < n; i++) {
		void *found = dlsym(library, symbols[i].name);
		if (!found)
			return reason_set(why, -ENOENT, "%s is too old: it has no %s", soname, symbols[i].name);
		memcpy(symbols[i].place, &found, sizeof(found));
	}
	return 0;
}
