/* http1: HTTP/1.0 and HTTP/1.1 (RFC 9110, RFC 9112), requests and responses. HTTP/0.9 and what else looks alike is refused. */
#pragma once

#include "proto/proto.h"

extern const struct proto_ops http1_proto;
