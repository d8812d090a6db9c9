/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalog as its owner sees it: made, freed, declared to, its current version pinned and switched.
 *
 * Pinning without a lock: `head` holds the current root's address and, in its top 16 bits, how many pins were
 * taken through it. A reader adds one and has the address in the same step, so the root cannot go away
 * between. Whoever switches the head moves that count into the old root's own refs, which begin at BIAS and
 * lose it then; the last unref frees.
 */
#include <stdlib.h>
#include "base/utf8.h"
#include "catalog/internal.h"

#define PIN          (1ULL << 48)
#define ADDRESS_MASK (PIN - 1)
#define MANY_PINS    0x2000U /* from here on they are moved over, so that 16 bits are enough */
#define BIAS         ((int64_t)1 << 40)

_Static_assert(sizeof(void *) == 8, "addresses of 48 bits in a 64-bit word");

static struct at_root *address_of(uint64_t head) {
    return (struct at_root *)(uintptr_t)(head & ADDRESS_MASK);
}

/* Add to a root's refs; the root is freed at zero. */
static void change_refs(struct at_root *root, int64_t by) {
    if (atomic_fetch_add_explicit(&root->refs, by, memory_order_acq_rel) + by == 0) at_root_free(root);
}

static void move_pins(struct at_catalog *catalog, struct at_root *root) {
    uint64_t head = atomic_load_explicit(&catalog->head, memory_order_relaxed);
    while (address_of(head) == root && head >> 48) {
        int64_t pins = (int64_t)(head >> 48);
        atomic_fetch_add_explicit(&root->refs, pins,
                                  memory_order_relaxed); /* the caller's own pin keeps it alive */
        if (atomic_compare_exchange_weak_explicit(&catalog->head, &head, head & ADDRESS_MASK,
                                                  memory_order_acq_rel, memory_order_relaxed))
            return;
        atomic_fetch_sub_explicit(&root->refs, pins, memory_order_relaxed);
    }
}

struct at_root *at_catalog_root(struct at_catalog *catalog) {
    uint64_t head = atomic_fetch_add_explicit(&catalog->head, PIN, memory_order_acq_rel);
    struct at_root *root = address_of(head);
    if (head >> 48 >= MANY_PINS) move_pins(catalog, root);
    return root;
}

struct at_root *at_root_ref(struct at_root *root) {
    atomic_fetch_add_explicit(&root->refs, 1, memory_order_relaxed);
    return root;
}

void at_root_unref(struct at_root *root) {
    if (root) change_refs(root, -1);
}

void at_catalog_switch(struct at_catalog *catalog, struct at_root *next) {
    AT_ASSERT(((uint64_t)(uintptr_t)next & ~ADDRESS_MASK) == 0);
    if (next) atomic_store_explicit(&next->refs, BIAS, memory_order_relaxed);
    uint64_t old = atomic_exchange_explicit(&catalog->head, (uint64_t)(uintptr_t)next, memory_order_acq_rel);
    if (address_of(old)) change_refs(address_of(old), (int64_t)(old >> 48) - BIAS);
}

const struct at_root *at_catalog_current(struct at_catalog *catalog) {
    return address_of(atomic_load_explicit(&catalog->head, memory_order_acquire));
}

/* ---- the writer's turn ---- */

void at_catalog_take_turn(struct at_catalog *catalog) {
    pthread_mutex_lock(&catalog->mutex);
    while (catalog->is_taken) pthread_cond_wait(&catalog->is_free, &catalog->mutex);
    catalog->is_taken = true;
    pthread_mutex_unlock(&catalog->mutex);
}

void at_catalog_end_turn(struct at_catalog *catalog) {
    pthread_mutex_lock(&catalog->mutex);
    catalog->is_taken = false;
    pthread_cond_signal(&catalog->is_free);
    pthread_mutex_unlock(&catalog->mutex);
}

/* ---- life ---- */

enum at_status at_catalog_new(struct at_catalog **out, const struct at_catalog_options *options,
                              struct at_error *err) {
    *out = NULL;
    struct at_catalog *catalog = calloc(1, sizeof *catalog);
    if (!catalog) return at_fail(err, AT_NOMEM, NULL, "no memory for a catalog");
    catalog->account = options ? options->account : NULL;
    pthread_mutex_init(&catalog->mutex, NULL);
    pthread_cond_init(&catalog->is_free, NULL);
    at_bytes_init(&catalog->text, AT_DOCUMENT_MAX);
    catalog->ids.texts = at_interner_new(catalog->account);
    bool has_names = at_names_init(&catalog->names, catalog->account);
    struct at_root *root = has_names && catalog->ids.texts ? at_root_new(catalog) : NULL;
    at_catalog_switch(catalog, root);
    if (!root) {
        at_catalog_free(catalog);
        return at_fail(err, AT_NOMEM, NULL, "no memory for a catalog");
    }
    *out = catalog;
    return AT_OK;
}

void at_catalog_free(struct at_catalog *catalog) {
    if (!catalog) return;
    at_catalog_switch(catalog, NULL);
    for (int s = 0; s < AT_ID_SEGMENTS; s++) {
        if (catalog->ids.segments[s] && catalog->account)
            at_account_give(catalog->account, ((size_t)AT_CHUNK_ROWS << s) * sizeof(void *));
        free(catalog->ids.segments[s]);
    }
    at_interner_free(catalog->ids.texts);
    at_names_clear(&catalog->names);
    at_json_parser_free(catalog->old_parser);
    at_json_parser_free(catalog->new_parser);
    at_bytes_clear(&catalog->text);
    pthread_cond_destroy(&catalog->is_free);
    pthread_mutex_destroy(&catalog->mutex);
    free(catalog);
}

/* ---- declarations and counted features: changes without documents ---- */

static enum at_status declare(struct at_root *next, const char *name, enum at_attribute_kind kind,
                              struct at_error *err) {
    const struct at_schema *schema = at_schema_of(next);
    struct at_schema *own;
    int id = at_schema_find(schema, name, strlen(name));
    if (id >= 0 && schema->attributes[id].kind != kind) {
        if (id < AT_STANDARD_COUNT || next->columns[id])
            return at_fail_field(err, AT_CONFLICT, "kind_is_fixed", name,
                                 "%s is a %s %s and cannot become a %s", name,
                                 at_kind_word(schema->attributes[id].kind),
                                 id < AT_STANDARD_COUNT ? "in every catalog" : "by what the catalog holds",
                                 at_kind_word(kind));
        if (!at_schema_set_kind(next, id, kind)) return AT_NOMEM;
    }
    if (id < 0 && schema->count >= AT_ATTRIBUTE_MAX)
        return at_fail_field(err, AT_INVALID, "too_many_attributes", name,
                             "%s would be attribute %d; a catalog has at most %d", name, schema->count + 1,
                             AT_ATTRIBUTE_MAX);
    if (id < 0) id = at_schema_add(next, at_text_of(name), kind);
    if (id < 0 || !at_schema_own(next, &own)) return AT_NOMEM;
    own->attributes[id].is_declared = true;
    return AT_OK;
}

enum at_status at_catalog_declare(struct at_catalog *catalog, const char *name, const char *kind_word,
                                  struct at_error *err) {
    static const char *const words[] = {"number", "bool", "date", "text", "list"};
    enum at_attribute_kind kind;
    size_t length = strlen(name);
    if (!length || length >= sizeof((struct at_attribute *)0)->name)
        return at_fail_field(err, AT_INVALID, "bad_attribute", name,
                             "an attribute's name has 1 to 63 bytes, this one %zu", length);
    if (!at_kind_parse(kind_word, &kind)) {
        const char *nearest = at_suggest(kind_word, words, AT_LENGTH(words));
        return at_fail_field(err, AT_INVALID, "bad_kind", name,
                             "%s: there is no kind \"%.40s\"%s%s%s; number, bool, date, text and list are",
                             name, kind_word, nearest ? " — did you mean \"" : "", nearest ? nearest : "",
                             nearest ? "\"?" : "");
    }
    at_catalog_take_turn(catalog);
    struct at_root *next = at_root_copy(at_catalog_current(catalog));
    enum at_status status = next ? declare(next, name, kind, err) : AT_NOMEM;
    if (status == AT_OK)
        at_catalog_switch(catalog, next);
    else
        at_root_free(next);
    at_catalog_end_turn(catalog);
    return status == AT_NOMEM ? at_fail(err, AT_NOMEM, NULL, "no memory to declare %s", name) : status;
}

enum at_status at_catalog_publish_counted(struct at_catalog *catalog,
                                          const float *const values[AT_COUNTED_COUNT], uint32_t count) {
    at_catalog_take_turn(catalog);
    struct at_root *next = at_root_copy(at_catalog_current(catalog));
    bool is_done = next != NULL;
    for (int i = 0; is_done && i < AT_COUNTED_COUNT; i++)
        if (values[i]) is_done = at_column_set_counted(next, (enum at_counted)i, values[i], count);
    if (is_done)
        at_catalog_switch(catalog, next);
    else
        at_root_free(next);
    at_catalog_end_turn(catalog);
    return is_done ? AT_OK : AT_NOMEM;
}
