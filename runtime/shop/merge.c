/* SPDX-License-Identifier: Apache-2.0
 *
 * Two people become one, when an event shows that they are; one becomes two again, when somebody takes an
 * identifier away. No event is touched: each stays with its source, and both profiles are folded anew. All of
 * it is the back worker's, one at a time.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

static enum at_status add_move(struct at_unit *unit, struct at_arena *arena,
                               const struct at_identifier_row *row, uint64_t person) {
    struct at_write *move = at_unit_write(unit, arena, AT_WRITE_MOVE);
    if (!move) return AT_NOMEM;
    move->identifier = *row;
    move->identifier.person = person;
    return AT_OK;
}

/* Its segments are to be looked at. */
static enum at_status add_due(struct at_unit *unit, struct at_arena *arena, uint64_t person, int64_t now_ms) {
    struct at_write *write = at_unit_write(unit, arena, AT_WRITE_DUE);
    if (!write) return AT_NOMEM;
    write->due = (struct at_due_row){person, now_ms};
    return AT_OK;
}

/* ---- two become one ---- */

struct merge {
    struct at_shop *shop;
    struct at_arena arena;
    const struct evidence *evidence;
    struct identity_pair pair;
    struct identifier_list list; /* of both */
    uint64_t survivor, loser;
    struct at_profile *profile;
    struct segment_overlap overlap;
};

static enum at_status add_evidence(struct merge *merge, struct at_unit *unit) {
    const struct evidence *evidence = merge->evidence;
    uint64_t a = merge->pair.id[0], b = merge->pair.id[1];
    struct at_write *link = at_unit_write(unit, &merge->arena, AT_WRITE_LINK);
    struct at_write *row = at_unit_write(unit, &merge->arena, AT_WRITE_MERGE);
    if (!link || !row) return AT_NOMEM;
    link->link = (struct at_link_row){a < b ? a : b,    a < b ? b : a,        evidence->at_ms,
                                      evidence->origin, evidence->message_id, evidence->name};
    row->merge = (struct at_merge_row){merge->survivor, merge->loser, at_shop_now(merge->shop), a, b};
    return AT_OK;
}

/* Both are one now: in every segment that either was in, since the earlier moment, until somebody looks. */
static enum at_status add_members(struct merge *merge, struct at_unit *unit) {
    struct at_write *write = at_unit_write(unit, &merge->arena, AT_WRITE_MEMBERS_MERGE);
    if (!write) return AT_NOMEM;
    write->member.person = merge->survivor;
    write->number = merge->loser;
    return add_due(unit, &merge->arena, merge->survivor, at_shop_now(merge->shop));
}

static enum at_status write_merge(struct merge *merge) {
    struct at_unit unit = {0};
    enum at_status status = AT_OK;
    for (size_t i = 0; i < merge->list.count && status == AT_OK; i++)
        if (merge->list.rows[i].person == merge->loser)
            status = add_move(&unit, &merge->arena, &merge->list.rows[i], merge->survivor);
    if (status == AT_OK) status = add_evidence(merge, &unit);
    if (status == AT_OK) status = people_put_row(merge->shop, &unit, &merge->arena, merge->profile);
    if (status == AT_OK) status = people_drop_row(&unit, &merge->arena, merge->loser);
    if (status == AT_OK) status = add_members(merge, &unit);
    return status == AT_OK ? commit_and_wait(merge->shop, &unit, false) : status;
}

static void tell_merge(const struct merge *merge) {
    char kept[AT_PERSON_ID_SIZE], gone[AT_PERSON_ID_SIZE];
    struct at_bytes bytes;
    if (!live_is_watched(merge->shop)) return;
    at_person_id_format(merge->survivor, kept);
    at_person_id_format(merge->loser, gone);
    at_bytes_init(&bytes, 4096);
    struct at_json_out out = at_json_out(&bytes);
    at_json_open(&out, '{');
    at_json_add_text(&out, "kept", at_text_of(kept));
    at_json_add_text(&out, "gone", at_text_of(gone));
    at_json_add_text(&out, "because", merge->evidence->name);
    at_json_close(&out, '}');
    if (!bytes.failed) live_send(merge->shop, "merge", (struct at_text){bytes.data, bytes.length});
    at_bytes_clear(&bytes);
}

static int by_id(const void *a, const void *b) {
    uint64_t x = ((const struct at_identifier_row *)a)->id, y = ((const struct at_identifier_row *)b)->id;
    return x < y ? -1 : x > y;
}

/* Of both, in the order they came to be known, so that it does not show who survived. */
static enum at_status list_both(struct merge *merge) {
    enum at_status status = fold_list(merge->shop, &merge->arena, merge->survivor, &merge->list);
    if (status == AT_OK) status = fold_list(merge->shop, &merge->arena, merge->loser, &merge->list);
    if (status == AT_OK && merge->list.count)
        qsort(merge->list.rows, merge->list.count, sizeof *merge->list.rows, by_id);
    return status;
}

/* Most often a visitor of today becomes a customer of last year: only the visitor's events are folded. */
static struct at_profile *ends_first(struct at_profile *a, struct at_profile *b) {
    return a->applied_seq < b->applied_seq ? a : b;
}

static enum at_status merge_held(struct merge *merge, struct person_wait *a, struct person_wait *b) {
    struct at_shop *shop = merge->shop;
    merge->survivor = at_profile_survivor(a->profile, b->profile);
    struct person_wait *kept = merge->survivor == a->profile->person ? a : b, *lost = kept == a ? b : a;
    merge->loser = lost->profile->person;
    enum at_status status = list_both(merge);
    merge->list.base = ends_first(a->profile, b->profile);
    if (status == AT_OK)
        status = fold_profile(shop, &merge->arena, &merge->list, merge->survivor, &merge->profile);
    if (status == AT_OK) status = identity_reserve(&shop->identity, 0);
    if (status == AT_OK) status = segments_overlap(shop, merge->survivor, merge->loser, &merge->overlap);
    if (status == AT_OK) status = write_merge(merge);
    if (status == AT_OK) {
        identity_join(&shop->identity, merge->evidence->hash_a, merge->evidence->hash_b, merge->survivor);
        count_add(shop, COUNT_MERGES, 1);
        people_release(shop, kept->person, merge->profile);
        people_gone(shop, lost->person);
        learn_became(shop, merge->loser, merge->survivor);
        segments_merged(shop, merge->survivor, merge->loser, &merge->overlap);
        tell_merge(merge);
    } else {
        if (merge->profile) at_profile_unref(merge->profile);
        people_release(shop, kept->person, NULL);
        people_release(shop, lost->person, NULL);
    }
    free(merge->list.rows);
    return status;
}

enum at_status merge_people(struct at_shop *shop, const struct evidence *evidence) {
    struct person_wait first = {0}, second = {0};
    struct merge merge = {.shop = shop, .evidence = evidence};
    /* Others may have asked for the same. People are joined and split here alone, so what holds now stays. */
    if (!identity_pair(&shop->identity, evidence, &merge.pair)) return AT_OK;
    uint64_t a = merge.pair.person[0], b = merge.pair.person[1];
    enum at_status status = people_hold_now(shop, a < b ? a : b, false, &first);
    if (status != AT_OK) return status == AT_STALE ? AT_OK : status;
    status = people_hold_now(shop, a < b ? b : a, false, &second);
    at_arena_init(&merge.arena, SIZE_MAX >> 1);
    if (status == AT_OK)
        status = merge_held(&merge, &first, &second);
    else
        people_release(shop, first.person, NULL);
    at_arena_clear(&merge.arena);
    at_profile_unref(first.profile);
    if (second.profile) at_profile_unref(second.profile);
    return status == AT_STALE ? AT_OK : status;
}

/* ---- one becomes two ---- */

struct link {
    uint64_t a, b; /* ids, then places among the rows */
};
struct unmerge {
    struct at_job *job;
    struct at_shop *shop;
    struct at_arena arena;
    uint64_t person, split_person;
    struct at_text kind, value;              /* of the identifier that leaves */
    struct identifier_list all, kept, split; /* the first row of split is that identifier's */
    uint8_t *sides;                          /* of each of all */
    struct link *links;
    size_t link_count, link_capacity;
    struct at_profile *kept_profile, *split_profile;
    struct at_read read;
    enum at_status status;
};
enum side { SIDE_NONE, SIDE_KEPT, SIDE_SPLIT };

static bool keep_link(void *arg, const struct at_link_row *row) {
    struct unmerge *unmerge = arg;
    if (identity_is_barred(&unmerge->shop->identity, row->a, row->b)) return true;
    if (unmerge->link_count == unmerge->link_capacity) {
        size_t capacity = unmerge->link_capacity ? unmerge->link_capacity * 2 : 64;
        struct link *links = realloc(unmerge->links, capacity * sizeof *links);
        if (!links) {
            unmerge->status = AT_NOMEM;
            return false;
        }
        unmerge->links = links;
        unmerge->link_capacity = capacity;
    }
    unmerge->links[unmerge->link_count++] = (struct link){row->a, row->b};
    return true;
}

static void read_links(struct at_read *read, struct at_reader *reader) {
    struct unmerge *unmerge = (struct unmerge *)((char *)read - offsetof(struct unmerge, read));
    enum at_status status = AT_OK;
    for (size_t i = 0; i < unmerge->all.count && status == AT_OK && unmerge->status == AT_OK; i++)
        status = at_reader_links_of(reader, unmerge->all.rows[i].id, keep_link, unmerge);
    if (unmerge->status == AT_OK) unmerge->status = status;
}

static size_t place_of(const struct unmerge *unmerge, uint64_t id) { /* rows come by id */
    size_t low = 0, high = unmerge->all.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (unmerge->all.rows[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < unmerge->all.count && unmerge->all.rows[low].id == id ? low : SIZE_MAX;
}

/* From ids to places among the rows; a link to somebody else holds nothing here. */
static void place_links(struct unmerge *unmerge) {
    size_t kept = 0;
    for (size_t i = 0; i < unmerge->link_count; i++) {
        struct link link = {place_of(unmerge, unmerge->links[i].a), place_of(unmerge, unmerge->links[i].b)};
        if (link.a != SIZE_MAX && link.b != SIZE_MAX) unmerge->links[kept++] = link;
    }
    unmerge->link_count = kept;
}

/* All that links reach from there without crossing to the other side. */
static void spread(struct unmerge *unmerge, size_t from, enum side side) {
    uint8_t *sides = unmerge->sides;
    bool grew = true;
    sides[from] = side;
    while (grew) {
        grew = false;
        for (size_t i = 0; i < unmerge->link_count; i++) {
            size_t a = unmerge->links[i].a, b = unmerge->links[i].b;
            if (sides[a] == SIDE_NONE && sides[b] == side) sides[a] = side, grew = true;
            if (sides[b] == SIDE_NONE && sides[a] == side) sides[b] = side, grew = true;
        }
    }
}

/* What the person is known by: the strongest, then the oldest. */
static size_t anchor_of(const struct unmerge *unmerge, size_t leaving) {
    const struct at_identity_rules *rules = &unmerge->shop->identity.rules;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < unmerge->all.count; i++) {
        if (i == leaving) continue;
        if (best == SIZE_MAX) best = i;
        const struct at_identifier_row *one = &unmerge->all.rows[i], *other = &unmerge->all.rows[best];
        uint32_t kind = at_identity_kind_find(rules, one->kind),
                 than = at_identity_kind_find(rules, other->kind);
        if (kind < than || (kind == than && one->since_ms < other->since_ms)) best = i;
    }
    return best;
}

static enum at_status add_row(struct unmerge *unmerge, struct identifier_list *list, size_t i) {
    if (!list->rows) list->rows = at_arena_alloc(&unmerge->arena, unmerge->all.count * sizeof *list->rows);
    if (!list->rows) return AT_NOMEM;
    list->rows[list->count++] = unmerge->all.rows[i];
    return AT_OK;
}

/* Who goes and who stays: what is linked to the anchor without the identifier stays; it takes with it what
 * only it holds. */
static enum at_status take_sides(struct unmerge *unmerge) {
    size_t leaving = 0;
    while (leaving < unmerge->all.count && !(at_text_equal(unmerge->all.rows[leaving].kind, unmerge->kind) &&
                                             at_text_equal(unmerge->all.rows[leaving].value, unmerge->value)))
        leaving++;
    struct at_error *err = &unmerge->job->err;
    if (leaving == unmerge->all.count)
        return at_fail_field(err, AT_NOTFOUND, "not_theirs", "identifier",
                             "this person has no such identifier");
    if (unmerge->all.count == 1)
        return at_fail_field(err, AT_UNPROCESSABLE, "only_one", "identifier",
                             "this is the person's only identifier: there is nothing to take apart");
    unmerge->read.run = read_links;
    at_store_read_now(unmerge->shop->store, &unmerge->read);
    unmerge->sides = at_arena_zalloc(&unmerge->arena, unmerge->all.count);
    if (!unmerge->sides) return AT_NOMEM;
    if (unmerge->status != AT_OK) return unmerge->status;
    place_links(unmerge);
    unmerge->sides[leaving] = SIDE_SPLIT;
    spread(unmerge, anchor_of(unmerge, leaving), SIDE_KEPT);
    spread(unmerge, leaving, SIDE_SPLIT);
    enum at_status status = add_row(unmerge, &unmerge->split, leaving);
    for (size_t i = 0; i < unmerge->all.count && status == AT_OK; i++)
        if (i != leaving)
            status = add_row(unmerge, unmerge->sides[i] == SIDE_SPLIT ? &unmerge->split : &unmerge->kept, i);
    return status;
}

static enum at_status add_unlink(struct unmerge *unmerge, struct at_unit *unit, uint64_t a, uint64_t b) {
    struct at_write *write = at_unit_write(unit, &unmerge->arena, AT_WRITE_UNLINK);
    if (!write) return AT_NOMEM;
    write->unlink = (struct at_unlink_row){a < b ? a : b, a < b ? b : a, at_shop_now(unmerge->shop),
                                           at_text_of(unmerge->job->source)};
    return AT_OK;
}

static enum at_status write_unmerge(struct unmerge *unmerge) {
    struct at_unit unit = {0};
    enum at_status status = AT_OK;
    for (size_t i = 0; i < unmerge->split.count && status == AT_OK; i++)
        status = add_move(&unit, &unmerge->arena, &unmerge->split.rows[i], unmerge->split_person);
    for (size_t i = 0; i < unmerge->kept.count && status == AT_OK; i++)
        status = add_unlink(unmerge, &unit, unmerge->split.rows[0].id, unmerge->kept.rows[i].id);
    /* The stored one may be further in the log than what stays: it must not win. */
    if (status == AT_OK) status = people_drop_row(&unit, &unmerge->arena, unmerge->person);
    if (status == AT_OK)
        status = people_put_row(unmerge->shop, &unit, &unmerge->arena, unmerge->kept_profile);
    if (status == AT_OK)
        status = people_put_row(unmerge->shop, &unit, &unmerge->arena, unmerge->split_profile);
    int64_t now_ms = at_shop_now(unmerge->shop);
    if (status == AT_OK) status = add_due(&unit, &unmerge->arena, unmerge->person, now_ms);
    if (status == AT_OK) status = add_due(&unit, &unmerge->arena, unmerge->split_person, now_ms);
    return status == AT_OK ? commit_and_wait(unmerge->shop, &unit, false) : status;
}

static uint64_t *hashes_of(struct unmerge *unmerge, const struct identifier_list *list) {
    uint64_t *hashes = at_arena_alloc(&unmerge->arena, list->count * sizeof *hashes);
    for (size_t i = 0; hashes && i < list->count; i++)
        hashes[i] = identity_hash(&unmerge->shop->identity, list->rows[i].kind, list->rows[i].value);
    return hashes;
}

static enum at_status split_held(struct unmerge *unmerge, struct person_wait *held) {
    struct at_shop *shop = unmerge->shop;
    struct person_wait fresh = {0};
    learn_drain(shop);
    enum at_status status = fold_list(shop, &unmerge->arena, unmerge->person, &unmerge->all);
    if (status == AT_OK) status = take_sides(unmerge);
    if (status != AT_OK) return status;
    unmerge->split_person = at_store_next_id(shop->store);
    status = fold_profile(shop, &unmerge->arena, &unmerge->kept, unmerge->person, &unmerge->kept_profile);
    if (status == AT_OK)
        status = fold_profile(shop, &unmerge->arena, &unmerge->split, unmerge->split_person,
                              &unmerge->split_profile);
    struct identity_split split = {
        hashes_of(unmerge, &unmerge->split), unmerge->split.count, unmerge->split_person, 0,
        hashes_of(unmerge, &unmerge->kept),  unmerge->kept.count};
    if (status == AT_OK && (!split.hashes || !split.kept)) status = AT_NOMEM;
    if (status == AT_OK) status = identity_reserve(&shop->identity, unmerge->kept.count);
    if (status == AT_OK) status = people_hold_now(shop, unmerge->split_person, true, &fresh);
    if (status == AT_OK) status = write_unmerge(unmerge);
    if (status == AT_OK) {
        split.barred = split.hashes[0];
        identity_split(&shop->identity, &split); /* before anybody else may write one of them */
        people_release(shop, fresh.person, at_profile_ref(unmerge->split_profile));
        people_release(shop, held->person, at_profile_ref(unmerge->kept_profile));
        held->person = NULL;
        segments_merged(shop, unmerge->person, unmerge->split_person, NULL);
        count_add(shop, COUNT_UNMERGES, 1);
    } else if (fresh.person)
        people_release(shop, fresh.person, NULL);
    if (fresh.profile) at_profile_unref(fresh.profile);
    return status;
}

static void write_answer(const struct unmerge *unmerge) {
    char kept[AT_PERSON_ID_SIZE], split[AT_PERSON_ID_SIZE];
    struct at_json_out out = at_json_out(&unmerge->job->out);
    at_person_id_format(unmerge->person, kept);
    at_person_id_format(unmerge->split_person, split);
    at_json_open(&out, '{');
    at_json_add_text(&out, "kept", at_text_of(kept));
    at_json_add_text(&out, "split", at_text_of(split));
    at_json_close(&out, '}');
}

static enum at_status unmerge_now(struct at_job *job, void *arg) {
    struct unmerge *unmerge = arg;
    struct person_wait held = {0};
    at_arena_init(&unmerge->arena, SIZE_MAX >> 1);
    enum at_status status = people_hold_now(unmerge->shop, unmerge->person, false, &held);
    if (status == AT_OK) status = split_held(unmerge, &held);
    if (held.person) people_release(unmerge->shop, held.person, NULL);
    if (status == AT_OK) write_answer(unmerge);
    if (status == AT_STALE)
        status = at_fail(&job->err, AT_BUSY, NULL, "this person is being merged: send it again in a moment");
    else if (status != AT_OK && !*job->err.message)
        at_fail(&job->err, status, NULL, "nothing was taken apart (%s): send it again",
                at_status_word(status));
    if (held.profile) at_profile_unref(held.profile);
    if (unmerge->kept_profile) at_profile_unref(unmerge->kept_profile);
    if (unmerge->split_profile) at_profile_unref(unmerge->split_profile);
    free(unmerge->all.rows);
    free(unmerge->links);
    at_arena_clear(&unmerge->arena);
    return status;
}

void at_shop_unmerge(struct at_job *job, struct at_text kind, struct at_text value, struct at_json body) {
    struct at_shop *shop = job->worker->shop;
    uint64_t person = customer_person(job, kind, value, "unmerge");
    if (!person) return;
    struct at_json identifier = at_json_get(body, "identifier");
    struct at_text id_kind = at_json_text(at_json_get(identifier, "kind"));
    struct at_text id_value = at_json_text(at_json_get(identifier, "value"));
    struct unmerge *unmerge = at_arena_zalloc(job->arena, sizeof *unmerge);
    enum at_status status = unmerge ? AT_OK : at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    if (status == AT_OK && (!id_kind.length || !id_value.length))
        status = at_fail_field(
            &job->err, AT_INVALID, "no_identifier", "identifier",
            "say which one leaves: {\"identifier\":{\"kind\":\"anonymous_id\",\"value\":\"…\"}}");
    if (status == AT_OK) {
        *unmerge = (struct unmerge){.job = job, .shop = shop, .person = person, .kind = id_kind};
        unmerge->value = at_identity_normal(&shop->identity.rules, id_kind, id_value, job->arena);
        status = errand_post(job, unmerge_now, unmerge);
    }
    if (status != AT_OK) job_end(job, status);
}
