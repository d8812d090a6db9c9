/* SPDX-License-Identifier: Apache-2.0
 *
 * Rails: what no model, script, experiment or sort gets past. This room evaluates them over candidates and
 * knows which apply where and when; ranking/ applies the verdicts in the one order of a list. The judges are
 * filled by language/.
 */
#ifndef AT_RAIL_RAIL_H
#define AT_RAIL_RAIL_H

#include "base/arena.h"
#include "base/status.h"
#include "catalog/catalog.h"

/* Products under consideration; rows are row ids of the pinned root. */
struct at_candidates {
    const struct at_root *root;
    const uint32_t *rows;
    uint32_t count;
    struct at_arena *arena; /* scratch of the request */
};
/* Something that judges every candidate: a rule's score, or a condition (> 0: yes). out[i] belongs to
 * rows[i]; missing where it cannot say. A condition that failed for one product writes NaN there (not
 * missing) and counts as failed for it. AT_OK even if single products failed; anything else: nothing in out
 * is usable, err says why. */
struct at_judge {
    enum at_status (*judge)(void *arg, const struct at_candidates *candidates, double *out,
                            struct at_error *err);
    void *arg;
};

enum at_rail_kind { AT_RAIL_HIDE, AT_RAIL_ONLY, AT_RAIL_BURY, AT_RAIL_PIN };
struct at_pin {
    struct at_text product; /* as written: id, variant or SKU */
    uint32_t place;         /* from 1 */
};
struct at_rail {
    const char *name;
    enum at_rail_kind kind;
    const char *on;         /* NULL: everywhere; a page and all below it, a surface, or a list */
    int64_t from_ms, to_ms; /* [from, to); 0: open. Days in the shop's zone were turned into moments when it
                               was declared */
    uint32_t declaration;   /* index of the condition in the generation, for language/ */
    const struct at_pin *pins; /* PIN */
    uint32_t pin_count;
};

/* Where a decision is made. */
struct at_place {
    struct at_text page;    /* "product/SKU-1", "" none */
    struct at_text surface; /* "ranking" "search" "email" … */
    struct at_text list;    /* the ranking's or recommendation's name */
    int64_t now_ms;
};
bool at_rail_applies(const struct at_rail *rail, const struct at_place *place);

/* The verdict of one rail over candidates: verdict[i] true: the rail acts on it. Fails closed: a hide or only
 * that fails for a product withholds it, one that fails altogether is asked nothing more and withholds
 * everything; bury that fails acts on none. *failed counts products it could not judge. */
enum at_status at_rail_judge(const struct at_rail *rail, const struct at_judge *judge,
                             const struct at_candidates *candidates, uint8_t *verdict, uint32_t *failed,
                             struct at_error *err) AT_MUST_CHECK;

#endif
