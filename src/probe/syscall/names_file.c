/* names_file: flags and enumerations of files. Order and spelling are strace's (6.1); values are the kernel's uapi headers'. */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "probe/syscall/decode.h"

/* glibc hides two of the kernel's behind other values on x86-64. uapi/asm-generic/fcntl.h */
#undef O_LARGEFILE
#define O_LARGEFILE 0100000

static const struct name_row open_mode_rows[] = {
	NAME_FLAG(O_CREAT), NAME_FLAG(O_EXCL), NAME_FLAG(O_NOCTTY), NAME_FLAG(O_TRUNC), NAME_FLAG(O_APPEND), NAME_FLAG(O_NONBLOCK),
	NAME_FLAG(O_SYNC), NAME_FLAG(O_DSYNC), NAME_FLAG(O_DIRECT), NAME_FLAG(O_LARGEFILE), NAME_FLAG(O_NOFOLLOW),
	NAME_FLAG(O_NOATIME), NAME_FLAG(O_CLOEXEC), NAME_FLAG(O_PATH), NAME_FLAG(O_TMPFILE), NAME_FLAG(O_DIRECTORY), NAME_FLAG(FASYNC),
};
const struct names open_mode_names = NAMES(open_mode_rows, "O_???");
const struct arg_type type_pipe_flags = { "int", decode_flags, &open_mode_names };

/* uapi/linux/fcntl.h; glibc has some of them under _GNU_SOURCE only from 2.28 on. */
static const struct name_row at_flags_rows[] = {
	FLAG_AS(0x100, "AT_SYMLINK_NOFOLLOW"), FLAG_AS(0x200, "AT_REMOVEDIR"), FLAG_AS(0x400, "AT_SYMLINK_FOLLOW"),
	FLAG_AS(0x800, "AT_NO_AUTOMOUNT"), FLAG_AS(0x1000, "AT_EMPTY_PATH"), FLAG_AS(0x8000, "AT_RECURSIVE"),
};
const struct names at_flag_names = NAMES(at_flags_rows, "AT_???");
const struct arg_type type_at_flags = { "int", decode_flags, &at_flag_names };

static const struct name_row faccess_flags_rows[] = {
	FLAG_AS(0x100, "AT_SYMLINK_NOFOLLOW"), FLAG_AS(0x200, "AT_EACCESS"), FLAG_AS(0x1000, "AT_EMPTY_PATH"),
};
FLAG_TYPE(faccess_flags, "AT_???");

/* The way to synchronise is a field of two bits. */
static const struct name_row statx_flags_rows[] = {
	{ 0x6000, 0, "AT_STATX_SYNC_AS_STAT" }, FLAG_AS(0x2000, "AT_STATX_FORCE_SYNC"), FLAG_AS(0x4000, "AT_STATX_DONT_SYNC"),
	FLAG_AS(0x100, "AT_SYMLINK_NOFOLLOW"), FLAG_AS(0x200, "AT_REMOVEDIR"), FLAG_AS(0x400, "AT_SYMLINK_FOLLOW"),
	FLAG_AS(0x800, "AT_NO_AUTOMOUNT"), FLAG_AS(0x1000, "AT_EMPTY_PATH"), FLAG_AS(0x8000, "AT_RECURSIVE"),
};
FLAG_TYPE(statx_flags, "AT_???");

static const struct name_row access_mode_rows[] = { { ~0ull, F_OK, "F_OK" }, NAME_FLAG(R_OK), NAME_FLAG(W_OK), NAME_FLAG(X_OK) };
FLAG_TYPE(access_mode, "?_OK");

static const struct name_row whence_rows[] = { NAME_VALUE(SEEK_SET), NAME_VALUE(SEEK_CUR), NAME_VALUE(SEEK_END), NAME_VALUE(SEEK_DATA),
					       NAME_VALUE(SEEK_HOLE) };
ENUM_TYPE(whence, "SEEK_???");

static const struct name_row flock_op_rows[] = { NAME_FLAG(LOCK_SH), NAME_FLAG(LOCK_EX), NAME_FLAG(LOCK_NB), NAME_FLAG(LOCK_UN) };
FLAG_TYPE(flock_op, "LOCK_???");

static const struct name_row fallocate_mode_rows[] = {
	NAME_FLAG(FALLOC_FL_KEEP_SIZE), NAME_FLAG(FALLOC_FL_PUNCH_HOLE), NAME_FLAG(FALLOC_FL_NO_HIDE_STALE),
	NAME_FLAG(FALLOC_FL_COLLAPSE_RANGE), NAME_FLAG(FALLOC_FL_ZERO_RANGE), NAME_FLAG(FALLOC_FL_INSERT_RANGE),
	NAME_FLAG(FALLOC_FL_UNSHARE_RANGE),
};
FLAG_TYPE(fallocate_mode, "FALLOC_FL_???");

static const struct name_row fadvise_rows[] = {
	NAME_VALUE(POSIX_FADV_NORMAL), NAME_VALUE(POSIX_FADV_RANDOM), NAME_VALUE(POSIX_FADV_SEQUENTIAL),
	NAME_VALUE(POSIX_FADV_WILLNEED), NAME_VALUE(POSIX_FADV_DONTNEED), NAME_VALUE(POSIX_FADV_NOREUSE),
};
ENUM_TYPE(fadvise, "POSIX_FADV_???");

static const struct name_row rename_flags_rows[] = { FLAG_AS(1, "RENAME_NOREPLACE"), FLAG_AS(2, "RENAME_EXCHANGE"),
						     FLAG_AS(4, "RENAME_WHITEOUT") };
FLAG_TYPE(rename_flags, "RENAME_???");

static const struct name_row epoll_create_flags_rows[] = { NAME_FLAG(EPOLL_CLOEXEC) };
FLAG_TYPE(epoll_create_flags, "EPOLL_???");

static const struct name_row eventfd_flags_rows[] = { NAME_FLAG(EFD_SEMAPHORE), NAME_FLAG(EFD_CLOEXEC), NAME_FLAG(EFD_NONBLOCK) };
FLAG_TYPE(eventfd_flags, "EFD_???");

static const struct name_row timerfd_flags_rows[] = { FLAG_AS(1, "TFD_TIMER_ABSTIME"), FLAG_AS(2, "TFD_TIMER_CANCEL_ON_SET"),
						      NAME_FLAG(TFD_CLOEXEC), NAME_FLAG(TFD_NONBLOCK) };
FLAG_TYPE(timerfd_flags, "TFD_???");

static const struct name_row signalfd_flags_rows[] = { NAME_FLAG(SFD_CLOEXEC), NAME_FLAG(SFD_NONBLOCK) };
FLAG_TYPE(signalfd_flags, "SFD_???");

static const struct name_row inotify_init_flags_rows[] = { NAME_FLAG(IN_NONBLOCK), NAME_FLAG(IN_CLOEXEC) };
FLAG_TYPE(inotify_init_flags, "IN_???");

static const struct name_row inotify_mask_rows[] = {
	NAME_FLAG(IN_ACCESS), NAME_FLAG(IN_MODIFY), NAME_FLAG(IN_ATTRIB), NAME_FLAG(IN_CLOSE_WRITE), NAME_FLAG(IN_CLOSE_NOWRITE),
	NAME_FLAG(IN_OPEN), NAME_FLAG(IN_MOVED_FROM), NAME_FLAG(IN_MOVED_TO), NAME_FLAG(IN_CREATE), NAME_FLAG(IN_DELETE),
	NAME_FLAG(IN_DELETE_SELF), NAME_FLAG(IN_MOVE_SELF), NAME_FLAG(IN_UNMOUNT), NAME_FLAG(IN_Q_OVERFLOW), NAME_FLAG(IN_IGNORED),
	NAME_FLAG(IN_ONLYDIR), NAME_FLAG(IN_DONT_FOLLOW), NAME_FLAG(IN_EXCL_UNLINK), NAME_FLAG(IN_MASK_CREATE), NAME_FLAG(IN_MASK_ADD),
	NAME_FLAG(IN_ISDIR), NAME_FLAG(IN_ONESHOT),
};
FLAG_TYPE(inotify_mask, "IN_???");

/* uapi/linux/mount.h; some are the kernel's own and never come from user space. */
static const struct name_row mount_flags_rows[] = {
	FLAG_AS(1 << 0, "MS_RDONLY"), FLAG_AS(1 << 1, "MS_NOSUID"), FLAG_AS(1 << 2, "MS_NODEV"), FLAG_AS(1 << 3, "MS_NOEXEC"),
	FLAG_AS(1 << 4, "MS_SYNCHRONOUS"), FLAG_AS(1 << 5, "MS_REMOUNT"), FLAG_AS(1 << 6, "MS_MANDLOCK"), FLAG_AS(1 << 7, "MS_DIRSYNC"),
	FLAG_AS(1 << 8, "MS_NOSYMFOLLOW"), FLAG_AS(1 << 10, "MS_NOATIME"), FLAG_AS(1 << 11, "MS_NODIRATIME"), FLAG_AS(1 << 12, "MS_BIND"),
	FLAG_AS(1 << 13, "MS_MOVE"), FLAG_AS(1 << 14, "MS_REC"), FLAG_AS(1 << 15, "MS_SILENT"), FLAG_AS(1 << 16, "MS_POSIXACL"),
	FLAG_AS(1 << 17, "MS_UNBINDABLE"), FLAG_AS(1 << 18, "MS_PRIVATE"), FLAG_AS(1 << 19, "MS_SLAVE"), FLAG_AS(1 << 20, "MS_SHARED"),
	FLAG_AS(1 << 21, "MS_RELATIME"), FLAG_AS(1 << 22, "MS_KERNMOUNT"), FLAG_AS(1 << 23, "MS_I_VERSION"),
	FLAG_AS(1 << 24, "MS_STRICTATIME"), FLAG_AS(1 << 25, "MS_LAZYTIME"),
};
static const struct names mount_flags_names = NAMES(mount_flags_rows, "MS_???");
const struct arg_type type_mount_flags = { "unsigned long", decode_flags_long, &mount_flags_names };

static const struct name_row umount_flags_rows[] = { FLAG_AS(1, "MNT_FORCE"), FLAG_AS(2, "MNT_DETACH"), FLAG_AS(4, "MNT_EXPIRE"),
						     FLAG_AS(8, "UMOUNT_NOFOLLOW") };
FLAG_TYPE(umount_flags, "MNT_???");

static const struct name_row splice_flags_rows[] = { FLAG_AS(1, "SPLICE_F_MOVE"), FLAG_AS(2, "SPLICE_F_NONBLOCK"),
						     FLAG_AS(4, "SPLICE_F_MORE"), FLAG_AS(8, "SPLICE_F_GIFT") };
FLAG_TYPE(splice_flags, "SPLICE_F_???");

static const struct name_row sync_range_flags_rows[] = { FLAG_AS(1, "SYNC_FILE_RANGE_WAIT_BEFORE"), FLAG_AS(2, "SYNC_FILE_RANGE_WRITE"),
							 FLAG_AS(4, "SYNC_FILE_RANGE_WAIT_AFTER") };
FLAG_TYPE(sync_range_flags, "SYNC_FILE_RANGE_???");

static const struct name_row rwf_flags_rows[] = {
	FLAG_AS(1, "RWF_HIPRI"), FLAG_AS(2, "RWF_DSYNC"), FLAG_AS(4, "RWF_SYNC"), FLAG_AS(8, "RWF_NOWAIT"), FLAG_AS(16, "RWF_APPEND"),
};
FLAG_TYPE(rwf_flags, "RWF_???");

static const struct name_row xattr_flags_rows[] = { FLAG_AS(1, "XATTR_CREATE"), FLAG_AS(2, "XATTR_REPLACE") };
FLAG_TYPE(xattr_flags, "XATTR_???");

static const struct name_row close_range_flags_rows[] = { FLAG_AS(2, "CLOSE_RANGE_UNSHARE"), FLAG_AS(4, "CLOSE_RANGE_CLOEXEC") };
FLAG_TYPE(close_range_flags, "CLOSE_RANGE_???");

static const struct name_row epoll_op_rows[] = { NAME_VALUE(EPOLL_CTL_ADD), NAME_VALUE(EPOLL_CTL_DEL), NAME_VALUE(EPOLL_CTL_MOD) };
ENUM_TYPE(epoll_op, "EPOLL_CTL_???");

static const struct name_row epoll_event_rows[] = {
	NAME_FLAG(EPOLLIN), NAME_FLAG(EPOLLPRI), NAME_FLAG(EPOLLOUT), NAME_FLAG(EPOLLERR), NAME_FLAG(EPOLLHUP),
	FLAG_AS(0x20, "EPOLLNVAL"), NAME_FLAG(EPOLLRDNORM), NAME_FLAG(EPOLLRDBAND), NAME_FLAG(EPOLLWRNORM), NAME_FLAG(EPOLLWRBAND),
	NAME_FLAG(EPOLLMSG), NAME_FLAG(EPOLLRDHUP), FLAG_AS(1u << 28, "EPOLLEXCLUSIVE"), FLAG_AS(1u << 29, "EPOLLWAKEUP"),
	FLAG_AS(1u << 30, "EPOLLONESHOT"), FLAG_AS(1u << 31, "EPOLLET"),
};
const struct names epoll_event_names = NAMES(epoll_event_rows, "EPOLL???");

/* uapi/asm-generic/poll.h */
static const struct name_row poll_event_rows[] = {
	FLAG_AS(0x1, "POLLIN"), FLAG_AS(0x2, "POLLPRI"), FLAG_AS(0x4, "POLLOUT"), FLAG_AS(0x8, "POLLERR"), FLAG_AS(0x10, "POLLHUP"),
	FLAG_AS(0x20, "POLLNVAL"), FLAG_AS(0x40, "POLLRDNORM"), FLAG_AS(0x80, "POLLRDBAND"), FLAG_AS(0x100, "POLLWRNORM"),
	FLAG_AS(0x200, "POLLWRBAND"), FLAG_AS(0x400, "POLLMSG"), FLAG_AS(0x1000, "POLLREMOVE"), FLAG_AS(0x2000, "POLLRDHUP"),
	FLAG_AS(0x8000, "POLL_BUSY_LOOP"),
};
const struct names poll_event_names = NAMES(poll_event_rows, "POLL???");
