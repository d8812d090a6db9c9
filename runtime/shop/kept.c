/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of the log, kept and read: for a person's fold, for the log's tail, for the orders of who is erased.
 */
#include "shop/kept.h"

#include <stdlib.h>

enum at_status kept_copy(struct at_arena *arena, const struct at_event_row *row, struct kept_event *out) {
    *out = (struct kept_event){row->seq,
                               row->at_ms,
                               row->received_ms,
                               at_json_padded(arena, row->name),
                               at_json_padded(arena, row->message_id),
                               at_json_padded(arena, row->body),
                               at_json_padded(arena, row->facts)};
    bool is_whole = out->name.data && out->message_id.data && out->body.data && out->facts.data;
    return is_whole ? AT_OK : AT_NOMEM;
}

enum at_status kept_add(struct kept_events *events, struct at_arena *arena, const struct at_event_row *row) {
    if (events->count == events->capacity) {
        size_t capacity = events->capacity ? 2 * events->capacity : 64;
        struct kept_event *list = realloc(events->list, capacity * sizeof *list);
        if (!list) return AT_NOMEM;
        events->list = list;
        events->capacity = capacity;
    }
    enum at_status status = kept_copy(arena, row, &events->list[events->count]);
    events->count += status == AT_OK;
    return status;
}

static int by_seq(const void *a, const void *b) {
    uint64_t x = ((const struct kept_event *)a)->seq, y = ((const struct kept_event *)b)->seq;
    return x < y ? -1 : x > y;
}

void kept_sort(struct kept_events *events) {
    if (events->count) qsort(events->list, events->count, sizeof *events->list, by_seq);
}

void kept_clear(struct kept_events *events) {
    free(events->list);
    *events = (struct kept_events){.list = NULL};
}

bool kept_parsers_open(struct kept_parsers *parsers) {
    *parsers = (struct kept_parsers){parser_new(), parser_new()};
    return parsers->facts && parsers->body;
}

void kept_parsers_close(struct kept_parsers *parsers) {
    if (parsers->facts) at_json_parser_free(parsers->facts);
    if (parsers->body) at_json_parser_free(parsers->body);
}

enum at_status kept_read(const struct kept_event *kept, const struct kept_parsers *parsers,
                         struct at_logged_event *out) {
    *out = (struct at_logged_event){.seq = kept->seq,
                                    .at_ms = kept->at_ms,
                                    .received_ms = kept->received_ms,
                                    .name = kept->name,
                                    .message_id = kept->message_id};
    enum at_status status =
        at_json_parse(parsers->facts, kept->facts.data, kept->facts.length, true, &out->facts, NULL);
    if (status == AT_OK)
        status = at_json_parse(parsers->body, kept->body.data, kept->body.length, true, &out->body, NULL);
    return status == AT_INVALID ? AT_IO : status;
}
