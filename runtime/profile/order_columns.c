/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns of files of orders: the exports that are known, the usual names, what a person says.
 */
#include "profile/order_columns.h"

#include <stdio.h>
#include <string.h>
#include "base/utf8.h"

/* Names are compared without case, spaces and signs: "Order ID", "order_id" and "OrderId" are one. In the
 * order they are looked for. */
static const struct {
    const char *name, *usual;
} roles[AT_ORDER_ROLES] = {
    [AT_ORDER_ID] = {"order_id", "orderid ordernumber orderno invoiceno invoiceid invoice order"},
    [AT_ORDER_LINE_OF] = {"line_of", ""},
    [AT_ORDER_AT] = {"at", "at orderedat createdat orderdate ordertime invoicedate timestamp datetime date"},
    [AT_ORDER_USER_ID] = {"user_id", "userid customerid customer"},
    [AT_ORDER_ANONYMOUS_ID] = {"anonymous_id", "anonymousid visitorid"},
    [AT_ORDER_EMAIL] = {"email", "email customeremail billingemail emailbilling emailaddress"},
    [AT_ORDER_PHONE] = {"phone", "phone customerphone billingphone phonebilling"},
    [AT_ORDER_COUNTRY] = {"country", "country countrycode billingcountry countrycodebilling"},
    [AT_ORDER_PRODUCT_ID] = {"product_id", "productid sku itemsku stockcode itemid product"},
    [AT_ORDER_QUANTITY] = {"quantity", "quantity quantityrefund qty itemquantity"},
    [AT_ORDER_PRICE] = {"price", "price unitprice itemprice itemcost"},
    [AT_ORDER_LINE_TOTAL] = {"line_total", "linetotal itemtotal"},
    [AT_ORDER_REVENUE] = {"revenue", "revenue netrevenue"},
    [AT_ORDER_DISCOUNT] = {"discount", "cartdiscountamount"},
    [AT_ORDER_REFUNDED] = {"refunded", "refundedamount refundedtotal orderrefundamount"},
    [AT_ORDER_REFUNDED_AT] = {"refunded_at", "refundedat"},
    [AT_ORDER_REFUND_OF] = {"refund_of", "refundof originalorderid"},
    [AT_ORDER_STATUS] = {"status", "orderstatus status"},
    [AT_ORDER_CURRENCY] = {"currency", "currency ordercurrency"},
    [AT_ORDER_COUPON] = {"coupon", "coupon couponcode discountcode"},
};

struct choice {
    enum at_order_role role;
    const char *column;
};
static const struct {
    const char *name;
    const char *signature[4]; /* columns that only it has */
    const char *cancelled_prefix;
    struct choice choices[16]; /* ends with a NULL column; what is not there is left to the usual names */
} exports[] = {
    {"Shopify",
     {"Name", "Lineitem quantity", "Lineitem price", "Created at"},
     NULL,
     {{AT_ORDER_LINE_OF, "Name"},
      {AT_ORDER_ID, "Id"},
      {AT_ORDER_AT, "Created at"},
      {AT_ORDER_EMAIL, "Email"},
      {AT_ORDER_PHONE, "Phone"},
      {AT_ORDER_COUNTRY, "Billing Country"},
      {AT_ORDER_PRODUCT_ID, "Lineitem sku"},
      {AT_ORDER_QUANTITY, "Lineitem quantity"},
      {AT_ORDER_PRICE, "Lineitem price"},
      {AT_ORDER_REVENUE, "Subtotal"},
      {AT_ORDER_REFUNDED, "Refunded Amount"},
      {AT_ORDER_REFUNDED_AT, "Cancelled at"},
      {AT_ORDER_STATUS, "Financial Status"}}},
    {"WooCommerce",
     {"Order Number", "Order Date", "Email (Billing)", "Item Cost"},
     NULL,
     {{AT_ORDER_ID, "Order Number"}, {AT_ORDER_QUANTITY, "Quantity"}}},
    {"WooCommerce",
     {"order_id", "order_number", "billing_email", "item_total"},
     NULL,
     {{AT_ORDER_ID, "order_id"}, {AT_ORDER_PRODUCT_ID, "item_sku"}}},
    {"UCI Online Retail", {"InvoiceNo", "StockCode", "UnitPrice", "CustomerID"}, "C", {{AT_ORDER_ID, NULL}}},
};

const char *at_order_role_name(enum at_order_role role) {
    return roles[role].name;
}

static size_t plain_name(struct at_text name, char *out, size_t size) {
    size_t length = 0;
    for (size_t i = 0; i < name.length && length + 1 < size; i++) {
        char c = name.data[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out[length++] = c;
    }
    out[length] = 0;
    return length;
}

static bool is_column(struct at_text name, struct at_text wanted) {
    char a[80], b[80];
    return plain_name(name, a, sizeof a) && plain_name(wanted, b, sizeof b) && strcmp(a, b) == 0;
}

static int find_column(const struct at_text *header, size_t count, struct at_text name) {
    for (size_t i = 0; i < count; i++)
        if (at_text_equal(header[i], name)) return (int)i;
    for (size_t i = 0; i < count; i++)
        if (is_column(header[i], name)) return (int)i;
    return -1;
}

static bool has_signature(const char *const *signature, const struct at_text *header, size_t count) {
    for (int i = 0; i < 4; i++)
        if (find_column(header, count, at_text_of(signature[i])) < 0) return false;
    return true;
}

static void guess_usual(const struct at_text *header, size_t count, enum at_order_role role, int *column) {
    for (const char *at = roles[role].usual; *at && *column < 0;) {
        size_t length = strcspn(at, " ");
        *column = find_column(header, count, (struct at_text){at, length});
        at += length + (at[length] == ' ');
    }
}

void at_order_columns_guess(const struct at_text *header, size_t count, struct at_order_columns *out) {
    *out = (struct at_order_columns){.known = NULL};
    for (int role = 0; role < AT_ORDER_ROLES; role++) out->column[role] = -1;
    for (size_t i = 0; i < AT_LENGTH(exports) && !out->known; i++) {
        if (!has_signature(exports[i].signature, header, count)) continue;
        out->known = exports[i].name;
        out->cancelled_prefix = exports[i].cancelled_prefix;
        for (const struct choice *choice = exports[i].choices; choice->column; choice++)
            out->column[choice->role] = find_column(header, count, at_text_of(choice->column));
    }
    for (int role = 0; role < AT_ORDER_ROLES; role++)
        guess_usual(header, count, (enum at_order_role)role, &out->column[role]);
    /* Where quantities are without what was given back, it is not given back once more. */
    int quantity = out->column[AT_ORDER_QUANTITY];
    if (quantity >= 0 && is_column(header[quantity], AT_TEXT("quantityrefund")))
        out->column[AT_ORDER_REFUNDED] = -1;
}

/* ---- said ---- */

static enum at_status unknown_role(const char *text, size_t length, struct at_error *err) {
    const char *names[AT_ORDER_ROLES];
    char given[64], all[320] = "";
    snprintf(given, sizeof given, "%.*s", (int)(length < 60 ? length : 60), text);
    for (int i = 0; i < AT_ORDER_ROLES; i++) {
        names[i] = roles[i].name;
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = at_suggest(given, names, AT_ORDER_ROLES);
    return near ? at_fail(err, AT_INVALID, "unknown_role",
                          "a column is not mapped to \"%s\" — did you mean \"%s\"?", given, near)
                : at_fail(err, AT_INVALID, "unknown_role", "a column is mapped to one of %s, not to \"%s\"",
                          all, given);
}

/* "a, b, c" of the header, as far as there is room. */
static void list_columns(const struct at_text *header, size_t count, char *out, size_t size) {
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < count && used + header[i].length + 8 < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", i ? ", " : "", (int)header[i].length,
                                 header[i].data);
}

enum at_status at_order_columns_map(struct at_order_columns *columns, const struct at_text *header,
                                    size_t count, const char *text, struct at_error *err) {
    const char *equals = strchr(text, '=');
    char all[360];
    if (!equals)
        return at_fail(err, AT_INVALID, "bad_map",
                       "a mapping is ROLE=COLUMN, such as order_id=InvoiceNo, not \"%.60s\"", text);
    size_t length = (size_t)(equals - text);
    for (int role = 0; role < AT_ORDER_ROLES; role++) {
        if (!at_text_is((struct at_text){text, length}, roles[role].name)) continue;
        columns->column[role] = equals[1] ? find_column(header, count, at_text_of(equals + 1)) : -1;
        if (!equals[1] || columns->column[role] >= 0) return AT_OK;
        list_columns(header, count, all, sizeof all);
        return at_fail(err, AT_INVALID, "unknown_column", "there is no column \"%.60s\"; there are %s",
                       equals + 1, all);
    }
    return unknown_role(text, length, err);
}

enum at_status at_order_columns_check(const struct at_order_columns *columns, const struct at_text *header,
                                      size_t count, struct at_error *err) {
    const int *at = columns->column;
    bool has_who = at[AT_ORDER_USER_ID] >= 0 || at[AT_ORDER_ANONYMOUS_ID] >= 0 || at[AT_ORDER_EMAIL] >= 0 ||
                   at[AT_ORDER_PHONE] >= 0,
         has_money = at[AT_ORDER_PRICE] >= 0 || at[AT_ORDER_LINE_TOTAL] >= 0 || at[AT_ORDER_REVENUE] >= 0;
    const char *missing = at[AT_ORDER_ID] < 0 && at[AT_ORDER_LINE_OF] < 0 ? "order_id"
                          : at[AT_ORDER_AT] < 0                           ? "at"
                          : !has_who   ? "user_id (or email, phone, anonymous_id)"
                          : !has_money ? "price (or line_total, revenue)"
                                       : NULL;
    char all[320];
    if (!missing) return AT_OK;
    list_columns(header, count, all, sizeof all);
    return at_fail(err, AT_INVALID, "missing_column",
                   "say which column is %s: --map %.*s=COLUMN; there are %s", missing,
                   (int)strcspn(missing, " "), missing, all);
}
