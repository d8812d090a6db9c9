/* SPDX-License-Identifier: Apache-2.0
 *
 * world:rank, world:decide and world:cost: a list as a decision would make it, by the same rules, rails and
 * order, for the test's customer or anybody its events named. A rule that fails fails the test: a shop would
 * fall back, and nobody would see it here. Nothing is explored.
 */
#include <string.h>
#include "base/utf8.h"
#include "language/vocabulary.h"
#include "language/world.h"

#define LIMIT_MAX     1000
#define ASK_BUDGET_NS (800 * 1000000ULL) /* not a decision's: counting is slow, and others may be busy */

struct asked {
    struct at_world *world;
    const char *ranking;
    struct at_json json; /* of the ask; no value: none */
    struct at_decision_view view;
    struct at_list_ask list;
    struct at_sort sort;
    struct at_list done;
};

/* ---- reading ---- */

static void check_names(lua_State *L, struct at_json ask) {
    const struct at_owner *owner = at_owner_of(AT_TEXT("ListAsk"));
    struct at_json_each it = at_json_each(ask);
    while (at_json_next(&it)) {
        const struct at_word *word = at_word_of(owner, it.key);
        if (word && word->since) continue;
        lua_pushlstring(L, it.key.data, it.key.length < 60 ? it.key.length : 60);
        raise_field(L, "ListAsk", lua_tostring(L, -1));
    }
}

static uint32_t count_of(lua_State *L, struct at_json ask, const char *name, uint32_t usual, uint32_t most) {
    struct at_json value = at_json_get(ask, name);
    int64_t count = usual;
    if (value.tape && (!at_json_int(value, &count) || count < 0 || count > (int64_t)most))
        at_script_raise(L, "%s is a whole number up to %d", name, (int)most);
    return (uint32_t)count;
}

static void read_sort(lua_State *L, struct asked *asked) {
    struct at_error err = {0};
    struct at_text name = at_json_text(at_json_get(asked->json, "sort"));
    if (!name.length) return;
    world_must(L, at_sort_read(asked->world->root, name, &asked->sort, &err), &err);
    asked->list.rank.sort = &asked->sort;
}

static void *room_for(lua_State *L, struct asked *asked, size_t count, size_t size) {
    void *room = at_arena_alloc(asked->view.arena, (count + 1) * size);
    if (!room) at_script_raise(L, "out of memory");
    return room;
}

/* The rows that the ask names, each once, in its order. */
static void read_items(lua_State *L, struct asked *asked, struct at_json items) {
    uint32_t count = at_json_count(items), kept = 0;
    uint32_t *rows = room_for(L, asked, count, sizeof *rows);
    struct at_json_each it = at_json_each(items);
    while (at_json_next(&it)) {
        struct at_text id = at_json_text(it.value);
        uint32_t row = id.data ? at_root_row(asked->world->root, id.data, id.length) : AT_ROW_NONE, k = 0;
        if (row == AT_ROW_NONE || !at_root_is_live(asked->world->root, row))
            at_script_raise(L, "items: there is no product \"%s\" in this test", id.data ? id.data : "");
        while (k < kept && rows[k] != row) k++;
        rows[kept] = row;
        kept += k == kept;
    }
    asked->list.rank.candidates = rows;
    asked->list.rank.candidate_count = kept;
}

static void read_candidates(lua_State *L, struct asked *asked) {
    const struct at_root *root = asked->world->root;
    struct at_json items = at_json_get(asked->json, "items"), json = at_json_get(asked->json, "where");
    struct at_where *where = NULL;
    struct at_error err = {0};
    if (items.tape && json.tape) at_script_raise(L, "give items or where, not both");
    if (items.tape) return read_items(L, asked, items);
    if (json.tape) world_must(L, at_where_parse(root, asked->view.arena, json, &where, &err), &err);
    uint32_t live = at_root_live(root), count = 0, *rows = room_for(L, asked, live, sizeof *rows);
    at_where_rows(where, root, rows, live, &count);
    asked->list.rank.candidates = rows;
    asked->list.rank.candidate_count = count < live ? count : live;
}

/* page = "product/SKU-1", or a table of what it says of itself. */
static void read_page(struct asked *asked) {
    struct at_json page = at_json_get(asked->json, "page");
    bool is_table = at_json_is_object(page);
    at_list_page(&asked->view, at_json_text(is_table ? at_json_get(page, "name") : page),
                 is_table ? page : asked->json, asked->json);
}

/* customer = { user_id = "…" }: somebody the events named; else nobody. */
static uint32_t read_customer(lua_State *L, struct asked *asked) {
    struct at_json customer = at_json_get(asked->json, "customer");
    struct at_world *world = asked->world;
    uint32_t person = WORLD_NOBODY;
    if (!customer.tape) return world->customer;
    if (!at_json_is_object(customer)) at_script_raise(L, "customer is like { user_id = \"…\" }");
    struct at_json_each it = at_json_each(customer);
    while (at_json_next(&it) && person == WORLD_NOBODY)
        person = world_find(world, it.key, at_json_text(it.value));
    if (person == WORLD_NOBODY) at_script_raise(L, "nobody in this test is that customer");
    return person;
}

static const struct at_ranking *ranking_named(lua_State *L, const char *name) {
    const struct at_generation *generation = language_of(L)->generation;
    struct at_error err = {0};
    const struct at_ranking *ranking = at_generation_ranking(generation, at_text_of(name));
    if (!ranking) world_must(L, at_list_unknown(generation, at_text_of(name), &err), &err);
    return ranking;
}

/* ---- running ---- */

static void must_hold(lua_State *L, const struct asked *asked) {
    const struct at_rank_result *result = &asked->done.result;
    if (result->error.message[0])
        at_script_raise(L, "ranking \"%s\" failed: %s", asked->ranking, result->error.message);
    if (asked->view.segment_failures) at_script_raise(L, "%s", asked->view.segment_error.message);
}

/* The ask is the JSON of asked; leaves the result in asked->done. seen: the world's, given back by it. */
static void run(lua_State *L, struct asked *asked, struct at_language *language) {
    struct at_world *world = asked->world;
    struct at_profile *seen = NULL;
    asked->view.arena = &world->asking;
    uint32_t person = read_customer(L, asked);
    const struct at_ranking *ranking = ranking_named(L, asked->ranking);
    bool explains = asked->view.explains;
    if (!explains) at_script_stop_counting(language->script); /* a cost that failed may have left it on */
    enum at_status status = world_look(world, person, &asked->view, &seen);
    if (world->asked) at_profile_unref(world->asked);
    world->asked = seen;
    world_must(L, status, &(struct at_error){0});
    asked->view.explains = explains;
    asked->view.deadline_ns = at_ticks_ns() + ASK_BUDGET_NS;
    read_page(asked);
    read_candidates(L, asked);
    read_sort(L, asked);
    asked->list.generation = language_of(L)->generation;
    asked->list.language = language;
    asked->list.view = &asked->view;
    asked->list.ranking = ranking;
    asked->list.place = (struct at_place){asked->view.page_name, AT_TEXT("ranking"),
                                          at_text_of(asked->ranking), world->now_ms};
    asked->list.is_certain = true;
    asked->list.is_by_rows = language->ran != NULL;
    asked->list.rank.limit = count_of(L, asked->json, "limit", 24, LIMIT_MAX);
    asked->list.rank.offset = count_of(L, asked->json, "offset", 0, UINT32_MAX >> 2);
    status = at_list_run(&asked->list, &asked->done);
    at_decision_end(language, &asked->view);
    if (status != AT_OK) at_script_raise(L, "out of memory");
    for (uint32_t i = 0; world->run->applied && i < asked->done.rail_count; i++)
        world->run->applied[asked->done.rails[i].rail->declaration] = 1;
    must_hold(L, asked);
}

static int push_row(lua_State *L, uint32_t row) {
    struct at_language *language = language_of(L);
    for (uint32_t i = 1; i < language->row_count; i++)
        if (language->rows[i] == row) return push_view(L, VIEW_PRODUCT, i), 1;
    if (language->row_count == AT_LENGTH(language->rows))
        return at_script_raise(L, "a test may look at %d products", ROWS_MAX - 1);
    language->rows[language->row_count] = row;
    push_view(L, VIEW_PRODUCT, language->row_count++);
    return 1;
}

static int push_list(lua_State *L, const struct at_rank_result *result) {
    lua_createtable(L, (int)result->count, 0);
    for (uint32_t i = 0; i < result->count; i++) {
        push_row(L, result->items[i].row);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static void begin(lua_State *L, const char *word, struct asked *asked) {
    uint32_t index;
    lua_settop(L, 3);
    if (view_at(L, 1, &index) != VIEW_WORLD || lua_type(L, 2) != LUA_TSTRING ||
        (!lua_isnil(L, 3) && lua_type(L, 3) != LUA_TTABLE))
        at_script_raise(L, "write world:%s(\"collection\", { where = { category = \"sofas\" } })", word);
    *asked = (struct asked){.world = language_of(L)->world, .ranking = lua_tostring(L, 2)};
    at_arena_reset(&asked->world->asking);
    if (lua_isnil(L, 3)) return;
    asked->json = world_json_at(L, asked->world, 3);
    check_names(L, asked->json);
}

int l_world_rank(lua_State *L) {
    struct asked asked;
    begin(L, "rank", &asked);
    run(L, &asked, asked.world->run->rules);
    return push_list(L, &asked.done.result);
}

static uint64_t elements_of(const struct at_rule_use *use) {
    if (!use || !use->ran_on_columns) return 0;
    uint64_t nodes = use->result >= 0 && use->program ? use->program->count : 1;
    return nodes * use->row_count;
}

int l_world_cost(lua_State *L) {
    struct asked asked;
    begin(L, "cost", &asked);
    struct test_run *all = asked.world->run;
    struct at_language *language = all->plain ? all->plain : all->rules;
    asked.view.explains = true; /* keeps the programs, and none from before is taken */
    at_script_count_instructions(language->script, 0);
    run(L, &asked, language);
    uint64_t cost = at_script_stop_counting(language->script);
    cost += elements_of(asked.done.score) + elements_of(asked.done.first);
    for (uint32_t i = 0; i < asked.done.rail_count; i++) cost += elements_of(asked.done.rail_uses[i]);
    lua_pushnumber(L, (double)cost);
    return 1;
}

/* ---- world:decide { ask = { list = { ranking = "collection" } } } ---- */

/* The ask at the top, without its ranking and with what is said for all of them; its answer replaces it. */
static void decide_one(lua_State *L, struct at_world *world, const char *answer) {
    static const char *const shared[] = {"page", "product", "category", "query", "url", "customer"};
    struct asked asked = {.world = world};
    if (lua_type(L, -1) != LUA_TTABLE || lua_getfield(L, -1, "ranking") != LUA_TSTRING)
        at_script_raise(L, "ask.%s says which list: { ranking = \"collection\" }", answer);
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, -4); lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), "ranking") == 0) continue;
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
    }
    for (size_t i = 0; i < AT_LENGTH(shared); i++) {
        if (lua_getfield(L, 2, shared[i]) == LUA_TNIL)
            lua_pop(L, 1);
        else
            lua_setfield(L, -2, shared[i]);
    }
    asked.ranking = lua_tostring(L, -2);
    at_arena_reset(&world->asking);
    asked.json = world_json_at(L, world, -1);
    check_names(L, asked.json);
    run(L, &asked, world->run->rules);
    push_list(L, &asked.done.result);
    lua_replace(L, -4);
    lua_pop(L, 2);
}

int l_world_decide(lua_State *L) {
    uint32_t index;
    lua_settop(L, 2);
    if (view_at(L, 1, &index) != VIEW_WORLD || lua_type(L, 2) != LUA_TTABLE ||
        lua_getfield(L, 2, "ask") != LUA_TTABLE)
        return at_script_raise(L, "write world:decide { ask = { list = { ranking = \"collection\" } } }");
    check_known(L, 2, "Decision", NULL);
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            return at_script_raise(L, "each ask has a name: ask = { list = { … } }");
        lua_pushvalue(L, -1);
        decide_one(L, language_of(L)->world, lua_tostring(L, -3));
        lua_setfield(L, 4, lua_tostring(L, -3));
    }
    return 1;
}
