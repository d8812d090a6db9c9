/* SPDX-License-Identifier: Apache-2.0
 *
 * Rails before they serve: each runs over the whole catalog, for a page of its own and for what was asked
 * lately, and beside it the rails that serve. One that fails where it did not, or rails that take away more
 * than a fifth of what was shown until now, are errors of the proposal, unless confirmed by name. On the back
 * worker, in slices between which others have their turn, for CHECK_NS at most.
 */
#include <string.h>
#include <time.h>
#include "base/utf8.h"
#include "shop/scripts.h"

#define CHECK_NS     3000000000ULL
#define SLICE_ROWS   1024 /* as many as a long list has: a rail has its budget for each slice */
#define OWN_MAX      32   /* pages made up so that every rail applies on one */
#define RECENT_MAX   16
#define SHARE_MAX    0.20
#define PATIENCE     10 /* budgets by the clock: what counts is the time it worked */
#define PRODUCTS_MIN 10 /* of fewer a fifth says nothing: somebody tries things out */
#define STOPS_MAX    3  /* overruns: the rail is not asked any more */
#define RAILS_MAX    256
#define SLICE_STRIDE 7919 /* a prime: wherever time runs out, what was seen lies all over the catalog */

struct tally {           /* products, of one page or of all the recent ones */
    uint64_t seen, lost; /* lost: shown until now, and withheld by a rail nobody confirmed */
    uint64_t newly[RAILS_MAX];
};
struct judged { /* a rail, of the proposal or of what serves */
    uint64_t seen, failed;
    uint32_t stops;
    bool is_confirmed, is_named;
    struct at_error error; /* of the first failure */
};
struct side { /* one generation with a state of its own */
    const struct at_generation *generation;
    struct at_language *language;
    struct judged rails[RAILS_MAX];
};
struct checking {
    struct at_shop *shop;
    struct proposal *proposal;
    struct side now, before;
    struct at_root *root;
    struct at_baseline *baseline;
    struct at_arena scratch; /* of one slice */
    uint32_t *rows, row_count;
    struct tally *tally;
    uint64_t end_ns;
    bool only_warns;
};
struct asked { /* one rail of one side, of the rows of a slice */
    struct side *side;
    uint32_t index;
    const struct at_candidates *rows;
    uint8_t *verdict;
    uint32_t failed;
};
struct page { /* where and for whom */
    struct at_place place;
    struct at_decision_view view;
};

/* ---- one slice ---- */

static bool takes_away(const struct at_rail *rail) {
    return rail->kind == AT_RAIL_HIDE || rail->kind == AT_RAIL_ONLY;
}

static enum at_status usable(struct checking *checking, struct side *side, struct at_error *err) {
    struct at_shop *shop = checking->shop;
    if (side->language && !at_language_is_spent(side->language)) return AT_OK;
    at_language_free(side->language);
    side->language = NULL;
    return at_language_new(&side->language, side->generation, shop->settings, &shop->back_guard,
                           &shop->ledger.accounts[AT_ACCOUNT_LUA], err);
}

static uint64_t worked_ns(void) { /* of this thread: others on the machine do not count */
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static enum at_status ask_once(struct checking *checking, struct asked *asked, const struct page *page,
                               struct at_error *err) {
    uint64_t budget_ns = at_budget_ns(checking->shop->settings, AT_BUDGET_RAIL);
    struct side *side = asked->side;
    const struct at_rail_declaration *declared = &side->generation->rails[asked->index];
    enum at_status status = usable(checking, side, err);
    if (status != AT_OK) return status == AT_STOPPED ? AT_NOMEM : status;
    struct at_decision_view view = page->view;
    view.arena = asked->rows->arena;
    view.patience = PATIENCE;
    view.deadline_ns = at_ticks_ns() + PATIENCE * budget_ns;
    struct at_rule_use use = {.language = side->language,
                              .view = &view,
                              .report = &declared->report,
                              .function = declared->condition,
                              .is_condition = true,
                              .budget = AT_BUDGET_RAIL,
                              .path = declared->path,
                              .name = declared->rail.name,
                              .line = declared->line};
    struct at_judge judge = {at_rule_judge, &use};
    uint64_t begin_ns = worked_ns();
    status = at_rail_judge(&declared->rail, &judge, asked->rows, asked->verdict, &asked->failed, err);
    bool is_over = worked_ns() - begin_ns > budget_ns;
    at_decision_end(side->language, &view);
    if (status != AT_OK || !is_over) return status;
    asked->failed = asked->rows->count;
    return at_fail(err, AT_STOPPED, "stopped", "%s:%u  \"%s\" takes longer than %d ms", declared->path,
                   declared->line, declared->rail.name, (int)(budget_ns / 1000000));
}

/* What the rail says of the rows; verdict[i] stays 0 if it is not asked. Who overruns several times in a row
 * has failed: a request would have been answered without it. */
static enum at_status ask_rail(struct checking *checking, struct side *side, uint32_t index,
                               const struct page *page, const struct at_candidates *rows, uint8_t *verdict) {
    const struct at_rail_declaration *declared = &side->generation->rails[index];
    struct judged *judged = &side->rails[index];
    struct at_error err = {0};
    struct asked asked = {side, index, rows, verdict, 0};
    memset(verdict, 0, rows->count);
    if (!declared->condition || judged->stops >= STOPS_MAX) return AT_OK;
    if (!at_rail_applies(&declared->rail, &page->place)) return AT_OK;
    enum at_status status;
    judged->stops = 0;
    do {
        status = ask_once(checking, &asked, page, &err);
    } while (status == AT_STOPPED && ++judged->stops < STOPS_MAX);
    if (status == AT_NOMEM) return status;
    judged->seen += rows->count;
    if (asked.failed && !judged->failed) judged->error = err;
    judged->failed += asked.failed;
    return AT_OK;
}

static enum at_status ask_before(struct checking *checking, const struct page *page,
                                 const struct at_candidates *rows, uint8_t *gone) {
    uint8_t verdict[SLICE_ROWS];
    enum at_status status = AT_OK;
    memset(gone, 0, rows->count);
    for (uint32_t r = 0; r < checking->before.generation->rail_count && status == AT_OK; r++) {
        status = ask_rail(checking, &checking->before, r, page, rows, verdict);
        if (!takes_away(&checking->before.generation->rails[r].rail)) continue;
        for (uint32_t i = 0; i < rows->count; i++) gone[i] |= verdict[i];
    }
    return status;
}

static enum at_status ask_slice(struct checking *checking, const struct page *page, uint32_t first) {
    uint32_t left = checking->row_count - first;
    struct at_candidates rows = {checking->root, checking->rows + first,
                                 left < SLICE_ROWS ? left : SLICE_ROWS, &checking->scratch};
    uint8_t gone[SLICE_ROWS], verdict[SLICE_ROWS], lost[SLICE_ROWS] = {0};
    struct tally *tally = checking->tally;
    at_arena_reset(&checking->scratch);
    enum at_status status = ask_before(checking, page, &rows, gone);
    for (uint32_t r = 0; r < checking->now.generation->rail_count && status == AT_OK; r++) {
        const struct at_rail *rail = &checking->now.generation->rails[r].rail;
        status = ask_rail(checking, &checking->now, r, page, &rows, verdict);
        for (uint32_t i = 0; i < rows.count && takes_away(rail); i++) {
            bool is_new = verdict[i] && !gone[i];
            tally->newly[r] += is_new;
            lost[i] |= is_new && !checking->now.rails[r].is_confirmed;
        }
    }
    for (uint32_t i = 0; i < rows.count; i++) tally->lost += lost[i];
    tally->seen += rows.count;
    return status;
}

static enum at_status ask_page(struct checking *checking, const struct page *page) {
    uint32_t slices = (checking->row_count + SLICE_ROWS - 1) / SLICE_ROWS;
    uint32_t stride = slices % SLICE_STRIDE ? SLICE_STRIDE : 1;
    enum at_status status = AT_OK;
    for (uint64_t n = 0; n < slices && status == AT_OK; n++) {
        if (at_ticks_ns() > checking->end_ns || checking->shop->is_stopping) break;
        status = ask_slice(checking, page, (uint32_t)(n * stride % slices) * SLICE_ROWS);
        if (checking->shop->has_back) back_breathe(checking->shop);
    }
    return status;
}

/* ---- saying it ---- */

static enum at_status add(struct checking *checking, uint32_t rail, const char *code, const char *message) {
    const struct at_rail_declaration *declared = &checking->now.generation->rails[rail];
    struct at_arena *arena = checking->proposal->arena;
    struct at_file_finding *made = at_arena_zalloc(arena, sizeof *made);
    char *path = at_arena_dup(arena, declared->path, strlen(declared->path));
    if (!made || !path) return AT_NOMEM;
    made->path = path;
    made->finding.is_warning = checking->only_warns || checking->now.rails[rail].is_confirmed;
    made->finding.line = declared->line;
    made->finding.column = 1;
    snprintf(made->finding.code, sizeof made->finding.code, "%s", code);
    snprintf(made->finding.message, sizeof made->finding.message, "%s", message);
    if (!made->finding.is_warning)
        snprintf(made->finding.hint, sizeof made->finding.hint,
                 "If this is meant, confirm it by name: attune publish --confirm \"%.100s\"",
                 declared->rail.name);
    struct at_file_finding **end = &checking->proposal->build.findings;
    while (*end) end = &(*end)->next;
    *end = made;
    checking->now.rails[rail].is_named = true;
    if (!made->finding.is_warning) checking->proposal->refusals++;
    return AT_OK;
}

/* How many the rail of that name that serves fails for: what was so is no news. */
static uint64_t failed_before(const struct checking *checking, const char *name) {
    const struct at_generation *before = checking->before.generation;
    for (uint32_t i = 0; i < before->rail_count; i++)
        if (strcmp(before->rails[i].rail.name, name) == 0) return checking->before.rails[i].failed;
    return 0;
}

static bool fails_anew(const struct checking *checking, uint32_t rail) {
    const char *name = checking->now.generation->rails[rail].rail.name;
    return checking->now.rails[rail].failed > failed_before(checking, name);
}

static enum at_status say_failures(struct checking *checking) {
    char words[256];
    enum at_status status = AT_OK;
    for (uint32_t r = 0; r < checking->now.generation->rail_count && status == AT_OK; r++) {
        const struct judged *judged = &checking->now.rails[r];
        const char *name = checking->now.generation->rails[r].rail.name;
        if (!fails_anew(checking, r)) continue;
        snprintf(words, sizeof words, "rail \"%.60s\" fails for %.3g %% of the products: %.130s", name,
                 100.0 * (double)judged->failed / (double)judged->seen, judged->error.message);
        status = add(checking, r, "rail_fails", words);
    }
    return status;
}

/* Of a page, or of all recent ones, more is lost than may be: the rails that take it. Those confirmed, too.
 */
static enum at_status say_lost(struct checking *checking, const struct tally *tally, const char *where) {
    char words[256];
    enum at_status status = AT_OK;
    bool is_over =
        (double)tally->lost > SHARE_MAX * (double)tally->seen && checking->row_count >= PRODUCTS_MIN;
    for (uint32_t r = 0; r < checking->now.generation->rail_count && status == AT_OK; r++) {
        struct judged *judged = &checking->now.rails[r];
        bool is_much = (double)tally->newly[r] > SHARE_MAX * (double)tally->seen;
        if (judged->is_named || fails_anew(checking, r) || !tally->newly[r] ||
            !(judged->is_confirmed ? is_much : is_over))
            continue;
        snprintf(words, sizeof words,
                 "rail \"%.60s\" withholds %.3g %% of the products that were shown until now%s",
                 checking->now.generation->rails[r].rail.name,
                 100.0 * (double)tally->newly[r] / (double)tally->seen, where);
        status = add(checking, r, "rail_withholds", words);
    }
    return status;
}

/* ---- pages ---- */

static struct page page_at(struct checking *checking, const char *on, int64_t now_ms,
                           const struct at_profile *nobody) {
    struct at_text name = on ? at_text_of(on) : AT_TEXT("");
    return (struct page){.place = {name, AT_TEXT("ranking"), name, now_ms},
                         .view = {.root = checking->root,
                                  .profile = nobody,
                                  .whole = nobody,
                                  .baseline = checking->baseline,
                                  .now_ms = now_ms,
                                  .page_name = name,
                                  .page_product = AT_ROW_NONE}};
}

/* A page where the rail applies, at a time when it does; false: its time is over. */
static bool own_page(struct checking *checking, const struct at_rail *rail, const struct at_profile *nobody,
                     struct page *out) {
    int64_t now_ms = at_shop_now(checking->shop);
    if (rail->to_ms && rail->to_ms <= now_ms) return false;
    *out = page_at(checking, rail->on, rail->from_ms > now_ms ? rail->from_ms : now_ms, nobody);
    return true;
}

static enum at_status check_page(struct checking *checking, const struct page *page) {
    enum at_status status;
    memset(checking->tally, 0, sizeof *checking->tally);
    status = ask_page(checking, page);
    char where[100] = "";
    if (page->place.page.length) snprintf(where, sizeof where, ", on \"%.60s\"", page->place.page.data);
    return status == AT_OK ? say_lost(checking, checking->tally, where) : status;
}

/* Nobody in particular: once for each place and time at which rails begin to apply. */
static enum at_status check_own_pages(struct checking *checking, const struct at_profile *nobody) {
    struct page done[OWN_MAX];
    uint32_t count = 0;
    enum at_status status = AT_OK;
    for (uint32_t r = 0; r < checking->now.generation->rail_count && status == AT_OK; r++) {
        const struct at_rail *rail = &checking->now.generation->rails[r].rail;
        bool is_covered = rail->kind == AT_RAIL_PIN;
        for (uint32_t i = 0; i < count; i++) is_covered |= at_rail_applies(rail, &done[i].place);
        if (is_covered || count == OWN_MAX || !own_page(checking, rail, nobody, &done[count])) continue;
        status = check_page(checking, &done[count++]);
    }
    return status;
}

/* As the request was answered, for the person it was, over the catalog of now. */
static enum at_status ask_recent(struct checking *checking, const struct recorded *recorded,
                                 struct at_json_parser *parser, const struct at_profile *nobody) {
    struct at_job job = {.worker = &checking->shop->workers[0]};
    struct decision decision = {.job = &job,
                                .root = checking->root,
                                .is_replay = true,
                                .has_signal = recorded->has_signal,
                                .now_ms = at_shop_now(checking->shop),
                                .profile = recorded->profile};
    struct page page = page_at(checking, NULL, decision.now_ms, nobody);
    if (at_json_parse(parser, recorded->body, recorded->body_length, true, &decision.body, &job.err) != AT_OK)
        return AT_OK;
    struct at_json_each asks = at_json_each(at_json_get(decision.body, "ask"));
    struct at_json ask = decision.body;
    if (!recorded->one && at_json_next(&asks)) ask = asks.value;
    decision.view = page.view;
    enum at_status status = decision.profile ? decision_consent(&decision) : AT_OK;
    decision_page(&decision, ask);
    page.view = decision.view;
    page.place.page = decision.page;
    page.place.list = at_json_text(at_json_get(ask, "ranking"));
    if (status == AT_OK) status = ask_page(checking, &page);
    if (decision.seen) at_profile_unref(decision.seen);
    return status;
}

static enum at_status check_recent(struct checking *checking, const struct at_profile *nobody) {
    struct recorded recent[RECENT_MAX];
    struct at_arena arena;
    at_arena_init(&arena, SIZE_MAX >> 1);
    uint32_t count = ring_recent(checking->shop, &arena, recent, RECENT_MAX);
    struct at_json_parser *parser = parser_new();
    enum at_status status = parser ? AT_OK : AT_NOMEM;
    memset(checking->tally, 0, sizeof *checking->tally);
    for (uint32_t i = 0; i < count; i++) {
        if (status == AT_OK) status = ask_recent(checking, &recent[i], parser, nobody);
        recorded_clear(&recent[i]);
    }
    if (status == AT_OK) status = say_lost(checking, checking->tally, ", to recent visitors");
    at_json_parser_free(parser);
    at_arena_clear(&arena);
    return status;
}

/* ---- the whole ---- */

static enum at_status confirm(struct checking *checking, struct at_error *err) {
    const struct at_generation *now = checking->now.generation;
    const char *names[RAILS_MAX];
    struct at_json_each it = at_json_each(checking->proposal->confirm);
    for (uint32_t i = 0; i < now->rail_count; i++) names[i] = now->rails[i].rail.name;
    while (checking->proposal->confirm.tape && at_json_next(&it)) {
        struct at_text text = at_json_text(it.value);
        uint32_t i = 0;
        while (i < now->rail_count && !at_text_is(text, names[i])) i++;
        if (i < now->rail_count) {
            checking->now.rails[i].is_confirmed = true;
            continue;
        }
        char name[80];
        snprintf(name, sizeof name, "%.*s", (int)(text.length < 70 ? text.length : 70),
                 text.data ? text.data : "");
        const char *near = at_suggest(name, names, now->rail_count);
        return at_fail_field(err, AT_INVALID, "unknown_rail", "confirm",
                             near ? "there is no rail \"%s\" — did you mean \"%s\"?"
                                  : "there is no rail \"%s\"%s",
                             name, near ? near : "");
    }
    return AT_OK;
}

static enum at_status list_rows(struct checking *checking) {
    uint32_t all = at_root_rows(checking->root);
    checking->rows = at_arena_alloc(checking->proposal->arena, ((size_t)all + 1) * sizeof *checking->rows);
    checking->tally = at_arena_alloc(checking->proposal->arena, sizeof *checking->tally);
    if (!checking->rows || !checking->tally) return AT_NOMEM;
    for (uint32_t row = 0; row < all; row++)
        if (at_root_is_live(checking->root, row)) checking->rows[checking->row_count++] = row;
    return AT_OK;
}

static enum at_status check(struct checking *checking) {
    struct at_profile *nobody = at_profile_new(0, NULL);
    enum at_status status = nobody ? list_rows(checking) : AT_NOMEM;
    checking->end_ns = at_ticks_ns() + CHECK_NS;
    if (status == AT_OK && checking->row_count) {
        status = check_own_pages(checking, nobody);
        if (status == AT_OK) status = check_recent(checking, nobody);
        if (status == AT_OK) status = say_failures(checking);
    }
    if (nobody) at_profile_unref(nobody);
    return status;
}

/* With nothing serving there is nothing to hold on to: a shop without its rails would be worse. */
enum at_status rails_check(struct at_shop *shop, struct proposal *proposal, struct at_error *err) {
    static const struct at_generation nothing = {0};
    struct checking *checking = at_arena_zalloc(proposal->arena, sizeof *checking);
    const struct at_generation *serving = serving_now(shop);
    if (!checking) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    checking->only_warns = proposal->is_way_back || !serving || !serving->id;
    checking->shop = shop;
    checking->proposal = proposal;
    checking->now.generation = proposal->generation;
    checking->before.generation = serving ? serving : &nothing;
    enum at_status status = confirm(checking, err);
    if (status != AT_OK || !proposal->generation->rail_count) return status;
    at_arena_init(&checking->scratch, SIZE_MAX >> 1);
    checking->root = at_catalog_root(shop->catalog);
    checking->baseline = learn_baseline(shop);
    status = check(checking);
    if (checking->baseline) at_baseline_unref(checking->baseline);
    at_root_unref(checking->root);
    at_arena_clear(&checking->scratch);
    at_language_free(checking->now.language);
    at_language_free(checking->before.language);
    if (status != AT_OK)
        at_log(at_shop_log(shop), AT_LOG_WARN, "reload", "the rails could not be run before they serve (%s)",
               at_status_word(status));
    return proposal->refusals ? at_fail(err, AT_UNPROCESSABLE, "rails", "the rails do not pass") : AT_OK;
}
