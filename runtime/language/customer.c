/* SPDX-License-Identifier: Apache-2.0
 *
 * The customer's and the page's views, and taste: what of a profile the rules of this version can read. Words
 * of the language that come with later versions are refused by name.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "language/state.h"
#include "profile/rhythm.h"
#include "profile/stated.h"

static int push_text(lua_State *L, struct at_text text) {
    if (text.length)
        lua_pushlstring(L, text.data, text.length);
    else
        lua_pushnil(L);
    return 1;
}

static int push_moment(lua_State *L, int64_t ms) {
    if (ms)
        lua_pushnumber(L, (double)ms);
    else
        lua_pushnil(L);
    return 1;
}

static bool is(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

/* A word that has another name now is read by that; what is none raises. */
static int index_again(lua_State *L, const char *class_name, const char *name,
                       int (*index)(lua_State *L, const char *name)) {
    const char *now = name_now(class_name, name);
    return now ? index(L, now) : raise_field(L, class_name, name);
}

/* ---- traits: read out of the profile's JSON; nested values become plain read-only copies ---- */

static void push_nested(lua_State *L, struct at_json value, int depth) {
    double number;
    bool truth;
    struct at_text text = at_json_text(value);
    if (text.data)
        lua_pushlstring(L, text.data, text.length);
    else if (at_json_number(value, &number))
        lua_pushnumber(L, number);
    else if (at_json_bool(value, &truth))
        lua_pushboolean(L, truth);
    else if ((at_json_is_object(value) || at_json_is_array(value)) && depth < 8) {
        luaL_checkstack(L, 4, "traits");
        lua_newtable(L);
        lua_Integer at = 1;
        struct at_json_each it = at_json_each(value);
        while (at_json_next(&it)) {
            if (it.is_object)
                lua_pushlstring(L, it.key.data, it.key.length);
            else
                lua_pushinteger(L, at++);
            push_nested(L, it.value, depth + 1);
            lua_rawset(L, -3);
        }
    } else {
        lua_pushnil(L);
    }
}

void push_json(lua_State *L, struct at_json value) {
    push_nested(L, value, 0);
}

/* A text that was said of a facet, unless the shop never uses it. */
static void add_stated(lua_State *L, struct at_text facet, struct at_json value) {
    const struct at_settings *settings = language_of(L)->settings;
    struct at_text text = at_json_text(value);
    if (!text.length || (settings && at_consent_never_uses(&settings->consent, facet, text))) return;
    lua_pushlstring(L, text.data, text.length);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* likes and dislikes read as { brand = { "Acme" } } for everybody, also where a value stands without its
 * list; of another shape they are nil: one person's odd trait must not fail a rule. */
static void push_stated(lua_State *L, struct at_json trait) {
    if (!at_json_is_object(trait)) return lua_pushnil(L);
    struct at_json_each facets = at_json_each(trait);
    lua_newtable(L);
    while (at_json_next(&facets)) {
        struct at_json_each values = at_json_each(facets.value);
        lua_pushlstring(L, facets.key.data, facets.key.length);
        lua_newtable(L);
        add_stated(L, facets.key, facets.value);
        while (at_json_is_array(facets.value) && at_json_next(&values))
            add_stated(L, facets.key, values.value);
        set_list_methods(L);
        lua_rawset(L, -3);
    }
}

static int push_trait(lua_State *L, const char *name) {
    struct at_language *language = language_of(L);
    struct at_text traits = language->view->profile->traits;
    struct at_json root;
    if (never_uses(L, "traits", name)) return lua_pushnil(L), 1;
    if (traits.length <= 2 ||
        at_json_parse(language->traits_parser, traits.data, traits.length, false, &root, NULL) != AT_OK)
        return lua_pushnil(L), 1;
    struct at_json trait = at_json_get(root, name);
    if (is(name, at_stated_trait(true)) || is(name, at_stated_trait(false)))
        push_stated(L, trait);
    else
        push_json(L, trait);
    return 1;
}

static struct at_text identifier_of(const struct at_profile *profile, const char *kind) {
    for (uint32_t i = profile->identifier_count; i-- > 0;)
        if (at_text_is(profile->identifiers[i].kind, kind)) return profile->identifiers[i].value;
    return (struct at_text){NULL, 0};
}

/* ---- customer ---- */

static bool is_known_person(const struct at_profile *profile) {
    return identifier_of(profile, "user_id").length || identifier_of(profile, "email").length ||
           identifier_of(profile, "phone").length;
}

static int push_part(lua_State *L, const char *name) {
    static const struct {
        const char *name;
        enum view_kind kind;
    } parts[] = {{"traits", VIEW_TRAITS},  {"session", VIEW_SESSION}, {"acquired", VIEW_ACQUIRED},
                 {"orders", VIEW_ORDERS},  {"basket", VIEW_BASKET},   {"affinity", VIEW_AFFINITY},
                 {"consent", VIEW_CONSENT}};
    for (size_t i = 0; i < AT_LENGTH(parts); i++) {
        if (!is(name, parts[i].name)) continue;
        push_view(L, parts[i].kind, 0);
        return 1;
    }
    return 0;
}

static int push_method(lua_State *L, const char *name) {
    static const luaL_Reg methods[] = {{"may", l_may},     {"in_segment", l_in_segment},
                                       {"count", l_count}, {"did", l_did},
                                       {"last", l_last},   {NULL, NULL}};
    for (const luaL_Reg *method = methods; method->name; method++)
        if (is(name, method->name)) return lua_pushcfunction(L, method->func), 1;
    return 0;
}

static int index_person(lua_State *L, const char *name) {
    const struct at_profile *profile = language_of(L)->view->profile;
    bool is_plain = language_of(L)->view->is_plain;
    if (push_part(L, name) || push_method(L, name)) return 1;
    if (is_plain && (is(name, "is_returning") || is(name, "has_ordered"))) return lua_pushnil(L), 1;
    if (is(name, "is_known")) return lua_pushboolean(L, is_known_person(profile)), 1;
    if (is(name, "is_returning")) return lua_pushboolean(L, profile->sessions > 1), 1;
    if (is(name, "has_ordered")) return lua_pushboolean(L, profile->orders.count > 0), 1;
    if (is(name, "email") || is(name, "phone")) return push_text(L, identifier_of(profile, name));
    if (is(name, "country")) return push_text(L, profile->country);
    if (is(name, "locale")) return push_text(L, profile->locale);
    if (is(name, "timezone")) return push_text(L, profile->timezone);
    if (is(name, "first_name") || is(name, "last_name")) return push_trait(L, name);
    if (is(name, "id")) {
        char id[AT_PERSON_ID_SIZE];
        at_person_id_format(profile->person, id);
        if (profile->person)
            lua_pushstring(L, id);
        else
            lua_pushnil(L);
        return 1;
    }
    return index_again(L, "Customer", name, index_person);
}

/* ---- session and acquired ---- */

/* What somebody is here for, from what they did in this visit: a basket being filled is buying; four products
 * looked at, or a third of the actions views of products, is comparing. */
static const char *intent_of(const struct at_profile *profile, int64_t now_ms, double *score) {
    bool is_live = now_ms - profile->visit.last_ms < AT_SESSION_GAP_MS;
    uint32_t views = 0;
    for (uint32_t i = 0; i < profile->product_count; i++)
        views += profile->products[i].viewed_at_ms >= profile->visit.started_ms &&
                 profile->products[i].viewed_at_ms > 0;
    bool has_basket = profile->basket_count && profile->basket_updated_ms >= profile->visit.started_ms;
    *score = !is_live ? 0 : has_basket ? 0.8 : views >= 4 ? 0.5 : 0.1;
    if (is_live && has_basket) return "buy";
    return is_live && views >= 4 ? "compare" : "browse";
}

static int index_session(lua_State *L, const char *name) {
    const struct at_decision_view *view = language_of(L)->view;
    const struct at_visit *visit = &view->profile->visit;
    double score;
    if (is(name, "started_at")) return push_moment(L, visit->started_ms);
    if (is(name, "source")) return push_text(L, visit->source);
    if (is(name, "campaign")) return push_text(L, visit->campaign);
    if (is(name, "landing")) return push_text(L, visit->landing);
    if (is(name, "device")) return push_text(L, visit->device);
    if (is(name, "referrer")) return push_text(L, visit->referrer);
    bool is_prediction = is(name, "intent") || is(name, "intent_score");
    if (view->is_plain && is_prediction) return lua_pushnil(L), 1;
    if (is(name, "pages")) return lua_pushnumber(L, visit->pages), 1;
    if (is_prediction || is(name, "is_live")) reads_until(L, at_visit_until(view->profile, view->now_ms));
    if (is(name, "is_live"))
        return lua_pushboolean(L, view->profile->last_seen_ms &&
                                      view->now_ms - visit->last_ms < AT_SESSION_GAP_MS),
               1;
    if (is(name, "intent")) return lua_pushstring(L, intent_of(view->profile, view->now_ms, &score)), 1;
    if (is(name, "intent_score"))
        return intent_of(view->profile, view->now_ms, &score), lua_pushnumber(L, score), 1;
    return index_again(L, "Session", name, index_session);
}

/* Of whom nothing may be learned the profile at hand has no first visit. */
static int index_acquired(lua_State *L, const char *name) {
    const struct at_acquired *first = &language_of(L)->view->profile->acquired;
    if (is(name, "at")) return push_moment(L, first->at_ms);
    if (is(name, "source")) return push_text(L, at_acquired_source(first));
    if (is(name, "campaign")) return push_text(L, first->campaign);
    if (is(name, "landing")) return push_text(L, first->landing);
    return index_again(L, "Acquired", name, index_acquired);
}

/* ---- orders and basket ---- */

/* Since the last that counted, as last_at has it: a span that grows with every millisecond. */
static int push_since_last(lua_State *L, int64_t last_ms) {
    if (!last_ms) return lua_pushnil(L), 1;
    push_since(L, last_ms);
    return 1;
}

/* Drawn towards the shop's, which moves when it will: whoever keeps segments asks everybody again then, if
 * the source shows that they read it. */
static int push_typical_interval(lua_State *L) {
    const struct at_language *language = language_of(L);
    const struct at_decision_view *view = language->view;
    const struct at_zone *zone = language->settings ? language->settings->zone : NULL;
    int64_t interval_ms =
        at_rhythm_interval_ms(at_rhythm_of(view->profile, zone), at_baseline_shop_days(view->baseline));
    if (!language->generation->reads_interval) reads_blindly(L);
    if (!interval_ms || view->is_plain) return lua_pushnil(L), 1;
    return lua_pushnumber(L, (double)interval_ms), 1;
}

static int index_orders(lua_State *L, const char *name) {
    const struct at_profile *profile = language_of(L)->view->profile;
    double revenue = profile->orders.revenue - profile->orders.refunded;
    bool is_history = is(name, "count") || is(name, "revenue") || is(name, "average");
    if (language_of(L)->view->is_plain && is_history) return lua_pushnil(L), 1;
    if (is(name, "count")) return lua_pushnumber(L, (double)profile->orders.count), 1;
    if (is(name, "revenue")) return lua_pushnumber(L, revenue), 1;
    if (is(name, "average"))
        return lua_pushnumber(L, profile->orders.count ? revenue / (double)profile->orders.count : 0), 1;
    if (is(name, "first_at")) return push_moment(L, profile->orders.first_ms);
    if (is(name, "last_at")) return push_moment(L, profile->orders.last_ms);
    if (is(name, "since_last")) return push_since_last(L, profile->orders.last_ms);
    if (is(name, "typical_interval")) return push_typical_interval(L);
    return index_again(L, "Orders", name, index_orders);
}

static int push_line_product(lua_State *L, struct at_text product) {
    struct at_language *language = language_of(L);
    uint32_t row = at_root_row(language->view->root, product.data, product.length);
    if (row == AT_ROW_NONE) return lua_pushnil(L), 1;
    for (uint32_t i = 1; i < language->row_count; i++)
        if (language->rows[i] == row) return push_view(L, VIEW_PRODUCT, i), 1;
    if (language->row_count == AT_LENGTH(language->rows)) return lua_pushnil(L), 1;
    language->rows[language->row_count] = row;
    push_view(L, VIEW_PRODUCT, language->row_count++);
    return 1;
}

void push_line(lua_State *L, struct at_text product, double quantity, double price) {
    lua_createtable(L, 0, 3);
    push_line_product(L, product);
    lua_setfield(L, -2, "product");
    lua_pushnumber(L, quantity);
    lua_setfield(L, -2, "quantity");
    if (at_is_missing(price)) return;
    lua_pushnumber(L, price);
    lua_setfield(L, -2, "price");
}

static int push_lines(lua_State *L, const struct at_profile *profile) {
    lua_createtable(L, (int)profile->basket_count, 0);
    for (uint32_t i = 0; i < profile->basket_count; i++) {
        push_line(L, profile->basket[i].product, profile->basket[i].quantity, profile->basket[i].price);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int index_basket(lua_State *L, const char *name) {
    const struct at_profile *profile = language_of(L)->view->profile;
    if (is(name, "items")) return push_lines(L, profile);
    if (is(name, "first"))
        return profile->basket_count ? push_line_product(L, profile->basket[0].product) : (lua_pushnil(L), 1);
    if (is(name, "count")) return lua_pushnumber(L, profile->basket_count), 1;
    if (is(name, "value")) return lua_pushnumber(L, at_basket_value(profile)), 1;
    if (is(name, "url")) return push_text(L, profile->basket_url);
    if (is(name, "updated_at")) return push_moment(L, profile->basket_updated_ms);
    return index_again(L, "Basket", name, index_basket);
}

/* ---- taste ---- */

static void nomem(lua_State *L) {
    at_script_raise(L, "out of memory");
}

static const struct at_tastes *tastes_of(lua_State *L) {
    struct at_decision_view *view = language_of(L)->view;
    reads_blindly(L); /* they fade, and what everyone likes moves */
    if (personal_tastes(view) != AT_OK) nomem(L);
    return &view->tastes;
}

double affinity_of(lua_State *L, struct at_text facet, struct at_text value) {
    return at_tastes_of(tastes_of(L), facet, value);
}

int column_of_facet(lua_State *L, const char *facet, int column) {
    struct at_language *language = language_of(L);
    int attribute = language->program.nodes[column].attribute;
    if (language->program.nodes[column].op != AT_OP_CODE) need_rows(L);
    const struct at_tastes *tastes = tastes_of(L);
    const struct at_facet_taste *found = NULL;
    for (uint32_t i = 0; i < tastes->facet_count; i++)
        if (at_text_is(tastes->facets[i].facet, facet)) found = &tastes->facets[i];
    double *table = personal_table(language->view, found, attribute);
    if (!table) nomem(L);
    int node = at_program_add(&language->program, AT_OP_BY_CODE, AT_COLUMN_NUMBER);
    if (node < 0) return node;
    language->program.nodes[node].attribute = attribute;
    language->program.nodes[node].by_code = table;
    return node;
}

static int l_top(lua_State *L) {
    uint32_t index;
    enum view_kind kind = view_at(L, 1, &index);
    if (kind != VIEW_FACET) return at_script_raise(L, "write customer.affinity.category:top(3)");
    const char *name = language_of(L)->facet_names[index];
    lua_Integer wanted = luaL_optinteger(L, 2, 3);
    const struct at_tastes *tastes = tastes_of(L);
    lua_newtable(L);
    for (uint32_t i = 0; i < tastes->facet_count; i++) {
        const struct at_facet_taste *facet = &tastes->facets[i];
        if (!at_text_is(facet->facet, name)) continue;
        for (uint32_t k = 0; k < facet->count - facet->disliked && k < wanted; k++) {
            struct at_text value = tastes->values[facet->first + k].value;
            lua_pushlstring(L, value.data, value.length);
            lua_rawseti(L, -2, (lua_Integer)k + 1);
        }
    }
    return 1;
}

static int index_facet(lua_State *L, uint32_t index) {
    uint32_t node;
    const char *facet = language_of(L)->facet_names[index];
    if (lua_isnil(L, 2)) return lua_pushnumber(L, 0), 1;
    if (lua_type(L, 2) == LUA_TLIGHTUSERDATA && view_at(L, 2, &node) == VIEW_COLUMN) {
        push_node(L, column_of_facet(L, facet, (int)node));
        return 1;
    }
    size_t length;
    const char *value = luaL_checklstring(L, 2, &length);
    if (is(value, "top")) return lua_pushcfunction(L, l_top), 1;
    lua_pushnumber(L, affinity_of(L, at_text_of(facet), (struct at_text){value, length}));
    return 1;
}

static int index_affinity(lua_State *L, const char *name) {
    struct at_language *language = language_of(L);
    const struct at_root *root = language->view->root;
    int attribute = at_root_attribute(root, name, strlen(name));
    if (attribute < 0 && at_root_rows(root) > 0)
        return at_script_raise(L, "customer.affinity.%s: no product has an attribute \"%s\"", name, name);
    const char *kept = attribute < 0 ? at_arena_dup(language->view->arena, name, strlen(name))
                                     : at_root_attribute_at(root, attribute)->name;
    if (!kept || language->facet_count == AT_LENGTH(language->facet_names))
        return at_script_raise(L, "too many facets in one rule");
    for (uint32_t i = 0; i < language->facet_count; i++)
        if (is(language->facet_names[i], kept)) return push_view(L, VIEW_FACET, i), 1;
    language->facet_names[language->facet_count] = kept;
    push_view(L, VIEW_FACET, language->facet_count++);
    return 1;
}

/* ---- dispatch ---- */

int index_customer(lua_State *L, enum view_kind kind, uint32_t index) {
    language_of(L)->reads_context = true;
    if (kind == VIEW_FACET) return index_facet(L, index);
    const char *name = luaL_checkstring(L, 2);
    switch (kind) {
    case VIEW_CUSTOMER: return index_person(L, name);
    case VIEW_TRAITS: return push_trait(L, name);
    case VIEW_SESSION: return index_session(L, name);
    case VIEW_ACQUIRED: return index_acquired(L, name);
    case VIEW_ORDERS: return index_orders(L, name);
    case VIEW_BASKET: return index_basket(L, name);
    case VIEW_AFFINITY: return index_affinity(L, name);
    case VIEW_CONSENT: return index_consent(L, name);
    case VIEW_EVENT: return index_event(L, index, name);
    default: return at_script_raise(L, "nothing to read here");
    }
}

static int index_page_name(lua_State *L, const char *name) {
    const struct at_decision_view *view = language_of(L)->view;
    if (is(name, "name")) return push_text(L, view->page_name);
    if (is(name, "category")) return push_text(L, view->page_category);
    if (is(name, "query")) return push_text(L, view->page_query);
    if (is(name, "url")) return push_text(L, view->page_url);
    if (is(name, "product")) {
        if (view->page_product == AT_ROW_NONE) return lua_pushnil(L), 1;
        struct at_text id = at_root_id(view->root, view->page_product);
        return push_line_product(L, id);
    }
    return index_again(L, "Page", name, index_page_name);
}

int index_page(lua_State *L) {
    language_of(L)->reads_context = true;
    return index_page_name(L, luaL_checkstring(L, 2));
}
