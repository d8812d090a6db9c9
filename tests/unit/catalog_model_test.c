/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalog against a model that is a plain array: random stagings of PUT, PATCH and RETIRE, published or
 * cancelled, and now and then the whole catalog restored from its own documents. Versions pinned on the way
 * never change.
 */
#include "catalog_world.h"
#include "catalog/where.h"

enum { CASES = 4000, PRODUCTS = 40, PINS = 8 };
enum { NONE = -1 };
struct product {
    int row; /* NONE: never put */
    bool is_live;
    int price, stock, brand, tags, colour; /* NONE: missing; tags: bits */
    int64_t updated;                       /* day, 0: none; the newest seen */
    int64_t shown;                         /* updated_at in the document */
};
struct model {
    struct product products[PRODUCTS];
    int rows;
};
struct pin {
    struct at_root *root;
    struct model model;
};

static struct world world;
static struct model model;
static struct pin pins[PINS];
GENERATED_CASES;

/* ---- checking a version ---- */

static bool same_number(const struct at_root *root, uint32_t row, const char *name, int expected) {
    double value = at_root_number(root, attribute_of(root, name), row);
    return expected == NONE ? at_is_missing(value) : value == expected;
}

static bool same_text(const struct at_root *root, uint32_t row, const char *name, char prefix, int expected) {
    char text[20];
    int attribute = attribute_of(root, name);
    uint32_t code = attribute < 0 ? 0 : at_root_code(root, attribute, row);
    if (expected == NONE) return code == 0;
    snprintf(text, sizeof text, "%c%d", prefix, expected);
    return code && at_text_is(at_root_text_of(root, attribute, code), text) &&
           at_root_code_of(root, attribute, text, strlen(text)) == code;
}

static bool same_tags(const struct at_root *root, uint32_t row, int expected) {
    int attribute = attribute_of(root, "tags"), bits = 0;
    uint32_t count;
    const uint32_t *set = at_root_set(root, attribute, at_root_code(root, attribute, row), &count);
    for (uint32_t i = 0; i < count; i++)
        bits |= 1 << (at_root_text_of(root, attribute, set[i]).data[1] - '0');
    return bits == expected;
}

static void check_index(const struct at_root *root, const struct model *expected) {
    struct at_arena arena;
    at_arena_init(&arena, 1 << 20);
    for (int brand = 0; brand < 3; brand++) {
        char text[40];
        struct at_where *where;
        uint32_t rows[PRODUCTS], total, count = 0;
        snprintf(text, sizeof text, "{\"brand\":\"b%d\"}", brand);
        CHECK(at_where_parse(root, &arena, world_json(&world, text), &where, NULL) == AT_OK);
        at_where_rows(where, root, rows, PRODUCTS, &total);
        for (int i = 0; i < PRODUCTS; i++)
            count += expected->products[i].is_live && expected->products[i].brand == brand;
        CHECK(total == count);
    }
    at_arena_clear(&arena);
}

static void check(const struct at_root *root, const struct model *expected) {
    uint32_t live = 0;
    CHECK(at_root_rows(root) == (uint32_t)expected->rows);
    for (int i = 0; i < PRODUCTS; i++) {
        const struct product *p = &expected->products[i];
        char id[20], sku[20];
        snprintf(id, sizeof id, "P%d", i);
        snprintf(sku, sizeof sku, "S%d", i);
        uint32_t row = row_of(root, id);
        CHECK(row == (p->row == NONE ? AT_ROW_NONE : (uint32_t)p->row));
        if (p->row == NONE) continue;
        CHECK(at_text_is(at_root_id(root, row), id));
        CHECK(at_root_is_live(root, row) == p->is_live);
        CHECK((at_root_body(root, row).data != NULL) == p->is_live);
        live += p->is_live;
        if (p->is_live) CHECK(row_of(root, sku) == row);
        CHECK(same_number(root, row, "price", p->is_live ? p->price : NONE));
        CHECK(same_number(root, row, "stock", p->is_live ? p->stock : NONE));
        CHECK(same_text(root, row, "brand", 'b', p->is_live ? p->brand : NONE));
        CHECK(same_text(root, row, "colour", 'c', p->is_live ? p->colour : NONE));
        CHECK(same_tags(root, row, p->is_live ? p->tags : 0));
    }
    CHECK(at_root_live(root) == live);
    check_index(root, expected);
}

/* ---- one change, to both ---- */

static int any_or_none(uint32_t limit) {
    return random_below(&seed, 4) ? (int)random_below(&seed, limit) : NONE;
}

static int write_number(char *text, const char *name, int value, bool is_patch) {
    if (value == NONE) return is_patch ? sprintf(text, ",\"%s\":null", name) : 0;
    return sprintf(text, ",\"%s\":%d", name, value);
}
static int write_text(char *text, const char *name, char prefix, int value, bool is_patch) {
    if (value == NONE) return is_patch ? sprintf(text, ",\"%s\":null", name) : 0;
    return sprintf(text, ",\"%s\":\"%c%d\"", name, prefix, value);
}

static int write_tags(char *text, int tags) {
    int at = sprintf(text, ",\"tags\":[");
    for (int t = 0, n = 0; t < 4; t++)
        if (tags >> t & 1) at += sprintf(text + at, "%s\"t%d\"", n++ ? "," : "", t);
    return at + sprintf(text + at, "]");
}

/* Some members of a change; what it does not name stays as it is (PATCH) or goes (PUT). */
static int write_members(char *text, struct product *p, bool is_patch) {
    int at = 0;
    if (!is_patch) *p = (struct product){p->row, p->is_live, NONE, NONE, NONE, 0, NONE, p->updated, 0};
    if (random_below(&seed, 2)) at += write_number(text + at, "price", p->price = any_or_none(5), is_patch);
    if (is_patch && random_below(&seed, 4) == 0) {
        int by = (int)random_below(&seed, 3);
        p->stock = (p->stock == NONE ? 0 : p->stock) + by;
        at += sprintf(text + at, ",\"stock\":{\"add\":%d}", by);
    } else if (random_below(&seed, 2)) {
        at += write_number(text + at, "stock", p->stock = any_or_none(5), is_patch);
    }
    if (random_below(&seed, 2))
        at += write_text(text + at, "brand", 'b', p->brand = any_or_none(3), is_patch);
    if (random_below(&seed, 3) == 0)
        at += write_text(text + at, "colour", 'c', p->colour = any_or_none(500), is_patch);
    if (random_below(&seed, 3) == 0) at += write_tags(text + at, p->tags = (int)random_below(&seed, 16));
    return at;
}

static enum at_status change_model(struct model *to, int i, const struct product *next, int kind, int64_t day,
                                   bool is_bad) {
    struct product *p = &to->products[i];
    if (kind == AT_CHANGE_RETIRE) {
        if (p->row == NONE) return AT_NOTFOUND;
        if (!p->is_live) return AT_DUPLICATE;
        p->is_live = false;
        return AT_OK;
    }
    if (kind == AT_CHANGE_PATCH && !p->is_live) return AT_NOTFOUND;
    if (day && p->updated && (day < p->updated || (day == p->updated && p->is_live))) return AT_DUPLICATE;
    if (is_bad) return AT_INVALID;
    int row = p->row == NONE ? to->rows++ : p->row;
    *p = *next;
    p->row = row;
    p->is_live = true;
    if (day) p->updated = p->shown = day;
    return AT_OK;
}

static void change_both(struct at_staging *staging, struct model *to) {
    char text[600], id[20];
    uint32_t draw = random_below(&seed, 10);
    int i = (int)random_below(&seed, PRODUCTS), kind = draw < 4   ? AT_CHANGE_PUT
                                                       : draw < 8 ? AT_CHANGE_PATCH
                                                                  : AT_CHANGE_RETIRE;
    int64_t day = random_below(&seed, 3) ? 0 : 1 + random_below(&seed, 28);
    bool is_bad = random_below(&seed, 12) == 0;
    struct product next = to->products[i];
    snprintf(id, sizeof id, "P%d", i);
    int at = sprintf(text, "{\"id\":\"%s\",\"sku\":\"S%d\"", id, i);
    at += write_members(text + at, &next, kind == AT_CHANGE_PATCH);
    if (day) at += sprintf(text + at, ",\"updated_at\":\"2026-01-%02d\"", (int)day);
    if (is_bad) at += sprintf(text + at, ",\"rating\":\"good\"");
    strcpy(text + at, "}");
    struct product old = to->products[i];
    struct at_change change = {
        .kind = (enum at_change_kind)kind, .id = at_text_of(id), .document = world_json(&world, text)};
    CHECK(at_staging_add(staging, &change, 1) == AT_OK);
    enum at_status expected = change_model(to, i, &next, kind, day, is_bad);
    /* The catalog calls it a duplicate if the document is the same, byte for byte; the order of members is
     * not modelled. */
    if (expected == AT_OK && change.status == AT_DUPLICATE) {
        CHECK(old.is_live && old.price == next.price && old.stock == next.stock && old.brand == next.brand &&
              old.tags == next.tags);
        return;
    }
    if (change.status != expected)
        fail_msg("seed %llu, case %d: %s: %d, expected %d (%s)", (unsigned long long)first, number, text,
                 change.status, expected, change.error.message);
    if (expected == AT_OK) CHECK(change.row == (uint32_t)to->products[i].row);
}

/* ---- versions kept, and a new start from the documents ---- */

static void change_pins(void) {
    struct pin *pin = &pins[random_below(&seed, PINS)];
    if (pin->root) {
        check(pin->root, &pin->model);
        at_root_unref(pin->root);
    }
    pin->root = at_catalog_root(world.catalog);
    pin->model = model;
}

static void drop_pins(void) {
    for (int i = 0; i < PINS; i++) {
        if (pins[i].root) check(pins[i].root, &pins[i].model);
        at_root_unref(pins[i].root);
        pins[i].root = NULL;
    }
}

static void restore(void) {
    struct at_catalog *next;
    struct at_staging *staging;
    struct at_root *root = at_catalog_root(world.catalog);
    struct at_json_parser *parser = at_json_parser_new(1 << 16, 64);
    CHECK(at_catalog_new(&next, NULL, NULL) == AT_OK);
    CHECK(at_catalog_stage(next, &world.arena, NULL, 0, &staging, NULL) == AT_OK);
    for (int row = model.rows - 1; row >= 0; row--) { /* in any order */
        struct at_json document = {0};
        struct at_text body = at_root_body(root, (uint32_t)row);
        int64_t day = 0;
        for (int i = 0; i < PRODUCTS; i++)
            if (model.products[i].row == row) day = model.products[i].updated;
        if (body.data) CHECK(at_json_parse(parser, body.data, body.length, false, &document, NULL) == AT_OK);
        int64_t ms = day ? 1767225600000LL + (day - 1) * 86400000LL : 0;
        CHECK(at_staging_restore(staging, (uint32_t)row, at_root_id(root, (uint32_t)row), ms, !body.data,
                                 document) == AT_OK);
    }
    CHECK(at_staging_publish(staging) == AT_OK);
    at_json_parser_free(parser);
    at_root_unref(root);
    drop_pins();
    at_catalog_free(world.catalog);
    world.catalog = next;
}

static void random_changes_agree_with_the_model(void **state) {
    (void)state;
    first = seed = first_seed(261126);
    world_init(&world);
    for (int i = 0; i < PRODUCTS; i++)
        model.products[i] = (struct product){NONE, false, NONE, NONE, NONE, 0, NONE, 0, 0};
    for (number = 0; number < CASES; number++) {
        struct at_staging *staging;
        struct model next = model;
        at_arena_reset(&world.arena);
        CHECK(at_catalog_stage(world.catalog, &world.arena, NULL, 0, &staging, NULL) == AT_OK);
        for (uint32_t i = random_below(&seed, 4) + 1; i; i--) change_both(staging, &next);
        if (random_below(&seed, 5)) {
            CHECK(at_staging_publish(staging) == AT_OK);
            model = next;
        } else {
            at_staging_cancel(staging);
        }
        struct at_root *root = at_catalog_root(world.catalog);
        check(root, &model);
        at_root_unref(root);
        if (random_below(&seed, 3) == 0) change_pins();
        if (random_below(&seed, 100) == 0) restore();
    }
    drop_pins();
    world_clear(&world);
    print_message("property: changes, seed %llu, %d cases\n", (unsigned long long)first, CASES);
}

static void check_forgetful(int i) {
    char id[20], text[40];
    uint32_t count;
    struct at_root *root = at_catalog_root(world.catalog);
    snprintf(id, sizeof id, "P%d", i % 20);
    snprintf(text, sizeof text, "title %d", i);
    assert_string_equal(text_of(root, id, "title"), text);
    snprintf(text, sizeof text, "colour %d", i);
    assert_string_equal(text_of(root, id, "colour"), text);
    int tags = attribute_of(root, "tags");
    const uint32_t *set = at_root_set(root, tags, at_root_code(root, tags, row_of(root, id)), &count);
    assert_int_equal(count, 2);
    assert_true(set[0] < set[1]);
    snprintf(text, sizeof text, "t%d", i);
    uint32_t code = at_root_code_of(root, tags, text, strlen(text));
    assert_true(code && (set[0] == code || set[1] == code));
    at_root_unref(root);
}

/* Texts that come and go do not pile up: unused ones are dropped, and pinned versions keep theirs. */
static void a_dictionary_forgets_what_is_unused(void **state) {
    (void)state;
    struct at_account account = {"catalog", SIZE_MAX, 0};
    struct at_catalog_options options = {&account};
    char text[200];
    world_init(&world);
    at_catalog_free(world.catalog);
    assert_int_equal(at_catalog_new(&world.catalog, &options, NULL), AT_OK);
    struct at_root *old = NULL;
    size_t early = 0;
    for (int i = 0; i < 40000; i++) {
        snprintf(
            text, sizeof text,
            "{\"id\":\"P%d\",\"title\":\"title %d\",\"colour\":\"colour %d\",\"tags\":[\"t%d\",\"t%d\"]}",
            i % 20, i, i, i, i + 1);
        assert_int_equal(world_put(&world, text), AT_OK);
        if (i >= 20) check_forgetful(i - 19); /* the one that was written longest ago */
        if (i == 20) old = at_catalog_root(world.catalog);
        if (i == 10000) early = at_account_used(&account);
    }
    struct at_root *root = at_catalog_root(world.catalog);
    assert_string_equal(text_of(old, "P3", "title"), "title 3");
    assert_string_equal(text_of(old, "P3", "colour"), "colour 3");
    assert_string_equal(text_of(root, "P3", "title"), "title 39983");
    assert_string_equal(text_of(root, "P3", "colour"), "colour 39983");
    assert_true(at_root_code_count(root, attribute_of(root, "colour")) < 6000);
    assert_true(at_account_used(&account) < 2 * early);
    at_root_unref(old);
    at_root_unref(root);
    world_clear(&world);
    assert_int_equal(at_account_used(&account), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_agree_with_the_model),
        cmocka_unit_test(a_dictionary_forgets_what_is_unused),
    };
    return cmocka_run_group_tests_name("catalog model", tests, NULL, NULL);
}
