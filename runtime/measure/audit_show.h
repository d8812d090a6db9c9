/* SPDX-License-Identifier: Apache-2.0
 *
 * An audit to be read: as JSON by programs; from that JSON as a table on a terminal and as a page. So who
 * asks the process that owns a data folder shows just what it answered.
 */
#ifndef AT_MEASURE_AUDIT_SHOW_H
#define AT_MEASURE_AUDIT_SHOW_H

#include "measure/audit.h"

struct at_audit_about {
    const char *kind;       /* "shop" or "history" */
    struct at_text name;    /* of the shop, of the folder */
    struct at_text columns; /* of order lines: "InvoiceNo is the order, …"; "" */
    uint64_t files;         /* of a history */
    int64_t at_ms;          /* when it was made */
};
/* The object of GET /v1/audit (schema Audit). */
void at_audit_write(const struct at_audit_result *result, const struct at_audit_about *about,
                    struct at_bytes *out);
/* Lines of at most about 110 characters. first: the line that says what was audited. */
void at_audit_show_table(struct at_json audit, struct at_text first, struct at_bytes *out);
/* One HTML document that needs nothing else. */
void at_audit_show_page(struct at_json audit, struct at_text first, struct at_bytes *out);

/* ---- audit_words.c: shared by both ---- */
void at_audit_put_count(struct at_bytes *out, uint64_t count); /* 1,234,567 */
/* 12.3 %; of very small ones 0.04 %. */
void at_audit_put_share(struct at_bytes *out, double share);
/* 1,234.50 EUR */
void at_audit_put_money(struct at_bytes *out, double money, struct at_text currency);
/* What the audit covers: "451,127 order lines, 19,874 orders …". */
void at_audit_put_totals(struct at_bytes *out, struct at_json audit);
int64_t at_audit_int(struct at_json json, const char *name);   /* 0: not there */
double at_audit_number(struct at_json json, const char *name); /* 0: not there, or null */

#endif
