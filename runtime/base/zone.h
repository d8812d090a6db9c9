/* SPDX-License-Identifier: Apache-2.0
 *
 * Time zones from the system's tz database (TZif files, RFC 8536), without libc's process-wide TZ. Immutable
 * once loaded; any thread may read. Used for days in the shop's zone.
 */
#ifndef AT_BASE_ZONE_H
#define AT_BASE_ZONE_H

#include <stdint.h>
#include "base/status.h"

struct at_zone;
/* "Europe/Berlin"; "UTC" needs no file. AT_NOTFOUND names the zone and says to install tzdata if there is no
 * database. */
enum at_status at_zone_load(const char *name, struct at_zone **out, struct at_error *err) AT_MUST_CHECK;
void at_zone_free(struct at_zone *zone);
/* Local time minus UTC at that moment, ms. zone NULL: UTC. After the last transition the POSIX rule of the
 * footer holds. */
int64_t at_zone_offset_ms(const struct at_zone *zone, int64_t utc_ms);
/* The moment clocks there showed that: the first where they showed it twice; where they jumped over it, as
 * much later as it lies behind the jump. */
int64_t at_zone_to_utc(const struct at_zone *zone, int64_t local_ms);
/* The moment local midnight of that day begins (the first instant of the day where a change skips midnight).
 */
int64_t at_zone_day_start(const struct at_zone *zone, int year, int month, int day);

#endif
