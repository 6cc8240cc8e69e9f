#include "proto/http1/chunked.h"

#include "base/macro.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum chunk_place size_ended(struct chunked *c)
{
	c->line_bytes = 0;
	return c->left ? CHUNK_DATA : CHUNK_LAST;
}

static enum chunk_place after_size(struct chunked *c, char ch)
{
	switch (ch) {
	case '\n':
		return size_ended(c);
	case '\r':
		return CHUNK_SIZE_LF;
	case ';':
	case ' ':
	case '\t':
		return CHUNK_EXTENSION;
	default:
		return CHUNK_BAD;
	}
}

static enum chunk_place digit(struct chunked *c, char ch)
{
	int value = hex_digit(ch);
	if (value < 0)
		return c->place == CHUNK_SIZE ? CHUNK_BAD : after_size(c, ch);
	if (c->place == CHUNK_SIZE)
		c->left = 0;
	if (c->left > INT64_MAX >> 4)
		return CHUNK_BAD;
	c->left = c->left << 4 | (uint64_t)value;
	return CHUNK_DIGITS;
}

/* Any but the data. */
static enum chunk_place framing(struct chunked *c, char ch)
{
	if (c->place <= CHUNK_SIZE_LF && ++c->line_bytes > CHUNK_LINE_BYTES)
		return CHUNK_BAD;
	switch (c->place) {
	case CHUNK_SIZE:
	case CHUNK_DIGITS:
		return digit(c, ch);
	case CHUNK_EXTENSION:
		return ch == '\n' ? size_ended(c) : CHUNK_EXTENSION;
	case CHUNK_SIZE_LF:
		return ch == '\n' ? size_ended(c) : CHUNK_BAD;
	case CHUNK_DATA_CR:
		return ch == '\r' ? CHUNK_DATA_LF : ch == '\n' ? CHUNK_SIZE : CHUNK_BAD;
	case CHUNK_DATA_LF:
		return ch == '\n' ? CHUNK_SIZE : CHUNK_BAD;
	default:
		return c->place;
	}
}

static void take_data(struct chunked *c, uint64_t bytes)
{
	c->left -= bytes;
	c->data_bytes += bytes;
	if (c->left == 0)
		c->place = CHUNK_DATA_CR;
}

size_t chunked_feed(struct chunked *c, struct slice in)
{
	size_t at = 0;
	while (at < in.len && c->place != CHUNK_LAST && c->place != CHUNK_BAD) {
		if (c->place == CHUNK_DATA) {
			size_t n = MIN(c->left, (uint64_t)(in.len - at));
			take_data(c, n);
			at += n;
		} else {
			c->place = framing(c, in.data[at++]);
		}
	}
	return at;
}

bool chunked_gap(struct chunked *c, uint64_t bytes, bool *ret_ended)
{
	if (c->place == CHUNK_DATA) {
		uint64_t n = MIN(c->left, bytes);
		take_data(c, n);
		bytes -= n;
	}
	if (bytes && c->place == CHUNK_DATA_CR) { /* as if it were a CR: nobody who writes chunks leaves it out */
		c->place = CHUNK_DATA_LF;
		bytes--;
	}
	if (bytes && c->place == CHUNK_DATA_LF) {
		c->place = CHUNK_SIZE;
		bytes--;
	}
	*ret_ended = c->place == CHUNK_SIZE && bytes == sizeof("0\r\n\r\n") - 1;
	if (*ret_ended)
		c->place = CHUNK_LAST;
	return *ret_ended || bytes == 0;
}
