/* SPDX-License-Identifier: Apache-2.0
 *
 * consent { … } of shop.lua: for each purpose what holds where nobody has said anything, by region; and
 * never_use. What is not understood is refused: a rule that was guessed would be somebody's right.
 */
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "language/state.h"

#define NEVER_USE_MAX 64

static const char *const rule_words[] = {"opt-out", "opt-in", "double opt-in"}; /* as at_consent_rule */
static const char *const region_words[] = {"EU", "US", "elsewhere"};            /* as at_consent_region */

/* The rule on top of the stack; where: "consent.analytics.EU". */
static enum at_consent_rule rule_at(lua_State *L, const char *where) {
    const char *word = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    for (size_t i = 0; word && i < AT_LENGTH(rule_words); i++)
        if (strcmp(word, rule_words[i]) == 0) return (enum at_consent_rule)i;
    const char *nearest = word ? at_suggest(word, rule_words, AT_LENGTH(rule_words)) : NULL;
    if (nearest) at_script_raise(L, "%s: there is no \"%s\" — did you mean \"%s\"?", where, word, nearest);
    at_script_raise(L, "%s must be \"opt-in\", \"double opt-in\" or \"opt-out\"", where);
    return AT_CONSENT_OPT_IN;
}

static bool field_rule(lua_State *L, int table, const char *purpose, const char *name,
                       enum at_consent_rule *out) {
    bool is_given = lua_getfield(L, table, name) != LUA_TNIL;
    if (is_given) {
        const char *where = lua_pushfstring(L, "consent.%s.%s", purpose, name);
        lua_insert(L, -2);
        *out = rule_at(L, where);
        lua_remove(L, -2);
    }
    lua_pop(L, 1);
    return is_given;
}

/* The table of regions on top of the stack. */
static void read_regions(lua_State *L, const char *name, struct at_consent_purpose *purpose) {
    int table = lua_gettop(L);
    check_known(L, table, "ConsentRegions", lua_pushfstring(L, "consent.%s", name));
    enum at_consent_rule elsewhere = AT_CONSENT_OPT_IN;
    bool has_elsewhere = field_rule(L, table, name, "elsewhere", &elsewhere);
    for (int i = 0; i < AT_REGION_ELSEWHERE; i++) {
        purpose->rules[i] = elsewhere;
        bool is_given = field_rule(L, table, name, region_words[i], &purpose->rules[i]);
        if (!is_given && !has_elsewhere)
            at_script_raise(L, "consent.%s: say what holds elsewhere: elsewhere = \"opt-in\"", name);
    }
    if (!has_elsewhere)
        at_script_raise(L, "consent.%s: say what holds elsewhere: elsewhere = \"opt-in\"", name);
    purpose->rules[AT_REGION_ELSEWHERE] = elsewhere;
    purpose->has_own_customers = field_rule(L, table, name, "own_customers", &purpose->own_customers);
    lua_settop(L, table);
}

static void read_purpose(lua_State *L, const char *name, struct at_consent_purpose *purpose) {
    if (lua_type(L, -1) == LUA_TTABLE) return read_regions(L, name, purpose);
    const char *where = lua_pushfstring(L, "consent.%s", name);
    lua_insert(L, -2);
    enum at_consent_rule rule = rule_at(L, where);
    lua_remove(L, -2);
    for (int i = 0; i < AT_REGION_COUNT; i++) purpose->rules[i] = rule;
}

/* ---- never_use = { "traits.religion", "category.intimate" } ---- */

static void read_never_use(lua_State *L, struct at_settings *settings) {
    lua_Integer count = lua_type(L, -1) == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : 0;
    if (!count || count > NEVER_USE_MAX)
        at_script_raise(L, "consent.never_use must be a list of 1 to %d names, like { \"traits.religion\" }",
                        NEVER_USE_MAX);
    struct at_text *names = at_arena_alloc(&settings->arena, (size_t)count * sizeof *names);
    if (!names) at_script_raise(L, "out of memory");
    for (lua_Integer i = 1; i <= count; i++) {
        size_t length = 0;
        lua_rawgeti(L, -1, i);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : "",
                   *dot = strchr(name, '.');
        if (!dot || dot == name || !dot[1])
            at_script_raise(L,
                            "consent.never_use: a name is like \"traits.religion\" or \"category.intimate\"");
        names[i - 1] = settings_keep(L, settings, name, length);
        lua_pop(L, 1);
    }
    settings->consent.never_use = names;
    settings->consent.never_use_count = (uint32_t)count;
}

/* ---- the block ---- */

/* By name, so that the order of a table, which is none, shows nowhere. */
static int by_name(const void *a, const void *b) {
    return at_text_order(((const struct at_consent_purpose *)a)->name,
                         ((const struct at_consent_purpose *)b)->name);
}

static bool is_name(const char *name, size_t length) {
    bool is_good = length > 0 && length <= AT_CONSENT_NAME_MAX;
    for (size_t i = 0; i < length && is_good; i++)
        is_good = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
                  name[i] == '_' || (i && name[i] >= '0' && name[i] <= '9');
    return is_good;
}

static void need(lua_State *L, const struct at_settings *settings, const char *name) {
    if (at_consent_is_named(&settings->consent, at_text_of(name))) return;
    at_script_raise(L, "consent: say what holds for %s: %s = \"opt-in\" (a purpose that is not named is no)",
                    name, name);
}

void read_consent(lua_State *L, struct at_settings *settings) {
    struct at_consent_rules *rules = &settings->consent;
    if (rules->is_declared) at_script_raise(L, "there is more than one consent in shop.lua");
    struct at_consent_purpose *purposes =
        at_arena_zalloc(&settings->arena, AT_CONSENT_PURPOSES_MAX * sizeof *purposes);
    if (!purposes) at_script_raise(L, "out of memory");
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        size_t length = 0;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : "";
        if (strcmp(name, "never_use") == 0) {
            read_never_use(L, settings);
            continue;
        }
        if (!is_name(name, length))
            at_script_raise(L, "consent: a purpose is a name of letters, digits and _, like analytics = "
                               "\"opt-in\"");
        if (rules->purpose_count == AT_CONSENT_PURPOSES_MAX)
            at_script_raise(L, "consent holds at most %d purposes", AT_CONSENT_PURPOSES_MAX);
        struct at_consent_purpose *purpose = &purposes[rules->purpose_count];
        read_purpose(L, name, purpose);
        purpose->name = settings_keep(L, settings, name, length);
        rules->purpose_count++;
    }
    qsort(purposes, rules->purpose_count, sizeof *purposes, by_name);
    rules->purposes = purposes;
    rules->is_declared = true;
    need(L, settings, "analytics");
    need(L, settings, "personalization");
}

/* ---- told at the start ---- */

static void tell_purpose(const struct at_consent_purpose *purpose, struct at_bytes *out) {
    const enum at_consent_rule *rules = purpose->rules;
    at_bytes_printf(out, "%.*s ", (int)purpose->name.length, purpose->name.data);
    if (rules[0] == rules[1] && rules[0] == rules[2])
        at_bytes_printf(out, "%s", rule_words[rules[0]]);
    else
        at_bytes_printf(out, "%s in the EU, %s in the US, %s elsewhere", rule_words[rules[AT_REGION_EU]],
                        rule_words[rules[AT_REGION_US]], rule_words[rules[AT_REGION_ELSEWHERE]]);
    if (purpose->has_own_customers)
        at_bytes_printf(out, " (own customers %s)", rule_words[purpose->own_customers]);
}

void at_settings_tell_consent(const struct at_settings *settings, struct at_bytes *out) {
    const struct at_consent_rules *rules = &settings->consent;
    if (!rules->is_declared) {
        at_bytes_printf(out, "no consent block in shop.lua: analytics and personalization are allowed until "
                             "somebody says no, marketing needs a recorded yes");
        return;
    }
    for (uint32_t i = 0; i < rules->purpose_count; i++) {
        if (i) at_bytes_printf(out, "; ");
        tell_purpose(&rules->purposes[i], out);
    }
    if (rules->never_use_count) at_bytes_printf(out, "; %u names are never used", rules->never_use_count);
}
