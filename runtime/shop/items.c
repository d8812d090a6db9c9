/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalog changes, on the back worker: staged and checked, durable, then published, so that an answered
 * change rules the next decision and a published one survives a crash.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

#define PATCH_MAX 5000

struct result { /* what is said of one row */
    struct result *next;
    struct at_text id;
    size_t line;
    enum at_status status;
    const char *message, *field;
};
struct importing {
    struct at_job *job;
    struct at_arena arena; /* of the whole call */
    enum at_items_kind kind;
    struct at_text text;
    bool is_complete, is_sure;
    struct at_staging *staging;
    struct at_unit unit;
    struct result *results, **results_end;
    uint32_t accepted, unchanged, invalid, retired;
};

static void say(struct importing *importing, struct at_text id, size_t line, enum at_status status,
                const struct at_error *err) {
    struct result *result = at_arena_zalloc(&importing->arena, sizeof *result);
    if (!result) return;
    result->id = id;
    result->line = line;
    result->status = status;
    if (err && err->message[0]) result->message = at_arena_printf(&importing->arena, "%s", err->message);
    if (err && err->field[0]) result->field = at_arena_printf(&importing->arena, "%s", err->field);
    *importing->results_end = result;
    importing->results_end = &result->next;
}

static struct at_text id_of(struct importing *importing, const struct at_change *change) {
    struct at_text id =
        change->document.tape ? at_json_text(at_json_get(change->document, "id")) : change->id;
    if (!id.data) {
        int64_t number;
        if (!change->document.tape || !at_json_int(at_json_get(change->document, "id"), &number))
            return (struct at_text){NULL, 0};
        return at_text_of(at_arena_printf(&importing->arena, "%lld", (long long)number));
    }
    char *kept = at_arena_dup(&importing->arena, id.data, id.length);
    return (struct at_text){kept, kept ? id.length : 0};
}

/* One change was staged: count it, tell of it, write it. */
static enum at_status take(struct importing *importing, const struct at_change *change, size_t line) {
    bool tells_all = importing->kind == AT_ITEMS_PATCH;
    struct at_text id = id_of(importing, change);
    if (change->status == AT_OK) {
        importing->accepted++;
        struct at_write *write = at_unit_write(&importing->unit, &importing->arena, AT_WRITE_PRODUCT);
        if (!write) return AT_NOMEM;
        write->product =
            (struct at_product_row){change->row, id, change->updated_ms, change->is_retired, change->body};
        importing->unit.bytes += change->body.length + 100;
    } else if (change->status == AT_DUPLICATE)
        importing->unchanged++;
    else
        importing->invalid++;
    if (tells_all || (change->status != AT_OK && change->status != AT_DUPLICATE))
        say(importing, id, line, change->status, &change->error);
    return change->status == AT_NOMEM ? AT_NOMEM : AT_OK;
}

static enum at_status add(struct importing *importing, struct at_change *changes, size_t count) {
    if (importing->staging) return at_staging_add(importing->staging, changes, count);
    return at_catalog_stage(importing->job->worker->shop->catalog, &importing->arena, changes, count,
                            &importing->staging, &importing->job->err);
}

static enum at_status add_one(struct importing *importing, struct at_json document, size_t line) {
    struct at_change change = {.kind = importing->kind == AT_ITEMS_PUT ? AT_CHANGE_PUT : AT_CHANGE_PATCH,
                               .document = document};
    if (importing->kind == AT_ITEMS_PATCH) change.id = at_json_text(at_json_get(document, "id"));
    enum at_status status = add(importing, &change, 1);
    return status == AT_OK ? take(importing, &change, line) : status;
}

static enum at_status stage_text(struct importing *importing) {
    struct at_error err = {0};
    enum at_feed_kind kind = AT_FEED_JSON_LINES;
    struct at_text text = importing->text;
    size_t blank = 0, count = 0;
    while (blank < text.length && strchr(" \t\r\n", text.data[blank])) blank++;
    if (blank < text.length && text.data[blank] == '[') kind = AT_FEED_JSON_ARRAY;
    struct at_feed *feed = at_feed_new(kind, NULL);
    enum at_status status =
        feed ? at_feed_give(feed, text.data, text.length, true, &importing->job->err) : AT_NOMEM;
    for (bool is_over = false; status == AT_OK && !is_over;) {
        struct at_json document;
        size_t line = 0;
        enum at_status got = at_feed_next(feed, &document, &line, &err);
        if (got == AT_NOTFOUND)
            is_over = true;
        else if (got == AT_NOMEM)
            status = got;
        else if (got != AT_OK) {
            importing->invalid++;
            say(importing, (struct at_text){NULL, 0}, line, got, &err);
        } else if (importing->kind == AT_ITEMS_PATCH && ++count > PATCH_MAX)
            status = at_fail(&importing->job->err, AT_TOOBIG, "too_many_items",
                             "a call may change %d items: send them in parts", PATCH_MAX);
        else
            status = add_one(importing, document, line);
    }
    at_feed_free(feed);
    return status;
}

struct missing {
    struct importing *importing;
    struct at_change *changes;
    uint32_t count, capacity;
};

static bool note_missing(void *arg, uint32_t row, struct at_text id) {
    struct missing *missing = arg;
    (void)row;
    if (missing->count == missing->capacity) {
        uint32_t capacity = missing->capacity ? missing->capacity * 2 : 256;
        struct at_change *changes = realloc(missing->changes, capacity * sizeof *changes);
        if (!changes) return false;
        missing->changes = changes;
        missing->capacity = capacity;
    }
    missing->changes[missing->count++] = (struct at_change){.kind = AT_CHANGE_RETIRE, .id = id};
    return true;
}

static enum at_status retire_missing(struct importing *importing) {
    struct at_shop *shop = importing->job->worker->shop;
    struct missing missing = {.importing = importing};
    struct at_root *root = at_catalog_root(shop->catalog);
    uint32_t live = at_root_live(root);
    at_root_unref(root);
    enum at_status status = AT_OK;
    if (!importing->staging) status = add(importing, NULL, 0);
    uint32_t total = status == AT_OK ? at_staging_missing(importing->staging, note_missing, &missing) : 0;
    if (status == AT_OK && missing.count < total) status = AT_NOMEM;
    if (status == AT_OK && !importing->is_sure && total * 10ULL > live)
        status = at_fail(&importing->job->err, AT_UNPROCESSABLE, "too_many_retired",
                         "%u of %u products are not in this list and would be retired: that is more than a "
                         "tenth; add sure=true if it is meant",
                         total, live);
    if (status == AT_OK && total) status = add(importing, missing.changes, missing.count);
    for (uint32_t i = 0; i < missing.count && status == AT_OK && total; i++) {
        status = take(importing, &missing.changes[i], 0);
        importing->accepted -= missing.changes[i].status == AT_OK;
        importing->retired += missing.changes[i].status == AT_OK;
    }
    free(missing.changes);
    return status;
}

static const char *word_of(enum at_status status) {
    return status == AT_OK          ? "accepted"
           : status == AT_DUPLICATE ? "unchanged"
           : status == AT_NOTFOUND  ? "not_found"
                                    : "invalid";
}

static void write_results(struct importing *importing) {
    struct at_json_out out = at_json_out(&importing->job->out);
    at_json_open(&out, '{');
    at_json_add_int(&out, "accepted", importing->accepted);
    at_json_add_int(&out, "unchanged", importing->unchanged);
    at_json_add_int(&out, "invalid", importing->invalid);
    at_json_add_int(&out, "retired", importing->retired);
    at_json_key(&out, "results");
    at_json_open(&out, '[');
    for (const struct result *result = importing->results; result; result = result->next) {
        at_json_open(&out, '{');
        at_json_add_text(&out, "id", result->id);
        at_json_add_string(&out, "status", word_of(result->status));
        if (result->line) at_json_add_int(&out, "line", (int64_t)result->line);
        if (result->message) at_json_add_string(&out, "message", result->message);
        if (result->field) at_json_add_string(&out, "field", result->field);
        at_json_close(&out, '}');
    }
    at_json_close(&out, ']');
    at_json_close(&out, '}');
}

/* Durable first, then visible, then answered. */
static enum at_status finish(struct importing *importing, enum at_status status) {
    struct at_shop *shop = importing->job->worker->shop;
    if (status == AT_OK && importing->unit.writes) status = commit_and_wait(shop, &importing->unit, false);
    if (status == AT_OK && importing->staging && importing->unit.writes) {
        status = at_staging_publish(importing->staging);
        importing->staging = NULL;
    }
    if (importing->staging) at_staging_cancel(importing->staging);
    importing->staging = NULL;
    if (status != AT_OK && !importing->job->err.message[0])
        at_fail(&importing->job->err, status, NULL,
                status == AT_NOMEM ? "out of memory: nothing was changed"
                                   : "the products could not be stored: nothing was changed");
    return status;
}

static enum at_status import_items(struct at_job *job, void *arg) {
    struct importing *importing = arg;
    importing->results_end = &importing->results;
    at_arena_init(&importing->arena, SIZE_MAX >> 1);
    enum at_status status = stage_text(importing);
    if (status == AT_OK && importing->is_complete) status = retire_missing(importing);
    status = finish(importing, status);
    if (status == AT_OK) write_results(importing);
    at_arena_clear(&importing->arena);
    (void)job;
    return status;
}

static void short_of_memory(struct at_job *job) {
    at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    job_end(job, AT_NOMEM);
}

void at_shop_items(struct at_job *job, enum at_items_kind kind, struct at_text text, bool is_complete,
                   bool is_sure) {
    struct importing *importing = at_arena_zalloc(job->arena, sizeof *importing);
    if (!importing) return short_of_memory(job);
    importing->job = job;
    importing->kind = kind;
    importing->text = text;
    importing->is_complete = is_complete;
    importing->is_sure = is_sure;
    if (errand_post(job, import_items, importing) != AT_OK) short_of_memory(job);
}

/* ---- one item ---- */

static enum at_status unknown_item(struct at_job *job, struct at_text id) {
    return at_fail(&job->err, AT_NOTFOUND, "unknown_item", "there is no product \"%.*s\"",
                   (int)(id.length < 200 ? id.length : 200), id.data);
}

void at_shop_item_get(struct at_job *job, struct at_text id) {
    struct at_root *root = at_catalog_root(job->worker->shop->catalog);
    uint32_t row = at_root_row(root, id.data, id.length);
    bool is_there = row != AT_ROW_NONE && at_root_is_live(root, row);
    if (is_there) {
        struct at_text body = at_root_body(root, row);
        at_bytes_add(&job->out, body.data, body.length);
    }
    at_root_unref(root);
    job_end(job, is_there ? AT_OK : unknown_item(job, id));
}

void at_shop_attributes(struct at_job *job) {
    struct at_root *root = at_catalog_root(job->worker->shop->catalog);
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_add_int(&out, "items", at_root_rows(root));
    at_json_key(&out, "attributes");
    at_json_open(&out, '[');
    for (int i = 0; i < at_root_attribute_count(root); i++) {
        const struct at_attribute *attribute = at_root_attribute_at(root, i);
        at_json_open(&out, '{');
        at_json_add_string(&out, "name", attribute->name);
        at_json_add_string(&out, "kind", at_attribute_kind_name(attribute->kind));
        at_json_close(&out, '}');
    }
    at_json_close(&out, ']');
    at_json_close(&out, '}');
    at_root_unref(root);
    job_end(job, AT_OK);
}

struct one {
    struct at_text id;
    struct at_json change; /* no value: retire */
};

static enum at_status change_one(struct at_job *job, void *arg) {
    struct one *one = arg;
    struct importing importing = {.job = job, .kind = AT_ITEMS_PUT};
    importing.results_end = &importing.results;
    at_arena_init(&importing.arena, SIZE_MAX >> 1);
    struct at_change change = {.kind = one->change.tape ? AT_CHANGE_PATCH : AT_CHANGE_RETIRE,
                               .id = one->id,
                               .document = one->change};
    enum at_status status = add(&importing, &change, 1);
    if (status == AT_OK) {
        change.document = (struct at_json){0}; /* the id of the path names it */
        status = take(&importing, &change, 0);
    }
    if (status == AT_OK && change.status != AT_OK && change.status != AT_DUPLICATE) {
        job->err = change.error;
        status = change.status == AT_NOTFOUND  ? unknown_item(job, one->id)
                 : change.status == AT_INVALID ? AT_UNPROCESSABLE
                                               : change.status;
    }
    status = finish(&importing, status);
    if (status == AT_OK) {
        struct at_json_out out = at_json_out(&job->out);
        at_json_open(&out, '{');
        at_json_add_text(&out, "id", one->id);
        at_json_add_string(&out, "status", word_of(change.status));
        at_json_close(&out, '}');
    }
    at_arena_clear(&importing.arena);
    return status;
}

enum at_status items_change(struct at_job *job, struct at_change *changes, uint32_t count) {
    struct importing importing = {.job = job, .kind = AT_ITEMS_PUT};
    importing.results_end = &importing.results;
    at_arena_init(&importing.arena, SIZE_MAX >> 1);
    enum at_status status = add(&importing, changes, count);
    for (uint32_t i = 0; i < count && status == AT_OK; i++) status = take(&importing, &changes[i], 0);
    status = finish(&importing, status);
    at_arena_clear(&importing.arena);
    for (uint32_t i = 0; i < count; i++) changes[i].body = (struct at_text){NULL, 0};
    return status;
}

static void post_one(struct at_job *job, struct at_text id, struct at_json change) {
    struct one *one = at_arena_alloc(job->arena, sizeof *one);
    if (!one) return short_of_memory(job);
    *one = (struct one){id, change};
    if (errand_post(job, change_one, one) != AT_OK) short_of_memory(job);
}

void at_shop_item_patch(struct at_job *job, struct at_text id, struct at_json change) {
    post_one(job, id, change);
}
void at_shop_item_delete(struct at_job *job, struct at_text id) {
    post_one(job, id, (struct at_json){0});
}

/* ---- start ---- */

struct loading {
    struct at_read read;
    struct at_shop *shop;
    struct at_json_parser *parser;
    struct at_staging *staging;
    enum at_status status;
};

static bool load_product(void *arg, const struct at_product_row *row) {
    struct loading *loading = arg;
    struct at_json document = {0};
    if (!row->is_retired)
        loading->status =
            at_json_parse(loading->parser, row->body.data, row->body.length, false, &document, NULL);
    if (loading->status == AT_OK)
        loading->status = at_staging_restore(loading->staging, row->row, row->id, row->updated_ms,
                                             row->is_retired, document);
    return loading->status == AT_OK;
}

static void load_products(struct at_read *read, struct at_reader *reader) {
    struct loading *loading = (struct loading *)read;
    enum at_status status = at_reader_products(reader, load_product, loading);
    if (loading->status == AT_OK) loading->status = status;
}

enum at_status catalog_open(struct at_shop *shop, struct at_error *err) {
    struct at_catalog_options options = {&shop->ledger.accounts[AT_ACCOUNT_CATALOG]};
    enum at_status status = at_catalog_new(&shop->catalog, &options, err);
    if (status == AT_OK) status = at_settings_declare(shop->settings, shop->catalog, err);
    if (status != AT_OK) return status;
    struct at_arena arena;
    at_arena_init(&arena, SIZE_MAX >> 1);
    struct loading loading = {.read = {.run = load_products}, .shop = shop, .parser = parser_new()};
    status =
        loading.parser ? at_catalog_stage(shop->catalog, &arena, NULL, 0, &loading.staging, err) : AT_NOMEM;
    if (status == AT_OK) {
        at_store_read_now(shop->store, &loading.read);
        status = loading.status;
        if (status == AT_OK)
            status = at_staging_publish(loading.staging);
        else
            at_staging_cancel(loading.staging);
        if (status != AT_OK)
            at_fail(err, status, NULL, "the products could not be read (%s)", at_status_word(status));
    }
    if (loading.parser) at_json_parser_free(loading.parser);
    at_arena_clear(&arena);
    return status;
}
