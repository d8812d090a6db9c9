/* SPDX-License-Identifier: Apache-2.0
 *
 * expect(value):is "x" and its kin. What the methods of values mean is theirs (words.c); here they are asked,
 * lists and products are compared besides, and what did not hold is kept in words with its line: also where a
 * test catches the error.
 */
#include <string.h>
#include "base/utf8.h"
#include "language/world.h"

static const char expectation_key, *const expectation_address = &expectation_key;

/* ---- words ---- */

struct words {
    char *text;
    size_t size, length;
};

static void say(struct words *words, const char *text, size_t length) {
    size_t room = words->size - words->length - 1;
    if (length > room) length = room;
    while (length && length == room && ((unsigned char)text[length - 1] & 0xC0) == 0x80) length--;
    memcpy(words->text + words->length, text, length);
    words->length += length;
    words->text[words->length] = 0;
}
static void say_text(struct words *words, const char *text) {
    say(words, text, strlen(text));
}

static void describe(lua_State *L, int at, struct words *words, int depth);

static void describe_list(lua_State *L, int at, struct words *words, int depth) {
    lua_Integer count = luaL_len(L, at);
    say_text(words, count ? "{ " : "{");
    for (lua_Integer i = 1; i <= count && i <= 12; i++) {
        if (i > 1) say_text(words, ", ");
        lua_geti(L, at, i);
        describe(L, lua_gettop(L), words, depth + 1);
        lua_pop(L, 1);
    }
    say_text(words, count > 12 ? ", … }" : count ? " }" : "}");
}

/* As a person would say it: nothing, "text", a product by its id. */
static void describe(lua_State *L, int at, struct words *words, int depth) {
    size_t length;
    uint32_t index;
    int type = lua_type(L, at);
    bool is_list = type == LUA_TTABLE || (type == LUA_TLIGHTUSERDATA && view_at(L, at, &index) == VIEW_LIST);
    luaL_checkstack(L, 4, "nested lists");
    if (type == LUA_TNIL) return say_text(words, "nothing");
    if (type == LUA_TBOOLEAN) return say_text(words, lua_toboolean(L, at) ? "true" : "false");
    if (type == LUA_TNUMBER) {
        char number[32];
        snprintf(number, sizeof number, "%.14g", lua_tonumber(L, at));
        return say_text(words, number);
    }
    if (is_list && depth < 4) return describe_list(L, at, words, depth);
    const char *text = luaL_tolstring(L, at, &length);
    if (type == LUA_TSTRING) say_text(words, "\"");
    say(words, text, length);
    if (type == LUA_TSTRING) say_text(words, "\"");
    lua_pop(L, 1);
}

/* ---- comparing ---- */

/* What equality looks at: of a product its id. Pushes it. */
static void push_plain(lua_State *L, int at) {
    uint32_t index;
    lua_pushvalue(L, at);
    if (lua_type(L, at) != LUA_TLIGHTUSERDATA || view_at(L, at, &index) != VIEW_PRODUCT) return;
    product_tostring(L, language_of(L)->rows[index]);
    lua_remove(L, -2);
}

static bool is_list(lua_State *L, int at) {
    uint32_t index;
    return lua_type(L, at) == LUA_TTABLE ||
           (lua_type(L, at) == LUA_TLIGHTUSERDATA && view_at(L, at, &index) == VIEW_LIST);
}

static bool call_method(lua_State *L, const char *name, int first, int count) {
    push_methods(L);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    for (int i = 0; i < count; i++) lua_pushvalue(L, first + i);
    lua_call(L, count, 1);
    bool holds = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return holds;
}

static bool is_equal(lua_State *L, int a, int b, int depth);

static bool are_equal_tables(lua_State *L, int a, int b, int depth) {
    bool is_same = luaL_len(L, a) == luaL_len(L, b) && depth < 8;
    for (lua_Integer i = 1, count = is_same ? luaL_len(L, a) : 0; i <= count && is_same; i++) {
        lua_geti(L, a, i);
        lua_geti(L, b, i);
        is_same = is_equal(L, lua_gettop(L) - 1, lua_gettop(L), depth + 1);
        lua_pop(L, 2);
    }
    if (lua_type(L, a) != LUA_TTABLE || lua_type(L, b) != LUA_TTABLE) return is_same;
    for (int turn = 0; turn < 2; turn++) /* names: what one has the other has, too */
        for (lua_pushnil(L); lua_next(L, turn ? b : a); lua_pop(L, 1)) {
            if (lua_type(L, -2) != LUA_TSTRING) continue;
            lua_pushvalue(L, -2);
            lua_rawget(L, turn ? a : b);
            is_same = is_same && is_equal(L, lua_gettop(L) - 1, lua_gettop(L), depth + 1);
            lua_pop(L, 1);
        }
    return is_same;
}

static bool is_equal(lua_State *L, int a, int b, int depth) {
    luaL_checkstack(L, 10, "nested lists");
    if (lua_isnil(L, a) || lua_isnil(L, b)) return lua_isnil(L, a) && lua_isnil(L, b);
    if (is_list(L, a) != is_list(L, b)) return false;
    if (is_list(L, a)) return are_equal_tables(L, a, b, depth);
    push_plain(L, a);
    push_plain(L, b);
    int top = lua_gettop(L);
    bool are_views = lua_type(L, top) == LUA_TLIGHTUSERDATA || lua_type(L, top - 1) == LUA_TLIGHTUSERDATA,
         is_mixed = lua_type(L, top) != lua_type(L, top - 1);
    bool is_same = lua_rawequal(L, top - 1, top);
    if (!is_same && is_mixed && !are_views) /* a time as a number and as it is said */
        is_same = call_method(L, "is", top - 1, 2);
    lua_settop(L, top - 2);
    return is_same;
}

static bool contains_one(lua_State *L, int list, int wanted) {
    bool found = false;
    for (lua_Integer i = 1, count = luaL_len(L, list); i <= count && !found; i++) {
        lua_geti(L, list, i);
        found = is_equal(L, lua_gettop(L), wanted, 0);
        lua_pop(L, 1);
        at_script_poll(L);
    }
    return found;
}

/* As of a product's list: several wanted, one of them is enough. */
static bool contains(lua_State *L, int list, int wanted) {
    if (!is_list(L, wanted)) return contains_one(L, list, wanted);
    bool found = false;
    for (lua_Integer i = 1, count = luaL_len(L, wanted); i <= count && !found; i++) {
        lua_geti(L, wanted, i);
        found = contains_one(L, list, lua_gettop(L));
        lua_pop(L, 1);
    }
    return found;
}

/* ---- keeps { by = "brand", at_most = 2, within = 8 } ---- */

static uint32_t whole_field(lua_State *L, int table, const char *name) {
    lua_Number value = lua_getfield(L, table, name) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    if (value < 1 || value > 1000 || value != (lua_Number)(uint32_t)value)
        at_script_raise(L, "keeps.%s is a whole number from 1", name);
    lua_pop(L, 1);
    return (uint32_t)value;
}

static bool has_value(lua_State *L, int list, lua_Integer at, const char *by, int wanted) {
    lua_geti(L, list, at);
    lua_getfield(L, -1, by);
    bool is_same = !lua_isnil(L, -1) && is_equal(L, lua_gettop(L), wanted, 0);
    lua_pop(L, 2);
    return is_same;
}

/* Of one value at most so many among neighbours. */
static bool keeps(lua_State *L, int list, int table) {
    check_known(L, table, "Keeps", NULL);
    if (lua_getfield(L, table, "by") != LUA_TSTRING)
        at_script_raise(L, "write expect(list):keeps { by = \"brand\", at_most = 2, within = 8 }");
    const char *by = lua_tostring(L, -1);
    uint32_t at_most = whole_field(L, table, "at_most"), within = whole_field(L, table, "within");
    for (lua_Integer i = 1, count = luaL_len(L, list); i <= count; i++) {
        uint32_t same = 0;
        lua_geti(L, list, i);
        lua_getfield(L, -1, by);
        for (lua_Integer k = i; k <= count && k < i + within; k++)
            same += has_value(L, list, k, by, lua_gettop(L));
        lua_pop(L, 2);
        if (same > at_most) return false;
        at_script_poll(L);
    }
    return true;
}

/* ---- the expectations: the value at 2, what is expected from 3 ---- */

static bool holds_order(lua_State *L, const char *name, int count) {
    if (is_list(L, 2)) at_script_raise(L, "expect(…):%s is about one value, this is a list", name);
    return call_method(L, name, 2, count);
}

static bool holds(lua_State *L, const char *name) {
    if (strcmp(name, "is") == 0) return is_equal(L, 2, 3, 0);
    if (strcmp(name, "is_not") == 0) return !is_equal(L, 2, 3, 0);
    if (strcmp(name, "is_nil") == 0) return lua_isnil(L, 2);
    if (strcmp(name, "is_not_nil") == 0) return !lua_isnil(L, 2);
    if (strcmp(name, "between") == 0) return holds_order(L, name, 3);
    bool is_one_of = strcmp(name, "one_of") == 0, is_keeps = strcmp(name, "keeps") == 0;
    if (is_one_of && !is_list(L, 3)) return is_equal(L, 2, 3, 0);
    if (is_one_of) return contains_one(L, 3, 2);
    if (is_keeps && (!is_list(L, 2) || lua_type(L, 3) != LUA_TTABLE))
        at_script_raise(L, "write expect(list):keeps { by = \"brand\", at_most = 2, within = 8 }");
    if (is_keeps) return keeps(L, 2, 3);
    if (strcmp(name, "contains") == 0) return is_list(L, 2) ? contains(L, 2, 3) : call_method(L, name, 2, 2);
    if (strcmp(name, "lacks") == 0)
        return !(is_list(L, 2) ? contains(L, 2, 3) : call_method(L, "contains", 2, 2));
    return holds_order(L, name, 2);
}

static void say_expected(lua_State *L, const char *name, struct words *words) {
    static const struct {
        const char *name, *words;
    } said[] = {{"is", ""},
                {"is_not", "anything but "},
                {"above", "above "},
                {"below", "below "},
                {"at_least", "at least "},
                {"at_most", "at most "},
                {"between", "between "},
                {"contains", "a list with "},
                {"lacks", "a list without "},
                {"one_of", "one of "},
                {"is_nil", "nothing"},
                {"is_not_nil", "anything but nothing"},
                {"keeps", "at most "}};
    for (size_t i = 0; i < AT_LENGTH(said); i++)
        if (strcmp(said[i].name, name) == 0) say_text(words, said[i].words);
    if (strcmp(name, "keeps") == 0) {
        char text[120];
        lua_getfield(L, 3, "by");
        snprintf(text, sizeof text, "%u of one %.60s among %u neighbours", whole_field(L, 3, "at_most"),
                 lua_tostring(L, -1), whole_field(L, 3, "within"));
        lua_pop(L, 1);
        return say_text(words, text);
    }
    if (strstr(name, "nil")) return;
    describe(L, 3, words, 0);
    if (strcmp(name, "between") != 0) return;
    say_text(words, " and ");
    describe(L, 4, words, 0);
}

/* The nearest line of a script. */
static void note_place(lua_State *L, struct world_failure *failure) {
    lua_Debug ar;
    for (int level = 1; level < 20 && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline <= 0 || ar.source[0] != '@') continue;
        snprintf(failure->path, sizeof failure->path, "%s", ar.source + 1);
        failure->line = (uint32_t)ar.currentline;
        return;
    }
}

static int fail(lua_State *L, const char *name) {
    struct world_failure told = {.is_there = true}, *kept = &language_of(L)->world->failure;
    struct words expected = {told.expected, sizeof told.expected, 0}, got = {told.got, sizeof told.got, 0};
    say_expected(L, name, &expected);
    describe(L, 2, &got, 0);
    note_place(L, &told);
    if (!kept->is_there) *kept = told;
    return at_script_raise(L, "expected %s, got %s", told.expected, told.got);
}

static int l_expectation(lua_State *L) {
    const char *name = lua_tostring(L, lua_upvalueindex(1));
    struct at_world *world = language_of(L)->world;
    lua_settop(L, 3 + (strcmp(name, "between") == 0));
    if (!world || lua_type(L, 1) != LUA_TTABLE)
        return at_script_raise(L, "write expect(value):%s(…), with a colon", name);
    lua_rawgeti(L, 1, 1);
    lua_insert(L, 2);
    lua_settop(L, strcmp(name, "between") == 0 ? 4 : 3);
    world->expectations++;
    return holds(L, name) ? 0 : fail(L, name);
}

/* What expect(value) has not. */
static int l_unknown(lua_State *L) {
    return raise_field(L, "Expectation", lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?");
}

static int l_expect(lua_State *L) {
    if (!language_of(L)->world) return at_script_raise(L, "expect belongs in the run of a test");
    lua_settop(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, expectation_address);
    lua_setmetatable(L, -2);
    return 1;
}

void install_expect(lua_State *L) {
    lua_newtable(L); /* the metatable */
    lua_newtable(L); /* the methods */
    set_methods(L, "Expectation", l_expectation);
    lua_newtable(L);
    lua_pushcfunction(L, l_unknown);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
    lua_rawsetp(L, LUA_REGISTRYINDEX, expectation_address);
    at_script_push_globals(L);
    lua_pushcfunction(L, l_expect);
    lua_setfield(L, -2, "expect");
    lua_pop(L, 1);
}
