#include "probe/families.h"

#include "base/macro.h"

const struct probe_ops *const probe_families[] = {
	&task_probe,
	&func_probe,
	&syscall_probe,
	NULL,
};

const struct probe_ops *probe_family(const char *name)
{
	for (size_t i = 0; probe_families[i]; i++)
		if (streq(probe_families[i]->name, name))
			return probe_families[i];
	return NULL;
}
