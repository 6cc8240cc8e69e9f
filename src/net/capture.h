/* capture: a file of packets as tcpdump and others write it, pcap or pcapng, read front to back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reason.h"
#include "base/slice.h"

struct capture;

/* Does the file begin as such files do? False also when it cannot be read. */
bool capture_is_one(const char *path);

/* -EBADMSG and @why: none that can be read; -ENOTSUP: of a link layer that we do not know, or utrace was built without libpcap; other -errno. */
int capture_open(struct capture **ret, const char *path, struct reason *why);
void capture_free(struct capture *c);
DEFINE_CLEANUP(struct capture *, capture_free)

struct capture_frame {
	uint64_t time_ns;    /* of the day: since 1970, UTC */
	int link;            /* what it begins with: enum packet_link */
	uint32_t wire_bytes; /* before the capture cut it */
	struct slice bytes;  /* borrowed until the next call */
};

/* 1: @ret is filled; 0: the end, also where the file is cut in the middle of a packet: capture_is_cut(). */
int capture_next(struct capture *c, struct capture_frame *ret);
bool capture_is_cut(const struct capture *c);

/* First and last time of its packets, by reading all of it. -ENODATA: it has none; else as capture_open(). */
int capture_span(const char *path, uint64_t *ret_first_ns, uint64_t *ret_last_ns, struct reason *why);
