/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters: each operator, what is missing, lists, limits, suggestions; and at random against a filter written
 * the naive way over the documents. The last test times the common filter.
 */
#include "catalog_world.h"
#include "base/time.h"
#include "catalog/where.h"

static struct world world;
static struct at_json_parser *filters;
static struct at_arena arena;

static int setup(void **state) {
    (void)state;
    world_init(&world);
    filters = at_json_parser_new(1 << 16, 64);
    at_arena_init(&arena, 1 << 24);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    world_clear(&world);
    at_json_parser_free(filters);
    at_arena_clear(&arena);
    return 0;
}

static enum at_status parse_where(const struct at_root *root, const char *text, struct at_where **out,
                                  struct at_error *err) {
    struct at_json json;
    assert_int_equal(at_json_parse(filters, text, strlen(text), false, &json, NULL), AT_OK);
    return at_where_parse(root, &arena, json, out, err);
}

/* The ids that match, in one text. */
static void expect(const char *text, const char *ids) {
    struct at_root *root = at_catalog_root(world.catalog);
    struct at_where *where;
    struct at_error err = {0};
    uint32_t rows[16], total;
    char found[100] = "";
    if (parse_where(root, text, &where, &err) != AT_OK) fail_msg("%s: %s", text, err.message);
    uint32_t count = at_where_rows(where, root, rows, 16, &total);
    assert_int_equal(count, total);
    for (uint32_t i = 0; i < count; i++) {
        struct at_text id = at_root_id(root, rows[i]);
        snprintf(found + strlen(found), sizeof found - strlen(found), "%.*s", (int)id.length, id.data);
        assert_true(at_where_matches(where, root, rows[i]));
    }
    if (strcmp(found, ids) != 0) fail_msg("%s: found \"%s\", expected \"%s\"", text, found, ids);
    for (uint32_t row = 0, i = 0; row < at_root_rows(root); row++) {
        bool is_in = i < count && rows[i] == row;
        i += is_in;
        assert_int_equal(at_where_matches(where, root, row), is_in);
    }
    at_root_unref(root);
}

static void refuse(const char *text, const char *message) {
    struct at_root *root = at_catalog_root(world.catalog);
    struct at_where *where;
    struct at_error err = {0};
    assert_int_equal(parse_where(root, text, &where, &err), AT_UNPROCESSABLE);
    assert_string_equal(err.message, message);
    assert_null(where);
    at_root_unref(root);
}

static void fill(void) {
    static const char *const products[] = {
        "{\"id\":\"A\",\"category\":\"sofas\",\"brand\":\"Acme\",\"price\":100,\"tags\":[\"new\",\"sale\"],"
        "\"vegan\":true,\"released\":\"2026-01-01\",\"title\":\"One\"}",
        "{\"id\":\"B\",\"category\":\"sofas\",\"brand\":\"Birch\",\"price\":500,\"tags\":[\"sale\"],"
        "\"vegan\":false,\"released\":\"2026-06-01\",\"title\":\"Two\"}",
        "{\"id\":\"C\",\"category\":\"lamps\",\"brand\":\"Acme\",\"price\":20,\"tags\":[],\"released\":"
        "\"2026-11-01\"}",
        "{\"id\":\"D\",\"price\":0}",
        "{\"id\":\"E\",\"category\":\"sofas\",\"brand\":\"Acme\",\"price\":7,\"tags\":[\"new\"]}",
    };
    for (size_t i = 0; i < AT_LENGTH(products); i++) assert_int_equal(world_put(&world, products[i]), AT_OK);
    assert_int_equal(world_retire(&world, "E"), AT_OK);
}

static void operators_select(void **state) {
    (void)state;
    fill();
    expect("{}", "ABCD");
    expect("{\"category\":\"sofas\"}", "AB");
    expect("{\"category\":\"unheard\"}", "");
    expect("{\"category\":{\"is\":\"sofas\"},\"brand\":\"Acme\"}", "A");
    expect("{\"brand\":[\"Acme\",\"Birch\"]}", "ABC");
    expect("{\"brand\":[\"unheard\",\"Birch\"]}", "B");
    expect("{\"brand\":{\"one_of\":[\"Birch\"]}}", "B");
    expect("{\"brand\":[]}", "");
    expect("{\"price\":{\"above\":20}}", "AB");
    expect("{\"price\":{\"at_least\":20}}", "ABC");
    expect("{\"price\":{\"below\":20}}", "D");
    expect("{\"price\":{\"at_most\":20}}", "CD");
    expect("{\"price\":{\"between\":[20,100]}}", "AC");
    expect("{\"price\":{\"above\":0,\"at_most\":100}}", "AC");
    expect("{\"price\":{\"between\":[100,20]}}", "");
    expect("{\"price\":100}", "A");
    expect("{\"price\":[100,20]}", "AC");
    expect("{\"price\":{\"is_not\":[100,20]}}", "BD");
    expect("{\"released\":{\"at_least\":\"2026-06-01\"}}", "BC");
    expect("{\"released\":\"2026-01-01T00:00:00Z\"}", "A");
    expect("{\"vegan\":true}", "A");
    expect("{\"vegan\":{\"is_not\":true}}", "BCD");
    expect("{\"title\":\"Two\"}", "B"); /* no facet: no index */
    expect("{\"title\":[\"Two\",\"One\"]}", "AB");
}

static void what_is_missing_never_matches_but_is_not_does(void **state) {
    (void)state;
    fill();
    expect("{\"category\":{\"is_not\":\"sofas\"}}", "CD");
    expect("{\"category\":{\"is_not\":[\"sofas\",\"lamps\"]}}", "D");
    expect("{\"category\":{\"is_not\":\"unheard\"}}", "ABCD");
    expect("{\"rating\":{\"below\":3}}", "");
    expect("{\"rating\":{\"is_not\":3}}", "ABCD");
    expect("{\"stock\":0}", "");
    expect("{\"title\":{\"is_not\":\"One\"}}", "BCD");
    expect("{\"category\":\"sofas\",\"rating\":{\"is_not\":3}}", "AB");
}

static void a_list_matches_if_it_holds_one_of_the_values(void **state) {
    (void)state;
    fill();
    expect("{\"tags\":\"sale\"}", "AB");
    expect("{\"tags\":{\"contains\":\"new\"}}", "A");
    expect("{\"tags\":[\"new\",\"unheard\"]}", "A");
    expect("{\"tags\":{\"contains\":[\"new\",\"sale\"]}}", "AB");
    expect("{\"tags\":{\"is_not\":\"new\"}}", "BCD");
    expect("{\"tags\":\"sale\",\"category\":\"sofas\",\"price\":{\"above\":200}}", "B");
}

static void refusals_say_what_is_wrong(void **state) {
    (void)state;
    char text[6000];
    fill();
    refuse("{\"categroy\":\"sofas\"}",
           "products have no attribute \"categroy\" — did you mean \"category\"?");
    refuse("{\"zzzz\":1}", "products have no attribute \"zzzz\"");
    refuse("{\"price\":{\"atmost\":1}}",
           "price: a filter has no operator \"atmost\" — did you mean \"at_most\"?");
    refuse("{\"price\":\"500\"}", "price is a number, got \"500\"");
    refuse("{\"price\":{\"at_most\":null}}", "price is a number, got null");
    refuse("{\"brand\":7}", "brand is a text, got 7");
    refuse("{\"brand\":[\"Acme\",null]}", "brand is a text, got null");
    refuse("{\"brand\":{\"above\":\"A\"}}", "brand is a text: \"above\" compares numbers and dates");
    refuse("{\"brand\":{\"contains\":\"A\"}}", "brand is a text: \"contains\" asks a list");
    refuse("{\"vegan\":1}", "vegan is a true or false, got 1");
    refuse("{\"released\":\"soon\"}", "released is a date, got \"soon\"");
    refuse("{\"price\":{\"between\":[1]}}", "price: between takes two values, [from, to]");
    refuse("{\"price\":{}}", "price: {} has no operator; write {\"price\":{\"is\":…}}");
    refuse("[]", "a filter is an object such as {\"category\":\"sofas\"}, got a list");
    strcpy(text, "{\"price\":1");
    for (int i = 0; i < 16; i++) strcat(text, ",\"price\":1");
    refuse(strcat(text, "}"), "a filter has at most 16 terms");
    strcpy(text, "{\"price\":[1");
    for (int i = 0; i < 256; i++) strcat(text, ",1");
    refuse(strcat(text, "]}"), "price: a term has at most 256 values, got 257");
    strcpy(text, "{\"price\":[1");
    for (int i = 0; i < 255; i++) strcat(text, ",1");
    expect(strcat(text, "]}"), "");
}

static void no_more_rows_than_asked_but_all_are_counted(void **state) {
    (void)state;
    fill();
    struct at_root *root = at_catalog_root(world.catalog);
    uint32_t rows[5] = {77, 77, 77, 77, 77}, total;
    assert_int_equal(at_where_rows(NULL, root, rows, 2, &total), 2);
    assert_int_equal(total, 4);
    assert_int_equal(rows[1], 1);
    assert_int_equal(rows[2], 77);
    assert_int_equal(at_where_rows(NULL, root, rows, 0, &total), 0);
    assert_int_equal(total, 4);
    assert_true(at_where_matches(NULL, root, 0));
    assert_false(at_where_matches(NULL, root, 4));
    at_root_unref(root);
}

/* ---- at random, against the documents themselves ---- */

enum { PRODUCTS = 3000, CASES = 1500 };
struct plain {                        /* -1: missing */
    int category, brand, price, tags; /* tags: bits */
    bool is_live;
};
static struct plain plain[PRODUCTS];

static void fill_random(uint64_t *seed) {
    struct at_staging *staging;
    struct at_arena bodies;
    at_arena_init(&bodies, 1 << 26);
    assert_int_equal(at_catalog_stage(world.catalog, &bodies, NULL, 0, &staging, NULL), AT_OK);
    for (int i = 0; i < PRODUCTS; i++) {
        char text[400];
        struct plain *p = &plain[i];
        *p = (struct plain){(int)random_below(seed, 8) - 1, (int)random_below(seed, 300) - 1,
                            (int)random_below(seed, 50) - 1, (int)random_below(seed, 16), true};
        int at = sprintf(text, "{\"id\":\"P%d\"", i);
        if (p->category >= 0) at += sprintf(text + at, ",\"category\":\"c%d\"", p->category);
        if (p->brand >= 0) at += sprintf(text + at, ",\"brand\":\"b%d\"", p->brand);
        if (p->price >= 0) at += sprintf(text + at, ",\"price\":%d", p->price);
        at += sprintf(text + at, ",\"tags\":[");
        for (int t = 0, n = 0; t < 4; t++)
            if (p->tags >> t & 1) at += sprintf(text + at, "%s\"t%d\"", n++ ? "," : "", t);
        strcpy(text + at, "]}");
        struct at_change change = {.kind = AT_CHANGE_PUT, .document = world_json(&world, text)};
        assert_int_equal(at_staging_add(staging, &change, 1), AT_OK);
        assert_int_equal(change.status, AT_OK);
        if (random_below(seed, 10)) continue;
        sprintf(text, "P%d", i);
        struct at_change retire = {.kind = AT_CHANGE_RETIRE, .id = at_text_of(text)};
        assert_int_equal(at_staging_add(staging, &retire, 1), AT_OK);
        p->is_live = false;
    }
    assert_int_equal(at_staging_publish(staging), AT_OK);
    at_arena_clear(&bodies);
}

struct naive { /* one term, as drawn */
    int attribute, op, count, values[4];
};

static bool compare(int op, int value, int a, int b) {
    switch (op) {
    case 0: return value > a;
    case 1: return value < a;
    case 2: return value >= a;
    case 3: return value <= a;
    default: return value >= a && value <= b;
    }
}

static bool naive_fits(const struct naive *term, const struct plain *p) {
    int value = term->attribute == 0 ? p->category : term->attribute == 1 ? p->brand : p->price;
    if (term->attribute == 2 && term->op <= 4)
        return value >= 0 && compare(term->op, value, term->values[0], term->values[1]);
    bool is_there = false;
    for (int i = 0; i < term->count; i++)
        is_there |=
            term->attribute == 3 ? (p->tags >> term->values[i] & 1) : value >= 0 && value == term->values[i];
    return is_there != (term->op == 6);
}

/* op: 0 above 1 below 2 at_least 3 at_most 4 between 5 is or list 6 is_not */
static int write_term(char *text, struct naive *term, uint64_t *seed) {
    static const char *const names[] = {"category", "brand", "price", "tags"}, *const ops[] = {
                                                                                   "above", "below",
                                                                                   "at_least", "at_most"};
    static const uint32_t ranges[] = {9, 310, 52, 4};
    static const char prefixes[] = "cb-t";
    term->attribute = (int)random_below(seed, 4);
    term->op = term->attribute == 2 ? (int)random_below(seed, 7) : 5 + (int)random_below(seed, 2);
    term->count = 1 + (int)random_below(seed, 4);
    for (int i = 0; i < 4; i++) term->values[i] = (int)random_below(seed, ranges[term->attribute]);
    int at = sprintf(text, "\"%s\":", names[term->attribute]);
    if (term->op < 4) return at + sprintf(text + at, "{\"%s\":%d}", ops[term->op], term->values[0]);
    if (term->op == 4)
        return at + sprintf(text + at, "{\"between\":[%d,%d]}", term->values[0], term->values[1]);
    if (term->op == 6) at += sprintf(text + at, "{\"is_not\":");
    at += sprintf(text + at, "[");
    for (int i = 0; i < term->count; i++)
        at += term->attribute == 2 ? sprintf(text + at, "%s%d", i ? "," : "", term->values[i])
                                   : sprintf(text + at, "%s\"%c%d\"", i ? "," : "", prefixes[term->attribute],
                                             term->values[i]);
    return at + sprintf(text + at, term->op == 6 ? "]}" : "]");
}

static void filters_agree_with_a_naive_one(void **state) {
    (void)state;
    uint64_t first = first_seed(20261126), seed = first;
    static uint32_t rows[PRODUCTS];
    fill_random(&seed);
    struct at_root *root = at_catalog_root(world.catalog);
    uint64_t selected = 0;
    for (int n = 0; n < CASES; n++) {
        struct naive terms[3];
        int count = 1 + (int)random_below(&seed, 3), at = 1;
        char text[600] = "{";
        for (int i = 0; i < count; i++) {
            if (i) at += sprintf(text + at, ",");
            at += write_term(text + at, &terms[i], &seed);
        }
        strcpy(text + at, "}");
        struct at_where *where;
        struct at_error err = {0};
        at_arena_reset(&arena);
        if (parse_where(root, text, &where, &err) != AT_OK)
            fail_msg("seed %llu case %d: %s: %s", (unsigned long long)first, n, text, err.message);
        uint32_t total, given = at_where_rows(where, root, rows, PRODUCTS, &total), i = 0;
        for (uint32_t row = 0; row < PRODUCTS; row++) {
            bool fits = plain[row].is_live;
            for (int t = 0; t < count; t++) fits = fits && naive_fits(&terms[t], &plain[row]);
            bool is_in = i < given && rows[i] == row;
            i += is_in;
            if (is_in != fits || at_where_matches(where, root, row) != fits)
                fail_msg("seed %llu case %d: %s: row %u should%s match", (unsigned long long)first, n, text,
                         row, fits ? "" : " not");
        }
        assert_int_equal(i, total);
        selected += total;
    }
    at_root_unref(root);
    assert_true(selected > CASES);
    print_message("property: filters, seed %llu, %d cases, %llu rows selected\n", (unsigned long long)first,
                  CASES, (unsigned long long)selected);
}

/* ---- speed: printed always, held only to a bound that a loaded machine keeps ---- */

static void a_category_is_selected_fast(void **state) {
    (void)state;
    struct at_staging *staging;
    static uint32_t rows[40000];
    assert_int_equal(at_catalog_stage(world.catalog, &world.arena, NULL, 0, &staging, NULL), AT_OK);
    for (int i = 0; i < 40000; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"id\":\"SKU-%d\",\"category\":\"c%d\",\"brand\":\"b%d\",\"price\":%d,\"stock\":%d}", i,
                 i * 7919 % 8, i % 97, i % 500, i % 9);
        struct at_change change = {.kind = AT_CHANGE_PUT, .document = world_json(&world, text)};
        assert_int_equal(at_staging_add(staging, &change, 1), AT_OK);
        assert_int_equal(change.status, AT_OK);
    }
    assert_int_equal(at_staging_publish(staging), AT_OK);
    struct at_root *root = at_catalog_root(world.catalog);
    static const char *const texts[] = {
        "{\"category\":\"c3\"}", "{\"category\":\"c3\",\"price\":{\"at_most\":250}}",
        "{\"price\":{\"at_most\":250}}", "{\"category\":[\"c3\",\"c4\"]}", "{}"};
    for (size_t t = 0; t < AT_LENGTH(texts); t++) {
        struct at_where *where;
        uint32_t total = 0;
        uint64_t best = UINT64_MAX;
        assert_int_equal(parse_where(root, texts[t], &where, NULL), AT_OK);
        for (int round = 0; round < 200; round++) {
            uint64_t start = at_ticks_ns();
            at_where_rows(where, root, rows, 40000, &total);
            uint64_t took = at_ticks_ns() - start;
            if (took < best) best = took;
        }
        print_message("%-50s %5u rows in %6.1f us\n", texts[t], total, (double)best / 1000);
        if (t == 0) assert_int_equal(total, 5000);
        assert_true(best < 5000000);
    }
    static char names[1000][12];
    struct at_text ids[1000];
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 1000; i++)
        ids[i] = (struct at_text){names[i], (size_t)sprintf(names[i], "SKU-%d", i * 7919 % 40000)};
    for (int round = 0; round < 200; round++) {
        uint64_t start = at_ticks_ns();
        at_root_row_many(root, ids, 1000, rows);
        uint64_t took = at_ticks_ns() - start;
        if (took < best) best = took;
    }
    for (int i = 0; i < 1000; i++) assert_int_equal(rows[i], i * 7919 % 40000);
    print_message("1,000 ids to rows in %.1f us\n", (double)best / 1000);
    at_root_unref(root);
    best = UINT64_MAX;
    for (int round = 0; round < 50; round++) {
        char text[100];
        snprintf(text, sizeof text, "{\"id\":\"SKU-77\",\"stock\":%d}", round + 20);
        uint64_t start = at_ticks_ns();
        assert_int_equal(world_patch(&world, text), AT_OK);
        uint64_t took = at_ticks_ns() - start;
        if (took < best) best = took;
    }
    print_message("one stock change staged and published in %.1f us\n", (double)best / 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(operators_select),
        TEST(what_is_missing_never_matches_but_is_not_does),
        TEST(a_list_matches_if_it_holds_one_of_the_values),
        TEST(refusals_say_what_is_wrong),
        TEST(no_more_rows_than_asked_but_all_are_counted),
        TEST(filters_agree_with_a_naive_one),
        TEST(a_category_is_selected_fast),
    };
    return cmocka_run_group_tests_name("catalog filters", tests, NULL, NULL);
}
