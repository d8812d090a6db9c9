/* SPDX-License-Identifier: Apache-2.0
 *
 * Moments are int64_t milliseconds since 1970-01-01 UTC, spans are int64_t milliseconds. All "now" of the
 * domain comes through one at_clock, which tests, `serve --now` and rehearsals replace; measuring how long
 * something took uses at_ticks_ns (monotonic).
 */
#ifndef AT_BASE_TIME_H
#define AT_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "base/status.h"

#define AT_SECOND_MS 1000LL
#define AT_MINUTE_MS (60 * AT_SECOND_MS)
#define AT_HOUR_MS   (60 * AT_MINUTE_MS)
#define AT_DAY_MS    (24 * AT_HOUR_MS)

/* The clock. offset_ms is added to the system's time; is_frozen stops it at frozen_ms. Set before use, then
 * read only. */
struct at_clock {
    int64_t offset_ms;
    int64_t frozen_ms;
    bool is_frozen;
};
int64_t at_clock_now(const struct at_clock *clock); /* NULL: the system's clock */
uint64_t at_ticks_ns(void);

/* RFC 3339 / ISO 8601: "2026-11-26T06:31:25Z", ".123456Z", "+01:00", "2026-11-26 06:31:25" and "2026-11-26"
 * (both UTC). Years 0001–9999; leap second 60 reads as 59.999. AT_INVALID says what is wrong and shows the
 * text. */
enum at_status at_time_parse(const char *text, size_t length, int64_t *ms_out, struct at_error *err);
/* ---- time_as.c: as files of other programs write it ---- */
/* A format of %Y (2026) %y (26: 1969 to 2068) %m %d %H %I %M %S (one or two digits) %f (a fraction of a
 * second) %p (AM, PM) %b %B (English months, short or whole) %z (+01:00, +0100, Z) %%; a space is any space;
 * other characters stand for themselves. Parts that are not in it are 1 January and midnight. *is_local: it
 * said no offset, *ms_out is what a clock in its place showed. AT_INVALID says what is wrong, of the format
 * or of the text. */
enum at_status at_time_parse_as(const char *format, const char *text, size_t length, int64_t *ms_out,
                                bool *is_local, struct at_error *err);
#define AT_TIME_SIZE 32
/* "2026-11-26T06:31:25.123Z"; returns the length (24). */
size_t at_time_format(int64_t ms, char out[AT_TIME_SIZE]);
/* Days since 1970-01-01 → year, month 1-12, day 1-31, and back (proleptic Gregorian). */
void at_date_of(int64_t day, int *year, int *month, int *day_of_month);
int64_t at_day_of(int year, int month, int day_of_month);

/* "90s" "30m" "1h30m" "7d" "6w" → ms. A bare number is AT_INVALID with 'a time needs a unit: 7 what? write
 * "7d"'. */
enum at_status at_span_parse(const char *text, size_t length, int64_t *ms_out, struct at_error *err);
/* "5%" → 0.05; refuses bare numbers likewise, and values outside 0–100 %. */
enum at_status at_share_parse(const char *text, size_t length, double *share_out, struct at_error *err);

#endif
