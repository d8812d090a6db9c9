/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing one checked document into the version that a staging builds: cells into columns, names noted for
 * the index. Only out of memory can stop it, and then the whole staging is dropped, so nothing is ever half
 * there.
 */
#include <stdlib.h>
#include <stdio.h>
#include "catalog/internal.h"
#include "catalog/shopify.h"

static bool add_code(struct at_staging *staging, size_t *count, uint32_t code) {
    if (*count == staging->code_capacity) {
        size_t capacity = staging->code_capacity ? staging->code_capacity * 2 : 256;
        uint32_t *codes = realloc(staging->codes, capacity * sizeof *codes);
        if (!codes) return false;
        staging->codes = codes;
        staging->code_capacity = capacity;
    }
    staging->codes[(*count)++] = code;
    return code != 0;
}

/* A text, or a number as it is written; room: 32 bytes. */
static struct at_text scalar_text(struct at_json value, char *room) {
    double number;
    int64_t whole;
    if (at_json_int(value, &whole))
        return (struct at_text){room, (size_t)snprintf(room, 32, "%lld", (long long)whole)};
    if (at_json_number(value, &number))
        return (struct at_text){room, (size_t)snprintf(room, 32, "%.15g", number)};
    return at_json_text(value);
}

static bool add_item(struct at_staging *staging, struct at_interner *texts, struct at_json item,
                     size_t *count) {
    char room[32];
    struct at_text text = scalar_text(item, room);
    return !text.length || add_code(staging, count, at_interner_put(texts, text.data, text.length));
}

static bool gather_list(struct at_staging *staging, const struct at_cell *cell, struct at_interner *texts,
                        size_t *count) {
    struct at_json_each it = at_json_each(cell->value);
    while (at_json_next(&it)) {
        if (!cell->is_variants) {
            if (!add_item(staging, texts, it.value, count)) return false;
            continue;
        }
        struct at_json_each members = at_json_each(it.value);
        while (at_json_next(&members)) {
            size_t prefix = sizeof "variants." - 1;
            struct at_text name = {cell->variant_name + prefix, cell->name.length - prefix};
            if (at_json_is_string(members.value) && at_text_equal(members.key, name) &&
                !add_item(staging, texts, members.value, count))
                return false;
        }
    }
    return true;
}

/* Its set id (0: an empty list); false: out of memory. */
static bool make_set(struct at_staging *staging, const struct at_cell *cell,
                     const struct at_dictionary *dictionary, uint32_t *set) {
    size_t count = 0, kept = 0;
    *set = 0;
    if (!gather_list(staging, cell, dictionary->texts, &count)) return false;
    if (!count) return true;
    qsort(staging->codes, count, sizeof *staging->codes, at_codes_compare);
    for (size_t i = 0; i < count; i++)
        if (!kept || staging->codes[kept - 1] != staging->codes[i])
            staging->codes[kept++] = staging->codes[i];
    *set = at_interner_put(dictionary->sets, staging->codes, kept * sizeof *staging->codes);
    return *set != 0;
}

static bool apply_cell(struct at_staging *staging, uint32_t row, const struct at_cell *cell, int attribute) {
    const struct at_dictionary *dictionary = staging->next->dictionaries[attribute];
    uint32_t code;
    switch (cell->kind) {
    case AT_ATTRIBUTE_TEXT: {
        char room[32];
        struct at_text text = scalar_text(cell->value, room);
        code = at_interner_put(dictionary->texts, text.data, text.length);
        return code && at_column_set_code(staging->next, attribute, row, code, &staging->stale);
    }
    case AT_ATTRIBUTE_LIST:
        return make_set(staging, cell, dictionary, &code) &&
               at_column_set_code(staging->next, attribute, row, code, &staging->stale);
    default: return at_column_set_number(staging->next, attribute, row, cell->number);
    }
}

static bool clear_cell(struct at_staging *staging, uint32_t row, int attribute) {
    if (at_kind_has_codes(at_root_attribute_at(staging->next, attribute)->kind))
        return at_column_set_code(staging->next, attribute, row, 0, &staging->stale);
    return at_column_set_number(staging->next, attribute, row, at_missing());
}

bool at_staging_apply(struct at_staging *staging, uint32_t row, const struct at_cells *cells) {
    bool is_set[AT_ATTRIBUTE_MAX] = {false};
    for (int i = 0; i < cells->count; i++) {
        const struct at_cell *cell = &cells->list[i];
        int attribute =
            cell->attribute >= 0 ? cell->attribute : at_schema_add(staging->next, cell->name, cell->kind);
        if (attribute < 0 || !apply_cell(staging, row, cell, attribute)) return false;
        is_set[attribute] = true;
    }
    int count = at_root_attribute_count(staging->next);
    for (int i = 0; i < count; i++)
        if (!is_set[i] && !clear_cell(staging, row, i)) return false;
    return true;
}

/* A retired product keeps its row, id and names, nothing else: a filter by code then never meets it. */
bool at_staging_clear(struct at_staging *staging, uint32_t row) {
    int count = at_root_attribute_count(staging->next);
    for (int i = 0; i < count; i++)
        if (!clear_cell(staging, row, i)) return false;
    return at_column_set_body(staging->next, row, NULL, 0) && at_column_set_live(staging->next, row, false);
}

/* ---- names ---- */

static bool add_name(struct at_staging *staging, struct at_text name, uint32_t row) {
    if (!name.length || name.length > AT_ID_MAX) return true;
    if (staging->name_count == staging->name_capacity) {
        uint32_t capacity = staging->name_capacity ? staging->name_capacity * 2 : 64;
        struct at_name_slot *names = realloc(staging->names, capacity * sizeof *names);
        if (!names) return false;
        staging->names = names;
        staging->name_capacity = capacity;
    }
    if (!at_names_prepare(&staging->catalog->names, name, row, &staging->names[staging->name_count]))
        return false;
    staging->name_count++;
    return true;
}

static bool add_alias(struct at_staging *staging, struct at_json value, uint32_t row) {
    char room[32];
    struct at_text name = scalar_text(value, room);
    return !name.length || at_names_find(&staging->catalog->names, name) == row ||
           add_name(staging, name, row);
}

/* Its stock is told of by another id than its own; that is no name of a product, so it has a prefix. */
static bool add_inventory_name(struct at_staging *staging, struct at_json value, uint32_t row) {
    char room[32], name[AT_ID_MAX + sizeof AT_INVENTORY_NAME];
    struct at_text id = scalar_text(value, room);
    if (!id.length || id.length > AT_ID_MAX - sizeof AT_INVENTORY_NAME) return true;
    int length = snprintf(name, sizeof name, AT_INVENTORY_NAME "%.*s", (int)id.length, id.data);
    struct at_text whole = {name, (size_t)length};
    return at_names_find(&staging->catalog->names, whole) == row || add_name(staging, whole, row);
}

bool at_staging_add_names(struct at_staging *staging, uint32_t row, const struct at_members *members) {
    const struct at_json *sku = at_members_get(members, "sku"),
                         *variants = at_members_get(members, "variants");
    if (sku && !add_alias(staging, *sku, row)) return false;
    if (!variants) return true;
    struct at_json_each it = at_json_each(*variants);
    while (at_json_next(&it)) {
        if (!at_json_is_object(it.value)) continue;
        if (!add_alias(staging, at_json_get(it.value, "id"), row)) return false;
        if (!add_alias(staging, at_json_get(it.value, "sku"), row)) return false;
        if (!add_inventory_name(staging, at_json_get(it.value, "inventory_item_id"), row)) return false;
    }
    return true;
}

bool at_staging_new_row(struct at_staging *staging, uint32_t row, struct at_text id) {
    if (row >= staging->next->rows) staging->next->rows = row + 1;
    uint64_t *kept = at_map_put(&staging->new_rows, id.data, id.length, NULL);
    if (!kept) return false;
    *kept = row;
    return at_ids_put(staging->catalog, row, id) && add_name(staging, id, row);
}
