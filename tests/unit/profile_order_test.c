/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of orders: rows put together to orders in whatever order they stand, and the events that come of it,
 * which must be events.
 */
#include <math.h>
#include "profile_world.h"
#include "order_table.h"
#include "profile/order_lines.h"

ONE_WORLD

/* ---- orders ---- */

struct reading {
    struct at_bytes events, wrong; /* a line an event; a line a refused order */
    uint32_t nobodys, voids, bad_rows, cut;
    const char *currency, *prefix, *map;
    size_t max_open;
    enum at_status end;
};

static void note_order(struct reading *reading, const struct at_order_seen *order) {
    reading->voids += order->is_void;
    reading->nobodys += !order->is_void && !order->has_person;
    reading->cut += order->left_out;
    if (order->is_void || !order->has_person) return;
    if (order->wrong) {
        at_bytes_printf(&reading->wrong, "%llu %.*s %s\n", (unsigned long long)order->wrong_line,
                        (int)order->id.length, order->id.data, order->wrong);
        return;
    }
    for (int which = 0; which < 2; which++)
        if (at_order_write(order, which, &reading->events)) at_bytes_add(&reading->events, "\n", 1);
}

static void read_table(struct reading *reading, const struct table *table) {
    struct at_order_columns columns;
    struct at_order_seen order;
    struct at_error err;
    at_bytes_init(&reading->events, 1 << 24);
    at_bytes_init(&reading->wrong, 1 << 20);
    at_order_columns_guess(table->fields[0], table->counts[0], &columns);
    if (reading->map) assert_int_equal(at_order_columns_map(&columns, reading->map, &err), AT_OK);
    struct at_order_rules rules = {.columns = &columns,
                                   .currency = reading->currency,
                                   .cancelled_prefix =
                                       reading->prefix ? reading->prefix : columns.cancelled_prefix,
                                   .max_open_rows = reading->max_open};
    struct at_order_book *book = at_order_book_new(&rules);
    assert_non_null(book);
    for (size_t i = 1; i < table->count; i++)
        assert_int_equal(at_order_book_note(book, table->fields[i], table->counts[i]), AT_OK);
    for (size_t i = 1; i < table->count; i++) {
        enum at_status status =
            at_order_book_add(book, table->fields[i], table->counts[i], table->lines[i], &order, &err);
        if (status == AT_OK) note_order(reading, &order);
        reading->bad_rows += status == AT_INVALID;
        if (status == AT_TOOBIG) reading->end = status;
        if (status == AT_TOOBIG) break;
    }
    if (reading->end == AT_OK) assert_int_equal(at_order_book_rest(book, &order), AT_NOTFOUND);
    at_order_book_free(book);
    at_bytes_add(&reading->events, "", 0);
    at_bytes_add(&reading->wrong, "", 0);
}

static void reading_clear(struct reading *reading) {
    at_bytes_clear(&reading->events);
    at_bytes_clear(&reading->wrong);
}

static void expect_events(struct reading reading, const char *csv, const char *events, const char *wrong) {
    struct table *table = table_of(csv);
    read_table(&reading, table);
    if (strcmp(reading.events.data, events) != 0)
        fail_msg("%s\nis        %sshould be %s", csv, reading.events.data, events);
    assert_string_equal(reading.wrong.data, wrong);
    reading_clear(&reading);
    table_free(table);
}

static void rows_become_orders(void **state) {
    (void)state;
    /* the rows of two orders among each other, the same product twice, a gift, a discount as a row */
    expect_events(
        (struct reading){.currency = "GBP"},
        "order_id,at,user_id,sku,quantity,price\n"
        "1,2020-01-01 10:00,7.0,A,2,1.10\n"
        "2,2020-01-02,8,B,1,5\n"
        "1,2020-01-01 10:00,7.0,A,1,1.1\n"
        "1,,,C,1,0\n"
        "1,,,D,1,-0.30\n",
        "{\"type\":\"track\",\"event\":\"Order Completed\",\"messageId\":\"order-2\",\"timestamp\":\"2020-01-"
        "02T00:00:00.000Z\",\"userId\":\"8\",\"properties\":{\"order_id\":\"2\",\"revenue\":5,\"currency\":"
        "\"GBP\",\"products\":[{\"product_id\":\"B\",\"price\":5,\"quantity\":1}]}}\n"
        "{\"type\":\"track\",\"event\":\"Order Completed\",\"messageId\":\"order-1\",\"timestamp\":\"2020-01-"
        "01T10:00:00.000Z\",\"userId\":\"7\",\"properties\":{\"order_id\":\"1\",\"revenue\":3,\"currency\":"
        "\"GBP\",\"products\":[{\"product_id\":\"A\",\"price\":1.1,\"quantity\":3},{\"product_id\":\"C\","
        "\"price\":0,\"quantity\":1}]}}\n",
        "");
    /* Shopify: the order's own cells stand on its first row only; the id of the order is not what its rows
     * share */
    expect_events(
        (struct reading){.currency = NULL},
        SHOPIFY "#1001,a@b.de,partially_refunded,EUR,53.91,60.00,2025-10-07 09:50:26 +0200,3,Mask,18.97,M-1,"
                "FR,10.00,2025-10-09 10:00:00 +0200,741,'+33610826417,TEN\n"
                "#1002,c@d.de,voided,EUR,9,9,2025-10-07 09:50:26 +0200,1,Mask,9,M-1,FR,0.00,,742,,\n"
                "#1001,a@b.de,,,,,2025-10-07 09:50:26 +0200,1,Soap,3.00,S-1,,,,,,\n"
                "#1003,e@f.de,refunded,EUR,9,9,2025-10-07 09:50:26 +0200,1,Mask,9,M-1,,0.00,,743,,\n",
        "{\"type\":\"track\",\"event\":\"Order "
        "Completed\",\"messageId\":\"order-741\",\"timestamp\":\"2025-10-"
        "07T07:50:26.000Z\",\"context\":{\"traits\":{\"email\":\"a@b.de\",\"phone\":\"+33610826417\","
        "\"country\":"
        "\"FR\"}},\"properties\":{\"order_id\":\"741\",\"revenue\":53.91,\"currency\":\"EUR\",\"coupon\":"
        "\"TEN\","
        "\"products\":[{\"product_id\":\"M-1\",\"price\":18.97,\"quantity\":3},{\"product_id\":\"S-1\","
        "\"price\":3,"
        "\"quantity\":1}]}}\n"
        "{\"type\":\"track\",\"event\":\"Order "
        "Refunded\",\"messageId\":\"refund-741-refunded\",\"timestamp\":"
        "\"2025-10-09T08:00:00.000Z\",\"context\":{\"traits\":{\"email\":\"a@b.de\",\"phone\":\"+"
        "33610826417\","
        "\"country\":\"FR\"}},\"properties\":{\"order_id\":\"741\",\"refund_id\":\"741-refunded\",\"total\":"
        "10,"
        "\"currency\":\"EUR\"}}\n"
        "{\"type\":\"track\",\"event\":\"Order "
        "Completed\",\"messageId\":\"order-743\",\"timestamp\":\"2025-10-"
        "07T07:50:26.000Z\",\"context\":{\"traits\":{\"email\":\"e@f.de\"}},\"properties\":{\"order_id\":"
        "\"743\","
        "\"revenue\":9,\"currency\":\"EUR\",\"products\":[{\"product_id\":\"M-1\",\"price\":9,\"quantity\":1}"
        "]}}\n"
        "{\"type\":\"track\",\"event\":\"Order "
        "Refunded\",\"messageId\":\"refund-743-refunded\",\"timestamp\":"
        "\"2025-10-07T07:50:26.000Z\",\"context\":{\"traits\":{\"email\":\"e@f.de\"}},\"properties\":{"
        "\"order_id\":"
        "\"743\",\"refund_id\":\"743-refunded\",\"currency\":\"EUR\"}}\n",
        "");
}

static void refunds_find_their_orders(void **state) {
    (void)state;
    static const char csv[] = "order_id,at,user_id,sku,quantity,price,refund_of\n"
                              "C10,2020-01-03,7,A,-1,2,\n"   /* of order 10, which is in the file */
                              "C11,2020-01-03,7,A,-1,2,\n"   /* of no order that is known */
                              "C12,2020-01-03,7,A,-1,2,99\n" /* of the one that is named */
                              "10,2020-01-01,7,A,3,2,\n"     /* and a row of it came back at once */
                              "10,,,B,-1,0.5,\n"
                              "13,2020-01-04,7,A,-2,2.5,\n" /* nothing but what came back */
                              "C,2020-01-05,7,A,1,1,\n";    /* the prefix alone is an id */
    struct reading reading = {.prefix = "C"};
    struct table *table = table_of(csv);
    read_table(&reading, table);
    static const char *const expected[] = {
        "\"order_id\":\"10\",\"refund_id\":\"C10\",\"total\":2,\"products\":[{\"product_id\":\"A\",\"price\":"
        "2,\"quantity\":1}]}}",
        "{\"refund_id\":\"C11\",\"total\":2,",
        "\"order_id\":\"99\",\"refund_id\":\"C12\",\"total\":2,",
        "\"order_id\":\"10\",\"revenue\":6,",
        "\"order_id\":\"10\",\"refund_id\":\"10-refunded\",\"total\":0.5}}",
        "{\"refund_id\":\"13\",\"total\":5,",
        "\"order_id\":\"C\",\"revenue\":1,"};
    const char *at = reading.events.data;
    for (size_t i = 0; i < AT_LENGTH(expected); i++) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        if (!memmem(at, (size_t)(end - at), expected[i], strlen(expected[i])))
            fail_msg("%s is not in %.*s", expected[i], (int)(end - at), at);
        at = end + 1;
    }
    assert_int_equal(*at, 0);
    reading_clear(&reading);
    table_free(table);
}

static void bad_rows_take_their_order_with_them(void **state) {
    (void)state;
    struct reading reading = {.currency = "EUR"};
    struct table *table = table_of("order_id,at,user_id,sku,quantity,price,status\n"
                                   "1,2020-01-01,7,A,1,1,\n"
                                   "1,2020-01-01,7,B,two,1,\n"
                                   "2,2020-01-01,7,A,1,,\n"
                                   "3,yesterday,7,A,1,1,\n"
                                   "4,2020-01-01,7,A,1,1,\n"
                                   "4,2020-01-01,8,A,1,1,\n"
                                   "5,,7,A,1,1,\n"
                                   "6,2020-01-01,7,A,1,-5,\n"
                                   ",2020-01-01,7,A,1,1,\n"
                                   "7,2020-01-01,,A,1,x,\n"
                                   "8,2020-01-01,7,A,1,x,cancelled\n"
                                   "9,2020-01-01,7,A,1,1,\n");
    read_table(&reading, table);
    assert_string_equal(
        reading.wrong.data,
        "3 1 quantity \"two\" is no number\n"
        "4 2 the row has no price\n"
        "5 3 \"yesterday\" is not a time like 2026-11-26 06:31:25; if it is written otherwise, say how: "
        "--at-format \"%d/%m/%Y %H:%M\"\n"
        "7 4 it names another user_id than the row before\n"
        "8 5 it does not say when it was\n"
        "9 6 it comes to -5.00: that is no order\n");
    assert_int_equal(reading.bad_rows, 1);
    assert_int_equal(reading.nobodys, 1);
    assert_int_equal(reading.voids, 1);
    assert_non_null(strstr(reading.events.data, "order-9"));
    assert_true(strchr(reading.events.data, '\n')[1] == 0);
    reading_clear(&reading);
    table_free(table);
}

static void revenue_and_amounts_that_are_said(void **state) {
    (void)state;
    static const struct {
        const char *csv, *says;
    } cases[] = {
        {"order_id,at,email,sku,quantity,line total\n1,2020-01-01,a@b.de,A,4,10\n",
         "\"revenue\":10,\"products\":[{\"product_id\":\"A\",\"price\":2.5,\"quantity\":4}]"},
        {"order_id,at,email,revenue\n1,2020-01-01,a@b.de,\"1.234,5\"\n",
         "\"properties\":{\"order_id\":\"1\",\"revenue\":1234.5}"},
        {"order_id,at,email,sku,price,cart discount amount\n1,2020-01-01,a@b.de,A,10,2.5\n",
         "\"revenue\":7.5,"},
        {"order_id,at,email,sku,price,refunded amount\n1,2020-01-01,a@b.de,A,10,4\n", "\"total\":4"},
        {"order_id,at,phone,sku,quantity,price\n1,2020-01-01,+49301234567,A,0,10\n", "\"revenue\":0}"},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct reading reading = {.currency = NULL};
        struct table *table = table_of(cases[i].csv);
        read_table(&reading, table);
        if (!strstr(reading.events.data, cases[i].says))
            fail_msg("%s: %s", cases[i].csv, reading.events.data);
        reading_clear(&reading);
        table_free(table);
    }
}

static void limits_of_orders(void **state) {
    (void)state;
    struct at_bytes csv;
    at_bytes_init(&csv, 1 << 20);
    at_bytes_add_text(&csv, "order_id,at,user_id,sku,quantity,price\n");
    for (int i = 0; i < 700; i++) at_bytes_printf(&csv, "1,2020-01-01,7,product-%04d,1,%d\n", i, i + 1);
    struct reading reading = {.currency = NULL};
    struct table *table = table_of(csv.data);
    read_table(&reading, table);
    assert_true(reading.cut >= 200 && reading.events.length < AT_EVENT_BYTES_MAX);
    assert_non_null(strstr(reading.events.data, "\"revenue\":245350,"));
    assert_non_null(strstr(reading.events.data, "product-0699"));
    assert_null(strstr(reading.events.data, "product-0000"));
    reading_clear(&reading);
    struct reading narrow = {.max_open = 699};
    read_table(&narrow, table);
    assert_int_equal(narrow.end, AT_TOOBIG);
    reading_clear(&narrow);
    table_free(table);
    at_bytes_clear(&csv);
}

/* ---- any order of rows gives the same orders ---- */

GENERATED_CASES;
enum { CASES = 300, ROWS = 60 };

static int by_line(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sorted_lines(char *text) {
    char *lines[200], *sorted = malloc(strlen(text) + 2);
    size_t count = 0, length = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) lines[count++] = line;
    if (count) qsort(lines, count, sizeof *lines, by_line);
    for (size_t i = 0; i < count; i++) length += (size_t)sprintf(sorted + length, "%s\n", lines[i]);
    sorted[length] = 0;
    return sorted;
}

static void shuffled_rows_are_the_same_orders(void **state) {
    (void)state;
    seed = first = first_seed(20261127);
    for (number = 0; number < CASES; number++) {
        char rows[ROWS][80], csv[2][ROWS * 80 + 100];
        double sum = 0;
        uint32_t orders = 1 + random_below(&seed, 12);
        for (int i = 0; i < ROWS; i++) {
            uint32_t order = random_below(&seed, orders), cents = random_below(&seed, 5000),
                     n = 1 + random_below(&seed, 4);
            sum += cents * n / 100.0;
            /* a product once in an order, so that the order of its products is that of their ids */
            snprintf(rows[i], sizeof rows[i], "%u,2020-01-%02u,u%u,S%02d,%u,%u.%02u\n", order, order + 1,
                     order, i, n, cents / 100, cents % 100);
        }
        for (int k = 0; k < 2; k++) {
            char *at = csv[k] + sprintf(csv[k], "order_id,at,user_id,sku,quantity,price\n");
            for (int i = 0; i < ROWS; i++) at += sprintf(at, "%s", rows[i]);
            for (int i = ROWS - 1; i > 0; i--) {
                uint32_t j = random_below(&seed, (uint32_t)i + 1);
                char row[80];
                memcpy(row, rows[i], sizeof row);
                memcpy(rows[i], rows[j], sizeof row);
                memcpy(rows[j], row, sizeof row);
            }
        }
        double sums[2] = {0, 0};
        size_t counts[2] = {0, 0};
        for (int k = 0; k < 2; k++) {
            struct reading reading = {.currency = NULL};
            struct table *table = table_of(csv[k]);
            read_table(&reading, table);
            char *sorted = sorted_lines(reading.events.data);
            for (char *line = sorted; *line; line = strchr(line, '\n') + 1) {
                struct at_event_defaults past = {.received_ms = NOW_MS, .is_import = true};
                char *end = strchr(line, '\n');
                *end = 0;
                if (parse_with(&world, line, &past) != AT_OK) fail_msg("%s: %s", world.err.message, line);
                *end = '\n';
                sums[k] += world.event.revenue;
                counts[k] += world.event.item_count;
            }
            free(sorted);
            reading_clear(&reading);
            table_free(table);
        }
        CHECK(fabs(sums[0] - sum) < 1e-6 && fabs(sums[0] - sums[1]) < 1e-6);
        CHECK(counts[0] == ROWS && counts[1] == ROWS);
    }
    print_message("property: shuffled rows, %d cases, seed %llu\n", CASES, (unsigned long long)first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_orders),
        cmocka_unit_test(refunds_find_their_orders),
        cmocka_unit_test(bad_rows_take_their_order_with_them),
        cmocka_unit_test(revenue_and_amounts_that_are_said),
        cmocka_unit_test(limits_of_orders),
        cmocka_unit_test(shuffled_rows_are_the_same_orders),
    };
    return cmocka_run_group_tests_name("orders", tests, begin, end);
}
