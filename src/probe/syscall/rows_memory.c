/* rows_memory: memory, and what processes share. One row a call; names are those of the manual pages. */
#include "probe/syscall/decode.h"

ROW(mmap, RESULT_ADDRESS, { "addr", &type_address }, { "length", &type_size }, { "prot", &type_prot },
	{ "flags", &type_map_flags }, { "fd", &type_fd }, { "offset", &type_hex });
ROW(mremap, RESULT_ADDRESS, { "old_address", &type_address }, { "old_size", &type_size }, { "new_size", &type_size },
	{ "flags", &type_mremap_flags }, { "new_address", &type_mremap_address });
ROW(brk, RESULT_ADDRESS, { "addr", &type_address });
ROW(shmat, RESULT_ADDRESS, { "shmid", &type_int }, { "shmaddr", &type_address }, { "shmflg", &type_shmat_flags });
ROW(map_shadow_stack, RESULT_ADDRESS, { "addr", &type_address }, { "size", &type_size }, { "flags", &type_hex_uint });
ROW(munmap, RESULT_INT, { "addr", &type_address }, { "length", &type_size });
ROW(mprotect, RESULT_INT, { "addr", &type_address }, { "len", &type_size }, { "prot", &type_prot });
ROW(pkey_mprotect, RESULT_INT, { "addr", &type_address }, { "len", &type_size }, { "prot", &type_prot }, { "pkey", &type_int });
ROW(pkey_alloc, RESULT_INT, { "flags", &type_uint }, { "access_rights", &type_hex_uint });
ROW(pkey_free, RESULT_INT, { "pkey", &type_int });
ROW(madvise, RESULT_INT, { "addr", &type_address }, { "length", &type_size }, { "advice", &type_madvise });
ROW(process_madvise, RESULT_INT, { "pidfd", &type_fd }, { "iov", &type_iovec_out }, { "vlen", &type_ulong },
	{ "advice", &type_madvise }, { "flags", &type_hex_uint });
ROW(mincore, RESULT_INT, { "addr", &type_address }, { "length", &type_size }, { "vec", &type_address });
ROW(msync, RESULT_INT, { "addr", &type_address }, { "length", &type_size }, { "flags", &type_msync_flags });
ROW(mlock, RESULT_INT, { "addr", &type_address }, { "len", &type_size });
ROW(mlock2, RESULT_INT, { "addr", &type_address }, { "len", &type_size }, { "flags", &type_mlock_flags });
ROW(munlock, RESULT_INT, { "addr", &type_address }, { "len", &type_size });
ROW(mlockall, RESULT_INT, { "flags", &type_mlockall_flags });
ROW(munlockall, RESULT_INT);
ROW(mseal, RESULT_INT, { "addr", &type_address }, { "len", &type_size }, { "flags", &type_hex });
ROW(remap_file_pages, RESULT_INT, { "addr", &type_address }, { "size", &type_size }, { "prot", &type_prot },
	{ "pgoff", &type_ulong }, { "flags", &type_map_flags });
ROW(memfd_secret, RESULT_INT, { "flags", &type_hex_uint });
ROW(userfaultfd, RESULT_INT, { "flags", &type_hex_uint });
ROW(membarrier, RESULT_INT, { "cmd", &type_membarrier }, { "flags", &type_uint });
ROW(mbind, RESULT_INT, { "addr", &type_address }, { "len", &type_ulong }, { "mode", &type_hex_uint },
	{ "nodemask", &type_address }, { "maxnode", &type_ulong }, { "flags", &type_hex_uint });
ROW(set_mempolicy, RESULT_INT, { "mode", &type_hex_uint }, { "nodemask", &type_address }, { "maxnode", &type_ulong });
ROW(get_mempolicy, RESULT_INT, { "mode", &type_address }, { "nodemask", &type_address }, { "maxnode", &type_ulong },
	{ "addr", &type_address }, { "flags", &type_hex });
ROW(set_mempolicy_home_node, RESULT_INT, { "start", &type_hex }, { "len", &type_ulong }, { "home_node", &type_ulong },
	{ "flags", &type_hex });
ROW(migrate_pages, RESULT_INT, { "pid", &type_pid }, { "maxnode", &type_ulong }, { "old_nodes", &type_address },
	{ "new_nodes", &type_address });
ROW(move_pages, RESULT_INT, { "pid", &type_pid }, { "count", &type_ulong }, { "pages", &type_address },
	{ "nodes", &type_address }, { "status", &type_address }, { "flags", &type_hex_uint });
ROW(process_vm_readv, RESULT_INT, { "pid", &type_pid }, { "local_iov", &type_address }, { "liovcnt", &type_ulong },
	{ "remote_iov", &type_address }, { "riovcnt", &type_ulong }, { "flags", &type_hex });
ROW(process_vm_writev, RESULT_INT, { "pid", &type_pid }, { "local_iov", &type_address }, { "liovcnt", &type_ulong },
	{ "remote_iov", &type_address }, { "riovcnt", &type_ulong }, { "flags", &type_hex });
ROW(swapon, RESULT_INT, { "path", &type_path }, { "swapflags", &type_hex_uint });
ROW(swapoff, RESULT_INT, { "path", &type_path });
ROW(shmget, RESULT_INT, { "key", &type_ipc_key }, { "size", &type_size }, { "shmflg", &type_ipc_flags });
ROW(shmctl, RESULT_INT, { "shmid", &type_int }, { "cmd", &type_ipc_command }, { "buf", &type_address });
ROW(shmdt, RESULT_INT, { "shmaddr", &type_address });
ROW(semget, RESULT_INT, { "key", &type_ipc_key }, { "nsems", &type_int }, { "semflg", &type_ipc_flags });
ROW(semop, RESULT_INT, { "semid", &type_int }, { "sops", &type_address }, { "nsops", &type_size });
ROW(semtimedop, RESULT_INT, { "semid", &type_int }, { "sops", &type_address }, { "nsops", &type_size },
	{ "timeout", &type_timespec_in });
ROW(semctl, RESULT_INT, { "semid", &type_int }, { "semnum", &type_int }, { "cmd", &type_ipc_command }, { "arg", &type_hex });
ROW(msgget, RESULT_INT, { "key", &type_ipc_key }, { "msgflg", &type_ipc_flags });
ROW(msgsnd, RESULT_INT, { "msqid", &type_int }, { "msgp", &type_address }, { "msgsz", &type_size },
	{ "msgflg", &type_hex_uint });
ROW(msgrcv, RESULT_INT, { "msqid", &type_int }, { "msgp", &type_address }, { "msgsz", &type_size }, { "msgtyp", &type_long },
	{ "msgflg", &type_hex_uint });
ROW(msgctl, RESULT_INT, { "msqid", &type_int }, { "cmd", &type_ipc_command }, { "buf", &type_address });
ROW(mq_open, RESULT_INT, { "name", &type_path }, { "oflag", &type_open_flags }, { "mode", &type_open_mode },
	{ "attr", &type_address });
ROW(mq_unlink, RESULT_INT, { "name", &type_path });
ROW(mq_timedsend, RESULT_INT, { "mqdes", &type_fd }, { "msg_ptr", &type_bytes_in }, { "msg_len", &type_size },
	{ "msg_prio", &type_uint }, { "abs_timeout", &type_timespec_in });
ROW(mq_timedreceive, RESULT_INT, { "mqdes", &type_fd }, { "msg_ptr", &type_bytes_out }, { "msg_len", &type_size },
	{ "msg_prio", &type_uint_out }, { "abs_timeout", &type_timespec_in });
ROW(mq_notify, RESULT_INT, { "mqdes", &type_fd }, { "sevp", &type_address });
ROW(mq_getsetattr, RESULT_INT, { "mqdes", &type_fd }, { "newattr", &type_address }, { "oldattr", &type_address });
