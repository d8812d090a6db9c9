/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser on generated programs, whole and damaged: it agrees with Lua itself, and in the tree every part
 * knows its place.
 */
#include "language_parsers.h"

enum { PROGRAMS = 4000, TEXT_MAX = 16384 };

struct writer {
    uint64_t *random;
    char text[TEXT_MAX];
    size_t length;
    int depth;
};

static void put(struct writer *w, const char *text) {
    static const char *const blanks[] = {" ", " ", " ", " ", "\n", "\t", " --c\n", "--[[x]]"};
    size_t length = strlen(text);
    if (w->length + length + 10 > TEXT_MAX) return;
    memcpy(w->text + w->length, text, length);
    w->length += length;
    w->length +=
        (size_t)sprintf(w->text + w->length, "%s", blanks[random_below(w->random, AT_LENGTH(blanks))]);
}
#define ONE_OF(w, list) (list)[random_below((w)->random, AT_LENGTH(list))]
static bool chance(struct writer *w, uint32_t percent) {
    return random_below(w->random, 100) < percent;
}

static void put_name(struct writer *w) {
    static const char *const names[] = {"a", "b", "c", "x", "product", "customer", "_ENV", "self", "when"};
    put(w, ONE_OF(w, names));
}
static void put_expression(struct writer *w);
static void put_block(struct writer *w, int statements);

static void put_list(struct writer *w, void (*one)(struct writer *w)) {
    do one(w);
    while (chance(w, 25) && (put(w, ","), true));
}

static void put_function(struct writer *w) {
    put(w, "(");
    if (chance(w, 60))
        put_list(w, put_name);
    else if (chance(w, 50))
        put(w, "...");
    put(w, ")");
    put_block(w, 2);
    put(w, "end");
}

static void put_field(struct writer *w) {
    if (chance(w, 30))
        put_name(w), put(w, "=");
    else if (chance(w, 30))
        put(w, "["), put_expression(w), put(w, "]"), put(w, "=");
    put_expression(w);
    if (chance(w, 10)) put(w, ";"), put_expression(w);
}

static void put_table(struct writer *w) {
    put(w, "{");
    if (chance(w, 80)) put_list(w, put_field);
    if (chance(w, 20)) put(w, ",");
    put(w, "}");
}

static void put_suffixed(struct writer *w) {
    if (chance(w, 85))
        put_name(w);
    else
        put(w, "("), put_expression(w), put(w, ")");
    while (chance(w, 35)) {
        switch (random_below(w->random, 5)) {
        case 0: put(w, "."), put_name(w); break;
        case 1: put(w, "["), put_expression(w), put(w, "]"); break;
        case 2: put(w, ":"), put_name(w), put(w, "("), put_expression(w), put(w, ")"); break;
        case 3: put(w, chance(w, 50) ? "'t'" : "{}"); break;
        default: put(w, "()");
        }
    }
}

static void put_expression(struct writer *w) {
    static const char *const leaves[] = {
        "nil",      "true", "false", "1", "0x1F", "2.5e-3", "0x.8p2", "'t'", "\"\\n\\65\\x41\"",
        "[[l\nl]]", "7",    "1//0",  "08"};
    static const char *const binaries[] = {"+",  "-",  "*",  "/",   "//", "%", "^", "..", "<",  "<=", ">",
                                           ">=", "==", "~=", "and", "or", "&", "|", "~",  "<<", ">>"};
    static const char *const unaries[] = {"-", "not", "#", "~"};
    if (++w->depth > 12)
        put(w, "1");
    else
        switch (random_below(w->random, 10)) {
        case 0:
        case 1:
        case 2: put(w, ONE_OF(w, leaves)); break;
        case 3:
        case 4:
        case 5: put_suffixed(w); break;
        case 6: put_expression(w), put(w, ONE_OF(w, binaries)), put_expression(w); break;
        case 7: put(w, ONE_OF(w, unaries)), put_expression(w); break;
        case 8: put_table(w); break;
        default: put(w, "function"), put_function(w);
        }
    w->depth--;
}

static void put_locals(struct writer *w) {
    put(w, "local");
    put_name(w);
    if (chance(w, 4)) put(w, chance(w, 50) ? "<const>" : "<close>");
    if (chance(w, 20)) put(w, ","), put_name(w);
    if (chance(w, 80)) put(w, "="), put_list(w, put_expression);
}

static void put_loop(struct writer *w) {
    switch (random_below(w->random, 4)) {
    case 0: put(w, "while"), put_expression(w), put(w, "do"), put_block(w, 3), put(w, "end"); break;
    case 1: put(w, "repeat"), put_block(w, 3), put(w, "until"), put_expression(w); break;
    case 2:
        put(w, "for"), put_name(w), put(w, "="), put_expression(w), put(w, ","), put_expression(w);
        if (chance(w, 30)) put(w, ","), put_expression(w);
        put(w, "do"), put_block(w, 3), put(w, "end");
        break;
    default:
        put(w, "for"), put_list(w, put_name), put(w, "in"), put_list(w, put_expression), put(w, "do"),
            put_block(w, 3), put(w, "end");
    }
}

static void put_statement(struct writer *w) {
    if (++w->depth > 12)
        put(w, ";");
    else
        switch (random_below(w->random, 14)) {
        case 0:
        case 1:
        case 2: put_locals(w); break;
        case 3:
        case 4: put_suffixed(w), put(w, "="), put_list(w, put_expression); break;
        case 5: put_name(w), put(w, "("), put_expression(w), put(w, ")"); break;
        case 6:
            put(w, "if"), put_expression(w), put(w, "then"), put_block(w, 2);
            if (chance(w, 30)) put(w, "elseif"), put_expression(w), put(w, "then"), put_block(w, 2);
            if (chance(w, 30)) put(w, "else"), put_block(w, 2);
            put(w, "end");
            break;
        case 7: put_loop(w); break;
        case 8: put(w, "do"), put_block(w, 3), put(w, "end"); break;
        case 9: put(w, "local function"), put_name(w), put_function(w); break;
        case 10:
            put(w, "function"), put_name(w), put(w, chance(w, 30) ? ".b" : ""),
                put(w, chance(w, 30) ? ":m" : ""), put_function(w);
            break;
        case 11: { /* a jump out of a block, mostly to where there is a label */
            static const char *const labels[] = {"l", "m", "n", "o"};
            const char *label = ONE_OF(w, labels);
            put(w, "do"), put_statement(w), put(w, "goto"), put(w, label), put(w, "end");
            if (chance(w, 70)) put(w, "do end ::"), put(w, label), put(w, "::");
            break;
        }
        case 12:
            if (chance(w, 15)) put(w, "::"), put(w, chance(w, 50) ? "p" : "q"), put(w, "::");
            break;
        default: put(w, chance(w, 10) ? "break" : chance(w, 10) ? "a = ..." : ";");
        }
    w->depth--;
}

static void put_block(struct writer *w, int statements) {
    for (int i = 0; i < statements; i++)
        if (chance(w, 70)) put_statement(w);
    if (chance(w, 20)) put(w, "return"), put_expression(w);
}

/* Take out, double or exchange a few bytes or words. */
static void damage(struct writer *w) {
    static const char *const bits[] = {"end", "(",     ")", "=",  ",",      "then",    "do",
                                       "'",   "local", "!", "&&", "..",     "::",      "1",
                                       "x",   "]",     "}", "\\", "goto l", "<const>", "--[["};
    for (uint32_t n = random_below(w->random, 3) + 1; n && w->length; n--) {
        size_t at = random_below(w->random, (uint32_t)w->length), more = random_below(w->random, 6);
        if (at + more > w->length) more = w->length - at;
        const char *bit = chance(w, 60) ? ONE_OF(w, bits) : "";
        size_t length = strlen(bit);
        if (w->length + length >= TEXT_MAX) return;
        if (chance(w, 50)) more = 0;
        memmove(w->text + at + length, w->text + at + more, w->length - at - more);
        memcpy(w->text + at, bit, length);
        w->length += length - more;
    }
}

static void agrees_with_lua_on_generated_programs(void **state) {
    (void)state;
    uint64_t seed = first_seed(20261126), random = seed;
    struct writer *w = malloc(sizeof *w);
    uint32_t good = 0, bad = 0;
    assert_non_null(w);
    for (int i = 0; i < PROGRAMS && bad < 5; i++) {
        struct verdict verdict;
        *w = (struct writer){.random = &random};
        put_block(w, 4);
        if (i % 2) damage(w);
        if (w->length && w->text[0] == '#') continue; /* a first line that a file may have */
        parse_lua(w->text, w->length, &verdict);
        good += verdict.is_ok;
        bad += !agree(w->text, w->length);
    }
    free(w);
    printf("property: seed %llu, %d programs, %u of them Lua\n", (unsigned long long)seed, PROGRAMS, good);
    assert_int_equal(bad, 0);
    assert_true(good > PROGRAMS / 10);
}

/* ---- their trees ---- */

struct within {
    struct at_text source;
    uint32_t count;
};

static void check_inside(const struct at_node *node, const struct at_node *child) {
    if (child) assert_true(child->from >= node->from && child->to <= node->to);
}

static bool check_node(void *arg, struct at_node *node) {
    struct within *within = arg;
    within->count++;
    assert_true(node->from <= node->to && node->to <= within->source.length && node->line >= 1 &&
                node->column >= 1);
    if (node->kind == AT_NODE_NAME) {
        assert_true(at_text_equal(node->text,
                                  (struct at_text){within->source.data + node->from, node->to - node->from}));
        if (node->binding) assert_true(at_text_equal(node->binding->text, node->text));
    }
    uint32_t line = 1, start = 0;
    for (uint32_t i = 0; i < node->from; i++)
        if (within->source.data[i] == '\n') line++, start = i + 1;
    assert_int_equal(node->line, line);
    assert_int_equal(node->column, node->from - start + 1);
    if (node->kind == AT_NODE_FUNCTION_STATEMENT && node->is_local)
        return true; /* its local is listed besides */
    check_inside(node, node->a);
    check_inside(node, node->b);
    check_inside(node, node->body);
    check_inside(node, node->else_part);
    for (const struct at_node *child = node->list; child; child = child->next) check_inside(node, child);
    for (const struct at_node *child = node->list2; child; child = child->next) check_inside(node, child);
    return true;
}

static void positions_of_generated_trees_are_right(void **state) {
    (void)state;
    uint64_t seed = first_seed(7), random = seed;
    uint32_t trees = 0;
    struct writer *w = malloc(sizeof *w);
    assert_non_null(w);
    for (int i = 0; i < 3 * PROGRAMS && trees < 1000; i++) {
        struct verdict ours;
        *w = (struct writer){.random = &random};
        put_block(w, 3);
        parse_ours(w->text, w->length, &ours);
        if (!ours.is_ok) continue;
        trees++;
        struct within within = {{w->text, w->length}, 0};
        at_node_walk(ours.block, check_node, &within);
    }
    free(w);
    printf("property: seed %llu, %u trees\n", (unsigned long long)seed, trees);
    assert_true(trees >= 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_lua_on_generated_programs),
        cmocka_unit_test(positions_of_generated_trees_are_right),
    };
    RUN_WITH_PARSERS(tests);
}
