/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is in which segment, kept true: shared by segments.c (whom to look at, and when), segment_look.c (what
 * one person comes to), segment_unit.c (what changed is written), segment_sweep.c (everybody, when the
 * segments changed), segment_show.c (what is shown). All of it is the back worker's, but what says so.
 *
 * Somebody enters or leaves in one unit of the front lane: the event in their stream, the row of the
 * membership and the next due moment, under the person's hold, as everything that is written of a person.
 * What is to be looked at is known from the log (cursor "segments"), from the dues and from the sweep's
 * place; looking again finds no difference. So after a crash nothing is lost and nothing is doubled.
 */
#ifndef AT_SHOP_SEGMENTS_H
#define AT_SHOP_SEGMENTS_H

#include "shop/internal.h"

#define SEGMENT_BATCH       64     /* people looked at together */
#define SEGMENT_SWEEP_BATCH 256    /* of those read from the disk */
#define SEGMENT_CHANGED_MAX 250000 /* people waiting to be looked at; over it everybody is, from the disk */
#define SEGMENT_SLICE_NS    20000000ULL /* a slice is to take less */
#define SEGMENT_REST_MS     2 /* after each of them, and twice as long as others kept the processor from it */
#define SEGMENT_REST_MAX_MS 50
#define SEGMENT_DUES_MAX    500 /* dues of a unit behind */
#define SEGMENT_MOMENTS_MAX 16  /* of what happened while nobody looked */
#define SEGMENT_STOPS_MAX   20  /* overruns in a row: it is not asked any more in this generation */

struct segment_stat { /* of one name, declared or not */
    uint64_t members, failures;
    uint32_t stops;     /* overruns in a row */
    bool is_set_aside;  /* it overran too often */
    bool is_told;       /* the log has its failure, in this generation */
    bool is_blind;      /* somebody's next moment is a guess */
    int64_t checked_ms; /* when it was asked last */
    char error[512];    /* of its last failure */
};
struct membership { /* as it is stored */
    struct at_text segment;
    int64_t since_ms;
};
struct transition {
    struct at_text segment;
    bool is_entry;
    int64_t at_ms;
};
struct looked { /* at one person; arrays are the batch's arena's */
    uint64_t person;
    int64_t from_ms; /* the moment to begin at: now, or when time alone may have changed something */
    struct at_profile *profile; /* a reference */
    struct membership *stored;
    uint32_t stored_count, stored_capacity;
    int64_t stored_due_ms; /* AT_NEVER: none */
    /* what came of it */
    struct transition *moves;
    uint32_t move_count, move_capacity;
    int64_t due_ms;
    bool is_analysed; /* what it does may be recorded */
};
struct segment_place { /* what is known after a crash */
    uint64_t cursor, says, after;
    uint32_t shop_days;
    bool sweeps;
};
struct sweep {
    bool is_on, is_again; /* again: from the start when it is through */
    bool is_ready;        /* everybody is on the disk */
    uint64_t after;       /* people up to there were looked at */

    uint64_t seen, last; /* people so far; the largest id there was at its begin */
    int64_t began_ms;
};
struct segments {
    struct at_shop *shop;
    struct serving *serving;        /* a reference: whose segments are kept; NULL: none yet */
    struct segment_stat **by_index; /* of its segments */
    uint64_t says;                  /* of it: all that decides who is where */
    uint32_t shop_days;             /* the shop's typical interval that it was asked with */
    struct at_map stats;            /* name → struct segment_stat * */
    uint64_t members;               /* over all */
    struct at_intmap changed;       /* people of events that were not looked at yet */
    uint64_t noted_seq;             /* the last of them */
    uint64_t *batch;                /* people being looked at, ascending: of events up to batch_seq */
    size_t batch_count, batch_at;
    uint64_t batch_seq, cursor; /* cursor: every event up to there was looked at */
    struct segment_place place; /* as it was written last */
    struct at_intmap dues;      /* person → moment that is not written yet */
    int64_t next_due_ms;        /* AT_NEVER: nobody is due */
    struct sweep sweep;
    uint32_t at_once;               /* people looked at together: fewer where it takes long */
    uint64_t kept_ns;               /* that others kept the processor from looking, since the last rest */
    struct at_baseline *baseline;   /* of this turn; may be NULL */
    struct at_root *root;           /* of this turn */
    struct at_arena arena, answers; /* of a batch; of one answer */
    struct at_json_parser *parser, *facts, *body;
    /* for other threads */
    _Atomic bool is_used;
    _Atomic uint64_t cursor_shown, waiting_shown, left_shown;
};

/* ---- segment_look.c ---- */
/* The serving's segments are asked from now on. AT_NOMEM: the ones before still are. */
enum at_status segments_serve(struct segments *segments, struct serving *serving) AT_MUST_CHECK;
/* The shop's typical interval may be another in what is pinned for this turn: if a segment reads it,
 * everybody is looked at again. */
void segments_heed(struct segments *segments);
struct segment_stat *segment_stat(struct segments *segments, struct at_text name); /* NULL: out of memory */
enum at_status looked_add(struct segments *segments, struct looked *one,
                          const struct at_member_row *row) AT_MUST_CHECK; /* a stored membership */
/* Fills moves and due of one from its profile and what is stored. AT_NOMEM. */
enum at_status segments_look(struct segments *segments, struct looked *one) AT_MUST_CHECK;
/* One segment about one person; counts and tells what fails. AT_FAILED: nobody knows. AT_NOMEM. */
enum at_status segment_ask(struct segments *segments, uint32_t index, const struct at_profile *profile,
                           int64_t at_ms, struct at_segment_outlook *out) AT_MUST_CHECK;

/* ---- segment_unit.c ---- */
/* Holds these people, looks again, and writes who entered and left. Each that is done has person 0 after it;
 * the others are to be looked at again. Profiles of those that are done are given back. */
enum at_status segments_write(struct segments *segments, struct looked *ones, uint32_t count) AT_MUST_CHECK;

/* ---- segments.c ---- */
void segments_due(struct segments *segments, uint64_t person, int64_t at_ms); /* noted, to be written */
/* What is stored of ones, ascending, is read into them. */
enum at_status segments_read(struct segments *segments, struct looked *ones, uint32_t count) AT_MUST_CHECK;
/* Around what takes the processor, not the disk. */
struct effort {
    uint64_t began_ns, used_ns;
};
struct effort effort_begin(void);
uint64_t effort_end(struct segments *segments, struct effort effort);            /* how long it took, ns */
void segments_took(struct segments *segments, uint32_t count, uint64_t took_ns); /* asking that many */
uint64_t segments_rest_ms(struct segments *segments); /* due now to who answers; the caller takes it */
/* Looks at them and writes what changed; gives their profiles back. Those with a person left are to be looked
 * at again. */
enum at_status segments_settle(struct segments *segments, struct looked *ones, uint32_t count) AT_MUST_CHECK;

/* ---- segment_sweep.c ---- */
void sweep_begin(struct segments *segments, uint64_t after); /* from there, whatever was going on */
void sweep_again(struct segments *segments); /* all of them once more, after what is going on */
enum at_status sweep_step(struct segments *segments) AT_MUST_CHECK; /* one slice */
/* People in (after, to] from the disk, ascending, as they are now: those in memory as they are there. */
struct slice {
    struct looked *ones;  /* in the arena of segments */
    uint32_t count, read; /* read: with those that cannot be read */
    uint64_t last, to;    /* the last person of it, the last it may have */

    enum at_status status;
};
enum at_status sweep_slice(struct segments *segments, uint64_t after, uint64_t to,
                           struct slice *out) AT_MUST_CHECK;
enum at_status sweep_last(struct segments *segments, uint64_t *last) AT_MUST_CHECK; /* the largest id */

#endif
