/* SPDX-License-Identifier: Apache-2.0
 *
 * Moments and spans: the clock, RFC 3339 both ways, "7d" and "5%". Every event and every answer passes here,
 * so reading and writing work on the digits directly and never look at the locale or the time zone.
 * Calendar arithmetic: Howard Hinnant, "chrono-compatible low-level date algorithms" (days_from_civil).
 */
#include "base/time.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t at_clock_now(const struct at_clock *clock) {
    if (clock && clock->is_frozen) return clock->frozen_ms;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * AT_SECOND_MS + now.tv_nsec / 1000000 + (clock ? clock->offset_ms : 0);
}

uint64_t at_ticks_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

int64_t at_day_of(int year, int month, int day_of_month) {
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day_of_month - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void at_date_of(int64_t day, int *year, int *month, int *day_of_month) {
    int64_t z = day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100), shifted = (5 * of_year + 2) / 153;
    *day_of_month = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

/* ---- reading a moment ---- */

struct reader {
    const char *at, *end;
};

/* count digits as a number; -1 if they are not there. */
static int read_digits(struct reader *in, int count) {
    int value = 0;
    if (in->end - in->at < count) return -1;
    for (int i = 0; i < count; i++) {
        unsigned digit = (unsigned char)in->at[i] - (unsigned)'0';
        if (digit > 9) return -1;
        value = value * 10 + (int)digit;
    }
    in->at += count;
    return value;
}

static bool read_char(struct reader *in, char wanted) {
    if (in->at == in->end || *in->at != wanted) return false;
    in->at++;
    return true;
}

static int month_length(int year, int month) {
    static const unsigned char LENGTHS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return LENGTHS[month - 1] + (month == 2 && is_leap);
}

static const char *read_date(struct reader *in, int64_t *ms) {
    int year = read_digits(in, 4), month, day;
    if (year < 0) return "it must begin with a year of four digits";
    if (year == 0) return "years go from 0001 to 9999";
    if (!read_char(in, '-') || (month = read_digits(in, 2)) < 0)
        return "the year must be followed by \"-MM\"";
    if (!read_char(in, '-') || (day = read_digits(in, 2)) < 0) return "the month must be followed by \"-DD\"";
    if (month < 1 || month > 12) return "there is no such month";
    if (day < 1 || day > month_length(year, month)) return "that month has no such day";
    *ms = at_day_of(year, month, day) * AT_DAY_MS;
    return NULL;
}

/* ".123456" → 123: what is finer than a millisecond is cut, so that no moment moves into the future. */
static const char *read_fraction(struct reader *in, int *ms) {
    int scale = 100, digits = 0;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') {
        *ms += (*in->at++ - '0') * scale;
        scale /= 10;
        digits++;
    }
    return digits ? NULL : "the point needs digits behind it";
}

static const char *read_clock(struct reader *in, int64_t *ms) {
    int hour = read_digits(in, 2), minute, second, fraction = 0;
    if (hour < 0 || !read_char(in, ':') || (minute = read_digits(in, 2)) < 0 || !read_char(in, ':') ||
        (second = read_digits(in, 2)) < 0)
        return "the time of day must be \"hh:mm:ss\"";
    if (hour > 23 || minute > 59 || second > 60) return "there is no such time of day";
    if (read_char(in, '.') || read_char(in, ',')) {
        const char *wrong = read_fraction(in, &fraction);
        if (wrong) return wrong;
    }
    if (second == 60) { /* a leap second stays in its minute */
        second = 59;
        fraction = 999;
    }
    *ms += ((hour * 60 + minute) * 60 + second) * AT_SECOND_MS + fraction;
    return NULL;
}

static const char *read_zone(struct reader *in, int64_t *ms) {
    if (read_char(in, 'Z') || read_char(in, 'z')) return NULL;
    int sign = read_char(in, '+') ? -1 : read_char(in, '-') ? 1 : 0;
    if (!sign) return "after the time comes \"Z\" or an offset like \"+01:00\"";
    int hour = read_digits(in, 2);
    read_char(in, ':'); /* ISO 8601 allows +0100 */
    int minute = hour < 0 ? -1 : read_digits(in, 2);
    if (hour < 0 || minute < 0 || hour > 23 || minute > 59) return "the offset must look like \"+01:00\"";
    *ms += sign * (hour * AT_HOUR_MS + minute * AT_MINUTE_MS);
    return NULL;
}

static const char *read_moment(struct reader *in, int64_t *ms) {
    const char *wrong = read_date(in, ms);
    if (wrong || in->at == in->end) return wrong;
    bool has_space = *in->at == ' ';
    if (!has_space && *in->at != 'T' && *in->at != 't')
        return "after the date comes \"T\" and the time of day";
    in->at++;
    if ((wrong = read_clock(in, ms))) return wrong;
    if (in->at == in->end && has_space) return NULL; /* "2026-11-26 06:31:25" is UTC */
    return read_zone(in, ms);
}

/* What a message shows of a text: printable, short. */
static const char *show_text(const char *text, size_t length, char out[48]) {
    size_t n = length > 40 ? 40 : length;
    for (size_t i = 0; i < n; i++) out[i] = text[i] >= 0x20 && text[i] < 0x7F ? text[i] : '?';
    memcpy(out + n, length > n ? "..." : "", length > n ? 4 : 1);
    return out;
}

enum at_status at_time_parse(const char *text, size_t length, int64_t *ms_out, struct at_error *err) {
    struct reader in = {text, text + length};
    int64_t ms = 0;
    const char *wrong = read_moment(&in, &ms);
    if (!wrong && in.at != in.end) wrong = "something follows the end of it";
    if (!wrong) {
        *ms_out = ms;
        return AT_OK;
    }
    char shown[48];
    return at_fail(err, AT_INVALID, "bad_time",
                   "\"%s\" is not a time: %s; write it like 2026-11-26T06:31:25Z",
                   show_text(text, length, shown), wrong);
}

/* ---- writing a moment ---- */

static char *put_digits(char *out, unsigned value, int count) {
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + count;
}

static char *put_after(char *out, char before, int value) {
    *out++ = before;
    return put_digits(out, (unsigned)value, 2);
}

size_t at_time_format(int64_t ms, char out[AT_TIME_SIZE]) {
    static const int64_t LATEST_MS = 253402300799999, EARLIEST_MS = -62135596800000;
    if (ms > LATEST_MS) ms = LATEST_MS; /* four digits of a year are all the format has */
    if (ms < EARLIEST_MS) ms = EARLIEST_MS;
    int64_t day = ms / AT_DAY_MS - (ms % AT_DAY_MS < 0);
    int rest = (int)(ms - day * AT_DAY_MS), year, month, day_of_month;
    at_date_of(day, &year, &month, &day_of_month);
    char *p = put_digits(out, (unsigned)year, 4);
    p = put_after(p, '-', month);
    p = put_after(p, '-', day_of_month);
    p = put_after(p, 'T', rest / 3600000);
    p = put_after(p, ':', rest / 60000 % 60);
    p = put_after(p, ':', rest / 1000 % 60);
    *p++ = '.';
    p = put_digits(p, (unsigned)(rest % 1000), 3);
    *p++ = 'Z';
    *p = '\0';
    return (size_t)(p - out);
}

/* ---- spans and shares ---- */

static int64_t unit_of(char letter) {
    switch (letter) {
    case 's': return AT_SECOND_MS;
    case 'm': return AT_MINUTE_MS;
    case 'h': return AT_HOUR_MS;
    case 'd': return AT_DAY_MS;
    case 'w': return 7 * AT_DAY_MS;
    default: return 0;
    }
}

static const int64_t LONGEST_SPAN_MS = 100000 * AT_DAY_MS;

/* A whole number of at most 12 digits: no unit times it overflows. -1 if there is none. */
static int64_t read_count(struct reader *in) {
    const char *start = in->at;
    int64_t value = 0;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9' && in->at - start < 12)
        value = value * 10 + (*in->at++ - '0');
    return in->at == start ? -1 : value;
}

/* One "30m"; units must fall, so that "1m1h" is caught as the slip it is. */
static bool read_part(struct reader *in, int64_t *unit, int64_t *sum) {
    int64_t count = read_count(in);
    if (count < 0 || in->at == in->end) return false;
    int64_t part = unit_of(*in->at);
    if (!part || (*unit && part >= *unit) || count > LONGEST_SPAN_MS / part) return false;
    in->at++;
    *unit = part;
    *sum += count * part;
    return *sum <= LONGEST_SPAN_MS;
}

static bool is_bare_number(const char *text, size_t length) {
    size_t digits = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] >= '0' && text[i] <= '9')
            digits++;
        else if (text[i] != '.')
            return false;
    }
    return digits > 0;
}

enum at_status at_span_parse(const char *text, size_t length, int64_t *ms_out, struct at_error *err) {
    struct reader in = {text, text + length};
    int64_t unit = 0, sum = 0;
    char shown[48];
    if (is_bare_number(text, length)) {
        show_text(text, length, shown);
        return at_fail(err, AT_INVALID, "bad_span", "a time needs a unit: %s what? write \"%sd\"", shown,
                       shown);
    }
    bool is_good = length > 0;
    while (is_good && in.at < in.end) is_good = read_part(&in, &unit, &sum);
    if (is_good) {
        *ms_out = sum;
        return AT_OK;
    }
    return at_fail(err, AT_INVALID, "bad_span",
                   "\"%s\" is not a span of time: write whole numbers with s, m, h, d or w, largest first, "
                   "like \"90s\", \"1h30m\" or \"7d\" (at most 100000d)",
                   show_text(text, length, shown));
}

enum at_status at_share_parse(const char *text, size_t length, double *share_out, struct at_error *err) {
    char shown[48], digits[24];
    if (is_bare_number(text, length)) {
        show_text(text, length, shown);
        return at_fail(err, AT_INVALID, "bad_share", "a share needs a percent sign: write \"%s%%\"", shown);
    }
    size_t n = length ? length - 1 : 0;
    if (n && n < sizeof(digits) && text[n] == '%' && is_bare_number(text, n)) {
        memcpy(digits, text, n);
        digits[n] = '\0';
        char *end;
        double percent = strtod(digits, &end);
        if (*end == '\0' && percent <= 100) {
            *share_out = percent / 100;
            return AT_OK;
        }
    }
    return at_fail(err, AT_INVALID, "bad_share",
                   "\"%s\" is not a share: write a number from 0 to 100 and %%, like \"5%%\"",
                   show_text(text, length, shown));
}
