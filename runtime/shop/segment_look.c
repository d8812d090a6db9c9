/* SPDX-License-Identifier: Apache-2.0
 *
 * What one person comes to: every segment is asked about the person at a moment, and what differs from what
 * is stored is a transition. Where time alone was to change something while nobody looked, each such moment
 * is gone through, so that who entered and left in between is seen to have done so. A segment that fails
 * leaves its members as they were.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/segments.h"

/* ---- names and what is known of them ---- */

struct segment_stat *segment_stat(struct segments *segments, struct at_text name) {
    uint64_t *slot = at_map_put(&segments->stats, name.data, name.length, NULL);
    if (!slot) return NULL;
    if (!*slot) *slot = (uint64_t)(uintptr_t)calloc(1, sizeof(struct segment_stat));
    return (struct segment_stat *)(uintptr_t)*slot;
}

static uint64_t says_of(const struct segments *segments, const struct at_generation *generation) {
    const struct at_shop *shop = segments->shop;
    struct at_bytes rules;
    uint64_t hash = 0;
    if (generation->reads_interval)
        hash = at_hash64_seed(&segments->shop_days, sizeof segments->shop_days, hash);
    for (uint32_t i = 0; i < generation->segment_count; i++) {
        const struct at_segment *segment = &generation->segments[i];
        hash = at_hash64_seed(segment->name, strlen(segment->name), hash);
        hash = at_hash64_seed(&segment->says, sizeof segment->says, hash);
    }
    at_bytes_init(&rules, 1 << 16); /* whom they may be asked about */
    at_settings_tell_consent(shop->settings, &rules);
    if (!rules.failed) hash = at_hash64_seed(rules.data, rules.length, hash);
    at_bytes_clear(&rules);
    return hash;
}

enum at_status segments_serve(struct segments *segments, struct serving *serving) {
    const struct at_generation *generation = serving->generation;
    struct segment_stat **by_index = calloc(generation->segment_count + 1, sizeof *by_index);
    bool is_ok = by_index != NULL;
    for (uint32_t i = 0; is_ok && i < generation->segment_count; i++) {
        by_index[i] = segment_stat(segments, at_text_of(generation->segments[i].name));
        is_ok = by_index[i] != NULL;
    }
    if (!is_ok) {
        free(by_index);
        return AT_NOMEM;
    }
    for (uint32_t i = 0; i < generation->segment_count; i++) {
        by_index[i]->stops = 0;
        by_index[i]->is_set_aside = by_index[i]->is_told = by_index[i]->is_blind = false;
    }
    free(segments->by_index);
    if (segments->serving) serving_unref(segments->serving);
    serving_ref(serving);
    segments->serving = serving;
    segments->by_index = by_index;
    segments->says = says_of(segments, generation);
    return AT_OK;
}

void segments_heed(struct segments *segments) {
    uint32_t days = at_baseline_shop_days(segments->baseline);
    if (days == segments->shop_days) return;
    segments->shop_days = days;
    if (!segments->serving || !segments->serving->generation->reads_interval) return;
    segments->says = says_of(segments, segments->serving->generation);
    sweep_again(segments);
}

/* ---- one segment ---- */

static void note_failure(struct segments *segments, uint32_t index, enum at_status status,
                         const struct at_error *err) {
    struct segment_stat *stat = segments->by_index[index];
    const struct at_segment *segment = &segments->serving->generation->segments[index];
    stat->failures++;
    snprintf(stat->error, sizeof stat->error, "%s", err->message);
    count_add(segments->shop, COUNT_SEGMENT_FAILURES, 1);
    if (status == AT_STOPPED && ++stat->stops == SEGMENT_STOPS_MAX) {
        stat->is_set_aside = true;
        at_log(at_shop_log(segments->shop), AT_LOG_ERROR, "script",
               "segment \"%s\" overran %d times in a row: it is not asked any more until it is changed; its "
               "members stay",
               segment->name, SEGMENT_STOPS_MAX);
    }
    if (stat->is_told) return;
    char words[700];
    stat->is_told = true;
    snprintf(words, sizeof words, "segment \"%s\", its members stay as they are: %s", segment->name,
             err->message);
    live_tell_script(segments->shop, words);
}

enum at_status segment_ask(struct segments *segments, uint32_t index, const struct at_profile *profile,
                           int64_t at_ms, struct at_segment_outlook *out) {
    struct segment_stat *stat = segments->by_index[index];
    const struct at_segment *segment = &segments->serving->generation->segments[index];
    struct at_error err = {0};
    if (stat->is_set_aside) return AT_FAILED;
    struct at_language *language = serving_back_language(segments->serving);
    if (!language) return AT_NOMEM;
    struct at_segment_use use = {.language = language,
                                 .segment = segment,
                                 .root = segments->root,
                                 .baseline = segments->baseline,
                                 .arena = &segments->answers};
    struct at_segment_judge judge = at_segment_judge(&use);
    enum at_status status = at_segment_look(&judge, profile, at_ms, segment->recheck_ms, out, &err);
    budget_took(segments->shop, AT_BUDGET_SEGMENT, use.took_ns);
    budget_tell_slow(segments->shop, segments->serving, &use.slow);
    stat->checked_ms = at_ms > stat->checked_ms ? at_ms : stat->checked_ms;
    if (status == AT_NOMEM) return status;
    if (status != AT_OK) {
        note_failure(segments, index, status, &err);
        return AT_FAILED;
    }
    stat->stops = 0;
    stat->is_blind |= out->is_blind;
    return AT_OK;
}

/* ---- one person ---- */

static bool grow(struct at_arena *arena, void **items, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) return true;
    uint32_t wanted = *capacity ? *capacity * 2 : 8;
    void *bigger = at_arena_alloc(arena, wanted * size);
    if (!bigger) return false;
    if (count) memcpy(bigger, *items, count * size);
    *items = bigger;
    *capacity = wanted;
    return true;
}

enum at_status looked_add(struct segments *segments, struct looked *one, const struct at_member_row *row) {
    char *name = at_arena_dup(&segments->arena, row->segment.data, row->segment.length);
    if (!name || !grow(&segments->arena, (void **)&one->stored, one->stored_count, &one->stored_capacity,
                       sizeof *one->stored))
        return AT_NOMEM;
    one->stored[one->stored_count++] = (struct membership){{name, row->segment.length}, row->since_ms};
    return AT_OK;
}

static enum at_status add_move(struct segments *segments, struct looked *one, struct at_text segment,
                               bool is_entry, int64_t at_ms) {
    if (!grow(&segments->arena, (void **)&one->moves, one->move_count, &one->move_capacity,
              sizeof *one->moves))
        return AT_NOMEM;
    one->moves[one->move_count++] = (struct transition){segment, is_entry, at_ms};
    return AT_OK;
}

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* All segments at one moment; is_in is brought to what they say. */
static enum at_status look_at(struct segments *segments, struct looked *one, int64_t at_ms, bool *is_in) {
    const struct at_generation *generation = segments->serving->generation;
    one->due_ms = AT_NEVER;
    for (uint32_t i = 0; i < generation->segment_count; i++) {
        const struct at_segment *segment = &generation->segments[i];
        struct at_segment_outlook outlook;
        enum at_status status = segment_ask(segments, i, one->profile, at_ms, &outlook);
        if (status == AT_NOMEM) return status;
        if (status != AT_OK) { /* as it was; perhaps another time */
            one->due_ms = earlier(one->due_ms, at_ms + segment->recheck_ms);
            continue;
        }
        one->due_ms = earlier(one->due_ms, outlook.due_ms);
        if (outlook.is_member == is_in[i]) continue;
        is_in[i] = outlook.is_member;
        status = add_move(segments, one, at_text_of(segment->name), is_in[i], at_ms);
        if (status != AT_OK) return status;
    }
    return AT_OK;
}

/* Where the person is by what is stored. A segment that is declared no longer has no members. */
static enum at_status begin(struct segments *segments, struct looked *one, bool *is_in) {
    const struct at_generation *generation = segments->serving->generation;
    enum at_status status = AT_OK;
    one->move_count = 0;
    for (uint32_t i = 0; i < one->stored_count && status == AT_OK; i++) {
        const struct at_segment *segment = at_generation_segment(generation, one->stored[i].segment);
        if (segment)
            is_in[segment - generation->segments] = true;
        else
            status = add_move(segments, one, one->stored[i].segment, false, one->from_ms);
    }
    return status;
}

enum at_status segments_look(struct segments *segments, struct looked *one) {
    struct at_shop *shop = segments->shop;
    bool is_in[AT_SEGMENTS_MAX] = {false};
    int64_t now_ms = at_shop_now(shop), at_ms = one->from_ms;
    enum at_status status = begin(segments, one, is_in);
    for (int moment = 0; status == AT_OK; moment++) {
        status = look_at(segments, one, at_ms, is_in);
        if (one->due_ms > now_ms || at_ms >= now_ms) break;
        at_ms = moment < SEGMENT_MOMENTS_MAX ? one->due_ms : now_ms;
    }
    one->is_analysed = at_consent_allows(&shop->settings->consent, one->profile, AT_TEXT("analytics"),
                                         AT_TEXT(""), at_consent_region(one->profile->country), now_ms);
    return status;
}
