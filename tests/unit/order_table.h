/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of files of orders share: a CSV as a table in memory.
 */
#ifndef TESTS_UNIT_ORDER_TABLE_H
#define TESTS_UNIT_ORDER_TABLE_H

#include "base/csv.h"

/* A CSV as rows of fields; texts stay as long as the table. */
struct table {
    char *text;
    struct at_text fields[4000][20];
    size_t counts[4000], lines[4000], count;
};

static inline struct table *table_of(const char *text) {
    struct table *table = calloc(1, sizeof *table);
    struct at_csv *csv = at_csv_new(',', 1 << 16, 60);
    assert_true(table && csv);
    table->text = malloc(strlen(text) + 1);
    char *at = table->text;
    assert_int_equal(at_csv_feed(csv, text, strlen(text), true), AT_OK);
    const struct at_text *fields;
    size_t count;
    while (at_csv_next(csv, &fields, &count, &table->lines[table->count], NULL) == AT_OK) {
        assert_true(table->count < 3999 && count <= 20);
        for (size_t i = 0; i < count; i++) {
            memcpy(at, fields[i].data, fields[i].length);
            table->fields[table->count][i] = (struct at_text){at, fields[i].length};
            at += fields[i].length;
        }
        table->counts[table->count++] = count;
    }
    at_csv_free(csv);
    return table;
}

static inline void table_free(struct table *table) {
    free(table->text);
    free(table);
}

#define SHOPIFY                                                                                              \
    "Name,Email,Financial Status,Currency,Subtotal,Total,Created at,Lineitem quantity,Lineitem name,"        \
    "Lineitem price,Lineitem sku,Billing Country,Refunded Amount,Cancelled at,Id,Phone,Discount Code\n"

#endif
