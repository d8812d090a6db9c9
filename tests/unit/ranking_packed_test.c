/* SPDX-License-Identifier: Apache-2.0
 *
 * A taste plus what rows keep, in one visit to each row, against the same program run column by column: the
 * same bits, whatever the facets, the terms, what is missing and what is no number.
 */
#include "ranking_world.h"
#include "ranking/pack.h"

enum { RULES = 3000, ROWS_MAX = 300, CODES_ALL = 64 };

static double tables[4][CODES_ALL];
static struct at_facet_table facets[4];
static uint64_t state;

static double small_number(void) {
    static const double NUMBERS[] = {0, -0.0, 0.4, 0.25, 1, 3, 1e300, 1e-300, 0.1};
    return NUMBERS[random_below(&state, 9)] * (random_below(&state, 4) ? 1 : -1);
}

static int add_taste(struct at_program *program) {
    static const char *const NAMES[] = {"brand", "category", "title", "tags"};
    int node = at_program_add(program, AT_OP_TASTE, AT_COLUMN_NUMBER);
    uint32_t count = 1 + random_below(&state, 12) % 4;
    for (uint32_t f = 0; f < count; f++) {
        const char *name = NAMES[random_below(&state, 20) ? f % 3 : 3];
        for (uint32_t i = 1; i < CODES_ALL; i++) tables[f][i] = random_below(&state, 3) ? small_number() : 0;
        facets[f] = (struct at_facet_table){.attribute = at_root_attribute(root, name, strlen(name)),
                                            .is_list = strcmp(name, "tags") == 0,
                                            .by_code = tables[f],
                                            .weight = random_below(&state, 1000) / 1000.0};
    }
    if (random_below(&state, 20) == 0) facets[count - 1].weight = -0.5; /* takes away */
    program->nodes[node].taste.facets = facets;
    program->nodes[node].taste.count = count;
    return node;
}

static int add_number(struct at_program *program) {
    static const char *const NAMES[] = {"price", "rating", "stock", "margin"};
    const char *name = NAMES[random_below(&state, 4)];
    int node = at_program_add(program, AT_OP_NUMBER, AT_COLUMN_NUMBER);
    program->nodes[node].attribute = at_root_attribute(root, name, strlen(name));
    int with = random_below(&state, 4) ? at_program_const(program, small_number(), AT_COLUMN_NUMBER) : node;
    static const enum at_column_op OPS[] = {AT_OP_MUL, AT_OP_DIV, AT_OP_MIN, AT_OP_OR_ELSE};
    return at_program_binary(program, OPS[random_below(&state, 4)], AT_COLUMN_NUMBER, node, with);
}

static int make_rule(struct at_program *program) {
    int score = add_taste(program);
    uint32_t scaled = random_below(&state, 3);
    int number = scaled ? at_program_const(program, small_number(), AT_COLUMN_NUMBER) : -1;
    if (scaled)
        score = at_program_binary(program, AT_OP_MUL, AT_COLUMN_NUMBER, scaled == 1 ? number : score,
                                  scaled == 1 ? score : number);
    for (uint32_t terms = 1 + random_below(&state, 5); terms; terms--) {
        enum at_column_op op = random_below(&state, 2) ? AT_OP_ADD : AT_OP_SUB;
        score = at_program_binary(program, op, AT_COLUMN_NUMBER, score, add_number(program));
    }
    return score;
}

static bool is_used(struct at_pack *pack, struct at_program *program, int *result) {
    for (int i = 0; pack && i < 20; i++)
        if (at_pack_use(pack, program, result, 1000)) return true;
    return false;
}

static void one_visit_gives_the_columns_bits(void **unused) {
    (void)unused;
    uint32_t rows[ROWS_MAX], visited = 0, shapes = 0;
    double expected[ROWS_MAX], out[ROWS_MAX];
    struct at_pack_room room = {.limit = 1 << 20};
    state = first_seed(20261127);
    printf("property: seed %llu, %d rules\n", (unsigned long long)state, RULES);
    for (int n = 0; n < RULES; n++) {
        struct at_program program;
        at_arena_reset(&arena);
        at_program_init(&program, root, &arena);
        int result = make_rule(&program);
        uint32_t count = random_below(&state, 5) ? random_below(&state, ROWS_MAX) : random_below(&state, 20);
        for (uint32_t i = 0; i < count; i++) rows[i] = random_below(&state, PRODUCTS);
        assert_int_equal(at_program_run(&program, result, rows, count, expected), AT_OK);
        struct at_pack *pack = at_pack_new(&program, result, &room);
        if (is_used(pack, &program, &result)) {
            assert_int_equal(at_program_run(&program, result, rows, count, out), AT_OK);
            assert_memory_equal(out, expected, count * sizeof *out);
            if (at_program_run_packed_sum(&program, result, rows, count, out)) {
                const struct at_column *sum = &program.nodes[result];
                visited++;
                for (uint32_t i = 0; i < program.count; i++)
                    if (program.nodes[i].op == AT_OP_TASTE)
                        shapes |= 1U << (4 * (program.nodes[i].taste.count - 1) + sum->kept.count - 1);
            }
        }
        at_pack_free(pack);
    }
    printf("%u in one visit\n", visited);
    assert_true(visited > RULES / 4);
    assert_int_equal(shapes, 0xFFF); /* one to three facets, one to four terms */
    assert_int_equal(room.used, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_visit_gives_the_columns_bits)};
    return run_with_catalog(tests, AT_LENGTH(tests));
}
