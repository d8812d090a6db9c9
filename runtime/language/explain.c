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
    uint32_t line; /* of the node, or of what it is a part of: constants have none */
    bool is_negative;
};
struct splitting {
    struct at_program *program; /* for one candidate */
    uint32_t row;
    struct leaf leaves[LEAF_MAX];
    uint32_t count;
    enum at_status status;
};

static const char *slot_name(const struct at_root *root, int slot) {
    return slot >= AT_ATTRIBUTE_MAX ? at_feature_names[slot - AT_ATTRIBUTE_MAX]
                                    : at_root_attribute_at(root, slot)->name;
}

static void split(struct splitting *splitting, struct leaf leaf, uint32_t waiting);

/* A branch of a compiled rule: the side that holds for the candidate. */
static void split_branch(struct splitting *splitting, struct leaf leaf, uint32_t waiting) {
    const struct at_column *column = &splitting->program->nodes[leaf.node];
    double condition;
    enum at_status status = at_program_run(splitting->program, column->a, &splitting->row, 1, &condition);
    if (status != AT_OK) splitting->status = status;
    leaf.node = status == AT_OK && condition > 0 ? column->b : column->c;
    split(splitting, leaf, waiting);
}

/* The summands of the result, left to right. waiting: parts that come after this one and need a place too;
 * what finds no room stays one term. */
static void split(struct splitting *splitting, struct leaf leaf, uint32_t waiting) {
    const struct at_column *column = &splitting->program->nodes[leaf.node];
    bool is_sum = column->op == AT_OP_ADD || column->op == AT_OP_SUB;
    if (column->line) leaf.line = column->line;
    if (column->op == AT_OP_WHEN && column->attribute && splitting->status == AT_OK)
        return split_branch(splitting, leaf, waiting);
    if (is_sum && splitting->count + waiting + 2 <= LEAF_MAX) {
        split(splitting, (struct leaf){column->a, leaf.line, leaf.is_negative}, waiting + 1);
        bool is_negative = leaf.is_negative != (column->op == AT_OP_SUB);
        split(splitting, (struct leaf){column->b, leaf.line, is_negative}, waiting);
        return;
    }
    splitting->leaves[splitting->count++] = leaf;
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

static bool has_text(const struct at_rule_use *use, const struct leaf *leaf) {
    return use->program->nodes[leaf->node].op != AT_OP_CONST && slot_of(use, leaf->node) < 0;
}

/* Of the terms of its line, which one this leaf is. In a rule with branches that is sure only if all of them
 * are there: those of the other side are not. */
static const struct at_term *term_of(const struct at_rule_use *use, const struct splitting *splitting,
                                     uint32_t at) {
    const struct leaf *leaves = splitting->leaves;
    const struct at_term *found = NULL;
    uint32_t before = 0, on_line = 0, terms = 0, line = use->program->nodes[leaves[at].node].line;
    for (uint32_t i = 0; i < splitting->count; i++) {
        bool is_one = use->program->nodes[leaves[i].node].line == line && has_text(use, &leaves[i]);
        before += is_one && i < at;
        on_line += is_one;
    }
    for (size_t i = 0; i < use->report->term_count; i++) {
        const struct at_term *term = &use->report->terms[i];
        if (term->line != line || is_plain(term->text)) continue;
        if (terms++ == before) found = term;
    }
    return use->report->compiled && terms != on_line ? NULL : found;
}

static enum at_status text_of(const struct at_rule_use *use, const struct splitting *splitting, uint32_t at,
                              struct at_text *out) {
    const struct leaf *leaf = &splitting->leaves[at];
    int slot = slot_of(use, leaf->node);
    *out = AT_TEXT("a part of the rule");
    if (use->program->nodes[leaf->node].op == AT_OP_CONST)
        *out = AT_TEXT("a constant");
    else if (slot >= 0) {
        const char *text = at_arena_printf(use->view->arena, "product.%s", slot_name(use->view->root, slot));
        if (!text) return AT_NOMEM;
        *out = at_text_of(text);
    } else {
        const struct at_term *term = term_of(use, splitting, at);
        if (term) *out = term->text;
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
    struct at_program program;
    struct splitting splitting = {.program = &program, .row = row};
    *count = 0;
    if (!use->ran_on_columns || use->result < 0 || !use->program) return one_term(use, score, terms, count);
    enum at_status status = narrow(use, row, &program);
    if (status == AT_OK) split(&splitting, (struct leaf){use->result, 0, false}, 0);
    *terms = at_arena_alloc(use->view->arena, (splitting.count + 1) * sizeof **terms);
    if (status == AT_OK) status = *terms ? splitting.status : AT_NOMEM;
    for (uint32_t i = 0; i < splitting.count && status == AT_OK; i++) {
        const struct leaf *leaf = &splitting.leaves[i];
        struct at_explained_term *term = &(*terms)[*count];
        status = at_program_run(&program, leaf->node, &row, 1, &term->value);
        if (status == AT_OK) status = text_of(use, &splitting, i, &term->text);
        if (leaf->is_negative && !at_is_missing(term->value)) term->value = -term->value;
        term->line = leaf->line ? leaf->line : use->line;
        bool is_constant = program.nodes[leaf->node].op == AT_OP_CONST;
        *count += !(is_constant && (term->value == 0 || at_is_missing(term->value)));
        /* else: a word that does not apply to this customer */
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
