/* SPDX-License-Identifier: Apache-2.0
 *
 * Histories read from text: columns of known exports, guessed and mapped; cells; rows that are none; pieces
 * of any size; events as SDKs write them; what is shown of it all; and no allocation that fails is forgotten.
 */
#include "measure_world.h"
#include "base_fail_malloc.h"
#include "measure/audit_show.h"
#include "measure/columns.h"
#include "measure/history.h"

struct reading {
    struct audit_world world;
    struct at_history *history;
    struct at_error err;
};

static enum at_status begin(struct reading *reading, const char *map) {
    memset(reading, 0, sizeof *reading);
    audit_begin(&reading->world, &(struct at_audit_options){.is_history = true});
    return at_history_new(&reading->history, reading->world.audit, map, NOW_MS, &reading->err);
}

static void end(struct reading *reading) {
    at_history_free(reading->history);
    audit_end(&reading->world);
}

static enum at_status give(struct reading *reading, enum at_history_kind kind, const char *text,
                           size_t piece) {
    size_t length = strlen(text);
    enum at_status status = AT_OK;
    at_history_begin(reading->history, kind, "f");
    for (size_t at = 0; status == AT_OK && (at < length || !length); at += piece) {
        bool is_last = at + piece >= length;
        status = at_history_give(reading->history, text + at, is_last ? length - at : piece, is_last,
                                 &reading->err);
        if (!length) break;
    }
    return status;
}

static void lines(struct reading *reading, const char *map, const char *text) {
    assert_int_equal(begin(reading, map), AT_OK);
    if (give(reading, AT_HISTORY_LINES, text, 7) != AT_OK) fail_msg("%s", reading->err.message);
}

static void refused(const char *map, const char *text, const char *code, const char *part) {
    struct reading reading;
    enum at_status status = begin(&reading, map);
    if (status == AT_OK) status = give(&reading, AT_HISTORY_LINES, text, 1000);
    assert_int_equal(status, AT_UNPROCESSABLE);
    assert_string_equal(reading.err.code, code);
    if (!strstr(reading.err.message, part)) fail_msg("%s", reading.err.message);
    end(&reading);
}

static void columns_of_known_exports(void **state) {
    (void)state;
    struct reading reading;
    lines(&reading, NULL,
          "\xEF\xBB\xBFInvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"
          "536365,85123A,\"WHITE, HEART\",6,12/1/2010 8:26,2.55,17850,United Kingdom\r\n"
          "536365,85123A,\"WHITE, HEART\",6,12/1/2010 8:26,2.55,17850,United Kingdom\r\n"
          "C536366,85123A,\"WHITE, HEART\",-6,2010-12-02 08:26:00,2.55,17850,France\r\n"
          "536367,POST,,1,2010-12-02 09:00:00,0,,United Kingdom\r\n"
          "536368,22,X,-1,31/12/2010 23:59,-3.5,17851,United Kingdom\r\n");
    assert_string_equal(at_history_columns(reading.history), "UCI Online Retail");
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
    lines(&reading, NULL,
          "Name,Email,Financial Status,Currency,Subtotal,Discount Amount,Created at,Lineitem "
          "quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Country,Cancelled at\n"
          "#1001,ann@example.com,paid,EUR,25.00,5.00,2023-01-05 10:00:00 -0500,2,Sofa,10.00,S-1,DE,\n"
          "#1001,,,,,,,1,Lamp,10.00,L-1,,\n"
          "#1002,,paid,EUR,99.00,0.00,2023-01-06 10:00:00 -0500,1,Sofa,10.00,S-1,DE,\n"
          "#1003,bob@example.com,paid,USD,10.00,0.00,soon,1,Sofa,10.00,S-1,DE,2023-01-07 10:00:00 -0500\n"
          "#1004,bob@example.com,paid,,10.00,0.00,2023-01-05 10:00:00 -0500,1,Sofa,10.00,S-1,DE,\n");
    assert_string_equal(at_history_columns(reading.history), "Shopify orders_export");
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
    lines(&reading, NULL,
          "Order_ID;SKU;Qty;Unit "
          "Price;Note;Date\n1;a1;2;\"1,50\";x;1.12.2010\n2;a1;2;1.234,50;x;32.12.2010\n");
    assert_string_equal(at_history_columns(reading.history), "their names");
    assert_true(audit_result(&reading.world)->revenue > 2.99 && reading.world.result->revenue < 3.01);
    FOUND(&reading.world, "lines_bad_number", 1, 2, "2"); /* thousands separators are no numbers */
    FOUND(&reading.world, "lines_bad_time", 1, 2, "2");
    struct at_bytes told;
    at_bytes_init(&told, 1000);
    at_history_tell(reading.history, &told);
    assert_string_equal(told.data, "Order_ID is the order, SKU is the product, Qty is the quantity, Unit "
                                   "Price is the price, Date is the time");
    at_bytes_clear(&told);
    assert_string_equal(reading.world.result->unchecked[0].code, "lines_without_customer");
    end(&reading);
    lines(&reading, "order=basket,customer=who,amount=paid",
          "basket,product_id,quantity,paid,who\n7,p1,4,10,ann\n8,p1,0,10,\n");
    assert_true(audit_result(&reading.world)->revenue > 9.99);
    FOUND(&reading.world, "lines_without_customer", 1, 2, "8");
    FOUND(&reading.world, "lines_quantity_not_positive", 1, 2, "8");
    PART(&reading.world, "lines_quantity_not_positive", "zero", 1);
    end(&reading);
    refused(NULL, "a,b,c\n1,2,3\n", "unknown_columns",
            "--map order=COLUMN,product=COLUMN,quantity=COLUMN,price=COLUMN");
    refused(NULL, "order_id,sku,qty,b\n1,2,3,4\n", "unknown_columns",
            "no column is the price (the columns are order_id, sku, qty, b)");
    refused("order=nowhere", "order_id,sku,qty,price\n", "no_column", "there is no column \"nowhere\"");
    refused("order", "", "bad_map", "\"order\" is not");
    refused("ordr=x", "", "bad_map", "order product title");
    refused("order=", "", "bad_map", "order=");
    refused(NULL, "", "empty", "f is empty");
    refused(NULL,
            "\x7F"
            "ELF\x02\xFF\xFE,x\n",
            "no_header", "no header of a CSV file");
}

static void cells(void **state) {
    (void)state;
    static const struct {
        const char *text;
        char delimiter;
        double number;
    } numbers[] = {{"2.55", ',', 2.55}, {" -3 ", ',', -3}, {"1,5", ';', 1.5}, {"1234.50", ';', 1234.5}};
    for (size_t i = 0; i < AT_LENGTH(numbers); i++)
        assert_true(at_cell_number(at_text_of(numbers[i].text), numbers[i].delimiter) == numbers[i].number);
    static const char *const none[] = {"",    "x",  "1,5",  "1.2.3",
                                       "1e3", "£2", "0x10", "12345678901234567890123456789012345"};
    for (size_t i = 0; i < AT_LENGTH(none); i++)
        assert_true(at_is_missing(at_cell_number(at_text_of(none[i]), ',')));
    int64_t ms, want = at_day_of(2011, 4, 30) * AT_DAY_MS;
    static const char *const dates[] = {"2011-04-30",          "4/30/2011",      "30/4/2011",
                                        "30.04.2011",          "4/30/2011 0:00", "2011-04-30 02:00:00 +0200",
                                        "2011-04-30T00:00:00Z"};
    for (size_t i = 0; i < AT_LENGTH(dates); i++) {
        ms = 0;
        if (!at_cell_moment(at_text_of(dates[i]), &ms) || ms != want)
            fail_msg("%s: %lld", dates[i], (long long)ms);
    }
    static const char *const no_dates[] = {"",
                                           "soon",
                                           "31/4/2011",
                                           "4-30-2011",
                                           "4/30",
                                           "4/30/11",
                                           "4/30/2011 25:00",
                                           "4/30/2011 8",
                                           "1/2/2011 8:00:00:00",
                                           "0/1/2011"};
    for (size_t i = 0; i < AT_LENGTH(no_dates); i++)
        if (at_cell_moment(at_text_of(no_dates[i]), &ms)) fail_msg("%s", no_dates[i]);
}

static void rows_that_are_none(void **state) {
    (void)state;
    struct reading reading;
    lines(&reading, NULL,
          "order,product,quantity,price\n1,p1,1,1\n2,p1,1\n3,p1,1,\"1\"x\n4,p1,1,\xFF\n5,p1,1,1,1\n6,p1,1,"
          "1\n7,p1,1,\"1");
    FOUND(&reading.world, "rows_unreadable", 5, 7, "f:3");
    assert_true(audit_shows(audit_found(&reading.world, "rows_unreadable"), "f:8"));
    end(&reading);
    begin(&reading, NULL);
    size_t length = 3 << 20;
    char *text = malloc(length + 200);
    memset(text, 'x', length);
    snprintf(text + length, 200,
             "\n{\"type\":\"page\",\"userId\":\"u\",\"messageId\":\"1\"}\n{bad}\n7\n\n{}");
    memcpy(text, "{\"a\":\"", 6);
    assert_int_equal(give(&reading, AT_HISTORY_EVENTS, text, 1 << 18), AT_OK);
    FOUND(&reading.world, "rows_unreadable", 3, 3, "f:1");
    FOUND(&reading.world, "events_refused", 1, 2, "f:6");
    assert_int_equal(reading.world.result->events, 1);
    free(text);
    end(&reading);
    begin(&reading, NULL);
    assert_int_equal(give(&reading, AT_HISTORY_EVENTS, "hello\nworld\n", 5), AT_UNPROCESSABLE);
    assert_string_equal(reading.err.code, "no_events");
    end(&reading);
}

static const char events[] =
    "{\"type\":\"page\",\"anonymousId\":\"a\",\"messageId\":\"1\",\"timestamp\":\"2026-11-20T10:00:00Z\","
    "\"receivedAt\":\"2026-11-20T10:00:01Z\",\"sentAt\":\"2026-11-20T10:00:00Z\",\"originalTimestamp\":"
    "\"2026-11-20T09:59:59Z\"}\n"
    "{\"batch\":[{\"type\":\"track\",\"event\":\"Order "
    "Completed\",\"userId\":\"u\",\"messageId\":\"2\",\"timestamp\":\"2026-11-20T11:00:00Z\",\"properties\":{"
    "\"order_id\":\"o1\",\"revenue\":5,\"currency\":\"EUR\",\"products\":[\"p\"]}},\r\n"
    "";

static void events_as_sdks_write_them(void **state) {
    (void)state;
    struct reading reading;
    char text[2000];
    snprintf(text, sizeof text, "%.*s%s", (int)(strstr(events, "{\"batch\"") - events), events,
             "{\"context\":{\"consent\":{\"categoryPreferences\":{\"analytics\":false}}},\"sentAt\":\"2026-"
             "11-20T12:00:00Z\",\"batch\":["
             "{\"type\":\"track\",\"event\":\"Product "
             "Viewed\",\"userId\":\"u\",\"messageId\":\"2\",\"timestamp\":\"2026-11-20T11:00:00Z\","
             "\"receivedAt\":\"2026-11-20T11:00:00Z\"},"
             "{\"type\":\"track\",\"userId\":\"u\"},{\"type\":\"track\",\"event\":\"A\",\"context\":{}}]}\r\n"
             "{\"type\":\"track\",\"event\":\"Product "
             "Viewed\",\"userId\":\"w\",\"messageId\":\"3\",\"timestamp\":\"2026-11-20T11:00:00Z\","
             "\"context\":{\"consent\":\"yes\"}}");
    for (size_t piece = 1; piece < 2000; piece = piece * 3 + 1) {
        begin(&reading, NULL);
        assert_int_equal(give(&reading, AT_HISTORY_EVENTS, text, piece), AT_OK);
        FOUND(&reading.world, "events_refused", 1, 5, "f:2");
        PART(&reading.world, "events_refused", "no_event", 1);
        FOUND(&reading.world, "events_without_identity", 1, 5, "f:2");
        FOUND(&reading.world, "clocks_wrong", 1, 3, "2"); /* an hour ahead, as the batch says */
        FOUND(&reading.world, "events_without_consent", 1, 3, "1");
        assert_null(audit_found(&reading.world, "rows_unreadable"));
        assert_int_equal(reading.world.result->people, 3);
        end(&reading);
    }
}

static void shown_whole_and_escaped(void **state) {
    (void)state;
    struct reading reading;
    lines(&reading, NULL,
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
    static const char text[] =
        "order,product,title,quantity,price,customer,country\n1,p1,T,1,1,a,DE\n1,p2,T,1,1,a,DE\n";
    for (long n = 0;; n++) {
        struct reading reading = {0};
        enum at_status status = AT_NOMEM;
        const struct at_audit_result *result;
        has_failed = false;
        allocations_left = n;
        struct at_audit *audit =
            at_audit_new(&(struct at_audit_options){.is_history = true, .now_ms = NOW_MS});
        if (audit) status = at_history_new(&reading.history, audit, NULL, NOW_MS, &reading.err);
        if (status == AT_OK) status = give(&reading, AT_HISTORY_LINES, text, 1000);
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
        cmocka_unit_test(cells),
        cmocka_unit_test(rows_that_are_none),
        cmocka_unit_test(events_as_sdks_write_them),
        cmocka_unit_test(shown_whole_and_escaped),
        cmocka_unit_test(no_allocation_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
