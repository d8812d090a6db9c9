/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /v1/sources/shopify: whether a delivery is signed with one of the shop's secrets, whether it was there
 * before, and which way its topic goes. Shopify sends it again until it is answered 200: so the answer is 200
 * when what follows is durable, or when nothing will ever follow.
 */
#include "shop/shopify.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/hash.h"

/* ---- labels ---- */

enum topic_kind { TOPIC_OTHER, TOPIC_PEOPLE, TOPIC_ITEMS, TOPIC_PRIVACY, TOPIC_UNINSTALLED };
static const struct {
    const char *name;
    enum topic_kind kind;
} topics[] = {
    {"other", TOPIC_OTHER},
    {"orders/create", TOPIC_PEOPLE},
    {"orders/paid", TOPIC_PEOPLE},
    {"orders/updated", TOPIC_PEOPLE},
    {"orders/cancelled", TOPIC_PEOPLE},
    {"orders/fulfilled", TOPIC_PEOPLE},
    {"refunds/create", TOPIC_PEOPLE},
    {"customers/create", TOPIC_PEOPLE},
    {"customers/update", TOPIC_PEOPLE},
    {"customers/enable", TOPIC_PEOPLE},
    {"customers/disable", TOPIC_PEOPLE},
    {"customers/delete", TOPIC_PEOPLE},
    {"checkouts/create", TOPIC_PEOPLE},
    {"checkouts/update", TOPIC_PEOPLE},
    {"checkouts/delete", TOPIC_PEOPLE},
    {"carts/create", TOPIC_PEOPLE},
    {"carts/update", TOPIC_PEOPLE},
    {"products/create", TOPIC_ITEMS},
    {"products/update", TOPIC_ITEMS},
    {"products/delete", TOPIC_ITEMS},
    {"inventory_levels/update", TOPIC_ITEMS},
    {"inventory_levels/connect", TOPIC_ITEMS},
    {"inventory_levels/disconnect", TOPIC_ITEMS},
    {"inventory_items/create", TOPIC_ITEMS},
    {"inventory_items/update", TOPIC_ITEMS},
    {"inventory_items/delete", TOPIC_ITEMS},
    {"customers/data_request", TOPIC_PRIVACY},
    {"customers/redact", TOPIC_PRIVACY},
    {"shop/redact", TOPIC_PRIVACY},
    {"app/uninstalled", TOPIC_UNINSTALLED},
};
static const char *const reasons[] = {"topic", "test", "nobody", "completed", "refused", "app"};

const char *shopify_topic_label(uint32_t i) {
    return i < AT_LENGTH(topics) ? topics[i].name : NULL;
}

const char *shopify_reason_label(uint32_t i) {
    return i < AT_LENGTH(reasons) ? reasons[i] : NULL;
}

static uint32_t find_topic(struct at_text name) {
    uint32_t i = AT_LENGTH(topics) - 1;
    while (i && !at_text_is(name, topics[i].name)) i--;
    return i;
}

/* ---- deliveries that were there before ---- */

enum at_status shopify_open(struct at_shop *shop, struct at_error *err) {
    shop->shopify = calloc(1, sizeof *shop->shopify);
    if (!shop->shopify) return at_fail(err, AT_NOMEM, NULL, "no memory for webhooks");
    pthread_mutex_init(&shop->shopify->mutex, NULL);
    return AT_OK;
}

void shopify_close(struct at_shop *shop) {
    if (!shop->shopify) return;
    pthread_mutex_destroy(&shop->shopify->mutex);
    free(shop->shopify);
    shop->shopify = NULL;
}

static uint64_t hash_of(struct at_text id) {
    return at_hash64(id.data, id.length) | 1;
}

static bool was_seen(struct shopify *shopify, struct at_text id) {
    bool is_there = false;
    uint64_t hash = hash_of(id);
    if (!id.length) return false;
    pthread_mutex_lock(&shopify->mutex);
    for (uint32_t i = 0; i < SHOPIFY_SEEN_MAX && !is_there; i++) is_there = shopify->seen[i] == hash;
    pthread_mutex_unlock(&shopify->mutex);
    return is_there;
}

static void note_seen(struct shopify *shopify, struct at_text id) {
    if (!id.length) return;
    pthread_mutex_lock(&shopify->mutex);
    shopify->seen[shopify->next_seen++ % SHOPIFY_SEEN_MAX] = hash_of(id);
    pthread_mutex_unlock(&shopify->mutex);
}

/* ---- who sent it ---- */

/* All secrets, whatever matched: the time says nothing. */
static bool is_signed(const struct at_shopify_settings *settings, const struct at_webhook *sent) {
    uint8_t given[72], digest[AT_SHA256_SIZE];
    bool is_right = false;
    long length = sent->signature.length && sent->signature.length <= 88
                      ? at_base64_decode(sent->signature.data, sent->signature.length, given)
                      : -1;
    for (uint32_t i = 0; i < settings->secret_count; i++) {
        at_hmac_sha256(settings->secrets[i].data, settings->secrets[i].length, sent->body.data,
                       sent->body.length, digest);
        is_right |= length == AT_SHA256_SIZE && at_equal_secret(given, AT_SHA256_SIZE, digest, sizeof digest);
    }
    return is_right;
}

static bool is_of_shop(const struct at_shopify_settings *settings, struct at_text domain) {
    if (!settings->domain.length) return true;
    return domain.length == settings->domain.length &&
           strncasecmp(domain.data, settings->domain.data, domain.length) == 0;
}

static enum at_status check_sender(struct at_shop *shop, const struct at_webhook *sent,
                                   struct at_error *err) {
    const struct at_shopify_settings *settings = &shop->settings->shopify;
    if (!settings->secret_count)
        return at_fail(err, AT_NOTFOUND, "unknown_source",
                       "Shopify is no source of this shop: see sources in shop.lua");
    if (!is_signed(settings, sent)) {
        count_add(shop, COUNT_SHOPIFY_UNSIGNED, 1);
        return at_fail(
            err, AT_UNAUTHORIZED, "bad_signature",
            "X-Shopify-Hmac-Sha256 is not this body's with any of the secrets in sources of shop.lua");
    }
    if (!is_of_shop(settings, sent->domain))
        return at_fail(err, AT_FORBIDDEN, "other_shop",
                       "this webhook is of another shop than sources.shopify.domain in shop.lua");
    if (!sent->topic.length)
        return at_fail_field(err, AT_INVALID, "no_topic", "X-Shopify-Topic",
                             "a webhook says in X-Shopify-Topic what it is about");
    return AT_OK;
}

/* ---- the end ---- */

static void give_back(struct webhook *webhook) {
    if (webhook->parser) at_worker_give_parser(webhook->job->worker, webhook->parser);
    if (webhook->batch_parser) at_worker_give_parser(webhook->job->worker, webhook->batch_parser);
    webhook->parser = webhook->batch_parser = NULL;
    at_bytes_clear(&webhook->batch);
    at_bytes_clear(&webhook->events.out);
}

/* What cannot be taken will not be the next time either: it is answered 200, and told of once a topic. */
static void tell_invalid(struct webhook *webhook) {
    static const char word[] = "\"status\":\"invalid\"";
    struct at_shop *shop = webhook->job->worker->shop;
    const struct at_bytes *out = &webhook->events.out;
    struct at_text topic = webhook->head.topic;
    const char *found = memmem(out->data, out->length, word, sizeof word - 1);
    if (!found || !told_first(shop->shopify->told_invalid, at_hash64(topic.data, topic.length))) return;
    int length = (int)(out->data + out->length - found);
    at_log(at_shop_log(shop), AT_LOG_WARN, "sources", "an event of Shopify's topic %.*s was refused: %.*s",
           (int)topic.length, topic.data, length < 300 ? length : 300, found);
}

void webhook_end(struct webhook *webhook, enum at_status status) {
    struct at_job *job = webhook->job;
    struct at_json_out out = at_json_out(&job->out);
    if (status == AT_OK) note_seen(job->worker->shop->shopify, webhook->sent->id);
    if (status == AT_OK && webhook->events.out.length && !webhook->is_kept && !webhook->ignored) {
        tell_invalid(webhook);
        at_json_put_raw(&out, webhook->events.out.data, webhook->events.out.length);
    } else if (status == AT_OK) {
        at_json_open(&out, '{');
        at_json_add_bool(&out, "success", true);
        if (webhook->ignored) at_json_add_string(&out, "ignored", webhook->ignored);
        if (webhook->is_kept) at_json_add_bool(&out, "waiting", true);
        at_json_close(&out, '}');
    } else if (!job->err.message[0])
        at_fail(&job->err, status, NULL, "the webhook could not be stored: send it again in a moment");
    give_back(webhook);
    job_end(job, status);
}

void webhook_ignore(struct webhook *webhook, const char *why) {
    struct shopify *shopify = webhook->job->worker->shop->shopify;
    for (uint32_t i = 0; i < AT_LENGTH(reasons); i++)
        if (strcmp(why, reasons[i]) == 0)
            atomic_fetch_add_explicit(&shopify->by_reason[i], 1, memory_order_relaxed);
    webhook->ignored = why;
    webhook_end(webhook, AT_OK);
}

struct at_job *webhook_job(struct webhook *webhook, void (*done)(struct at_job *job)) {
    struct at_bytes out = webhook->events.out;
    at_bytes_reset(&out);
    webhook->events = (struct at_job){.worker = webhook->job->worker,
                                      .arena = webhook->job->arena,
                                      .out = out,
                                      .is_secret = true, /* a signature is as good as a key */
                                      .source = "shopify",
                                      .done = done};
    return &webhook->events;
}

void webhook_job_failed(struct webhook *webhook) {
    webhook->job->err = webhook->events.err;
    webhook_end(webhook, webhook->events.status);
}

static void privacy_done(struct at_job *job) {
    struct webhook *webhook = (struct webhook *)job;
    if (job->status != AT_OK) return webhook_job_failed(webhook);
    webhook_end(webhook, AT_OK);
}

/* ---- other threads ---- */

static void go_on(struct at_task *hop) {
    struct webhook *webhook = (struct webhook *)((char *)hop - offsetof(struct webhook, hop));
    webhook->then(webhook);
}

void webhook_back(struct webhook *webhook, void (*fn)(struct back_task *task),
                  void (*then)(struct webhook *webhook)) {
    webhook->then = then;
    webhook->back.run = fn;
    back_post(webhook->job->worker->shop, &webhook->back);
}

/* ---- the way ---- */

static void tell_unknown(struct at_shop *shop, struct at_text topic) {
    if (!told_first(shop->shopify->told_topics, at_hash64(topic.data, topic.length))) return;
    at_log(at_shop_log(shop), AT_LOG_INFO, "sources",
           "Shopify's topic %.*s is not used: nothing follows from it",
           (int)(topic.length < 100 ? topic.length : 100), topic.data);
}

static void tell_uninstalled(struct at_shop *shop) {
    at_log(at_shop_log(shop), AT_LOG_WARN, "sources",
           "the app was uninstalled in Shopify: orders, products and customers no longer come");
}

/* An id that is longer than any known one is known by its digest. */
static struct at_text effect_id(struct webhook *webhook) {
    struct at_text id = webhook->sent->event_id.length ? webhook->sent->event_id : webhook->sent->id;
    uint8_t digest[AT_SHA256_SIZE];
    if (id.length <= AT_SHOPIFY_ID_MAX) return id;
    char *hex = at_arena_alloc(webhook->job->arena, 2 * sizeof digest + 1);
    if (!hex) return (struct at_text){NULL, 0};
    at_sha256(id.data, id.length, digest);
    at_hex(digest, sizeof digest, hex);
    return (struct at_text){hex, AT_SHOPIFY_ID_MAX};
}

static enum at_status read_sent(struct webhook *webhook) {
    struct at_job *job = webhook->job;
    struct at_shop *shop = job->worker->shop;
    const struct at_webhook *sent = webhook->sent;
    webhook->now_ms = at_shop_now(shop);
    int64_t at_ms = webhook->now_ms;
    struct at_text at = sent->triggered_at, id = effect_id(webhook);
    if (at.length) (void)at_time_parse(at.data, at.length, &at_ms, NULL);
    webhook->head = (struct at_shopify_webhook){.topic = sent->topic, .id = id, .at_ms = at_ms};
    webhook->parser = at_worker_take_parser(job->worker);
    webhook->batch_parser = at_worker_take_parser(job->worker);
    if (!webhook->parser || !webhook->batch_parser || !id.data)
        return at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    return at_json_parse(webhook->parser, sent->body.data, sent->body.length, false, &webhook->body,
                         &job->err);
}

static void dispatch(struct webhook *webhook, uint32_t topic) {
    struct at_job *job = webhook->job;
    struct at_shop *shop = job->worker->shop;
    enum at_status status = read_sent(webhook);
    if (status != AT_OK) return webhook_end(webhook, status);
    switch (topics[topic].kind) {
    case TOPIC_PEOPLE: return webhook_people(webhook);
    case TOPIC_ITEMS: return webhook_items(webhook);
    case TOPIC_PRIVACY:
        return at_shop_privacy_topic(webhook_job(webhook, privacy_done), webhook->head.topic,
                                     webhook->head.id, webhook->body);
    case TOPIC_UNINSTALLED: tell_uninstalled(shop); return webhook_ignore(webhook, "app");
    case TOPIC_OTHER: tell_unknown(shop, webhook->head.topic); return webhook_ignore(webhook, "topic");
    }
}

static void answer_again(struct at_job *job) {
    struct at_json_out out = at_json_out(&job->out);
    count_add(job->worker->shop, COUNT_SHOPIFY_DUPLICATE, 1);
    at_json_open(&out, '{');
    at_json_add_bool(&out, "success", true);
    at_json_add_bool(&out, "duplicate", true);
    at_json_close(&out, '}');
    job_end(job, AT_OK);
}

void at_shop_shopify(struct at_job *job, const struct at_webhook *sent) {
    struct at_shop *shop = job->worker->shop;
    enum at_status status = check_sender(shop, sent, &job->err);
    if (status != AT_OK) return job_end(job, status);
    uint32_t topic = find_topic(sent->topic);
    atomic_fetch_add_explicit(&shop->shopify->by_topic[topic], 1, memory_order_relaxed);
    if (was_seen(shop->shopify, sent->id)) return answer_again(job);
    struct webhook *webhook = at_arena_zalloc(job->arena, sizeof *webhook);
    if (!webhook) return job_end(job, at_fail(&job->err, AT_NOMEM, NULL, "out of memory"));
    webhook->job = job;
    webhook->sent = sent;
    webhook->hop.run = go_on;
    at_bytes_init(&webhook->batch, AT_SHOP_BODY_MAX);
    at_bytes_init(&webhook->events.out, AT_SHOP_BODY_MAX);
    dispatch(webhook, topic);
}
