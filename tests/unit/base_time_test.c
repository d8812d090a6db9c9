/* SPDX-License-Identifier: Apache-2.0
 *
 * Moments, spans, shares and zones. Zones are compared with libc's own reading of the same database.
 */
#include "base_test.h"
#include "base_fail_malloc.h"
#include <unistd.h>
#include "base/time.h"
#include "base/zone.h"
#include "base/zone_rule.h"

/* ---- moments ---- */

static int64_t moment(const char *text) {
    int64_t ms = -1;
    struct at_error err = {0};
    if (at_time_parse(text, strlen(text), &ms, &err) != AT_OK) fail_msg("%s: %s", text, err.message);
    return ms;
}

static void test_known_moments_are_read(void **state) {
    (void)state;
    assert_true(moment("1970-01-01T00:00:00Z") == 0);
    assert_true(moment("2026-11-26T06:31:25Z") == 1795674685000);
    assert_true(moment("2026-11-26T06:31:25.123456Z") == 1795674685123);
    assert_true(moment("2026-11-26t07:31:25,5+01:00") == 1795674685500);
    assert_true(moment("2026-11-26T02:01:25-0430") == 1795674685000);
    assert_true(moment("2026-11-26 06:31:25") == 1795674685000);
    assert_true(moment("2026-11-26") == 1795651200000);
    assert_true(moment("2016-12-31T23:59:60Z") == 1483228799999);
    assert_true(moment("0001-01-01") == -62135596800000);
    assert_true(moment("9999-12-31T23:59:59.999Z") == 253402300799999);
    assert_true(moment("2024-02-29") == 1709164800000);
    assert_true(moment("1969-12-31T23:59:59.999Z") == -1);
}

static void test_wrong_moments_show_the_text(void **state) {
    (void)state;
    static const char *const WRONG[] = {"",
                                        "x",
                                        "2026",
                                        "2026-13-01",
                                        "2026-02-29",
                                        "1900-02-29",
                                        "0000-01-01",
                                        "2026-11-26T",
                                        "2026-11-26T24:00:00Z",
                                        "2026-11-26T06:31Z",
                                        "2026-11-26T06:31:25",
                                        "2026-11-26T06:31:25.Z",
                                        "2026-11-26T06:31:61Z",
                                        "2026-11-26T06:31:25+24:00",
                                        "2026-11-26T06:31:25ZZ",
                                        "2026-11-26 ",
                                        "2026-11-26X06:31:25Z",
                                        " 2026-11-26",
                                        "2026-1-26",
                                        "+2026-11-26",
                                        "2026-11-26T06:31:25+1:00",
                                        "2026-00-01",
                                        "2026-01-00"};
    for (size_t i = 0; i < AT_LENGTH(WRONG); i++) {
        int64_t ms = 7;
        struct at_error err = {0};
        if (at_time_parse(WRONG[i], strlen(WRONG[i]), &ms, &err) != AT_INVALID)
            fail_msg("\"%s\" passed", WRONG[i]);
        if (!strstr(err.message, WRONG[i])) fail_msg("\"%s\" is not in: %s", WRONG[i], err.message);
        assert_true(ms == 7);
    }
}

static void test_moments_round_trip(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    seed_random(COUNT);
    for (int i = 0; i < COUNT; i++) {
        int64_t ms = -62135596800000 + (int64_t)(next_random() % 315537897600000U);
        char text[AT_TIME_SIZE], other[AT_TIME_SIZE];
        assert_int_equal(at_time_format(ms, text), 24);
        assert_true(moment(text) == ms);
        int64_t second = ms / 1000 - (ms % 1000 < 0);
        time_t libc_second = (time_t)second;
        struct tm parts;
        assert_non_null(gmtime_r(&libc_second, &parts));
        snprintf(other, sizeof(other), "%04d-%02d-%02dT%02d:%02d:%02d", (parts.tm_year + 1900) % 10000,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
        assert_memory_equal(text, other, 19);
    }
}

static void test_days_run_without_a_gap(void **state) {
    (void)state;
    int year, month, day;
    for (int64_t n = -800000; n < 3000000; n += 1) {
        at_date_of(n, &year, &month, &day);
        if (at_day_of(year, month, day) != n)
            fail_msg("day %lld became %d-%d-%d", (long long)n, year, month, day);
    }
    at_date_of(0, &year, &month, &day);
    assert_true(year == 1970 && month == 1 && day == 1);
}

static void test_clock(void **state) {
    (void)state;
    struct at_clock frozen = {.frozen_ms = 42, .is_frozen = true}, ahead = {.offset_ms = AT_DAY_MS};
    assert_true(at_clock_now(&frozen) == 42);
    int64_t lead = at_clock_now(&ahead) - at_clock_now(NULL);
    assert_true(lead <= AT_DAY_MS && lead > AT_DAY_MS - 10000);
    uint64_t before = at_ticks_ns();
    assert_true(at_ticks_ns() >= before);
}

/* ---- spans and shares ---- */

static void test_spans(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } GOOD[] = {{"90s", 90000},     {"30m", 1800000}, {"1h30m", 5400000},         {"7d", 604800000},
                {"6w", 3628800000}, {"0s", 0},        {"100000d", 8640000000000}, {"1w2d3h4m5s", 788645000}};
    static const char *const WRONG[] = {"",    "d",  "7 d",  "-7d",     "1m1h", "1d1d",
                                        "7x",  "7D", "1.5h", "100001d", "7d ",  "99999999999999999999d",
                                        "1h30"};
    struct at_error err = {0};
    int64_t ms;
    for (size_t i = 0; i < AT_LENGTH(GOOD); i++) {
        if (at_span_parse(GOOD[i].text, strlen(GOOD[i].text), &ms, &err) != AT_OK)
            fail_msg("%s", err.message);
        assert_true(ms == GOOD[i].ms);
    }
    for (size_t i = 0; i < AT_LENGTH(WRONG); i++)
        if (at_span_parse(WRONG[i], strlen(WRONG[i]), &ms, &err) != AT_INVALID)
            fail_msg("\"%s\" passed", WRONG[i]);
    assert_int_equal(at_span_parse("7", 1, &ms, &err), AT_INVALID);
    assert_string_equal(err.message, "a time needs a unit: 7 what? write \"7d\"");
}

static void test_shares(void **state) {
    (void)state;
    double share = -1;
    struct at_error err = {0};
    assert_int_equal(at_share_parse("5%", 2, &share, &err), AT_OK);
    assert_true(share == 0.05);
    assert_int_equal(at_share_parse("100%", 4, &share, &err), AT_OK);
    assert_true(share == 1);
    assert_int_equal(at_share_parse("12.5%", 5, &share, &err), AT_OK);
    assert_true(share == 0.125);
    static const char *const WRONG[] = {"",    "%",   "5",    "0.05", "101%",   "-1%",
                                        "5 %", "5%%", "nan%", "1e1%", "1.2.3%", "0x5%"};
    for (size_t i = 0; i < AT_LENGTH(WRONG); i++)
        if (at_share_parse(WRONG[i], strlen(WRONG[i]), &share, &err) != AT_INVALID)
            fail_msg("\"%s\" passed", WRONG[i]);
}

/* ---- zones ---- */

static struct at_zone *load_zone(const char *name) {
    struct at_zone *zone = NULL;
    struct at_error err = {0};
    enum at_status status = at_zone_load(name, &zone, &err);
    if (status == AT_NOTFOUND && !strcmp(err.code, "no_zones")) skip();
    if (status != AT_OK) fail_msg("%s: %s", name, err.message);
    return zone;
}

static void test_utc_needs_no_file(void **state) {
    (void)state;
    struct at_zone *zone = load_zone("UTC");
    assert_true(at_zone_offset_ms(zone, 123456789) == 0);
    assert_true(at_zone_offset_ms(NULL, -5) == 0);
    assert_true(at_zone_day_start(zone, 1970, 1, 2) == AT_DAY_MS);
    assert_true(at_zone_day_start(NULL, 1970, 1, 2) == AT_DAY_MS);
    at_zone_free(zone);
    at_zone_free(NULL);
}

static void test_unknown_zones_are_refused(void **state) {
    (void)state;
    static const char *const WRONG[] = {"",        "Mars/Base",     "../../../etc/passwd", "/etc/localtime",
                                        "Europe",  "Europe/../UTC", "Europe/Berlin\n",     "posixrules.tab",
                                        "zone.tab"};
    at_zone_free(load_zone("Europe/Berlin"));
    for (size_t i = 0; i < AT_LENGTH(WRONG); i++) {
        struct at_zone *zone;
        struct at_error err = {0};
        enum at_status status = at_zone_load(WRONG[i], &zone, &err);
        if (status != AT_NOTFOUND && status != AT_INVALID) fail_msg("\"%s\" passed", WRONG[i]);
        assert_null(zone);
        assert_non_null(strstr(err.message, WRONG[i]));
    }
}

static void test_a_missing_database_is_named(void **state) {
    (void)state;
    struct at_zone *zone;
    struct at_error err = {0};
    setenv("TZDIR", "/nonexistent/zones", 1);
    assert_int_equal(at_zone_load("Europe/Berlin", &zone, &err), AT_NOTFOUND);
    assert_non_null(strstr(err.message, "Europe/Berlin"));
    assert_non_null(strstr(err.message, "install the package tzdata"));
    unsetenv("TZDIR");
}

/* A folder of damaged copies of one zone: loading says so or gives a zone that answers; it never crashes. */
static void test_damaged_files_are_survived(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    at_zone_free(load_zone("Europe/Berlin"));
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    if (!file) skip();
    static unsigned char good[1 << 16], bad[1 << 16];
    size_t length = fread(good, 1, sizeof(good), file);
    fclose(file);
    char folder[] = "/tmp/at_zone_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/Bad", folder);
    setenv("TZDIR", folder, 1);
    seed_random(COUNT);
    int loaded = 0;
    for (int i = 0; i < COUNT; i++) {
        memcpy(bad, good, length);
        size_t n = i % 3 ? length : next_random() % length, reach = i % 2 ? length : 44;
        for (int k = 0; k < 3 && n; k++) bad[next_random() % reach] = (unsigned char)next_random();
        file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bad, 1, n, file), n);
        fclose(file);
        struct at_zone *zone;
        if (at_zone_load("Bad", &zone, NULL) != AT_OK) continue;
        loaded++;
        at_zone_offset_ms(zone, (int64_t)next_random());
        at_zone_day_start(zone, 2026, 3, 29);
        at_zone_free(zone);
    }
    assert_true(loaded > 0 && loaded < COUNT);
    unsetenv("TZDIR");
    unlink(path);
    rmdir(folder);
}

static void test_each_allocation_of_a_zone_may_fail(void **state) {
    (void)state;
    struct at_zone *zone = load_zone("Europe/Berlin");
    at_zone_free(zone);
    long n = 0;
    for (;; n++) {
        struct at_error err;
        allocations_left = n;
        enum at_status status = at_zone_load("Europe/Berlin", &zone, &err);
        allocations_left = -1;
        if (status == AT_OK) break;
        assert_int_equal(status, AT_NOMEM);
        assert_null(zone);
        assert_true(n < 20);
    }
    assert_true(n == 4);
    at_zone_free(zone);
}

static void test_offsets_are_those_of_libc(void **state) {
    (void)state;
    static const char *const ZONES[] = {
        "Europe/Berlin",       "Europe/Dublin",     "America/New_York", "America/St_Johns",
        "America/Sao_Paulo",   "Asia/Kathmandu",    "Asia/Tokyo",       "Asia/Tehran",
        "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia",     "Pacific/Chatham",
        "America/Godthab",     "Antarctica/Troll",  "Asia/Gaza",        "Pacific/Kiritimati",
        "Africa/Cairo",        "America/Santiago",  "Europe/London",    "Etc/GMT+5"};
    enum { EACH = 5000 };
    at_zone_free(load_zone("Europe/Berlin"));
    seed_random(EACH * (int)AT_LENGTH(ZONES));
    for (size_t z = 0; z < AT_LENGTH(ZONES); z++) {
        struct at_zone *zone = load_zone(ZONES[z]);
        setenv("TZ", ZONES[z], 1);
        tzset();
        for (int i = 0; i < EACH; i++) {
            time_t second = (time_t)(next_random() % 7258118400U) - 1500000000; /* 1922 to 2152 */
            struct tm parts;
            assert_non_null(localtime_r(&second, &parts));
            int64_t got = at_zone_offset_ms(zone, (int64_t)second * 1000 + 999);
            if (got != parts.tm_gmtoff * 1000LL)
                fail_msg("%s at %lld: %lld, libc %ld", ZONES[z], (long long)second, (long long)got / 1000,
                         parts.tm_gmtoff);
        }
        at_zone_free(zone);
    }
    unsetenv("TZ");
    tzset();
}

static void expect_start(const char *name, int year, int month, int day, const char *wanted) {
    struct at_zone *zone = load_zone(name);
    char text[AT_TIME_SIZE];
    at_time_format(at_zone_day_start(zone, year, month, day), text);
    if (strcmp(text, wanted)) fail_msg("%s %d-%d-%d begins %s, not %s", name, year, month, day, text, wanted);
    at_zone_free(zone);
}

static void test_days_begin_where_the_clock_says(void **state) {
    (void)state;
    expect_start("Europe/Berlin", 2026, 1, 15, "2026-01-14T23:00:00.000Z");
    expect_start("Europe/Berlin", 2026, 3, 29, "2026-03-28T23:00:00.000Z"); /* 23 hours long */
    expect_start("Europe/Berlin", 2026, 3, 30, "2026-03-29T22:00:00.000Z");
    expect_start("Europe/Berlin", 2026, 10, 26, "2026-10-25T23:00:00.000Z");
    expect_start("Europe/Berlin", 2060, 7, 1, "2060-06-30T22:00:00.000Z");
    expect_start("America/New_York", 2026, 11, 26, "2026-11-26T05:00:00.000Z");
    expect_start("Asia/Kathmandu", 2026, 11, 26, "2026-11-25T18:15:00.000Z");
    expect_start("America/Sao_Paulo", 2018, 11, 4, "2018-11-04T03:00:00.000Z"); /* 00:00 became 01:00 */
    expect_start("America/Havana", 2026, 3, 8, "2026-03-08T05:00:00.000Z");     /* 00:00 became 01:00 */
    expect_start("America/Havana", 2026, 11, 1,
                 "2026-11-01T04:00:00.000Z");                               /* 00:00 comes twice: the first */
    expect_start("Pacific/Apia", 2011, 12, 30, "2011-12-30T10:00:00.000Z"); /* a day that was left out */
    expect_start("Pacific/Apia", 2011, 12, 31, "2011-12-30T10:00:00.000Z");
}

static void test_rules(void **state) {
    (void)state;
    static const char *const GOOD[] = {"UTC0",
                                       "<-03>3",
                                       "CET-1CEST,M3.5.0,M10.5.0/3",
                                       "EST5EDT,0/0,J365/25",
                                       "IST-1GMT0,M10.5.0,M3.5.0/1",
                                       "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
                                       "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"};
    static const char *const WRONG[] = {"",
                                        "C-1",
                                        "CET",
                                        "CET-1CEST",
                                        "CET-1CEST,M3.5.0",
                                        "CET-1CEST,M13.5.0,M10.5.0",
                                        "CET-1CEST,M3.6.0,M10.5.0",
                                        "CET-1CEST,M3.5.7,M10.5.0",
                                        "CET-1CEST,J0,J365",
                                        "CET-1CEST,M3.5.0,M10.5.0/168",
                                        "CET-1CEST,M3.5.0,M10.5.0x",
                                        "<CET-1",
                                        "CET25"};
    struct at_zone_rule rule;
    for (size_t i = 0; i < AT_LENGTH(GOOD); i++)
        if (!at_zone_rule_parse(GOOD[i], strlen(GOOD[i]), &rule)) fail_msg("%s refused", GOOD[i]);
    for (size_t i = 0; i < AT_LENGTH(WRONG); i++)
        if (at_zone_rule_parse(WRONG[i], strlen(WRONG[i]), &rule)) fail_msg("%s passed", WRONG[i]);
    assert_true(at_zone_rule_parse("EST5EDT,0/0,J365/25", 19, &rule)); /* summer all year */
    for (int64_t s = 1767225600; s < 1767225600 + 800 * 86400; s += 3601)
        assert_int_equal(at_zone_rule_offset(&rule, s), -4 * 3600);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_moments_are_read),
        cmocka_unit_test(test_wrong_moments_show_the_text),
        cmocka_unit_test(test_moments_round_trip),
        cmocka_unit_test(test_days_run_without_a_gap),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_utc_needs_no_file),
        cmocka_unit_test(test_unknown_zones_are_refused),
        cmocka_unit_test(test_a_missing_database_is_named),
        cmocka_unit_test(test_damaged_files_are_survived),
        cmocka_unit_test(test_each_allocation_of_a_zone_may_fail),
        cmocka_unit_test(test_offsets_are_those_of_libc),
        cmocka_unit_test(test_days_begin_where_the_clock_says),
        cmocka_unit_test(test_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
