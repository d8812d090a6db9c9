/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk: first notes of every local and function (who is the product, what is read), then every node to
 * the rules that are about its kind.
 */
#include "language/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- findings ---- */

__attribute__((format(printf, 4, 0))) static struct at_finding *tell(struct lint *lint,
                                                                     const struct at_node *node,
                                                                     const char *code, const char *fmt,
                                                                     va_list args) {
    struct at_finding *finding = findings_add(lint->findings, node, code);
    if (finding) vsnprintf(finding->message, sizeof finding->message, fmt, args);
    return finding;
}

struct at_finding *lint_error(struct lint *lint, const struct at_node *node, const char *code,
                              const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    struct at_finding *finding = tell(lint, node, code, fmt, args);
    va_end(args);
    return finding;
}

struct at_finding *lint_warn(struct lint *lint, const struct at_node *node, const char *code, const char *fmt,
                             ...) {
    va_list args;
    va_start(args, fmt);
    struct at_finding *finding = tell(lint, node, code, fmt, args);
    va_end(args);
    if (finding) finding->is_warning = true;
    return finding;
}

void lint_hint(struct at_finding *finding, const char *fmt, ...) {
    va_list args;
    if (!finding) return;
    va_start(args, fmt);
    vsnprintf(finding->hint, sizeof finding->hint, fmt, args);
    va_end(args);
}

static uint32_t count_dashes(const char *text, size_t length) {
    uint32_t count = 0;
    for (size_t i = 0; i + 1 < length; i++) count += text[i] == '-' && text[i + 1] == '-';
    return count;
}

/* A fix that would take a comment away is none: what is to be written is said all the same. */
void lint_fix(struct lint *lint, struct at_finding *finding, uint32_t from, uint32_t to, const char *fmt,
              ...) {
    char text[1000];
    va_list args;
    if (!finding) return;
    va_start(args, fmt);
    int length = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof text) return;
    if (count_dashes(lint->source.data + from, to - from) <= count_dashes(text, (size_t)length)) {
        finding->fix = at_arena_dup(lint->findings->arena, text, (size_t)length);
        finding->fix_from = from;
        finding->fix_to = to;
        if (!finding->fix) lint->findings->is_short = true;
    }
    if (!finding->hint[0] && length < 150 && !strchr(text, '\n')) lint_hint(finding, "write %s", text);
}

/* ---- notes ---- */

struct lint_local *lint_local_of(const struct lint *lint, const struct at_node *node) {
    const struct at_node *local = node && node->kind == AT_NODE_NAME ? node->binding : node;
    bool is_noted = local && local->kind == AT_NODE_LOCAL && local->mark && local->mark <= lint->local_count;
    return is_noted ? &lint->locals[local->mark - 1] : NULL;
}

struct lint_function *lint_function_of(const struct lint *lint, const struct at_node *function) {
    bool is_noted = function && function->mark && function->mark <= lint->function_count;
    return is_noted ? &lint->functions[function->mark - 1] : NULL;
}

enum lint_role lint_role_of(const struct lint *lint, const struct at_node *node) {
    const struct lint_local *local = node && node->kind == AT_NODE_NAME ? lint_local_of(lint, node) : NULL;
    return local ? local->role : LINT_NOTHING;
}

struct at_text lint_cut(const struct lint *lint, const struct at_node *node) {
    return (struct at_text){lint->source.data + node->from,
                            node->to > node->from ? node->to - node->from : 0};
}

static bool count_node(void *arg, struct at_node *node) {
    struct lint *lint = arg;
    if (node->kind == AT_NODE_LOCAL) node->mark = ++lint->local_count;
    if (node->kind == AT_NODE_FUNCTION) node->mark = ++lint->function_count;
    lint->global_count += node->kind == AT_NODE_NAME && !node->binding; /* at most; noted later */
    return true;
}

static void note_list(struct lint *lint, struct at_node *locals, enum lint_origin origin,
                      struct at_node *value) {
    for (struct at_node *local = locals; local; local = local->next) {
        struct lint_local *note = lint_local_of(lint, local);
        if (!note) continue;
        note->local = local;
        note->origin = origin;
        note->value = value;
        bool is_last = !value || !value->next;
        value = is_last ? NULL : value->next;
    }
}

static void note_locals(struct lint *lint, struct at_node *node) {
    switch (node->kind) {
    case AT_NODE_LOCALS: note_list(lint, node->list, LINT_LOCAL, node->list2); break;
    case AT_NODE_FUNCTION: note_list(lint, node->list, LINT_PARAMETER, NULL); break;
    case AT_NODE_FOR_NUMBER:
    case AT_NODE_BROKEN:
    case AT_NODE_FOR_IN: note_list(lint, node->list, LINT_LOOP, NULL); break;
    case AT_NODE_FUNCTION_STATEMENT:
        if (node->is_local && node->a && node->a->binding) {
            struct lint_local *note = lint_local_of(lint, node->a->binding);
            if (note) *note = (struct lint_local){.local = node->a->binding, .origin = LINT_FUNCTION};
        }
        break;
    default: break;
    }
}

/* Of noun "name" { field = function(product, customer, page) … }: who its parameters are. */
static void note_field(struct lint *lint, struct at_text noun, struct at_node *field) {
    static const char *const of_products[] = {"score", "first", "hide", "only", "bury"};
    static const char *const of_people[] = {"when", "whom", "from", "choose", "only_if", "run"};
    struct at_node *function = field->b;
    struct lint_local *named = lint_local_of(lint, function);
    if (named && named->local->value) function = named->local->value;
    if (!function || function->kind != AT_NODE_FUNCTION || !field->a) return;
    struct lint_function *note = lint_function_of(lint, function);
    if (!note) return;
    *note = (struct lint_function){noun, field->a->text};
    int role = LINT_NOTHING;
    for (size_t i = 0; i < AT_LENGTH(of_products); i++)
        if (at_text_is(field->a->text, of_products[i])) role = LINT_PRODUCT;
    for (size_t i = 0; i < AT_LENGTH(of_people); i++)
        if (at_text_is(field->a->text, of_people[i])) role = LINT_CUSTOMER;
    if (!role) return;
    bool has_event = at_text_is(noun, "flow"); /* behind the customer comes what began it */
    for (struct at_node *at = function->list; at && role <= LINT_PAGE; at = at->next, role++) {
        struct lint_local *parameter = lint_local_of(lint, at);
        if (parameter && !(has_event && role > LINT_CUSTOMER)) parameter->role = (enum lint_role)role;
    }
}

static void note_declaration(struct lint *lint, struct at_node *node) {
    const struct at_node *fields = node->list, *named = node->a;
    if (!fields || fields->kind != AT_NODE_TABLE || !named || named->kind != AT_NODE_CALL || !named->a ||
        named->a->kind != AT_NODE_NAME || named->a->binding)
        return;
    for (struct at_node *field = fields->list; field; field = field->next)
        if (field->kind == AT_NODE_FIELD && field->is_dot) note_field(lint, named->a->text, field);
}

static bool note_node(void *arg, struct at_node *node) {
    struct lint *lint = arg;
    note_locals(lint, node);
    if (node->kind == AT_NODE_CALL) note_declaration(lint, node);
    return true;
}

/* Reads and writes; a name that is only set is not read. */
static bool note_uses(void *arg, struct at_node *node) {
    struct lint *lint = arg;
    if (node->kind == AT_NODE_NAME) {
        struct lint_local *note = lint_local_of(lint, node);
        if (note) note->reads++;
    }
    struct at_node *targets = node->kind == AT_NODE_ASSIGN                          ? node->list
                              : node->kind == AT_NODE_FUNCTION_STATEMENT && node->a ? node->a
                                                                                    : NULL;
    for (; targets; targets = node->kind == AT_NODE_ASSIGN ? targets->next : NULL) {
        struct lint_local *note = targets->kind == AT_NODE_NAME ? lint_local_of(lint, targets) : NULL;
        if (targets->kind == AT_NODE_NAME) targets->mark = LINT_IS_TARGET;
        if (targets->kind == AT_NODE_NAME && !targets->binding) lint->globals[lint->global_count++] = targets;
        if (!note) continue;
        note->reads--; /* the walk comes to it as well */
        note->writes += node->kind == AT_NODE_ASSIGN || !node->is_local;
    }
    return true;
}

static void add_name(struct lint *lint, struct at_text name) {
    const char *kept = at_arena_dup(lint->findings->arena, name.data, name.length);
    if (kept) lint->names[lint->name_count++] = kept;
}

/* The words of the language and the locals of the file. */
static bool note_names(struct lint *lint) {
    uint32_t known = 0;
    while (lint->vocabulary->globals[known]) known++;
    lint->names =
        at_arena_alloc(lint->findings->arena, (known + lint->local_count + 1) * sizeof *lint->names);
    if (!lint->names) return false;
    for (uint32_t i = 0; i < known; i++) lint->names[lint->name_count++] = lint->vocabulary->globals[i];
    for (uint32_t i = 0; i < lint->local_count; i++)
        if (lint->locals[i].local) add_name(lint, lint->locals[i].local->text);
    return true;
}

/* ---- the walk ---- */

static void run_rules(struct lint *lint, const struct lint_rule *rules, struct at_node *node) {
    for (; rules->run; rules++)
        if (rules->kind == node->kind) rules->run(lint, node);
}

static bool visit_expression(void *arg, struct at_node *node) {
    struct lint *lint = arg;
    if (node->kind == AT_NODE_BROKEN) return false;
    run_rules(lint, lint_words, node);
    run_rules(lint, lint_things, node);
    run_rules(lint, lint_habits, node);
    return true;
}

static bool visit(void *arg, struct at_node *node) {
    struct lint *lint = arg;
    visit_expression(lint, node);
    run_rules(lint, lint_flow, node);
    run_rules(lint, lint_names, node);
    return true;
}

enum at_status lint_run(struct findings *findings, struct at_text source, struct at_node *file,
                        const struct at_vocabulary *vocabulary, bool is_whole) {
    struct lint lint = {
        .findings = findings, .source = source, .vocabulary = vocabulary, .is_whole = is_whole};
    at_node_walk(file, count_node, &lint);
    lint.locals = at_arena_zalloc(findings->arena, (lint.local_count + 1) * sizeof *lint.locals);
    lint.functions = at_arena_zalloc(findings->arena, (lint.function_count + 1) * sizeof *lint.functions);
    lint.globals = at_arena_zalloc(findings->arena, (lint.global_count + 1) * sizeof(struct at_node *));
    lint.global_count = 0;
    if (!lint.locals || !lint.functions || !lint.globals) return AT_NOMEM;
    at_node_walk(file, note_node, &lint);
    at_node_walk(file, note_uses, &lint);
    if (!note_names(&lint)) return AT_NOMEM;
    at_node_walk(file, is_whole ? visit : visit_expression, &lint);
    if (is_whole) lint_unused(&lint);
    return findings->is_short ? AT_NOMEM : AT_OK;
}
