/* SPDX-License-Identifier: Apache-2.0
 *
 * A rule that looked at nothing but its products' values builds the same graph whenever it is asked: it names
 * words and plain values of its file only, assigns to nothing outside itself and branches on no product's
 * value. So the graph is kept, without what nothing needs, and the next decision only puts the person's
 * tables into it. A rule that looked at the customer, the page or the clock runs anew each time, and so does
 * every rule when the catalog changed.
 */
#include <stdlib.h>
#include <string.h>
#include "language/state.h"
#include "ranking/pack.h"

struct kept_rule {
    struct at_column
        *nodes; /* then the lists of codes, in one block; NULL: nothing is kept or all is one constant */
    uint32_t count;
    uint64_t root_version; /* 0: nothing is kept */
    int node;              /* -1: one constant */
    double constant;
    struct at_pack *pack; /* NULL: it has none */
};

#define VARIANTS_MAX    4
#define PACKS_MAX_BYTES ((size_t)16 << 20) /* of one state, or an eighth of its account */

static void free_variants(struct at_language *language);

static void forget(struct kept_rule *kept) {
    at_pack_free(kept->pack);
    free(kept->nodes);
    *kept = (struct kept_rule){.node = -1};
}

void kept_free_all(struct at_language *language) {
    free_variants(language);
    for (int i = 0; i < language->kept_count; i++) forget(&language->kept[i]);
    free(language->kept);
    language->kept = NULL;
    language->kept_count = 0;
}

static struct kept_rule *kept_of(struct at_language *language, int function) {
    if (function < language->kept_count) return &language->kept[function];
    int count = function + 16;
    struct kept_rule *kept = realloc(language->kept, (size_t)count * sizeof *kept);
    if (!kept) return NULL;
    memset(kept + language->kept_count, 0, (size_t)(count - language->kept_count) * sizeof *kept);
    language->kept = kept;
    language->kept_count = count;
    return &kept[function];
}

/* The person's and the moment's part of a graph. False: out of memory, the rule runs. */
static bool bind(struct at_language *language, struct at_column *node) {
    const struct at_by_row *rows;
    switch (node->op) {
    case AT_OP_TASTE:
        if (personal_facets(language) != AT_OK) return false;
        node->taste.facets = language->view->facets;
        node->taste.count = language->view->facet_count;
        return true;
    case AT_OP_BY_ROW:
        rows = personal_rows(language, (enum met_kind)node->attribute);
        node->by_row = rows ? rows->values : NULL;
        return rows != NULL;
    case AT_OP_AGE: node->value = (double)language->view->now_ms; return true;
    default: return true;
    }
}

bool kept_find(struct at_language *language, int function, const struct at_candidates *candidates, int *node,
               double *constant) {
    const struct kept_rule *kept = function < language->kept_count ? &language->kept[function] : NULL;
    if (!kept || !kept->root_version || kept->root_version != at_root_version(candidates->root)) return false;
    struct at_program *program = &language->program;
    at_program_init(program, candidates->root, candidates->arena);
    *node = kept->node;
    *constant = kept->constant;
    if (kept->node < 0) return true;
    program->nodes = at_arena_alloc(candidates->arena, kept->count * sizeof *program->nodes);
    if (!program->nodes) return false;
    memcpy(program->nodes, kept->nodes, kept->count * sizeof *program->nodes);
    program->count = program->capacity = kept->count;
    for (uint32_t i = 0; i < kept->count; i++)
        if (!bind(language, &program->nodes[i])) return false;
    if (kept->pack) at_pack_use(kept->pack, program, node, candidates->count);
    return true;
}

/* Copies the nodes the result needs, operands renumbered, and their lists of codes behind them. */
static void copy_needed(const struct at_program *program, int result, const uint8_t *needed,
                        struct kept_rule *kept, uint32_t count) {
    uint16_t place[AT_NODES_MAX];
    uint32_t *lists = (uint32_t *)(void *)(kept->nodes + count);
    for (int i = 0; i <= result; i++) {
        place[i] = 0;
        if (!needed[i]) continue;
        struct at_column *node = &kept->nodes[kept->count];
        *node = program->nodes[i];
        node->a = place[node->a];
        node->b = place[node->b];
        node->c = place[node->c];
        if (node->op == AT_OP_IN_CODES) {
            if (node->codes.count) memcpy(lists, node->codes.list, node->codes.count * sizeof *lists);
            node->codes.list = lists;
            lists += node->codes.count;
        }
        place[i] = (uint16_t)kept->count++;
    }
}

static struct at_pack *make_pack(struct at_language *language, struct kept_rule *kept,
                                 const struct at_root *root) {
    struct at_pack_room *room = &language->packs;
    struct at_program program = {.root = root, .nodes = kept->nodes, .count = kept->count};
    room->account = language->account;
    room->limit = language->account ? language->account->limit / 8 : PACKS_MAX_BYTES;
    if (room->limit > PACKS_MAX_BYTES) room->limit = PACKS_MAX_BYTES;
    return at_pack_new(&program, kept->node, room);
}

/* How many nodes and codes of the program the result needs; marks them. */
static uint32_t count_needed(const struct at_program *program, int result, uint8_t *needed, uint32_t *codes) {
    uint32_t count = at_program_needed(program, result, needed);
    *codes = 0;
    for (int i = 0; i <= result; i++) {
        const struct at_column *node = &program->nodes[i];
        if (!needed[i] || node->op != AT_OP_IN_CODES) continue;
        *codes += node->codes.count;
        count += !needed[node->a]; /* it is not computed, but says which column holds the codes */
        needed[node->a] = 1;
    }
    return count;
}

/* Of a condition a pack keeps one bit: none is left to say that it fails. */
static bool may_pack(const struct at_language *language, const struct kept_rule *kept) {
    return language->raises < 0 || kept->nodes[kept->node].type == AT_COLUMN_NUMBER;
}

static bool store(struct at_language *language, struct kept_rule *kept, int result) {
    const struct at_program *program = &language->program;
    uint8_t needed[AT_NODES_MAX] = {0};
    uint32_t codes, count = count_needed(program, result, needed, &codes);
    kept->nodes = malloc(count * sizeof *kept->nodes + codes * sizeof(uint32_t));
    if (!kept->nodes) return false;
    kept->count = 0;
    copy_needed(program, result, needed, kept, count);
    kept->node = (int)kept->count - 1;
    if (may_pack(language, kept)) kept->pack = make_pack(language, kept, program->root);
    return true;
}

void kept_store(struct at_language *language, int function, int result, double constant) {
    struct kept_rule *kept = kept_of(language, function);
    if (!kept) return;
    forget(kept);
    kept->node = result;
    kept->constant = constant;
    if (result >= 0 && !store(language, kept, result)) return;
    kept->root_version = at_root_version(language->program.root);
}

/* ---- rules that look at the customer ---- */

/* Such a rule is run each time, but often gives one of few graphs: what it asks of the customer is yes or no.
 * The first of them are kept for the sake of their packs. */
struct kept_variants {
    struct kept_rule list[VARIANTS_MAX];
    uint64_t root_version;
    uint32_t count;
};

static void forget_variants(struct kept_variants *variants) {
    for (uint32_t i = 0; i < variants->count; i++) forget(&variants->list[i]);
    variants->count = 0;
}

static void free_variants(struct at_language *language) {
    for (int i = 0; i < language->variant_count; i++) forget_variants(&language->variants[i]);
    free(language->variants);
    language->variants = NULL;
    language->variant_count = 0;
}

static struct kept_variants *variants_of(struct at_language *language, int function) {
    if (function >= language->variant_count) {
        int count = function + 16;
        struct kept_variants *variants = realloc(language->variants, (size_t)count * sizeof *variants);
        if (!variants) return NULL;
        memset(variants + language->variant_count, 0,
               (size_t)(count - language->variant_count) * sizeof *variants);
        language->variants = variants;
        language->variant_count = count;
    }
    struct kept_variants *variants = &language->variants[function];
    uint64_t version = at_root_version(language->program.root);
    if (variants->root_version != version) forget_variants(variants);
    variants->root_version = version;
    return variants;
}

/* But for what a pack takes from the program it is used with: the person's and the moment's. */
static bool is_same_node(const struct at_column *a, const struct at_column *b) {
    if (a->op != b->op || a->type != b->type || a->attribute != b->attribute) return false;
    if (a->a != b->a || a->b != b->b || a->c != b->c) return false;
    if (a->op == AT_OP_IN_CODES)
        return a->codes.count == b->codes.count &&
               (!a->codes.count ||
                memcmp(a->codes.list, b->codes.list, a->codes.count * sizeof *a->codes.list) == 0);
    return a->op == AT_OP_AGE || memcmp(&a->value, &b->value, sizeof a->value) == 0;
}

static bool is_same_graph(const struct kept_rule *a, const struct kept_rule *b) {
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!is_same_node(&a->nodes[i], &b->nodes[i])) return false;
    return true;
}

/* Tables of one person stand in the graph itself: it never comes again. */
static bool is_personal(const struct kept_rule *graph) {
    for (uint32_t i = 0; i < graph->count; i++)
        if (graph->nodes[i].op == AT_OP_BY_CODE || graph->nodes[i].op == AT_OP_VECTOR) return true;
    return false;
}

void kept_variant(struct at_language *language, int function, uint32_t candidates, int *node) {
    struct at_program *program = &language->program;
    uint8_t needed[AT_NODES_MAX] = {0};
    uint32_t codes, count = count_needed(program, *node, needed, &codes);
    struct kept_rule now = {.node = (int)count - 1};
    struct kept_variants *variants = variants_of(language, function);
    now.nodes = at_arena_alloc(program->arena, count * sizeof *now.nodes + codes * sizeof(uint32_t));
    if (!variants || !now.nodes) return;
    copy_needed(program, *node, needed, &now, count);
    if (is_personal(&now)) return;
    for (uint32_t i = 0; i < variants->count; i++) {
        struct kept_rule *kept = &variants->list[i];
        if (!is_same_graph(kept, &now)) continue;
        if (!kept->pack) return;
        program->nodes = now.nodes;
        program->count = program->capacity = count;
        *node = now.node;
        at_pack_use(kept->pack, program, node, candidates);
        return;
    }
    if (variants->count == VARIANTS_MAX) return;
    struct kept_rule *kept = &variants->list[variants->count];
    *kept = (struct kept_rule){.node = -1};
    variants->count += store(language, kept, *node);
}
