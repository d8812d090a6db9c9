/* SPDX-License-Identifier: Apache-2.0
 *
 * Static check of the fields a rule reads of product, customer and page, in branches that rarely run too:
 * unknown ones get a suggestion, those of later versions are refused by name. An unknown attribute is a
 * warning while the catalog is empty.
 */
#include <string.h>
#include "base/utf8.h"
#include "language/state.h"

static const char *const customer_fields[] = {
    "id",       "email",    "phone",        "first_name",  "last_name", "country",  "locale",     "timezone",
    "traits",   "is_known", "is_returning", "has_ordered", "session",   "acquired", "orders",     "basket",
    "affinity", "consent",  "may",          "count",       "did",       "last",     "in_segment", NULL};
static const char *const session_fields[] = {"started_at", "pages",        "source",   "campaign",
                                             "landing",    "device",       "referrer", "is_live",
                                             "intent",     "intent_score", NULL};
static const char *const acquired_fields[] = {"at", "source", "campaign", "landing", NULL};
static const char *const orders_fields[] = {"count",   "revenue",    "average",          "first_at",
                                            "last_at", "since_last", "typical_interval", NULL};
static const char *const basket_fields[] = {"items", "first", "count", "value", "url", "updated_at", NULL};
static const char *const page_fields[] = {"name", "product", "category", "query", "url", NULL};
static const char *const later_fields[] = {"predicted", "granted", "variant", "last", NULL};
static const char *const learner_features[] = {"taste", "together", "relevance", "model", NULL};

struct checking {
    struct at_build *build;
    const char *path;
    const struct at_node *roles[ROLE_COUNT]; /* the parameters */
};

static bool is_in(struct at_text name, const char *const *names) {
    for (; *names; names++)
        if (at_text_is(name, *names)) return true;
    return false;
}

static const char *text_of(struct at_build *build, struct at_text text) {
    const char *kept = at_arena_dup(build->arena, text.data, text.length);
    return kept ? kept : "";
}

static void suggest(struct checking *checking, const struct at_node *at, const char *what,
                    const char *const *known, size_t count) {
    const char *name = text_of(checking->build, at->text);
    const char *nearest = at_suggest(name, known, count);
    if (nearest)
        add_finding(checking->build, checking->path, at, false, "unknown_field",
                    "%s has no field \"%s\" — did you mean \"%s\"?", what, name, nearest);
    else
        add_finding(checking->build, checking->path, at, false, "unknown_field", "%s has no field \"%s\"",
                    what, name);
}

static void check_product_field(struct checking *checking, const struct at_node *key) {
    const struct at_root *root = checking->build->root;
    struct at_text name = key->text;
    if (is_in(name, learner_features)) {
        add_finding(checking->build, checking->path, key, true, "no_learner",
                    "product.%s is 0 everywhere: what learns it is not in this version",
                    text_of(checking->build, name));
        return;
    }
    if (is_feature(name.data, name.length) || is_in(name, at_method_names)) return;
    if (root && at_root_attribute(root, name.data, name.length) >= 0) return;
    if (!root || at_root_rows(root) == 0) {
        add_finding(checking->build, checking->path, key, true, "unknown_attribute",
                    "no product has an attribute \"%s\" yet", text_of(checking->build, name));
        return;
    }
    const char *known[AT_SLOT_MAX];
    size_t count = 0;
    for (; at_feature_names[count]; count++) known[count] = at_feature_names[count];
    for (int i = 0; i < at_root_attribute_count(root) && count < AT_SLOT_MAX; i++)
        known[count++] = at_root_attribute_at(root, i)->name;
    suggest(checking, key, "a product", known, count);
}

static void check_named(struct checking *checking, const struct at_node *key, const char *what,
                        const char *const *known) {
    if (is_in(key->text, known)) return;
    if (is_in(key->text, later_fields)) {
        add_finding(checking->build, checking->path, key, false, "not_in_this_version",
                    "%s.%s is not in this version", what, text_of(checking->build, key->text));
        return;
    }
    size_t count = 0;
    while (known[count]) count++;
    suggest(checking, key, what, known, count);
}

static enum role role_of(const struct checking *checking, const struct at_node *node) {
    if (!node || node->kind != AT_NODE_NAME || !node->binding) return ROLE_COUNT;
    int role = 0;
    while (role < ROLE_COUNT && checking->roles[role] != node->binding) role++;
    return (enum role)role;
}

static void check_part(struct checking *checking, const struct at_node *node) {
    const struct at_node *part = node->a;
    if (part->kind != AT_NODE_INDEX || !part->is_dot || role_of(checking, part->a) != ROLE_CUSTOMER) return;
    if (at_text_is(part->b->text, "session"))
        check_named(checking, node->b, "customer.session", session_fields);
    if (at_text_is(part->b->text, "acquired"))
        check_named(checking, node->b, "customer.acquired", acquired_fields);
    if (at_text_is(part->b->text, "orders")) check_named(checking, node->b, "customer.orders", orders_fields);
    if (at_text_is(part->b->text, "basket")) check_named(checking, node->b, "customer.basket", basket_fields);
}

static bool visit(void *arg, struct at_node *node) {
    struct checking *checking = arg;
    if (node->kind == AT_NODE_METHOD && role_of(checking, node->a) == ROLE_CUSTOMER) {
        struct at_node key = *node;
        check_named(checking, &key, "customer", customer_fields);
        check_event_words(checking->build, checking->path, node);
    }
    if (node->kind != AT_NODE_INDEX || !node->is_dot) return true;
    switch (role_of(checking, node->a)) {
    case ROLE_PRODUCT: check_product_field(checking, node->b); break;
    case ROLE_CUSTOMER: check_named(checking, node->b, "customer", customer_fields); break;
    case ROLE_PAGE: check_named(checking, node->b, "page", page_fields); break;
    case ROLE_COUNT: check_part(checking, node); break;
    }
    return true;
}

void check_fields(struct at_build *build, const char *path, struct at_node *function, enum role first) {
    struct checking checking = {.build = build, .path = path};
    struct at_node *parameter = function->list;
    for (int i = (int)first; parameter && i < ROLE_COUNT; i++, parameter = parameter->next)
        checking.roles[i] = parameter;
    at_node_walk(function->body, visit, &checking);
}
