/* SPDX-License-Identifier: Apache-2.0
 *
 * Times in other programs' forms, and local clocks: each directive, what it refuses, a round trip over random
 * moments, both sides of a clock change.
 */
#include "base_test.h"
#include "base/time.h"
#include "base/zone.h"

static void expect(const char *format, const char *text, const char *utc, bool is_local) {
    struct at_error err = {0};
    int64_t ms = 0;
    bool local = false;
    char shown[AT_TIME_SIZE];
    if (at_time_parse_as(format, text, strlen(text), &ms, &local, &err) != AT_OK)
        fail_msg("%s as %s: %s", text, format, err.message);
    at_time_format(ms, shown);
    if (strcmp(shown, utc) != 0 || local != is_local) fail_msg("%s as %s: %s", text, format, shown);
}

static void refuse(const char *format, const char *text, const char *code) {
    struct at_error err = {0};
    int64_t ms = 0;
    bool local;
    if (at_time_parse_as(format, text, strlen(text), &ms, &local, &err) != AT_INVALID)
        fail_msg("%s as %s was taken", text, format);
    assert_string_equal(err.code, code);
    assert_non_null(strstr(err.message, format));
}

static void test_each_directive(void **state) {
    (void)state;
    expect("%Y-%m-%d %H:%M:%S %z", "2025-10-07 09:50:26 +0200", "2025-10-07T07:50:26.000Z", false);
    expect("%Y-%m-%dT%H:%M:%S.%f%z", "2025-10-07T09:50:26.1239Z", "2025-10-07T09:50:26.123Z", false);
    expect("%d/%m/%Y %H:%M", "1/12/2010 8:26", "2010-12-01T08:26:00.000Z", true);
    expect("%m/%d/%y %H:%M", "12/1/10   08:26 ", "2010-12-01T08:26:00.000Z", true);
    expect("%b %d, %Y %I:%M %p", "Dec 1, 2010 12:05 am", "2010-12-01T00:05:00.000Z", true);
    expect("%B %d, %Y %I:%M%p", "december 31, 2010 1:05PM", "2010-12-31T13:05:00.000Z", true);
    expect("%d %B %Y", " 29 Feb 2024", "2024-02-29T00:00:00.000Z", true);
    expect("%y%m%d", "690101", "1969-01-01T00:00:00.000Z", true);
    expect("%Y 100%%", "2000 100%", "2000-01-01T00:00:00.000Z", true);
    expect("%H:%M:%S", "23:59:60", "1970-01-01T23:59:59.000Z", true);
    expect("%Y-%m-%d %z", "2020-01-01 -05:30", "2020-01-01T05:30:00.000Z", false);
}

static void test_what_is_refused(void **state) {
    (void)state;
    static const char *const wrong[][2] = {{"%Y-%m-%d", "2025-02-29"},
                                           {"%Y-%m-%d", "2025-13-01"},
                                           {"%Y-%m-%d", "25-12-01"},
                                           {"%Y-%m-%d", "2025-1"},
                                           {"%Y-%m-%d", "2025-12-01 10:00"},
                                           {"%Y-%m-%d", ""},
                                           {"%d/%m/%Y", "32/1/2020"},
                                           {"%d/%m/%Y", "0/1/2020"},
                                           {"%H:%M", "24:00"},
                                           {"%H:%M", "10:60"},
                                           {"%I %p", "0 AM"},
                                           {"%I %p", "13 PM"},
                                           {"%I %p", "1 XM"},
                                           {"%b", "Dezember"},
                                           {"%z", "+2"},
                                           {"%z", "0200"},
                                           {"%S.%f", "1."},
                                           {"%Y", "0000"},
                                           {"%d.%m.%Y", "1/2/2020"},
                                           {"%Y-%m-%d %H:%M", "2020-01-01 +1:00"}};
    for (size_t i = 0; i < AT_LENGTH(wrong); i++) refuse(wrong[i][0], wrong[i][1], "bad_time");
    refuse("%Y-%Q", "2020-1", "bad_format");
    refuse("%Y%", "2020", "bad_format");
}

static void test_what_was_written_is_read(void **state) {
    (void)state;
    seed_random(20000);
    for (int i = 0; i < 20000; i++) {
        int64_t ms = (int64_t)(next_random() % 4102444800000) - 1000, back;
        char text[AT_TIME_SIZE];
        bool is_local;
        at_time_format(ms, text);
        assert_int_equal(
            at_time_parse_as("%Y-%m-%dT%H:%M:%S.%f%z", text, strlen(text), &back, &is_local, NULL), AT_OK);
        assert_true(back == ms && !is_local);
    }
}

/* Every local time of a year, as it is shown and back. */
static void test_local_clocks(void **state) {
    (void)state;
    static const char *const names[] = {"Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"};
    int64_t start = 1293840000000 /* 2011-01-01 */;
    for (size_t k = 0; k < AT_LENGTH(names); k++) {
        struct at_zone *zone;
        struct at_error err;
        assert_int_equal(at_zone_load(names[k], &zone, &err), AT_OK);
        int twice = 0;
        for (int64_t utc = start; utc < start + 370 * AT_DAY_MS; utc += 10 * AT_MINUTE_MS) {
            int64_t local = utc + at_zone_offset_ms(zone, utc), back = at_zone_to_utc(zone, local);
            assert_true(back + at_zone_offset_ms(zone, back) == local && back <= utc);
            twice += back != utc;
        }
        assert_int_equal(twice, strcmp(names[k], "UTC") == 0                   ? 0
                                : strcmp(names[k], "Australia/Lord_Howe") == 0 ? 3
                                                                               : 6);
        at_zone_free(zone);
    }
    struct at_zone *london;
    assert_int_equal(at_zone_load("Europe/London", &london, NULL), AT_OK);
    /* 2011-03-27 01:30 never was: half an hour behind the jump at 01:00 UTC */
    assert_true(at_zone_to_utc(london, 1301189400000) == 1301189400000);
    assert_true(at_zone_to_utc(NULL, 5) == 5);
    at_zone_free(london);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_directive),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_what_was_written_is_read),
        cmocka_unit_test(test_local_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
