/* SPDX-License-Identifier: Apache-2.0
 *
 * Taste as the person states it, where what they do only lets it be inferred: the traits likes and dislikes,
 * each an object of facets (texts and lists among the attributes of products) with a value or a list of
 * values: {"brand":["Acme","Birch"],"colour":"red"}. They are traits like all others: from wherever traits
 * come, the one said last holds as a whole, null takes it back, whatever order they come in.
 *
 * A statement counts with strength s = 1 for AT_STATED_HALF_MS from when it was said, then half as much after
 * each AT_STATED_HALF_MS; said again it is said anew. Of a value that is in both traits the later word
 * counts, of one moment the dislike. What affinity makes of it stands in affinity.h.
 *
 * (Half a year against the 30 days of what was inferred, and nothing lost before that: a preference is said
 * rarely and is no less true a month later, while behaviour is told anew with every visit. After a year both
 * weigh the same, so that who has changed is found out.)
 *
 * Ceiling: AT_STATED_VALUES_MAX values of each trait, the first; a facet or a value over AT_STATED_BYTES_MAX
 * bytes is none. What is left out stays in the trait, and at_stated_notice says so.
 */
#ifndef AT_PROFILE_STATED_H
#define AT_PROFILE_STATED_H

#include "base/arena.h"
#include "base/time.h"
#include "profile/profile.h"

#define AT_STATED_VALUES_MAX 64
#define AT_STATED_BYTES_MAX  200
#define AT_STATED_HALF_MS    (180 * AT_DAY_MS)

const char *at_stated_trait(bool is_like); /* "likes" or "dislikes" */

/* Why a part of such a trait says nothing. */
enum at_stated_fault {
    AT_STATED_WHOLE, /* all of it counts */
    AT_STATED_SHAPE, /* it is no object */
    AT_STATED_VALUE, /* a value is no text, or an empty one */
    AT_STATED_LONG,  /* a facet or a value has too many bytes */
    AT_STATED_MANY   /* there are more values */
};
struct at_stated_reading {
    uint32_t count, told;       /* values that count; values there are */
    enum at_stated_fault fault; /* the first */
    struct at_text facet;       /* where; too long itself: "" */
};
/* The values of a trait, in its order; out has room for AT_STATED_VALUES_MAX. No value, null and an empty
 * list (as some languages write an empty object) say nothing. */
struct at_stated_reading at_stated_read(struct at_json trait, bool is_like, int64_t at_ms,
                                        struct at_stated_taste *out);

/* The word that counts for that value; NULL: nothing was said. */
const struct at_stated_taste *at_stated_of(const struct at_profile *profile, struct at_text facet,
                                           struct at_text value);
double at_stated_strength(const struct at_stated_taste *stated, int64_t now_ms); /* s: 0 … 1 */

/* In words for who sent these traits: what in likes and dislikes no taste begins from, and why; facets and
 * values that no product of root has (an empty catalog knows none yet). *notice NULL: nothing to say. root
 * may be NULL. AT_NOMEM. */
enum at_status at_stated_notice(struct at_arena *arena, struct at_json traits, const struct at_root *root,
                                const char **notice) AT_MUST_CHECK;

#endif
