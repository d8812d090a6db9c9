/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP face of a shop: every front worker gets a listener on one port; requests are matched against one
 * table of routes, their keys checked, one operation of the shop called, its answer passed on. Calls in the
 * same process go the same way without a socket.
 */
#ifndef AT_API_API_H
#define AT_API_API_H

#include "net/server.h"
#include "shop/shop.h"

struct at_api;
struct at_api_options {
    const char *host; /* "127.0.0.1" */
    int port;         /* 0: the first worker picks one, the others follow */
    const char
        *unix_path; /* a socket for the verbs of this machine's user, who hold the secret key; NULL: none */
};
struct at_api *at_api_new(const struct at_api_options *options, struct at_error *err);
void at_api_free(struct at_api *api);
int at_api_port(const struct at_api *api);
/* For at_shop_options: api is the worker_arg. */
enum at_status at_api_worker_start(void *api, struct at_worker *worker, struct at_error *err);
void at_api_worker_stop(void *api, struct at_worker *worker);

/* Any request, answered through its exchange. is_owner: the caller holds the secret key without showing it.
 */
void at_api_handle(struct at_worker *worker, struct at_exchange *exchange, bool is_owner);
/* HTTP status of a status; the one table. */
int at_api_http_status(enum at_status status);
/* The one shape of an error. Begins body, which the caller clears when it is done with the text. */
struct at_text at_api_write_error(struct at_bytes *body, enum at_status status, const struct at_error *err);

#endif
