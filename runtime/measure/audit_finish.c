/* SPDX-License-Identifier: Apache-2.0
 *
 * From tallies to findings: shares, value, order, what to do next, and what could not be checked.
 */
#include <stdlib.h>
#include <string.h>
#include "measure/audit_internal.h"

#define UNMONEYED 0.1 /* what touches no money that can be counted */

static double at_most_one(double share) {
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static double share_of(uint64_t count, uint64_t of) {
    return of ? at_most_one((double)count / (double)of) : 0;
}

static void make_finding(struct at_audit *audit, enum code code, struct at_audit_finding *finding) {
    static const double weights[] = {0.2, 0.5, 1};
    const struct definition *said = &audit_definitions[code];
    const struct tally *tally = &audit->tallies[code];
    double revenue = audit->result.revenue;
    *finding = (struct at_audit_finding){.code = said->code,
                                         .title = said->title,
                                         .unit = said->unit,
                                         .why = said->why,
                                         .act = said->act,
                                         .deed = said->deed,
                                         .severity = said->severity,
                                         .count = tally->count,
                                         .of = audit->wholes[said->whole],
                                         .money = tally->has_money ? tally->money : at_missing(),
                                         .money_share = at_missing(),
                                         .error = tally->error,
                                         .example_count = tally->example_count,
                                         .part_count = tally->part_count};
    if (finding->of < finding->count) finding->of = finding->count; /* estimates of different tables */
    if (tally->has_money && revenue > 0) finding->money_share = at_most_one(tally->money / revenue);
    double touched = at_is_missing(finding->money_share) ? UNMONEYED * share_of(finding->count, finding->of)
                                                         : finding->money_share;
    finding->value = weights[said->severity] * touched;
    memcpy(finding->examples, tally->examples, sizeof finding->examples);
    memcpy(finding->parts, tally->parts, sizeof finding->parts);
}

static int by_value(const void *a, const void *b) {
    const struct at_audit_finding *x = a, *y = b;
    if (x->value < y->value || x->value > y->value) return x->value > y->value ? -1 : 1;
    if (x->severity != y->severity) return x->severity > y->severity ? -1 : 1;
    return strcmp(x->code, y->code);
}

/* One for each thing to do, by the most valuable finding it puts right. */
static void choose_next(struct at_audit_result *result) {
    for (uint32_t i = 0; i < result->finding_count && result->next_count < AT_AUDIT_NEXT; i++) {
        bool is_there = false;
        for (uint32_t k = 0; k < result->next_count; k++)
            is_there |= result->findings[result->next[k]].deed == result->findings[i].deed;
        if (!is_there) result->next[result->next_count++] = i;
    }
}

/* ---- what could not be checked ---- */

static void skip(struct at_audit *audit, const char *code, const char *why) {
    struct at_audit_result *result = &audit->result;
    AT_ASSERT(result->unchecked_count < AT_LENGTH(audit->unchecked));
    result->unchecked[result->unchecked_count++] = (struct at_audit_unchecked){code, why};
}

static void skip_of_lines(struct at_audit *audit) {
    static const struct {
        uint32_t roles;
        enum code code;
        const char *why;
    } needs[] = {
        {AT_ORDER_WHO, LINES_WITHOUT_CUSTOMER,
         "no column is the customer: name it with --map user_id=COLUMN (or email, phone, anonymous_id)"},
        {AT_ORDER_BIT(AT_ORDER_AT), LINES_TIME, "no column is the time: name it with --map at=COLUMN"},
        {AT_ORDER_BIT(AT_ORDER_TITLE), LINES_WITHOUT_TITLE,
         "no column is the description: name it with --map title=COLUMN"},
        {AT_ORDER_BIT(AT_ORDER_COUNTRY), CUSTOMERS_COUNTRIES,
         "no column is the country: name it with --map country=COLUMN"},
        {AT_ORDER_BIT(AT_ORDER_REVENUE), ORDERS_SUM,
         "no column is the order's total to compare with: name it with --map revenue=COLUMN"},
    };
    for (size_t i = 0; i < AT_LENGTH(needs); i++)
        if (!(audit->line_roles & needs[i].roles))
            skip(audit, audit_definitions[needs[i].code].code, needs[i].why);
}

static void skip_of_events(struct at_audit *audit) {
    if (!audit->timed)
        skip(audit, audit_definitions[CLOCKS_WRONG].code,
             "no event says both when it happened and when it was sent");
    if (!audit->received)
        skip(audit, audit_definitions[EVENTS_LATE].code, "no event says when it was received");
    if (!audit->options.has_catalog)
        skip(audit, audit_definitions[EVENTS_PRODUCT].code, "there is no catalog to compare with");
    if (!audit->wholes[OF_VISITS])
        skip(audit, audit_definitions[VISITS_UNKNOWN].code,
             "no event is of a visit: none has an anonymousId");
    if (audit->unnamed)
        skip(audit, audit_definitions[NAMES_MISSPELT].code,
             "there are more names of events than are looked at");
}

static void list_unchecked(struct at_audit *audit) {
    if (audit->wholes[OF_LINES]) skip_of_lines(audit);
    if (audit->wholes[OF_EVENTS]) skip_of_events(audit);
    if (!audit->wholes[OF_ORDERS]) skip(audit, "orders", "there is no order");
    if (!audit->options.is_history && !audit->wholes[OF_PRODUCTS])
        skip(audit, "products", "the catalog is empty");
}

static void fill_totals(struct at_audit *audit) {
    struct at_audit_result *result = &audit->result;
    result->events = audit->wholes[OF_EVENTS];
    result->lines = audit->wholes[OF_LINES];
    result->identifiers = audit->identifiers;
    result->people = audit->wholes[OF_PEOPLE];
    result->orders = audit->wholes[OF_ORDERS];
    result->products = audit->wholes[OF_PRODUCTS];
    result->people_error = at_sample_error(&audit->people, audit->people.count);
    result->orders_error = audit->wholes[OF_LINES] ? at_sample_error(&audit->orders, audit->orders.count) : 0;
    result->revenue = audit->revenue;
    result->first_ms = audit->first_ms;
    result->last_ms = audit->last_ms;
}

enum at_status at_audit_finish(struct at_audit *audit, const struct at_audit_result **out) {
    struct at_audit_result *result = &audit->result;
    result->findings = audit->findings;
    result->unchecked = audit->unchecked;
    audit_gather(audit);
    fill_totals(audit);
    if (!audit->wholes[OF_VISITS]) /* where nobody has visits, orders without one say nothing */
        audit->tallies[ORDERS_LOOSE] = (struct tally){0};
    for (int code = 0; code < CODES; code++)
        if (audit->tallies[code].count)
            make_finding(audit, (enum code)code, &audit->findings[result->finding_count++]);
    qsort(audit->findings, result->finding_count, sizeof *audit->findings, by_value);
    choose_next(result);
    list_unchecked(audit);
    *out = result;
    return audit->is_short ? AT_NOMEM : AT_OK;
}
