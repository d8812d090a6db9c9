/* SPDX-License-Identifier: Apache-2.0
 *
 * Identifiers written the one way: e-mails, domains in any script, phones of several countries, values that
 * name nobody; and what is normal stays as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/phone.h"
#include "cases.h"
#include "profile/identity.h"

static struct at_identity_rules rules;
static struct at_arena arena;
GENERATED_CASES;

static void expect(const char *kind, const char *value, const char *normal) {
    struct at_text got = at_identity_normal(&rules, at_text_of(kind), at_text_of(value), &arena);
    assert_non_null(got.data);
    if (!at_text_is(got, normal))
        fail_msg("%s %s: \"%.*s\", not \"%s\"", kind, value, (int)got.length, got.data, normal);
}

static void emails(void **state) {
    (void)state;
    static const char *const cases[][2] = {{" Ann.B+x@Example.COM ", "ann.b+x@example.com"},
                                           {"a@M\xC3\x9CNCHEN.de", "a@xn--mnchen-3ya.de"},
                                           {"a@XN--mnchen-3YA.de", "a@xn--mnchen-3ya.de"},
                                           {"a@fa\xC3\x9F.de", "a@xn--fa-hia.de"},
                                           {"\xC3\x9C@b.de", "\xC3\x9C@b.de"},
                                           {"a@b\xE3\x80\x82"
                                            "de",
                                            "a@b.de"},
                                           {"ann", ""},
                                           {"@b.c", ""},
                                           {"a@", ""},
                                           {"a@b", ""},
                                           {"a@.b", ""},
                                           {"a@b.", ""},
                                           {"a@b@c.d", ""},
                                           {"a b@c.d", ""},
                                           {"a@b..c", ""},
                                           {"a@b_c.de", ""},
                                           {"", ""},
                                           {"Test@test.com", ""},
                                           {"a@\xEF\xBC\xA0.de", ""}};
    for (size_t i = 0; i < AT_LENGTH(cases); i++) expect("email", cases[i][0], cases[i][1]);
    rules.folds_mailboxes = true;
    expect("email", "A.n.n+shop@googlemail.com", "ann@gmail.com");
    expect("email", "+x@gmail.com", "");
    expect("email", "a.b+x@example.com", "a.b+x@example.com");
    rules.folds_mailboxes = false;
}

static void phones(void **state) {
    (void)state;
    static const char *const cases[][3] = {{"DE", "0171 2345678", "+491712345678"},
                                           {"DE", "+49 (30) 123-45 67", "+49301234567"},
                                           {"DE", "4930123456", "+4930123456"},
                                           {"DE", "0061 2 9876 5432", "+61298765432"},
                                           {"US", "(202) 555-0123", "+12025550123"},
                                           {"FR", "06 12 34 56 78", "+33612345678"},
                                           {"DE", "+44 20 7946 0018", "+442079460018"},
                                           {"", "+49 171 2345678", "+491712345678"},
                                           {"", "0171 2345678", ""},
                                           {"US", "1111111111", ""},
                                           {"DE", "0171 2345678 ext. 5", ""},
                                           {"DE", "call me", ""},
                                           {"DE", "000000000", ""},
                                           {"DE", "123", ""}};
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        rules.country = at_text_of(cases[i][0]);
        assert_true(at_phone_warm(cases[i][0]));
        expect("phone", cases[i][1], cases[i][2]);
    }
}

static void nobody(void **state) {
    (void)state;
    static const char *const values[] = {"null", "Undefined", "NaN",       "0",    "-1",   "00-00",
                                         "\"\"", "' '",       "anonymous", "true", " ID ", "[object Object]"};
    static const struct at_text own[] = {{"Kasse 1", 7}, {"+4930123456", 11}};
    for (size_t i = 0; i < AT_LENGTH(values); i++) expect("user_id", values[i], "");
    rules.blocked = own;
    rules.blocked_count = 2;
    rules.country = AT_TEXT("DE");
    expect("user_id", " kasse 1", "");
    expect("phone", "030 123456", "");
    rules.blocked_count = 0;
    expect("loyalty_id", "7", ""); /* not declared */
    rules.kinds[rules.kind_count++] = (struct at_identity_kind){AT_TEXT("loyalty_id"), 1, 0, true};
    expect("loyalty_id", " 7 ", "7");
}

static void what_is_normal_stays(void **state) {
    (void)state;
    static const char *const kinds[] = {"user_id", "email", "phone", "anonymous_id"};
    static const char *const parts[] = {"a",    "B", ".",         "@",        "+",           "49",
                                        "0171", " ", "-",         "\xC3\x9C", "de",          "7",
                                        "(",    ")", "gmail.com", "com",      "\xEF\xBC\xA0"};
    seed = first = first_seed(7);
    printf("seed %llu\n", (unsigned long long)first);
    rules.country = AT_TEXT("DE");
    for (number = 0; number < 3000; number++) {
        char text[200] = "";
        size_t n = 0;
        for (uint32_t i = random_below(&seed, 9) + 1; i; i--)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s",
                                  parts[random_below(&seed, AT_LENGTH(parts))]);
        if (number % 3 == 0)
            n = (size_t)snprintf(text, sizeof text, "01%09u", random_below(&seed, 1000000000));
        struct at_text kind = at_text_of(kinds[number % 3 == 0 ? 2 : random_below(&seed, 4)]);
        rules.folds_mailboxes = number & 1;
        at_arena_reset(&arena);
        struct at_text once = at_identity_normal(&rules, kind, (struct at_text){text, n}, &arena);
        CHECK(once.data);
        struct at_text twice = at_identity_normal(&rules, kind, once, &arena);
        CHECK(at_text_equal(once, twice));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(emails), cmocka_unit_test(phones),
                                       cmocka_unit_test(nobody), cmocka_unit_test(what_is_normal_stays)};
    at_arena_init(&arena, 1 << 20);
    at_identity_rules_default(&rules);
    int failed = cmocka_run_group_tests_name("identifiers", tests, NULL, NULL);
    at_arena_clear(&arena);
    return failed;
}
