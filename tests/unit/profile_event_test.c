/* SPDX-License-Identifier: Apache-2.0
 *
 * One event taken apart: types, ids, names, clock, limits, identifiers; what is refused says which field is
 * wrong. The published examples of the tracking specification are all taken, and events broken
 * at random are refused or usable.
 */
#include <locale.h>
#include "profile_world.h"
#include "catalog/catalog.h"

enum { CASES = 3000 };

ONE_WORLD
PARSE_CHECKS
GENERATED_CASES;

static void types_and_names(void **state) {
    (void)state;
    static const char *const types[][2] = {{"identify", "identified"},
                                           {"page", "page_viewed"},
                                           {"screen", "screen_viewed"},
                                           {"group", "grouped"},
                                           {"alias", "aliased"}};
    char text[200];
    for (size_t i = 0; i < AT_LENGTH(types); i++) {
        snprintf(text, sizeof text, "{\"type\":\"%s\",\"userId\":\"u\",\"name\":\"Home\"}", types[i][0]);
        expect(text);
        assert_true(is_text(world.event.name, types[i][1]) && is_text(world.event.type_word, types[i][0]));
        assert_true(is_text(world.event.event, i == 1 || i == 2 ? "Home" : ""));
    }
    expect("{\"type\":\"track\",\"userId\":\"u\",\"event\":\" Product Viewed \"}");
    assert_true(is_text(world.event.event, "Product Viewed") && is_text(world.event.name, "product_viewed"));
    struct at_event_defaults defaults = {.type = AT_TEXT("track"), .received_ms = NOW_MS}; /* the route's */
    assert_int_equal(parse_with(&world, "{\"type\":\"page\",\"userId\":\"u\",\"event\":\"x\"}", &defaults),
                     AT_OK);
    assert_int_equal(world.event.type, AT_EVENT_TRACK);
    refuse("[]", "not_an_object", "");
    refuse("{\"userId\":\"u\"}", "no_type", "type");
    refuse("{\"type\":\"Track\",\"userId\":\"u\",\"event\":\"x\"}", "unknown_type", "type");
    refuse("{\"type\":\"track\",\"userId\":\"u\"}", "no_event", "event");
    refuse("{\"type\":\"track\",\"userId\":\"u\",\"event\":\"  \"}", "no_event", "event");
    refuse("{\"type\":\"track\",\"userId\":\"u\",\"event\":{}}", "no_event", "event");
}

static void one_vocabulary(void **state) {
    (void)state;
    static const char *const names[][2] = {{"Product Viewed", "product_viewed"},
                                           {"product_viewed", "product_viewed"},
                                           {"productViewed", "product_viewed"},
                                           {"product-viewed", "product_viewed"},
                                           {"PRODUCT VIEWED", "product_viewed"},
                                           {"Viewed Product", "product_viewed"},
                                           {"Completed Order", "order_completed"},
                                           {"completedOrder", "order_completed"},
                                           {"purchase", "order_completed"},
                                           {"add_to_cart", "product_added"},
                                           {"Order Canceled", "order_cancelled"},
                                           {"  --Quiz  (2) --", "quiz_2"},
                                           {"step2Done", "step2_done"},
                                           {"\xC3\x9C"
                                            "bung",
                                            "\xC3\x9C"
                                            "bung"},
                                           {"INFORMATION", "information"},
                                           {"!!!", "!!!"}};
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < AT_LENGTH(names); i++) {
            struct at_text name = at_event_canonical(&world.arena, at_text_of(names[i][0]));
            if (!is_text(name, names[i][1])) fail_msg("%s: %.*s", names[i][0], (int)name.length, name.data);
            struct at_text again = at_event_canonical(&world.arena, name);
            assert_true(at_text_equal(name, again)); /* a canonical name is its own */
        }
        if (!setlocale(LC_ALL, "tr_TR.ISO-8859-9") && !setlocale(LC_ALL, "tr_TR.UTF-8"))
            break; /* and in any locale */
    }
    setlocale(LC_ALL, "C");
    assert_true(at_event_is_known(AT_TEXT("order_refunded")) && !at_event_is_known(AT_TEXT("quiz_2")));
    for (const char *const *name = at_event_known_names(); *name; name++)
        assert_true(is_text(at_event_canonical(&world.arena, at_text_of(*name)), *name));
}

static void ids(void **state) {
    (void)state;
    static const char *const blocked[] = {"\"null\"",
                                          "\"undefined\"",
                                          "\"Anonymous\"",
                                          "\"0\"",
                                          "0",
                                          "-1",
                                          "\"-1\"",
                                          "\"NaN\"",
                                          "\"none\"",
                                          "\"Guest\"",
                                          "\"true\"",
                                          "true",
                                          "null",
                                          "\"\"",
                                          "\"  \"",
                                          "\"[object Object]\"",
                                          "\"00000000-0000-0000-0000-000000000000\"",
                                          "\"---\"",
                                          "{}",
                                          "[]"};
    char text[2000];
    for (size_t i = 0; i < AT_LENGTH(blocked); i++) {
        snprintf(text, sizeof text, "{\"type\":\"page\",\"userId\":%s}", blocked[i]);
        refuse(text, "no_id", "userId");
        snprintf(text, sizeof text, "{\"type\":\"page\",\"userId\":%s,\"anonymousId\":\" v \"}", blocked[i]);
        expect(text);
        assert_true(is_text(world.event.anonymous_id, "v") && world.event.user_id.length == 0);
        assert_int_equal(world.event.identifier_count, 1);
    }
    expect("{\"type\":\"group\",\"anonymous_id\":7,\"user_id\":1.25,\"group_id\":\"g\",\"message_id\":"
           "18446744073709551615}");
    assert_true(is_text(world.event.anonymous_id, "7") && is_text(world.event.user_id, "1.25"));
    assert_true(is_text(world.event.group_id, "g") &&
                is_text(world.event.message_id, "18446744073709551615"));
    struct at_event_defaults past = {.received_ms = NOW_MS, .is_import = true};
    static const char mail[] = "{\"type\":\"page\",\"context\":{\"traits\":{\"email\":\"Ann@Example.com\"}}}";
    refuse(mail, "no_id", "userId");
    assert_int_equal(parse_with(&world, mail, &past), AT_OK); /* of the past an address is enough */
    assert_true(world.event.identifier_count == 1 &&
                is_text(world.event.identifiers[0].value, "ann@example.com"));
    assert_int_equal(parse_with(&world, "{\"type\":\"page\",\"userId\":\"null\"}", &past), AT_INVALID);
    assert_string_equal(world.err.code, "no_id");
    for (int length = 500; length <= 501; length++) {
        snprintf(text, sizeof text, "{\"type\":\"page\",\"userId\":\"%0*d\"}", length, 1);
        if (length == 500)
            expect(text);
        else
            refuse(text, "id_too_long", "userId");
    }
    for (int length = 100; length <= 101; length++) {
        snprintf(text, sizeof text, "{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"%0*d\"}", length, 1);
        if (length == 100)
            expect(text);
        else
            refuse(text, "id_too_long", "messageId");
    }
    snprintf(text, sizeof text, "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"%0501d\"}", 1);
    refuse(text, "event_too_long", "event");
    snprintf(text, sizeof text,
             "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Order "
             "Completed\",\"properties\":{\"order_id\":\"%0501d\"}}",
             1);
    refuse(text, "id_too_long", "order_id");
    snprintf(text, sizeof text,
             "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Order "
             "Completed\",\"properties\":{\"products\":[{},\"%0501d\"]}}",
             1);
    refuse(text, "id_too_long", "products");
    assert_non_null(strstr(world.err.message, "products[1]"));
}

static bool has_identifier(const char *kind, const char *value) {
    for (uint32_t i = 0; i < world.event.identifier_count; i++)
        if (is_text(world.event.identifiers[i].kind, kind) &&
            is_text(world.event.identifiers[i].value, value))
            return true;
    return false;
}

static void identifiers(void **state) {
    (void)state;
    expect("{\"type\":\"identify\",\"userId\":\"42\",\"anonymousId\":\"v\",\"traits\":{\"email\":\" "
           "Ann.B@Example.COM \","
           "\"phone\":\"+49 (30) 123-45 67\"}}");
    assert_int_equal(world.event.identifier_count, 4);
    assert_true(is_text(world.event.identifiers[0].kind, "anonymous_id") &&
                is_text(world.event.identifiers[0].value, "v"));
    assert_true(has_identifier("user_id", "42") && has_identifier("email", "ann.b@example.com"));
    assert_true(has_identifier("phone", "+49301234567"));
    expect("{\"type\":\"page\",\"userId\":\"42\",\"context\":{\"traits\":{\"email\":\"c@d.e\",\"phone\":"
           "\"+49 30 123456\"}}}");
    assert_true(has_identifier("email", "c@d.e") && has_identifier("phone", "+4930123456"));
    expect("{\"type\":\"page\",\"userId\":\"42\",\"traits\":{\"phone\":4930123456}}"); /* of no country */
    assert_int_equal(world.event.identifier_count, 1);
    expect("{\"type\":\"track\",\"userId\":\"42\",\"event\":\"x\",\"properties\":{\"email\":\"c@d.e\"}}");
    assert_true(has_identifier("email", "c@d.e"));
    static const char *const bad[] = {"ann", "@b.c", "a@", "a@b", "a@.b", "a@b.", "a@b@c.d", "a b@c.d", ""};
    char text[200];
    for (size_t i = 0; i < AT_LENGTH(bad); i++) {
        snprintf(text, sizeof text,
                 "{\"type\":\"identify\",\"userId\":\"42\",\"traits\":{\"email\":\"%s\",\"phone\":\"%s\"}}",
                 bad[i], bad[i]);
        expect(text);
        assert_int_equal(world.event.identifier_count, 1);
    }
    expect("{\"type\":\"identify\",\"userId\":\"42\",\"traits\":{\"phone\":\"123456\"}}");
    assert_int_equal(world.event.identifier_count, 1);
    /* Everybody of a company shares its address: it says nothing about who this is. */
    expect("{\"type\":\"group\",\"userId\":\"42\",\"groupId\":\"g\",\"traits\":{\"email\":\"info@acme.com\","
           "\"phone\":\"030123456\"}}");
    assert_int_equal(world.event.identifier_count, 1);
    expect("{\"type\":\"alias\",\"userId\":\"42\",\"previousId\":\"old\"}");
    assert_true(has_identifier("anonymous_id", "old"));
}

#define EVENT(rest) "{\"type\":\"page\",\"userId\":\"u\"" rest "}"
static void clock_rule(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t expected; /* relative to NOW_MS, 2026-11-26T08:00:00Z */
    } cases[] = {
        {EVENT(""), 0},
        {EVENT(",\"timestamp\":\"2026-11-26T07:00:00Z\""), -AT_HOUR_MS},
        {EVENT(",\"timestamp\":\"2026-11-26T09:00:00.250+01:00\""), 250},
        {EVENT(",\"timestamp\":1795676400000"), -AT_HOUR_MS},
        /* a device whose clock is a year behind: only the span it measured counts */
        {EVENT(",\"originalTimestamp\":\"2025-11-26T07:00:00Z\",\"sentAt\":\"2025-11-26T07:00:05Z\""), -5000},
        {EVENT(",\"originalTimestamp\":\"2025-11-26T07:00:00Z\",\"sentAt\":\"2025-11-26T07:00:05Z\","
               "\"timestamp\":"
               "\"2026-01-01\""),
         -5000},
        {EVENT(",\"original_timestamp\":\"2025-11-26T07:00:00Z\",\"sent_at\":\"2025-11-26T07:00:05Z\""),
         -5000},
        /* the same as browsers' SDKs say it; a message of a good clock keeps its time to the millisecond */
        {EVENT(",\"timestamp\":\"2025-11-26T07:00:00Z\",\"sentAt\":\"2025-11-26T07:00:05Z\""), -5000},
        {EVENT(",\"timestamp\":\"2026-11-26T07:00:00Z\",\"sentAt\":\"2026-11-26T07:59:01Z\""), -AT_HOUR_MS},
        {EVENT(",\"timestamp\":\"2026-11-26T12:00:00Z\",\"sentAt\":\"2026-11-26T12:00:01Z\""), -1000},
        {EVENT(",\"timestamp\":\"2026-11-27T08:00:00Z\""), AT_DAY_MS},
        {EVENT(",\"timestamp\":\"2026-11-27T08:00:00.001Z\""), 0}, /* more than a day ahead */
        {EVENT(",\"originalTimestamp\":\"2026-11-26T07:00:00Z\""), -AT_HOUR_MS},
        {EVENT(",\"timestamp\":null,\"sentAt\":null"), 0},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        expect(cases[i].text);
        if (world.event.at_ms - NOW_MS != cases[i].expected || world.event.received_ms != NOW_MS)
            fail_msg("%s: %lld", cases[i].text, (long long)(world.event.at_ms - NOW_MS));
    }
    static const char batch[] = "{\"sentAt\":\"2026-01-01T00:00:10Z\",\"context\":{\"locale\":\"de\"}}";
    struct at_event_defaults defaults = {.received_ms = NOW_MS};
    struct at_json json = json_of(world.body_parser, batch);
    defaults.sent_at = at_json_get(json, "sentAt");
    defaults.context = at_json_get(json, "context");
    assert_int_equal(parse_with(&world, EVENT(",\"originalTimestamp\":\"2026-01-01T00:00:00Z\""), &defaults),
                     AT_OK);
    assert_true(world.event.at_ms == NOW_MS - 10000);
    assert_true(is_text(at_json_text(at_json_get(world.event.context, "locale")), "de"));
    assert_int_equal(parse_with(&world, EVENT(",\"context\":{\"locale\":\"fr\"}"), &defaults), AT_OK);
    assert_true(is_text(at_json_text(at_json_get(world.event.context, "locale")), "fr"));
    defaults.is_import = true; /* the caller knows the time */
    assert_int_equal(parse_with(&world,
                                EVENT(",\"timestamp\":\"2020-01-01\",\"originalTimestamp\":\"2026-01-01\""),
                                &defaults),
                     AT_OK);
    assert_true(world.event.at_ms == 1577836800000);
    refuse(EVENT(",\"timestamp\":\"yesterday\""), "bad_time", "timestamp");
    refuse(EVENT(",\"timestamp\":12"), "bad_time", "timestamp");
    refuse(EVENT(",\"sentAt\":{}"), "bad_time", "sentAt");
    refuse(EVENT(",\"originalTimestamp\":\"2026-13-01\""), "bad_time", "originalTimestamp");
    refuse(EVENT(",\"originalTimestamp\":\"0001-01-01\",\"sentAt\":\"9999-01-01\""), "bad_time",
           "originalTimestamp");
}

/* {"type":"identify","userId":"u",PREFIX{"m0":0, …}SUFFIX} */
static void with_members(char *text, size_t size, const char *prefix, int count, const char *suffix) {
    size_t n = (size_t)snprintf(text, size, "{\"type\":\"identify\",\"userId\":\"u\",%s{", prefix);
    for (int i = 0; i < count; i++) n += (size_t)snprintf(text + n, size - n, "%s\"m%d\":0", i ? "," : "", i);
    snprintf(text + n, size - n, "}%s}", suffix);
}

static void limits_of_parts(void **state) {
    (void)state;
    static char text[60000];
    static const char *const parts[][3] = {{"\"traits\":", "", "traits"},
                                           {"\"properties\":", "", "properties"},
                                           {"\"context\":", "", "context"},
                                           {"\"context\":{\"traits\":", "}", "context.traits"}};
    for (size_t i = 0; i < AT_LENGTH(parts); i++) {
        with_members(text, sizeof text, parts[i][0], 300, parts[i][1]);
        expect(text);
        with_members(text, sizeof text, parts[i][0], 301, parts[i][1]);
        refuse(text, "too_many_members", parts[i][2]);
    }
    refuse("{\"type\":\"page\",\"userId\":\"u\",\"properties\":[]}", "not_an_object", "properties");
    refuse("{\"type\":\"page\",\"userId\":\"u\",\"traits\":\"x\"}", "not_an_object", "traits");
    refuse("{\"type\":\"page\",\"userId\":\"u\",\"context\":1}", "not_an_object", "context");
    expect("{\"type\":\"page\",\"userId\":\"u\",\"context\":null,\"traits\":null,\"properties\":null}");
    assert_null(world.event.context.tape);
    /* The batch's context is kept with every event that has none: it may not be larger than one. */
    for (int kib = 31; kib <= 33; kib += 2) {
        snprintf(text, sizeof text, "{\"x\":\"%0*d\"}", kib * 1024, 1);
        struct at_event_defaults defaults = {.received_ms = NOW_MS,
                                             .context = json_of(world.body_parser, text)};
        assert_int_equal(parse_with(&world, "{\"type\":\"page\",\"userId\":\"u\"}", &defaults),
                         kib < 32 ? AT_OK : AT_INVALID);
        assert_true(kib < 32 || strcmp(world.err.field, "context") == 0);
        assert_int_equal(parse_with(&world, "{\"type\":\"page\",\"userId\":\"u\",\"context\":{}}", &defaults),
                         AT_OK);
    }
}

/* ---- the published examples ---- */

static void fold_example(int *taken) {
    struct stored stored;
    keep_event(&world, true, &stored);
    struct at_profile *profile = at_profile_new(1, NULL);
    profile = recode(&world, step(&world, profile, &stored, true));
    assert_true(profile->count_count == 1);
    at_profile_unref(profile);
    stored_free(&stored);
    ++*taken;
}

/* A body as sent: an event, or a batch of which the first is taken; parts of one (a context, traits) are not.
 */
static void take_payload(const char *text, int *taken) {
    struct at_json event = at_json_get(json_of(world.event_parser, text), "example");
    struct at_event_defaults defaults = {.received_ms = NOW_MS};
    struct at_json_each it = at_json_each(at_json_get(event, "batch"));
    if (at_json_next(&it)) {
        defaults.context = at_json_get(event, "context");
        defaults.sent_at = at_json_get(event, "sentAt");
        event = it.value;
    }
    if (!at_json_is_string(at_json_get(event, "type"))) return;
    at_arena_reset(&world.arena);
    enum at_status status = at_event_parse(&world.arena, event, &defaults, NULL, &world.event, &world.err);
    bool has_id = at_json_get(event, "userId").tape || at_json_get(event, "anonymousId").tape;
    if (status != AT_OK && (has_id || strcmp(world.err.code, "no_id") != 0))
        fail_msg("%s: %.300s", world.err.message, text);
    if (status == AT_OK) fold_example(taken);
}

/* analytics.track(event, properties) as the browser's SDK would send it. */
static void take_call(const char *text, int *taken) {
    struct at_json call = json_of(world.event_parser, text);
    struct at_json_each it = at_json_each(at_json_get(call, "arguments"));
    if (!at_text_is(at_json_text(at_json_get(call, "method")), "track") || !at_json_next(&it)) return;
    if (!at_json_is_string(it.value)) return; /* a server's SDK: one object */
    at_bytes_reset(&world.bytes);
    struct at_json_out out = at_json_out(&world.bytes);
    at_json_open(&out, '{');
    at_json_add_string(&out, "type", "track");
    at_json_add_string(&out, "anonymousId", "a");
    at_json_key(&out, "event");
    at_json_put_value(&out, it.value);
    if (at_json_next(&it)) {
        at_json_key(&out, "properties");
        at_json_put_value(&out, it.value);
    }
    at_json_close(&out, '}');
    char *event = written(&world);
    expect(event);
    free(event);
    bool is_standard = at_event_is_known(world.event.name);
    if (strstr(text, "spec/ecommerce/v2.md") && !is_standard)
        fail_msg("%.*s is in no vocabulary", (int)world.event.event.length, world.event.event.data);
    fold_example(taken);
}

static void the_published_examples_are_taken(void **state) {
    (void)state;
    static char path[4096], line[200000];
    const char *data = getenv("SHARED_DATA");
    snprintf(path, sizeof path, "%s/segment-spec/examples.jsonl", data ? data : "../shared/data");
    FILE *file = fopen(path, "r");
    if (!file) {
        print_message("skipped: no data\n");
        return;
    }
    int payloads = 0, calls = 0;
    while (fgets(line, sizeof line, file))
        if (strstr(line, "\"kind\": \"payload\""))
            take_payload(line, &payloads);
        else
            take_call(line, &calls);
    fclose(file);
    print_message("%d payloads and %d calls taken\n", payloads, calls);
    assert_true(payloads == 33 && calls == 44);
}

/* ---- broken at random ---- */

static bool is_amount(double amount) {
    return at_is_missing(amount) || fabs(amount) <= 1e12;
}

static void a_broken_event_is_refused_or_usable(void **state) {
    (void)state;
    static const char *const others[] = {"null",
                                         "-1",
                                         "1e308",
                                         "\"\"",
                                         "[]",
                                         "{}",
                                         "true",
                                         "9223372036854775807",
                                         "[[[[]]]]",
                                         "\"2026-01-01\"",
                                         "0.5",
                                         "\"\\u0000\\ud83d\\ude00\"",
                                         "[1,\"a\",{\"id\":3}]"};
    char text[4000], out[5000];
    int taken = 0, refused = 0;
    seed = first = first_seed(61);
    struct at_profile *profile = at_profile_new(1, NULL);
    for (number = 0; number < CASES; number++) {
        random_event(&seed, text, sizeof text);
        size_t at = random_below(&seed, (uint32_t)strlen(text)), end;
        while (text[at] && text[at] != ':') at++;
        if (!text[at]) continue;
        end = at + 1 + strcspn(text + at + 1, ",]}");
        snprintf(out, sizeof out, "%.*s%s%s", (int)(at + 1), text,
                 others[random_below(&seed, AT_LENGTH(others))], text + end);
        struct at_json json;
        if (at_json_parse(world.event_parser, out, strlen(out), false, &json, NULL) != AT_OK) continue;
        enum at_status status = parse_at(&world, out, NOW_MS + number);
        CHECK(status == AT_OK || (status == AT_INVALID && world.err.message[0]));
        refused += status != AT_OK;
        taken += status == AT_OK;
        if (status != AT_OK) continue;
        CHECK(is_amount(world.event.revenue));
        for (uint32_t i = 0; i < world.event.item_count; i++)
            CHECK(is_amount(world.event.items[i].price) && is_amount(world.event.items[i].quantity));
        struct stored stored;
        keep_event(&world, true, &stored);
        profile = step(&world, profile, &stored, true);
        CHECK(isfinite(profile->orders.revenue) && isfinite(profile->orders.refunded));
        struct at_profile *back = recode(&world, at_profile_ref(profile));
        const char *where = difference(profile, back);
        if (where)
            fail_msg("seed %llu, case %d: %s differs after %s", (unsigned long long)first, number, where,
                     out);
        at_profile_unref(back);
        stored_free(&stored);
    }
    at_profile_unref(profile);
    print_message("property: broken events, %d cases, seed %llu: %d taken, %d refused\n", CASES,
                  (unsigned long long)first, taken, refused);
    assert_true(taken > 1000 && refused > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_names),
        cmocka_unit_test(one_vocabulary),
        cmocka_unit_test(ids),
        cmocka_unit_test(identifiers),
        cmocka_unit_test(clock_rule),
        cmocka_unit_test(limits_of_parts),
        cmocka_unit_test(the_published_examples_are_taken),
        cmocka_unit_test(a_broken_event_is_refused_or_usable),
    };
    return cmocka_run_group_tests_name("profile events", tests, begin, end);
}
