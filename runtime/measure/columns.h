/* SPDX-License-Identifier: Apache-2.0
 *
 * Which column of a CSV file is what, and what stands in a cell. For history.c. Pure.
 */
#ifndef AT_MEASURE_COLUMNS_H
#define AT_MEASURE_COLUMNS_H

#include "measure/audit.h"

#define AT_COLUMNS_MAX 1024
#define AT_COLUMN_NONE (-1)

struct at_columns {
    int at[AT_AUDIT_FIELDS]; /* AT_COLUMN_NONE: there is none */
    const char *known;       /* by what they were found: "UCI Online Retail" */
    bool marks_cancelled;    /* an order whose number begins with C is one that was cancelled */
    bool inherits;           /* what belongs to an order stands in its first line only */
};

/* The names of fields, as --map writes them. */
extern const char *const at_audit_fields[AT_AUDIT_FIELDS];
/* AT_UNPROCESSABLE: map is not like "order=Invoice,customer=Client". */
enum at_status at_columns_check_map(const char *map, struct at_error *err) AT_MUST_CHECK;
/* AT_UNPROCESSABLE: one that is needed cannot be told, or a mapped one is not there. map may be NULL. */
enum at_status at_columns_find(struct at_columns *out, const struct at_text *names, size_t count,
                               const char *map, struct at_error *err) AT_MUST_CHECK;
/* The delimiter of a header: comma, semicolon or tab, whichever stands there most. */
char at_columns_delimiter(struct at_text head);
/* "1234.50"; with another delimiter than the comma also "1234,50". Missing: it is no number. */
double at_cell_number(struct at_text cell, char delimiter);
/* "2010-12-01 08:26:00" (UTC), RFC 3339, "2026-11-26 10:00:00 -0500", "12/1/2010 8:26" (month first, unless
 * that is no month) and "1.12.2010" (day first). */
bool at_cell_moment(struct at_text cell, int64_t *ms);

#endif
