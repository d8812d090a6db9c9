/* SPDX-License-Identifier: Apache-2.0
 *
 * The outlook of one person in one segment: from place to place at which the answer may be another, until it
 * is; and until when what a profile says of a moment stands.
 */
#include "profile/segment.h"
#include "profile/draft.h"

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t after(int64_t from_ms, int64_t span_ms) {
    int64_t sum;
    return __builtin_add_overflow(from_ms, span_ms, &sum) ? AT_NEVER : sum;
}

enum at_status at_segment_look(const struct at_segment_judge *judge, const struct at_profile *profile,
                               int64_t now_ms, int64_t recheck_ms, struct at_segment_outlook *out,
                               struct at_error *err) {
    struct at_segment_answer answer;
    int64_t at_ms = now_ms;
    enum at_status status = judge->ask(judge->arg, profile, at_ms, &answer, err);
    if (status != AT_OK) return status;
    *out = (struct at_segment_outlook){.is_member = answer.is_member};
    for (int step = 0; step < AT_SEGMENT_STEPS_MAX; step++) {
        AT_ASSERT(answer.until_ms > at_ms);
        out->is_blind |= answer.is_blind;
        out->due_ms = answer.until_ms;
        if (answer.is_blind) out->due_ms = earlier(out->due_ms, after(at_ms, recheck_ms));
        if (answer.is_blind || answer.until_ms == AT_NEVER) return AT_OK;
        at_ms = answer.until_ms;
        if (judge->ask(judge->arg, profile, at_ms, &answer, NULL) != AT_OK) return AT_OK;
        if (answer.is_member != out->is_member) return AT_OK;
    }
    return AT_OK;
}

/* ---- what stands until when ---- */

int64_t at_consent_until(const struct at_profile *profile, int64_t now_ms) {
    int64_t until_ms = AT_NEVER;
    for (uint32_t i = 0; i < profile->consent_count; i++)
        if (profile->consents[i].expires_ms > now_ms)
            until_ms = earlier(until_ms, profile->consents[i].expires_ms);
    return until_ms;
}

int64_t at_visit_until(const struct at_profile *profile, int64_t now_ms) {
    int64_t ends_ms = after(profile->visit.last_ms, AT_SESSION_GAP_MS);
    return profile->last_seen_ms && ends_ms > now_ms ? ends_ms : AT_NEVER;
}

/* The places of one bucket at which at_profile_count sees it otherwise: as it begins, and as it leaves the
 * window. */
static int64_t bucket_until(int64_t begins_ms, int64_t size_ms, int64_t within_ms, int64_t now_ms) {
    const int64_t places[] = {begins_ms, after(begins_ms + size_ms / 2, within_ms),
                              after(begins_ms + size_ms - 1, within_ms)};
    int64_t until_ms = AT_NEVER;
    for (size_t i = 0; i < AT_LENGTH(places); i++)
        if (places[i] > now_ms) until_ms = earlier(until_ms, places[i]);
    return until_ms;
}

int64_t at_profile_count_until(const struct at_profile *profile, struct at_text name, int64_t within_ms,
                               int64_t now_ms) {
    const struct at_event_count *counted = at_profile_counted(profile, name);
    if (!counted) return AT_NEVER;
    const struct buckets *buckets = &block_of(profile)->buckets[counted - profile->counts];
    bool by_hour = within_ms <= 2 * AT_DAY_MS;
    const struct bucket *list = by_hour ? buckets->hours : buckets->days;
    uint32_t count = by_hour ? buckets->hour_count : buckets->day_count;
    int64_t size_ms = by_hour ? AT_HOUR_MS : AT_DAY_MS, until_ms = AT_NEVER;
    int64_t whole_ms = after(counted->first_ms, within_ms), gone_ms = after(counted->last_ms, within_ms);
    if (counted->last_ms > now_ms) until_ms = counted->last_ms;
    if (whole_ms > now_ms) until_ms = earlier(until_ms, whole_ms);
    if (gone_ms > now_ms) until_ms = earlier(until_ms, gone_ms);
    for (uint32_t i = 0; i < count; i++)
        until_ms = earlier(until_ms, bucket_until(list[i].unit * size_ms, size_ms, within_ms, now_ms));
    return until_ms;
}
