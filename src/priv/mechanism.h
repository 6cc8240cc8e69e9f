/*
 * mechanism: how things will be traced on this kernel, decided here and nowhere else: what attaches asks here, and so
 * does doctor, which therefore cannot lie.
 */
#pragma once

enum uprobe_mechanism { /* user functions, and USDT probes */
	UPROBES_NONE,
	UPROBES_PERF_EVENT, /* one perf event a function: 0.1-0.2 s each to detach, so few */
	UPROBES_MULTI,      /* a link for all entries of a file, another for all returns */
	UPROBES_SESSION,    /* one link for entries with their returns; entries alone are multi links */
};

enum kernel_mechanism { /* kernel functions */
	KERNEL_FUNCTIONS_NONE,
	KERNEL_FUNCTIONS_KPROBE,         /* one perf event a function */
	KERNEL_FUNCTIONS_FENTRY,         /* a program and a trampoline a function: cheapest to run, dear to attach */
	KERNEL_FUNCTIONS_KPROBE_MULTI,   /* a link for all entries, another for all returns */
	KERNEL_FUNCTIONS_KPROBE_SESSION, /* one link for entries with their returns */
};

enum event_mechanism { /* how records come to user space */
	EVENTS_NONE,
	EVENTS_PERF_BUFFER, /* a buffer for each CPU */
	EVENTS_RING_BUFFER, /* one for all */
};

enum tracepoint_mechanism {
	TRACEPOINTS_NONE,
	TRACEPOINTS_PERF_EVENT, /* the fields of its record by name; 0.1 s each to detach */
};

enum syscall_mechanism { /* sys_enter and sys_exit, which see all calls */
	SYSCALLS_NONE,
	SYSCALLS_RAW_TRACEPOINT,
};

enum socket_mechanism { /* what passes on sockets */
	SOCKETS_NONE,
	SOCKETS_SYSCALLS, /* sys_exit, for every system call of every process */
	SOCKETS_LENGTHS,  /* sock_send_length and sock_recv_length, which other calls do not meet */
};

enum uprobe_mechanism mechanism_for_uprobes(void);
enum kernel_mechanism mechanism_for_kernel_functions(void);
enum event_mechanism mechanism_for_events(void);
enum tracepoint_mechanism mechanism_for_tracepoints(void);
enum syscall_mechanism mechanism_for_syscalls(void);
enum socket_mechanism mechanism_for_sockets(void);

/* Each as told to people; indexed by its enum. */
struct mechanism {
	const char *name; /* "session": also in JSON; "none" */
	const char *what; /* what that means to the user */
};

extern const struct mechanism uprobe_mechanisms[], usdt_mechanisms[], tls_mechanisms[]; /* all by enum uprobe_mechanism */
extern const struct mechanism kernel_mechanisms[], event_mechanisms[], tracepoint_mechanisms[], syscall_mechanisms[], socket_mechanisms[];
