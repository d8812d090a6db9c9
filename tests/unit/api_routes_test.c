/* SPDX-License-Identifier: Apache-2.0
 *
 * The router without a server: every route is found by its own address and hides no other, what is decoded
 * and what is refused, 404 and 405 with what is allowed, and a property against a matcher written another
 * way.
 */
#include "base_test.h"

#include "api/internal.h"

#define CASES 20000

static struct at_arena arena;

static int set_up(void **state) {
    (void)state;
    at_arena_init(&arena, 1 << 20);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    at_arena_clear(&arena);
    return 0;
}

/* The pattern with a value for each of its parts. */
static struct at_text filled(const char *pattern, const char *value, const char *rest) {
    char *out = at_arena_alloc(&arena, 512);
    size_t n = 0;
    for (; *pattern; pattern++) {
        if (*pattern != '{') {
            out[n++] = *pattern;
            continue;
        }
        const char *close = strchr(pattern, '}');
        n += (size_t)snprintf(out + n, 512 - n, "%s", close[-1] == '*' ? rest : value);
        pattern = close;
    }
    return (struct at_text){out, n};
}

static const struct route *find(enum at_method method, const char *path, bool *other) {
    struct at_text params[PARAMS_MAX];
    return route_find(method, at_text_of(path), params, other);
}

static void every_route_is_found_by_its_own_address(void **state) {
    (void)state;
    int count = 0;
    for (const struct route *route = routes; route->path; route++, count++) {
        struct at_text params[PARAMS_MAX], path = filled(route->path, "a%20%C3%BC%2Fb", "scripts/a%20b.lua");
        struct at_error err = {0};
        bool other;
        const struct route *found = route_find(route->method, path, params, &other);
        if (found != route)
            fail_msg("%s of %s is hidden by %s", route->path, route->name, found ? found->path : "nothing");
        assert_int_equal(route_params(found, &arena, params, &err), AT_OK);
        int part = 0;
        for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{')) {
            bool takes_rest = strchr(at, '}')[-1] == '*';
            assert_string_equal(params[part++].data, takes_rest ? "scripts/a b.lua" : "a ü/b");
        }
        if (route->method == AT_GET) assert_ptr_equal(route_find(AT_HEAD, path, params, &other), route);
    }
    assert_true(count > 60);
}

static void what_is_not_there_is_not_found(void **state) {
    (void)state;
    static const char *const paths[] = {"",
                                        "/",
                                        "*",
                                        "/v1",
                                        "/v1/",
                                        "/v1/track/",
                                        "/v1//track",
                                        "//v1/track",
                                        "/V1/track",
                                        "/v1/%74rack",
                                        "/v1/tracks",
                                        "/v1/trac",
                                        "/v1/x",
                                        "/v1/customers",
                                        "/v1/customers/",
                                        "/v1/customers/a/b",
                                        "/v1/customers/by/email",
                                        "/v1/customers/by/email/",
                                        "/v1/customers/by/email/a/b",
                                        "/v1/customers//timeline",
                                        "/v1/decisions/",
                                        "/v1/projects/k",
                                        "/v1/projects//settings",
                                        "/v1/generations/1",
                                        "/v1/scripts/",
                                        "/healthy",
                                        "/openapi",
                                        "/v1/catalog/items/a/b"};
    for (size_t i = 0; i < AT_LENGTH(paths); i++)
        for (enum at_method method = AT_GET; method <= AT_METHOD_OTHER; method++) {
            bool other;
            const struct route *route = find(method, paths[i], &other);
            /* "/v1/customers/by/email": nothing; "{id}/…" takes "by" as an id only where a part follows. */
            if (route || other) fail_msg("\"%s\" is %s", paths[i], route ? route->path : "there otherwise");
        }
}

static void another_method_says_what_is_allowed(void **state) {
    (void)state;
    static const struct {
        const char *path, *allow;
    } all[] = {{"/v1/track", "POST, OPTIONS"},
               {"/v1/t", "POST, OPTIONS"},
               {"/health", "GET, HEAD, OPTIONS"},
               {"/v1/catalog/items", "PUT, PATCH, OPTIONS"},
               {"/v1/catalog/items/x", "GET, HEAD, PATCH, DELETE, OPTIONS"},
               {"/v1/scripts", "GET, HEAD, POST, OPTIONS"},
               {"/v1/scripts/check", "POST, PUT, DELETE, OPTIONS"},
               {"/v1/scripts/scripts/a.lua", "PUT, DELETE, OPTIONS"},
               {"/v1/generations/3/activate", "POST, OPTIONS"},
               {"/v1/customers/x", "GET, HEAD, DELETE, OPTIONS"},
               {"/v1/customers/x/journeys", "OPTIONS"}, /* comes later: nobody may count on it */
               {"/v1/search", "OPTIONS"},
               {"/nothing", "OPTIONS"}};
    for (size_t i = 0; i < AT_LENGTH(all); i++) {
        char allow[128];
        route_allow(at_text_of(all[i].path), allow, sizeof allow);
        assert_string_equal(allow, all[i].allow);
        bool other, is_there = strlen(allow) > strlen("OPTIONS");
        const struct route *route = find(AT_OPTIONS, all[i].path, &other);
        assert_int_equal(other, is_there);
        assert_true(!route || route_is_later(route));
    }
    char small[8]; /* too small for it all: cut, never overrun */
    route_allow(AT_TEXT("/v1/catalog/items/x"), small, sizeof small);
    assert_int_equal(strlen(small), sizeof small - 1);
}

static void a_later_address_is_known_whatever_the_method(void **state) {
    (void)state;
    static const char *const paths[] = {
        "/v1/search", "/v1/recommend",   "/v1/suggest", "/v1/sources/mailgun",
        "/u/token",   "/console/a/b.js", "/attune.js",  "/v1/customers/x/journeys"};
    for (size_t i = 0; i < AT_LENGTH(paths); i++)
        for (enum at_method method = AT_GET; method <= AT_METHOD_OTHER; method++) {
            bool other;
            const struct route *route = find(method, paths[i], &other);
            assert_non_null(route);
            assert_true(route_is_later(route));
            struct at_text params[PARAMS_MAX];
            struct at_error err;
            route = route_find(method, at_text_of(paths[i]), params, &other);
            assert_int_equal(route_params(route, &arena, params, &err), AT_OK);
        }
}

static void broken_escapes_are_invalid_and_name_the_part(void **state) {
    (void)state;
    static const char *const wrong[] = {"%",     "%2",  "%zz", "a%0",       "%00",
                                        "a%00b", "%ff", "%C3", "%ED%A0%80", "\xff"};
    for (size_t i = 0; i < AT_LENGTH(wrong); i++)
        for (int part = 0; part < 2; part++) {
            char path[200];
            struct at_text params[PARAMS_MAX];
            struct at_error err = {0};
            bool other;
            snprintf(path, sizeof path, "/v1/customers/by/%s/%s", part ? "email" : wrong[i],
                     part ? wrong[i] : "x");
            const struct route *route = route_find(AT_GET, at_text_of(path), params, &other);
            assert_non_null(route);
            assert_int_equal(route_params(route, &arena, params, &err), AT_INVALID);
            assert_string_equal(err.code, "bad_path");
            assert_string_equal(err.field, part ? "value" : "kind");
        }
    struct at_arena full;
    struct at_text params[PARAMS_MAX];
    struct at_error err = {0};
    bool other;
    const struct route *route = route_find(AT_GET, AT_TEXT("/v1/customers/x"), params, &other);
    at_arena_init(&full, 0);
    assert_int_equal(route_params(route, &full, params, &err), AT_NOMEM);
    at_arena_clear(&full);
}

static void a_plus_in_a_path_is_a_plus(void **state) {
    (void)state;
    struct at_text params[PARAMS_MAX];
    struct at_error err;
    bool other;
    const struct route *route =
        route_find(AT_GET, AT_TEXT("/v1/customers/by/email/a+b%2Bc@x.example"), params, &other);
    assert_int_equal(route_params(route, &arena, params, &err), AT_OK);
    assert_string_equal(params[1].data, "a+b+c@x.example");
}

/* ---- the table ---- */

static void the_table_is_consistent(void **state) {
    (void)state;
    size_t names = 2; /* "options", "none" */
    for (const struct route *route = routes; route->path; route++) {
        int parts = 0;
        for (const char *at = route->path; (at = strchr(at, '{')); at++) parts++;
        assert_true(parts <= PARAMS_MAX);
        assert_true(route->path[0] == '/');
        assert_true(route->name[0] && route->summary[0]);
        if (!route->is_alias) assert_non_null(route->answer);
        if (route->body == BODY_JSON && !route->is_alias) assert_non_null(route->request);
        if (route->body != BODY_NONE) assert_true(route->method != AT_GET && route->method != AT_DELETE);
        bool is_new = true;
        for (const struct route *before = routes; before < route; before++) {
            is_new &= strcmp(before->name, route->name) != 0;
            if (!before->is_alias && !route->is_alias) assert_string_not_equal(before->name, route->name);
        }
        names += is_new;
    }
    assert_true(names < 128); /* the metrics keep 127 names and call what is over "other" */
}

static void write_keys_open_what_pages_use_and_no_more(void **state) {
    (void)state;
    for (const struct route *route = routes; route->path; route++) {
        bool is_event = route->handle == handle_track, is_decision = route->handle == handle_decide;
        if (route->key == AT_KEY_WRITE) assert_true(is_event || is_decision);
        struct at_text path = filled(route->path, "x", "scripts/x.lua");
        assert_int_equal(route_takes_write_key(path),
                         is_event || is_decision || strcmp(route->name, "sdk_settings") == 0);
        if (route->key == AT_KEY_NONE && !route_is_later(route))
            assert_true(strcmp(route->name, "health") == 0 || strcmp(route->name, "ready") == 0 ||
                        strcmp(route->name, "openapi") == 0 || strcmp(route->name, "gpc") == 0 ||
                        strcmp(route->name, "sdk_settings") == 0 ||
                        strcmp(route->name, "shopify") == 0); /* signed */
    }
}

static void each_status_has_its_code(void **state) {
    (void)state;
    static const int codes[] = {[AT_OK] = 200,        [AT_INVALID] = 400,     [AT_UNAUTHORIZED] = 401,
                                [AT_FORBIDDEN] = 403, [AT_NOTFOUND] = 404,    [AT_CONFLICT] = 409,
                                [AT_TOOBIG] = 413,    [AT_UNSUPPORTED] = 415, [AT_UNPROCESSABLE] = 422,
                                [AT_STALE] = 503,     [AT_DUPLICATE] = 200,   [AT_BUSY] = 503,
                                [AT_FULL] = 503,      [AT_IO] = 503,          [AT_NOMEM] = 503,
                                [AT_STOPPED] = 503,   [AT_FAILED] = 500};
    for (size_t i = 0; i < AT_LENGTH(codes); i++)
        assert_int_equal(at_api_http_status((enum at_status)i), codes[i]);
    assert_int_equal(at_api_http_status((enum at_status)999), 500);
}

/* ---- a property: the same answer as a matcher that splits at slashes ---- */

static size_t split(const char *text, size_t length, struct at_text out[32]) {
    size_t count = 0, from = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && text[i] != '/') continue;
        out[count++] = (struct at_text){text + from, i - from};
        from = i + 1;
        if (count == 31) break;
    }
    return count;
}

static bool oracle_matches(const char *pattern, struct at_text path) {
    struct at_text want[32], have[32];
    size_t wanted = split(pattern, strlen(pattern), want), count = split(path.data, path.length, have);
    for (size_t i = 0; i < wanted; i++) {
        if (i >= count) return false;
        bool is_part = want[i].length && want[i].data[0] == '{';
        if (is_part && want[i].data[want[i].length - 2] == '*') {
            const char *rest = have[i].data;
            return rest < path.data + path.length;
        }
        if (is_part ? !have[i].length : !at_text_equal(want[i], have[i])) return false;
    }
    return wanted == count;
}

static struct at_text random_path(char *out) {
    static const char *const words[] = {"v1",       "customers", "by",        "x",           "timeline",
                                        "catalog",  "items",     "scripts",   "check",       "",
                                        "%41",      "track",     "decisions", "generations", "publish",
                                        "activate", "t",         "u",         "console",     "projects",
                                        "settings", "export",    "health",    "copy",        "decide"};
    size_t n = 0, count = next_random() % 7;
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(out + n, 300 - n, "/%s", words[next_random() % AT_LENGTH(words)]);
    if (next_random() % 8 == 0 && n) out[next_random() % n] = (char)(next_random() % 256);
    return (struct at_text){out, n};
}

static void random_paths_match_as_segments_do(void **state) {
    (void)state;
    int found_count = 0;
    seed_random(CASES);
    for (int i = 0; i < CASES; i++) {
        char text[400];
        struct at_text path = random_path(text), params[PARAMS_MAX];
        /* Half of them are a real address, perhaps with one byte changed. */
        if (next_random() % 2) {
            size_t which = next_random() % 60;
            path = filled(routes[which].path, "a", "b/c");
            if (next_random() % 3 == 0) ((char *)(uintptr_t)path.data)[next_random() % path.length] = '/';
        }
        enum at_method method = (enum at_method)(next_random() % (AT_METHOD_OTHER + 1));
        enum at_method as = method == AT_HEAD ? AT_GET : method;
        const struct route *expected = NULL, *later = NULL;
        bool expects_other = false, other;
        for (const struct route *route = routes; route->path && !expected; route++) {
            if (!oracle_matches(route->path, path)) continue;
            if (route->method == as)
                expected = route;
            else if (route_is_later(route))
                later = route;
            else
                expects_other = true;
        }
        if (!expected && !expects_other) expected = later;
        const struct route *found = route_find(method, path, params, &other);
        if (found != expected || (!found && other != expects_other))
            fail_msg("case %d: \"%.*s\" is %s, expected %s", i, (int)path.length, path.data,
                     found ? found->path : "nothing", expected ? expected->path : "nothing");
        found_count += found != NULL;
        if (i % 1000 == 999) at_arena_reset(&arena);
    }
    print_message("property: %d paths, %d of them found\n", CASES, found_count);
    assert_true(found_count > CASES / 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_route_is_found_by_its_own_address, set_up, tear_down),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(another_method_says_what_is_allowed),
        cmocka_unit_test_setup_teardown(a_later_address_is_known_whatever_the_method, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_escapes_are_invalid_and_name_the_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plus_in_a_path_is_a_plus, set_up, tear_down),
        cmocka_unit_test(the_table_is_consistent),
        cmocka_unit_test_setup_teardown(write_keys_open_what_pages_use_and_no_more, set_up, tear_down),
        cmocka_unit_test(each_status_has_its_code),
        cmocka_unit_test_setup_teardown(random_paths_match_as_segments_do, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
