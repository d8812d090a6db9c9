/* SPDX-License-Identifier: Apache-2.0
 *
 * The requests every app must take: what is stored of a customer, that it be erased, that all of a shop be
 * erased. Each is recorded before it is answered, so that none is lost.
 */
#include "shop/shopify.h"

#include <string.h>

struct request {
    struct at_text topic, id;
    struct at_json json;
};

static enum at_status record(struct at_job *job, void *arg) { /* the back worker */
    const struct request *request = arg;
    struct at_unit unit = {.is_retriable = false};
    struct at_bytes text;
    char name[200];
    at_bytes_init(&text, 1 << 20);
    struct at_json_out out = at_json_out(&text);
    at_json_put_value(&out, request->json);
    struct at_write *write = at_unit_write(&unit, job->arena, AT_WRITE_STATE);
    snprintf(name, sizeof name, "privacy %.*s %.*s", (int)request->topic.length, request->topic.data,
             (int)request->id.length, request->id.data);
    enum at_status status = write && !text.failed ? AT_OK : AT_NOMEM;
    if (status == AT_OK) {
        write->name = at_text_of(name);
        write->text = (struct at_text){text.data, text.length};
        status = commit_and_wait(job->worker->shop, &unit, false);
    }
    at_bytes_clear(&text);
    if (status != AT_OK)
        return at_fail(&job->err, status, NULL, "the request could not be recorded: send it again");
    at_log(at_shop_log(job->worker->shop), AT_LOG_WARN, "privacy",
           "Shopify's %.*s %.*s was recorded: it must be carried out within 30 days",
           (int)request->topic.length, request->topic.data, (int)request->id.length, request->id.data);
    at_bytes_add_text(&job->out, "{\"success\":true,\"recorded\":true}");
    return AT_OK;
}

void at_shop_privacy_topic(struct at_job *job, struct at_text topic, struct at_text id, struct at_json json) {
    struct request *request = at_arena_alloc(job->arena, sizeof *request);
    if (request) *request = (struct request){topic, id, json};
    if (request && errand_post(job, record, request) == AT_OK) return;
    at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    job_end(job, AT_NOMEM);
}
