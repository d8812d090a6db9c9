/* SPDX-License-Identifier: Apache-2.0
 *
 * The owners of words, each with its list: the table that vocabulary.h promises.
 */
#include "language/vocabulary_words.h"

static const struct at_owner owners[] = {
    {"", AT_OWNER_GLOBALS, "", "Words that stand by themselves.", words_of_globals, NULL, NULL},

    {"Product", AT_OWNER_VIEW, "a product",
     "The product a rule looks at. Every attribute of the catalog can be read besides; price, list_price, "
     "cost, stock, rating, released, title, brand, category and tags are known to every shop.",
     words_of_product, "any", "Attribute"},
    {"Customer", AT_OWNER_VIEW, "customer", "The customer, to be read.", words_of_customer, NULL, NULL},
    {"Traits", AT_OWNER_VIEW, "customer.traits", "What is known of the customer besides.", words_of_traits,
     "any", NULL},
    {"Session", AT_OWNER_VIEW, "customer.session", "The visit going on, or else the last one.",
     words_of_session, NULL, NULL},
    {"Acquired", AT_OWNER_VIEW, "customer.acquired", "The very first visit.", words_of_acquired, NULL, NULL},
    {"Orders", AT_OWNER_VIEW, "customer.orders", "What the customer ordered.", words_of_orders, NULL, NULL},
    {"Basket", AT_OWNER_VIEW, "customer.basket", "What is in the basket.", words_of_basket, NULL, NULL},
    {"Item", AT_OWNER_VIEW, "an item", "A line of a basket or an event.", words_of_item, "any", ""},
    {"Affinity", AT_OWNER_VIEW, "customer.affinity", "Learned taste, by attribute.", words_of_nothing,
     "Taste", "Attribute"},
    {"Taste", AT_OWNER_VIEW, "a taste", "Learned taste over one attribute: 0 to 1 for each of its values.",
     words_of_taste, "number", NULL},
    {"Consent", AT_OWNER_VIEW, "customer.consent", "What the customer said, by purpose.", words_of_nothing,
     "Answer", "Purpose"},
    {"Page", AT_OWNER_VIEW, "page", "The page that asks; empty in a message.", words_of_page, NULL, NULL},
    {"Event", AT_OWNER_VIEW, "an event", "Something that happened; its properties are its fields.",
     words_of_event, "any", NULL},

    {"Ranking", AT_OWNER_TABLE, "a ranking", "Fields of ranking \"name\" { … }.", words_of_ranking, NULL,
     NULL},
    {"Diversify", AT_OWNER_TABLE, "ranking.diversify", "How many alike may stand close together.",
     words_of_diversify, NULL, NULL},
    {"Rail", AT_OWNER_TABLE, "a rail",
     "Fields of rail \"name\" { … }: one of hide, only, bury and pin at least.", words_of_rail, NULL, NULL},
    {"Segment", AT_OWNER_TABLE, "a segment", "Fields of segment \"name\" { … }.", words_of_segment, NULL,
     NULL},
    {"Window", AT_OWNER_TABLE, "this question", "How far back a question looks.", words_of_window, NULL,
     NULL},

    {"Test", AT_OWNER_TABLE, "a test", "Fields of test \"name\" { … }.", words_of_test, NULL, NULL},
    {"Given", AT_OWNER_TABLE, "given", "Who and what there is when a test begins.", words_of_given, NULL,
     NULL},
    {"GivenCustomer", AT_OWNER_TABLE, "given.customer",
     "The customer of a test, with an address, a phone and every consent unless it says otherwise; "
     "identifiers "
     "of the shop's own kinds besides.",
     words_of_given_customer, "any", NULL},
    {"GivenOrders", AT_OWNER_TABLE, "given.customer.orders", "What the customer of a test ordered.",
     words_of_given_orders, NULL, NULL},
    {"GivenSession", AT_OWNER_TABLE, "given.customer.session", "The visit of the customer of a test.",
     words_of_given_session, NULL, NULL},
    {"World", AT_OWNER_VIEW, "world", "The world of a test: time is its own, nothing leaves it.",
     words_of_world, NULL, NULL},
    {"ListAsk", AT_OWNER_TABLE, "an ask", "What a list is asked for.", words_of_list_ask, NULL, NULL},
    {"Decision", AT_OWNER_TABLE, "a decision", "Several asks of one page.", words_of_decision, NULL, NULL},
    {"Expectation", AT_OWNER_VIEW, "expect", "What is expected of a value.", words_of_expectation, NULL,
     NULL},
    {"Keeps", AT_OWNER_TABLE, "keeps", "How often a value may come among neighbours.", words_of_keeps, NULL,
     NULL},

    {"Shop", AT_OWNER_TABLE, "shop", "Fields of shop \"name\" { … }.", words_of_shop, NULL, NULL},
    {"Keys", AT_OWNER_TABLE, "keys", "Fields of keys { … }.", words_of_keys, NULL, NULL},
    {"Attributes", AT_OWNER_TABLE, "attributes", "Attributes with their kinds: rating = \"number\".",
     words_of_nothing, "AttributeKind", NULL},
    {"ConsentRules", AT_OWNER_TABLE, "consent", "A rule for each purpose.", words_of_consent_rules,
     "ConsentRule|ConsentRegions", NULL},
    {"ConsentRegions", AT_OWNER_TABLE, "a purpose of consent", "A rule for each region.",
     words_of_consent_regions, NULL, NULL},
    {"Identity", AT_OWNER_TABLE, "identity", "Fields of identity { … }.", words_of_identity, NULL, NULL},
    {"IdentityKind", AT_OWNER_TABLE, "a kind of identity", "How many of a kind one person may have.",
     words_of_identity_kind, NULL, NULL},
    {"Budgets", AT_OWNER_TABLE, "budgets", "Fields of budgets { … }.", words_of_budgets, NULL, NULL},
    {"Retention", AT_OWNER_TABLE, "retention", "Events with the time they are kept: page_viewed = \"90d\".",
     words_of_nothing, "string", NULL},
    {"Sources", AT_OWNER_TABLE, "sources", "Fields of sources { … }.", words_of_sources, NULL, NULL},
    {"ShopifySource", AT_OWNER_TABLE, "sources.shopify", "Fields of sources { shopify = { … } }.",
     words_of_shopify, NULL, NULL},

    {"number", AT_OWNER_VALUE, "a number", "A number, a time or a share.", words_of_number, NULL, NULL},
    {"string", AT_OWNER_VALUE, "a text", "A text.", words_of_text, NULL, NULL},
    {"boolean", AT_OWNER_VALUE, "a yes or no", "A yes or no.", words_of_truth, NULL, NULL},
    {"List", AT_OWNER_VALUE, "a list", "A list of texts: a product's, or what a customer said they like.",
     words_of_list, "string", NULL},

    {"mathlib", AT_OWNER_LIBRARY, "math", "Functions of numbers.", words_of_math, NULL, NULL},
    {"stringlib", AT_OWNER_LIBRARY, "string", "Functions of texts.", words_of_string, NULL, NULL},
    {"tablelib", AT_OWNER_LIBRARY, "table", "Functions of lists.", words_of_table, NULL, NULL},
    {"utf8lib", AT_OWNER_LIBRARY, "utf8", "Functions of letters.", words_of_utf8, NULL, NULL},
    {NULL, AT_OWNER_GLOBALS, NULL, NULL, NULL, NULL, NULL}};

static const struct at_alias aliases[] = {
    {"Amount", "number|string", "A number, a time such as \"14d\", or a share such as \"5%\"."},
    {"Time", "number|string", "A time such as \"90s\", \"30m\", \"1h30m\", \"7d\", \"6w\", or days(7)."},
    {"Span", "number", "A time, in milliseconds: days(7)."},
    {"Part", "number", "A number from 0 to 1."},
    {"Intent", "\"browse\"|\"compare\"|\"buy\"", "What a visit is for."},
    {"Answer", "\"granted\"|\"denied\"|\"unknown\"", "What somebody said when asked for consent."},
    {"Share", "string", "A share such as \"5%\"."},
    {"Moment", "number", "A moment, in milliseconds since 1970: now() - customer.orders.last_at is a time."},
    {"Attribute", "string", "An attribute of products."},
    {"AttributeKind", "\"number\"|\"bool\"|\"date\"|\"text\"|\"list\"", "The kind of an attribute."},
    {"EventName", "string", "An event, such as \"order_completed\"."},
    {"SegmentName", "string", "A segment of the scripts."},
    {"Purpose", "string", "A purpose of consent, such as \"personalization\"."},
    {"ConsentRule", "\"opt-in\"|\"opt-out\"|\"double opt-in\"", "What holds where nobody has said anything."},
    {NULL, NULL, NULL}};

const struct at_owner *at_vocabulary(void) {
    return owners;
}

const struct at_alias *at_vocabulary_aliases(void) {
    return aliases;
}
