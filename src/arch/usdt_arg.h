/*
 * usdt_arg: the argument strings of USDT notes: operands of the assembler, written there by sys/sdt.h (systemtap).
 *
 *   [-]SIZE[f]@OPERAND, with OPERAND in AT&T syntax: %reg  $number  number(%base,%index,scale)
 *
 * A negative size is a signed value, f a float. Which values lie where is the compiler's choice, anew at each probe.
 */
#pragma once

#include <stddef.h>

#include "bpf/fetch.abi.h"

/*
 * Parses the first operand of @text, blanks before it included. Returns 0 and *ret_consumed bytes; at the end of the text
 * -ENODATA. -ENOTSUP: well-formed, but nothing that a probe can read: a vector register, a symbol, thread-local storage;
 * then *ret_consumed is set too, so that the others can be had. -EINVAL: malformed.
 */
int usdt_argument_parse(const char *text, struct fetch *ret, size_t *ret_consumed);
