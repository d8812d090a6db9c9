/* SPDX-License-Identifier: Apache-2.0
 *
 * identity { … } of shop.lua: what it says, what is refused and how.
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

static void kind_is(uint32_t place, const char *name, uint32_t at_most, int64_t within_ms) {
    const struct at_identity_kind *kind = &settings->identity.kinds[place];
    assert_true(at_text_is(kind->name, name));
    assert_int_equal(kind->at_most, at_most);
    assert_int_equal(kind->within_ms, within_ms);
}

static void without_a_block_the_usual_holds(void **state) {
    (void)state;
    assert_int_equal(load("shop 'a' { currency = 'EUR', country = 'AT' }"), AT_OK);
    assert_int_equal(settings->identity.kind_count, 4);
    kind_is(0, "user_id", 1, 0);
    kind_is(3, "anonymous_id", 5, 30 * AT_DAY_MS);
    assert_true(at_text_is(settings->identity.country, "AT"));
    assert_false(settings->identity.proof_required);
}

static void the_block_adds_kinds_by_name_and_changes_limits(void **state) {
    (void)state;
    assert_int_equal(
        load("identity { kinds = { zeta = {}, loyalty_id = { at_most = 1 }, email = { at_most = 9 },\n"
             "  anonymous_id = { at_most = 20, within = '7d' }, alpha = { at_most = 2 } },\n"
             "  blocked = { 'kasse@example.com', 'x' }, prove = 'required', fold_mailboxes = true }\n"
             "shop 'a' { currency = 'EUR', country = 'DE' }"),
        AT_OK);
    assert_int_equal(settings->identity.kind_count, 7);
    kind_is(0, "user_id", 1, 0);
    kind_is(1, "email", 9, 0);
    kind_is(3, "alpha", 2, 0);
    kind_is(4, "loyalty_id", 1, 0);
    kind_is(5, "zeta", 5, 0);
    kind_is(6, "anonymous_id", 20, 7 * AT_DAY_MS);
    assert_true(settings->identity.kinds[4].is_strong && !settings->identity.kinds[6].is_strong);
    assert_true(settings->identity.proof_required && settings->identity.folds_mailboxes);
    assert_int_equal(settings->identity.blocked_count, 2);
    assert_true(at_text_is(settings->identity.country, "DE")); /* whichever block comes first */
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    refused("identity { kind = {} }", "shop.lua:1: identity has no field \"kind\" — did you mean \"kinds\"?");
    refused("identity { kinds = 7 }",
            "shop.lua:1: identity.kinds must be like { loyalty_id = { at_most = 1 } }");
    refused("identity { kinds = { ['loyalty id'] = {} } }",
            "shop.lua:1: identity.kinds: a kind is a name of small letters, digits and _, like loyalty_id");
    refused("identity { kinds = { a = 1 } }",
            "shop.lua:1: identity.kinds.a must be like { at_most = 1 } or { "
            "at_most = 5, within = \"30d\" }");
    refused("identity { kinds = { a = { at_mots = 1 } } }",
            "shop.lua:1: identity.kinds.a has no field \"at_mots\" — did you mean \"at_most\"?");
    refused("identity { kinds = { a = { at_most = 0 } } }",
            "shop.lua:1: identity.kinds.a.at_most must be a whole number from 1 to 1000");
    refused("identity { kinds = { a = { within = 30 } } }",
            "shop.lua:1: identity.kinds.a.within must be a time like \"30d\"");
    refused("identity { kinds = { a = { within = '90s' } } }",
            "shop.lua:1: identity.kinds.a.within must be an hour or more");
    refused("identity { blocked = 'x' }",
            "shop.lua:1: identity.blocked must be a list of 1 to 256 values, like "
            "{ \"test@example.com\" }");
    refused("identity { prove = true }", "shop.lua:1: identity.prove must be \"required\", or left out");
    refused("identity { fold_mailboxes = 'yes' }",
            "shop.lua:1: identity.fold_mailboxes must be true or false");
    refused("identity { kinds = { a={},b={},c={},d={},e={},f={},g={},h={},i={},j={},k={},l={},m={} } }",
            "shop.lua:1: identity.kinds holds at most 12 of the shop's own");
}

static int end(void **state) {
    (void)state;
    at_settings_free(settings);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_block_the_usual_holds),
        cmocka_unit_test(the_block_adds_kinds_by_name_and_changes_limits),
        cmocka_unit_test(what_is_wrong_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
