/* SPDX-License-Identifier: Apache-2.0
 *
 * Taste relative to what the others like. For a facet f (brand, category, …) let w(v) be the person's decayed
 * weights, n how many values have one, W their sum; O(v) what all others have of v, O their sum, as of the
 * last baseline; q(v) = (O(v) + 1/(n + 10)) / (O + 1) their share of it, even where there are no others yet.
 * Posterior share p(v) = (w(v) + m·q(v)) / (W + m), m = 10 (Dirichlet). affinity(f, v) = max(0, (p − q) /
 * (p + q)) · W / (W + 3) in 0 … 1, 0 where nothing is known. gain(f) = Σ_v w(v)/W · affinity(f, v): how much
 * taste the person shows in this facet. affinity(product) = Σ_f gain(f) · affinity(f, v_f) / Σ_f gain(f);
 * lists take their best value. Event weights: viewed or clicked 1, added to wishlist 3, added to basket 4,
 * bought 6 (each item once an event). (Lift with a Dirichlet prior, so that "everyone likes black" counts for
 * nobody; the person's own part is taken out of everyone's, so that the first visitor has a taste too.)
 *
 * What the person said (stated.h), with strength s, stands against that: affinity(f, v) = s·x + (1 − s)·a,
 * where a is what was inferred as above, x = 1 for a like and 0 for a dislike; gain(f) = S + (1 − S) · Σ_v
 * w(v)/W · affinity(f, v), S the strength of the strongest like in f. From affinity(product) the strength of
 * a dislike among its values is taken away (of a list the strongest, one for each facet), never below 0.
 * (Credibility, as actuaries blend: while the word is fresh nothing inferred is above a like or saves a
 * dislike, later what they do decides more and more. Everyone's shares do not move by what is said, and no
 * share makes a word smaller.)
 */
#ifndef AT_PROFILE_AFFINITY_H
#define AT_PROFILE_AFFINITY_H

#include "profile/profile.h"

/* Everyone's shares: an immutable, reference-counted snapshot; the learner builds a new one. */
struct at_baseline;
struct at_baseline *at_baseline_ref(struct at_baseline *baseline);
void at_baseline_unref(struct at_baseline *baseline);
double at_baseline_share(const struct at_baseline *baseline, struct at_text facet,
                         struct at_text value); /* NULL: 0 */
/* The shop's typical interval between purchases in whole days (rhythm.h); 0: it has none yet. */
uint32_t at_baseline_shop_days(const struct at_baseline *baseline); /* NULL: 0 */
/* The sum of everyone's weights in a facet as of that moment. */
double at_baseline_total(const struct at_baseline *baseline, struct at_text facet,
                         int64_t now_ms); /* NULL: 0 */

/* The learner's side: decayed totals over all events (half AT_AFFINITY_HALF_MS); one owner. */
struct at_crowd;
struct at_crowd *at_crowd_new(void);
void at_crowd_free(struct at_crowd *crowd);
/* Count the items of one event with the same weights as the fold. AT_NOMEM leaves it as it was. */
enum at_status at_crowd_learn(struct at_crowd *crowd, const struct at_logged_event *event) AT_MUST_CHECK;
/* What the next baseline says of the shop's interval; true: it was another. Not part of the state written. */
bool at_crowd_set_shop_days(struct at_crowd *crowd, uint32_t days);
uint32_t at_crowd_shop_days(const struct at_crowd *crowd);
struct at_baseline *at_crowd_baseline(const struct at_crowd *crowd);     /* NULL: out of memory */
void at_crowd_write(const struct at_crowd *crowd, struct at_bytes *out); /* JSON state, and back */
enum at_status at_crowd_read(struct at_crowd *crowd, struct at_json json) AT_MUST_CHECK;

/* affinity of every taste of the profile at a moment, inferred or said, and the facets they are in. */
enum at_said { AT_UNSAID, AT_LIKED, AT_DISLIKED };
struct at_taste_value {
    struct at_text value;
    double affinity, weight; /* weight: w(v), 0 where nothing was inferred */
    enum at_said said;
    double strength; /* s of what was said */
};
struct at_facet_taste {
    struct at_text facet;
    double gain;           /* gain(f) */
    uint32_t first, count; /* range in values[] */
    uint32_t disliked;     /* of these, the last ones */
};
struct at_tastes { /* in the arena; texts are the profile's */
    struct at_facet_taste *facets;
    uint32_t facet_count;
    struct at_taste_value *values; /* grouped by facet; strongest first by w, of a like by s·max w + (1 −
                                      s)·w; what is disliked last */
};
enum at_status at_tastes_compute(const struct at_profile *profile, const struct at_baseline *baseline,
                                 int64_t now_ms, struct at_arena *arena, struct at_tastes *out) AT_MUST_CHECK;
/* One value; 0 unknown. Linear in the facet's values. */
double at_tastes_of(const struct at_tastes *tastes, struct at_text facet, struct at_text value);

/* blend.c: what was said put to what was inferred, for at_tastes_compute. */
enum at_status at_tastes_blend(const struct at_profile *profile, int64_t now_ms, struct at_arena *arena,
                               struct at_tastes *tastes) AT_MUST_CHECK;

#endif
