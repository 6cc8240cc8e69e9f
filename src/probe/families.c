#include "probe/families.h"

#include "base/macro.h"

const struct probe_ops *const probe_families[] = {
	&task_probe,
	&func_probe,
	&syscall_probe,
	&sock_probe,
	&tls_probe,
	NULL,
};

const struct probe_ops *probe_family(const char *name)
{
	for (size_t i = 0; probe_families[i]; i++)
		if (streq(probe_families[i]->name, name))
			return probe_families[i];
	return NULL;
}

uint32_t probe_events(const char *const *families, bool tables)
{
	uint32_t events = 0;
	for (size_t i = 0; families[i]; i++) {
		const struct probe_ops *ops = probe_family(families[i]);
		events |= !ops ? 0 : tables ? ops->tables : ops->events;
	}
	return events;
}
