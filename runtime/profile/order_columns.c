/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns of files of orders: the exports that are known, the usual names, what a person says.
 */
#include "profile/order_columns.h"

#include <stdio.h>
#include <string.h>
#include "base/utf8.h"

/* Names are compared without case, spaces and signs: "Order ID", "order_id" and "OrderId" are one. In the
 * order they are looked for. Likely: good enough to judge by, not to write events by. */
static const struct {
    const char *name, *usual, *likely;
} roles[AT_ORDER_ROLES] = {
    [AT_ORDER_ID] = {"order_id", "orderid ordernumber orderno invoiceno invoiceid invoice order",
                     "transactionid basketid"},
    [AT_ORDER_LINE_OF] = {"line_of", "", ""},
    [AT_ORDER_AT] = {"at", "at orderedat createdat orderdate ordertime invoicedate timestamp datetime date",
                     "time transactiontimestamp"},
    [AT_ORDER_USER_ID] = {"user_id", "userid customerid customer", "clientid householdid"},
    [AT_ORDER_ANONYMOUS_ID] = {"anonymous_id", "anonymousid visitorid", ""},
    [AT_ORDER_EMAIL] = {"email", "email customeremail billingemail emailbilling emailaddress", ""},
    [AT_ORDER_PHONE] = {"phone", "phone customerphone billingphone phonebilling", ""},
    [AT_ORDER_COUNTRY] = {"country", "country countrycode billingcountry countrycodebilling",
                          "shippingcountry"},
    [AT_ORDER_PRODUCT_ID] = {"product_id", "productid sku itemsku stockcode itemid product",
                             "lineitemsku productcode articleid variantid"},
    [AT_ORDER_QUANTITY] = {"quantity", "quantity quantityrefund qty itemquantity",
                           "lineitemquantity units pieces"},
    [AT_ORDER_PRICE] = {"price", "price unitprice itemprice itemcost", "lineitemprice productprice"},
    [AT_ORDER_LINE_TOTAL] = {"line_total", "linetotal itemtotal", "amount lineamount salesvalue"},
    [AT_ORDER_REVENUE] = {"revenue", "revenue netrevenue", "subtotal ordersubtotal"},
    [AT_ORDER_DISCOUNT] = {"discount", "cartdiscountamount", "discountamount orderdiscount"},
    [AT_ORDER_REFUNDED] = {"refunded", "refundedamount refundedtotal orderrefundamount", ""},
    [AT_ORDER_REFUNDED_AT] = {"refunded_at", "refundedat", ""},
    [AT_ORDER_REFUND_OF] = {"refund_of", "refundof originalorderid", ""},
    [AT_ORDER_STATUS] = {"status", "orderstatus status", ""},
    [AT_ORDER_CURRENCY] = {"currency", "currency ordercurrency", "currencycode"},
    [AT_ORDER_COUPON] = {"coupon", "coupon couponcode discountcode", ""},
    [AT_ORDER_TITLE] = {"title", "", "title description productname lineitemname itemname producttitle"},
    [AT_ORDER_CANCELLED_AT] = {"cancelled_at", "", "cancelledat canceledat cancelled canceled"},
};

struct choice {
    enum at_order_role role;
    const char *column;
};
static const struct {
    const char *name;
    const char *signature[4]; /* columns that only it has */
    const char *cancelled_prefix;
    bool is_first_row_only;
    struct choice choices[16]; /* ends with a NULL column; what is not there is left to the usual names */
} exports[] = {
    {"Shopify",
     {"Name", "Lineitem quantity", "Lineitem price", "Created at"},
     NULL,
     true,
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
     false,
     {{AT_ORDER_ID, "Order Number"}, {AT_ORDER_QUANTITY, "Quantity"}}},
    {"WooCommerce",
     {"order_id", "order_number", "billing_email", "item_total"},
     NULL,
     false,
     {{AT_ORDER_ID, "order_id"}, {AT_ORDER_PRODUCT_ID, "item_sku"}}},
    {"UCI Online Retail",
     {"InvoiceNo", "StockCode", "UnitPrice", "CustomerID"},
     "C",
     false,
     {{AT_ORDER_ID, NULL}}},
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

/* names: apart from each other by a space. */
static void guess_role(struct at_order_columns *columns, int role, const char *names) {
    int *column = &columns->column[role];
    for (const char *at = names; *at && *column < 0;) {
        size_t length = strcspn(at, " ");
        *column = find_column(columns->header, columns->header_count, (struct at_text){at, length});
        at += length + (at[length] == ' ');
    }
}

void at_order_columns_guess(const struct at_text *header, size_t count, struct at_order_columns *out) {
    *out = (struct at_order_columns){.header = header, .header_count = count};
    for (int role = 0; role < AT_ORDER_ROLES; role++) out->column[role] = -1;
    for (size_t i = 0; i < AT_LENGTH(exports) && !out->known; i++) {
        if (!has_signature(exports[i].signature, header, count)) continue;
        out->known = exports[i].name;
        out->cancelled_prefix = exports[i].cancelled_prefix;
        out->is_first_row_only = exports[i].is_first_row_only;
        for (const struct choice *choice = exports[i].choices; choice->column; choice++)
            out->column[choice->role] = find_column(header, count, at_text_of(choice->column));
    }
    for (int role = 0; role < AT_ORDER_ROLES; role++) guess_role(out, role, roles[role].usual);
    /* Where quantities are without what was given back, it is not given back once more. */
    int quantity = out->column[AT_ORDER_QUANTITY];
    if (quantity >= 0 && is_column(header[quantity], AT_TEXT("quantityrefund")))
        out->column[AT_ORDER_REFUNDED] = -1;
}

uint32_t at_order_columns_roles(const struct at_order_columns *columns) {
    uint32_t bits = 0;
    for (int role = 0; role < AT_ORDER_ROLES; role++)
        if (columns->column[role] >= 0) bits |= AT_ORDER_BIT(role);
    return bits;
}

void at_order_columns_guess_likely(struct at_order_columns *columns) {
    uint32_t has = at_order_columns_roles(columns), moot = 0;
    if (has & AT_ORDER_BIT(AT_ORDER_PRICE)) moot = AT_ORDER_BIT(AT_ORDER_LINE_TOTAL); /* may be the order's */
    if (has & AT_ORDER_WHO) moot |= AT_ORDER_BIT(AT_ORDER_USER_ID);
    for (int role = 0; role < AT_ORDER_ROLES; role++)
        if (!(moot & AT_ORDER_BIT(role))) guess_role(columns, role, roles[role].likely);
}

/* ---- said ---- */

static enum at_status unknown_role(const char *text, size_t length, struct at_error *err) {
    const char *names[AT_ORDER_ROLES];
    char given[48], all[320] = "";
    snprintf(given, sizeof given, "%.*s", (int)(length < 44 ? length : 44), text);
    for (int i = 0; i < AT_ORDER_ROLES; i++) {
        names[i] = roles[i].name;
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = at_suggest(given, names, AT_ORDER_ROLES);
    return at_fail(err, AT_INVALID, "unknown_role",
                   near ? "a column cannot be \"%s\" — did you mean \"%s\"? It can be %s"
                        : "a column cannot be \"%s\"%s; it can be %s",
                   given, near ? near : "", all);
}

enum at_status at_order_map_read(const char *text, enum at_order_role *role, const char **column,
                                 struct at_error *err) {
    const char *equals = strchr(text, '=');
    if (!equals)
        return at_fail(err, AT_INVALID, "bad_map",
                       "a mapping is ROLE=COLUMN, such as order_id=InvoiceNo, not \"%.60s\"", text);
    struct at_text word = {text, (size_t)(equals - text)};
    *column = equals + 1;
    for (int i = 0; i < AT_ORDER_ROLES; i++) {
        *role = (enum at_order_role)i;
        if (at_text_is(word, roles[i].name)) return AT_OK;
    }
    return unknown_role(text, word.length, err);
}

/* "a, b, c" of the header, as far as there is room. */
static void list_columns(const struct at_order_columns *columns, char *out, size_t size) {
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < columns->header_count && used + columns->header[i].length + 8 < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", i ? ", " : "",
                                 (int)columns->header[i].length, columns->header[i].data);
}

enum at_status at_order_columns_map(struct at_order_columns *columns, const char *text,
                                    struct at_error *err) {
    enum at_order_role role;
    const char *column;
    char all[360];
    enum at_status status = at_order_map_read(text, &role, &column, err);
    if (status != AT_OK) return status;
    columns->column[role] =
        *column ? find_column(columns->header, columns->header_count, at_text_of(column)) : -1;
    if (!*column || columns->column[role] >= 0) return AT_OK;
    list_columns(columns, all, sizeof all);
    return at_fail(err, AT_INVALID, "unknown_column", "there is no column \"%.60s\"; there are %s", column,
                   all);
}

enum at_status at_order_columns_check(const struct at_order_columns *columns,
                                      const struct at_order_need *needs, struct at_error *err) {
    char all[320];
    while (needs->roles & at_order_columns_roles(columns)) needs++;
    if (!needs->roles) return AT_OK;
    list_columns(columns, all, sizeof all);
    return at_fail(err, AT_INVALID, "missing_column",
                   "say which column is %s: --map %.*s=COLUMN; there are %s", needs->word,
                   (int)strcspn(needs->word, " "), needs->word, all);
}

void at_order_columns_tell(const struct at_order_columns *columns, struct at_bytes *out) {
    for (int role = 0; role < AT_ORDER_ROLES; role++) {
        if (columns->column[role] < 0) continue;
        struct at_text name = columns->header[columns->column[role]];
        at_bytes_printf(out, "%s%s=%.*s", out->length ? ", " : "", roles[role].name, (int)name.length,
                        name.data);
    }
}
