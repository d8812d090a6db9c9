/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of orders: which column is what, and what cells say.
 */
#include <math.h>
#include "profile_world.h"
#include "order_table.h"
#include "profile/order_lines.h"

/* ---- columns ---- */

static const char *column_of(const struct at_order_columns *columns, const struct table *table,
                             enum at_order_role role) {
    static char name[80];
    int column = columns->column[role];
    if (column < 0) return "";
    snprintf(name, sizeof name, "%.*s", (int)table->fields[0][column].length, table->fields[0][column].data);
    return name;
}

static void exports_are_known(void **state) {
    (void)state;
    static const struct {
        const char *header, *known, *prefix;
        struct {
            enum at_order_role role;
            const char *column;
        } expected[12];
    } cases[] = {
        {SHOPIFY,
         "Shopify",
         NULL,
         {{AT_ORDER_ID, "Id"},
          {AT_ORDER_LINE_OF, "Name"},
          {AT_ORDER_AT, "Created at"},
          {AT_ORDER_EMAIL, "Email"},
          {AT_ORDER_USER_ID, ""},
          {AT_ORDER_PRODUCT_ID, "Lineitem sku"},
          {AT_ORDER_REVENUE, "Subtotal"},
          {AT_ORDER_REFUNDED, "Refunded Amount"},
          {AT_ORDER_STATUS, "Financial Status"},
          {AT_ORDER_COUPON, "Discount Code"},
          {AT_ORDER_PRICE, "Lineitem price"}}},
        {"Order Number,Order Status,Order Date,Email (Billing),SKU,Quantity (- Refund),Item Cost,Order "
         "Refund "
         "Amount,Cart Discount Amount\n",
         "WooCommerce",
         NULL,
         {{AT_ORDER_ID, "Order Number"},
          {AT_ORDER_AT, "Order Date"},
          {AT_ORDER_EMAIL, "Email (Billing)"},
          {AT_ORDER_QUANTITY, "Quantity (- Refund)"},
          {AT_ORDER_PRICE, "Item Cost"},
          {AT_ORDER_REFUNDED, ""},
          {AT_ORDER_DISCOUNT, "Cart Discount Amount"},
          {AT_ORDER_STATUS, "Order Status"}}},
        {"Order Number,Order Date,Email (Billing),SKU,Quantity,Quantity (- Refund),Item Cost,Order Refund "
         "Amount\n",
         "WooCommerce",
         NULL,
         {{AT_ORDER_QUANTITY, "Quantity"},
          {AT_ORDER_REFUNDED, "Order Refund Amount"},
          {AT_ORDER_ID, "Order Number"}}},
        {"order_id,order_number,order_date,status,customer_id,billing_email,item_sku,item_quantity,item_"
         "total\n",
         "WooCommerce",
         NULL,
         {{AT_ORDER_ID, "order_id"},
          {AT_ORDER_USER_ID, "customer_id"},
          {AT_ORDER_PRODUCT_ID, "item_sku"},
          {AT_ORDER_LINE_TOTAL, "item_total"},
          {AT_ORDER_QUANTITY, "item_quantity"}}},
        {"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n",
         "UCI Online Retail",
         "C",
         {{AT_ORDER_ID, "InvoiceNo"},
          {AT_ORDER_PRODUCT_ID, "StockCode"},
          {AT_ORDER_AT, "InvoiceDate"},
          {AT_ORDER_USER_ID, "CustomerID"},
          {AT_ORDER_COUNTRY, "Country"}}},
        {"ORDER-ID,Created At,e-mail,Product ID,Qty,Unit price\n",
         NULL,
         NULL,
         {{AT_ORDER_ID, "ORDER-ID"},
          {AT_ORDER_AT, "Created At"},
          {AT_ORDER_EMAIL, "e-mail"},
          {AT_ORDER_PRODUCT_ID, "Product ID"},
          {AT_ORDER_QUANTITY, "Qty"},
          {AT_ORDER_PRICE, "Unit price"}}},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct table *table = table_of(cases[i].header);
        struct at_order_columns columns;
        at_order_columns_guess(table->fields[0], table->counts[0], &columns);
        assert_true((columns.known == NULL) == (cases[i].known == NULL));
        if (cases[i].known) assert_string_equal(columns.known, cases[i].known);
        assert_true((columns.cancelled_prefix == NULL) == (cases[i].prefix == NULL));
        for (size_t k = 0; k < 12 && cases[i].expected[k].column; k++)
            assert_string_equal(column_of(&columns, table, cases[i].expected[k].role),
                                cases[i].expected[k].column);
        assert_int_equal(at_order_columns_check(&columns, at_order_book_needs, NULL), AT_OK);
        table_free(table);
    }
}

static void columns_are_said(void **state) {
    (void)state;
    struct table *table = table_of("a,b,when,who\n");
    struct at_order_columns columns;
    struct at_error err;
    at_order_columns_guess(table->fields[0], 4, &columns);
    static const struct {
        const char *text, *code, *says;
    } wrong[] = {{"a", "bad_map", "ROLE=COLUMN"},
                 {"ordre_id=a", "unknown_role", "did you mean \"order_id\""},
                 {"ordre_id=a", "unknown_role", "It can be order_id, line_of, at"},
                 {"xyzzy=a", "unknown_role", "order_id, line_of, at"},
                 {"customer=a", "unknown_role", "title, cancelled_at"}, /* no second word for user_id */
                 {"Order_id=a", "unknown_role", "did you mean \"order_id\""},
                 {"order_id=c", "unknown_column", "there are a, b, when, who"}};
    for (size_t i = 0; i < AT_LENGTH(wrong); i++) {
        assert_int_equal(at_order_columns_map(&columns, wrong[i].text, &err), AT_INVALID);
        assert_string_equal(err.code, wrong[i].code);
        if (!strstr(err.message, wrong[i].says)) fail_msg("%s", err.message);
    }
    static const struct {
        const char *map, *missing;
    } steps[] = {{"coupon=a", "order_id"},
                 {"order_id=a", "--map at="},
                 {"at=when", "user_id (or email"},
                 {"email=who", "price (or line_total"}};
    for (size_t i = 0; i < AT_LENGTH(steps); i++) {
        assert_int_equal(at_order_columns_map(&columns, steps[i].map, &err), AT_OK);
        assert_int_equal(at_order_columns_check(&columns, at_order_book_needs, &err), AT_INVALID);
        if (!strstr(err.message, steps[i].missing)) fail_msg("%s: %s", steps[i].map, err.message);
    }
    assert_int_equal(at_order_columns_map(&columns, "price=B", &err), AT_OK);
    assert_int_equal(at_order_columns_check(&columns, at_order_book_needs, &err), AT_OK);
    assert_int_equal(at_order_columns_map(&columns, "price=", &err), AT_OK);
    assert_int_equal(at_order_columns_check(&columns, at_order_book_needs, &err), AT_INVALID);
    table_free(table);
}

static void likely_columns_are_only_judged(void **state) {
    (void)state;
    struct table *table =
        table_of("Basket ID,Time,Client ID,Product Code,Units,Amount,Description,Cancelled,SKU\n");
    struct at_order_columns columns;
    struct at_bytes told;
    at_bytes_init(&told, 1000);
    at_order_columns_guess(table->fields[0], table->counts[0], &columns);
    at_order_columns_tell(&columns, &told);
    assert_string_equal(told.data, "product_id=SKU");
    assert_int_equal(at_order_columns_roles(&columns), AT_ORDER_BIT(AT_ORDER_PRODUCT_ID));
    at_order_columns_guess_likely(&columns);
    at_bytes_reset(&told);
    at_order_columns_tell(&columns, &told);
    assert_string_equal(told.data,
                        "order_id=Basket ID, at=Time, user_id=Client ID, product_id=SKU, quantity=Units, "
                        "line_total=Amount, title=Description, cancelled_at=Cancelled");
    table_free(table);
    table = table_of("order_id,email,client id,price,amount\n");
    at_order_columns_guess(table->fields[0], table->counts[0], &columns);
    at_order_columns_guess_likely(&columns);
    assert_string_equal(column_of(&columns, table, AT_ORDER_LINE_TOTAL), ""); /* it may be the order's */
    assert_string_equal(column_of(&columns, table, AT_ORDER_USER_ID), "");    /* the address is surer */
    at_bytes_clear(&told);
    table_free(table);
}

/* ---- cells ---- */

static void amounts_as_people_write_them(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"2.55", 2.55},
                {"-3", -3},
                {"1,234.50", 1234.5},
                {"1.234,50", 1234.5},
                {"2,55", 2.55},
                {"1,234", 1234},
                {"1,234,567", 1234567},
                {"1.234.567", 1234567},
                {"EUR 19.99", 19.99},
                {"19.99 EUR", 19.99},
                {"\xC2\xA3"
                 "5",
                 5},
                {"(3.00)", -3},
                {"- $ 12.5", -12.5},
                {"1 234,5", 1234.5},
                {"1'234.5", 1234.5},
                {".5", 0.5},
                {",5", 0.5},
                {"0", 0},
                {"5.000", 5},
                {"123456789012345", 123456789012345},
                {"1,2345", 1.2345}};
    for (size_t i = 0; i < AT_LENGTH(good); i++) {
        double value = NAN;
        if (!at_order_number(at_text_of(good[i].text), &value) || value != good[i].value)
            fail_msg("%s: %.17g", good[i].text, value);
    }
    static const char *const bad[] = {"",    "x",       "-", "12-34", "1:2", "1e5", "1234567890123456",
                                      "1x2", "\xC2\xA3"};
    double value;
    for (size_t i = 0; i < AT_LENGTH(bad); i++)
        if (at_order_number(at_text_of(bad[i]), &value)) fail_msg("\"%s\" is %g", bad[i], value);
}

static void dates_are_guessed_where_that_is_allowed(void **state) {
    (void)state;
    struct at_order_rules guessing = {.guesses = true}, sure = {.guesses = false};
    int64_t ms, want = at_day_of(2011, 4, 30) * AT_DAY_MS;
    static const char *const dates[] = {"4/30/2011", "30/4/2011", "30.04.2011", "4/30/2011 0:00",
                                        "30.4.2011 00:00:00"},
                             *const both[] = {"2011-04-30", "2011-04-30 02:00:00 +0200",
                                              "2011-04-30T00:00:00Z"},
                             *const none[] = {"",
                                              "soon",
                                              "31/4/2011",
                                              "4-30-2011",
                                              "4/30",
                                              "4/30/11",
                                              "4/30/2011 25:00",
                                              "4/30/2011 8",
                                              "1/2/2011 8:00:00:00",
                                              "0/1/2011"};
    for (size_t i = 0; i < AT_LENGTH(dates); i++) {
        ms = 0;
        if (at_order_time(&guessing, at_text_of(dates[i]), &ms, NULL) != AT_OK || ms != want)
            fail_msg("%s: %lld", dates[i], (long long)ms);
        if (at_order_time(&sure, at_text_of(dates[i]), &ms, NULL) == AT_OK) fail_msg("%s", dates[i]);
    }
    for (size_t i = 0; i < AT_LENGTH(both); i++) {
        assert_int_equal(at_order_time(&guessing, at_text_of(both[i]), &ms, NULL), AT_OK);
        assert_int_equal(ms, want);
    }
    for (size_t i = 0; i < AT_LENGTH(none); i++)
        if (at_order_time(&guessing, at_text_of(none[i]), &ms, NULL) == AT_OK) fail_msg("%s", none[i]);
    assert_int_equal(at_order_time(&guessing, AT_TEXT("1/2/2011 8:00"), &ms, NULL), AT_OK); /* month first */
    assert_int_equal(ms, at_day_of(2011, 1, 2) * AT_DAY_MS + 8 * AT_HOUR_MS);
}

static void moments_ids_and_words(void **state) {
    (void)state;
    struct at_zone *london;
    struct at_error err = {0};
    int64_t ms;
    assert_int_equal(at_zone_load("Europe/London", &london, &err), AT_OK);
    static const struct {
        const char *format, *text, *utc;
    } good[] = {{NULL, "2010-12-01 08:26:00", "2010-12-01T08:26:00.000Z"},
                {NULL, "2011-06-01 08:26", "2011-06-01T07:26:00.000Z"},
                {NULL, "2025-10-07 09:50:26 +0200", "2025-10-07T07:50:26.000Z"},
                {NULL, "2025-10-07T09:50:26.5Z", "2025-10-07T09:50:26.500Z"},
                {NULL, "2011/06/01", "2011-05-31T23:00:00.000Z"},
                {"%d/%m/%Y %H:%M", "1/6/2011 8:26", "2011-06-01T07:26:00.000Z"}};
    for (size_t i = 0; i < AT_LENGTH(good); i++) {
        struct at_order_rules rules = {.at_format = good[i].format, .zone = london};
        char shown[AT_TIME_SIZE];
        assert_int_equal(at_order_time(&rules, at_text_of(good[i].text), &ms, &err), AT_OK);
        at_time_format(ms, shown);
        assert_string_equal(shown, good[i].utc);
    }
    struct at_order_rules plain = {.zone = NULL};
    assert_int_equal(at_order_time(&plain, AT_TEXT("01/12/2010"), &ms, &err), AT_INVALID);
    assert_non_null(strstr(err.message, "--at-format"));
    at_zone_free(london);
    assert_true(at_text_is(at_order_person_id(AT_TEXT("17850.0")), "17850"));
    assert_true(at_text_is(at_order_person_id(AT_TEXT("17850.5")), "17850.5"));
    assert_true(at_text_is(at_order_person_id(AT_TEXT("v1.0")), "v1.0") &&
                at_text_is(at_order_person_id(AT_TEXT(".0")), ".0"));
    assert_int_equal(at_order_fate(AT_TEXT("wc-Failed")), AT_ORDER_NEVER_WAS);
    assert_int_equal(at_order_fate(AT_TEXT("voided")), AT_ORDER_NEVER_WAS);
    assert_int_equal(at_order_fate(AT_TEXT("Refunded")), AT_ORDER_WHOLLY_REFUNDED);
    assert_int_equal(at_order_fate(AT_TEXT("paid")), AT_ORDER_STANDS);
    assert_int_equal(at_order_fate(AT_TEXT("")), AT_ORDER_STANDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_are_known),
        cmocka_unit_test(columns_are_said),
        cmocka_unit_test(likely_columns_are_only_judged),
        cmocka_unit_test(amounts_as_people_write_them),
        cmocka_unit_test(moments_ids_and_words),
        cmocka_unit_test(dates_are_guessed_where_that_is_allowed),
    };
    return cmocka_run_group_tests_name("columns of orders", tests, NULL, NULL);
}
