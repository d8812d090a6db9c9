/* SPDX-License-Identifier: Apache-2.0
 *
 * What a change touches: random shops with random edits, of which it is known what they touch; lines matched
 * against a plain dynamic programme; too little memory at every place.
 */
#include "base_test.h"
#include "language/diff.h"

enum { ROUNDS = 1000, RANKINGS = 5, HELPERS = 3, LINES = 2000 };

static struct at_arena arena;

/* ---- random shops ---- */

struct shop { /* ranking i stands in file i % 2, names helper uses[i] (or none) and has two fields */
    int weight[RANKINGS], most[RANKINGS], helper[2][HELPERS], spaces;
    int uses[RANKINGS];
    bool is_there[RANKINGS];
};

static struct at_text write_file(const struct shop *shop, int file) {
    char text[4000] = "";
    size_t n = 0;
    for (int h = 0; h < HELPERS; h++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "local function help%d(product) return %d * product.price end\n", h,
                              shop->helper[file][h]);
    for (int i = file; i < RANKINGS; i += 2) {
        if (!shop->is_there[i]) continue;
        for (int s = 0; s < shop->spaces; s++)
            n += (size_t)snprintf(text + n, sizeof text - n, "-- %d\n\n", s);
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "ranking \"r%d\" {%s\n  score = function(product)\n    return %d%s\n  end,\n"
                              "  diversify = { by = %sbrand%s, at_most = %d%s },\n}\n",
                              i, shop->spaces % 2 ? " " : "", shop->weight[i],
                              shop->uses[i] == 0   ? ""
                              : shop->uses[i] == 1 ? " + help0(product)"
                                                   : " + help1(product)",
                              shop->spaces % 2 ? "'" : "\"", shop->spaces % 2 ? "'" : "\"", shop->most[i],
                              shop->spaces % 2 ? "," : "");
    }
    return (struct at_text){at_arena_dup(&arena, text, n), n};
}

static struct shop random_shop(void) {
    struct shop shop = {.spaces = (int)(next_random() % 4)};
    for (int i = 0; i < RANKINGS; i++) {
        shop.weight[i] = (int)(next_random() % 100);
        shop.most[i] = 1 + (int)(next_random() % 9);
        shop.uses[i] = (int)(next_random() % 3);
        shop.is_there[i] = next_random() % 5 != 0;
    }
    for (int h = 0; h < 2 * HELPERS; h++) shop.helper[h / HELPERS][h % HELPERS] = (int)(next_random() % 100);
    return shop;
}

/* One to three edits. */
static void edit(struct shop *shop) {
    for (uint64_t edits = 1 + next_random() % 3; edits--;) {
        int i = (int)(next_random() % RANKINGS);
        switch (next_random() % 6) {
        case 0: shop->weight[i] = (int)(next_random() % 100); break;
        case 1: shop->most[i] = 1 + (int)(next_random() % 9); break;
        case 2: shop->uses[i] = (int)(next_random() % 3); break;
        case 3: shop->is_there[i] = !shop->is_there[i]; break;
        case 4: shop->helper[i % 2][i % HELPERS] = (int)(next_random() % 100); break;
        default: shop->spaces = (int)(next_random() % 4);
        }
    }
}

static const struct at_diff_change *change_of(const struct at_diff_change *changes, int ranking) {
    char name[16];
    snprintf(name, sizeof name, "r%d", ranking);
    while (changes && (strcmp(changes->noun, "ranking") != 0 || strcmp(changes->name, name) != 0))
        changes = changes->next;
    return changes;
}

static bool tells_field(const struct at_diff_change *change, const char *name) {
    for (const struct at_diff_field *field = change ? change->fields : NULL; field; field = field->next)
        if (strcmp(field->name, name) == 0 && field->did == AT_DIFF_CHANGED) return true;
    return false;
}

static void check_ranking(const struct shop *x, const struct shop *y, int i,
                          const struct at_diff_change *changes) {
    const struct at_diff_change *change = change_of(changes, i);
    bool of_score = x->weight[i] != y->weight[i] || x->uses[i] != y->uses[i];
    bool of_most = x->most[i] != y->most[i];
    bool through = x->uses[i] == y->uses[i] && x->uses[i] &&
                   x->helper[i % 2][x->uses[i] - 1] != y->helper[i % 2][y->uses[i] - 1];
    if (!x->is_there[i] && !y->is_there[i]) {
        assert_null(change);
    } else if (x->is_there[i] != y->is_there[i]) {
        assert_non_null(change);
        assert_int_equal(change->did, y->is_there[i] ? AT_DIFF_ADDED : AT_DIFF_REMOVED);
    } else {
        assert_int_equal(change != NULL, of_score || of_most || through);
        assert_int_equal(tells_field(change, "score"), of_score);
        assert_int_equal(tells_field(change, "diversify.at_most"), of_most);
        if (through) assert_non_null(change->through);
        if (change && !of_score) assert_int_equal(change->through != NULL, through);
    }
}

static void test_a_change_is_told_by_what_it_touches(void **state) {
    (void)state;
    seed_random(ROUNDS);
    for (int round = 0; round < ROUNDS; round++) {
        at_arena_reset(&arena);
        struct shop x = random_shop(), y = x;
        edit(&y);
        struct at_source_file before[2] = {{AT_TEXT("scripts/0.lua"), write_file(&x, 0)},
                                           {AT_TEXT("scripts/1.lua"), write_file(&x, 1)}};
        struct at_source_file after[2] = {{AT_TEXT("scripts/0.lua"), write_file(&y, 0)},
                                          {AT_TEXT("scripts/1.lua"), write_file(&y, 1)}};
        struct at_diff_side a = {before, 2, {NULL, 0}}, b = {after, 2, {NULL, 0}};
        struct at_diff_change *changes;
        assert_int_equal(at_diff(&arena, &a, &b, &changes), AT_OK);
        for (int i = 0; i < RANKINGS; i++) check_ranking(&x, &y, i, changes);
    }
}

/* ---- lines ---- */

static uint32_t longest(const uint64_t *a, uint32_t n, const uint64_t *b, uint32_t m) {
    uint32_t table[2][64] = {{0}};
    for (uint32_t i = 1; i <= n; i++)
        for (uint32_t j = 1; j <= m; j++) {
            uint32_t up = table[(i - 1) % 2][j], left = table[i % 2][j - 1];
            table[i % 2][j] = a[i - 1] == b[j - 1] ? table[(i - 1) % 2][j - 1] + 1 : up > left ? up : left;
        }
    return table[n % 2][m];
}

static void test_lines_are_matched_as_many_as_can_be(void **state) {
    (void)state;
    seed_random(LINES);
    for (int round = 0; round < LINES; round++) {
        uint64_t a[60], b[60];
        uint32_t from[60], matched = 0, last = 0;
        struct at_lines before = {a, (uint32_t)(next_random() % 60)},
                        after = {b, (uint32_t)(next_random() % 60)};
        uint64_t kinds = 1 + next_random() % 8;
        at_arena_reset(&arena);
        for (uint32_t i = 0; i < 60; i++) a[i] = next_random() % kinds;
        for (uint32_t i = 0; i < 60; i++) b[i] = next_random() % 4 ? a[i] : next_random() % kinds;
        assert_int_equal(at_lines_match(&arena, &before, &after, from), AT_OK);
        for (uint32_t j = 0; j < after.count; j++) {
            if (!from[j]) continue;
            assert_true(from[j] > last && from[j] <= before.count);
            assert_int_equal(a[from[j] - 1], b[j]);
            last = from[j];
            matched++;
        }
        assert_int_equal(matched, longest(a, before.count, b, after.count));
    }
}

static void test_texts_of_any_end_have_their_lines(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t lines;
    } cases[] = {{"", 0}, {"\n", 1}, {"a", 1}, {"a\n", 1}, {"a\nb", 2}, {"a\r\nb\r\n", 2}, {"\n\n", 2}};
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct at_lines lines;
        assert_int_equal(at_lines_of(&arena, at_text_of(cases[i].text), &lines), AT_OK);
        assert_int_equal(lines.count, cases[i].lines);
    }
}

/* ---- memory ---- */

static void test_too_little_memory_is_said(void **state) {
    (void)state;
    random_state = 7;
    struct shop x = random_shop(), y = random_shop();
    struct at_source_file before[1] = {{AT_TEXT("scripts/0.lua"), write_file(&x, 0)}},
                          after[1] = {{AT_TEXT("scripts/0.lua"), write_file(&y, 0)}};
    struct at_diff_side a = {before, 1, AT_TEXT("budgets { rail = \"1ms\" }")},
                        b = {after, 1, AT_TEXT("budgets { rail = \"2ms\" }")};
    struct at_diff_change *changes = NULL;
    size_t most = 0;
    for (enum at_status status = AT_NOMEM; status != AT_OK; most += 64) {
        struct at_arena small;
        at_arena_init(&small, most);
        status = at_diff(&small, &a, &b, &changes);
        if (status != AT_OK) assert_int_equal(status, AT_NOMEM);
        at_arena_clear(&small);
        assert_true(most < 1 << 20);
    }
    assert_true(most > 1024);
}

static int begin(void **state) {
    (void)state;
    at_arena_init(&arena, 64 << 20);
    return 0;
}
static int finish(void **state) {
    (void)state;
    at_arena_clear(&arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_change_is_told_by_what_it_touches),
        cmocka_unit_test(test_lines_are_matched_as_many_as_can_be),
        cmocka_unit_test(test_texts_of_any_end_have_their_lines),
        cmocka_unit_test(test_too_little_memory_is_said),
    };
    return cmocka_run_group_tests(tests, begin, finish);
}
