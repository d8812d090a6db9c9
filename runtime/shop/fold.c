/* SPDX-License-Identifier: Apache-2.0
 *
 * state = fold(apply, events of the person's source ids in log order). Used where people become one or two,
 * and after a crash for the tail of the log that had not been written behind.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

/* ---- events of some sources, in log order ---- */

struct kept_event {
    uint64_t seq;
    int64_t at_ms, received_ms;
    struct at_text name, message_id, body, facts;
};
struct folding {
    struct at_read read;
    struct at_shop *shop;
    struct at_arena *arena;
    uint64_t person;
    struct identifier_list *list;
    struct kept_event *events;
    size_t count, capacity;
    struct at_profile *profile;
    enum at_status status;
};

static struct at_text keep(struct at_arena *arena, struct at_text text, enum at_status *status) {
    char *copy = at_arena_alloc(arena, text.length + AT_JSON_PADDING);
    if (!copy) {
        *status = AT_NOMEM;
        return text;
    }
    memcpy(copy, text.data ? text.data : "", text.length);
    memset(copy + text.length, 0, AT_JSON_PADDING);
    return (struct at_text){copy, text.length};
}

static bool grow(void **items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) return true;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    void *bigger = realloc(*items, wanted * size);
    if (!bigger) return false;
    *items = bigger;
    *capacity = wanted;
    return true;
}

static bool keep_identifier(void *arg, const struct at_identifier_row *row) {
    struct folding *folding = arg;
    struct identifier_list *list = folding->list;
    if (!grow((void **)&list->rows, list->count, &list->capacity, sizeof *list->rows)) {
        folding->status = AT_NOMEM;
        return false;
    }
    struct at_identifier_row *kept = &list->rows[list->count++];
    *kept = *row;
    kept->kind = keep(folding->arena, row->kind, &folding->status);
    kept->value = keep(folding->arena, row->value, &folding->status);
    return folding->status == AT_OK;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool keep_event(void *arg, const struct at_event_row *row) {
    struct folding *folding = arg;
    const struct identifier_list *list = folding->list;
    if (list->left_out_count &&
        bsearch(&row->seq, list->left_out, list->left_out_count, sizeof *list->left_out, by_number))
        return true;
    if (!grow((void **)&folding->events, folding->count, &folding->capacity, sizeof *folding->events)) {
        folding->status = AT_NOMEM;
        return false;
    }
    struct kept_event *kept = &folding->events[folding->count++];
    *kept = (struct kept_event){row->seq,
                                row->at_ms,
                                row->received_ms,
                                keep(folding->arena, row->name, &folding->status),
                                keep(folding->arena, row->message_id, &folding->status),
                                keep(folding->arena, row->body, &folding->status),
                                keep(folding->arena, row->facts, &folding->status)};
    return folding->status == AT_OK;
}

static int by_seq(const void *a, const void *b) {
    uint64_t x = ((const struct kept_event *)a)->seq, y = ((const struct kept_event *)b)->seq;
    return x < y ? -1 : x > y;
}

static enum at_status apply_kept(struct at_profile **profile, const struct kept_event *kept,
                                 struct at_json_parser *facts, struct at_json_parser *body) {
    struct at_logged_event logged = {.seq = kept->seq,
                                     .at_ms = kept->at_ms,
                                     .received_ms = kept->received_ms,
                                     .name = kept->name,
                                     .message_id = kept->message_id};
    enum at_status status =
        at_json_parse(facts, kept->facts.data, kept->facts.length, true, &logged.facts, NULL);
    if (status == AT_OK)
        status = at_json_parse(body, kept->body.data, kept->body.length, true, &logged.body, NULL);
    if (status != AT_OK) return status == AT_INVALID ? AT_IO : status;
    *profile = at_profile_apply(*profile, &logged, true);
    return *profile ? AT_OK : AT_NOMEM;
}

static enum at_status add_identifiers(struct at_profile **profile, const struct identifier_list *list) {
    for (size_t i = 0; i < list->count && *profile; i++) {
        struct at_identifier identifier = {list->rows[i].kind, list->rows[i].value};
        *profile = at_profile_with_identifier(*profile, &identifier, list->rows[i].since_ms, true);
    }
    return *profile ? AT_OK : AT_NOMEM;
}

static void list_read(struct at_read *read, struct at_reader *reader) {
    struct folding *folding = (struct folding *)read;
    enum at_status status = at_reader_identifiers_of(reader, folding->person, keep_identifier, folding);
    if (folding->status == AT_OK) folding->status = status;
}

enum at_status fold_list(struct at_shop *shop, struct at_arena *arena, uint64_t person,
                         struct identifier_list *list) {
    struct folding folding = {
        .read = {.run = list_read}, .shop = shop, .arena = arena, .person = person, .list = list};
    at_store_read_now(shop->store, &folding.read);
    return folding.status;
}

static enum at_status apply_all(struct folding *folding, const struct at_profile *base) {
    struct at_account *account = &folding->shop->ledger.accounts[AT_ACCOUNT_PROFILES];
    struct at_json_parser *facts = parser_new(), *body = parser_new();
    enum at_status status = facts && body ? AT_OK : AT_NOMEM;
    if (status == AT_OK) {
        folding->profile = base ? at_profile_become(base, folding->person, account)
                                : at_profile_new(folding->person, account);
        status = folding->profile ? AT_OK : AT_NOMEM;
    }
    for (size_t i = 0; i < folding->count && status == AT_OK; i++)
        status = apply_kept(&folding->profile, &folding->events[i], facts, body);
    if (status == AT_OK) status = add_identifiers(&folding->profile, folding->list);
    if (facts) at_json_parser_free(facts);
    if (body) at_json_parser_free(body);
    return status;
}

/* The events of all in log order, but for those of the person `but` (0: of nobody). */
static enum at_status read_events(struct folding *folding, struct at_reader *reader, uint64_t but) {
    enum at_status status = AT_OK;
    folding->count = 0;
    for (size_t i = 0; i < folding->list->count && status == AT_OK && folding->status == AT_OK; i++)
        if (folding->list->rows[i].person != but)
            status = at_reader_events_of(reader, folding->list->rows[i].id, UINT64_MAX >> 1, false,
                                         keep_event, folding);
    if (folding->count) qsort(folding->events, folding->count, sizeof *folding->events, by_seq);
    return status;
}

static void fold_read(struct at_read *read, struct at_reader *reader) {
    struct folding *folding = (struct folding *)read;
    const struct at_profile *base = folding->list->base;
    enum at_status status = read_events(folding, reader, base ? base->person : 0);
    if (status == AT_OK && base && folding->count && folding->events[0].seq <= base->applied_seq) {
        base = NULL;
        status = read_events(folding, reader, 0);
    }
    if (folding->status == AT_OK) folding->status = status;
    if (folding->status == AT_OK) folding->status = apply_all(folding, base);
}

enum at_status fold_profile(struct at_shop *shop, struct at_arena *arena, const struct identifier_list *list,
                            uint64_t person, struct at_profile **out) {
    struct identifier_list copy = *list;
    struct folding folding = {
        .read = {.run = fold_read}, .shop = shop, .arena = arena, .person = person, .list = &copy};
    at_store_read_now(shop->store, &folding.read);
    free(folding.events);
    if (folding.status != AT_OK && folding.profile) at_profile_unref(folding.profile);
    *out = folding.status == AT_OK ? folding.profile : NULL;
    return folding.status;
}

/* ---- the tail of the log ---- */

struct recovery {
    struct at_read read;
    struct at_shop *shop;
    struct at_reader *reader;
    struct at_intmap person_of; /* identifier id → person */
    struct at_intmap profiles;  /* person → struct at_profile * */
    struct at_arena arena;      /* of one event */
    struct at_json_parser *facts, *body;
    uint64_t events, last_seq;
    enum at_status status;
};

static bool note_identifier(void *arg, const struct at_identifier_row *row) {
    struct recovery *recovery = arg;
    uint64_t *slot = at_intmap_put(&recovery->person_of, row->id, NULL);
    if (slot)
        *slot = row->person;
    else
        recovery->status = AT_NOMEM;
    return slot != NULL;
}

static enum at_status load_profile(struct recovery *recovery, uint64_t person, uint64_t *slot) {
    struct at_profile_row row;
    struct at_profile *profile = NULL;
    struct at_account *account = &recovery->shop->ledger.accounts[AT_ACCOUNT_PROFILES];
    enum at_status status = at_reader_profile(recovery->reader, person, &row, &recovery->arena);
    if (status == AT_NOTFOUND) {
        profile = at_profile_new(person, account);
        status = profile ? AT_OK : AT_NOMEM;
    } else if (status == AT_OK) {
        struct at_json json;
        status = at_json_parse(recovery->body, row.body.data, row.body.length, false, &json, NULL);
        if (status == AT_OK) status = at_profile_read(json, account, &profile, NULL);
    }
    *slot = (uint64_t)(uintptr_t)profile;
    return status;
}

static enum at_status recover_one(struct recovery *recovery, const struct at_event_row *row) {
    uint64_t *person = at_intmap_get(&recovery->person_of, row->source);
    if (!person) return AT_IO;
    bool is_new = false;
    uint64_t *slot = at_intmap_put(&recovery->profiles, *person, &is_new);
    enum at_status status = slot ? AT_OK : AT_NOMEM;
    if (status == AT_OK && is_new) status = load_profile(recovery, *person, slot);
    if (status != AT_OK) return status;
    struct at_profile *profile = (struct at_profile *)(uintptr_t)*slot;
    struct kept_event kept = {row->seq,
                              row->at_ms,
                              row->received_ms,
                              row->name,
                              row->message_id,
                              keep(&recovery->arena, row->body, &status),
                              keep(&recovery->arena, row->facts, &status)};
    if (status != AT_OK) return status;
    if (row->seq > profile->applied_seq) {
        status = apply_kept(&profile, &kept, recovery->facts, recovery->body);
        *slot = (uint64_t)(uintptr_t)profile;
    }
    return status;
}

static bool recover_event(void *arg, const struct at_event_row *row) {
    struct recovery *recovery = arg;
    const uint64_t *slot = at_intmap_get(&recovery->person_of, row->source);
    uint64_t person = slot ? *slot : 0;
    recovery->status = recover_one(recovery, row);
    recovery->events++;
    if (recovery->status != AT_OK) return false;
    /* The learner and the timeline take it the way they do when serving. */
    struct learn_event *learned = malloc(sizeof *learned + row->facts.length + AT_JSON_PADDING);
    if (!learned) {
        recovery->status = AT_NOMEM;
        return false;
    }
    *learned = (struct learn_event){.seq = row->seq,
                                    .source = row->source,
                                    .person = person,
                                    .at_ms = row->at_ms,
                                    .facts_length = (uint32_t)row->facts.length,
                                    .has_items = true,
                                    .is_backfill = at_event_is_backfill(row->facts)};
    memcpy(learned->name, row->name.data,
           row->name.length < sizeof learned->name ? row->name.length : sizeof learned->name - 1);
    memcpy(learned->facts, row->facts.data, row->facts.length);
    memset(learned->facts + row->facts.length, 0, AT_JSON_PADDING);
    learn_give(recovery->shop, learned, learned, 1);
    recovery->last_seq = row->seq;
    at_arena_reset(&recovery->arena);
    return true;
}

static void recover_read(struct at_read *read, struct at_reader *reader) {
    struct recovery *recovery = (struct recovery *)read;
    uint64_t from = 0;
    recovery->reader = reader;
    uint64_t learned = 0;
    enum at_status status = at_reader_cursor(reader, AT_TEXT("fold"), &from);
    if (status == AT_OK || status == AT_NOTFOUND)
        status = at_reader_cursor(reader, AT_TEXT("learn"), &learned);
    if (status == AT_NOTFOUND) status = AT_OK;
    if (learned < from) from = learned;
    uint64_t looked = segments_place(recovery->shop);
    if (looked < from) from = looked;
    if (status == AT_OK && from + 1 < at_store_next_seq(recovery->shop->store)) {
        status = at_reader_identifiers(reader, note_identifier, recovery);
        if (status == AT_OK) status = at_reader_log(reader, from, UINT64_MAX >> 1, recover_event, recovery);
    }
    if (recovery->status == AT_OK) recovery->status = status;
}

/* Hands the folded profiles to the cache, changed, so that they are written behind. */
struct handing {
    struct at_read read;
    struct recovery *recovery;
    struct at_identifier_row *rows;
};

static void hand_over(struct at_read *read, struct at_reader *reader) {
    struct handing *handing = (struct handing *)read;
    struct recovery *recovery = handing->recovery;
    struct at_shop *shop = recovery->shop;
    struct at_intmap_slot *slot;
    for (size_t i = 0; recovery->status == AT_OK && (slot = at_intmap_next(&recovery->profiles, &i));) {
        struct identifier_list list = {0};
        struct folding folding = {.shop = shop, .arena = &recovery->arena, .list = &list};
        struct at_profile *profile = (struct at_profile *)(uintptr_t)slot->value;
        slot->value = 0;
        recovery->status = at_reader_identifiers_of(reader, slot->key, keep_identifier, &folding);
        if (recovery->status == AT_OK) recovery->status = folding.status;
        if (recovery->status == AT_OK) recovery->status = add_identifiers(&profile, &list);
        free(list.rows);
        at_arena_reset(&recovery->arena);
        struct person_wait wait = {.wants_hold = true};
        if (recovery->status == AT_OK) {
            people_get(shop, slot->key, true, &wait); /* nobody else is there yet: it is taken at once */
            recovery->status = wait.status;
        }
        if (recovery->status != AT_OK) {
            if (profile) at_profile_unref(profile);
            break;
        }
        at_profile_unref(wait.profile);
        people_release(shop, wait.person, profile);
    }
}

enum at_status recover(struct at_shop *shop, struct at_error *err) {
    struct recovery recovery = {
        .read = {.run = recover_read}, .shop = shop, .facts = parser_new(), .body = parser_new()};
    at_arena_init(&recovery.arena, AT_SHOP_BODY_MAX);
    at_intmap_init(&recovery.person_of);
    at_intmap_init(&recovery.profiles);
    if (!recovery.facts || !recovery.body)
        recovery.status = AT_NOMEM;
    else
        at_store_read_now(shop->store, &recovery.read);
    if (recovery.status == AT_OK) {
        struct handing handing = {{NULL, hand_over}, &recovery, NULL};
        at_store_read_now(shop->store, &handing.read);
    }
    struct at_intmap_slot *slot;
    for (size_t i = 0; (slot = at_intmap_next(&recovery.profiles, &i));)
        if (slot->value) at_profile_unref((struct at_profile *)(uintptr_t)slot->value);
    at_intmap_clear(&recovery.profiles);
    at_intmap_clear(&recovery.person_of);
    at_arena_clear(&recovery.arena);
    if (recovery.facts) at_json_parser_free(recovery.facts);
    if (recovery.body) at_json_parser_free(recovery.body);
    if (recovery.status != AT_OK)
        return at_fail(err, recovery.status, NULL, "the tail of the log could not be folded (%s)",
                       at_status_word(recovery.status));
    if (recovery.events)
        at_log(at_shop_log(shop), AT_LOG_INFO, "store", "folded %llu events of the log again",
               (unsigned long long)recovery.events);
    if (recovery.events) learn_released(shop, recovery.last_seq);
    learn_drain(shop);
    return AT_OK;
}
