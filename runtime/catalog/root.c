/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a version of the catalog, and making and dropping versions. Everything here that readers call only
 * passes through parts that never change while the root is pinned.
 */
#include <stdlib.h>
#include "catalog/internal.h"

struct at_root *at_root_new(struct at_catalog *catalog) {
    struct at_root *root = calloc(1, sizeof *root);
    if (!root) return NULL;
    root->catalog = catalog;
    root->schema = at_part_new(catalog->account, sizeof(struct at_schema));
    if (!root->schema || !at_schema_add_standard(root)) {
        at_root_free(root);
        return NULL;
    }
    return root;
}

struct at_root *at_root_copy(const struct at_root *from) {
    struct at_root *root = malloc(sizeof *root);
    if (!root) return NULL;
    memcpy(root, from, sizeof *root);
    atomic_init(&root->refs, 0);
    root->version = from->version + 1;
    at_part_ref(root->schema);
    at_part_ref(root->live_bits);
    at_part_ref(root->updated);
    at_part_ref(root->bodies);
    for (int i = 0; i < AT_COUNTED_COUNT; i++) at_part_ref(root->counted[i]);
    int count = at_schema_of(root)->count;
    for (int i = 0; i < count; i++) {
        at_part_ref(root->columns[i]);
        if (root->dictionaries[i])
            atomic_fetch_add_explicit(&root->dictionaries[i]->refs, 1, memory_order_relaxed);
    }
    return root;
}

void at_root_free(struct at_root *root) {
    if (!root) return;
    struct at_account *account = root->catalog->account;
    at_part_unref(root->live_bits, account);
    at_part_unref(root->updated, account);
    at_part_unref(root->bodies, account);
    for (int i = 0; i < AT_COUNTED_COUNT; i++) at_part_unref(root->counted[i], account);
    for (int i = 0; i < AT_ATTRIBUTE_MAX; i++) {
        at_part_unref(root->columns[i], account);
        at_dictionary_unref(root->dictionaries[i], account);
    }
    at_part_unref(root->schema, account);
    free(root);
}

uint64_t at_root_version(const struct at_root *root) {
    return root->version;
}

uint32_t at_root_rows(const struct at_root *root) {
    return root->rows;
}

uint32_t at_root_live(const struct at_root *root) {
    return root->live;
}

/* ---- names ---- */

/* A table that is not there reads as one without chunks. */
static struct at_part *const *chunks_of(const struct at_part *table, uint32_t *count) {
    *count = table ? table->child_count : 0;
    return table ? (struct at_part *const *)(const void *)table->payload : NULL;
}

/* The names are newer than the root may be: a row that came later is unknown to it. */
uint32_t at_root_row(const struct at_root *root, const char *id, size_t length) {
    uint32_t row = at_names_find(&root->catalog->names, (struct at_text){id, length});
    return row < root->rows ? row : AT_ROW_NONE;
}

void at_root_row_many(const struct at_root *root, const struct at_text *ids, size_t count, uint32_t *rows) {
    at_names_find_many(&root->catalog->names, ids, count, rows);
    struct at_part *const *chunks;
    uint32_t chunk_count;
    chunks = chunks_of(root->live_bits, &chunk_count);
    uint64_t known = (uint64_t)chunk_count << AT_CHUNK_SHIFT;
    if (known > root->rows) known = root->rows;
    for (size_t i = 0; i < count; i++) {
        uint32_t row = rows[i];
        const struct at_part *chunk = row < known ? chunks[row >> AT_CHUNK_SHIFT] : NULL;
        const uint64_t *live = chunk ? (const uint64_t *)(const void *)chunk->payload : NULL;
        if (!live || !(live[row / 64 % (AT_CHUNK_ROWS / 64)] >> row % 64 & 1)) rows[i] = AT_ROW_NONE;
    }
}

struct at_text at_root_id(const struct at_root *root, uint32_t row) {
    const struct at_string *id = row < root->rows ? at_ids_get(&root->catalog->ids, row) : NULL;
    return id ? (struct at_text){id->data, id->length} : (struct at_text){NULL, 0};
}

void at_root_ids(const struct at_root *root, const uint32_t *rows, size_t count, struct at_text *ids) {
    for (size_t i = 0; i < count; i++) {
        const struct at_string *id = rows[i] < root->rows ? at_ids_get(&root->catalog->ids, rows[i]) : NULL;
        ids[i].data = id ? id->data : NULL; /* where it is: nothing of it is read yet */
        __builtin_prefetch(id);
    }
    for (size_t i = 0; i < count; i++) {
        ids[i].length = 0;
        if (!ids[i].data) continue;
        const struct at_string *id = (const void *)(ids[i].data - offsetof(struct at_string, data));
        ids[i].length = id->length;
    }
}

struct at_text at_root_body(const struct at_root *root, uint32_t row) {
    const struct at_part *chunk = at_part_child(root->bodies, row >> AT_CHUNK_SHIFT);
    const struct at_part *page = at_part_child(chunk, (row & (AT_CHUNK_ROWS - 1)) >> AT_PAGE_SHIFT);
    const struct at_part *body = at_part_child(page, row & (AT_PAGE_ROWS - 1));
    return body ? (struct at_text){(const char *)body->payload, body->bytes} : (struct at_text){NULL, 0};
}

bool at_root_is_live(const struct at_root *root, uint32_t row) {
    if (row >= root->rows) return false;
    const uint64_t *live = at_live_of(root, row >> AT_CHUNK_SHIFT);
    row &= AT_CHUNK_ROWS - 1;
    return live && (live[row >> 6] >> (row & 63) & 1);
}

int64_t at_root_updated(const struct at_root *root, uint32_t row) {
    const struct at_part *chunk = at_part_child(root->updated, row >> AT_CHUNK_SHIFT);
    return chunk ? ((const int64_t *)(const void *)chunk->payload)[row & (AT_CHUNK_ROWS - 1)] : 0;
}

void at_ids_forget(struct at_catalog *catalog, uint32_t from, uint32_t to) {
    for (uint32_t row = from; row < to; row++) {
        int segment = 31 - __builtin_clz((row >> AT_CHUNK_SHIFT) + 1);
        const struct at_string **rows = catalog->ids.segments[segment];
        if (rows) rows[row - (((1u << segment) - 1) << AT_CHUNK_SHIFT)] = NULL;
    }
}

bool at_ids_put(struct at_catalog *catalog, uint32_t row, struct at_text id) {
    int segment = 31 - __builtin_clz((row >> AT_CHUNK_SHIFT) + 1);
    const struct at_string ***rows = &catalog->ids.segments[segment];
    if (!*rows) {
        size_t bytes = ((size_t)AT_CHUNK_ROWS << segment) * sizeof(void *);
        *rows = calloc(1, bytes);
        if (!*rows) return false;
        if (catalog->account) at_account_force(catalog->account, bytes);
    }
    uint32_t code = at_interner_put(catalog->ids.texts, id.data, id.length);
    if (!code) return false;
    (*rows)[row - (((1u << segment) - 1) << AT_CHUNK_SHIFT)] = at_interner_at(catalog->ids.texts, code);
    return true;
}

/* ---- attributes ---- */

int at_root_attribute(const struct at_root *root, const char *name, size_t length) {
    return at_schema_find(at_schema_of(root), name, length);
}

int at_root_attribute_count(const struct at_root *root) {
    return at_schema_of(root)->count;
}

const struct at_attribute *at_root_attribute_at(const struct at_root *root, int attribute) {
    return &at_schema_of(root)->attributes[attribute];
}

const double *at_root_numbers(const struct at_root *root, int attribute, uint32_t chunk) {
    const struct at_part *part = at_part_child(root->columns[attribute], chunk);
    return part ? (const double *)(const void *)part->payload : NULL;
}

const uint32_t *at_root_codes(const struct at_root *root, int attribute, uint32_t chunk) {
    const struct at_code_chunk *codes = at_code_chunk_of(root, attribute, chunk);
    return codes ? codes->codes : NULL;
}

uint32_t at_root_code_of(const struct at_root *root, int attribute, const char *text, size_t length) {
    const struct at_dictionary *dictionary = root->dictionaries[attribute];
    uint32_t code = dictionary && length ? at_interner_get(dictionary->texts, text, length) : 0;
    return code <= root->code_counts[attribute] ? code : 0;
}

struct at_text at_root_text_of(const struct at_root *root, int attribute, uint32_t code) {
    const struct at_dictionary *dictionary = root->dictionaries[attribute];
    if (!dictionary || !code || code > root->code_counts[attribute]) return (struct at_text){NULL, 0};
    const struct at_string *text = at_interner_at(dictionary->texts, code);
    return (struct at_text){text->data, text->length};
}

uint32_t at_root_code_count(const struct at_root *root, int attribute) {
    return root->code_counts[attribute];
}

const uint32_t *at_root_set(const struct at_root *root, int attribute, uint32_t set, uint32_t *count) {
    const struct at_dictionary *dictionary = root->dictionaries[attribute];
    *count = 0;
    if (!set || !dictionary || set > at_interner_count(dictionary->sets)) return NULL;
    const struct at_string *codes = at_interner_at(dictionary->sets, set);
    *count = codes->length / (uint32_t)sizeof(uint32_t);
    return (const uint32_t *)(const void *)codes->data;
}

const float *at_root_counted(const struct at_root *root, enum at_counted which, uint32_t chunk) {
    const struct at_part *part = at_part_child(root->counted[which], chunk);
    return part ? (const float *)(const void *)part->payload : NULL;
}

/* ---- many rows ---- */

#define GATHER(table, type, none)                                                                            \
    uint32_t chunk_count;                                                                                    \
    struct at_part *const *chunks = chunks_of(table, &chunk_count);                                          \
    for (uint32_t i = 0; i < count; i++) {                                                                   \
        uint32_t row = rows[i], at = row >> AT_CHUNK_SHIFT;                                                  \
        const struct at_part *chunk = at < chunk_count ? chunks[at] : NULL;                                  \
        out[i] = chunk ? ((const type *)(const void *)chunk->payload)[row & (AT_CHUNK_ROWS - 1)] : (none);   \
    }

void at_root_gather_numbers(const struct at_root *root, int attribute, const uint32_t *rows, uint32_t count,
                            double *out) {
    const double missing = at_missing();
    GATHER(root->columns[attribute], double, missing)
}

/* The codes stand first in a chunk, whether it has an index or not. */
void at_root_gather_codes(const struct at_root *root, int attribute, const uint32_t *rows, uint32_t count,
                          uint32_t *out) {
    GATHER(root->columns[attribute], uint32_t, 0)
}

void at_root_gather_counted(const struct at_root *root, enum at_counted which, const uint32_t *rows,
                            uint32_t count, double *out) {
    GATHER(root->counted[which], float, 0)
}
