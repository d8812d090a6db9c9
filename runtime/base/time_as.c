/* SPDX-License-Identifier: Apache-2.0
 *
 * Moments in forms that other programs write, by a format. Nothing depends on the locale.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/time.h"

struct reading {
    const char *at, *end;
    int year, month, day, hour, minute, second, half; /* half: 0 not said, 1 AM, 2 PM */
    int64_t fraction_ms, offset_ms;
    bool has_offset;
};

static bool is_digit_here(const struct reading *in) {
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

static bool read_number(struct reading *in, int least_digits, int most_digits, int most, int *out) {
    int value = 0, count = 0;
    for (; count < most_digits && is_digit_here(in); count++) value = value * 10 + (*in->at++ - '0');
    *out = value;
    return count >= least_digits && value <= most;
}

static bool read_month(struct reading *in) {
    static const char *const names[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
    for (int i = 0; i < 12; i++)
        for (size_t length = strlen(names[i]);; length = 3) {
            if ((size_t)(in->end - in->at) >= length && strncasecmp(in->at, names[i], length) == 0) {
                in->at += length;
                in->month = i + 1;
                return true;
            }
            if (length == 3) break;
        }
    return false;
}

static bool read_half(struct reading *in) {
    if (in->end - in->at < 2) return false;
    in->half = strncasecmp(in->at, "AM", 2) == 0 ? 1 : strncasecmp(in->at, "PM", 2) == 0 ? 2 : 0;
    in->at += 2;
    return in->half != 0;
}

static bool read_fraction(struct reading *in) {
    int64_t scale = 100;
    if (!is_digit_here(in)) return false;
    for (; is_digit_here(in); scale /= 10) in->fraction_ms += (*in->at++ - '0') * scale;
    return true;
}

static bool read_offset(struct reading *in) {
    int hours, minutes;
    in->has_offset = true;
    if (in->at == in->end) return false;
    char sign = *in->at++;
    if (sign == 'Z' || sign == 'z') return true;
    if ((sign != '+' && sign != '-') || !read_number(in, 2, 2, 23, &hours)) return false;
    if (in->at < in->end && *in->at == ':') in->at++;
    if (!read_number(in, 2, 2, 59, &minutes)) return false;
    in->offset_ms = (sign == '-' ? -1 : 1) * (hours * AT_HOUR_MS + minutes * AT_MINUTE_MS);
    return true;
}

static bool read_year(struct reading *in, bool is_short) {
    if (!is_short) return read_number(in, 4, 4, 9999, &in->year) && in->year > 0;
    bool is_there = read_number(in, 2, 2, 99, &in->year);
    in->year += in->year < 69 ? 2000 : 1900;
    return is_there;
}

/* False: the text does not go on like this. *is_known: there is such a directive. */
static bool read_part(struct reading *in, char directive, bool *is_known) {
    switch (directive) {
    case 'Y': return read_year(in, false);
    case 'y': return read_year(in, true);
    case 'm': return read_number(in, 1, 2, 12, &in->month) && in->month > 0;
    case 'd': return read_number(in, 1, 2, 31, &in->day) && in->day > 0;
    case 'H': return read_number(in, 1, 2, 23, &in->hour);
    case 'I': return read_number(in, 1, 2, 12, &in->hour) && in->hour > 0;
    case 'M': return read_number(in, 1, 2, 59, &in->minute);
    case 'S': return read_number(in, 1, 2, 60, &in->second);
    case 'f': return read_fraction(in);
    case 'p': return read_half(in);
    case 'b':
    case 'B': return read_month(in);
    case 'z': return read_offset(in);
    default: *is_known = false; return false;
    }
}

static void skip_spaces(struct reading *in) {
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t')) in->at++;
}

static bool read_plain(struct reading *in, char c) {
    if (c == ' ') {
        skip_spaces(in);
        return true;
    }
    if (in->at == in->end || *in->at != c) return false;
    in->at++;
    return true;
}

static bool read_all(struct reading *in, const char *format, bool *is_known) {
    skip_spaces(in);
    for (const char *f = format; *f; f++) {
        bool is_part = *f == '%' && f[1] != '%';
        if (*f == '%' && *++f == 0) {
            *is_known = false;
            return false;
        }
        if (is_part ? !read_part(in, *f, is_known) : !read_plain(in, *f)) return false;
    }
    skip_spaces(in);
    return in->at == in->end;
}

static bool make(struct reading *in, int64_t *ms) {
    int year, month, day;
    int64_t days = at_day_of(in->year, in->month, in->day);
    at_date_of(days, &year, &month, &day);
    if (day != in->day || month != in->month) return false; /* that month has no such day */
    if (in->half) in->hour = in->hour % 12 + (in->half == 2 ? 12 : 0);
    if (in->second == 60) in->second = 59; /* a leap second stays in its minute */
    *ms = days * AT_DAY_MS + in->hour * AT_HOUR_MS + in->minute * AT_MINUTE_MS + in->second * AT_SECOND_MS +
          in->fraction_ms - in->offset_ms;
    return true;
}

enum at_status at_time_parse_as(const char *format, const char *text, size_t length, int64_t *ms_out,
                                bool *is_local, struct at_error *err) {
    struct reading in = {.at = text, .end = text + length, .year = 1970, .month = 1, .day = 1};
    bool is_known = true;
    if (read_all(&in, format, &is_known) && make(&in, ms_out)) {
        *is_local = !in.has_offset;
        return AT_OK;
    }
    if (!is_known)
        return at_fail(
            err, AT_INVALID, "bad_format",
            "\"%.40s\" is no format of times: it is made of %%Y %%y %%m %%d %%H %%I %%M %%S %%f %%p "
            "%%b %%B %%z, such as \"%%d/%%m/%%Y %%H:%%M\"",
            format);
    return at_fail(err, AT_INVALID, "bad_time", "\"%.*s\" is not a time written as \"%.40s\"",
                   (int)(length < 40 ? length : 40), text, format);
}
