/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom to look at, and when. Events name people who changed: they are taken in batches, and when a batch is
 * through, every event up to its last was looked at: that is the cursor. Time alone names people through the
 * stored dues, the earliest of which the back worker wakes for. And everybody is looked at when the segments
 * themselves changed (segment_sweep.c). One turn does a slice of each and gives the thread back.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "shop/segments.h"

#define TURN_NS 10000000ULL /* what waits for the back worker waits no longer than that, and one commit */

/* ---- what comes in ---- */

static void show(struct segments *segments) {
    const struct sweep *sweep = &segments->sweep;
    uint64_t waiting = segments->changed.count + (segments->batch_count - segments->batch_at);
    /* not every id is a person's: as many of those to come as of those so far */
    uint64_t ids = sweep->last > sweep->after ? sweep->last - sweep->after : 0;
    uint64_t left =
        1 + (sweep->seen ? (uint64_t)((double)ids * (double)sweep->seen / (double)sweep->after) : ids);
    atomic_store_explicit(&segments->cursor_shown, segments->cursor, memory_order_relaxed);
    atomic_store_explicit(&segments->waiting_shown, waiting, memory_order_relaxed);
    atomic_store_explicit(&segments->left_shown, sweep->is_on ? left : 0, memory_order_relaxed);
}

static bool is_used(const struct segments *segments) {
    bool declares = segments->serving && segments->serving->generation->segment_count;
    return declares || segments->members || segments->sweep.is_on;
}

void segments_note(struct at_shop *shop, uint64_t person, uint64_t seq, struct at_text name) {
    struct segments *segments = shop->segments;
    if (seq <= segments->cursor) return;
    segments->noted_seq = seq;
    if (!person || at_event_is_own(name)) return; /* what segments write makes nobody change them */
    bool fits = segments->changed.count < SEGMENT_CHANGED_MAX;
    if (fits && at_intmap_put(&segments->changed, person, NULL)) return;
    at_intmap_clear(&segments->changed); /* everybody is looked at instead */
    sweep_again(segments);
}

void segments_due(struct segments *segments, uint64_t person, int64_t at_ms) {
    uint64_t *slot = at_intmap_put(&segments->dues, person, NULL);
    if (slot)
        *slot = (uint64_t)at_ms;
    else
        sweep_again(segments); /* out of memory: whoever it was is among them */
    if (at_ms < segments->next_due_ms) segments->next_due_ms = at_ms;
}

/* ---- writing behind ---- */

struct behind {
    struct at_arena arena;
    struct at_unit unit;
};

/* Up to SEGMENT_DUES_MAX of them; which, is in written. */
static enum at_status add_dues(struct segments *segments, struct behind *behind, uint64_t *written,
                               uint32_t *count) {
    struct at_intmap_slot *slot;
    *count = 0;
    for (size_t i = 0; *count < SEGMENT_DUES_MAX && (slot = at_intmap_next(&segments->dues, &i));) {
        struct at_write *write = at_unit_write(&behind->unit, &behind->arena, AT_WRITE_DUE);
        if (!write) return AT_NOMEM;
        write->due = (struct at_due_row){slot->key, (int64_t)slot->value};
        written[(*count)++] = slot->key;
    }
    return AT_OK;
}

static enum at_status flush_dues(struct segments *segments) {
    uint64_t written[SEGMENT_DUES_MAX];
    enum at_status status = AT_OK;
    while (segments->dues.count && status == AT_OK) {
        struct behind behind = {.unit = {0}};
        uint32_t count;
        at_arena_init(&behind.arena, 4 << 20);
        status = add_dues(segments, &behind, written, &count);
        if (status == AT_OK) status = commit_and_wait(segments->shop, &behind.unit, true);
        for (uint32_t i = 0; i < count && status == AT_OK; i++) at_intmap_remove(&segments->dues, written[i]);
        at_arena_clear(&behind.arena);
    }
    return status;
}

static enum at_status flush_place(struct segments *segments) {
    struct behind behind = {.unit = {0}};
    at_arena_init(&behind.arena, 1 << 16);
    struct at_write *cursor = at_unit_write(&behind.unit, &behind.arena, AT_WRITE_CURSOR);
    struct at_write *state = at_unit_write(&behind.unit, &behind.arena, AT_WRITE_STATE);
    const struct segment_place *place = &segments->place;
    char *text =
        at_arena_printf(&behind.arena, "{\"says\":\"%016llx\",\"sweeps\":%s,\"after\":%llu,\"shop_days\":%u}",
                        (unsigned long long)place->says, place->sweeps ? "true" : "false",
                        (unsigned long long)place->after, place->shop_days);
    enum at_status status = AT_NOMEM;
    if (cursor && state && text) {
        cursor->name = state->name = AT_TEXT("segments");
        cursor->number = place->cursor;
        state->text = at_text_of(text);
        status = commit_and_wait(segments->shop, &behind.unit, true);
    }
    at_arena_clear(&behind.arena);
    return status;
}

enum at_status segments_flush(struct at_shop *shop) {
    struct segments *segments = shop->segments;
    const struct sweep *sweep = &segments->sweep;
    const struct segment_place was = segments->place,
                               now = {segments->cursor, segments->says,
                                      sweep->is_on && !sweep->is_again ? sweep->after : 0,
                                      segments->shop_days, sweep->is_on};
    enum at_status status = flush_dues(segments); /* before the cursor says that they were looked at */
    bool is_same = was.cursor == now.cursor && was.says == now.says && was.after == now.after &&
                   was.sweeps == now.sweeps && was.shop_days == now.shop_days;
    segments->place = now;
    if (status == AT_OK && !is_same) status = flush_place(segments);
    if (status != AT_OK) segments->place = was;
    return status;
}

/* ---- some people ---- */

struct reading {
    struct at_read read;
    struct segments *segments;
    struct looked *ones;
    uint32_t count, at;
    enum at_status status;
};

static bool take_member(void *arg, const struct at_member_row *row) {
    struct reading *reading = arg;
    while (reading->at < reading->count && reading->ones[reading->at].person < row->person) reading->at++;
    if (reading->at == reading->count) return false;
    struct looked *one = &reading->ones[reading->at];
    if (one->person == row->person) reading->status = looked_add(reading->segments, one, row);
    return reading->status == AT_OK;
}

static bool take_due(void *arg, const struct at_due_row *row) {
    struct reading *reading = arg;
    while (reading->at < reading->count && reading->ones[reading->at].person < row->person) reading->at++;
    if (reading->at == reading->count) return false;
    if (reading->ones[reading->at].person == row->person)
        reading->ones[reading->at].stored_due_ms = row->at_ms;
    return true;
}

/* One range if they are neighbours, else each for itself. */
static void read_stored(struct at_read *read, struct at_reader *reader) {
    struct reading *reading = (struct reading *)read;
    struct looked *ones = reading->ones;
    uint32_t count = reading->count;
    bool is_dense = count > 1 && ones[count - 1].person - ones[0].person < 4 * (uint64_t)count;
    enum at_status status = AT_OK;
    for (uint32_t i = 0; i < count && status == AT_OK && reading->status == AT_OK; i++) {
        uint64_t after = ones[i].person - 1, to = is_dense ? ones[count - 1].person : ones[i].person;
        reading->at = i;
        status = at_reader_members(reader, after, to, take_member, reading);
        reading->at = i;
        if (status == AT_OK && reading->status == AT_OK)
            status = at_reader_dues(reader, after, to, take_due, reading);
        if (is_dense) break;
    }
    if (reading->status == AT_OK) reading->status = status;
}

enum at_status segments_read(struct segments *segments, struct looked *ones, uint32_t count) {
    struct reading reading = {
        .read = {.run = read_stored}, .segments = segments, .ones = ones, .count = count};
    for (uint32_t i = 0; i < count; i++) ones[i].stored_due_ms = AT_NEVER;
    if (count) at_store_read_now(segments->shop->store, &reading.read);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *noted = at_intmap_get(&segments->dues, ones[i].person);
        if (noted) ones[i].stored_due_ms = (int64_t)*noted;
    }
    return reading.status;
}

static uint64_t own_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000ULL + (uint64_t)used.tv_nsec;
}

struct effort effort_begin(void) {
    return (struct effort){at_ticks_ns(), own_ns()};
}

uint64_t effort_end(struct segments *segments, struct effort effort) {
    uint64_t took_ns = at_ticks_ns() - effort.began_ns, used_ns = own_ns() - effort.used_ns;
    if (took_ns > used_ns) segments->kept_ns += took_ns - used_ns;
    return took_ns;
}

/* Where the processor is short: twice as long as it was kept waiting. */
uint64_t segments_rest_ms(struct segments *segments) {
    uint64_t rest_ms = SEGMENT_REST_MS + 2 * segments->kept_ns / 1000000;
    segments->kept_ns = 0;
    return rest_ms < SEGMENT_REST_MAX_MS ? rest_ms : SEGMENT_REST_MAX_MS;
}

/* A script may take a hundredth of a second for each of them: what waits for the back worker waits for a
 * slice of them. */
void segments_took(struct segments *segments, uint32_t count, uint64_t took_ns) {
    uint32_t most = segments->at_once;
    if (took_ns > SEGMENT_SLICE_NS && most > 1) segments->at_once = most / 2;
    if (took_ns < SEGMENT_SLICE_NS / 4 && count >= most && most < SEGMENT_SWEEP_BATCH)
        segments->at_once = most * 2;
}

/* Those of whom nothing is to be written are done. */
static enum at_status look_at_all(struct segments *segments, struct looked *ones, uint32_t count,
                                  uint32_t *moved) {
    struct effort effort = effort_begin();
    for (uint32_t i = 0; i < count; i++) {
        enum at_status status = segments_look(segments, &ones[i]);
        if (status != AT_OK) return status;
        if (ones[i].move_count) {
            ++*moved;
            continue;
        }
        if (ones[i].due_ms != ones[i].stored_due_ms) segments_due(segments, ones[i].person, ones[i].due_ms);
        at_profile_unref(ones[i].profile);
        ones[i].profile = NULL;
        ones[i].person = 0;
    }
    segments_took(segments, count, effort_end(segments, effort));
    return AT_OK;
}

enum at_status segments_settle(struct segments *segments, struct looked *ones, uint32_t count) {
    enum at_status status = segments_read(segments, ones, count);
    uint32_t moved = 0;
    if (status == AT_OK) status = look_at_all(segments, ones, count, &moved);
    if (status == AT_OK && moved) status = segments_write(segments, ones, count);
    for (uint32_t i = 0; i < count; i++)
        if (ones[i].profile) at_profile_unref(ones[i].profile);
    return status;
}

enum at_status segments_overlap(struct at_shop *shop, uint64_t a, uint64_t b, struct segment_overlap *out) {
    struct segments *segments = shop->segments;
    at_arena_reset(&segments->arena);
    struct looked both[2] = {{.person = a < b ? a : b}, {.person = a < b ? b : a}};
    enum at_status status = segments_read(segments, both, 2);
    out->count = 0;
    for (uint32_t i = 0; i < both[0].stored_count && status == AT_OK; i++)
        for (uint32_t j = 0; j < both[1].stored_count; j++) {
            bool is_same = at_text_equal(both[0].stored[i].segment, both[1].stored[j].segment);
            struct segment_stat *stat = is_same ? segment_stat(segments, both[0].stored[i].segment) : NULL;
            if (stat && out->count < AT_SEGMENTS_MAX) out->stats[out->count++] = stat;
        }
    return status;
}

void segments_folded(struct at_shop *shop, uint64_t person) {
    at_intmap_remove(&shop->segments->dues, person);
    shop->segments->next_due_ms = 0;
}

void segments_merged(struct at_shop *shop, uint64_t a, uint64_t b, const struct segment_overlap *both) {
    struct segments *segments = shop->segments;
    for (uint32_t i = 0; both && i < both->count; i++) {
        both->stats[i]->members--;
        segments->members--;
    }
    segments_folded(shop, a);
    segments_folded(shop, b);
}

/* NULL: *status says why; AT_OK: nobody any more. */
static struct at_profile *profile_of(struct segments *segments, uint64_t person, enum at_status *status) {
    struct person_wait wait = {.wants_hold = false};
    *status = AT_OK;
    if (forgotten_has_person(&segments->shop->forgotten, person)) return NULL;
    *status = people_get_now(segments->shop, person, false, &wait);
    if (*status == AT_OK) return wait.profile;
    if (*status == AT_STALE) *status = AT_OK;
    return NULL;
}

struct person_at {
    uint64_t person;
    int64_t from_ms;
};

/* Ascending, at most SEGMENT_BATCH. */
static enum at_status look_at_people(struct segments *segments, const struct person_at *people,
                                     uint32_t count) {
    enum at_status status = AT_OK;
    uint32_t n = 0;
    at_arena_reset(&segments->arena);
    struct looked *ones = at_arena_zalloc(&segments->arena, count * sizeof *ones);
    if (!ones) return AT_NOMEM;
    for (uint32_t i = 0; i < count && status == AT_OK; i++) {
        struct at_profile *profile = profile_of(segments, people[i].person, &status);
        if (!profile) continue;
        bool is_there = profile->applied_seq || profile->identifier_count;
        if (is_there)
            ones[n++] =
                (struct looked){.person = people[i].person, .from_ms = people[i].from_ms, .profile = profile};
        else {
            segments_due(segments, people[i].person, AT_NEVER);
            at_profile_unref(profile);
        }
    }
    if (status == AT_OK) return segments_settle(segments, ones, n);
    for (uint32_t i = 0; i < n; i++) at_profile_unref(ones[i].profile);
    return status;
}

/* ---- those of whom events told ---- */

static int by_person(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Everything noted so far, once its snapshots are in the cache. False: there is nothing, or it must wait. */
static bool take_batch(struct segments *segments) {
    if (segments->batch_at < segments->batch_count) return true;
    if (segments->noted_seq <= segments->cursor) return false;
    if (learn_released_seq(segments->shop) < segments->noted_seq) return false;
    uint64_t *batch = malloc((segments->changed.count + 1) * sizeof *batch);
    struct at_intmap_slot *slot;
    size_t count = 0;
    if (!batch) return false; /* another turn */
    for (size_t i = 0; (slot = at_intmap_next(&segments->changed, &i));)
        batch[count++] = identity_current(&segments->shop->identity, slot->key);
    qsort(batch, count, sizeof *batch, by_person);
    free(segments->batch);
    segments->batch = batch;
    segments->batch_count = count;
    segments->batch_at = 0;
    segments->batch_seq = segments->noted_seq;
    at_intmap_clear(&segments->changed);
    return true;
}

static enum at_status batch_step(struct segments *segments) {
    struct person_at people[SEGMENT_BATCH];
    uint32_t count = 0;
    size_t at = segments->batch_at;
    int64_t now_ms = at_shop_now(segments->shop);
    uint32_t most = segments->at_once < SEGMENT_BATCH ? segments->at_once : SEGMENT_BATCH;
    for (; at < segments->batch_count && count < most; at++)
        if (!count || people[count - 1].person != segments->batch[at])
            people[count++] = (struct person_at){segments->batch[at], now_ms};
    enum at_status status = count ? look_at_people(segments, people, count) : AT_OK;
    if (status != AT_OK) return status;
    segments->batch_at = at;
    if (at == segments->batch_count) segments->cursor = segments->batch_seq;
    return AT_OK;
}

/* ---- those whom time has changed ---- */

struct due {
    struct at_read read;
    int64_t until_ms;
    struct person_at people[SEGMENT_BATCH];
    uint32_t count, most;
    int64_t next_ms;
    enum at_status status;
};

static bool take_first(void *arg, const struct at_due_row *row) {
    struct due *due = arg;
    if (row->at_ms > due->until_ms || due->count == due->most) {
        due->next_ms = row->at_ms;
        return false;
    }
    due->people[due->count++] = (struct person_at){row->person, row->at_ms};
    return true;
}

static void read_due(struct at_read *read, struct at_reader *reader) {
    struct due *due = (struct due *)read;
    due->status = at_reader_due(reader, INT64_MAX, due->most + 1, take_first, due);
}

static int by_person_at(const void *a, const void *b) {
    return by_person(&((const struct person_at *)a)->person, &((const struct person_at *)b)->person);
}

/* Somebody of whom an event told meanwhile is asked as of now: what was before it nobody can see any more. */
static void choose_moments(struct segments *segments, struct due *due) {
    int64_t now_ms = at_shop_now(segments->shop);
    for (uint32_t i = 0; i < due->count; i++)
        if (due->people[i].from_ms <= 0 || at_intmap_get(&segments->changed, due->people[i].person))
            due->people[i].from_ms = now_ms;
}

static enum at_status due_step(struct segments *segments) {
    struct due due = {
        .read = {.run = read_due}, .until_ms = at_shop_now(segments->shop), .next_ms = AT_NEVER};
    due.most = segments->at_once < SEGMENT_BATCH ? segments->at_once : SEGMENT_BATCH;
    enum at_status status = flush_dues(segments);
    if (status != AT_OK) return status;
    at_store_read_now(segments->shop->store, &due.read);
    if (due.status != AT_OK) return due.status;
    segments->next_due_ms = due.next_ms;
    if (!due.count) return AT_OK;
    qsort(due.people, due.count, sizeof *due.people, by_person_at);
    choose_moments(segments, &due);
    status = look_at_people(segments, due.people, due.count);
    if (status != AT_OK) segments->next_due_ms = 0;
    return status;
}

/* ---- a turn ---- */

static void tell_waiting(struct segments *segments, enum at_status status) {
    if (status != AT_OK && status != AT_BUSY)
        at_log(at_shop_log(segments->shop), AT_LOG_WARN, "segments",
               "people could not be looked at (%s); it is tried again", at_status_word(status));
}

/* Takes over what serves now; everybody is looked at if its segments say something else. */
void segments_follow(struct at_shop *shop) {
    struct segments *segments = shop->segments;
    struct serving *serving = shop->serving; /* only the back worker switches */
    uint64_t said = segments->says;
    bool was_used = is_used(segments);
    if (!serving || serving == segments->serving || segments_serve(segments, serving) != AT_OK) return;
    if (segments->says != said && (was_used || is_used(segments))) sweep_begin(segments, 0);
    atomic_store(&segments->is_used, is_used(segments));
    show(segments);
}

/* The sweep has time: after each slice the processor is left to who answers. */
static bool step(struct segments *segments, enum at_status *status, uint64_t *wait_ms) {
    bool is_due = segments->next_due_ms <= at_shop_now(segments->shop);
    if (take_batch(segments))
        *status = batch_step(segments);
    else if (is_due)
        *status = due_step(segments);
    else {
        if (!segments->sweep.is_on) return false;
        *status = sweep_step(segments);
        uint64_t rest_ms = segments_rest_ms(segments);
        if (segments->sweep.is_on && *status == AT_OK && *wait_ms > rest_ms) *wait_ms = rest_ms;
        return false;
    }
    return *status == AT_OK;
}

bool segments_turn(struct at_shop *shop, uint64_t *wait_ms) {
    struct segments *segments = shop->segments;
    uint64_t end_ns = at_ticks_ns() + TURN_NS;
    enum at_status status = AT_OK;
    bool has_more = true;
    segments_follow(shop);
    atomic_store(&segments->is_used, is_used(segments));
    if (!is_used(segments)) {
        at_intmap_clear(&segments->changed);
        segments->cursor = segments->noted_seq > segments->cursor ? segments->noted_seq : segments->cursor;
        has_more = false;
    }
    segments->root = at_catalog_root(shop->catalog);
    segments->baseline = learn_baseline(shop);
    segments_heed(segments);
    while (has_more && at_ticks_ns() < end_ns) has_more = step(segments, &status, wait_ms);
    tell_waiting(segments, status);
    if (segments->serving) serving_back_collect(segments->serving);
    if (segments->baseline) at_baseline_unref(segments->baseline);
    at_root_unref(segments->root);
    segments->baseline = NULL;
    segments->root = NULL;
    show(segments);
    int64_t until_ms =
        segments->next_due_ms == AT_NEVER ? INT64_MAX : segments->next_due_ms - at_shop_now(shop);
    if (is_used(segments) && until_ms < (int64_t)*wait_ms) *wait_ms = until_ms > 0 ? (uint64_t)until_ms : 0;
    return has_more && status == AT_OK;
}

enum at_status segments_look_now(struct at_shop *shop, uint64_t person) {
    struct segments *segments = shop->segments;
    struct person_at one = {person, at_shop_now(shop)};
    learn_drain(shop);
    if (!is_used(segments) || !segments->serving) return AT_OK;
    segments->root = at_catalog_root(shop->catalog);
    segments->baseline = learn_baseline(shop);
    enum at_status status = look_at_people(segments, &one, 1);
    if (segments->baseline) at_baseline_unref(segments->baseline);
    at_root_unref(segments->root);
    segments->baseline = NULL;
    segments->root = NULL;
    return status;
}

/* ---- open and close ---- */

struct opening {
    struct at_read read;
    struct segments *segments;
    enum at_status status;
};

static bool count_members(void *arg, struct at_text segment, uint64_t count) {
    struct opening *opening = arg;
    struct segment_stat *stat = segment_stat(opening->segments, segment);
    if (!stat) opening->status = AT_NOMEM;
    if (stat) stat->members = count;
    opening->segments->members += count;
    return stat != NULL;
}

static void read_state(struct segments *segments, struct at_json json) {
    struct at_text says = at_json_text(at_json_get(json, "says"));
    char digits[17] = "";
    int64_t after = 0, shop_days = 0;
    bool sweeps = false;
    if (says.length == 16) memcpy(digits, says.data, 16);
    segments->says = strtoull(digits, NULL, 16);
    at_json_bool(at_json_get(json, "sweeps"), &sweeps);
    at_json_int(at_json_get(json, "after"), &after);
    at_json_int(at_json_get(json, "shop_days"), &shop_days);
    segments->shop_days = (uint32_t)shop_days;
    if (sweeps) sweep_begin(segments, (uint64_t)after);
}

static void read_opening(struct at_read *read, struct at_reader *reader) {
    struct opening *opening = (struct opening *)read;
    struct segments *segments = opening->segments;
    struct at_text text;
    struct at_json json;
    enum at_status status = at_reader_cursor(reader, AT_TEXT("segments"), &segments->cursor);
    if (status == AT_NOTFOUND) /* from before there were segments: nobody was looked at, nothing is behind */
        status = at_reader_cursor(reader, AT_TEXT("fold"), &segments->cursor);
    if (status == AT_OK) status = at_reader_state(reader, AT_TEXT("segments"), &text, &segments->arena);
    if (status == AT_OK) status = at_json_parse(segments->parser, text.data, text.length, false, &json, NULL);
    if (status == AT_OK) read_state(segments, json);
    if (status == AT_OK || status == AT_NOTFOUND)
        status = at_reader_member_counts(reader, count_members, opening);
    if (opening->status == AT_OK) opening->status = status;
}

enum at_status segments_open(struct at_shop *shop, struct at_error *err) {
    struct segments *segments = shop->segments = calloc(1, sizeof *segments);
    if (!segments) return at_fail(err, AT_NOMEM, NULL, "no memory for segments");
    segments->shop = shop;
    at_map_init(&segments->stats);
    at_intmap_init(&segments->changed);
    at_intmap_init(&segments->dues);
    at_arena_init_kept(&segments->arena, 64 << 20, 1 << 20);
    at_arena_init_kept(&segments->answers, 16 << 20, 1 << 18);
    segments->parser = parser_new();
    segments->facts = parser_new();
    segments->body = parser_new();
    if (!segments->parser || !segments->facts || !segments->body)
        return at_fail(err, AT_NOMEM, NULL, "no memory for segments");
    struct opening opening = {{NULL, read_opening}, segments, AT_OK};
    at_store_read_now(shop->store, &opening.read);
    if (opening.status != AT_OK)
        return at_fail(err, opening.status, NULL, "who is in which segment could not be read (%s)",
                       at_status_word(opening.status));
    segments->noted_seq = segments->cursor;
    segments->at_once = SEGMENT_SWEEP_BATCH;
    segments->next_due_ms = 0; /* whoever is due is found by the first turn */
    show(segments);
    return AT_OK;
}

void segments_close(struct at_shop *shop) {
    struct segments *segments = shop->segments;
    struct at_map_slot *slot;
    if (!segments) return;
    for (size_t i = 0; (slot = at_map_next(&segments->stats, &i));)
        free((struct segment_stat *)(uintptr_t)slot->value);
    at_map_clear(&segments->stats);
    at_intmap_clear(&segments->changed);
    at_intmap_clear(&segments->dues);
    at_arena_clear(&segments->arena);
    at_arena_clear(&segments->answers);
    if (segments->parser) at_json_parser_free(segments->parser);
    if (segments->facts) at_json_parser_free(segments->facts);
    if (segments->body) at_json_parser_free(segments->body);
    if (segments->serving) serving_unref(segments->serving);
    free(segments->by_index);
    free(segments->batch);
    free(segments);
    shop->segments = NULL;
}
