/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads "CET-1CEST,M3.5.0,M10.5.0/3" and says which offset holds at a moment (POSIX.1, "TZ"; RFC 8536 §3.3).
 * Called by zone.c for moments after a file's last transition. No state, no allocation.
 */
#include "base/zone_rule.h"

#include <string.h>
#include "base/time.h"

#define DAY_S 86400

struct reader {
    const char *at, *end;
};

static bool read_char(struct reader *in, char wanted) {
    if (in->at == in->end || *in->at != wanted) return false;
    in->at++;
    return true;
}

static bool read_int(struct reader *in, int most, int *out) {
    const char *start = in->at;
    *out = 0;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9' && in->at - start < 4)
        *out = *out * 10 + (*in->at++ - '0');
    return in->at > start && *out <= most;
}

/* "CET" or "<+03>" */
static bool read_name(struct reader *in) {
    const char *start = in->at;
    if (read_char(in, '<')) {
        while (in->at < in->end && *in->at != '>') in->at++;
        return read_char(in, '>');
    }
    while (in->at < in->end && ((*in->at >= 'A' && *in->at <= 'Z') || (*in->at >= 'a' && *in->at <= 'z')))
        in->at++;
    return in->at - start >= 3;
}

/* [+-]hh[:mm[:ss]] as seconds */
static bool read_time(struct reader *in, int most_hours, int32_t *out) {
    bool is_negative = read_char(in, '-');
    if (!is_negative) read_char(in, '+');
    int hours, minutes = 0, seconds = 0;
    if (!read_int(in, most_hours, &hours)) return false;
    if (read_char(in, ':')) {
        if (!read_int(in, 59, &minutes)) return false;
        if (read_char(in, ':') && !read_int(in, 59, &seconds)) return false;
    }
    *out = hours * 3600 + minutes * 60 + seconds;
    if (is_negative) *out = -*out;
    return true;
}

static bool read_month_week_day(struct reader *in, struct at_zone_rule_day *day) {
    return read_int(in, 12, &day->month) && day->month >= 1 && read_char(in, '.') &&
           read_int(in, 5, &day->week) && day->week >= 1 && read_char(in, '.') && read_int(in, 6, &day->day);
}

static bool read_day(struct reader *in, struct at_zone_rule_day *day) {
    if (!read_char(in, ',')) return false;
    day->kind = read_char(in, 'M') ? 'M' : read_char(in, 'J') ? 'J' : 'N';
    day->time = 2 * 3600;
    if (day->kind == 'M' && !read_month_week_day(in, day)) return false;
    if (day->kind == 'N' && !read_int(in, 365, &day->day)) return false;
    if (day->kind == 'J' && (!read_int(in, 365, &day->day) || day->day < 1)) return false;
    return !read_char(in, '/') || read_time(in, 167, &day->time);
}

bool at_zone_rule_parse(const char *text, size_t length, struct at_zone_rule *rule) {
    struct reader in = {text, text + length};
    memset(rule, 0, sizeof(*rule));
    int32_t west;
    if (!read_name(&in) || !read_time(&in, 24, &west)) return false;
    rule->standard = rule->summer = -west; /* POSIX counts westwards */
    if (in.at == in.end) return true;
    rule->has_summer = true;
    if (!read_name(&in) || in.at == in.end) return false;
    rule->summer = rule->standard + 3600;
    if (*in.at != ',') {
        if (!read_time(&in, 24, &west)) return false;
        rule->summer = -west;
    }
    return read_day(&in, &rule->start) && read_day(&in, &rule->end) && in.at == in.end;
}

static bool is_leap(int year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Seconds of the change on the local clock. */
static int64_t change_in(const struct at_zone_rule_day *day, int year) {
    int64_t first = at_day_of(year, day->kind == 'M' ? day->month : 1, 1), found;
    if (day->kind == 'M') {
        int64_t next = day->month == 12 ? at_day_of(year + 1, 1, 1) : at_day_of(year, day->month + 1, 1);
        int weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
        found = first + (day->day - weekday + 7) % 7 + (day->week - 1) * 7;
        if (found >= next) found -= 7;
    } else if (day->kind == 'J') {
        found = first + day->day - 1 + (is_leap(year) && day->day >= 60);
    } else {
        found = first + day->day;
    }
    return found * DAY_S + day->time;
}

int32_t at_zone_rule_offset(const struct at_zone_rule *rule, int64_t moment) {
    if (!rule->has_summer) return rule->standard;
    int64_t local = moment + rule->standard, day = local / DAY_S - (local % DAY_S < 0);
    int year, month, day_of_month;
    at_date_of(day, &year, &month, &day_of_month);
    int64_t start = change_in(&rule->start, year) - rule->standard,
            end = change_in(&rule->end, year) - rule->summer;
    bool is_summer = start < end ? moment >= start && moment < end : moment >= start || moment < end;
    return is_summer ? rule->summer : rule->standard;
}
