/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks about people: put into events, which go the way of all events. A refund names nobody: it is of
 * whom its order is, and waits where that has not come yet; whatever brings the order looks for refunds that
 * wait. Of whom was erased since, the order is known and nobody is behind it: nothing follows.
 */
#include <string.h>
#include "shop/shopify.h"

static void map(struct webhook *webhook, const struct at_shopify_webhook *head, struct at_json body,
                void (*then)(struct webhook *webhook));

/* ---- whose the order is ---- */

/* AT_NOTFOUND: the order has not come. */
static enum at_status read_who(struct webhook *webhook, struct at_reader *reader) {
    static const char *const kinds[] = {"order", "order_also"};
    struct at_claim claim;
    struct at_identifier_row row;
    enum at_status status = AT_NOTFOUND;
    for (size_t i = 0; i < AT_LENGTH(kinds) && status == AT_NOTFOUND; i++)
        status = at_reader_claim(reader, at_text_of(kinds[i]), at_text_of(webhook->order), &claim);
    if (status != AT_OK) return status;
    status = at_reader_identifier_at(reader, claim.source, &row, webhook->job->arena);
    webhook->who = (struct at_identifier){{"", 0}, {"", 0}};
    if (status == AT_OK) webhook->who = (struct at_identifier){row.kind, row.value};
    return status == AT_NOTFOUND ? AT_OK : status;
}

static bool is_nobodys(const struct webhook *webhook) {
    return webhook->who.kind.length == 0;
}

static void look_up(struct at_read *read, struct at_reader *reader) { /* a reader thread */
    struct webhook *webhook = (struct webhook *)((char *)read - offsetof(struct webhook, read));
    webhook->status = read_who(webhook, reader);
    worker_hop(webhook->job->worker, &webhook->hop);
}

static void look_up_then(struct webhook *webhook, void (*then)(struct webhook *webhook)) {
    webhook->then = then;
    webhook->read.run = look_up;
    at_store_read(webhook->job->worker->shop->store, &webhook->read);
}

/* ---- refunds that waited ---- */

static void drop_waiting(struct back_task *task) { /* the back worker */
    struct webhook *webhook = webhook_of(task);
    webhook->status = waiting_drop(webhook->job->worker->shop, webhook->waiting);
    worker_hop(webhook->job->worker, &webhook->hop);
}

static void dropped(struct webhook *webhook) {
    webhook_end(webhook, webhook->status);
}

/* One after another; each is counted once, however often it is tried. */
static void take_next(struct webhook *webhook) {
    struct waiting_one *one = webhook->next;
    if (!one) return webhook_back(webhook, drop_waiting, dropped);
    webhook->next = one->next;
    struct at_shopify_webhook head = {
        .topic = AT_TEXT("refunds/create"), .at_ms = one->at_ms, .who = &webhook->who};
    enum at_status status =
        at_json_parse(webhook->parser, one->body.data, one->body.length, true, &webhook->body, NULL);
    if (status != AT_OK) return webhook_end(webhook, status == AT_INVALID ? AT_IO : status);
    map(webhook, &head, webhook->body, take_next);
}

static void found_waiting_who(struct webhook *webhook) {
    if (webhook->status == AT_NOTFOUND) return webhook_end(webhook, AT_OK); /* consent withheld the order */
    if (webhook->status != AT_OK) return webhook_end(webhook, webhook->status);
    webhook->next = is_nobodys(webhook) ? NULL : webhook->waiting;
    take_next(webhook);
}

static void list_waiting(struct back_task *task) { /* the back worker */
    struct webhook *webhook = webhook_of(task);
    webhook->waiting = waiting_list(webhook->job->worker->shop, WAITING_REFUND, at_text_of(webhook->order),
                                    webhook->job->arena, &webhook->status);
    worker_hop(webhook->job->worker, &webhook->hop);
}

static void listed(struct webhook *webhook) {
    if (webhook->status != AT_OK || !webhook->waiting) return webhook_end(webhook, webhook->status);
    look_up_then(webhook, found_waiting_who);
}

static void tracked(struct webhook *webhook) {
    bool is_order = webhook->order[0] && !at_text_is(webhook->head.topic, "refunds/create");
    if (is_order && waiting_count(webhook->job->worker->shop))
        webhook_back(webhook, list_waiting, listed);
    else
        webhook_end(webhook, AT_OK);
}

/* ---- a refund before its order ---- */

static void refund_who(struct webhook *webhook);

static void keep_refund(struct back_task *task) { /* the back worker */
    struct webhook *webhook = webhook_of(task);
    struct at_text id = at_text_of(webhook->order);
    struct at_claim absent[] = {{.kind = AT_TEXT("order"), .key = id},
                                {.kind = AT_TEXT("order_also"), .key = id}};
    char refund[AT_SHOPIFY_NAME_MAX] = "";
    int64_t number;
    struct at_text text = at_json_text(at_json_get(webhook->body, "id"));
    if (at_json_int(at_json_get(webhook->body, "id"), &number))
        snprintf(refund, sizeof refund, "%lld", (long long)number);
    else
        snprintf(refund, sizeof refund, "%.*s", (int)(text.length < 100 ? text.length : 100),
                 text.data ? text.data : "");
    at_bytes_reset(&webhook->batch);
    at_shopify_refund_kept(webhook->body, &webhook->batch);
    struct at_waiting_row row = {.kind = AT_TEXT(WAITING_REFUND),
                                 .key = id,
                                 .part = at_text_of(refund),
                                 .at_ms = webhook->head.at_ms,
                                 .body = {webhook->batch.data, webhook->batch.length}};
    webhook->status = webhook->batch.failed
                          ? AT_NOMEM
                          : waiting_add(webhook->job->worker->shop, &row, absent, AT_LENGTH(absent));
    worker_hop(webhook->job->worker, &webhook->hop);
}

static void kept_refund(struct webhook *webhook) {
    if (webhook->status == AT_STALE) return look_up_then(webhook, refund_who); /* the order came meanwhile */
    webhook->is_kept = webhook->status == AT_OK;
    webhook_end(webhook, webhook->status);
}

static void refund_who(struct webhook *webhook) {
    if (webhook->status == AT_NOTFOUND) return webhook_back(webhook, keep_refund, kept_refund);
    if (webhook->status != AT_OK) return webhook_end(webhook, webhook->status);
    if (is_nobodys(webhook)) return webhook_ignore(webhook, "nobody");
    webhook->head.who = &webhook->who;
    map(webhook, &webhook->head, webhook->body, tracked);
}

/* ---- into events ---- */

static void events_done(struct at_job *events) {
    struct webhook *webhook = (struct webhook *)events;
    if (events->status != AT_OK) return webhook_job_failed(webhook);
    webhook->then(webhook);
}

static void send(struct webhook *webhook, void (*then)(struct webhook *webhook)) {
    struct at_json batch;
    enum at_status status = at_json_parse(webhook->batch_parser, webhook->batch.data, webhook->batch.length,
                                          false, &batch, &webhook->job->err);
    if (status != AT_OK) return webhook_end(webhook, status);
    webhook->then = then;
    track_from_source(webhook_job(webhook, events_done), batch);
}

/* Whom only their account names are not made anew to say that it is gone. */
static bool is_known(struct webhook *webhook) {
    char id[AT_SHOPIFY_NAME_MAX];
    int64_t number;
    if (!at_json_int(at_json_get(webhook->body, "id"), &number)) return false;
    snprintf(id, sizeof id, "%lld", (long long)number);
    return identity_find(&webhook->job->worker->shop->identity, AT_TEXT(AT_SHOPIFY_CUSTOMER_KIND),
                         at_text_of(id)) != 0;
}

static void map(struct webhook *webhook, const struct at_shopify_webhook *head, struct at_json body,
                void (*then)(struct webhook *webhook)) {
    struct at_shopify_written written;
    at_bytes_reset(&webhook->batch);
    enum at_status status = at_shopify_events(head, body, &webhook->batch, &written, &webhook->job->err);
    if (status == AT_OK && webhook->batch.failed)
        status = at_fail(&webhook->job->err, AT_NOMEM, NULL, "out of memory");
    if (status != AT_OK) return webhook_end(webhook, status);
    if (written.outcome == AT_SHOPIFY_TEST) return webhook_ignore(webhook, "test");
    if (written.outcome == AT_SHOPIFY_NOTHING) return webhook_ignore(webhook, "completed");
    if (written.outcome == AT_SHOPIFY_NOBODY || (written.needs_known && !is_known(webhook)))
        return webhook_ignore(webhook, "nobody");
    if (written.products_left_out)
        count_add(webhook->job->worker->shop, COUNT_SHOPIFY_CUT, written.products_left_out);
    send(webhook, then);
}

void webhook_people(struct webhook *webhook) {
    struct at_shopify_written written;
    at_shopify_order_id(webhook->head.topic, webhook->body, webhook->order);
    if (!at_text_is(webhook->head.topic, "refunds/create"))
        return map(webhook, &webhook->head, webhook->body, tracked);
    enum at_status status =
        at_shopify_events(&webhook->head, webhook->body, &webhook->batch, &written, &webhook->job->err);
    if (status != AT_OK) return webhook_end(webhook, status); /* before it is kept, it is looked at */
    look_up_then(webhook, refund_who);
}
