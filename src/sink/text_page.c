#include "sink/text_page.h"

#include "base/macro.h"
#include "sink/text_value.h"
#include "sink/time_text.h"

#define DIM "\033[2m"
#define PLAIN "\033[0m"

void text_page_done(struct text_page *p)
{
	strbuf_done(&p->line);
}

void text_line_begin(struct text_page *p)
{
	strbuf_clear(&p->line);
}

void text_line_end(struct text_page *p)
{
	strbuf_addc(&p->line, '\n');
	fwrite(p->line.data, 1, p->line.len, p->out);
}

uint64_t text_local_ns(const struct event *e)
{
	return e->time_ns + (uint64_t)e->realtime_offset_ns + (uint64_t)((int64_t)e->utc_offset_s * (int64_t)NSEC_PER_SEC);
}

void text_line_who(struct text_page *p, uint64_t local_ns, uint32_t pid, uint32_t tid, struct slice name)
{
	struct strbuf *b = &p->line;
	strbuf_adds(b, p->color ? DIM : "");
	size_t start = b->len;
	time_of_day(b, local_ns);
	size_t width = b->len - start;
	strbuf_adds(b, p->color ? PLAIN : "");
	start = b->len;
	strbuf_addc(b, ' ');
	text_plain(b, name);
	if (pid && tid != pid)
		strbuf_addf(b, "[%u/%u]", pid, tid);
	else if (pid || !name.len) /* packets have a name and no process */
		strbuf_addf(b, "[%u]", pid);
	width += b->len - start;
	p->who_width = MAX(p->who_width, width);
	strbuf_pad(b, ' ', p->who_width - width);
}

void text_line_duration(struct text_page *p, bool known, uint64_t ns, const char *otherwise, bool lost_before)
{
	_cleanup_(strbuf_done) struct strbuf d = {};
	if (known)
		time_duration(&d, ns);
	else
		strbuf_adds(&d, otherwise);
	strbuf_addf(&p->line, "   %6s%c ", strbuf_str(&d), lost_before ? '!' : ' ');
}
