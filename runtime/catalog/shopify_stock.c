/* SPDX-License-Identifier: Apache-2.0
 *
 * Stock by inventory item and place: the latest word of each, whatever came first. In a document:
 *   "inventory":{"808950810":{"said":[10,1586184716000,false],"item":[25,false,1586184716000],
 *                             "at":{"905684977":[6,1586184716000]}}}
 */
#include "catalog/shopify_stock.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/time.h"

#define ID_MAX 60 /* bytes of Shopify's ids */

struct at_text shopify_id_text(struct at_json value, struct at_arena *arena) {
    char number[24];
    int64_t whole;
    struct at_text text = at_json_text(value);
    if (text.length && text.length <= ID_MAX) return text;
    if (!at_json_int(value, &whole) || !whole) return AT_TEXT("");
    int length = snprintf(number, sizeof number, "%lld", (long long)whole);
    return (struct at_text){at_arena_dup(arena, number, (size_t)length), (size_t)length};
}

int64_t shopify_moment(struct at_json value, int64_t otherwise) {
    struct at_text text = at_json_text(value);
    int64_t at_ms;
    return text.length && at_time_parse(text.data, text.length, &at_ms, NULL) == AT_OK ? at_ms : otherwise;
}

/* ---- one item ---- */

struct item_stock *stock_of(struct stocks *stocks, struct at_text item) {
    struct item_stock **end = &stocks->first;
    for (; *end; end = &(*end)->next)
        if (at_text_equal((*end)->item, item)) return *end;
    *end = at_arena_zalloc(stocks->arena, sizeof **end);
    if (*end)
        **end = (struct item_stock){.item = item, .said = at_missing(), .cost = at_missing()};
    else
        stocks->is_out_of_memory = true;
    return *end;
}

static struct level *level_of(struct stocks *stocks, struct item_stock *stock, struct at_text place) {
    struct level **end = &stock->levels;
    for (; *end; end = &(*end)->next)
        if (at_text_equal((*end)->place, place)) return *end;
    *end = at_arena_zalloc(stocks->arena, sizeof **end);
    if (*end)
        **end = (struct level){.place = place, .available = at_missing(), .at_ms = INT64_MIN};
    else
        stocks->is_out_of_memory = true;
    return *end;
}

/* Of two words of one moment the smaller holds: then it does not matter which came first. */
static void hear_level(struct stocks *stocks, struct item_stock *stock, struct at_text place,
                       const struct level *word) {
    struct level *level = level_of(stocks, stock, place);
    if (!level || word->at_ms < level->at_ms) return;
    if (word->at_ms == level->at_ms &&
        (at_is_missing(level->available) || word->available >= level->available))
        return;
    level->available = word->available;
    level->at_ms = word->at_ms;
}

void stocks_hear(struct stocks *stocks, const struct at_shopify_stock *word) {
    struct item_stock *stock = stock_of(stocks, word->item);
    struct level level = {.available = word->available, .at_ms = word->at_ms};
    if (!stock) return;
    if (word->place.length) return hear_level(stocks, stock, word->place, &level);
    if (word->at_ms < stock->item_ms) return;
    stock->item_ms = word->at_ms;
    stock->cost = word->cost;
    stock->is_untracked = word->is_untracked;
}

double stock_count(const struct item_stock *stock) {
    double sum = 0, count = stock->said;
    int64_t newest = INT64_MIN;
    for (const struct level *level = stock->levels; level; level = level->next) {
        if (!at_is_missing(level->available)) sum += level->available;
        if (level->at_ms > newest) newest = level->at_ms;
    }
    if (stock->levels && (at_is_missing(count) || newest > stock->said_ms)) count = sum;
    bool is_endless = stock->is_endless || stock->is_untracked;
    if (is_endless) return !at_is_missing(count) && count > 1 ? count : 1;
    return at_is_missing(count) || count > 0 ? count : 0;
}

/* ---- in a document ---- */

static struct at_json part(struct at_json list, uint32_t n) {
    struct at_json_each it = at_json_each(list);
    while (at_json_is_array(list) && at_json_next(&it))
        if (!n--) return it.value;
    return (struct at_json){0};
}

static int64_t whole(struct at_json value) {
    int64_t number = 0;
    at_json_int(value, &number);
    return number;
}

static bool flag(struct at_json value) {
    bool is_set = false;
    at_json_bool(value, &is_set);
    return is_set;
}

void stocks_read(struct stocks *stocks, struct at_json inventory) {
    struct at_json_each items = at_json_each(inventory);
    while (at_json_is_object(inventory) && at_json_next(&items)) {
        struct at_json said = at_json_get(items.value, "said"), item = at_json_get(items.value, "item"),
                       places = at_json_get(items.value, "at");
        struct item_stock *stock = stock_of(stocks, items.key);
        if (!stock) return;
        stock->said = at_amount(part(said, 0));
        stock->said_ms = whole(part(said, 1));
        stock->is_endless = flag(part(said, 2));
        stock->cost = at_amount(part(item, 0));
        stock->is_untracked = flag(part(item, 1));
        stock->item_ms = whole(part(item, 2));
        struct at_json_each it = at_json_each(places);
        while (at_json_is_object(places) && at_json_next(&it)) {
            struct level *level = level_of(stocks, stock, it.key);
            if (!level) return;
            level->available = at_amount(part(it.value, 0));
            level->at_ms = whole(part(it.value, 1));
        }
    }
}

static void write_three(struct at_json_out *out, const char *name, double number, bool is_set, int64_t ms,
                        bool moment_first) {
    at_json_key(out, name);
    at_json_open(out, '[');
    at_json_put_number(out, number); /* missing: null */
    if (moment_first) at_json_put_int(out, ms);
    at_json_put_bool(out, is_set);
    if (!moment_first) at_json_put_int(out, ms);
    at_json_close(out, ']');
}

void stocks_write(const struct stocks *stocks, struct at_json_out *out) {
    at_json_key(out, "inventory");
    at_json_open(out, '{');
    for (const struct item_stock *stock = stocks->first; stock; stock = stock->next) {
        at_json_key_text(out, stock->item);
        at_json_open(out, '{');
        write_three(out, "said", stock->said, stock->is_endless, stock->said_ms, true);
        if (stock->item_ms) write_three(out, "item", stock->cost, stock->is_untracked, stock->item_ms, false);
        if (stock->levels) at_json_key(out, "at");
        if (stock->levels) at_json_open(out, '{');
        for (const struct level *level = stock->levels; level; level = level->next) {
            at_json_key_text(out, level->place);
            at_json_open(out, '[');
            at_json_put_number(out, level->available);
            at_json_put_int(out, level->at_ms);
            at_json_close(out, ']');
        }
        if (stock->levels) at_json_close(out, '}');
        at_json_close(out, '}');
    }
    at_json_close(out, '}');
}

/* ---- a webhook ---- */

enum at_status at_shopify_stock_read(struct at_text topic, struct at_json body, int64_t at_ms,
                                     struct at_arena *arena, struct at_shopify_stock *out,
                                     struct at_error *err) {
    bool is_level = topic.length > 17 && memcmp(topic.data, "inventory_levels/", 17) == 0,
         is_gone = at_text_is(topic, "inventory_levels/disconnect"), is_tracked = true;
    *out = (struct at_shopify_stock){.place = AT_TEXT(""), .available = at_missing(), .cost = at_missing()};
    out->item = shopify_id_text(at_json_get(body, is_level ? "inventory_item_id" : "id"), arena);
    if (is_level) out->place = shopify_id_text(at_json_get(body, "location_id"), arena);
    if (!out->item.data || !out->place.data) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    if (!out->item.length || (is_level && !out->place.length))
        return at_fail_field(err, AT_INVALID, "no_id", is_level ? "inventory_item_id" : "id",
                             is_level ? "a level has an inventory_item_id and a location_id"
                                      : "an inventory item has an id");
    out->at_ms = shopify_moment(at_json_get(body, "updated_at"), at_ms);
    if (is_level && !is_gone) out->available = at_amount(at_json_get(body, "available"));
    out->cost = at_amount(at_json_get(body, "cost"));
    out->is_untracked = at_json_bool(at_json_get(body, "tracked"), &is_tracked) && !is_tracked;
    return AT_OK;
}
