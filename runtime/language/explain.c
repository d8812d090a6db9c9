/* SPDX-License-Identifier: Apache-2.0
 *
 * What a rule's score was made of, for one product: its terms and the features it read. Runs on the program
 * the judge kept (view->explains); nothing here enters Lua.
 */
#include <string.h>
#include "language/state.h"

#define LEAF_MAX 128
struct leaf {
    int node;
    bool is_negative;
};

static const char *slot_name(const struct at_root *root, int slot) {
    return slot >= AT_ATTRIBUTE_MAX ? at_feature_names[slot - AT_ATTRIBUTE_MAX]
                                    : at_root_attribute_at(root, slot)->name;
}

/* The summands of the result, left to right. waiting: parts that come after this one and need a place too;
 * what finds no room stays one term. */
static void split(const struct at_program *program, int node, bool is_negative, uint32_t waiting,
                  struct leaf *leaves, uint32_t *count) {
    const struct at_column *column = &program->nodes[node];
    bool is_sum = column->op == AT_OP_ADD || column->op == AT_OP_SUB;
    if (is_sum && *count + waiting + 2 <= LEAF_MAX) {
        split(program, column->a, is_negative, waiting + 1, leaves, count);
        split(program, column->b, is_negative != (column->op == AT_OP_SUB), waiting, leaves, count);
        return;
    }
    leaves[(*count)++] = (struct leaf){node, is_negative};
}

/* ---- texts: from the analysis; a plain product.NAME, which is loaded once for all its uses, from its name
 * ---- */

static int slot_of(const struct at_rule_use *use, int node) {
    for (int slot = 0; slot < (int)AT_LENGTH(use->reads); slot++)
        if (use->reads[slot] == node) return slot;
    return -1;
}

static bool is_plain(struct at_text text) {
    size_t dots = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '.')
            dots++;
        else if (c != '_' && !(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z'))
            return false;
    }
    return dots == 1;
}

/* Which of the terms of its line this leaf is. */
static uint32_t order_in_line(const struct at_rule_use *use, const struct leaf *leaves, uint32_t at) {
    uint32_t before = 0, line = use->program->nodes[leaves[at].node].line;
    for (uint32_t i = 0; i < at; i++) {
        const struct at_column *node = &use->program->nodes[leaves[i].node];
        before += node->line == line && node->op != AT_OP_CONST && slot_of(use, leaves[i].node) < 0;
    }
    return before;
}

static enum at_status text_of(const struct at_rule_use *use, const struct leaf *leaves, uint32_t at,
                              struct at_text *out) {
    uint32_t line = use->program->nodes[leaves[at].node].line;
    int slot = slot_of(use, leaves[at].node);
    *out = AT_TEXT("a part of the rule");
    if (use->program->nodes[leaves[at].node].op == AT_OP_CONST)
        *out = AT_TEXT("a constant");
    else if (slot >= 0) {
        const char *text = at_arena_printf(use->view->arena, "product.%s", slot_name(use->view->root, slot));
        if (!text) return AT_NOMEM;
        *out = at_text_of(text);
    } else {
        uint32_t n = order_in_line(use, leaves, at);
        for (size_t i = 0; i < use->report->term_count; i++) {
            const struct at_term *term = &use->report->terms[i];
            if (term->line != line || is_plain(term->text) || n-- > 0) continue;
            *out = term->text;
            break;
        }
    }
    return AT_OK;
}

/* ---- values ---- */

/* The program for one candidate: what was computed over all of them (normalize, rank_of) is a constant here.
 */
static enum at_status narrow(const struct at_rule_use *use, uint32_t row, struct at_program *out) {
    uint32_t at = 0;
    *out = *use->program;
    out->nodes = at_arena_alloc(use->view->arena, (out->count + 1) * sizeof *out->nodes);
    if (!out->nodes) return AT_NOMEM;
    memcpy(out->nodes, use->program->nodes, out->count * sizeof *out->nodes);
    while (at < use->row_count && use->rows[at] != row) at++;
    for (uint32_t i = 0; i < out->count; i++) {
        if (out->nodes[i].op != AT_OP_VECTOR) continue;
        double value = at < use->row_count ? out->nodes[i].vector[at] : at_missing();
        out->nodes[i].op = AT_OP_CONST;
        out->nodes[i].value = value;
    }
    return AT_OK;
}

static enum at_status one_term(struct at_rule_use *use, double score, struct at_explained_term **terms,
                               uint32_t *count) {
    *terms = at_arena_alloc(use->view->arena, sizeof **terms);
    if (!*terms) return AT_NOMEM;
    **terms = (struct at_explained_term){use->line, AT_TEXT("the whole rule, product by product"), score};
    if (use->ran_on_columns) (*terms)->text = AT_TEXT("one value for every product");
    *count = 1;
    return AT_OK;
}

enum at_status at_rule_terms(struct at_rule_use *use, uint32_t row, double score,
                             struct at_explained_term **terms, uint32_t *count) {
    struct leaf leaves[LEAF_MAX];
    struct at_program program;
    uint32_t leaf_count = 0;
    *count = 0;
    if (!use->ran_on_columns || use->result < 0 || !use->program) return one_term(use, score, terms, count);
    split(use->program, use->result, false, 0, leaves, &leaf_count);
    *terms = at_arena_alloc(use->view->arena, (leaf_count + 1) * sizeof **terms);
    enum at_status status = *terms ? narrow(use, row, &program) : AT_NOMEM;
    for (uint32_t i = 0; i < leaf_count && status == AT_OK; i++) {
        const struct at_column *node = &use->program->nodes[leaves[i].node];
        struct at_explained_term *term = &(*terms)[*count];
        status = at_program_run(&program, leaves[i].node, &row, 1, &term->value);
        if (status == AT_OK) status = text_of(use, leaves, i, &term->text);
        if (leaves[i].is_negative && !at_is_missing(term->value)) term->value = -term->value;
        term->line = node->line ? node->line : use->line;
        bool says_nothing = node->op == AT_OP_CONST && (term->value == 0 || at_is_missing(term->value));
        *count += !says_nothing; /* a word that does not apply to this customer */
    }
    return status;
}

/* ---- features ---- */

static void tell(struct at_rule_use *use, int slot, uint32_t row,
                 void (*fn)(void *arg, const char *name, double value, struct at_text text), void *arg) {
    const struct at_root *root = use->view->root;
    const char *name = slot_name(root, slot);
    struct at_text none = {NULL, 0};
    if (slot < AT_ATTRIBUTE_MAX && at_root_attribute_at(root, slot)->kind == AT_ATTRIBUTE_TEXT) {
        uint32_t code = at_root_code(root, slot, row);
        fn(arg, name, at_missing(), code ? at_root_text_of(root, slot, code) : none);
    } else if (slot < AT_ATTRIBUTE_MAX && at_root_attribute_at(root, slot)->kind != AT_ATTRIBUTE_LIST) {
        fn(arg, name, at_root_number(root, slot, row), none);
    } else if (slot >= AT_ATTRIBUTE_MAX && use->program && use->reads[slot] >= 0) {
        double value;
        if (at_program_run(use->program, use->reads[slot], &row, 1, &value) == AT_OK)
            fn(arg, name, value, none);
    }
}

void at_rule_features(struct at_rule_use *use, uint32_t row,
                      void (*fn)(void *arg, const char *name, double value, struct at_text text), void *arg) {
    for (int slot = 0; slot < (int)AT_LENGTH(use->reads); slot++)
        if (use->reads[slot] >= 0) tell(use, slot, row, fn, arg);
}
