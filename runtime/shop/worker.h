/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a front worker, between worker.c and shop.c.
 */
#ifndef AT_SHOP_WORKER_H
#define AT_SHOP_WORKER_H

#include "shop/internal.h"

enum at_status worker_open(struct at_worker *worker, struct at_error *err) AT_MUST_CHECK;
enum at_status worker_begin(struct at_worker *worker, struct at_error *err) AT_MUST_CHECK; /* its thread */
enum at_status worker_start(struct at_worker *worker, struct at_error *err)
    AT_MUST_CHECK; /* a thread of its own; waits until it is up */
void worker_ask_stop(struct at_worker *worker);
void worker_end(struct at_worker *worker);   /* its thread */
void worker_close(struct at_worker *worker); /* nothing runs any more */

#endif
