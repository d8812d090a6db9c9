/* SPDX-License-Identifier: Apache-2.0
 *
 * Events to the shop as POST /v1/import, batch after batch in the order of the file: the next goes when the
 * one before is durable, and each leaves the mark of how far the file is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/arena.h"
#include "cli/history.h"
#include "profile/event.h"

#define BATCH_BYTES  (480u << 10) /* with the mark and the source it stays below what the shop takes */
#define DERIVED_MAX  (64u << 20)
#define BUSY_SECONDS 60

struct history_sender {
    const struct cli_call *call;
    struct cli_shop *shop;
    struct history_mark *mark;
    struct history_say *say;
    struct at_json_parser *parser, *reader; /* of events, of answers */
    struct at_bytes batch, answer, small;
    uint64_t lines[AT_BATCH_EVENTS_MAX];
    size_t count;
    struct at_tally tally; /* of events without a messageId */
};

struct history_sender *history_sender_open(const struct cli_call *call, struct cli_shop *shop,
                                           struct history_mark *mark, struct history_say *say) {
    struct history_sender *sender = calloc(1, sizeof *sender);
    if (sender) {
        *sender = (struct history_sender){.call = call, .shop = shop, .mark = mark, .say = say};
        sender->parser = at_json_parser_new(2 * HISTORY_RECORD_MAX, 64);
        sender->reader = at_json_parser_new(16 << 20, 64);
        at_bytes_init(&sender->batch, 1 << 20);
        at_bytes_init(&sender->answer, 16 << 20);
        at_bytes_init(&sender->small, AT_EVENT_BYTES_MAX);
        at_tally_init(&sender->tally, DERIVED_MAX);
    }
    if (sender && sender->parser && sender->reader) return sender;
    history_sender_close(sender);
    cli_fail(call, 0, "out of memory");
    return NULL;
}

void history_sender_close(struct history_sender *sender) {
    if (!sender) return;
    if (sender->parser) at_json_parser_free(sender->parser);
    if (sender->reader) at_json_parser_free(sender->reader);
    at_bytes_clear(&sender->batch);
    at_bytes_clear(&sender->answer);
    at_bytes_clear(&sender->small);
    at_tally_clear(&sender->tally);
    free(sender);
}

uint64_t history_sent(const struct history_sender *sender) {
    const struct history_mark *mark = sender->mark;
    return mark->taken + mark->there + mark->withheld;
}

/* ---- a batch ---- */

static void say_results(struct history_sender *sender, struct at_json answer) {
    struct history_mark *mark = sender->mark;
    struct at_json_each it = at_json_each(at_json_get(answer, "results"));
    for (size_t i = 0; i < sender->count && at_json_next(&it); i++) {
        struct at_text status = at_json_text(at_json_get(it.value, "status")),
                       message = at_json_text(at_json_get(it.value, "message"));
        mark->taken += at_text_is(status, "accepted");
        mark->there += at_text_is(status, "duplicate");
        mark->withheld += at_text_is(status, "withheld");
        if (at_text_is(status, "accepted") && message.length) /* likes that say nothing, and the like */
            history_say_line(sender->say, sender->lines[i], message);
        if (!at_text_is(status, "invalid") && !at_text_is(status, "conflict")) continue;
        mark->bad++;
        history_say_line(sender->say, sender->lines[i], message.length ? message : AT_TEXT("not accepted"));
    }
}

/* A shop that has too much to write says so: the file can wait. */
static int call_shop(struct history_sender *sender) {
    for (int seconds = 0;; seconds++) {
        int status = cli_shop_call(sender->shop, "POST", "/v1/import", sender->batch.data,
                                   sender->batch.length, &sender->answer);
        if (status != 503 || seconds == BUSY_SECONDS) return status;
        sleep(1);
    }
}

static int send_batch(struct history_sender *sender) {
    struct at_json json;
    struct at_json_out out = at_json_out(&sender->batch);
    const char *source = cli_value(sender->call, "source");
    at_json_close(&out, ']');
    if (source) at_json_add_string(&out, "source", source);
    at_json_key(&out, "mark");
    history_mark_write(sender->mark, &out);
    at_json_close(&out, '}');
    if (sender->batch.failed) return cli_fail(sender->call, EXIT_FAILED, "out of memory");
    int status = call_shop(sender);
    if (!cli_read(sender->call, status, &sender->answer, sender->reader, &json)) {
        fprintf(stderr, "up to line %llu it may be there: the same again goes on where it is durable\n",
                (unsigned long long)sender->mark->line);
        return status >= 400 && status < 500 ? EXIT_REFUSED : EXIT_FAILED;
    }
    say_results(sender, json);
    sender->count = 0;
    at_bytes_reset(&sender->batch);
    return EXIT_DONE;
}

/* ---- an event ---- */

static int number_event(struct history_sender *sender, struct at_json json,
                        char id[AT_EVENT_DERIVED_ID_SIZE]) {
    uint64_t hash = at_json_hash(json, 0), number = at_tally_add(&sender->tally, hash);
    if (!number && sender->tally.count == DERIVED_MAX)
        return cli_fail(sender->call, EXIT_REFUSED,
                        "more than %u million events of one file have no messageId: split the file",
                        DERIVED_MAX / 1000000);
    if (!number) return cli_fail(sender->call, EXIT_FAILED, "out of memory");
    at_event_derived_id(hash, number, id);
    return EXIT_DONE;
}

/* What is larger than an event may be only for its spaces is sent without them. False: it is too large. */
static bool shrink(struct history_sender *sender, struct at_json json, struct at_text *text) {
    if (text->length <= AT_EVENT_BYTES_MAX) return true;
    at_bytes_reset(&sender->small);
    struct at_json_out out = at_json_out(&sender->small);
    at_json_put_value(&out, json);
    *text = (struct at_text){sender->small.data, sender->small.length};
    return !sender->small.failed;
}

static void add_event(struct history_sender *sender, struct at_text text, const char *id, uint64_t line) {
    struct at_bytes *batch = &sender->batch;
    sender->lines[sender->count++] = line;
    at_bytes_add(batch, ",", sender->count > 1);
    at_bytes_add(batch, text.data, text.length - 1); /* but its brace */
    if (id[0]) at_bytes_printf(batch, ",\"messageId\":\"%s\"", id);
    at_bytes_add(batch, "}", 1);
}

static int bad_record(struct history_sender *sender, const struct history_record *record, const char *why) {
    sender->mark->bad++;
    history_say_line(sender->say, record->line, at_text_of(why));
    return EXIT_DONE;
}

static bool read_record(struct history_sender *sender, const struct history_record *record,
                        struct at_json *json, struct at_error *err) {
    if (record->wrong) return at_fail(err, AT_TOOBIG, NULL, "%s", record->wrong), false;
    if (at_json_parse(sender->parser, record->text.data, record->text.length, true, json, err) != AT_OK)
        return false;
    return at_json_is_object(*json) && at_json_count(*json)
               ? true
               : (at_fail(err, AT_INVALID, NULL, "an event is a JSON object"), false);
}

static int take_record(struct history_sender *sender, const struct history_record *record) {
    struct at_error err = {0};
    struct at_json json;
    struct at_text text = record->text;
    char id[AT_EVENT_DERIVED_ID_SIZE] = "";
    if (!read_record(sender, record, &json, &err)) return bad_record(sender, record, err.message);
    if (!at_event_has_message_id(json)) {
        int code = number_event(sender, json, id);
        if (code) return code;
        sender->mark->derived++;
    }
    if (!shrink(sender, json, &text))
        return bad_record(sender, record, "an event may have 32 KiB, this one is larger");
    add_event(sender, text, id, record->line);
    return EXIT_DONE;
}

int history_send(struct history_sender *sender, const struct history_record *record, uint64_t records,
                 uint64_t chain) {
    bool is_full =
        sender->count == AT_BATCH_EVENTS_MAX || sender->batch.length + record->text.length > BATCH_BYTES;
    int code = is_full && sender->count ? send_batch(sender) : EXIT_DONE;
    if (code) return code;
    if (!sender->batch.length) at_bytes_add_text(&sender->batch, "{\"batch\":[");
    code = take_record(sender, record);
    sender->mark->records = records;
    sender->mark->chain = chain;
    sender->mark->line = record->line;
    return code;
}

int history_pass(struct history_sender *sender, const struct history_record *record) {
    struct at_error err = {0};
    struct at_json json;
    char id[AT_EVENT_DERIVED_ID_SIZE];
    if (!sender->mark->derived || !read_record(sender, record, &json, &err) || at_event_has_message_id(json))
        return EXIT_DONE;
    return number_event(sender, json, id);
}

int history_send_rest(struct history_sender *sender, bool is_whole) {
    if (!sender->batch.length) at_bytes_add_text(&sender->batch, "{\"batch\":[");
    sender->mark->is_whole = is_whole;
    return send_batch(sender);
}
