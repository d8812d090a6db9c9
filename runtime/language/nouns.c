/* SPDX-License-Identifier: Apache-2.0
 *
 * The nouns scripts declare with: ranking "name" { … }, rail "name" { … } (segment.c: segment "name" { … },
 * test.c: test "name" { … }); require for the merchant's own modules. A declaration checks every field, keeps
 * its functions by number and is recorded in the load's declarations.
 */
#include <math.h>
#include <string.h>
#include "language/state.h"

/* ---- checking fields ---- */

uint32_t line_of_caller(lua_State *L) {
    lua_Debug ar;
    for (int level = 0; level < 6 && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline > 0) return (uint32_t)ar.currentline;
    }
    return 0;
}

int function_field(lua_State *L, const char *noun, const char *name) {
    int type = lua_getfield(L, 2, name), id = 0;
    if (type == LUA_TFUNCTION)
        id = keep_function(L, -1);
    else if (type != LUA_TNIL)
        at_script_raise(L, "%s.%s must be a function, like function(product) return … end", noun, name);
    lua_pop(L, 1);
    return id;
}

uint32_t line_of_function(lua_State *L, int id) {
    lua_Debug ar;
    push_function(L, id);
    lua_getinfo(L, ">S", &ar);
    return ar.linedefined > 0 ? (uint32_t)ar.linedefined : 0;
}

const char *keep_text(lua_State *L, const char *text) {
    const char *kept = at_arena_dup(language_of(L)->declarations->arena, text, strlen(text));
    if (!kept) at_script_raise(L, "out of memory");
    return kept;
}

static uint32_t count_field(lua_State *L, int table, const char *where, const char *name) {
    lua_getfield(L, table, name);
    lua_Number value = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    if (value < 1 || value > 1000 || floor(value) != value)
        at_script_raise(L, "%s.%s must be a whole number from 1", where, name);
    lua_pop(L, 1);
    return (uint32_t)value;
}

struct declarations *declaring(lua_State *L, const char *noun) {
    struct declarations *declarations = language_of(L)->declarations;
    if (!declarations) at_script_raise(L, "%s belongs at the top of a file, not inside a function", noun);
    return declarations;
}

/* ---- ranking ---- */

static void read_diversify(lua_State *L, struct at_ranking *ranking) {
    static const char *const known[] = {"by", "at_most", "within", NULL};
    int type = lua_getfield(L, 2, "diversify");
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    if (type != LUA_TTABLE)
        at_script_raise(L, "ranking.diversify must be like { by = \"brand\", at_most = 2, within = 8 }");
    int table = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
        if (lua_type(L, -2) != LUA_TSTRING || !is_named(lua_tostring(L, -2), known))
            at_script_raise(L, "ranking.diversify has the fields by, at_most and within");
    if (lua_getfield(L, table, "by") != LUA_TSTRING)
        at_script_raise(L, "ranking.diversify.by must name an attribute, like \"brand\"");
    ranking->diversify_by = keep_text(L, lua_tostring(L, -1));
    lua_pop(L, 1);
    ranking->diversify_at_most = count_field(L, table, "ranking.diversify", "at_most");
    ranking->diversify_within = count_field(L, table, "ranking.diversify", "within");
    lua_pop(L, 1);
}

static double share_field(lua_State *L, const char *name) {
    struct at_error err = {0};
    double share = 0;
    int type = lua_getfield(L, 2, name);
    if (type == LUA_TNUMBER) {
        at_script_raise(L, "%s = %s: %s what? write \"%s%%\"", name, lua_tostring(L, -1), lua_tostring(L, -1),
                        lua_tostring(L, -1));
    } else if (type == LUA_TSTRING) {
        size_t length;
        const char *text = lua_tolstring(L, -1, &length);
        if (at_share_parse(text, length, &share, &err) != AT_OK)
            at_script_raise(L, "%s: %s", name, err.message);
    } else if (type != LUA_TNIL) {
        at_script_raise(L, "%s must be a share, like \"5%%\"", name);
    }
    lua_pop(L, 1);
    return share;
}

void refuse_twice(lua_State *L, const char *noun, const char *name, const char *path, uint32_t line) {
    at_script_raise(L, "there is already a %s \"%s\", in %s:%d", noun, name, path, (int)line);
}

static int declare_ranking(lua_State *L, const char *name) {
    static const char *const known[] = {"score", "first", "diversify", "explore", NULL};
    struct declarations *declarations = declaring(L, "ranking");
    check_known(L, 2, "a ranking", known, NULL);
    for (uint32_t i = 0; i < declarations->ranking_count; i++)
        if (strcmp(declarations->rankings[i].name, name) == 0)
            refuse_twice(L, "ranking", name, declarations->rankings[i].path, declarations->rankings[i].line);
    if (declarations->ranking_count == AT_LENGTH(declarations->rankings))
        return at_script_raise(L, "there are more than %d rankings", (int)AT_LENGTH(declarations->rankings));
    struct at_ranking *ranking = &declarations->rankings[declarations->ranking_count];
    *ranking = (struct at_ranking){
        .name = keep_text(L, name), .path = keep_text(L, declarations->path), .line = line_of_caller(L)};
    ranking->score = function_field(L, "ranking", "score");
    ranking->first = function_field(L, "ranking", "first");
    if (!ranking->score)
        return at_script_raise(
            L, "ranking \"%s\" needs score = function(product, customer, page) return … end", name);
    ranking->score_line = line_of_function(L, ranking->score);
    read_diversify(L, ranking);
    ranking->explore_share = share_field(L, "explore");
    declarations->ranking_count++;
    return 0;
}

/* ---- rail ---- */

/* "2026-12-01": the day in the shop's zone; days_after shifts it, for "both included". */
static int64_t day_field(lua_State *L, const char *name, int days_after) {
    int type = lua_getfield(L, 2, name);
    int64_t ms = 0;
    struct at_error err = {0};
    if (type == LUA_TNIL) return lua_pop(L, 1), 0;
    size_t length;
    const char *text = type == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (!text || length != 10 || at_time_parse(text, length, &ms, &err) != AT_OK)
        return at_script_raise(L, "rail.%s must be a day, like \"2026-12-01\"", name);
    int year, month, day;
    at_date_of(ms / AT_DAY_MS + days_after, &year, &month, &day);
    lua_pop(L, 1);
    const struct at_settings *settings = language_of(L)->settings;
    return at_zone_day_start(settings ? settings->zone : NULL, year, month, day);
}

static void read_pin(lua_State *L, struct at_pin *pin) {
    if (lua_type(L, -2) != LUA_TNUMBER || lua_tonumber(L, -2) < 1 || lua_tonumber(L, -2) > 1000)
        at_script_raise(L, "rail.pin names products by place, from 1: { \"SKU-1\", [5] = \"SKU-2\" }");
    if (lua_type(L, -1) != LUA_TSTRING) at_script_raise(L, "rail.pin names products by their id, as text");
    const char *id = keep_text(L, lua_tostring(L, -1));
    *pin = (struct at_pin){at_text_of(id), (uint32_t)lua_tonumber(L, -2)};
}

static void read_pins(lua_State *L, struct at_rail *rail) {
    struct at_pin pins[200];
    uint32_t count = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (count == AT_LENGTH(pins))
            at_script_raise(L, "a rail pins at most %d products", (int)AT_LENGTH(pins));
        read_pin(L, &pins[count++]);
    }
    struct at_pin *kept = at_arena_alloc(language_of(L)->declarations->arena, (count + 1) * sizeof *kept);
    if (!kept) at_script_raise(L, "out of memory");
    for (uint32_t i = 1; i < count; i++) /* by place: the order of a table is not one */
        for (uint32_t k = i; k > 0 && pins[k].place < pins[k - 1].place; k--) {
            struct at_pin swap = pins[k];
            pins[k] = pins[k - 1];
            pins[k - 1] = swap;
        }
    memcpy(kept, pins, count * sizeof *kept);
    rail->pins = kept;
    rail->pin_count = count;
}

static struct at_rail_declaration *new_rail(lua_State *L, const char *name, enum at_rail_kind kind) {
    struct declarations *declarations = language_of(L)->declarations;
    if (declarations->rail_count == AT_LENGTH(declarations->rails))
        at_script_raise(L, "there are more than %d rails", (int)AT_LENGTH(declarations->rails));
    struct at_rail_declaration *made = &declarations->rails[declarations->rail_count++];
    *made = (struct at_rail_declaration){.path = keep_text(L, declarations->path), .line = line_of_caller(L)};
    made->rail.name = keep_text(L, name);
    made->rail.kind = kind;
    made->rail.from_ms = day_field(L, "from", 0);
    made->rail.to_ms = day_field(L, "to", 1);
    int type = lua_getfield(L, 2, "on");
    if (type == LUA_TSTRING)
        made->rail.on = keep_text(L, lua_tostring(L, -1));
    else if (type != LUA_TNIL)
        at_script_raise(L, "rail.on must name a page, a surface or a list, like \"product\"");
    lua_pop(L, 1);
    return made;
}

static int declare_rail(lua_State *L, const char *name) {
    static const char *const known[] = {"hide", "only", "bury", "pin", "on", "from", "to", NULL};
    static const char *const later[] = {"grant", "whom", "cap", "quiet_hours", "needs", NULL};
    static const struct {
        const char *field;
        enum at_rail_kind kind;
    } conditions[] = {{"hide", AT_RAIL_HIDE}, {"only", AT_RAIL_ONLY}, {"bury", AT_RAIL_BURY}};
    struct declarations *declarations = declaring(L, "rail");
    check_known(L, 2, "a rail", known, later);
    for (uint32_t i = 0; i < declarations->rail_count; i++)
        if (strcmp(declarations->rails[i].rail.name, name) == 0)
            refuse_twice(L, "rail", name, declarations->rails[i].path, declarations->rails[i].line);
    uint32_t before = declarations->rail_count;
    for (size_t i = 0; i < AT_LENGTH(conditions); i++) {
        int condition = function_field(L, "rail", conditions[i].field);
        if (condition) new_rail(L, name, conditions[i].kind)->condition = condition;
    }
    int type = lua_getfield(L, 2, "pin");
    if (type == LUA_TTABLE) {
        struct at_rail_declaration *made = new_rail(L, name, AT_RAIL_PIN);
        read_pins(L, &made->rail);
    } else if (type != LUA_TNIL) {
        return at_script_raise(L, "rail.pin must list products, like { \"SKU-1\", \"SKU-2\" }");
    }
    if (declarations->rail_count == before)
        return at_script_raise(L, "rail \"%s\" does nothing: it needs hide, only, bury or pin", name);
    return 0;
}

/* ---- the shape noun "name" { fields } ---- */

static const struct noun {
    const char *name;
    int (*declare)(lua_State *L, const char *name);
} nouns[] = {{"ranking", declare_ranking},
             {"rail", declare_rail},
             {"segment", declare_segment},
             {"test", declare_test}};

static int l_declare(lua_State *L) {
    const char *noun = lua_tostring(L, lua_upvalueindex(1)), *name = lua_tostring(L, lua_upvalueindex(2));
    if (lua_type(L, 1) != LUA_TTABLE)
        return at_script_raise(L, "%s \"%s\" is followed by its fields: { … }", noun, name);
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    size_t i = 0;
    while (i < AT_LENGTH(nouns) && strcmp(nouns[i].name, noun) != 0) i++;
    AT_ASSERT(i < AT_LENGTH(nouns)); /* names.c lists the same */
    return nouns[i].declare(L, name);
}

static int l_noun(lua_State *L) {
    const char *noun = lua_tostring(L, lua_upvalueindex(1));
    size_t length;
    const char *name = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &length) : NULL;
    if (!name || !length || length > 100)
        return at_script_raise(L, "%s is followed by a name in quotes: %s \"summer\" { … }", noun, noun);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, l_declare, 2);
    return 1;
}

static int l_setting(lua_State *L) {
    return at_script_raise(L, "%s belongs in shop.lua", lua_tostring(L, lua_upvalueindex(1)));
}

/* ---- require "lib.prices" ---- */

static const char loaded_key, *const loaded_address = &loaded_key;

static const struct at_source_file *find_module(lua_State *L, const char *name, char *path, size_t size) {
    struct at_language *language = language_of(L);
    size_t used = (size_t)snprintf(path, size, "scripts/%s", name);
    for (size_t i = 8; i < used && i < size; i++)
        if (path[i] == '.') path[i] = '/';
    if (used + 5 < size) snprintf(path + used, size - used, ".lua");
    for (uint32_t i = 0; i < language->file_count; i++)
        if (at_text_is(language->files[i].path, path)) return &language->files[i];
    return NULL;
}

static int l_require(lua_State *L) {
    char path[200];
    const char *name = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : "";
    if (strncmp(name, "lib.", 4) != 0)
        return at_script_raise(
            L, "require loads your own modules from scripts/lib only: require \"lib.prices\"");
    lua_rawgetp(L, LUA_REGISTRYINDEX, loaded_address);
    if (lua_getfield(L, -1, name) == LUA_TBOOLEAN)
        return at_script_raise(L, "module \"%s\" requires itself", name);
    if (!lua_isnil(L, -1)) return 1;
    const struct at_source_file *file = find_module(L, name, path, sizeof path);
    if (!file) return at_script_raise(L, "there is no %s", path);
    lua_pushboolean(L, 1);
    lua_setfield(L, -3, name);
    at_script_load(L, file->path.data, file->text.data, file->text.length);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) return at_script_raise(L, "%s must end with return { … }", path);
    if (lua_type(L, -1) == LUA_TTABLE) at_script_make_readonly(L, name);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, name);
    return 1;
}

/* ---- installing ---- */

void install_nouns(lua_State *L) {
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, loaded_address);
    at_script_push_globals(L);
    set_named(L, noun_names, l_noun);
    set_named(L, later_names, l_later);
    set_named(L, setting_names, l_setting);
    lua_pushcfunction(L, l_require);
    lua_setfield(L, -2, "require");
    lua_pop(L, 1);
}
