/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks about products and stock, on the back worker, which alone changes the catalog: so what is read
 * there and what is written belong together. A level of an item that no product has yet waits until one has
 * it.
 */
#include <stdlib.h>
#include <string.h>
#include "catalog/shopify.h"
#include "shop/shopify.h"

struct work { /* of one webhook */
    struct webhook *webhook;
    struct at_shop *shop;
    struct at_arena *arena;
    struct at_root *root;
    struct at_json kept;             /* the product's document */
    struct at_shopify_stock *stocks; /* what waited for it, or what came */
    struct waiting_one *waited, **waited_end;
    struct at_json_parser *parser; /* of what waited, one after another; then of the new document */
    enum at_status status;
};

/* ---- what waits ---- */

static void hear(struct work *work, const struct waiting_one *one, struct at_text item) {
    struct at_json body;
    struct at_shopify_stock *word = at_arena_zalloc(work->arena, sizeof *word);
    bool is_level = !at_text_is(one->part, "item");
    struct at_text topic = is_level ? AT_TEXT("inventory_levels/update") : AT_TEXT("inventory_items/update");
    enum at_status status =
        word ? at_json_parse(work->parser, one->body.data, one->body.length, true, &body, NULL) : AT_NOMEM;
    if (status == AT_OK) status = at_shopify_stock_read(topic, body, one->at_ms, work->arena, word, NULL);
    if (status == AT_NOMEM) work->status = status;
    if (status != AT_OK) return;
    word->item = item; /* the body is gone with the next */
    word->place = is_level ? one->part : AT_TEXT("");
    word->next = work->stocks;
    work->stocks = word;
}

static void take_waiting(void *arg, struct at_text item) {
    struct work *work = arg;
    struct waiting_one *one = NULL;
    if (work->status == AT_OK)
        one = waiting_list(work->shop, WAITING_STOCK, item, work->arena, &work->status);
    for (; one; one = one->next) {
        hear(work, one, item);
        *work->waited_end = one;
        work->waited_end = &one->next;
    }
}

/* That a place sells it no more is said by the topic alone: kept as a level without a number. */
static enum at_status wait_for_product(struct work *work, const struct at_shopify_stock *word) {
    struct at_waiting_row row = {.kind = AT_TEXT(WAITING_STOCK),
                                 .key = word->item,
                                 .part = word->place.length ? word->place : AT_TEXT("item"),
                                 .at_ms = word->at_ms,
                                 .body = work->webhook->sent->body};
    struct at_bytes gone;
    at_bytes_init(&gone, 1024);
    if (word->place.length && at_is_missing(word->available)) {
        struct at_json_out out = at_json_out(&gone);
        at_json_open(&out, '{');
        at_json_add_text(&out, "inventory_item_id", word->item);
        at_json_add_text(&out, "location_id", word->place);
        at_json_close(&out, '}');
        row.body = (struct at_text){gone.data, gone.length};
    }
    enum at_status status = gone.failed ? AT_NOMEM : AT_STALE;
    while (status == AT_STALE) status = waiting_add(work->shop, &row, NULL, 0);
    at_bytes_clear(&gone);
    work->webhook->is_kept = status == AT_OK;
    return status;
}

/* ---- documents ---- */

/* The document of a row, in the webhook's second parser. False: there is none, or work->status. */
static bool read_kept(struct work *work, uint32_t row) {
    bool is_live = row != AT_ROW_NONE && at_root_is_live(work->root, row);
    struct at_text body = is_live ? at_root_body(work->root, row) : (struct at_text){NULL, 0};
    if (!body.data) return false;
    work->status =
        at_json_parse(work->webhook->batch_parser, body.data, body.length, false, &work->kept, NULL);
    return work->status == AT_OK;
}

static void refuse(struct work *work, const struct at_change *change, struct at_text id) {
    struct at_text topic = work->webhook->head.topic;
    work->webhook->ignored = "refused";
    if (!told_first(work->shop->shopify->told_invalid, at_hash64(id.data, id.length))) return;
    at_log(at_shop_log(work->shop), AT_LOG_WARN, "sources",
           "product %.*s of Shopify's topic %.*s was refused: %s", (int)id.length, id.data, (int)topic.length,
           topic.data, change->error.message);
}

/* What cannot be taken will not be the next time either; what there is no room for may be. */
static enum at_status change_product(struct work *work, struct at_change *change, struct at_text id) {
    struct at_job *job = work->webhook->job;
    enum at_status status = items_change(job, change, 1);
    if (status != AT_OK) return status;
    switch (change->status) {
    case AT_OK:
    case AT_DUPLICATE:
    case AT_NOTFOUND: return AT_OK;
    case AT_FULL:
    case AT_NOMEM: job->err = change->error; return change->status;
    default: refuse(work, change, id); return AT_OK;
    }
}

static enum at_status write_product(struct work *work, struct at_json sent, enum at_change_kind kind,
                                    struct at_text id) {
    struct webhook *webhook = work->webhook;
    struct at_shopify_product product = {.sent = sent,
                                         .kept = work->kept,
                                         .stocks = work->stocks,
                                         .domain = webhook->sent->domain,
                                         .at_ms = webhook->head.at_ms};
    struct at_change change = {.kind = kind};
    struct at_error *err = &webhook->job->err;
    enum at_status status = at_shopify_product_write(&product, work->arena, &webhook->batch, err);
    if (status == AT_OK && webhook->batch.failed) status = AT_NOMEM;
    if (status == AT_OK)
        status = at_json_parse(work->parser, webhook->batch.data, webhook->batch.length, false,
                               &change.document, err);
    return status == AT_OK ? change_product(work, &change, id) : status;
}

/* ---- topics ---- */

static enum at_status retire(struct work *work, struct at_text id, int64_t at_ms) {
    struct at_change gone = {.kind = AT_CHANGE_RETIRE, .id = id, .retired_ms = at_ms};
    return change_product(work, &gone, id);
}

/* By its own id only: a number may be another product's variant. */
static uint32_t find_row(const struct at_root *root, struct at_text id) {
    uint32_t row = at_root_row(root, id.data, id.length);
    return row != AT_ROW_NONE && at_text_equal(at_root_id(root, row), id) ? row : AT_ROW_NONE;
}

static enum at_status product_topic(struct work *work) {
    struct webhook *webhook = work->webhook;
    struct at_json sent = webhook->body;
    struct at_text id = at_shopify_product_id(sent, work->arena),
                   updated = at_json_text(at_json_get(sent, "updated_at"));
    int64_t at_ms = webhook->head.at_ms;
    if (!id.length)
        return at_fail_field(&webhook->job->err, AT_INVALID, "no_id", "id", "a product has an id");
    if (at_text_is(webhook->head.topic, "products/delete")) return retire(work, id, at_ms);
    if (updated.length) (void)at_time_parse(updated.data, updated.length, &at_ms, NULL);
    if (!at_shopify_is_offered(sent)) return retire(work, id, at_ms);
    read_kept(work, find_row(work->root, id));
    if (work->status == AT_OK && waiting_count(work->shop))
        at_shopify_each_item(sent, work->arena, take_waiting, work);
    if (work->status != AT_OK) return work->status;
    enum at_status status = write_product(work, sent, AT_CHANGE_PUT, id);
    return status == AT_OK && work->waited ? waiting_drop(work->shop, work->waited) : status;
}

static enum at_status stock_topic(struct work *work) {
    struct webhook *webhook = work->webhook;
    struct at_shopify_stock word;
    char name[200];
    enum at_status status = at_shopify_stock_read(webhook->head.topic, webhook->body, webhook->head.at_ms,
                                                  work->arena, &word, &webhook->job->err);
    if (status != AT_OK) return status;
    if (at_text_is(webhook->head.topic, "inventory_items/delete")) return AT_OK; /* its product tells of it */
    int length = snprintf(name, sizeof name, AT_INVENTORY_NAME "%.*s", (int)word.item.length, word.item.data);
    uint32_t row = at_root_row(work->root, name, (size_t)length);
    if (!read_kept(work, row)) return work->status == AT_OK ? wait_for_product(work, &word) : work->status;
    work->stocks = &word;
    status = write_product(work, (struct at_json){0}, AT_CHANGE_PATCH, at_root_id(work->root, row));
    work->stocks = NULL;
    return status;
}

static void run(struct back_task *task) { /* the back worker */
    struct webhook *webhook = webhook_of(task);
    struct at_shop *shop = webhook->job->worker->shop;
    struct at_text topic = webhook->head.topic;
    struct work work = {.webhook = webhook,
                        .shop = shop,
                        .arena = webhook->job->arena,
                        .root = at_catalog_root(shop->catalog),
                        .parser = parser_new()};
    bool is_product = topic.length > 9 && memcmp(topic.data, "products/", 9) == 0;
    work.waited_end = &work.waited;
    webhook->status = !work.parser ? AT_NOMEM : is_product ? product_topic(&work) : stock_topic(&work);
    if (work.parser) at_json_parser_free(work.parser);
    at_root_unref(work.root);
    worker_hop(webhook->job->worker, &webhook->hop);
}

static void done(struct webhook *webhook) {
    if (webhook->status == AT_OK && webhook->ignored) return webhook_ignore(webhook, webhook->ignored);
    webhook_end(webhook, webhook->status);
}

void webhook_items(struct webhook *webhook) {
    if (at_json_is_object(webhook->body)) return webhook_back(webhook, run, done);
    webhook_end(webhook, at_fail(&webhook->job->err, AT_INVALID, "not_an_object",
                                 "the body of a webhook is a JSON object"));
}
