#include "priv/mechanism.h"

#include "base/macro.h"
#include "priv/ability.h"

/* The best first; each list ends with what is always "there": none. */
struct choice {
	enum ability_id ability;
	int mechanism;
};

static int best(const struct choice *choices, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ability_has(choices[i].ability))
			return choices[i].mechanism;
	return 0;
}

enum uprobe_mechanism mechanism_for_uprobes(void)
{
	static const struct choice choices[] = {
		{ ABILITY_UPROBE_SESSION, UPROBES_SESSION },
		{ ABILITY_UPROBE_MULTI, UPROBES_MULTI },
		{ ABILITY_UPROBE, UPROBES_PERF_EVENT },
	};
	return best(choices, ARRAY_SIZE(choices));
}

/*
 * Patterns match many functions, so what attaches many at once goes first; then the trampoline, which is cheaper at each
 * call than a kprobe and asks for the kernel's BTF only.
 */
enum kernel_mechanism mechanism_for_kernel_functions(void)
{
	static const struct choice choices[] = {
		{ ABILITY_KPROBE_SESSION, KERNEL_FUNCTIONS_KPROBE_SESSION },
		{ ABILITY_KPROBE_MULTI, KERNEL_FUNCTIONS_KPROBE_MULTI },
		{ ABILITY_FENTRY, KERNEL_FUNCTIONS_FENTRY },
		{ ABILITY_KPROBE, KERNEL_FUNCTIONS_KPROBE },
	};
	return best(choices, ARRAY_SIZE(choices));
}

enum event_mechanism mechanism_for_events(void)
{
	static const struct choice choices[] = {
		{ ABILITY_RINGBUF, EVENTS_RING_BUFFER },
		{ ABILITY_BPF, EVENTS_PERF_BUFFER },
	};
	return best(choices, ARRAY_SIZE(choices));
}

enum tracepoint_mechanism mechanism_for_tracepoints(void)
{
	static const struct choice choices[] = {
		{ ABILITY_TRACEPOINT, TRACEPOINTS_PERF_EVENT },
	};
	return best(choices, ARRAY_SIZE(choices));
}

enum syscall_mechanism mechanism_for_syscalls(void)
{
	static const struct choice choices[] = {
		{ ABILITY_RAW_TRACEPOINT, SYSCALLS_RAW_TRACEPOINT },
	};
	return best(choices, ARRAY_SIZE(choices));
}

enum socket_mechanism mechanism_for_sockets(void)
{
	static const struct choice choices[] = {
		{ ABILITY_SOCK_LENGTH, SOCKETS_LENGTHS },
		{ ABILITY_RAW_TRACEPOINT, SOCKETS_SYSCALLS },
	};
	return best(choices, ARRAY_SIZE(choices));
}

const struct mechanism uprobe_mechanisms[] = {
	[UPROBES_NONE] = { "none", "user functions need session, multi or uprobe" },
	[UPROBES_PERF_EVENT] = { "perf_event", "perf_event uprobes: few functions at once, slow to detach" },
	[UPROBES_MULTI] = { "multi", "uprobe_multi: a link for all entries, one for all returns" },
	[UPROBES_SESSION] = { "session", "uprobe session: one link for all entries and returns" },
};

/* A USDT probe has no return. */
const struct mechanism usdt_mechanisms[] = {
	[UPROBES_NONE] = { "none", "USDT probes need multi or uprobe" },
	[UPROBES_PERF_EVENT] = { "perf_event", "perf_event uprobes: few probes at once, slow to detach" },
	[UPROBES_MULTI] = { "multi", "uprobe_multi: one link for all probes of a file" },
	[UPROBES_SESSION] = { "multi", "uprobe_multi: one link for all probes of a file" },
};

/* Two functions of OpenSSL, four of what has no function that all of them call. */
const struct mechanism tls_mechanisms[] = {
	[UPROBES_NONE] = { "none", "the plaintext of TLS needs session, multi or uprobe" },
	[UPROBES_PERF_EVENT] = { "perf_event", "perf_event uprobes on 2-4 functions of a TLS library: 1-2 us a call" },
	[UPROBES_MULTI] = { "multi", "uprobe_multi on 2-4 functions of a TLS library: 1-2 us a call" },
	[UPROBES_SESSION] = { "session", "uprobe session on 2-4 functions of a TLS library: 1-2 us a call" },
};

const struct mechanism kernel_mechanisms[] = {
	[KERNEL_FUNCTIONS_NONE] = { "none", "kernel functions need kprobe, kprobe_multi or fentry" },
	[KERNEL_FUNCTIONS_KPROBE] = { "kprobe", "perf_event kprobes: few functions at once, slow to detach" },
	[KERNEL_FUNCTIONS_FENTRY] = { "fentry", "fentry and fexit: a program and a trampoline a function" },
	[KERNEL_FUNCTIONS_KPROBE_MULTI] = { "kprobe_multi", "kprobe_multi: a link for all entries, one for all returns" },
	[KERNEL_FUNCTIONS_KPROBE_SESSION] = { "kprobe_session", "kprobe session: one link for all entries and returns" },
};

const struct mechanism event_mechanisms[] = {
	[EVENTS_NONE] = { "none", "nothing works without bpf" },
	[EVENTS_PERF_BUFFER] = { "perf_buffer", "perf buffer: one for each CPU" },
	[EVENTS_RING_BUFFER] = { "ring_buffer", "ring buffer: one for all CPUs" },
};

const struct mechanism tracepoint_mechanisms[] = {
	[TRACEPOINTS_NONE] = { "none", "tracepoints need tracepoint" },
	[TRACEPOINTS_PERF_EVENT] = { "perf_event", "perf_event tracepoints: fields by name" },
};

const struct mechanism syscall_mechanisms[] = {
	[SYSCALLS_NONE] = { "none", "system calls need raw_tp" },
	[SYSCALLS_RAW_TRACEPOINT] = { "raw_tp", "raw tracepoints sys_enter and sys_exit" },
};

const struct mechanism socket_mechanisms[] = {
	[SOCKETS_NONE] = { "none", "sockets need sock_length or raw_tp" },
	[SOCKETS_SYSCALLS] = { "raw_tp", "raw tracepoint sys_exit: each system call pays a little" },
	[SOCKETS_LENGTHS] = { "sock_length", "tracepoints of what sockets send and receive" },
};
