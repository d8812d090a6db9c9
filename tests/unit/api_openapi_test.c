/* SPDX-License-Identifier: Apache-2.0
 *
 * The OpenAPI document without a server: it is JSON, has every route of the table and no other, its
 * references lead somewhere, everything has a meaning. The two calls into the shop that an answer makes are
 * wrapped (.ld).
 */
#include "base_test.h"

#include "api/internal.h"

void __wrap_at_shop_count_answer(struct at_worker *worker, const char *route, int status, uint64_t took_us);
void *__wrap_at_worker_face(struct at_worker *worker);
void __wrap_at_shop_count_answer(struct at_worker *worker, const char *route, int status, uint64_t took_us) {
    (void)worker, (void)status, (void)took_us;
    assert_string_equal(route, "openapi");
}
void *__wrap_at_worker_face(struct at_worker *worker) {
    (void)worker;
    return NULL;
}

static struct at_bytes answered;
static int answered_status;
static struct at_json_parser *parser;
static struct at_json document;

static void on_answer(struct at_exchange *exchange, const struct at_answer *answer) {
    (void)exchange;
    answered_status = answer->status;
    at_bytes_add(&answered, answer->body.data, answer->body.length);
}

static void ask(size_t max_bytes) {
    struct at_arena arena;
    struct at_request request = {.method = AT_GET};
    struct at_exchange exchange = {&request, on_answer, NULL};
    struct call call = {.request = &request, .exchange = &exchange};
    struct at_text params[PARAMS_MAX];
    bool other;
    at_arena_init(&arena, 1 << 16);
    request.arena = call.job.arena = &arena;
    call.route = route_find(AT_GET, AT_TEXT("/openapi.json"), params, &other);
    at_bytes_reset(&answered);
    at_bytes_init(&call.job.out, max_bytes);
    call.route->handle(&call);
    at_arena_clear(&arena);
}

static int set_up(void **state) {
    struct at_error err = {0};
    (void)state;
    at_bytes_init(&answered, 1 << 24);
    ask(1 << 24);
    assert_int_equal(answered_status, 200);
    parser = at_json_parser_new(1 << 24, 64);
    if (at_json_parse(parser, answered.data, answered.length, false, &document, &err) != AT_OK)
        fail_msg("%s", err.message);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    at_json_parser_free(parser);
    at_bytes_clear(&answered);
    return 0;
}

static const char *method_word(enum at_method method) {
    static const char *const words[] = {
        [AT_GET] = "get",     [AT_HEAD] = "head",     [AT_POST] = "post",      [AT_PUT] = "put",
        [AT_PATCH] = "patch", [AT_DELETE] = "delete", [AT_OPTIONS] = "options"};
    return words[method];
}

static struct at_json operation_of(const struct route *route) {
    char path[128];
    size_t n = 0;
    for (const char *at = route->path; *at; at++)
        if (*at != '*') path[n++] = *at;
    path[n] = 0;
    return at_json_get(at_json_get(at_json_get(document, "paths"), path), method_word(route->method));
}

static void every_route_is_in_it_and_nothing_else(void **state) {
    (void)state;
    uint32_t expected = 0, found = 0;
    for (const struct route *route = routes; route->path; route++) {
        if (route->is_alias) continue;
        struct at_json operation = operation_of(route);
        if (!operation.tape) fail_msg("%s %s is missing", method_word(route->method), route->path);
        assert_true(at_text_is(at_json_text(at_json_get(operation, "operationId")), route->name));
        assert_true(at_text_is(at_json_text(at_json_get(operation, "summary")), route->summary));
        assert_int_equal(at_json_get(operation, "requestBody").tape != NULL, route->request != NULL);
        expected++;
    }
    struct at_json_each path = at_json_each(at_json_get(document, "paths"));
    while (at_json_next(&path)) found += at_json_count(path.value);
    assert_int_equal(found, expected);
    assert_true(at_text_is(at_json_text(at_json_get(document, "openapi")), "3.1.0"));
}

static void what_is_later_or_an_alias_is_not(void **state) {
    (void)state;
    for (const struct route *route = routes; route->path; route++)
        if (route_is_later(route) || strlen(route->path) == strlen("/v1/t"))
            assert_null(operation_of(route).tape);
}

static void keys_are_what_the_table_says(void **state) {
    (void)state;
    for (const struct route *route = routes; route->path; route++) {
        if (route->is_alias) continue;
        struct at_json operation = operation_of(route), security = at_json_get(operation, "security"),
                       answers = at_json_get(operation, "responses");
        struct at_json_each one = at_json_each(security);
        bool takes_write = false, takes_secret = false;
        while (at_json_next(&one)) {
            takes_write |= at_json_get(one.value, "write_key").tape != NULL;
            takes_secret |= at_json_get(one.value, "secret_key").tape != NULL;
        }
        assert_int_equal(takes_write, route->key == AT_KEY_WRITE);
        assert_int_equal(takes_secret, route->key != AT_KEY_NONE);
        if (route->key != AT_KEY_NONE) assert_non_null(at_json_get(answers, "401").tape);
        if (route->key == AT_KEY_SECRET) assert_non_null(at_json_get(answers, "403").tape);
        assert_non_null(at_json_get(answers, "200").tape);
        assert_non_null(at_json_get(answers, "503").tape);
    }
}

static uint32_t meanings;

/* Every reference leads to a schema, every member and parameter says what it means, no key stands twice. */
static void walk(struct at_json value, const char *around) {
    struct at_json schemas = at_json_get(at_json_get(document, "components"), "schemas");
    bool are_properties = strcmp(around, "properties") == 0,
         are_parameters = strcmp(around, "parameters") == 0;
    struct at_json_each it = at_json_each(value);
    while (at_json_next(&it)) {
        char name[100] = "";
        if (it.is_object) {
            snprintf(name, sizeof name, "%.*s", (int)it.key.length, it.key.data);
            struct at_json_each again = it;
            while (at_json_next(&again))
                if (at_text_equal(again.key, it.key)) fail_msg("%s stands twice in %s", name, around);
        }
        if (strcmp(name, "$ref") == 0) {
            const char *target = at_json_text(it.value).data;
            assert_memory_equal(target, "#/components/schemas/", 21);
            if (!at_json_get(schemas, target + 21).tape) fail_msg("%s leads nowhere", target);
        }
        if ((are_properties || are_parameters) && !at_json_text(at_json_get(it.value, "description")).length)
            fail_msg("%s of %s has no meaning", it.is_object ? name : "one", around);
        if (are_parameters) assert_non_null(at_json_get(it.value, "schema").tape);
        meanings += are_properties || are_parameters;
        /* A field may be called "properties" itself. */
        walk(it.value, are_properties || are_parameters ? "" : name);
    }
}

static void references_lead_somewhere_and_all_has_a_meaning(void **state) {
    (void)state;
    walk(document, "document");
    assert_true(meanings > 150);
}

/* The rows of schemas.c: types that are known, schemas that are used. */
static bool is_schema(struct at_text name) {
    for (const struct schema_row *row = schema_rows; row->name; row++)
        if (row->is_schema && at_text_is(name, row->name)) return true;
    return false;
}

static void check_type(struct at_text type, const char *field) {
    static const char *const known[] = {"string", "integer", "number", "boolean", "object", "time", "any"};
    while (type.length && (type.data[type.length - 1] == '!' || type.data[type.length - 1] == '?'))
        type.length--;
    if (type.length > 2 && (type.data[0] == '[' || type.data[0] == '{')) {
        assert_true(type.data[type.length - 1] == (type.data[0] == '[' ? ']' : '}'));
        check_type((struct at_text){type.data + 1, type.length - 2}, field);
        return;
    }
    bool is_known = memchr(type.data, '|', type.length) || is_schema(type);
    for (size_t i = 0; i < AT_LENGTH(known); i++) is_known |= at_text_is(type, known[i]);
    if (!is_known) fail_msg("%s is a %.*s, whatever that is", field, (int)type.length, type.data);
}

static bool is_used(const char *name) {
    for (const struct route *route = routes; route->path; route++)
        if ((route->request && strcmp(route->request, name) == 0) ||
            (route->answer && strcmp(route->answer, name) == 0))
            return true;
    for (const struct schema_row *row = schema_rows; row->name; row++)
        if (row->type && strstr(row->type, name)) return true;
    return strcmp(name, "Error") == 0;
}

static void the_rows_of_schemas_are_consistent(void **state) {
    (void)state;
    assert_true(schema_rows[0].is_schema);
    for (const struct schema_row *row = schema_rows; row->name; row++) {
        if (row->type) check_type(at_text_of(row->type), row->name);
        if (!row->is_schema) assert_non_null(row->type);
        if (row->is_schema && !is_used(row->name)) fail_msg("%s is not used", row->name);
    }
}

static void too_little_memory_is_an_answer(void **state) {
    (void)state;
    struct at_bytes whole = answered;
    at_bytes_init(&answered, 1 << 24);
    ask(1000);
    int status = answered_status;
    at_bytes_clear(&answered);
    answered = whole;
    assert_int_equal(status, 503);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_in_it_and_nothing_else),
        cmocka_unit_test(what_is_later_or_an_alias_is_not),
        cmocka_unit_test(keys_are_what_the_table_says),
        cmocka_unit_test(references_lead_somewhere_and_all_has_a_meaning),
        cmocka_unit_test(the_rows_of_schemas_are_consistent),
        cmocka_unit_test(too_little_memory_is_an_answer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
