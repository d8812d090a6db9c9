/* SPDX-License-Identifier: Apache-2.0
 *
 * Purchases of one person and the gaps between them; the shop's typical gap.
 */
#include "profile/rhythm.h"

static bool is_purchase(const struct at_order *order) {
    bool is_given_back = order->is_returned ||
                         (order->revenue_said && order->refunded > 0 && order->refunded >= order->revenue);
    return order->is_completed && !order->is_cancelled && !is_given_back;
}

static int64_t day_of(const struct at_zone *zone, int64_t at_ms) {
    int64_t local_ms = at_ms + at_zone_offset_ms(zone, at_ms);
    return local_ms / AT_DAY_MS - (local_ms % AT_DAY_MS < 0);
}

/* The list is ascending; where clocks go back over midnight the day does, too, and is the same purchase. */
struct at_rhythm at_rhythm_of(const struct at_profile *profile, const struct at_zone *zone) {
    int64_t first = 0, last = 0;
    uint32_t purchases = 0;
    for (uint32_t i = 0; i < profile->order_count; i++) {
        if (!is_purchase(&profile->order_list[i])) continue;
        int64_t day = day_of(zone, profile->order_list[i].at_ms);
        if (purchases && day <= last) continue;
        if (!purchases++) first = day;
        last = day;
    }
    if (purchases < 2) return (struct at_rhythm){0, 0};
    return (struct at_rhythm){purchases - 1, (uint32_t)(last - first)};
}

uint32_t at_rhythm_mean_days(struct at_rhythm rhythm) {
    if (!rhythm.gaps) return 0;
    uint32_t days = (uint32_t)((2 * (uint64_t)rhythm.days + rhythm.gaps) / (2 * (uint64_t)rhythm.gaps));
    return days < AT_RHYTHM_DAYS_MAX ? days : AT_RHYTHM_DAYS_MAX;
}

int64_t at_rhythm_interval_ms(struct at_rhythm rhythm, uint32_t shop_days) {
    int64_t weight = shop_days ? AT_RHYTHM_PRIOR_GAPS : 0, gaps = weight + rhythm.gaps,
            days = weight * shop_days + rhythm.days;
    return gaps ? (days * AT_DAY_MS + gaps / 2) / gaps : 0;
}

uint32_t at_rhythm_shop_days(const struct at_rhythm_count *counts, size_t count) {
    uint64_t people = 0, so_far = 0;
    for (size_t i = 0; i < count; i++) people += counts[i].people;
    if (people < AT_RHYTHM_PEOPLE_MIN) return 0;
    for (size_t i = 0; i < count; i++) {
        so_far += counts[i].people;
        if (2 * so_far >= people) return counts[i].days;
    }
    return 0;
}
