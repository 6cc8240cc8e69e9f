/*
 * packet: the TCP segment in a captured frame, behind the link layer, VLAN tags, IPv4 or IPv6. Pure: it reads the frame alone.
 * Checksums are not looked at: where a machine captures what it sends itself, its network card has not made them yet.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* What a frame begins with: the numbers of libpcap's pcap_datalink() on Linux (tcpdump.org/linktypes.html). */
enum packet_link {
	LINK_NULL = 0,      /* the loopback of BSD and macOS */
	LINK_ETHERNET = 1,
	LINK_RAW = 12,      /* an IP packet; in files 101 */
	LINK_RAW_IN_FILES = 101,
	LINK_LOOP = 108,    /* the loopback of OpenBSD */
	LINK_COOKED = 113,  /* Linux, `tcpdump -i any` */
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_COOKED2 = 276, /* the same since libpcap 1.10 */
};

/* RFC 9293, 3.1 */
enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct packet_end {
	uint8_t address[16]; /* network order; IPv4 as ::ffff:a.b.c.d */
	uint16_t port;       /* host order */
};

struct packet {
	struct packet_end from, to;
	uint32_t seq, ack;     /* of the first byte; of the next one that the sender waits for */
	uint8_t flags;         /* enum tcp_flag */
	uint32_t bytes;        /* of payload, on the wire */
	struct slice captured; /* the first of them, in the frame */
};

enum packet_kind {
	PACKET_TCP,
	PACKET_OTHER,    /* neither TCP nor a piece of it: ARP, UDP, ICMP */
	PACKET_FRAGMENT, /* of an IP packet that came in several; what the first one carries of TCP is not told either */
	PACKET_CUT,      /* not enough was captured to tell */
	PACKET_BAD,      /* its lengths contradict each other */
	PACKET_KINDS
};

bool packet_link_known(int link);

/* @wire_bytes: of the frame, before the capture cut it. @ret is filled for PACKET_TCP alone. */
enum packet_kind packet_read(int link, struct slice frame, uint32_t wire_bytes, struct packet *ret);
