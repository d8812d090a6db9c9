/* SPDX-License-Identifier: Apache-2.0
 *
 * Histories judged record by record: columns of known exports, guessed and mapped; rows that are none; events
 * as SDKs write them; what is shown of it all; and no allocation that fails is forgotten.
 */
#include "measure_world.h"
#include "base_fail_malloc.h"
#include "base/csv.h"
#include "measure/audit_show.h"
#include "measure/history.h"

struct reading {
    struct audit_world world;
    struct at_history *history;
    struct at_order_columns columns;
    struct at_order_rules rules;
    struct at_text header[20];
    char names[400];
    struct at_error err;
};

static void begin(struct reading *reading) {
    memset(reading, 0, sizeof *reading);
    audit_begin(&reading->world, &(struct at_audit_options){.is_history = true});
    reading->history = at_history_new(reading->world.audit, NOW_MS);
    reading->rules = (struct at_order_rules){.columns = &reading->columns, .guesses = true};
    assert_non_null(reading->history);
}

static void end(struct reading *reading) {
    at_history_free(reading->history);
    audit_end(&reading->world);
}

/* maps: one behind the other, each ends with a NUL, the last with two. */
static enum at_status read_header(struct reading *reading, const struct at_text *fields, size_t count,
                                  const char *maps) {
    char *at = reading->names;
    assert_true(count <= AT_LENGTH(reading->header));
    for (size_t i = 0; i < count; i++) {
        reading->header[i] = (struct at_text){at, fields[i].length};
        memcpy(at, fields[i].data, fields[i].length);
        at += fields[i].length;
    }
    enum at_status status = AT_OK;
    at_order_columns_guess(reading->header, count, &reading->columns);
    at_order_columns_guess_likely(&reading->columns);
    for (; *maps && status == AT_OK; maps += strlen(maps) + 1)
        status = at_order_columns_map(&reading->columns, maps, &reading->err);
    reading->rules.cancelled_prefix = reading->columns.cancelled_prefix;
    at_history_begin(reading->history, "f", &reading->rules);
    return status == AT_OK ? at_order_columns_check(&reading->columns, at_history_needs, &reading->err)
                           : status;
}

static enum at_status give_rows(struct reading *reading, const char *maps, const char *text) {
    struct at_csv *csv = at_csv_new(memchr(text, ';', strcspn(text, "\n")) ? ';' : ',', 1 << 16, 20);
    if (!csv) return AT_NOMEM;
    const struct at_text *fields;
    size_t count, line;
    bool has_header = false;
    enum at_status given = at_csv_feed(csv, text, strlen(text), true), status;
    while (given == AT_OK && (status = at_csv_next(csv, &fields, &count, &line, NULL)) != AT_NOTFOUND) {
        if (status == AT_NOMEM) given = status;
        if (status != AT_OK) count = 0;
        given = has_header ? at_history_row(reading->history, line, fields, count)
                           : read_header(reading, fields, count, maps);
        has_header = true;
    }
    at_csv_free(csv);
    return given;
}

static void lines(struct reading *reading, const char *maps, const char *text) {
    begin(reading);
    if (give_rows(reading, maps, text) != AT_OK) fail_msg("%s", reading->err.message);
}

static void refused(const char *maps, const char *text, const char *code, const char *part) {
    struct reading reading;
    begin(&reading);
    assert_int_equal(give_rows(&reading, maps, text), AT_INVALID);
    assert_string_equal(reading.err.code, code);
    if (!strstr(reading.err.message, part)) fail_msg("%s", reading.err.message);
    end(&reading);
}

static void columns_of_known_exports(void **state) {
    (void)state;
    struct reading reading;
    lines(&reading, "",
          "\xEF\xBB\xBFInvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"
          "536365,85123A,\"WHITE, HEART\",6,12/1/2010 8:26,2.55,17850,United Kingdom\r\n"
          "536365,85123A,\"WHITE, HEART\",6,12/1/2010 8:26,2.55,17850,United Kingdom\r\n"
          "C536366,85123A,\"WHITE, HEART\",-6,2010-12-02 08:26:00,2.55,17850,France\r\n"
          "536367,POST,,1,2010-12-02 09:00:00,0,,United Kingdom\r\n"
          "536368,22,X,-1,31/12/2010 23:59,-3.5,17851,United Kingdom\r\n");
    assert_string_equal(reading.columns.known, "UCI Online Retail");
    struct audit_world *world = &reading.world;
    FOUND(world, "lines_cancelled", 1, 5, "C536366");
    FOUND(world, "lines_repeated", 1, 5, "536365");
    FOUND(world, "lines_without_customer", 1, 5, "536367");
    FOUND(world, "lines_price_not_positive", 2, 5, "536368");
    FOUND(world, "lines_quantity_not_positive", 1, 5, "536368");
    FOUND(world, "lines_without_title", 1, 5, "536367");
    FOUND(world, "customers_several_countries", 1, 2, "17850");
    FOUND(world, "orders_without_currency", 3, 3, NULL);
    FOUND(world, "orders_not_positive", 1, 3, "536367"); /* of 536368 two minus signs make a plus */
    assert_null(audit_found(world, "lines_bad_time"));
    assert_int_equal(world->result->first_ms,
                     at_day_of(2010, 12, 1) * AT_DAY_MS + (8 * 60 + 26) * AT_MINUTE_MS);
    assert_int_equal(world->result->last_ms,
                     at_day_of(2010, 12, 31) * AT_DAY_MS + (23 * 60 + 59) * AT_MINUTE_MS);
    end(&reading);
    /* Shopify: what belongs to the order stands in its first line */
    lines(&reading, "",
          "Name,Email,Financial Status,Currency,Subtotal,Discount Amount,Created at,Lineitem "
          "quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Country,Cancelled at\n"
          "#1001,ann@example.com,paid,EUR,25.00,5.00,2023-01-05 10:00:00 -0500,2,Sofa,10.00,S-1,DE,\n"
          "#1001,,,,,,,1,Lamp,10.00,L-1,,\n"
          "#1002,,paid,EUR,99.00,0.00,2023-01-06 10:00:00 -0500,1,Sofa,10.00,S-1,DE,\n"
          "#1003,bob@example.com,paid,USD,10.00,0.00,soon,1,Sofa,10.00,S-1,DE,2023-01-07 10:00:00 -0500\n"
          "#1004,bob@example.com,paid,,10.00,0.00,2023-01-05 10:00:00 -0500,1,Sofa,10.00,S-1,DE,\n");
    assert_string_equal(reading.columns.known, "Shopify");
    FOUND(world, "lines_without_customer", 1, 5, "#1002");
    FOUND(world, "orders_sum_differs", 1, 3, "#1002");
    FOUND(world, "lines_cancelled", 1, 5, "#1003");
    FOUND(world, "lines_bad_time", 1, 5, "#1003");
    FOUND(world, "orders_without_currency", 1, 3, "#1004");
    assert_string_equal(world->result->currency, "EUR");
    assert_int_equal(world->result->first_ms, at_day_of(2023, 1, 5) * AT_DAY_MS + 15 * AT_HOUR_MS);
    end(&reading);
}

static void columns_that_are_guessed_or_mapped(void **state) {
    (void)state;
    struct reading reading;
    lines(&reading, "",
          "Order_ID;SKU;Qty;Unit "
          "Price;Note;Time\n1;a1;2;\"1,50\";x;1.12.2010\n2;a1;2;zwei;x;32.12.2010\n");
    assert_null(reading.columns.known);
    assert_true(audit_result(&reading.world)->revenue > 2.99 && reading.world.result->revenue < 3.01);
    FOUND(&reading.world, "lines_bad_number", 1, 2, "2");
    FOUND(&reading.world, "lines_bad_time", 1, 2, "2");
    assert_string_equal(reading.world.result->unchecked[0].code, "lines_without_customer");
    assert_non_null(strstr(reading.world.result->unchecked[0].why, "--map user_id=COLUMN"));
    end(&reading);
    lines(&reading, "order_id=basket\0user_id=who\0line_total=paid\0",
          "basket,product_id,quantity,paid,who\n7,p1,4,10,ann\n8,p1,0,10,\n");
    assert_true(audit_result(&reading.world)->revenue > 9.99);
    FOUND(&reading.world, "lines_without_customer", 1, 2, "8");
    FOUND(&reading.world, "lines_quantity_not_positive", 1, 2, "8");
    PART(&reading.world, "lines_quantity_not_positive", "zero", 1);
    end(&reading);
    refused("", "a,b,c\n1,2,3\n", "missing_column",
            "say which column is order_id: --map order_id=COLUMN; there are a, b, c");
    refused("", "order_id,qty,price\n1,2,3\n", "missing_column", "--map product_id=COLUMN");
    refused("", "order_id,sku,qty,b\n1,2,3,4\n", "missing_column", "price (or line_total)");
    refused("order_id=nowhere\0", "order_id,sku,qty,price\n", "unknown_column",
            "there is no column \"nowhere\"");
    refused("order=order_id\0", "order_id,sku,qty,price\n", "unknown_role",
            "it can be order_id, line_of, at");
}

/* What an import takes for no order is cancelled here; whoever is named at all is a customer. */
static void cancelled_and_named_as_an_import_has_it(void **state) {
    (void)state;
    struct reading reading;
    begin(&reading);
    reading.rules.currency = "EUR";
    reading.rules.at_format = "%d.%m.%y";
    assert_int_equal(give_rows(&reading, "",
                               "order_id,sku,price,order status,email,phone,customer id,date\n"
                               "1,p1,1.00 EUR,wc-cancelled,,,7.0,1.2.26\n2,p1,1,processing,a@b.de,,,1.2.26\n"
                               "3,p1,1,,,+49301234567,,1.2.2026\n4,p1,1,,,,7,1.2.26\n5,p1,1,,,,,1.2.26\n"),
                     AT_OK);
    FOUND(&reading.world, "lines_cancelled", 1, 5, "1");
    FOUND(&reading.world, "lines_without_customer", 1, 5, "5");
    FOUND(&reading.world, "lines_bad_time", 1, 5, "3");
    assert_null(audit_found(&reading.world, "lines_bad_number"));
    assert_int_equal(reading.world.result->people, 3);
    assert_string_equal(reading.world.result->currency, "EUR");
    assert_true(reading.world.result->revenue == 4);
    end(&reading);
}

static void rows_that_are_none(void **state) {
    (void)state;
    struct reading reading;
    lines(&reading, "",
          "order,product,quantity,price\n1,p1,1,1\n2,p1,1\n3,p1,1,\"1\"x\n4,p1,1,\xFF\n5,p1,1,1,1\n6,p1,1,"
          "1\n7,p1,1,\"1");
    FOUND(&reading.world, "rows_unreadable", 5, 7, "f:3");
    assert_true(audit_shows(audit_found(&reading.world, "rows_unreadable"), "f:8"));
    end(&reading);
    begin(&reading);
    static const char *const none[] = {"", "{bad}", "7", "\"text\"", "[]", "{\"a\":1} 2"};
    at_history_begin(reading.history, "f", NULL);
    for (size_t i = 0; i < AT_LENGTH(none); i++)
        assert_int_equal(at_history_event(reading.history, i + 1, at_text_of(none[i])), AT_INVALID);
    assert_int_equal(at_history_event(reading.history, 7, AT_TEXT("{}")), AT_OK);
    FOUND(&reading.world, "rows_unreadable", 6, 6, "f:1");
    FOUND(&reading.world, "events_refused", 1, 1, "f:7");
    end(&reading);
}

static void events_as_sdks_write_them(void **state) {
    (void)state;
    struct reading reading;
    static const char *const texts[] = {
        "{\"type\":\"page\",\"anonymousId\":\"a\",\"messageId\":\"1\",\"timestamp\":\"2026-11-20T10:00:00Z\","
        "\"receivedAt\":\"2026-11-20T10:00:01Z\",\"sentAt\":\"2026-11-20T10:00:00Z\",\"originalTimestamp\":"
        "\"2026-11-20T09:59:59Z\"}",
        "{\"context\":{\"consent\":{\"categoryPreferences\":{\"analytics\":false}}},\"sentAt\":\"2026-"
        "11-20T12:00:00Z\",\"batch\":["
        "{\"type\":\"track\",\"event\":\"Product "
        "Viewed\",\"userId\":\"u\",\"messageId\":\"2\",\"timestamp\":\"2026-11-20T11:00:00Z\","
        "\"receivedAt\":\"2026-11-20T11:00:00Z\"},"
        "{\"type\":\"track\",\"userId\":\"u\"},{\"type\":\"track\",\"event\":\"A\",\"context\":{}}]}",
        "{\"type\":\"track\",\"event\":\"Product "
        "Viewed\",\"userId\":\"w\",\"messageId\":\"3\",\"timestamp\":\"2026-11-20T11:00:00Z\","
        "\"context\":{\"consent\":\"yes\"}}"};
    begin(&reading);
    at_history_begin(reading.history, "f", NULL);
    for (size_t i = 0; i < AT_LENGTH(texts); i++)
        assert_int_equal(at_history_event(reading.history, i + 1, at_text_of(texts[i])), AT_OK);
    FOUND(&reading.world, "events_refused", 1, 5, "f:2");
    PART(&reading.world, "events_refused", "no_event", 1);
    FOUND(&reading.world, "events_without_identity", 1, 5, "f:2");
    FOUND(&reading.world, "clocks_wrong", 1, 3, "2"); /* an hour ahead, as the batch says */
    FOUND(&reading.world, "events_without_consent", 1, 3, "1");
    assert_null(audit_found(&reading.world, "rows_unreadable"));
    assert_int_equal(reading.world.result->people, 3);
    end(&reading);
}

static void shown_whole_and_escaped(void **state) {
    (void)state;
    struct reading reading;
    lines(&reading, "",
          "order,product,quantity,price,customer\n<script>alert(1)</"
          "script>,p1,1,1,\n2,p\"&'1,1,1,ann@example.com\n");
    struct at_bytes json, out;
    struct at_json audit = {0};
    struct at_audit_about about = {.kind = "history", .name = AT_TEXT("a<b"), .at_ms = NOW_MS};
    at_bytes_init(&json, 1 << 20);
    at_bytes_init(&out, 1 << 20);
    at_audit_write(audit_result(&reading.world), &about, &json);
    assert_int_equal(at_json_parse(reading.world.parser, json.data, json.length, false, &audit, NULL), AT_OK);
    at_audit_show_page(audit, AT_TEXT("a<b & c"), &out);
    assert_null(strstr(out.data, "<script"));
    assert_non_null(strstr(out.data, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_non_null(strstr(out.data, "<p>a&lt;b &amp; c</p>"));
    assert_null(strstr(out.data, "://"));
    at_bytes_reset(&out);
    at_audit_show_table(audit, AT_TEXT("first"), &out);
    assert_memory_equal(out.data, "first\n2 order lines, 2 orders", 28);
    assert_non_null(strstr(out.data, "What to do next, most valuable first\n  1. "));
    at_bytes_clear(&json);
    at_bytes_clear(&out);
    end(&reading);
}

static void no_allocation_is_forgotten(void **state) {
    (void)state;
    static const char text[] = /* Shopify's: rows inherit */
        "Name,Created at,Email,Lineitem sku,Lineitem name,Lineitem quantity,Lineitem price,Billing Country\n"
        "1,2023-01-05,a@b.de,p1,T,1,1,DE\n1,,,p2,T,1,1,\n";
    for (long n = 0;; n++) {
        struct reading reading = {0};
        enum at_status status = AT_NOMEM;
        const struct at_audit_result *result;
        has_failed = false;
        allocations_left = n;
        struct at_audit *audit =
            at_audit_new(&(struct at_audit_options){.is_history = true, .now_ms = NOW_MS});
        reading.rules = (struct at_order_rules){.columns = &reading.columns};
        if (audit) reading.history = at_history_new(audit, NOW_MS);
        if (reading.history) status = give_rows(&reading, "", text);
        if (status == AT_OK) status = at_audit_finish(audit, &result);
        allocations_left = -1;
        if (status == AT_OK) assert_int_equal(result->lines, 2);
        if (status != AT_OK) assert_int_equal(status, AT_NOMEM);
        assert_true(status == AT_OK || has_failed);
        at_history_free(reading.history);
        at_audit_free(audit);
        if (!has_failed) break;
        assert_true(n < 1000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_of_known_exports),
        cmocka_unit_test(columns_that_are_guessed_or_mapped),
        cmocka_unit_test(cancelled_and_named_as_an_import_has_it),
        cmocka_unit_test(rows_that_are_none),
        cmocka_unit_test(events_as_sdks_write_them),
        cmocka_unit_test(shown_whole_and_escaped),
        cmocka_unit_test(no_allocation_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
