/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rules, and which ways through them, the tests came by. Every file is loaded with a count at each
 * place: where a function begins, where a branch of an if does (also the one that is not written), and before
 * the right side of an and or an or. The texts keep their lines; rules run product by product then, so that
 * each product takes its own way. Tests themselves are no rules and are left as they are.
 */
#include <stdlib.h>
#include <string.h>
#include "language/world.h"

#define PLACES_MAX 20000

struct place {
    const char *path;
    uint32_t file, line, column;
    uint32_t defined_line; /* of a function, as Lua counts it */
    uint32_t at, to; /* in the file's text: the count stands before at; of a right side, ")" behind to */
    int32_t within;  /* the function it is in; -1: the file */
    const char *what;
    bool is_function, is_right_side, is_unwritten;
};
struct coverage {
    struct at_arena *arena;
    struct place *places;
    uint32_t count;
    const char *unmeasured;
    struct at_source_file *files;
    /* while a file is read */
    uint32_t file;
    int32_t within;
    bool is_short;
};

/* ---- finding the places ---- */

static struct place *add(struct coverage *coverage, const struct at_node *node, uint32_t at,
                         const char *what) {
    if (coverage->count == PLACES_MAX) {
        coverage->is_short = true;
        return NULL;
    }
    struct place *place = &coverage->places[coverage->count++];
    *place = (struct place){.path = coverage->files[coverage->file].path.data,
                            .file = coverage->file,
                            .line = node->line,
                            .column = node->column,
                            .at = at,
                            .within = coverage->within,
                            .what = what};
    return place;
}

static bool is_test(const struct at_node *node) {
    const struct at_node *head = node;
    while (head && head->kind == AT_NODE_CALL) head = head->a;
    return node->kind == AT_NODE_CALL && head && head->kind == AT_NODE_NAME && !head->binding &&
           at_text_is(head->text, "test");
}

static bool visit(void *arg, struct at_node *node);

static void visit_function(struct coverage *coverage, struct at_node *node) {
    int32_t before = coverage->within;
    if (node->body->list) {
        struct place *place = add(coverage, node, node->body->list->from, "this function");
        if (place) place->is_function = true;
        if (place) place->defined_line = node->defined_line;
        if (place) coverage->within = (int32_t)(place - coverage->places);
    }
    at_node_walk(node->body, visit, coverage);
    coverage->within = before;
}

static void add_branch(struct coverage *coverage, const struct at_node *node, const struct at_node *block,
                       const char *what) {
    if (block && block->list) add(coverage, node, block->list->from, what);
}

/* A chain without an else has a way on which no condition held: before its last end. */
static void visit_if(struct coverage *coverage, const struct at_node *node) {
    add_branch(coverage, node, node->body, "this condition was never true");
    if (node->else_part && node->else_part->kind != AT_NODE_IF) {
        add_branch(coverage, node, node->else_part, "this condition was always true");
        return;
    }
    if (node->else_part) return; /* the elseif is a node of its own */
    struct place *place = add(coverage, node, node->to - 3, "this condition was always true");
    if (place) place->is_unwritten = true;
}

static bool visit(void *arg, struct at_node *node) {
    struct coverage *coverage = arg;
    if (is_test(node)) return false;
    if (node->kind == AT_NODE_FUNCTION) {
        visit_function(coverage, node);
        return false;
    }
    if (node->kind == AT_NODE_IF) visit_if(coverage, node);
    bool is_or = node->kind == AT_NODE_BINARY && at_text_is(node->text, "or");
    if (coverage->within < 0 || !(is_or || (node->kind == AT_NODE_BINARY && at_text_is(node->text, "and"))))
        return true;
    struct place *place = add(coverage, node->b, node->b->from,
                              is_or ? "the other side of this or was never needed"
                                    : "the other side of this and was never asked");
    if (place) place->is_right_side = true;
    if (place) place->to = node->b->to;
    return true;
}

/* ---- writing the texts ---- */

struct insertion {
    uint32_t at;
    uint32_t order; /* of those at one place: closing ones first, then the outer before the inner */
    uint32_t place;
    bool closes;
};

static int by_position(const void *a, const void *b) {
    const struct insertion *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    if (x->closes != y->closes) return x->closes ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void write_insertion(struct at_bytes *out, const struct coverage *coverage,
                            const struct insertion *insertion) {
    const struct place *place = &coverage->places[insertion->place];
    if (insertion->closes)
        at_bytes_add_text(out, "))");
    else if (place->is_right_side)
        at_bytes_printf(out, "(" RAN_WORD "(%u) and (", insertion->place);
    else if (place->is_unwritten)
        at_bytes_printf(out, " else " RAN_WORD "(%u) ", insertion->place);
    else
        at_bytes_printf(out, RAN_WORD "(%u); ", insertion->place);
}

static enum at_status write_text(struct coverage *coverage, uint32_t first, struct at_text *text) {
    uint32_t count = 0;
    struct insertion *list =
        at_arena_alloc(coverage->arena, (2 * (size_t)(coverage->count - first) + 1) * sizeof *list);
    struct at_bytes out;
    if (!list) return AT_NOMEM;
    for (uint32_t i = first; i < coverage->count; i++) {
        list[count++] = (struct insertion){coverage->places[i].at, i, i, false};
        if (coverage->places[i].is_right_side)
            list[count++] = (struct insertion){coverage->places[i].to, i, i, true};
    }
    qsort(list, count, sizeof *list, by_position);
    at_bytes_init(&out, (size_t)1 << 20);
    uint32_t from = 0;
    for (uint32_t i = 0; i < count; i++) {
        at_bytes_add(&out, text->data + from, list[i].at - from);
        from = list[i].at;
        write_insertion(&out, coverage, &list[i]);
    }
    at_bytes_add(&out, text->data + from, text->length - from);
    bool is_whole = !out.failed && out.data;
    char *kept = is_whole ? at_arena_dup(coverage->arena, out.data, out.length) : NULL;
    if (kept) *text = (struct at_text){kept, out.length};
    at_bytes_clear(&out);
    return kept || !count ? AT_OK : AT_NOMEM;
}

static enum at_status cover_file(struct coverage *coverage) {
    struct at_source_file *file = &coverage->files[coverage->file];
    struct at_node *block;
    struct at_fault *faults;
    uint32_t first = coverage->count;
    coverage->within = -1;
    coverage->is_short = false;
    if (at_parse(coverage->arena, file->text, &block, &faults) != AT_OK) return AT_NOMEM;
    at_node_walk(block, visit, coverage);
    struct at_text text = file->text;
    enum at_status status = first == coverage->count ? AT_OK : write_text(coverage, first, &text);
    if (coverage->is_short || text.length > AT_SCRIPT_FILE_MAX) { /* it stays as it is */
        coverage->count = first;
        if (!coverage->unmeasured) coverage->unmeasured = file->path.data;
        return AT_OK;
    }
    file->text = text;
    return status;
}

enum at_status cover_files(struct test_run *run, struct coverage **out) {
    const struct at_generation *generation = run->options->generation;
    struct at_arena *arena = run->options->arena;
    struct coverage *coverage = *out = at_arena_zalloc(arena, sizeof *coverage);
    if (!coverage) return AT_NOMEM;
    coverage->arena = arena;
    coverage->places = at_arena_alloc(arena, PLACES_MAX * sizeof *coverage->places);
    coverage->files = at_arena_alloc(arena, (generation->file_count + 1) * sizeof *coverage->files);
    run->ran = at_arena_zalloc(arena, PLACES_MAX * sizeof *run->ran);
    run->applied = at_arena_zalloc(arena, (size_t)generation->rail_count + 1);
    if (!coverage->places || !coverage->files || !run->ran || !run->applied) return AT_NOMEM;
    if (generation->file_count)
        memcpy(coverage->files, generation->files, generation->file_count * sizeof *coverage->files);
    enum at_status status = AT_OK;
    for (; coverage->file < generation->file_count && status == AT_OK; coverage->file++)
        status = cover_file(coverage);
    run->files = coverage->files;
    return status;
}

/* ---- the report ---- */

struct rule { /* a function that a declaration names */
    const char *path, *label;
    uint32_t line;
};
struct rules {
    const struct coverage *coverage;
    const struct at_generation *generation;
    struct rule *list;
    uint32_t count;
    bool is_short;
};

static void add_rule(lua_State *L, struct rules *rules, int function, const char *noun, const char *name) {
    struct at_arena *arena = rules->coverage->arena;
    lua_Debug ar;
    if (!function) return;
    push_function(L, function);
    lua_getinfo(L, ">S", &ar);
    const char *path = ar.source[0] == '@' ? ar.source + 1 : "";
    struct rule rule = {at_arena_dup(arena, path, strlen(path)),
                        at_arena_printf(arena, "%s \"%s\"", noun, name),
                        ar.linedefined > 0 ? (uint32_t)ar.linedefined : 0};
    rules->is_short |= !rule.path || !rule.label;
    rules->list[rules->count++] = rule;
}

static int list_rules(lua_State *L, void *arg) {
    struct rules *rules = arg;
    const struct at_generation *generation = rules->generation;
    for (uint32_t i = 0; i < generation->ranking_count; i++) {
        add_rule(L, rules, generation->rankings[i].score, "ranking", generation->rankings[i].name);
        add_rule(L, rules, generation->rankings[i].first, "first of ranking", generation->rankings[i].name);
    }
    for (uint32_t i = 0; i < generation->rail_count; i++)
        add_rule(L, rules, generation->rails[i].condition, "rail", generation->rails[i].rail.name);
    for (uint32_t i = 0; i < generation->segment_count; i++)
        add_rule(L, rules, generation->segments[i].when, "segment", generation->segments[i].name);
    return 0;
}

static enum at_status find_rules(const struct coverage *coverage, struct test_run *run, struct rules *rules) {
    const struct at_generation *generation = run->options->generation;
    size_t room = 2 * (size_t)generation->ranking_count + generation->rail_count + generation->segment_count;
    *rules = (struct rules){.coverage = coverage, .generation = generation};
    rules->list = at_arena_alloc(coverage->arena, (room + 1) * sizeof *rules->list);
    if (!rules->list) return AT_NOMEM;
    if (!run->rules || at_language_is_spent(run->rules)) return AT_OK; /* without their names, then */
    if (at_script_call(run->rules->script, AT_LOAD_BUDGET_NS, list_rules, rules, NULL, NULL) != AT_OK)
        rules->count = 0;
    return rules->is_short ? AT_NOMEM : AT_OK;
}

static const char *words_of(const struct rules *rules, const struct place *place) {
    const char *what = place->what;
    if (!place->is_function) return what;
    for (uint32_t i = 0; i < rules->count; i++)
        if (rules->list[i].line == place->defined_line && strcmp(rules->list[i].path, place->path) == 0)
            what = rules->list[i].label;
    return at_arena_printf(rules->coverage->arena, "%s: no test ran it", what);
}

static bool is_missed(const struct coverage *coverage, const struct test_run *run, uint32_t at) {
    const struct place *place = &coverage->places[at];
    if (run->ran[at]) return false;
    return place->within < 0 || run->ran[place->within]; /* of a function that never ran it says all */
}

static int by_place(const void *a, const void *b) {
    const struct at_uncovered *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    if (order) return order;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

/* Pins have no function that could have run: a list came under them or not. */
static enum at_status add_pins(const struct coverage *coverage, const struct test_run *run,
                               struct at_uncovered *list, struct at_test_report *report) {
    const struct at_generation *generation = run->options->generation;
    for (uint32_t i = 0; i < generation->rail_count; i++) {
        const struct at_rail_declaration *rail = &generation->rails[i];
        if (rail->condition) continue;
        report->place_count++;
        report->covered_count += run->applied[i];
        if (run->applied[i]) continue;
        const char *what = at_arena_printf(coverage->arena, "rail \"%s\": no test ran it", rail->rail.name);
        if (!what) return AT_NOMEM;
        list[report->uncovered_count++] = (struct at_uncovered){rail->path, rail->line, 1, what};
    }
    return AT_OK;
}

enum at_status cover_report(const struct coverage *coverage, struct test_run *run,
                            struct at_test_report *report) {
    size_t room = (size_t)coverage->count + run->options->generation->rail_count + 1;
    struct at_uncovered *list = at_arena_alloc(coverage->arena, room * sizeof *list);
    struct rules rules;
    if (!list || find_rules(coverage, run, &rules) != AT_OK) return AT_NOMEM;
    report->place_count = coverage->count;
    report->unmeasured = coverage->unmeasured;
    for (uint32_t i = 0; i < coverage->count; i++) {
        const struct place *place = &coverage->places[i];
        report->covered_count += run->ran[i] > 0;
        if (!is_missed(coverage, run, i)) continue;
        const char *what = words_of(&rules, place);
        if (!what) return AT_NOMEM;
        list[report->uncovered_count++] =
            (struct at_uncovered){place->path, place->line, place->column, what};
    }
    if (add_pins(coverage, run, list, report) != AT_OK) return AT_NOMEM;
    qsort(list, report->uncovered_count, sizeof *list, by_place);
    report->uncovered = list;
    return AT_OK;
}
