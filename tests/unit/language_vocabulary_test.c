/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of words by itself: it is whole (names are one each, every type is known, every word says what it
 * is for), its types are read as written, and every word of this version stands on one page of the reference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "language/reference.h"
#include "language/vocabulary.h"

static bool is(struct at_text text, const char *wanted) {
    return at_text_is(text, wanted);
}

/* ---- types ---- */

static void types_are_read_as_written(void **state) {
    (void)state;
    struct at_text type =
        AT_TEXT("fun(name: EventName?, options?: Window, f: fun(a: number, b: string): any, ...: any): "
                "table<string, List>?, fun(x: number): any");
    struct at_parameter one;
    struct at_text piece;
    assert_true(at_type_parameter(type, 0, &one) && is(one.name, "name") && is(one.type, "EventName?") &&
                !one.is_optional);
    assert_true(at_type_parameter(type, 1, &one) && is(one.name, "options") && is(one.type, "Window") &&
                one.is_optional);
    assert_true(at_type_parameter(type, 2, &one) && is(one.type, "fun(a: number, b: string): any"));
    assert_true(at_type_parameter(type, 3, &one) && is(one.name, "..."));
    assert_false(at_type_parameter(type, 4, &one));
    struct at_text result = at_type_result(type);
    assert_true(at_type_piece(result, 0, &piece) && is(piece, "table<string, List>?"));
    assert_true(at_type_piece(result, 1, &piece) && is(piece, "fun(x: number): any"));
    assert_false(at_type_piece(result, 2, &piece));
    assert_int_equal(at_type_result(AT_TEXT("fun(a: any)")).length, 0);
    assert_int_equal(at_type_result(AT_TEXT("number")).length, 0);
    assert_false(at_type_parameter(AT_TEXT("fun(): any"), 0, &one));
    assert_false(at_type_parameter(AT_TEXT(""), 0, &one));
    bool is_list;
    assert_true(is(at_type_core(AT_TEXT("Item[]?"), &is_list), "Item") && is_list);
    assert_true(is(at_type_core(AT_TEXT("Orders"), &is_list), "Orders") && !is_list);
    assert_true(is(at_type_core(AT_TEXT("fun(): string[]"), &is_list), "fun(): string[]") && !is_list);
}

/* Within brackets, behind a colon, between bars: every name is a class, an alias, or Lua's. */
static void check_names(const char *where, const char *type) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    static const char *const plain[] = {"any", "fun", "table", "function", "nil"};
    for (const char *at = type; *(at += strcspn(at, letters));) {
        bool is_quoted = at > type && at[-1] == '"';
        size_t length = is_quoted ? strcspn(at, "\"") : strspn(at, letters);
        const char *behind = at + length + (at[length] == '?');
        bool is_known = is_quoted || *behind == ':';
        for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
            is_known |= is((struct at_text){at, length}, plain[i]);
        for (const struct at_alias *alias = at_vocabulary_aliases(); alias->name; alias++)
            is_known |= is((struct at_text){at, length}, alias->name);
        if (!is_known && !at_owner_of((struct at_text){at, length}))
            fail_msg("%s: %.*s of \"%s\" is no type", where, (int)length, at, type);
        at += length + is_quoted;
    }
}

/* ---- the table ---- */

static void check_word(const struct at_owner *owner, const struct at_word *word) {
    char where[100];
    snprintf(where, sizeof where, "%s.%s", owner->class_name, word->name);
    size_t length = strlen(word->says);
    bool is_sentence =
        length > 4 && (word->says[length - 1] == '.' || strcmp(word->says + length - 3, "…") == 0);
    if (!is_sentence) fail_msg("%s says \"%s\"", where, word->says);
    for (const struct at_word *other = owner->words; other->name; other++)
        if (other != word &&
            (strcmp(other->name, word->name) == 0 || (word->was && strcmp(other->name, word->was) == 0)))
            fail_msg("%s is there twice", where);
    if (word->is_required && word->kind != AT_WORD_OPTION) fail_msg("%s is no option", where);
    bool is_asked = word->kind == AT_WORD_METHOD || word->kind == AT_WORD_FUNCTION;
    if (is_asked && word->since && strncmp(word->type, "fun(", 4) != 0) fail_msg("%s is no function", where);
    check_names(where, word->type);
    assert_ptr_equal(at_word_of(owner, at_text_of(word->name)), word);
}

static void the_table_is_whole(void **state) {
    (void)state;
    uint32_t count = 0;
    for (const struct at_owner *owner = at_vocabulary(); owner->words; owner++) {
        assert_ptr_equal(at_owner_of(at_text_of(owner->class_name)), owner);
        assert_true((owner == at_vocabulary()) == !*owner->class_name);
        if (owner->rest) check_names(owner->class_name, owner->rest);
        for (const struct at_word *word = owner->words; word->name; word++, count++) check_word(owner, word);
        assert_true(!owner->rest_names || owner->rest);
    }
    for (const struct at_alias *alias = at_vocabulary_aliases(); alias->name; alias++)
        check_names(alias->name, alias->type);
    assert_true(count > 250);
    assert_null(at_owner_of(AT_TEXT("Nothing")));
    assert_null(at_word_of(at_vocabulary(), AT_TEXT("nothing")));
}

/* What is not in this version is never suggested. */
static void suggestions_are_words_of_this_version(void **state) {
    (void)state;
    static const char *const more[] = {"season"};
    const struct at_owner *customer = at_owner_of(AT_TEXT("Customer")),
                          *product = at_owner_of(AT_TEXT("Product"));
    assert_string_equal(at_word_near(customer, "ordrs", NULL, 0), "orders");
    assert_null(at_word_near(customer, "predictd", NULL, 0));
    assert_null(at_word_near(customer, "zzzzzzz", NULL, 0));
    assert_string_equal(at_word_near(product, "seasn", more, 1), "season");
}

/* ---- the reference ---- */

static void every_word_stands_in_the_reference(void **state) {
    (void)state;
    struct at_bytes pages;
    char wanted[200];
    at_bytes_init(&pages, SIZE_MAX);
    for (uint32_t i = 0; at_reference_page(i); i++) at_reference_write(i, &pages);
    assert_false(pages.failed);
    for (const struct at_owner *owner = at_vocabulary(); owner->words; owner++) {
        snprintf(wanted, sizeof wanted, "\n## %s\n", owner->class_name);
        bool has_page = strcmp(owner->class_name, "boolean") != 0 && strcmp(owner->class_name, "List") != 0 &&
                        strcmp(owner->class_name, "number") != 0; /* they are one: any value */
        const char *place = *owner->class_name && has_page ? strstr(pages.data, wanted) : pages.data;
        if (!place) fail_msg("%s is on no page", owner->class_name);
        if (has_page && place != pages.data) assert_null(strstr(place + 1, wanted));
        for (const struct at_word *word = owner->words; word->name; word++) {
            const char *colon = word->kind == AT_WORD_METHOD && word->since ? ":" : "";
            snprintf(wanted, sizeof wanted, "`%s%s", colon, word->name);
            if (!strstr(strcmp(owner->class_name, "string") == 0 ? pages.data : place, wanted))
                fail_msg("%s is not in the reference", wanted);
        }
    }
    at_bytes_clear(&pages);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_read_as_written),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(suggestions_are_words_of_this_version),
        cmocka_unit_test(every_word_stands_in_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
