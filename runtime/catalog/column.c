/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing the columns of a version that is not published yet: each write makes the chunk (and the table above
 * it) the writer's own first, and only if the value differs. Chunks of facets carry an index from code to
 * rows, built once when they are published, so that a filter by category costs what it finds, not what there
 * is.
 */
#include <stdlib.h>
#include "catalog/internal.h"

/* The chunk as the writer's own; new ones are zeroed. */
static struct at_part *own_chunk(struct at_root *root, struct at_part **table, uint32_t chunk, size_t bytes,
                                 bool *is_new) {
    struct at_account *account = root->catalog->account;
    if (!at_part_own_table(table, chunk + 1, account)) return NULL;
    struct at_part **slot = &at_part_children(*table)[chunk];
    *is_new = !*slot;
    if (*is_new) return *slot = at_part_new(account, bytes);
    return at_part_own(slot, account) ? *slot : NULL;
}

bool at_column_set_number(struct at_root *root, int attribute, uint32_t row, double value) {
    bool is_new;
    double old = at_root_number(root, attribute, row);
    if (memcmp(&old, &value, sizeof old) == 0) return true;
    size_t bytes = AT_CHUNK_ROWS * sizeof(double);
    struct at_part *part = own_chunk(root, &root->columns[attribute], row >> AT_CHUNK_SHIFT, bytes, &is_new);
    if (!part) return false;
    double *values = (double *)(void *)part->payload;
    if (is_new)
        for (int i = 0; i < AT_CHUNK_ROWS; i++) values[i] = at_missing();
    values[row & (AT_CHUNK_ROWS - 1)] = value;
    return true;
}

static bool note_stale(struct at_chunk_list *stale, int attribute, uint32_t chunk) {
    if (stale->count == stale->capacity) {
        size_t capacity = stale->capacity ? stale->capacity * 2 : 64;
        struct at_chunk_name *names = realloc(stale->names, capacity * sizeof *names);
        if (!names) return false;
        stale->names = names;
        stale->capacity = capacity;
    }
    stale->names[stale->count++] = (struct at_chunk_name){attribute, chunk};
    return true;
}

/* The chunk of codes as the writer's own, noted for a new index; NULL: out of memory. */
static struct at_code_chunk *own_codes(struct at_root *root, int attribute, uint32_t chunk,
                                       struct at_chunk_list *stale) {
    bool is_new, is_facet = at_root_attribute_at(root, attribute)->is_facet;
    size_t bytes = is_facet ? sizeof(struct at_code_chunk) : AT_PLAIN_CODES_BYTES;
    struct at_part *part = own_chunk(root, &root->columns[attribute], chunk, bytes, &is_new);
    if (!part) return NULL;
    struct at_code_chunk *codes = (struct at_code_chunk *)(void *)part->payload;
    if (!is_facet || (!is_new && !codes->is_indexed)) return codes;
    if (!note_stale(stale, attribute, chunk)) return NULL;
    codes->is_indexed = 0;
    return codes;
}

bool at_column_set_code(struct at_root *root, int attribute, uint32_t row, uint32_t code,
                        struct at_chunk_list *stale) {
    if (at_root_code(root, attribute, row) == code) return true;
    struct at_code_chunk *codes = own_codes(root, attribute, row >> AT_CHUNK_SHIFT, stale);
    if (!codes) return false;
    codes->codes[row & (AT_CHUNK_ROWS - 1)] = code;
    return true;
}

bool at_column_set_live(struct at_root *root, uint32_t row, bool is_live) {
    bool is_new;
    if (at_root_is_live(root, row) == is_live) return true;
    size_t bytes = AT_LIVE_WORDS * sizeof(uint64_t);
    struct at_part *part = own_chunk(root, &root->live_bits, row >> AT_CHUNK_SHIFT, bytes, &is_new);
    if (!part) return false;
    uint64_t *word = (uint64_t *)(void *)part->payload + ((row & (AT_CHUNK_ROWS - 1)) >> 6);
    *word ^= 1ULL << (row & 63);
    root->live += is_live ? 1 : UINT32_MAX;
    return true;
}

bool at_column_set_updated(struct at_root *root, uint32_t row, int64_t updated_ms) {
    bool is_new;
    if (at_root_updated(root, row) == updated_ms) return true;
    size_t bytes = AT_CHUNK_ROWS * sizeof(int64_t);
    struct at_part *part = own_chunk(root, &root->updated, row >> AT_CHUNK_SHIFT, bytes, &is_new);
    if (!part) return false;
    ((int64_t *)(void *)part->payload)[row & (AT_CHUNK_ROWS - 1)] = updated_ms;
    return true;
}

bool at_column_set_body(struct at_root *root, uint32_t row, const char *body, size_t length) {
    struct at_account *account = root->catalog->account;
    uint32_t chunk = row >> AT_CHUNK_SHIFT, page = (row & (AT_CHUNK_ROWS - 1)) >> AT_PAGE_SHIFT;
    if (!body && !at_root_body(root, row).data) return true;
    if (!at_part_own_table(&root->bodies, chunk + 1, account)) return false;
    struct at_part **pages = &at_part_children(root->bodies)[chunk];
    if (!at_part_own_table(pages, AT_CHUNK_ROWS / AT_PAGE_ROWS, account)) return false;
    struct at_part **documents = &at_part_children(*pages)[page];
    if (!at_part_own_table(documents, AT_PAGE_ROWS, account)) return false;
    struct at_part *document = body ? at_part_new(account, length) : NULL;
    if (body && !document) return false;
    if (body) memcpy(document->payload, body, length);
    struct at_part **slot = &at_part_children(*documents)[row & (AT_PAGE_ROWS - 1)];
    at_part_unref(*slot, account);
    *slot = document;
    return true;
}

bool at_column_set_counted(struct at_root *root, enum at_counted which, const float *values, uint32_t count) {
    static const float zeros[AT_CHUNK_ROWS];
    for (uint32_t from = 0; from < count; from += AT_CHUNK_ROWS) {
        bool is_new;
        uint32_t chunk = from >> AT_CHUNK_SHIFT,
                 n = count - from < AT_CHUNK_ROWS ? count - from : AT_CHUNK_ROWS;
        const float *old = at_root_counted(root, which, chunk);
        if (memcmp(old ? old : zeros, values + from, n * sizeof(float)) == 0) continue;
        struct at_part *part = own_chunk(root, &root->counted[which], chunk, sizeof zeros, &is_new);
        if (!part) return false;
        memcpy(part->payload, values + from, n * sizeof(float));
    }
    return true;
}

/* ---- the index of a chunk ---- */

/* Rows with a code, by code and then by row: radix sort, least byte first, which keeps the rows of one code
 * in order. */
static uint32_t sort_rows(const uint32_t *codes, uint16_t *order) {
    uint16_t other[AT_CHUNK_ROWS], *from = order, *to = other;
    uint32_t count = 0, all = 0;
    for (uint32_t row = 0; row < AT_CHUNK_ROWS; row++) {
        order[count] = (uint16_t)row;
        count += codes[row] != 0;
        all |= codes[row];
    }
    for (int shift = 0; shift < 32 && all >> shift; shift += 8) {
        uint32_t places[257] = {0};
        for (uint32_t i = 0; i < count; i++) places[(codes[from[i]] >> shift & 255) + 1]++;
        for (int i = 1; i < 257; i++) places[i] += places[i - 1];
        for (uint32_t i = 0; i < count; i++) to[places[codes[from[i]] >> shift & 255]++] = from[i];
        uint16_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != order) memcpy(order, from, count * sizeof *order);
    return count;
}

static void index_chunk(struct at_code_chunk *chunk) {
    uint32_t count = sort_rows(chunk->codes, chunk->order);
    chunk->value_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t code = chunk->codes[chunk->order[i]];
        if (chunk->value_count && chunk->values[chunk->value_count - 1] == code) continue;
        chunk->starts[chunk->value_count] = (uint16_t)i;
        chunk->values[chunk->value_count++] = code;
    }
    chunk->starts[chunk->value_count] = (uint16_t)count;
    chunk->is_indexed = 1;
}

void at_column_index(struct at_root *root, const struct at_chunk_list *stale) {
    for (size_t i = 0; i < stale->count; i++) {
        struct at_part *part = at_part_child(root->columns[stale->names[i].attribute], stale->names[i].chunk);
        struct at_code_chunk *chunk = (struct at_code_chunk *)(void *)part->payload;
        if (!chunk->is_indexed) index_chunk(chunk);
    }
}

/* ---- compaction ---- */

int at_codes_compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The code (or set) of the new dictionary for one of the old; 0: out of memory. */
static uint32_t move_code(const struct at_root *root, int attribute, uint32_t code, struct at_dictionary *to,
                          uint32_t *room) {
    const struct at_dictionary *from = root->dictionaries[attribute];
    if (!from->sets) {
        const struct at_string *text = at_interner_at(from->texts, code);
        return at_interner_put(to->texts, text->data, text->length);
    }
    const struct at_string *set = at_interner_at(from->sets, code);
    uint32_t count = set->length / (uint32_t)sizeof(uint32_t);
    memcpy(room, set->data, set->length);
    for (uint32_t i = 0; i < count; i++) {
        const struct at_string *text = at_interner_at(from->texts, room[i]);
        room[i] = at_interner_put(to->texts, text->data, text->length);
        if (!room[i]) return 0;
    }
    qsort(room, count, sizeof *room, at_codes_compare);
    return at_interner_put(to->sets, room, set->length);
}

static bool move_codes(struct at_root *root, int attribute, struct at_dictionary *to, struct at_part **table,
                       uint32_t *map, uint32_t *room) {
    bool is_new, is_facet = at_root_attribute_at(root, attribute)->is_facet;
    const struct at_part *old = root->columns[attribute];
    for (uint32_t c = 0; c < old->child_count; c++) {
        const uint32_t *from = at_root_codes(root, attribute, c);
        if (!from) continue;
        struct at_part *part = own_chunk(
            root, table, c, is_facet ? sizeof(struct at_code_chunk) : AT_PLAIN_CODES_BYTES, &is_new);
        if (!part) return false;
        struct at_code_chunk *chunk = (struct at_code_chunk *)(void *)part->payload;
        for (int i = 0; i < AT_CHUNK_ROWS; i++) {
            if (!from[i]) continue;
            if (!map[from[i]]) map[from[i]] = move_code(root, attribute, from[i], to, room);
            if (!map[from[i]]) return false;
            chunk->codes[i] = map[from[i]];
        }
    }
    return true;
}

static size_t longest_set(const struct at_dictionary *dictionary) {
    size_t longest = sizeof(uint32_t);
    for (uint32_t i = 1; i <= at_interner_count(dictionary->sets); i++) {
        size_t length = at_interner_at(dictionary->sets, i)->length;
        if (length > longest) longest = length;
    }
    return longest;
}

bool at_column_compact(struct at_root *root, int attribute, struct at_chunk_list *stale) {
    struct at_account *account = root->catalog->account;
    struct at_dictionary *old = root->dictionaries[attribute];
    struct at_dictionary *dictionary =
        at_dictionary_new(account, at_root_attribute_at(root, attribute)->kind);
    struct at_part *table = NULL;
    uint32_t count = at_interner_count(old->sets ? old->sets : old->texts);
    uint32_t *map = calloc((size_t)count + 1, sizeof *map);
    uint32_t *room = malloc(longest_set(old));
    bool is_done = dictionary && map && room && root->columns[attribute] &&
                   move_codes(root, attribute, dictionary, &table, map, room);
    if (is_done && at_root_attribute_at(root, attribute)->is_facet)
        for (uint32_t c = 0; is_done && c < table->child_count; c++)
            if (at_part_children(table)[c]) is_done = note_stale(stale, attribute, c);
    free(map);
    free(room);
    /* Chunks noted before a failure stay noted: they are those of the old column, indexed already or about to
     * be. */
    struct at_part *dropped = is_done ? root->columns[attribute] : table;
    if (is_done) {
        uint32_t used = at_interner_count(dictionary->texts), sets = at_interner_count(dictionary->sets);
        dictionary->compact_at = 2 * (used > sets ? used : sets) + 4096;
        root->columns[attribute] = table;
        root->dictionaries[attribute] = dictionary;
        dictionary = old;
    }
    at_part_unref(dropped, account);
    at_dictionary_unref(dictionary, account);
    return is_done;
}
