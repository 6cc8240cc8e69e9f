/* arg_sockopt: options of sockets. Values: uapi/linux/{in,in6,tcp,udp,netlink}.h, uapi/asm-generic/socket.h. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "probe/syscall/decode.h"

enum { LEVEL_IP = 0, LEVEL_SOCKET = 1, LEVEL_TCP = 6, LEVEL_UDP = 17, LEVEL_IPV6 = 41, LEVEL_NETLINK = 270 };

static const struct name_row level_rows[] = {
	NAME_AS(0, "SOL_IP"), NAME_AS(1, "SOL_SOCKET"), NAME_AS(6, "SOL_TCP"), NAME_AS(17, "SOL_UDP"), NAME_AS(41, "SOL_IPV6"),
	NAME_AS(58, "SOL_ICMPV6"), NAME_AS(132, "SOL_SCTP"), NAME_AS(136, "SOL_UDPLITE"), NAME_AS(255, "SOL_RAW"), NAME_AS(263, "SOL_PACKET"),
	NAME_AS(270, "SOL_NETLINK"), NAME_AS(271, "SOL_TIPC"), NAME_AS(274, "SOL_BLUETOOTH"), NAME_AS(279, "SOL_ALG"), NAME_AS(282, "SOL_TLS"),
	NAME_AS(283, "SOL_XDP"), NAME_AS(284, "SOL_MPTCP"),
};
static const struct names level_names = NAMES(level_rows, "SOL_??");
const struct arg_type type_sockopt_level = { "int", decode_enum, &level_names };

static const struct name_row socket_rows[] = {
	NAME_AS(1, "SO_DEBUG"), NAME_AS(2, "SO_REUSEADDR"), NAME_AS(3, "SO_TYPE"), NAME_AS(4, "SO_ERROR"),
	NAME_AS(5, "SO_DONTROUTE"), NAME_AS(6, "SO_BROADCAST"), NAME_AS(7, "SO_SNDBUF"), NAME_AS(8, "SO_RCVBUF"),
	NAME_AS(9, "SO_KEEPALIVE"), NAME_AS(10, "SO_OOBINLINE"), NAME_AS(11, "SO_NO_CHECK"), NAME_AS(12, "SO_PRIORITY"),
	NAME_AS(13, "SO_LINGER"), NAME_AS(14, "SO_BSDCOMPAT"), NAME_AS(15, "SO_REUSEPORT"), NAME_AS(16, "SO_PASSCRED"),
	NAME_AS(17, "SO_PEERCRED"), NAME_AS(18, "SO_RCVLOWAT"), NAME_AS(19, "SO_SNDLOWAT"), NAME_AS(20, "SO_RCVTIMEO_OLD"),
	NAME_AS(21, "SO_SNDTIMEO_OLD"), NAME_AS(22, "SO_SECURITY_AUTHENTICATION"), NAME_AS(23, "SO_SECURITY_ENCRYPTION_TRANSPORT"),
	NAME_AS(24, "SO_SECURITY_ENCRYPTION_NETWORK"), NAME_AS(25, "SO_BINDTODEVICE"), NAME_AS(26, "SO_ATTACH_FILTER"),
	NAME_AS(27, "SO_DETACH_FILTER"), NAME_AS(28, "SO_PEERNAME"), NAME_AS(29, "SO_TIMESTAMP_OLD"), NAME_AS(30, "SO_ACCEPTCONN"),
	NAME_AS(31, "SO_PEERSEC"), NAME_AS(32, "SO_SNDBUFFORCE"), NAME_AS(33, "SO_RCVBUFFORCE"), NAME_AS(34, "SO_PASSSEC"),
	NAME_AS(35, "SO_TIMESTAMPNS_OLD"), NAME_AS(36, "SO_MARK"), NAME_AS(37, "SO_TIMESTAMPING_OLD"), NAME_AS(38, "SO_PROTOCOL"),
	NAME_AS(39, "SO_DOMAIN"), NAME_AS(40, "SO_RXQ_OVFL"), NAME_AS(41, "SO_WIFI_STATUS"), NAME_AS(42, "SO_PEEK_OFF"),
	NAME_AS(43, "SO_NOFCS"), NAME_AS(44, "SO_LOCK_FILTER"), NAME_AS(45, "SO_SELECT_ERR_QUEUE"), NAME_AS(46, "SO_BUSY_POLL"),
	NAME_AS(47, "SO_MAX_PACING_RATE"), NAME_AS(48, "SO_BPF_EXTENSIONS"), NAME_AS(49, "SO_INCOMING_CPU"),
	NAME_AS(50, "SO_ATTACH_BPF"), NAME_AS(51, "SO_ATTACH_REUSEPORT_CBPF"), NAME_AS(52, "SO_ATTACH_REUSEPORT_EBPF"),
	NAME_AS(53, "SO_CNX_ADVICE"), NAME_AS(55, "SO_MEMINFO"), NAME_AS(56, "SO_INCOMING_NAPI_ID"), NAME_AS(57, "SO_COOKIE"),
	NAME_AS(59, "SO_PEERGROUPS"), NAME_AS(60, "SO_ZEROCOPY"), NAME_AS(61, "SO_TXTIME"), NAME_AS(62, "SO_BINDTOIFINDEX"),
	NAME_AS(63, "SO_TIMESTAMP_NEW"), NAME_AS(64, "SO_TIMESTAMPNS_NEW"), NAME_AS(65, "SO_TIMESTAMPING_NEW"),
	NAME_AS(66, "SO_RCVTIMEO_NEW"), NAME_AS(67, "SO_SNDTIMEO_NEW"), NAME_AS(68, "SO_DETACH_REUSEPORT_BPF"),
	NAME_AS(69, "SO_PREFER_BUSY_POLL"), NAME_AS(70, "SO_BUSY_POLL_BUDGET"), NAME_AS(71, "SO_NETNS_COOKIE"),
	NAME_AS(72, "SO_BUF_LOCK"), NAME_AS(73, "SO_RESERVE_MEM"), NAME_AS(74, "SO_TXREHASH"), NAME_AS(75, "SO_RCVMARK"),
};
static const struct names socket_names = NAMES(socket_rows, "SO_???");

static const struct name_row ip_rows[] = {
	NAME_AS(1, "IP_TOS"), NAME_AS(2, "IP_TTL"), NAME_AS(3, "IP_HDRINCL"), NAME_AS(4, "IP_OPTIONS"),
	NAME_AS(5, "IP_ROUTER_ALERT"), NAME_AS(6, "IP_RECVOPTS"), NAME_AS(7, "IP_RETOPTS"), NAME_AS(8, "IP_PKTINFO"),
	NAME_AS(9, "IP_PKTOPTIONS"), NAME_AS(10, "IP_MTU_DISCOVER"), NAME_AS(11, "IP_RECVERR"), NAME_AS(12, "IP_RECVTTL"),
	NAME_AS(13, "IP_RECVTOS"), NAME_AS(14, "IP_MTU"), NAME_AS(15, "IP_FREEBIND"), NAME_AS(16, "IP_IPSEC_POLICY"),
	NAME_AS(17, "IP_XFRM_POLICY"), NAME_AS(18, "IP_PASSSEC"), NAME_AS(19, "IP_TRANSPARENT"), NAME_AS(20, "IP_ORIGDSTADDR"),
	NAME_AS(21, "IP_MINTTL"), NAME_AS(22, "IP_NODEFRAG"), NAME_AS(23, "IP_CHECKSUM"), NAME_AS(24, "IP_BIND_ADDRESS_NO_PORT"),
	NAME_AS(25, "IP_RECVFRAGSIZE"), NAME_AS(26, "IP_RECVERR_RFC4884"), NAME_AS(32, "IP_MULTICAST_IF"),
	NAME_AS(33, "IP_MULTICAST_TTL"), NAME_AS(34, "IP_MULTICAST_LOOP"), NAME_AS(35, "IP_ADD_MEMBERSHIP"),
	NAME_AS(36, "IP_DROP_MEMBERSHIP"), NAME_AS(37, "IP_UNBLOCK_SOURCE"), NAME_AS(38, "IP_BLOCK_SOURCE"),
	NAME_AS(39, "IP_ADD_SOURCE_MEMBERSHIP"), NAME_AS(40, "IP_DROP_SOURCE_MEMBERSHIP"), NAME_AS(41, "IP_MSFILTER"),
	NAME_AS(42, "MCAST_JOIN_GROUP"), NAME_AS(43, "MCAST_BLOCK_SOURCE"), NAME_AS(44, "MCAST_UNBLOCK_SOURCE"),
	NAME_AS(45, "MCAST_LEAVE_GROUP"), NAME_AS(46, "MCAST_JOIN_SOURCE_GROUP"), NAME_AS(47, "MCAST_LEAVE_SOURCE_GROUP"),
	NAME_AS(48, "MCAST_MSFILTER"), NAME_AS(49, "IP_MULTICAST_ALL"), NAME_AS(50, "IP_UNICAST_IF"),
};
static const struct names ip_names = NAMES(ip_rows, "IP_???");

static const struct name_row ipv6_rows[] = {
	NAME_AS(1, "IPV6_ADDRFORM"), NAME_AS(2, "IPV6_2292PKTINFO"), NAME_AS(3, "IPV6_2292HOPOPTS"),
	NAME_AS(4, "IPV6_2292DSTOPTS"), NAME_AS(5, "IPV6_2292RTHDR"), NAME_AS(6, "IPV6_2292PKTOPTIONS"),
	NAME_AS(7, "IPV6_CHECKSUM"), NAME_AS(8, "IPV6_2292HOPLIMIT"), NAME_AS(9, "IPV6_NEXTHOP"), NAME_AS(10, "IPV6_AUTHHDR"),
	NAME_AS(11, "IPV6_FLOWINFO"), NAME_AS(16, "IPV6_UNICAST_HOPS"), NAME_AS(17, "IPV6_MULTICAST_IF"),
	NAME_AS(18, "IPV6_MULTICAST_HOPS"), NAME_AS(19, "IPV6_MULTICAST_LOOP"), NAME_AS(20, "IPV6_ADD_MEMBERSHIP"),
	NAME_AS(21, "IPV6_DROP_MEMBERSHIP"), NAME_AS(22, "IPV6_ROUTER_ALERT"), NAME_AS(23, "IPV6_MTU_DISCOVER"),
	NAME_AS(24, "IPV6_MTU"), NAME_AS(25, "IPV6_RECVERR"), NAME_AS(26, "IPV6_V6ONLY"), NAME_AS(27, "IPV6_JOIN_ANYCAST"),
	NAME_AS(28, "IPV6_LEAVE_ANYCAST"), NAME_AS(29, "IPV6_MULTICAST_ALL"), NAME_AS(30, "IPV6_ROUTER_ALERT_ISOLATE"),
	NAME_AS(31, "IPV6_RECVERR_RFC4884"), NAME_AS(32, "IPV6_FLOWLABEL_MGR"), NAME_AS(33, "IPV6_FLOWINFO_SEND"),
	NAME_AS(34, "IPV6_IPSEC_POLICY"), NAME_AS(35, "IPV6_XFRM_POLICY"), NAME_AS(36, "IPV6_HDRINCL"),
	NAME_AS(42, "MCAST_JOIN_GROUP"), NAME_AS(43, "MCAST_BLOCK_SOURCE"), NAME_AS(44, "MCAST_UNBLOCK_SOURCE"),
	NAME_AS(45, "MCAST_LEAVE_GROUP"), NAME_AS(46, "MCAST_JOIN_SOURCE_GROUP"), NAME_AS(47, "MCAST_LEAVE_SOURCE_GROUP"),
	NAME_AS(48, "MCAST_MSFILTER"), NAME_AS(49, "IPV6_RECVPKTINFO"), NAME_AS(50, "IPV6_PKTINFO"),
	NAME_AS(51, "IPV6_RECVHOPLIMIT"), NAME_AS(52, "IPV6_HOPLIMIT"), NAME_AS(53, "IPV6_RECVHOPOPTS"),
	NAME_AS(54, "IPV6_HOPOPTS"), NAME_AS(55, "IPV6_RTHDRDSTOPTS"), NAME_AS(56, "IPV6_RECVRTHDR"), NAME_AS(57, "IPV6_RTHDR"),
	NAME_AS(58, "IPV6_RECVDSTOPTS"), NAME_AS(59, "IPV6_DSTOPTS"), NAME_AS(60, "IPV6_RECVPATHMTU"), NAME_AS(61, "IPV6_PATHMTU"),
	NAME_AS(62, "IPV6_DONTFRAG"), NAME_AS(63, "IPV6_USE_MIN_MTU"), NAME_AS(66, "IPV6_RECVTCLASS"), NAME_AS(67, "IPV6_TCLASS"),
	NAME_AS(70, "IPV6_AUTOFLOWLABEL"), NAME_AS(72, "IPV6_ADDR_PREFERENCES"), NAME_AS(73, "IPV6_MINHOPCOUNT"),
	NAME_AS(74, "IPV6_ORIGDSTADDR"), NAME_AS(75, "IPV6_TRANSPARENT"), NAME_AS(76, "IPV6_UNICAST_IF"),
	NAME_AS(77, "IPV6_RECVFRAGSIZE"), NAME_AS(78, "IPV6_FREEBIND"),
};
static const struct names ipv6_names = NAMES(ipv6_rows, "IPV6_???");

static const struct name_row tcp_rows[] = {
	NAME_AS(1, "TCP_NODELAY"), NAME_AS(2, "TCP_MAXSEG"), NAME_AS(3, "TCP_CORK"), NAME_AS(4, "TCP_KEEPIDLE"),
	NAME_AS(5, "TCP_KEEPINTVL"), NAME_AS(6, "TCP_KEEPCNT"), NAME_AS(7, "TCP_SYNCNT"), NAME_AS(8, "TCP_LINGER2"),
	NAME_AS(9, "TCP_DEFER_ACCEPT"), NAME_AS(10, "TCP_WINDOW_CLAMP"), NAME_AS(11, "TCP_INFO"), NAME_AS(12, "TCP_QUICKACK"),
	NAME_AS(13, "TCP_CONGESTION"), NAME_AS(14, "TCP_MD5SIG"), NAME_AS(15, "TCP_COOKIE_TRANSACTIONS"),
	NAME_AS(16, "TCP_THIN_LINEAR_TIMEOUTS"), NAME_AS(17, "TCP_THIN_DUPACK"), NAME_AS(18, "TCP_USER_TIMEOUT"),
	NAME_AS(19, "TCP_REPAIR"), NAME_AS(20, "TCP_REPAIR_QUEUE"), NAME_AS(21, "TCP_QUEUE_SEQ"),
	NAME_AS(22, "TCP_REPAIR_OPTIONS"), NAME_AS(23, "TCP_FASTOPEN"), NAME_AS(24, "TCP_TIMESTAMP"),
	NAME_AS(25, "TCP_NOTSENT_LOWAT"), NAME_AS(26, "TCP_CC_INFO"), NAME_AS(27, "TCP_SAVE_SYN"), NAME_AS(28, "TCP_SAVED_SYN"),
	NAME_AS(29, "TCP_REPAIR_WINDOW"), NAME_AS(30, "TCP_FASTOPEN_CONNECT"), NAME_AS(31, "TCP_ULP"),
	NAME_AS(32, "TCP_MD5SIG_EXT"), NAME_AS(33, "TCP_FASTOPEN_KEY"), NAME_AS(34, "TCP_FASTOPEN_NO_COOKIE"),
	NAME_AS(35, "TCP_ZEROCOPY_RECEIVE"), NAME_AS(36, "TCP_INQ"), NAME_AS(37, "TCP_TX_DELAY"),
};
static const struct names tcp_names = NAMES(tcp_rows, "TCP_???");

static const struct name_row udp_rows[] = {
	NAME_AS(1, "UDP_CORK"), NAME_AS(100, "UDP_ENCAP"), NAME_AS(101, "UDP_NO_CHECK6_TX"), NAME_AS(102, "UDP_NO_CHECK6_RX"),
	NAME_AS(103, "UDP_SEGMENT"), NAME_AS(104, "UDP_GRO"),
};
static const struct names udp_names = NAMES(udp_rows, "UDP_???");

static const struct name_row netlink_rows[] = {
	NAME_AS(1, "NETLINK_ADD_MEMBERSHIP"), NAME_AS(2, "NETLINK_DROP_MEMBERSHIP"), NAME_AS(3, "NETLINK_PKTINFO"),
	NAME_AS(4, "NETLINK_BROADCAST_ERROR"), NAME_AS(5, "NETLINK_NO_ENOBUFS"), NAME_AS(9, "NETLINK_LIST_MEMBERSHIPS"),
	NAME_AS(10, "NETLINK_CAP_ACK"), NAME_AS(11, "NETLINK_EXT_ACK"), NAME_AS(12, "NETLINK_GET_STRICT_CHK"),
};
static const struct names netlink_names = NAMES(netlink_rows, "NETLINK_???");

static const struct names *option_names(uint32_t level)
{
	switch (level) {
	case LEVEL_SOCKET:
		return &socket_names;
	case LEVEL_IP:
		return &ip_names;
	case LEVEL_IPV6:
		return &ipv6_names;
	case LEVEL_TCP:
		return &tcp_names;
	case LEVEL_UDP:
		return &udp_names;
	case LEVEL_NETLINK:
		return &netlink_names;
	default:
		return NULL;
	}
}

static struct value decode_option(struct call *c, uint64_t word, const struct arg_type *type)
{
	const struct names *names = option_names((uint32_t)call_arg(c, 1));
	return names ? names_enum(c, names, (uint32_t)word) : INT_VALUE((int32_t)word);
}
const struct arg_type type_sockopt_name = { "int", decode_option };

static bool option_is(const struct call *c, uint32_t level, uint32_t option)
{
	return (uint32_t)call_arg(c, 1) == level && (uint32_t)call_arg(c, 2) == option;
}

static struct value ints_value(struct call *c, struct slice s, const char *const names[], size_t n)
{
	struct fields f = {};
	for (size_t i = 0; i < n && (i + 1) * 4 <= s.len; i++) {
		int32_t x;
		memcpy(&x, s.data + i * 4, sizeof(x));
		fields_add(&f, names[i], INT_VALUE(x));
	}
	return fields_struct(c, &f, false);
}

static struct value inet_value(struct call *c, const char *bytes)
{
	char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, bytes, text, sizeof(text));
	return value_text(c, value_string(c, slice_of(text), false), "inet_addr(\"%s\")", text);
}

/* struct ip_mreq: the group, then the interface. */
static struct value membership_value(struct call *c, struct slice s)
{
	struct fields f = {};
	fields_add(&f, "imr_multiaddr", inet_value(c, s.data));
	fields_add(&f, "imr_interface", inet_value(c, s.data + 4));
	return fields_struct(c, &f, false);
}

static struct value int_value(struct call *c, struct slice s)
{
	int32_t x;
	memcpy(&x, s.data, sizeof(x));
	struct value v = INT_VALUE(x);
	const char *name = option_is(c, LEVEL_SOCKET, 4) && x > 0 ? strerrorname_np(x) : NULL; /* SO_ERROR */
	return value_bracketed(c, name ? value_text(c, v, "%s", name) : v);
}

static struct value option_value(struct call *c, struct slice s, bool truncated)
{
	static const char *const linger[] = { "l_onoff", "l_linger" }, *const credentials[] = { "pid", "uid", "gid" };
	if (option_is(c, LEVEL_SOCKET, 13) && s.len >= 8) /* SO_LINGER */
		return ints_value(c, s, linger, ARRAY_SIZE(linger));
	if (option_is(c, LEVEL_SOCKET, 17) && s.len >= 12) /* SO_PEERCRED */
		return ints_value(c, s, credentials, ARRAY_SIZE(credentials));
	if ((option_is(c, LEVEL_IP, 35) || option_is(c, LEVEL_IP, 36)) && s.len >= 8)
		return membership_value(c, s);
	bool text = option_is(c, LEVEL_TCP, 13) || option_is(c, LEVEL_SOCKET, 25); /* TCP_CONGESTION, SO_BINDTODEVICE */
	if (s.len == 4 && !text)
		return int_value(c, s);
	return value_string(c, s, truncated);
}

static struct value decode_value_in(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct slice s;
	uint32_t len = (uint32_t)call_arg(c, c->at + 1);
	if (!word || !len || !memory_some(c, AT_ENTRY, word, len, &s))
		return value_address(c, word);
	return option_value(c, s, s.len < len);
}

static struct value decode_value_out(struct call *c, uint64_t word, const struct arg_type *type)
{
	struct slice s;
	uint32_t len;
	if (!word || !call_succeeded(c) || !memory_read(c, AT_EXIT, call_arg(c, c->at + 1), &len) || !len ||
	    !memory_some(c, AT_EXIT, word, len, &s))
		return value_address(c, word);
	return option_value(c, s, s.len < len);
}

const struct arg_type type_sockopt_in = { "const void *", decode_value_in, NULL, { { SYSCALL_FETCH_BYTES, AT_ENTRY, COUNT_NEXT, 1 } } };
const struct arg_type type_sockopt_out = { "void *", decode_value_out, NULL, { { SYSCALL_FETCH_BYTES, AT_EXIT, COUNT_NEXT_POINTED, 1 } } };
