/* SPDX-License-Identifier: Apache-2.0
 *
 * What kind of value an expression gives, as far as its source says: literals, the fields of customer and
 * page, the features and attributes of products (those of the catalog and of shop.lua), the words of the
 * language.
 */
#include "language/lint.h"

#include "catalog/catalog.h"

static const char *const intents[] = {"browse", "compare", "buy", NULL};
static const char *const answers[] = {"granted", "denied", "unknown", NULL};

static const struct field {
    const char *part, *name; /* part: NULL: of the customer itself */
    enum lint_kind kind;
    const char *const *values;
} customer_fields[] = {
    {NULL, "id", KIND_TEXT, NULL},
    {NULL, "email", KIND_TEXT, NULL},
    {NULL, "phone", KIND_TEXT, NULL},
    {NULL, "first_name", KIND_TEXT, NULL},
    {NULL, "last_name", KIND_TEXT, NULL},
    {NULL, "country", KIND_TEXT, NULL},
    {NULL, "locale", KIND_TEXT, NULL},
    {NULL, "timezone", KIND_TEXT, NULL},
    {NULL, "is_known", KIND_BOOL, NULL},
    {NULL, "is_returning", KIND_BOOL, NULL},
    {NULL, "has_ordered", KIND_BOOL, NULL},
    {"session", "started_at", KIND_MOMENT, NULL},
    {"session", "pages", KIND_NUMBER, NULL},
    {"session", "source", KIND_TEXT, NULL},
    {"session", "campaign", KIND_TEXT, NULL},
    {"session", "landing", KIND_TEXT, NULL},
    {"session", "device", KIND_TEXT, NULL},
    {"session", "referrer", KIND_TEXT, NULL},
    {"session", "is_live", KIND_BOOL, NULL},
    {"session", "intent", KIND_TEXT, intents},
    {"session", "intent_score", KIND_SHARE, NULL},
    {"acquired", "at", KIND_MOMENT, NULL},
    {"acquired", "source", KIND_TEXT, NULL},
    {"acquired", "campaign", KIND_TEXT, NULL},
    {"acquired", "landing", KIND_TEXT, NULL},
    {"orders", "count", KIND_NUMBER, NULL},
    {"orders", "revenue", KIND_NUMBER, NULL},
    {"orders", "average", KIND_NUMBER, NULL},
    {"orders", "first_at", KIND_MOMENT, NULL},
    {"orders", "last_at", KIND_MOMENT, NULL},
    {"orders", "since_last", KIND_SPAN, NULL},
    {"orders", "typical_interval", KIND_SPAN, NULL},
    {"basket", "count", KIND_NUMBER, NULL},
    {"basket", "value", KIND_NUMBER, NULL},
    {"basket", "url", KIND_TEXT, NULL},
    {"basket", "updated_at", KIND_MOMENT, NULL},
};
static const char *const page_texts[] = {"name", "category", "query", "url"};
static const char *const shares[] = {"affinity", "popularity", "trending", "conversion", "seen", "margin",
                                     "discount", "taste",      "together", "relevance",  "model"};

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

/* ---- fields ---- */

static const struct field *field_of(const struct lint *lint, const struct at_node *node) {
    if (node->kind != AT_NODE_INDEX || !node->is_dot || !node->a || !node->b) return NULL;
    const struct at_node *of = node->a;
    bool is_part = of->kind == AT_NODE_INDEX && of->is_dot && of->a && of->b;
    if (lint_role_of(lint, is_part ? of->a : of) != LINT_CUSTOMER) return NULL;
    for (size_t i = 0; i < AT_LENGTH(customer_fields); i++) {
        const struct field *field = &customer_fields[i];
        if (is_part != (field->part != NULL) || !at_text_is(node->b->text, field->name)) continue;
        if (!is_part || at_text_is(of->b->text, field->part)) return field;
    }
    return NULL;
}

static bool is_consent(const struct lint *lint, const struct at_node *node) {
    const struct at_node *of = node->kind == AT_NODE_INDEX ? node->a : NULL;
    return of && of->kind == AT_NODE_INDEX && of->b && at_text_is(of->b->text, "consent") &&
           lint_role_of(lint, of->a) == LINT_CUSTOMER;
}

static bool is_product(const struct lint *lint, const struct at_node *node) {
    if (lint_role_of(lint, node) == LINT_PRODUCT) return true;
    return node->kind == AT_NODE_INDEX && node->b && at_text_is(node->b->text, "product") &&
           lint_role_of(lint, node->a) == LINT_PAGE;
}

static enum lint_kind kind_of_attribute(const struct lint *lint, struct at_text name) {
    static const enum lint_kind kinds[] = {[AT_ATTRIBUTE_NUMBER] = KIND_NUMBER,
                                           [AT_ATTRIBUTE_BOOL] = KIND_BOOL,
                                           [AT_ATTRIBUTE_DATE] = KIND_MOMENT,
                                           [AT_ATTRIBUTE_TEXT] = KIND_TEXT,
                                           [AT_ATTRIBUTE_LIST] = KIND_LIST};
    const struct at_root *root = lint->vocabulary->root;
    for (size_t i = 0; i < AT_LENGTH(shares); i++)
        if (at_text_is(name, shares[i])) return KIND_SHARE;
    if (at_text_is(name, "age")) return KIND_SPAN;
    if (at_text_is(name, "bought")) return KIND_NUMBER;
    if (at_text_is(name, "id")) return KIND_TEXT;
    int attribute = root ? at_root_attribute(root, name.data, name.length) : -1;
    return attribute < 0 ? KIND_UNKNOWN : kinds[at_root_attribute_at(root, attribute)->kind];
}

static enum lint_kind kind_of_index(const struct lint *lint, const struct at_node *node) {
    const struct field *field = field_of(lint, node);
    if (field) return field->kind;
    if (!node->a || !node->b) return KIND_UNKNOWN;
    if (is_consent(lint, node)) return KIND_TEXT;
    bool is_named = node->b->kind == AT_NODE_STRING;
    if (is_named && is_product(lint, node->a)) return kind_of_attribute(lint, node->b->text);
    if (is_named && lint_role_of(lint, node->a) == LINT_PAGE)
        for (size_t i = 0; i < AT_LENGTH(page_texts); i++)
            if (at_text_is(node->b->text, page_texts[i])) return KIND_TEXT;
    return KIND_UNKNOWN;
}

/* ---- calls and operators ---- */

static enum lint_kind kind_of_call(const struct at_node *node) {
    static const struct {
        const char *word;
        enum lint_kind kind;
    } words[] = {{"min", KIND_NUMBER},     {"max", KIND_NUMBER},    {"clamp", KIND_NUMBER},
                 {"log", KIND_NUMBER},     {"sqrt", KIND_NUMBER},   {"normalize", KIND_NUMBER},
                 {"rank_of", KIND_NUMBER}, {"all", KIND_BOOL},      {"any", KIND_BOOL},
                 {"no", KIND_BOOL},        {"seconds", KIND_SPAN},  {"minutes", KIND_SPAN},
                 {"hours", KIND_SPAN},     {"days", KIND_SPAN},     {"weeks", KIND_SPAN},
                 {"now", KIND_MOMENT},     {"tostring", KIND_TEXT}, {"type", KIND_TEXT}};
    if (!node->a || node->a->kind != AT_NODE_NAME || node->a->binding) return KIND_UNKNOWN;
    for (size_t i = 0; i < AT_LENGTH(words); i++)
        if (at_text_is(node->a->text, words[i].word)) return words[i].kind;
    return KIND_UNKNOWN;
}

static enum lint_kind kind_of_method(const struct lint *lint, const struct at_node *node) {
    static const char *const asks[] = {"above",  "below",  "at_least", "at_most", "between",    "is",
                                       "is_not", "one_of", "contains", "did",     "in_segment", "may"};
    if (at_text_is(node->text, "count") && lint_role_of(lint, node->a) == LINT_CUSTOMER) return KIND_NUMBER;
    for (size_t i = 0; i < AT_LENGTH(asks); i++)
        if (at_text_is(node->text, asks[i])) return KIND_BOOL;
    return KIND_UNKNOWN;
}

static bool is_one_of(struct at_text text, const char *const *list) {
    for (; *list; list++)
        if (at_text_is(text, *list)) return true;
    return false;
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
    if (is_one_of(node->text, asks)) return KIND_BOOL;
    if (at_text_is(node->text, "..")) return KIND_TEXT;
    if (!is_one_of(node->text, counts) || !node->a || !node->b) return KIND_UNKNOWN;
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
    case AT_NODE_INDEX: return kind_of_index(lint, node);
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

const char *const *lint_values_of(const struct lint *lint, const struct at_node *node) {
    const struct field *field = field_of(lint, node);
    if (field) return field->values;
    return is_consent(lint, node) ? answers : NULL;
}
