/* SPDX-License-Identifier: Apache-2.0
 *
 * find match gmatch gsub over the bounded matcher: the same answers as stock Lua within the limits.
 */
#include "script/internal.h"

#include <stdio.h>
#include <string.h>

static bool is_over(void *arg) {
    return at_script_limiter_is_over(arg);
}

static void begin(lua_State *L, struct at_pattern *m, bool has_anchor) {
    size_t subject_length, pattern_length;
    const char *subject = luaL_checklstring(L, 1, &subject_length),
               *pattern = luaL_checklstring(L, 2, &pattern_length);
    if (subject_length > AT_SUBJECT_BYTES_MAX)
        at_script_raise(L, "the text is longer than %d bytes", AT_SUBJECT_BYTES_MAX);
    if (pattern_length > AT_PATTERN_BYTES_MAX)
        at_script_raise(L, "the pattern is longer than %d bytes", AT_PATTERN_BYTES_MAX);
    if (subject_length > AT_SCRIPT_POLL_BYTES) at_script_poll(L);
    at_pattern_init(m, subject, subject_length, pattern, pattern_length, has_anchor);
    m->is_over = is_over;
    m->arg = at_script_of(L);
}

static void check(lua_State *L, const struct at_pattern *m) {
    if (!m->error) return;
    if (m->was_stopped) at_script_limiter_stop(L, AT_SCRIPT_END_STOPPED);
    char text[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, m->error, m->error_index); /* formats of pattern.c */
#pragma GCC diagnostic pop
    at_script_raise(L, "%s", text);
}

static void push_capture(lua_State *L, struct at_pattern *m, int index, const char *s, const char *e) {
    const char *start;
    ptrdiff_t length = at_pattern_capture(m, index, s, e, &start);
    check(L, m);
    if (length == AT_CAPTURE_POSITION)
        lua_pushinteger(L, start - m->subject + 1);
    else
        lua_pushlstring(L, start, (size_t)length);
}

static int push_captures(lua_State *L, struct at_pattern *m, const char *s, const char *e, bool wants_whole) {
    int count = m->level == 0 && wants_whole ? 1 : m->level;
    luaL_checkstack(L, count, "too many captures");
    for (int i = 0; i < count; i++) push_capture(L, m, i, s, e);
    return count;
}

static bool is_plain(const struct at_pattern *m) {
    for (const char *c = m->pattern; c < m->pattern_end; c++)
        if (strchr("^$*+?.([%-", *c) && *c) return false;
    return !m->is_anchored;
}

static int find_plain(lua_State *L, const struct at_pattern *m, size_t from, size_t subject_length) {
    size_t length;
    const char *needle = lua_tolstring(L, 2, &length);
    const char *found = memmem(m->subject + from - 1, subject_length - from + 1, needle, length);
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, found - m->subject + 1);
    lua_pushinteger(L, found - m->subject + (lua_Integer)length);
    return 2;
}

static int search(lua_State *L, bool is_find) {
    struct at_pattern m;
    begin(L, &m, true);
    size_t length = (size_t)(m.subject_end - m.subject),
           from = at_script_start_position(luaL_optinteger(L, 3, 1), length);
    if (from > length + 1) {
        lua_pushnil(L);
        return 1;
    }
    if (is_find && (lua_toboolean(L, 4) || is_plain(&m))) return find_plain(L, &m, from, length);
    const char *s = m.subject + from - 1;
    do {
        const char *e = at_pattern_match(&m, s);
        check(L, &m);
        if (!e) continue;
        if (!is_find) return push_captures(L, &m, s, e, true);
        lua_pushinteger(L, s - m.subject + 1);
        lua_pushinteger(L, e - m.subject);
        return push_captures(L, &m, s, e, false) + 2;
    } while (s++ < m.subject_end && !m.is_anchored);
    lua_pushnil(L);
    return 1;
}
static int l_find(lua_State *L) {
    return search(L, true);
}
static int l_match(lua_State *L) {
    return search(L, false);
}

/* ---- gmatch: upvalues are the texts, the place to go on, the end of the last match ---- */

static int next_match(lua_State *L) {
    struct at_pattern m;
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, lua_upvalueindex(2));
    begin(L, &m, false);
    lua_Integer from = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));
    for (const char *s = m.subject + from; s <= m.subject_end; s++) {
        const char *e = at_pattern_match(&m, s);
        check(L, &m);
        if (!e || e - m.subject == last) continue;
        lua_pushinteger(L, e - m.subject);
        lua_pushvalue(L, -1);
        lua_replace(L, lua_upvalueindex(3));
        lua_replace(L, lua_upvalueindex(4));
        return push_captures(L, &m, s, e, true);
    }
    lua_pushinteger(L, m.subject_end - m.subject + 1);
    lua_replace(L, lua_upvalueindex(3));
    return 0;
}

static int l_gmatch(lua_State *L) {
    size_t length;
    luaL_checklstring(L, 1, &length);
    luaL_checkstring(L, 2);
    size_t from = at_script_start_position(luaL_optinteger(L, 3, 1), length) - 1;
    lua_settop(L, 2);
    lua_pushinteger(L, from > length ? (lua_Integer)length + 1 : (lua_Integer)from);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, next_match, 4);
    return 1;
}

/* ---- gsub ---- */

static void add_template(lua_State *L, struct at_pattern *m, struct at_script_buffer *buffer, const char *s,
                         const char *e) {
    size_t length;
    const char *text = lua_tolstring(L, 3, &length);
    m->next_poll -= length < m->next_poll ? length : m->next_poll; /* work too, even if it adds nothing */
    for (size_t i = 0; i < length; i++) {
        at_script_poll_at(L, i);
        if (text[i] != '%') {
            at_script_buffer_add(buffer, text + i, 1);
            continue;
        }
        i++;
        if (i < length && text[i] == '%')
            at_script_buffer_add(buffer, "%", 1);
        else if (i < length && text[i] == '0')
            at_script_buffer_add(buffer, s, (size_t)(e - s));
        else if (i < length && text[i] >= '1' && text[i] <= '9') {
            size_t n;
            push_capture(L, m, text[i] - '1', s, e);
            const char *capture = lua_tolstring(L, -1, &n);
            at_script_buffer_add(buffer, capture, n);
            lua_pop(L, 1);
        } else
            at_script_raise(L, "invalid use of '%%' in replacement string");
    }
}

static void add_value(lua_State *L, struct at_pattern *m, struct at_script_buffer *buffer, const char *s,
                      const char *e) {
    size_t length;
    switch (lua_type(L, 3)) {
    case LUA_TFUNCTION:
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(L, m, s, e, true), 1);
        break;
    case LUA_TTABLE:
        push_capture(L, m, 0, s, e);
        lua_gettable(L, 3);
        break;
    default: add_template(L, m, buffer, s, e); return;
    }
    if (!lua_toboolean(L, -1))
        at_script_buffer_add(buffer, s, (size_t)(e - s));
    else if (!lua_isstring(L, -1))
        at_script_raise(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    else {
        const char *text = lua_tolstring(L, -1, &length);
        at_script_buffer_add(buffer, text, length);
    }
    lua_pop(L, 1);
}

static int l_gsub(lua_State *L) {
    struct at_pattern m;
    struct at_script_buffer buffer;
    begin(L, &m, true);
    int type = lua_type(L, 3);
    luaL_argexpected(
        L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
        "string/function/table");
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)(m.subject_end - m.subject) + 1), count = 0;
    const char *s = m.subject, *last = NULL;
    at_script_buffer_init(&buffer, L);
    while (count < most) {
        const char *e = at_pattern_match(&m, s);
        check(L, &m);
        if (e && e != last) {
            count++;
            add_value(L, &m, &buffer, s, e);
            s = last = e;
        } else if (s < m.subject_end)
            at_script_buffer_add(&buffer, s++, 1);
        else
            break;
        if (m.is_anchored) break;
    }
    at_script_buffer_add(&buffer, s, (size_t)(m.subject_end - s));
    at_script_buffer_push(&buffer);
    lua_pushinteger(L, count);
    return 2;
}

const luaL_Reg at_script_find_functions[] = {
    {"find", l_find}, {"gmatch", l_gmatch}, {"gsub", l_gsub}, {"match", l_match}, {NULL, NULL}};
