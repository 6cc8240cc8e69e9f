/* arg_ioctl: the commands that common programs use; of others what their number tells (uapi/asm-generic/ioctl.h). */
#include <inttypes.h>
#include <string.h>

#include "probe/syscall/decode.h"

enum ioctl_argument { IOCTL_ADDRESS, IOCTL_NONE, IOCTL_NUMBER, IOCTL_INT_IN, IOCTL_INT_OUT, IOCTL_WINSIZE_IN, IOCTL_WINSIZE_OUT, IOCTL_TERMIOS_IN, IOCTL_TERMIOS_OUT };

static const struct ioctl_row {
	uint32_t command;
	const char *name;
	enum ioctl_argument argument;
} ioctls[] = {
	{ 0x5401, "TCGETS", IOCTL_TERMIOS_OUT }, { 0x5402, "TCSETS", IOCTL_TERMIOS_IN }, { 0x5403, "TCSETSW", IOCTL_TERMIOS_IN },
	{ 0x5404, "TCSETSF", IOCTL_TERMIOS_IN }, { 0x5405, "TCGETA", IOCTL_ADDRESS }, { 0x5409, "TCSBRK", IOCTL_NUMBER },
	{ 0x540a, "TCXONC", IOCTL_NUMBER }, { 0x540b, "TCFLSH", IOCTL_NUMBER }, { 0x540c, "TIOCEXCL", IOCTL_NONE },
	{ 0x540d, "TIOCNXCL", IOCTL_NONE }, { 0x540e, "TIOCSCTTY", IOCTL_NUMBER }, { 0x540f, "TIOCGPGRP", IOCTL_INT_OUT },
	{ 0x5410, "TIOCSPGRP", IOCTL_INT_IN }, { 0x5411, "TIOCOUTQ", IOCTL_INT_OUT }, { 0x5413, "TIOCGWINSZ", IOCTL_WINSIZE_OUT },
	{ 0x5414, "TIOCSWINSZ", IOCTL_WINSIZE_IN }, { 0x541b, "FIONREAD", IOCTL_INT_OUT }, { 0x5420, "TIOCPKT", IOCTL_INT_IN },
	{ 0x5421, "FIONBIO", IOCTL_INT_IN }, { 0x5422, "TIOCNOTTY", IOCTL_NONE }, { 0x5423, "TIOCSETD", IOCTL_INT_IN },
	{ 0x5424, "TIOCGETD", IOCTL_INT_OUT }, { 0x5425, "TCSBRKP", IOCTL_NUMBER }, { 0x5429, "TIOCGSID", IOCTL_INT_OUT },
	{ 0x80045430, "TIOCGPTN", IOCTL_INT_OUT }, { 0x40045431, "TIOCSPTLCK", IOCTL_INT_IN }, { 0x5441, "TIOCGPTPEER", IOCTL_NUMBER },
	{ 0x5450, "FIONCLEX", IOCTL_NONE }, { 0x5451, "FIOCLEX", IOCTL_NONE }, { 0x5452, "FIOASYNC", IOCTL_INT_IN },
	{ 0x8910, "SIOCGIFNAME", IOCTL_ADDRESS }, { 0x8912, "SIOCGIFCONF", IOCTL_ADDRESS }, { 0x8913, "SIOCGIFFLAGS", IOCTL_ADDRESS },
	{ 0x8914, "SIOCSIFFLAGS", IOCTL_ADDRESS }, { 0x8915, "SIOCGIFADDR", IOCTL_ADDRESS }, { 0x891b, "SIOCGIFNETMASK", IOCTL_ADDRESS },
	{ 0x8921, "SIOCGIFMTU", IOCTL_ADDRESS }, { 0x8927, "SIOCGIFHWADDR", IOCTL_ADDRESS }, { 0x8933, "SIOCGIFINDEX", IOCTL_ADDRESS },
	{ 0x8946, "SIOCETHTOOL", IOCTL_ADDRESS }, { 0x40049409, "FICLONE", IOCTL_NUMBER }, { 0x4020940d, "FICLONERANGE", IOCTL_ADDRESS },
	{ 0x80086601, "FS_IOC_GETFLAGS", IOCTL_ADDRESS }, { 0x40086602, "FS_IOC_SETFLAGS", IOCTL_ADDRESS },
	{ 0xc020660b, "FS_IOC_FIEMAP", IOCTL_ADDRESS }, { 0x1268, "BLKSSZGET", IOCTL_INT_OUT }, { 0x80081272, "BLKGETSIZE64", IOCTL_ADDRESS },
	{ 0x2400, "PERF_EVENT_IOC_ENABLE", IOCTL_NUMBER }, { 0x2401, "PERF_EVENT_IOC_DISABLE", IOCTL_NUMBER },
	{ 0x2403, "PERF_EVENT_IOC_RESET", IOCTL_NUMBER }, { 0x40042408, "PERF_EVENT_IOC_SET_BPF", IOCTL_NUMBER },
};

static const struct ioctl_row *find(uint32_t command)
{
	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++)
		if (ioctls[i].command == command)
			return &ioctls[i];
	return NULL;
}

static struct value decode_command(struct call *c, uint64_t word, const struct arg_type *type)
{
	static const char *const directions[] = { "_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE" };
	uint32_t command = (uint32_t)word;
	const struct ioctl_row *row = find(command);
	struct value v = UINT_VALUE(command);
	if (row)
		return value_named(v, row->name);
	return value_text(c, v, "_IOC(%s, %#" PRIx32 ", %#" PRIx32 ", %#" PRIx32 ")", directions[command >> 30], command >> 8 & 0xff,
			  command & 0xff, command >> 16 & 0x3fff);
}
const struct arg_type type_ioctl_command = { "unsigned int", decode_command };

static struct value int_value(struct call *c, enum arg_when when, uint64_t addr)
{
	int32_t x;
	return memory_read(c, when, addr, &x) ? value_bracketed(c, INT_VALUE(x)) : value_address(c, addr);
}

static struct value winsize_value(struct call *c, enum arg_when when, uint64_t addr)
{
	static const char *const names[] = { "ws_row", "ws_col", "ws_xpixel", "ws_ypixel" };
	struct fields f = {};
	uint16_t size[4];
	if (!memory_read(c, when, addr, &size))
		return value_address(c, addr);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		fields_add(&f, names[i], UINT_VALUE(size[i]));
	return fields_struct(c, &f, false);
}

/* The baud rate of c_cflag & CBAUD, uapi/asm-generic/termbits-common.h. */
static const char *baud_name(uint32_t cflag)
{
	static const char *const slow[] = { "B0", "B50", "B75", "B110", "B134", "B150", "B200", "B300", "B600", "B1200", "B1800", "B2400",
					    "B4800", "B9600", "B19200", "B38400" };
	static const char *const fast[] = { "B???", "B57600", "B115200", "B230400", "B460800", "B500000", "B576000", "B921600",
					    "B1000000", "B1152000", "B1500000", "B2000000", "B2500000", "B3000000", "B3500000", "B4000000" };
	return (cflag & 010000 ? fast : slow)[cflag & 017];
}

/* As strace abbreviates it: {B38400 opost isig icanon echo ...} */
static struct value termios_value(struct call *c, enum arg_when when, uint64_t addr)
{
	uint32_t flags[4]; /* c_iflag, c_oflag, c_cflag, c_lflag */
	if (!memory_read(c, when, addr, &flags))
		return value_address(c, addr);
	return value_text(c, ADDRESS_VALUE(addr), "{%s %sopost %sisig %sicanon %secho ...}", baud_name(flags[2]), flags[1] & 1 ? "" : "-",
			  flags[3] & 1 ? "" : "-", flags[3] & 2 ? "" : "-", flags[3] & 010 ? "" : "-");
}

static struct value decode_argument(struct call *c, uint64_t word, const struct arg_type *type)
{
	const struct ioctl_row *row = find((uint32_t)call_arg(c, 1));
	switch (row ? row->argument : IOCTL_ADDRESS) {
	case IOCTL_NONE:
		return (struct value){};
	case IOCTL_NUMBER:
		return INT_VALUE((int32_t)word);
	case IOCTL_INT_IN:
		return int_value(c, AT_ENTRY, word);
	case IOCTL_WINSIZE_IN:
		return winsize_value(c, AT_ENTRY, word);
	case IOCTL_TERMIOS_IN:
		return termios_value(c, AT_ENTRY, word);
	case IOCTL_INT_OUT:
		return call_succeeded(c) ? int_value(c, AT_EXIT, word) : value_address(c, word);
	case IOCTL_WINSIZE_OUT:
		return call_succeeded(c) ? winsize_value(c, AT_EXIT, word) : value_address(c, word);
	case IOCTL_TERMIOS_OUT:
		return call_succeeded(c) ? termios_value(c, AT_EXIT, word) : value_address(c, word);
	default:
		return row ? value_address(c, word) : value_hex(c, word);
	}
}
const struct arg_type type_ioctl_argument = { "void *", decode_argument, NULL, { { SYSCALL_FETCH_BYTES, AT_BOTH, COUNT_SECOND_IOCTL, 1, 64 } } };
