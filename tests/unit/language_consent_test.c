/* SPDX-License-Identifier: Apache-2.0
 *
 * consent { … } of shop.lua: what it says, what is refused and how.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "language_world.h"

static struct at_settings *settings;
static struct at_error err;

static enum at_status load(const char *text) {
    return load_settings(text, &settings, &err);
}
#define refused(text, said) assert_refused(text, &settings, &err, said)

static bool may(const char *purpose, enum at_consent_region region) {
    struct at_profile *nobody = at_profile_new(0, NULL);
    bool allowed =
        at_consent_allows(&settings->consent, nobody, at_text_of(purpose), AT_TEXT(""), region, NOW_MS);
    at_profile_unref(nobody);
    return allowed;
}

static void the_block_says_what_holds_where(void **state) {
    (void)state;
    assert_int_equal(load("consent {\n"
                          "  analytics = { EU = 'opt-in', US = 'opt-out', elsewhere = 'opt-in' },\n"
                          "  personalization = { US = 'opt-out', elsewhere = 'opt-in' },\n"
                          "  email_marketing = { EU = 'double opt-in', elsewhere = 'opt-in', own_customers = "
                          "'opt-out' },\n"
                          "  sms_marketing = 'opt-in', sale = 'opt-out',\n"
                          "  never_use = { 'traits.religion', 'category.intimate' } }"),
                     AT_OK);
    assert_true(settings->consent.is_declared && settings->consent.purpose_count == 5);
    assert_true(may("analytics", AT_REGION_US) && !may("analytics", AT_REGION_EU));
    assert_true(may("personalization", AT_REGION_US) && !may("personalization", AT_REGION_EU));
    assert_true(!may("personalization", AT_REGION_UNKNOWN) && may("sale", AT_REGION_UNKNOWN));
    assert_false(may("newsletter", AT_REGION_US));
    assert_true(at_consent_never_uses(&settings->consent, AT_TEXT("traits"), AT_TEXT("religion")));
    struct at_bytes told;
    at_bytes_init(&told, 1 << 12);
    at_settings_tell_consent(settings, &told);
    assert_string_equal(
        told.data, "analytics opt-in in the EU, opt-out in the US, opt-in elsewhere; email_marketing "
                   "double opt-in in the EU, opt-in in the US, opt-in elsewhere (own customers opt-out); "
                   "personalization opt-in in the EU, opt-out in the US, opt-in elsewhere; sale opt-out; "
                   "sms_marketing opt-in; 2 names are never used");
    at_bytes_clear(&told);
}

static void without_a_block_the_usual_holds(void **state) {
    (void)state;
    assert_int_equal(load("shop 'x' { currency = 'EUR', timezone = 'UTC' }"), AT_OK);
    assert_false(settings->consent.is_declared);
    assert_true(may("analytics", AT_REGION_UNKNOWN) && !may("email_marketing", AT_REGION_US));
    struct at_bytes told;
    at_bytes_init(&told, 1 << 12);
    at_settings_tell_consent(settings, &told);
    assert_non_null(strstr(told.data, "no consent block"));
    at_bytes_clear(&told);
}

#define BOTH "analytics = 'opt-in', personalization = 'opt-in'"
static void what_is_not_understood_is_refused(void **state) {
    (void)state;
    static const char *const all[][2] = {
        {"consent { " BOTH ", sms_marketing = 'optin' }",
         "shop.lua:1: consent.sms_marketing: there is no \"optin\" — did you mean \"opt-in\"?"},
        {"consent { " BOTH ", sms_marketing = true }",
         "shop.lua:1: consent.sms_marketing must be \"opt-in\", \"double opt-in\" or \"opt-out\""},
        {"consent { " BOTH ", sale = { EU = 'maybe', elsewhere = 'opt-in' } }",
         "shop.lua:1: consent.sale.EU must be \"opt-in\", \"double opt-in\" or \"opt-out\""},
        {"consent { " BOTH ", sale = { EU = 'opt-in', US = 'opt-in' } }",
         "shop.lua:1: consent.sale: say what holds elsewhere: elsewhere = \"opt-in\""},
        {"consent { " BOTH ", sale = { UE = 'opt-in', elsewhere = 'opt-in' } }",
         "shop.lua:1: consent.sale has no field \"UE\" — did you mean \"EU\"?"},
        {"consent { analytics = 'opt-in' }",
         "shop.lua:1: consent: say what holds for personalization: personalization = \"opt-in\" (a purpose "
         "that is not named is no)"},
        {"consent { personalization = 'opt-in' }",
         "shop.lua:1: consent: say what holds for analytics: analytics = \"opt-in\" (a purpose that is not "
         "named is no)"},
        {"consent { " BOTH ", ['e mail'] = 'opt-in' }",
         "shop.lua:1: consent: a purpose is a name of letters, digits and _, like analytics = \"opt-in\""},
        {"consent { " BOTH ", never_use = 'religion' }",
         "shop.lua:1: consent.never_use must be a list of 1 to 64 names, like { \"traits.religion\" }"},
        {"consent { " BOTH ", never_use = { 'religion' } }",
         "shop.lua:1: consent.never_use: a name is like \"traits.religion\" or \"category.intimate\""},
        {"consent { " BOTH " } consent { " BOTH " }",
         "shop.lua:1: there is more than one consent in shop.lua"},
    };
    for (size_t i = 0; i < AT_LENGTH(all); i++) refused(all[i][0], all[i][1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_block_says_what_holds_where),
        cmocka_unit_test(without_a_block_the_usual_holds),
        cmocka_unit_test(what_is_not_understood_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    at_settings_free(settings);
    return failed;
}
