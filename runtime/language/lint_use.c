/* SPDX-License-Identifier: Apache-2.0
 *
 * What nobody uses (locals, helpers, modules), what hides a word of the language, what is declared twice.
 */
#include "language/lint.h"

#include <stdio.h>
#include <string.h>

/* ---- hiding ---- */

static void hides(struct lint *lint, struct at_node *node) {
    const struct lint_local *note = lint_local_of(lint, node);
    bool is_noun = at_text_in(node->text, lint->vocabulary->nouns);
    if (!note || (!is_noun && !at_text_in(node->text, lint->vocabulary->words))) return;
    struct at_text name = node->text;
    struct at_finding *finding =
        lint_warn(lint, node, "hides_a_word", "%s is a word of the language: from here on it is only this %s",
                  at_arena_printf(lint->findings->arena, "\"%.*s\"", (int)name.length, name.data),
                  note->origin == LINT_PARAMETER  ? "parameter"
                  : note->origin == LINT_FUNCTION ? "function"
                                                  : "local");
    lint_hint(finding, "choose another name: my_%.*s", (int)name.length, name.data);
}

/* ---- unused ---- */

static bool is_require(const struct at_node *value) {
    return value && value->kind == AT_NODE_CALL && value->a && value->a->kind == AT_NODE_NAME &&
           at_text_is(value->a->text, "require");
}

/* local ok, value = …: who reads the later one cannot take the earlier one out. */
static bool is_passed_over(const struct lint *lint, const struct lint_local *note) {
    for (const struct at_node *later = note->local->next; later; later = later->next) {
        const struct lint_local *other = lint_local_of(lint, later);
        if (other && other->reads) return true;
    }
    return false;
}

static void unused(struct lint *lint, const struct lint_local *note) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(note->local->text.length < 60 ? note->local->text.length : 60),
             note->local->text.data);
    bool is_function =
        note->origin == LINT_FUNCTION || (note->value && note->value->kind == AT_NODE_FUNCTION);
    if (is_require(note->value))
        lint_hint(lint_warn(lint, note->local, "unused", "the module \"%s\" is loaded and never used", name),
                  "take the line out, or use it: %s.…", name);
    else if (is_function)
        lint_hint(lint_warn(lint, note->local, "unused", "the function \"%s\" is never called", name),
                  "call it, or take it out");
    else if (note->writes)
        lint_hint(lint_warn(lint, note->local, "unused", "\"%s\" is set and never read", name),
                  "use it, or take it out");
    else
        lint_hint(lint_warn(lint, note->local, "unused", "\"%s\" is never used", name),
                  is_passed_over(lint, note) ? "use it, or write _ in its place" : "use it, or take it out");
}

void lint_unused(struct lint *lint) {
    for (uint32_t i = 0; i < lint->local_count; i++) {
        const struct lint_local *note = &lint->locals[i];
        bool is_due = note->local && (note->origin == LINT_LOCAL || note->origin == LINT_FUNCTION);
        if (is_due && !note->reads && note->local->text.data[0] != '_') unused(lint, note);
    }
}

/* ---- twice ---- */

static bool is_key(const struct at_node *field) {
    return field->kind == AT_NODE_FIELD && field->a && field->a->kind == AT_NODE_STRING;
}

static void twice_in_table(struct lint *lint, struct at_node *table) {
    for (struct at_node *field = table->list; field; field = field->next)
        for (struct at_node *before = table->list; is_key(field) && before != field; before = before->next) {
            if (!is_key(before) || !at_text_equal(before->a->text, field->a->text)) continue;
            lint_hint(lint_error(lint, field->a, "twice",
                                 "\"%.*s\" stands here a second time: line %u has it already",
                                 (int)field->a->text.length, field->a->text.data, before->a->line),
                      "keep one of them");
            break;
        }
}

static void says_nothing(struct lint *lint, struct at_node *node) {
    struct at_node *target = node->list, *value = node->list2;
    if (!target || target->next || !value || value->next || target->kind != value->kind) return;
    if (!at_text_equal(lint_cut(lint, target), lint_cut(lint, value))) return;
    struct at_text text = lint_cut(lint, target);
    lint_hint(lint_warn(lint, node, "says_nothing", "%.*s is set to itself: this changes nothing",
                        (int)(text.length < 60 ? text.length : 60), text.data),
              "take it out, or set another value");
}

const struct lint_rule lint_names[] = {
    {AT_NODE_LOCAL, hides}, {AT_NODE_TABLE, twice_in_table}, {AT_NODE_ASSIGN, says_nothing}, {0, NULL}};
