/* SPDX-License-Identifier: Apache-2.0
 *
 * budgets { ranking = "20ms", rail = "20ms", segment = "100ms", load = "500ms", memory = "32MB" } of
 * shop.lua: what scripts may take before they are stopped. Bounded, for a script holds up the answers of its
 * worker.
 */
#include <stdlib.h>
#include <string.h>
#include "language/state.h"

#define MS_NS 1000000ULL

static const struct limits {
    uint64_t usual_ms, least_ms, most_ms;
} TIMES[AT_BUDGET_COUNT] = {
    [AT_BUDGET_RANKING] = {20, 1, 500},
    [AT_BUDGET_RAIL] = {20, 1, 500},
    [AT_BUDGET_SEGMENT] = {100, 1, 5000},
    [AT_BUDGET_LOAD] = {500, 100, 10000},
};
#define MEMORY_LEAST_MB 8
#define MEMORY_MOST_MB  1024

const char *const at_budget_names[] = {"ranking", "rail", "segment", "load", NULL};

uint64_t at_budget_ns(const struct at_settings *settings, enum at_budget which) {
    uint64_t said = settings ? settings->budgets.ns[which] : 0;
    return said ? said : TIMES[which].usual_ms * MS_NS;
}

/* The field's text at the top of the stack, or NULL: it is not said. */
static const char *field_text(lua_State *L, const char *name, const char *example) {
    int type = lua_getfield(L, 1, name);
    if (type == LUA_TNIL) return NULL;
    if (type == LUA_TNUMBER) {
        const char *number = lua_tostring(L, -1);
        at_script_raise(L, "budgets.%s = %s: %s what? write \"%s\"", name, number, number, example);
    }
    if (type != LUA_TSTRING)
        at_script_raise(L, "budgets.%s is written in quotes, like \"%s\"", name, example);
    return lua_tostring(L, -1);
}

/* "20ms" with units "ms" and "s" of 1,000: what it is in the small unit; false: it is neither. */
static bool read_amount(const char *text, const char *small, const char *big, double factor, double *out) {
    char *unit;
    *out = strtod(text, &unit);
    if (unit == text || !(*out >= 0)) return false;
    while (*unit == ' ') unit++;
    if (strcmp(unit, big) == 0) *out *= factor;
    return strcmp(unit, big) == 0 || strcmp(unit, small) == 0;
}

static bool is_bare(const char *text) {
    char *rest;
    strtod(text, &rest);
    return rest != text && !*rest;
}

static void read_time(lua_State *L, struct at_budgets *budgets, enum at_budget which) {
    const char *name = at_budget_names[which];
    const struct limits *limits = &TIMES[which];
    char example[24];
    double ms;
    snprintf(example, sizeof example, "%llums", (unsigned long long)limits->usual_ms);
    const char *text = field_text(L, name, example);
    if (!text) return lua_settop(L, 1);
    if (is_bare(text)) at_script_raise(L, "budgets.%s: %s what? write \"%s\"", name, text, example);
    if (!read_amount(text, "ms", "s", 1000, &ms))
        at_script_raise(L, "budgets.%s: \"%s\" is not a time of this kind: write \"%s\" or \"0.5s\"", name,
                        text, example);
    if (ms < (double)limits->least_ms || ms > (double)limits->most_ms)
        at_script_raise(L, "budgets.%s is \"%llums\" to \"%llums\"; it says \"%s\"", name,
                        (unsigned long long)limits->least_ms, (unsigned long long)limits->most_ms, text);
    budgets->ns[which] = (uint64_t)(ms * (double)MS_NS);
    lua_settop(L, 1);
}

static void read_memory(lua_State *L, struct at_budgets *budgets) {
    const char *text = field_text(L, "memory", "32MB");
    double mb;
    if (!text) return lua_settop(L, 1);
    if (is_bare(text)) at_script_raise(L, "budgets.memory: %s what? write \"32MB\"", text);
    if (!read_amount(text, "MB", "GB", 1024, &mb))
        at_script_raise(L, "budgets.memory: \"%s\" is not a size: write \"32MB\"", text);
    if (mb < MEMORY_LEAST_MB || mb > MEMORY_MOST_MB)
        at_script_raise(L, "budgets.memory is \"%dMB\" to \"%dMB\"; it says \"%s\"", MEMORY_LEAST_MB,
                        MEMORY_MOST_MB, text);
    budgets->memory_bytes = (size_t)(mb * (1 << 20));
    lua_settop(L, 1);
}

void read_budgets(lua_State *L, struct at_settings *settings) {
    check_known(L, 1, "Budgets", NULL);
    for (int i = 0; i < AT_BUDGET_COUNT; i++) read_time(L, &settings->budgets, (enum at_budget)i);
    read_memory(L, &settings->budgets);
}
