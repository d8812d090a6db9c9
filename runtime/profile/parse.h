/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to profile/: the parsing of one event, shared by event.c (who, what, when) and items.c (products
 * and money).
 */
#ifndef AT_PROFILE_PARSE_H
#define AT_PROFILE_PARSE_H

#include "profile/event.h"

#define ID_MAX 500 /* bytes of an id, as every id: of a person, product, order, refund */

#define EVENT_PARTS 21 /* event.c: what an event is asked for */

struct parsing {
    struct at_arena *arena;
    const struct at_event_defaults *defaults;
    const struct at_identity_rules *rules;
    const struct at_root *root;
    struct at_event *event;
    struct at_error *err;
    struct at_json parts[EVENT_PARTS];
    bool is_out_of_memory; /* some text could not be kept: asked once, at the end */
};

/* A text without the space around it, or a number as its decimal text. Length 0: absent. */
struct at_text plain_text(struct parsing *parsing, struct at_json value);
struct at_text trim(struct at_text text);
struct at_json member_of(struct at_json json, const char *name, const char *other);
/* The products an event names: event->items. */
enum at_status read_items(struct parsing *parsing);
/* event->order_id, refund_id, currency, revenue. */
enum at_status read_money(struct parsing *parsing);

#endif
