/* SPDX-License-Identifier: Apache-2.0
 *
 * What other rules of identity would make of the events there are: the log is read from its beginning into a
 * table of its own, by the same code that takes events in, and compared with the people of now. Nothing is
 * changed. On the reader thread for what takes long; the memory is that of one more table of identifiers,
 * counted as such.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

#define EXAMPLES_MAX 10
#define BESIDE_MAX   8 /* people in one example */

struct rehearsal {
    struct at_job *job;
    struct at_shop *shop;
    struct at_settings *settings;
    struct identity then;
    uint64_t ids, events;
    struct at_json_parser *body, *facts;
    struct at_arena arena; /* of one event */
    enum at_status status;
};

static uint64_t own_id(void *arg) {
    struct rehearsal *rehearsal = arg;
    return ++rehearsal->ids;
}

/* What was taken apart is somebody of its own from the beginning, not only once it comes alone. */
static enum at_status keep_apart(struct identity *then, const struct at_event *event,
                                 const struct resolved *who) {
    for (uint32_t i = 0; i < who->count; i++) {
        const struct resolved_identifier *one = &who->identifiers[i];
        if (one->refusal != IDENTITY_BARRED || identity_place(then, one->hash) != NO_PLACE) continue;
        struct at_event alone = *event;
        struct resolved itself;
        alone.identifiers[0] = one->identifier;
        alone.identifier_count = 1;
        enum at_status status = identity_resolve(then, &alone, false, &itself);
        if (status != AT_OK) return status;
    }
    return AT_OK;
}

static enum at_status join_all(struct rehearsal *rehearsal, const struct at_event *event, bool is_proven) {
    for (;;) {
        struct resolved who;
        enum at_status status = identity_resolve(&rehearsal->then, event, is_proven, &who);
        if (status != AT_OK) return status;
        if (!who.join_a) return keep_apart(&rehearsal->then, event, &who);
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

static enum at_status parse(struct at_json_parser *parser, struct at_arena *arena, struct at_text text,
                            struct at_json *out) {
    char *copy = at_arena_alloc(arena, text.length + AT_JSON_PADDING);
    if (!copy) return AT_NOMEM;
    memcpy(copy, text.data, text.length);
    memset(copy + text.length, 0, AT_JSON_PADDING);
    return at_json_parse(parser, copy, text.length, true, out, NULL);
}

static enum at_status take(struct rehearsal *rehearsal, const struct at_event_row *row) {
    struct at_json body, facts;
    struct at_event event;
    struct at_event_defaults defaults = {
        .received_ms = row->received_ms, .any_identifier = true, .rules = &rehearsal->then.rules};
    enum at_status status = parse(rehearsal->body, &rehearsal->arena, row->body, &body);
    if (status == AT_OK) status = parse(rehearsal->facts, &rehearsal->arena, row->facts, &facts);
    if (status != AT_OK) return status == AT_INVALID ? AT_IO : status;
    status = at_event_parse(&rehearsal->arena, body, &defaults, NULL, &event, NULL);
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

static bool take_row(void *arg, const struct at_event_row *row) {
    struct rehearsal *rehearsal = arg;
    rehearsal->status = take(rehearsal, row);
    rehearsal->events++;
    at_arena_reset(&rehearsal->arena);
    return rehearsal->status == AT_OK;
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
    struct identity *now = &rehearsal->shop->identity, *then = &rehearsal->then;
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
    struct at_json_out out = at_json_out(&rehearsal->job->out);
    enum at_status status = pair_up(rehearsal, &comparison);
    if (status != AT_OK) return status;
    at_json_open(&out, '{');
    at_json_add_int(&out, "events", (int64_t)rehearsal->events);
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
    struct identity *now = &rehearsal->shop->identity;
    struct at_intmap_slot *slot;
    enum at_status status = AT_OK;
    pthread_mutex_lock(&now->mutex);
    for (size_t i = 0; status == AT_OK && (slot = at_intmap_next(&now->bars, &i));)
        if (!at_intmap_put(&rehearsal->then.bars, slot->key, NULL)) status = AT_NOMEM;
    pthread_mutex_unlock(&now->mutex);
    return status;
}

static enum at_status run(struct rehearsal *rehearsal, struct at_reader *reader) {
    rehearsal->body = parser_new();
    rehearsal->facts = parser_new();
    rehearsal->ids = UINT64_MAX >> 1; /* far from the ids there are */
    identity_init(&rehearsal->then, &rehearsal->settings->identity, rehearsal->shop->identity.seed,
                  rehearsal->shop->identity.account);
    rehearsal->then.next_id = own_id;
    rehearsal->then.next_arg = rehearsal;
    rehearsal->then.known = &rehearsal->shop->identity; /* what was taken apart stays it */
    at_arena_init(&rehearsal->arena, AT_SHOP_BODY_MAX);
    enum at_status status = rehearsal->body && rehearsal->facts ? copy_bars(rehearsal) : AT_NOMEM;
    if (status == AT_OK) status = at_reader_log(reader, 0, UINT64_MAX >> 1, take_row, rehearsal);
    if (status == AT_OK) status = rehearsal->status;
    if (status == AT_OK) status = write_answer(rehearsal);
    identity_clear(&rehearsal->then);
    at_arena_clear(&rehearsal->arena);
    if (rehearsal->body) at_json_parser_free(rehearsal->body);
    if (rehearsal->facts) at_json_parser_free(rehearsal->facts);
    return status;
}

static enum at_status rehearse_alone(struct at_job *job, struct at_reader *reader, void *arg) {
    struct rehearsal *rehearsal = arg;
    enum at_status status = settings_read(rehearsal->shop, &rehearsal->settings, &job->err);
    if (status != AT_OK) return status == AT_NOMEM ? status : AT_UNPROCESSABLE;
    status = run(rehearsal, reader);
    at_settings_free(rehearsal->settings);
    if (status != AT_OK)
        at_fail(&job->err, status, NULL, "the events could not be read (%s): ask again",
                at_status_word(status));
    return status;
}

/* One at a time: nobody waits in a queue for what takes long, not knowing for how long. */
static enum at_status rehearse(struct at_job *job, struct at_reader *reader, void *arg) {
    struct at_shop *shop = job->worker->shop;
    bool is_free = false;
    if (!atomic_compare_exchange_strong(&shop->is_reading_log, &is_free, true))
        return at_fail(&job->err, AT_CONFLICT, "rehearsing",
                       "a rehearsal or an audit is going on: ask again when it is over");
    enum at_status status = rehearse_alone(job, reader, arg);
    atomic_store(&shop->is_reading_log, false);
    return status;
}

void at_shop_rehearse_identity(struct at_job *job) {
    struct rehearsal *rehearsal = at_arena_zalloc(job->arena, sizeof *rehearsal);
    enum at_status status = rehearsal ? AT_OK : AT_NOMEM;
    if (rehearsal) {
        rehearsal->job = job;
        rehearsal->shop = job->worker->shop;
        status = errand_read_slowly(job, rehearse, rehearsal);
    }
    if (status == AT_OK) return;
    at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    job_end(job, AT_NOMEM);
}
