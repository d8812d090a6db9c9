/* SPDX-License-Identifier: Apache-2.0
 *
 * world: what a test may ask of it, and what it may let happen there.
 */
#include <string.h>
#include "base/utf8.h"
#include "language/world.h"

void world_must(lua_State *L, enum at_status status, const struct at_error *err) {
    if (status == AT_OK) return;
    at_script_raise(L, "%s", status == AT_NOMEM || !err->message[0] ? "out of memory" : err->message);
}

static struct at_world *world_at(lua_State *L, const char *word) {
    uint32_t index;
    if (view_at(L, 1, &index) != VIEW_WORLD) at_script_raise(L, "write world:%s(…), with a colon", word);
    return language_of(L)->world;
}

/* ---- world:event(name, properties, context) ---- */

/* A slip in the name of an event that everybody knows. */
static void check_name(lua_State *L, struct at_world *world, const char *name, size_t length) {
    const char *const *known = at_event_known_names();
    struct at_text canonical = at_event_canonical(&world->arena, (struct at_text){name, length});
    size_t count = 0;
    char text[100];
    while (known[count]) count++;
    if (!canonical.data || canonical.length >= sizeof text || at_event_is_known(canonical)) return;
    snprintf(text, sizeof text, "%.*s", (int)canonical.length, canonical.data);
    const char *nearest = at_suggest(text, known, count);
    if (nearest) at_script_raise(L, "there is no event \"%s\" — did you mean \"%s\"?", name, nearest);
}

/* user_id and anonymous_id among the properties say whose it is; else it is the customer's. */
static void put_whose(lua_State *L, int properties, struct at_json_out *out) {
    static const struct {
        const char *name, *field;
    } ids[] = {{"user_id", "userId"}, {"anonymous_id", "anonymousId"}};
    for (size_t i = 0; i < AT_LENGTH(ids); i++) {
        size_t length;
        if (lua_getfield(L, properties, ids[i].name) == LUA_TSTRING) {
            const char *text = lua_tolstring(L, -1, &length);
            at_json_add_text(out, ids[i].field, (struct at_text){text, length});
        }
        lua_pop(L, 1);
    }
}

static bool names_somebody(lua_State *L, struct at_world *world, int properties) {
    const struct at_settings *settings = world->run->options->settings;
    bool names = false;
    for (uint32_t i = 0; settings && i < settings->identity.kind_count && !names; i++) {
        lua_pushlstring(L, settings->identity.kinds[i].name.data, settings->identity.kinds[i].name.length);
        names = lua_gettable(L, properties) == LUA_TSTRING;
        lua_pop(L, 1);
    }
    return names;
}

/* An id of the test's own customer. */
static void put_customer(const struct at_world *world, struct at_json_out *out) {
    const struct at_profile *profile = world->people[world_customer(world)].profile;
    for (uint32_t i = 0; i < profile->identifier_count; i++) {
        const struct at_known_identifier *known = &profile->identifiers[i];
        bool is_user = at_text_is(known->kind, "user_id");
        if (is_user || at_text_is(known->kind, "anonymous_id"))
            at_json_add_text(out, is_user ? "userId" : "anonymousId", known->value);
    }
}

static void write_event(lua_State *L, struct at_world *world, bool is_customers) {
    size_t length;
    const char *name = lua_tolstring(L, 2, &length);
    bool is_identify = strcmp(name, "identified") == 0;
    struct at_json_out out = at_json_out(&world->text);
    at_bytes_reset(&world->text);
    at_json_open(&out, '{');
    at_json_add_string(&out, "type", is_identify ? "identify" : "track");
    if (!is_identify) at_json_add_text(&out, "event", (struct at_text){name, length});
    if (is_customers)
        put_customer(world, &out);
    else
        put_whose(L, 3, &out);
    at_json_key(&out, is_identify ? "traits" : "properties");
    world_put_json(L, world, 3, &out);
    if (!lua_isnil(L, 4)) {
        at_json_key(&out, "context");
        world_put_json(L, world, 4, &out);
    }
    at_json_close(&out, '}');
    world_check_text(L, world);
    if (world->text.length > AT_EVENT_BYTES_MAX)
        at_script_raise(L, "an event may have %d KiB, this one is larger", AT_EVENT_BYTES_MAX / 1024);
}

static int l_event(lua_State *L) {
    struct at_world *world = world_at(L, "event");
    struct at_error err = {0};
    struct world_happening happening = {.at_ms = world->now_ms, .person = WORLD_NOBODY};
    uint32_t whom;
    lua_settop(L, 4);
    if (lua_type(L, 2) != LUA_TSTRING)
        return at_script_raise(L, "write world:event(\"product_viewed\", { product_id = \"SKU-1\" })");
    if (lua_isnil(L, 3)) {
        lua_newtable(L);
        lua_replace(L, 3);
    }
    if (lua_type(L, 3) != LUA_TTABLE || (!lua_isnil(L, 4) && lua_type(L, 4) != LUA_TTABLE))
        return at_script_raise(L, "what an event says is a table: { product_id = \"SKU-1\" }");
    check_name(L, world, lua_tostring(L, 2), lua_rawlen(L, 2));
    bool is_customers = !names_somebody(L, world, 3);
    if (is_customers) happening.person = world->customer;
    write_event(L, world, is_customers);
    world_must(L,
               at_json_parse(world->value_parser, world->text.data, world->text.length, false,
                             &happening.json, &err),
               &err);
    world_must(L, world_happen(world, &happening, &whom, &err), &err);
    world_must(L, world_look_on(world), &err);
    lua_pushboolean(L, whom != WORLD_NOBODY);
    return 1;
}

/* ---- world:wait "1h" ---- */

static int l_wait(lua_State *L) {
    struct at_world *world = world_at(L, "wait");
    struct at_error err = {0};
    int64_t ms = 0;
    size_t length;
    const char *text =
        lua_type(L, 2) == LUA_TSTRING || lua_type(L, 2) == LUA_TNUMBER ? luaL_tolstring(L, 2, &length) : NULL;
    if (!text) return at_script_raise(L, "write world:wait \"1h\"");
    if (lua_type(L, 2) == LUA_TNUMBER && lua_tonumber(L, 2) < AT_SECOND_MS)
        return at_script_raise(L, "world:wait(%s): %s what? write \"%sd\"", text, text, text);
    if (lua_type(L, 2) == LUA_TNUMBER)
        ms = (int64_t)lua_tonumber(L, 2);
    else
        world_must(L, at_span_parse(text, length, &ms, &err), &err);
    if (ms < 0 || ms > 3660 * (int64_t)AT_DAY_MS)
        return at_script_raise(L, "a test waits ten years at most, and never back");
    world_must(L, world_wait(world, ms, &err), &err);
    return 0;
}

/* ---- dispatch ---- */

int index_world(lua_State *L) {
    static const luaL_Reg methods[] = {{"event", l_event},     {"wait", l_wait},
                                       {"rank", l_world_rank}, {"decide", l_world_decide},
                                       {"cost", l_world_cost}, {NULL, NULL}};
    const char *name = luaL_checkstring(L, 2);
    for (const luaL_Reg *method = methods; method->name; method++)
        if (strcmp(name, method->name) == 0) return lua_pushcfunction(L, method->func), 1;
    if (strcmp(name, "customer") == 0) return push_view(L, VIEW_CUSTOMER, 0), 1;
    if (strcmp(name, "now") == 0) return lua_pushnumber(L, (double)language_of(L)->world->now_ms), 1;
    return raise_field(L, "World", name);
}
