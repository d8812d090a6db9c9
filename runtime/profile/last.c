/* SPDX-License-Identifier: Apache-2.0
 *
 * The newest event of each name, kept small: struct at_last_event says which and how much of it. Part of the
 * fold: everything here depends on the events alone, never on the order in which they come.
 */
#include <string.h>
#include "profile/draft.h"

/* ---- which is newer ---- */

static int order_moments(int64_t a, int64_t b) {
    return a < b ? -1 : a > b;
}

static int order_events(const struct at_last_event *a, const struct at_last_event *b) {
    int order = order_moments(a->at_ms, b->at_ms);
    return order ? order : at_text_order(a->id, b->id);
}

static int order_texts(const struct at_last_event *a, const struct at_last_event *b) {
    int order = at_text_order(a->properties, b->properties);
    return order ? order : at_text_order(a->items, b->items);
}

/* Where an event of that name stands, or would stand. */
static uint32_t place_of(const struct at_last_event *list, uint32_t count, struct at_text name) {
    uint32_t place = 0;
    while (place < count && at_text_order(list[place].name, name) < 0) place++;
    return place;
}

static bool is_at(const struct at_last_event *list, uint32_t count, uint32_t place, struct at_text name) {
    return place < count && at_text_equal(list[place].name, name);
}

const struct at_last_event *at_profile_last(const struct at_profile *profile, struct at_text name) {
    uint32_t place = place_of(profile->lasts, profile->last_count, name);
    return is_at(profile->lasts, profile->last_count, place, name) ? &profile->lasts[place] : NULL;
}

/* The name that goes first when there are too many. */
static uint32_t oldest_of(const struct at_last_event *list, uint32_t count) {
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < count; i++) /* they stand by name: of one moment the smaller goes */
        if (list[i].at_ms < list[oldest].at_ms) oldest = i;
    return oldest;
}

/* ---- what is kept of it ---- */

struct keeping {
    struct at_bytes bytes; /* of the draft's own memory: it never grows */
    struct at_json_out out;
    size_t most;
    bool is_cut;
};

static void begin(struct keeping *keeping, char *room, size_t most, char bracket) {
    keeping->bytes = (struct at_bytes){.data = room, .capacity = LAST_ROOM, .max_bytes = LAST_ROOM - 1};
    keeping->out = at_json_out(&keeping->bytes);
    keeping->most = most;
    at_json_open(&keeping->out, bracket);
}

/* Takes back what was added since the text had that length, if it does not fit; true: it stays. */
static bool fits(struct keeping *keeping, size_t before) {
    if (!keeping->bytes.failed && keeping->bytes.length < keeping->most) return true;
    keeping->bytes.length = before;
    keeping->bytes.failed = false;
    keeping->out.needs_comma = before > 1;
    keeping->is_cut = true;
    return false;
}

static struct at_text end(struct keeping *keeping, char bracket) {
    at_json_close(&keeping->out, bracket);
    bool is_empty = keeping->bytes.length <= 2;
    return is_empty ? AT_TEXT("") : (struct at_text){keeping->bytes.data, keeping->bytes.length};
}

static bool is_scalar(struct at_json value) {
    return !at_json_is_object(value) && !at_json_is_array(value) && !at_json_is_null(value);
}

static struct at_text keep_properties(struct keeping *keeping, char *room, struct at_json properties) {
    begin(keeping, room, AT_LAST_PROPERTIES_MAX, '{');
    struct at_json_each it = at_json_each(properties);
    while (it.is_object && at_json_next(&it)) {
        size_t before = keeping->bytes.length;
        if (!is_scalar(it.value)) continue;
        if (it.key.length > AT_LAST_NAME_MAX || at_json_text(it.value).length > AT_LAST_TEXT_MAX) {
            keeping->is_cut = true;
            continue;
        }
        at_json_key_text(&keeping->out, it.key);
        at_json_put_value(&keeping->out, it.value);
        fits(keeping, before);
    }
    return end(keeping, '}');
}

static void put_item(struct at_json_out *out, struct at_json item) {
    double quantity = 1, price;
    at_json_open(out, '{');
    at_json_add_text(out, "product", at_json_text(at_json_get(item, "product")));
    if (at_json_number(at_json_get(item, "quantity"), &quantity) && quantity != 1)
        at_json_add_number(out, "quantity", quantity);
    if (at_json_number(at_json_get(item, "price"), &price)) at_json_add_number(out, "price", price);
    at_json_close(out, '}');
}

static struct at_text keep_items(struct keeping *keeping, char *room, struct at_json items) {
    begin(keeping, room, AT_LAST_ITEMS_MAX, '[');
    struct at_json_each it = at_json_each(items);
    while (at_json_next(&it)) {
        size_t before = keeping->bytes.length;
        put_item(&keeping->out, it.value);
        if (!fits(keeping, before)) break;
    }
    return end(keeping, ']');
}

/* ---- the fold ---- */

/* Where the event is to stand; the list has a place there. false: what is kept is newer. */
static bool make_place(struct draft *draft, const struct at_last_event *event, uint32_t *out) {
    struct at_profile *profile = &draft->profile;
    uint32_t place = place_of(draft->lasts, profile->last_count, event->name);
    *out = place;
    if (is_at(draft->lasts, profile->last_count, place, event->name)) {
        int order = order_events(&draft->lasts[place], event);
        return order < 0 || (order == 0 && order_texts(&draft->lasts[place], event) < 0);
    }
    memmove(&draft->lasts[place + 1], &draft->lasts[place],
            (profile->last_count - place) * sizeof *draft->lasts);
    draft->lasts[place] = *event;
    if (++profile->last_count <= AT_LASTS_MAX) return true;
    uint32_t gone = oldest_of(draft->lasts, profile->last_count--);
    memmove(&draft->lasts[gone], &draft->lasts[gone + 1],
            (profile->last_count - gone) * sizeof *draft->lasts);
    *out = place - (gone < place);
    return gone != place;
}

/* Whether it is surely not kept, before anything of it is written. */
static bool is_older(const struct draft *draft, const struct at_last_event *event) {
    const struct at_last_event *known = at_profile_last(&draft->profile, event->name);
    if (known) return order_events(known, event) > 0;
    return draft->profile.last_count == AT_LASTS_MAX &&
           event->at_ms < draft->lasts[oldest_of(draft->lasts, AT_LASTS_MAX)].at_ms;
}

/* What was only shown says little of the person, and there is much of it. */
static bool is_shown(struct at_text name) {
    return at_text_is(name, "product_list_viewed") || at_text_is(name, "product_list_filtered");
}

void draft_last(struct draft *draft, const struct at_logged_event *event, struct at_json items) {
    struct at_last_event last = {.name = event->name, .id = event->message_id, .at_ms = event->at_ms};
    struct keeping keeping = {.is_cut = false};
    uint32_t place;
    if (last.name.length > AT_LAST_NAME_MAX || is_older(draft, &last)) return;
    last.properties = keep_properties(&keeping, draft->last[0], at_json_get(event->body, "properties"));
    if (is_shown(event->name)) items = (struct at_json){0};
    last.items = keep_items(&keeping, draft->last[1], items);
    last.is_cut = keeping.is_cut;
    if (!make_place(draft, &last, &place)) return;
    struct at_text *const texts[] = {&last.name, &last.id, &last.properties, &last.items};
    for (size_t i = 0; i < AT_LENGTH(texts); i++) *texts[i] = draft_text(draft, *texts[i]);
    draft->lasts[place] = last;
}
