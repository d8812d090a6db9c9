/* SPDX-License-Identifier: Apache-2.0
 *
 * What product.NAME means, both ways: one product's value as a Lua value, or the node that loads it for all.
 * The features the runtime keeps are 0 where nothing is known; catalog attributes are nil where they are
 * missing.
 */
#include <string.h>
#include "base/utf8.h"
#include "language/state.h"

enum feature {
    FEATURE_AFFINITY,
    FEATURE_POPULARITY,
    FEATURE_TRENDING,
    FEATURE_CONVERSION,
    FEATURE_SEEN,
    FEATURE_BOUGHT,
    FEATURE_MARGIN,
    FEATURE_DISCOUNT,
    FEATURE_AGE,
    FEATURE_TASTE,
    FEATURE_TOGETHER,
    FEATURE_RELEVANCE,
    FEATURE_MODEL,
    FEATURE_ID,
    FEATURE_NONE
};
const char *const at_feature_names[] = {"affinity", "popularity", "trending", "conversion", "seen",
                                        "bought",   "margin",     "discount", "age",        "taste",
                                        "together", "relevance",  "model",    "id",         NULL};

static enum feature feature_of(const char *name, size_t length) {
    for (int i = 0; at_feature_names[i]; i++)
        if (strlen(at_feature_names[i]) == length && memcmp(at_feature_names[i], name, length) == 0)
            return (enum feature)i;
    return FEATURE_NONE;
}

static int raise_unknown(lua_State *L, const struct at_root *root, const char *name) {
    const struct at_owner *product = at_owner_of(AT_TEXT("Product"));
    const char *names[AT_ATTRIBUTE_MAX];
    size_t count = 0;
    for (int i = 0; i < at_root_attribute_count(root) && count < AT_LENGTH(names); i++)
        names[count++] = at_root_attribute_at(root, i)->name;
    const char *nearest = at_word_near(product, name, names, count);
    if (nearest)
        return at_script_raise(L, "a product has no attribute \"%s\" — did you mean \"%s\"?", name, nearest);
    return at_script_raise(L, "a product has no attribute \"%s\"", name);
}

/* What the name at 2 is: *feature, or else an attribute's id; -1 if the catalog is still empty. Raises for a
 * name no product ever had. */
static int attribute_of(lua_State *L, enum feature *feature) {
    size_t length;
    const char *name = luaL_checklstring(L, 2, &length), *now;
    const struct at_root *root = language_of(L)->view->root;
    *feature = feature_of(name, length);
    if (*feature != FEATURE_NONE) return -1;
    int attribute = at_root_attribute(root, name, length);
    if (attribute >= 0) return attribute;
    if ((now = name_now("Product", name)) != NULL) /* a feature that has another name now */
        *feature = feature_of(now, strlen(now));
    else if (at_root_rows(root) > 0)
        raise_unknown(L, root, name);
    return -1;
}

static int counted_of(enum feature feature) {
    if (feature == FEATURE_POPULARITY) return AT_COUNTED_POPULARITY;
    return feature == FEATURE_TRENDING ? AT_COUNTED_TRENDING : AT_COUNTED_CONVERSION;
}

/* ---- one product ---- */

static void push_number(lua_State *L, double value) {
    if (at_is_missing(value))
        lua_pushnil(L);
    else
        lua_pushnumber(L, value);
}

static const struct at_by_row *met_rows(lua_State *L, enum met_kind kind) {
    const struct at_by_row *rows = personal_rows(language_of(L), kind);
    if (!rows) at_script_raise(L, "out of memory");
    return rows;
}

static double affinity_of_row(lua_State *L, uint32_t row) {
    struct at_language *language = language_of(L);
    if (personal_facets(language) != AT_OK) at_script_raise(L, "out of memory");
    return at_scalar_taste(language->view->root, language->view->facets, language->view->facet_count, row);
}

static double counted_value(const struct at_root *root, int which, uint32_t row) {
    const float *chunk = at_root_counted(root, (enum at_counted)which, row >> AT_CHUNK_SHIFT);
    return chunk ? (double)chunk[row & (AT_CHUNK_ROWS - 1)] : 0;
}

static double attribute_or_zero(const struct at_root *root, const char *name, uint32_t row) {
    int attribute = at_root_attribute(root, name, strlen(name));
    double value = attribute < 0 ? at_missing() : at_root_number(root, attribute, row);
    return at_scalar(AT_OP_OR_ELSE, value, 0);
}

static double age_of_row(const struct at_decision_view *view, uint32_t row) {
    int attribute = at_root_attribute(view->root, "released", 8);
    double released = attribute < 0 ? at_missing() : at_root_number(view->root, attribute, row);
    if (at_is_missing(released)) return released;
    return (double)view->now_ms > released ? (double)view->now_ms - released : 0;
}

static int push_feature(lua_State *L, enum feature feature, uint32_t row) {
    struct at_decision_view *view = language_of(L)->view;
    switch (feature) {
    case FEATURE_AFFINITY: lua_pushnumber(L, affinity_of_row(L, row)); break;
    case FEATURE_POPULARITY:
    case FEATURE_TRENDING:
    case FEATURE_CONVERSION: lua_pushnumber(L, counted_value(view->root, counted_of(feature), row)); break;
    case FEATURE_SEEN: lua_pushnumber(L, met_rows(L, MET_SEEN)->values[row]); break;
    case FEATURE_BOUGHT: lua_pushnumber(L, met_rows(L, MET_BOUGHT)->values[row]); break;
    case FEATURE_MARGIN: lua_pushnumber(L, attribute_or_zero(view->root, "margin", row)); break;
    case FEATURE_DISCOUNT: lua_pushnumber(L, attribute_or_zero(view->root, "discount", row)); break;
    case FEATURE_AGE: push_number(L, age_of_row(view, row)); break;
    case FEATURE_ID: product_tostring(L, row); break;
    default: lua_pushnumber(L, 0); break; /* its learner is not there yet */
    }
    return 1;
}

static int push_list(lua_State *L, uint32_t row, int attribute) {
    struct at_language *language = language_of(L);
    if (!at_root_code(language->view->root, attribute, row)) return lua_pushnil(L), 1;
    if (language->list_count == AT_LENGTH(language->lists))
        language->list_count = 0; /* views of one product are short-lived */
    language->lists[language->list_count] = (struct list_view){row, attribute};
    push_view(L, VIEW_LIST, language->list_count++);
    return 1;
}

static int push_attribute(lua_State *L, const struct at_root *root, int attribute, uint32_t row) {
    enum at_attribute_kind kind = at_root_attribute_at(root, attribute)->kind;
    if (kind == AT_ATTRIBUTE_LIST) return push_list(L, row, attribute);
    if (kind == AT_ATTRIBUTE_TEXT) {
        uint32_t code = at_root_code(root, attribute, row);
        if (!code) return lua_pushnil(L), 1;
        struct at_text text = at_root_text_of(root, attribute, code);
        lua_pushlstring(L, text.data, text.length);
        return 1;
    }
    double value = at_root_number(root, attribute, row);
    if (kind == AT_ATTRIBUTE_BOOL && !at_is_missing(value))
        lua_pushboolean(L, value > 0);
    else
        push_number(L, value);
    return 1;
}

/* Remember what a rule read, for explanations (the memo is free product by product). */
static void note_read(struct at_language *language, int slot) {
    if (language->explains) language->node_of[slot] = 0;
}

int index_product(lua_State *L, uint32_t row) {
    struct at_language *language = language_of(L);
    const struct at_root *root = language->view->root;
    enum feature feature;
    reads_blindly(L); /* the catalog changes when it will */
    int attribute = attribute_of(L, &feature);
    if (feature != FEATURE_NONE) {
        note_read(language, AT_ATTRIBUTE_MAX + (int)feature);
        return push_feature(L, feature, row);
    }
    if (attribute < 0) return lua_pushnil(L), 1;
    note_read(language, attribute);
    return push_attribute(L, root, attribute, row);
}

int product_tostring(lua_State *L, uint32_t row) {
    struct at_text id = at_root_id(language_of(L)->view->root, row);
    lua_pushlstring(L, id.data, id.length);
    return 1;
}

/* ---- all of them ---- */

static int load_node(struct at_language *language, enum at_column_op op, enum at_column_type type,
                     int attribute) {
    int node = at_program_add(&language->program, op, type);
    if (node >= 0) language->program.nodes[node].attribute = attribute;
    return node;
}

/* The same for every product. An explanation shows it as a term like any other, so it stays a node of its
 * own. */
int constant_column(struct at_language *language, double value) {
    int node = at_program_const(&language->program, value, AT_COLUMN_NUMBER);
    if (node < 0 || !language->explains) return node;
    int shown = at_program_add(&language->program, AT_OP_OR_ELSE, AT_COLUMN_NUMBER);
    if (shown >= 0) language->program.nodes[shown].a = language->program.nodes[shown].b = (uint16_t)node;
    return shown;
}

static int number_or_zero(struct at_language *language, const char *name) {
    int attribute = at_root_attribute(language->view->root, name, strlen(name));
    if (attribute < 0) return constant_column(language, 0);
    int zero = at_program_const(&language->program, 0, AT_COLUMN_NUMBER);
    int load = load_node(language, AT_OP_NUMBER, AT_COLUMN_NUMBER, attribute);
    return at_program_binary(&language->program, AT_OP_OR_ELSE, AT_COLUMN_NUMBER, load, zero);
}

static int by_row_node(lua_State *L, enum met_kind kind) {
    struct at_language *language = language_of(L);
    const struct at_by_row *rows = met_rows(L, kind);
    int node = load_node(language, AT_OP_BY_ROW, AT_COLUMN_NUMBER, (int)kind);
    if (node >= 0) language->program.nodes[node].by_row = rows->values;
    return node;
}

static int affinity_node(lua_State *L) {
    struct at_language *language = language_of(L);
    if (personal_facets(language) != AT_OK) at_script_raise(L, "out of memory");
    int node = at_program_add(&language->program, AT_OP_TASTE, AT_COLUMN_NUMBER);
    if (node < 0) return node;
    language->program.nodes[node].taste.facets = language->view->facets;
    language->program.nodes[node].taste.count = language->view->facet_count;
    return node;
}

static int age_node(struct at_language *language) {
    int attribute = at_root_attribute(language->view->root, "released", 8);
    if (attribute < 0) return constant_column(language, at_missing());
    int node = load_node(language, AT_OP_AGE, AT_COLUMN_NUMBER, attribute);
    if (node >= 0) language->program.nodes[node].value = (double)language->view->now_ms;
    return node;
}

static int feature_node(lua_State *L, enum feature feature) {
    struct at_language *language = language_of(L);
    switch (feature) {
    case FEATURE_AFFINITY: return affinity_node(L);
    case FEATURE_POPULARITY:
    case FEATURE_TRENDING:
    case FEATURE_CONVERSION: return load_node(language, AT_OP_COUNTED, AT_COLUMN_NUMBER, counted_of(feature));
    case FEATURE_SEEN: return by_row_node(L, MET_SEEN);
    case FEATURE_BOUGHT: return by_row_node(L, MET_BOUGHT);
    case FEATURE_MARGIN: return number_or_zero(language, "margin");
    case FEATURE_DISCOUNT: return number_or_zero(language, "discount");
    case FEATURE_AGE: return age_node(language);
    case FEATURE_ID: need_rows(L);
    default: return constant_column(language, 0);
    }
}

static int attribute_node(struct at_language *language, int attribute) {
    switch (at_root_attribute_at(language->view->root, attribute)->kind) {
    case AT_ATTRIBUTE_TEXT: return load_node(language, AT_OP_CODE, AT_COLUMN_TEXT, attribute);
    case AT_ATTRIBUTE_LIST: return load_node(language, AT_OP_SET, AT_COLUMN_LIST, attribute);
    case AT_ATTRIBUTE_BOOL: return load_node(language, AT_OP_NUMBER, AT_COLUMN_BOOL, attribute);
    default: return load_node(language, AT_OP_NUMBER, AT_COLUMN_NUMBER, attribute);
    }
}

int index_columns(lua_State *L) {
    struct at_language *language = language_of(L);
    enum feature feature;
    int attribute = attribute_of(L, &feature);
    if (feature == FEATURE_NONE && attribute < 0) return lua_pushnil(L), 1;
    int slot = feature == FEATURE_NONE ? attribute : AT_ATTRIBUTE_MAX + (int)feature;
    if (language->node_of[slot] < 0) {
        int node = feature == FEATURE_NONE ? attribute_node(language, attribute) : feature_node(L, feature);
        if (node < 0) return at_script_raise(L, "out of memory");
        language->node_of[slot] = (int16_t)node;
    }
    push_node(L, language->node_of[slot]);
    return 1;
}
