/* SPDX-License-Identifier: Apache-2.0
 *
 * What merchants write in shop.lua: the fields of each setting.
 */
#include "language/vocabulary_words.h"

#define LATER_OPTION(name, says) LATER(AT_WORD_OPTION, name, says)

const struct at_word words_of_shop[] = {
    OPTION("currency", "string", "Three capital letters, such as \"EUR\"; fixed once there are data."),
    OPTION("timezone", "string", "The zone of the shop's days, such as \"Europe/Berlin\"."),
    OPTION("country", "string", "Two letters, such as \"DE\": how phone numbers without one are read."),
    OPTION("locale", "string", "The shop's language, such as \"en\"."),
    LATER_OPTION("holdout", "The share of people who see the shop unpersonalised."),
    LATER_OPTION("metric", "The one figure this quarter is about."),
    END_OF_WORDS};

const struct at_word words_of_keys[] = {
    OPTION("write", "string|table<string, string>",
           "For pages and apps: it may send events and ask for lists."),
    OPTION("secret", "string|table<string, string>", "For the shop's own systems: it may do everything."),
    OPTION("origins", "string[]", "Pages that may call, such as \"https://outfitter.example\"."),
    END_OF_WORDS};

const struct at_word words_of_consent_rules[] = {
    REQUIRED("analytics", "ConsentRule|ConsentRegions", "Whether events may be kept."),
    REQUIRED("personalization", "ConsentRule|ConsentRegions",
             "Whether what is known may decide what is shown."),
    OPTION("never_use", "string[]", "Read as nil by every rule, such as \"traits.religion\"."), END_OF_WORDS};

const struct at_word words_of_consent_regions[] = {
    OPTION("EU", "ConsentRule", "In the European Union and who follows its rules."),
    OPTION("US", "ConsentRule", "In the United States."),
    REQUIRED("elsewhere", "ConsentRule", "In the rest of the world."),
    OPTION("own_customers", "ConsentRule", "Of who has bought."), END_OF_WORDS};

const struct at_word words_of_identity[] = {
    OPTION("kinds", "table<string, IdentityKind>", "Kinds of identifiers of the shop's own, and limits."),
    OPTION("blocked", "string[]", "Values that name nobody, such as \"test@example.com\"."),
    OPTION("fold_mailboxes", "boolean", "Whether ann+news@x.example is ann@x.example."),
    OPTION("prove", "\"required\"", "A page must prove who somebody is before it links identifiers."),
    END_OF_WORDS};

const struct at_word words_of_identity_kind[] = {
    OPTION("at_most", "number", "So many of them a person may have."),
    OPTION("within", "string", "… within this time, such as \"30d\"; for ever if left out."), END_OF_WORDS};

const struct at_word words_of_sources[] = {OPTION("shopify", "ShopifySource", "Shopify's webhooks."),
                                           LATER_OPTION("mailgun", "What became of mails."),
                                           LATER_OPTION("postmark", "What became of mails."),
                                           LATER_OPTION("sendgrid", "What became of mails."),
                                           LATER_OPTION("ses", "What became of mails."),
                                           LATER_OPTION("twilio", "What became of messages."),
                                           LATER_OPTION("email", "What became of mails."),
                                           END_OF_WORDS};

const struct at_word words_of_shopify[] = {
    OPTION("secrets", "string[]", "What the webhooks are signed with; two while one is replaced."),
    OPTION("secret", "string", "The same, of one."),
    OPTION("domain", "string", "Webhooks of this shop only, such as \"outfitter.myshopify.com\"."),
    END_OF_WORDS};

const struct at_word words_of_budgets[] = {
    OPTION("ranking", "string", "All rankings of one decision together: \"20ms\"."),
    OPTION("rail", "string", "All rails of one decision together: \"20ms\"."),
    OPTION("segment", "string", "One question of a segment outside decisions: \"100ms\"."),
    OPTION("load", "string", "Loading all scripts: \"500ms\"."),
    OPTION("memory", "string", "What one state may hold: \"32MB\"."),
    END_OF_WORDS};
