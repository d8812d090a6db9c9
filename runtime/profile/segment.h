/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is in a segment, and when time alone may change that. A segment is a condition on a person at a moment;
 * what the condition is, a judge knows (language/ fills it; tests write theirs in C). A judge answers for one
 * moment and says until when its answer stands: whatever it looked at is the same up to there. From that the
 * earliest later moment at which the answer can be another follows by asking again at each such place, so
 * nothing is guessed and nothing is tried at regular intervals.
 *
 * Pure: no clock, no store. shop/segments.c keeps the members.
 */
#ifndef AT_PROFILE_SEGMENT_H
#define AT_PROFILE_SEGMENT_H

#include "profile/profile.h"

#define AT_NEVER INT64_MAX
/* Over so many places at which the answer stayed the same the last one is the moment to look again: nothing
 * can have changed before it. */
#define AT_SEGMENT_STEPS_MAX  16
#define AT_SEGMENT_RECHECK_MS AT_DAY_MS /* where nothing says when: recheck of the script, or this */

struct at_segment_answer { /* of a judge, for one moment */
    bool is_member;
    bool is_blind;    /* it looked at something of which nobody knows when it changes */
    int64_t until_ms; /* the answer stands in [now, until): later than now; AT_NEVER: always */
};
struct at_segment_judge {
    /* AT_OK, or why there is no answer (err says it to a person). The profile is lent. */
    enum at_status (*ask)(void *arg, const struct at_profile *profile, int64_t now_ms,
                          struct at_segment_answer *out, struct at_error *err);
    void *arg;
};
struct at_segment_outlook {
    bool is_member;
    bool is_blind;  /* the moment to look again is a guess: recheck */
    int64_t due_ms; /* before it time alone changes nothing; AT_NEVER */
};
/* The answer at now_ms, and the earliest later moment at which it may be another, the profile staying as it
 * is. recheck_ms: how long after a blind answer to look again. The judge's failure at now_ms is the answer; a
 * failure at a later moment is left for that moment. */
enum at_status at_segment_look(const struct at_segment_judge *judge, const struct at_profile *profile,
                               int64_t now_ms, int64_t recheck_ms, struct at_segment_outlook *out,
                               struct at_error *err) AT_MUST_CHECK;

/* Until when what was read of a profile at now_ms stands, for judges; each later than now, or AT_NEVER. */
int64_t at_consent_until(const struct at_profile *profile, int64_t now_ms); /* any state of consent */
int64_t at_visit_until(const struct at_profile *profile, int64_t now_ms);   /* whether the visit is live */
/* at_profile_count of that name and window. */
int64_t at_profile_count_until(const struct at_profile *profile, struct at_text name, int64_t within_ms,
                               int64_t now_ms);

#endif
