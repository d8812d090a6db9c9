/* SPDX-License-Identifier: Apache-2.0
 *
 * The second half of at_rank: walks the ordered keys and fills places: diversity chooses the next key,
 * exploration replaces some, pins take their places last. Places are filled from the first one on, so that a
 * later page repeats what an earlier one did.
 */
#include <math.h>
#include <string.h>
#include "base/hash.h"
#include "ranking/internal.h"

struct sequence { /* the list before pins, place by place */
    struct rank_work *work;
    uint8_t *is_taken;   /* by key position in work->keys */
    uint8_t *is_used;    /* by index into rows: placed already, by exploration or as a pin */
    uint8_t *was_passed; /* by key position: diversity let somebody by */
    uint32_t *groups;    /* value of the diversity attribute by place */
    uint32_t place, next_key;
    const uint32_t *pool; /* indexes into rows that exploration may show */
    uint32_t pool_count;
    uint32_t page_place; /* the first place of this page, before pins */
    bool is_short;       /* the ordered prefix ran out: order all and begin again */
};

/* ---- diversity ---- */

static uint32_t group_of(const struct rank_work *work, uint32_t row) {
    const struct at_diversify *diversify = &work->ask->diversify;
    uint32_t code = at_root_code(work->ask->root, diversify->attribute, row);
    if (!code || at_root_attribute_at(work->ask->root, diversify->attribute)->kind == AT_ATTRIBUTE_TEXT)
        return code;
    uint32_t count;
    const uint32_t *set = at_root_set(work->ask->root, diversify->attribute, code, &count);
    return count ? set[0] : 0;
}

static bool diversifies(const struct rank_work *work) {
    const struct at_diversify *diversify = &work->ask->diversify;
    if (work->ask->sort || !diversify->at_most || diversify->attribute < 0) return false;
    enum at_attribute_kind kind = at_root_attribute_at(work->ask->root, diversify->attribute)->kind;
    return kind == AT_ATTRIBUTE_TEXT || kind == AT_ATTRIBUTE_LIST;
}

static bool is_crowded(const struct sequence *sequence, uint32_t group) {
    const struct at_diversify *diversify = &sequence->work->ask->diversify;
    if (!group) return false;
    uint32_t same = 0;
    for (uint32_t back = 1; back < diversify->within && back <= sequence->place; back++)
        same += sequence->groups[sequence->place - back] == group;
    return same >= diversify->at_most;
}

static bool is_free(const struct sequence *sequence, uint32_t at) {
    return !sequence->is_taken[at] && !sequence->is_used[sequence->work->keys[at].index];
}

/* The key that comes next: the best free one, or with diversity the best free one of the same tier that is
 * not crowded. */
static uint32_t choose_key(struct sequence *sequence) {
    struct rank_work *work = sequence->work;
    while (sequence->next_key < work->ordered && !is_free(sequence, sequence->next_key)) sequence->next_key++;
    uint32_t best = sequence->next_key;
    if (best >= work->ordered || !diversifies(work)) return best;
    uint32_t at = best;
    for (; at < work->ordered && work->keys[at].tier == work->keys[best].tier; at++)
        if (is_free(sequence, at) && !is_crowded(sequence, group_of(work, work->rows[work->keys[at].index])))
            break;
    if (at == work->ordered && work->ordered < work->count) sequence->is_short = true;
    bool found = at < work->ordered && work->keys[at].tier == work->keys[best].tier;
    return found ? at : best;
}

/* ---- exploration ---- */

static double draw(uint64_t seed, uint64_t n) {
    return (double)(at_mix64(seed ^ at_mix64(n + 1)) >> 11) * 0x1p-53;
}

struct pool_entry {
    uint64_t order; /* shown count, then a hash of seed and row */
    uint32_t index;
};

static struct pool_entry pool_entry(const struct rank_work *work, uint32_t index) {
    uint32_t row = work->rows[index];
    uint64_t shown = work->ask->shown ? work->ask->shown[row] : 0;
    if (shown > UINT32_MAX - 1) shown = UINT32_MAX - 1;
    return (struct pool_entry){shown << 32 | (at_mix64(work->ask->seed ^ row) >> 32), index};
}

static void sift_pool(struct pool_entry *heap, uint32_t count, uint32_t at) {
    for (;;) {
        uint32_t largest = at, left = 2 * at + 1;
        if (left < count && heap[left].order > heap[largest].order) largest = left;
        if (left + 1 < count && heap[left + 1].order > heap[largest].order) largest = left + 1;
        if (largest == at) return;
        struct pool_entry swap = heap[at];
        heap[at] = heap[largest];
        heap[largest] = swap;
        at = largest;
    }
}

static bool is_before(const struct rank_work *work, const struct pool_entry *a, const struct pool_entry *b) {
    if (a->order != b->order) return a->order < b->order;
    return work->rows[a->index] < work->rows[b->index];
}

/* By what was shown least, then by chance: an order that does not hang on how far the keys were sorted. */
static void sort_pool(const struct rank_work *work, struct pool_entry *pool, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        struct pool_entry entry = pool[i];
        uint32_t at = i;
        for (; at && is_before(work, &entry, &pool[at - 1]); at--) pool[at] = pool[at - 1];
        pool[at] = entry;
    }
}

/* The least shown tenth of the ordinary candidates (10 to 200 of them). */
static enum at_status build_pool(struct sequence *sequence) {
    struct rank_work *work = sequence->work;
    uint32_t wanted = work->count / 10 < 10 ? 10 : work->count / 10 > 200 ? 200 : work->count / 10, have = 0;
    struct pool_entry *heap = at_arena_alloc(work->ask->arena, wanted * sizeof *heap);
    uint32_t *pool = at_arena_alloc(work->ask->arena, wanted * sizeof *pool);
    if (!heap || !pool) return AT_NOMEM;
    for (uint32_t i = 0; i < work->count; i++) {
        if (rank_tier(work, i) != RANK_TIER_PLAIN) continue;
        struct pool_entry entry = pool_entry(work, i);
        if (have < wanted) {
            heap[have++] = entry;
            for (uint32_t k = have / 2; have == wanted && k-- > 0;) sift_pool(heap, have, k);
        } else if (entry.order < heap[0].order) {
            heap[0] = entry;
            sift_pool(heap, have, 0);
        }
    }
    sort_pool(work, heap, have);
    for (uint32_t i = 0; i < have; i++) pool[i] = heap[i].index;
    sequence->pool = pool;
    sequence->pool_count = have;
    return AT_OK;
}

static uint32_t find_index(const struct rank_work *work, uint32_t row) {
    for (uint32_t i = 0; i < work->count; i++)
        if (work->rows[i] == row) return i;
    return AT_ROW_NONE;
}

/* The product exploration puts at this place, or AT_ROW_NONE. */
static uint32_t explore_index(const struct sequence *sequence) {
    const struct at_rank_ask *ask = sequence->work->ask;
    for (uint32_t i = 0; i < ask->explored_count; i++)
        if (ask->explored[i].place == sequence->place)
            return find_index(sequence->work, ask->explored[i].row);
    if (sequence->place < sequence->page_place && ask->explored_count) return AT_ROW_NONE;
    if (draw(ask->seed, 2 * (uint64_t)sequence->place) >= ask->explore_share) return AT_ROW_NONE;
    uint32_t start = (uint32_t)(draw(ask->seed, 2 * (uint64_t)sequence->place + 1) * sequence->pool_count);
    for (uint32_t i = 0; i < sequence->pool_count; i++) {
        uint32_t index = sequence->pool[(start + i) % sequence->pool_count];
        if (!sequence->is_used[index]) return index;
    }
    return AT_ROW_NONE;
}

/* The chance that the draw of this place falls on it: its own part of the pool and that of the used ones
 * right before, which pass theirs on. 0: not in the pool. *has_free: the draw falls on anything at all. */
static double explore_chance(const struct sequence *sequence, uint32_t index, bool *has_free) {
    uint32_t n = sequence->pool_count, at = n;
    *has_free = false;
    for (uint32_t i = 0; i < n; i++) {
        *has_free |= !sequence->is_used[sequence->pool[i]];
        if (sequence->pool[i] == index) at = i;
    }
    if (at == n || sequence->is_used[index]) return 0;
    uint32_t parts = 1;
    while (parts < n && sequence->is_used[sequence->pool[(at + n - parts) % n]]) parts++;
    return (double)parts / n;
}

/* ---- one place ---- */

static const char *reason(const struct rank_work *work, const struct rank_key *key, bool was_passed) {
    if (work->ask->sort) return "sort";
    if (key->tier == RANK_TIER_BURIED) return "bury";
    if (was_passed) return "diversify";
    return key->tier == RANK_TIER_FIRST ? "first" : "score";
}

static void put(struct sequence *sequence, struct at_placed *placed, uint32_t index) {
    struct rank_work *work = sequence->work;
    placed->row = work->rows[index];
    placed->score = work->scores[index];
    sequence->is_used[index] = 1;
    if (diversifies(work)) sequence->groups[sequence->place] = group_of(work, placed->row);
    sequence->place++;
}

/* The chance of this product at this place, whether the order chose it, exploration, or either could have. */
static double propensity_of(const struct sequence *sequence, uint32_t index, bool is_choice) {
    const double share = sequence->work->ask->explore_share;
    bool has_free;
    if (!sequence->pool_count) return 1;
    double chance = explore_chance(sequence, index, &has_free);
    if (!has_free) return 1;
    return share * chance + (is_choice ? 1 - share : 0);
}

/* Fills one place of the list before pins; false: nothing is left. */
static bool next_place(struct sequence *sequence, struct at_placed *placed) {
    struct rank_work *work = sequence->work;
    uint32_t explored = sequence->pool_count ? explore_index(sequence) : AT_ROW_NONE;
    uint32_t at = choose_key(sequence);
    bool has_choice = at < work->ordered;
    sequence->is_short |= !has_choice && work->ordered < work->count;
    *placed = (struct at_placed){0};
    if (explored != AT_ROW_NONE && !sequence->is_used[explored]) {
        bool is_choice = has_choice && work->keys[at].index == explored;
        placed->because = "explore";
        placed->propensity = propensity_of(sequence, explored, is_choice);
        work->result->explored[work->result->explored_count++] =
            (struct at_explored){sequence->place, work->rows[explored]};
        put(sequence, placed, explored);
        return true;
    }
    if (!has_choice) return false;
    for (uint32_t passed = sequence->next_key; passed < at; passed++) sequence->was_passed[passed] = 1;
    placed->propensity = propensity_of(sequence, work->keys[at].index, true);
    sequence->is_taken[at] = 1;
    placed->because = reason(work, &work->keys[at], sequence->was_passed[at]);
    placed->rail = work->buried_by ? work->buried_by[work->keys[at].index] : NULL;
    put(sequence, placed, work->keys[at].index);
    return true;
}

/* ---- pins ---- */

struct pinned {
    uint32_t place, index; /* place from 0; index into rows */
    const char *rail;
};

uint32_t at_rank_pin_count(const struct at_rank_ask *ask) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < ask->rail_count; i++)
        if (ask->rails[i].rail->kind == AT_RAIL_PIN) count += ask->rails[i].rail->pin_count;
    return count;
}

static bool is_claimed(const struct pinned *pins, uint32_t count, uint32_t place, uint32_t index) {
    for (uint32_t i = 0; i < count; i++)
        if (pins[i].place == place || pins[i].index == index) return true;
    return false;
}

/* Pins for what is still there; of two claims to one place the rail that comes first by name wins. */
static uint32_t collect_pins(const struct rank_work *work, struct pinned *pins) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < work->ask->rail_count; i++) {
        const struct at_rail *rail = work->ask->rails[i].rail;
        if (rail->kind != AT_RAIL_PIN || work->ask->sort) continue;
        for (uint32_t p = 0; p < rail->pin_count; p++) {
            struct at_text id = rail->pins[p].product;
            uint32_t row = at_root_row(work->ask->root, id.data, id.length);
            uint32_t index = row == AT_ROW_NONE ? row : find_index(work, row);
            if (index == AT_ROW_NONE || is_claimed(pins, count, rail->pins[p].place - 1, index)) continue;
            pins[count++] = (struct pinned){rail->pins[p].place - 1, index, rail->name};
        }
    }
    return count;
}

static const struct pinned *pin_at(const struct pinned *pins, uint32_t count, uint32_t place) {
    for (uint32_t i = 0; i < count; i++)
        if (pins[i].place == place) return &pins[i];
    return NULL;
}

/* ---- the list ---- */

static void explain_places(struct rank_work *work, struct at_placed *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct at_placed *item = &items[i];
        uint32_t better = 0;
        if (work->ask->sort) { /* nothing but the sort moves anything */
            item->by_score = work->ask->offset + i + 1;
            continue;
        }
        for (uint32_t k = 0; k < work->count; k++) {
            double score = work->scores[k];
            better += isfinite(score) && (score > item->score || !isfinite(item->score));
        }
        item->by_score = better + 1;
    }
}

static enum at_status begin_sequence(struct sequence *sequence, struct rank_work *work, uint32_t places) {
    struct at_arena *arena = work->ask->arena;
    *sequence = (struct sequence){.work = work};
    sequence->is_taken = at_arena_zalloc(arena, work->ordered + 1);
    sequence->is_used = at_arena_zalloc(arena, work->count + 1);
    sequence->was_passed = at_arena_zalloc(arena, work->ordered + 1);
    sequence->groups = at_arena_zalloc(arena, (places + 1) * sizeof *sequence->groups);
    work->result->explored = at_arena_alloc(arena, (places + 1) * sizeof *work->result->explored);
    work->result->explored_count = 0;
    if (!sequence->is_taken || !sequence->is_used || !sequence->was_passed || !sequence->groups ||
        !work->result->explored)
        return AT_NOMEM;
    return work->ask->explore_share > 0 && !work->ask->sort ? build_pool(sequence) : AT_OK;
}

/* Places first … last of the list; what is before offset is worked through but not kept unless explained. */
static void fill_places(struct sequence *sequence, const struct pinned *pins, uint32_t pin_count,
                        struct at_placed *out, uint32_t *filled) {
    uint32_t wanted = *filled, place = 0;
    sequence->page_place = sequence->work->ask->offset;
    for (uint32_t i = 0; i < pin_count; i++) {
        sequence->is_used[pins[i].index] = 1;
        sequence->page_place -= pins[i].place < sequence->work->ask->offset;
    }
    uint32_t pins_left = pin_count;
    for (; place < wanted; place++) {
        const struct pinned *pin = pin_at(pins, pin_count, place);
        if (!pin && next_place(sequence, &out[place])) continue;
        if (!pin && pins_left) { /* the list is shorter than the pin's place: it comes last */
            for (uint32_t i = 0; i < pin_count; i++)
                if (pins[i].place > place && pins[i].place != UINT32_MAX &&
                    (!pin || pins[i].place < pin->place))
                    pin = &pins[i];
        }
        if (!pin) break;
        out[place] = (struct at_placed){.row = sequence->work->rows[pin->index],
                                        .score = sequence->work->scores[pin->index],
                                        .propensity = 1,
                                        .because = "pin",
                                        .rail = pin->rail};
        ((struct pinned *)pin)->place = pin->place == place ? pin->place : UINT32_MAX;
        pins_left--;
    }
    *filled = place;
}

static enum at_status arrange_once(struct rank_work *work, uint32_t wanted, struct at_placed *out,
                                   uint32_t *filled, bool *is_short) {
    struct sequence sequence;
    uint32_t pin_room = at_rank_pin_count(work->ask);
    struct pinned *pins = at_arena_alloc(work->ask->arena, (pin_room + 1) * sizeof *pins);
    enum at_status status = begin_sequence(&sequence, work, wanted);
    if (status != AT_OK || !pins) return AT_NOMEM;
    uint32_t pin_count = collect_pins(work, pins);
    *filled = wanted;
    fill_places(&sequence, pins, pin_count, out, filled);
    *is_short = sequence.is_short;
    return AT_OK;
}

static void take_page(struct rank_work *work, struct at_placed *all, uint32_t filled) {
    struct at_rank_result *result = work->result;
    uint32_t offset = work->ask->offset < filled ? work->ask->offset : filled;
    result->items = all + offset;
    result->count = filled - offset < work->ask->limit ? filled - offset : work->ask->limit;
    if (work->ask->wants_explanation) explain_places(work, result->items, result->count);
}

static enum at_status keep_order(struct rank_work *work, const struct at_placed *all, uint32_t filled) {
    work->result->order = at_arena_alloc(work->ask->arena, (filled + 1) * sizeof *work->result->order);
    if (!work->result->order) return AT_NOMEM;
    for (uint32_t i = 0; i < filled; i++) work->result->order[i] = all[i].row;
    return AT_OK;
}

enum at_status at_rank_arrange(struct rank_work *work) {
    uint64_t wanted = (uint64_t)work->ask->offset + work->ask->limit;
    if (wanted > work->count || work->ask->wants_explanation) wanted = work->count;
    struct at_placed *all = at_arena_alloc(work->ask->arena, (wanted + 1) * sizeof *all);
    if (!all) return AT_NOMEM;
    uint32_t filled = 0;
    bool is_short = false;
    enum at_status status = arrange_once(work, (uint32_t)wanted, all, &filled, &is_short);
    if (status == AT_OK && is_short) {
        at_rank_order_all(work);
        status = arrange_once(work, (uint32_t)wanted, all, &filled, &is_short);
    }
    if (status != AT_OK) return status;
    if (work->ask->wants_explanation) status = keep_order(work, all, filled);
    take_page(work, all, filled);
    return status;
}

/* ---- the shopper's sort ---- */

enum at_status at_sort_read(const struct at_root *root, struct at_text name, struct at_sort *out,
                            struct at_error *err) {
    bool is_newest = at_text_is(name, "newest");
    if (is_newest) name = AT_TEXT("-released");
    out->is_descending = name.length && name.data[0] == '-';
    if (out->is_descending) name = (struct at_text){name.data + 1, name.length - 1};
    out->attribute = at_root_attribute(root, name.data, name.length);
    if (is_newest) return AT_OK; /* of an empty catalog, too */
    if (out->attribute < 0)
        return at_fail_field(err, AT_UNPROCESSABLE, "unknown_attribute", "sort",
                             "no product has an attribute \"%.*s\"",
                             (int)(name.length < 64 ? name.length : 64), name.data);
    const struct at_attribute *attribute = at_root_attribute_at(root, out->attribute);
    if (attribute->kind == AT_ATTRIBUTE_LIST)
        return at_fail_field(err, AT_UNPROCESSABLE, "bad_sort", "sort", "\"%s\" is a list: it gives no order",
                             attribute->name);
    return AT_OK;
}
