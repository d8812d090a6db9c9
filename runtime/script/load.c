/* SPDX-License-Identifier: Apache-2.0
 *
 * Source into a function: text only, checked before Lua's own compiler sees it, because deep index chains
 * crash it.
 */
#include "script/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct source {
    const char *text;
    size_t length;
};

/* False: why, in out, and the line. */
static bool prepare(struct source *source, char *out, size_t out_size, int *line) {
    size_t bad;
    *line = 1;
    if (source->length > AT_SCRIPT_FILE_MAX) {
        snprintf(out, out_size, "the file has %zu bytes: a script may have %d", source->length,
                 AT_SCRIPT_FILE_MAX);
        return false;
    }
    if (source->length && source->text[0] == '\x1b') {
        snprintf(out, out_size, "this is compiled Lua: scripts are text");
        return false;
    }
    if (!at_utf8_valid(source->text, source->length, &bad)) {
        for (size_t i = 0; i < bad; i++) *line += source->text[i] == '\n';
        snprintf(out, out_size, "the file is not UTF-8 (byte %zu)", bad + 1);
        return false;
    }
    if (source->length >= 3 && memcmp(source->text, "\xEF\xBB\xBF", 3) == 0) {
        source->text += 3;
        source->length -= 3;
    }
    if (source->length >= 2 &&
        source->text[0] == '#') { /* the first line stays as an empty one, for the numbers */
        const char *end = memchr(source->text, '\n', source->length);
        size_t skipped = end ? (size_t)(end - source->text) : source->length;
        source->text += skipped;
        source->length -= skipped;
    }
    if (at_script_has_long_chain(source->text, source->length, line)) {
        snprintf(out, out_size, "more than %d fields of fields, or brackets in brackets, in one expression",
                 AT_SCRIPT_CHAIN_MAX);
        return false;
    }
    return true;
}

/* LUA_OK: the function is on the stack; else the message is. */
static int load_text(lua_State *L, const char *path, const char *text, size_t length) {
    struct source source = {text, length};
    char why[200], name[160];
    int line;
    luaL_checkstack(L, 6, NULL);
    if (!prepare(&source, why, sizeof why, &line)) {
        lua_pushfstring(L, "%s:%d: %s", path, line, why);
        return LUA_ERRSYNTAX;
    }
    snprintf(name, sizeof name, "@%.150s", path);
    int status = luaL_loadbufferx(L, source.text, source.length, name, "t");
    if (status != LUA_OK) return status;
    at_script_push_environment(L);
    lua_setupvalue(L, -2, 1);
    return LUA_OK;
}

void at_script_load(lua_State *L, const char *path, const char *text, size_t length) {
    int status = load_text(L, path, text, length);
    if (status == LUA_ERRMEM) at_script_limiter_stop(L, AT_SCRIPT_END_MEMORY);
    if (status != LUA_OK) lua_error(L);
}

struct compiling {
    const char *path, *text;
    size_t length;
};

static int compile(lua_State *L, void *arg) {
    const struct compiling *compiling = arg;
    at_script_load(L, compiling->path, compiling->text, compiling->length);
    lua_pop(L, 1);
    return 0;
}

#define COMPILE_BUDGET_NS (500 * 1000000ULL)

enum at_status at_script_compile(struct at_script *script, const char *path, const char *text, size_t length,
                                 int *line_out, struct at_error *err) {
    struct compiling compiling = {path, text, length};
    struct at_script_where where = {"", 0};
    enum at_status status = at_script_call(script, COMPILE_BUDGET_NS, compile, &compiling, &where, err);
    if (line_out) *line_out = where.line;
    return status == AT_FAILED ? AT_INVALID : status;
}
