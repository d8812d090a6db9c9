/* SPDX-License-Identifier: Apache-2.0
 *
 * The attributes of a catalog: names, kinds, dictionaries. Ids are positions and never change; a version with
 * a new attribute has its own copy of the table. Which texts are facets is decided by name, once.
 */
#include <stdlib.h>
#include "base/hash.h"
#include "catalog/internal.h"

static const char *const kind_words[] = {"number", "bool", "date", "text", "list"};

const char *at_attribute_kind_name(enum at_attribute_kind kind) {
    return kind_words[kind];
}

const char *at_kind_word(enum at_attribute_kind kind) {
    static const char *const said[] = {"number", "true or false", "date", "text", "list"};
    return said[kind];
}

bool at_kind_parse(const char *word, enum at_attribute_kind *out) {
    for (size_t i = 0; i < AT_LENGTH(kind_words); i++) {
        if (strcmp(kind_words[i], word) != 0) continue;
        *out = (enum at_attribute_kind)i;
        return true;
    }
    return false;
}

/* Texts that name or describe one product say nothing about a taste. */
static bool is_facet(struct at_text name, enum at_attribute_kind kind) {
    static const char *const others[] = {
        "title",     "description", "url",      "image",      "images",
        "link",      "id",          "sku",      "name",       "gtin",
        "ean",       "upc",         "mpn",      "barcode",    "isbn",
        "handle",    "slug",        "body",     "text",       "html",
        "body_html", "summary",     "subtitle", "image_link", "short_description"};
    static const char *const endings[] = {"_url", "_id", "_image", "_link", "_html", "_sku"};
    if (!at_kind_has_codes(kind)) return false;
    for (size_t i = 0; i < AT_LENGTH(others); i++)
        if (at_text_is(name, others[i])) return false;
    for (size_t i = 0; i < AT_LENGTH(endings); i++) {
        size_t length = strlen(endings[i]);
        if (name.length > length && memcmp(name.data + name.length - length, endings[i], length) == 0)
            return false;
    }
    return true;
}

struct at_dictionary *at_dictionary_new(struct at_account *account, enum at_attribute_kind kind) {
    struct at_dictionary *dictionary = calloc(1, sizeof *dictionary);
    if (!dictionary) return NULL;
    atomic_init(&dictionary->refs, 1);
    dictionary->compact_at = 4096;
    dictionary->texts = at_interner_new(account);
    if (kind == AT_ATTRIBUTE_LIST) dictionary->sets = at_interner_new(account);
    if (dictionary->texts && (dictionary->sets || kind != AT_ATTRIBUTE_LIST)) return dictionary;
    at_dictionary_unref(dictionary, account);
    return NULL;
}

void at_dictionary_unref(struct at_dictionary *dictionary, struct at_account *account) {
    (void)account; /* the interners know theirs */
    if (!dictionary || atomic_fetch_sub_explicit(&dictionary->refs, 1, memory_order_acq_rel) != 1) return;
    at_interner_free(dictionary->texts);
    at_interner_free(dictionary->sets);
    free(dictionary);
}

int at_schema_find(const struct at_schema *schema, const char *name, size_t length) {
    uint32_t mask = AT_LENGTH(schema->slots) - 1;
    if (!length || length >= sizeof schema->attributes[0].name) return -1;
    for (uint32_t i = (uint32_t)at_hash64(name, length) & mask; schema->slots[i]; i = (i + 1) & mask) {
        int attribute = schema->slots[i] - 1;
        const char *other = schema->attributes[attribute].name;
        if (memcmp(other, name, length) == 0 && other[length] == 0) return attribute;
    }
    return -1;
}

bool at_schema_own(struct at_root *root, struct at_schema **out) {
    if (!at_part_own(&root->schema, root->catalog->account)) return false;
    *out = (struct at_schema *)(void *)root->schema->payload;
    return true;
}

int at_schema_add(struct at_root *root, struct at_text name, enum at_attribute_kind kind) {
    struct at_schema *schema;
    struct at_dictionary *dictionary = NULL;
    if (!at_schema_own(root, &schema)) return -1;
    if (at_kind_has_codes(kind)) {
        dictionary = at_dictionary_new(root->catalog->account, kind);
        if (!dictionary) return -1;
    }
    AT_ASSERT(schema->count < AT_ATTRIBUTE_MAX && name.length < sizeof schema->attributes[0].name);
    int id = schema->count++;
    struct at_attribute *attribute = &schema->attributes[id];
    memset(attribute, 0, sizeof *attribute);
    memcpy(attribute->name, name.data, name.length);
    attribute->kind = kind;
    attribute->is_facet = is_facet(name, kind);
    uint32_t mask = AT_LENGTH(schema->slots) - 1, i = (uint32_t)at_hash64(name.data, name.length) & mask;
    while (schema->slots[i]) i = (i + 1) & mask;
    schema->slots[i] = (uint16_t)(id + 1);
    root->dictionaries[id] = dictionary;
    return id;
}

/* Only for an attribute that no product ever had. */
bool at_schema_set_kind(struct at_root *root, int id, enum at_attribute_kind kind) {
    struct at_schema *schema;
    struct at_dictionary *dictionary = NULL;
    if (!at_schema_own(root, &schema)) return false;
    if (at_kind_has_codes(kind)) {
        dictionary = at_dictionary_new(root->catalog->account, kind);
        if (!dictionary) return false;
    }
    at_dictionary_unref(root->dictionaries[id], root->catalog->account);
    root->dictionaries[id] = dictionary;
    schema->attributes[id].kind = kind;
    schema->attributes[id].is_facet = is_facet(at_text_of(schema->attributes[id].name), kind);
    return true;
}

bool at_schema_add_standard(struct at_root *root) {
    static const struct {
        const char *name;
        enum at_attribute_kind kind;
    } standard[AT_STANDARD_COUNT] = {
        [AT_PRICE] = {"price", AT_ATTRIBUTE_NUMBER},
        [AT_LIST_PRICE] = {"list_price", AT_ATTRIBUTE_NUMBER},
        [AT_COST] = {"cost", AT_ATTRIBUTE_NUMBER},
        [AT_STOCK] = {"stock", AT_ATTRIBUTE_NUMBER},
        [AT_RATING] = {"rating", AT_ATTRIBUTE_NUMBER},
        [AT_MARGIN] = {"margin", AT_ATTRIBUTE_NUMBER},
        [AT_DISCOUNT] = {"discount", AT_ATTRIBUTE_NUMBER},
        [AT_RELEASED] = {"released", AT_ATTRIBUTE_DATE},
        [AT_TITLE] = {"title", AT_ATTRIBUTE_TEXT},
        [AT_BRAND] = {"brand", AT_ATTRIBUTE_TEXT},
        [AT_CATEGORY] = {"category", AT_ATTRIBUTE_TEXT},
        [AT_TAGS] = {"tags", AT_ATTRIBUTE_LIST},
    };
    for (int i = 0; i < AT_STANDARD_COUNT; i++)
        if (at_schema_add(root, at_text_of(standard[i].name), standard[i].kind) != i) return false;
    return true;
}
