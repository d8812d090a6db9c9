/* SPDX-License-Identifier: Apache-2.0
 *
 * Static checks of one file: syntax, unknown names, assignments that would not do what they look like.
 */
#include <stdio.h>
#include <string.h>
#include "base/map.h"
#include "base/utf8.h"
#include "language/analysis.h"
#include "language/lex.h"

#define NAMES_MAX 1000 /* that may be suggested */

struct checking {
    const char **names; /* the words of the language and the locals of the file */
    size_t name_count;
    struct at_arena *arena;
    const struct at_vocabulary *vocabulary;
    struct at_finding *first, *last;
    const struct at_fault *faults;
    struct at_map unsure; /* names that are a local somewhere in a file with faults */
    bool is_short;
};

static struct at_finding *add(struct checking *checking, uint32_t line, uint32_t column, const char *code) {
    struct at_finding *finding = at_arena_zalloc(checking->arena, sizeof *finding);
    if (!finding) {
        checking->is_short = true;
        return NULL;
    }
    finding->line = line;
    finding->column = column;
    snprintf(finding->code, sizeof finding->code, "%s", code);
    const struct at_finding *last = checking->last;
    struct at_finding **at = &checking->first;
    if (last && (last->line < line || (last->line == line && last->column <= column)))
        at = &checking->last->next;
    while (*at && ((*at)->line < line || ((*at)->line == line && (*at)->column <= column))) at = &(*at)->next;
    finding->next = *at;
    *at = finding;
    if (!finding->next) checking->last = finding;
    return finding;
}

static bool is_known(const struct checking *checking, struct at_text name) {
    for (const char *const *at = checking->vocabulary->globals; *at; at++)
        if (at_text_is(name, *at)) return true;
    return false;
}

static void short_name(struct at_text name, char out[64]) {
    snprintf(out, 64, "%.*s", (int)(name.length < 60 ? name.length : 60), name.data);
}

/* In a file with faults a block may end elsewhere than was meant, or a local be in what was not read: of a
 * name that is a local anywhere in it nothing is said. */
static bool is_unsure(const struct checking *checking, struct at_text name) {
    return at_map_get(&checking->unsure, name.data, name.length) != NULL;
}

static bool has_fault(const struct checking *checking, const struct at_node *node) {
    const struct at_fault *fault = checking->faults;
    while (fault && (fault->to < node->from || fault->from > node->to)) fault = fault->next;
    return fault != NULL;
}

static void unknown_name(struct checking *checking, const struct at_node *node) {
    char name[64];
    if (is_unsure(checking, node->text)) return;
    short_name(node->text, name);
    struct at_finding *finding = add(checking, node->line, node->column, "unknown_name");
    if (!finding) return;
    const char *near = at_suggest(name, checking->names, checking->name_count);
    if (near && strcmp(near, name) == 0 &&
        node->kind == AT_NODE_NAME) { /* local x = x + 1, or a local of another block */
        snprintf(finding->message, sizeof finding->message, "'%s' is not there: its local begins elsewhere",
                 name);
        return;
    }
    if (near)
        snprintf(finding->message, sizeof finding->message, "unknown name '%s' — did you mean '%s'?", name,
                 near);
    else
        snprintf(finding->message, sizeof finding->message, "unknown name '%s'", name);
    if (near) snprintf(finding->hint, sizeof finding->hint, "write %s", near);
}

static void assigned(struct checking *checking, const struct at_node *target,
                     const struct at_node *statement) {
    char name[64];
    (void)statement;
    short_name(target->text, name);
    if (!target->binding) {
        if (is_unsure(checking, target->text)) return;
        struct at_finding *finding = add(checking, target->line, target->column, "assigned_global");
        if (!finding) return;
        bool is_word = is_known(checking, target->text);
        snprintf(finding->message, sizeof finding->message,
                 is_word ? "'%s' is a word of the language and cannot be set" : "'%s' is not declared", name);
        snprintf(finding->hint, sizeof finding->hint,
                 is_word ? "choose another name: local my_%s = …" : "write local %s = …", name);
    } else if (!target->binding->function && target->function && !has_fault(checking, target->function)) {
        struct at_finding *finding = add(checking, target->line, target->column, "assigned_outside");
        if (!finding) return;
        snprintf(
            finding->message, sizeof finding->message,
            "'%s' belongs to the file: nothing lives in Lua between calls, so what a rule puts there is lost",
            name);
        snprintf(finding->hint, sizeof finding->hint, "declare it inside the function: local %s = …", name);
    }
}

static bool visit(void *arg, struct at_node *node) {
    struct checking *checking = arg;
    if (node->kind == AT_NODE_NAME && !node->binding && !is_known(checking, node->text))
        unknown_name(checking, node);
    if (node->kind == AT_NODE_BROKEN) return false;
    if (node->kind == AT_NODE_LOCAL &&
        at_text_is(node->text, "_ENV")) /* would change what every name means */
        unknown_name(checking, node);
    if (node->kind == AT_NODE_FUNCTION_STATEMENT && !node->is_local && node->a->kind == AT_NODE_NAME) {
        assigned(checking, node->a, node);
        at_node_walk(node->b, visit, arg);
        return false;
    }
    if (node->kind != AT_NODE_ASSIGN) return true;
    for (struct at_node *target = node->list; target; target = target->next) {
        if (target->kind == AT_NODE_NAME) {
            assigned(checking, target, node);
            if (target->binding) continue;
        } else
            at_node_walk(target, visit, arg);
    }
    for (struct at_node *value = node->list2; value; value = value->next) at_node_walk(value, visit, arg);
    return false;
}

static bool note_local(void *arg, struct at_node *node) {
    struct checking *checking = arg;
    if (node->kind != AT_NODE_LOCAL) return true;
    if (checking->faults && !is_known(checking, node->text) &&
        !at_map_put(&checking->unsure, node->text.data, node->text.length, NULL))
        checking->is_short = true;
    if (checking->name_count == NAMES_MAX) return true;
    const char *name = at_arena_dup(checking->arena, node->text.data, node->text.length);
    if (name) checking->names[checking->name_count++] = name;
    return true;
}

static bool note_names(struct checking *checking, struct at_node *block) {
    checking->names = at_arena_alloc(checking->arena, NAMES_MAX * sizeof *checking->names);
    if (!checking->names) return false;
    for (const char *const *at = checking->vocabulary->globals; *at && checking->name_count < NAMES_MAX; at++)
        checking->names[checking->name_count++] = *at;
    at_node_walk(block, note_local, checking);
    return true;
}

enum at_status at_source_check(struct at_arena *arena, struct at_text source,
                               const struct at_vocabulary *vocabulary, struct at_finding **findings) {
    struct checking checking = {.arena = arena, .vocabulary = vocabulary};
    struct at_node *block;
    struct at_fault *faults;
    *findings = NULL;
    enum at_status status = at_parse(arena, source, &block, &faults);
    if (status != AT_OK) return status;
    checking.faults = faults;
    at_map_init(&checking.unsure);
    for (const struct at_fault *fault = faults; fault; fault = fault->next) {
        struct at_finding *finding = add(&checking, fault->line, fault->column, "syntax");
        if (!finding) break;
        at_syntax_words(source, fault->message, finding);
        finding->from = fault->from;
        finding->to = fault->to;
    }
    if (note_names(&checking, block))
        at_node_walk(block, visit, &checking);
    else
        checking.is_short = true;
    at_map_clear(&checking.unsure);
    *findings = checking.first;
    return checking.is_short ? AT_NOMEM : AT_OK;
}
