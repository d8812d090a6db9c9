/* SPDX-License-Identifier: Apache-2.0
 *
 * Traits stay JSON text in a profile: one object, minified, every name once, the least recently set first. It
 * is always our own writing, so its members can be told apart by scanning, without a parser. Beside it stands
 * when each was said, so that the past may be told late.
 */
#include <stdlib.h>
#include <string.h>
#include "profile/draft.h"

struct member {
    const char *text; /* "key":value */
    uint32_t key, length;
};

static const char *after_string(const char *p, const char *end) {
    for (p++; p < end && *p != '"'; p++) p += *p == '\\';
    return p < end ? p + 1 : end;
}

static const char *after_value(const char *p, const char *end) {
    for (int depth = 0; p < end;) {
        if (*p == '"') {
            p = after_string(p, end);
            continue;
        }
        if (!depth && (*p == ',' || *p == '}')) break;
        depth += *p == '{' || *p == '[';
        depth -= *p == '}' || *p == ']';
        p++;
    }
    return p;
}

/* *at: the bracket or comma before a member; moves on to what stands behind it. */
static bool next_member(const char **at, const char *end, struct member *out) {
    const char *begin = *at + 1;
    if (begin >= end || *begin != '"') return false;
    const char *key_end = after_string(begin, end), *member_end = after_value(key_end, end);
    *out = (struct member){begin, (uint32_t)(key_end - begin), (uint32_t)(member_end - begin)};
    *at = member_end;
    return true;
}

static uint32_t count_members(struct at_text text) {
    const char *at = text.data, *end = text.data + text.length;
    struct member member;
    uint32_t count = 0;
    while (next_member(&at, end, &member)) count++;
    return count;
}

static bool is_same_key(const struct member *a, const struct member *b) {
    return a->key == b->key && memcmp(a->text, b->text, a->key) == 0;
}

static bool is_removal(const struct member *member) {
    return member->length == member->key + 5 && memcmp(member->text + member->key, ":null", 5) == 0;
}

static bool is_among(const struct member *list, uint32_t count, const struct member *member) {
    for (uint32_t i = 0; i < count; i++)
        if (is_same_key(&list[i], member)) return true;
    return false;
}

/* Those of the old that are not set again, then the new ones that are not null; of a name said twice the
 * last. One that is too large by itself drives nobody out. Returns how many. */
static uint32_t choose(struct member *out, struct at_text old, const struct member *fresh, uint32_t count,
                       size_t *bytes) {
    const char *at = old.data, *end = old.data + old.length;
    struct member member;
    uint32_t n = 0;
    *bytes = 1;
    while (next_member(&at, end, &member))
        if (!is_among(fresh, count, &member)) out[n++] = member;
    for (uint32_t i = 0; i < count; i++)
        if (!is_removal(&fresh[i]) && fresh[i].length + 2 <= TRAITS_MAX &&
            !is_among(fresh + i + 1, count - i - 1, &fresh[i]))
            out[n++] = fresh[i];
    for (uint32_t i = 0; i < n; i++) *bytes += out[i].length + 1;
    return n;
}

static void put_members(struct draft *draft, const struct member *list, uint32_t count, size_t bytes) {
    char *text = draft->traits[draft->profile.traits.data == draft->traits[0]]; /* not the one read from */
    size_t length = 0;
    for (; count && bytes > TRAITS_MAX; list++, count--) bytes -= list->length + 1;
    for (uint32_t i = 0; i < count; i++) {
        text[length++] = i ? ',' : '{';
        memcpy(text + length, list[i].text, list[i].length);
        length += list[i].length;
    }
    if (!count) text[length++] = '{';
    text[length++] = '}';
    draft->profile.traits = (struct at_text){text, length};
}

/* The traits that say a taste. */
static bool is_stated(struct at_text name) {
    return at_text_is(name, at_stated_trait(true)) || at_text_is(name, at_stated_trait(false));
}

/* Over the ceiling the one said longest ago is forgotten: then anything may follow it. Of likes and dislikes
 * it is not: a taste that was said fades from that moment. */
static struct at_trait_moment *add_moment(struct draft *draft, struct at_text name) {
    struct at_profile *profile = &draft->profile;
    uint32_t oldest = MOMENTS_MAX;
    struct at_trait_moment *list = draft->trait_moments;
    if (profile->trait_moment_count == MOMENTS_MAX) {
        for (uint32_t i = 0; i < MOMENTS_MAX; i++)
            if (!is_stated(list[i].name) && (oldest == MOMENTS_MAX || list[i].at_ms < list[oldest].at_ms))
                oldest = i;
        memmove(&list[oldest], &list[oldest + 1], (MOMENTS_MAX - 1 - oldest) * sizeof *list);
        profile->trait_moment_count--;
    }
    list[profile->trait_moment_count] = (struct at_trait_moment){draft_text(draft, name), 0};
    return &list[profile->trait_moment_count++];
}

/* False: it was said later already. */
static bool is_news(struct draft *draft, struct at_text name, int64_t at_ms) {
    for (uint32_t i = 0; i < draft->profile.trait_moment_count; i++) {
        struct at_trait_moment *known = &draft->trait_moments[i];
        if (!at_text_equal(known->name, name)) continue;
        if (at_ms < known->at_ms) return false;
        known->at_ms = at_ms;
        return true;
    }
    add_moment(draft, name)->at_ms = at_ms;
    return true;
}

/* Whether the profile has that trait now. */
static bool has_trait(const struct draft *draft, const char *name) {
    struct at_text traits = draft->profile.traits;
    const char *at = traits.data, *end = traits.data + traits.length;
    size_t length = strlen(name);
    struct member member;
    while (next_member(&at, end, &member))
        if (member.key == length + 2 && memcmp(member.text + 1, name, length) == 0) return true;
    return false;
}

/* What was said anew is read, and what is no trait any more (taken back, or driven out) is said no more. */
static void state_anew(struct draft *draft, struct at_json traits, const bool says[2], int64_t at_ms) {
    for (int is_like = 0; is_like < 2; is_like++) {
        const char *name = at_stated_trait(is_like);
        if (!has_trait(draft, name))
            draft_stated(draft, (struct at_json){0}, is_like, at_ms);
        else if (says[is_like])
            draft_stated(draft, at_json_get(traits, name), is_like, at_ms);
    }
}

bool draft_traits(struct draft *draft, struct at_json traits, int64_t at_ms) {
    if (!at_json_is_object(traits) || !at_json_count(traits)) return true;
    struct at_bytes bytes;
    at_bytes_init(&bytes, 1 << 20); /* of an event's 32 KiB no more can come */
    struct at_json_out out = at_json_out(&bytes);
    at_json_put_value(&out, traits);
    struct at_text old = draft->profile.traits;
    uint32_t fresh_count = 0, old_count = count_members(old);
    struct member *fresh =
        bytes.failed ? NULL : malloc((2ul * at_json_count(traits) + old_count) * sizeof *fresh);
    if (fresh) {
        const char *at = bytes.data, *end = bytes.data + bytes.length;
        size_t length;
        bool says[2] = {false, false};
        struct at_json_each it = at_json_each(traits);
        while (next_member(&at, end, &fresh[fresh_count]) && at_json_next(&it)) {
            if (!is_news(draft, it.key, at_ms)) continue;
            fresh_count++;
            if (is_stated(it.key)) says[at_text_is(it.key, at_stated_trait(true))] = true;
        }
        uint32_t count = choose(fresh + fresh_count, old, fresh, fresh_count, &length);
        put_members(draft, fresh + fresh_count, count, length);
        if (says[0] || says[1] || draft->profile.stated_count) state_anew(draft, traits, says, at_ms);
    }
    bool is_ok = fresh != NULL;
    free(fresh);
    at_bytes_clear(&bytes);
    return is_ok;
}
