/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of a kind are kept for so long from when they came in (retention { … } of shop.lua), and go in the
 * sweep of the day after: out of the log, the timeline and the files. Their people are folded anew from what
 * is left, in the same commit, so that state = fold(events) holds: what is no longer kept no longer counts.
 * Each kind has a cursor in the log; a sweep that is cut off goes on where it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

#define SLICE_ROWS   2000
#define SLICE_EVENTS 500
#define SLICE_NS     (UINT64_C(20) * 1000 * 1000)
#define NAME_SIZE    160

struct expired {
    uint64_t source, seq, person;
};
struct sweeping { /* one slice */
    struct at_read read;
    struct at_shop *shop;
    const struct at_retention *rule;
    int64_t before_ms;
    uint64_t from, to; /* the log was read up to */
    struct expired events[SLICE_EVENTS];
    uint32_t rows, count;
    bool is_over;
    enum at_status status;
};

/* ---- finding ---- */

static bool look_at(void *arg, const struct at_event_row *row) {
    struct sweeping *sweeping = arg;
    if (row->received_ms >= sweeping->before_ms) {
        sweeping->is_over = true;
        return false;
    }
    sweeping->to = row->seq;
    if (at_text_equal(row->name, sweeping->rule->name))
        sweeping->events[sweeping->count++] = (struct expired){row->source, row->seq, 0};
    return ++sweeping->rows < SLICE_ROWS && sweeping->count < SLICE_EVENTS;
}

static enum at_status find_person(struct at_reader *reader, struct expired *event) {
    struct at_identifier_row row = {.person = 0};
    struct at_arena arena;
    at_arena_init(&arena, 1 << 14);
    enum at_status status = at_reader_identifier_at(reader, event->source, &row, &arena);
    event->person = row.person;
    at_arena_clear(&arena);
    return status == AT_NOTFOUND ? AT_OK : status; /* erased meanwhile */
}

static void find(struct at_read *read, struct at_reader *reader) {
    struct sweeping *sweeping = (struct sweeping *)read;
    sweeping->status = at_reader_log(reader, sweeping->from, UINT64_MAX >> 1, look_at, sweeping);
    if (sweeping->rows < SLICE_ROWS && sweeping->count < SLICE_EVENTS) sweeping->is_over = true;
    for (uint32_t i = 0; i < sweeping->count && sweeping->status == AT_OK; i++)
        sweeping->status = find_person(reader, &sweeping->events[i]);
}

static int by_person(const void *a, const void *b) {
    const struct expired *x = a, *y = b;
    if (x->person != y->person) return x->person < y->person ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* ---- letting go ---- */

struct leaving { /* events of one person */
    struct at_shop *shop;
    struct at_arena arena;
    const struct expired *events;
    uint32_t count;
    struct person_wait hold;
    struct identifier_list list;
    struct at_profile *next;
};

static enum at_status add_events(struct leaving *leaving, struct at_unit *unit) {
    for (uint32_t i = 0; i < leaving->count; i++) {
        struct at_write *write = at_unit_write(unit, &leaving->arena, AT_WRITE_EVENT_GONE);
        if (!write) return AT_NOMEM;
        write->pair.source = leaving->events[i].source;
        write->pair.seq = leaving->events[i].seq;
    }
    return AT_OK;
}

/* Their segments are to be looked at: what holds for them has changed. */
static enum at_status add_due(struct leaving *leaving, struct at_unit *unit, uint64_t person) {
    struct at_write *write = at_unit_write(unit, &leaving->arena, AT_WRITE_DUE);
    if (!write) return AT_NOMEM;
    write->due = (struct at_due_row){person, at_shop_now(leaving->shop)};
    return AT_OK;
}

static enum at_status let_go_held(struct leaving *leaving) {
    struct at_shop *shop = leaving->shop;
    struct at_unit unit = {0};
    uint64_t person = leaving->events[0].person;
    uint64_t *seqs = at_arena_alloc(&leaving->arena, leaving->count * sizeof *seqs);
    if (!seqs) return AT_NOMEM;
    for (uint32_t i = 0; i < leaving->count; i++) seqs[i] = leaving->events[i].seq;
    learn_drain(shop);
    enum at_status status = flush_timeline(shop);
    if (status == AT_OK) status = fold_list(shop, &leaving->arena, person, &leaving->list);
    leaving->list.left_out = seqs;
    leaving->list.left_out_count = leaving->count;
    if (status == AT_OK) status = fold_profile(shop, &leaving->arena, &leaving->list, person, &leaving->next);
    if (status == AT_OK) status = add_events(leaving, &unit);
    /* The stored one may be further in the log than what stays: it must not win. */
    if (status == AT_OK) status = people_drop_row(&unit, &leaving->arena, person);
    if (status == AT_OK) status = people_put_row(shop, &unit, &leaving->arena, leaving->next);
    if (status == AT_OK) status = add_due(leaving, &unit, person);
    if (status == AT_OK) status = commit_and_wait(shop, &unit, false);
    if (status == AT_OK) segments_folded(shop, person);
    return status;
}

static enum at_status let_go(struct at_shop *shop, const struct expired *events, uint32_t count) {
    struct leaving leaving = {.shop = shop, .events = events, .count = count};
    enum at_status status = people_hold_now(shop, events[0].person, false, &leaving.hold);
    if (status == AT_STALE) return AT_BUSY; /* became somebody else: the slice is asked again */
    if (status != AT_OK) return status;
    at_arena_init(&leaving.arena, SIZE_MAX >> 1);
    status = let_go_held(&leaving);
    if (status == AT_OK) count_add(shop, COUNT_EVENTS_EXPIRED, count);
    if (status != AT_OK && leaving.next) {
        at_profile_unref(leaving.next);
        leaving.next = NULL;
    }
    people_release(shop, leaving.hold.person, leaving.next);
    at_profile_unref(leaving.hold.profile);
    free(leaving.list.rows);
    at_arena_clear(&leaving.arena);
    return status;
}

static enum at_status let_all_go(struct sweeping *sweeping) {
    enum at_status status = AT_OK;
    qsort(sweeping->events, sweeping->count, sizeof *sweeping->events, by_person);
    for (uint32_t i = 0, n; i < sweeping->count && status == AT_OK; i += n) {
        for (n = 1; i + n < sweeping->count && sweeping->events[i + n].person == sweeping->events[i].person;)
            n++;
        if (sweeping->events[i].person) status = let_go(sweeping->shop, &sweeping->events[i], n);
    }
    return status;
}

/* ---- cursors ---- */

struct finding_cursor {
    struct at_read read;
    char name[NAME_SIZE];
    uint64_t cursor;
    enum at_status status;
};

static void name_cursor(const struct at_retention *rule, char out[NAME_SIZE]) {
    snprintf(out, NAME_SIZE, "retention:%.*s", (int)rule->name.length, rule->name.data);
}

static void read_cursor(struct at_read *read, struct at_reader *reader) {
    struct finding_cursor *finding = (struct finding_cursor *)read;
    finding->status = at_reader_cursor(reader, at_text_of(finding->name), &finding->cursor);
}

static enum at_status load_cursor(struct at_shop *shop, const struct at_retention *rule, uint64_t *cursor) {
    struct finding_cursor finding = {.read = {.run = read_cursor}};
    name_cursor(rule, finding.name);
    at_store_read_now(shop->store, &finding.read);
    *cursor = finding.status == AT_OK ? finding.cursor : 0;
    return finding.status == AT_NOTFOUND ? AT_OK : finding.status;
}

static enum at_status keep_cursor(struct at_shop *shop, const struct at_retention *rule, uint64_t cursor) {
    char name[NAME_SIZE];
    struct at_arena arena;
    struct at_unit unit = {0};
    at_arena_init(&arena, 1 << 14);
    struct at_write *write = at_unit_write(&unit, &arena, AT_WRITE_CURSOR);
    enum at_status status = AT_NOMEM;
    if (write) {
        name_cursor(rule, name);
        write->name = at_text_of(name);
        write->number = cursor;
        status = commit_and_wait(shop, &unit, true);
    }
    at_arena_clear(&arena);
    return status;
}

/* ---- the sweep ---- */

static enum at_status sweep_rule(struct sweeping *sweeping, struct retention_sweep *sweep) {
    struct at_shop *shop = sweeping->shop;
    enum at_status status = AT_OK;
    if (!sweep->has_cursor) status = load_cursor(shop, sweeping->rule, &sweep->cursor);
    sweep->has_cursor = status == AT_OK;
    if (status != AT_OK) return status;
    sweeping->from = sweeping->to = sweep->cursor;
    at_store_read_now(shop->store, &sweeping->read);
    status = sweeping->status;
    if (status == AT_OK) status = let_all_go(sweeping);
    if (status == AT_OK && sweeping->to > sweep->cursor)
        status = keep_cursor(shop, sweeping->rule, sweeping->to);
    if (status != AT_OK) return status;
    sweep->cursor = sweeping->to;
    sweep->rule += sweeping->is_over;
    sweep->has_cursor = !sweeping->is_over;
    return AT_OK;
}

/* False: it failed and is tried again at the next tick. */
static bool sweep_slice(struct at_shop *shop) {
    struct retention_sweep *sweep = &shop->retention;
    const struct at_retention *rule = &shop->settings->retention[sweep->rule];
    struct sweeping *sweeping = calloc(1, sizeof *sweeping);
    enum at_status status = AT_NOMEM;
    if (sweeping) {
        sweeping->read.run = find;
        sweeping->shop = shop;
        sweeping->rule = rule;
        sweeping->before_ms = sweep->began_ms - rule->keep_ms;
        status = sweep_rule(sweeping, sweep);
    }
    free(sweeping);
    if (status != AT_OK && status != AT_BUSY)
        at_log(at_shop_log(shop), AT_LOG_WARN, "privacy",
               "retention: events could not be let go (%s); it is tried again", at_status_word(status));
    return status == AT_OK;
}

void retention_tend(struct at_shop *shop) {
    struct retention_sweep *sweep = &shop->retention;
    uint32_t rules = shop->settings->retention_count;
    int64_t now_ms = at_shop_now(shop);
    bool is_over = !sweep->began_ms || sweep->rule >= rules;
    if (!rules || (is_over && now_ms - sweep->began_ms < AT_DAY_MS)) return;
    if (is_over) *sweep = (struct retention_sweep){.began_ms = now_ms};
    uint64_t until_ns = at_ticks_ns() + SLICE_NS;
    while (sweep->rule < rules && sweep_slice(shop) && at_ticks_ns() < until_ns) {}
}
