#include "priv/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "priv/kernelfs.h"

/* include/uapi/linux/capability.h, Linux 6.18 */
static const char *const cap_names[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
	"CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
	"CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
	"CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
	"CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};
_Static_assert(ARRAY_SIZE(cap_names) == CAP_CHECKPOINT_RESTORE + 1, "a name each");

const char *capability_name(int cap)
{
	return cap >= 0 && (size_t)cap < ARRAY_SIZE(cap_names) ? cap_names[cap] : NULL;
}

void capability_names(uint64_t caps, struct strbuf *out)
{
	const char *comma = "";
	for (int cap = 0; cap < 64; cap++) {
		if (!(caps & CAP_BIT(cap)))
			continue;
		strbuf_adds(out, comma);
		if (capability_name(cap))
			strbuf_adds(out, capability_name(cap));
		else
			strbuf_addf(out, "%d", cap);
		comma = ", ";
	}
}

static int read_int(const char *path)
{
	_cleanup_(free) char *text = NULL;
	return kernelfs_read(AT_FDCWD, path, &text) < 0 ? PRIVILEGE_UNKNOWN : atoi(text);
}

/* proc(5): the first user namespace maps all ids onto themselves. */
static bool in_user_namespace(void)
{
	_cleanup_(free) char *text = NULL;
	unsigned inside, outside, n;
	if (kernelfs_read(AT_FDCWD, "/proc/self/uid_map", &text) < 0)
		return false;
	return sscanf(text, "%u %u %u", &inside, &outside, &n) != 3 || inside != 0 || outside != 0 || n != UINT_MAX;
}

static void read_status(struct privilege *p)
{
	_cleanup_(free) char *text = NULL;
	const char *at;
	if (kernelfs_read(AT_FDCWD, "/proc/self/status", &text) < 0)
		return;
	at = strstr(text, "\nCapEff:");
	if (at)
		p->caps = strtoull(at + 8, NULL, 16);
	at = strstr(text, "\nSeccomp:");
	if (at)
		p->seccomp = atoi(at + 9);
}

/* "none [integrity] confidentiality": the one in brackets is in force. */
static void read_lockdown(struct privilege *p, int securityfs)
{
	_cleanup_(free) char *text = NULL;
	if (kernelfs_read(securityfs, "lockdown", &text) < 0)
		return;
	const char *open = strchr(text, '[');
	if (open)
		snprintf(p->lockdown, sizeof(p->lockdown), "%.*s", (int)strcspn(open + 1, "]"), open + 1);
}

static void read_lsms(struct privilege *p, int securityfs)
{
	_cleanup_(free) char *text = NULL;
	if (kernelfs_read(securityfs, "lsm", &text) == 0)
		snprintf(p->lsms, sizeof(p->lsms), "%.*s", (int)strcspn(text, "\n"), text);
}

/* lsm_list_modules(2), Linux 6.8, asks for no privilege. Ids: include/uapi/linux/lsm.h */
static void list_lsms(struct privilege *p)
{
	static const char *const names[] = { "capability", "selinux",  "smack", "tomoyo",   "apparmor", "yama", "loadpin",
					     "safesetid",  "lockdown", "bpf",   "landlock", "ima",      "evm",  "ipe" };
	uint64_t ids[32];
	uint32_t size = sizeof(ids);
	long n = syscall(461 /* __NR_lsm_list_modules, of all architectures */, ids, &size, 0);
	size_t len = 0;
	for (long i = 0; i < n && len < sizeof(p->lsms); i++)
		if (ids[i] >= 100 && ids[i] - 100 < ARRAY_SIZE(names))
			len += (size_t)snprintf(p->lsms + len, sizeof(p->lsms) - len, "%s%s", len ? "," : "", names[ids[i] - 100]);
}

void privilege_read(struct privilege *ret)
{
	*ret = (struct privilege){ .uid = getuid(), .euid = geteuid(), .user_namespace = in_user_namespace() };
	int last = read_int("/proc/sys/kernel/cap_last_cap");
	ret->caps_known = last >= 0 && last < 63 ? CAP_BIT(last + 1) - 1 : 0;
	ret->unprivileged_bpf_disabled = read_int("/proc/sys/kernel/unprivileged_bpf_disabled");
	ret->perf_event_paranoid = read_int("/proc/sys/kernel/perf_event_paranoid");
	ret->kptr_restrict = read_int("/proc/sys/kernel/kptr_restrict");
	read_status(ret);
	_cleanup_(fd_close) int securityfs = kernelfs_open(&kernelfs_securityfs, NULL);
	if (securityfs >= 0) {
		read_lockdown(ret, securityfs);
		read_lsms(ret, securityfs);
	}
	if (!ret->lsms[0])
		list_lsms(ret);
}

bool privilege_has(const struct privilege *p, int cap)
{
	/* capability.h: CAP_BPF and CAP_PERFMON were cut out of CAP_SYS_ADMIN in Linux 5.8, which still includes them. */
	uint64_t enough = CAP_BIT(cap);
	if (cap == CAP_BPF || cap == CAP_PERFMON)
		enough |= CAP_BIT(CAP_SYS_ADMIN);
	return p->caps & enough;
}

bool privilege_has_lsm(const struct privilege *p, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = p->lsms; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == len && memcmp(at, name, len) == 0)
			return true;
	return false;
}

/* Nobody tells which check refused. What is known to refuse, likeliest first. */
static const char *suspect(const struct privilege *p)
{
	if (p->user_namespace)
		return "this is a user namespace, whose capabilities do not count for it";
	if (p->seccomp)
		return "perhaps by the seccomp filter on this process (containers: --security-opt seccomp=unconfined)";
	if (p->lockdown[0] && !streq(p->lockdown, "none"))
		return "perhaps by kernel lockdown, which is in force";
	return "perhaps by a security module, the hypervisor, or before Linux 5.11 the limit of locked memory (ulimit -l)";
}

static int blame_refusal(int r, const char *call, uint64_t caps, struct reason *why)
{
	struct privilege p;
	_cleanup_(strbuf_done) struct strbuf missing = {};
	privilege_read(&p);
	if (!(p.caps_known & CAP_BIT(CAP_BPF)) && (caps & (CAP_BIT(CAP_BPF) | CAP_BIT(CAP_PERFMON))))
		caps = CAP_BIT(CAP_SYS_ADMIN);
	for (int cap = 0; cap < 64; cap++)
		if ((caps & CAP_BIT(cap)) && privilege_has(&p, cap))
			caps &= ~CAP_BIT(cap);
	capability_names(caps, &missing);
	if (caps)
		return reason_set(why, r, "%s from %s: needs %s", strerrorname_np(-r), call, missing.data);
	return reason_set(why, r, "%s from %s with all capabilities for it: %s", strerrorname_np(-r), call, suspect(&p));
}

int privilege_blame(int r, const char *call, uint64_t caps, struct reason *why)
{
	if (r == -EPERM || r == -EACCES)
		return blame_refusal(r, call, caps, why);
	const char *name = strerrorname_np(-r);
	return reason_set(why, r, "%s from %s: this kernel does not have it", name ? name : "failure", call);
}
