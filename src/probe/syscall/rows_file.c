/* rows_file: files: opened, read, written, told about, renamed. One row a call; names are those of the manual pages. */
#include "probe/syscall/decode.h"

ROW(read, RESULT_INT, { "fd", &type_fd }, { "buf", &type_bytes_out }, { "count", &type_size });
ROW(write, RESULT_INT, { "fd", &type_fd }, { "buf", &type_bytes_in }, { "count", &type_size });
ROW(pread64, RESULT_INT, { "fd", &type_fd }, { "buf", &type_bytes_out }, { "count", &type_size }, { "offset", &type_offset });
ROW(pwrite64, RESULT_INT, { "fd", &type_fd }, { "buf", &type_bytes_in }, { "count", &type_size }, { "offset", &type_offset });
ROW(readv, RESULT_INT, { "fd", &type_fd }, { "iov", &type_iovec_out }, { "iovcnt", &type_ulong });
ROW(writev, RESULT_INT, { "fd", &type_fd }, { "iov", &type_iovec_in }, { "iovcnt", &type_ulong });
ROW(preadv, RESULT_INT, { "fd", &type_fd }, { "iov", &type_iovec_out }, { "iovcnt", &type_ulong }, { "offset", &type_offset },
	{ "high", &type_skipped });
ROW(pwritev, RESULT_INT, { "fd", &type_fd }, { "iov", &type_iovec_in }, { "iovcnt", &type_ulong }, { "offset", &type_offset },
	{ "high", &type_skipped });
ROW(preadv2, RESULT_INT, { "fd", &type_fd }, { "iov", &type_iovec_out }, { "iovcnt", &type_ulong },
	{ "offset", &type_offset }, { "high", &type_skipped }, { "flags", &type_rwf_flags });
ROW(pwritev2, RESULT_INT, { "fd", &type_fd }, { "iov", &type_iovec_in }, { "iovcnt", &type_ulong },
	{ "offset", &type_offset }, { "high", &type_skipped }, { "flags", &type_rwf_flags });
ROW(close, RESULT_INT, { "fd", &type_fd });
ROW(close_range, RESULT_INT, { "first", &type_uint }, { "last", &type_uint }, { "flags", &type_close_range_flags });
ROW(lseek, RESULT_INT, { "fd", &type_fd }, { "offset", &type_offset }, { "whence", &type_whence });
ROW(access, RESULT_INT, { "pathname", &type_path }, { "mode", &type_access_mode });
ROW(faccessat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "mode", &type_access_mode });
ROW(faccessat2, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "mode", &type_access_mode },
	{ "flags", &type_faccess_flags });
ROW(stat, RESULT_INT, { "pathname", &type_path }, { "statbuf", &type_stat });
ROW(lstat, RESULT_INT, { "pathname", &type_path }, { "statbuf", &type_stat });
ROW(fstat, RESULT_INT, { "fd", &type_fd }, { "statbuf", &type_stat });
ROW(newfstatat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "statbuf", &type_stat },
	{ "flags", &type_at_flags });
ROW(statx, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "flags", &type_statx_flags },
	{ "mask", &type_statx_mask }, { "statxbuf", &type_statx });
ROW(statfs, RESULT_INT, { "path", &type_path }, { "buf", &type_statfs });
ROW(fstatfs, RESULT_INT, { "fd", &type_fd }, { "buf", &type_statfs });
ROW(ustat, RESULT_INT, { "dev", &type_hex_uint }, { "ubuf", &type_address });
ROW(getdents, RESULT_INT, { "fd", &type_fd }, { "dirp", &type_dirents }, { "count", &type_uint });
ROW(getdents64, RESULT_INT, { "fd", &type_fd }, { "dirp", &type_dirents }, { "count", &type_size });
ROW(getcwd, RESULT_INT, { "buf", &type_cwd_out }, { "size", &type_size });
ROW(chdir, RESULT_INT, { "path", &type_path });
ROW(fchdir, RESULT_INT, { "fd", &type_fd });
ROW(chroot, RESULT_INT, { "path", &type_path });
ROW(rename, RESULT_INT, { "oldpath", &type_path }, { "newpath", &type_path });
ROW(renameat, RESULT_INT, { "olddirfd", &type_dirfd }, { "oldpath", &type_path }, { "newdirfd", &type_dirfd },
	{ "newpath", &type_path });
ROW(renameat2, RESULT_INT, { "olddirfd", &type_dirfd }, { "oldpath", &type_path }, { "newdirfd", &type_dirfd },
	{ "newpath", &type_path }, { "flags", &type_rename_flags });
ROW(mkdir, RESULT_INT, { "pathname", &type_path }, { "mode", &type_mode });
ROW(mkdirat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "mode", &type_mode });
ROW(rmdir, RESULT_INT, { "pathname", &type_path });
ROW(link, RESULT_INT, { "oldpath", &type_path }, { "newpath", &type_path });
ROW(linkat, RESULT_INT, { "olddirfd", &type_dirfd }, { "oldpath", &type_path }, { "newdirfd", &type_dirfd },
	{ "newpath", &type_path }, { "flags", &type_at_flags });
ROW(unlink, RESULT_INT, { "pathname", &type_path });
ROW(unlinkat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "flags", &type_at_flags });
ROW(symlink, RESULT_INT, { "target", &type_path }, { "linkpath", &type_path });
ROW(symlinkat, RESULT_INT, { "target", &type_path }, { "newdirfd", &type_dirfd }, { "linkpath", &type_path });
ROW(readlink, RESULT_INT, { "pathname", &type_path }, { "buf", &type_link_out }, { "bufsiz", &type_size });
ROW(readlinkat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "buf", &type_link_out },
	{ "bufsiz", &type_size });
ROW(chmod, RESULT_INT, { "pathname", &type_path }, { "mode", &type_mode });
ROW(fchmod, RESULT_INT, { "fd", &type_fd }, { "mode", &type_mode });
ROW(fchmodat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "mode", &type_mode });
ROW(fchmodat2, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "mode", &type_mode },
	{ "flags", &type_at_flags });
ROW(chown, RESULT_INT, { "pathname", &type_path }, { "owner", &type_uid }, { "group", &type_uid });
ROW(fchown, RESULT_INT, { "fd", &type_fd }, { "owner", &type_uid }, { "group", &type_uid });
ROW(lchown, RESULT_INT, { "pathname", &type_path }, { "owner", &type_uid }, { "group", &type_uid });
ROW(fchownat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "owner", &type_uid },
	{ "group", &type_uid }, { "flags", &type_at_flags });
ROW(mknod, RESULT_INT, { "pathname", &type_path }, { "mode", &type_node_mode }, { "dev", &type_node_device });
ROW(mknodat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "mode", &type_node_mode },
	{ "dev", &type_node_device });
ROW(truncate, RESULT_INT, { "path", &type_path }, { "length", &type_offset });
ROW(ftruncate, RESULT_INT, { "fd", &type_fd }, { "length", &type_offset });
ROW(fallocate, RESULT_INT, { "fd", &type_fd }, { "mode", &type_fallocate_mode }, { "offset", &type_offset },
	{ "len", &type_offset });
ROW(fadvise64, RESULT_INT, { "fd", &type_fd }, { "offset", &type_offset }, { "len", &type_size }, { "advice", &type_fadvise });
ROW(readahead, RESULT_INT, { "fd", &type_fd }, { "offset", &type_offset }, { "count", &type_size });
ROW(fsync, RESULT_INT, { "fd", &type_fd });
ROW(fdatasync, RESULT_INT, { "fd", &type_fd });
ROW(sync, RESULT_INT);
ROW(syncfs, RESULT_INT, { "fd", &type_fd });
ROW(sync_file_range, RESULT_INT, { "fd", &type_fd }, { "offset", &type_offset }, { "nbytes", &type_offset },
	{ "flags", &type_sync_range_flags });
ROW(flock, RESULT_INT, { "fd", &type_fd }, { "operation", &type_flock_op });
ROW(ioctl, RESULT_INT, { "fd", &type_fd }, { "request", &type_ioctl_command }, { "argp", &type_ioctl_argument });
ROW(sendfile, RESULT_INT, { "out_fd", &type_fd }, { "in_fd", &type_fd }, { "offset", &type_offset_ptr },
	{ "count", &type_size });
ROW(splice, RESULT_INT, { "fd_in", &type_fd }, { "off_in", &type_offset_ptr }, { "fd_out", &type_fd },
	{ "off_out", &type_offset_ptr }, { "len", &type_size }, { "flags", &type_splice_flags });
ROW(tee, RESULT_INT, { "fd_in", &type_fd }, { "fd_out", &type_fd }, { "len", &type_size }, { "flags", &type_splice_flags });
ROW(vmsplice, RESULT_INT, { "fd", &type_fd }, { "iov", &type_iovec_in }, { "nr_segs", &type_ulong },
	{ "flags", &type_splice_flags });
ROW(copy_file_range, RESULT_INT, { "fd_in", &type_fd }, { "off_in", &type_offset_ptr }, { "fd_out", &type_fd },
	{ "off_out", &type_offset_ptr }, { "len", &type_size }, { "flags", &type_hex_uint });
ROW(utime, RESULT_INT, { "filename", &type_path }, { "times", &type_address });
ROW(utimes, RESULT_INT, { "filename", &type_path }, { "times", &type_address });
ROW(futimesat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "times", &type_address });
ROW(utimensat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "times", &type_file_times },
	{ "flags", &type_at_flags });
ROW(setxattr, RESULT_INT, { "path", &type_path }, { "name", &type_string }, { "value", &type_bytes_in },
	{ "size", &type_size }, { "flags", &type_xattr_flags });
ROW(lsetxattr, RESULT_INT, { "path", &type_path }, { "name", &type_string }, { "value", &type_bytes_in },
	{ "size", &type_size }, { "flags", &type_xattr_flags });
ROW(fsetxattr, RESULT_INT, { "fd", &type_fd }, { "name", &type_string }, { "value", &type_bytes_in }, { "size", &type_size },
	{ "flags", &type_xattr_flags });
ROW(getxattr, RESULT_INT, { "path", &type_path }, { "name", &type_string }, { "value", &type_xattr_out },
	{ "size", &type_size });
ROW(lgetxattr, RESULT_INT, { "path", &type_path }, { "name", &type_string }, { "value", &type_xattr_out },
	{ "size", &type_size });
ROW(fgetxattr, RESULT_INT, { "fd", &type_fd }, { "name", &type_string }, { "value", &type_xattr_out }, { "size", &type_size });
ROW(listxattr, RESULT_INT, { "path", &type_path }, { "list", &type_xattr_out }, { "size", &type_size });
ROW(llistxattr, RESULT_INT, { "path", &type_path }, { "list", &type_xattr_out }, { "size", &type_size });
ROW(flistxattr, RESULT_INT, { "fd", &type_fd }, { "list", &type_xattr_out }, { "size", &type_size });
ROW(removexattr, RESULT_INT, { "path", &type_path }, { "name", &type_string });
ROW(lremovexattr, RESULT_INT, { "path", &type_path }, { "name", &type_string });
ROW(fremovexattr, RESULT_INT, { "fd", &type_fd }, { "name", &type_string });
ROW(setxattrat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "at_flags", &type_at_flags },
	{ "name", &type_string }, { "uargs", &type_address }, { "usize", &type_size });
ROW(getxattrat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "at_flags", &type_at_flags },
	{ "name", &type_string }, { "uargs", &type_address }, { "usize", &type_size });
ROW(listxattrat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "at_flags", &type_at_flags },
	{ "list", &type_xattr_out }, { "size", &type_size });
ROW(removexattrat, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "at_flags", &type_at_flags },
	{ "name", &type_string });
ROW(mount, RESULT_INT, { "source", &type_path }, { "target", &type_path }, { "filesystemtype", &type_string },
	{ "mountflags", &type_mount_flags }, { "data", &type_string });
ROW(umount2, RESULT_INT, { "target", &type_path }, { "flags", &type_umount_flags });
ROW(pivot_root, RESULT_INT, { "new_root", &type_path }, { "put_old", &type_path });
ROW(open_tree_attr, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "flags", &type_hex_uint },
	{ "uattr", &type_address }, { "usize", &type_size });
ROW(move_mount, RESULT_INT, { "from_dirfd", &type_dirfd }, { "from_pathname", &type_path }, { "to_dirfd", &type_dirfd },
	{ "to_pathname", &type_path }, { "flags", &type_hex_uint });
ROW(fsconfig, RESULT_INT, { "fd", &type_fd }, { "cmd", &type_uint }, { "key", &type_string }, { "value", &type_address },
	{ "aux", &type_int });
ROW(mount_setattr, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "flags", &type_hex_uint },
	{ "uattr", &type_address }, { "size", &type_size });
ROW(statmount, RESULT_INT, { "req", &type_address }, { "buf", &type_address }, { "bufsize", &type_size },
	{ "flags", &type_hex_uint });
ROW(listmount, RESULT_INT, { "req", &type_address }, { "mnt_ids", &type_address }, { "nr_mnt_ids", &type_size },
	{ "flags", &type_hex_uint });
ROW(file_getattr, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "attr", &type_address },
	{ "size", &type_size }, { "at_flags", &type_at_flags });
ROW(file_setattr, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "attr", &type_address },
	{ "size", &type_size }, { "at_flags", &type_at_flags });
ROW(name_to_handle_at, RESULT_INT, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "handle", &type_address },
	{ "mount_id", &type_int_out }, { "flags", &type_at_flags });
ROW(quotactl, RESULT_INT, { "cmd", &type_hex_uint }, { "special", &type_path }, { "id", &type_uint },
	{ "addr", &type_address });
ROW(quotactl_fd, RESULT_INT, { "fd", &type_fd }, { "cmd", &type_hex_uint }, { "id", &type_uint }, { "addr", &type_address });
ROW(inotify_add_watch, RESULT_INT, { "fd", &type_fd }, { "pathname", &type_path }, { "mask", &type_inotify_mask });
ROW(inotify_rm_watch, RESULT_INT, { "fd", &type_fd }, { "wd", &type_int });
ROW(fanotify_mark, RESULT_INT, { "fanotify_fd", &type_fd }, { "flags", &type_hex_uint }, { "mask", &type_hex },
	{ "dirfd", &type_dirfd }, { "pathname", &type_path });
ROW(sysfs, RESULT_INT, { "option", &type_int }, { "arg1", &type_hex }, { "arg2", &type_hex });
ROW(uselib, RESULT_INT, { "library", &type_path });
ROW(cachestat, RESULT_INT, { "fd", &type_fd }, { "range", &type_address }, { "cstat", &type_address },
	{ "flags", &type_hex_uint });
ROW(open, RESULT_FD, { "pathname", &type_path }, { "flags", &type_open_flags }, { "mode", &type_open_mode });
ROW(openat, RESULT_FD, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "flags", &type_open_flags },
	{ "mode", &type_open_mode });
ROW(openat2, RESULT_FD, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "how", &type_open_how },
	{ "size", &type_size });
ROW(creat, RESULT_FD, { "pathname", &type_path }, { "mode", &type_mode });
ROW(dup, RESULT_FD, { "oldfd", &type_fd });
ROW(dup2, RESULT_FD, { "oldfd", &type_fd }, { "newfd", &type_fd });
ROW(dup3, RESULT_FD, { "oldfd", &type_fd }, { "newfd", &type_fd }, { "flags", &type_pipe_flags });
ROW(inotify_init, RESULT_FD);
ROW(inotify_init1, RESULT_FD, { "flags", &type_inotify_init_flags });
ROW(fanotify_init, RESULT_FD, { "flags", &type_hex_uint }, { "event_f_flags", &type_hex_uint });
ROW(memfd_create, RESULT_FD, { "name", &type_string }, { "flags", &type_memfd_flags });
ROW(open_tree, RESULT_FD, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "flags", &type_hex_uint });
ROW(fsopen, RESULT_FD, { "fsname", &type_string }, { "flags", &type_hex_uint });
ROW(fsmount, RESULT_FD, { "fs_fd", &type_fd }, { "flags", &type_hex_uint }, { "attr_flags", &type_hex_uint });
ROW(fspick, RESULT_FD, { "dirfd", &type_dirfd }, { "pathname", &type_path }, { "flags", &type_hex_uint });
ROW(open_by_handle_at, RESULT_FD, { "mount_fd", &type_fd }, { "handle", &type_address }, { "flags", &type_open_flags });
ROW(fcntl, RESULT_INT, { "fd", &type_fd }, { "cmd", &type_fcntl_command }, { "arg", &type_fcntl_argument });
ROW(pipe, RESULT_INT, { "pipefd", &type_fd_pair });
ROW(pipe2, RESULT_INT, { "pipefd", &type_fd_pair }, { "flags", &type_pipe_flags });
ROW(umask, RESULT_OCTAL, { "mask", &type_mode });
