/* SPDX-License-Identifier: Apache-2.0
 *
 * string.format, bounded, without addresses.
 */
#include "script/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One conversion of the format at *at (past '%'); copied into spec. */
static char read_spec(lua_State *L, const char **at, char spec[32]) {
    const char *begin = *at, *p = begin;
    while (*p && strchr("-+ #0", *p)) p++;
    if (p - begin > 5) at_script_raise(L, "invalid conversion '%%%.20s' to 'format'", begin);
    for (int digits = 0; *p >= '0' && *p <= '9'; p++)
        if (++digits > 2) at_script_raise(L, "invalid conversion '%%%.20s' to 'format'", begin);
    if (*p == '.') {
        p++;
        for (int digits = 0; *p >= '0' && *p <= '9'; p++)
            if (++digits > 2) at_script_raise(L, "invalid conversion '%%%.20s' to 'format'", begin);
    }
    spec[0] = '%';
    memcpy(spec + 1, begin, (size_t)(p - begin));
    spec[p - begin + 1] = 0;
    *at = p + (*p != 0);
    return *p;
}

static void add_quoted(lua_State *L, struct at_script_buffer *buffer, int arg) {
    size_t length;
    char number[64];
    if (lua_isinteger(L, arg)) {
        lua_Integer value = lua_tointeger(L, arg); /* the least one reads back as a float if decimal */
        int n = snprintf(number, sizeof number, value == LUA_MININTEGER ? "0x%llx" : LUA_INTEGER_FMT, value);
        at_script_buffer_add(buffer, number, (size_t)n);
        return;
    }
    if (lua_type(L, arg) == LUA_TNUMBER) {
        double value = lua_tonumber(L, arg);
        int n = isfinite(value) ? snprintf(number, sizeof number, "%a", value)
                                : snprintf(number, sizeof number, "%s",
                                           isnan(value) ? "(0/0)"
                                           : value > 0  ? "1e9999"
                                                        : "-1e9999");
        at_script_buffer_add(buffer, number, (size_t)n);
        return;
    }
    if (lua_type(L, arg) != LUA_TSTRING) {
        const char *text = at_script_push_text(L, arg, &length);
        at_script_buffer_add(buffer, text, length);
        lua_pop(L, 1);
        return;
    }
    const char *text = lua_tolstring(L, arg, &length);
    at_script_buffer_add(buffer, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        bool digit_follows = i + 1 < length && text[i + 1] >= '0' && text[i + 1] <= '9';
        if (c == '"' || c == '\\' || c == '\n') {
            at_script_buffer_add(buffer, "\\", 1);
            at_script_buffer_add(buffer, (const char *)&c, 1);
        } else if (c < 32 || c == 127) {
            int n = snprintf(number, sizeof number, digit_follows ? "\\%03d" : "\\%d", c);
            at_script_buffer_add(buffer, number, (size_t)n);
        } else
            at_script_buffer_add(buffer, (const char *)&c, 1);
    }
    at_script_buffer_add(buffer, "\"", 1);
}

static void add_text(lua_State *L, struct at_script_buffer *buffer, int arg, char *spec) {
    size_t length;
    const char *text = at_script_push_text(L, arg, &length);
    if (!spec[1] || (length >= 100 && !strchr(spec, '.')))
        at_script_buffer_add(buffer, text, length);
    else {
        if (memchr(text, 0, length)) at_script_raise(L, "string contains zeros");
        strcat(spec, "s"); /* check: bounded by read_spec */
        char *room = at_script_buffer_room(buffer, length + 128);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buffer->length += (size_t)snprintf(room, length + 128, spec, text);
#pragma GCC diagnostic pop
    }
    lua_pop(L, 1);
}

static void add_number(lua_State *L, struct at_script_buffer *buffer, int arg, char *spec, char conversion) {
    char *room = at_script_buffer_room(buffer, 512);
    size_t end = strlen(spec);
    bool is_integer = strchr("dioxX", conversion) != NULL;
    if (is_integer) {
        memcpy(spec + end, "ll", 2);
        end += 2;
    }
    spec[end] = conversion == 'i' ? 'd' : conversion;
    spec[end + 1] = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int n = is_integer ? snprintf(room, 512, spec, luaL_checkinteger(L, arg))
                       : snprintf(room, 512, spec, luaL_checknumber(L, arg));
#pragma GCC diagnostic pop
    if (n < 0 || n >= 512) at_script_raise(L, "the number is too long to format");
    buffer->length += (size_t)n;
}

int at_script_format(lua_State *L) {
    size_t length;
    const char *at = luaL_checklstring(L, 1, &length), *end = at + length;
    struct at_script_buffer buffer;
    int top = lua_gettop(L), arg = 1;
    at_script_buffer_init(&buffer, L);
    while (at < end) {
        char spec[32];
        if (*at != '%') {
            at_script_buffer_add(&buffer, at++, 1);
            continue;
        }
        if (*++at == '%') {
            at_script_buffer_add(&buffer, at++, 1);
            continue;
        }
        char conversion = read_spec(L, &at, spec);
        if (++arg > top) return luaL_argerror(L, arg, "no value");
        at_script_poll(L);
        if (conversion == 'c') {
            char c = (char)luaL_checkinteger(L, arg);
            at_script_buffer_add(&buffer, &c, 1);
        } else if (conversion == 'q')
            add_quoted(L, &buffer, arg);
        else if (conversion == 's')
            add_text(L, &buffer, arg, spec);
        else if (conversion && strchr("dioxXeEfFgGaA", conversion))
            add_number(L, &buffer, arg, spec, conversion);
        else
            return at_script_raise(L, "invalid conversion '%s%c' to 'format'", spec,
                                   conversion ? conversion : ' ');
    }
    at_script_buffer_push(&buffer);
    return 1;
}
