/* SPDX-License-Identifier: Apache-2.0
 *
 * Names nobody knows, and assignments that would not do what they look like.
 */
#include "language/lint.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void short_name(struct at_text name, char out[64]) {
    snprintf(out, 64, "%.*s", (int)(name.length < 60 ? name.length : 60), name.data);
}

bool lint_is_word(const struct lint *lint, struct at_text name) {
    return at_text_in(name, lint->vocabulary->globals);
}

/* In a file with faults a block may end elsewhere than was meant, or a local be in what was not read: of a
 * name that is a local anywhere in it nothing is said. */
static bool is_unsure(const struct lint *lint, struct at_text name) {
    for (uint32_t i = 0; !lint->is_whole && i < lint->local_count; i++)
        if (lint->locals[i].local && at_text_equal(lint->locals[i].local->text, name)) return true;
    return false;
}

static bool has_fault(const struct lint *lint, const struct at_node *node) {
    const struct at_finding *at = lint->findings->first;
    while (at && (strcmp(at->code, "syntax") != 0 || at->to < node->from || at->from > node->to))
        at = at->next;
    return at != NULL;
}

/* ---- unknown names ---- */

/* What other languages call it. */
static bool foreign(struct lint *lint, const struct at_node *node) {
    static const char *const words[][2] = {
        {"null", "nil"},    {"NULL", "nil"}, {"Null", "nil"},  {"None", "nil"},  {"undefined", "nil"},
        {"Nil", "nil"},     {"NIL", "nil"},  {"True", "true"}, {"TRUE", "true"}, {"False", "false"},
        {"FALSE", "false"}, {"yes", "true"}, {"Math", "math"}, {"NOT", "not"},   {"AND", "and"}};
    for (size_t i = 0; i < AT_LENGTH(words); i++) {
        if (!at_text_is(node->text, words[i][0])) continue;
        struct at_finding *finding = lint_error(
            lint, node, "unknown_name", "'%s' is not known here: it is written %s", words[i][0], words[i][1]);
        lint_fix(lint, finding, node->from, node->to, "%s", words[i][1]);
        return true;
    }
    return false;
}

/* customer in a rule that does not take it: the parameters come in one order. */
static bool not_taken(struct lint *lint, const struct at_node *node) {
    static const char *const order[] = {"product", "customer", "page"};
    const struct lint_function *rule = lint_function_of(lint, node->function);
    const struct at_node *first = node->function ? node->function->list : NULL;
    int wanted = -1, had = -1;
    if (!rule || !rule->noun.length) return false;
    for (int i = 0; i < 3; i++)
        if (at_text_is(node->text, order[i])) wanted = i;
    const struct at_node *last = first;
    for (; last && last->next; last = last->next) {}
    struct lint_local *note = last ? lint_local_of(lint, last) : NULL;
    if (note && note->role) had = (int)note->role - LINT_PRODUCT;
    if (wanted < 0 || had < 0 || wanted <= had || had > 1) return false;
    const char *more = wanted == 2 && had == 0 ? ", customer, page" : wanted == 2 ? ", page" : ", customer";
    struct at_finding *finding =
        lint_error(lint, node, "unknown_name", "this function does not take '%s'", order[wanted]);
    lint_fix(lint, finding, last->to, last->to, "%s", more);
    struct at_text names = {lint->source.data + first->from, last->to - first->from};
    lint_hint(finding, "write function(%.*s%s)", (int)(names.length < 100 ? names.length : 100), names.data,
              more);
    return true;
}

/* Of locals with that name: the misspelt use is one. */
static void note_as_read(struct lint *lint, const char *name) {
    for (uint32_t i = 0; i < lint->local_count; i++)
        if (lint->locals[i].local && at_text_is(lint->locals[i].local->text, name)) lint->locals[i].reads++;
}

static void unknown(struct lint *lint, const struct at_node *node) {
    char name[64];
    short_name(node->text, name);
    if (foreign(lint, node) || not_taken(lint, node)) return;
    const char *near = at_suggest(name, lint->names, lint->name_count);
    if (near) note_as_read(lint, near);
    if (near && strcmp(near, name) == 0 &&
        node->kind == AT_NODE_NAME) { /* local x = x, or of another block */
        struct at_finding *finding =
            lint_error(lint, node, "unknown_name", "'%s' is not there: its local begins elsewhere", name);
        lint_hint(finding, "declare it before, where both can see it: local %s", name);
        return;
    }
    struct at_finding *finding =
        near ? lint_error(lint, node, "unknown_name", "unknown name '%s' — did you mean '%s'?", name, near)
             : lint_error(lint, node, "unknown_name", "unknown name '%s'", name);
    if (near)
        lint_fix(lint, finding, node->from, node->to, "%s", near);
    else if (node->mark == LINT_MAY_BE_TEXT) {
        lint_fix(lint, finding, node->from, node->to, "\"%s\"", name);
        lint_hint(finding, "a text stands in quotes: \"%s\"", name);
    }
}

static void name(struct lint *lint, struct at_node *node) {
    if (node->binding || node->mark == LINT_IS_TARGET || lint_is_word(lint, node->text)) return;
    if (is_unsure(lint, node->text)) return;
    for (uint32_t i = 0; i < lint->global_count; i++) /* its assignment is found */
        if (at_text_equal(lint->globals[i]->text, node->text)) return;
    unknown(lint, node);
}

static void local(struct lint *lint, struct at_node *node) {
    if (at_text_is(node->text, "_ENV")) unknown(lint, node); /* would change what every name means */
}

/* ---- where a text may be meant ---- */

static void mark_text(struct at_node *node) {
    if (node && node->kind == AT_NODE_NAME && !node->binding && !node->mark) node->mark = LINT_MAY_BE_TEXT;
}

static void of_comparison(struct lint *lint, struct at_node *node) {
    (void)lint;
    if (!at_text_is(node->text, "==") && !at_text_is(node->text, "~=")) return;
    mark_text(node->b);
}
static void of_method(struct lint *lint, struct at_node *node) {
    (void)lint;
    for (struct at_node *value = node->list; value; value = value->next) mark_text(value);
}
static void of_field(struct lint *lint, struct at_node *node) {
    (void)lint;
    if (node->a) mark_text(node->b);
}

/* ---- assignments ---- */

/* The statement is the only place of the file that makes it: a second time says nothing new. */
static bool is_first(const struct lint *lint, const struct at_node *target) {
    for (uint32_t i = 0; i < lint->global_count; i++)
        if (at_text_equal(lint->globals[i]->text, target->text)) return lint->globals[i] == target;
    return false;
}

static void assigned(struct lint *lint, const struct at_node *target, const struct at_node *statement) {
    char name[64];
    bool is_noun = false;
    short_name(target->text, name);
    for (const char *const *noun = lint->vocabulary->nouns; noun && *noun; noun++)
        is_noun |= at_text_is(target->text, *noun);
    if (!target->binding && is_unsure(lint, target->text)) return;
    if (!target->binding && lint_is_word(lint, target->text)) {
        lint_hint(lint_error(lint, target, "assigned_global",
                             "'%s' is a word of the language and cannot be set", name),
                  is_noun ? "to declare one write %s \"name\" { … }" : "choose another name: local my_%s = …",
                  name);
    } else if (!target->binding && is_first(lint, target)) {
        struct at_finding *finding =
            lint_error(lint, target, "assigned_global", "'%s' is not declared", name);
        bool is_alone = statement->kind == AT_NODE_FUNCTION_STATEMENT || !statement->list->next;
        if (is_alone) lint_fix(lint, finding, statement->from, statement->from, "local ");
        lint_hint(finding,
                  statement->kind == AT_NODE_ASSIGN ? "write local %s = …" : "write local function %s", name);
    } else if (target->binding && !target->binding->function && target->function &&
               !has_fault(lint, target->function)) {
        struct at_finding *finding = lint_error(
            lint, target, "assigned_outside",
            "'%s' belongs to the file: nothing lives in Lua between calls, so what a rule puts there is lost",
            name);
        lint_hint(finding, "declare it inside the function: local %s = …", name);
    }
}

static void assign(struct lint *lint, struct at_node *node) {
    for (struct at_node *target = node->list; target; target = target->next)
        if (target->kind == AT_NODE_NAME) assigned(lint, target, node);
}
static void function_statement(struct lint *lint, struct at_node *node) {
    if (!node->is_local && node->a && node->a->kind == AT_NODE_NAME) assigned(lint, node->a, node);
}

const struct lint_rule lint_words[] = {{AT_NODE_NAME, name},
                                       {AT_NODE_LOCAL, local},
                                       {AT_NODE_BINARY, of_comparison},
                                       {AT_NODE_METHOD, of_method},
                                       {AT_NODE_FIELD, of_field},
                                       {AT_NODE_ASSIGN, assign},
                                       {AT_NODE_FUNCTION_STATEMENT, function_statement},
                                       {0, NULL}};
