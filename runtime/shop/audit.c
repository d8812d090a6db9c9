/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit of a shop: identifiers, merges and products, then the log from its beginning in one pass, are
 * given to measure/audit.h. On the reader thread for what takes long, one at a time; of events only the body
 * is parsed, and the facts where they decide something. Nothing is changed.
 */
#include <stdlib.h>
#include <string.h>
#include "measure/audit_show.h"
#include "shop/internal.h"

#define MEMORY_SHARE 8 /* of --memory its tables may have one in so many */

struct auditing {
    struct at_job *job;
    struct at_shop *shop;
    struct at_reader *reader;
    struct at_audit *audit;
    struct at_root *root;
    struct at_json_parser *body, *facts;
    struct at_arena arena; /* of one event */
    enum at_status status;
};

/* ---- the ledger ---- */

static bool take_identifier(void *arg, const struct at_identifier_row *row) {
    struct auditing *auditing = arg;
    struct at_audit_identifier one = {row->id, row->person,
                                      at_identity_kind_find(&auditing->shop->identity.rules, row->kind),
                                      row->since_ms};
    at_audit_identifier(auditing->audit, &one);
    return true;
}

static bool take_merge(void *arg, const struct at_merge_row *row) {
    at_audit_merge(((struct auditing *)arg)->audit, row->survivor);
    return true;
}

static bool take_unlink(void *arg, const struct at_unlink_row *row) {
    (void)row;
    at_audit_unlink(((struct auditing *)arg)->audit);
    return true;
}

static bool take_withheld(void *arg, struct at_text name, struct at_text text) {
    char number[24] = "";
    (void)name;
    if (text.length < sizeof number) memcpy(number, text.data, text.length);
    at_audit_withheld(((struct auditing *)arg)->audit, strtoull(number, NULL, 10));
    return true;
}

/* ---- the catalog ---- */

static double number_in(const struct at_root *root, const char *name, uint32_t row) {
    int attribute = at_root_attribute(root, name, strlen(name));
    return attribute < 0 ? at_missing() : at_root_number(root, attribute, row);
}

static struct at_text text_in(const struct at_root *root, const char *name, uint32_t row) {
    int attribute = at_root_attribute(root, name, strlen(name));
    uint32_t code = attribute < 0 ? 0 : at_root_code(root, attribute, row);
    return code ? at_root_text_of(root, attribute, code) : (struct at_text){"", 0};
}

static enum at_status parse(struct at_json_parser *parser, struct at_arena *arena, struct at_text text,
                            struct at_json *out) {
    char *copy = at_arena_alloc(arena, text.length + AT_JSON_PADDING);
    if (!copy) return AT_NOMEM;
    memcpy(copy, text.data, text.length);
    memset(copy + text.length, 0, AT_JSON_PADDING);
    enum at_status status = at_json_parse(parser, copy, text.length, true, out, NULL);
    return status == AT_INVALID ? AT_IO : status; /* it was written by us */
}

static enum at_status take_products(struct auditing *auditing) {
    const struct at_root *root = auditing->root;
    for (uint32_t row = 0; row < at_root_rows(root); row++) {
        struct at_audit_product one = {.id = at_root_id(root, row),
                                       .price = number_in(root, "price", row),
                                       .list_price = number_in(root, "list_price", row),
                                       .stock = number_in(root, "stock", row),
                                       .title = text_in(root, "title", row),
                                       .brand = text_in(root, "brand", row),
                                       .category = text_in(root, "category", row)};
        if (!at_root_is_live(root, row)) continue;
        enum at_status status =
            parse(auditing->body, &auditing->arena, at_root_body(root, row), &one.document);
        if (status != AT_OK) return status;
        (void)at_event_moment(at_json_get(one.document, "updated_at"), &one.updated_ms, NULL);
        at_audit_product(auditing->audit, &one);
        at_arena_reset(&auditing->arena);
    }
    return AT_OK;
}

/* ---- events ---- */

static int64_t moment_in(struct at_json json, const char *name, const char *other) {
    int64_t ms = 0;
    struct at_json value = at_json_get(json, name);
    if (!value.tape) value = at_json_get(json, other);
    return at_event_moment(value, &ms, NULL) ? ms : 0;
}

static bool begins_with(struct at_text text, const char *begin) {
    size_t length = strlen(begin);
    return text.length >= length && memcmp(text.data, begin, length) == 0;
}

/* Statements of consent, and of money whether it was told before; of other events facts decide nothing. */
static enum at_status take_facts(struct auditing *auditing, const struct at_event_row *row,
                                 struct at_audit_event *out, struct at_text purposes[AT_CONSENT_MAX]) {
    struct at_json facts;
    bool is_money = at_text_is(row->name, "order_completed") || at_text_is(row->name, "order_refunded");
    if (!is_money && !begins_with(row->facts, "{\"consent\":")) return AT_OK;
    enum at_status status = parse(auditing->facts, &auditing->arena, row->facts, &facts);
    if (status != AT_OK) return status;
    bool is_claimed = true;
    (void)at_json_bool(at_json_get(facts, "claim"), &is_claimed);
    out->is_told_before = !is_claimed;
    struct at_json said = at_json_get(facts, "consent");
    if (!at_json_is_array(said)) return AT_OK;
    struct at_json_each it = at_json_each(said);
    while (out->purpose_count < AT_CONSENT_MAX && at_json_next(&it)) {
        struct at_consent_statement statement;
        if (at_consent_parse(it.value, &statement)) purposes[out->purpose_count++] = statement.purpose;
    }
    out->purposes = purposes;
    return AT_OK;
}

static enum at_status take_event(struct auditing *auditing, const struct at_event_row *row) {
    struct at_json body;
    struct at_event event;
    struct at_text purposes[AT_CONSENT_MAX];
    struct at_audit_event out = {.source = row->source,
                                 .at_ms = row->at_ms,
                                 .received_ms = row->received_ms,
                                 .is_conflict = at_text_is(row->facts, AT_CONFLICT_FACTS),
                                 .is_known_once = true};
    struct at_event_defaults defaults = {.received_ms = row->received_ms,
                                         .any_identifier = true, /* as the past and the sources come */
                                         .rules = &auditing->shop->identity.rules};
    enum at_status status = parse(auditing->body, &auditing->arena, row->body, &body);
    if (status == AT_OK) status = take_facts(auditing, row, &out, purposes);
    if (status != AT_OK) return status;
    status = at_event_parse(&auditing->arena, body, &defaults, auditing->root, &event, NULL);
    if (status == AT_NOMEM) return status;
    if (status == AT_OK) out.event = &event; /* else: a statement, or its ids name nobody by now */
    event.message_id = row->message_id;      /* it may have been given one */
    out.original_ms = moment_in(body, "originalTimestamp", "original_timestamp");
    out.sent_ms = moment_in(body, "sentAt", "sent_at");
    at_audit_event(auditing->audit, &out);
    return AT_OK;
}

static bool take_row(void *arg, const struct at_event_row *row) {
    struct auditing *auditing = arg;
    auditing->status = take_event(auditing, row);
    at_arena_reset(&auditing->arena);
    return auditing->status == AT_OK;
}

/* ---- all of it ---- */

static void take_counted(struct auditing *auditing) {
    _Atomic uint64_t *counts = auditing->shop->counts;
    struct at_audit_counted counted = {.duplicates = atomic_load(&counts[COUNT_EVENTS_DUPLICATE]),
                                       .invalid = atomic_load(&counts[COUNT_EVENTS_INVALID]),
                                       .over_limit = atomic_load(&counts[COUNT_IDENTIFIERS_LIMIT])};
    at_audit_counted(auditing->audit, &counted);
}

static enum at_status take_all(struct auditing *auditing) {
    struct at_reader *reader = auditing->reader;
    /* Identifiers after the place is known: every event up to there has its own among them. */
    uint64_t to_seq = at_store_next_seq(auditing->shop->store) - 1;
    enum at_status status = at_reader_identifiers(reader, take_identifier, auditing);
    if (status == AT_OK) status = at_reader_merges(reader, take_merge, auditing);
    if (status == AT_OK) status = at_reader_unlinks(reader, take_unlink, auditing);
    if (status == AT_OK) status = at_reader_states(reader, AT_TEXT("withheld "), take_withheld, auditing);
    if (status == AT_OK) status = take_products(auditing);
    if (status == AT_OK) status = at_reader_log(reader, 0, to_seq, take_row, auditing);
    if (status == AT_OK) status = auditing->status;
    if (status == AT_OK) take_counted(auditing);
    return status;
}

static enum at_status answer(struct auditing *auditing) {
    const struct at_audit_result *result;
    struct at_shop *shop = auditing->shop;
    enum at_status status = at_audit_finish(auditing->audit, &result);
    if (status != AT_OK) return status;
    struct at_audit_about about = {
        .kind = "shop", .name = at_text_of(shop->settings->name), .at_ms = at_shop_now(shop)};
    at_audit_write(result, &about, &auditing->job->out);
    return AT_OK;
}

static enum at_status run(struct auditing *auditing) {
    struct at_shop *shop = auditing->shop;
    auditing->root = at_catalog_root(shop->catalog);
    auditing->body = parser_new();
    auditing->facts = parser_new();
    at_arena_init(&auditing->arena, AT_SHOP_BODY_MAX);
    auditing->audit =
        at_audit_new(&(struct at_audit_options){.memory_bytes = shop->ledger.limit / MEMORY_SHARE,
                                                .account = &shop->ledger.accounts[AT_ACCOUNT_REQUESTS],
                                                .now_ms = at_shop_now(shop),
                                                .currency = at_text_of(shop->settings->currency),
                                                .rules = &shop->identity.rules,
                                                .consent = &shop->settings->consent,
                                                .has_catalog = at_root_live(auditing->root) > 0});
    enum at_status status =
        auditing->audit && auditing->body && auditing->facts ? take_all(auditing) : AT_NOMEM;
    if (status == AT_OK) status = answer(auditing);
    at_audit_free(auditing->audit);
    at_arena_clear(&auditing->arena);
    at_root_unref(auditing->root);
    at_json_parser_free(auditing->body);
    at_json_parser_free(auditing->facts);
    return status;
}

static enum at_status audit(struct at_job *job, struct at_reader *reader, void *arg) {
    struct auditing *auditing = arg;
    struct at_shop *shop = auditing->shop;
    bool is_free = false;
    if (!atomic_compare_exchange_strong(&shop->is_reading_log, &is_free, true))
        return at_fail(&job->err, AT_CONFLICT, "auditing",
                       "an audit or a rehearsal is going on: ask again when it is over");
    auditing->reader = reader;
    enum at_status status = run(auditing);
    atomic_store(&shop->is_reading_log, false);
    if (status != AT_OK)
        at_fail(&job->err, status, NULL, "the data could not be read (%s): ask again",
                at_status_word(status));
    return status;
}

void at_shop_audit(struct at_job *job) {
    struct auditing *auditing = at_arena_zalloc(job->arena, sizeof *auditing);
    enum at_status status = auditing ? AT_OK : AT_NOMEM;
    if (auditing) {
        auditing->job = job;
        auditing->shop = job->worker->shop;
        status = errand_read_slowly(job, audit, auditing);
    }
    if (status == AT_OK) return;
    at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    job_end(job, AT_NOMEM);
}
