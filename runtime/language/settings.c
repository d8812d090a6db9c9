/* SPDX-License-Identifier: Apache-2.0
 *
 * shop.lua: the settings, versioned apart from the scripts. Run in a state of its own where only the
 * settings' nouns exist. Secrets come through env "NAME" or file "path"; an unset env is an error that names
 * it. What a later version brings is refused by name.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "language/state.h"

struct reading {
    struct at_settings *settings;
    const struct at_settings_source *source;
    const char *text;
    size_t length;
    bool has_shop;
    struct at_key keys[64];
    const char *origins[64];
    struct at_declared_attribute attributes[AT_ATTRIBUTE_MAX];
};

static struct reading *reading_of(lua_State *L) {
    return at_script_host(L);
}

struct at_text settings_keep(lua_State *L, struct at_settings *settings, const char *text, size_t length) {
    const char *kept = at_arena_dup(&settings->arena, text, length);
    if (!kept) at_script_raise(L, "out of memory");
    return (struct at_text){kept, length};
}

static const char *keep(lua_State *L, const char *text, size_t length) {
    return settings_keep(L, reading_of(L)->settings, text, length).data;
}

/* ---- env and file ---- */

static int l_env(lua_State *L) {
    const struct at_settings_source *source = reading_of(L)->source;
    const char *name = luaL_checkstring(L, 1);
    const char *value = source->env ? source->env(source->env_arg, name) : getenv(name);
    if (!value || !*value)
        return at_script_raise(L, "the environment variable %s is not set: set it, or take env \"%s\" out",
                               name, name);
    lua_pushstring(L, value);
    return 1;
}

static int l_file(lua_State *L) {
    char path[1024], text[8193];
    const char *name = luaL_checkstring(L, 1);
    snprintf(path, sizeof path, "%s/%s", name[0] == '/' ? "" : reading_of(L)->source->folder, name);
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    while (length && isspace((unsigned char)text[length - 1])) length--;
    if (!length) return at_script_raise(L, "the file \"%s\" cannot be read or is empty", name);
    lua_pushlstring(L, text, length);
    return 1;
}

/* ---- checking ---- */

static void text_field(lua_State *L, int table, const char *noun, const char *name, const char **out) {
    int type = lua_getfield(L, table, name);
    size_t length;
    if (type == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &length);
        *out = keep(L, text, length);
    } else if (type != LUA_TNIL) {
        at_script_raise(L, "%s.%s must be a text", noun, name);
    }
    lua_pop(L, 1);
}

/* ---- shop "name" { … } ---- */

static bool is_currency(const char *text) {
    if (strlen(text) != 3) return false;
    for (int i = 0; i < 3; i++)
        if (text[i] < 'A' || text[i] > 'Z') return false;
    return true;
}

static int l_shop_fields(lua_State *L) {
    struct at_settings *settings = reading_of(L)->settings;
    struct at_error err = {0};
    luaL_checktype(L, 1, LUA_TTABLE);
    check_known(L, 1, "Shop", NULL);
    text_field(L, 1, "shop", "currency", &settings->currency);
    text_field(L, 1, "shop", "timezone", &settings->timezone);
    text_field(L, 1, "shop", "country", &settings->country);
    text_field(L, 1, "shop", "locale", &settings->locale);
    if (!is_currency(settings->currency))
        return at_script_raise(L, "shop.currency must be three capital letters, like \"EUR\"");
    at_zone_free(settings->zone);
    settings->zone = NULL;
    if (at_zone_load(settings->timezone, &settings->zone, &err) != AT_OK)
        return at_script_raise(L, "shop.timezone: %s", err.message);
    return 0;
}

static int l_shop(lua_State *L) {
    struct reading *reading = reading_of(L);
    size_t length;
    const char *name = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &length) : NULL;
    if (!name || !length)
        return at_script_raise(L, "shop is followed by its name in quotes: shop \"outfitter\" { … }");
    if (reading->has_shop) return at_script_raise(L, "there is more than one shop in shop.lua");
    reading->has_shop = true;
    reading->settings->name = keep(L, name, length);
    lua_pushcfunction(L, l_shop_fields);
    return 1;
}

/* ---- keys { write = …, secret = …, origins = { … } } ---- */

static void add_key(lua_State *L, const char *source, bool is_secret) {
    struct reading *reading = reading_of(L);
    size_t length;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    const char *what = is_secret ? "secret" : "write";
    if (!text || length < 8 || length > 200)
        at_script_raise(L, "keys.%s must be a text of 8 to 200 characters, best env \"NAME\"", what);
    if (reading->settings->key_count == AT_LENGTH(reading->keys))
        at_script_raise(L, "there are more than %d keys", (int)AT_LENGTH(reading->keys));
    for (uint32_t i = 0; i < reading->settings->key_count; i++)
        if (reading->keys[i].value.length == length && memcmp(reading->keys[i].value.data, text, length) == 0)
            at_script_raise(L, "keys.%s: the same key stands twice; a write key and a secret key must differ",
                            what);
    struct at_key *key = &reading->keys[reading->settings->key_count++];
    *key = (struct at_key){source, {keep(L, text, length), length}, is_secret};
}

static void read_keys(lua_State *L, const char *field, bool is_secret) {
    int type = lua_getfield(L, 1, field);
    if (type == LUA_TTABLE) {
        int table = lua_gettop(L);
        for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
            size_t length;
            bool is_named = lua_type(L, -2) == LUA_TSTRING;
            const char *name = is_named ? lua_tolstring(L, -2, &length) : "default";
            add_key(L, is_named ? keep(L, name, length) : name, is_secret);
        }
    } else if (type != LUA_TNIL) {
        add_key(L, "default", is_secret);
    }
    lua_pop(L, 1);
}

static void read_origins(lua_State *L) {
    struct reading *reading = reading_of(L);
    int type = lua_getfield(L, 1, "origins");
    if (type != LUA_TNIL && type != LUA_TTABLE)
        at_script_raise(L, "keys.origins must be a list, like { \"https://outfitter.example\" }");
    lua_Integer count = type == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : 0;
    if (count > (lua_Integer)AT_LENGTH(reading->origins))
        at_script_raise(L, "keys.origins holds at most %d origins", (int)AT_LENGTH(reading->origins));
    for (lua_Integer i = 1; i <= count; i++) {
        size_t length = 0;
        lua_rawgeti(L, -1, i);
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
        if (!text || length < 9 || (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0) ||
            strchr(text + 8, '/'))
            at_script_raise(L,
                            "keys.origins: an origin is like \"https://outfitter.example\", without a path");
        reading->origins[reading->settings->origin_count++] = keep(L, text, length);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int l_keys(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    check_known(L, 1, "Keys", NULL);
    read_keys(L, "write", false);
    read_keys(L, "secret", true);
    read_origins(L);
    return 0;
}

/* ---- attributes { rating = "number" } ---- */

static int l_attributes(lua_State *L) {
    static const char *const kinds[] = {"number", "bool", "date", "text", "list"};
    struct reading *reading = reading_of(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        size_t length;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
        const char *kind = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "", *found = NULL;
        for (size_t i = 0; i < AT_LENGTH(kinds); i++)
            if (strcmp(kind, kinds[i]) == 0) found = kinds[i];
        if (!name || !found)
            return at_script_raise(L, "attributes: a kind is \"number\", \"bool\", \"date\", \"text\" or "
                                      "\"list\", like rating = \"number\"");
        if (reading->settings->attribute_count == AT_LENGTH(reading->attributes))
            return at_script_raise(L, "too many attributes");
        reading->attributes[reading->settings->attribute_count++] =
            (struct at_declared_attribute){keep(L, name, length), found};
    }
    return 0;
}

/* ---- consent { analytics = { EU = "opt-in", elsewhere = "opt-out" } } ---- */

static int l_consent(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    read_consent(L, reading_of(L)->settings);
    return 0;
}

/* ---- identity { kinds = { loyalty_id = { at_most = 1 } } } ---- */

static int l_identity(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    read_identity(L, reading_of(L)->settings);
    return 0;
}

/* ---- retention { page_viewed = "90d" } ---- */

static int l_retention(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    read_retention(L, reading_of(L)->settings);
    return 0;
}

/* ---- sources { shopify = { secrets = { env "SHOPIFY_SECRET" } } } ---- */

static int l_sources(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    read_sources(L, reading_of(L)->settings);
    return 0;
}

/* ---- budgets { ranking = "20ms" } ---- */

static int l_budgets(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    read_budgets(L, reading_of(L)->settings);
    return 0;
}

/* ---- the whole ---- */

static int run_settings(lua_State *L, void *arg) {
    static const luaL_Reg nouns[] = {{"shop", l_shop},
                                     {"keys", l_keys},
                                     {"attributes", l_attributes},
                                     {"consent", l_consent},
                                     {"identity", l_identity},
                                     {"retention", l_retention},
                                     {"sources", l_sources},
                                     {"budgets", l_budgets},
                                     {"env", l_env},
                                     {"file", l_file},
                                     {NULL, NULL}};
    struct reading *reading = arg;
    at_script_push_globals(L);
    luaL_setfuncs(L, nouns, 0);
    set_named(L, AT_WORD_SETTING, NULL);
    set_old_names(L, "");
    lua_pop(L, 1);
    at_script_seal(L);
    if (!reading->text) return 0;
    at_script_load(L, "shop.lua", reading->text, reading->length);
    lua_call(L, 0, 0);
    return 0;
}

static enum at_status keep_lists(struct reading *reading) {
    struct at_settings *settings = reading->settings;
    settings->keys = at_arena_alloc(&settings->arena, (settings->key_count + 1) * sizeof *settings->keys);
    settings->origins =
        at_arena_alloc(&settings->arena, (settings->origin_count + 1) * sizeof *settings->origins);
    settings->attributes =
        at_arena_alloc(&settings->arena, (settings->attribute_count + 1) * sizeof *settings->attributes);
    if (!settings->keys || !settings->origins || !settings->attributes) return AT_NOMEM;
    memcpy(settings->keys, reading->keys, settings->key_count * sizeof *settings->keys);
    memcpy(settings->origins, reading->origins, settings->origin_count * sizeof *settings->origins);
    memcpy(settings->attributes, reading->attributes,
           settings->attribute_count * sizeof *settings->attributes);
    return AT_OK;
}

static enum at_status read_settings(struct reading *reading, struct at_error *err) {
    struct at_script_options options = {0};
    struct at_script *script;
    enum at_status status = at_script_new(&script, &options, err);
    if (status != AT_OK) return status;
    at_script_set_host(script, reading);
    status = at_script_call(script, AT_LOAD_BUDGET_NS, run_settings, reading, NULL, err);
    at_script_free(script);
    return status == AT_OK ? keep_lists(reading) : status;
}

enum at_status at_settings_load(const struct at_settings_source *source, const char *text, size_t length,
                                struct at_settings **out, struct at_error *err) {
    struct at_settings *settings = calloc(1, sizeof *settings);
    struct reading *reading = calloc(1, sizeof *reading);
    enum at_status status = AT_NOMEM;
    if (settings && reading) {
        at_arena_init(&settings->arena, 2 << 20);
        settings->name = "shop";
        settings->currency = "EUR";
        settings->timezone = "UTC";
        settings->country = settings->locale = "";
        at_identity_rules_default(&settings->identity);
        reading->settings = settings;
        reading->source = source;
        reading->text = text;
        reading->length = length;
        settings->shopify.domain = AT_TEXT("");
        status = read_settings(reading, err);
    }
    free(reading);
    if (status == AT_OK && text) {
        settings->text = (struct at_text){at_arena_dup(&settings->arena, text, length), length};
        if (!settings->text.data) status = AT_NOMEM;
    }
    if (status == AT_OK) status = settings_add_kinds(settings, err);
    if (status == AT_OK) settings->identity.country = at_text_of(settings->country);
    if (status == AT_OK)
        *out = settings;
    else
        at_settings_free(settings);
    return status;
}

enum at_status at_settings_declare(const struct at_settings *settings, struct at_catalog *catalog,
                                   struct at_error *err) {
    enum at_status status = AT_OK;
    for (uint32_t i = 0; i < settings->attribute_count && status == AT_OK; i++)
        status = at_catalog_declare(catalog, settings->attributes[i].name, settings->attributes[i].kind, err);
    return status;
}

void at_settings_free(struct at_settings *settings) {
    if (!settings) return;
    at_zone_free(settings->zone);
    at_arena_clear(&settings->arena);
    free(settings);
}
