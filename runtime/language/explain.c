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

/* The summands of the result, left to right. */
static void split(const struct at_program *program, int node, bool is_negative, struct leaf *leaves,
                  uint32_t *count) {
    const struct at_column *column = &program->nodes[node];
    if (*count >= LEAF_MAX) return;
    if (column->op == AT_OP_ADD || column->op == AT_OP_SUB) {
        split(program, column->a, is_negative, leaves, count);
        split(program, column->b, is_negative != (column->op == AT_OP_SUB), leaves, count);
        return;
    }
    leaves[(*count)++] = (struct leaf){node, is_negative};
}

/* The n-th term of that line; texts come from the analysis, values from the run. */
static struct at_text term_text(const struct at_rule_report *report, uint32_t line, uint32_t n) {
    for (size_t i = 0; i < report->term_count; i++)
        if (report->terms[i].line == line && n-- == 0) return report->terms[i].text;
    return AT_TEXT("");
}

static enum at_status one_term(struct at_rule_use *use, double score, struct at_explained_term **terms,
                               uint32_t *count) {
    *terms = at_arena_alloc(use->view->arena, sizeof **terms);
    if (!*terms) return AT_NOMEM;
    **terms = (struct at_explained_term){use->line, AT_TEXT("the whole rule, product by product"), score};
    *count = 1;
    return AT_OK;
}

static enum at_status value_of(struct at_rule_use *use, const struct leaf *leaf, uint32_t row,
                               double *value) {
    enum at_status status = at_program_run(use->program, leaf->node, &row, 1, value);
    if (leaf->is_negative && !at_is_missing(*value)) *value = -*value;
    return status;
}

static uint32_t order_in_line(const struct at_rule_use *use, const struct leaf *leaves, uint32_t at) {
    uint32_t before = 0, line = use->program->nodes[leaves[at].node].line;
    for (uint32_t i = 0; i < at; i++) {
        const struct at_column *node = &use->program->nodes[leaves[i].node];
        before += node->line == line && node->op != AT_OP_CONST;
    }
    return before;
}

enum at_status at_rule_terms(struct at_rule_use *use, uint32_t row, double score,
                             struct at_explained_term **terms, uint32_t *count) {
    struct leaf leaves[LEAF_MAX];
    uint32_t leaf_count = 0;
    *count = 0;
    if (!use->ran_on_columns || use->result < 0 || !use->program) return one_term(use, score, terms, count);
    split(use->program, use->result, false, leaves, &leaf_count);
    *terms = at_arena_alloc(use->view->arena, (leaf_count + 1) * sizeof **terms);
    if (!*terms) return AT_NOMEM;
    for (uint32_t i = 0; i < leaf_count; i++) {
        const struct at_column *node = &use->program->nodes[leaves[i].node];
        struct at_explained_term *term = &(*terms)[*count];
        if (node->op == AT_OP_VECTOR) continue; /* over all candidates: has no value for one alone */
        enum at_status status = value_of(use, &leaves[i], row, &term->value);
        if (status != AT_OK) return status;
        term->line = node->line ? node->line : use->line;
        term->text = node->op == AT_OP_CONST
                         ? AT_TEXT("a constant")
                         : term_text(use->report, term->line, order_in_line(use, leaves, i));
        if (node->op == AT_OP_CONST && term->value == 0)
            continue; /* a word that does not apply to this customer */
        (*count)++;
    }
    return AT_OK;
}

static const char *slot_name(const struct at_root *root, int slot) {
    return slot >= AT_ATTRIBUTE_MAX ? at_feature_names[slot - AT_ATTRIBUTE_MAX]
                                    : at_root_attribute_at(root, slot)->name;
}

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
