/* SPDX-License-Identifier: Apache-2.0
 *
 * What somebody did: customer:count, customer:did and customer:last, and an event as rules see it. Of whom
 * nothing may be learned the profile at hand has no history, so they read 0, false and nil.
 */
#include <math.h>
#include <string.h>
#include "language/state.h"
#include "profile/segment.h"

#define NAME_MAX_BYTES 500

/* ---- what is asked: a name, and since when ---- */

struct asked {
    struct at_text name; /* canonical */
    bool has_window;
    struct moving from; /* events after it */
};

static void check_number(lua_State *L, const char *option, double value) {
    if (!isfinite(value)) at_script_raise(L, "%s must be a time", option);
    if (value == 0 || fabs(value) >= AT_SECOND_MS) return;
    const char *shown = lua_tostring(L, -1);
    at_script_raise(L, "%s = %s: %s what? write \"%sd\"", option, shown, shown, shown);
}

/* A span in ms: "7d", days(7), or nil. */
static bool within_option(lua_State *L, struct moving *out) {
    struct at_error err = {0};
    int64_t ms = 0;
    size_t length;
    int type = lua_getfield(L, 3, "within");
    if (type == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &length);
        if (at_span_parse(text, length, &ms, &err) != AT_OK) at_script_raise(L, "within: %s", err.message);
        *out = (struct moving){(double)ms, 0};
    } else if (moving_number(L, -1, out))
        check_number(L, "within", type == LUA_TNUMBER ? out->value : 0);
    else if (type != LUA_TNIL)
        at_script_raise(L, "within must be a time, like \"7d\"");
    lua_pop(L, 1);
    return type != LUA_TNIL;
}

/* A moment: ms since 1970, as every time of the language. */
static bool since_option(lua_State *L, struct moving *out) {
    int type = lua_getfield(L, 3, "since");
    if (moving_number(L, -1, out))
        check_number(L, "since", type == LUA_TNUMBER ? out->value : 0);
    else if (type != LUA_TNIL)
        at_script_raise(
            L, "since must be a moment, like customer.orders.last_at; of a span write within = \"7d\"");
    lua_pop(L, 1);
    return type != LUA_TNIL;
}

/* The later of two moments; where they meet it is the other. */
static struct moving later(lua_State *L, struct moving a, struct moving b) {
    bool is_b = b.value > a.value;
    double apart = is_b ? b.value - a.value : a.value - b.value,
           closing = is_b ? a.slope - b.slope : b.slope - a.slope;
    if (closing > 0 && apart / closing < 9e15) {
        int64_t in_ms = (int64_t)(apart / closing * (1 - 1e-12));
        reads_until(L, language_of(L)->view->now_ms + (in_ms < 1 ? 1 : in_ms));
    }
    return is_b ? b : a;
}

static void read_window(lua_State *L, const char *word, struct asked *asked) {
    struct moving within = {0, 0}, since = {0, 0};
    char what[40];
    if (lua_isnoneornil(L, 3)) return;
    snprintf(what, sizeof what, "customer:%s", word);
    if (lua_type(L, 3) != LUA_TTABLE)
        at_script_raise(L, "write %s(\"%.*s\", { within = \"7d\" })", what, (int)asked->name.length,
                        asked->name.data);
    check_known(L, 3, "Window", what);
    bool has_within = within_option(L, &within), has_since = since_option(L, &since);
    struct moving begins = {(double)language_of(L)->view->now_ms - within.value, 1 - within.slope};
    asked->has_window = has_within || has_since;
    asked->from = has_within ? begins : since;
    if (has_within && has_since) asked->from = later(L, begins, since);
}

/* The arguments: customer, a name, options. */
static struct asked read_asked(lua_State *L, const char *word) {
    struct asked asked = {.has_window = false};
    uint32_t index;
    int type = lua_type(L, 2);
    if ((type != LUA_TSTRING && type != LUA_TNIL) || view_at(L, 1, &index) != VIEW_CUSTOMER)
        at_script_raise(L, "write customer:%s \"order_completed\"", word);
    lua_settop(L, 3);
    asked.name.data = lua_tolstring(L, 2, &asked.name.length);
    if (!asked.name.data) asked.name = AT_TEXT(""); /* missing: it never happened */
    read_window(L, word, &asked);
    if (!asked.name.length || asked.name.length > NAME_MAX_BYTES) return asked; /* no event has such a name */
    asked.name = at_event_canonical(language_of(L)->view->arena, asked.name);
    if (!asked.name.data) at_script_raise(L, "out of memory");
    return asked;
}

static int64_t whole(double ms) {
    return ms > 9e15 ? INT64_MAX / 2 : ms < -9e15 ? -(INT64_MAX / 2) : (int64_t)ms;
}

/* Until when the answer stands. Whether there was one hangs on the last alone; of a window that begins at a
 * moment for good nothing leaves, but beyond two days it is counted by days. */
static void note_until(lua_State *L, const struct asked *asked, const struct at_event_count *counted,
                       bool is_did) {
    const struct at_decision_view *view = language_of(L)->view;
    int64_t now_ms = view->now_ms, from_ms = whole(asked->from.value), within_ms = now_ms - from_ms;
    bool is_past = counted->last_ms <= now_ms, is_fixed = asked->from.slope == 0;
    int64_t until_ms = AT_NEVER;
    if (!is_fixed && asked->from.slope != 1) return reads_blindly(L);
    if (!is_past || (!is_fixed && !is_did))
        until_ms = at_profile_count_until(view->profile, asked->name, within_ms, now_ms);
    else if (!is_fixed && counted->last_ms > from_ms)
        until_ms = counted->last_ms + within_ms;
    int64_t coarse_ms = from_ms + 2 * AT_DAY_MS + 1;
    if (is_fixed && coarse_ms > now_ms && coarse_ms < until_ms) until_ms = coarse_ms;
    reads_until(L, until_ms);
}

static uint64_t count_of(lua_State *L, const char *word) {
    const struct at_decision_view *view = language_of(L)->view;
    struct asked asked = read_asked(L, word);
    const struct at_event_count *counted = at_profile_counted(view->profile, asked.name);
    if (!counted || !asked.has_window) return counted ? counted->total : 0;
    note_until(L, &asked, counted, strcmp(word, "did") == 0);
    return at_profile_count(view->profile, asked.name, view->now_ms - whole(asked.from.value), view->now_ms);
}

int l_count(lua_State *L) {
    lua_pushnumber(L, (double)count_of(L, "count"));
    return 1;
}

int l_did(lua_State *L) {
    lua_pushboolean(L, count_of(L, "did") > 0);
    return 1;
}

int l_last(lua_State *L) {
    const struct at_profile *profile = language_of(L)->view->profile;
    struct asked asked = read_asked(L, "last");
    if (asked.has_window) return at_script_raise(L, "customer:last takes a name only");
    const struct at_last_event *last = at_profile_last(profile, asked.name);
    if (last)
        push_view(L, VIEW_EVENT, (uint32_t)(last - profile->lasts));
    else
        lua_pushnil(L);
    return 1;
}

/* ---- an event ---- */

/* The profile's own JSON; no value if there is none. */
static struct at_json parse(lua_State *L, struct at_text text) {
    struct at_json json = {0};
    if (!text.length) return json;
    if (at_json_parse(language_of(L)->traits_parser, text.data, text.length, false, &json, NULL) != AT_OK)
        at_script_raise(L, "out of memory");
    return json;
}

/* never_use { "properties.religion", "category.intimate" } holds here as for traits and tastes. */
static bool is_unused(lua_State *L, const char *name, struct at_json value) {
    const struct at_settings *settings = language_of(L)->settings;
    if (never_uses(L, "properties", name)) return true;
    struct at_text text = at_json_text(value);
    return settings && text.data && at_consent_never_uses(&settings->consent, at_text_of(name), text);
}

static int push_property(lua_State *L, const struct at_last_event *last, const char *name) {
    struct at_json value = at_json_get(parse(L, last->properties), name);
    if (!value.tape || is_unused(L, name, value)) return lua_pushnil(L), 1;
    push_json(L, value);
    return 1;
}

static int push_items(lua_State *L, const struct at_last_event *last) {
    struct at_json_each it = at_json_each(parse(L, last->items));
    lua_newtable(L);
    for (lua_Integer at = 1; at_json_next(&it); at++) {
        double quantity = 1, price = at_missing();
        at_json_number(at_json_get(it.value, "quantity"), &quantity);
        at_json_number(at_json_get(it.value, "price"), &price);
        push_line(L, at_json_text(at_json_get(it.value, "product")), quantity, price);
        lua_rawseti(L, -2, at);
    }
    return 1;
}

int index_event(lua_State *L, uint32_t index, const char *name) {
    const struct at_last_event *last = &language_of(L)->view->profile->lasts[index];
    if (strcmp(name, "time") == 0) return lua_pushnumber(L, (double)last->at_ms), 1;
    if (strcmp(name, "name") == 0) return lua_pushlstring(L, last->name.data, last->name.length), 1;
    if (strcmp(name, "id") == 0) return lua_pushlstring(L, last->id.data, last->id.length), 1;
    if (strcmp(name, "items") == 0) return push_items(L, last);
    return push_property(L, last, name);
}
