/* SPDX-License-Identifier: Apache-2.0
 *
 * Everybody, slice by slice in the order of their ids: when the segments changed, or when too many waited to
 * be named. Stored profiles are read from the disk; who is in memory is taken as there, for a snapshot that
 * is not written behind yet stays in memory until it is. Whoever comes meanwhile is looked at as
 * events tell of them.
 */
#include <string.h>

#include "shop/segments.h"

void sweep_begin(struct segments *segments, uint64_t after) {
    segments->sweep = (struct sweep){.is_on = true, .after = after, .began_ms = at_shop_now(segments->shop)};
}

void sweep_again(struct segments *segments) {
    if (segments->sweep.is_on)
        segments->sweep.is_again = true;
    else
        sweep_begin(segments, 0);
}

struct slicing {
    struct at_read read;
    struct segments *segments;
    struct slice *slice;
    int64_t now_ms;
};

static struct at_profile *read_profile(struct segments *segments, const struct at_profile_row *row,
                                       enum at_status *status) {
    struct at_account *account = &segments->shop->ledger.accounts[AT_ACCOUNT_PROFILES];
    struct at_profile *profile = people_peek(segments->shop, row->person);
    struct at_json json;
    if (profile) return profile;
    *status = at_json_parse(segments->parser, row->body.data, row->body.length, false, &json, NULL);
    if (*status == AT_OK) *status = at_profile_read(json, account, &profile, NULL);
    if (*status != AT_INVALID) return profile;
    *status = AT_OK; /* one that cannot be read: who asks for it is told; the others are looked at */
    at_log(at_shop_log(segments->shop), AT_LOG_ERROR, "profile", "the stored profile %llu cannot be read",
           (unsigned long long)row->person);
    return NULL;
}

static bool take_profile(void *arg, const struct at_profile_row *row) {
    struct slicing *slicing = arg;
    struct slice *slice = slicing->slice;
    if (row->person > slice->to) return false;
    slice->last = row->person;
    slice->read++;
    struct at_profile *profile = read_profile(slicing->segments, row, &slice->status);
    if (profile)
        slice->ones[slice->count++] =
            (struct looked){.person = row->person, .from_ms = slicing->now_ms, .profile = profile};
    return slice->status == AT_OK;
}

static void read_slice(struct at_read *read, struct at_reader *reader) {
    struct slicing *slicing = (struct slicing *)read;
    enum at_status status =
        at_reader_profiles(reader, slicing->slice->last, slicing->segments->at_once, take_profile, slicing);
    if (slicing->slice->status == AT_OK) slicing->slice->status = status;
}

enum at_status sweep_slice(struct segments *segments, uint64_t after, uint64_t to, struct slice *out) {
    at_arena_reset(&segments->arena);
    *out = (struct slice){.last = after, .to = to};
    out->ones = at_arena_zalloc(&segments->arena, SEGMENT_SWEEP_BATCH * sizeof *out->ones);
    if (!out->ones) return AT_NOMEM;
    struct slicing slicing = {{NULL, read_slice}, segments, out, at_shop_now(segments->shop)};
    struct effort effort = effort_begin();
    at_store_read_now(segments->shop->store, &slicing.read);
    effort_end(segments, effort);
    if (out->status == AT_OK) return AT_OK;
    for (uint32_t i = 0; i < out->count; i++) at_profile_unref(out->ones[i].profile);
    return out->status;
}

struct lasting {
    struct at_read read;
    uint64_t last;
    enum at_status status;
};

static void read_last(struct at_read *read, struct at_reader *reader) {
    struct lasting *lasting = (struct lasting *)read;
    lasting->status = at_reader_profile_last(reader, &lasting->last);
}

enum at_status sweep_last(struct segments *segments, uint64_t *last) {
    struct lasting lasting = {.read = {.run = read_last}};
    at_store_read_now(segments->shop->store, &lasting.read);
    *last = lasting.last;
    return lasting.status;
}

static void end(struct segments *segments) {
    struct sweep *sweep = &segments->sweep;
    at_log(at_shop_log(segments->shop), AT_LOG_INFO, "segments", "%llu people were looked at in %.1f s",
           (unsigned long long)sweep->seen,
           (double)(at_shop_now(segments->shop) - sweep->began_ms) / AT_SECOND_MS);
    if (sweep->is_again)
        sweep_begin(segments, 0);
    else
        sweep->is_on = false;
}

enum at_status sweep_step(struct segments *segments) {
    struct sweep *sweep = &segments->sweep;
    struct slice slice;
    enum at_status status = AT_OK;
    if (!sweep->is_ready) status = flush_all(segments->shop); /* who was never written yet is among them */
    if (status == AT_OK && !sweep->is_ready) status = sweep_last(segments, &sweep->last);
    sweep->is_ready |= status == AT_OK;
    if (status == AT_OK) status = sweep_slice(segments, sweep->after, UINT64_MAX, &slice);
    if (status != AT_OK) return status;
    if (!slice.read) return end(segments), AT_OK;
    status = segments_settle(segments, slice.ones, slice.count);
    if (status != AT_OK) return status;
    sweep->after = slice.last;

    sweep->seen += slice.read;
    return AT_OK;
}
