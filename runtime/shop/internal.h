/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of shop/ share. Three kinds of threads meet here: front workers (requests), the back worker
 * (what is slow: merges, catalog changes, reloads, learning, writing behind) and the store's commit thread
 * (outcomes). Who may touch what is said beside each struct.
 */
#ifndef AT_SHOP_INTERNAL_H
#define AT_SHOP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include "base/hash.h"
#include "base/map.h"
#include "catalog/feed.h"
#include "catalog/where.h"
#include "language/language.h"
#include "loop/thread.h"
#include "loop/watchdog.h"
#include "shop/budgets.h"
#include "shop/counters.h"
#include "shop/forgotten.h"
#include "shop/identity.h"
#include "shop/shop.h"
#include "store/store.h"

/* ---- back.c: the back worker's queue; tasks run one after another and may block ---- */
struct back_task {
    struct back_task *next;
    void (*run)(struct back_task *task);
    bool waits_turn; /* not within another task: it changes what serves */
};
void back_post(struct at_shop *shop, struct back_task *task); /* any thread */
enum at_status back_start(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void back_breathe(struct at_shop *shop); /* by a long task, now and then: others that wait have their turn */
void back_stop(struct at_shop *shop);    /* runs what is queued, then ends; any thread but its own */
/* Commit in a lane and wait for the outcome; never on a front worker. In two steps, with other work between:
 * unit and over stay until commit_outcome, which follows if commit_send was AT_OK. */
enum at_status commit_send(struct at_shop *shop, struct at_unit *unit, bool behind,
                           struct at_latch *over) AT_MUST_CHECK;
enum at_status commit_outcome(struct at_unit *unit, struct at_latch *over) AT_MUST_CHECK;
enum at_status commit_and_wait(struct at_shop *shop, struct at_unit *unit, bool behind) AT_MUST_CHECK;

/* ---- people.c: profiles in memory. A person has one writer at a time (the holder), any number of readers
 * ---- */
struct person;
struct person_wait { /* lives in the waiter's own memory */
    struct person_wait *next;
    bool wants_hold;                         /* to build the next snapshot */
    bool wants_quiet;                        /* a hold when nothing of the person is on its way to the disk */
    struct person *person;                   /* a hold: what was taken */
    struct at_profile *profile;              /* a reference, when there: committed; for a hold the latest */
    uint64_t base, ordinal;                  /* a hold: of what it builds on, of what it builds */
    bool is_accepted;                        /* the unit's writes are in the transaction */
    enum at_status status;                   /* AT_OK, AT_STALE: merged away, AT_IO, AT_NOMEM */
    void (*ready)(struct person_wait *wait); /* any thread: only posts */
    void *arg;
};
enum at_status people_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void people_close(struct at_shop *shop);
/* True: wait->status says now (ready is not called). False: ready will be called. is_new: nothing is stored
 * of that person. */
bool people_get(struct at_shop *shop, uint64_t person, bool is_new, struct person_wait *wait);
/* The back worker, which alone writes behind: a snapshot it read since it last did that is the stored one
 * unless the person is in memory; then it need not be read again. */
void people_offer(struct at_shop *shop, struct at_profile *profile);
/* The profile if it is in memory (a reference), else NULL. */
struct at_profile *people_peek(struct at_shop *shop, uint64_t person);
/* Give a hold back. next: the new committed profile (its reference is taken over), NULL: as it was. */
void people_release(struct at_shop *shop, struct person *person, struct at_profile *next);
/* By the holder, before its unit is enqueued: next is what the next holder builds on, while readers see what
 * is committed. Then the hold is given back with people_release(…, NULL). Each publish is withdrawn, if the
 * queue did not take the unit, or settled. */
void people_publish(struct person_wait *hold, struct at_profile *next);
/* On a thread that may block: people_get, and waits; wants_… of wait are set. Its status. */
enum at_status people_get_now(struct at_shop *shop, uint64_t person, bool is_new,
                              struct person_wait *wait) AT_MUST_CHECK;
/* The same for a hold when all of the person's events are durable. */
enum at_status people_hold_now(struct at_shop *shop, uint64_t person, bool is_new,
                               struct person_wait *wait) AT_MUST_CHECK;
/* The stored row of a profile, and that there is none any more: into a unit. The back worker's. */
enum at_status people_put_row(struct at_shop *shop, struct at_unit *unit, struct at_arena *arena,
                              const struct at_profile *profile) AT_MUST_CHECK;
enum at_status people_drop_row(struct at_unit *unit, struct at_arena *arena, uint64_t person) AT_MUST_CHECK;
void people_withdraw(struct person_wait *hold);
/* Commit thread, in the order of the queue. accept: whether the unit was built on the last one accepted of
 * this person; settle: next is committed (its reference is taken over), NULL: refused. */
bool people_accept(struct person_wait *hold, struct at_profile *next);
void people_settle_unit(struct at_shop *shop, struct person_wait *hold, struct at_profile *next);
/* The person was merged away; everyone who waits starts again. */
void people_gone(struct at_shop *shop, struct person *person);
/* Back worker: profiles changed since the last call, each with a reference, until settle. Arena-allocated. */
struct dirty_profile {
    struct person *person;
    struct at_profile *profile;
};
struct dirty_profile *people_take_dirty(struct at_shop *shop, struct at_arena *arena, uint32_t *count);
void people_settle(struct at_shop *shop, struct dirty_profile *dirty, uint32_t count, bool is_stored);
size_t people_count(struct at_shop *shop);

/* ---- track.c ---- */
/* at_shop_track of a batch that a signed source's webhook became: job->source is its name, is_secret is set.
 * Any identifier will do, times are kept as said, what is told of once more is not kept twice. */
void track_from_source(struct at_job *job, struct at_json batch);

/* ---- shopify.c ---- */
enum at_status shopify_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void shopify_close(struct at_shop *shop);

/* ---- messages.c: deduplication ---- */
struct message_wait {
    struct message_wait *next;
    uint64_t key;
    void (*ready)(struct message_wait *wait); /* any thread */
    void *arg;
};
enum message_known {
    MESSAGE_NEW,
    MESSAGE_SAME,
    MESSAGE_OTHER,
    MESSAGE_IN_FLIGHT,
    MESSAGE_ASK,
    MESSAGE_NOMEM
};
enum at_status messages_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void messages_close(struct at_shop *shop);
/* NEW: the caller owns the message until messages_settle. IN_FLIGHT: wait is queued (NULL: not). ASK: a
 * sealed run may know it: look there, then call again with was_asked. */
enum message_known messages_claim(struct at_shop *shop, uint64_t key, uint64_t payload_hash, bool was_asked,
                                  struct message_wait *wait);
void messages_settle(struct at_shop *shop, uint64_t key, uint64_t seq); /* seq 0: was not taken */
enum at_status messages_seal(struct at_shop *shop, bool always);        /* back worker */
size_t messages_count(struct at_shop *shop);

enum at_status catalog_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK; /* items.c */
/* Stages the changes, makes what they come to durable, then visible; each has its own status. The back
 * worker's.
 */
enum at_status items_change(struct at_job *job, struct at_change *changes, uint32_t count) AT_MUST_CHECK;

/* ---- learn.c, flush.c: the consumers; back worker only but learn_give ---- */
struct learn_event { /* one durable event, made by track, freed by the learner */
    struct learn_event *next;
    uint64_t seq, source, person;
    int64_t at_ms;
    uint32_t facts_length;
    bool has_items;
    bool is_backfill; /* who acts on events passes it over: profile/event.h */
    char name[56];
    char facts[]; /* with AT_JSON_PADDING behind */
};
void learn_give(struct at_shop *shop, struct learn_event *first, struct learn_event *last, uint32_t count);
void learn_released(struct at_shop *shop, uint64_t seq);
uint64_t learn_released_seq(struct at_shop *shop);
size_t learn_waiting(struct at_shop *shop);
uint64_t learn_place(struct at_shop *shop, bool of_fold); /* in the log: learned to; else written behind to */
/* events given and not learned from yet */ /* commit thread, in order: the snapshots up to seq are in the
                                               cache */
enum at_status learn_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void learn_close(struct at_shop *shop);
void learn_drain(struct at_shop *shop);   /* consume what was given */
void learn_publish(struct at_shop *shop); /* counted columns and the baseline, if they changed */
enum at_status flush_timeline(struct at_shop *shop) AT_MUST_CHECK;
/* Durable events of these sources (ascending) that the timeline's index does not hold yet: their places in
 * the log, ascending, in the arena. NULL: out of memory. timeline_bound: so that there are not too many of
 * all to look through. */
uint64_t *timeline_missing(struct at_shop *shop, struct at_arena *arena, const uint64_t *sources,
                           size_t source_count, size_t *count);
enum at_status timeline_bound(struct at_shop *shop) AT_MUST_CHECK;
/* What waits to be learned from is another's now. */
void learn_became(struct at_shop *shop, uint64_t person, uint64_t other);
enum at_status flush_all(struct at_shop *shop) AT_MUST_CHECK;
/* The pinned baseline of everyone's tastes; a reference. NULL while nobody did anything. */
struct at_baseline *learn_baseline(struct at_shop *shop);
/* How often each row was shown lately; may be NULL; valid until given back. */
struct shown {
    _Atomic uint32_t refs;
    uint32_t count;
    uint32_t by_row[];
};
struct shown *learn_shown(struct at_shop *shop);
void shown_unref(struct shown *shown);

/* ---- rhythm.c: the shop's typical interval between purchases; back worker ---- */
/* What the person's row is counted by (at_profile_row.rhythm_days). */
uint32_t rhythm_days(struct at_shop *shop, const struct at_profile *profile);
enum at_status rhythm_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK; /* after learn_open */
/* What is stored now is what the next baseline says. */
void rhythm_refresh(struct at_shop *shop);
/* A slice of filling in what rows of before are counted by. True: there is more. */
bool rhythm_fill(struct at_shop *shop);

/* ---- fold.c: state = fold(apply, events of the person's source ids) ---- */
enum at_status recover(struct at_shop *shop,
                       struct at_error *err) AT_MUST_CHECK; /* at start: the tail of the log */
struct identifier_list { /* whose events are folded; rows are freed by the caller, texts are the arena's */
    struct at_identifier_row *rows;
    size_t count, capacity;
    const uint64_t *left_out; /* events that are not folded, by seq, ascending */
    size_t left_out_count;
    struct at_profile *base; /* as one person among them is now: folded on from there if all the others'
                                events came later; or NULL */
};
/* Adds those of a person, as they are stored. */
enum at_status fold_list(struct at_shop *shop, struct at_arena *arena, uint64_t person,
                         struct identifier_list *list) AT_MUST_CHECK;
/* The profile (a reference) of exactly these, their durable events so far. The back worker's. */
enum at_status fold_profile(struct at_shop *shop, struct at_arena *arena, const struct identifier_list *list,
                            uint64_t person, struct at_profile **out) AT_MUST_CHECK;

/* ---- customer.c ---- */
/* The person, by kind and value or (kind.data NULL) by id; 0: the job has ended with AT_NOTFOUND. That this
 * key did it is noted: action is the route's name, a literal. */
uint64_t customer_person(struct at_job *job, struct at_text kind, struct at_text value, const char *action);
/* Ends the job with AT_NOTFOUND unless there is such a person: an id may never have been given out. */
bool customer_is_there(struct at_job *job, const struct at_profile *profile);

/* shop.c: shop.lua as it is in the folder now. */
enum at_status settings_read(struct at_shop *shop, struct at_settings **out,
                             struct at_error *err) AT_MUST_CHECK;

/* ---- merge.c: two people become one, and one becomes two again; back worker ---- */
/* AT_OK also when they may not, or are one already: who asks looks again. */
enum at_status merge_people(struct at_shop *shop, const struct evidence *evidence);

/* ---- segments.c: who is in which segment; back worker ---- */
struct segments;
enum at_status segments_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void segments_close(struct at_shop *shop);
/* An event of that person is learned from, in the order of the log. */
void segments_note(struct at_shop *shop, uint64_t person, uint64_t seq, struct at_text name);
/* Two become one by AT_WRITE_MEMBERS_MERGE, or one two: before the commit, which segments both are in; after
 * it, what was noted of either is void, and who the unit said is due is looked at. */
struct segment_overlap {
    struct segment_stat *stats[AT_SEGMENTS_MAX];
    uint32_t count;
};
enum at_status segments_overlap(struct at_shop *shop, uint64_t a, uint64_t b,
                                struct segment_overlap *out) AT_MUST_CHECK;
void segments_merged(struct at_shop *shop, uint64_t a, uint64_t b, const struct segment_overlap *both);
/* Events of theirs went, and a unit said that they are due. */
void segments_folded(struct at_shop *shop, uint64_t person);
/* Who was erased is looked at no more; they were in these. Also at start. */
void segments_forget(struct at_shop *shop, uint64_t person, const struct at_shown_segment *were,
                     uint32_t count);
void segments_follow(struct at_shop *shop); /* another generation may serve */
/* One turn. True: there is more to do at once; *wait_ms: not longer than that, else. */
bool segments_turn(struct at_shop *shop, uint64_t *wait_ms);
enum at_status segments_look_now(struct at_shop *shop, uint64_t person) AT_MUST_CHECK; /* before others */
enum at_status segments_flush(struct at_shop *shop) AT_MUST_CHECK; /* dues, cursor, place of the sweep */
/* Where the person is by what is stored: names in the arena. */
enum at_status segments_stored(struct at_shop *shop, uint64_t person, struct at_arena *arena,
                               struct at_shown_segment **list, uint32_t *count) AT_MUST_CHECK;
/* The same, looked at now. */
enum at_status segments_of(struct at_shop *shop, uint64_t person, struct at_arena *arena,
                           struct at_shown_segment **list, uint32_t *count) AT_MUST_CHECK;
bool segments_are_used(struct at_shop *shop); /* any thread: somebody may be in one */
uint64_t segments_waiting(struct at_shop *shop), segments_left(struct at_shop *shop); /* any thread */
uint64_t segments_place(struct at_shop *shop); /* any thread: in the log, looked at up to there */

/* ---- serving.c: what a decision pins ---- */
#define TOLD_MAX 64 /* things the log tells of once */
struct serving {
    _Atomic uint32_t refs;
    struct at_shop *shop;
    struct at_generation *generation;
    struct at_language *
        *languages; /* one for each worker, used on its thread only; may be NULL: could not be rebuilt */
    struct at_language *back;             /* the back worker's; NULL: not made yet */
    struct serving *older;                /* kept warm */
    _Atomic uint64_t told_slow[TOLD_MAX]; /* what the log told of: budgets.c */
};
struct serving *serving_new(struct at_shop *shop, struct at_generation *generation, struct at_error *err);
void serving_ref(struct serving *serving);
void serving_unref(struct serving *serving);
void serving_switch(struct at_shop *shop, struct serving *serving); /* back worker: one atomic switch */
struct serving *serving_of(struct at_worker *worker); /* pinned by the worker; no reference taken */
struct serving *serving_find(struct at_shop *shop, uint64_t generation); /* a reference, or NULL */
struct at_language *serving_language(struct serving *serving, struct at_worker *worker); /* NULL: none */
/* The back worker's, made when it is asked for first. NULL: out of memory, or it could not be loaded. */
struct at_language *serving_back_language(struct serving *serving);
void serving_back_collect(struct serving *serving); /* a slice of its garbage */

/* ---- scripts.c: reload and publish; back worker ---- */
enum at_status scripts_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void scripts_reload(struct at_shop *shop);
enum at_status scripts_watch(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void scripts_unwatch(struct at_shop *shop);

/* ---- ring.c: decisions that can be continued or explained ---- */
struct recorded { /* one decision */
    char id[AT_ULID_SIZE];
    uint64_t generation, person, seed;
    int64_t at_ms;
    struct at_root *root;
    struct at_profile *profile;   /* NULL: nobody */
    bool has_signal;              /* a browser's Sec-GPC that nobody answered with a yes */
    struct at_baseline *baseline; /* NULL: none */
    const char *one;              /* "rank", or NULL: decide */
    char *body;                   /* the request, AT_JSON_PADDING behind */
    size_t body_length;
    struct at_explored *explored; /* of its first ask that explored */
    uint32_t explored_count;
    uint64_t began; /* in the ring: bytes written before body, which explored follows */
};
struct ring {
    pthread_mutex_t mutex;
    struct recorded *records;
    uint32_t count;
    uint64_t made;
    char *bytes; /* of bodies */
    size_t size, touched;
    uint64_t written;           /* ever */
    struct at_account *account; /* counts what of bytes is touched */
};
/* bytes: what it may hold all in all, beyond a least. */
enum at_status ring_open(struct ring *ring, size_t bytes, struct at_account *account) AT_MUST_CHECK;
void ring_close(struct ring *ring);
/* Fills id and takes the slot over. */
void ring_id(struct at_worker *worker, int64_t now_ms, char id[AT_ULID_SIZE]);
bool ring_id_moment(struct at_text id, int64_t *ms); /* when it was made; false: it is no such id */
void ring_put(struct at_worker *worker, const struct recorded *record); /* copies body, takes references */
/* A copy in the arena with references of its own; false: no longer there. */
bool ring_get(struct at_shop *shop, struct at_text id, struct at_arena *arena, struct recorded *out);
void recorded_clear(struct recorded *record);
/* Some of the latest, of all workers, with references of their own and bodies in the arena; how many. Any
 * thread. */
uint32_t ring_recent(struct at_shop *shop, struct at_arena *arena, struct recorded *out, uint32_t most);
void ring_forget(struct ring *ring, struct forgotten *forgotten); /* decisions made for who was erased */

/* ---- log of decisions: decision_log.c ---- */
#define DECISIONS_KEPT_MS (30 * AT_DAY_MS)
void decision_log(struct at_shop *shop, const char *id, int64_t at_ms, uint64_t person,
                  struct at_text body);        /* copies; drops when full, counted */
void decision_log_flush(struct at_shop *shop); /* back worker */
enum at_status decision_log_open(struct at_shop *shop) AT_MUST_CHECK;
void decision_log_close(struct at_shop *shop);

/* ---- access.c: who looked at or changed whom ---- */
#define ACCESS_KEPT_MS (365 * AT_DAY_MS)
void access_note(struct at_job *job, const char *action, uint64_t person); /* any front worker */
void access_flush(struct at_shop *shop);                                   /* back worker */
enum at_status access_open(struct at_shop *shop) AT_MUST_CHECK;
void access_close(struct at_shop *shop);

/* ---- retention.c: events of a kind that are kept so long and no longer; back worker ---- */
void retention_tend(struct at_shop *shop); /* a slice of it, when it is time */

/* ---- requests.c ---- */
#define REQUEST_DUE_MS (30 * AT_DAY_MS) /* Art. 12(3) GDPR: one month; Shopify: 30 days */

/* ---- decide.c ---- */
struct decision { /* one request for decisions, while it is worked on */
    struct at_job *job;
    struct at_arena *scratch; /* of what is gone when it ends */
    struct at_json body;
    const char *one;
    uint64_t person;
    struct at_profile *profile, *seen; /* seen: what rules may see of it, where that is less; else NULL */
    bool has_signal, is_analysed;      /* Sec-GPC holds; its log may name the person */
    struct at_baseline *baseline;
    struct at_root *root;
    struct serving *serving;
    struct shown *shown;
    int64_t now_ms;
    uint64_t seed;
    bool explains, is_dry, is_replay, owns_serving;
    struct at_text why_not;
    char id[AT_ULID_SIZE];
    struct at_text page, page_url, page_query, page_category, page_product;
    struct at_decision_view view;
    struct at_explored *explored; /* of an earlier page */
    uint32_t explored_count;
    struct at_explored *explored_now; /* to be remembered */
    uint32_t explored_now_count;
    bool has_explored;
    struct person_wait wait;
    struct at_task hop;
};
enum at_status decision_consent(struct decision *decision) AT_MUST_CHECK; /* view.profile, by what may be */
void decision_page(struct decision *decision, struct at_json ask);        /* what rules see as page */
enum at_status decision_run(struct decision *decision);                   /* fills job->out */
struct ask {                                                              /* one list asked for */
    struct at_json json;
    struct at_text ranking;
    uint32_t *rows, row_count, total;
    struct at_text *unknown;
    uint32_t unknown_count;
    uint32_t offset, limit;
    struct at_sort sort;
    bool has_sort;
    struct at_text *fields;
    uint32_t field_count;
    struct at_text list; /* its name, for rails: the ranking's */
};
enum at_status ask_parse(struct decision *decision, struct at_json json, bool is_rank, struct ask *out,
                         struct at_error *err) AT_MUST_CHECK;
struct answered {
    const struct at_ranking *ranking;
    struct at_rank_result result;
    struct at_rule_use *score;
    struct at_rail_use *rails;
    struct at_rule_use **rail_uses;
    uint32_t rail_count;
    const char *fallback;
};
enum at_status ask_run(struct decision *decision, const struct ask *ask, struct answered *out,
                       struct at_error *err) AT_MUST_CHECK;
void ask_write(struct decision *decision, const struct ask *ask, const struct answered *answered,
               struct at_json_out *out);
void explain_write(struct decision *decision, const struct ask *ask, const struct answered *answered,
                   struct at_json_out *out);

/* ---- metrics.c ---- */
void count_add(struct at_shop *shop, enum count_name name, uint64_t n);
/* What the log tells of once for each thing, and of 64 things at most: whether this is its first time. */
bool told_first(_Atomic uint64_t told[TOLD_MAX], uint64_t hash);

/* ---- track_consent.c: events that were only counted, today ---- */
void withheld_open(struct at_shop *shop); /* at start: what was counted today */
uint64_t withheld_today(struct at_shop *shop);

/* ---- backup.c ---- */
enum at_status backup_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void backup_end(
    struct at_shop *shop); /* what is under way is given up; any thread but a worker's of its own */
void backup_close(struct at_shop *shop);

/* ---- sending.c: a restored shop sends nothing until told to ---- */
enum at_status sending_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
/* Asked by each channel right before it sends. Any thread. */
bool shop_may_send(const struct at_shop *shop);

/* ---- live.c ---- */
bool live_is_watched(const struct at_shop *shop);
void live_send(struct at_shop *shop, const char *event, struct at_text json); /* any thread */
void live_tell_script(struct at_shop *shop, const char *message); /* a script failed; logged, too */
void live_tell_lost(struct at_worker *worker); /* its thread, now and then: who lost something is told */

/* ---- the shop ---- */
#define ROUTES_MAX    128
#define PARSERS_MAX   8
#define SPARE_PARSERS 4
struct route_count {
    const char *route;
    _Atomic uint64_t by_class[6]; /* [status / 100] */
    _Atomic uint64_t total_us;
    _Atomic uint64_t buckets[12]; /* of latency */
};
struct at_worker {
    struct at_shop *shop;
    uint32_t index;
    struct at_loop *loop;
    pthread_t thread;
    bool has_thread, is_up;
    struct at_guard guard;
    bool has_guard;
    void *face;
    struct at_json_parser *parsers[PARSERS_MAX];
    uint32_t parser_count;
    struct serving *serving;
    uint64_t serving_version;
    struct at_baseline *baseline;
    struct shown *shown;
    uint64_t learned_version;
    struct ring ring;
    struct at_arena
        scratch;  /* of the decision being made: none waits, so it is always the same warm memory */
    bool in_turn; /* it has committed something in this turn of its loop */
    struct at_task turn_task;
    struct at_bytes text; /* what is put together while an event is built */
    uint64_t *row_marks;  /* a bit for each row of the catalog; all zero between uses */
    size_t row_mark_words;
    struct track_line *lines; /* of imports: track_line.c */
    uint64_t random;
    struct route_count routes[ROUTES_MAX];
    struct at_subscription *subscriptions; /* this worker's thread only */
    _Atomic uint32_t subscription_count;
    _Atomic uint64_t live_lost; /* messages none of its readers got, not counted yet */
    struct at_timer *collector;
    enum at_status start_status;
    struct at_error start_error;
    struct at_task stop_task;
};
struct shop_watch;
struct at_shop {
    struct at_shop_options options;
    char *folder, *data;
    struct at_ledger ledger;
    struct at_clock clock;
    struct at_store *store;
    struct at_settings *settings;
    struct at_catalog *catalog;
    struct identity identity;
    struct forgotten forgotten;
    uint64_t erase_again_ns; /* the back worker's: when erasures that wait to be counted are tried again; 0 */
    struct access_queue *access;
    struct retention_sweep { /* the back worker's */
        int64_t began_ms;    /* when the sweep going on, or the last, began; 0: none yet */
        uint32_t rule;       /* it is at; the count of rules: it is over */
        uint64_t cursor;
        bool has_cursor;
    } retention;
    struct people *people;
    struct at_profile *nobody; /* an empty profile: of whom nothing is known */
    struct messages *messages;
    struct waiting *waiting; /* for what is not there yet */
    struct shopify *shopify;
    struct learner *learner;
    struct segments *segments;
    struct at_watchdog *watchdog;
    struct at_worker *workers;
    uint32_t worker_count;
    /* requests with events that wait until enough is written behind */
    pthread_mutex_t pressed_mutex;
    struct track *pressed_first, *pressed_last;
    /* the back worker */
    pthread_t back_thread;
    bool has_back, is_stopping;
    pthread_mutex_t back_mutex;
    pthread_cond_t back_wake;
    struct back_task *back_first, *back_last;
    struct at_guard back_guard;
    uint64_t tended_ns, flushed_ns; /* looked whether to write behind; written behind last */
    /* serving: pointer and version under the mutex; the version alone is read without it */
    pthread_mutex_t serving_mutex;
    struct serving *serving;
    _Atomic uint64_t serving_version;
    uint64_t next_generation;
    _Atomic bool is_reading_log; /* a rehearsal or an audit: one at a time */
    struct backup *backup;
    _Atomic bool is_silent; /* restored, and not told to go on; then when, and from a backup of when */
    char restored_at[AT_TIME_SIZE], restored_from[AT_TIME_SIZE];
    _Atomic bool is_held, is_stale; /* the folder is held; the folder holds something that does not serve */
    struct at_map held_bad;         /* path → hash of what was bad when it was held */
    char refused_tree[65];
    struct shop_watch *watch;
    /* what everyone learned: under learned_mutex, version as above */
    pthread_mutex_t learned_mutex;
    struct at_baseline *baseline;
    struct shown *shown;
    _Atomic uint64_t learned_version;
    struct decision_queue *decision_queue;
    _Atomic uint64_t counts[COUNT_NAMES];
    struct budgets budgets;
    _Atomic uint64_t cut_products[TOLD_MAX]; /* hashes of those the log told of; 0: free */
    _Atomic uint64_t told_purposes[TOLD_MAX];
    _Atomic bool told_waiting;
    _Atomic uint64_t withheld;              /* today: track_consent.c */
    _Atomic uint64_t full_people[TOLD_MAX]; /* those the log told of */
    _Atomic uint32_t live_count, live_on_the_way;
    _Atomic(struct at_json_parser *) spare_parsers[SPARE_PARSERS]; /* those nobody uses now */
    _Atomic uint64_t jobs;                                         /* in flight outside a front worker */
    /* closing */
    void (*on_closed)(void *arg);
    void *on_closed_arg;
    pthread_mutex_t closing_mutex;
    pthread_cond_t closing_wake;
    uint32_t stopped_count;
    struct at_task closing_task;
};
void worker_hop(struct at_worker *worker, struct at_task *task);
/* A commit of the worker follows: what else this turn of its loop commits goes with it (at_store_turn_begin).
 */
void worker_in_turn(struct at_worker *worker);
/* pressure.c: whether more is to be written behind than memory has room for; then a request waits, its
 * track->then goes on with track->status AT_OK or, after too long, AT_BUSY. */
struct track;
bool pressure_is_on(struct at_shop *shop);
void pressure_wait(struct track *track);
void pressure_relieve(struct at_shop *shop);             /* the back worker, now and then */
void job_end(struct at_job *job, enum at_status status); /* sets status, calls done */
/* Parsers for other threads: one's own, or a warm one for as long as a piece of work takes (it reads one
 * level deeper than a body may be). NULL: out of memory; NULL may be returned. */
struct at_json_parser *parser_new(void);
struct at_json_parser *parser_borrow(struct at_shop *shop);
void parser_return(struct at_shop *shop, struct at_json_parser *parser);
void parsers_close(struct at_shop *shop);
#define AT_SHOP_BODY_MAX (64u << 20)

/* Run fn on the back worker with a job, then answer on the job's worker. fn returns the job's status. */
enum at_status errand_post(struct at_job *job, enum at_status (*fn)(struct at_job *job, void *arg),
                           void *arg) AT_MUST_CHECK;
/* The same, not within another task. */
enum at_status errand_post_turn(struct at_job *job, enum at_status (*fn)(struct at_job *job, void *arg),
                                void *arg) AT_MUST_CHECK;
/* The same on a reader thread; slowly: on the one for what takes long. */
typedef enum at_status errand_read_fn(struct at_job *job, struct at_reader *reader, void *arg);
enum at_status errand_read(struct at_job *job, errand_read_fn *fn, void *arg) AT_MUST_CHECK;
enum at_status errand_read_slowly(struct at_job *job, errand_read_fn *fn, void *arg) AT_MUST_CHECK;

#endif
