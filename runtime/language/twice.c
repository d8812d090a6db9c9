/* SPDX-License-Identifier: Apache-2.0
 *
 * One decision in a thousand runs its rules both ways. They must agree bit for bit; where they do not, the
 * rule is demoted: it runs product by product as long as its generation serves, on every worker, and what
 * shows the disagreement again is told.
 */
#include <string.h>
#include "language/state.h"

#define FIRST_TWICE 100   /* decisions of a state before the first that looks */
#define COUNT_MAX   20000 /* candidates: product by product more of them would take the decision's time */

bool is_demoted(const struct at_rule_report *report) {
    return report->is_demoted && atomic_load_explicit(report->is_demoted, memory_order_relaxed);
}

bool twice_is_due(const struct at_rule_use *use, uint32_t count) {
    struct at_decision_view *view = use->view;
    if (!view->is_counted) {
        view->is_counted = true;
        view->is_twice = use->language->decision_count++ % AT_TWICE_EVERY == FIRST_TWICE;
    }
    return view->is_twice && !view->explains && use->report->is_demoted && count <= COUNT_MAX;
}

static bool is_same(double a, double b) {
    if (at_is_missing(a) || at_is_missing(b)) return at_is_missing(a) && at_is_missing(b);
    return (a != a && b != b) || memcmp(&a, &b, sizeof a) == 0;
}

void twice_compare(const struct at_rule_use *use, const struct at_candidates *candidates, const double *fast,
                   const double *slow, enum at_status status) {
    struct at_decision_view *view = use->view;
    uint32_t at = 0;
    view->twice++;
    while (status == AT_OK && at < candidates->count && is_same(fast[at], slow[at])) at++;
    if (at == candidates->count || status == AT_STOPPED || status == AT_NOMEM) return;
    atomic_store_explicit(use->report->is_demoted, true, memory_order_relaxed);
    if (view->disagreements++) return;
    const struct at_generation *generation = use->language->generation;
    struct at_text id = at_root_id(candidates->root, candidates->rows[at]);
    at_fail(&view->disagreement, AT_FAILED, "disagreement",
            "%s:%u \"%s\" %s %a for product %.*s with all at once, %a by itself: it runs product by product "
            "from now on (scripts %.12s, catalog version %llu, moment %lld)",
            use->path, use->line, use->name, status == AT_OK ? "gives" : "fails alone, but gives", fast[at],
            (int)(id.length < 60 ? id.length : 60), id.data, status == AT_OK ? slow[at] : at_missing(),
            generation ? generation->tree_hash : "", (unsigned long long)at_root_version(candidates->root),
            (long long)view->now_ms);
}
