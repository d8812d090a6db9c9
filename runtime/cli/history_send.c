/* SPDX-License-Identifier: Apache-2.0
 *
 * Events to the shop as POST /v1/import, batch after batch in the order of the file (shop/track_line.c keeps
 * it): while one is being committed the next is read. Each leaves the mark of how far the file was answered.
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
#define FLYING_MAX   3 /* a commit that waits for the disk now and then holds nobody up */

struct batch {
    struct cli_flight flight;
    struct at_bytes body, answer;
    uint64_t lines[AT_BATCH_EVENTS_MAX];
    size_t count;
    struct history_mark end; /* what was read when it was sent */
    uint64_t bad;            /* and what of that was no event */
};
struct history_sender {
    const struct cli_call *call;
    struct history_mark *mark; /* the caller's */
    struct history_mark done;  /* what was answered */
    uint64_t refused;          /* events that the shop did not accept */
    struct history_say *say;
    struct at_json_parser *parser, *reader; /* of events, of answers */
    struct at_bytes small;
    struct batch batches[FLYING_MAX + 1]; /* in turn: those on their way, then the one that is filled */
    size_t oldest, flying;
    int failed;            /* the exit code of the batch that ended the import */
    struct at_tally tally; /* of events without a messageId */
};

static struct batch *batch_at(struct history_sender *sender, size_t i) {
    return &sender->batches[(sender->oldest + i) % (FLYING_MAX + 1)];
}

static struct batch *filled(struct history_sender *sender) {
    return batch_at(sender, sender->flying);
}

struct history_sender *history_sender_open(const struct cli_call *call, struct cli_shop *shop,
                                           struct history_mark *mark, struct history_say *say) {
    struct history_sender *sender = calloc(1, sizeof *sender);
    if (sender) {
        *sender = (struct history_sender){.call = call, .mark = mark, .done = *mark, .say = say};
        sender->parser = at_json_parser_new(2 * HISTORY_RECORD_MAX, 64);
        sender->reader = at_json_parser_new(16 << 20, 64);
        at_bytes_init(&sender->small, AT_EVENT_BYTES_MAX);
        at_tally_init(&sender->tally, DERIVED_MAX);
        for (size_t i = 0; i < AT_LENGTH(sender->batches); i++) {
            struct batch *batch = &sender->batches[i];
            at_bytes_init(&batch->body, 1 << 20);
            at_bytes_init(&batch->answer, 16 << 20);
            batch->flight = (struct cli_flight){.shop = shop, .answer = &batch->answer, .is_over = true};
        }
    }
    if (sender && sender->parser && sender->reader) return sender;
    history_sender_close(sender);
    cli_fail(call, 0, "out of memory");
    return NULL;
}

void history_sender_close(struct history_sender *sender) {
    if (!sender) return;
    for (size_t i = 0; i < AT_LENGTH(sender->batches); i++) {
        struct batch *batch = &sender->batches[i];
        if (!cli_shop_is_over(&batch->flight)) cli_shop_wait(&batch->flight);
        at_bytes_clear(&batch->body);
        at_bytes_clear(&batch->answer);
    }
    if (sender->parser) at_json_parser_free(sender->parser);
    if (sender->reader) at_json_parser_free(sender->reader);
    at_bytes_clear(&sender->small);
    at_tally_clear(&sender->tally);
    free(sender);
}

uint64_t history_sent(const struct history_sender *sender) {
    const struct history_mark *mark = sender->mark;
    return mark->taken + mark->there + mark->withheld;
}

/* ---- a batch ---- */

static void say_results(struct history_sender *sender, const struct batch *batch, struct at_json answer) {
    struct history_mark *mark = sender->mark;
    struct at_json_each it = at_json_each(at_json_get(answer, "results"));
    for (size_t i = 0; i < batch->count && at_json_next(&it); i++) {
        struct at_text status = at_json_text(at_json_get(it.value, "status")),
                       message = at_json_text(at_json_get(it.value, "message"));
        mark->taken += at_text_is(status, "accepted");
        mark->there += at_text_is(status, "duplicate");
        mark->withheld += at_text_is(status, "withheld");
        if (at_text_is(status, "accepted") && message.length) /* likes that say nothing, and the like */
            history_say_line(sender->say, batch->lines[i], message);
        if (!at_text_is(status, "invalid") && !at_text_is(status, "conflict")) continue;
        mark->bad++;
        sender->refused++;
        history_say_line(sender->say, batch->lines[i], message.length ? message : AT_TEXT("not accepted"));
    }
    sender->done = batch->end;
    sender->done.taken = mark->taken;
    sender->done.there = mark->there;
    sender->done.withheld = mark->withheld;
    sender->done.bad = batch->bad + sender->refused;
}

static void fly(struct batch *batch) {
    cli_shop_send(&batch->flight, "POST", "/v1/import",
                  (struct at_text){batch->body.data, batch->body.length});
}

/* A shop that has too much to write says so: the file can wait. Those behind were refused with it, and go
 * again after it. */
static int land_busy(struct history_sender *sender, struct batch *batch, bool *was_busy) {
    int status = cli_shop_wait(&batch->flight);
    for (int seconds = 0; status == 503 && seconds < BUSY_SECONDS; seconds++) {
        for (size_t i = 1; i < sender->flying; i++) cli_shop_wait(&batch_at(sender, i)->flight);
        *was_busy = true;
        sleep(1);
        fly(batch);
        status = cli_shop_wait(&batch->flight);
    }
    return status;
}

/* The oldest on its way. */
static int land(struct history_sender *sender, bool *was_busy) {
    struct batch *batch = batch_at(sender, 0);
    struct at_json json;
    int status = land_busy(sender, batch, was_busy);
    if (!cli_read(sender->call, status, &batch->answer, sender->reader, &json)) {
        fprintf(stderr, "up to line %llu it may be there: the same again goes on where it is durable\n",
                (unsigned long long)batch_at(sender, sender->flying - 1)->end.line);
        return sender->failed = status >= 400 && status < 500 ? EXIT_REFUSED : EXIT_FAILED;
    }
    say_results(sender, batch, json);
    batch->count = 0;
    at_bytes_reset(&batch->body);
    sender->oldest = (sender->oldest + 1) % AT_LENGTH(sender->batches);
    sender->flying--;
    return EXIT_DONE;
}

/* Until at most so many are on their way; one more that is answered is taken, too. */
static int land_to(struct history_sender *sender, size_t most) {
    int code = EXIT_DONE;
    bool was_busy = false;
    while (!code && sender->flying &&
           (sender->flying > most || was_busy || cli_shop_is_over(&batch_at(sender, 0)->flight)))
        code = land(sender, &was_busy);
    return code;
}

static void begin_batch(struct batch *batch) {
    if (!batch->body.length) at_bytes_add_text(&batch->body, "{\"batch\":[");
}

static int send_batch(struct history_sender *sender, const struct history_mark *mark) {
    struct batch *batch = filled(sender);
    struct at_json_out out = at_json_out(&batch->body);
    const char *source = cli_value(sender->call, "source");
    begin_batch(batch);
    at_json_close(&out, ']');
    if (source) at_json_add_string(&out, "source", source);
    at_json_key(&out, "mark");
    history_mark_write(mark, &out);
    at_json_close(&out, '}');
    if (batch->body.failed) return cli_fail(sender->call, EXIT_FAILED, "out of memory");
    batch->end = *sender->mark;
    batch->bad = sender->mark->bad - sender->refused;
    fly(batch);
    sender->flying++;
    return EXIT_DONE;
}

static int send_filled(struct history_sender *sender) {
    int code = land_to(sender, FLYING_MAX - 1);
    if (code) return code;
    struct history_mark mark = sender->done;
    memcpy(mark.name, sender->mark->name, sizeof mark.name);
    mark.is_whole = false;
    return send_batch(sender, &mark);
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
    struct batch *batch = filled(sender);
    struct at_bytes *body = &batch->body;
    begin_batch(batch);
    batch->lines[batch->count++] = line;
    at_bytes_add(body, ",", batch->count > 1);
    at_bytes_add(body, text.data, text.length - 1); /* but its brace */
    if (id[0]) at_bytes_printf(body, ",\"messageId\":\"%s\"", id);
    at_bytes_add(body, "}", 1);
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
    const struct batch *batch = filled(sender);
    bool is_full =
        batch->count == AT_BATCH_EVENTS_MAX || batch->body.length + record->text.length > BATCH_BYTES;
    int code = is_full && batch->count ? send_filled(sender) : EXIT_DONE;
    if (code) return code;
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
    if (sender->failed) return sender->failed;
    int code = filled(sender)->count ? send_filled(sender) : EXIT_DONE;
    if (!code) code = land_to(sender, 0);
    if (code) return code;
    sender->mark->is_whole = is_whole;
    code = send_batch(sender, sender->mark);
    return code ? code : land_to(sender, 0);
}
