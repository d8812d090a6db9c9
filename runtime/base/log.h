/* SPDX-License-Identifier: Apache-2.0
 *
 * The log: standard error, one line an entry, as text or JSON. No key, address or other personal data goes
 * in: callers pass ids and counts. Thread-safe: one write(2) a line.
 */
#ifndef AT_BASE_LOG_H
#define AT_BASE_LOG_H

#include <stdbool.h>
#include "base/status.h"

enum at_log_level { AT_LOG_INFO, AT_LOG_WARN, AT_LOG_ERROR };
struct at_log {
    int fd;       /* 2; -1: silent */
    bool is_json; /* --log json */
    void (*hook)(void *arg, enum at_log_level level,
                 const char *line); /* embedded host's own sink; may be NULL */
    void *hook_arg;
};
/* text: "2026-11-26T06:31:25.123Z info  reload: generation 17 serves (3 files)".
 * json: {"time":…,"level":"info","room":"reload","message":…}. Newlines are escaped; lines end at 2,000
 * bytes. */
void at_log(const struct at_log *log, enum at_log_level level, const char *room, const char *fmt, ...)
    AT_PRINTF(4, 5);

#endif
