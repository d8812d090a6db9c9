/* SPDX-License-Identifier: Apache-2.0
 *
 * The one door to durable state. One write, at_store_commit (expectations plus writes, all or nothing),
 * carried out by the commit thread in group commits; reads are functions on a reader, run by reader threads.
 * Rows are plain structs (ids, versions, JSON text); no type of the domain comes in here, sqlite3.h stays in
 * here.
 *
 * Two lanes: front units (events, identity, catalog, generations) are answered as soon as they are durable;
 * behind units (profiles, timeline, deduplication runs, counters, decisions: all can be folded again from the
 * log) go one at a time beside them and never delay them by more than one slice.
 */
#ifndef AT_STORE_STORE_H
#define AT_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/memory.h"

#define AT_STORE_SCHEMA 6 /* user_version of the database this code writes */

struct at_store;

struct at_store_options {
    const char *directory;    /* the data folder; made (0700) if missing */
    const char *vfs;          /* SQLite VFS name, NULL: the default; tests give one that forgets */
    struct at_ledger *ledger; /* AT_ACCOUNT_STORE bounds SQLite's caches, AT_ACCOUNT_QUEUES the queue */
    const struct at_log *log;
    uint32_t
        stale_per_mille; /* tests: refuse this share of retriable units as stale, at random (stale_seed) */
    uint64_t stale_seed;
    uint32_t reader_count; /* default 2 */
};

/* Takes the folder's lock (file "lock", holding the pid): AT_CONFLICT if another process has it. Opens or
 * makes attune.db: an older schema is copied to attune.db.schema-N and migrated in one transaction, a newer
 * one is AT_UNSUPPORTED and named. WAL, synchronous=FULL. Starts the commit, checkpoint and reader threads.
 */
enum at_status at_store_open(struct at_store **out, const struct at_store_options *options,
                             struct at_error *err) AT_MUST_CHECK;
/* Commits what is queued, checkpoints, ends the threads, releases the lock. */
void at_store_close(struct at_store *store);

/* ---- rows ---- */
struct at_event_row {
    uint64_t seq;    /* place in the log; given at enqueue */
    uint64_t source; /* identifier id the event belongs to for ever */
    int64_t at_ms;   /* when it happened */
    int64_t received_ms;
    struct at_text origin; /* name of the key's source ("default", "storefront") */
    struct at_text message_id;
    struct at_text name;  /* canonical: "product_viewed" */
    struct at_text facts; /* JSON: what apply needs beside the body (resolved products, claims won) */
    struct at_text body;  /* the event as JSON */
    uint64_t message_key; /* at_hash64 over origin and message_id */
    uint64_t payload_hash;
};
struct at_identifier_row {
    uint64_t id;                /* given by the caller from at_store_next_id */
    struct at_text kind, value; /* "email", "ann@example.com" */
    uint64_t person;
    int64_t since_ms;
};
/* The ledger of who is who, append-only: an event that named both is the evidence that two identifiers are of
 * one person. A person is what links hold together that no later row took back. */
struct at_link_row {
    uint64_t a, b; /* identifier ids, a < b; the first evidence stays */
    int64_t at_ms;
    struct at_text origin, message_id, name; /* of the event */
};
struct at_unlink_row { /* the link of a and b, if there is one, no longer counts, and none is made again */
    uint64_t a, b;     /* a < b */
    int64_t at_ms;
    struct at_text author; /* name of the key */
};
struct at_merge_row { /* two people became one */
    uint64_t survivor, loser;
    int64_t at_ms;
    uint64_t a, b; /* the identifiers that showed it */
};
struct at_profile_row {
    uint64_t person;
    uint64_t applied_seq;
    struct at_text body;  /* JSON */
    uint32_t rhythm_days; /* the mean gap between purchases, for the shop's; 0: none. Written, not read */
};
struct at_member_row { /* a person who is in a segment */
    uint64_t person;
    struct at_text segment;
    int64_t since_ms;
};
#define AT_DUE_NEVER INT64_MAX
struct at_due_row { /* when time alone may change the segments of a person */
    uint64_t person;
    int64_t at_ms;
};
struct at_message_row { /* deduplication */
    uint64_t key, payload_hash, seq;
};
struct at_product_row {
    uint32_t row; /* stable row id */
    struct at_text id;
    int64_t updated_ms; /* the feed's updated_at, 0 unknown */
    bool is_retired;
    struct at_text body; /* JSON */
};
struct at_waiting_row {             /* something told of what is not there yet: a refund before its order */
    uint64_t number;                /* given by the caller, ascending */
    struct at_text kind, key, part; /* "refund", the order, the refund: of these three there is one row */
    int64_t at_ms;                  /* as of when; of two the later stays */
    struct at_text body;            /* JSON */
};
struct at_file_row {
    struct at_text path, text;
};
struct at_generation_row {
    uint64_t id;
    int64_t at_ms;
    struct at_text tree_hash, source, message, author; /* source: "folder" | "http" | "rollback" */
    const struct at_file_row *files;                   /* NULL in lists, which only count them */
    size_t file_count;
};
struct at_decision_row {
    struct at_text id; /* ULID */
    int64_t at_ms;
    uint64_t person; /* 0: nobody known */
    struct at_text body;
};
/* A person is erased: with the row their identifiers and profile are gone and no read finds their events; the
 * rows go in slices from at_write AT_WRITE_ERASE_COUNTED on, and from the files with them (scrub.c). */
struct at_suppressed_row {
    struct at_text hash, kind; /* of an address, keyed by what is not in the database; hex */
    int64_t at_ms;             /* what happened until then is not taken in again */
};
struct at_erasure_row {
    struct at_text id;
    uint64_t person;
    int64_t at_ms;
    struct at_text author; /* name of the key */
    uint64_t event_count;
    int64_t scrubbed_ms;                        /* 0: not yet */
    bool is_counted;                            /* read only: AT_WRITE_ERASE_COUNTED was written */
    const uint64_t *people, *sources;           /* written only: the person and all who went into it; ids */
    size_t person_count, source_count;          /* of identifiers */
    const struct at_suppressed_row *suppressed; /* written only */
    size_t suppressed_count;
};
struct at_money_row { /* what an erased person paid or got back, without anything that leads to them */
    int64_t day_ms;
    struct at_text kind; /* "order", "refund" */
    double amount;
    struct at_text currency, items; /* items: JSON */
};
struct at_request_row { /* of a person about their data */
    struct at_text id, kind, state;
    uint64_t person;                  /* 0: nobody known */
    struct at_text source, reference; /* who asked, by what name there */
    int64_t at_ms, due_ms, changed_ms;
    struct at_text detail; /* JSON */
};
struct at_access_row { /* who looked at or changed a person */
    int64_t at_ms;
    struct at_text author, action; /* name of the key; of the route */
    uint64_t person;
};

/* ---- units ---- */
enum at_write_kind {
    AT_WRITE_EVENT,            /* event */
    AT_WRITE_IDENTIFIER,       /* identifier: insert, or nothing if (kind, value) is there with the same id */
    AT_WRITE_MOVE,             /* identifier.id now belongs to identifier.person */
    AT_WRITE_LINK,             /* link: nothing if a and b have one */
    AT_WRITE_UNLINK,           /* unlink: nothing if it was taken back before */
    AT_WRITE_MERGE,            /* merge */
    AT_WRITE_CLAIM,            /* claim */
    AT_WRITE_PROFILE,          /* profile: upsert unless the stored applied_seq is larger */
    AT_WRITE_PROFILE_GONE,     /* profile.person */
    AT_WRITE_RHYTHM,           /* profile.person, .rhythm_days: of the stored profile, if there is one */
    AT_WRITE_TIMELINE,         /* pair: (source, seq), ignored if there */
    AT_WRITE_MESSAGES,         /* messages: one sealed run, sorted by key; behind only */
    AT_WRITE_MESSAGES_EXPIRE,  /* number: drop runs sealed before this moment (ms); behind only */
    AT_WRITE_CURSOR,           /* named: consumer name, number: seq */
    AT_WRITE_STATE,            /* named, text: a consumer's state as JSON, upsert */
    AT_WRITE_PRODUCT,          /* product: upsert */
    AT_WRITE_PRODUCT_STAT,     /* product.row, text: counters as JSON, upsert */
    AT_WRITE_GENERATION,       /* generation; its files are kept by content hash, once */
    AT_WRITE_SETTING,          /* named, text: upsert ("active_generation" → "17", "held" …) */
    AT_WRITE_DECISION,         /* decision: insert */
    AT_WRITE_DECISIONS_EXPIRE, /* number: drop those before this moment (ms) */
    AT_WRITE_ERASE,            /* erasure */
    AT_WRITE_ERASE_COUNTED, /* named, number: what is to stay of erasure `name` is kept, of so many events */
    AT_WRITE_EVENT_GONE,    /* pair: the event and its place in the timeline */
    AT_WRITE_MONEY,         /* money */
    AT_WRITE_REQUEST,       /* request: upsert by id */
    AT_WRITE_ACCESS,        /* access */
    AT_WRITE_ACCESS_EXPIRE, /* number: drop up to 1,000 of those before this moment (ms) */
    AT_WRITE_WAITING,       /* waiting: insert, or take the place of an older one (its number stays) */
    AT_WRITE_WAITING_GONE,  /* waiting.number */
    AT_WRITE_MEMBER,        /* member: insert, or nothing if the person is in it */
    AT_WRITE_MEMBER_GONE,   /* member.person, member.segment */
    AT_WRITE_MEMBERS_MERGE, /* number: all its memberships become member.person's, the earlier since of two
                               stays; its due goes */
    AT_WRITE_DUE,           /* due: upsert; AT_DUE_NEVER: it goes */
};
struct at_claim {
    struct at_text kind, key; /* "order", "1001" */
    uint64_t person;
    uint64_t source; /* identifier id of the event that made it: whose it is now */
    int64_t at_ms;   /* when that happened */
};
struct at_write {
    struct at_write *next;
    enum at_write_kind kind;
    struct at_text name; /* of cursor, state, setting */
    struct at_text text;
    uint64_t number;
    union {
        struct at_event_row event;
        struct at_identifier_row identifier;
        struct at_link_row link;
        struct at_unlink_row unlink;
        struct at_merge_row merge;
        struct at_claim claim;
        struct at_profile_row profile;
        struct {
            uint64_t source, seq;
        } pair;
        struct {
            const struct at_message_row *rows;
            size_t count;
            int64_t sealed_ms;
        } messages;
        struct at_product_row product;
        struct at_generation_row generation;
        struct at_decision_row decision;
        struct at_erasure_row erasure;
        struct at_money_row money;
        struct at_request_row request;
        struct at_access_row access;
        struct at_waiting_row waiting;
        struct at_member_row member;
        struct at_due_row due;
    };
};
enum at_expect_kind {
    AT_EXPECT_NO_CLAIM, /* claim.kind, claim.key is not taken */
    AT_EXPECT_PERSON,   /* identifier (kind, value) belongs to person; person 0: is not there */
};
struct at_expect {
    struct at_expect *next;
    enum at_expect_kind kind;
    struct at_claim claim;               /* NO_CLAIM */
    struct at_identifier_row identifier; /* PERSON */
};
/* A unit and all it points to belong to the caller, who keeps them alive until refuse or done was called. */
struct at_unit {
    struct at_unit *next; /* the queue's */
    struct at_expect *expects;
    struct at_write *writes, *last_write;
    uint32_t event_count;
    size_t bytes;       /* about; counted against the queue */
    uint64_t first_seq; /* set by at_store_commit: its events have first_seq, first_seq + 1, … in order of
                           writes */
    bool is_retriable;  /* the caller runs again on AT_STALE */
    enum at_status status;
    /* By the caller's thread inside at_store_commit, when first_seq is known and nobody sees the unit yet:
     * short, takes no lock. May be NULL. */
    void (*sequenced)(struct at_unit *unit);
    /* On the commit thread, before the unit's writes: false → refused as stale. May be NULL. */
    bool (*is_current)(struct at_unit *unit);
    /* On the commit thread: exactly one of the two. refuse: nothing of it is durable (status says why:
     * AT_STALE, AT_DUPLICATE, AT_FULL, AT_IO), called before any later unit is examined. done: durable,
     * called in queue order. */
    void (*refuse)(struct at_unit *unit);
    void (*done)(struct at_unit *unit);
    void *arg;
};
/* Append a zeroed write or expectation to the unit, from the arena; NULL: out of memory. */
struct at_write *at_unit_write(struct at_unit *unit, struct at_arena *arena, enum at_write_kind kind);
struct at_expect *at_unit_expect(struct at_unit *unit, struct at_arena *arena, enum at_expect_kind kind);

/* Enqueue; gives the events their seq at once, in queue order. AT_BUSY when the queue is full (nothing
 * enqueued), AT_IO once the engine is closed. Any thread. The caller may hold its own locks: this takes one
 * short lock. */
enum at_status at_store_commit(struct at_store *store, struct at_unit *unit) AT_MUST_CHECK;
/* Around the commits of one turn of a loop, from the first on: what one turn brings goes to the disk
 * together, so that one sync answers for all of it. While a turn lasts no unit begins to be committed: keep
 * it short. Any thread; each begin has its end. */
void at_store_turn_begin(struct at_store *store);
void at_store_turn_end(struct at_store *store);
/* The lane behind: same unit, no events; its own transaction. Any thread. */
enum at_status at_store_commit_behind(struct at_store *store, struct at_unit *unit) AT_MUST_CHECK;
uint64_t at_store_next_seq(struct at_store *store); /* what the next event will get */
/* Fresh ids, never reused, across restarts (identifier and person ids share one series). */
uint64_t at_store_next_id(struct at_store *store);

/* May a sealed run that has not expired hold the message's key? Never false for one that does; now and then
 * true for one that does not (ask at_reader_message). Wait-free, any thread. */
bool at_store_may_know_message(struct at_store *store, uint64_t key);

/* ---- reads ---- */
struct at_reader; /* a connection of a reader thread, lent to run() */
struct at_read {
    struct at_read *next;
    void (*run)(struct at_read *read,
                struct at_reader *reader); /* on a reader thread; then the caller's own hand-back */
};
/* Queue it for a reader thread. Any thread. */
void at_store_read(struct at_store *store, struct at_read *read);
/* One that takes long: it waits for those like it, never before others; its thread gives way to all that want
 * the processor. */
void at_store_read_slowly(struct at_store *store, struct at_read *read);
/* Run it here and now on a spare connection (start-up, verbs, tests); may wait for the disk. */
void at_store_read_now(struct at_store *store, struct at_read *read);

/* Each row is lent to fn until it returns; fn returns false to stop. Texts are copied by whom needs them. */
enum at_status at_reader_identifier(struct at_reader *reader, struct at_text kind, struct at_text value,
                                    struct at_identifier_row *out, struct at_arena *arena); /* AT_NOTFOUND */
enum at_status at_reader_identifier_at(struct at_reader *reader, uint64_t id, struct at_identifier_row *out,
                                       struct at_arena *arena); /* AT_NOTFOUND */
enum at_status at_reader_identifiers(struct at_reader *reader,
                                     bool (*fn)(void *arg, const struct at_identifier_row *row),
                                     void *arg); /* all, by id */
enum at_status at_reader_identifiers_of(struct at_reader *reader, uint64_t person,
                                        bool (*fn)(void *arg, const struct at_identifier_row *row),
                                        void *arg);
/* The links that an identifier has, by the other one's id; those taken back, too. */
enum at_status at_reader_links_of(struct at_reader *reader, uint64_t identifier,
                                  bool (*fn)(void *arg, const struct at_link_row *row), void *arg);
enum at_status at_reader_links(struct at_reader *reader, bool (*fn)(void *arg, const struct at_link_row *row),
                               void *arg); /* all, as they came */
enum at_status at_reader_unlinks(struct at_reader *reader,
                                 bool (*fn)(void *arg, const struct at_unlink_row *row), void *arg); /* all */
enum at_status at_reader_merges(struct at_reader *reader,
                                bool (*fn)(void *arg, const struct at_merge_row *row),
                                void *arg); /* all, oldest first */
enum at_status at_reader_profile(struct at_reader *reader, uint64_t person, struct at_profile_row *out,
                                 struct at_arena *arena);
/* Fills person, source, at_ms. */
enum at_status at_reader_claim(struct at_reader *reader, struct at_text kind, struct at_text key,
                               struct at_claim *out);
enum at_status at_reader_waiting(struct at_reader *reader,
                                 bool (*fn)(void *arg, const struct at_waiting_row *row),
                                 void *arg); /* all, by number */
enum at_status at_reader_waiting_for(struct at_reader *reader, struct at_text kind, struct at_text key,
                                     bool (*fn)(void *arg, const struct at_waiting_row *row), void *arg);
/* Events with seq in (after, to], ascending; of those who were erased none. */
enum at_status at_reader_log(struct at_reader *reader, uint64_t after_seq, uint64_t to_seq,
                             bool (*fn)(void *arg, const struct at_event_row *row), void *arg);
/* Through the timeline index: events of one source with seq < before_seq, newest first if is_descending, else
 * oldest first (before_seq UINT64_MAX: all). Only what the timeline index holds. */
enum at_status at_reader_events_of(struct at_reader *reader, uint64_t source, uint64_t before_seq,
                                   bool is_descending, bool (*fn)(void *arg, const struct at_event_row *row),
                                   void *arg);
/* Deduplication: the row of that key in the sealed runs. AT_NOTFOUND. */
enum at_status at_reader_message(struct at_reader *reader, uint64_t key, struct at_message_row *out);
enum at_status at_reader_messages(struct at_reader *reader, int64_t sealed_since_ms,
                                  bool (*fn)(void *arg, const struct at_message_row *row),
                                  void *arg); /* newest runs first */
enum at_status at_reader_cursor(struct at_reader *reader, struct at_text name,
                                uint64_t *seq_out); /* AT_NOTFOUND */
enum at_status at_reader_state(struct at_reader *reader, struct at_text name, struct at_text *text_out,
                               struct at_arena *arena);
/* Those whose name begins so, by name. */
enum at_status at_reader_states(struct at_reader *reader, struct at_text begins,
                                bool (*fn)(void *arg, struct at_text name, struct at_text text), void *arg);
enum at_status at_reader_products(struct at_reader *reader,
                                  bool (*fn)(void *arg, const struct at_product_row *row), void *arg);
enum at_status at_reader_product_stats(struct at_reader *reader,
                                       bool (*fn)(void *arg, uint32_t row, struct at_text body), void *arg);
enum at_status at_reader_setting(struct at_reader *reader, struct at_text name, struct at_text *text_out,
                                 struct at_arena *arena);
/* id 0: the newest. files are filled (in the arena) if with_files. */
enum at_status at_reader_generation(struct at_reader *reader, uint64_t id, bool with_files,
                                    struct at_generation_row *out, struct at_arena *arena);
enum at_status at_reader_generations(struct at_reader *reader, uint32_t limit,
                                     bool (*fn)(void *arg, const struct at_generation_row *row),
                                     void *arg); /* newest first, no files */
/* The text of one of its files; AT_NOTFOUND: it has none of that path. */
enum at_status at_reader_generation_file(struct at_reader *reader, uint64_t id, struct at_text path,
                                         struct at_text *text_out, struct at_arena *arena);
enum at_status at_reader_decision(struct at_reader *reader, struct at_text id, struct at_decision_row *out,
                                  struct at_arena *arena);
enum at_status at_reader_decisions_of(struct at_reader *reader, uint64_t person, uint32_t limit,
                                      bool (*fn)(void *arg, const struct at_decision_row *row), void *arg);

enum at_status at_reader_erasure(struct at_reader *reader, struct at_text id, struct at_erasure_row *out,
                                 struct at_arena *arena); /* AT_NOTFOUND */
/* All, oldest first; is_open: those whose rows wait for AT_WRITE_ERASE_COUNTED. */
enum at_status at_reader_erasures(struct at_reader *reader,
                                  bool (*fn)(void *arg, const struct at_erasure_row *row, bool is_open),
                                  void *arg);
/* The events of an erasure that are not scrubbed yet. */
enum at_status at_reader_erased_events(struct at_reader *reader, struct at_text id,
                                       bool (*fn)(void *arg, const struct at_event_row *row), void *arg);
enum at_status at_reader_suppressed(struct at_reader *reader,
                                    bool (*fn)(void *arg, const struct at_suppressed_row *row), void *arg);
enum at_status at_reader_request(struct at_reader *reader, struct at_text id, struct at_request_row *out,
                                 struct at_arena *arena); /* AT_NOTFOUND */
/* The newest; state "": any. */
enum at_status at_reader_requests(struct at_reader *reader, struct at_text state, uint32_t limit,
                                  bool (*fn)(void *arg, const struct at_request_row *row), void *arg);
enum at_status at_reader_access_of(struct at_reader *reader, uint64_t person, uint32_t limit,
                                   bool (*fn)(void *arg, const struct at_access_row *row),
                                   void *arg); /* newest first */

/* ---- all that is kept of one person, table by table (personal.c) ---- */
enum at_value_kind { AT_VALUE_NULL, AT_VALUE_NUMBER, AT_VALUE_REAL, AT_VALUE_TEXT, AT_VALUE_JSON };
struct at_personal_value {
    const char *column;
    enum at_value_kind kind;
    int64_t number;
    double real;
    struct at_text text; /* TEXT; JSON: a document */
};
struct at_personal_rows {
    /* Each table once, in one order, whether it has rows or not. false: stop. */
    bool (*table)(void *arg, const char *name);
    bool (*row)(void *arg, const struct at_personal_value *values, uint32_t count);
    void *arg;
};
/* people: the person and all who went into it. All tables in one snapshot. The list of tables is the one that
 * erasing goes by; a test holds it against the schema. */
enum at_status at_reader_personal(struct at_reader *reader, const uint64_t *people, size_t count,
                                  const struct at_personal_rows *rows);
/* Whole people, a slice at a time: those with an id in (after, to], ascending. */
enum at_status at_reader_profiles(struct at_reader *reader, uint64_t after, uint32_t limit,
                                  bool (*fn)(void *arg, const struct at_profile_row *row), void *arg);
enum at_status at_reader_profile_last(struct at_reader *reader, uint64_t *last_out); /* 0: there is none */
enum at_status at_reader_members(struct at_reader *reader, uint64_t after, uint64_t to,
                                 bool (*fn)(void *arg, const struct at_member_row *row), void *arg);
enum at_status at_reader_dues(struct at_reader *reader, uint64_t after, uint64_t to,
                              bool (*fn)(void *arg, const struct at_due_row *row), void *arg);
/* Those due by until_ms, the earliest first. */
enum at_status at_reader_due(struct at_reader *reader, int64_t until_ms, uint32_t limit,
                             bool (*fn)(void *arg, const struct at_due_row *row), void *arg);
/* Of one segment, who came last first: those who came before (since_ms, person). */
enum at_status at_reader_members_of(struct at_reader *reader, struct at_text segment,
                                    const struct at_member_row *before, uint32_t limit,
                                    bool (*fn)(void *arg, const struct at_member_row *row), void *arg);
/* How many people have which mean gap between purchases (at_profile_row), ascending by days. */
enum at_status at_reader_rhythms(struct at_reader *reader,
                                 bool (*fn)(void *arg, uint64_t days, uint64_t people), void *arg);
/* How many there are in each segment: reads all of them. */
enum at_status at_reader_member_counts(struct at_reader *reader,
                                       bool (*fn)(void *arg, struct at_text segment, uint64_t count),
                                       void *arg);
/* How many of those who are in it came at that moment or later. */
enum at_status at_reader_member_since(struct at_reader *reader, struct at_text segment, int64_t since_ms,
                                      uint64_t *count_out);
/* ---- backup ---- */
/* ---- backup and restore ---- */
/* A copy of the database in one file, as of one moment: the log and all that is derived from it out of one
 * snapshot. Written to PATH.part (0600), synced, checked whole, then renamed: what stands under PATH is a
 * whole database, whatever happens; a PATH.part that was left behind the next run replaces. */
struct at_backup_progress {
    bool is_checking; /* the copy is read again */
    uint64_t done_bytes, total_bytes;
};
struct at_backup {
    const char *path;
    bool replaces;        /* a file of that name; else AT_CONFLICT */
    int64_t now_ms;       /* the moment it is of; kept in it */
    size_t log_max_bytes; /* see at_store_backup; 0: what the database's size and the disk's room allow */
    /* On the caller's thread, each few MiB. May be NULL. */
    void (*progress)(void *arg, const struct at_backup_progress *progress);
    void *arg;
};
struct at_backup_result {
    uint64_t bytes, events;
};
/* On the caller's thread and a connection of its own; reading and committing go on meanwhile. One at a time:
 * AT_CONFLICT. While it copies it holds a snapshot, so the write-ahead log cannot start over and grows with
 * what is written; beyond log_max_bytes the copy is given up with AT_BUSY. The check that follows holds
 * nothing, and gives way to other threads: the caller's thread is niced, for good. AT_FULL, AT_IO,
 * AT_STOPPED: nothing under PATH, or what was there before. */
enum at_status at_store_backup(struct at_store *store, const struct at_backup *what,
                               struct at_backup_result *out, struct at_error *err) AT_MUST_CHECK;
/* Let a backup under way, and any later one, end with AT_STOPPED. Any thread; before at_store_close. */
void at_store_backup_stop(struct at_store *store);

/* Put a backup in a folder's place. The folder must be nobody's (AT_CONFLICT names who has it) and the file a
 * whole database of this schema or an older one (AT_UNPROCESSABLE, AT_UNSUPPORTED say what is wrong). One
 * rename decides: before it nothing in the folder is touched, after it the next opening finishes what was cut
 * off. What may not come back is in two files beside the database, which it does not replace: erasures.log
 * and erasure.key. The restored database has the setting "restored": {"at":…,"from":…}, ids beyond all that
 * may have been given out since, and opens with whatever the replay of erasures makes of it. */
#define AT_STORE_RESTORED "restored"
struct at_restore {
    const char *file, *directory;
    const char *erasures, *key; /* copied in; NULL: the folder's own stay */
    bool replaces;              /* a database that is there: it is kept under another name */
    bool has_no_erasures;       /* go on without the two files */
    int64_t now_ms;
    void (*progress)(void *arg, const struct at_backup_progress *progress); /* may be NULL */
    void *arg;
};
struct at_restore_result {
    uint64_t bytes, events;
    int64_t from_ms; /* the moment the backup is of: as noted in it, or of its last event; 0: unknown */
    char kept[128];  /* the name that the database before now has in the folder; "": there was none */
};
enum at_status at_store_restore(const struct at_restore *what, struct at_restore_result *out,
                                struct at_error *err) AT_MUST_CHECK;

/* ---- counts for metrics and tests ---- */
struct at_store_counts {
    uint64_t commits, units, events, refused, stale, failed_commits, checkpoints, last_commit_us;
    size_t queued_units, queued_bytes, wal_bytes;
    uint64_t erasures_open; /* erased, and rows or files still hold something of them */
    uint64_t durable_seq;   /* every event up to here is durable or refused, and its callback has returned */
};
void at_store_counts(struct at_store *store, struct at_store_counts *out);
/* Wait until everything enqueued before the call is durable or refused, both lanes. Start-up, shutdown,
 * tests. */
void at_store_drain(struct at_store *store);

#endif
