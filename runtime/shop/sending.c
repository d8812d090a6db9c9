/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the shop may send: a restored one is silent until somebody says that it is to go on, for what it
 * would send may have been sent before, and its list of who no longer wants anything may be old. Kept in the
 * setting that the restore writes, {"at":…,"from":…}, to which "resumed" is added. Who sends asks
 * shop_may_send right before it does; no channel is in this version.
 */
#include <string.h>
#include "shop/internal.h"

bool shop_may_send(const struct at_shop *shop) {
    return !atomic_load(&((struct at_shop *)(uintptr_t)shop)->is_silent);
}

/* ---- at start ---- */

struct reading {
    struct at_read read; /* first */
    struct at_shop *shop;
    struct at_error *err;
    enum at_status status;
};

static void keep_text(char out[AT_TIME_SIZE], struct at_json value) {
    struct at_text text = at_json_text(value);
    size_t length = text.length < AT_TIME_SIZE ? text.length : 0;
    if (length) memcpy(out, text.data, length);
    out[length] = 0;
}

/* What cannot be read is no leave to send. */
static void understand(struct at_shop *shop, struct at_text text) {
    struct at_json json;
    struct at_json_parser *parser = parser_new();
    bool is_read = parser && at_json_parse(parser, text.data, text.length, false, &json, NULL) == AT_OK &&
                   at_json_is_object(json);
    if (is_read) {
        keep_text(shop->restored_at, at_json_get(json, "at"));
        keep_text(shop->restored_from, at_json_get(json, "from"));
    }
    atomic_store(&shop->is_silent, !is_read || !at_json_is_string(at_json_get(json, "resumed")));
    if (parser) at_json_parser_free(parser);
}

static void read_restored(struct at_read *read, struct at_reader *reader) {
    struct reading *reading = (struct reading *)read;
    struct at_arena arena;
    struct at_text text;
    at_arena_init(&arena, 1 << 16);
    reading->status = at_reader_setting(reader, AT_TEXT(AT_STORE_RESTORED), &text, &arena);
    if (reading->status == AT_OK) understand(reading->shop, text);
    at_arena_clear(&arena);
}

enum at_status sending_open(struct at_shop *shop, struct at_error *err) {
    struct reading reading = {{NULL, read_restored}, shop, err, AT_OK};
    at_store_read_now(shop->store, &reading.read);
    if (reading.status == AT_NOTFOUND) return AT_OK;
    if (reading.status != AT_OK)
        return at_fail(err, reading.status, NULL, "whether the shop was restored cannot be read");
    if (!shop_may_send(shop))
        at_log(at_shop_log(shop), AT_LOG_WARN, "sending",
               "this shop was restored (%s, from a backup of %s): nothing is sent until attune resume",
               shop->restored_at[0] ? shop->restored_at : "at an unknown time",
               shop->restored_from[0] ? shop->restored_from : "an unknown time");
    return AT_OK;
}

/* ---- POST /v1/sending/resume ---- */

static void add_text(struct at_json_out *out, const char *name, const char *text) {
    at_json_key(out, name);
    if (text[0])
        at_json_put_string(out, text);
    else
        at_json_put_null(out);
}

static void write_restored(const struct at_shop *shop, struct at_bytes *bytes, const char *resumed) {
    struct at_json_out out = at_json_out(bytes);
    at_json_open(&out, '{');
    add_text(&out, "at", shop->restored_at);
    add_text(&out, "from", shop->restored_from);
    if (resumed) add_text(&out, "resumed", resumed);
    at_json_close(&out, '}');
}

static enum at_status write_resumed(struct at_job *job) {
    struct at_shop *shop = job->worker->shop;
    struct at_unit unit = {.bytes = 256};
    struct at_bytes text;
    char now[AT_TIME_SIZE];
    at_time_format(at_shop_now(shop), now);
    at_bytes_init(&text, 4096);
    write_restored(shop, &text, now);
    struct at_write *write = at_unit_write(&unit, job->arena, AT_WRITE_SETTING);
    enum at_status status = write && !text.failed ? AT_OK : AT_NOMEM;
    if (status == AT_OK) {
        write->name = AT_TEXT(AT_STORE_RESTORED);
        write->text = (struct at_text){text.data, text.length};
        status = commit_and_wait(shop, &unit, false);
    }
    at_bytes_clear(&text);
    return status;
}

static enum at_status resume(struct at_job *job, void *arg) {
    struct at_shop *shop = job->worker->shop;
    bool was_silent = !shop_may_send(shop);
    (void)arg;
    if (was_silent) {
        enum at_status status = write_resumed(job);
        if (status != AT_OK) return at_fail(&job->err, status, NULL, "that it goes on could not be noted");
        atomic_store(&shop->is_silent, false);
        at_log(at_shop_log(shop), AT_LOG_INFO, "sending", "it goes on, by the key \"%s\"", job->source);
    }
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_add_string(&out, "sending", "ok");
    at_json_add_bool(&out, "was_held", was_silent);
    at_json_close(&out, '}');
    return AT_OK;
}

void at_shop_resume_sending(struct at_job *job) {
    if (errand_post(job, resume, NULL) == AT_OK) return;
    job_end(job, at_fail(&job->err, AT_NOMEM, NULL, "out of memory"));
}
