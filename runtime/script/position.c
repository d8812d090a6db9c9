/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a merchant's script stands, and the words of its error: the door's message handler and
 * at_script_raise use it. Nothing here allocates Lua memory but at_script_raise: it must work when memory is
 * out. Frames of our own Lua (stdlib/) are skipped, so that a message always points into a file the merchant
 * can open.
 */
#include "script/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define FRAMES_MAX 200

bool at_script_position_is_internal(const char *path) {
    return strncmp(path, AT_SCRIPT_INTERNAL_DIR, sizeof(AT_SCRIPT_INTERNAL_DIR) - 1) == 0;
}

static bool read_frame(lua_State *L, int level, lua_Debug *frame) {
    return lua_getstack(L, level, frame) && lua_getinfo(L, "Sl", frame);
}

bool at_script_position_find(lua_State *L, int level, struct at_script_where *out) {
    lua_Debug frame;
    for (int i = level; i < level + FRAMES_MAX && read_frame(L, i, &frame); i++) {
        if (frame.source[0] != '@' || frame.currentline <= 0) continue;
        if (at_script_position_is_internal(frame.source + 1)) continue;
        snprintf(out->path, sizeof(out->path), "%.*s", (int)sizeof(out->path) - 1, frame.source + 1);
        out->line = frame.currentline;
        return true;
    }
    return false;
}

const char *at_script_position_parse(const char *message, struct at_script_where *out) {
    const char *colon = strstr(message, ".lua:");
    if (!colon) return NULL;
    colon += 4;
    size_t length = (size_t)(colon - message);
    if (strcspn(message, " ") < strcspn(message, "/."))
        return NULL; /* words that lead to a path are not one */
    if (length >= sizeof(out->path) || memchr(message, '\n', length) || memchr(message, '"', length))
        return NULL;
    char *end;
    long line = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || line <= 0 || line > 1000000 || end[0] != ':' || end[1] != ' ') return NULL;
    memcpy(out->path, message, length);
    out->path[length] = '\0';
    out->line = (int)line;
    return end + 2;
}

/* Lua cuts long paths to "...tail": find the frame it means and put the whole path there. */
static void widen_path(lua_State *L, struct at_script_where *where) {
    lua_Debug frame;
    if (strncmp(where->path, "...", 3) != 0) return;
    for (int i = 0; i < FRAMES_MAX && read_frame(L, i, &frame); i++) {
        if (frame.source[0] != '@' || strcmp(frame.short_src, where->path) != 0) continue;
        snprintf(where->path, sizeof(where->path), "%.*s", (int)sizeof(where->path) - 1, frame.source + 1);
        return;
    }
}

static void describe_value(lua_State *L, int index, char *out, size_t out_size) {
    if (lua_type(L, index) == LUA_TSTRING)
        snprintf(out, out_size, "%s", lua_tostring(L, index));
    else if (lua_isinteger(L, index))
        snprintf(out, out_size, LUA_INTEGER_FMT, lua_tointeger(L, index));
    else if (lua_type(L, index) == LUA_TNUMBER)
        snprintf(out, out_size, "%.14g", lua_tonumber(L, index));
    else
        snprintf(out, out_size, "error object of type %s", luaL_typename(L, index));
}

/* A message goes into JSON and logs: what is not UTF-8 (a script's bytes, a letter cut in two) reads "?". */
static void mend_text(char *text) {
    size_t bad;
    while (!at_utf8_valid(text, strlen(text), &bad)) text[bad] = '?';
}

void at_script_failure_note(lua_State *L, int index) {
    struct at_script *script = at_script_of(L);
    struct at_script_where where = {"", 0};
    char text[sizeof(script->failure)];
    describe_value(L, index, text, sizeof(text));
    const char *rest = at_script_position_parse(text, &where);
    if (rest) widen_path(L, &where);
    if (!rest || at_script_position_is_internal(where.path)) {
        struct at_script_where found;
        if (at_script_position_find(L, 0, &found)) where = found;
    }
    if (!rest) rest = text;
    mend_text(text); /* rest points into it */
    script->has_failure = true;
    script->failure_where = where;
    if (where.line)
        snprintf(script->failure, sizeof(script->failure), "%s:%d: %.380s", where.path, where.line, rest);
    else
        snprintf(script->failure, sizeof(script->failure), "%s", rest);
}

int at_script_raise(lua_State *L, const char *fmt, ...) {
    char text[sizeof(((struct at_error *)0)->message)];
    struct at_script_where where;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    luaL_checkstack(L, 4, NULL);
    if (at_script_position_find(L, 0, &where))
        lua_pushfstring(L, "%s:%d: %s", where.path, where.line, text);
    else
        lua_pushstring(L, text);
    return lua_error(L);
}
