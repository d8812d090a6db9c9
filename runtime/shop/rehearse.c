/* SPDX-License-Identifier: Apache-2.0
 *
 * What other rules of identity would make of the events there are: the log is read from its beginning into a
 * table of its own, by the same code that takes events in, and compared with the people of now. Nothing is
 * changed. The memory is that of one more table of identifiers, counted as such.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/log_scan.h"

#define EXAMPLES_MAX 10
#define BESIDE_MAX   8 /* people in one example */

struct rehearsal {
    struct log_scan scan;
    struct at_settings *settings;
    struct identity then;
    uint64_t ids;
};

static uint64_t own_id(void *arg) {
    struct rehearsal *rehearsal = arg;
    return ++rehearsal->ids;
}

/* What was taken apart is somebody of its own from the beginning, not only once it comes alone. */
static enum at_status keep_apart(struct rehearsal *rehearsal, const struct at_event *event,
                                 const struct resolved *who) {
    struct identity *then = &rehearsal->then;
    for (uint32_t i = 0; i < who->count; i++) {
        struct resolved_identifier *one = &who->identifiers[i];
        if (one->refusal != IDENTITY_BARRED || identity_place(then, one->hash) != NO_PLACE) continue;
        struct at_event alone = *event;
        struct resolved itself;
        alone.identifiers = &one->identifier;
        alone.identifier_count = 1;
        enum at_status status = identity_resolve(then, &alone, false, &rehearsal->scan.arena, &itself);
        if (status != AT_OK) return status;
    }
    return AT_OK;
}

static enum at_status join_all(struct rehearsal *rehearsal, const struct at_event *event, bool is_proven) {
    for (;;) {
        struct resolved who;
        enum at_status status =
            identity_resolve(&rehearsal->then, event, is_proven, &rehearsal->scan.arena, &who);
        if (status != AT_OK) return status;
        if (!who.join_a) return keep_apart(rehearsal, event, &who);
        struct evidence evidence = {
            .hash_a = who.join_a, .hash_b = who.join_b, .at_ms = event->at_ms, .is_proven = is_proven};
        struct identity_pair pair;
        if (!identity_pair(&rehearsal->then, &evidence, &pair))
            continue; /* its id is barred since keep_ids */
        status = identity_reserve(&rehearsal->then, 0);
        if (status != AT_OK) return status;
        identity_join(&rehearsal->then, who.join_a, who.join_b,
                      pair.person[0] < pair.person[1] ? pair.person[0] : pair.person[1]);
    }
}

static enum at_status take(struct log_scan *scan, const struct at_event_row *row) {
    struct rehearsal *rehearsal = (struct rehearsal *)scan;
    struct at_json body, facts;
    struct at_event event;
    struct at_event_defaults defaults = {
        .received_ms = row->received_ms, .any_identifier = true, .rules = &rehearsal->then.rules};
    enum at_status status = log_scan_parse(scan, scan->body, row->body, &body);
    if (status == AT_OK) status = log_scan_parse(scan, scan->facts, row->facts, &facts);
    if (status != AT_OK) return status;
    status = at_event_parse(&scan->arena, body, &defaults, NULL, &event, NULL);
    if (status == AT_INVALID)
        return AT_OK; /* a statement of consent, or ids that name nobody by these rules */
    if (status != AT_OK) return status;
    bool is_conflict = false, is_unproven = false;
    (void)at_json_bool(at_json_get(facts, "conflict"), &is_conflict);
    (void)at_json_bool(at_json_get(facts, "unproven"), &is_unproven);
    if (is_conflict && event.identifier_count) event.identifier_count = 1;
    event.at_ms = row->at_ms;
    return join_all(rehearsal, &event, !is_unproven);
}

/* ---- now and then ---- */

struct pairing {
    uint64_t now, then; /* people; 0: nobody */
};

static int by_then(const void *a, const void *b) {
    const struct pairing *x = a, *y = b;
    if (x->then != y->then) return x->then < y->then ? -1 : 1;
    return x->now < y->now ? -1 : x->now > y->now;
}

static int by_now(const void *a, const void *b) {
    const struct pairing *x = a, *y = b;
    if (x->now != y->now) return x->now < y->now ? -1 : 1;
    return x->then < y->then ? -1 : x->then > y->then;
}

struct comparison {
    struct pairing *pairs;
    size_t count, bytes;
    uint64_t gone, fresh;
};

/* Entries stay where they are, so the lock is given back now and then: events wait for it. */
#define SLICE 1024
static void breathe(struct identity *identity, uint32_t i) {
    if (i % SLICE != SLICE - 1) return;
    pthread_mutex_unlock(&identity->mutex);
    pthread_mutex_lock(&identity->mutex);
}

static enum at_status pair_up(struct rehearsal *rehearsal, struct comparison *out) {
    struct identity *now = &rehearsal->scan.shop->identity, *then = &rehearsal->then;
    pthread_mutex_lock(&now->mutex);
    uint32_t count = now->count; /* who comes meanwhile is in no event that was read */
    pthread_mutex_unlock(&now->mutex);
    out->bytes = ((size_t)count + then->count + 1) * sizeof *out->pairs;
    out->pairs = malloc(out->bytes);
    if (!out->pairs) return AT_NOMEM;
    at_account_force(now->account, out->bytes);
    pthread_mutex_lock(&now->mutex);
    for (uint32_t i = 0; i < count; i++) {
        const struct identity_entry *entry = identity_at(now, i);
        uint32_t place = identity_place(then, entry->hash);
        uint64_t person = place == NO_PLACE ? 0 : identity_at(then, place)->person;
        if (entry->is_committed) {
            out->gone += !person;
            out->pairs[out->count++] = (struct pairing){entry->person, person};
        }
        breathe(now, i);
    }
    for (uint32_t i = 0; i < then->count; i++) {
        if (identity_place(now, identity_at(then, i)->hash) == NO_PLACE) {
            out->fresh++;
            out->pairs[out->count++] = (struct pairing){0, identity_at(then, i)->person};
        }
        breathe(now, i);
    }
    pthread_mutex_unlock(&now->mutex);
    return AT_OK;
}

static void put_id(struct at_json_out *out, uint64_t person) {
    char id[AT_PERSON_ID_SIZE];
    at_person_id_format(person, id);
    at_json_put_text(out, at_text_of(id));
}

/* Runs of one person then, with the different people they are now. */
static uint64_t write_joined(const struct comparison *comparison, struct at_json_out *out) {
    uint64_t people = 0, joined = 0;
    for (size_t i = 0, end; i < comparison->count; i = end) {
        uint64_t beside[BESIDE_MAX], count = 0, last = 0;
        for (end = i; end < comparison->count && comparison->pairs[end].then == comparison->pairs[i].then;
             end++) {
            uint64_t now = comparison->pairs[end].now;
            if (!now || now == last) continue;
            last = now;
            if (count < BESIDE_MAX) beside[count] = now;
            count++;
        }
        if (!comparison->pairs[i].then) continue;
        people++;
        if (count < 2 || ++joined > EXAMPLES_MAX) continue;
        at_json_open(out, '[');
        for (uint64_t k = 0; k < count && k < BESIDE_MAX; k++) put_id(out, beside[k]);
        at_json_close(out, ']');
    }
    at_json_close(out, ']');
    at_json_add_int(out, "count", (int64_t)joined);
    return people;
}

static uint64_t write_split(const struct comparison *comparison, struct at_json_out *out) {
    uint64_t people = 0, split = 0;
    for (size_t i = 0, end; i < comparison->count; i = end) {
        uint64_t count = 0, last = 0;
        for (end = i; end < comparison->count && comparison->pairs[end].now == comparison->pairs[i].now;
             end++) {
            count += comparison->pairs[end].then && comparison->pairs[end].then != last;
            if (comparison->pairs[end].then) last = comparison->pairs[end].then;
        }
        if (!comparison->pairs[i].now) continue;
        people++;
        if (count < 2 || ++split > EXAMPLES_MAX) continue;
        at_json_open(out, '{');
        at_json_key(out, "person");
        put_id(out, comparison->pairs[i].now);
        at_json_add_int(out, "into", (int64_t)count);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
    at_json_add_int(out, "count", (int64_t)split);
    return people;
}

static void open_examples(struct at_json_out *out, const char *name) {
    at_json_key(out, name);
    at_json_open(out, '{');
    at_json_key(out, "examples");
    at_json_open(out, '[');
}

static enum at_status write_answer(struct rehearsal *rehearsal) {
    struct comparison comparison = {0};
    struct at_json_out out = at_json_out(&rehearsal->scan.job->out);
    enum at_status status = pair_up(rehearsal, &comparison);
    if (status != AT_OK) return status;
    at_json_open(&out, '{');
    at_json_add_int(&out, "events", (int64_t)rehearsal->scan.events);
    qsort(comparison.pairs, comparison.count, sizeof *comparison.pairs, by_then);
    open_examples(&out, "joined");
    uint64_t then = write_joined(&comparison, &out);
    at_json_close(&out, '}');
    qsort(comparison.pairs, comparison.count, sizeof *comparison.pairs, by_now);
    open_examples(&out, "split");
    uint64_t now = write_split(&comparison, &out);
    at_json_close(&out, '}');
    at_json_key(&out, "people");
    at_json_open(&out, '{');
    at_json_add_int(&out, "now", (int64_t)now);
    at_json_add_int(&out, "then", (int64_t)then);
    at_json_close(&out, '}');
    at_json_key(&out, "identifiers");
    at_json_open(&out, '{');
    at_json_add_int(&out, "gone", (int64_t)comparison.gone);
    at_json_add_int(&out, "new", (int64_t)comparison.fresh);
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    free(comparison.pairs);
    at_account_give(rehearsal->then.account, comparison.bytes);
    return AT_OK;
}

static enum at_status copy_bars(struct rehearsal *rehearsal) {
    struct identity *now = &rehearsal->scan.shop->identity;
    struct at_intmap_slot *slot;
    enum at_status status = AT_OK;
    pthread_mutex_lock(&now->mutex);
    for (size_t i = 0; status == AT_OK && (slot = at_intmap_next(&now->bars, &i));)
        if (!at_intmap_put(&rehearsal->then.bars, slot->key, NULL)) status = AT_NOMEM;
    pthread_mutex_unlock(&now->mutex);
    return status;
}

static enum at_status compare(struct rehearsal *rehearsal) {
    struct identity *now = &rehearsal->scan.shop->identity;
    rehearsal->ids = UINT64_MAX >> 1; /* far from the ids there are */
    identity_init(&rehearsal->then, &rehearsal->settings->identity, now->seed, now->account);
    rehearsal->then.next_id = own_id;
    rehearsal->then.next_arg = rehearsal;
    rehearsal->then.known = now; /* what was taken apart stays it */
    enum at_status status = copy_bars(rehearsal);
    if (status == AT_OK) status = log_scan_events(&rehearsal->scan, UINT64_MAX >> 1, take);
    if (status == AT_OK) status = write_answer(rehearsal);
    identity_clear(&rehearsal->then);
    return status;
}

static enum at_status run(struct log_scan *scan) {
    struct rehearsal *rehearsal = (struct rehearsal *)scan;
    enum at_status status = settings_read(scan->shop, &rehearsal->settings, &scan->job->err);
    if (status != AT_OK) return status == AT_NOMEM ? status : AT_UNPROCESSABLE;
    status = compare(rehearsal);
    at_settings_free(rehearsal->settings);
    return status;
}

void at_shop_rehearse_identity(struct at_job *job) {
    log_scan_start(job, sizeof(struct rehearsal), "rehearsing", run);
}
