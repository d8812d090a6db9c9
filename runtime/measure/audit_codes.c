/* SPDX-License-Identifier: Apache-2.0
 *
 * What each finding is called, how much it spoils and why, and what to do about it: words for people, in one
 * table. Findings of one deed are put right together, so that it stands once in what to do next.
 */
#include "measure/audit_internal.h"

enum deed {
    MEND_EXPORT,   /* the file itself */
    NAME_BUYERS,   /* who bought */
    RETURNS,       /* given back, cancelled */
    MEND_EVENTS,   /* what the sender writes */
    IDENTIFY,      /* sign-ins */
    RULES,         /* identity { … } of shop.lua */
    CLOCKS,        /* when */
    CONSENT,       /* purposes */
    MONEY,         /* what orders say */
    ONE_CURRENCY,  /* of orders */
    ORDER_IDS,     /* of orders */
    CUSTOMER_DATA, /* people's records at the source */
    FEED_PRICES,   /* what products need to be sold */
    FEED_WORDS,    /* what they need to be shown */
    FEED_IDS,      /* one id of a product everywhere */
    FEED_TIMES     /* when they changed */
};

#define LOW    AT_SEVERITY_LOW
#define MEDIUM AT_SEVERITY_MEDIUM
#define HIGH   AT_SEVERITY_HIGH

const struct definition audit_definitions[CODES] = {
    [ROWS_UNREADABLE] = {"rows_unreadable", "rows that cannot be read", "rows", OF_ROWS, HIGH, MEND_EXPORT,
                         "They are left out of every other figure.",
                         "Export the file anew as CSV or JSON lines in UTF-8, and look at the rows named."},
    [LINES_WITHOUT_CUSTOMER] =
        {"lines_without_customer", "order lines without a customer", "order lines", OF_LINES, HIGH,
         NAME_BUYERS, "Nothing can be learned from them about anybody, and nobody can be written to.",
         "Find out who bought: export guest orders with the e-mail they were placed "
         "with, and import that as the customer."},
    [LINES_CANCELLED] = {"lines_cancelled", "lines of cancelled orders", "order lines", OF_LINES, LOW,
                         RETURNS, "Taken as sales they count money that was given back.",
                         "Import them as Order Refunded or Order Cancelled, not as orders."},
    [LINES_REPEATED] =
        {"lines_repeated", "order lines that are there more than once", "order lines", OF_LINES, MEDIUM,
         MEND_EXPORT,
         "Every cell is the same: either the line was bought twice or the export tells it twice.",
         "Look at the orders named; if they are copies, leave repeated lines out when importing."},
    [LINES_PRICE] = {"lines_price_not_positive", "order lines with a price of zero or below", "order lines",
                     OF_LINES, MEDIUM, MEND_EXPORT,
                     "Samples, corrections and write-offs look like sales at no price.",
                     "Leave them out of the import, or give them the event they are: no order."},
    [LINES_QUANTITY] = {"lines_quantity_not_positive",
                        "order lines with no quantity, or a negative one without a cancellation",
                        "order lines", OF_LINES, MEDIUM, MEND_EXPORT,
                        "They are stock corrections or returns that do not say so.",
                        "Leave corrections out; import returns as Order Refunded."},
    [LINES_NUMBER] = {"lines_bad_number", "order lines whose price or quantity is no number", "order lines",
                      OF_LINES, HIGH, MEND_EXPORT, "Their money is unknown.", "Export numbers like 1234.50."},
    [LINES_TIME] = {"lines_bad_time", "order lines without a time that can be right", "order lines", OF_LINES,
                    MEDIUM, MEND_EXPORT, "What happened before and after cannot be told.",
                    "Export times like 2026-11-26 10:00:00."},
    [LINES_WITHOUT_PRODUCT] = {"lines_without_product", "order lines without a product", "order lines",
                               OF_LINES, MEDIUM, MEND_EXPORT,
                               "Nothing is learned about any product from them.",
                               "Export the product's id or SKU with every line."},
    [LINES_WITHOUT_TITLE] = {"lines_without_title", "order lines without a description", "order lines",
                             OF_LINES, LOW, FEED_WORDS, "Often these are corrections, not sales.",
                             "Look at the orders named; take titles from the catalog instead of the lines."},
    [LINES_NO_PRODUCT] = {"lines_no_product", "order lines whose product code is no product's", "order lines",
                          OF_LINES, LOW, MEND_EXPORT,
                          "Postage, fees and vouchers would be recommended like products.",
                          "Leave the codes named out when importing, or put them into no catalog."},
    [ORDERS_SEVERAL_CUSTOMERS] =
        {"orders_several_customers", "orders with more than one customer", "orders", OF_ORDERS, HIGH,
         NAME_BUYERS, "Whose order it is cannot be known.",
         "Look at the orders named, and whether the column taken as the order is the right one."},
    [CUSTOMERS_COUNTRIES] = {"customers_several_countries", "customers with more than one country",
                             "customers", OF_PEOPLE, LOW, CUSTOMER_DATA,
                             "The country decides which consent rules hold, and delivery.",
                             "Look at the customers named: several people may share a number."},
    [PRODUCTS_TITLES] =
        {"products_several_titles", "products with more than one description", "products", OF_PRODUCTS, LOW,
         FEED_IDS, "Titles were changed, or one code was given to two products.",
         "Take the titles from the catalog, and look whether the codes named were used again."},
    [CANCELLED_UNBOUGHT] = {"cancelled_more_than_bought",
                            "customers who gave back more of a product than they bought", "pairs", OF_PAIRS,
                            LOW, RETURNS,
                            "The sale lies before the first order in the file, or was cancelled twice.",
                            "Export from an earlier day on, so that sales and returns are both there."},

    [EVENTS_WITHOUT_ID] = {"events_without_identity", "events without any identity", "events", OF_MESSAGES,
                           HIGH, IDENTIFY, "They are refused: nobody knows whose they are.",
                           "Send anonymousId with every event from a page and userId with every event from a "
                           "server."},
    [EVENTS_REFUSED] = {"events_refused", "events that are none", "events", OF_MESSAGES, HIGH, MEND_EVENTS,
                        "They are refused and count nowhere.",
                        "Correct the sender: the codes say what is wrong, the lines where."},
    [IDS_NOBODY] = {"ids_that_name_nobody", "events with an id such as null, 0 or guest", "events", OF_EVENTS,
                    MEDIUM, IDENTIFY, "The id is left out, so the event is an anonymous one, or nobody's.",
                    "Leave userId out while nobody is signed in, instead of sending a word for nobody."},
    [EVENTS_DUPLICATE] =
        {"events_duplicate", "events that came twice", "events", OF_MESSAGES, LOW, MEND_EVENTS,
         "They count once: only the sender's work is lost.",
         "Nothing has to be done; many of them mean that a sender does not wait for its answer."},
    [EVENTS_CONFLICT] = {"events_conflict", "events whose messageId another event had", "events", OF_MESSAGES,
                         HIGH, MEND_EVENTS, "The later one counts nowhere: it is lost.",
                         "Make a new messageId for every event; one for every order or page is none."},
    [EVENTS_WITHOUT_MESSAGE] = {"events_without_message_id", "events without a messageId", "events",
                                OF_EVENTS, LOW, MEND_EVENTS, "Sent twice, they count twice.",
                                "Give every event a messageId of its own; the SDKs do."},
    [CLOCKS_WRONG] =
        {"clocks_wrong", "events from clocks that are wrong by more than 5 minutes", "events", OF_EVENTS, LOW,
         CLOCKS, "attune corrects those that say when they were sent; others lie in the wrong visit.",
         "Send originalTimestamp and sentAt with every event, so that the clock can be corrected."},
    [EVENTS_FUTURE] = {"events_from_the_future", "events from the future", "events", OF_EVENTS, MEDIUM,
                       CLOCKS, "They count for now, whenever they happened.",
                       "Look at the clock and the time zone of the sender: times are in UTC."},
    [EVENTS_LATE] = {"events_late", "events that came more than an hour after they happened", "events",
                     OF_EVENTS, LOW, CLOCKS,
                     "What is decided meanwhile does not know of them; an imported past is late, too.",
                     "Send events as they happen, from a queue that is emptied at least every few minutes."},
    [NAMES_MISSPELT] = {"event_names_misspelt", "events whose name is nearly one that is known", "events",
                        OF_EVENTS, HIGH, MEND_EVENTS,
                        "Under that name they mean nothing: no view, no basket, no order comes of them.",
                        "Rename them at the sender as suggested."},
    [EVENTS_PRODUCT] =
        {"events_unknown_product", "events about products that the catalog does not have", "events",
         OF_EVENTS, MEDIUM, FEED_IDS, "No taste is learned from them and the products cannot be shown.",
         "Send the same product id in events and in the catalog, or import the products missing."},
    [EVENTS_UNSAID] = {"events_without_consent", "events of people who had said nothing about consent",
                       "events", OF_EVENTS, MEDIUM, CONSENT,
                       "Where a yes is needed nothing may be learned from them or kept.",
                       "Send context.consent.categoryPreferences with every event, from the consent banner."},
    [EVENTS_WITHHELD] = {"events_withheld", "events withheld for want of consent", "events", OF_MESSAGES, LOW,
                         CONSENT, "As it should be: they were counted, nothing else of them is kept.",
                         "If there are more than who said no, the yes does not reach attune: send "
                         "context.consent with the first event after the banner."},

    [ORDERS_WITHOUT_ID] = {"orders_without_id", "orders without an order_id", "orders", OF_ORDERS, HIGH,
                           ORDER_IDS, "Told twice they count twice, and no refund finds them.",
                           "Send order_id with Order Completed, the same from page and server."},
    [ORDERS_NOBODY] = {"orders_without_identity", "orders of people nobody knows", "orders", OF_ORDERS, HIGH,
                       NAME_BUYERS, "Nobody can be written to, and the next order is somebody else's.",
                       "Send userId or the e-mail with Order Completed: who pays has told who they are."},
    [ORDERS_LOOSE] = {"orders_without_visit", "orders of people without a visit before them", "orders",
                      OF_ORDERS, HIGH, IDENTIFY,
                      "What led to them is unknown: no list, no message can be credited with that revenue.",
                      "Send anonymousId with the order, too, or identify with both ids at checkout."},
    [ORDERS_CURRENCY] = {"orders_without_currency", "orders without a currency", "orders", OF_ORDERS, MEDIUM,
                         ONE_CURRENCY, "They are taken to be in the shop's currency.",
                         "Send currency with every order, such as \"EUR\"."},
    [ORDERS_OTHER_CURRENCY] = {"orders_other_currency", "orders in another currency than most", "orders",
                               OF_ORDERS, HIGH, ONE_CURRENCY,
                               "Amounts are added up as they are, whatever the currency.",
                               "Convert amounts to the shop's currency before they are sent."},
    [ORDERS_EMPTY] = {"orders_without_items", "orders without products", "orders", OF_ORDERS, MEDIUM, MONEY,
                      "What was bought is unknown: no taste, no accessory, no reminder comes of it.",
                      "Send products with product_id, price and quantity in Order Completed."},
    [ORDERS_SUM] =
        {"orders_sum_differs", "orders whose products do not add up to their revenue", "orders", OF_ORDERS,
         MEDIUM, MONEY,
         "revenue is what was paid for the products: after discounts, before tax and shipping.",
         "Send revenue as the sum of price and quantity less discount; the parts say what it is now."},
    [ORDERS_WITHOUT_REVENUE] =
        {"orders_without_revenue", "orders without revenue", "orders", OF_ORDERS, HIGH, MONEY,
         "They count as orders without money.",
         "Send revenue, or price and quantity of every product, with Order Completed."},
    [ORDERS_NOT_POSITIVE] = {"orders_not_positive", "orders with a total of zero or below", "orders",
                             OF_ORDERS, MEDIUM, MONEY, "They pull down what an order is worth.",
                             "Send refunds as Order Refunded, and no tests or samples as orders."},
    [ORDERS_ENORMOUS] = {"orders_enormous", "orders of more than 100 times the usual", "orders", OF_ORDERS,
                         MEDIUM, MONEY,
                         "One of them outweighs an experiment: a test, or cents for whole money.",
                         "Look at the orders named; refund them if they are no sales."},
    [ORDERS_TWICE] = {"orders_told_twice", "orders that were told more than once", "orders", OF_ORDERS, LOW,
                      ORDER_IDS, "The first counts. Where the amounts differ, one of them is wrong.",
                      "Let one sender tell of orders, the server; the parts say how many differ."},
    [REFUNDS_ORPHAN] = {"refunds_without_order", "refunds of orders that are not there", "refunds",
                        OF_REFUNDS, MEDIUM, RETURNS, "They wait for their order and are taken off nothing.",
                        "Import the orders before them, and send the order's own order_id with a refund."},
    [REFUNDS_LARGE] = {"refunds_above_order", "orders with more refunded than they brought", "orders",
                       OF_ORDERS, MEDIUM, RETURNS, "Revenue after refunds falls below zero.",
                       "Send refund amounts before tax and shipping, each refund once with a refund_id."},

    [PEOPLE_CONFLICT] = {"people_conflicting", "people with more than one user id or e-mail", "people",
                         OF_PEOPLE, MEDIUM, CUSTOMER_DATA,
                         "Either one customer has two accounts, or two customers have become one person.",
                         "Look at the people named with attune identity explain, and take apart who is two."},
    [PEOPLE_COUNTRY] = {"people_country_flips", "people whose country goes to and fro", "people", OF_PEOPLE,
                        LOW, CUSTOMER_DATA, "The country decides which consent rules hold.",
                        "Send the country from the account, not from the network address."},
    [PEOPLE_TRAITS] = {"people_traits_disagree", "people of whom two devices say different things", "people",
                       OF_PEOPLE, LOW, CUSTOMER_DATA, "What was said last holds, whichever is right.",
                       "Let one system say names, birthdays and the like: the one where people change them."},
    [PEOPLE_LIMIT] =
        {"people_at_limits", "people who may have no further identifier of a kind", "people", OF_PEOPLE, LOW,
         RULES, "Their next browser or address is left out of its events.",
         "Look at the people named; raise the limit in identity { kinds } if they are customers."},
    [PEOPLE_MERGED] =
        {"people_merged_often", "people that ten or more others became", "people", OF_PEOPLE, LOW, RULES,
         "Usually one id is sent for many people.",
         "Look at the people named with attune identity explain, and block the value they share."},
    [SHARED_BROWSERS] = {"shared_browsers", "browsers on which three or more people signed in", "browsers",
                         OF_BROWSERS, MEDIUM, RULES,
                         "A shared computer, a till, or an id that is sent for everybody.",
                         "Reset the SDK when somebody signs out; block ids that are sent for everybody."},
    [SHARED_ADDRESSES] =
        {"shared_addresses", "e-mails and phones of more than one user id", "addresses", OF_ADDRESSES, MEDIUM,
         RULES, "Two accounts of one customer, or an address that is nobody's.",
         "Block addresses of tills and tests in identity { blocked }; merge double accounts."},
    [IDENTIFIERS_APART] = {"identifiers_taken_apart", "identifiers that were taken apart by hand",
                           "identifiers", OF_IDENTIFIERS, LOW, RULES, "Somebody had a stranger's past.",
                           "If it happens again, try stricter rules with attune identity rehearse."},
    [IDENTIFIERS_OVER] =
        {"identifiers_over_limit", "identifiers left out because the person may have no more", "identifiers",
         OF_IDENTIFIERS, LOW, RULES, "Shared computers and addresses, mostly.",
         "Look whether they are customers' own: then raise the limit in identity { kinds }."},
    [CONSENT_UNKNOWN] =
        {"consent_unknown", "people of whom a purpose of consent is unknown", "people", OF_PEOPLE, MEDIUM,
         CONSENT, "Where a yes is needed they cannot be written to, nor anything be learned.",
         "Import the consents the shop has with POST /v1/customers/…/consent, and ask the rest."},
    [VISITS_UNKNOWN] =
        {"visits_not_recognised", "visits of people nobody knew then", "visits", OF_VISITS, HIGH, IDENTIFY,
         "They see what a stranger sees, and nobody can be reminded of a basket.",
         "Give people a reason to sign in or leave an e-mail early, and call identify when they do."},

    [PRODUCTS_PRICE] = {"products_without_price", "products without a price", "products", OF_PRODUCTS, HIGH,
                        FEED_PRICES, "Rules about price and margin do not see them.",
                        "Import the feed with a price for every product."},
    [PRODUCTS_PRICE_ZERO] = {"products_price_not_positive", "products with a price of zero or below",
                             "products", OF_PRODUCTS, HIGH, FEED_PRICES, "Sorted by price they come first.",
                             "Correct the price in the shop, or retire samples and vouchers."},
    [PRODUCTS_STOCK] = {"products_without_stock", "products without a stock", "products", OF_PRODUCTS, HIGH,
                        FEED_PRICES, "A rail that hides what is sold out hides them, or shows what is gone.",
                        "Send stock with the feed and PATCH it with every sale."},
    [PRODUCTS_TITLE] = {"products_without_title", "products without a title", "products", OF_PRODUCTS, HIGH,
                        FEED_WORDS, "They are shown without a name.",
                        "Import the feed with a title for every product."},
    [PRODUCTS_IMAGE] = {"products_without_picture", "products without a picture", "products", OF_PRODUCTS,
                        HIGH, FEED_WORDS, "What cannot be seen is not bought.",
                        "Import the feed with an image for every product."},
    [PRODUCTS_DESCRIPTION] = {"products_without_description", "products without a description", "products",
                              OF_PRODUCTS, MEDIUM, FEED_WORDS,
                              "Search by words and copy have nothing to go by.",
                              "Import the feed with a description for every product."},
    [PRODUCTS_CATEGORY] = {"products_without_category", "products without a category", "products",
                           OF_PRODUCTS, MEDIUM, FEED_WORDS,
                           "They are on no category page, and no taste finds them.",
                           "Import the feed with a category for every product."},
    [PRODUCTS_BRAND] = {"products_without_brand", "products without a brand", "products", OF_PRODUCTS, LOW,
                        FEED_WORDS, "No taste for a brand finds them.",
                        "Import the feed with a brand for every product, your own included."},
    [PRODUCTS_TITLE_TWICE] = {"products_same_title", "products with a title that another one has", "products",
                              OF_PRODUCTS, LOW, FEED_WORDS,
                              "A list shows the same twice; often they are variants.",
                              "Import variants within one product, or say in the title what differs."},
    [PRODUCTS_LIST_PRICE] = {"products_list_price_below_price",
                             "products whose list price is below their price", "products", OF_PRODUCTS, LOW,
                             FEED_PRICES, "The discount shown would be none.",
                             "Send list_price only while it is above price."},
    [PRODUCTS_STALE] = {"products_stale", "products that were last updated more than 30 days ago", "products",
                        OF_PRODUCTS, LOW, FEED_TIMES, "Price and stock may be those of last month.",
                        "Import the feed daily, and retire what it no longer has with --complete."},
    [PRODUCTS_UNDATED] = {"products_without_updated_at", "products that do not say when they changed",
                          "products", OF_PRODUCTS, LOW, FEED_TIMES,
                          "An older feed that comes late overwrites a newer stock.",
                          "Send updated_at with the feed and with every PATCH."},
};

const char *at_severity_word(enum at_severity severity) {
    static const char *const words[] = {"low", "medium", "high"};
    return words[severity];
}
