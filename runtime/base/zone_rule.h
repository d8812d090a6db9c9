/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule in a TZif file's footer (POSIX TZ, with RFC 8536's hours from -167 to 167). For zone.c only.
 */
#ifndef AT_BASE_ZONE_RULE_H
#define AT_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct at_zone_rule_day {
    char kind;            /* 'M' month, week, weekday · 'J' day 1-365 without 29 February · 'N' day 0-365 */
    int month, week, day; /* 'M': 1-12, 1-5 (5: the last), 0-6 (0: Sunday); else day only */
    int32_t time;         /* s after that day's midnight on the clock before the change */
};
struct at_zone_rule {
    int32_t standard, summer; /* s east of UTC */
    bool has_summer;
    struct at_zone_rule_day start, end; /* of summer time */
};

bool at_zone_rule_parse(const char *text, size_t length, struct at_zone_rule *rule); /* false: malformed */
int32_t at_zone_rule_offset(const struct at_zone_rule *rule, int64_t moment);        /* s; moment in s */

#endif
