/* SPDX-License-Identifier: Apache-2.0
 *
 * One request with events on its way to the log, shared by track.c (the way), track_unit.c (what is written),
 * track_line.c (which goes first).
 */
#ifndef AT_SHOP_TRACK_H
#define AT_SHOP_TRACK_H

#include "shop/internal.h"

enum tracked_state {
    TRACKED_PENDING,
    TRACKED_IN_ROUND,
    TRACKED_ACCEPTED,
    TRACKED_DUPLICATE,
    TRACKED_CONFLICT,
    TRACKED_WITHHELD,
    TRACKED_INVALID
};
/* What happens once, whoever tells of it: a name of it that an event wants to be the first with. */
struct wanted_claim {
    struct at_text key;
    bool is_there[2]; /* by the kinds of its event (claim_kinds): taken */
};
#define CLAIMS_MAX (1 + AT_ORDER_ALSO_MAX)
struct tracked { /* one event of the request */
    struct at_event event;
    enum tracked_state state;
    const char *message; /* for a person, of what was not accepted */
    uint64_t key, payload;
    bool must_ask, was_asked; /* the sealed runs about the message */
    bool is_known, is_known_other;
    bool is_conflict;               /* its id has another payload: written for the record, counted nowhere */
    const char *const *claim_kinds; /* ends with NULL; which one its first name claims, and the others */
    struct wanted_claim claims[CLAIMS_MAX];
    uint32_t claim_count;
    struct tracked *claiming_before; /* chosen before it, of those that want claims */
    bool is_claiming;                /* it is among them */
    bool is_lost;                    /* another has it: this is a copy, and does not count */
    bool is_once;                    /* then nothing of it is kept */
    const struct tracked *first;     /* the other, if it is of this request; else its source: */
    uint64_t first_source;
    bool is_proven; /* that the person is who they say */
    struct resolved who;
    struct hold *hold;
    struct learn_event *learned;
    /* consent: track_consent.c */
    const struct at_consent_statement *given; /* by the secret key: the event is this statement */
    struct at_json proof;                     /* of it; no value if none */
    const struct at_consent_statement *said;  /* news of the person's consent: an event of its own */
    uint32_t said_count;
    struct learn_event *said_learned; /* of that event */
    bool is_withheld;                 /* the event itself is not kept */
    const char *notice;               /* for a person: what consent did to it, or was wrong with it */
    const char *stated;               /* likewise: what of its likes and dislikes no taste begins from */
    enum at_consent_answer answer;    /* of given: what it came to */
    bool is_allowed;
};
struct hold { /* one person of the request */
    struct person_wait wait;
    uint64_t person;
    bool is_new, is_held;
    struct at_profile *next; /* what it will be */
    bool has_rows;           /* else next is what it was */
    uint32_t last_event;     /* of the unit's: the person's last */
    struct hold *after;      /* hash chain of the request */
};
struct track_mark { /* how far an import is with this request; no name: none */
    struct at_text name, state;
    bool is_written; /* in the unit being built, or durable */
};
struct track_line;
struct line_place {          /* of a request with a mark, in the line of its import */
    struct track_line *line; /* NULL: in none */
    struct track *before, *after;
    uint64_t turn;
    bool is_waiting;
    bool is_placed;     /* all it writes is in the commit queue */
    enum at_status cut; /* one before it failed: how */
};
struct track {
    struct at_job *job;
    struct tracked *events;
    uint32_t count, in_round;
    struct tracked *last_claiming;
    bool is_batch;
    bool is_source; /* from a signed source: track_from_source */
    struct hold *holds;
    uint32_t hold_count, held;
    uint64_t version; /* of the identity table when the people were found */
    struct at_unit unit;
    uint32_t withheld; /* events of the unit that are only counted */
    uint64_t withheld_day;
    struct at_write *withheld_write;
    char *withheld_text;
    bool is_consent; /* the request is one statement, not events */
    struct track_mark mark;
    struct line_place place;
    struct message_wait message_wait;
    struct at_read read;
    struct back_task back;
    struct at_task hop;
    void (*then)(struct track *track); /* goes on here on the worker's thread */
    enum at_status status;
    struct evidence evidence; /* that two people are one */
    uint32_t stale_runs;
    bool is_exclusive;          /* it was stale too often: its holds last until the commit */
    struct track *next_pressed; /* while it waits for the back worker to catch up */
    uint64_t pressed_ns;
};
static inline struct tracked *round_next(struct track *track, uint32_t *i) {
    while (*i < track->count)
        if (track->events[(*i)++].state == TRACKED_IN_ROUND) return &track->events[*i - 1];
    return NULL;
}
/* Parses the request's events; AT_INVALID … for the request as a whole. */
enum at_status track_parse(struct track *track, const char *type, struct at_json body,
                           bool is_import) AT_MUST_CHECK;
void track_answer(struct track *track);
const char *track_word(enum tracked_state state); /* "accepted" */

/* ---- claims.c: what counts once ---- */
void claims_want(const struct track *track, struct tracked *one);
void claims_within(struct track *track,
                   struct tracked *one); /* what events chosen before it for the round take */
enum at_status claims_look_up(struct at_reader *reader, struct tracked *one) AT_MUST_CHECK; /* a reader's */
/* Those of the round that are not kept as another was first leave it. */
void claims_drop_copies(struct track *track);
enum at_status claims_write(struct track *track, struct tracked *one) AT_MUST_CHECK; /* into the unit */

/* No event of it waits for another round. */
bool track_is_last_round(const struct track *track);
/* Fills the unit and the next snapshots. AT_NOMEM. */
enum at_status track_build(struct track *track) AT_MUST_CHECK;
/* Commit thread. */
void track_done(struct at_unit *unit);
void track_refuse(struct at_unit *unit);
bool track_accept(struct at_unit *unit);
void track_start(struct track *track);      /* after parsing: on its way, or waiting for room */
void track_drop_build(struct track *track); /* what track_build made, if it is not committed */

/* ---- track_mark.c ---- */
bool mark_is_name(struct at_text name);
/* "mark" and "source" of an import's body. */
enum at_status track_mark_read(struct track *track, struct at_json body) AT_MUST_CHECK;
/* Adds the mark to a unit. AT_NOMEM. */
enum at_status track_mark_write(struct track *track, struct at_unit *unit) AT_MUST_CHECK;
/* Commits it alone: track->then goes on with track->status. */
enum at_status track_mark_commit(struct track *track) AT_MUST_CHECK;

/* ---- track_line.c: requests of one import, those with a mark of one name, in the order they came in at
 * their worker. All of it is nothing for a request without a mark. ---- */
enum at_status line_enter(struct track *track) AT_MUST_CHECK; /* at its end. AT_NOMEM */
/* False: track->hop is posted when its turn has come. True, and track->place.cut is not AT_OK: it fails. */
bool line_is_turn(struct track *track) AT_MUST_CHECK;
void line_placed(struct track *track); /* the last unit of it is in the queue */
void line_back(struct track *track);   /* that was refused: it is not */
/* Answered; not AT_OK: it failed, and so will those behind it. */
void line_leave(struct track *track, enum at_status status);
/* Commit thread: false: the unit must be refused, for one before it was; and one was. */
bool line_accepts(struct track *track) AT_MUST_CHECK;
void line_refused(struct track *track);

/* ---- consent.c ---- */
/* A statement for the whole person: the body of POST …/consent, or the properties of a secret key's Consent
 * Updated. AT_INVALID, AT_UNPROCESSABLE. */
enum at_status consent_read(struct at_json body, int64_t now_ms, struct at_consent_statement *said,
                            struct at_json *proof, struct at_error *err) AT_MUST_CHECK;

/* ---- track_consent.c ---- */
/* What the event says of consent that is news to the person's profile: one->said. AT_NOMEM. */
enum at_status track_consent_said(struct track *track, struct tracked *one,
                                  const struct at_profile *base) AT_MUST_CHECK;
/* By the profile with that said: whether the event is withheld, or kept and not learned from. */
void track_consent_judge(struct track *track, struct tracked *one, const struct at_profile *profile);
/* Nobody knows who it is, it says nothing of consent, and may not be analysed: nobody is made of it, in
 * memory either. It has no hold then. */
bool track_consent_is_stranger(struct track *track, struct tracked *one);
void track_consent_forget(struct tracked *one); /* a withheld one: identifiers that need not be kept */
/* It is nobody's, and kept of it is that it was. */
void track_withhold(struct tracked *one, const char *notice);
/* The statement's own row. */
uint64_t track_consent_key(const struct tracked *one);
void track_consent_facts(const struct tracked *one, struct at_bytes *bytes);
void track_consent_body(const struct tracked *one, struct at_bytes *bytes);
void track_consent_count(struct at_shop *shop,
                         const struct tracked *one); /* metrics and the log: once durable */
/* The day's count of withheld events: written with the unit, given its value when the unit has its place,
 * taken back if it is refused. */
enum at_status withheld_write(struct track *track) AT_MUST_CHECK;
void withheld_place(struct track *track);
void withheld_take_back(struct track *track);

#endif
