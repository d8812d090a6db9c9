/* SPDX-License-Identifier: Apache-2.0
 *
 * What a publish would do to segments, before it does it: how many enter and leave each one that says
 * something else, over all people as they are stored. A warning of the check says it. On the back worker in
 * slices, between which others have their turn; after PREVIEW_NS it says of how many it was found.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "shop/scripts.h"
#include "shop/segments.h"

#define PREVIEW_NS 5000000000ULL
#define PARTS_BITS 10 /* all ids in at most 2^10 parts, each of some slices */
#define STOPS_MAX  3  /* overruns: it is not asked any more */

struct changed {
    const struct at_segment *segment; /* of the proposal; NULL: the one before is declared no longer */
    const struct at_segment *before;  /* that serves; NULL: it is new */
    uint64_t asked, enter, leave, failures;
    uint32_t stops;
    struct at_error error; /* of the first failure */
};
struct preview {
    struct at_shop *shop;
    struct segments *segments;
    struct proposal *proposal;
    struct at_language *language;
    struct changed *changed;
    uint32_t count;
    uint64_t seen;         /* people */
    uint64_t covered, ids; /* of all ids those that were gone through */
    uint64_t end_ns;
};

/* ---- which ---- */

static bool is_same(const struct at_segment *a, const struct at_segment *b) {
    return a && b && a->says == b->says;
}

static enum at_status find_changed(struct preview *preview) {
    const struct at_generation *now = preview->proposal->generation, *before = serving_now(preview->shop);
    uint32_t most = now->segment_count + (before ? before->segment_count : 0);
    preview->changed = at_arena_zalloc(preview->proposal->arena, (most + 1) * sizeof *preview->changed);
    if (!preview->changed) return AT_NOMEM;
    for (uint32_t i = 0; i < now->segment_count; i++) {
        const struct at_segment *segment = &now->segments[i];
        const struct at_segment *was =
            before ? at_generation_segment(before, at_text_of(segment->name)) : NULL;
        if (!is_same(segment, was))
            preview->changed[preview->count++] = (struct changed){.segment = segment, .before = was};
    }
    for (uint32_t i = 0; before && i < before->segment_count; i++)
        if (!at_generation_segment(now, at_text_of(before->segments[i].name)))
            preview->changed[preview->count++] = (struct changed){.before = &before->segments[i]};
    return AT_OK;
}

/* ---- how many ---- */

static bool is_member(const struct looked *one, const char *name) {
    for (uint32_t i = 0; i < one->stored_count; i++)
        if (at_text_is(one->stored[i].segment, name)) return true;
    return false;
}

/* A state that was stopped is spent. */
static enum at_status open_language(struct preview *preview) {
    struct at_shop *shop = preview->shop;
    struct at_error err = {0};
    if (preview->language && !at_language_is_spent(preview->language)) return AT_OK;
    at_language_free(preview->language);
    preview->language = NULL;
    return at_language_new(&preview->language, preview->proposal->generation, shop->settings,
                           &shop->back_guard, &shop->ledger.accounts[AT_ACCOUNT_LUA], &err);
}

static enum at_status ask(struct preview *preview, struct changed *changed, const struct looked *one,
                          struct at_root *root, struct at_baseline *baseline) {
    struct at_error err = {0};
    struct at_segment_answer answer;
    if (changed->stops >= STOPS_MAX) return AT_OK;
    enum at_status status = open_language(preview);
    if (status != AT_OK) return status;
    struct at_segment_use use = {.language = preview->language,
                                 .segment = changed->segment,
                                 .root = root,
                                 .baseline = baseline,
                                 .arena = &preview->segments->answers};
    struct at_segment_judge judge = at_segment_judge(&use);
    status = judge.ask(judge.arg, one->profile, one->from_ms, &answer, &err);
    if (status == AT_NOMEM) return status;
    changed->asked++;
    if (status != AT_OK) {
        changed->stops += status == AT_STOPPED;
        if (!changed->failures++) changed->error = err;
        return AT_OK;
    }
    bool was = is_member(one, changed->segment->name);
    changed->enter += answer.is_member && !was;
    changed->leave += was && !answer.is_member;
    return AT_OK;
}

static enum at_status ask_slice(struct preview *preview, const struct slice *slice) {
    struct at_root *root = at_catalog_root(preview->shop->catalog);
    struct at_baseline *baseline = learn_baseline(preview->shop);
    enum at_status status = AT_OK;
    for (uint32_t i = 0; i < slice->count && status == AT_OK; i++)
        for (uint32_t j = 0; j < preview->count && status == AT_OK; j++) {
            struct changed *changed = &preview->changed[j];
            if (changed->segment)
                status = ask(preview, changed, &slice->ones[i], root, baseline);
            else
                changed->leave += is_member(&slice->ones[i], changed->before->name);
        }
    if (baseline) at_baseline_unref(baseline);
    at_root_unref(root);
    return status;
}

static enum at_status ask_range(struct preview *preview, uint64_t after, uint64_t to) {
    enum at_status status = AT_OK;
    while (status == AT_OK && at_ticks_ns() < preview->end_ns && !preview->shop->is_stopping) {
        struct slice slice;
        status = sweep_slice(preview->segments, after, to, &slice);
        if (status != AT_OK) return status;
        preview->covered += (slice.read ? slice.last : to) - after;
        if (!slice.read) return AT_OK;
        status = segments_read(preview->segments, slice.ones, slice.count);
        struct effort effort = effort_begin();
        if (status == AT_OK) status = ask_slice(preview, &slice);
        segments_took(preview->segments, slice.count, effort_end(preview->segments, effort));
        for (uint32_t i = 0; i < slice.count; i++) at_profile_unref(slice.ones[i].profile);
        preview->seen += slice.read;
        after = slice.last;
        if (preview->language && !at_language_is_spent(preview->language))
            at_language_collect(preview->language, 500);
        back_breathe(preview->shop);
        nanosleep(&(struct timespec){0, (long)segments_rest_ms(preview->segments) * 1000000L}, NULL);
    }
    return status;
}

static uint64_t reversed(uint64_t n, int bits) {
    uint64_t out = 0;
    for (int bit = 0; bit < bits; bit++) out |= (n >> bit & 1) << (bits - 1 - bit);
    return out;
}

/* In an order that is spread over all of them wherever it is cut: the first to come are not like the last. */
static enum at_status ask_everybody(struct preview *preview) {
    uint64_t last = 0;
    enum at_status status = flush_all(preview->shop);
    if (status == AT_OK) status = sweep_last(preview->segments, &last);
    int bits = 0;
    while (bits < PARTS_BITS && last >> bits > (uint64_t)8 * SEGMENT_SWEEP_BATCH) bits++;
    uint64_t width = (last >> bits) + 1;
    preview->ids = last;
    preview->end_ns = at_ticks_ns() + PREVIEW_NS;
    for (uint64_t n = 0; n >> bits == 0 && status == AT_OK; n++) {
        uint64_t from = reversed(n, bits) * width;
        uint64_t to = from + width < last ? from + width : last;
        if (from < last) status = ask_range(preview, from, to);
    }
    return status;
}

/* ---- saying it ---- */

static void write_words(const struct preview *preview, const struct changed *changed, char *out,
                        size_t size) {
    const char *name = changed->segment ? changed->segment->name : changed->before->name;
    size_t at = (size_t)snprintf(out, size, "%s: %llu enter, %llu leave", name,
                                 (unsigned long long)changed->enter, (unsigned long long)changed->leave);
    if (!changed->segment && at < size)
        at += (size_t)snprintf(out + at, size - at, ": it is declared no longer");
    if (changed->stops >= STOPS_MAX && at < size)
        at += (size_t)snprintf(out + at, size - at,
                               "; it overran, and was asked about %llu people only (%.100s)",
                               (unsigned long long)changed->asked, changed->error.message);
    else if (changed->failures && at < size)
        at += (size_t)snprintf(out + at, size - at, "; it fails for %llu, whose membership stays (%.100s)",
                               (unsigned long long)changed->failures, changed->error.message);
    if (preview->covered < preview->ids && at < size)
        snprintf(out + at, size - at, "; of %llu people looked at, about %.1f %% of all",
                 (unsigned long long)preview->seen, 100.0 * (double)preview->covered / (double)preview->ids);
}

static enum at_status add_warning(struct preview *preview, const struct changed *changed, bool is_logged) {
    const struct at_segment *place = changed->segment ? changed->segment : changed->before;
    struct at_arena *arena = preview->proposal->arena;
    struct at_file_finding *made = at_arena_zalloc(arena, sizeof *made);
    char *path = at_arena_dup(arena, place->path, strlen(place->path));
    if (!made || !path) return AT_NOMEM;
    made->path = path;
    made->finding.is_warning = true;
    made->finding.line = place->line;
    made->finding.column = 1;
    snprintf(made->finding.code, sizeof made->finding.code, "segment_changes");
    write_words(preview, changed, made->finding.message, sizeof made->finding.message);
    struct at_file_finding **end = &preview->proposal->build.findings;
    while (*end) end = &(*end)->next;
    *end = made;
    if (is_logged) at_log(at_shop_log(preview->shop), AT_LOG_INFO, "reload", "%s", made->finding.message);
    return AT_OK;
}

void segments_preview(struct at_shop *shop, struct proposal *proposal, bool is_logged) {
    struct preview preview = {.shop = shop, .segments = shop->segments, .proposal = proposal};
    enum at_status status = find_changed(&preview);
    bool is_asked = status == AT_OK && preview.count && shop->has_back; /* at start nobody waits for it */
    if (is_asked) status = ask_everybody(&preview);
    for (uint32_t i = 0; is_asked && i < preview.count && status == AT_OK && preview.ids; i++)
        status = add_warning(&preview, &preview.changed[i], is_logged);
    at_language_free(preview.language);
    if (status != AT_OK)
        at_log(at_shop_log(shop), AT_LOG_WARN, "reload",
               "how many enter and leave the changed segments could not be found out (%s)",
               at_status_word(status));
}
