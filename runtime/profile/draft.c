/* SPDX-License-Identifier: Apache-2.0
 *
 * From a snapshot to the next: lists copied into the thread's scratch, changed, packed into one new block.
 */
#include "profile/draft.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX ((size_t)64 << 20) /* no event brings so much: a run is packed long before */

/* One scratch a thread, freed when the thread ends. */
static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void free_scratch(void *scratch) {
    struct draft *draft = scratch;
    at_arena_clear(&draft->kept);
    free(draft);
}
static void make_key(void) {
    pthread_key_create(&scratch_key, free_scratch);
}

static struct draft *scratch(void) {
    pthread_once(&scratch_once, make_key);
    struct draft *draft = pthread_getspecific(scratch_key);
    if (draft) return draft;
    draft = malloc(sizeof *draft);
    if (draft && pthread_setspecific(scratch_key, draft)) {
        free(draft);
        draft = NULL;
    }
    if (!draft) return NULL;
    at_arena_init(&draft->kept, KEPT_MAX);
    draft->base = NULL;
    return draft;
}

#define COPY(list, count)                                                                                    \
    (memcpy(draft->list, base->list, base->count * sizeof *draft->list), draft->profile.list = draft->list)

struct draft *draft_begin(const struct at_profile *base) {
    struct draft *draft = scratch();
    if (!draft) return NULL;
    AT_ASSERT(!draft->base); /* a run goes on: what it has would be lost */
    at_arena_reset(&draft->kept);
    draft->is_short = false;
    /* Not its count of references, which others change meanwhile. */
    memcpy(&draft->profile.bytes, &base->bytes, sizeof *base - offsetof(struct at_profile, bytes));
    COPY(awaited, awaited_count);
    COPY(basket, basket_count);
    COPY(tastes, taste_count);
    COPY(products, product_count);
    COPY(counts, count_count);
    COPY(lasts, last_count);
    COPY(identifiers, identifier_count);
    COPY(consents, consent_count);
    COPY(trait_moments, trait_moment_count);
    COPY(stated, stated_count);
    memcpy(draft->orders, base->order_list, base->order_count * sizeof *draft->orders);
    draft->profile.order_list = draft->orders;
    memcpy(draft->buckets, block_of(base)->buckets, base->count_count * sizeof *draft->buckets);
    memset(draft->room, 0, base->count_count * sizeof *draft->room);
    draft->block.buckets = draft->buckets;
    return draft;
}

static void *keep(struct draft *draft, const void *data, size_t length, size_t room) {
    void *copy = at_arena_alloc(&draft->kept, room);
    if (copy && length) memcpy(copy, data, length);
    draft->is_short |= !copy;
    return copy;
}

void *draft_copy(struct draft *draft, const void *data, size_t length) {
    return keep(draft, data, length, length);
}

struct at_text draft_text(struct draft *draft, struct at_text text) {
    char *copy = text.length ? keep(draft, text.data, text.length, text.length) : NULL;
    return copy ? (struct at_text){copy, text.length} : AT_TEXT("");
}

double decay(int64_t span_ms, int64_t half_ms) {
    return span_ms <= 0 ? 1 : exp2(-(double)span_ms / (double)half_ms);
}

/* ---- lists ---- */

static int64_t last_met(const struct at_met_product *met) {
    int64_t last = met->shown_at_ms;
    if (met->viewed_at_ms > last) last = met->viewed_at_ms;
    return met->bought_at_ms > last ? met->bought_at_ms : last;
}

/* What was bought stays longer than what was only seen. */
static bool is_weaker(const struct at_met_product *a, const struct at_met_product *b) {
    int rank_a = a->bought             ? 2
                 : a->views || a->adds ? 1
                                       : 0,
        rank_b = b->bought             ? 2
                 : b->views || b->adds ? 1
                                       : 0;
    return rank_a != rank_b ? rank_a < rank_b : last_met(a) < last_met(b);
}

struct at_met_product *draft_product(struct draft *draft, struct at_text product) {
    struct at_profile *profile = &draft->profile;
    for (uint32_t i = 0; i < profile->product_count; i++)
        if (is_name(draft->products[i].product, product)) return &draft->products[i];
    uint32_t place = profile->product_count;
    if (place == PRODUCTS_MAX) {
        place = 0;
        for (uint32_t i = 1; i < PRODUCTS_MAX; i++)
            if (is_weaker(&draft->products[i], &draft->products[place])) place = i;
        memmove(&draft->products[place], &draft->products[place + 1],
                (PRODUCTS_MAX - 1 - place) * sizeof *draft->products);
        place = PRODUCTS_MAX - 1;
    } else
        profile->product_count++;
    memset(&draft->products[place], 0, sizeof draft->products[place]);
    draft->products[place].product = draft_text(draft, product);
    return &draft->products[place];
}

struct at_taste *draft_taste(struct draft *draft, struct at_text facet, struct at_text value, int64_t at_ms) {
    struct at_profile *profile = &draft->profile;
    for (uint32_t i = 0; i < profile->taste_count; i++)
        if (is_name(draft->tastes[i].value, value) && is_name(draft->tastes[i].facet, facet))
            return &draft->tastes[i];
    if (profile->taste_count == TASTES_MAX) { /* the weakest as of now goes */
        double weakest = INFINITY;
        uint32_t gone = 0;
        for (uint32_t i = 0; i < TASTES_MAX; i++) {
            double weight =
                draft->tastes[i].weight * decay(at_ms - draft->tastes[i].at_ms, AT_AFFINITY_HALF_MS);
            if (weight < weakest) {
                weakest = weight;
                gone = i;
            }
        }
        profile->taste_count--;
        memmove(&draft->tastes[gone], &draft->tastes[gone + 1],
                (profile->taste_count - gone) * sizeof *draft->tastes);
    }
    /* Values of a facet stand together, so that whoever reads them sorts nothing by name. */
    uint32_t place = profile->taste_count;
    while (place && !at_text_equal(draft->tastes[place - 1].facet, facet)) place--;
    if (!place) place = profile->taste_count;
    memmove(&draft->tastes[place + 1], &draft->tastes[place],
            (profile->taste_count - place) * sizeof *draft->tastes);
    profile->taste_count++;
    draft->tastes[place] = (struct at_taste){draft_text(draft, facet), draft_text(draft, value), 0, at_ms};
    return &draft->tastes[place];
}

/* ---- counts ---- */

static int32_t unit_of(int64_t at_ms, int64_t size) {
    int64_t unit = at_ms / size - (at_ms % size < 0);
    return unit > INT32_MAX ? INT32_MAX : unit < INT32_MIN ? INT32_MIN : (int32_t)unit;
}

/* Ascending by unit; those keep units older than the newest go. The list has room for one more. */
static uint32_t add_bucket(struct bucket *list, uint32_t count, int32_t unit, int32_t keep) {
    int32_t newest = count && list[count - 1].unit > unit ? list[count - 1].unit : unit;
    uint32_t at = count, gone = 0;
    if (unit <= newest - keep) return count;
    while (at && list[at - 1].unit > unit) at--;
    if (at && list[at - 1].unit == unit) {
        list[at - 1].count++;
        return count;
    }
    memmove(&list[at + 1], &list[at], (count++ - at) * sizeof *list);
    list[at] = (struct bucket){unit, 1};
    while (list[gone].unit <= newest - keep) gone++;
    memmove(list, &list[gone], (count - gone) * sizeof *list);
    return count - gone;
}

/* The list in the draft's own memory, with room for one more; NULL: out of memory. */
static struct bucket *own_buckets(struct draft *draft, const struct bucket *list, uint32_t count,
                                  uint32_t *room) {
    if (count < *room) return (struct bucket *)(uintptr_t)list;
    uint32_t more = count < 8 ? 8 : count;
    struct bucket *own = keep(draft, list, count * sizeof *own, (count + more) * sizeof *own);
    if (own) *room = count + more;
    return own;
}

static void change_buckets(struct draft *draft, uint32_t place, int64_t at_ms,
                           uint32_t change(struct bucket *list, uint32_t count, int32_t unit, int32_t keep)) {
    struct buckets *buckets = &draft->buckets[place];
    struct bucket *hours = own_buckets(draft, buckets->hours, buckets->hour_count, &draft->room[place].hours);
    if (!hours) return;
    buckets->hour_count = change(hours, buckets->hour_count, unit_of(at_ms, AT_HOUR_MS), HOURS_MAX);
    buckets->hours = hours;
    struct bucket *days = own_buckets(draft, buckets->days, buckets->day_count, &draft->room[place].days);
    if (!days) return;
    buckets->day_count = change(days, buckets->day_count, unit_of(at_ms, AT_DAY_MS), DAYS_MAX);
    buckets->days = days;
}

static uint32_t find_count(const struct draft *draft, struct at_text name) {
    uint32_t place = 0;
    while (place < draft->profile.count_count && !is_name(draft->counts[place].name, name)) place++;
    return place;
}

static uint32_t place_of_count(struct draft *draft, struct at_text name) {
    struct at_profile *profile = &draft->profile;
    uint32_t place = find_count(draft, name);
    if (place < profile->count_count) return place;
    if (place == COUNTS_MAX) {
        uint32_t oldest = 0;
        for (uint32_t i = 1; i < COUNTS_MAX; i++)
            if (draft->counts[i].last_ms < draft->counts[oldest].last_ms) oldest = i;
        place = oldest;
    } else
        profile->count_count++;
    draft->counts[place] = (struct at_event_count){.name = draft_text(draft, name)};
    draft->buckets[place] = (struct buckets){0};
    draft->room[place] = (struct bucket_room){0};
    return place;
}

void draft_count(struct draft *draft, struct at_text name, int64_t at_ms) {
    uint32_t place = place_of_count(draft, name);
    struct at_event_count *count = &draft->counts[place];
    if (!count->total || at_ms < count->first_ms) count->first_ms = at_ms;
    if (!count->total || at_ms > count->last_ms) count->last_ms = at_ms;
    count->total++;
    change_buckets(draft, place, at_ms, add_bucket);
}

/* Returns how many are left. */
static uint32_t take_bucket(struct bucket *list, uint32_t count, int32_t unit, int32_t keep) {
    uint32_t n = 0;
    (void)keep;
    for (uint32_t i = 0; i < count; i++) {
        list[n] = list[i];
        if (list[n].unit == unit) list[n].count--;
        n += list[n].count > 0;
    }
    return n;
}

void draft_uncount(struct draft *draft, struct at_text name, int64_t at_ms) {
    uint32_t place = find_count(draft, name);
    if (place == draft->profile.count_count || !draft->counts[place].total) return;
    draft->counts[place].total--;
    change_buckets(draft, place, at_ms, take_bucket);
}

void draft_count_last(struct draft *draft, struct at_text name, int64_t last_ms) {
    uint32_t place = find_count(draft, name);
    if (place < draft->profile.count_count) draft->counts[place].last_ms = last_ms;
}

/* ---- packing ---- */

struct packing {
    char *at;    /* texts */
    char *lists; /* aligned */
    size_t text_bytes, list_bytes;
    bool is_measuring;
};

static void pack_text(struct packing *packing, struct at_text *text) {
    if (packing->is_measuring)
        packing->text_bytes += text->length;
    else if (text->length) {
        memcpy(packing->at, text->data, text->length);
        text->data = packing->at;
        packing->at += text->length;
    } else
        text->data = "";
}

static void *pack_list(struct packing *packing, const void *list, uint32_t count, size_t size) {
    size_t bytes = (count * size + 7) & ~(size_t)7;
    if (packing->is_measuring) {
        packing->list_bytes += bytes;
        return NULL;
    }
    void *place = packing->lists;
    if (count) memcpy(place, list, count * size);
    packing->lists += bytes;
    return place;
}

static void pack_visit(struct packing *packing, struct at_visit *visit) {
    pack_text(packing, &visit->source);
    pack_text(packing, &visit->campaign);
    pack_text(packing, &visit->medium);
    pack_text(packing, &visit->landing);
    pack_text(packing, &visit->device);
    pack_text(packing, &visit->referrer);
}

static void pack_acquired(struct packing *packing, struct at_acquired *first) {
    pack_text(packing, &first->source);
    pack_text(packing, &first->campaign);
    pack_text(packing, &first->medium);
    pack_text(packing, &first->landing);
    pack_text(packing, &first->referrer);
    pack_text(packing, &first->device);
}

static void pack_order(struct packing *packing, struct at_order *order) {
    struct at_order_item *packed =
        pack_list(packing, order->items, order->item_count, sizeof(struct at_order_item));
    for (uint32_t i = 0; i < order->item_count; i++) {
        struct at_text product = order->items[i].product; /* those in a block are not ours to write */
        pack_text(packing, &product);
        if (packed) packed[i].product = product;
    }
    if (!packing->is_measuring) order->items = packed;
    pack_text(packing, &order->id);
    for (int i = 0; i < AT_ORDER_ALSO_MAX; i++) pack_text(packing, &order->also[i]);
    pack_text(packing, &order->first_product);
    pack_text(packing, &order->category);
}

/* Run twice over the same lists: to measure, then to copy. Lists of a block are ours to write while it is
 * made. */
#define LIST(type, field, count)                                                                             \
    type *field##_packed = pack_list(packing, p->field, p->count, sizeof(type));                             \
    type *field = packing->is_measuring ? (type *)(uintptr_t)p->field : field##_packed;                      \
    if (!packing->is_measuring) p->field = field##_packed

static void pack(struct packing *packing, struct at_profile *p, struct buckets *buckets) {
    LIST(struct at_order, order_list, order_count);
    LIST(struct at_order, awaited, awaited_count);
    LIST(struct at_basket_line, basket, basket_count);
    LIST(struct at_taste, tastes, taste_count);
    LIST(struct at_met_product, products, product_count);
    LIST(struct at_event_count, counts, count_count);
    LIST(struct at_last_event, lasts, last_count);
    LIST(struct at_known_identifier, identifiers, identifier_count);
    LIST(struct at_consent_statement, consents, consent_count);
    LIST(struct at_trait_moment, trait_moments, trait_moment_count);
    LIST(struct at_stated_taste, stated, stated_count);
    for (uint32_t i = 0; i < p->count_count; i++) {
        void *hours = pack_list(packing, buckets[i].hours, buckets[i].hour_count, sizeof(struct bucket));
        void *days = pack_list(packing, buckets[i].days, buckets[i].day_count, sizeof(struct bucket));
        if (packing->is_measuring) continue;
        buckets[i].hours = hours;
        buckets[i].days = days;
    }
    for (uint32_t i = 0; i < p->order_count; i++) pack_order(packing, &order_list[i]);
    for (uint32_t i = 0; i < p->awaited_count; i++) pack_order(packing, &awaited[i]);
    for (uint32_t i = 0; i < p->basket_count; i++) {
        pack_text(packing, &basket[i].product);
        pack_text(packing, &basket[i].named);
    }
    for (uint32_t i = 0; i < p->taste_count; i++) {
        pack_text(packing, &tastes[i].facet);
        pack_text(packing, &tastes[i].value);
    }
    for (uint32_t i = 0; i < p->product_count; i++) pack_text(packing, &products[i].product);
    for (uint32_t i = 0; i < p->count_count; i++) pack_text(packing, &counts[i].name);
    for (uint32_t i = 0; i < p->last_count; i++) {
        pack_text(packing, &lasts[i].name);
        pack_text(packing, &lasts[i].id);
        pack_text(packing, &lasts[i].properties);
        pack_text(packing, &lasts[i].items);
    }
    for (uint32_t i = 0; i < p->identifier_count; i++) {
        pack_text(packing, &identifiers[i].kind);
        pack_text(packing, &identifiers[i].value);
    }
    for (uint32_t i = 0; i < p->consent_count; i++) {
        pack_text(packing, &consents[i].purpose);
        pack_text(packing, &consents[i].channel);
        pack_text(packing, &consents[i].said);
        pack_text(packing, &consents[i].wording);
    }
    for (uint32_t i = 0; i < p->trait_moment_count; i++) pack_text(packing, &trait_moments[i].name);
    for (uint32_t i = 0; i < p->stated_count; i++) {
        pack_text(packing, &stated[i].facet);
        pack_text(packing, &stated[i].value);
    }
    pack_visit(packing, &p->visit);
    pack_acquired(packing, &p->acquired);
    pack_text(packing, &p->traits);
    pack_text(packing, &p->timezone);
    pack_text(packing, &p->locale);
    pack_text(packing, &p->country);
    pack_text(packing, &p->basket_url);
}

struct at_profile *draft_finish(struct draft *draft, struct at_account *account) {
    struct packing packing = {.is_measuring = true};
    if (draft->is_short) return NULL;
    pack(&packing, &draft->profile, draft->buckets);
    size_t bucket_bytes = draft->profile.count_count * sizeof(struct buckets);
    size_t head = (sizeof(struct block) + bucket_bytes + 7) & ~(size_t)7,
           bytes = head + packing.list_bytes + packing.text_bytes;
    struct block *block = malloc(bytes);
    if (!block) return NULL;
    struct buckets *buckets = (struct buckets *)(block + 1);
    block->profile = draft->profile;
    block->buckets = buckets;
    if (bucket_bytes) memcpy(buckets, draft->buckets, bucket_bytes);
    packing.is_measuring = false;
    packing.lists = (char *)block + head;
    packing.at = packing.lists + packing.list_bytes;
    pack(&packing, &block->profile, buckets);
    atomic_init(&block->profile.refs, 1);
    block->profile.bytes = bytes;
    block->profile.account = account;
    if (account) at_account_force(account, bytes);
    return &block->profile;
}
