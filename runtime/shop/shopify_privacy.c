/* SPDX-License-Identifier: Apache-2.0
 *
 * The requests every app must take: what is stored of a customer, that they be forgotten, that all of a shop
 * be. Each becomes a request (requests.c) before it is answered: what is asked for is ready to be handed
 * over, who is to go is erased at once, a whole shop waits for somebody to decide. The customer's id, address
 * and phone may be several people here; each is one request.
 */
#include "shop/shopify.h"

#include <string.h>
#include "profile/shopify.h"
#include "shop/erase.h"

#define PEOPLE_MAX 3

struct request {
    struct at_text topic, kind, reference;
    struct at_json customer;
};

static void add_person(uint64_t people[PEOPLE_MAX], uint32_t *count, uint64_t person) {
    for (uint32_t i = 0; i < *count; i++)
        if (people[i] == person) return;
    if (person) people[(*count)++] = person;
}

static uint32_t find_people(struct at_shop *shop, struct at_json customer, uint64_t people[PEOPLE_MAX]) {
    char id[AT_SHOPIFY_NAME_MAX];
    uint32_t count = 0;
    struct at_text email = at_json_text(at_json_get(customer, "email")),
                   phone = at_json_text(at_json_get(customer, "phone"));
    if (at_shopify_id(at_json_get(customer, "id"), id))
        add_person(people, &count,
                   identity_find(&shop->identity, AT_TEXT(AT_SHOPIFY_CUSTOMER_KIND), at_text_of(id)));
    if (email.length) add_person(people, &count, identity_find(&shop->identity, AT_TEXT("email"), email));
    if (phone.length) add_person(people, &count, identity_find(&shop->identity, AT_TEXT("phone"), phone));
    return count;
}

static enum at_status take(struct at_job *job, void *arg) { /* the back worker */
    const struct request *request = arg;
    uint64_t people[PEOPLE_MAX] = {0};
    uint32_t count = find_people(job->worker->shop, request->customer, people);
    enum at_status status = AT_OK;
    for (uint32_t i = 0; (i < count || i == 0) && status == AT_OK; i++) {
        status = request_take(job, request->kind, people[i], request->reference);
        if (status ==
            AT_NOTFOUND) /* nothing of them was ever kept: so it is written down, and the others follow */
            status = request_take(job, request->kind, 0, request->reference);
    }
    if (status != AT_OK) {
        if (job->err.message[0]) return status;
        return at_fail(&job->err, status, NULL, "the request could not be taken: send it again");
    }
    at_log(at_shop_log(job->worker->shop), AT_LOG_WARN, "privacy",
           "Shopify's %.*s was taken: GET /v1/privacy/requests says how far it is; it is due in 30 days",
           (int)request->topic.length, request->topic.data);
    at_bytes_add_text(&job->out, "{\"success\":true,\"recorded\":true}");
    return AT_OK;
}

void at_shop_privacy_topic(struct at_job *job, struct at_text topic, struct at_text id, struct at_json json) {
    struct request *request = at_arena_zalloc(job->arena, sizeof *request);
    char name[AT_SHOPIFY_NAME_MAX];
    if (request) {
        request->topic = topic;
        request->customer = at_json_get(json, "customer");
        request->kind = at_text_is(topic, "customers/redact") ? AT_TEXT("erase")
                        : at_text_is(topic, "shop/redact")    ? AT_TEXT("redact")
                                                              : AT_TEXT("export");
        bool has_name = at_shopify_id(at_json_get(at_json_get(json, "data_request"), "id"), name);
        request->reference = has_name ? at_text_of(name) : id;
        request->reference.data =
            at_arena_dup(job->arena, request->reference.data, request->reference.length);
    }
    if (request && request->reference.data && errand_post(job, take, request) == AT_OK) return;
    at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    job_end(job, AT_NOMEM);
}
