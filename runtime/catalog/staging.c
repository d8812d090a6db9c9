/* SPDX-License-Identifier: Apache-2.0
 *
 * A staging: the next version under construction, and the writer's turn. It begins as a copy that shares
 * every part with the current version; publishing indexes the touched chunks, sets the names and switches the
 * head. Cancelling drops the copy. Dictionaries and ids only ever grow, so what a cancelled staging added
 * there is seen by nobody.
 */
#include <stdlib.h>
#include "catalog/internal.h"

static bool make_tools(struct at_catalog *catalog) {
    size_t most = 4 * AT_DOCUMENT_MAX; /* restored documents are not limited to what is accepted now */
    if (!catalog->old_parser) catalog->old_parser = at_json_parser_new(most, AT_DEPTH_MAX + 8);
    if (!catalog->new_parser) catalog->new_parser = at_json_parser_new(most, AT_DEPTH_MAX + 8);
    return catalog->old_parser && catalog->new_parser && at_bytes_reserve(&catalog->text, AT_DOCUMENT_MAX);
}

static void end_staging(struct at_staging *staging) {
    struct at_catalog *catalog = staging->catalog;
    at_map_clear(&staging->new_rows);
    free(staging->names);
    free(staging->stale.names);
    free(staging->put_bits);
    free(staging->codes);
    free(staging);
    at_catalog_end_turn(catalog);
}

void at_staging_cancel(struct at_staging *staging) {
    if (!staging) return;
    if (staging->next)
        at_ids_forget(staging->catalog, at_catalog_current(staging->catalog)->rows, staging->next->rows);
    at_root_free(staging->next);
    end_staging(staging);
}

enum at_status at_catalog_stage(struct at_catalog *catalog, struct at_arena *arena, struct at_change *changes,
                                size_t count, struct at_staging **out, struct at_error *err) {
    *out = NULL;
    struct at_staging *staging = malloc(sizeof *staging);
    if (!staging) return at_fail(err, AT_NOMEM, NULL, "no memory to change the catalog");
    memset(staging, 0,
           offsetof(struct at_staging, members)); /* the rest is scratch, filled before it is read */
    staging->catalog = catalog;
    staging->arena = arena;
    at_map_init(&staging->new_rows);
    at_catalog_take_turn(catalog);
    at_bytes_reset(&catalog->text);
    staging->next = make_tools(catalog) ? at_root_copy(at_catalog_current(catalog)) : NULL;
    if (!staging->next || at_staging_add(staging, changes, count) != AT_OK) {
        at_staging_cancel(staging);
        return at_fail(err, AT_NOMEM, NULL, "no memory to change the catalog");
    }
    *out = staging;
    return AT_OK;
}

enum at_status at_staging_add(struct at_staging *staging, struct at_change *changes, size_t count) {
    for (size_t i = 0; i < count && !staging->has_failed; i++) {
        changes[i].status = at_change_stage(staging, &changes[i]);
        staging->is_changed |= changes[i].status == AT_OK;
        staging->has_failed |= changes[i].status == AT_NOMEM;
    }
    return staging->has_failed ? AT_NOMEM : AT_OK;
}

uint32_t at_staging_missing(struct at_staging *staging,
                            bool (*fn)(void *arg, uint32_t row, struct at_text id), void *arg) {
    uint32_t count = 0;
    for (uint32_t row = 0; row < staging->next->rows; row++) {
        bool is_put = row >> 6 < staging->put_words && (staging->put_bits[row >> 6] >> (row & 63) & 1);
        if (is_put || !at_root_is_live(staging->next, row)) continue;
        count++;
        if (fn && !fn(arg, row, at_root_id(staging->next, row))) break;
    }
    return count;
}

/* An alias never takes a name that is some product's own id. */
static bool is_taken(const struct at_root *next, const struct at_name_slot *entry) {
    struct at_text name = at_names_text(entry);
    uint32_t held = at_names_find(&next->catalog->names, name);
    return held < next->rows && held != atomic_load_explicit(&entry->row, memory_order_relaxed) &&
           at_text_equal(at_root_id(next, held), name);
}

/* Texts that no product uses any more are dropped once they may be half of a dictionary. Out of memory: next
 * time. */
static void compact(struct at_staging *staging) {
    struct at_root *next = staging->next;
    int count = at_root_attribute_count(next);
    for (int i = 0; i < count; i++) {
        struct at_dictionary *dictionary = next->dictionaries[i];
        if (!dictionary || !next->columns[i]) continue;
        uint32_t texts = at_interner_count(dictionary->texts), sets = at_interner_count(dictionary->sets);
        if ((texts > sets ? texts : sets) < dictionary->compact_at) continue;
        if (!at_column_compact(next, i, &staging->stale)) dictionary->compact_at *= 2;
    }
}

enum at_status at_staging_publish(struct at_staging *staging) {
    struct at_root *next = staging->next;
    if (staging->has_failed || !at_names_reserve(&staging->catalog->names, staging->name_count)) {
        at_staging_cancel(staging);
        return AT_NOMEM;
    }
    if (!staging->is_changed) {
        at_staging_cancel(staging);
        return AT_OK;
    }
    compact(staging);
    at_column_index(next, &staging->stale);
    int count = at_root_attribute_count(next);
    for (int i = 0; i < count; i++)
        if (next->dictionaries[i]) next->code_counts[i] = at_interner_count(next->dictionaries[i]->texts);
    for (uint32_t i = 0; i < staging->name_count; i++)
        if (!is_taken(next, &staging->names[i])) at_names_set(&staging->catalog->names, &staging->names[i]);
    at_catalog_switch(staging->catalog, next);
    end_staging(staging);
    return AT_OK;
}

/* As stored, with what fits the kinds; it was checked when it was accepted. */
static bool restore_document(struct at_staging *staging, uint32_t row, struct at_text id,
                             struct at_json document) {
    struct at_bytes text;
    at_bytes_init(&text, SIZE_MAX);
    if (at_members_collect(document, &staging->members, NULL) != AT_OK)
        staging->members.count = AT_MEMBERS_MAX;
    if (at_document_check(staging->next, &staging->members, true, &staging->cells, NULL) != AT_OK)
        return false;
    at_document_write(id, &staging->members, &text);
    bool is_done = !text.failed && at_staging_apply(staging, row, &staging->cells) &&
                   at_staging_add_names(staging, row, &staging->members) &&
                   at_column_set_body(staging->next, row, text.data, text.length) &&
                   at_column_set_live(staging->next, row, true);
    at_bytes_clear(&text);
    return is_done;
}

enum at_status at_staging_restore(struct at_staging *staging, uint32_t row, struct at_text id,
                                  int64_t updated_ms, bool is_retired, struct at_json document) {
    uint32_t held = at_staging_row(staging, id);
    if (!id.length || row >= AT_ROW_LIMIT || (held != AT_ROW_NONE && held != row)) return AT_INVALID;
    if (held == AT_ROW_NONE && row < staging->next->rows && at_root_id(staging->next, row).data)
        return AT_INVALID;
    staging->is_changed = true;
    bool is_done = held == row || at_staging_new_row(staging, row, id);
    if (is_done) is_done = at_column_set_updated(staging->next, row, updated_ms);
    if (is_done && (is_retired || !at_json_is_object(document)))
        is_done = at_staging_clear(staging, row);
    else if (is_done)
        is_done = restore_document(staging, row, id, document);
    staging->has_failed |= !is_done;
    return is_done ? AT_OK : AT_NOMEM;
}
