/* SPDX-License-Identifier: Apache-2.0
 *
 * A profile as JSON and back: the very same state, doubles to the bit; and what is not one of ours is refused
 * by name, whatever stands in it, and never half read.
 */
#include <math.h>
#include "profile_world.h"

enum { CASES = 4000 };

ONE_WORLD
GENERATED_CASES;

static struct at_profile *random_profile(uint32_t events) {
    struct at_profile *profile = at_profile_new(1 + random_below(&seed, 9), NULL);
    int64_t at_ms = NOW_MS;
    char text[4000];
    for (uint32_t i = 0; i < events; i++) {
        at_ms += random_below(&seed, 3) * AT_HOUR_MS + random_below(&seed, 100000);
        random_event(&seed, text, sizeof text);
        happen(&world, &profile, at_ms, text);
    }
    struct at_identifier identifier = {AT_TEXT("email"), AT_TEXT("a\"b\\@example.com")};
    return at_profile_with_identifier(profile, &identifier, at_ms, true);
}

static void what_is_read_is_what_was_written(void **state) {
    (void)state;
    seed = first = first_seed(31);
    for (number = 0; number < 1000; number++) {
        struct at_profile *profile = random_profile(random_below(&seed, 40)),
                          *back = recode(&world, at_profile_ref(profile));
        const char *where = difference(profile, back);
        if (where) fail_msg("seed %llu, case %d: %s differs", (unsigned long long)first, number, where);
        CHECK(profile->applied_seq == back->applied_seq && at_profile_equal(profile, back));
        char *a = text_of_profile(&world, profile), *b = text_of_profile(&world, back);
        CHECK(strcmp(a, b) == 0);
        free(a);
        free(b);
        at_profile_unref(profile);
        at_profile_unref(back);
    }
    print_message("property: round trip, 1000 cases, seed %llu\n", (unsigned long long)first);
}

/* Numbers that no event gives, but a sum of many may. */
static void every_double_comes_back(void **state) {
    (void)state;
    seed = first = first_seed(32);
    struct at_profile *p = random_profile(30);
    assert_true(p->taste_count > 3 && p->product_count > 3);
    struct at_taste *tastes = (struct at_taste *)(uintptr_t)p->tastes;
    static const double odd[] = {0.1 + 0.2,          1e-310, 5e-324, 1.7976931348623157e308, -0.0,
                                 4503599627370497.5, 1e22};
    for (number = 0; number < 2000; number++) {
        uint64_t bits = next_random(&seed);
        double value;
        memcpy(&value, &bits, sizeof value);
        if ((size_t)number < AT_LENGTH(odd)) value = odd[number];
        if (!isfinite(value)) continue;
        tastes[number % 3].weight = value;
        p->orders.revenue = -value;
        p->orders.refunded = value;
        struct at_profile *back = recode(&world, at_profile_ref(p));
        CHECK(same_bits(back->tastes[number % 3].weight, value));
        CHECK(same_bits(back->orders.revenue, -value) && same_bits(back->orders.refunded, value));
        at_profile_unref(back);
    }
    at_profile_unref(p);
}

static void an_empty_profile_and_large_numbers(void **state) {
    (void)state;
    struct at_profile *p = at_profile_new(UINT64_MAX - 1, NULL);
    p->applied_seq = UINT64_MAX;
    p = recode(&world, p);
    assert_true(p->person == UINT64_MAX - 1 && p->applied_seq == UINT64_MAX && p->sessions == 0);
    assert_true(at_text_is(p->traits, "{}"));
    at_profile_unref(p);
}

/* ---- what is not ours ---- */

static enum at_status read_text(const char *text, size_t length, struct at_profile **out,
                                struct at_error *err) {
    struct at_json json;
    *out = NULL;
    *err = (struct at_error){0};
    enum at_status status = at_json_parse(world.profile_parser, text, length, false, &json, err);
    return status == AT_OK ? at_profile_read(json, NULL, out, err)
                           : AT_NOTFOUND; /* no JSON: not our question */
}

/* What was accepted is whole: it can be written, read and folded upon. */
static void check_usable(struct at_profile *p) {
    char text[4000];
    char *before = text_of_profile(&world, p);
    p = recode(&world, p);
    char *after = text_of_profile(&world, p);
    CHECK(strcmp(before, after) == 0);
    p->applied_seq = 0;
    world.seq = 1;
    random_event(&seed, text, sizeof text);
    happen(&world, &p, NOW_MS, text);
    at_bytes_reset(&world.bytes);
    at_profile_show(p, &(struct at_showing){.now_ms = NOW_MS}, &world.bytes);
    CHECK(!world.bytes.failed);
    json_of(world.profile_parser, world.bytes.data);
    at_profile_count(p, AT_TEXT("product_viewed"), AT_DAY_MS, NOW_MS);
    at_profile_unref(p);
    free(before);
    free(after);
}

static void a_wrong_member_is_refused_by_name(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"{\"version\":2,", ""},
        {"{", ""},
        {"[]", ""},
        {"\"first_seen\":\"now\"", "first_seen"},
        {"\"first_seen\":9223372036854775807", "first_seen"},
        {"\"first_seen\":-9223372036854775808", "first_seen"},
        {"\"sessions\":-1", "sessions"},
        {"\"sessions\":4294967296", "sessions"},
        {"\"sessions\":1.5", "sessions"},
        {"\"applied\":18446744073709551615", "applied"},
        {"\"visit\":[]", "visit"},
        {"\"visit\":null", "visit"},
        {"\"visit\":{\"source\":1}", "source"},
        {"\"acquired\":{\"landed\":\"3\"}", "landed"},
        {"\"traits\":[]", "traits"},
        {"\"locale\":{}", "locale"},
        {"\"orders\":{\"list\":{}}", "list"},
        {"\"orders\":{\"list\":[1]}", "list"},
        {"\"orders\":{\"list\":[{\"revenue\":\"1\"}]}", "revenue"},
        {"\"orders\":{}", "list"},
        {"\"orders\":{\"list\":[],\"awaited\":[1]}", "awaited"},
        {"\"orders\":{\"list\":[{\"returned\":1}]}", "returned"},
        {"\"basket\":{\"list\":[{\"price\":null}]}", "price"},
        {"\"basket\":7", "basket"},
        {"\"tastes\":[[\"brand\",\"Acme\",1]]", "tastes"},
        {"\"tastes\":[[\"brand\",\"Acme\",1,2,3]]", "tastes"},
        {"\"tastes\":[[\"brand\",null,1,2]]", "tastes"},
        {"\"tastes\":[[\"brand\",\"Acme\",\"1\",2]]", "tastes"},
        {"\"tastes\":[{}]", "tastes"},
        {"\"tastes\":[[\"f\",\"a\",1,2],[\"g\",\"a\",1,2],[\"f\",\"b\",1,2]]", "tastes"},
        {"\"products\":[[]]", "products"},
        {"\"products\":[{\"views\":99999999999}]", "views"},
        {"\"identifiers\":[[\"email\",\"a\"]]", "identifiers"},
        {"\"counts\":[{\"name\":\"x\",\"hours\":[1],\"days\":[]}]", "hours"},
        {"\"counts\":[{\"name\":\"x\",\"hours\":[2,1,1,1],\"days\":[]}]", "hours"},
        {"\"counts\":[{\"name\":\"x\",\"hours\":[],\"days\":[1,0]}]", "days"},
        {"\"counts\":[{\"name\":\"x\",\"hours\":[2147483647,1],\"days\":[]}]", "hours"},
        {"\"counts\":[{\"name\":\"x\",\"hours\":[]}]", "days"},
        {"\"counts\":[null]", "counts"},
        {"\"newest\":{}", "newest"},
        {"\"newest\":[{\"name\":\"b\"},{\"name\":\"a\"}]", "newest"},
        {"\"newest\":[{\"name\":\"a\"},{\"name\":\"a\"}]", "newest"},
        {"\"newest\":[{\"name\":\"a\",\"at\":\"now\"}]", "at"},
        {"\"newest\":[{\"name\":\"a\",\"properties\":[1]}]", "properties"},
        {"\"newest\":[{\"name\":\"a\",\"items\":{\"product\":\"P\"}}]", "items"},
        {"\"newest\":[{\"name\":\"a\",\"items\":[]}]", "items"},
        {"\"newest\":[{\"name\":\"a\",\"cut\":1}]", "cut"},
    };
    static const char good[] =
        "\"version\":1,\"person\":3,\"applied\":1,\"visit\":{},\"acquired\":{},\"traits\":{},"
        "\"orders\":{\"list\":[]},\"basket\":{\"list\":[]},\"tastes\":[],\"products\":[],"
        "\"counts\":[],\"identifiers\":[]";
    struct at_profile *p;
    struct at_error err;
    char text[1000];
    snprintf(text, sizeof text, "{%s}", good);
    assert_int_equal(read_text(text, strlen(text), &p, &err), AT_OK);
    at_profile_unref(p);
    for (size_t i = 0; i < AT_LENGTH(wrong); i++) { /* the last of a name counts */
        if (wrong[i][0][0] == '[')
            snprintf(text, sizeof text, "%s", wrong[i][0]);
        else if (wrong[i][0][0] == '{')
            snprintf(text, sizeof text, "%s\"x\":0}", wrong[i][0]);
        else
            snprintf(text, sizeof text, "{%s,%s}", good, wrong[i][0]);
        enum at_status status = read_text(text, strlen(text), &p, &err);
        if (status != AT_INVALID || p || strcmp(err.field, wrong[i][1]) != 0)
            fail_msg("%s: status %d, field \"%s\", %s", wrong[i][0], status, err.field, err.message);
    }
}

static void a_list_over_its_ceiling_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *name, *entry;
        int most;
    } lists[] = {{"tastes", "[\"f\",\"v\",1,2]", TASTES_MAX},
                 {"products", "{\"product\":\"p\"}", PRODUCTS_MAX},
                 {"identifiers", "[\"k\",\"v\",1]", IDENTIFIERS_MAX},
                 {"counts", "{\"name\":\"n\",\"hours\":[],\"days\":[]}", COUNTS_MAX}};
    static char text[40000];
    for (size_t i = 0; i < AT_LENGTH(lists); i++)
        for (int more = 0; more < 2; more++) {
            size_t n = (size_t)snprintf(text, sizeof text,
                                        "{\"version\":1,\"person\":3,\"visit\":{},\"acquired\":{},\"traits\":"
                                        "{},\"orders\":{\"list\":[]},"
                                        "\"basket\":{\"list\":[]},\"tastes\":[],\"products\":[],\"counts\":[]"
                                        ",\"identifiers\":[],\"%s\":[",
                                        lists[i].name);
            for (int j = 0; j < lists[i].most + more; j++)
                n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", j ? "," : "", lists[i].entry);
            n += (size_t)snprintf(text + n, sizeof text - n, "]}");
            struct at_profile *p;
            struct at_error err;
            assert_int_equal(read_text(text, n, &p, &err), more ? AT_INVALID : AT_OK);
            if (p) at_profile_unref(p);
        }
}

/* A piece of a stored profile replaced by something else of JSON, or bytes changed at random. */
static size_t mutate(const char *text, char *out, size_t size) {
    static const char *const others[] = {"null",      "-1",
                                         "1e308",     "\"\"",
                                         "[]",        "{}",
                                         "true",      "9223372036854775807",
                                         "[[[[]]]]",  "-9223372036854775808",
                                         "0.5",       "\"\\u0000\\ud83d\\ude00\"",
                                         "[1,2,3,4]", "{\"list\":[]}",
                                         "4294967296"};
    size_t length = strlen(text), n = length;
    memcpy(out, text, length + 1);
    if (random_below(&seed, 3) == 0) {
        for (uint32_t i = 1 + random_below(&seed, 4); i; i--)
            out[random_below(&seed, (uint32_t)length)] = "0123456789[]{}\",:-ae"[random_below(&seed, 20)];
        return n;
    }
    size_t at = random_below(&seed, (uint32_t)length), end;
    while (at < length && text[at] != ':' && text[at] != ',' && text[at] != '[') at++;
    if (at >= length - 1) return n;
    end = at + 1 + strcspn(text + at + 1, ",]}");
    const char *other = others[random_below(&seed, AT_LENGTH(others))];
    n = (size_t)snprintf(out, size, "%.*s%s%s", (int)(at + 1), text, other, text + end);
    return n < size ? n : size - 1;
}

static void a_stored_text_gone_wrong_is_refused_or_whole(void **state) {
    (void)state;
    static char out[200000];
    seed = first = first_seed(33);
    int counts[3] = {0};
    char *text = NULL;
    for (number = 0; number < CASES; number++) {
        if (number % 50 == 0) {
            struct at_profile *profile = random_profile(25);
            free(text);
            text = text_of_profile(&world, profile);
            at_profile_unref(profile);
        }
        struct at_profile *p;
        struct at_error err;
        enum at_status status = read_text(out, mutate(text, out, sizeof out), &p, &err);
        CHECK(status == AT_OK || status == AT_INVALID || status == AT_NOTFOUND);
        CHECK((status == AT_OK) == (p != NULL));
        CHECK(status != AT_INVALID || err.message[0]);
        counts[status == AT_OK ? 0 : status == AT_INVALID ? 1 : 2]++;
        if (p) check_usable(p);
    }
    free(text);
    print_message("property: hostile storage, %d cases, seed %llu: %d whole, %d refused, %d no JSON\n", CASES,
                  (unsigned long long)first, counts[0], counts[1], counts[2]);
    assert_true(counts[0] > 100 && counts[1] > 500);
}

static void a_profile_is_shown(void **state) {
    (void)state;
    struct at_profile *p = at_profile_new(3, NULL);
    struct at_identifier email = {AT_TEXT("email"), AT_TEXT("a@example.com")};
    char id[AT_PERSON_ID_SIZE];
    happen(&world, &p, NOW_MS,
           "{\"type\":\"track\",\"anonymousId\":\"v\",\"event\":\"Product Added\",\"properties\":"
           "{\"product_id\":\"A\",\"price\":12.5,\"quantity\":2,\"brand\":\"Acme\"}}");
    happen(&world, &p, NOW_MS,
           "{\"type\":\"track\",\"anonymousId\":\"v\",\"event\":\"Order Completed\",\"properties\":"
           "{\"order_id\":\"1\",\"revenue\":25,\"products\":[]}}");
    happen(&world, &p, NOW_MS,
           "{\"type\":\"track\",\"anonymousId\":\"v\",\"event\":\"Order Refunded\",\"properties\":"
           "{\"order_id\":\"1\",\"amount\":5}}");
    happen(&world, &p, NOW_MS,
           "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"email\":\"a@example.com\"}}");
    p = at_profile_with_identifier(p, &email, NOW_MS, true);
    at_bytes_reset(&world.bytes);
    at_profile_show(p, &(struct at_showing){.now_ms = NOW_MS + AT_MINUTE_MS}, &world.bytes);
    struct at_json shown = json_of(world.profile_parser, world.bytes.data);
    at_person_id_format(3, id);
    assert_true(at_text_is(at_json_text(at_json_get(shown, "id")), id));
    double number_shown = 0;
    bool is_live = false;
    struct at_json orders = at_json_get(shown, "orders"), session = at_json_get(shown, "session");
    assert_true(at_json_number(at_json_get(orders, "average"), &number_shown) && number_shown == 20);
    assert_true(at_json_bool(at_json_get(session, "is_live"), &is_live) && is_live);
    struct at_json acme = at_json_get(at_json_get(at_json_get(shown, "affinity"), "brand"), "Acme");
    /* p = (4 + 10/11) / 14, q = 1/11: lift 10/17; W / (W + 3) = 4/7 */
    assert_true(at_json_number(acme, &number_shown) && fabs(number_shown - 40.0 / 119) < 1e-4);
    struct at_json added = at_json_get(at_json_get(shown, "counts"), "product_added");
    assert_true(at_json_number(at_json_get(added, "within_7d"), &number_shown) && number_shown == 1);
    assert_true(
        at_text_is(at_json_text(at_json_get(at_json_get(shown, "traits"), "email")), "a@example.com"));
    assert_int_equal(at_json_count(at_json_get(shown, "identifiers")), 1);
    at_profile_unref(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_what_was_written),
        cmocka_unit_test(every_double_comes_back),
        cmocka_unit_test(an_empty_profile_and_large_numbers),
        cmocka_unit_test(a_wrong_member_is_refused_by_name),
        cmocka_unit_test(a_list_over_its_ceiling_is_refused),
        cmocka_unit_test(a_stored_text_gone_wrong_is_refused_or_whole),
        cmocka_unit_test(a_profile_is_shown),
    };
    return cmocka_run_group_tests_name("profile code", tests, begin, end);
}
