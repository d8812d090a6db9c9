/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is who: every identifier of the shop in one table in memory, keyed by a 64-bit hash whose seed belongs
 * to the data folder, so that resolving an event or a decision never waits for the disk. A person is a set of
 * identifiers that evidence holds together (the ledger of links, store.h); here the set is a ring, so that
 * two become one by swapping two places. The mutex is held for table work only. Any thread.
 *
 * An event's identifiers are taken strongest first (rules: profile/identity.h). One that would put more of a
 * kind on the person than the rules allow, or join what was taken apart, is left out of this event: the
 * browser changed hands, or the address is shared. So the event belongs to who is signed in now, and nobody
 * is joined.
 */
#ifndef AT_SHOP_IDENTITY_H
#define AT_SHOP_IDENTITY_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/map.h"
#include "base/memory.h"
#include "profile/event.h"
#include "profile/identity.h"

#define PERSON_IDENTIFIERS_MAX 1000 /* over these a person does not grow; it is counted and told */
#define PERSON_MERGES_MAX      100
#define IDENTITY_BLOCK         16384

struct at_shop;
struct identity_entry { /* one identifier */
    uint64_t hash, id, person;
    uint32_t next; /* place of the next of the same person: a ring */
    uint32_t since_hours : 24, kind : 5, is_committed : 1, is_barred : 1;
};
struct identity {
    pthread_mutex_t mutex;
    struct at_identity_rules rules;
    struct identity_entry **blocks; /* of IDENTITY_BLOCK entries; a place is block · IDENTITY_BLOCK + index */
    uint32_t count, block_count, block_capacity;
    uint32_t forgotten; /* the first place that is free again, + 1; next leads on; 0: none */
    uint32_t *slots;    /* place + 1; 0: free */
    size_t capacity;
    struct at_intmap merged; /* person that is no more → who it became */
    struct at_intmap merges; /* person → how many went into it */
    struct at_intmap bars;   /* pairs of identifiers that were taken apart */
    struct at_intmap links;  /* pairs that an event named together → whether the ledger has it */
    uint64_t seed;
    uint64_t (*next_id)(void *arg);
    void *next_arg;
    struct identity *known;   /* a rehearsal's: the table whose ids its identifiers have; else NULL */
    _Atomic uint64_t version; /* moves whenever an identifier changes its person */
    struct at_account *account;
};
enum identity_refusal {                    /* why an identifier was left out of an event */
                        IDENTITY_TAKEN,    /* not left out */
                        IDENTITY_LIMIT,    /* of its kind the person may have no more */
                        IDENTITY_BARRED,   /* somebody took it apart from this person */
                        IDENTITY_UNPROVEN, /* two known people, and the claim is not proven */
                        IDENTITY_TOO_MANY, /* the person has 1,000 identifiers or 100 merges */
                        IDENTITY_REFUSALS
};
struct resolved_identifier {
    struct at_identifier identifier;
    uint64_t hash, id;
    uint32_t kind;
    bool is_committed; /* else the unit carries its insert */
    enum identity_refusal refusal;
};
struct resolved { /* whom an event is about */
    uint64_t person, source;
    bool is_new; /* the person was made just now: nothing is stored of it */
    /* Two of its identifiers belong to two people, to be merged first; 0: none. */
    uint64_t join_a, join_b;                 /* their hashes */
    struct resolved_identifier *identifiers; /* the arena's, as are the links */
    uint8_t (*links)[2];                     /* pairs of them that the ledger does not have yet */
    uint32_t count, link_count;
};

/* Empty, and what it holds given back: of a shop, or of a rehearsal. */
void identity_init(struct identity *identity, const struct at_identity_rules *rules, uint64_t seed,
                   struct at_account *account);
void identity_clear(struct identity *identity);
enum at_status identity_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void identity_close(struct at_shop *shop);
/* The person of an identifier, however it is written; 0: unknown. */
uint64_t identity_find(struct identity *identity, struct at_text kind, struct at_text value);
/* The id of an identifier, by which events and statements name their source; 0: unknown. */
uint64_t identity_source(struct identity *identity, struct at_text kind, struct at_text value);
uint64_t identity_hash(const struct identity *identity, struct at_text kind, struct at_text value);
bool identity_knows(struct identity *identity, const struct at_event *event); /* any of its identifiers */
/* Finds or makes the person; new identifiers are in the table at once, uncommitted, with ids from next_id.
 * AT_NOMEM. */
enum at_status identity_resolve(struct identity *identity, const struct at_event *event, bool is_proven,
                                struct at_arena *arena, struct resolved *out) AT_MUST_CHECK;
void identity_committed(struct identity *identity, const struct resolved *who);
/* Whom it was merged into, or itself. */
uint64_t identity_current(struct identity *identity, uint64_t person);

/* ---- the back worker's: it alone joins and splits ---- */

struct evidence {            /* an event that names two people as one */
    uint64_t hash_a, hash_b; /* of an identifier of each */
    int64_t at_ms;
    bool is_proven;
    struct at_text origin, message_id, name;
};
struct identity_pair { /* of two people: the identifiers that show they are one */
    uint64_t person[2], id[2];
};
/* False: they are one already, or may not become one by a claim of that moment, or one of them was erased. */
bool identity_pair(struct identity *identity, const struct evidence *evidence, struct identity_pair *out);
/* Room for what follows a commit and must not fail then: one merge, and that many pairs taken apart. */
enum at_status identity_reserve(struct identity *identity, size_t bars) AT_MUST_CHECK;
void identity_join(struct identity *identity, uint64_t hash_a, uint64_t hash_b, uint64_t survivor);
/* The identifiers (hashes, of one person) become a person of their own; one of them, barred, is never joined
 * with any of the ids kept again. */
struct identity_split {
    const uint64_t *hashes;
    size_t count;
    uint64_t person;
    uint64_t barred;      /* hash */
    const uint64_t *kept; /* hashes */
    size_t kept_count;
};
void identity_split(struct identity *identity, const struct identity_split *split);
/* Of who was erased, by one of their identifiers: all that lead to them are unknown from now on, those too
 * that are in the table and in no commit. Nothing, if it leads to somebody else. */
void identity_forget(struct identity *identity, uint64_t person, struct at_text kind, struct at_text value);
/* The person and all who went into it. */
enum at_status identity_people(struct identity *identity, uint64_t person, struct at_arena *arena,
                               uint64_t **people, size_t *count) AT_MUST_CHECK;

/* ---- identity_table.c, for identity.c ---- */
#define NO_PLACE UINT32_MAX
struct identity_entry *identity_at(const struct identity *identity, uint32_t place);
uint32_t identity_place(const struct identity *identity, uint64_t hash); /* NO_PLACE: unknown */
/* beside: a place of the same person; NO_PLACE: the first of its person. Needs a made room. */
uint32_t identity_add(struct identity *identity, const struct identity_entry *entry, uint32_t beside);
enum at_status identity_make_room(struct identity *identity, uint32_t count) AT_MUST_CHECK;
uint32_t identity_hours(int64_t ms); /* as since_hours keeps them */
uint64_t *identity_link(struct identity *identity, uint64_t id_a, uint64_t id_b); /* NULL: out of memory */
uint64_t identity_pair_key(uint64_t id_a, uint64_t id_b);
bool identity_is_barred(const struct identity *identity, uint64_t id_a, uint64_t id_b);
uint64_t identity_merge_count(const struct identity *identity, uint64_t person);

#endif
