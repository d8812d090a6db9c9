/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of events on one draft: a profile is copied once and packed once. What events bring is kept beside
 * the draft; where that grows the run is packed and goes on from there, so that it needs no more memory for a
 * million events than for a thousand. One event by itself is a run of one.
 */
#include <string.h>
#include "profile/draft.h"

#define KEPT_BYTES ((size_t)48 << 10) /* what an arena keeps, and a cache holds */

static struct draft *draft_of(struct at_profile_run *run) {
    return (struct draft *)run;
}

struct at_profile_run *at_profile_run_begin(struct at_profile *base) {
    struct draft *draft = draft_begin(base);
    if (!draft) return NULL;
    draft->base = at_profile_ref(base);
    draft->is_changed = false;
    return (struct at_profile_run *)draft;
}

static bool pack_so_far(struct draft *draft) {
    struct at_profile *base = draft->base, *next = draft_finish(draft, base->account);
    if (!next) return false;
    draft->base = NULL;
    draft_begin(next); /* the same draft */
    draft->base = next;
    at_profile_unref(base);
    return true;
}

bool at_profile_run_apply(struct at_profile_run *run, const struct at_logged_event *event) {
    struct draft *draft = draft_of(run);
    if (event->seq <= draft->profile.applied_seq) return !draft->is_short;
    draft->is_changed = true;
    if (draft->kept.used_bytes > KEPT_BYTES && !pack_so_far(draft)) draft->is_short = true;
    if (!draft->is_short && !apply_event(draft, event)) draft->is_short = true;
    return !draft->is_short;
}

const struct at_profile *at_profile_run_state(const struct at_profile_run *run) {
    return &((const struct draft *)run)->profile;
}

struct at_profile *at_profile_run_end(struct at_profile_run *run) {
    struct draft *draft = draft_of(run);
    struct at_profile *base = draft->base;
    draft->base = NULL;
    if (!draft->is_changed) return base;
    struct at_profile *next = draft_finish(draft, base->account);
    at_profile_unref(base);
    return next;
}

struct at_profile *at_profile_apply(struct at_profile *base, const struct at_logged_event *event,
                                    bool is_private) {
    struct at_profile *next = NULL;
    if (event->seq <= base->applied_seq) return is_private ? base : at_profile_ref(base);
    struct at_profile_run *run = at_profile_run_begin(base);
    if (run) {
        at_profile_run_apply(run, event);
        next = at_profile_run_end(run);
    }
    if (is_private) at_profile_unref(base);
    return next;
}

/* ---- identifiers ---- */

static bool is_identified(const struct at_profile *profile, const struct at_identifier *identifier) {
    for (uint32_t i = 0; i < profile->identifier_count; i++)
        if (at_text_equal(profile->identifiers[i].kind, identifier->kind) &&
            at_text_equal(profile->identifiers[i].value, identifier->value))
            return true;
    return false;
}

static int identifier_order(const struct at_known_identifier *a, const struct at_known_identifier *b) {
    if (a->since_ms != b->since_ms) return a->since_ms < b->since_ms ? -1 : 1;
    int order = at_text_order(a->kind, b->kind);
    return order ? order : at_text_order(a->value, b->value);
}

void draft_identifier(struct draft *draft, const struct at_known_identifier *one) {
    struct at_known_identifier *list = draft->identifiers;
    uint32_t at = draft->profile.identifier_count++, gone = 0;
    for (; at && identifier_order(&list[at - 1], one) > 0; at--) list[at] = list[at - 1];
    list[at] = *one;
    if (draft->profile.identifier_count <= IDENTIFIERS_MAX) return;
    while (gone <= IDENTIFIERS_MAX && !at_text_is(list[gone].kind, "anonymous_id")) gone++;
    if (gone > IDENTIFIERS_MAX) gone = 0;
    draft->profile.identifier_count = IDENTIFIERS_MAX;
    memmove(list + gone, list + gone + 1, (IDENTIFIERS_MAX - gone) * sizeof *list);
}

bool at_profile_run_identifier(struct at_profile_run *run, const struct at_identifier *identifier,
                               int64_t since_ms) {
    struct draft *draft = draft_of(run);
    if (is_identified(&draft->profile, identifier)) return !draft->is_short;
    struct at_known_identifier one = {draft_text(draft, identifier->kind),
                                      draft_text(draft, identifier->value), since_ms};
    draft_identifier(draft, &one);
    draft->is_changed = true;
    return !draft->is_short;
}

struct at_profile *at_profile_with_identifier(struct at_profile *base, const struct at_identifier *identifier,
                                              int64_t since_ms, bool is_private) {
    if (is_identified(base, identifier)) return is_private ? base : at_profile_ref(base);
    struct at_profile_run *run = at_profile_run_begin(base);
    struct at_profile *next = NULL;
    if (run) {
        at_profile_run_identifier(run, identifier, since_ms);
        next = at_profile_run_end(run);
    }
    if (is_private) at_profile_unref(base);
    return next;
}
