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
    struct line *first, **end; /* in the order they were made */
    const struct at_map *known;
    struct at_json_parser *parser;
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

static void add_line(struct again *again, struct at_json json) {
    struct at_text id = at_json_text(at_json_get(json, "erasure")),
                   at = at_json_text(at_json_get(json, "at"));
    int64_t at_ms;
    if (!id.length || at_time_parse(at.data, at.length, &at_ms, NULL) != AT_OK ||
        at_map_get(again->known, id.data, id.length))
        return;
    struct line *line = at_arena_zalloc(&again->arena, sizeof *line);
    if (!line) {
        again->status = AT_NOMEM;
        return;
    }
    line->id = keep(again, id);
    line->author = keep(again, at_json_text(at_json_get(json, "by")));
    line->at_ms = at_ms;
    *again->end = line;
    again->end = &line->next;
    take_addresses(again, line, at_json_get(json, "addresses"));
}

/* A line that a crash cut off is passed over: the erasure was not made, or its commit came with the line. */
static bool take_line(void *arg, struct at_text text) {
    struct again *again = arg;
    struct at_json json;
    enum at_status status = at_json_parse(again->parser, text.data, text.length, false, &json, NULL);
    if (status == AT_NOMEM) again->status = status;
    if (status == AT_OK) add_line(again, json);
    return again->status == AT_OK;
}

static void take_lines(struct again *again, struct at_error *err) {
    again->parser = parser_new();
    again->end = &again->first;
    if (!again->parser) again->status = AT_NOMEM;
    enum at_status status = again->parser ? forgotten_lines(again->shop, take_line, again, err) : AT_NOMEM;
    if (again->status == AT_OK) again->status = status;
    if (again->parser) at_json_parser_free(again->parser);
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

static enum at_status erase_one(struct again *again, const struct line *line, size_t n,
                                struct at_error *err) {
    char id[64];
    snprintf(id, sizeof id, n ? "%.*s-%zu" : "%.*s", (int)line->id.length, line->id.data, n + 1);
    struct erasing erasing = {.shop = again->shop,
                              .id = at_text_of(id),
                              .author = line->author,
                              .at_ms = line->at_ms,
                              .person = line->person_count ? line->people[n] : 0,
                              .source = AT_TEXT("erasures.log"),
                              .known = line->addresses,
                              .known_count = line->address_count,
                              .is_logged = true};
    enum at_status status = erase_person(&erasing, err);
    if (status != AT_NOTFOUND) return status;
    erasing.person = 0; /* gone with another line: the addresses are this one's, too */
    return n ? AT_OK : erase_person(&erasing, err);
}

/* In the backup one person may still be several: each has an erasure. The one under the line's id comes last:
 * with it the line is done, and a start that was cut off before is gone on with by the next. */
static enum at_status erase_line(struct again *again, const struct line *line, struct at_error *err) {
    enum at_status status = AT_OK;
    for (size_t n = line->person_count; n > 1 && status == AT_OK; n--)
        status = erase_one(again, line, n - 1, err);
    return status == AT_OK ? erase_one(again, line, 0, err) : status;
}

enum at_status forgotten_again(struct at_shop *shop, const struct at_map *known, struct at_error *err) {
    struct again again = {.read = {.run = look_at_all}, .shop = shop, .known = known};
    uint64_t count = 0;
    at_arena_init(&again.arena, SIZE_MAX >> 1);
    at_map_init(&again.by_hash);
    take_lines(&again, err);
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
