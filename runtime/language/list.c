/* SPDX-License-Identifier: Apache-2.0
 *
 * A ranking and the rails of its place, put before ranking/rank.c as judges. Without Lua: the judges are
 * judge.c's.
 */
#include "language/list.h"

#include <stdio.h>
#include <string.h>
#include "base/utf8.h"

static const struct at_rule_report by_rows = {0};

static struct at_rule_use *use_of(const struct at_list_ask *ask, const struct at_rule_use *rule) {
    struct at_rule_use *use = at_arena_alloc(ask->view->arena, sizeof *use);
    if (!use) return NULL;
    *use = *rule;
    use->language = ask->language;
    use->view = ask->view;
    if (ask->is_by_rows) use->report = &by_rows;
    memset(use->reads, 0xff, sizeof use->reads);
    return use;
}

static struct at_judge judge_of(struct at_rule_use *use) {
    return (struct at_judge){at_rule_judge, use};
}

static enum at_status choose_rails(const struct at_list_ask *ask, struct at_list *out) {
    const struct at_generation *generation = ask->generation;
    size_t room = generation->rail_count + 1;
    out->rails = at_arena_alloc(ask->view->arena, room * sizeof *out->rails);
    out->rail_uses = at_arena_alloc(ask->view->arena, room * sizeof *out->rail_uses);
    if (!out->rails || !out->rail_uses) return AT_NOMEM;
    for (uint32_t i = 0; i < generation->rail_count; i++) {
        const struct at_rail_declaration *declared = &generation->rails[i];
        if (!at_rail_applies(&declared->rail, &ask->place)) continue;
        struct at_rule_use rule = {.report = &declared->report,
                                   .function = declared->condition,
                                   .is_condition = true,
                                   .path = declared->path,
                                   .name = declared->rail.name,
                                   .line = declared->line,
                                   .budget = AT_BUDGET_RAIL};
        struct at_rule_use *use = declared->condition ? use_of(ask, &rule) : NULL;
        if (declared->condition && !use) return AT_NOMEM;
        out->rail_uses[out->rail_count] = use;
        out->rails[out->rail_count++] = (struct at_rail_use){&declared->rail, judge_of(use)};
    }
    return AT_OK;
}

static void set_order(const struct at_list_ask *ask, struct at_rank_ask *rank) {
    const struct at_ranking *ranking = ask->ranking;
    rank->explore_share = ask->is_certain ? 0 : ranking->explore_share;
    if (!ranking->diversify_by) return;
    rank->diversify = (struct at_diversify){
        at_root_attribute(ask->view->root, ranking->diversify_by, strlen(ranking->diversify_by)),
        ranking->diversify_at_most, ranking->diversify_within};
}

static enum at_status use_rules(const struct at_list_ask *ask, struct at_list *out) {
    const struct at_ranking *ranking = ask->ranking;
    struct at_rule_use score = {.report = &ranking->score_report,
                                .function = ranking->score,
                                .path = ranking->path,
                                .name = ranking->name,
                                .line = ranking->score_line},
                       first = score;
    first.report = &ranking->first_report;
    first.function = ranking->first;
    first.is_condition = true;
    first.line = ranking->line;
    if (ranking->score) out->score = use_of(ask, &score);
    if (ranking->first) out->first = use_of(ask, &first);
    bool is_whole = (out->score || !ranking->score) && (out->first || !ranking->first);
    return is_whole ? AT_OK : AT_NOMEM;
}

enum at_status at_list_run(struct at_list_ask *ask, struct at_list *out) {
    struct at_rank_ask *rank = &ask->rank;
    struct at_judge score, first;
    memset(out, 0, sizeof *out);
    enum at_status status = choose_rails(ask, out);
    if (status == AT_OK && ask->ranking && ask->language) {
        set_order(ask, rank);
        status = use_rules(ask, out);
    }
    if (status != AT_OK) return status;
    score = judge_of(out->score);
    first = judge_of(out->first);
    rank->root = ask->view->root;
    rank->arena = ask->view->arena;
    rank->rails = out->rails;
    rank->rail_count = out->rail_count;
    rank->score = out->score ? &score : NULL;
    rank->first = out->first ? &first : NULL;
    return at_rank(rank, &out->result);
}

void at_list_page(struct at_decision_view *view, struct at_text name, struct at_json context,
                  struct at_json ask) {
    struct at_text product = at_json_text(at_json_get(context, "product"));
    view->page_name = name;
    view->page_url = at_json_text(at_json_get(context, "url"));
    view->page_query = at_json_text(at_json_get(context, "query"));
    view->page_category = at_json_text(at_json_get(context, "category"));
    if (!view->page_category.length)
        view->page_category = at_json_text(at_json_get(at_json_get(ask, "where"), "category"));
    if (!view->page_query.length) view->page_query = at_json_text(at_json_get(ask, "q"));
    if (!product.length) product = at_json_text(at_json_get(ask, "product"));
    if (!product.length && name.length > 8 && memcmp(name.data, "product/", 8) == 0)
        product = (struct at_text){name.data + 8, name.length - 8};
    view->page_product = product.length ? at_root_row(view->root, product.data, product.length) : AT_ROW_NONE;
}

enum at_status at_list_unknown(const struct at_generation *generation, struct at_text name,
                               struct at_error *err) {
    const char *names[256];
    char said[64];
    uint32_t count =
        generation->ranking_count < AT_LENGTH(names) ? generation->ranking_count : AT_LENGTH(names);
    for (uint32_t i = 0; i < count; i++) names[i] = generation->rankings[i].name;
    snprintf(said, sizeof said, "%.*s", (int)(name.length < 60 ? name.length : 60), name.data);
    const char *near = at_suggest(said, names, count);
    if (near)
        return at_fail_field(err, AT_UNPROCESSABLE, "unknown_ranking", "ranking",
                             "there is no ranking \"%s\" — did you mean \"%s\"?", said, near);
    return at_fail_field(err, AT_UNPROCESSABLE, "unknown_ranking", "ranking", "there is no ranking \"%s\"%s",
                         said, count ? "" : ": the scripts declare none");
}
