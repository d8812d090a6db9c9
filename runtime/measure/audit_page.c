/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit as one HTML document: no script, no picture, nothing loaded. Every text is escaped, since ids
 * come from outside.
 */
#include <string.h>
#include "measure/audit_show.h"

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<style>\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:#1c1c1c;background:#fff;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}\n"
    "h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}h3{font-size:1rem;margin:0}\n"
    "ol,ul{padding-left:1.4rem}.soft{color:#666}.finding{border-top:1px solid #ddd;padding:1rem 0}\n"
    ".finding p{margin:.3rem 0}.head{display:flex;justify-content:space-between;gap:1rem}\n"
    ".bar{background:#eee;height:.6rem;border-radius:.3rem;overflow:hidden;margin:.4rem 0}\n"
    ".bar i{display:block;height:100%;background:#888}.high .bar i{background:#b3261e}"
    ".medium .bar i{background:#c77700}.low .bar i{background:#5b7083}\n"
    ".word{font-size:.8rem;padding:.1rem .5rem;border-radius:1rem;background:#eee;white-space:nowrap}\n"
    ".high .word{background:#f9dedc}.medium .word{background:#ffe8c7}code{font-size:.9em}\n"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem .2rem 0}"
    "td:last-child{width:50%}\n"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#e8e8e8}.soft{color:#aaa}"
    ".bar,.word{background:#333}.finding{border-color:#333}.high .word{background:#5c1c18}"
    ".medium .word{background:#5a3a00}}\n"
    "</style>\n";

static void put(struct at_bytes *out, const char *html) {
    at_bytes_add_text(out, html);
}

static void put_escaped(struct at_bytes *out, struct at_text text) {
    for (size_t i = 0; i < text.length; i++) {
        switch (text.data[i]) {
        case '<': put(out, "&lt;"); break;
        case '>': put(out, "&gt;"); break;
        case '&': put(out, "&amp;"); break;
        case '"': put(out, "&quot;"); break;
        case '\'': put(out, "&#39;"); break;
        default: at_bytes_add(out, &text.data[i], 1);
        }
    }
}

static void put_field(struct at_bytes *out, struct at_json json, const char *name) {
    put_escaped(out, at_json_text(at_json_get(json, name)));
}

static void put_bar(struct at_bytes *out, double share) {
    at_bytes_printf(out, "<div class=\"bar\"><i style=\"width:%.1f%%\"></i></div>\n", 100 * share);
}

static void put_next(struct at_bytes *out, struct at_json audit) {
    struct at_json_each it = at_json_each(at_json_get(audit, "next"));
    bool is_first = true;
    for (; at_json_next(&it); is_first = false) {
        if (is_first) put(out, "<h2>What to do next, most valuable first</h2>\n<ol>\n");
        put(out, "<li><a href=\"#");
        put_field(out, it.value, "because");
        put(out, "\">");
        put_field(out, it.value, "title");
        put(out, "</a>: ");
        put_field(out, it.value, "do");
        put(out, "</li>\n");
    }
    put(out, is_first ? "<p>Nothing was found.</p>\n" : "</ol>\n");
}

/* ---- bars of sessions and consent ---- */

static void put_bar_row(struct at_bytes *out, struct at_text name, int64_t count, int64_t of) {
    double share = of ? (double)count / (double)of : 0;
    put(out, "<tr><td>");
    put_escaped(out, name);
    put(out, "</td><td>");
    at_audit_put_count(out, (uint64_t)count);
    put(out, "</td><td>");
    at_audit_put_share(out, share);
    put(out, "</td><td>");
    put_bar(out, share);
    put(out, "</td></tr>\n");
}

static void put_visits(struct at_bytes *out, struct at_json audit) {
    static const char *const rows[][2] = {{"recognised", "recognised from the beginning"},
                                          {"became_known", "became known within"},
                                          {"known_later", "known only in a later visit"},
                                          {"never_known", "never known"}};
    struct at_json visits = at_json_get(audit, "sessions");
    int64_t of = at_audit_int(visits, "count");
    if (!of) return;
    put(out, "<h2>Sessions</h2>\n<table>\n");
    for (size_t i = 0; i < AT_LENGTH(rows); i++)
        put_bar_row(out, at_text_of(rows[i][1]), at_audit_int(visits, rows[i][0]), of);
    put(out, "</table>\n");
}

static void put_consent(struct at_bytes *out, struct at_json audit) {
    struct at_json_each it = at_json_each(at_json_get(audit, "consent"));
    if (!at_audit_int(at_json_get(audit, "counts"), "events")) return;
    bool is_first = true;
    for (; at_json_next(&it); is_first = false) {
        if (is_first) put(out, "<h2>Consent: people who said nothing</h2>\n<table>\n");
        put_bar_row(out, at_json_text(at_json_get(it.value, "purpose")), at_audit_int(it.value, "unknown"),
                    at_audit_int(it.value, "people"));
    }
    if (!is_first) put(out, "</table>\n");
}

/* ---- findings ---- */

static void put_numbers(struct at_bytes *out, struct at_json finding, struct at_text currency) {
    struct at_json money = at_json_get(finding, "money"), share = at_json_get(finding, "money_share");
    put(out, at_audit_number(finding, "error") > 0 ? "<p>about " : "<p>");
    at_audit_put_count(out, (uint64_t)at_audit_int(finding, "count"));
    put(out, " of ");
    at_audit_put_count(out, (uint64_t)at_audit_int(finding, "of"));
    put(out, " ");
    put_field(out, finding, "unit");
    put(out, " (");
    at_audit_put_share(out, at_audit_number(finding, "share"));
    put(out, ")");
    if (money.tape && !at_json_is_null(money)) {
        put(out, "; ");
        struct at_bytes words;
        at_bytes_init(&words, 128);
        at_audit_put_money(&words, at_audit_number(finding, "money"), currency);
        put_escaped(out, (struct at_text){words.data, words.length});
        out->failed |= words.failed;
        at_bytes_clear(&words);
    }
    if (share.tape && !at_json_is_null(share)) {
        put(out, ", ");
        at_audit_put_share(out, at_audit_number(finding, "money_share"));
        put(out, " of revenue");
    }
    if (at_audit_number(finding, "error") > 0) {
        put(out, "; an estimate, &plusmn; ");
        at_audit_put_share(out, at_audit_number(finding, "error"));
    }
    put(out, "</p>\n");
}

static void put_list(struct at_bytes *out, struct at_json finding) {
    struct at_json_each parts = at_json_each(at_json_get(finding, "parts")),
                        examples = at_json_each(at_json_get(finding, "examples"));
    for (bool is_first = true; at_json_next(&parts); is_first = false) {
        put(out, is_first ? "<p class=\"soft\">" : ", ");
        put_field(out, parts.value, "name");
        put(out, " ");
        at_audit_put_count(out, (uint64_t)at_audit_int(parts.value, "count"));
        if (parts.next >= parts.end) put(out, "</p>\n");
    }
    for (bool is_first = true; at_json_next(&examples); is_first = false) {
        put(out, is_first ? "<p class=\"soft\">such as <code>" : "</code>, <code>");
        put_escaped(out, at_json_text(examples.value));
        if (examples.next >= examples.end) put(out, "</code></p>\n");
    }
}

static void put_finding(struct at_bytes *out, struct at_json finding, struct at_text currency) {
    put(out, "<div class=\"finding ");
    put_field(out, finding, "severity");
    put(out, "\" id=\"");
    put_field(out, finding, "code");
    put(out, "\">\n<div class=\"head\"><h3>");
    put_field(out, finding, "title");
    put(out, "</h3><span class=\"word\">");
    put_field(out, finding, "severity");
    at_bytes_printf(out, ", value %.4f</span></div>\n", at_audit_number(finding, "value"));
    put_bar(out, at_audit_number(finding, "share"));
    put_numbers(out, finding, currency);
    put(out, "<p>");
    put_field(out, finding, "why");
    put(out, "</p>\n");
    put_list(out, finding);
    put(out, "<p><strong>");
    put_field(out, finding, "do");
    put(out, "</strong></p>\n</div>\n");
}

static void put_findings(struct at_bytes *out, struct at_json audit) {
    struct at_json_each it = at_json_each(at_json_get(audit, "findings"));
    for (bool is_first = true; at_json_next(&it); is_first = false) {
        if (is_first) {
            put(out, "<h2>Findings</h2>\n<p class=\"soft\">Ranked by ");
            put_field(out, audit, "ranked_by");
            put(out, ". Bars show the share of records.</p>\n");
        }
        put_finding(out, it.value, at_json_text(at_json_get(audit, "currency")));
    }
}

static void put_unchecked(struct at_bytes *out, struct at_json audit) {
    struct at_json_each it = at_json_each(at_json_get(audit, "not_checked"));
    bool is_first = true;
    for (; at_json_next(&it); is_first = false) {
        put(out, is_first ? "<h2>Not checked</h2>\n<ul>\n<li><code>" : "<li><code>");
        put_field(out, it.value, "code");
        put(out, "</code>: ");
        put_field(out, it.value, "why");
        put(out, "</li>\n");
    }
    if (!is_first) put(out, "</ul>\n");
}

void at_audit_show_page(struct at_json audit, struct at_text first, struct at_bytes *out) {
    struct at_bytes totals;
    at_bytes_init(&totals, 4096);
    at_audit_put_totals(&totals, audit);
    put(out, head);
    put(out, "<title>Audit of ");
    put_field(out, audit, "name");
    put(out, "</title>\n</head>\n<body>\n<h1>How clean is the foundation?</h1>\n<p>");
    put_escaped(out, first);
    put(out, "</p>\n<p>");
    put_escaped(out, (struct at_text){totals.data, totals.length});
    put(out, "</p>\n<p class=\"soft\">Made ");
    put_field(out, audit, "at");
    put(out, "</p>\n");
    put_next(out, audit);
    put_visits(out, audit);
    put_consent(out, audit);
    put_findings(out, audit);
    put_unchecked(out, audit);
    put(out, "</body>\n</html>\n");
    out->failed |= totals.failed;
    at_bytes_clear(&totals);
}
