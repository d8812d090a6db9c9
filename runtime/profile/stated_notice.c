/* SPDX-License-Identifier: Apache-2.0
 *
 * What of likes and dislikes no taste begins from, in words for who sent them: the shape of the traits, and
 * what no product has. Of each kind the first is named, and how many values count.
 */
#include <stdio.h>
#include <string.h>
#include "base/utf8.h"
#include "profile/draft.h"
#include "profile/stated.h"

#define NOTICE_MAX 4096

struct notice {
    struct at_bytes text;
    const struct at_root *root; /* NULL: no products to compare with */
    struct at_stated_taste stated[2][AT_STATED_VALUES_MAX];
    struct at_stated_reading readings[2]; /* dislikes, likes */
};

static void begin(struct notice *notice, bool is_like, struct at_text facet) {
    if (notice->text.length) at_bytes_add_text(&notice->text, "; ");
    at_bytes_printf(&notice->text, "traits.%s", at_stated_trait(is_like));
    if (facet.length) at_bytes_printf(&notice->text, ".%.*s", (int)facet.length, facet.data);
}

/* ---- the shape ---- */

/* A trait that has no room in a profile by itself is not kept (traits.c). */
static bool is_too_large(struct at_json trait, bool is_like) {
    struct at_bytes bytes;
    size_t most = TRAITS_MAX - 2 - strlen(at_stated_trait(is_like)) - 3; /* "likes": */
    if (!trait.tape || at_json_most_bytes(trait) <= most) return false;
    at_bytes_init(&bytes, 1 << 20);
    struct at_json_out out = at_json_out(&bytes);
    at_json_put_value(&out, trait);
    bool is_over = bytes.failed || bytes.length > most;
    at_bytes_clear(&bytes);
    return is_over;
}

static const char *word_of(enum at_stated_fault fault) {
    switch (fault) {
    case AT_STATED_SHAPE: return "is not like {\"brand\":[\"Acme\"]}";
    case AT_STATED_VALUE: return "holds something that is no text, or an empty one";
    case AT_STATED_LONG: return "has a name or a value that is too long";
    default: return "has too many values";
    }
}

static void say_shape(struct notice *notice, bool is_like) {
    const struct at_stated_reading *reading = &notice->readings[is_like];
    if (!reading->fault) return;
    bool is_whole = reading->fault == AT_STATED_SHAPE || reading->fault == AT_STATED_MANY;
    begin(notice, is_like, is_whole ? AT_TEXT("") : reading->facet);
    at_bytes_printf(&notice->text, " %s", word_of(reading->fault));
    if (reading->fault == AT_STATED_LONG)
        at_bytes_printf(&notice->text, " (%d bytes at most)", AT_STATED_BYTES_MAX);
    if (reading->fault == AT_STATED_MANY)
        at_bytes_printf(&notice->text, " (the first %d count)", AT_STATED_VALUES_MAX);
    if (reading->fault == AT_STATED_SHAPE)
        at_bytes_add_text(&notice->text, ": kept as a trait, no taste begins from it");
    else
        at_bytes_printf(&notice->text, ": all is kept as a trait, taste begins from %u of its %u values",
                        reading->count, reading->told);
}

/* ---- the catalog ---- */

static const char *suggest_facet(const struct at_root *root, struct at_text facet) {
    const char *names[AT_ATTRIBUTE_MAX];
    char name[AT_STATED_BYTES_MAX + 1];
    size_t count = 0;
    for (int i = 0; i < at_root_attribute_count(root); i++)
        if (at_root_attribute_at(root, i)->is_facet) names[count++] = at_root_attribute_at(root, i)->name;
    snprintf(name, sizeof name, "%.*s", (int)facet.length, facet.data);
    return at_suggest(name, names, count);
}

static void say_facet(struct notice *notice, const struct at_stated_taste *stated, int attribute) {
    static const char *const kinds[] = {[AT_ATTRIBUTE_NUMBER] = "a number",
                                        [AT_ATTRIBUTE_BOOL] = "a yes or no",
                                        [AT_ATTRIBUTE_DATE] = "a date",
                                        [AT_ATTRIBUTE_TEXT] = "a description",
                                        [AT_ATTRIBUTE_LIST] = "a description"};
    begin(notice, stated->is_like, stated->facet);
    if (attribute >= 0) {
        at_bytes_printf(&notice->text,
                        ": of products that is %s, which nobody has a taste for: kept as a trait",
                        kinds[at_root_attribute_at(notice->root, attribute)->kind]);
        return;
    }
    const char *nearest = suggest_facet(notice->root, stated->facet);
    at_bytes_add_text(&notice->text, ": no product has an attribute of that name");
    if (nearest) at_bytes_printf(&notice->text, " (did you mean \"%s\"?)", nearest);
    at_bytes_add_text(&notice->text, ": it is kept, and counts as soon as one has");
}

/* Of what says nothing about these products the first is named. */
static void say_more(struct notice *notice, uint32_t count, const char *what) {
    if (count > 1) at_bytes_printf(&notice->text, " (so with %u more of its %s)", count - 1, what);
}

static bool is_facet(const struct notice *notice, const struct at_stated_taste *stated, int *attribute) {
    *attribute = at_root_attribute(notice->root, stated->facet.data, stated->facet.length);
    return *attribute >= 0 && at_root_attribute_at(notice->root, *attribute)->is_facet;
}

/* Values of a facet stand together. */
static void say_unknown_facets(struct notice *notice, bool is_like) {
    const struct at_stated_taste *list = notice->stated[is_like];
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < notice->readings[is_like].count; i++) {
        int attribute;
        bool is_again = i && at_text_equal(list[i].facet, list[i - 1].facet);
        if (is_again || is_facet(notice, &list[i], &attribute)) continue;
        if (!unknown++) say_facet(notice, &list[i], attribute);
    }
    say_more(notice, unknown, "facets");
}

static void say_unknown_values(struct notice *notice, bool is_like) {
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < notice->readings[is_like].count; i++) {
        const struct at_stated_taste *stated = &notice->stated[is_like][i];
        struct at_text value = stated->value;
        int attribute;
        if (!is_facet(notice, stated, &attribute) ||
            at_root_code_of(notice->root, attribute, value.data, value.length) || unknown++)
            continue;
        begin(notice, is_like, stated->facet);
        at_bytes_printf(&notice->text, ": no product has \"%.*s\": it is kept, and counts as soon as one has",
                        (int)value.length, value.data);
    }
    say_more(notice, unknown, "values");
}

/* ---- both ---- */

static void say_both(struct notice *notice) {
    for (uint32_t i = 0; i < notice->readings[true].count; i++)
        for (uint32_t j = 0; j < notice->readings[false].count; j++) {
            const struct at_stated_taste *like = &notice->stated[true][i],
                                         *dislike = &notice->stated[false][j];
            if (!at_text_equal(like->facet, dislike->facet) || !at_text_equal(like->value, dislike->value))
                continue;
            begin(notice, true, like->facet);
            at_bytes_printf(&notice->text, ": \"%.*s\" is among the dislikes too, which count",
                            (int)like->value.length, like->value.data);
            return;
        }
}

static enum at_status say_all(struct notice *notice, struct at_json traits) {
    for (int is_like = 1; is_like >= 0; is_like--) {
        struct at_json trait = at_json_get(traits, at_stated_trait(is_like));
        if (is_too_large(trait, is_like)) {
            begin(notice, is_like, AT_TEXT(""));
            at_bytes_printf(&notice->text, " is over %d KiB: not kept, and no taste begins from it",
                            TRAITS_MAX / 1024);
            continue;
        }
        notice->readings[is_like] = at_stated_read(trait, is_like, 0, notice->stated[is_like]);
        say_shape(notice, is_like);
        if (notice->root) say_unknown_facets(notice, is_like);
        if (notice->root) say_unknown_values(notice, is_like);
    }
    say_both(notice);
    return notice->text.failed ? AT_NOMEM : AT_OK;
}

static __attribute__((noinline)) enum at_status note_stated(struct at_arena *arena, struct at_json traits,
                                                            const struct at_root *root, const char **out) {
    struct notice notice = {.root = root && at_root_rows(root) ? root : NULL};
    at_bytes_init(&notice.text, NOTICE_MAX);
    enum at_status status = say_all(&notice, traits);
    if (status == AT_OK && notice.text.length) {
        *out = at_arena_dup(arena, notice.text.data, notice.text.length);
        if (!*out) status = AT_NOMEM;
    }
    at_bytes_clear(&notice.text);
    return status;
}

/* Nearly no event says any; the room for what it might say is large. */
enum at_status at_stated_notice(struct at_arena *arena, struct at_json traits, const struct at_root *root,
                                const char **out) {
    *out = NULL;
    if (!at_json_get(traits, at_stated_trait(true)).tape && !at_json_get(traits, at_stated_trait(false)).tape)
        return AT_OK;
    return note_stated(arena, traits, root, out);
}
