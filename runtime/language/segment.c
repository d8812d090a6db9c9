/* SPDX-License-Identifier: Apache-2.0
 *
 * segment "name" { when = function(customer) … end, recheck = "1d" }, customer:in_segment "name", and the
 * judge that asks one segment about a person and a moment (profile/segment.h).
 */
#include <string.h>
#include "base/utf8.h"
#include "language/state.h"

/* ---- the noun ---- */

/* Of a number below a minute nobody knows what it counts: days(1) is a number too. */
static int64_t recheck_field(lua_State *L, bool *is_said) {
    struct at_error err = {0};
    size_t length;
    int64_t ms = AT_SEGMENT_RECHECK_MS;
    int type = lua_getfield(L, 2, "recheck");
    const char *text = type == LUA_TSTRING || type == LUA_TNUMBER ? luaL_tolstring(L, -1, &length) : NULL;
    *is_said = type != LUA_TNIL;
    if (type == LUA_TNUMBER && lua_tonumber(L, -2) < (double)AT_MINUTE_MS)
        at_script_raise(L, "segment.recheck = %s: %s what? write \"1d\"", text, text);
    else if (type == LUA_TNUMBER)
        ms = (int64_t)lua_tonumber(L, -2);
    else if (type == LUA_TSTRING && at_span_parse(text, length, &ms, &err) != AT_OK)
        at_script_raise(L, "segment.recheck: %s", err.message);
    else if (*is_said && !text)
        at_script_raise(L, "segment.recheck must be a time, like \"1d\"");
    if (ms < AT_MINUTE_MS)
        at_script_raise(L, "segment.recheck is a minute at least: everybody is asked again");
    lua_settop(L, 2);
    return ms;
}

/* A condition on the person alone: there is no page where nobody looks, and no product. */
static void check_parameters(lua_State *L, const char *name, int when) {
    lua_Debug ar;
    push_function(L, when);
    lua_getinfo(L, ">u", &ar);
    if (ar.nparams > 1 || ar.isvararg)
        at_script_raise(
            L, "segment \"%s\": when is given the customer alone: function(customer) return … end", name);
}

int declare_segment(lua_State *L, const char *name) {
    struct declarations *declarations = declaring(L, "segment");
    check_known(L, 2, "Segment", NULL);
    for (uint32_t i = 0; i < declarations->segment_count; i++)
        if (strcmp(declarations->segments[i].name, name) == 0)
            refuse_twice(L, "segment", name, declarations->segments[i].path, declarations->segments[i].line);
    if (declarations->segment_count == AT_SEGMENTS_MAX)
        return at_script_raise(L, "there are more than %d segments", AT_SEGMENTS_MAX);
    struct at_segment *segment = &declarations->segments[declarations->segment_count];
    *segment = (struct at_segment){
        .name = keep_text(L, name), .path = keep_text(L, declarations->path), .line = line_of_caller(L)};
    segment->when = function_field(L, "segment", "when");
    if (!segment->when)
        return at_script_raise(L, "segment \"%s\" needs when = function(customer) return … end", name);
    check_parameters(L, name, segment->when);
    segment->when_line = line_of_function(L, segment->when);
    segment->recheck_ms = recheck_field(L, &segment->has_recheck);
    declarations->segment_count++;
    return 0;
}

/* ---- customer:in_segment ---- */

enum known { KNOWN_NOT, KNOWN_NO, KNOWN_YES, KNOWN_ASKING }; /* view->segments[i] */

static const struct at_segment *segment_named(lua_State *L, const char *name) {
    const struct at_generation *generation = language_of(L)->generation;
    const struct at_segment *segment = at_generation_segment(generation, at_text_of(name));
    const char *names[AT_SEGMENTS_MAX];
    if (segment) return segment;
    for (uint32_t i = 0; i < generation->segment_count; i++) names[i] = generation->segments[i].name;
    const char *nearest = at_suggest(name, names, generation->segment_count);
    if (nearest) at_script_raise(L, "there is no segment \"%s\" — did you mean \"%s\"?", name, nearest);
    at_script_raise(L, "there is no segment \"%s\"", name);
    return NULL;
}

static void note_failure(lua_State *L, const struct at_segment *segment) {
    struct at_decision_view *view = language_of(L)->view;
    char words[400];
    if (view->segment_failures++) return;
    at_script_translate(lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "the script failed", words,
                        sizeof words);
    at_fail(&view->segment_error, AT_FAILED, "script_failed", "segment \"%s\": %s", segment->name, words);
}

/* Within the call that asks: its budget, its moment, its profile. What belongs to the asking rule's products
 * is put aside meanwhile. */
static bool ask_within(lua_State *L, const struct at_segment *segment) {
    struct at_language *language = language_of(L);
    struct ordinal *ordinals = language->ordinals;
    bool runs_columns = language->runs_columns;
    language->ordinals = NULL;
    language->runs_columns = false;
    push_function(L, segment->when);
    push_view(L, VIEW_CUSTOMER, 0);
    int status = lua_pcall(L, 1, 1, 0);
    language->ordinals = ordinals;
    language->runs_columns = runs_columns;
    if (status != LUA_OK) {
        at_script_pass_on(L, status);
        note_failure(L, segment);
    }
    bool is_member = status == LUA_OK && lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_member;
}

static uint8_t *known_segments(lua_State *L) {
    struct at_language *language = language_of(L);
    struct at_decision_view *view = language->view;
    if (!view->segments)
        view->segments = at_arena_zalloc(view->arena, language->generation->segment_count + 1);
    if (!view->segments) at_script_raise(L, "out of memory");
    return view->segments;
}

int l_in_segment(lua_State *L) {
    struct at_language *language = language_of(L);
    uint32_t index;
    if (view_at(L, 1, &index) != VIEW_CUSTOMER || lua_type(L, 2) != LUA_TSTRING)
        return at_script_raise(L, "write customer:in_segment \"vip\"");
    const struct at_segment *segment = segment_named(L, lua_tostring(L, 2));
    language->reads_context = true;
    if (language->view->is_plain) return lua_pushboolean(L, 0), 1;
    uint8_t *known = &known_segments(L)[segment - language->generation->segments];
    if (*known == KNOWN_ASKING) return at_script_raise(L, "segment \"%s\" asks for itself", segment->name);
    if (*known == KNOWN_NOT) {
        luaL_checkstack(L, 4, "segments");
        *known = KNOWN_ASKING;
        *known = ask_within(L, segment) ? KNOWN_YES : KNOWN_NO;
    }
    lua_pushboolean(L, *known == KNOWN_YES);
    return 1;
}

/* ---- the judge ---- */

struct asking {
    struct at_segment_use *use;
    struct at_decision_view view;
    bool is_member;
};

static int run_when(lua_State *L, void *arg) {
    struct asking *asking = arg;
    push_function(L, asking->use->segment->when);
    push_view(L, VIEW_CUSTOMER, 0);
    lua_call(L, 1, 1);
    asking->is_member = lua_toboolean(L, -1);
    return 0;
}

static enum at_status run(struct asking *asking, bool stands_still, struct at_error *err) {
    struct at_language *language = asking->use->language;
    const struct at_segment *segment = asking->use->segment;
    struct at_script_where where = {0};
    asking->view.segments = NULL;
    asking->view.segment_failures = 0;
    call_begin(language, &asking->view);
    language->outlook.is_asked = true;
    language->outlook.stands_still = stands_still;
    language->outlook.count = 0;
    uint64_t budget_ns = at_budget_ns(language->settings, AT_BUDGET_SEGMENT);
    watch_call(language->script, budget_ns, 0);
    enum at_status status = at_script_call(language->script, budget_ns, run_when, asking, &where, err);
    asking->use->took_ns += at_script_took_ns(language->script);
    note_slow(language->script, &asking->use->slow,
              &(struct at_slow){.budget = AT_BUDGET_SEGMENT,
                                .name = segment->name,
                                .path = segment->path,
                                .line = segment->when_line});
    call_end(language);
    language->outlook.is_asked = false;
    at_decision_end(language, &asking->view);
    if (status == AT_NOMEM)
        status =
            at_fail(err, AT_STOPPED, "memory", "%s:%d  segment \"%s\" used more memory than a script may",
                    segment->path, (int)segment->when_line, segment->name);
    else if (status == AT_OK && asking->view.segment_failures) /* one it asks for: nobody knows */
        status = at_fail(err, AT_FAILED, NULL, "%s", asking->view.segment_error.message);
    return status;
}

/* With numbers that move, so that it is known until when the answer stands. If the script does with them what
 * only plain ones can, or if anything depended on their being plain, the plain answer counts and is blind. */
static enum at_status ask_person(struct asking *asking, struct at_segment_answer *out, struct at_error *err) {
    struct outlook *outlook = &asking->use->language->outlook;
    outlook->is_blind = false;
    outlook->until_ms = AT_NEVER;
    enum at_status status = run(asking, false, err);
    bool is_moved = outlook->count > 0, is_failed = status == AT_FAILED, was_member = asking->is_member;
    if (is_failed || (status == AT_OK && is_moved)) status = run(asking, true, err);
    if (status != AT_OK) return status;
    *out = (struct at_segment_answer){.is_member = asking->is_member,
                                      .is_blind =
                                          outlook->is_blind || is_failed || asking->is_member != was_member,
                                      .until_ms = outlook->until_ms};
    return AT_OK;
}

static enum at_status ask(void *arg, const struct at_profile *profile, int64_t now_ms,
                          struct at_segment_answer *out, struct at_error *err) {
    struct at_segment_use *use = arg;
    const struct at_settings *settings = use->language->settings;
    static const struct at_consent_rules none = {0};
    const struct at_consent_rules *rules = settings ? &settings->consent : &none;
    struct at_profile *seen = NULL;
    struct at_error unsaid;
    int64_t consent_ms = at_consent_until(profile, now_ms);
    *out = (struct at_segment_answer){.until_ms = consent_ms};
    if (!at_consent_allows(rules, profile, AT_TEXT("personalization"), AT_TEXT(""),
                           at_consent_region(profile->country), now_ms))
        return AT_OK;
    if (at_profile_has_unused(profile, rules)) {
        seen = at_profile_without_unused(profile, rules);
        if (!seen) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    }
    at_arena_reset(use->arena);
    struct asking asking = {.use = use,
                            .view = {.root = use->root,
                                     .profile = seen ? seen : profile,
                                     .whole = profile,
                                     .baseline = use->baseline,
                                     .now_ms = now_ms,
                                     .page_product = AT_ROW_NONE,
                                     .arena = use->arena}};
    enum at_status status = ask_person(&asking, out, err ? err : &unsaid);
    if (seen) at_profile_unref(seen);
    if (status == AT_OK && consent_ms < out->until_ms) out->until_ms = consent_ms;
    return status;
}

struct at_segment_judge at_segment_judge(struct at_segment_use *use) {
    return (struct at_segment_judge){ask, use};
}
