/* names_socket: families, types, protocols and message flags. Values: uapi/linux/{socket,in,netlink,if_ether}.h, linux/socket.h. */
#include <inttypes.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "probe/syscall/decode.h"

static const struct name_row address_family_rows[] = {
	NAME_AS(0, "AF_UNSPEC"), NAME_AS(1, "AF_UNIX"), NAME_AS(2, "AF_INET"), NAME_AS(3, "AF_AX25"), NAME_AS(4, "AF_IPX"),
	NAME_AS(5, "AF_APPLETALK"), NAME_AS(6, "AF_NETROM"), NAME_AS(7, "AF_BRIDGE"), NAME_AS(8, "AF_ATMPVC"), NAME_AS(9, "AF_X25"),
	NAME_AS(10, "AF_INET6"), NAME_AS(11, "AF_ROSE"), NAME_AS(12, "AF_DECnet"), NAME_AS(13, "AF_NETBEUI"), NAME_AS(14, "AF_SECURITY"),
	NAME_AS(15, "AF_KEY"), NAME_AS(16, "AF_NETLINK"), NAME_AS(17, "AF_PACKET"), NAME_AS(18, "AF_ASH"), NAME_AS(19, "AF_ECONET"),
	NAME_AS(20, "AF_ATMSVC"), NAME_AS(21, "AF_RDS"), NAME_AS(22, "AF_SNA"), NAME_AS(23, "AF_IRDA"), NAME_AS(24, "AF_PPPOX"),
	NAME_AS(25, "AF_WANPIPE"), NAME_AS(26, "AF_LLC"), NAME_AS(27, "AF_IB"), NAME_AS(28, "AF_MPLS"), NAME_AS(29, "AF_CAN"),
	NAME_AS(30, "AF_TIPC"), NAME_AS(31, "AF_BLUETOOTH"), NAME_AS(32, "AF_IUCV"), NAME_AS(33, "AF_RXRPC"), NAME_AS(34, "AF_ISDN"),
	NAME_AS(35, "AF_PHONET"), NAME_AS(36, "AF_IEEE802154"), NAME_AS(37, "AF_CAIF"), NAME_AS(38, "AF_ALG"), NAME_AS(39, "AF_NFC"),
	NAME_AS(40, "AF_VSOCK"), NAME_AS(41, "AF_KCM"), NAME_AS(42, "AF_QIPCRTR"), NAME_AS(43, "AF_SMC"), NAME_AS(44, "AF_XDP"),
	NAME_AS(45, "AF_MCTP"),
};
const struct names address_family_names = NAMES(address_family_rows, "AF_???");
const struct arg_type type_address_family = { "int", decode_enum, &address_family_names };

#define SOCKET_TYPE_MASK 0xf /* SOCK_TYPE_MASK of linux/net.h */
static const struct name_row socket_type_rows[] = {
	NAME_AS(1, "SOCK_STREAM"), NAME_AS(2, "SOCK_DGRAM"), NAME_AS(3, "SOCK_RAW"), NAME_AS(4, "SOCK_RDM"), NAME_AS(5, "SOCK_SEQPACKET"),
	NAME_AS(6, "SOCK_DCCP"), NAME_AS(10, "SOCK_PACKET"),
};
static const struct names socket_type_names = NAMES(socket_type_rows, "SOCK_???");

static const struct name_row socket_flags_rows[] = { NAME_FLAG(SOCK_CLOEXEC), NAME_FLAG(SOCK_NONBLOCK) };
FLAG_TYPE(socket_flags, "SOCK_???");

/* A number and flags in one word; a type of 0 is not written before flags. */
static struct value decode_socket_type(struct call *c, uint64_t word, const struct arg_type *type)
{
	_cleanup_(strbuf_done) struct strbuf b = {};
	uint32_t kind = (uint32_t)word & SOCKET_TYPE_MASK, flags = (uint32_t)word & ~(uint32_t)SOCKET_TYPE_MASK;
	const char *name = names_find(type->names, kind);
	if (name)
		strbuf_adds(&b, name);
	else if (!flags)
		strbuf_addf(&b, kind ? "%#x /* SOCK_??? */" : "%x", kind);
	if (flags && name)
		strbuf_addc(&b, '|');
	if (flags)
		names_add_flags(&b, &socket_flags_names, name ? flags : (uint32_t)word);
	return value_taken(c, UINT_VALUE((uint32_t)word), &b);
}
const struct arg_type type_socket_type = { "int", decode_socket_type, &socket_type_names };

static const struct name_row ip_protocol_rows[] = {
	NAME_VALUE(IPPROTO_IP), NAME_VALUE(IPPROTO_ICMP), NAME_VALUE(IPPROTO_IGMP), NAME_VALUE(IPPROTO_IPIP), NAME_VALUE(IPPROTO_TCP),
	NAME_VALUE(IPPROTO_EGP), NAME_VALUE(IPPROTO_PUP), NAME_VALUE(IPPROTO_UDP), NAME_VALUE(IPPROTO_IDP), NAME_VALUE(IPPROTO_TP),
	NAME_VALUE(IPPROTO_DCCP), NAME_VALUE(IPPROTO_IPV6), NAME_VALUE(IPPROTO_ROUTING), NAME_VALUE(IPPROTO_FRAGMENT),
	NAME_VALUE(IPPROTO_RSVP), NAME_VALUE(IPPROTO_GRE), NAME_VALUE(IPPROTO_ESP), NAME_VALUE(IPPROTO_AH), NAME_VALUE(IPPROTO_ICMPV6),
	NAME_VALUE(IPPROTO_NONE), NAME_VALUE(IPPROTO_DSTOPTS), NAME_VALUE(IPPROTO_MTP), NAME_AS(94, "IPPROTO_BEETPH"),
	NAME_VALUE(IPPROTO_ENCAP), NAME_VALUE(IPPROTO_PIM), NAME_VALUE(IPPROTO_COMP), NAME_AS(115, "IPPROTO_L2TP"),
	NAME_VALUE(IPPROTO_SCTP), NAME_VALUE(IPPROTO_MH), NAME_VALUE(IPPROTO_UDPLITE), NAME_VALUE(IPPROTO_MPLS),
	NAME_AS(143, "IPPROTO_ETHERNET"), NAME_VALUE(IPPROTO_RAW), NAME_AS(262, "IPPROTO_MPTCP"),
};
static const struct names ip_protocol_names = NAMES(ip_protocol_rows, "IPPROTO_???");

static const struct name_row netlink_protocol_rows[] = {
	NAME_AS(0, "NETLINK_ROUTE"), NAME_AS(1, "NETLINK_UNUSED"), NAME_AS(2, "NETLINK_USERSOCK"), NAME_AS(3, "NETLINK_FIREWALL"),
	NAME_AS(4, "NETLINK_SOCK_DIAG"), NAME_AS(5, "NETLINK_NFLOG"), NAME_AS(6, "NETLINK_XFRM"), NAME_AS(7, "NETLINK_SELINUX"),
	NAME_AS(8, "NETLINK_ISCSI"), NAME_AS(9, "NETLINK_AUDIT"), NAME_AS(10, "NETLINK_FIB_LOOKUP"), NAME_AS(11, "NETLINK_CONNECTOR"),
	NAME_AS(12, "NETLINK_NETFILTER"), NAME_AS(13, "NETLINK_IP6_FW"), NAME_AS(14, "NETLINK_DNRTMSG"),
	NAME_AS(15, "NETLINK_KOBJECT_UEVENT"), NAME_AS(16, "NETLINK_GENERIC"), NAME_AS(18, "NETLINK_SCSITRANSPORT"),
	NAME_AS(19, "NETLINK_ECRYPTFS"), NAME_AS(20, "NETLINK_RDMA"), NAME_AS(21, "NETLINK_CRYPTO"), NAME_AS(22, "NETLINK_SMC"),
};
static const struct names netlink_protocol_names = NAMES(netlink_protocol_rows, "NETLINK_???");

static const struct name_row packet_protocol_rows[] = { NAME_AS(0x3, "htons(ETH_P_ALL)"), NAME_AS(0x800, "htons(ETH_P_IP)"),
							NAME_AS(0x806, "htons(ETH_P_ARP)"), NAME_AS(0x86dd, "htons(ETH_P_IPV6)") };
static const struct names packet_protocol_names = NAMES(packet_protocol_rows, "ETH_P_???");

/* Which protocol the third argument of socket() names depends on the first. */
static struct value decode_socket_protocol(struct call *c, uint64_t word, const struct arg_type *type)
{
	switch ((uint32_t)call_arg(c, 0)) {
	case AF_INET:
	case AF_INET6:
		return names_enum(c, &ip_protocol_names, (uint32_t)word);
	case AF_NETLINK:
		return names_enum(c, &netlink_protocol_names, (uint32_t)word);
	case AF_PACKET:
		return names_enum(c, &packet_protocol_names, ntohs((uint16_t)word));
	default:
		return UINT_VALUE((uint32_t)word);
	}
}
const struct arg_type type_socket_protocol = { "int", decode_socket_protocol };

static const struct name_row message_flag_rows[] = {
	FLAG_AS(0x1, "MSG_OOB"), FLAG_AS(0x2, "MSG_PEEK"), FLAG_AS(0x4, "MSG_DONTROUTE"), FLAG_AS(0x8, "MSG_CTRUNC"),
	FLAG_AS(0x10, "MSG_PROBE"), FLAG_AS(0x20, "MSG_TRUNC"), FLAG_AS(0x40, "MSG_DONTWAIT"), FLAG_AS(0x80, "MSG_EOR"),
	FLAG_AS(0x100, "MSG_WAITALL"), FLAG_AS(0x200, "MSG_FIN"), FLAG_AS(0x400, "MSG_SYN"), FLAG_AS(0x800, "MSG_CONFIRM"),
	FLAG_AS(0x1000, "MSG_RST"), FLAG_AS(0x2000, "MSG_ERRQUEUE"), FLAG_AS(0x4000, "MSG_NOSIGNAL"), FLAG_AS(0x8000, "MSG_MORE"),
	FLAG_AS(0x10000, "MSG_WAITFORONE"), FLAG_AS(0x20000, "MSG_SENDPAGE_NOTLAST"), FLAG_AS(0x40000, "MSG_BATCH"),
	FLAG_AS(0x80000, "MSG_NO_SHARED_FRAGS"), FLAG_AS(0x4000000, "MSG_ZEROCOPY"), FLAG_AS(0x20000000, "MSG_FASTOPEN"),
	FLAG_AS(0x40000000, "MSG_CMSG_CLOEXEC"), FLAG_AS(0x80000000, "MSG_CMSG_COMPAT"),
};
const struct names message_flag_names = NAMES(message_flag_rows, "MSG_???");
const struct arg_type type_message_flags = { "int", decode_flags, &message_flag_names };

static const struct name_row shutdown_how_rows[] = { NAME_AS(0, "SHUT_RD"), NAME_AS(1, "SHUT_WR"), NAME_AS(2, "SHUT_RDWR") };
ENUM_TYPE(shutdown_how, "SHUT_???");
