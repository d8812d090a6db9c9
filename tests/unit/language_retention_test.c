/* SPDX-License-Identifier: Apache-2.0
 *
 * retention { … } of shop.lua: what it says, what is refused and how.
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

#define refused(text, said) assert_refused(text, &settings, &err, said)

static void kinds_by_name_with_their_time(void **state) {
    (void)state;
    assert_int_equal(
        load_settings("retention { page_viewed = '90d', product_viewed = '400d', tea_poured = '1d' }",
                      &settings, &err),
        AT_OK);
    assert_int_equal(settings->retention_count, 3);
    assert_true(at_text_is(settings->retention[0].name, "page_viewed"));
    assert_int_equal(settings->retention[0].keep_ms, 90 * AT_DAY_MS);
    assert_true(at_text_is(settings->retention[2].name, "tea_poured"));
    at_settings_free(settings);
    settings = NULL;
    assert_int_equal(load_settings("shop 'a' { currency = 'EUR' }", &settings, &err), AT_OK);
    assert_int_equal(settings->retention_count, 0);
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    refused("retention { page_vewed = '90d' }",
            "shop.lua:1: retention: no event is named \"page_vewed\" — did you mean \"page_viewed\"?");
    refused("retention { ['Page Viewed'] = '90d' }",
            "shop.lua:1: retention: write \"Page Viewed\" as events are named inside: page_viewed");
    refused("retention { page_viewed = 90 }",
            "shop.lua:1: retention.page_viewed must be a time like \"90d\"");
    refused("retention { page_viewed = '3h' }", "shop.lua:1: retention.page_viewed must be a day or more");
    refused("retention { 'page_viewed' }",
            "shop.lua:1: retention is like { page_viewed = \"90d\", product_viewed = \"400d\" }");
    refused("retention { consent_updated = '90d' }",
            "shop.lua:1: retention: what people agreed to is the proof of "
            "it and stays as long as they do");
}

static int forget_settings(void **state) {
    (void)state;
    if (settings) at_settings_free(settings);
    settings = NULL;
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(kinds_by_name_with_their_time, forget_settings),
        cmocka_unit_test_teardown(what_is_wrong_is_said, forget_settings),
    };
    return cmocka_run_group_tests_name("language_retention", tests, NULL, NULL);
}
