/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of the log, kept and read: for a person's fold, for the log's tail, for the orders of who is erased.
 */
#include "shop/kept.h"

#include <stdlib.h>
#include <string.h>

static char *put(char *at, struct at_text text) {
    if (text.length) memcpy(at, text.data, text.length);
    return at + text.length;
}

/* Both documents in one text, read at once. */
enum at_status kept_copy(struct at_arena *arena, const struct at_event_row *row, struct kept_event *out) {
    size_t length = row->facts.length + row->body.length + sizeof "[,]" - 1;
    char *room = at_arena_alloc(arena, length + AT_JSON_PADDING + row->name.length + row->message_id.length);
    if (!room) return AT_NOMEM;
    char *end =
        put(put(put(put(put(room, AT_TEXT("[")), row->facts), AT_TEXT(",")), row->body), AT_TEXT("]"));
    memset(end, 0, AT_JSON_PADDING);
    char *name = end + AT_JSON_PADDING, *id = put(name, row->name);
    put(id, row->message_id);
    *out = (struct kept_event){
        row->seq,      row->at_ms, row->received_ms, {name, row->name.length}, {id, row->message_id.length},
        {room, length}};
    return AT_OK;
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

enum at_status kept_read(const struct kept_event *kept, struct at_json_parser *parser,
                         struct at_logged_event *out) {
    struct at_json both;
    *out = (struct at_logged_event){.seq = kept->seq,
                                    .at_ms = kept->at_ms,
                                    .received_ms = kept->received_ms,
                                    .name = kept->name,
                                    .message_id = kept->message_id};
    enum at_status status = at_json_parse(parser, kept->json.data, kept->json.length, true, &both, NULL);
    if (status != AT_OK) return status == AT_NOMEM ? status : AT_IO;
    struct at_json_each it = at_json_each(both);
    if (at_json_next(&it)) out->facts = it.value;
    if (at_json_next(&it)) out->body = it.value;
    return AT_OK;
}
