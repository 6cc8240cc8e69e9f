/* rows_system: time, and the machine. One row a call; names are those of the manual pages. */
#include "probe/syscall/decode.h"

ROW(time, RESULT_INT, { "tloc", &type_address });
ROW(gettimeofday, RESULT_INT, { "tv", &type_timeval_out }, { "tz", &type_timezone });
ROW(settimeofday, RESULT_INT, { "tv", &type_timeval_in }, { "tz", &type_address });
ROW(adjtimex, RESULT_INT, { "buf", &type_address });
ROW(clock_adjtime, RESULT_INT, { "clockid", &type_clock }, { "buf", &type_address });
ROW(clock_gettime, RESULT_INT, { "clockid", &type_clock }, { "tp", &type_timespec_out });
ROW(clock_settime, RESULT_INT, { "clockid", &type_clock }, { "tp", &type_timespec_in });
ROW(clock_getres, RESULT_INT, { "clockid", &type_clock }, { "res", &type_timespec_out });
ROW(clock_nanosleep, RESULT_INT, { "clockid", &type_clock }, { "flags", &type_timer_flags }, { "request", &type_timespec_in },
	{ "remain", &type_remaining });
ROW(nanosleep, RESULT_INT, { "req", &type_timespec_in }, { "rem", &type_remaining });
ROW(alarm, RESULT_INT, { "seconds", &type_uint });
ROW(getitimer, RESULT_INT, { "which", &type_itimer }, { "curr_value", &type_itimerval_out });
ROW(setitimer, RESULT_INT, { "which", &type_itimer }, { "new_value", &type_itimerval_in },
	{ "old_value", &type_itimerval_out });
ROW(timer_create, RESULT_INT, { "clockid", &type_clock }, { "sevp", &type_address }, { "timerid", &type_int_out });
ROW(timer_settime, RESULT_INT, { "timerid", &type_int }, { "flags", &type_timer_flags }, { "new_value", &type_itimerspec_in },
	{ "old_value", &type_itimerspec_out });
ROW(timer_gettime, RESULT_INT, { "timerid", &type_int }, { "curr_value", &type_itimerspec_out });
ROW(timer_getoverrun, RESULT_INT, { "timerid", &type_int });
ROW(timer_delete, RESULT_INT, { "timerid", &type_int });
ROW(times, RESULT_INT, { "buf", &type_tms });
ROW(uname, RESULT_INT, { "buf", &type_utsname });
ROW(sysinfo, RESULT_INT, { "info", &type_sysinfo });
ROW(syslog, RESULT_INT, { "type", &type_int }, { "bufp", &type_address }, { "len", &type_int });
ROW(getrandom, RESULT_INT, { "buf", &type_random_out }, { "buflen", &type_size }, { "flags", &type_getrandom_flags });
ROW(sethostname, RESULT_INT, { "name", &type_bytes_in }, { "len", &type_size });
ROW(setdomainname, RESULT_INT, { "name", &type_bytes_in }, { "len", &type_size });
ROW(reboot, RESULT_INT, { "magic", &type_hex_uint }, { "magic2", &type_hex_uint }, { "cmd", &type_hex_uint },
	{ "arg", &type_address });
ROW(vhangup, RESULT_INT);
ROW(acct, RESULT_INT, { "filename", &type_path });
ROW(init_module, RESULT_INT, { "module_image", &type_address }, { "len", &type_ulong }, { "param_values", &type_string });
ROW(finit_module, RESULT_INT, { "fd", &type_fd }, { "param_values", &type_string }, { "flags", &type_hex_uint });
ROW(delete_module, RESULT_INT, { "name", &type_string }, { "flags", &type_hex_uint });
ROW(create_module, RESULT_INT, { "name", &type_string }, { "size", &type_size });
ROW(query_module, RESULT_INT, { "name", &type_string }, { "which", &type_int }, { "buf", &type_address },
	{ "bufsize", &type_size }, { "ret", &type_address });
ROW(get_kernel_syms, RESULT_INT, { "table", &type_address });
ROW(kexec_load, RESULT_INT, { "entry", &type_hex }, { "nr_segments", &type_ulong }, { "segments", &type_address },
	{ "flags", &type_hex });
ROW(kexec_file_load, RESULT_INT, { "kernel_fd", &type_fd }, { "initrd_fd", &type_fd }, { "cmdline_len", &type_ulong },
	{ "cmdline", &type_string }, { "flags", &type_hex });
ROW(lookup_dcookie, RESULT_INT, { "cookie", &type_hex }, { "buffer", &type_address }, { "len", &type_size });
ROW(bpf, RESULT_INT, { "cmd", &type_int }, { "attr", &type_address }, { "size", &type_uint });
ROW(perf_event_open, RESULT_INT, { "attr", &type_address }, { "pid", &type_pid }, { "cpu", &type_int },
	{ "group_fd", &type_fd }, { "flags", &type_hex });
ROW(io_setup, RESULT_INT, { "nr_events", &type_uint }, { "ctx_idp", &type_address });
ROW(io_destroy, RESULT_INT, { "ctx_id", &type_hex });
ROW(io_submit, RESULT_INT, { "ctx_id", &type_hex }, { "nr", &type_long }, { "iocbpp", &type_address });
ROW(io_cancel, RESULT_INT, { "ctx_id", &type_hex }, { "iocb", &type_address }, { "result", &type_address });
ROW(io_getevents, RESULT_INT, { "ctx_id", &type_hex }, { "min_nr", &type_long }, { "nr", &type_long },
	{ "events", &type_address }, { "timeout", &type_timespec_in });
ROW(io_pgetevents, RESULT_INT, { "ctx_id", &type_hex }, { "min_nr", &type_long }, { "nr", &type_long },
	{ "events", &type_address }, { "timeout", &type_timespec_in }, { "usig", &type_address });
ROW(io_uring_setup, RESULT_INT, { "entries", &type_uint }, { "p", &type_address });
ROW(io_uring_enter, RESULT_INT, { "fd", &type_fd }, { "to_submit", &type_uint }, { "min_complete", &type_uint },
	{ "flags", &type_io_uring_enter_flags }, { "sig", &type_address }, { "sz", &type_size });
ROW(io_uring_register, RESULT_INT, { "fd", &type_fd }, { "opcode", &type_uint }, { "arg", &type_address },
	{ "nr_args", &type_uint });
ROW(add_key, RESULT_INT, { "type", &type_string }, { "description", &type_string }, { "payload", &type_bytes_in },
	{ "plen", &type_size }, { "keyring", &type_int });
ROW(request_key, RESULT_INT, { "type", &type_string }, { "description", &type_string }, { "callout_info", &type_string },
	{ "dest_keyring", &type_int });
ROW(keyctl, RESULT_INT, { "operation", &type_int }, { "arg2", &type_hex }, { "arg3", &type_hex }, { "arg4", &type_hex },
	{ "arg5", &type_hex });
ROW(landlock_create_ruleset, RESULT_INT, { "attr", &type_address }, { "size", &type_size }, { "flags", &type_hex_uint });
ROW(landlock_add_rule, RESULT_INT, { "ruleset_fd", &type_fd }, { "rule_type", &type_int }, { "rule_attr", &type_address },
	{ "flags", &type_hex_uint });
ROW(landlock_restrict_self, RESULT_INT, { "ruleset_fd", &type_fd }, { "flags", &type_hex_uint });
ROW(lsm_get_self_attr, RESULT_INT, { "attr", &type_uint }, { "ctx", &type_address }, { "size", &type_address },
	{ "flags", &type_hex_uint });
ROW(lsm_set_self_attr, RESULT_INT, { "attr", &type_uint }, { "ctx", &type_address }, { "size", &type_uint },
	{ "flags", &type_hex_uint });
ROW(lsm_list_modules, RESULT_INT, { "ids", &type_address }, { "size", &type_address }, { "flags", &type_hex_uint });
ROW(_sysctl, RESULT_INT, { "args", &type_address });
ROW(nfsservctl, RESULT_INT, { "cmd", &type_int }, { "argp", &type_address }, { "resp", &type_address });
ROW(getpmsg, RESULT_INT, { "arg1", &type_hex }, { "arg2", &type_hex }, { "arg3", &type_hex }, { "arg4", &type_hex },
	{ "arg5", &type_hex });
ROW(putpmsg, RESULT_INT, { "arg1", &type_hex }, { "arg2", &type_hex }, { "arg3", &type_hex }, { "arg4", &type_hex },
	{ "arg5", &type_hex });
ROW(afs_syscall, RESULT_INT, { "arg1", &type_hex }, { "arg2", &type_hex }, { "arg3", &type_hex }, { "arg4", &type_hex },
	{ "arg5", &type_hex });
ROW(tuxcall, RESULT_INT, { "arg1", &type_hex }, { "arg2", &type_hex }, { "arg3", &type_hex });
ROW(security, RESULT_INT, { "arg1", &type_hex }, { "arg2", &type_hex }, { "arg3", &type_hex });
ROW(vserver, RESULT_INT, { "arg1", &type_hex }, { "arg2", &type_hex }, { "arg3", &type_hex }, { "arg4", &type_hex },
	{ "arg5", &type_hex });
