/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit as JSON. Its shape is a contract: schema Audit in api/schemas.c.
 */
#include "measure/audit_show.h"

static const char ranked_by[] =
    "value: the share of revenue that passes through what is wrong, weighed by how much it spoils (high 1, "
    "medium 1/2, low 1/5); what touches no money that can be counted has its share of the records instead, "
    "and counts a tenth";

static void put_or_null(struct at_json_out *out, const char *name, double value) {
    at_json_key(out, name);
    if (at_is_missing(value))
        at_json_put_null(out);
    else
        at_json_put_rounded(out, value);
}

static void put_rounded(struct at_json_out *out, const char *name, double value) {
    at_json_key(out, name);
    at_json_put_rounded(out, value);
}

static double share_of(uint64_t count, uint64_t of) {
    return of ? (double)count / (double)of : at_missing();
}

static void put_counts(struct at_json_out *out, const struct at_audit_result *result) {
    at_json_key(out, "counts");
    at_json_open(out, '{');
    at_json_add_int(out, "events", (int64_t)result->events);
    at_json_add_int(out, "event_names", (int64_t)result->names);
    at_json_add_int(out, "order_lines", (int64_t)result->lines);
    at_json_add_int(out, "orders", (int64_t)result->orders);
    at_json_add_int(out, "people", (int64_t)result->people);
    at_json_add_int(out, "identifiers", (int64_t)result->identifiers);
    at_json_add_int(out, "products", (int64_t)result->products);
    put_rounded(out, "people_error", result->people_error);
    put_rounded(out, "orders_error", result->orders_error);
    at_json_close(out, '}');
    put_rounded(out, "revenue", result->revenue);
    at_json_add_text(out, "currency",
                     result->currency[0] ? at_text_of(result->currency) : (struct at_text){NULL, 0});
    at_json_add_moment(out, "first_at", result->first_ms);
    at_json_add_moment(out, "last_at", result->last_ms);
}

static void put_visits(struct at_json_out *out, const struct at_audit_visits *visits) {
    at_json_key(out, "sessions");
    at_json_open(out, '{');
    at_json_add_int(out, "count", (int64_t)visits->count);
    at_json_add_int(out, "recognised", (int64_t)visits->recognised);
    at_json_add_int(out, "became_known", (int64_t)visits->became);
    at_json_add_int(out, "known_later", (int64_t)visits->later);
    at_json_add_int(out, "never_known", (int64_t)visits->never);
    put_or_null(out, "share_recognised", share_of(visits->recognised + visits->became, visits->count));
    put_rounded(out, "error", visits->error);
    at_json_close(out, '}');
}

static void put_purposes(struct at_json_out *out, const struct at_audit_result *result) {
    at_json_key(out, "consent");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < result->purpose_count; i++) {
        const struct at_audit_purpose *purpose = &result->purposes[i];
        at_json_open(out, '{');
        at_json_add_string(out, "purpose", purpose->name);
        at_json_add_int(out, "people", (int64_t)purpose->people);
        at_json_add_int(out, "unknown", (int64_t)purpose->unknown);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

static void put_lists(struct at_json_out *out, const struct at_audit_finding *finding) {
    at_json_key(out, "examples");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < finding->example_count; i++) at_json_put_string(out, finding->examples[i]);
    at_json_close(out, ']');
    at_json_key(out, "parts");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < finding->part_count; i++) {
        at_json_open(out, '{');
        at_json_add_string(out, "name", finding->parts[i].name);
        at_json_add_int(out, "count", (int64_t)finding->parts[i].count);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

static void put_finding(struct at_json_out *out, const struct at_audit_finding *finding) {
    at_json_open(out, '{');
    at_json_add_string(out, "code", finding->code);
    at_json_add_string(out, "title", finding->title);
    at_json_add_string(out, "severity", at_severity_word(finding->severity));
    at_json_add_int(out, "count", (int64_t)finding->count);
    at_json_add_int(out, "of", (int64_t)finding->of);
    at_json_add_string(out, "unit", finding->unit);
    put_or_null(out, "share", share_of(finding->count, finding->of));
    at_json_add_bool(out, "is_estimate", finding->error > 0);
    put_rounded(out, "error", finding->error);
    put_or_null(out, "money", finding->money);
    put_or_null(out, "money_share", finding->money_share);
    put_rounded(out, "value", finding->value);
    put_lists(out, finding);
    at_json_add_string(out, "why", finding->why);
    at_json_add_string(out, "do", finding->act);
    at_json_close(out, '}');
}

static void put_next(struct at_json_out *out, const struct at_audit_result *result) {
    at_json_key(out, "next");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < result->next_count; i++) {
        const struct at_audit_finding *finding = &result->findings[result->next[i]];
        at_json_open(out, '{');
        at_json_add_string(out, "do", finding->act);
        at_json_add_string(out, "because", finding->code);
        at_json_add_string(out, "title", finding->title);
        put_rounded(out, "value", finding->value);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

static void put_unchecked(struct at_json_out *out, const struct at_audit_result *result) {
    at_json_key(out, "not_checked");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < result->unchecked_count; i++) {
        at_json_open(out, '{');
        at_json_add_string(out, "code", result->unchecked[i].code);
        at_json_add_string(out, "why", result->unchecked[i].why);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

void at_audit_write(const struct at_audit_result *result, const struct at_audit_about *about,
                    struct at_bytes *bytes) {
    struct at_json_out out = at_json_out(bytes);
    at_json_open(&out, '{');
    at_json_add_string(&out, "kind", about->kind);
    at_json_add_text(&out, "name", about->name);
    at_json_add_time(&out, "at", about->at_ms);
    at_json_add_int(&out, "files", (int64_t)about->files);
    at_json_add_text(&out, "columns", about->columns.length ? about->columns : (struct at_text){NULL, 0});
    put_counts(&out, result);
    put_visits(&out, &result->visits);
    put_purposes(&out, result);
    at_json_add_string(&out, "ranked_by", ranked_by);
    at_json_key(&out, "findings");
    at_json_open(&out, '[');
    for (uint32_t i = 0; i < result->finding_count; i++) put_finding(&out, &result->findings[i]);
    at_json_close(&out, ']');
    put_next(&out, result);
    put_unchecked(&out, result);
    at_json_close(&out, '}');
}
