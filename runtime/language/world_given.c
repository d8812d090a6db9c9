/* SPDX-License-Identifier: Apache-2.0
 *
 * How a test's world begins: the moment, the catalog, the one customer and what given says of them, the
 * events of a file. A past is made of events like any other (orders, a visit, an account), so that everything
 * read of it agrees; only a taste is set as it is said. Runs inside the door.
 */
#include <math.h>
#include <string.h>
#include "base/utf8.h"
#include "language/vocabulary.h"
#include "language/world.h"

#define TUESDAY       "2026-06-02 10:00"
#define ORDER_STEP_MS (30 * AT_DAY_MS)
#define ORDERS_MAX    500
#define ORDER_REVENUE 50.0

struct giving {
    struct at_world *world;
    int customer; /* stack place of given.customer, or of an empty table */
    int64_t begin_ms;
    bool is_known;
};

/* ---- reading fields ---- */

/* The field as a table, or nothing; it stays on the stack. */
static bool table_field(lua_State *L, int at, const char *name, const char *example) {
    int type = lua_getfield(L, at, name);
    if (type != LUA_TNIL && type != LUA_TTABLE)
        at_script_raise(L, "given.customer.%s is like %s", name, example);
    return type == LUA_TTABLE;
}

static double number_field(lua_State *L, int at, const char *what, const char *name, double usual) {
    double value = usual;
    int type = lua_getfield(L, at, name);
    if (type == LUA_TSTRING || type == LUA_TNUMBER)
        value = scalar_at(L, lua_gettop(L));
    else if (type != LUA_TNIL)
        at_script_raise(L, "%s.%s is a number or a time", what, name);
    lua_pop(L, 1);
    return value;
}

/* ---- the moment ---- */

static int64_t moment_of(lua_State *L, struct at_world *world, const char *text) {
    const struct at_settings *settings = world->run->options->settings;
    struct at_error err = {0};
    int64_t local_ms = 0;
    bool is_local = true;
    size_t length = strlen(text);
    const char *format = length > 10 ? "%Y-%m-%d %H:%M" : "%Y-%m-%d";
    if (at_time_parse_as(format, text, length, &local_ms, &is_local, &err) != AT_OK)
        at_script_raise(L, "at is a moment in the shop's zone, like \"2026-11-27 21:30\"");
    return at_zone_to_utc(settings ? settings->zone : NULL, local_ms);
}

static int64_t begin_of(lua_State *L, struct at_world *world, int fields) {
    int type = lua_getfield(L, fields, "at");
    if (type != LUA_TNIL && type != LUA_TSTRING)
        at_script_raise(L, "at is a moment in the shop's zone, like \"2026-11-27 21:30\"");
    int64_t ms = moment_of(L, world, type == LUA_TSTRING ? lua_tostring(L, -1) : TUESDAY);
    lua_pop(L, 1);
    if (type == LUA_TNIL && world->due_count) ms = world->due[0].at_ms;
    return ms;
}

/* ---- the catalog ---- */

/* age = "3d" of a product is when it came, as of the test's beginning; else it is as a feed would bring it.
 */
static void put_products(lua_State *L, struct at_world *world, int64_t begin_ms) {
    struct at_error err = {0};
    int list = lua_gettop(L);
    for (lua_Integer i = 1, count = (lua_Integer)lua_rawlen(L, list); i <= count; i++) {
        char released[AT_TIME_SIZE];
        if (lua_rawgeti(L, list, i) != LUA_TTABLE)
            at_script_raise(L, "given.products lists tables, like { id = \"SKU-1\", stock = 3 }");
        if (lua_getfield(L, -1, "age") != LUA_TNIL) {
            double age = scalar_at(L, lua_gettop(L));
            if (!(fabs(age) <= (double)begin_ms))
                at_script_raise(L, "age of a product is a time, like \"3d\"");
            at_time_format(begin_ms - (int64_t)age, released);
            lua_newtable(L);
            for (lua_pushnil(L); lua_next(L, -4); lua_pop(L, 1)) {
                lua_pushvalue(L, -2);
                lua_pushvalue(L, -2);
                lua_rawset(L, -5);
            }
            lua_pushnil(L);
            lua_setfield(L, -2, "age");
            lua_pushstring(L, released);
            lua_setfield(L, -2, "released");
            lua_rawseti(L, list, i);
        }
        lua_settop(L, list);
    }
    world_must(L, world_use_products(world, world_json_at(L, world, list), &err), &err);
}

static void begin_catalog(lua_State *L, struct at_world *world, int fields, int64_t begin_ms) {
    struct at_error err = {0};
    int top = lua_gettop(L), type = lua_getfield(L, fields, "catalog");
    if (type != LUA_TNIL && type != LUA_TSTRING)
        at_script_raise(L, "catalog names a file, like \"fixtures/mini.jsonl\"");
    bool has_given = lua_getfield(L, fields, "given") == LUA_TTABLE;
    if (has_given && lua_getfield(L, -1, "products") == LUA_TTABLE) {
        if (type == LUA_TSTRING) at_script_raise(L, "give products or a catalog, not both");
        put_products(L, world, begin_ms);
    } else
        world_must(L, world_use_catalog(world, type == LUA_TSTRING ? lua_tostring(L, top + 1) : NULL, &err),
                   &err);
    lua_settop(L, top);
}

/* ---- the customer ---- */

static bool is_customers_field(const char *name) {
    const struct at_word *word = at_word_of(at_owner_of(AT_TEXT("GivenCustomer")), at_text_of(name));
    return word && word->since;
}

static bool is_kind(const struct at_world *world, const char *name) {
    const struct at_settings *settings = world->run->options->settings;
    return settings && at_identity_kind_find(&settings->identity, at_text_of(name)) < AT_IDENTITY_KINDS_MAX;
}

static void check_customer(lua_State *L, const struct giving *giving) {
    for (lua_pushnil(L); lua_next(L, giving->customer); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (is_customers_field(name) || is_kind(giving->world, name)) continue;
        if (strcmp(name, "basket") == 0)
            at_script_raise(L,
                            "fill a basket as people do: world:event(\"product_added\", { product_id = … })");
        raise_field(L, "GivenCustomer", name);
    }
}

/* As given says it, false for none; else the usual. NULL: none. */
static const char *identifier_of(lua_State *L, const struct giving *giving, const char *name,
                                 const char *usual) {
    int type = lua_getfield(L, giving->customer, name);
    const char *said = type == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    if (type != LUA_TNIL && type != LUA_TSTRING && (type != LUA_TBOOLEAN || lua_toboolean(L, -1)))
        at_script_raise(L, "given.customer.%s is a text, or false for none", name);
    lua_pop(L, 1); /* the table keeps the text */
    return said || type != LUA_TNIL ? said : usual;
}

static void put_text_field(lua_State *L, const struct giving *giving, struct at_json_out *out,
                           const char *name) {
    if (lua_getfield(L, giving->customer, name) == LUA_TSTRING)
        at_json_add_string(out, name, lua_tostring(L, -1));
    lua_pop(L, 1);
}

static void put_traits(lua_State *L, const struct giving *giving, struct at_json_out *out) {
    static const char *const texts[] = {"first_name", "last_name"};
    struct at_world *world = giving->world;
    const struct at_settings *settings = world->run->options->settings;
    const char *country = settings && settings->country ? settings->country : NULL;
    const char *email = identifier_of(L, giving, "email", giving->is_known ? "customer@shop.example" : NULL),
               *phone = identifier_of(L, giving, "phone", giving->is_known ? "+4915123456789" : NULL);
    at_json_open(out, '{');
    if (email) at_json_add_string(out, "email", email);
    if (phone) at_json_add_string(out, "phone", phone);
    if (lua_getfield(L, giving->customer, "country") != LUA_TNIL) country = lua_tostring(L, -1);
    lua_pop(L, 1);
    if (country && *country) at_json_add_string(out, "country", country);
    for (size_t i = 0; i < AT_LENGTH(texts); i++) put_text_field(L, giving, out, texts[i]);
    for (uint32_t i = 0; settings && i < settings->identity.kind_count; i++) {
        const char *kind = lua_pushlstring(L, settings->identity.kinds[i].name.data,
                                           settings->identity.kinds[i].name.length);
        if (!is_customers_field(kind)) put_text_field(L, giving, out, kind);
        lua_pop(L, 1);
    }
    if (table_field(L, giving->customer, "traits", "{ tier = \"gold\" }"))
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            if (lua_type(L, -2) != LUA_TSTRING) at_script_raise(L, "traits have names: { tier = \"gold\" }");
            at_json_key(out, lua_tostring(L, -2));
            world_put_json(L, world, -1, out);
        }
    lua_pop(L, 1);
    at_json_close(out, '}');
}

/* The ids that every event of the customer's carries. */
static void put_ids(lua_State *L, const struct giving *giving, struct at_json_out *out) {
    const char *user = identifier_of(L, giving, "user_id", giving->is_known ? "customer" : NULL),
               *browser = identifier_of(L, giving, "anonymous_id", giving->is_known ? NULL : "browser");
    if (!user && !browser) browser = "browser"; /* somebody is here in any case */
    if (user) at_json_add_string(out, "userId", user);
    if (browser) at_json_add_string(out, "anonymousId", browser);
}

static void happen(lua_State *L, struct giving *giving, int64_t at_ms) {
    struct at_world *world = giving->world;
    struct at_error err = {0};
    struct world_happening happening = {.at_ms = at_ms, .person = world->customer, .is_given = true};
    uint32_t whom;
    world_check_text(L, world);
    world_must(L,
               at_json_parse(world->value_parser, world->text.data, world->text.length, false,
                             &happening.json, &err),
               &err);
    world_must(L, world_happen(world, &happening, &whom, &err), &err);
}

static struct at_json_out open_event(lua_State *L, struct giving *giving, const char *type) {
    struct at_json_out out = at_json_out(&giving->world->text);
    at_bytes_reset(&giving->world->text);
    at_json_open(&out, '{');
    at_json_add_string(&out, "type", type);
    put_ids(L, giving, &out);
    return out;
}

static void introduce(lua_State *L, struct giving *giving, int64_t at_ms) {
    struct at_json_out out = open_event(L, giving, "identify");
    at_json_key(&out, "traits");
    put_traits(L, giving, &out);
    at_json_key(&out, "context");
    at_json_open(&out, '{');
    at_json_add_bool(&out, "active", false);
    put_text_field(L, giving, &out, "locale");
    put_text_field(L, giving, &out, "timezone");
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    happen(L, giving, at_ms);
}

/* ---- consent ---- */

static enum at_consent_answer answer_at(lua_State *L, const char *purpose) {
    static const char *const words[] = {"unknown", "granted", "denied", NULL};
    if (lua_type(L, -1) == LUA_TBOOLEAN) return lua_toboolean(L, -1) ? AT_CONSENT_GRANTED : AT_CONSENT_DENIED;
    for (int i = 0; words[i] && lua_type(L, -1) == LUA_TSTRING; i++)
        if (strcmp(lua_tostring(L, -1), words[i]) == 0) return (enum at_consent_answer)i;
    at_script_raise(L, "given.customer.consent.%s is \"granted\", \"denied\" or \"unknown\"", purpose);
    return AT_CONSENT_UNKNOWN;
}

static uint32_t add_purpose(struct at_consent_statement *said, uint32_t count, struct at_text purpose,
                            int64_t at_ms) {
    for (uint32_t i = 0; i < count; i++)
        if (at_text_equal(said[i].purpose, purpose)) return count;
    said[count] = (struct at_consent_statement){.purpose = purpose,
                                                .channel = AT_TEXT(""),
                                                .at_ms = at_ms,
                                                .is_granted = true,
                                                .is_confirmed = true,
                                                .said = AT_TEXT("given by the test"),
                                                .wording = AT_TEXT("")};
    return count + 1;
}

#define PURPOSES_MAX (AT_CONSENT_PURPOSES_MAX + 36)
static void state_consent(lua_State *L, struct giving *giving, int64_t at_ms) {
    static const char *const usual[] = {"analytics", "personalization", "email_marketing", "sms_marketing"};
    struct at_world *world = giving->world;
    const struct at_settings *settings = world->run->options->settings;
    struct at_consent_statement said[PURPOSES_MAX];
    uint32_t count = 0;
    for (size_t i = 0; i < AT_LENGTH(usual); i++)
        count = add_purpose(said, count, at_text_of(usual[i]), at_ms);
    for (uint32_t i = 0; settings && i < settings->consent.purpose_count; i++)
        count = add_purpose(said, count, settings->consent.purposes[i].name, at_ms);
    if (table_field(L, giving->customer, "consent", "{ email_marketing = \"denied\" }"))
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
            enum at_consent_answer answer = answer_at(L, name);
            if (!*name || count == PURPOSES_MAX) at_script_raise(L, "given.customer.consent names purposes");
            uint32_t k = 0;
            count = add_purpose(said, count, at_text_of(name), at_ms);
            while (!at_text_is(said[k].purpose, name)) k++;
            said[k].is_granted = said[k].is_confirmed = answer == AT_CONSENT_GRANTED;
            if (answer == AT_CONSENT_UNKNOWN) said[k] = said[--count];
        }
    lua_pop(L, 1);
    enum at_status status = count ? world_state_consent(world, world->customer, said, count, at_ms) : AT_OK;
    world_must(L, status, &(struct at_error){0});
}

/* ---- a past ---- */

struct orders {
    uint32_t count;
    double revenue;
    int64_t last_ms;
};

static struct orders read_orders(lua_State *L, const struct giving *giving) {
    struct orders orders = {0};
    if (table_field(L, giving->customer, "orders", "{ count = 6, revenue = 420, since_last = \"10d\" }")) {
        int at = lua_gettop(L);
        check_known(L, at, "GivenOrders", NULL);
        double count = number_field(L, at, "given.customer.orders", "count", 1);
        if (!(count >= 0 && count <= ORDERS_MAX) || floor(count) != count)
            at_script_raise(L, "given.customer.orders.count is a whole number up to %d", ORDERS_MAX);
        orders.count = (uint32_t)count;
        orders.revenue = number_field(L, at, "given.customer.orders", "revenue", count * ORDER_REVENUE);
        double since = number_field(L, at, "given.customer.orders", "since_last", (double)ORDER_STEP_MS);
        double last =
            number_field(L, at, "given.customer.orders", "last_at", (double)giving->begin_ms - since);
        if (!(last <= (double)giving->begin_ms && last > 0))
            at_script_raise(L, "given.customer.orders: the last one was before the test begins");
        orders.last_ms = (int64_t)last;
    }
    lua_pop(L, 1);
    return orders;
}

/* One every thirty days, of one amount each but for the cents that are left. */
static void order(lua_State *L, struct giving *giving, const struct orders *orders) {
    double each = floor(orders->revenue * 100 / (orders->count ? orders->count : 1)) / 100;
    for (uint32_t i = 0; i < orders->count; i++) {
        bool is_last = i + 1 == orders->count;
        char id[32];
        struct at_json_out out = open_event(L, giving, "track");
        snprintf(id, sizeof id, "given-%u", i + 1);
        at_json_add_string(&out, "event", "order_completed");
        at_json_key(&out, "properties");
        at_json_open(&out, '{');
        at_json_add_string(&out, "order_id", id);
        at_json_add_number(&out, "revenue", is_last ? orders->revenue - each * i : each);
        at_json_close(&out, '}');
        at_json_close(&out, '}');
        happen(L, giving, orders->last_ms - (int64_t)(orders->count - 1 - i) * ORDER_STEP_MS);
    }
}

/* A page looked at as the test begins. */
static void visit(lua_State *L, struct giving *giving) {
    if (!table_field(L, giving->customer, "session", "{ source = \"newsletter\", device = \"mobile\" }")) {
        lua_pop(L, 1);
        return;
    }
    struct giving part = *giving;
    part.customer = lua_gettop(L);
    check_known(L, part.customer, "GivenSession", NULL);
    struct at_json_out out = open_event(L, giving, "page");
    const char *source = identifier_of(L, &part, "source", NULL),
               *name = identifier_of(L, &part, "campaign", NULL),
               *landing = identifier_of(L, &part, "landing", "/"),
               *referrer = identifier_of(L, &part, "referrer", NULL),
               *device = identifier_of(L, &part, "device", NULL);
    at_json_key(&out, "context");
    at_json_open(&out, '{');
    at_json_key(&out, "campaign");
    at_json_open(&out, '{');
    if (source) at_json_add_string(&out, "source", source);
    if (name) at_json_add_string(&out, "name", name);
    at_json_close(&out, '}');
    at_json_key(&out, "page");
    at_json_open(&out, '{');
    if (landing) at_json_add_string(&out, "path", landing);
    if (referrer) at_json_add_string(&out, "referrer", referrer);
    at_json_close(&out, '}');
    at_json_key(&out, "device");
    at_json_open(&out, '{');
    if (device) at_json_add_string(&out, "type", device);
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    happen(L, giving, giving->begin_ms);
    lua_pop(L, 1);
}

static struct at_text keep(lua_State *L, struct at_world *world, int at) {
    size_t length;
    const char *text = lua_tolstring(L, at, &length), *kept = at_arena_dup(&world->arena, text, length);
    if (!kept) at_script_raise(L, "out of memory");
    return (struct at_text){kept, length};
}

static void give_taste(lua_State *L, struct at_world *world, struct at_text facet) {
    double affinity = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    if (lua_type(L, -2) != LUA_TSTRING || !(affinity >= 0 && affinity <= 1))
        at_script_raise(L, "given.customer.affinity is like { brand = { Acme = 0.8 } }, from 0 to 1");
    if (world->taste_count == WORLD_TASTES_MAX)
        at_script_raise(L, "given.customer.affinity may say %d values", WORLD_TASTES_MAX);
    world->tastes[world->taste_count++] = (struct world_taste){facet, keep(L, world, -2), affinity};
}

static void give_tastes(lua_State *L, struct giving *giving) {
    struct at_world *world = giving->world;
    if (table_field(L, giving->customer, "affinity", "{ brand = { Acme = 0.8 } }"))
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TTABLE)
                at_script_raise(L, "given.customer.affinity is like { brand = { Acme = 0.8 } }, from 0 to 1");
            struct at_text facet = keep(L, world, -2);
            for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) give_taste(L, world, facet);
        }
    lua_pop(L, 1);
}

/* ---- all of it ---- */

static void check_given(lua_State *L, int given) {
    check_known(L, given, "Given", NULL);
    for (lua_pushnil(L); lua_next(L, given); lua_pop(L, 1)) {
        if (lua_type(L, -1) != LUA_TTABLE) at_script_raise(L, "given.%s is a table", lua_tostring(L, -2));
    }
}

static void find_customer(lua_State *L, int fields, struct giving *giving) {
    bool is_said = false;
    if (lua_getfield(L, fields, "given") == LUA_TTABLE) {
        check_given(L, lua_gettop(L));
        is_said = lua_getfield(L, -1, "customer") == LUA_TTABLE;
    }
    if (!is_said) lua_newtable(L);
    giving->customer = lua_gettop(L);
    check_customer(L, giving);
    giving->is_known = lua_getfield(L, giving->customer, "is_known") == LUA_TNIL || lua_toboolean(L, -1);
    lua_pop(L, 1);
}

static void use_events(lua_State *L, struct at_world *world, int fields) {
    struct at_error err = {0};
    int type = lua_getfield(L, fields, "events");
    if (type != LUA_TNIL && type != LUA_TSTRING)
        at_script_raise(L, "events names a file, like \"fixtures/black-friday-week.jsonl\"");
    if (type == LUA_TSTRING) world_must(L, world_use_events(world, lua_tostring(L, -1), &err), &err);
    lua_pop(L, 1);
}

void world_begin(lua_State *L, struct at_world *world, int fields) {
    struct giving giving = {.world = world};
    struct at_error err = {0};
    fields = lua_absindex(L, fields);
    use_events(L, world, fields);
    giving.begin_ms = begin_of(L, world, fields);
    begin_catalog(L, world, fields, giving.begin_ms);
    find_customer(L, fields, &giving);
    struct orders orders = read_orders(L, &giving);
    int64_t first_ms =
        orders.count ? orders.last_ms - (int64_t)(orders.count - 1) * ORDER_STEP_MS : giving.begin_ms;
    world_must(L, world_add_person(world, &world->customer), &err);
    give_tastes(L, &giving);
    state_consent(L, &giving, first_ms - AT_DAY_MS);
    introduce(L, &giving, first_ms - AT_DAY_MS);
    order(L, &giving, &orders);
    world->now_ms = giving.begin_ms;
    if (world->due_count && world->due[0].at_ms < world->now_ms) world->now_ms = world->due[0].at_ms;
    world_must(L, world_wait(world, giving.begin_ms - world->now_ms, &err), &err);
    visit(L, &giving);
    world_must(L, world_look_on(world), &err);
}
