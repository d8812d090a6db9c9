/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of the language: each stands here once, under what it is and whether this version has it. The
 * checks of a file, the nouns of scripts and of shop.lua and the refusals of later versions read these lists.
 */
#include <string.h>
#include "base/utf8.h"
#include "language/state.h"

#define OF_LUA                                                                                               \
    "assert", "error", "ipairs", "pairs", "next", "select", "tonumber", "tostring", "type", "pcall",         \
        "xpcall", "print", "math", "string", "table", "utf8", "require"
/* take columns */
#define COLUMN_WORDS "when", "min", "max", "clamp", "log", "sqrt", "normalize", "rank_of", "all", "any", "no"
#define TIME_WORDS   "seconds", "minutes", "hours", "days", "weeks", "now"
#define NOUNS        "ranking", "rail", "segment", "test"
#define LATER_NOUNS                                                                                          \
    "recommendation", "search", "creative", "offer", "generate", "experiment", "metric", "flow", "channel",  \
        "assistant"
#define LATER_WORDS                                                                                          \
    "wait", "wait_until", "wait_for", "wait_any", "set_trait", "track", "remember", "undo", "restart_with",  \
        "learn", "generated", "event", "after", "entered", "left", "date", "bought_together", "similar_to",  \
        "secret", "random", "send", "http"
#define TEST_WORDS "expect"
/* of shop.lua */
#define SETTINGS       "shop", "keys", "attributes", "consent", "identity", "retention", "sources", "env", "file"
#define LATER_SETTINGS "email", "models", "secrets", "markets"

const char *const at_word_names[] = {COLUMN_WORDS, NULL};
const char *const noun_names[] = {NOUNS, NULL};
const char *const later_names[] = {LATER_NOUNS, LATER_WORDS, NULL};
const char *const setting_names[] = {SETTINGS, LATER_SETTINGS, NULL};
const char *const later_setting_names[] = {LATER_SETTINGS, NULL};
const char *const at_global_names[] = {OF_LUA,      COLUMN_WORDS, TIME_WORDS, NOUNS,          TEST_WORDS,
                                       LATER_NOUNS, LATER_WORDS,  SETTINGS,   LATER_SETTINGS, NULL};

int l_later(lua_State *L) {
    return at_script_raise(L, "%s is not in this version", lua_tostring(L, lua_upvalueindex(1)));
}

void set_named(lua_State *L, const char *const *names, lua_CFunction function) {
    for (; *names; names++) {
        lua_pushstring(L, *names);
        lua_pushcclosure(L, function, 1);
        lua_setfield(L, -2, *names);
    }
}

bool is_named(const char *name, const char *const *names) {
    for (; *names; names++)
        if (strcmp(*names, name) == 0) return true;
    return false;
}

/* Of the keys that are not known the first by name (the order of a table is none); "" a key that is no name;
 * NULL: all are known. The text belongs to the table. */
static const char *first_unknown(lua_State *L, int table, const char *const *known) {
    const char *first = NULL;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (!is_named(name, known) && (!first || strcmp(name, first) < 0)) first = name;
    }
    return first;
}

void check_known(lua_State *L, int table, const char *what, const char *const *known,
                 const char *const *later) {
    const char *name = first_unknown(L, table, known), *space = strchr(what, ' ');
    size_t count = 0;
    if (!name) return;
    while (known[count]) count++;
    if (!*name) at_script_raise(L, "%s has named fields only: write name = value", what);
    if (later && is_named(name, later))
        at_script_raise(L, "%s.%s is not in this version", space ? space + 1 : what, name);
    const char *nearest = at_suggest(name, known, count);
    if (nearest) at_script_raise(L, "%s has no field \"%s\" — did you mean \"%s\"?", what, name, nearest);
    at_script_raise(L, "%s has no field \"%s\"", what, name);
}
