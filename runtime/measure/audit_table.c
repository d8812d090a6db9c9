/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit on a terminal: a table of what is wrong, most valuable first, and what to do next.
 */
#include <stdio.h>
#include <string.h>
#include "measure/audit_show.h"

#define ROOM_MAX 512

static void put_text(struct at_bytes *out, struct at_text text) {
    at_bytes_add(out, text.data, text.length);
}

/* Right in its column; counted in characters, of which these have one byte. */
static void put_right(struct at_bytes *out, const struct at_bytes *cell, int width) {
    at_bytes_printf(out, "%*s", width, cell->data ? cell->data : "");
}

static void put_row(struct at_bytes *out, struct at_json finding) {
    struct at_bytes count, share, money;
    struct at_json money_share = at_json_get(finding, "money_share");
    at_bytes_init(&count, ROOM_MAX);
    at_bytes_init(&share, ROOM_MAX);
    at_bytes_init(&money, ROOM_MAX);
    bool is_estimate = at_audit_number(finding, "error") > 0;
    at_bytes_add_text(&count, is_estimate ? "~" : "");
    at_audit_put_count(&count, (uint64_t)at_audit_int(finding, "count"));
    at_audit_put_share(&share, at_audit_number(finding, "share"));
    if (money_share.tape && !at_json_is_null(money_share))
        at_audit_put_share(&money, at_audit_number(finding, "money_share"));
    else
        at_bytes_add_text(&money, "-");
    at_bytes_printf(out, "  %.4f  %-8.*s", at_audit_number(finding, "value"),
                    (int)at_json_text(at_json_get(finding, "severity")).length,
                    at_json_text(at_json_get(finding, "severity")).data);
    put_right(out, &count, 12);
    put_right(out, &share, 10);
    put_right(out, &money, 11);
    at_bytes_add_text(out, "   ");
    put_text(out, at_json_text(at_json_get(finding, "title")));
    at_bytes_add_text(out, "\n");
    out->failed |= count.failed || share.failed || money.failed;
    at_bytes_clear(&count);
    at_bytes_clear(&share);
    at_bytes_clear(&money);
}

static void put_details(struct at_bytes *out, struct at_json finding) {
    static const char margin[] = "                                                         ";
    struct at_json_each examples = at_json_each(at_json_get(finding, "examples")),
                        parts = at_json_each(at_json_get(finding, "parts"));
    for (bool is_first = true; at_json_next(&parts); is_first = false) {
        at_bytes_add_text(out, is_first ? margin : ", ");
        put_text(out, at_json_text(at_json_get(parts.value, "name")));
        at_bytes_add_text(out, " ");
        at_audit_put_count(out, (uint64_t)at_audit_int(parts.value, "count"));
        if (parts.next >= parts.end) at_bytes_add_text(out, "\n");
    }
    for (bool is_first = true; at_json_next(&examples); is_first = false) {
        at_bytes_printf(out, "%s%s", is_first ? margin : ", ", is_first ? "such as " : "");
        put_text(out, at_json_text(examples.value));
        if (examples.next >= examples.end) at_bytes_add_text(out, "\n");
    }
}

static void put_findings(struct at_bytes *out, struct at_json audit) {
    struct at_json_each it = at_json_each(at_json_get(audit, "findings"));
    bool is_estimate = false, is_clean = true;
    while (at_json_next(&it)) {
        if (is_clean) at_bytes_add_text(out, "\n   value  severity   how many     share  of money   what\n");
        is_clean = false;
        put_row(out, it.value);
        put_details(out, it.value);
        is_estimate |= at_audit_number(it.value, "error") > 0;
    }
    if (is_clean) at_bytes_add_text(out, "\nNothing was found.\n");
    if (is_estimate)
        at_bytes_add_text(out,
                          "~ is an estimate over a sample, since not all had room; --json says its error.\n");
    if (is_clean) return;
    at_bytes_add_text(out, "Ranked by ");
    put_text(out, at_json_text(at_json_get(audit, "ranked_by")));
    at_bytes_add_text(out, ".\n");
}

static void put_visits(struct at_bytes *out, struct at_json audit) {
    struct at_json visits = at_json_get(audit, "sessions");
    if (!at_audit_int(visits, "count")) return;
    at_bytes_add_text(out, "Sessions: ");
    at_audit_put_count(out, (uint64_t)at_audit_int(visits, "count"));
    at_bytes_add_text(out, ", of which ");
    at_audit_put_share(out, at_audit_number(visits, "share_recognised"));
    at_bytes_add_text(out, " recognised (");
    at_audit_put_count(out, (uint64_t)at_audit_int(visits, "recognised"));
    at_bytes_add_text(out, " from their beginning, ");
    at_audit_put_count(out, (uint64_t)at_audit_int(visits, "became_known"));
    at_bytes_add_text(out, " within them), ");
    at_audit_put_count(out, (uint64_t)at_audit_int(visits, "known_later"));
    at_bytes_add_text(out, " known only later, ");
    at_audit_put_count(out, (uint64_t)at_audit_int(visits, "never_known"));
    at_bytes_add_text(out, " never\n");
}

static void put_unchecked(struct at_bytes *out, struct at_json audit) {
    struct at_json_each it = at_json_each(at_json_get(audit, "not_checked"));
    for (bool is_first = true; at_json_next(&it); is_first = false) {
        if (is_first) at_bytes_add_text(out, "\nNot checked\n");
        at_bytes_add_text(out, "  ");
        put_text(out, at_json_text(at_json_get(it.value, "code")));
        at_bytes_add_text(out, ": ");
        put_text(out, at_json_text(at_json_get(it.value, "why")));
        at_bytes_add_text(out, "\n");
    }
}

static void put_next(struct at_bytes *out, struct at_json audit) {
    struct at_json_each it = at_json_each(at_json_get(audit, "next"));
    for (int i = 1; at_json_next(&it); i++) {
        if (i == 1) at_bytes_add_text(out, "\nWhat to do next, most valuable first\n");
        at_bytes_printf(out, "  %d. ", i);
        put_text(out, at_json_text(at_json_get(it.value, "title")));
        at_bytes_add_text(out, ": ");
        put_text(out, at_json_text(at_json_get(it.value, "do")));
        at_bytes_add_text(out, "\n");
    }
}

void at_audit_show_table(struct at_json audit, struct at_text first, struct at_bytes *out) {
    put_text(out, first);
    at_bytes_add_text(out, "\n");
    at_audit_put_totals(out, audit);
    at_bytes_add_text(out, "\n");
    put_visits(out, audit);
    put_findings(out, audit);
    put_unchecked(out, audit);
    put_next(out, audit);
}
