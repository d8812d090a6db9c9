/* SPDX-License-Identifier: Apache-2.0
 *
 * sources { … } of shop.lua: what it says, what is refused and how; no message tells a secret.
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

static void without_a_block_there_is_no_source(void **state) {
    (void)state;
    assert_int_equal(load("shop 'a' { currency = 'EUR' }"), AT_OK);
    assert_int_equal(settings->shopify.secret_count, 0);
    assert_int_equal(settings->identity.kind_count, 4);
    assert_int_equal(load("sources {}"), AT_OK);
    assert_int_equal(settings->shopify.secret_count, 0);
}

static void secrets_stand_in_their_order(void **state) {
    (void)state;
    assert_int_equal(load("sources { shopify = { secrets = { 'first-one', 'second-one' },\n"
                          "  domain = 'outfitter.myshopify.com' } }"),
                     AT_OK);
    assert_int_equal(settings->shopify.secret_count, 2);
    assert_true(at_text_is(settings->shopify.secrets[0], "first-one"));
    assert_true(at_text_is(settings->shopify.secrets[1], "second-one"));
    assert_true(at_text_is(settings->shopify.domain, "outfitter.myshopify.com"));
    assert_int_equal(load("sources { shopify = { secret = 'only-one' } }"), AT_OK);
    assert_true(settings->shopify.secret_count == 1 && settings->shopify.domain.length == 0);
}

static void the_customers_of_the_shop_are_a_kind_behind_user_id(void **state) {
    (void)state;
    assert_int_equal(load("sources { shopify = { secret = 'only-one' } }\n"
                          "identity { kinds = { loyalty_id = { at_most = 2 } } }"),
                     AT_OK);
    const struct at_identity_kind *kinds = settings->identity.kinds;
    assert_int_equal(settings->identity.kind_count, 6);
    assert_true(at_text_is(kinds[0].name, "user_id") && at_text_is(kinds[2].name, "email"));
    assert_true(at_text_is(kinds[1].name, "shopify_customer_id") && kinds[1].at_most == 1 &&
                kinds[1].is_strong);
    assert_true(at_text_is(kinds[4].name, "loyalty_id") && at_text_is(kinds[5].name, "anonymous_id"));
    /* its limits may be the shop's own, whichever block comes first */
    assert_int_equal(load("identity { kinds = { shopify_customer_id = { at_most = 3 } } }\n"
                          "sources { shopify = { secret = 'only-one' } }"),
                     AT_OK);
    kinds = settings->identity.kinds;
    assert_true(settings->identity.kind_count == 5 && kinds[1].at_most == 3);
    assert_true(at_text_is(kinds[1].name, "shopify_customer_id") && at_text_is(kinds[3].name, "phone") &&
                at_text_is(kinds[4].name, "anonymous_id"));
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    refused("sources { shopfy = {} }",
            "shop.lua:1: sources has no field \"shopfy\" — did you mean \"shopify\"?");
    refused("sources { mailgun = {} }", "shop.lua:1: sources.mailgun is not in this version");
    refused("sources { shopify = 'secret' }",
            "shop.lua:1: sources.shopify must be like { secrets = { env \"SHOPIFY_SECRET\" } }");
    refused("sources { shopify = { secretz = {} } }",
            "shop.lua:1: sources.shopify has no field \"secretz\" — did you mean \"secrets\"?");
    refused("sources { shopify = {} }",
            "shop.lua:1: sources.shopify needs the secret its webhooks are signed "
            "with: secrets = { env \"SHOPIFY_SECRET\" }");
    refused("sources { shopify = { secrets = {} } }", "shop.lua:1: sources.shopify.secrets must be a list, "
                                                      "like { env \"SHOPIFY_SECRET\" }");
    refused("sources { shopify = { secrets = 'one-text' } }",
            "shop.lua:1: sources.shopify.secrets must be a list, like { env \"SHOPIFY_SECRET\" }");
    refused(
        "sources { shopify = { secret = 'short' } }",
        "shop.lua:1: sources.shopify.secret: a secret is a text of 8 to 200 characters, best env \"NAME\"");
    refused(
        "sources { shopify = { secrets = { '12345678', 12345678 } } }",
        "shop.lua:1: sources.shopify.secrets: a secret is a text of 8 to 200 characters, best env \"NAME\"");
    refused("sources { shopify = { secret = 'a-secret', secrets = { '12345671', '12345672', '12345673', "
            "'12345674', '12345675', '12345676', '12345677', '12345678' } } }",
            "shop.lua:1: sources.shopify.secrets holds at most 8 secrets");
    refused("sources { shopify = { secret = env 'SHOPIFY_SECRET' } }",
            "shop.lua:1: the environment variable SHOPIFY_SECRET is not set: set it, or take env "
            "\"SHOPIFY_SECRET\" out");
    refused(
        "sources { shopify = { secret = 'a-secret', domain = 'https://x.myshopify.com' } }",
        "shop.lua:1: sources.shopify.domain is like \"outfitter.myshopify.com\", in small letters, without "
        "https://");
    refused(
        "sources { shopify = { secret = 'a-secret', domain = 7 } }",
        "shop.lua:1: sources.shopify.domain is like \"outfitter.myshopify.com\", in small letters, without "
        "https://");
    refused("identity { kinds = { a = {}, b = {}, c = {}, d = {}, e = {}, f = {}, g = {}, h = {}, i = {}, j "
            "= {}, "
            "k = {}, l = {} } }\nsources { shopify = { secret = 'a-secret' } }",
            "shop.lua: identity.kinds holds at most 11 of the shop's own: sources.shopify brings one");
}

static int end(void **state) {
    (void)state;
    at_settings_free(settings);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_block_there_is_no_source),
        cmocka_unit_test(secrets_stand_in_their_order),
        cmocka_unit_test(the_customers_of_the_shop_are_a_kind_behind_user_id),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests_name("language sources", tests, NULL, end);
}
