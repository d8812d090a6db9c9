/* SPDX-License-Identifier: Apache-2.0
 *
 * How often somebody buys. A purchase is a day, in the shop's zone, on which something was ordered that was
 * neither cancelled nor given back whole: orders of one day are one purchase, however many there were. With n
 * gaps between purchases, D days in sum, and m days as the shop's typical interval, the person's is
 *
 *     (k · m + D) / (k + n) days, k = 1
 *
 * the mean of a gap of somebody whose orders come at random at a rate of their own, when the rates of all
 * people follow a gamma distribution of shape k + 1 and mean gap m (the conjugate prior; of the data is m, so
 * it is empirical Bayes): who ordered once is as the shop, and each gap draws nearer to the person's own. Of
 * the k tried, 0.5 to 2 foretell the next gap best in three public histories (docs/decisions/rhythm.md); a
 * test holds 1 against CDNOW.
 *
 * m is the median, over the people with two purchases or more, of each one's mean gap: who buys often counts
 * once like everybody. It is made of whole numbers of people, so that it does not depend on what came first.
 *
 * Pure: no clock, no store. Called by language/ for a rule, by shop/ for the shop.
 */
#ifndef AT_PROFILE_RHYTHM_H
#define AT_PROFILE_RHYTHM_H

#include "base/zone.h"
#include "profile/profile.h"

#define AT_RHYTHM_PRIOR_GAPS 1    /* k */
#define AT_RHYTHM_PEOPLE_MIN 20   /* of fewer the shop has no typical interval: their median says little */
#define AT_RHYTHM_DAYS_MAX   3650 /* a longer gap counts as one of that length for the shop */

struct at_rhythm {
    uint32_t gaps; /* between purchases; 0: no rhythm yet */
    uint32_t days; /* their sum: from the first purchase to the last */
};
/* Of the orders a profile holds (the 100 newest). zone NULL: UTC. */
struct at_rhythm at_rhythm_of(const struct at_profile *profile, const struct at_zone *zone);
/* The mean gap in whole days, 1 to AT_RHYTHM_DAYS_MAX: what the person is counted by for the shop; 0: none.
 */
uint32_t at_rhythm_mean_days(struct at_rhythm rhythm);
/* The typical interval in ms. shop_days 0: the shop has none, and the person's own gaps are all there is; 0:
 * nobody knows. */
int64_t at_rhythm_interval_ms(struct at_rhythm rhythm, uint32_t shop_days);

struct at_rhythm_count {
    uint32_t days;
    uint64_t people; /* whose mean gap that is */
};
/* m, of counts ascending by days: the lower median. 0: of fewer than AT_RHYTHM_PEOPLE_MIN. */
uint32_t at_rhythm_shop_days(const struct at_rhythm_count *counts, size_t count);

#endif
