/* SPDX-License-Identifier: Apache-2.0
 *
 * math without randomness, and utf8, strict.
 */
#include "script/internal.h"

#include <math.h>
#include <stdlib.h>

static void push_whole(lua_State *L, lua_Number value) {
    lua_Integer whole;
    if (lua_numbertointeger(value, &whole))
        lua_pushinteger(L, whole);
    else
        lua_pushnumber(L, value);
}

static int l_abs(lua_State *L) {
    if (lua_isinteger(L, 1)) {
        lua_Integer n = lua_tointeger(L, 1);
        lua_pushinteger(L, n < 0 ? (lua_Integer)(0u - (lua_Unsigned)n) : n);
    } else
        lua_pushnumber(L, fabs(luaL_checknumber(L, 1)));
    return 1;
}
static int l_round_down(lua_State *L) {
    if (lua_isinteger(L, 1))
        lua_settop(L, 1);
    else
        push_whole(L, floor(luaL_checknumber(L, 1)));
    return 1;
}
static int l_round_up(lua_State *L) {
    if (lua_isinteger(L, 1))
        lua_settop(L, 1);
    else
        push_whole(L, ceil(luaL_checknumber(L, 1)));
    return 1;
}

#define ONE(name, fn)                                                                                        \
    static int name(lua_State *L) {                                                                          \
        lua_pushnumber(L, fn(luaL_checknumber(L, 1)));                                                       \
        return 1;                                                                                            \
    }
#define PI 3.141592653589793238462643383279502884
static double to_degrees(double x) {
    return x * (180.0 / PI);
}
static double to_radians(double x) {
    return x * (PI / 180.0);
}
ONE(l_deg, to_degrees)
ONE(l_rad, to_radians)
ONE(l_sqrt, sqrt)
ONE(l_exp, exp)
ONE(l_sin, sin)
ONE(l_cos, cos)
ONE(l_tan, tan)
ONE(l_asin, asin)
ONE(l_acos, acos)

static int l_atan(lua_State *L) {
    lua_pushnumber(L, atan2(luaL_checknumber(L, 1), luaL_optnumber(L, 2, 1)));
    return 1;
}
static int l_log(lua_State *L) {
    lua_Number x = luaL_checknumber(L, 1);
    if (lua_isnoneornil(L, 2))
        lua_pushnumber(L, log(x));
    else {
        lua_Number base = luaL_checknumber(L, 2);
        lua_pushnumber(L, base == 2 ? log2(x) : base == 10 ? log10(x) : log(x) / log(base));
    }
    return 1;
}
static int l_fmod(lua_State *L) {
    if (lua_isinteger(L, 1) && lua_isinteger(L, 2)) {
        lua_Integer d = lua_tointeger(L, 2);
        luaL_argcheck(L, d != 0, 2, "zero");
        lua_pushinteger(L, d == -1 ? 0 : lua_tointeger(L, 1) % d);
    } else
        lua_pushnumber(L, fmod(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));
    return 1;
}
static int l_modf(lua_State *L) {
    if (lua_isinteger(L, 1)) {
        lua_settop(L, 1);
        lua_pushnumber(L, 0);
        return 2;
    }
    lua_Number x = luaL_checknumber(L, 1), whole = x < 0 ? ceil(x) : floor(x);
    push_whole(L, whole);
    lua_pushnumber(L, x == whole ? 0 : x - whole);
    return 2;
}
static int l_tointeger(lua_State *L) {
    int is_whole;
    lua_Integer n = lua_tointegerx(L, 1, &is_whole);
    if (is_whole)
        lua_pushinteger(L, n);
    else {
        luaL_checkany(L, 1);
        lua_pushnil(L);
    }
    return 1;
}
static int l_type(lua_State *L) {
    luaL_checkany(L, 1);
    if (lua_type(L, 1) == LUA_TNUMBER)
        lua_pushstring(L, lua_isinteger(L, 1) ? "integer" : "float");
    else
        lua_pushnil(L);
    return 1;
}
static int l_ult(lua_State *L) {
    lua_pushboolean(L, (lua_Unsigned)luaL_checkinteger(L, 1) < (lua_Unsigned)luaL_checkinteger(L, 2));
    return 1;
}
static int extreme(lua_State *L, int op_is_max) {
    int count = lua_gettop(L), best = 1;
    luaL_checknumber(L, 1);
    for (int i = 2; i <= count; i++) {
        luaL_checknumber(L, i);
        if (op_is_max ? lua_compare(L, best, i, LUA_OPLT) : lua_compare(L, i, best, LUA_OPLT)) best = i;
    }
    lua_pushvalue(L, best);
    return 1;
}
static int l_min(lua_State *L) {
    return extreme(L, 0);
}
static int l_max(lua_State *L) {
    return extreme(L, 1);
}

void at_script_open_math(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {{"abs", l_abs},   {"ceil", l_round_up}, {"floor", l_round_down},
                                         {"sqrt", l_sqrt}, {"exp", l_exp},       {"log", l_log},
                                         {"sin", l_sin},   {"cos", l_cos},       {"tan", l_tan},
                                         {"asin", l_asin}, {"acos", l_acos},     {"atan", l_atan},
                                         {"fmod", l_fmod}, {"modf", l_modf},     {"tointeger", l_tointeger},
                                         {"type", l_type}, {"ult", l_ult},       {"min", l_min},
                                         {"max", l_max},   {"deg", l_deg},       {"rad", l_rad},
                                         {NULL, NULL}};
    lua_createtable(L, 0, 32);
    luaL_setfuncs(L, FUNCTIONS, 0);
    lua_pushnumber(L, PI);
    lua_setfield(L, -2, "pi");
    lua_pushnumber(L, HUGE_VAL);
    lua_setfield(L, -2, "huge");
    lua_pushinteger(L, LUA_MAXINTEGER);
    lua_setfield(L, -2, "maxinteger");
    lua_pushinteger(L, LUA_MININTEGER);
    lua_setfield(L, -2, "mininteger");
}

/* ---- utf8 ---- */

/* The bytes of one valid character at s; 0: none. */
static size_t decode(const unsigned char *s, size_t left, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : s[0] >= 0xC2 ? 2 : 0;
    if (!n || n > left || s[0] > 0xF4) return 0;
    uint32_t value = n == 1 ? s[0] : s[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (s[i] & 0x3F);
    }
    if (value < least[n] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 0;
    *code = value;
    return n;
}

static lua_Integer from_start(lua_Integer position, size_t length) {
    if (position >= 0) return position;
    return position < -(lua_Integer)length ? 0 : (lua_Integer)length + position + 1;
}

/* Arguments 2 and 3 as bytes *from (counted from 0) up to before *to; last 0: as argument 2. Strict as stock.
 */
static void read_range(lua_State *L, size_t length, lua_Integer last, size_t *from, size_t *to) {
    lua_Integer start = from_start(luaL_optinteger(L, 2, 1), length);
    lua_Integer end = from_start(luaL_optinteger(L, 3, last ? last : start), length);
    luaL_argcheck(L, start >= 1 && start <= (lua_Integer)length + (last != 0), 2,
                  "initial position out of bounds");
    luaL_argcheck(L, end <= (lua_Integer)length, 3, "final position out of bounds");
    *from = (size_t)start - 1;
    *to = (size_t)end;
}

static int l_utf8_len(lua_State *L) {
    size_t length;
    const unsigned char *text = (const unsigned char *)luaL_checklstring(L, 1, &length);
    size_t from, to;
    read_range(L, length, -1, &from, &to);
    lua_Integer count = 0;
    for (size_t i = from; i < to;) {
        uint32_t code;
        at_script_poll_at(L, (lua_Unsigned)count);
        size_t n = decode(text + i, length - i, &code);
        if (!n) {
            lua_pushnil(L);
            lua_pushinteger(L, (lua_Integer)i + 1);
            return 2;
        }
        i += n;
        count++;
    }
    lua_pushinteger(L, count);
    return 1;
}

static int l_codepoint(lua_State *L) {
    size_t length;
    const unsigned char *text = (const unsigned char *)luaL_checklstring(L, 1, &length);
    size_t from, to;
    read_range(L, length, 0, &from, &to);
    int count = 0;
    for (size_t i = from; i < to; count++) {
        uint32_t code;
        size_t n = decode(text + i, length - i, &code);
        if (!n) return at_script_raise(L, "invalid UTF-8 code");
        if (count >= 1000) return at_script_raise(L, "utf8.codepoint gives at most 1,000 values at once");
        luaL_checkstack(L, 1, "string slice too long");
        lua_pushinteger(L, code);
        i += n;
    }
    return count;
}

static void push_utf8(lua_State *L, int arg, char out[4], size_t *n) {
    lua_Unsigned code = (lua_Unsigned)luaL_checkinteger(L, arg);
    luaL_argcheck(L, code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF), arg, "value out of range");
    *n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (*n == 1)
        out[0] = (char)code;
    else {
        for (size_t i = *n - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
        out[0] = (char)(0xF00u >> *n | code);
    }
}

static int l_utf8_char(lua_State *L) {
    struct at_script_buffer buffer;
    int count = lua_gettop(L);
    at_script_buffer_init(&buffer, L);
    for (int i = 1; i <= count; i++) {
        char bytes[4];
        size_t n;
        push_utf8(L, i, bytes, &n);
        at_script_buffer_add(&buffer, bytes, n);
    }
    at_script_buffer_push(&buffer);
    return 1;
}

static bool is_inside(char c) {
    return ((unsigned char)c & 0xC0) == 0x80;
}

static int l_offset(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer n = luaL_checkinteger(L, 2), at = luaL_optinteger(L, 3, n >= 0 ? 1 : (lua_Integer)length + 1);
    if (at < 0) at = (lua_Integer)length + at + 1;
    luaL_argcheck(L, at >= 1 && at <= (lua_Integer)length + 1, 3, "position out of bounds");
    at--;
    if (n == 0) {
        while (at > 0 && at < (lua_Integer)length && is_inside(text[at])) at--;
    } else {
        if (at < (lua_Integer)length && is_inside(text[at]))
            return at_script_raise(L, "initial position is a continuation byte");
        for (; n < 0 && at > 0; n++) do
                at--;
            while (at > 0 && is_inside(text[at]));
        for (n -= n > 0; n > 0 && at < (lua_Integer)length; n--) do
                at++;
            while (at < (lua_Integer)length && is_inside(text[at]));
    }
    if (n == 0)
        lua_pushinteger(L, at + 1);
    else
        lua_pushnil(L);
    return 1;
}

static int next_code(lua_State *L) {
    size_t length;
    const unsigned char *text = (const unsigned char *)luaL_checklstring(L, 1, &length);
    lua_Unsigned at = (lua_Unsigned)lua_tointeger(L, 2); /* a script may call it with anything */
    uint32_t code;
    if (at > length) return 0;
    if (at > 0) {
        size_t n = decode(text + at - 1, length - at + 1, &code);
        at += n ? n : 1;
    } else
        at = 1;
    if (at > length) return 0;
    if (!decode(text + at - 1, length - at + 1, &code)) return at_script_raise(L, "invalid UTF-8 code");
    lua_pushinteger(L, (lua_Integer)at);
    lua_pushinteger(L, code);
    return 2;
}

static int l_codes(lua_State *L) {
    luaL_checkstring(L, 1);
    lua_pushcfunction(L, next_code);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

void at_script_open_utf8(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {{"char", l_utf8_char}, {"codepoint", l_codepoint},
                                         {"codes", l_codes},    {"len", l_utf8_len},
                                         {"offset", l_offset},  {NULL, NULL}};
    lua_createtable(L, 0, 8);
    luaL_setfuncs(L, FUNCTIONS, 0);
    lua_pushlstring(L, "[\0-\x7F\xC2-\xFD][\x80-\xBF]*", 14);
    lua_setfield(L, -2, "charpattern");
}
