/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of an audit as people read them, for the table and the page.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "measure/audit_show.h"

int64_t at_audit_int(struct at_json json, const char *name) {
    int64_t n = 0;
    (void)at_json_int(at_json_get(json, name), &n);
    return n;
}

double at_audit_number(struct at_json json, const char *name) {
    double n = 0;
    (void)at_json_number(at_json_get(json, name), &n);
    return n;
}

void at_audit_put_count(struct at_bytes *out, uint64_t count) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) at_bytes_add(out, ",", 1);
        at_bytes_add(out, &digits[i], 1);
    }
}

void at_audit_put_share(struct at_bytes *out, double share) {
    double percent = 100 * share;
    int decimals = percent > 0 && percent < 0.1 ? 3 : percent < 1 ? 2 : 1;
    at_bytes_printf(out, "%.*f %%", percent <= 0 ? 0 : decimals, percent);
}

void at_audit_put_money(struct at_bytes *out, double money, struct at_text currency) {
    double whole = floor(fabs(money) * 100 + 0.5);
    if (money < 0) at_bytes_add(out, "-", 1);
    at_audit_put_count(out, (uint64_t)(whole / 100));
    at_bytes_printf(out, ".%02d", (int)fmod(whole, 100));
    if (currency.length) at_bytes_printf(out, " %.*s", (int)currency.length, currency.data);
}

static void put_some(struct at_bytes *out, int64_t count, const char *const names[3], size_t begin) {
    if (!count) return;
    if (out->length > begin) at_bytes_add_text(out, ", ");
    at_audit_put_count(out, (uint64_t)count);
    at_bytes_printf(out, " %s", names[count == 1 ? 1 : 2]);
}

void at_audit_put_totals(struct at_bytes *out, struct at_json audit) {
    static const char *const names[][3] = {{"order_lines", "order line", "order lines"},
                                           {"events", "event", "events"},
                                           {"orders", "order", "orders"},
                                           {"people", "person", "people"},
                                           {"identifiers", "identifier", "identifiers"},
                                           {"products", "product", "products"}};
    struct at_json counts = at_json_get(audit, "counts");
    struct at_text first = at_json_text(at_json_get(audit, "first_at")),
                   last = at_json_text(at_json_get(audit, "last_at"));
    size_t begin = out->length;
    for (size_t i = 0; i < AT_LENGTH(names); i++)
        put_some(out, at_audit_int(counts, names[i][0]), names[i], begin);
    double revenue = at_audit_number(audit, "revenue");
    if (revenue > 0) {
        at_bytes_add_text(out, ", revenue ");
        at_audit_put_money(out, revenue, at_json_text(at_json_get(audit, "currency")));
    }
    if (first.length >= 10 && last.length >= 10)
        at_bytes_printf(out, "%s%.10s to %.10s", out->length > begin ? "; " : "", first.data, last.data);
    if (out->length == begin) at_bytes_add_text(out, "nothing at all");
}
