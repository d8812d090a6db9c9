/* SPDX-License-Identifier: Apache-2.0
 *
 * What is shown of segments: all of them with their counts, the members of one, and where one person is. On
 * the back worker, which looks at what it has been told of first, so that an answered event shows.
 */
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "shop/segments.h"

#define LIMIT_USUAL 50
#define LIMIT_MAX   1000

static void catch_up(struct at_shop *shop) {
    uint64_t wait_ms = 0;
    learn_drain(shop);
    segments_turn(shop, &wait_ms);
}

/* ---- all of them ---- */

struct since {
    struct at_read read;
    struct at_text segment;
    int64_t since_ms;
    uint64_t count;
    enum at_status status;
};

static void read_since(struct at_read *read, struct at_reader *reader) {
    struct since *since = (struct since *)read;
    since->status = at_reader_member_since(reader, since->segment, since->since_ms, &since->count);
}

static enum at_status write_segment(struct segments *segments, struct at_text name,
                                    const struct at_segment *declared, struct at_json_out *out) {
    struct at_shop *shop = segments->shop;
    const struct segment_stat *stat = segment_stat(segments, name);
    struct since since = {
        .read = {.run = read_since}, .segment = name, .since_ms = at_shop_now(shop) - AT_DAY_MS};
    if (!stat) return AT_NOMEM;
    at_store_read_now(shop->store, &since.read);
    if (since.status != AT_OK) return since.status;
    char script[200] = "";
    if (declared) snprintf(script, sizeof script, "%s:%u", declared->path, declared->line);
    at_json_open(out, '{');
    at_json_add_text(out, "name", name);
    at_json_add_int(out, "count", (int64_t)stat->members);
    at_json_add_int(out, "entered_24h", (int64_t)since.count);
    at_json_key(out, "script");
    at_json_put_string(out, declared ? script : NULL);
    at_json_add_moment(out, "checked_at", stat->checked_ms);
    at_json_add_int(out, "recheck_ms", declared && stat->is_blind ? declared->recheck_ms : 0);
    at_json_add_int(out, "failures", (int64_t)stat->failures);
    if (stat->failures) at_json_add_string(out, "error", stat->error);
    at_json_add_bool(out, "set_aside", stat->is_set_aside);
    at_json_close(out, '}');
    return AT_OK;
}

/* Names that are declared no longer and have members still. */
static enum at_status write_undeclared(struct segments *segments, const struct at_generation *generation,
                                       struct at_json_out *out) {
    struct at_map_slot *slot;
    enum at_status status = AT_OK;
    for (size_t i = 0; status == AT_OK && (slot = at_map_next(&segments->stats, &i));) {
        const struct segment_stat *stat = (const struct segment_stat *)(uintptr_t)slot->value;
        struct at_text name = {slot->key, slot->length};
        if (stat->members && !(generation && at_generation_segment(generation, name)))
            status = write_segment(segments, name, NULL, out);
    }
    return status;
}

static enum at_status show_segments(struct at_job *job, void *arg) {
    (void)arg;
    struct at_shop *shop = job->worker->shop;
    struct segments *segments = shop->segments;
    catch_up(shop);
    const struct at_generation *generation = segments->serving ? segments->serving->generation : NULL;
    struct at_json_out out = at_json_out(&job->out);
    enum at_status status = AT_OK;
    at_json_open(&out, '{');
    at_json_key(&out, "segments");
    at_json_open(&out, '[');
    for (uint32_t i = 0; generation && i < generation->segment_count && status == AT_OK; i++)
        status =
            write_segment(segments, at_text_of(generation->segments[i].name), &generation->segments[i], &out);
    if (status == AT_OK) status = write_undeclared(segments, generation, &out);
    at_json_close(&out, ']');
    int64_t due_ms = segments->next_due_ms == AT_NEVER ? 0 : segments->next_due_ms;
    at_json_add_moment(&out, "due", due_ms);
    at_json_add_int(&out, "waiting", (int64_t)atomic_load(&segments->waiting_shown));
    at_json_add_int(&out, "left", (int64_t)atomic_load(&segments->left_shown));
    at_json_close(&out, '}');
    return status == AT_OK ? AT_OK : at_fail(&job->err, status, NULL, "the segments could not be read");
}

void at_shop_segments(struct at_job *job) {
    if (errand_post(job, show_segments, NULL) == AT_OK) return;
    at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    job_end(job, AT_NOMEM);
}

/* ---- the members of one ---- */

struct listing {
    struct at_read read;
    struct at_job *job;
    struct at_text segment;
    struct at_member_row before, last;
    uint32_t limit, count;
    struct at_json_out out;
    enum at_status status;
};

static bool list_one(void *arg, const struct at_member_row *row) {
    struct listing *listing = arg;
    char id[AT_PERSON_ID_SIZE];
    if (listing->count++ == listing->limit) return false;
    listing->last = *row;
    at_person_id_format(row->person, id);
    at_json_open(&listing->out, '{');
    at_json_add_string(&listing->out, "id", id);
    at_json_add_time(&listing->out, "since", row->since_ms);
    at_json_close(&listing->out, '}');
    return true;
}

static void list_members(struct at_read *read, struct at_reader *reader) {
    struct listing *listing = (struct listing *)read;
    listing->status = at_reader_members_of(reader, listing->segment, &listing->before, listing->limit + 1,
                                           list_one, listing);
}

/* "1796000000000.p7Qor…": before whom to go on. */
static bool read_cursor(struct at_text cursor, struct at_member_row *before) {
    char number[24] = "", *rest = number;
    const char *dot = cursor.length ? memchr(cursor.data, '.', cursor.length) : NULL;
    *before = (struct at_member_row){.person = INT64_MAX, .since_ms = INT64_MAX};
    if (!cursor.length) return true;
    size_t length = dot ? (size_t)(dot - cursor.data) : 0;
    if (!length || length >= sizeof number) return false;
    memcpy(number, cursor.data, length);
    before->since_ms = strtoll(number, &rest, 10);
    struct at_text id = {dot + 1, cursor.length - length - 1};
    return !*rest && at_person_id_parse(id, &before->person);
}

static enum at_status unknown_segment(struct at_job *job, struct at_text name) {
    struct segments *segments = job->worker->shop->segments;
    const struct at_generation *generation = segments->serving ? segments->serving->generation : NULL;
    const char *names[AT_SEGMENTS_MAX];
    char said[104];
    uint32_t count = generation ? generation->segment_count : 0;
    for (uint32_t i = 0; i < count; i++) names[i] = generation->segments[i].name;
    snprintf(said, sizeof said, "%.*s", (int)(name.length < 100 ? name.length : 100), name.data);
    const char *nearest = at_suggest(said, names, count);
    return at_fail_field(&job->err, AT_NOTFOUND, "unknown_segment", "name",
                         nearest ? "there is no segment \"%s\" — did you mean \"%s\"?"
                                 : "there is no segment \"%s\"%s",
                         said, nearest ? nearest : "");
}

static enum at_status show_members(struct at_job *job, void *arg) {
    struct listing *listing = arg;
    struct at_shop *shop = job->worker->shop;
    struct segments *segments = shop->segments;
    catch_up(shop);
    const struct at_generation *generation = segments->serving ? segments->serving->generation : NULL;
    bool is_declared = generation && at_generation_segment(generation, listing->segment);
    const uint64_t *slot = at_map_get(&segments->stats, listing->segment.data, listing->segment.length);
    const struct segment_stat *stat = slot ? (const struct segment_stat *)(uintptr_t)*slot : NULL;
    if (!stat || (!is_declared && !stat->members)) return unknown_segment(job, listing->segment);
    listing->out = at_json_out(&job->out);
    at_json_open(&listing->out, '{');
    at_json_add_text(&listing->out, "segment", listing->segment);
    at_json_add_int(&listing->out, "count", (int64_t)stat->members);
    at_json_key(&listing->out, "members");
    at_json_open(&listing->out, '[');
    at_store_read_now(shop->store, &listing->read);
    at_json_close(&listing->out, ']');
    char next[64], id[AT_PERSON_ID_SIZE];
    at_person_id_format(listing->last.person, id);
    snprintf(next, sizeof next, "%lld.%s", (long long)listing->last.since_ms, id);
    at_json_key(&listing->out, "next");
    at_json_put_string(&listing->out, listing->count > listing->limit ? next : NULL);
    at_json_close(&listing->out, '}');
    if (listing->status == AT_OK) return AT_OK;
    return at_fail(&job->err, listing->status, NULL, "the members could not be read");
}

void at_shop_segment(struct at_job *job, struct at_text name, uint32_t limit, struct at_text cursor) {
    struct listing *listing = at_arena_zalloc(job->arena, sizeof *listing);
    enum at_status status = listing ? AT_OK : at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    if (status == AT_OK && !read_cursor(cursor, &listing->before))
        status = at_fail_field(&job->err, AT_INVALID, "bad_cursor", "cursor",
                               "cursor is what \"next\" of the page before says");
    if (status == AT_OK) {
        listing->read.run = list_members;
        listing->job = job;
        listing->segment = name;
        listing->limit = !limit ? LIMIT_USUAL : limit > LIMIT_MAX ? LIMIT_MAX : limit;
        status = errand_post(job, show_members, listing);
    }
    if (status != AT_OK) job_end(job, status);
}

/* ---- where one person is ---- */

struct showing {
    struct at_read read;
    struct at_arena *arena;
    uint64_t person;
    struct at_shown_segment *list;
    uint32_t count, capacity;
    enum at_status status;
};

static bool show_one(void *arg, const struct at_member_row *row) {
    struct showing *showing = arg;
    if (showing->count == showing->capacity) {
        uint32_t capacity = showing->capacity ? showing->capacity * 2 : 8;
        struct at_shown_segment *list = at_arena_alloc(showing->arena, capacity * sizeof *list);
        if (list && showing->count) memcpy(list, showing->list, showing->count * sizeof *list);
        showing->list = list;
        showing->capacity = capacity;
    }
    char *name = showing->list ? at_arena_dup(showing->arena, row->segment.data, row->segment.length) : NULL;
    if (name)
        showing->list[showing->count++] =
            (struct at_shown_segment){{name, row->segment.length}, row->since_ms};
    else
        showing->status = AT_NOMEM;
    return name != NULL;
}

static void read_shown(struct at_read *read, struct at_reader *reader) {
    struct showing *showing = (struct showing *)read;
    enum at_status status =
        at_reader_members(reader, showing->person - 1, showing->person, show_one, showing);
    if (showing->status == AT_OK) showing->status = status;
}

uint64_t segments_place(struct at_shop *shop) {
    return atomic_load_explicit(&shop->segments->cursor_shown, memory_order_relaxed);
}

uint64_t segments_waiting(struct at_shop *shop) {
    return atomic_load_explicit(&shop->segments->waiting_shown, memory_order_relaxed);
}

uint64_t segments_left(struct at_shop *shop) {
    return atomic_load_explicit(&shop->segments->left_shown, memory_order_relaxed);
}

bool segments_are_used(struct at_shop *shop) {
    return atomic_load(&shop->segments->is_used);
}

enum at_status segments_stored(struct at_shop *shop, uint64_t person, struct at_arena *arena,
                               struct at_shown_segment **list, uint32_t *count) {
    struct showing showing = {.read = {.run = read_shown}, .arena = arena, .person = person};
    at_store_read_now(shop->store, &showing.read);
    *list = showing.list;
    *count = showing.count;
    return showing.status;
}

enum at_status segments_of(struct at_shop *shop, uint64_t person, struct at_arena *arena,
                           struct at_shown_segment **list, uint32_t *count) {
    enum at_status status = segments_look_now(shop, person);
    return status == AT_OK ? segments_stored(shop, person, arena, list, count) : status;
}
