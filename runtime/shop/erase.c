/* SPDX-License-Identifier: Apache-2.0
 *
 * Erasing a person: they are held, so that nobody writes; one commit takes their identifiers and profile and
 * leaves a tombstone; then memory forgets them. What they paid is counted without them afterwards
 * (erase_count.c), and the store takes the rows out of its files. All of it is the back worker's.
 */
#include "shop/erase.h"

#include <stdlib.h>
#include <string.h>

struct erasure { /* while it is made */
    struct erasing *erasing;
    struct at_arena arena;
    struct person_wait hold;
    struct identifier_list list;
    uint64_t *people, *sources;
    size_t person_count;
    struct at_suppressed_row *suppressed;
    size_t suppressed_count;
    struct at_shown_segment *segments;
    uint32_t segment_count;
    struct at_erasure_row row;
};

/* ---- what is theirs ---- */

static bool add_suppressed(struct erasure *erasure, struct at_text kind, const char *hash) {
    char *copy = at_arena_dup(&erasure->arena, hash, FORGOTTEN_HASH_SIZE - 1);
    if (!copy) return false;
    erasure->suppressed[erasure->suppressed_count++] =
        (struct at_suppressed_row){{copy, FORGOTTEN_HASH_SIZE - 1}, kind, erasure->erasing->at_ms};
    return true;
}

static enum at_status list_addresses(struct erasure *erasure) {
    struct erasing *erasing = erasure->erasing;
    size_t count = erasure->list.count + erasing->known_count;
    erasure->suppressed = at_arena_alloc(&erasure->arena, (count + 1) * sizeof *erasure->suppressed);
    erasure->sources = at_arena_alloc(&erasure->arena, (count + 1) * sizeof *erasure->sources);
    if (!erasure->suppressed || !erasure->sources) return AT_NOMEM;
    for (size_t i = 0; i < erasure->list.count; i++) {
        const struct at_identifier_row *row = &erasure->list.rows[i];
        char hash[FORGOTTEN_HASH_SIZE];
        forgotten_hash(&erasing->shop->forgotten, row->kind, row->value, hash);
        if (!add_suppressed(erasure, row->kind, hash)) return AT_NOMEM;
        erasure->sources[i] = row->id;
    }
    for (size_t i = 0; i < erasing->known_count; i++)
        if (!add_suppressed(erasure, erasing->known[i].kind, erasing->known[i].hash.data)) return AT_NOMEM;
    return AT_OK;
}

static enum at_status list_all(struct erasure *erasure) {
    struct erasing *erasing = erasure->erasing;
    enum at_status status = AT_OK;
    if (erasing->person) {
        status = identity_people(&erasing->shop->identity, erasing->person, &erasure->arena, &erasure->people,
                                 &erasure->person_count);
        if (status == AT_OK)
            status = fold_list(erasing->shop, &erasure->arena, erasing->person, &erasure->list);
    }
    if (status == AT_OK) status = list_addresses(erasure);
    erasure->row = (struct at_erasure_row){.id = erasing->id,
                                           .person = erasing->person,
                                           .at_ms = erasing->at_ms,
                                           .author = erasing->author,
                                           .people = erasure->people,
                                           .sources = erasure->sources,
                                           .person_count = erasure->person_count,
                                           .source_count = erasure->list.count,
                                           .suppressed = erasure->suppressed,
                                           .suppressed_count = erasure->suppressed_count};
    return status;
}

/* ---- the commit ---- */

static enum at_status commit_erasure(struct erasure *erasure) {
    struct erasing *erasing = erasure->erasing;
    struct at_unit unit = {0};
    struct at_write *write = at_unit_write(&unit, &erasure->arena, AT_WRITE_ERASE);
    struct at_write *request = at_unit_write(&unit, &erasure->arena, AT_WRITE_REQUEST);
    struct at_write *counted = /* of nobody there is nothing to count */
        erasing->person ? NULL : at_unit_write(&unit, &erasure->arena, AT_WRITE_ERASE_COUNTED);
    if (!write || !request || (!erasing->person && !counted)) return AT_NOMEM;
    if (counted) counted->name = erasing->id;
    int64_t now_ms = at_shop_now(erasing->shop);
    write->erasure = erasure->row;
    request->request = (struct at_request_row){.id = erasing->id,
                                               .kind = AT_TEXT("erase"),
                                               .state = AT_TEXT("unreachable"),
                                               .person = erasing->person,
                                               .source = erasing->source,
                                               .reference = erasing->reference,
                                               .at_ms = erasing->at_ms,
                                               .due_ms = erasing->at_ms + REQUEST_DUE_MS,
                                               .changed_ms = now_ms,
                                               .detail = AT_TEXT("{}")};
    return commit_and_wait(erasing->shop, &unit, false);
}

/* Memory forgets: the identifiers lead nowhere, no decision is remembered, who waits for them starts again.
 */
static void forget(struct erasure *erasure) {
    struct at_shop *shop = erasure->erasing->shop;
    forgotten_people(&shop->forgotten, erasure->people, erasure->person_count);
    for (size_t i = 0; i < erasure->list.count; i++)
        identity_forget(&shop->identity, erasure->erasing->person, erasure->list.rows[i].kind,
                        erasure->list.rows[i].value);
    for (uint32_t i = 0; i < shop->worker_count; i++) ring_forget(&shop->workers[i].ring, &shop->forgotten);
    if (erasure->hold.person) people_gone(shop, erasure->hold.person);
    erasure->hold.person = NULL;
    if (erasure->erasing->person)
        segments_forget(shop, erasure->erasing->person, erasure->segments, erasure->segment_count);
    count_add(shop, COUNT_ERASURES, 1);
}

static enum at_status erase_held(struct erasure *erasure, struct at_error *err) {
    struct erasing *erasing = erasure->erasing;
    struct at_shop *shop = erasing->shop;
    enum at_status status = AT_OK;
    if (erasing->person) { /* every event of theirs is in the timeline's index, every decision in the log */
        learn_drain(shop);
        status = flush_timeline(shop);
        decision_log_flush(shop);
    }
    if (status == AT_OK) status = list_all(erasure);
    /* Before the commit: what the log does not have a restored backup would not forget. If the commit fails
     * the person was to be forgotten in any case. */
    if (status == AT_OK && !erasing->is_logged) status = forgotten_log(shop, &erasure->row, err);
    if (status == AT_OK) status = commit_erasure(erasure);
    if (status == AT_OK) status = forgotten_remember(&shop->forgotten, &erasure->row);
    if (status == AT_OK) forget(erasure);
    return status;
}

enum at_status erase_person(struct erasing *erasing, struct at_error *err) {
    struct erasure erasure = {.erasing = erasing};
    enum at_status status = AT_OK;
    at_arena_init(&erasure.arena, SIZE_MAX >> 1);
    if (erasing->person)
        status = segments_stored(erasing->shop, erasing->person, &erasure.arena, &erasure.segments,
                                 &erasure.segment_count);
    if (status == AT_OK && erasing->person)
        status = people_hold_now(erasing->shop, erasing->person, false, &erasure.hold);
    bool is_there =
        !erasing->person ||
        (status == AT_OK && (erasure.hold.profile->applied_seq || erasure.hold.profile->identifier_count));
    if (status == AT_OK && !is_there) status = AT_NOTFOUND;
    if (status == AT_OK) status = erase_held(&erasure, err);
    if (erasure.hold.person) people_release(erasing->shop, erasure.hold.person, NULL);
    if (erasure.hold.profile) at_profile_unref(erasure.hold.profile);
    free(erasure.list.rows);
    at_arena_clear(&erasure.arena);
    return status;
}

/* ---- at start ---- */

struct resuming {
    struct at_read read;
    struct at_arena arena;
    struct open_erasure {
        struct open_erasure *next;
        struct at_text id;
    } * first;
    enum at_status status;
};

static bool take_open(void *arg, const struct at_erasure_row *row, bool is_open) {
    struct resuming *resuming = arg;
    if (!is_open) return true;
    struct open_erasure *one = at_arena_zalloc(&resuming->arena, sizeof *one);
    char *id = at_arena_dup(&resuming->arena, row->id.data, row->id.length);
    if (!one || !id) {
        resuming->status = AT_NOMEM;
        return false;
    }
    *one = (struct open_erasure){resuming->first, {id, row->id.length}};
    resuming->first = one;
    return true;
}

static void resume_read(struct at_read *read, struct at_reader *reader) {
    struct resuming *resuming = (struct resuming *)read;
    enum at_status status = at_reader_erasures(reader, take_open, resuming);
    if (resuming->status == AT_OK) resuming->status = status;
}

enum at_status erase_resume(struct at_shop *shop, struct at_error *err) {
    struct resuming resuming = {.read = {.run = resume_read}};
    at_arena_init(&resuming.arena, 1 << 24);
    at_store_read_now(shop->store, &resuming.read);
    for (struct open_erasure *one = resuming.first; one && resuming.status == AT_OK; one = one->next)
        resuming.status = erase_count(shop, one->id);
    at_arena_clear(&resuming.arena);
    if (resuming.status != AT_OK)
        return at_fail(err, resuming.status, NULL, "an erasure could not be gone on with (%s)",
                       at_status_word(resuming.status));
    return AT_OK;
}

/* ---- again ---- */

#define AGAIN_NS (UINT64_C(2) * 1000 * 1000 * 1000)

void erase_later(struct at_shop *shop) {
    shop->erase_again_ns = at_ticks_ns() + AGAIN_NS;
}

void erase_tend(struct at_shop *shop, bool is_end) {
    struct at_error err = {0};
    if (!shop->erase_again_ns || (!is_end && at_ticks_ns() < shop->erase_again_ns)) return;
    shop->erase_again_ns = 0;
    if (erase_resume(shop, &err) != AT_OK) erase_later(shop);
}

/* ---- the receipt ---- */

bool erase_receipt(struct at_shop *shop, const struct at_erasure_row *erasure, struct at_bytes *out) {
    char person[AT_PERSON_ID_SIZE] = "", signature[2 * AT_SIGNATURE_SIZE + 1];
    struct at_bytes bytes;
    if (erasure->person) at_person_id_format(erasure->person, person);
    at_bytes_init(&bytes, 1 << 16);
    struct at_json_out json = at_json_out(&bytes);
    at_json_open(&json, '{');
    at_json_add_text(&json, "erasure", erasure->id);
    at_json_add_string(&json, "shop", shop->settings->name);
    at_json_add_string(&json, "person", person);
    at_json_add_time(&json, "unreachable_at", erasure->at_ms);
    at_json_add_moment(&json, "scrubbed_at", erasure->scrubbed_ms);
    at_json_add_int(&json, "events", (int64_t)erasure->event_count);
    at_json_add_text(&json, "by", erasure->author);
    at_json_add_string(&json, "key", shop->forgotten.public_key);
    at_json_close(&json, '}');
    bool is_good = !bytes.failed &&
                   forgotten_sign(&shop->forgotten, (struct at_text){bytes.data, bytes.length}, signature);
    if (is_good) { /* the same object, and the signature of all before it */
        at_bytes_add(out, bytes.data, bytes.length - 1);
        at_bytes_add_text(out, ",\"signature\":\"");
        at_bytes_add_text(out, signature);
        at_bytes_add_text(out, "\"}");
    }
    at_bytes_clear(&bytes);
    return is_good && !out->failed;
}
