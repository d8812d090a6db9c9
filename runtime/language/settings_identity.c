/* SPDX-License-Identifier: Apache-2.0
 *
 * identity { … } of shop.lua: which kinds of identifiers there are besides the usual, how many of each a
 * person may have, which values name nobody, and whether claims must be proven.
 */
#include <stdlib.h>
#include <string.h>
#include "language/state.h"

#define BLOCKED_MAX 256

/* ---- kinds = { loyalty_id = { at_most = 1, within = "30d" } } ---- */

static bool is_name(const char *name) {
    size_t n = 0;
    for (; name[n]; n++)
        if (!((name[n] >= 'a' && name[n] <= 'z') || name[n] == '_' ||
              (n && name[n] >= '0' && name[n] <= '9')))
            return false;
    return n > 0 && n <= 40;
}

static void read_kind(lua_State *L, const char *name, struct at_identity_kind *kind) {
    int table = lua_gettop(L), is_number = 0;
    const char *where = lua_pushfstring(L, "identity.kinds.%s", name);
    if (lua_type(L, table) != LUA_TTABLE)
        at_script_raise(L, "%s must be like { at_most = 1 } or { at_most = 5, within = \"30d\" }", where);
    check_known(L, table, "IdentityKind", where);
    if (lua_getfield(L, table, "at_most") != LUA_TNIL) {
        lua_Integer number = lua_tointegerx(L, -1, &is_number);
        if (!is_number || number < 1 || number > 1000)
            at_script_raise(L, "%s.at_most must be a whole number from 1 to 1000", where);
        kind->at_most = (uint32_t)number;
        kind->within_ms = 0; /* its own limit: for ever, unless it says otherwise */
    }
    if (lua_getfield(L, table, "within") != LUA_TNIL) {
        struct at_error err = {0};
        size_t length = 0;
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
        if (!text) at_script_raise(L, "%s.within must be a time like \"30d\"", where);
        if (at_span_parse(text, length, &kind->within_ms, &err) != AT_OK)
            at_script_raise(L, "%s.within: %s", where, err.message);
        if (kind->within_ms < AT_HOUR_MS) at_script_raise(L, "%s.within must be an hour or more", where);
    }
    lua_settop(L, table);
}

/* A new one stands before anonymous_id, which is last. */
static struct at_identity_kind *kind_of(lua_State *L, struct at_settings *settings, const char *name) {
    struct at_identity_rules *rules = &settings->identity;
    uint32_t place = at_identity_kind_find(rules, at_text_of(name));
    if (place < rules->kind_count) return &rules->kinds[place];
    if (rules->kind_count == AT_IDENTITY_KINDS_MAX)
        at_script_raise(L, "identity.kinds holds at most %d of the shop's own", AT_IDENTITY_KINDS_MAX - 4);
    rules->kinds[rules->kind_count] = rules->kinds[rules->kind_count - 1];
    struct at_identity_kind *kind = &rules->kinds[rules->kind_count++ - 1];
    *kind = (struct at_identity_kind){settings_keep(L, settings, name, strlen(name)), 5, 0, true};
    return kind;
}

static int by_name(const void *a, const void *b) {
    return at_text_order(((const struct at_identity_kind *)a)->name,
                         ((const struct at_identity_kind *)b)->name);
}

static void read_kinds(lua_State *L, struct at_settings *settings) {
    struct at_identity_rules *rules = &settings->identity;
    uint32_t usual = rules->kind_count - 1; /* what stands before the shop's own */
    if (lua_type(L, -1) != LUA_TTABLE)
        at_script_raise(L, "identity.kinds must be like { loyalty_id = { at_most = 1 } }");
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (!is_name(name))
            at_script_raise(
                L, "identity.kinds: a kind is a name of small letters, digits and _, like loyalty_id");
        read_kind(L, name, kind_of(L, settings, name));
    }
    qsort(rules->kinds + usual, rules->kind_count - 1 - usual, sizeof *rules->kinds, by_name);
}

/* ---- the rest ---- */

static void read_blocked(lua_State *L, struct at_settings *settings) {
    lua_Integer count = lua_type(L, -1) == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : 0;
    if (!count || count > BLOCKED_MAX)
        at_script_raise(L, "identity.blocked must be a list of 1 to %d values, like { \"test@example.com\" }",
                        BLOCKED_MAX);
    struct at_text *values = at_arena_alloc(&settings->arena, (size_t)count * sizeof *values);
    if (!values) at_script_raise(L, "out of memory");
    for (lua_Integer i = 1; i <= count; i++) {
        size_t length;
        if (lua_rawgeti(L, -1, i) != LUA_TSTRING)
            at_script_raise(L, "identity.blocked: each value is a text in quotes");
        const char *value = lua_tolstring(L, -1, &length);
        values[i - 1] = settings_keep(L, settings, value, length);
        lua_pop(L, 1);
    }
    settings->identity.blocked = values;
    settings->identity.blocked_count = (uint32_t)count;
}

void read_identity(lua_State *L, struct at_settings *settings) {
    check_known(L, 1, "Identity", NULL);
    if (lua_getfield(L, 1, "kinds") != LUA_TNIL) read_kinds(L, settings);
    if (lua_getfield(L, 1, "blocked") != LUA_TNIL) read_blocked(L, settings);
    int type = lua_getfield(L, 1, "fold_mailboxes");
    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        at_script_raise(L, "identity.fold_mailboxes must be true or false");
    settings->identity.folds_mailboxes = lua_toboolean(L, -1);
    type = lua_getfield(L, 1, "prove");
    if (type != LUA_TNIL && (type != LUA_TSTRING || strcmp(lua_tostring(L, -1), "required") != 0))
        at_script_raise(L, "identity.prove must be \"required\", or left out");
    settings->identity.proof_required = type != LUA_TNIL;
}
