/* SPDX-License-Identifier: Apache-2.0
 *
 * A history that was not imported yet, read for the audit: order lines as CSV, events as JSON lines. Text
 * comes in pieces; nothing is kept but the record being read. Used by cli/audit.c, which opens and unpacks
 * the files. One history reads one file after another; columns are found anew in each.
 *
 * Columns of known exports are known (UCI Online Retail, Shopify's orders_export); of others, those with a
 * usual name ("order_id", "sku", "qty" …) are taken; what is mapped goes before both. order, product,
 * quantity and price (or amount) must be there.
 */
#ifndef AT_MEASURE_HISTORY_H
#define AT_MEASURE_HISTORY_H

#include "measure/audit.h"

enum at_history_kind { AT_HISTORY_LINES, AT_HISTORY_EVENTS };

struct at_history;
/* map: "order=Invoice,customer=Client": fields of enum at_audit_field, in small letters; NULL: none. It is
 * checked here: AT_UNPROCESSABLE says what is wrong with it. AT_NOMEM. */
enum at_status at_history_new(struct at_history **out, struct at_audit *audit, const char *map,
                              int64_t now_ms, struct at_error *err) AT_MUST_CHECK;
void at_history_free(struct at_history *history);
/* The next file: its name is said with rows. */
void at_history_begin(struct at_history *history, enum at_history_kind kind, const char *name);
/* AT_UNPROCESSABLE: the file is none that can be audited (no header, columns that cannot be guessed, not one
 * line of JSON); err says what is missing and what to map. A bad row is counted, not an error. */
enum at_status at_history_give(struct at_history *history, const char *text, size_t length, bool is_last,
                               struct at_error *err) AT_MUST_CHECK;
/* How the columns of the last file of lines were found: "UCI Online Retail", "Shopify orders_export", "their
 * names"; NULL: there was none. */
const char *at_history_columns(const struct at_history *history);
/* "InvoiceNo is the order, …" of the last file of lines. */
void at_history_tell(const struct at_history *history, struct at_bytes *out);

#endif
