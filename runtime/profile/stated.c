/* SPDX-License-Identifier: Apache-2.0
 *
 * What was said in likes and dislikes, read out of the traits into a profile, and which word counts.
 */
#include "profile/stated.h"

#include <string.h>
#include "profile/draft.h"

_Static_assert(AT_STATED_BYTES_MAX == TASTE_VALUE_MAX, "what can be said can be inferred");

const char *at_stated_trait(bool is_like) {
    return is_like ? "likes" : "dislikes";
}

/* ---- reading a trait ---- */

static void note(struct at_stated_reading *reading, enum at_stated_fault fault, struct at_text facet) {
    if (reading->fault) return;
    reading->fault = fault;
    reading->facet = facet.length <= AT_STATED_BYTES_MAX ? facet : AT_TEXT("");
}

static void add(struct at_stated_reading *reading, struct at_stated_taste *out, struct at_stated_taste taste,
                struct at_json json) {
    taste.value = at_json_text(json);
    reading->told++;
    if (!taste.value.length || !taste.facet.length)
        note(reading, AT_STATED_VALUE, taste.facet);
    else if (taste.value.length > AT_STATED_BYTES_MAX || taste.facet.length > AT_STATED_BYTES_MAX)
        note(reading, AT_STATED_LONG, taste.facet);
    else if (reading->count == AT_STATED_VALUES_MAX)
        note(reading, AT_STATED_MANY, taste.facet);
    else
        out[reading->count++] = taste;
}

struct at_stated_reading at_stated_read(struct at_json trait, bool is_like, int64_t at_ms,
                                        struct at_stated_taste *out) {
    struct at_stated_reading reading = {0};
    struct at_json_each facets = at_json_each(trait);
    bool is_empty =
        !trait.tape || at_json_is_null(trait) || (at_json_is_array(trait) && !at_json_count(trait));
    if (!is_empty && !facets.is_object) note(&reading, AT_STATED_SHAPE, AT_TEXT(""));
    if (!facets.is_object) return reading;
    while (at_json_next(&facets)) {
        struct at_stated_taste taste = {facets.key, AT_TEXT(""), at_ms, is_like};
        struct at_json_each values = at_json_each(facets.value);
        if (!at_json_is_array(facets.value) && !at_json_is_null(facets.value))
            add(&reading, out, taste, facets.value);
        while (at_json_is_array(facets.value) && at_json_next(&values))
            add(&reading, out, taste, values.value);
    }
    return reading;
}

/* ---- in a profile ---- */

void draft_stated(struct draft *draft, struct at_json trait, bool is_like, int64_t at_ms) {
    struct at_stated_taste fresh[AT_STATED_VALUES_MAX], *list = draft->stated;
    struct at_profile *profile = &draft->profile;
    uint32_t likes = 0, count = at_stated_read(trait, is_like, at_ms, fresh).count;
    while (likes < profile->stated_count && list[likes].is_like) likes++;
    uint32_t dislikes = profile->stated_count - likes;
    if (is_like) memmove(list + count, list + likes, dislikes * sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        fresh[i].facet = draft_text(draft, fresh[i].facet);
        fresh[i].value = draft_text(draft, fresh[i].value);
    }
    memcpy(is_like ? list : list + likes, fresh, count * sizeof *list);
    profile->stated_count = count + (is_like ? dislikes : likes);
}

/* Stored before moments were kept, it was said at the earliest when they were first seen. */
static int64_t moment_of(const struct at_profile *profile, const char *name) {
    for (uint32_t i = 0; i < profile->trait_moment_count; i++)
        if (at_text_is(profile->trait_moments[i].name, name)) return profile->trait_moments[i].at_ms;
    return profile->first_seen_ms;
}

void draft_stated_again(struct draft *draft, struct at_json traits) {
    for (int is_like = 0; is_like < 2; is_like++) {
        const char *name = at_stated_trait(is_like);
        draft_stated(draft, at_json_get(traits, name), is_like, moment_of(&draft->profile, name));
    }
}

const struct at_stated_taste *at_stated_of(const struct at_profile *profile, struct at_text facet,
                                           struct at_text value) {
    const struct at_stated_taste *found = NULL;
    for (uint32_t i = 0; i < profile->stated_count; i++) { /* dislikes come last */
        const struct at_stated_taste *stated = &profile->stated[i];
        if (at_text_equal(stated->value, value) && at_text_equal(stated->facet, facet) &&
            (!found || stated->at_ms >= found->at_ms))
            found = stated;
    }
    return found;
}

double at_stated_strength(const struct at_stated_taste *stated, int64_t now_ms) {
    return decay(now_ms - stated->at_ms - AT_STATED_HALF_MS, AT_STATED_HALF_MS);
}
