/* TLS: what a handshake tells in the clear, however its bytes come; and which connection a library's object speaks on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/strbuf.h"
#include "probe/tls/binding.h"

/* ---- handshakes ---- */

#define RANDOM "0123456789abcdef0123456789abcdef"
#define AGAIN "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"
/* Hellos, RFC 8446, 4.1: type, length of 3, version; then random bytes, session id, ciphers, compression, extensions. */
#define NAME "\0\0\0\x0a\0\x08\0\0\x05" "a.org"                   /* 14 bytes */
#define ALPN "\0\x10\0\x0e\0\x0c\x02h2\x08http/1.1"                 /* 18 */
#define CLIENT_HELLO_CUT "\x16\3\1\0\x51" "\1\0\0\x4d\3\3" RANDOM "\x02" "id" "\0\2\x13\x02" "\1\0" "\0\x20" NAME
#define CLIENT_HELLO CLIENT_HELLO_CUT ALPN
#define SERVER_13(random) "\x16\3\3\0\x34" "\2\0\0\x30\3\3" random "\x02" "id" "\x13\x02" "\0" "\0\x06" "\0\x2b\0\2\3\4"
#define SERVER_13_RESUMED "\x16\3\3\0\x3a" "\2\0\0\x36\3\3" RANDOM "\x02" "id" "\x13\x02" "\0" "\0\x0c" "\0\x2b\0\2\3\4" "\0\x29\0\2\0\0"
#define SERVER_12(id) "\x16\3\3\0\x3d" "\2\0\0\x39\3\3" RANDOM "\x02" id "\xc0\x2b" "\0" "\0\x0f" "\0\x10\0\x0b\0\x09\x08http/1.1"
#define CHANGE "\x14\3\3\0\1\1"
#define DATA "\x17\3\3\0\5" "hello"
#define HIDDEN_ALERT "\x17\3\3\0\x13" "0123456789abcdefghi"

struct step {
	char direction; /* '>' received, '<' sent */
	const char *bytes;
	size_t len;
	uint64_t more, lost; /* bytes behind it that were not captured; bytes before it that nobody saw */
};
#define IN(text, ...) { '>', (text), sizeof(text) - 1, __VA_ARGS__ }
#define OUT(text, ...) { '<', (text), sizeof(text) - 1, __VA_ARGS__ }

static const struct {
	const char *name;
	struct step steps[8];
	const char *told;
} handshakes[] = {
	{ "1.3", { IN(CLIENT_HELLO), OUT(SERVER_13(RANDOM)), OUT(DATA), IN(CHANGE), IN(DATA) },
	  "1.3 TLS_AES_256_GCM_SHA384 a.org  h2,http/1.1 established 1-5" },
	{ "as a client", { OUT(CLIENT_HELLO), IN(SERVER_13(RANDOM)), IN(DATA), OUT(DATA) },
	  "1.3 TLS_AES_256_GCM_SHA384 a.org  h2,http/1.1 established 1-4" },
	{ "asked again", { IN(CLIENT_HELLO), OUT(SERVER_13(AGAIN) CHANGE),
	  IN(CHANGE CLIENT_HELLO), OUT(SERVER_13(RANDOM)), IN(DATA) },
	  "1.3 TLS_AES_256_GCM_SHA384 a.org  h2,http/1.1 established 1-5" },
	{ "1.3 resumed", { OUT(SERVER_13_RESUMED), IN(DATA) }, "1.3 TLS_AES_256_GCM_SHA384    established resumed 0-2" },
	{ "1.2", { OUT(SERVER_12("no")), IN(CHANGE), OUT(CHANGE) }, "1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256  http/1.1  established 0-3" },
	{ "1.2 resumed", { IN(CLIENT_HELLO), OUT(SERVER_12("id") CHANGE), IN(CHANGE) },
	  "1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 a.org http/1.1 h2,http/1.1 established resumed 1-3" },
	{ "refused by us", { IN(CLIENT_HELLO), OUT("\x15\3\1\0\2\2\x28") },
	  "? ? a.org  h2,http/1.1 sent handshake_failure" },
	{ "a warning refuses nothing", { OUT(SERVER_12("no")), IN("\x15\3\1\0\2\1\x64"), IN(CHANGE), OUT(CHANGE) },
	  "1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256  http/1.1  established 0-4" },
	{ "refused where nobody sees it", { OUT(SERVER_13(RANDOM)), IN(HIDDEN_ALERT) }, "1.3 TLS_AES_256_GCM_SHA384    received hidden" },
	{ "a hello that is not all captured", { IN(CLIENT_HELLO_CUT, .more = 18), OUT(SERVER_13(RANDOM)), IN(DATA) },
	  "1.3 TLS_AES_256_GCM_SHA384 a.org   established 1-3" },
	{ "an answer whose end is not captured", { OUT(SERVER_13(RANDOM) "\x17\3\3\x10\0", .more = 4096), OUT(DATA), IN(DATA) }, "1.3 TLS_AES_256_GCM_SHA384    established 0-3" },
	{ "lost in the middle", { OUT("\x16\3\3\0\x36\2\0\0\x32"), OUT(SERVER_13(RANDOM), .lost = 50), IN(DATA) }, "1.3 TLS_AES_256_GCM_SHA384    established 0-3" },
	{ "older than what is seen", { IN(DATA), OUT(DATA) }, "" },
	{ "no TLS", { IN("GET / HTTP/1.1\r\n\r\n"), OUT("HTTP/1.1 200 OK\r\n\r\n") }, "" },
};

static void describe(const struct handshake *h, struct strbuf *out)
{
	if (!h->flags)
		return;
	strbuf_addf(out, "%s %s %s %s %s", tls_version_text(h->version) ?: "?", tls_cipher_text(h->cipher) ?: "?", h->server_name, h->alpn, h->offered);
	if (h->flags & TLS_ESTABLISHED)
		strbuf_addf(out, " established%s %llu-%llu", h->flags & TLS_RESUMED ? " resumed" : "", (unsigned long long)h->began_ns,
			    (unsigned long long)h->established_ns);
	if (h->flags & TLS_ALERTED)
		strbuf_addf(out, " %s %s", h->flags & TLS_ALERT_SENT ? "sent" : "received", h->flags & TLS_ALERT_HIDDEN ? "hidden" : tls_alert_text(h->alert));
}

/* Gives the captured bytes of a step in pieces of @size. */
static void pass(struct handshake *h, const struct step *s, size_t size, uint64_t at_ns)
{
	enum tls_direction d = s->direction == '<' ? TLS_SENT : TLS_RECEIVED;
	for (size_t at = 0, n; at < s->len; at += n) {
		n = MIN(size, s->len - at);
		bool last = at + n == s->len;
		handshake_pass(h, d, (struct slice){ s->bytes + at, n }, n + (last ? s->more : 0), at ? 0 : s->lost, at_ns);
	}
}

static void a_handshake_tells_what_was_agreed_on(void **state)
{
	static const size_t sizes[] = { SIZE_MAX, 5, 3 }; /* what is less does not show that it is TLS */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(handshakes); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
			struct handshake h = {};
			_cleanup_(strbuf_done) struct strbuf told = {};
			for (size_t s = 0; s < ARRAY_SIZE(handshakes[i].steps) && handshakes[i].steps[s].bytes; s++)
				pass(&h, &handshakes[i].steps[s], sizes[k], s + 1);
			describe(&h, &told);
			handshake_done(&h);
			if (strcmp(strbuf_str(&told), handshakes[i].told) != 0)
				fail_msg("%s, in pieces of %zu: '%s', not '%s'", handshakes[i].name, sizes[k], strbuf_str(&told), handshakes[i].told);
		}
	}
}

/* ---- bindings ---- */

struct seen {
	struct strbuf told;
};

static void on_plaintext(void *arg, struct connection *c, const struct segment *s)
{
	struct seen *seen = arg;
	strbuf_addf(&seen->told, "%llu%c%.*s@%llu", (unsigned long long)c->number, s->direction == SOCK_SENT ? '<' : '>', (int)s->captured.len,
		    s->captured.data, (unsigned long long)s->offset);
	if (s->lost_before)
		strbuf_addf(&seen->told, "~%llu", (unsigned long long)s->lost_before);
	strbuf_addc(&seen->told, ' ');
}

static void on_handshake(void *arg, struct connection *c, const struct handshake *h, const struct rec_head *head)
{
	(void)arg;
	(void)c;
	(void)h;
	(void)head;
}

/*
 * What happens, in words: "T>C" thread T receives on connection C, "T<C" sends, "xC" connection C ends; "T=OB:TEXT" the library's object O has
 * given TEXT to thread T in a call that began B steps ago, "T/OB:TEXT" it was given; '#' for '=': by a call that may be no TLS. A number
 * behind '+' is added to the object's offset: bytes that were lost. What is not TLS has '-' for '>'.
 */
static const struct {
	const char *name, *happens, *told;
} bindings[] = {
	{ "in the call", "1>7 1=a1:ask 1<7 1/a1:answer", "7>ask@0 7<answer@0 " },
	{ "two threads at once", "1>7 2>8 1=a2:one 2=b2:two", "7>one@0 8>two@0 " },
	{ "what is left in the library needs no socket", "1>7 1=a1:one 1=a0:two", "7>one@0 7>two@3 " },
	{ "from memory: received before", "1>7 1=a0:one 1>8 1=b0:two 1=a0:more", "7>one@0 8>two@0 7>more@3 " },
	{ "from memory: sent afterwards", "1/a0:ask 1<7 1>7 1=a0:answer", "7<ask@0 7>answer@0 " },
	{ "what is sent is less than what was written", "1/a0:0123456789 1<7 1<8", "" },
	{ "an object on another thread stays bound", "1>7 1=a1:one 2=a0:two", "7>one@0 7>two@3 " },
	{ "the address is another's", "1>7 1=a1:one x7 1>8 1=a1:two", "7>one@0 8>two@0 " },
	{ "the address is another's, the end was not seen", "1>7 1=a1:one 1>8 1=a1:two", "7>one@0 8>two@0 " },
	{ "bytes of it were lost", "1>7 1=a1:one 1>7 1=a1+5:two", "7>one@0 7>two@8~5 " },
	{ "where bytes were lost, so may the last be", "1>7 1=a1:one 1>7 1=a1+5:two x7", "7>one@0 7>two@8~5 7>@12~1 " },
	{ "no connection that speaks TLS", "1-7 1=a1:one 1/a0:two", "" },
	{ "what may be a file is of the socket that the call reads", "1>7 1#a0:file 1>7 1#a1:ask 1#a0:more", "7>ask@0 7>more@3 " },
	{ "nothing passed on a socket yet", "1=a0:one", "" },
};

struct scene {
	struct bindings *b;
	struct connection connections[10];
	uint64_t now_ns;
	uint64_t offset[26][SOCK_DIRECTIONS];
};

static void on_wire(struct scene *sc, uint32_t tid, char how, unsigned number)
{
	struct rec_head head = { .pid = 1, .tid = tid, .time_ns = sc->now_ns };
	struct segment s = {
		.direction = how == '<' ? SOCK_SENT : SOCK_RECEIVED, .bytes = 9, .captured = how == '-' ? SLICE("GET / HTT") : SLICE("\x17\3\3\0\4abcd"), .head = &head,
	};
	sc->connections[number].number = number;
	bindings_passed(sc->b, &sc->connections[number], &s);
}

static void in_library(struct scene *sc, uint32_t tid, char how, const char *words)
{
	struct {
		struct tls_data_rec rec;
		char bytes[64];
	} r = {};
	unsigned object = (unsigned)(words[0] - 'a'), ago = (unsigned)(words[1] == '+' ? 0 : words[1] - '0');
	const char *plus = strchr(words, '+'), *text = strchr(words, ':') + 1;
	enum sock_direction d = how == '/' ? SOCK_SENT : SOCK_RECEIVED;
	uint64_t *offset = &sc->offset[object][d];
	*offset += plus ? (uint64_t)(plus[1] - '0') : 0;
	r.rec = (struct tls_data_rec){
		.head = { .type = TLS_DATA, .length = sizeof(r), .pid = 1, .tid = tid, .time_ns = sc->now_ns },
		.object = 0x1000 + object, .offset = *offset, .began_ns = sc->now_ns - ago, .bytes = (uint32_t)strlen(text),
		.captured = (uint16_t)strlen(text), .direction = (uint8_t)d, .flags = how == '#' ? TLS_OWN_SOCKET : 0,
	};
	strcpy(r.bytes, text);
	*offset += strlen(text);
	bindings_data(sc->b, &r.rec);
}

static void an_object_is_bound_to_its_connection(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bindings); i++) {
		struct seen seen = {};
		struct scene sc = { .b = bindings_new(on_plaintext, on_handshake, &seen), .now_ns = 100 };
		char *words = strdup(bindings[i].happens), *rest = words;
		for (char *w; (w = strsep(&rest, " ")); sc.now_ns++) {
			if (w[0] == 'x')
				bindings_closed(sc.b, &sc.connections[w[1] - '0']);
			else if (w[1] == '=' || w[1] == '/' || w[1] == '#')
				in_library(&sc, (uint32_t)(w[0] - '0'), w[1], w + 2);
			else
				on_wire(&sc, (uint32_t)(w[0] - '0'), w[1], (unsigned)(w[2] - '0'));
		}
		if (strcmp(strbuf_str(&seen.told), bindings[i].told) != 0)
			fail_msg("%s: '%s', not '%s'", bindings[i].name, strbuf_str(&seen.told), bindings[i].told);
		bindings_free(sc.b);
		strbuf_done(&seen.told);
		free(words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_tells_what_was_agreed_on),
		cmocka_unit_test(an_object_is_bound_to_its_connection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
