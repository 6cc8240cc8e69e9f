/*
 * decode: what the decoders of argument types share. Private to this folder.
 *
 * A type (struct arg_type) tells its name in C, what memory its word points to (from which the kernel half's plan is
 * made) and how to write it. A decoder gets the call and the word; it asks for memory by address with memory_get() and
 * gets what the record holds of it.
 */
#pragma once

#include "base/macro.h"
#include "probe/syscall/syscall.h"

#define CALL_MAX_PIECES 64

/* Bytes of the process that the record holds. */
struct memory_piece {
	uint64_t addr;
	struct slice bytes;
	uint8_t which;  /* SYSCALL_WHICH_* */
	uint8_t status; /* enum fetched_status */
};

/* One call while it is decoded. */
struct call {
	const struct syscall_rec *rec;
	const struct syscall_row *row;
	struct arena *arena;
	struct memory_piece piece[CALL_MAX_PIECES];
	unsigned n_pieces;
	unsigned at;       /* argument that is being decoded */
	struct slice note; /* written behind the result in parentheses */
	bool hex_result;   /* fcntl(F_GETFL): the result is flags */
};

/*
 * A decoder that returns VALUE_NONE says that this call has no such argument: open() without O_CREAT has no mode.
 */

/* When the memory of an argument is looked at. */
enum arg_when { AT_ENTRY = 1, AT_EXIT = 2, AT_BOTH = 3 };

/* Where the count of items comes from, in terms of the arguments beside it. */
enum arg_count { COUNT_ONE, COUNT_NEXT, COUNT_PREVIOUS, COUNT_FIRST, COUNT_RETURN, COUNT_NEXT_POINTED, COUNT_FIRST_BITS, COUNT_SECOND_IOCTL };

struct arg_memory {
	enum syscall_fetch_kind kind;
	enum arg_when when;
	enum arg_count count;
	uint16_t unit; /* bytes of one item */
	uint16_t max;  /* bytes kept at most; 0: as many as of strings */
};

typedef struct value (*arg_decoder)(struct call *c, uint64_t word, const struct arg_type *type);

struct names;
struct arg_type {
	const char *c_type;
	arg_decoder decode;
	const struct names *names; /* of flags and enumerations */
	struct arg_memory memory[2];
};

/* A flag (mask == value), a value of a field within flags, or a value of an enumeration (mask ~0). */
struct name_row {
	uint64_t mask, value;
	const char *name;
};

struct names {
	const struct name_row *row;
	size_t n;
	const char *unknown; /* "O_???" */
};

#define NAME_FLAG(x) { (uint64_t)(x), (uint64_t)(x), #x }
#define NAME_VALUE(x) { ~0ull, (uint64_t)(x), #x }
#define NAME_AS(x, text) { ~0ull, (uint64_t)(x), text }
#define FLAG_AS(x, text) { (uint64_t)(x), (uint64_t)(x), text }
#define NAMES(rows, unknown_name) { (rows), ARRAY_SIZE(rows), (unknown_name) }

/* The type of an int that is flags, or one of an enumeration, from its rows: `FLAG_TYPE(rename_flags, "RENAME_???")`. */
#define FLAG_TYPE(id, unknown)                                            \
	static const struct names id##_names = NAMES(id##_rows, unknown); \
	const struct arg_type type_##id = { "int", decode_flags, &id##_names }
#define ENUM_TYPE(id, unknown)                                            \
	static const struct names id##_names = NAMES(id##_rows, unknown); \
	const struct arg_type type_##id = { "int", decode_enum, &id##_names }

const char *names_find(const struct names *names, uint64_t value); /* NULL: none */
struct value names_enum(struct call *c, const struct names *names, uint64_t value);
struct value names_flags(struct call *c, const struct names *names, uint64_t value);
void names_add_flags(struct strbuf *out, const struct names *names, uint64_t value);

/* The call: did it end, and well? */
bool call_succeeded(const struct call *c);
bool call_is(const struct call *c, const char *name);
uint64_t call_arg(const struct call *c, unsigned i); /* 0 beyond the sixth */

/* Bytes at @addr: all @len of them, or false. Entry bytes are what the caller gave, exit bytes what the kernel left. */
bool memory_get(const struct call *c, enum arg_when when, uint64_t addr, size_t len, void *ret);
/* As many as there are, at most @len; false: not one (and @len > 0). */
bool memory_some(const struct call *c, enum arg_when when, uint64_t addr, size_t len, struct slice *ret);
bool memory_string(const struct call *c, enum arg_when when, uint64_t addr, struct slice *ret, bool *ret_truncated);
bool memory_count(const struct call *c, uint64_t addr, uint32_t *ret);
#define memory_read(c, when, addr, object) memory_get((c), (when), (addr), sizeof(*(object)), (object))

/* Values. Text is set where it is not how the kind is written. */
struct value value_text(struct call *c, struct value v, const char *fmt, ...) _printf_(3, 4);
struct value value_named(struct value v, const char *text); /* @text lives for ever */
struct value value_taken(struct call *c, struct value v, const struct strbuf *text); /* copied */
struct value value_address(struct call *c, uint64_t addr); /* NULL or 0x... */
struct value value_hex(struct call *c, uint64_t x);
struct value value_octal(struct call *c, uint64_t x);
void add_octal(struct strbuf *out, uint64_t x);
struct value value_string(struct call *c, struct slice s, bool truncated);
struct value value_hex_string(struct call *c, struct slice s, bool truncated); /* "\x13\x14" */
struct value value_bracketed(struct call *c, struct value v);                  /* [x]: what a pointer points to */
/* Bytes at an address as a string, of which @len were meant; the address when they were not read. */
struct value value_bytes(struct call *c, enum arg_when when, uint64_t addr, uint64_t len);

#define FIELDS_MAX 24
struct fields {
	struct named_value item[FIELDS_MAX];
	size_t n;
};
void fields_add(struct fields *f, const char *name, struct value v);
struct value fields_struct(struct call *c, const struct fields *f, bool more); /* {a=1, b=2, ...} */
struct value fields_list(struct call *c, const struct fields *f, bool more);   /* [1, 2, ...] */
void value_write(struct strbuf *out, const struct value *v);                   /* as people read it */

/* Decoders used by others than their own file. */
struct value decode_int(struct call *c, uint64_t word, const struct arg_type *type);
struct value decode_address(struct call *c, uint64_t word, const struct arg_type *type);
struct value decode_flags(struct call *c, uint64_t word, const struct arg_type *type);
struct value decode_flags_long(struct call *c, uint64_t word, const struct arg_type *type); /* all 64 bits */
struct value decode_enum(struct call *c, uint64_t word, const struct arg_type *type);
struct value decode_path(struct call *c, uint64_t word, const struct arg_type *type);
struct value decode_open_flags(struct call *c, uint64_t word, const struct arg_type *type);
struct value decode_signal(struct call *c, uint64_t word, const struct arg_type *type);
struct value sigset_value(struct call *c, uint64_t mask, unsigned n_signals);
struct value sockaddr_value(struct call *c, struct slice bytes);
struct value timespec_value(struct call *c, int64_t sec, int64_t nsec);
struct value timeval_value(struct call *c, int64_t sec, int64_t usec);
/* {tv_sec=, tv_nsec=} at an address, or the address */
struct value timespec_at(struct call *c, enum arg_when when, uint64_t addr);
struct value iovec_value(struct call *c, enum arg_when when, uint64_t addr, uint64_t n, uint64_t bytes);
struct value mode_value(struct call *c, uint32_t mode); /* S_IFREG|0644 */
struct value device_value(struct call *c, uint64_t dev);
const char *signal_name(unsigned nr, char *buf, size_t len); /* without "SIG"; NULL: none */
void result_note(struct call *c, const char *fmt, ...) _printf_(2, 3);

/* Argument types. */
extern const struct arg_type type_access_mode, type_address, type_address_family, type_arch_prctl, type_at_flags,
	type_bytes_in, type_bytes_out, type_cap_header, type_cap_sets_in, type_cap_sets_out, type_child_siginfo, type_clock,
	type_clone_args, type_clone_child, type_clone_flags, type_clone_parent, type_clone_stack, type_clone_tls,
	type_clone_word, type_close_range_flags, type_cpu_mask_in, type_cpu_mask_out, type_cwd_out, type_dirents, type_dirfd,
	type_environment, type_epoll_create_flags, type_epoll_event, type_epoll_events, type_epoll_op, type_eventfd_flags,
	type_faccess_flags, type_fadvise, type_fallocate_mode, type_fcntl_argument, type_fcntl_command, type_fd, type_fd_pair,
	type_fd_set, type_file_times, type_flock_op, type_futex_op, type_futex_second, type_futex_third, type_futex_timeout,
	type_futex_value, type_getrandom_flags, type_groups_in, type_groups_out, type_hex, type_hex_uint, type_id_type,
	type_inotify_init_flags, type_inotify_mask, type_int, type_int_in, type_int_out, type_io_uring_enter_flags,
	type_ioctl_argument, type_ioctl_command, type_iovec_in, type_iovec_out, type_ipc_command, type_ipc_flags, type_ipc_key,
	type_itimer, type_itimerspec_in, type_itimerspec_out, type_itimerval_in, type_itimerval_out, type_link_out, type_long,
	type_madvise, type_map_flags, type_membarrier, type_memfd_flags, type_message_flags, type_message_in, type_message_out,
	type_messages_in, type_messages_out, type_mlock_flags, type_mlockall_flags, type_mode, type_mount_flags,
	type_mremap_address, type_mremap_flags, type_msync_flags, type_node_device, type_node_mode, type_offset,
	type_offset_ptr, type_open_flags, type_open_how, type_open_mode, type_path, type_personality, type_pid,
	type_pidfd_flags, type_pipe_flags, type_poll_timeout, type_pollfds, type_prctl_argument, type_prctl_name,
	type_prctl_option, type_prctl_word, type_priority_which, type_prot, type_pselect_mask, type_random_out, type_remaining,
	type_rename_flags, type_resource, type_rlimit_in, type_rlimit_out, type_rseq_flags, type_rusage, type_rusage_who,
	type_rwf_flags, type_sched_policy, type_seccomp_flags, type_seccomp_op, type_select_timeout, type_shmat_flags,
	type_shutdown_how, type_sigaction_in, type_sigaction_out, type_sigframe, type_signal, type_signalfd_flags,
	type_signalfd_set, type_sigprocmask_how, type_sigset_in, type_sigset_out, type_sigstack_in, type_sigstack_out,
	type_size, type_skipped, type_sockaddr_in, type_sockaddr_out, type_socket_flags, type_socket_protocol,
	type_socket_type, type_socklen_ptr, type_sockopt_in, type_sockopt_level, type_sockopt_name, type_sockopt_out,
	type_splice_flags, type_stat, type_statfs, type_statx, type_statx_flags, type_statx_mask, type_string, type_strings,
	type_sync_range_flags, type_sysinfo, type_timer_flags, type_timerfd_flags, type_timespec_in, type_timespec_out,
	type_timeval_in, type_timeval_out, type_timezone, type_tms, type_uid, type_uint, type_uint_out, type_ulong,
	type_umount_flags, type_utsname, type_wait_options, type_wait_status, type_whence, type_word, type_xattr_flags,
	type_xattr_out;

/* Names used by more than one file. */
extern const struct names open_mode_names, signal_names, address_family_names, message_flag_names, at_flag_names, clone_flag_names,
	epoll_event_names, poll_event_names, cap_names;

/* Rows, by name; every line of numbers.def has one. */
#define CALL(name, ...) extern const struct syscall_row row_##name;
#include "probe/syscall/numbers.def"
#undef CALL

/* ROW(openat, RESULT_FD, {"dirfd", &type_dirfd}, ...): one line a call. ROW_FLAGS: with enum syscall_plan_flag. */
#define ROW(call, how, ...) const struct syscall_row row_##call = { .name = #call, .result = how, .arg = { __VA_ARGS__ } }
#define ROW_FLAGS(call, how, plan_flags, ...) \
	const struct syscall_row row_##call = { .name = #call, .result = how, .flags = plan_flags, .arg = { __VA_ARGS__ } }
