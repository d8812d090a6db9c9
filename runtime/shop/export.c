/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything about one person in one document: what GET shows of them, and every row of every table that is
 * of people, as the store lists them (store/personal.c): a table that comes later is in it by itself.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

struct exporting {
    struct at_job *job;
    uint64_t person, *people;
    size_t person_count;
    struct person_wait wait;
    struct at_shown_segment *segments;
    uint32_t segment_count;
    struct back_task back;
    struct at_read read;
    struct at_task hop;
    struct at_json_out out;
    bool is_in_table;
    enum at_status status;
};

static void end(struct exporting *exporting, enum at_status status) {
    struct at_job *job = exporting->job;
    if (exporting->wait.profile) at_profile_unref(exporting->wait.profile);
    exporting->wait.profile = NULL;
    if (status != AT_OK && !job->err.message[0])
        at_fail(&job->err, status, status == AT_TOOBIG ? "export_too_large" : NULL,
                status == AT_TOOBIG ? "everything about this person is more than fits into one answer: take "
                                      "their timeline page by page"
                                    : "what is known of the person could not be read: ask again");
    job_end(job, status);
}

/* ---- rows ---- */

static bool put_table(void *arg, const char *name) {
    struct exporting *exporting = arg;
    if (exporting->is_in_table) at_json_close(&exporting->out, ']');
    exporting->is_in_table = true;
    at_json_key(&exporting->out, name);
    at_json_open(&exporting->out, '[');
    return !exporting->job->out.failed;
}

static void put_value(struct at_json_out *out, const struct at_personal_value *value) {
    at_json_key(out, value->column);
    switch (value->kind) {
    case AT_VALUE_NULL: at_json_put_null(out); break;
    case AT_VALUE_REAL: at_json_put_number(out, value->real); break;
    case AT_VALUE_TEXT: at_json_put_text(out, value->text); break;
    case AT_VALUE_JSON: at_json_put_raw(out, value->text.data, value->text.length); break;
    case AT_VALUE_NUMBER: {
        size_t length = strlen(value->column);
        bool is_time = length > 3 && strcmp(value->column + length - 3, "_ms") == 0;
        if (is_time && value->number)
            at_json_put_time(out, value->number);
        else
            at_json_put_int(out, value->number);
    }
    }
}

static bool put_row(void *arg, const struct at_personal_value *values, uint32_t count) {
    struct exporting *exporting = arg;
    at_json_open(&exporting->out, '{');
    for (uint32_t i = 0; i < count; i++) put_value(&exporting->out, &values[i]);
    at_json_close(&exporting->out, '}');
    return !exporting->job->out.failed;
}

static void put_head(struct exporting *exporting) {
    struct at_shop *shop = exporting->job->worker->shop;
    struct at_baseline *baseline = learn_baseline(shop);
    char id[AT_PERSON_ID_SIZE];
    at_person_id_format(exporting->person, id);
    at_json_add_string(&exporting->out, "person", id);
    at_json_add_time(&exporting->out, "exported_at", at_shop_now(shop));
    at_json_key(&exporting->out, "customer");
    struct at_showing with = {at_shop_now(shop), baseline, shop->settings->zone, exporting->segments,
                              exporting->segment_count};
    at_profile_show(exporting->wait.profile, &with, &exporting->job->out);
    exporting->out.needs_comma = true;
    at_json_key(&exporting->out, "records");
    at_json_open(&exporting->out, '{');
    if (baseline) at_baseline_unref(baseline);
}

static void read_rows(struct at_read *read, struct at_reader *reader) { /* a reader thread */
    struct exporting *exporting = (struct exporting *)((char *)read - offsetof(struct exporting, read));
    struct at_personal_rows rows = {put_table, put_row, exporting};
    exporting->out = at_json_out(&exporting->job->out);
    at_json_open(&exporting->out, '{');
    put_head(exporting);
    exporting->status = at_reader_personal(reader, exporting->people, exporting->person_count, &rows);
    if (exporting->is_in_table) at_json_close(&exporting->out, ']');
    at_json_close(&exporting->out, '}');
    at_json_close(&exporting->out, '}');
    if (exporting->status == AT_OK && exporting->job->out.failed) exporting->status = AT_TOOBIG;
    worker_hop(exporting->job->worker, &exporting->hop);
}

/* ---- the way there ---- */

static void read_over(struct at_task *hop) {
    struct exporting *exporting = (struct exporting *)((char *)hop - offsetof(struct exporting, hop));
    if (exporting->status != AT_OK) at_bytes_reset(&exporting->job->out);
    end(exporting, exporting->status);
}

/* What was answered is in the tables first: events in the index, the profile, decisions, who looked. */
static void bring_up(struct back_task *back) { /* the back worker */
    struct exporting *exporting = (struct exporting *)((char *)back - offsetof(struct exporting, back));
    struct at_shop *shop = exporting->job->worker->shop;
    learn_drain(shop);
    exporting->status = flush_all(shop);
    if (exporting->status == AT_OK)
        exporting->status = segments_of(shop, exporting->person, exporting->job->arena, &exporting->segments,
                                        &exporting->segment_count);
    decision_log_flush(shop);
    access_flush(shop);
    exporting->hop.run = read_over;
    exporting->read.run = read_rows;
    if (exporting->status == AT_OK)
        at_store_read(shop->store, &exporting->read);
    else
        worker_hop(exporting->job->worker, &exporting->hop);
}

static void export(struct exporting *exporting) {
    struct at_job *job = exporting->job;
    enum at_status status = exporting->wait.status;
    if (status != AT_OK) return end(exporting, status == AT_STALE ? AT_BUSY : status);
    if (!customer_is_there(job, exporting->wait.profile)) {
        at_profile_unref(exporting->wait.profile);
        return;
    }
    exporting->back.run = bring_up;
    back_post(job->worker->shop, &exporting->back);
}

static void export_hop(struct at_task *hop) {
    export((struct exporting *)((char *)hop - offsetof(struct exporting, hop)));
}

static void profile_ready(struct person_wait *wait) { /* any thread */
    struct exporting *exporting = wait->arg;
    exporting->hop.run = export_hop;
    worker_hop(exporting->job->worker, &exporting->hop);
}

void at_shop_export(struct at_job *job, struct at_text kind, struct at_text value) {
    struct at_shop *shop = job->worker->shop;
    struct exporting *exporting = at_arena_zalloc(job->arena, sizeof *exporting);
    uint64_t person = customer_person(job, kind, value, "export");
    if (!person) return;
    enum at_status status = exporting ? identity_people(&shop->identity, person, job->arena,
                                                        &exporting->people, &exporting->person_count)
                                      : AT_NOMEM;
    if (status != AT_OK) {
        at_fail(&job->err, status, NULL, "out of memory");
        return job_end(job, status);
    }
    exporting->job = job;
    exporting->person = person;
    exporting->wait = (struct person_wait){.ready = profile_ready, .arg = exporting};
    if (people_get(shop, person, false, &exporting->wait)) export(exporting);
}
