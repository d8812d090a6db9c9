/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit of a shop: identifiers, merges and products, then the log from its beginning in one pass, are
 * given to measure/audit.h. Of events only the body is parsed, and the facts where they decide something.
 * Nothing is changed.
 */
#include <stdlib.h>
#include <string.h>
#include "measure/audit_show.h"
#include "shop/log_scan.h"

#define MEMORY_SHARE 8 /* of --memory its tables may have one in so many */

struct auditing {
    struct log_scan scan;
    struct at_audit *audit;
    struct at_root *root;
};

/* ---- the ledger ---- */

static bool take_identifier(void *arg, const struct at_identifier_row *row) {
    struct auditing *auditing = arg;
    struct at_audit_identifier one = {row->id, row->person,
                                      at_identity_kind_find(&auditing->scan.shop->identity.rules, row->kind),
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
            log_scan_parse(&auditing->scan, auditing->scan.body, at_root_body(root, row), &one.document);
        if (status != AT_OK) return status;
        (void)at_event_moment(at_json_get(one.document, "updated_at"), &one.updated_ms, NULL);
        at_audit_product(auditing->audit, &one);
        at_arena_reset(&auditing->scan.arena);
    }
    return AT_OK;
}

/* ---- events ---- */

static bool begins_with(struct at_text text, const char *begin) {
    size_t length = strlen(begin);
    return text.length >= length && memcmp(text.data, begin, length) == 0;
}

/* Statements of consent, and of money whether it was told before; of other events facts decide nothing. */
static enum at_status take_facts(struct log_scan *scan, const struct at_event_row *row,
                                 struct at_audit_event *out, struct at_text purposes[AT_CONSENT_MAX]) {
    struct at_json facts;
    bool is_money = at_text_is(row->name, "order_completed") || at_text_is(row->name, "order_refunded");
    if (!is_money && !begins_with(row->facts, "{\"consent\":")) return AT_OK;
    enum at_status status = log_scan_parse(scan, scan->facts, row->facts, &facts);
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

static enum at_status take_event(struct log_scan *scan, const struct at_event_row *row) {
    struct auditing *auditing = (struct auditing *)scan;
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
                                         .rules = &scan->shop->identity.rules};
    enum at_status status = log_scan_parse(scan, scan->body, row->body, &body);
    if (status == AT_OK) status = take_facts(scan, row, &out, purposes);
    if (status != AT_OK) return status;
    status = at_event_parse(&scan->arena, body, &defaults, auditing->root, &event, NULL);
    if (status == AT_NOMEM) return status;
    if (status == AT_OK) out.event = &event; /* else: a statement, or its ids name nobody by now */
    event.message_id = row->message_id;      /* it may have been given one */
    out.original_ms = at_event_moment_of(body, "originalTimestamp", "original_timestamp");
    out.sent_ms = at_event_moment_of(body, "sentAt", "sent_at");
    at_audit_event(auditing->audit, &out);
    return AT_OK;
}

/* ---- all of it ---- */

static void take_counted(struct auditing *auditing) {
    _Atomic uint64_t *counts = auditing->scan.shop->counts;
    struct at_audit_counted counted = {.duplicates = atomic_load(&counts[COUNT_EVENTS_DUPLICATE]),
                                       .invalid = atomic_load(&counts[COUNT_EVENTS_INVALID]),
                                       .over_limit = atomic_load(&counts[COUNT_IDENTIFIERS_LIMIT])};
    at_audit_counted(auditing->audit, &counted);
}

static enum at_status take_all(struct auditing *auditing) {
    struct at_reader *reader = auditing->scan.reader;
    /* Identifiers after the place is known: every event up to there has its own among them. */
    uint64_t to_seq = at_store_next_seq(auditing->scan.shop->store) - 1;
    enum at_status status = at_reader_identifiers(reader, take_identifier, auditing);
    if (status == AT_OK) status = at_reader_merges(reader, take_merge, auditing);
    if (status == AT_OK) status = at_reader_unlinks(reader, take_unlink, auditing);
    if (status == AT_OK) status = at_reader_states(reader, AT_TEXT("withheld "), take_withheld, auditing);
    if (status == AT_OK) status = take_products(auditing);
    if (status == AT_OK) status = log_scan_events(&auditing->scan, to_seq, take_event);
    if (status == AT_OK) take_counted(auditing);
    return status;
}

static enum at_status answer(struct auditing *auditing) {
    const struct at_audit_result *result;
    struct at_shop *shop = auditing->scan.shop;
    enum at_status status = at_audit_finish(auditing->audit, &result);
    if (status != AT_OK) return status;
    struct at_audit_about about = {
        .kind = "shop", .name = at_text_of(shop->settings->name), .at_ms = at_shop_now(shop)};
    at_audit_write(result, &about, &auditing->scan.job->out);
    return AT_OK;
}

static enum at_status run(struct log_scan *scan) {
    struct auditing *auditing = (struct auditing *)scan;
    struct at_shop *shop = scan->shop;
    auditing->root = at_catalog_root(shop->catalog);
    auditing->audit =
        at_audit_new(&(struct at_audit_options){.memory_bytes = shop->ledger.limit / MEMORY_SHARE,
                                                .account = &shop->ledger.accounts[AT_ACCOUNT_REQUESTS],
                                                .now_ms = at_shop_now(shop),
                                                .currency = at_text_of(shop->settings->currency),
                                                .rules = &shop->identity.rules,
                                                .consent = &shop->settings->consent,
                                                .has_catalog = at_root_live(auditing->root) > 0});
    enum at_status status = auditing->audit ? take_all(auditing) : AT_NOMEM;
    if (status == AT_OK) status = answer(auditing);
    at_audit_free(auditing->audit);
    at_root_unref(auditing->root);
    return status;
}

void at_shop_audit(struct at_job *job) {
    log_scan_start(job, sizeof(struct auditing), "auditing", run);
}
