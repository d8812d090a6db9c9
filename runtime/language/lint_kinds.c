/* SPDX-License-Identifier: Apache-2.0
 *
 * What kind of value an expression gives, as far as its source says: literals, the words of the vocabulary,
 * the attributes of products (those of the catalog and of shop.lua).
 */
#include "language/lint.h"

#include <string.h>
#include "catalog/catalog.h"
#include "language/vocabulary.h"

bool lint_is_number(enum lint_kind kind) {
    return kind == KIND_NUMBER || kind == KIND_SHARE || kind == KIND_SPAN || kind == KIND_MOMENT;
}

const char *lint_kind_word(enum lint_kind kind) {
    static const char *const words[] = {[KIND_UNKNOWN] = "something",  [KIND_NIL] = "nothing",
                                        [KIND_NUMBER] = "a number",    [KIND_SHARE] = "a number from 0 to 1",
                                        [KIND_SPAN] = "a time",        [KIND_MOMENT] = "a moment",
                                        [KIND_TEXT] = "a text",        [KIND_BOOL] = "yes or no",
                                        [KIND_LIST] = "a list",        [KIND_TABLE] = "a list",
                                        [KIND_FUNCTION] = "a function"};
    return words[kind];
}

/* ---- what the vocabulary says ---- */

static enum lint_kind kind_of_type(struct at_text type) {
    static const struct {
        const char *type;
        enum lint_kind kind;
    } kinds[] = {{"Span", KIND_SPAN},     {"Moment", KIND_MOMENT}, {"Part", KIND_SHARE},
                 {"number", KIND_NUMBER}, {"string", KIND_TEXT},   {"boolean", KIND_BOOL},
                 {"List", KIND_LIST}};
    bool is_list;
    struct at_text core = at_type_core(type, &is_list), plain = at_type_plain(type, &is_list);
    for (size_t i = 0; i < AT_LENGTH(kinds) && !is_list; i++)
        if (at_text_is(core, kinds[i].type) || at_text_is(plain, kinds[i].type)) return kinds[i].kind;
    return KIND_UNKNOWN;
}

static struct at_text type_of_thing(const struct lint *lint, const struct at_node *node);

/* Whose fields and methods the expression has; NULL: not known from here. */
static const struct at_owner *owner_of(const struct lint *lint, const struct at_node *node) {
    static const char *const classes[] = {
        [LINT_PRODUCT] = "Product", [LINT_CUSTOMER] = "Customer", [LINT_PAGE] = "Page"};
    bool is_list;
    enum lint_role role = lint_role_of(lint, node);
    if (role != LINT_NOTHING) return at_owner_of(at_text_of(classes[role]));
    struct at_text plain = at_type_plain(type_of_thing(lint, node), &is_list);
    return plain.length && !is_list ? at_owner_of(plain) : NULL;
}

static struct at_text type_of_attribute(const struct lint *lint, struct at_text name) {
    static const char *const types[] = {[AT_ATTRIBUTE_NUMBER] = "number",
                                        [AT_ATTRIBUTE_BOOL] = "boolean",
                                        [AT_ATTRIBUTE_DATE] = "Moment",
                                        [AT_ATTRIBUTE_TEXT] = "string",
                                        [AT_ATTRIBUTE_LIST] = "List"};
    const struct at_root *root = lint->vocabulary->root;
    int attribute = root ? at_root_attribute(root, name.data, name.length) : -1;
    return attribute < 0 ? AT_TEXT("") : at_text_of(types[at_root_attribute_at(root, attribute)->kind]);
}

/* Of a field of a thing that is known; "" else. */
static struct at_text type_of_thing(const struct lint *lint, const struct at_node *node) {
    if (!node || node->kind != AT_NODE_INDEX || !node->a || !node->b) return AT_TEXT("");
    const struct at_owner *owner = owner_of(lint, node->a);
    if (!owner) return AT_TEXT("");
    const struct at_word *word = node->b->kind == AT_NODE_STRING ? at_word_of(owner, node->b->text) : NULL;
    if (word) return word->kind == AT_WORD_FIELD ? at_text_of(word->type) : AT_TEXT("");
    if (strcmp(owner->class_name, "Product") == 0 && node->b->kind == AT_NODE_STRING)
        return type_of_attribute(lint, node->b->text);
    return owner->rest ? at_text_of(owner->rest) : AT_TEXT("");
}

/* ---- calls and operators ---- */

static enum lint_kind kind_of_result(const struct at_word *word) {
    struct at_text first = {"", 0};
    if (word) at_type_piece(at_type_result(at_text_of(word->type)), 0, &first);
    return kind_of_type(first);
}

static enum lint_kind kind_of_call(const struct at_node *node) {
    if (!node->a || node->a->kind != AT_NODE_NAME || node->a->binding) return KIND_UNKNOWN;
    return kind_of_result(at_word_of(at_vocabulary(), node->a->text));
}

/* What any value can be asked means the same of all. */
static enum lint_kind kind_of_method(const struct lint *lint, const struct at_node *node) {
    const struct at_owner *owner = owner_of(lint, node->a);
    const struct at_word *word = owner ? at_word_of(owner, node->text) : NULL;
    return kind_of_result(word ? word : at_word_of(at_owner_of(AT_TEXT("number")), node->text));
}

/* A time less a time is a time, a moment less a moment too, half of it is one still. */
static enum lint_kind kind_of_sum(struct at_text sign, enum lint_kind a, enum lint_kind b) {
    if (a == KIND_TEXT || b == KIND_TEXT) return KIND_UNKNOWN; /* a mistake, told elsewhere */
    bool adds = at_text_is(sign, "+") || at_text_is(sign, "-");
    if (a == KIND_MOMENT && b == KIND_MOMENT) return at_text_is(sign, "-") ? KIND_SPAN : KIND_UNKNOWN;
    if (adds && (a == KIND_MOMENT || b == KIND_MOMENT)) return KIND_MOMENT;
    if (a == KIND_MOMENT || b == KIND_MOMENT) return KIND_UNKNOWN;
    if (a == KIND_SPAN && b == KIND_SPAN) return adds ? KIND_SPAN : KIND_NUMBER;
    bool is_part = at_text_is(sign, "*") || (at_text_is(sign, "/") && a == KIND_SPAN);
    if (a == KIND_SPAN || b == KIND_SPAN) return is_part ? KIND_SPAN : KIND_UNKNOWN;
    return KIND_NUMBER;
}

static enum lint_kind kind_of_binary(const struct lint *lint, const struct at_node *node) {
    static const char *const asks[] = {"==", "~=", "<", "<=", ">", ">=", NULL};
    static const char *const counts[] = {"+", "-", "*", "/", "%", "^", "//", NULL};
    if (at_text_in(node->text, asks)) return KIND_BOOL;
    if (at_text_is(node->text, "..")) return KIND_TEXT;
    if (!at_text_in(node->text, counts) || !node->a || !node->b) return KIND_UNKNOWN;
    return kind_of_sum(node->text, lint_kind_of(lint, node->a), lint_kind_of(lint, node->b));
}

enum lint_kind lint_kind_of(const struct lint *lint, const struct at_node *node) {
    if (!node) return KIND_UNKNOWN;
    switch (node->kind) {
    case AT_NODE_NIL: return KIND_NIL;
    case AT_NODE_TRUE:
    case AT_NODE_FALSE: return KIND_BOOL;
    case AT_NODE_NUMBER: return KIND_NUMBER;
    case AT_NODE_STRING: return KIND_TEXT;
    case AT_NODE_FUNCTION: return KIND_FUNCTION;
    case AT_NODE_TABLE: return KIND_TABLE;
    case AT_NODE_PAREN: return lint_kind_of(lint, node->a);
    case AT_NODE_INDEX: return kind_of_type(type_of_thing(lint, node));
    case AT_NODE_CALL: return kind_of_call(node);
    case AT_NODE_METHOD: return kind_of_method(lint, node);
    case AT_NODE_BINARY: return kind_of_binary(lint, node);
    case AT_NODE_UNARY:
        if (at_text_is(node->text, "not")) return KIND_BOOL;
        return at_text_is(node->text, "-") ? lint_kind_of(lint, node->a) : KIND_NUMBER;
    case AT_NODE_NAME: {
        const struct lint_local *local = lint_local_of(lint, node);
        bool is_steady = local && local->origin == LINT_LOCAL && !local->writes && local->value;
        return is_steady ? lint_kind_of(lint, local->value) : KIND_UNKNOWN;
    }
    default: return KIND_UNKNOWN;
    }
}

uint32_t lint_values_of(const struct lint *lint, const struct at_node *node, struct at_text *out,
                        uint32_t most) {
    return at_type_choices(type_of_thing(lint, node), out, most);
}
