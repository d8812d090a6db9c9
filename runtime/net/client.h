/* SPDX-License-Identifier: Apache-2.0
 *
 * A small blocking HTTP client over a local socket: how the program's verbs speak to the process that owns a
 * data folder.
 */
#ifndef AT_NET_CLIENT_H
#define AT_NET_CLIENT_H

#include "base/bytes.h"
#include "base/status.h"

/* Does anybody listen there? */
bool at_client_is_there(const char *socket_path);
/* One request, one answer appended to *body. AT_IO says what failed. */
enum at_status at_client_call(const char *socket_path, const char *method, const char *path,
                              struct at_text request, int *status, struct at_bytes *body,
                              struct at_error *err) AT_MUST_CHECK;

#endif
