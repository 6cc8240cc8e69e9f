/* field: names, lists and numbers in fields, RFC 9110 section 5.6. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

size_t field_token(struct slice s, size_t at);   /* how many characters of a token stand at @at, RFC 9110 section 5.6.2 */
struct slice field_trim(struct slice s);         /* without blanks around it */
struct slice field_first(struct slice list);     /* of a list with commas, trimmed; empty: none */
struct slice field_last(struct slice list);
bool field_name_is(struct slice name, const char *lower); /* whatever its case */

/*
 * The value of a Content-Length field: a number, or a list that repeats it (RFC 9112 section 6.3 (5)); @again: *length is that of an
 * earlier field, which this one must equal. False: it is no number, is more than a file can have (2^63 - 1), or differs.
 */
bool field_length(struct slice value, bool again, uint64_t *length);
