/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs one rule over candidates: once with whole columns where its analysis allows, else product by product.
 * Called by ranking/ and rail/ through at_judge. A column run that meets something only the other way can do
 * is run again that way.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/kernel.h"
#include "language/state.h"

struct ordinal { /* the n-th normalize or rank_of of a rule, product by product */
    double *values;
    bool is_ready;
};
#define ORDINAL_MAX 8

struct run {
    struct at_rule_use *use;
    const struct at_candidates *candidates;
    double *out;
    struct at_error *err;
    bool has_error;
    int node;        /* result of a column run; -1: one constant */
    bool is_lasting; /* the run would give the same graph again */
};

void call_begin(struct at_language *language, struct at_decision_view *view) {
    language->call++;
    language->is_running = true;
    language->view = view;
    language->candidates = NULL;
    language->row_count = 1;
    language->list_count = language->facet_count = 0;
    language->needs_rows = language->reads_context = false;
    language->explains = view->explains;
}

void call_end(struct at_language *language) {
    language->is_running = language->runs_columns = false;
    language->candidates = NULL;
}

static void begin_call(struct at_language *language, struct at_rule_use *use,
                       const struct at_candidates *candidates) {
    call_begin(language, use->view);
    language->candidates = candidates;
    memset(language->node_of, 0xff, sizeof language->node_of);
    memset(language->form, 0, sizeof language->form);
    memset(language->form_mask, 0, sizeof language->form_mask);
    language->mixed_count = 0;
    language->raises = -1;
    at_program_init(&language->program, candidates->root, candidates->arena);
}

static void push_arguments(lua_State *L, enum view_kind product) {
    push_view(L, product, 0);
    push_view(L, VIEW_CUSTOMER, 0);
    push_view(L, VIEW_PAGE, 0);
}

/* ---- whole columns ---- */

/* What a rule may answer: a score is a number, a condition anything (nil and false are no); missing is nil.
 */
static double answer_at(lua_State *L, int at, bool is_condition) {
    if (is_condition) return lua_toboolean(L, at) ? 1 : 0;
    if (lua_isnil(L, at)) return at_missing();
    if (lua_type(L, at) == LUA_TNUMBER) return lua_tonumber(L, at);
    at_script_raise(L, "a score must be a number, this rule answered %s",
                    lua_type(L, at) == LUA_TBOOLEAN ? "yes or no" : luaL_typename(L, at));
    return 0;
}

/* Whether the rule at the top reads nothing that could change: words, and plain values of its file, which a
 * rule may not assign to. */
static bool is_lasting(lua_State *L, const struct at_rule_report *report) {
    bool is_plain = report->is_closed;
    const char *name;
    for (int i = 1; is_plain && (name = lua_getupvalue(L, -1, i)) != NULL; i++) {
        int type = lua_type(L, -1);
        lua_pop(L, 1);
        is_plain = strcmp(name, "_ENV") == 0 || type == LUA_TNUMBER || type == LUA_TSTRING ||
                   type == LUA_TBOOLEAN || type == LUA_TNIL;
    }
    return is_plain;
}

/* A condition's answer may be anything; where the rule would fail for a product, so it says. */
static void finish_compiled(lua_State *L, struct run *run) {
    struct at_language *language = language_of(L);
    struct at_program *program = &language->program;
    int answer = lua_gettop(L), raises = language->raises, result;
    if (run->use->is_condition && is_column(L, answer)) {
        int truth = masks_truth(L, answer);
        if (truth >= 0)
            push_node(L, truth);
        else
            lua_pushboolean(L, truth == -2);
    }
    if (raises < 0) return;
    if (!run->use->is_condition && !lua_isnil(L, -1) && lua_type(L, -1) != LUA_TNUMBER && !is_column(L, -1))
        need_rows(L);
    enum at_column_type type = run->use->is_condition ? AT_COLUMN_BOOL : AT_COLUMN_NUMBER;
    result = column_operand(L, -1, type);
    int raised = at_program_const(program, at_raised(), type),
        node = at_program_add(program, AT_OP_WHEN, type);
    if (raised < 0 || node < 0) need_rows(L);
    program->nodes[node].a = (uint16_t)raises;
    program->nodes[node].b = (uint16_t)raised;
    program->nodes[node].c = (uint16_t)result;
    program->nodes[node].attribute = 1;
    push_node(L, node);
}

static int run_columns(lua_State *L, void *arg) {
    struct run *run = arg;
    struct at_language *language = language_of(L);
    if (!run->use->report->compiled) {
        push_function(L, run->use->function);
        run->is_lasting = is_lasting(L, run->use->report);
    } else if (!push_compiled(L, run->use, &run->is_lasting))
        need_rows(L);
    push_arguments(L, VIEW_COLUMNS);
    lua_call(L, 3, 1);
    if (run->use->report->compiled) finish_compiled(L, run);
    uint32_t index;
    if (lua_type(L, -1) == LUA_TLIGHTUSERDATA && view_at(L, -1, &index) == VIEW_COLUMN) {
        enum at_column_type type = language->program.nodes[index].type;
        if (type != (run->use->is_condition ? AT_COLUMN_BOOL : AT_COLUMN_NUMBER)) need_rows(L);
        run->node = (int)index;
        return 0;
    }
    run->node = -1;
    run->use->constant = answer_at(L, -1, run->use->is_condition);
    return 0;
}

/* Slow is what takes more than half of its budget. */
void watch_call(struct at_script *script, uint64_t budget_ns, uint64_t spent_ns) {
    uint64_t half = budget_ns / 2;
    at_script_watch_after(script, spent_ns + 1000000 < half ? half - spent_ns : 1000000);
}

bool note_slow(struct at_script *script, struct at_slow *slow, const struct at_slow *what) {
    struct at_script_where most;
    if (!at_script_was_slow(script, &most) || slow->took_ns) return false;
    *slow = *what;
    slow->took_ns = at_script_took_ns(script);
    slow->most_line = (uint32_t)most.line;
    snprintf(slow->most_path, sizeof slow->most_path, "%s", most.path);
    return true;
}

#define LEAST_NS 100000ULL /* a tenth of a millisecond is there for every rule */
static uint64_t budget_left(const struct at_rule_use *use) {
    const struct at_decision_view *view = use->view;
    uint64_t whole =
        at_budget_ns(use->language->settings, use->budget) * (view->patience ? view->patience : 1);
    uint64_t spent = view->spent_ns[use->budget];
    uint64_t now = at_ticks_ns(), left = spent + LEAST_NS < whole ? whole - spent : LEAST_NS;
    uint64_t to_end = now + LEAST_NS < view->deadline_ns ? view->deadline_ns - now : LEAST_NS;
    return left < to_end ? left : to_end;
}

static enum at_status call_rule(struct run *run, int (*body)(lua_State *L, void *arg),
                                struct at_script_where *where) {
    const struct at_rule_use *use = run->use;
    struct at_script *script = use->language->script;
    uint64_t *spent = &use->view->spent_ns[use->budget];
    watch_call(script, at_budget_ns(use->language->settings, use->budget), *spent);
    enum at_status status = at_script_call(script, budget_left(use), body, run, where, run->err);
    *spent += at_script_took_ns(script);
    note_slow(
        script, &use->view->slow,
        &(struct at_slow){.budget = use->budget, .name = use->name, .path = use->path, .line = use->line});
    return status;
}

static enum at_status name_failure(const struct run *run, enum at_status status,
                                   const struct at_script_where *where) {
    struct at_error *err = run->err;
    if (!err) return status;
    if (status == AT_STOPPED)
        return at_fail(err, status, "stopped", "%s:%d  \"%s\" took longer than %d ms and was stopped",
                       where->line ? where->path : run->use->path,
                       where->line ? where->line : (int)run->use->line, run->use->name,
                       (int)(at_budget_ns(run->use->language->settings, run->use->budget) / 1000000));
    if (status == AT_FAILED && !where->line) /* said of the rule's answer, not by one of its lines */
        at_error_prefix(err, "%s:%d: ", run->use->path, (int)run->use->line);
    if (status == AT_NOMEM)
        return at_fail(err, AT_FAILED, "memory", "%s:%d  \"%s\" used more memory than a script may",
                       run->use->path, (int)run->use->line, run->use->name);
    return status;
}

/* The rule's graph: as it is kept, or from running the rule. */
static enum at_status make_columns(struct run *run, bool *falls_back) {
    struct at_language *language = run->use->language;
    struct at_script_where where = {0};
    bool may_keep = !run->use->view->explains;
    language->view = run->use->view;
    if (may_keep && kept_find(language, run->use->function, run->candidates, &run->node, &run->use->constant))
        return AT_OK;
    begin_call(language, run->use, run->candidates);
    language->runs_columns = true;
    enum at_status status = call_rule(run, run_columns, &where);
    call_end(language);
    /* also when the rule caught the error that says so */
    bool fails = status == AT_FAILED && run->use->report->compiled; /* perhaps for no product alone */
    *falls_back = fails || ((status == AT_OK || status == AT_FAILED) && language->needs_rows);
    if (*falls_back) return AT_OK;
    if (status != AT_OK) return name_failure(run, status, &where);
    if (may_keep && run->is_lasting && !language->reads_context)
        kept_store(language, run->use->function, run->node, run->use->constant);
    else if (may_keep && run->node >= 0)
        kept_variant(language, run->use->function, run->candidates->count, &run->node);
    return AT_OK;
}

/* Missing is no, as product by product. */
AT_KERNEL static void deny_missing(double *answers, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) answers[i] = answers[i] > 0 ? 1 : 0;
}

static bool any_raised(const double *answers, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (at_is_raised(answers[i])) return true;
    return false;
}

static enum at_status judge_columns(struct run *run, bool *falls_back) {
    struct at_language *language = run->use->language;
    enum at_status status = make_columns(run, falls_back);
    if (status != AT_OK || *falls_back) return status;
    run->use->ran_on_columns = true;
    run->use->result = run->node;
    run->use->rows = run->candidates->rows;
    run->use->row_count = run->candidates->count;
    if (run->use->view->explains) {
        run->use->program = at_arena_alloc(run->candidates->arena, sizeof *run->use->program);
        if (!run->use->program) return AT_NOMEM;
        *run->use->program = language->program;
        memcpy(run->use->reads, language->node_of, sizeof run->use->reads);
    }
    uint32_t count = run->candidates->count;
    if (run->node >= 0) {
        status = at_program_run(&language->program, run->node, run->candidates->rows, count, run->out);
        if (status == AT_OK && run->use->report->compiled) *falls_back = any_raised(run->out, count);
        if (run->use->is_condition) deny_missing(run->out, count);
        return status;
    }
    for (uint32_t i = 0; i < count; i++) run->out[i] = run->use->constant;
    return AT_OK;
}

/* ---- product by product ---- */

static void note_error(struct run *run, const char *message) {
    if (run->has_error) return;
    run->has_error = true;
    at_fail(run->err, AT_FAILED, "script", "%s", message);
}

/* A condition that fails for one product withholds that product only (rails fail closed), so each call is
 * protected. */
static double judge_protected(lua_State *L, struct run *run) {
    int status = lua_pcall(L, 3, 1, 0);
    if (status == LUA_OK) return answer_at(L, -1, true);
    at_script_pass_on(L, status);
    char words[400];
    at_script_translate(lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "the rule failed", words,
                        sizeof words);
    note_error(run, words);
    return NAN;
}

static int run_rows(lua_State *L, void *arg) {
    struct run *run = arg;
    struct at_language *language = language_of(L);
    push_function(L, run->use->function);
    for (uint32_t i = 0; i < run->candidates->count; i++) {
        language->rows[0] = run->candidates->rows[i];
        language->candidate = i;
        language->ordinal_next = 0;
        lua_pushvalue(L, 1);
        push_arguments(L, VIEW_PRODUCT);
        if (run->use->is_condition)
            run->out[i] = judge_protected(L, run);
        else {
            lua_call(L, 3, 1);
            run->out[i] = answer_at(L, -1, false);
        }
        lua_settop(L, 1);
    }
    return 0;
}

int ordinal_word(lua_State *L, enum at_column_op op) {
    struct at_language *language = language_of(L);
    uint32_t n = language->ordinal_next++;
    if (!language->ordinals)
        return at_script_raise(L, "normalize and rank_of belong in a rule over products");
    if (n >= ORDINAL_MAX)
        return at_script_raise(L, "a rule may use normalize and rank_of at most %d times", ORDINAL_MAX);
    struct ordinal *ordinal = &language->ordinals[n];
    if (!ordinal->values) {
        ordinal->values =
            at_arena_alloc(language->view->arena, (language->candidates->count + 1) * sizeof(double));
        if (!ordinal->values) return at_script_raise(L, "out of memory");
        for (uint32_t i = 0; i < language->candidates->count; i++) ordinal->values[i] = at_missing();
        language->ordinal_ops[n] = op;
    }
    double *value = &ordinal->values[language->candidate];
    if (!ordinal->is_ready) {
        if (n + 1 > language->ordinal_count) language->ordinal_count = n + 1;
        *value = lua_isnil(L, 1) ? at_missing() : luaL_checknumber(L, 1);
        lua_pushnumber(L, 0);
        return 1;
    }
    if (at_is_missing(*value))
        lua_pushnil(L);
    else
        lua_pushnumber(L, *value);
    return 1;
}

/* The first ordinal not ready yet now has the values of every product. */
static enum at_status ready_ordinal(struct at_language *language, const struct at_candidates *candidates,
                                    bool *is_done) {
    *is_done = true;
    for (uint32_t n = 0; n < language->ordinal_count; n++) {
        struct ordinal *ordinal = &language->ordinals[n];
        if (ordinal->is_ready) continue;
        *is_done = false;
        ordinal->is_ready = true;
        if (language->ordinal_ops[n] == AT_OP_RANK_OF)
            return at_rank_of(ordinal->values, ordinal->values, candidates->count, candidates->arena);
        at_normalize(ordinal->values, ordinal->values, candidates->count);
        return AT_OK;
    }
    return AT_OK;
}

static enum at_status judge_rows(struct run *run) {
    struct at_language *language = run->use->language;
    struct ordinal ordinals[ORDINAL_MAX] = {{0}};
    struct at_script_where where = {0};
    enum at_status status;
    bool is_done = false;
    begin_call(language, run->use, run->candidates);
    language->ordinals = ordinals;
    language->ordinal_count = 0;
    do {
        status = call_rule(run, run_rows, &where);
        if (status == AT_OK) status = ready_ordinal(language, run->candidates, &is_done);
    } while (status == AT_OK && !is_done);
    language->ordinals = NULL;
    if (run->use->view->explains) memcpy(run->use->reads, language->node_of, sizeof run->use->reads);
    call_end(language);
    run->use->ran_on_columns = false;
    return status == AT_OK ? AT_OK : name_failure(run, status, &where);
}

/* What the columns gave is there; what is answered is what each product gives alone. */
static enum at_status judge_twice(struct run *run) {
    uint32_t count = run->candidates->count;
    double *fast = at_arena_alloc(run->use->view->arena, (count + 1) * sizeof *fast);
    if (!fast) return AT_OK; /* another time */
    memcpy(fast, run->out, count * sizeof *fast);
    enum at_status status = judge_rows(run);
    twice_compare(run->use, run->candidates, fast, run->out, status);
    return status;
}

enum at_status at_rule_judge(void *arg, const struct at_candidates *candidates, double *out,
                             struct at_error *err) {
    struct run run = {.use = arg, .candidates = candidates, .out = out, .err = err};
    if (at_language_is_spent(run.use->language))
        return at_fail(err, AT_STOPPED, "stopped", "an earlier rule of this decision was stopped");
    const struct at_rule_report *report = run.use->report;
    bool falls_back = (!report->is_columnar && !report->compiled) || is_demoted(report);
    enum at_status status = falls_back ? AT_OK : judge_columns(&run, &falls_back);
    if (falls_back) return judge_rows(&run);
    return status == AT_OK && twice_is_due(run.use, candidates->count) ? judge_twice(&run) : status;
}
