/* SPDX-License-Identifier: Apache-2.0
 *
 * Events read out of the log and kept until they can be folded: in log order, whichever source came first.
 */
#ifndef AT_SHOP_KEPT_H
#define AT_SHOP_KEPT_H

#include "shop/internal.h"

struct kept_event {
    uint64_t seq;
    int64_t at_ms, received_ms;
    struct at_text name, message_id, json; /* the arena's; json: [facts,body], AT_JSON_PADDING behind */
};
struct kept_events {
    struct kept_event *list; /* freed by kept_clear */
    size_t count, capacity;
};
enum at_status kept_add(struct kept_events *events, struct at_arena *arena,
                        const struct at_event_row *row) AT_MUST_CHECK;
/* The copy alone; AT_NOMEM. */
enum at_status kept_copy(struct at_arena *arena, const struct at_event_row *row,
                         struct kept_event *out) AT_MUST_CHECK;
void kept_sort(struct kept_events *events); /* by seq */
void kept_clear(struct kept_events *events);

/* As the fold takes it: valid until the parser (parser_borrow's) reads the next. AT_IO: what is stored is no
 * JSON. */
enum at_status kept_read(const struct kept_event *kept, struct at_json_parser *parser,
                         struct at_logged_event *out) AT_MUST_CHECK;

#endif
