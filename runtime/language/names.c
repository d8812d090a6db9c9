/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabulary in a running state: names that stand for functions, what a later version brings, fields of
 * the merchants' tables, and words that go by another name now.
 */
#include <string.h>
#include "language/state.h"
#include "language/vocabulary.h"

const struct at_word *global_words(void) {
    return at_vocabulary()->words;
}

static const struct at_owner *owner_named(const char *class_name) {
    const struct at_owner *owner = at_owner_of(at_text_of(class_name));
    AT_ASSERT(owner);
    return owner;
}

int l_later(lua_State *L) {
    return at_script_raise(L, "%s is not in this version", lua_tostring(L, lua_upvalueindex(1)));
}

void set_named(lua_State *L, enum at_word_kind kind, lua_CFunction function) {
    for (const struct at_word *word = global_words(); word->name; word++) {
        if (word->kind != kind || (word->since && !function)) continue;
        lua_pushstring(L, word->name);
        lua_pushcclosure(L, word->since ? function : l_later, 1);
        lua_setfield(L, -2, word->name);
    }
}

void set_methods(lua_State *L, const char *class_name, lua_CFunction function) {
    for (const struct at_word *word = owner_named(class_name)->words; word->name; word++) {
        if (word->kind != AT_WORD_METHOD) continue;
        lua_pushstring(L, word->name);
        lua_pushcclosure(L, function, 1);
        lua_setfield(L, -2, word->name);
    }
}

/* ---- words that have another name now ---- */

void set_old_names(lua_State *L, const char *class_name) {
    for (const struct at_word *word = owner_named(class_name)->words; word->name; word++) {
        if (!word->was) continue;
        lua_getfield(L, -1, word->name);
        lua_setfield(L, -2, word->was);
    }
}

const char *name_now(const char *class_name, const char *name) {
    const struct at_word *word = at_word_of(owner_named(class_name), at_text_of(name));
    return word && at_word_is_old(word, at_text_of(name)) ? word->name : NULL;
}

/* ---- what is not there ---- */

const char *bare_name(const char *called) {
    const char *space = strchr(called, ' ');
    return space ? space + 1 : called;
}

static void refuse_field(lua_State *L, const struct at_owner *owner, const char *called, const char *name) {
    const struct at_word *word = at_word_of(owner, at_text_of(name));
    if (word && !word->since) at_script_raise(L, "%s.%s is not in this version", bare_name(called), name);
    const char *near = at_word_near(owner, name, NULL, 0);
    if (near) at_script_raise(L, "%s has no field \"%s\" — did you mean \"%s\"?", called, name, near);
    at_script_raise(L, "%s has no field \"%s\"", called, name);
}

int raise_field(lua_State *L, const char *class_name, const char *name) {
    const struct at_owner *owner = owner_named(class_name);
    refuse_field(L, owner, owner->called, name);
    return 0;
}

/* Of the keys that are not known the first by name (the order of a table is none); "" a key that is no name;
 * NULL: all are known. The text belongs to the table. */
static const char *first_unknown(lua_State *L, int table, const struct at_owner *owner) {
    const char *first = NULL;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        const struct at_word *word = at_word_of(owner, at_text_of(name));
        if (!(word && word->since) && (!first || strcmp(name, first) < 0)) first = name;
    }
    return first;
}

/* What stands under an old name stands under the new one as well. */
static void take_old_names(lua_State *L, int table, const struct at_owner *owner, const char *called) {
    for (const struct at_word *word = owner->words; word->name; word++) {
        if (!word->was) continue;
        bool has_old = lua_getfield(L, table, word->was) != LUA_TNIL,
             has_new = lua_getfield(L, table, word->name) != LUA_TNIL;
        lua_pop(L, 1);
        if (has_old && has_new)
            at_script_raise(L, "%s has both %s and %s, which is its name now: take one out", called,
                            word->was, word->name);
        if (has_old)
            lua_setfield(L, table, word->name);
        else
            lua_pop(L, 1);
    }
}

void check_known(lua_State *L, int table, const char *class_name, const char *called) {
    const struct at_owner *owner = owner_named(class_name);
    if (!called) called = owner->called;
    const char *name = first_unknown(L, table, owner);
    if (name && !*name) at_script_raise(L, "%s has named fields only: write name = value", called);
    if (name) refuse_field(L, owner, called, name);
    take_old_names(L, table, owner, called);
}

/* ---- for checks ---- */

static bool is_noun(const struct at_word *word) {
    return word->kind == AT_WORD_NOUN && word->since;
}
static bool is_columns(const struct at_word *word) {
    return word->takes_columns;
}

static enum at_status list_words(struct at_arena *arena, const struct at_word *words,
                                 bool (*is_wanted)(const struct at_word *word), const char *const **out) {
    size_t count = 0;
    while (words[count].name) count++;
    const char **names = at_arena_alloc(arena, (2 * count + 1) * sizeof *names);
    if (!names) return AT_NOMEM;
    *out = names;
    for (; words->name; words++) {
        if (is_wanted && !is_wanted(words)) continue;
        *names++ = words->name;
        if (words->was) *names++ = words->was;
    }
    *names = NULL;
    return AT_OK;
}

enum at_status at_vocabulary_lists(struct at_arena *arena, struct at_vocabulary *out) {
    *out = (struct at_vocabulary){.root = NULL};
    enum at_status status = list_words(arena, global_words(), NULL, &out->globals);
    if (status == AT_OK) status = list_words(arena, global_words(), is_columns, &out->words);
    if (status == AT_OK) status = list_words(arena, global_words(), is_noun, &out->nouns);
    return status == AT_OK ? list_words(arena, owner_named("number")->words, NULL, &out->methods) : status;
}
