/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the verb audit: its two sources.
 */
#ifndef AT_CLI_AUDIT_H
#define AT_CLI_AUDIT_H

#include "cli/cli.h"

/* A file or folder of history. first: the line that says what was audited; json: the audit. A code; not 0:
 * said why. */
int audit_files(const struct cli_call *call, const char *path, struct at_bytes *first, struct at_bytes *json);

#endif
