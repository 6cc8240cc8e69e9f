/* Routes: identifiers become placeholders, what turns out to be one is learnt, and nothing grows without bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/macro.h"
#include "span/route.h"
#include "span/target.h"

static const struct {
	const char *path, *route;
} cases[] = {
	{ "/", "/" },
	{ "/index.html", "/index.html" },
	{ "/users/4711", "/users/{id}" },
	{ "/users/4711/orders/12-34", "/users/{id}/orders/{id}" },
	{ "/v1/items", "/v1/items" },
	{ "/api/v2/things/f47ac10b-58cc-4372-a567-0e02b2c3d479", "/api/v2/things/{uuid}" },
	{ "/commit/2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", "/commit/{hash}" },
	{ "/doc/507f1f77bcf86cd799439011", "/doc/{hash}" },
	{ "/t/eyJhbGciOiJIUzI1NiJ9a8Bc", "/t/{hash}" },
	{ "/log/2026-11-21/errors", "/log/{date}/errors" },
	{ "/log/20261121", "/log/{date}" },
	{ "/facade/deadbeef", "/facade/deadbeef" }, /* 8 letters that happen to be digits of 16 */
	{ "/a//b", "/a//b" },
	{ "/a/", "/a/" },
	{ "*", "*" },
	{ "example.org:443", "{other}" },
	{ "", "{other}" },
};

static void paths_become_routes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(routes_free) struct routes *r = routes_new();
		_cleanup_(strbuf_done) struct strbuf out = {};
		routes_find(r, slice_of(cases[i].path), &out);
		assert_string_equal(strbuf_str(&out), cases[i].route);
	}
}

/* The route of a path made by @fmt and a number that is spelled in letters. */
static void find_spelled(struct routes *r, const char *fmt, unsigned n, struct strbuf *out)
{
	char word[16] = {}, path[64];
	for (unsigned i = 0; i < 6; i++, n /= 20)
		word[i] = (char)('g' + n % 20);
	snprintf(path, sizeof(path), fmt, word);
	strbuf_clear(out);
	routes_find(r, slice_of(path), out);
}

static void what_has_too_many_words_is_a_name(void **state)
{
	_cleanup_(routes_free) struct routes *r = routes_new();
	_cleanup_(strbuf_done) struct strbuf out = {};
	for (unsigned i = 0; i < 100; i++)
		find_spelled(r, "/shop/%s/price", i, &out);
	assert_string_equal(strbuf_str(&out), "/shop/{name}/price");
	find_spelled(r, "/help/%s", 1, &out);
	assert_string_equal(strbuf_str(&out), "/help/hggggg");
	find_spelled(r, "/shop/%s/price", 3, &out);
	assert_string_equal(strbuf_str(&out), "/shop/jggggg/price"); /* one of the first: it keeps its name */
}

static void a_scan_makes_no_thousandth_route(void **state)
{
	_cleanup_(routes_free) struct routes *r = routes_new();
	_cleanup_(strbuf_done) struct strbuf out = {};
	_cleanup_(hashmap_done) struct hashmap seen = {};
	char fmt[32];
	for (unsigned i = 0; i < 200000; i++) {
		snprintf(fmt, sizeof(fmt), "/%c%c/%%s/%c", 'a' + i % 17, 'a' + i % 19, 'a' + i % 23);
		find_spelled(r, fmt, i * 7919, &out);
		hashmap_put_str(&seen, strbuf_str(&out), r);
	}
	assert_in_range(seen.n, 100, 1001);
	assert_non_null(hashmap_get_str(&seen, "{other}"));
}

static const struct {
	const char *target, *path;
} targets[] = {
	{ "/a/b", "/a/b" },
	{ "/a?token=secret", "/a" },
	{ "/a#secret", "/a" },
	{ "/a?u=http://user:secret@h/", "/a" },
	{ "/mail/me@example.org", "/mail/me@example.org" },
	{ "http://h/a?secret", "/a" },
	{ "http://user:secret@h/a", "/a" },
	{ "http://user:secret@h", "/" },
	{ "http://user:secret@h?secret", "/" },
	{ "h:443", "h:443" },
	{ "user:secret@h:443", "h:443" },
	{ "user:sec@ret@h:443", "h:443" },
	{ "/a;jsessionid=secret", "/a" },
	{ "/a;jsessionid=secret/b;c;d=/e?f;g", "/a/b/e" },
	{ "/;secret", "/" },
	{ "/a/;secret/", "/a//" },
	{ "/a%3Bb", "/a%3Bb" }, /* part of the word: RFC 3986, 2.2 */
	{ "http://user:secret@h/a;secret", "/a" },
	{ "h;secret", "h" },
	{ "*", "*" },
	{ "", "" },
};

static void of_what_was_cut_before_its_name_nothing_is_kept(void **state)
{
	_cleanup_(strbuf_done) struct strbuf cut = {}, path = {};
	strbuf_adds(&cut, "user:");
	strbuf_pad(&cut, 's', 2043);
	target_path(strbuf_slice(&cut), &path);
	assert_int_equal(path.len, 0);
	assert_int_equal(target_host(strbuf_slice(&cut)).len, 0);
}

static void of_a_target_only_the_path_is_kept(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		_cleanup_(strbuf_done) struct strbuf path = {};
		target_path(slice_of(targets[i].target), &path);
		if (strcmp(strbuf_str(&path), targets[i].path) != 0)
			fail_msg("%s: %s", targets[i].target, strbuf_str(&path));
	}
	assert_true(slice_eq_str(target_host(SLICE("user:secret@h:80")), "h:80") && slice_eq_str(target_host(SLICE("h")), "h"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_become_routes),
		cmocka_unit_test(what_has_too_many_words_is_a_name),
		cmocka_unit_test(a_scan_makes_no_thousandth_route),
		cmocka_unit_test(of_a_target_only_the_path_is_kept),
		cmocka_unit_test(of_what_was_cut_before_its_name_nothing_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
