/* The files are libpcap's affair: pcap in either byte order and resolution, pcapng as far as all its interfaces are alike. */
#include "net/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pcap/pcap.h>

#include "base/alloc.h"
#include "base/library.h"
#include "base/macro.h"
#include "net/packet.h"

/* What we use of libpcap: loaded, not linked. Debian's brings D-Bus and systemd, which every run would hold in memory. */
static struct {
	pcap_t *(*open)(FILE *, u_int precision, char *error);
	int (*link)(pcap_t *);
	const char *(*link_name)(int link);
	int (*next)(pcap_t *, struct pcap_pkthdr **, const u_char **);
	void (*close)(pcap_t *);
} pcap;

static int load_pcap(struct reason *why)
{
	const struct library_symbol symbols[] = {
		{ "pcap_fopen_offline_with_tstamp_precision", &pcap.open },
		{ "pcap_datalink", &pcap.link },
		{ "pcap_datalink_val_to_name", &pcap.link_name },
		{ "pcap_next_ex", &pcap.next },
		{ "pcap_close", &pcap.close },
	};
	return library_load("libpcap.so.0.8", symbols, ARRAY_SIZE(symbols), why);
}

struct capture {
	pcap_t *pcap;
	int link;
	bool cut;
};

int capture_open(struct capture **ret, const char *path, struct reason *why)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	_cleanup_(fclose) FILE *file = fopen(path, "re");
	if (!file)
		return reason_set(why, -errno, "cannot read %s: %s", path, strerror(errno));
	int r = load_pcap(why);
	if (r < 0)
		return r;
	_cleanup_(capture_free) struct capture *c = xcalloc(1, sizeof(*c));
	c->pcap = pcap.open(file, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!c->pcap)
		return reason_set(why, -EBADMSG, "%s is no capture that can be read: %s", path, error);
	file = NULL; /* pcap_close() closes it */
	c->link = pcap.link(c->pcap);
	if (!packet_link_known(c->link)) {
		const char *name = pcap.link_name(c->link);
		return reason_set(why, -ENOTSUP, "%s was captured on a link layer that utrace does not read: %s", path, name ? name : "unknown");
	}
	*ret = take_ptr(c);
	return 0;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	if (c->pcap)
		pcap.close(c->pcap);
	free(c);
}

int capture_next(struct capture *c, struct capture_frame *ret)
{
	struct pcap_pkthdr *head;
	const unsigned char *bytes;
	int r = pcap.next(c->pcap, &head, &bytes);
	c->cut |= r == PCAP_ERROR;
	if (r != 1)
		return 0;
	/* tv_usec is nanoseconds: that is what was asked for. Neither is trusted: the file is anybody's. */
	*ret = (struct capture_frame){
		.time_ns = (uint64_t)head->ts.tv_sec * NSEC_PER_SEC + (uint64_t)head->ts.tv_usec, .link = c->link, .wire_bytes = head->len,
		.bytes = { (const char *)bytes, head->caplen },
	};
	return 1;
}

bool capture_is_cut(const struct capture *c)
{
	return c->cut;
}
