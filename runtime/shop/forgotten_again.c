/* SPDX-License-Identifier: Apache-2.0
 *
 * A database restored from a backup holds people who were erased since: at start they are erased again, by
 * erasures.log, which a restore leaves where it is. One pass over the identifiers finds them by their keyed
 * hashes; one that came in after the erasure is somebody new and stays.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/erase.h"

struct line { /* of erasures.log, not known to the database */
    struct line *next;
    struct at_text id, author;
    int64_t at_ms;
    struct at_suppressed_row *addresses;
    size_t address_count;
    uint64_t *people; /* found by them */
    size_t person_count, person_capacity;
};
struct again {
    struct at_read read;
    struct at_shop *shop;
    struct at_arena arena;
    struct line *first;
    struct at_map by_hash; /* → its line */
    enum at_status status;
};

/* ---- the lines ---- */

static struct at_text keep(struct again *again, struct at_text text) {
    char *copy = at_arena_dup(&again->arena, text.data ? text.data : "", text.length);
    if (!copy) again->status = AT_NOMEM;
    return (struct at_text){copy, text.length};
}

static void take_addresses(struct again *again, struct line *line, struct at_json addresses) {
    line->addresses =
        at_arena_zalloc(&again->arena, (at_json_count(addresses) + 1) * sizeof *line->addresses);
    if (!line->addresses) again->status = AT_NOMEM;
    struct at_json_each it = at_json_each(addresses);
    while (again->status == AT_OK && at_json_next(&it)) {
        uint64_t *slot = at_map_put(&again->by_hash, it.key.data, it.key.length, NULL);
        if (!slot) again->status = AT_NOMEM;
        if (it.key.length != FORGOTTEN_HASH_SIZE - 1 || !slot) continue;
        *slot = (uint64_t)(uintptr_t)line;
        line->addresses[line->address_count++] =
            (struct at_suppressed_row){keep(again, it.key), keep(again, at_json_text(it.value)), line->at_ms};
    }
}

static void take_line(struct again *again, struct at_json json, const struct at_map *known) {
    struct at_text id = at_json_text(at_json_get(json, "erasure")),
                   at = at_json_text(at_json_get(json, "at"));
    int64_t at_ms;
    if (!id.length || at_time_parse(at.data, at.length, &at_ms, NULL) != AT_OK ||
        at_map_get(known, id.data, id.length))
        return;
    struct line *line = at_arena_zalloc(&again->arena, sizeof *line);
    if (!line) {
        again->status = AT_NOMEM;
        return;
    }
    line->id = keep(again, id);
    line->author = keep(again, at_json_text(at_json_get(json, "by")));
    line->at_ms = at_ms;
    line->next = again->first;
    again->first = line;
    take_addresses(again, line, at_json_get(json, "addresses"));
}

/* A line that a crash cut off is passed over: the erasure was not made, or its commit came with the line. */
static void take_lines(struct again *again, struct at_text log, const struct at_map *known) {
    struct at_json_parser *parser = parser_new();
    if (!parser) again->status = AT_NOMEM;
    while (again->status == AT_OK && log.length) {
        const char *end = memchr(log.data, '\n', log.length);
        size_t length = end ? (size_t)(end - log.data) : log.length;
        struct at_json json;
        if (length && at_json_parse(parser, log.data, length, false, &json, NULL) == AT_OK)
            take_line(again, json, known);
        length += end != NULL;
        log.data += length;
        log.length -= length;
    }
    if (parser) at_json_parser_free(parser);
}

/* ---- whom they are about ---- */

static void add_person(struct again *again, struct line *line, uint64_t person) {
    for (size_t i = 0; i < line->person_count; i++)
        if (line->people[i] == person) return;
    if (line->person_count == line->person_capacity) {
        size_t capacity = line->person_capacity ? 2 * line->person_capacity : 4;
        uint64_t *people = realloc(line->people, capacity * sizeof *people);
        if (!people) {
            again->status = AT_NOMEM;
            return;
        }
        line->people = people;
        line->person_capacity = capacity;
    }
    line->people[line->person_count++] = person;
}

static bool look_at(void *arg, const struct at_identifier_row *row) {
    struct again *again = arg;
    char hash[FORGOTTEN_HASH_SIZE];
    forgotten_hash(&again->shop->forgotten, row->kind, row->value, hash);
    uint64_t *slot = at_map_get(&again->by_hash, hash, sizeof hash - 1);
    struct line *line = slot ? (struct line *)(uintptr_t)*slot : NULL;
    if (line && row->since_ms <= line->at_ms) add_person(again, line, row->person);
    return again->status == AT_OK;
}

static void look_at_all(struct at_read *read, struct at_reader *reader) {
    struct again *again = (struct again *)read;
    enum at_status status = at_reader_identifiers(reader, look_at, again);
    if (again->status == AT_OK) again->status = status;
}

/* In the backup one person may still be several: each has an erasure, the first under the line's id. */
static enum at_status erase_line(struct again *again, const struct line *line, struct at_error *err) {
    enum at_status status = AT_OK;
    for (size_t i = 0; (i < line->person_count || i == 0) && status == AT_OK; i++) {
        char id[64];
        snprintf(id, sizeof id, i ? "%.*s-%zu" : "%.*s", (int)line->id.length, line->id.data, i + 1);
        struct erasing erasing = {.shop = again->shop,
                                  .id = at_text_of(id),
                                  .author = line->author,
                                  .at_ms = line->at_ms,
                                  .person = line->person_count ? line->people[i] : 0,
                                  .source = AT_TEXT("erasures.log"),
                                  .known = line->addresses,
                                  .known_count = line->address_count,
                                  .is_logged = true};
        status = erase_person(&erasing, err);
        if (status == AT_NOTFOUND) status = AT_OK; /* gone with another line */
    }
    return status;
}

enum at_status forgotten_again(struct at_shop *shop, struct at_text log, const struct at_map *known,
                               struct at_error *err) {
    struct again again = {.read = {.run = look_at_all}, .shop = shop};
    uint64_t count = 0;
    at_arena_init(&again.arena, SIZE_MAX >> 1);
    at_map_init(&again.by_hash);
    take_lines(&again, log, known);
    if (again.status == AT_OK && again.first) at_store_read_now(shop->store, &again.read);
    for (struct line *line = again.first; line; line = line->next, count++) {
        if (again.status == AT_OK) again.status = erase_line(&again, line, err);
        free(line->people);
    }
    at_map_clear(&again.by_hash);
    at_arena_clear(&again.arena);
    if (again.status != AT_OK)
        return at_fail(err, again.status, NULL,
                       "who was erased since the backup could not be erased again (%s)",
                       at_status_word(again.status));
    if (count)
        at_log(at_shop_log(shop), AT_LOG_WARN, "privacy",
               "%llu erasures that this database did not know (is it from a backup?) were made again",
               (unsigned long long)count);
    return AT_OK;
}
