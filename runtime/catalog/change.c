/* SPDX-License-Identifier: Apache-2.0
 *
 * One change of a staging: find the product, decide whether the change is newer, build and check the new
 * document, write it. A change that is refused leaves no trace; the ones before and after it stand.
 */
#include <stdlib.h>
#include "base/time.h"
#include "catalog/internal.h"

uint32_t at_staging_row(const struct at_staging *staging, struct at_text id) {
    const uint64_t *added = at_map_get(&staging->new_rows, id.data, id.length);
    if (added) return (uint32_t)*added;
    uint32_t row = at_root_row(staging->next, id.data, id.length);
    return row != AT_ROW_NONE && at_text_equal(at_root_id(staging->next, row), id) ? row : AT_ROW_NONE;
}

static bool note_put(struct at_staging *staging, uint32_t row) {
    uint32_t word = row >> 6;
    if (word >= staging->put_words) {
        uint32_t words = word + 1 > 2 * staging->put_words ? word + 64 : 2 * staging->put_words;
        uint64_t *bits = realloc(staging->put_bits, words * sizeof *bits);
        if (!bits) return false;
        memset(bits + staging->put_words, 0, (words - staging->put_words) * sizeof *bits);
        staging->put_bits = bits;
        staging->put_words = words;
    }
    staging->put_bits[word] |= 1ULL << (row & 63);
    return true;
}

static enum at_status no_memory(struct at_change *change) {
    return at_fail(&change->error, AT_NOMEM, NULL, "no memory for this change");
}

/* The id the change is about, from the path or the document. */
static enum at_status find_id(const struct at_change *change, char *room, size_t room_bytes,
                              struct at_text *id, struct at_error *err) {
    char shown[80];
    if (change->kind == AT_CHANGE_RETIRE) {
        *id = change->id;
        return id->length ? AT_OK
                          : at_fail_field(err, AT_INVALID, "no_id", "id", "a product is retired by its id");
    }
    if (!at_json_is_object(change->document))
        return at_fail(err, AT_INVALID, "not_an_object", "a product must be a JSON object, got %s",
                       at_value_show(change->document, shown, sizeof shown));
    struct at_json given = at_json_get(change->document, "id");
    if (!given.tape && change->id.length) {
        *id = change->id;
        if (id->length <= AT_ID_MAX) return AT_OK;
        return at_fail_field(err, AT_INVALID, "bad_id", "id", "id is %zu bytes long; at most %d are allowed",
                             id->length, AT_ID_MAX);
    }
    enum at_status status = at_id_of(given, room, room_bytes, id, err);
    if (status == AT_OK && change->id.length && !at_text_equal(*id, change->id))
        return at_fail_field(err, AT_INVALID, "other_id", "id",
                             "the document is of \"%.*s\", but the change is about \"%.*s\"", (int)id->length,
                             id->data, (int)(change->id.length < 200 ? change->id.length : 200),
                             change->id.data);
    return status;
}

static enum at_status read_updated(struct at_json value, int64_t *updated_ms, struct at_error *err) {
    char shown[80];
    struct at_text text = at_json_text(value);
    *updated_ms = 0;
    if (!value.tape || at_json_is_null(value)) return AT_OK;
    if (text.data && at_time_parse(text.data, text.length, updated_ms, NULL) == AT_OK) return AT_OK;
    return at_fail_field(err, AT_INVALID, "bad_date", "updated_at",
                         "updated_at must be a date such as \"2026-11-26T06:31:25Z\" (RFC 3339), got %s",
                         at_value_show(value, shown, sizeof shown));
}

static enum at_status parse_body(struct at_json_parser *parser, struct at_text body, struct at_json *out,
                                 struct at_error *err) {
    return at_json_parse(parser, body.data, body.length, false, out, err);
}

static enum at_status too_big(struct at_error *err) {
    return at_fail(err, AT_TOOBIG, "product_too_big", "the product is larger than %zu KiB",
                   AT_DOCUMENT_MAX / 1024);
}

/* The new document: its text in catalog->text, its members in staging->members. */
static enum at_status build_document(struct at_staging *staging, struct at_change *change,
                                     struct at_text id) {
    struct at_catalog *catalog = staging->catalog;
    struct at_error *err = &change->error;
    struct at_json old, document = change->document;
    enum at_status status = AT_OK;
    at_bytes_reset(&catalog->text);
    if (change->kind == AT_CHANGE_PATCH) {
        status = parse_body(catalog->old_parser, at_root_body(staging->next, change->row), &old, err);
        if (status == AT_OK)
            status = at_document_merge(staging->next, id, old, document, &catalog->text, err);
        if (status == AT_OK && catalog->text.failed) status = too_big(err);
        if (status == AT_OK)
            status = parse_body(catalog->new_parser,
                                (struct at_text){catalog->text.data, catalog->text.length}, &document, err);
        return status == AT_OK ? at_members_collect(document, &staging->members, err) : status;
    }
    status = at_members_collect(document, &staging->members, err);
    if (status != AT_OK) return status;
    at_document_write(id, &staging->members, &catalog->text);
    return catalog->text.failed ? too_big(err) : AT_OK;
}

static bool write_product(struct at_staging *staging, struct at_change *change, struct at_text id,
                          bool is_new) {
    const struct at_bytes *text = &staging->catalog->text;
    if (is_new && !at_staging_new_row(staging, change->row, id)) return false;
    if (!at_staging_apply(staging, change->row, &staging->cells)) return false;
    if (!at_staging_add_names(staging, change->row, &staging->members)) return false;
    if (!at_column_set_body(staging->next, change->row, text->data, text->length)) return false;
    if (!at_column_set_updated(staging->next, change->row, change->updated_ms)) return false;
    return at_column_set_live(staging->next, change->row, true);
}

static enum at_status stage_document(struct at_staging *staging, struct at_change *change,
                                     struct at_text id) {
    struct at_error *err = &change->error;
    uint32_t row = at_staging_row(staging, id);
    bool is_new = row == AT_ROW_NONE, is_live = !is_new && at_root_is_live(staging->next, row);
    int64_t updated_ms, known_ms = is_new ? 0 : at_root_updated(staging->next, row);
    change->row = is_new ? staging->next->rows : row;
    if (change->kind == AT_CHANGE_PUT && !is_new && !note_put(staging, row)) return no_memory(change);
    if (change->kind == AT_CHANGE_PATCH && !is_live)
        return at_fail_field(err, AT_NOTFOUND, "unknown_product", "id", "there is no product \"%.*s\"%s",
                             (int)id.length, id.data, is_new ? "" : "; it was retired");
    enum at_status status = read_updated(at_json_get(change->document, "updated_at"), &updated_ms, err);
    if (status != AT_OK) return status;
    change->updated_ms = known_ms;
    /* A retired product comes back with the document it had. */
    if (updated_ms && known_ms && (updated_ms < known_ms || (updated_ms == known_ms && is_live)))
        return AT_DUPLICATE;
    status = build_document(staging, change, id);
    if (status != AT_OK) return status;
    const struct at_bytes *text = &staging->catalog->text;
    struct at_text body = {text->data, text->length};
    if (is_live && at_text_equal(body, at_root_body(staging->next, row))) return AT_DUPLICATE;
    status = at_document_check(staging->next, &staging->members, false, &staging->cells, err);
    if (status != AT_OK) return status;
    if (is_new && (change->row >= AT_ROW_LIMIT ||
                   (staging->catalog->account && at_account_over(staging->catalog->account))))
        return at_fail(err, AT_FULL, "catalog_full",
                       "the catalog's share of --memory is used up; raise --memory");
    if (updated_ms) change->updated_ms = updated_ms;
    change->body.data = at_arena_dup(staging->arena, body.data, body.length);
    change->body.length = body.length;
    if (!change->body.data || !write_product(staging, change, id, is_new)) return no_memory(change);
    return change->kind == AT_CHANGE_PATCH || note_put(staging, change->row) ? AT_OK : no_memory(change);
}

/* One that never was has its row all the same, so that an older document does not make it. */
static enum at_status retire_unknown(struct at_staging *staging, struct at_change *change,
                                     struct at_text id) {
    if (!id.length || id.length > AT_ID_MAX || staging->next->rows >= AT_ROW_LIMIT)
        return at_fail_field(&change->error, AT_INVALID, "bad_id", "id", "an id has 1 to %d bytes",
                             AT_ID_MAX);
    change->row = staging->next->rows;
    change->is_retired = true;
    change->updated_ms = change->retired_ms;
    return at_staging_new_row(staging, change->row, id) && at_staging_clear(staging, change->row) &&
                   at_column_set_updated(staging->next, change->row, change->updated_ms)
               ? AT_OK
               : no_memory(change);
}

static enum at_status stage_retirement(struct at_staging *staging, struct at_change *change,
                                       struct at_text id) {
    change->row = at_staging_row(staging, id);
    if (change->row == AT_ROW_NONE && change->retired_ms) return retire_unknown(staging, change, id);
    if (change->row == AT_ROW_NONE)
        return at_fail_field(&change->error, AT_NOTFOUND, "unknown_product", "id",
                             "there is no product \"%.*s\"", (int)(id.length < 200 ? id.length : 200),
                             id.data);
    change->is_retired = true;
    change->updated_ms = at_root_updated(staging->next, change->row);
    bool is_live = at_root_is_live(staging->next, change->row),
         is_newer = change->retired_ms > change->updated_ms;
    if (change->retired_ms ? !is_newer : !is_live) return AT_DUPLICATE;
    if (is_newer) change->updated_ms = change->retired_ms;
    return at_staging_clear(staging, change->row) &&
                   at_column_set_updated(staging->next, change->row, change->updated_ms)
               ? AT_OK
               : no_memory(change);
}

enum at_status at_change_stage(struct at_staging *staging, struct at_change *change) {
    char room[32];
    struct at_text id;
    change->error = (struct at_error){{0}, {0}, {0}};
    change->row = AT_ROW_NONE;
    change->updated_ms = 0;
    change->is_retired = false;
    change->body = (struct at_text){NULL, 0};
    enum at_status status = find_id(change, room, sizeof room, &id, &change->error);
    if (status != AT_OK) return status;
    status = change->kind == AT_CHANGE_RETIRE ? stage_retirement(staging, change, id)
                                              : stage_document(staging, change, id);
    if (status != AT_OK && status != AT_DUPLICATE && change->row >= staging->next->rows)
        change->row = AT_ROW_NONE;
    if (change->row != AT_ROW_NONE && change->row < staging->next->rows)
        change->id = at_root_id(staging->next, change->row);
    return status;
}
