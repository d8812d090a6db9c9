/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing behind, on the back worker: changed profiles, the timeline's index, what was learned, each with the
 * place in the log it is true for. Everything here can be folded again from the log; after a crash the tail
 * is.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/learn.h"

#define PROFILES_A_UNIT 500
#define PAIRS_A_UNIT    10000
#define MISSING_MAX     20000 /* some tenths of a millisecond to look through */

/* Two units in turn: while one is being committed the next is put together. */
struct slot {
    struct at_arena arena;
    struct at_unit unit;
    struct at_latch over;
    struct dirty_profile *dirty; /* of profiles: what is in it */
    uint32_t count;
    bool is_flying;
};
struct writer {
    struct at_shop *shop;
    struct slot slots[2];
    uint32_t turn;
    enum at_status status; /* the first that was not AT_OK: nothing more is written */
};

static void land(struct writer *writer, struct slot *slot) {
    enum at_status status = slot->is_flying ? commit_outcome(&slot->unit, &slot->over) : writer->status;
    if (writer->status == AT_OK) writer->status = status;
    if (slot->count)
        people_settle(writer->shop, slot->dirty, slot->count, status == AT_OK && slot->is_flying);
    at_arena_clear(&slot->arena);
    slot->is_flying = false;
    slot->count = 0;
}

/* The slot whose turn it is, empty. */
static struct slot *next_slot(struct writer *writer) {
    struct slot *slot = &writer->slots[writer->turn++ % 2];
    land(writer, slot);
    slot->unit = (struct at_unit){.is_retriable = false};
    at_arena_init(&slot->arena, SIZE_MAX >> 1);
    return slot;
}

/* If it could be filled. */
static void fly(struct writer *writer, struct slot *slot, enum at_status status) {
    if (status == AT_OK && writer->status == AT_OK)
        status = commit_send(writer->shop, &slot->unit, true, &slot->over);
    else if (status == AT_OK)
        status = writer->status;
    slot->is_flying = status == AT_OK;
    if (writer->status == AT_OK) writer->status = status;
}

static enum at_status land_all(struct writer *writer) {
    for (int i = 0; i < 2; i++) land(writer, &writer->slots[writer->turn++ % 2]);
    return writer->status;
}

static void write_profiles(struct writer *writer, struct dirty_profile *dirty, uint32_t count) {
    struct slot *slot = next_slot(writer);
    enum at_status status = writer->status;
    slot->dirty = dirty;
    slot->count = count;
    for (uint32_t i = 0; i < count && status == AT_OK; i++)
        status = people_put_row(writer->shop, &slot->unit, &slot->arena, dirty[i].profile);
    fly(writer, slot, status);
}

static enum at_status flush_profiles(struct at_shop *shop) {
    struct writer writer = {.shop = shop};
    struct at_arena arena;
    uint32_t count = 0;
    at_arena_init(&arena, SIZE_MAX >> 1);
    struct dirty_profile *dirty = people_take_dirty(shop, &arena, &count);
    writer.status = dirty ? AT_OK : AT_NOMEM;
    for (uint32_t i = 0; i < count; i += PROFILES_A_UNIT)
        write_profiles(&writer, dirty + i, count - i < PROFILES_A_UNIT ? count - i : PROFILES_A_UNIT);
    enum at_status status = land_all(&writer);
    at_arena_clear(&arena);
    return status;
}

static int by_source(const void *a, const void *b) {
    const struct timeline_pair *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

enum at_status flush_timeline(struct at_shop *shop) {
    struct learner *learner = shop->learner;
    if (learner->pair_count) qsort(learner->pairs, learner->pair_count, sizeof *learner->pairs, by_source);
    while (learner->pair_count) {
        struct at_arena arena;
        struct at_unit unit = {0};
        size_t n = learner->pair_count < PAIRS_A_UNIT ? learner->pair_count : PAIRS_A_UNIT,
               from = learner->pair_count - n;
        enum at_status status = AT_OK;
        at_arena_init(&arena, SIZE_MAX >> 1);
        for (size_t i = from; i < learner->pair_count && status == AT_OK; i++) {
            struct at_write *write = at_unit_write(&unit, &arena, AT_WRITE_TIMELINE);
            if (!write)
                status = AT_NOMEM;
            else {
                write->pair.source = learner->pairs[i].source;
                write->pair.seq = learner->pairs[i].seq;
            }
        }
        if (status == AT_OK) status = commit_and_wait(shop, &unit, true);
        at_arena_clear(&arena);
        if (status != AT_OK) return status;
        learner->pair_count = from;
    }
    return AT_OK;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

struct missing {
    const uint64_t *sources;
    size_t source_count, count;
    uint64_t *seqs; /* NULL: they are only counted */
};

static void note_missing(struct missing *missing, uint64_t source, uint64_t seq) {
    if (!bsearch(&source, missing->sources, missing->source_count, sizeof source, by_number)) return;
    if (missing->seqs) missing->seqs[missing->count] = seq;
    missing->count++;
}

/* The queue may grow at its end meanwhile: never by an event of somebody who is held. */
static void look_through(struct learner *learner, struct missing *missing) {
    missing->count = 0;
    for (size_t i = 0; i < learner->pair_count; i++)
        note_missing(missing, learner->pairs[i].source, learner->pairs[i].seq);
    for (const struct learn_event *event = learner->first; event; event = event->next)
        note_missing(missing, event->source, event->seq);
}

uint64_t *timeline_missing(struct at_shop *shop, struct at_arena *arena, const uint64_t *sources,
                           size_t source_count, size_t *count) {
    struct learner *learner = shop->learner;
    struct missing missing = {.sources = sources, .source_count = source_count};
    pthread_mutex_lock(&learner->mutex);
    look_through(learner, &missing);
    missing.seqs = at_arena_alloc(arena, missing.count * sizeof *missing.seqs);
    if (missing.seqs) look_through(learner, &missing);
    pthread_mutex_unlock(&learner->mutex);
    if (missing.seqs) qsort(missing.seqs, missing.count, sizeof *missing.seqs, by_number);
    *count = missing.count;
    return missing.seqs;
}

enum at_status timeline_bound(struct at_shop *shop) {
    if (learn_waiting(shop) > MISSING_MAX) learn_drain(shop);
    return shop->learner->pair_count > MISSING_MAX ? flush_timeline(shop) : AT_OK;
}

static bool keep_text(struct at_arena *arena, const struct at_bytes *bytes, struct at_text *out) {
    char *copy = bytes->failed ? NULL : at_arena_dup(arena, bytes->data, bytes->length);
    *out = (struct at_text){copy, bytes->length};
    return copy != NULL;
}

static bool add_stats(struct learner *learner, struct at_unit *unit, struct at_arena *arena,
                      struct at_bytes *text) {
    for (uint32_t i = 0; i < learner->count; i++) {
        const struct product_stat *stat = &learner->stats[i];
        if (!stat->is_dirty) continue;
        struct at_write *write = at_unit_write(unit, arena, AT_WRITE_PRODUCT_STAT);
        struct at_json_out out = at_json_out(text);
        at_bytes_reset(text);
        stat_write(stat, learner->landmark_ms, &out);
        if (!write || !keep_text(arena, text, &write->text)) return false;
        write->product.row = i;
    }
    return true;
}

static bool add_state(struct at_unit *unit, struct at_arena *arena, const char *name,
                      const struct at_bytes *text) {
    struct at_write *write = at_unit_write(unit, arena, AT_WRITE_STATE);
    if (!write) return false;
    write->name = at_text_of(name);
    return keep_text(arena, text, &write->text);
}

static bool add_states(struct learner *learner, struct at_unit *unit, struct at_arena *arena,
                       struct at_bytes *text) {
    at_bytes_reset(text);
    at_crowd_write(learner->crowd, text);
    if (!add_state(unit, arena, "crowd", text)) return false;
    if (!learner->unmet.is_dirty) return true;
    at_bytes_reset(text);
    unmet_write(learner, text);
    return add_state(unit, arena, "unmet", text);
}

static bool add_cursor(struct at_unit *unit, struct at_arena *arena, const char *name, uint64_t seq) {
    struct at_write *write = at_unit_write(unit, arena, AT_WRITE_CURSOR);
    if (!write) return false;
    write->name = at_text_of(name);
    write->number = seq;
    return true;
}

static enum at_status flush_learned(struct at_shop *shop, uint64_t fold_seq) {
    struct learner *learner = shop->learner;
    struct at_arena arena;
    struct at_bytes text;
    struct at_unit unit = {0};
    at_arena_init(&arena, SIZE_MAX >> 1);
    at_bytes_init(&text, AT_SHOP_BODY_MAX);
    bool is_ok = add_stats(learner, &unit, &arena, &text) && add_states(learner, &unit, &arena, &text);
    is_ok = is_ok && add_cursor(&unit, &arena, "learn", learner->learned_seq) &&
            add_cursor(&unit, &arena, "fold", fold_seq);
    enum at_status status = is_ok ? commit_and_wait(shop, &unit, true) : AT_NOMEM;
    if (status == AT_OK) {
        for (uint32_t i = 0; i < learner->count; i++) learner->stats[i].is_dirty = false;
        learner->unmet.is_dirty = false;
        learner->flushed_learn = learner->learned_seq;
        learner->flushed_fold = fold_seq;
        learn_show(learner);
    }
    at_bytes_clear(&text);
    at_arena_clear(&arena);
    return status;
}

enum at_status flush_all(struct at_shop *shop) {
    struct learner *learner = shop->learner;
    uint64_t fold_seq = atomic_load(&learner->released_seq); /* before the changed profiles are taken */
    if (fold_seq == learner->flushed_fold && learner->learned_seq == learner->flushed_learn) return AT_OK;
    enum at_status status = flush_profiles(shop);
    if (status == AT_OK) status = flush_timeline(shop);
    if (status == AT_OK) status = flush_learned(shop, fold_seq);
    if (status == AT_OK) shop->flushed_ns = at_ticks_ns();
    return status;
}

/* ---- start ---- */

struct opening {
    struct at_read read;
    struct at_shop *shop;
    enum at_status status;
};

static bool load_stat(void *arg, uint32_t row, struct at_text body) {
    struct opening *opening = arg;
    struct learner *learner = opening->shop->learner;
    struct at_json json;
    opening->status = at_json_parse(learner->parser, body.data, body.length, false, &json, NULL);
    if (opening->status == AT_OK && !learn_room(learner, row)) opening->status = AT_NOMEM;
    if (opening->status != AT_OK) return false;
    stat_read(learner, json, &learner->stats[row]);
    learner->is_changed = true;
    return true;
}

static enum at_status load_unmet(struct at_shop *shop, struct at_reader *reader, struct at_arena *arena) {
    struct at_text text;
    struct at_json json;
    enum at_status status = at_reader_state(reader, AT_TEXT("unmet"), &text, arena);
    if (status == AT_OK)
        status = at_json_parse(shop->learner->parser, text.data, text.length, false, &json, NULL);
    return status == AT_OK ? unmet_read(shop, json) : status;
}

static void open_read(struct at_read *read, struct at_reader *reader) {
    struct opening *opening = (struct opening *)read;
    struct learner *learner = opening->shop->learner;
    struct at_arena arena;
    struct at_text text;
    at_arena_init(&arena, AT_SHOP_BODY_MAX);
    enum at_status status = at_reader_cursor(reader, AT_TEXT("learn"), &learner->learned_seq);
    if (status == AT_OK) {
        uint64_t fold = 0;
        status = at_reader_cursor(reader, AT_TEXT("fold"), &fold);
        atomic_store(&learner->released_seq, fold);
    }
    if (status == AT_OK) status = at_reader_state(reader, AT_TEXT("crowd"), &text, &arena);
    if (status == AT_OK) {
        struct at_json json;
        status = at_json_parse(learner->parser, text.data, text.length, false, &json, NULL);
        if (status == AT_OK) status = at_crowd_read(learner->crowd, json);
        learner->crowd_changed = true;
    }
    if (status == AT_OK) status = at_reader_product_stats(reader, load_stat, opening);
    if (status == AT_OK) status = load_unmet(opening->shop, reader, &arena);
    if (status == AT_NOTFOUND) status = AT_OK;
    if (opening->status == AT_OK) opening->status = status;
    learner->flushed_learn = learner->learned_seq;
    learner->flushed_fold = atomic_load(&learner->released_seq);
    learn_show(learner);
    at_arena_clear(&arena);
}

enum at_status learn_open(struct at_shop *shop, struct at_error *err) {
    struct learner *learner = shop->learner = calloc(1, sizeof *learner);
    if (!learner) return at_fail(err, AT_NOMEM, NULL, "no memory for learning");
    pthread_mutex_init(&learner->mutex, NULL);
    at_map_init(&learner->unmet.by_id);
    learner->crowd = at_crowd_new();
    learner->parser = parser_new();
    if (!learner->crowd || !learner->parser) return at_fail(err, AT_NOMEM, NULL, "no memory for learning");
    struct opening opening = {{NULL, open_read}, shop, AT_OK};
    at_store_read_now(shop->store, &opening.read);
    if (!learner->landmark_ms) learner->landmark_ms = at_shop_now(shop);
    if (opening.status != AT_OK)
        return at_fail(err, opening.status, NULL, "what was learned could not be read (%s)",
                       at_status_word(opening.status));
    return AT_OK;
}

void learn_close(struct at_shop *shop) {
    struct learner *learner = shop->learner;
    if (!learner) return;
    while (learner->first) {
        struct learn_event *next = learner->first->next;
        free(learner->first);
        learner->first = next;
    }
    if (learner->crowd) at_crowd_free(learner->crowd);
    if (learner->parser) at_json_parser_free(learner->parser);
    unmet_clear(&learner->unmet);
    free(learner->stats);
    free(learner->pairs);
    pthread_mutex_destroy(&learner->mutex);
    free(learner);
    shop->learner = NULL;
}
