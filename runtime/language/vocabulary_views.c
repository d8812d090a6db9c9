/* SPDX-License-Identifier: Apache-2.0
 *
 * What rules read: the product, the customer, the page, events, and what of them.
 */
#include "language/vocabulary_words.h"

#define LATER_FIELD(name, says)  LATER(AT_WORD_FIELD, name, says)
#define LATER_METHOD(name, says) LATER(AT_WORD_METHOD, name, says)

/* What the runtime keeps; attributes of the catalog can be read besides. */
const struct at_word words_of_product[] = {
    FIELD("id", "string", "The product's id."),
    FIELD("affinity", "Part", "Fits this person's taste in brands, categories and so on."),
    FIELD("popularity", "Part", "Bought by everyone lately."),
    FIELD("trending", "Part", "Rising."),
    FIELD("conversion", "Part", "Bought by who looks."),
    FIELD("seen", "Part", "Shown to this person lately without interest."),
    FIELD("bought", "number", "How often this person bought it."),
    FIELD("margin", "Part", "The share of the price that stays."),
    FIELD("discount", "Part", "The share that is off."),
    FIELD("age", "Span?", "The time since it came: product.age:below \"14d\"."),
    IDLE("taste", "Looks like what this person looked at."),
    IDLE("together", "Bought with the product of this page."),
    IDLE("relevance", "Answers the search."),
    IDLE("model", "The learned chance that this person buys it."),
    END_OF_WORDS};

const struct at_word words_of_customer[] = {
    FIELD("id", "string?", "attune's id of the person."),
    FIELD("email", "string?", "The address."),
    FIELD("phone", "string?", "The phone number."),
    FIELD("first_name", "string?", "The first name."),
    FIELD("last_name", "string?", "The last name."),
    FIELD("country", "string?", "Two letters, such as \"DE\"."),
    FIELD("locale", "string?", "The language, such as \"de\"."),
    FIELD("timezone", "string?", "The zone, such as \"Europe/Berlin\"."),
    FIELD("traits", "Traits", "Any other trait."),
    FIELD("is_known", "boolean", "Has an address or an account."),
    FIELD("is_returning", "boolean?", "Was here before this visit."),
    FIELD("has_ordered", "boolean?", "Has ordered."),
    FIELD("session", "Session", "The visit going on, or else the last one."),
    FIELD("acquired", "Acquired", "The very first visit."),
    FIELD("orders", "Orders", "What the person ordered."),
    FIELD("basket", "Basket", "What is in the basket."),
    FIELD("affinity", "Affinity", "Learned taste over any attribute: customer.affinity.brand[\"Acme\"]."),
    FIELD("consent", "Consent", "What the person said: \"granted\", \"denied\" or \"unknown\"."),
    METHOD("may", "fun(purpose: Purpose): boolean",
           "Whether this purpose is allowed: what they said, else what shop.lua says for their region."),
    METHOD("count", "fun(event: EventName?, options?: Window): number", "How often that happened."),
    METHOD("did", "fun(event: EventName?, options?: Window): boolean", "Whether that happened."),
    METHOD("last", "fun(event: EventName?): Event?", "The newest event of that name."),
    METHOD("in_segment", "fun(segment: SegmentName): boolean", "Whether the person is in the segment."),
    LATER_FIELD("predicted", "What the person is likely to do."),
    LATER_FIELD("granted", "What rails grant."),
    LATER_METHOD("variant", "The arm of an experiment."),
    END_OF_WORDS};

const struct at_word words_of_traits[] = {
    FIELD("likes", "table<string, List>?", "What the person said they like: { brand = { \"Acme\" } }."),
    FIELD("dislikes", "table<string, List>?", "What the person said they dislike."), END_OF_WORDS};

const struct at_word words_of_session[] = {
    FIELD("started_at", "Moment?", "When it began."),
    FIELD("pages", "number?", "Pages looked at."),
    FIELD("source", "string?", "Where they came from, such as \"newsletter\"."),
    FIELD("campaign", "string?", "The campaign they came by."),
    FIELD("landing", "string?", "The first page."),
    FIELD("device", "string?", "\"mobile\", \"tablet\" or \"desktop\"."),
    FIELD("referrer", "string?", "The page that linked here."),
    FIELD("is_live", "boolean?", "Whether it is going on."),
    FIELD("intent", "Intent?", "What the visit is for."),
    FIELD("intent_score", "Part?", "How sure that is."),
    END_OF_WORDS};

const struct at_word words_of_acquired[] = {FIELD("at", "Moment?", "When they first came."),
                                            FIELD("source", "string?", "Where from."),
                                            FIELD("campaign", "string?", "By which campaign."),
                                            FIELD("landing", "string?", "On which page."), END_OF_WORDS};

const struct at_word words_of_orders[] = {
    FIELD("count", "number?", "How many."),
    FIELD("revenue", "number?", "What they paid, less what was refunded, in the shop's currency."),
    FIELD("average", "number?", "Revenue for each order."),
    FIELD("first_at", "Moment?", "When the first one was."),
    FIELD("last_at", "Moment?", "When the last one was."),
    FIELD("since_last", "Span?", "The time since the last one."),
    FIELD("typical_interval", "Span?",
          "The person's own time between orders, drawn towards the shop's until there is a rhythm."),
    LATER_FIELD("last", "The last order."),
    END_OF_WORDS};

const struct at_word words_of_basket[] = {FIELD("items", "Item[]", "What is in it."),
                                          FIELD("first", "Product?", "The product put in first."),
                                          FIELD("count", "number", "How many lines."),
                                          FIELD("value", "number", "What it comes to."),
                                          FIELD("url", "string?", "Where it can be seen."),
                                          FIELD("updated_at", "Moment?", "When it changed."),
                                          END_OF_WORDS};

const struct at_word words_of_item[] = {FIELD("product", "Product?", "The product, if the catalog has it."),
                                        FIELD("quantity", "number", "How many."),
                                        FIELD("price", "number?", "What one costs."), END_OF_WORDS};

const struct at_word words_of_taste[] = {METHOD("top", "fun(count?: number): string[]",
                                                "The values liked most: customer.affinity.category:top(3)."),
                                         END_OF_WORDS};

const struct at_word words_of_page[] = {FIELD("name", "string?", "Such as \"collection/sofas\"."),
                                        FIELD("product", "Product?", "The product it shows."),
                                        FIELD("category", "string?", "The category it shows."),
                                        FIELD("query", "string?", "What was searched for."),
                                        FIELD("url", "string?", "Its address."),
                                        END_OF_WORDS};

const struct at_word words_of_event[] = {
    FIELD("time", "Moment", "When it happened."), FIELD("name", "string", "What it is called."),
    FIELD("id", "string", "Its message id."), FIELD("items", "Item[]", "Its products, as in the basket."),
    END_OF_WORDS};
