/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests say: the fields of the noun, who and what is given, the world they run in, expectations.
 */
#include "language/vocabulary_words.h"

#define LATER_OPTION(name, says) LATER(AT_WORD_OPTION, name, says)
#define WHO_ASKS                                                                                             \
    OPTION("page", "string", "The page that asks, such as \"collection/sofas\"."),                           \
        OPTION("product", "string", "The product of the page, by id."),                                      \
        OPTION("category", "string", "The category of the page."),                                           \
        OPTION("query", "string", "What the shopper looks for."),                                            \
        OPTION("url", "string", "The address of the page."),                                                 \
        OPTION("customer", "table", "Somebody else who asks: { user_id = \"ann\" }.")
#define LATER_FIELD(name, says) LATER(AT_WORD_FIELD, name, says)

const struct at_word words_of_test[] = {
    OPTION("given", "Given", "What differs from the usual customer and products."),
    OPTION("events", "string", "A file of events that happen, such as \"fixtures/week.jsonl\"."),
    OPTION("catalog", "string", "A file of products, such as \"fixtures/mini.jsonl\"."),
    OPTION("at", "string", "When it begins, such as \"2026-11-27 21:30\", in the shop's zone."),
    REQUIRED("run", "fun(world: World)", "What happens, and what is expected of it."),
    END_OF_WORDS};

const struct at_word words_of_given[] = {
    OPTION("customer", "GivenCustomer", "What differs from the usual customer."),
    OPTION("products", "table[]", "The products of the world, as a feed has them."),
    LATER_OPTION("holdout", "Whether the customer is held out."),
    LATER_OPTION("arms", "The arms of experiments."),
    LATER_OPTION("variants", "The variants that are chosen."),
    LATER_OPTION("messages", "What was sent before."),
    END_OF_WORDS};

const struct at_word words_of_given_customer[] = {
    OPTION("user_id", "string|boolean", "The account; false for none."),
    OPTION("email", "string|boolean", "The address; false for none."),
    OPTION("phone", "string|boolean", "The phone; false for none."),
    OPTION("anonymous_id", "string|boolean", "The browser; false for none."),
    OPTION("is_known", "boolean", "false: nothing but a browser is known of them."),
    OPTION("first_name", "string", "The first name."),
    OPTION("last_name", "string", "The last name."),
    OPTION("country", "string", "The country, such as \"DE\"."),
    OPTION("locale", "string", "The language, such as \"de\"."),
    OPTION("timezone", "string", "The zone, such as \"Europe/Berlin\"."),
    OPTION("traits", "table", "Whatever else is known."),
    OPTION("orders", "GivenOrders", "What they ordered before."),
    OPTION("session", "GivenSession", "The visit going on."),
    OPTION("affinity", "table", "Tastes: { brand = { Acme = 0.8 } }."),
    OPTION("consent", "table", "What they said: { personalization = \"denied\" }."),
    LATER_OPTION("predicted", "What is predicted."),
    LATER_OPTION("granted", "What rails grant."),
    LATER_OPTION("holdout", "Whether they are held out."),
    LATER_OPTION("variants", "The variants they see."),
    LATER_OPTION("segments", "The segments they are in."),
    END_OF_WORDS};

const struct at_word words_of_given_orders[] = {
    OPTION("count", "number", "How many; one every thirty days."),
    OPTION("revenue", "number", "What they are worth together."),
    OPTION("since_last", "Time", "How long ago the last one was."),
    OPTION("last_at", "Moment", "When the last one was."), END_OF_WORDS};

const struct at_word words_of_given_session[] = {
    OPTION("source", "string", "Where the visit came from, such as \"google\"."),
    OPTION("campaign", "string", "The campaign."),
    OPTION("landing", "string", "The page it began on."),
    OPTION("device", "string", "The device, such as \"mobile\"."),
    OPTION("referrer", "string", "The page that led here."),
    END_OF_WORDS};

const struct at_word words_of_world[] = {
    FIELD("customer", "Customer", "The customer of the test, as rules see them now."),
    FIELD("now", "Moment", "The world's own time."),
    METHOD("event", "fun(name: EventName, properties?: table, context?: table): boolean",
           "Something happens; false: consent left nothing of it."),
    METHOD("wait", "fun(time: Time)", "Time passes."),
    METHOD("rank", "fun(ranking: string, ask?: ListAsk): Product[]", "The list this customer would see."),
    METHOD("decide", "fun(decision: Decision): table<string, Product[]>", "Several lists at once."),
    METHOD("cost", "fun(ranking: string, ask?: ListAsk): number",
           "What the list costs: the same on every machine."),
    LATER_FIELD("sent", "The messages that left."),
    LATER_FIELD("journeys", "The journeys under way."),
    LATER_FIELD("variant", "The variant of a creative."),
    END_OF_WORDS};

const struct at_word words_of_list_ask[] = {
    OPTION("where", "table", "Which products: { category = \"sofas\" }."),
    OPTION("items", "string[]", "Which products, by id."),
    OPTION("sort", "string", "The shopper's own order, such as \"-price\" or \"newest\"."),
    OPTION("limit", "number", "How many."),
    OPTION("offset", "number", "How many are passed over."),
    WHO_ASKS,
    END_OF_WORDS};

const struct at_word words_of_decision[] = {
    REQUIRED("ask", "table", "Each ask by a name of your own: { list = { ranking = \"collection\" } }."),
    WHO_ASKS, END_OF_WORDS};

const struct at_word words_of_expectation[] = {
    METHOD("is", "fun(value: any)", "It is this."),
    METHOD("is_not", "fun(value: any)", "It is anything but this."),
    METHOD("above", "fun(value: Amount)", "It is above this."),
    METHOD("below", "fun(value: Amount)", "It is below this."),
    METHOD("at_least", "fun(value: Amount)", "It is this or more."),
    METHOD("at_most", "fun(value: Amount)", "It is this or less."),
    METHOD("between", "fun(low: Amount, high: Amount)", "It is from low to high."),
    METHOD("contains", "fun(value: any)", "It has this in it."),
    METHOD("lacks", "fun(value: any)", "It does not have this in it."),
    METHOD("one_of", "fun(...: any)", "It is one of these."),
    METHOD("is_nil", "fun()", "It is not there."),
    METHOD("is_not_nil", "fun()", "It is there."),
    METHOD("keeps", "fun(bound: Keeps)", "Among neighbours no value comes too often."),
    END_OF_WORDS};

const struct at_word words_of_keeps[] = {REQUIRED("by", "string", "The field that is counted."),
                                         REQUIRED("at_most", "number", "So many of one value at most …"),
                                         REQUIRED("within", "number", "… within so many neighbours."),
                                         LATER_OPTION("kind", "The kind of message."), END_OF_WORDS};
