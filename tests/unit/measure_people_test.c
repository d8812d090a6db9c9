/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit of people: whose orders they are, visits and when they are recognised, records that contradict
 * each other, identifiers that many share, the ledger, consent.
 */
#include "measure_world.h"
#include "measure/audit_internal.h"
#include "profile/profile.h"

static void whose_orders(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, &(struct at_audit_options){.currency = AT_TEXT("EUR")});
    agreed(&world, "{\"type\":\"page\",\"anonymousId\":\"guest-1\"}");
    agreed(&world,
           "{\"type\":\"track\",\"event\":\"Order "
           "Completed\",\"anonymousId\":\"guest-1\",\"properties\":{\"order_id\":\"nobody\"," GOOD "}}");
    /* nobody knew at the time, but signs in afterwards */
    agreed(&world,
           "{\"type\":\"track\",\"event\":\"Order "
           "Completed\",\"anonymousId\":\"guest-2\",\"properties\":{\"order_id\":\"later\"," GOOD "}}");
    agreed(&world, "{\"type\":\"identify\",\"anonymousId\":\"guest-2\",\"userId\":\"ann\"}");
    /* the server tells, no browser was ever seen */
    agreed(&world, "{\"type\":\"track\",\"event\":\"Order "
                   "Completed\",\"userId\":\"bob\",\"properties\":{\"order_id\":\"server\"," GOOD "}}");
    FOUND(&world, "orders_without_identity", 1, 3, "nobody");
    FOUND(&world, "orders_without_visit", 1, 3, "server");
    assert_int_equal(audit_result(&world)->people, 3); /* guest-1, ann, bob */
    audit_end(&world);
}

static void visits_and_when_they_are_recognised(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, NULL);
#define PAGE(v) "{\"type\":\"page\",\"anonymousId\":\"" v "\"}"
    audit_event_row(&world, PAGE("a"), 10 * AT_HOUR_MS, (struct at_audit_event){0}); /* known only later */
    audit_event_row(&world, PAGE("a"), 10 * AT_HOUR_MS - 29 * AT_MINUTE_MS, (struct at_audit_event){0});
    audit_event_row(&world, PAGE("a"), 9 * AT_HOUR_MS,
                    (struct at_audit_event){0}); /* the next: signs in within */
    audit_event_row(
        &world, "{\"type\":\"identify\",\"anonymousId\":\"a\",\"traits\":{\"email\":\"ann@example.com\"}}",
        9 * AT_HOUR_MS - 1000, (struct at_audit_event){0});
    audit_event_row(&world, PAGE("a"), 5 * AT_HOUR_MS,
                    (struct at_audit_event){0}); /* known from its beginning */
    audit_event_row(&world, PAGE("b"), 5 * AT_HOUR_MS, (struct at_audit_event){0}); /* never */
    audit_event_row(&world, PAGE("b"), 3 * AT_HOUR_MS, (struct at_audit_event){0});
    audit_event_row(&world, "{\"type\":\"track\",\"event\":\"Order Shipped\",\"userId\":\"c\"}", 0,
                    (struct at_audit_event){0}); /* no visit */
    const struct at_audit_visits *visits = &audit_result(&world)->visits;
    assert_int_equal(visits->count, 5);
    assert_int_equal(visits->recognised, 1);
    assert_int_equal(visits->became, 1);
    assert_int_equal(visits->later, 1);
    assert_int_equal(visits->never, 2);
    FOUND(&world, "visits_not_recognised", 3, 5, NULL);
    audit_end(&world);
}

static void records_that_contradict_each_other(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, NULL);
    static const char *const events[] = {
        "{\"type\":\"identify\",\"userId\":\"ann\",\"anonymousId\":\"laptop\",\"traits\":{\"email\":\"ann@"
        "example.com\",\"first_name\":\"Ann\",\"country\":\"DE\",\"seen_at\":\"1\"}}",
        "{\"type\":\"identify\",\"userId\":\"ann\",\"anonymousId\":\"phone\",\"traits\":{\"email\":\"anna@"
        "example.com\",\"first_name\":\"Anna\",\"country\":\"AT\",\"seen_at\":\"2\"}}",
        "{\"type\":\"identify\",\"userId\":\"ann\",\"anonymousId\":\"laptop\",\"traits\":{\"country\":\"DE\"}"
        "}",
        "{\"type\":\"identify\",\"userId\":\"bob\",\"anonymousId\":\"desk\",\"traits\":{\"first_name\":"
        "\"Bob\",\"country\":\"DE\"}}",
        "{\"type\":\"identify\",\"userId\":\"bob\",\"anonymousId\":\"desk\",\"traits\":{\"first_name\":"
        "\"Robert\",\"country\":\"FR\"}}"}; /* he moved, and changed it himself */
    for (size_t i = 0; i < AT_LENGTH(events); i++) audit_event(&world, events[i]);
    FOUND(&world, "people_conflicting", 1, 2, "ann");
    PART(&world, "people_conflicting", "several e-mails", 1);
    FOUND(&world, "people_country_flips", 1, 2, "ann");
    FOUND(&world, "people_traits_disagree", 1, 2, "ann");
    audit_end(&world);
}

static void identifiers_that_many_share(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, NULL);
    for (int i = 0; i < 12; i++) { /* a till, a family of three, a couple, one alone */
        char text[300];
        const char *browser = i < 12 ? "till" : "";
        snprintf(text, sizeof text,
                 "{\"type\":\"page\",\"anonymousId\":\"%s\",\"userId\":\"t%d\",\"messageId\":\"t%d\"}",
                 browser, i, i);
        audit_event(&world, text);
        audit_event(&world, text);
    }
    for (int i = 0; i < 3; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "{\"type\":\"page\",\"anonymousId\":\"tablet\",\"userId\":\"f%d\",\"messageId\":\"f%d\"}", i,
                 i);
        audit_event(&world, text);
        if (i == 2) break;
        snprintf(text, sizeof text,
                 "{\"type\":\"identify\",\"anonymousId\":\"couple\",\"userId\":\"c%d\",\"messageId\":\"c%d\","
                 "\"traits\":{\"email\":\"both@example.com\"}}",
                 i, i);
        audit_event(&world, text);
    }
    audit_event(&world, "{\"type\":\"identify\",\"anonymousId\":\"alone\",\"userId\":\"x\",\"traits\":{"
                        "\"email\":\"x@example.com\"}}");
    FOUND(&world, "shared_browsers", 2, 4, "t2");
    PART(&world, "shared_browsers", "3 to 9 people", 1);
    PART(&world, "shared_browsers", "10 people and more", 1);
    FOUND(&world, "shared_addresses", 1, 2, "c1");
    audit_end(&world);
}

static void the_ledger_of_a_shop(void **state) {
    (void)state;
    struct audit_world world;
    struct at_identity_rules rules;
    at_identity_rules_default(&rules);
    audit_begin(&world, &(struct at_audit_options){.rules = &rules});
    uint32_t user = at_identity_kind_find(&rules, AT_TEXT("user_id")),
             email = at_identity_kind_find(&rules, AT_TEXT("email")),
             browser = at_identity_kind_find(&rules, AT_TEXT("anonymous_id"));
    uint64_t id = 100;
#define IDENTIFIER(p, k, ago)                                                                                \
    at_audit_identifier(world.audit, &(struct at_audit_identifier){++id, p, k, NOW_MS - (ago)})
    IDENTIFIER(1, user, 0);
    IDENTIFIER(1, user, 0); /* two accounts */
    for (int i = 0; i < 5; i++) IDENTIFIER(2, email, AT_DAY_MS * 900);
    for (int i = 0; i < 5; i++) IDENTIFIER(3, browser, AT_DAY_MS * 31); /* out of the window */
    for (int i = 0; i < 5; i++) IDENTIFIER(4, browser, AT_DAY_MS * 29);
    IDENTIFIER(5, user, 0);
    for (int i = 0; i < 10; i++) at_audit_merge(world.audit, 4);
    at_audit_merge(world.audit, 5);
    at_audit_unlink(world.audit);
    char two[AT_PERSON_ID_SIZE], four[AT_PERSON_ID_SIZE];
    at_person_id_format(2, two);
    at_person_id_format(4, four);
    FOUND(&world, "people_conflicting", 2, 5, two);
    PART(&world, "people_conflicting", "several user ids", 1);
    PART(&world, "people_conflicting", "several e-mails", 1);
    FOUND(&world, "people_at_limits", 2, 5, four);
    FOUND(&world, "people_merged_often", 1, 5, four);
    FOUND(&world, "identifiers_taken_apart", 1, 18, NULL);
    assert_int_equal(audit_result(&world)->identifiers, 18);
    audit_end(&world);
}

static void consent_by_purpose(void **state) {
    (void)state;
    struct audit_world world;
    static const struct at_consent_purpose own[] = {{.name = {"analytics", 9}},
                                                    {.name = {"email_marketing", 15}}};
    struct at_consent_rules rules = {.is_declared = true, .purposes = own, .purpose_count = 2};
    audit_begin(&world, &(struct at_audit_options){.consent = &rules});
    static const struct at_text mail[] = {{"email_marketing", 15}}, other[] = {{"sale", 4}};
#define BY(user)                                                                                             \
    "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"" user "\",\"messageId\":\"" user "\"}"
    audit_event(&world, BY("silent"));
    audit_event_row(&world, BY("other"), 0,
                    (struct at_audit_event){.purposes = other, .purpose_count = 1}); /* nobody asks for it */
    audit_event(
        &world,
        "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"mail\",\"messageId\":\"before\"}");
    audit_event_row(&world, BY("mail"), 0, (struct at_audit_event){.purposes = mail, .purpose_count = 1});
    audit_event(
        &world,
        "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"mail\",\"messageId\":\"after\"}");
    FOUND(&world, "events_without_consent", 3, 5, "before");
    FOUND(&world, "consent_unknown", 3, 3, NULL);
    PART(&world, "consent_unknown", "analytics", 3);
    PART(&world, "consent_unknown", "email_marketing", 2);
    assert_int_equal(audit_result(&world)->purpose_count, 2);
    audit_end(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_orders),
        cmocka_unit_test(visits_and_when_they_are_recognised),
        cmocka_unit_test(records_that_contradict_each_other),
        cmocka_unit_test(identifiers_that_many_share),
        cmocka_unit_test(the_ledger_of_a_shop),
        cmocka_unit_test(consent_by_purpose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
