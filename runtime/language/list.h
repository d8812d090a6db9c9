/* SPDX-License-Identifier: Apache-2.0
 *
 * One list: a ranking of a generation, under the rails of its place, as every surface that shows products
 * asks for it. Chooses the rails, makes a judge of each rule and calls ranking/rank.c.
 */
#ifndef AT_LANGUAGE_LIST_H
#define AT_LANGUAGE_LIST_H

#include "language/language.h"

struct at_list_ask {
    const struct at_generation *generation;
    struct at_language *language;
    struct at_decision_view *view;
    const struct at_ranking *ranking; /* NULL: catalog order */
    struct at_place place;
    /* Candidates, page, sort, seed and what was shown; the rules, rails and what the ranking says of its
     * order are put in here. The arena is the view's. */
    struct at_rank_ask rank;
    bool is_by_rows; /* rules run product by product, whatever their analysis says */
    bool is_certain; /* nothing is explored */
};
struct at_list { /* in the view's arena */
    struct at_rank_result result;
    struct at_rule_use *score, *first; /* NULL: the ranking has none */
    struct at_rail_use *rails;         /* that apply here */
    struct at_rule_use **rail_uses;    /* NULL: it pins */
    uint32_t rail_count;
};
/* AT_NOMEM only: rules that fail end in the fallback (rank.h). */
enum at_status at_list_run(struct at_list_ask *ask, struct at_list *out) AT_MUST_CHECK;
/* The rule's page: its name; url, product, category and query from the context, what is missing from the ask.
 * The page "product/ID" is that product's. */
void at_list_page(struct at_decision_view *view, struct at_text name, struct at_json context,
                  struct at_json ask);
/* AT_UNPROCESSABLE: there is no ranking of that name, with the one that is near. */
enum at_status at_list_unknown(const struct at_generation *generation, struct at_text name,
                               struct at_error *err) AT_MUST_CHECK;

#endif
