/* SPDX-License-Identifier: Apache-2.0
 *
 * What people ask about their data, from the asking to the proof that it was done. A request has a kind and a
 * state:
 *
 *   erase   unreachable → done          (done: nothing of it is left in the files; the store says when)
 *   export  ready → done | refused      (the shop hands the document over, and says so)
 *   redact  waiting → done | refused    (a whole shop is to go: somebody decides)
 *   any     nothing                     (nobody of these identifiers is known)
 *
 * No address is kept in it: only the person's number, which leads nowhere once they are erased.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/erase.h"

#define LIMIT_USUAL   50
#define REFERENCE_MAX 200

/* ---- showing ---- */

struct showing {
    struct at_job *job;
    struct at_text id, state;
    uint32_t limit;
    struct at_json_out out;
    struct at_reader *reader;
    enum at_status status;
};

static bool put_receipt(struct showing *showing, const struct at_erasure_row *erasure) {
    struct at_bytes bytes;
    at_bytes_init(&bytes, 1 << 16);
    bool is_good = erase_receipt(showing->job->worker->shop, erasure, &bytes);
    at_json_key(&showing->out, "receipt");
    if (is_good) at_json_put_raw(&showing->out, bytes.data, bytes.length);
    at_bytes_clear(&bytes);
    return is_good;
}

static enum at_status put_request(struct showing *showing, const struct at_request_row *row) {
    struct at_erasure_row erasure = {.scrubbed_ms = 0};
    char person[AT_PERSON_ID_SIZE];
    enum at_status status = at_reader_erasure(showing->reader, row->id, &erasure, showing->job->arena);
    bool is_erasure = status == AT_OK;
    if (status != AT_OK && status != AT_NOTFOUND) return status;
    at_json_open(&showing->out, '{');
    at_json_add_text(&showing->out, "id", row->id);
    at_json_add_text(&showing->out, "kind", row->kind);
    at_json_add_text(&showing->out, "state", row->state);
    at_json_key(&showing->out, "person");
    if (row->person) at_person_id_format(row->person, person);
    at_json_put_string(&showing->out, row->person ? person : NULL);
    at_json_add_time(&showing->out, "asked_at", row->at_ms);
    at_json_add_time(&showing->out, "due_at", row->due_ms);
    at_json_add_time(&showing->out, "changed_at", row->changed_ms);
    if (row->source.length) at_json_add_text(&showing->out, "source", row->source);
    if (row->reference.length) at_json_add_text(&showing->out, "reference", row->reference);
    if (is_erasure && !put_receipt(showing, &erasure)) status = AT_NOMEM;
    at_json_close(&showing->out, '}');
    return status == AT_NOMEM ? status : AT_OK;
}

static enum at_status fail_read(struct at_job *job, enum at_status status) {
    return at_fail(&job->err, status, NULL, "the requests could not be read (%s): ask again",
                   at_status_word(status));
}

static enum at_status show_one(struct at_job *job, struct at_reader *reader, void *arg) {
    struct showing *showing = arg;
    struct at_request_row row;
    showing->reader = reader;
    showing->out = at_json_out(&job->out);
    enum at_status status = at_reader_request(reader, showing->id, &row, job->arena);
    if (status == AT_NOTFOUND)
        return at_fail(&job->err, status, "unknown_request", "there is no request of this id");
    if (status == AT_OK) status = put_request(showing, &row);
    return status == AT_OK ? AT_OK : fail_read(job, status);
}

static bool show_next(void *arg, const struct at_request_row *row) {
    struct showing *showing = arg;
    showing->status = put_request(showing, row);
    return showing->status == AT_OK;
}

static enum at_status show_list(struct at_job *job, struct at_reader *reader, void *arg) {
    struct showing *showing = arg;
    showing->reader = reader;
    showing->out = at_json_out(&job->out);
    at_json_open(&showing->out, '{');
    at_json_key(&showing->out, "requests");
    at_json_open(&showing->out, '[');
    enum at_status status = at_reader_requests(reader, showing->state, showing->limit, show_next, showing);
    at_json_close(&showing->out, ']');
    at_json_close(&showing->out, '}');
    if (status == AT_OK) status = showing->status;
    return status == AT_OK ? AT_OK : fail_read(job, status);
}

static void short_of_memory(struct at_job *job) {
    at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    job_end(job, AT_NOMEM);
}

void at_shop_requests(struct at_job *job, struct at_text state, uint32_t limit) {
    struct showing *showing = at_arena_zalloc(job->arena, sizeof *showing);
    if (!showing) return short_of_memory(job);
    *showing = (struct showing){
        .job = job, .state = state.data ? state : AT_TEXT(""), .limit = limit ? limit : LIMIT_USUAL};
    if (errand_read(job, show_list, showing) != AT_OK) short_of_memory(job);
}

void at_shop_request(struct at_job *job, struct at_text id) {
    struct showing *showing = at_arena_zalloc(job->arena, sizeof *showing);
    if (!showing) return short_of_memory(job);
    *showing = (struct showing){.job = job, .id = id};
    if (errand_read(job, show_one, showing) != AT_OK) short_of_memory(job);
}

/* ---- asking ---- */

struct asking {
    struct at_job *job;
    struct at_text kind, reference, source;
    uint64_t person; /* 0: nobody is known */
    char id[AT_ULID_SIZE];
    struct at_read read;
    enum at_status status;
};

static void answer_read(struct at_read *read, struct at_reader *reader) {
    struct asking *asking = (struct asking *)((char *)read - offsetof(struct asking, read));
    struct showing showing = {.job = asking->job, .id = at_text_of(asking->id)};
    asking->status = show_one(asking->job, reader, &showing);
}

static enum at_status answer(struct asking *asking) {
    asking->read.run = answer_read;
    at_store_read_now(asking->job->worker->shop->store, &asking->read);
    return asking->status;
}

static enum at_status keep_request(struct asking *asking, const char *state) {
    struct at_shop *shop = asking->job->worker->shop;
    struct at_arena arena;
    struct at_unit unit = {0};
    at_arena_init(&arena, 1 << 16);
    struct at_write *write = at_unit_write(&unit, &arena, AT_WRITE_REQUEST);
    int64_t now_ms = at_shop_now(shop);
    enum at_status status = AT_NOMEM;
    if (write) {
        write->request = (struct at_request_row){.id = at_text_of(asking->id),
                                                 .kind = asking->kind,
                                                 .state = at_text_of(state),
                                                 .person = asking->person,
                                                 .source = asking->source,
                                                 .reference = asking->reference,
                                                 .at_ms = now_ms,
                                                 .due_ms = now_ms + REQUEST_DUE_MS,
                                                 .changed_ms = now_ms,
                                                 .detail = AT_TEXT("{}")};
        status = commit_and_wait(shop, &unit, false);
    }
    at_arena_clear(&arena);
    return status;
}

struct counting { /* behind the answer */
    struct back_task back;
    struct at_shop *shop;
    char id[AT_ULID_SIZE];
};

static void count_now(struct at_shop *shop, const char *id) {
    if (erase_count(shop, at_text_of(id)) == AT_OK) return;
    at_log(at_shop_log(shop), AT_LOG_WARN, "privacy",
           "the erasure %s waits to be counted: its rows go when the disk works", id);
    erase_later(shop);
}

static void count_later(struct back_task *back) {
    struct counting *counting = (struct counting *)back;
    count_now(counting->shop, counting->id);
    free(counting);
}

static enum at_status erase(struct asking *asking) {
    struct at_shop *shop = asking->job->worker->shop;
    struct erasing erasing = {.shop = shop,
                              .id = at_text_of(asking->id),
                              .author = at_text_of(asking->job->source),
                              .at_ms = at_shop_now(shop),
                              .person = asking->person,
                              .source = asking->source,
                              .reference = asking->reference};
    enum at_status status = erase_person(&erasing, &asking->job->err);
    struct counting *counting = status == AT_OK ? calloc(1, sizeof *counting) : NULL;
    if (counting) {
        counting->back.run = count_later;
        counting->shop = shop;
        memcpy(counting->id, asking->id, sizeof counting->id);
        back_post(shop, &counting->back);
    } else if (status == AT_OK)
        count_now(shop, asking->id);
    return status;
}

/* Made and durable. AT_NOTFOUND: the person is gone meanwhile. */
static enum at_status carry_out(struct asking *asking) {
    struct at_shop *shop = asking->job->worker->shop;
    if (asking->person) asking->person = identity_current(&shop->identity, asking->person);
    enum at_status status;
    if (at_text_is(asking->kind, "erase") && asking->person)
        status = erase(asking);
    else
        status = keep_request(asking, at_text_is(asking->kind, "redact") ? "waiting"
                                      : asking->person                   ? "ready"
                                                                         : "nothing");
    return status == AT_STALE ? AT_NOTFOUND : status;
}

static enum at_status ask(struct at_job *job, void *arg) { /* the back worker */
    struct asking *asking = arg;
    enum at_status status = carry_out(asking);
    if (status == AT_NOTFOUND)
        return at_fail(&job->err, AT_NOTFOUND, "unknown_customer",
                       "no customer of this id or identifier is known (any more)");
    if (status == AT_OK) return answer(asking);
    if (job->err.message[0]) return status;
    return at_fail(&job->err, status, status == AT_FULL ? "disk_full" : NULL,
                   "the request could not be kept (%s): nothing was done, send it again",
                   at_status_word(status));
}

enum at_status request_take(struct at_job *job, struct at_text kind, uint64_t person,
                            struct at_text reference) {
    struct asking asking = {.job = job,
                            .kind = kind,
                            .reference = reference,
                            .source = at_text_of(job->source),
                            .person = person};
    at_ulid(at_shop_now(job->worker->shop), asking.id);
    return carry_out(&asking);
}

static struct asking *asking_new(struct at_job *job, struct at_text kind, uint64_t person) {
    struct asking *asking = at_arena_zalloc(job->arena, sizeof *asking);
    if (!asking) {
        short_of_memory(job);
        return NULL;
    }
    asking->job = job;
    asking->kind = kind;
    asking->person = person;
    asking->source = at_text_of(job->source);
    at_ulid(at_shop_now(job->worker->shop), asking->id);
    return asking;
}

void at_shop_erase(struct at_job *job, struct at_text kind, struct at_text value) {
    uint64_t person = customer_person(job, kind, value, "erase");
    struct asking *asking = person ? asking_new(job, AT_TEXT("erase"), person) : NULL;
    if (asking && errand_post(job, ask, asking) != AT_OK) short_of_memory(job);
}

/* ---- by POST ---- */

static enum at_status find_asked(struct asking *asking, struct at_json identifier) {
    struct at_job *job = asking->job;
    struct at_text kind = at_json_text(at_json_get(identifier, "kind")),
                   value = at_json_text(at_json_get(identifier, "value"));
    if (!kind.length || !value.length)
        return at_fail_field(&job->err, AT_UNPROCESSABLE, "no_identifier", "identifier",
                             "say whose data: \"identifier\":{\"kind\":\"email\",\"value\":\"…\"}");
    if (!at_shop_has_kind(job->worker->shop, kind))
        return at_fail_field(
            &job->err, AT_UNPROCESSABLE, "unknown_kind", "identifier",
            "a customer is found by anonymous_id, user_id, email, phone and the kinds of shop.lua");
    asking->person = identity_find(&job->worker->shop->identity, kind, value);
    if (asking->person)
        access_note(job, at_text_is(asking->kind, "erase") ? "erase" : "request", asking->person);
    return AT_OK;
}

static enum at_status read_asked(struct asking *asking, struct at_json body) {
    struct at_job *job = asking->job;
    struct at_json reference = at_json_get(body, "reference");
    asking->kind = at_json_text(at_json_get(body, "kind"));
    if (!at_text_is(asking->kind, "erase") && !at_text_is(asking->kind, "export"))
        return at_fail_field(&job->err, AT_UNPROCESSABLE, "bad_kind", "kind",
                             "kind is \"export\" (everything about the person) or \"erase\" (forget them)");
    asking->reference = at_json_is_string(reference) ? at_json_text(reference) : AT_TEXT("");
    if ((reference.tape && !at_json_is_null(reference) && !at_json_is_string(reference)) ||
        asking->reference.length > REFERENCE_MAX)
        return at_fail_field(&job->err, AT_UNPROCESSABLE, "bad_text", "reference",
                             "reference is a text of at most %d bytes: a ticket, never an address",
                             REFERENCE_MAX);
    return find_asked(asking, at_json_get(body, "identifier"));
}

void at_shop_request_add(struct at_job *job, struct at_json body) {
    struct asking *asking = asking_new(job, AT_TEXT(""), 0);
    if (!asking) return;
    enum at_status status = at_json_is_object(body)
                                ? read_asked(asking, body)
                                : at_fail(&job->err, AT_INVALID, "not_an_object", "send one JSON object");
    if (status != AT_OK) return job_end(job, status);
    if (errand_post(job, ask, asking) != AT_OK) short_of_memory(job);
}

/* ---- moving on ---- */

struct moving {
    struct asking asking; /* first */
    struct at_text state;
    struct at_request_row row;
};

static void find_row(struct at_read *read, struct at_reader *reader) {
    struct moving *moving = (struct moving *)((char *)read - offsetof(struct asking, read));
    struct asking *asking = &moving->asking;
    asking->status = at_reader_request(reader, at_text_of(asking->id), &moving->row, asking->job->arena);
}

static enum at_status move(struct at_job *job, void *arg) { /* the back worker: one at a time */
    struct moving *moving = arg;
    struct asking *asking = &moving->asking;
    struct at_shop *shop = job->worker->shop;
    struct at_unit unit = {0};
    asking->read.run = find_row;
    at_store_read_now(shop->store, &asking->read);
    if (asking->status == AT_NOTFOUND)
        return at_fail(&job->err, AT_NOTFOUND, "unknown_request", "there is no request of this id");
    if (asking->status != AT_OK) return fail_read(job, asking->status);
    if (!at_text_is(moving->row.state, "ready") && !at_text_is(moving->row.state, "waiting"))
        return at_fail_field(&job->err, AT_CONFLICT, "wrong_state", "state",
                             "the request is %.*s: only one that is ready or waiting is answered by you",
                             (int)moving->row.state.length, moving->row.state.data);
    struct at_write *write = at_unit_write(&unit, job->arena, AT_WRITE_REQUEST);
    if (!write) return AT_NOMEM;
    moving->row.state = moving->state;
    moving->row.changed_ms = at_shop_now(shop);
    write->request = moving->row;
    enum at_status status = commit_and_wait(shop, &unit, false);
    return status == AT_OK ? answer(asking) : fail_read(job, status);
}

void at_shop_request_move(struct at_job *job, struct at_text id, struct at_json body) {
    struct moving *moving = at_arena_zalloc(job->arena, sizeof *moving);
    if (!moving) return short_of_memory(job);
    moving->asking.job = job;
    moving->state = at_json_text(at_json_get(body, "state"));
    if (!at_text_is(moving->state, "done") && !at_text_is(moving->state, "refused")) {
        at_fail_field(&job->err, AT_UNPROCESSABLE, "bad_state", "state", "state is \"done\" or \"refused\"");
        return job_end(job, AT_UNPROCESSABLE);
    }
    if (id.length < sizeof moving->asking.id) memcpy(moving->asking.id, id.data, id.length);
    if (errand_post(job, move, moving) != AT_OK) short_of_memory(job);
}
