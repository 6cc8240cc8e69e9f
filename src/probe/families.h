/* families: every probe family, a line each; add yours here and in families.c. */
#pragma once

#include "probe/probe.h"

extern const struct probe_ops task_probe;
extern const struct probe_ops func_probe;
extern const struct probe_ops syscall_probe;
extern const struct probe_ops sock_probe;
extern const struct probe_ops tls_probe;
