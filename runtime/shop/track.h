/* SPDX-License-Identifier: Apache-2.0
 *
 * One request with events on its way to the log, shared by track.c (the way), track_unit.c (what is written).
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
    TRACKED_INVALID
};
struct tracked { /* one event of the request */
    struct at_event event;
    enum tracked_state state;
    const char *message; /* for a person, of what was not accepted */
    uint64_t key, payload;
    bool must_ask, was_asked; /* the sealed runs about the message */
    bool is_known, is_known_other;
    bool is_conflict; /* its id has another payload: written for the record, counted nowhere */
    struct at_text claim_kind, claim_key; /* of orders and refunds; length 0: none */
    bool claim_taken;
    bool is_proven; /* that the person is who they say */
    struct resolved who;
    struct hold *hold;
    struct learn_event *learned;
};
struct hold { /* one person of the request */
    struct person_wait wait;
    uint64_t person;
    bool is_new, is_held;
    struct at_profile *next; /* what it will be */
    uint32_t last_event;     /* of the unit's: the person's last */
    struct hold *after;      /* hash chain of the request */
};
struct track {
    struct at_job *job;
    struct tracked *events;
    uint32_t count, in_round;
    bool is_batch;
    struct hold *holds;
    uint32_t hold_count, held;
    uint64_t version; /* of the identity table when the people were found */
    struct at_unit unit;
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
/* Fills the unit and the next snapshots. AT_NOMEM. */
enum at_status track_build(struct track *track) AT_MUST_CHECK;
/* Commit thread. */
void track_done(struct at_unit *unit);
void track_refuse(struct at_unit *unit);
bool track_accept(struct at_unit *unit);
void track_drop_build(struct track *track); /* what track_build made, if it is not committed */

#endif
