/* SPDX-License-Identifier: Apache-2.0
 *
 * What merchants write in scripts: the fields of each noun, and the options of methods.
 */
#include "language/vocabulary_words.h"

#define LATER_OPTION(name, says) LATER(AT_WORD_OPTION, name, says)

const struct at_word words_of_ranking[] = {
    REQUIRED("score", "fun(product: Product, customer: Customer, page: Page): number?",
             "The product's score: the list goes from high to low."),
    OPTION("first", "fun(product: Product, customer: Customer, page: Page): any",
           "Products it says yes to stand before all others."),
    OPTION("diversify", "Diversify", "How many alike may stand close together."),
    OPTION("explore", "Share", "The share of places that products get that few have seen."), END_OF_WORDS};

const struct at_word words_of_diversify[] = {
    REQUIRED("by", "Attribute", "The attribute in which products are alike."),
    REQUIRED("at_most", "number", "So many of them at most …"),
    REQUIRED("within", "number", "… within so many neighbours."), END_OF_WORDS};

const struct at_word words_of_rail[] = {
    OPTION("hide", "fun(product: Product, customer: Customer, page: Page): any",
           "Products it says yes to are taken away."),
    OPTION("only", "fun(product: Product, customer: Customer, page: Page): any",
           "Only products it says yes to stay; what is unknown does not pass."),
    OPTION("bury", "fun(product: Product, customer: Customer, page: Page): any",
           "Products it says yes to go to the end."),
    OPTION("pin", "table<number, string>", "Products by id in the first places; [5] = \"…\" in another one."),
    OPTION("on", "string", "The page, with all below it, the surface or the list it holds on."),
    OPTION("from", "string", "The first day it holds, such as \"2026-12-01\", in the shop's zone."),
    OPTION("to", "string", "The last day it holds."),
    LATER_OPTION("grant", "What a customer gets."),
    LATER_OPTION("whom", "Who gets what is granted."),
    LATER_OPTION("cap", "How often, at most."),
    LATER_OPTION("quiet_hours", "When people sleep."),
    LATER_OPTION("needs", "Which consent a channel needs."),
    END_OF_WORDS};

const struct at_word words_of_segment[] = {
    REQUIRED("when", "fun(customer: Customer): any", "Whether this customer is in it."),
    OPTION("recheck", "Time", "How often everybody is asked again, where nobody can see when it changes."),
    END_OF_WORDS};

const struct at_word words_of_window[] = {
    OPTION("within", "Time", "Not longer ago than this, such as \"7d\"."),
    OPTION("since", "Moment", "After this moment, such as customer.orders.last_at."), END_OF_WORDS};
