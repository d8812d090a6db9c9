/* SPDX-License-Identifier: Apache-2.0
 *
 * One delivery of a Shopify webhook on its way, shared by shopify.c (who sent it, what it is),
 * shopify_people.c (events) and shopify_items.c (products and stock). It lives in the request's arena;
 * everything happens on the job's worker but what is said.
 */
#ifndef AT_SHOP_SHOPIFY_H
#define AT_SHOP_SHOPIFY_H

#include "profile/shopify.h"
#include "shop/internal.h"
#include "shop/waiting.h"

#define SHOPIFY_SEEN_MAX 4096 /* deliveries that are known again */

struct webhook {
    struct at_job events; /* first: of what it became, on its own way; its out is the answer's body */
    struct at_job *job;   /* the delivery's */
    const struct at_webhook *sent;
    struct at_shopify_webhook head;
    struct at_json_parser *parser, *batch_parser;
    struct at_json body;
    int64_t now_ms;
    struct at_bytes batch;
    char order[AT_SHOPIFY_NAME_MAX]; /* the order it is about */
    struct at_identifier who;        /* whose that is */
    struct waiting_one *waiting;     /* refunds that waited for it */
    struct waiting_one *next;        /* of them */
    bool has_waited;                 /* the batch is of one that waited */
    const char *ignored;             /* why nothing follows */
    bool is_kept;                    /* it waits for what it is about */
    struct at_read read;
    struct back_task back;
    struct at_task hop;
    void (*then)(struct webhook *webhook);
    enum at_status status;
};

/* Ends the delivery: the answer, and whether it is known from now on. */
void webhook_end(struct webhook *webhook, enum at_status status);
void webhook_ignore(struct webhook *webhook, const char *why); /* the same, for nothing follows */
/* The job of what it becomes, as of a secret key; done is called when that is over. */
struct at_job *webhook_job(struct webhook *webhook, void (*done)(struct at_job *job));
void webhook_job_failed(struct webhook *webhook); /* ends the delivery as its job ended */
/* To the back worker and back: fn runs there, then goes on here. */
void webhook_back(struct webhook *webhook, void (*fn)(struct back_task *task),
                  void (*then)(struct webhook *webhook));
static inline struct webhook *webhook_of(struct back_task *task) {
    return (struct webhook *)((char *)task - offsetof(struct webhook, back));
}

/* Counted by a bounded label: the topics of one table, and "other". */
const char *shopify_topic_label(uint32_t i); /* NULL: no more */
const char *shopify_reason_label(uint32_t i);

/* shopify_people.c */
void webhook_people(struct webhook *webhook);
/* shopify_items.c */
void webhook_items(struct webhook *webhook);
/* shopify_privacy.c: the topics customers/data_request, customers/redact, shop/redact. Each
 * becomes a request (requests.c), durable before it is answered. */
void at_shop_privacy_topic(struct at_job *job, struct at_text topic, struct at_text id, struct at_json json);

struct shopify { /* of the shop */
    pthread_mutex_t mutex;
    uint64_t seen[SHOPIFY_SEEN_MAX]; /* hashes of webhook ids; a ring */
    uint32_t next_seen;
    _Atomic uint64_t by_topic[64], by_reason[16];
    _Atomic uint64_t told_topics[TOLD_MAX], told_invalid[TOLD_MAX];
};

#endif
