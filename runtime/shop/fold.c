/* SPDX-License-Identifier: Apache-2.0
 *
 * state = fold(apply, events of the person's source ids in log order). Used where people become one or two,
 * and after a crash for the tail of the log that had not been written behind.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/kept.h"

/* ---- events of some sources, in log order ---- */

struct folding {
    struct at_read read;
    struct at_shop *shop;
    struct at_arena *arena;
    uint64_t person;
    struct identifier_list *list;
    struct kept_events events;
    struct at_profile *profile;
    enum at_status status;
};

static bool grow(struct identifier_list *list) {
    if (list->count < list->capacity) return true;
    size_t capacity = list->capacity ? list->capacity * 2 : 64;
    struct at_identifier_row *rows = realloc(list->rows, capacity * sizeof *rows);
    if (!rows) return false;
    list->rows = rows;
    list->capacity = capacity;
    return true;
}

static bool keep_identifier(void *arg, const struct at_identifier_row *row) {
    struct folding *folding = arg;
    struct identifier_list *list = folding->list;
    struct at_identifier_row kept = *row;
    kept.kind.data = at_arena_dup(folding->arena, row->kind.data, row->kind.length);
    kept.value.data = at_arena_dup(folding->arena, row->value.data, row->value.length);
    bool is_kept = kept.kind.data && kept.value.data && grow(list);
    if (is_kept)
        list->rows[list->count++] = kept;
    else
        folding->status = AT_NOMEM;
    return is_kept;
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
    folding->status = kept_add(&folding->events, folding->arena, row);
    return folding->status == AT_OK;
}

static enum at_status add_identifiers(struct at_profile_run *run, const struct identifier_list *list) {
    bool is_added = true;
    for (size_t i = 0; i < list->count && is_added; i++) {
        struct at_identifier identifier = {list->rows[i].kind, list->rows[i].value};
        is_added = at_profile_run_identifier(run, &identifier, list->rows[i].since_ms);
    }
    return is_added ? AT_OK : AT_NOMEM;
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

static enum at_status apply_events(struct folding *folding, struct at_profile_run *run) {
    struct at_json_parser *parser = parser_borrow(folding->shop);
    enum at_status status = parser ? AT_OK : AT_NOMEM;
    for (size_t i = 0; i < folding->events.count && status == AT_OK; i++) {
        struct at_logged_event logged;
        status = kept_read(&folding->events.list[i], parser, &logged);
        if (status == AT_OK && !at_profile_run_apply(run, &logged)) status = AT_NOMEM;
    }
    parser_return(folding->shop, parser);
    return status;
}

static enum at_status apply_all(struct folding *folding, const struct at_profile *base) {
    struct at_account *account = &folding->shop->ledger.accounts[AT_ACCOUNT_PROFILES];
    struct at_profile *first =
        base ? at_profile_become(base, folding->person, account) : at_profile_new(folding->person, account);
    struct at_profile_run *run = first ? at_profile_run_begin(first) : NULL;
    enum at_status status = run ? apply_events(folding, run) : AT_NOMEM;
    if (status == AT_OK) status = add_identifiers(run, folding->list);
    if (run) folding->profile = at_profile_run_end(run);
    if (first) at_profile_unref(first);
    return status == AT_OK && !folding->profile ? AT_NOMEM : status;
}

/* Those the timeline's index does not hold yet, stretch by stretch of the log. */
static enum at_status read_missing(struct folding *folding, struct at_reader *reader, const uint64_t *seqs,
                                   size_t count) {
    enum at_status status = AT_OK;
    for (size_t i = 0, end; i < count && status == AT_OK && folding->status == AT_OK; i = end) {
        for (end = i + 1; end < count && seqs[end] == seqs[end - 1] + 1;) end++;
        status = at_reader_log(reader, seqs[i] - 1, seqs[end - 1], keep_event, folding);
    }
    return status;
}

/* The events of all in log order, but for those of the person `but` (0: of nobody). */
static enum at_status read_events(struct folding *folding, struct at_reader *reader, uint64_t but) {
    const struct identifier_list *list = folding->list;
    uint64_t *sources = at_arena_alloc(folding->arena, list->count * sizeof *sources);
    enum at_status status = sources ? AT_OK : AT_NOMEM;
    size_t count = 0, missing_count = 0;
    folding->events.count = 0;
    for (size_t i = 0; i < list->count && status == AT_OK && folding->status == AT_OK; i++) {
        if (list->rows[i].person == but) continue;
        sources[count++] = list->rows[i].id;
        status = at_reader_events_of(reader, list->rows[i].id, UINT64_MAX >> 1, false, keep_event, folding);
    }
    if (status != AT_OK || folding->status != AT_OK) return status;
    if (count) qsort(sources, count, sizeof *sources, by_number);
    uint64_t *missing = timeline_missing(folding->shop, folding->arena, sources, count, &missing_count);
    if (!missing) return AT_NOMEM;
    status = read_missing(folding, reader, missing, missing_count);
    kept_sort(&folding->events);
    return status;
}

static void fold_read(struct at_read *read, struct at_reader *reader) {
    struct folding *folding = (struct folding *)read;
    const struct at_profile *base = folding->list->base;
    enum at_status status = read_events(folding, reader, base ? base->person : 0);
    if (status == AT_OK && base && folding->events.count &&
        folding->events.list[0].seq <= base->applied_seq) {
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
    *out = NULL;
    enum at_status status = timeline_bound(shop);
    if (status != AT_OK) return status;
    at_store_read_now(shop->store, &folding.read);
    kept_clear(&folding.events);
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
    struct at_json_parser *parser;
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
        status = at_json_parse(recovery->parser, row.body.data, row.body.length, false, &json, NULL);
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
    struct kept_event kept;
    status = kept_copy(&recovery->arena, row, &kept);
    if (status != AT_OK) return status;
    if (row->seq > profile->applied_seq) {
        struct at_logged_event logged;
        status = kept_read(&kept, recovery->parser, &logged);
        if (status != AT_OK) return status;
        profile = at_profile_apply(profile, &logged, true);
        *slot = (uint64_t)(uintptr_t)profile;
        if (!profile) return AT_NOMEM;
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

static enum at_status name(struct at_profile **profile, const struct identifier_list *list) {
    struct at_profile_run *run = at_profile_run_begin(*profile);
    if (!run) return AT_NOMEM;
    enum at_status status = add_identifiers(run, list);
    at_profile_unref(*profile);
    *profile = at_profile_run_end(run);
    return *profile ? status : AT_NOMEM;
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
        if (recovery->status == AT_OK) recovery->status = name(&profile, &list);
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
    struct recovery recovery = {.read = {.run = recover_read}, .shop = shop};
    at_arena_init(&recovery.arena, AT_SHOP_BODY_MAX);
    at_intmap_init(&recovery.person_of);
    at_intmap_init(&recovery.profiles);
    recovery.parser = parser_borrow(shop);
    if (!recovery.parser)
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
    parser_return(shop, recovery.parser);
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
