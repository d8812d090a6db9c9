/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to vocabulary*.c: the lists of words, each up to one without a name, and how a row is written.
 */
#ifndef AT_LANGUAGE_VOCABULARY_WORDS_H
#define AT_LANGUAGE_VOCABULARY_WORDS_H

#include "language/vocabulary.h"

#define V1 "0.1"
#define FIELD(name, type, says)                                                                              \
    { (name), AT_WORD_FIELD, (type), (says), V1, NULL, false, false, false, false }
#define IDLE(name, says)                                                                                     \
    { (name), AT_WORD_FIELD, "Part", (says), V1, NULL, false, true, false, false }
#define METHOD(name, type, says)                                                                             \
    { (name), AT_WORD_METHOD, (type), (says), V1, NULL, false, false, false, false }
#define FUNCTION(name, type, says)                                                                           \
    { (name), AT_WORD_FUNCTION, (type), (says), V1, NULL, false, false, false, false }
#define COLUMNS(name, type, says)                                                                            \
    { (name), AT_WORD_FUNCTION, (type), (says), V1, NULL, false, false, true, false }
#define OF_LUA(name, type, says)                                                                             \
    { (name), AT_WORD_FUNCTION, (type), (says), V1, NULL, false, false, false, true }
#define OPTION(name, type, says)                                                                             \
    { (name), AT_WORD_OPTION, (type), (says), V1, NULL, false, false, false, false }
#define REQUIRED(name, type, says)                                                                           \
    { (name), AT_WORD_OPTION, (type), (says), V1, NULL, true, false, false, false }
#define NOUN(name, type, says)                                                                               \
    { (name), AT_WORD_NOUN, (type), (says), V1, NULL, false, false, false, false }
#define SETTING(name, type, says)                                                                            \
    { (name), AT_WORD_SETTING, (type), (says), V1, NULL, false, false, false, false }
#define LIBRARY(name, type, says)                                                                            \
    { (name), AT_WORD_LIBRARY, (type), (says), V1, NULL, false, false, false, true }
#define LATER(kind, name, says)                                                                              \
    { (name), (kind), "any", (says), NULL, NULL, false, false, false, false }
#define END_OF_WORDS                                                                                         \
    { NULL, AT_WORD_FIELD, NULL, NULL, NULL, NULL, false, false, false, false }

/* vocabulary_globals.c */
extern const struct at_word words_of_globals[];
/* vocabulary_nouns.c */
extern const struct at_word words_of_ranking[], words_of_diversify[], words_of_rail[], words_of_segment[],
    words_of_window[];
/* vocabulary_tests.c */
extern const struct at_word words_of_test[], words_of_given[], words_of_given_customer[],
    words_of_given_orders[], words_of_given_session[], words_of_world[], words_of_list_ask[],
    words_of_decision[], words_of_expectation[], words_of_keeps[];
/* vocabulary_settings.c */
extern const struct at_word words_of_shop[], words_of_keys[], words_of_consent_rules[],
    words_of_consent_regions[], words_of_identity[], words_of_identity_kind[], words_of_sources[],
    words_of_shopify[], words_of_budgets[];
/* vocabulary_views.c */
extern const struct at_word words_of_product[], words_of_customer[], words_of_traits[], words_of_session[],
    words_of_acquired[], words_of_orders[], words_of_basket[], words_of_item[], words_of_taste[],
    words_of_page[], words_of_event[];
/* vocabulary_lua.c: of Lua, and the methods of values */
extern const struct at_word words_of_number[], words_of_text[], words_of_truth[], words_of_list[],
    words_of_math[], words_of_string[], words_of_table[], words_of_utf8[];
extern const struct at_word words_of_nothing[];

#endif
