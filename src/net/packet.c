#include "net/packet.h"

#include <arpa/inet.h>

#include "base/macro.h"

/* IEEE 802 numbers, as include/uapi/linux/if_ether.h has them. */
enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86dd, ETHERTYPE_VLAN = 0x8100, ETHERTYPE_QINQ = 0x88a8, ETHERTYPE_QINQ_OLD = 0x9100 };

/* IANA protocol numbers: what may stand between an IPv6 header and TCP, RFC 8200 section 4, and TCP. */
enum { NEXT_HOP_BY_HOP = 0, NEXT_TCP = 6, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AUTHENTICATION = 51, NEXT_DESTINATION = 60 };

#define VLAN_TAGS 4       /* one behind the other; two are the rule */
#define IPV6_EXTENSIONS 8
#define PAYLOAD_BYTES (1u << 20) /* of one packet: those that Linux sends at once (BIG TCP, GSO_MAX_SIZE) have half as many */

/* The rest of a frame: what was captured of it, and how long it was. */
struct rest {
	const uint8_t *at;
	size_t captured;
	uint64_t wire;
};

static uint16_t read16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t read32(const uint8_t *p)
{
	return (uint32_t)read16(p) << 16 | read16(p + 2);
}

/* The next @n bytes, which must have been captured; NULL: they are not. */
static const uint8_t *take(struct rest *r, size_t n)
{
	const uint8_t *at = r->at;
	if (r->captured < n || r->wire < n)
		return NULL;
	r->at += n;
	r->captured -= n;
	r->wire -= n;
	return at;
}

static void cut_to(struct rest *r, uint64_t bytes)
{
	r->wire = MIN(r->wire, bytes);
	r->captured = (size_t)MIN((uint64_t)r->captured, bytes);
}

static uint16_t ethertype_of_family(uint32_t family)
{
	switch (family) {
	case 2: /* AF_INET everywhere */
		return ETHERTYPE_IPV4;
	case 10: /* AF_INET6: Linux, NetBSD and OpenBSD, FreeBSD, macOS */
	case 24:
	case 28:
	case 30:
		return ETHERTYPE_IPV6;
	}
	return 0;
}

/* In the byte order of the machine that captured, which is not told: families are small. */
static uint16_t family_of_any_order(uint32_t family)
{
	return ethertype_of_family(family > 0xffff ? __builtin_bswap32(family) : family);
}

static bool link_ethernet(struct rest *r, uint16_t *ret_type)
{
	const uint8_t *head = take(r, 14);
	*ret_type = head ? read16(head + 12) : 0;
	return head;
}

static bool link_cooked(struct rest *r, uint16_t *ret_type)
{
	const uint8_t *head = take(r, 16);
	*ret_type = head ? read16(head + 14) : 0;
	return head;
}

static bool link_cooked2(struct rest *r, uint16_t *ret_type)
{
	const uint8_t *head = take(r, 20);
	*ret_type = head ? read16(head) : 0;
	return head;
}

static bool link_family(struct rest *r, uint16_t *ret_type)
{
	const uint8_t *head = take(r, 4);
	*ret_type = head ? family_of_any_order(read32(head)) : 0;
	return head;
}

static bool link_raw(struct rest *r, uint16_t *ret_type)
{
	int version = r->captured ? r->at[0] >> 4 : 0;
	*ret_type = version == 4 ? ETHERTYPE_IPV4 : version == 6 ? ETHERTYPE_IPV6 : 0;
	return r->captured;
}

static const struct {
	int link;
	bool (*read)(struct rest *r, uint16_t *ret_type); /* takes its head; false: not captured */
} links[] = {
	{ LINK_NULL, link_family },   { LINK_ETHERNET, link_ethernet }, { LINK_RAW, link_raw },   { LINK_RAW_IN_FILES, link_raw },
	{ LINK_LOOP, link_family },   { LINK_COOKED, link_cooked },     { LINK_IPV4, link_raw },  { LINK_IPV6, link_raw },
	{ LINK_COOKED2, link_cooked2 },
};

bool packet_link_known(int link)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (links[i].link == link)
			return true;
	return false;
}

static bool read_link(int link, struct rest *r, uint16_t *ret_type)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (links[i].link == link)
			return links[i].read(r, ret_type);
	*ret_type = 0;
	return true;
}

static bool pass_vlan_tags(struct rest *r, uint16_t *type)
{
	for (int i = 0; i < VLAN_TAGS; i++) {
		if (*type != ETHERTYPE_VLAN && *type != ETHERTYPE_QINQ && *type != ETHERTYPE_QINQ_OLD)
			break;
		const uint8_t *tag = take(r, 4);
		if (!tag)
			return false;
		*type = read16(tag + 2);
	}
	return true;
}

static void set_ipv4(struct packet_end *end, const uint8_t *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }; /* RFC 4291, 2.5.5.2 */
	memcpy(end->address, mapped, sizeof(mapped));
	memcpy(end->address + sizeof(mapped), address, 4);
}

/* RFC 791, 3.1. A total length of 0 is that of a packet that the card will cut (TSO) and that is too long for the field. */
static enum packet_kind read_ipv4(struct rest *r, struct packet *p)
{
	const uint8_t *head = take(r, 20);
	if (!head)
		return PACKET_CUT;
	size_t head_bytes = (size_t)(head[0] & 15) * 4;
	uint32_t total = read16(head + 2);
	uint16_t fragment = read16(head + 6);
	if (head[0] >> 4 != 4 || head_bytes < 20 || (total && total < head_bytes))
		return PACKET_BAD;
	if (head[9] != NEXT_TCP)
		return PACKET_OTHER;
	if (fragment & 0x3fff) /* more fragments, or an offset */
		return PACKET_FRAGMENT;
	if (!take(r, head_bytes - 20))
		return PACKET_CUT;
	if (total)
		cut_to(r, total - head_bytes);
	set_ipv4(&p->from, head + 12);
	set_ipv4(&p->to, head + 16);
	return PACKET_TCP;
}

/* What stands before TCP; the last kind that was found. */
static enum packet_kind pass_extensions(struct rest *r, uint8_t next)
{
	for (int i = 0; i < IPV6_EXTENSIONS && next != NEXT_TCP; i++) {
		if (next == NEXT_FRAGMENT)
			return PACKET_FRAGMENT;
		bool known = next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_DESTINATION || next == NEXT_AUTHENTICATION;
		if (!known)
			return PACKET_OTHER;
		const uint8_t *head = take(r, 8);
		if (!head)
			return PACKET_CUT;
		/* Behind the first 8 bytes: units of 8, RFC 8200 section 4.2; of AH units of 4, RFC 4302 section 2.2. */
		size_t more = (size_t)head[1] * (next == NEXT_AUTHENTICATION ? 4 : 8);
		next = head[0];
		if (!take(r, more))
			return PACKET_CUT;
	}
	return next == NEXT_TCP ? PACKET_TCP : PACKET_OTHER;
}

/* RFC 8200, 3. A payload length of 0 is that of a packet that is too long for the field. */
static enum packet_kind read_ipv6(struct rest *r, struct packet *p)
{
	const uint8_t *head = take(r, 40);
	if (!head)
		return PACKET_CUT;
	uint32_t payload = read16(head + 4);
	if (head[0] >> 4 != 6)
		return PACKET_BAD;
	if (payload)
		cut_to(r, payload);
	memcpy(p->from.address, head + 8, 16);
	memcpy(p->to.address, head + 24, 16);
	return pass_extensions(r, head[6]);
}

/* RFC 9293, 3.1. Of the options nothing is wanted: they may be cut. */
static enum packet_kind read_tcp(struct rest *r, struct packet *p)
{
	const uint8_t *head = take(r, 20);
	if (!head)
		return r->wire < 20 ? PACKET_BAD : PACKET_CUT;
	size_t options = (size_t)(head[12] >> 4) * 4;
	if (options < 20 || r->wire < options - 20 || r->wire > PAYLOAD_BYTES)
		return PACKET_BAD;
	options -= 20;
	size_t seen = MIN(options, r->captured);
	p->from.port = read16(head);
	p->to.port = read16(head + 2);
	p->seq = read32(head + 4);
	p->ack = read32(head + 8);
	p->flags = head[13] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK);
	p->bytes = (uint32_t)(r->wire - options);
	p->captured = (struct slice){ (const char *)r->at + seen, MIN(r->captured - seen, (size_t)p->bytes) };
	return PACKET_TCP;
}

enum packet_kind packet_read(int link, struct slice frame, uint32_t wire_bytes, struct packet *ret)
{
	struct rest r = { (const uint8_t *)frame.data, MIN(frame.len, (size_t)wire_bytes), wire_bytes };
	struct packet p = {};
	uint16_t type;
	if (!read_link(link, &r, &type) || !pass_vlan_tags(&r, &type))
		return PACKET_CUT;
	if (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6)
		return PACKET_OTHER;
	enum packet_kind kind = (type == ETHERTYPE_IPV4 ? read_ipv4 : read_ipv6)(&r, &p);
	if (kind == PACKET_TCP)
		kind = read_tcp(&r, &p);
	if (kind == PACKET_TCP)
		*ret = p;
	return kind;
}
