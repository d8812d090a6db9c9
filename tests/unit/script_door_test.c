/* SPDX-License-Identifier: Apache-2.0
 *
 * The C side of the door by both back ends of the limiter: what is in time is left alone, an end at the
 * deadline is one thing or the other, coroutines cannot get away, the stack and the hooks are put back, a
 * state changes its guard, garbage goes between calls. Then what Lua really says in translated words, and the
 * edges of the libraries.
 */
#include "script_world.h"

static void is_stopped(struct world *world, const char *source, uint64_t budget_ns) {
    enum at_status status = run_bytes(world, "scripts/t.lua", source, strlen(source), budget_ns);
    if (status != AT_STOPPED || world->took_ns > budget_ns + SLACK_NS)
        print_error("%s gave %d after %.1f ms: %s\n", source, status, (double)world->took_ns / 1e6,
                    world->err.message);
    assert_int_equal(status, AT_STOPPED);
    assert_in_range(world->took_ns, budget_ns, budget_ns + SLACK_NS);
    assert_true(at_script_is_spent(world->script));
    renew_script(world, 0);
}

static void budgets_of_all_sizes_hold(void **state) {
    (void)state;
    static const uint64_t budgets[] = {MS / 10, MS, 5 * MS, 20 * MS};
    static const char *const forever[] = {"while true do end",
                                          "while true do pcall(function() while true do end end) end",
                                          "while true do local _ = {} end"};
    for (enum back_end back_end = BY_SIGNAL; back_end < BACK_ENDS; back_end++) {
        struct world world;
        open_world(&world, back_end, 0);
        for (size_t i = 0; i < AT_LENGTH(forever); i++)
            for (size_t j = 0; j < AT_LENGTH(budgets); j++) is_stopped(&world, forever[i], budgets[j]);
        close_world(&world);
    }
}

static void coroutines_cannot_get_away(void **state) {
    (void)state;
    static const char *const escapes[] = {
        "resume(function() while true do end end)",
        "while true do pcall(resume, function() local x = 0 for i = 1, 20 do x = x + i end end) end",
        "local function f() pcall(resume, f) while true do end end f()",
        "while true do resume(function() wait(1) end) end",
        "while true do resume(function() pcall(function() while true do end end) end) end",
        "while true do pcall(resume, function() xpcall(error, function() while true do end end) end) end",
        "while true do pcall(resume, function() for w in ('a'):rep(99999):gmatch('a-b') do end end) end"};
    for (enum back_end back_end = BY_SIGNAL; back_end < BACK_ENDS; back_end++) {
        struct world world;
        open_world(&world, back_end, 0);
        for (size_t i = 0; i < AT_LENGTH(escapes); i++) is_stopped(&world, escapes[i], 10 * MS);
        close_world(&world);
    }
}

static void coroutines_give_values_and_errors(void **state) {
    (void)state;
    for (enum back_end back_end = BY_SIGNAL; back_end < BACK_ENDS; back_end++) {
        struct world world;
        open_world(&world, back_end, 0);
        gives(&world, "return resume(function(a, b) return a + b end, 1, 2)", "3");
        gives(&world, "return resume(function() pcall(function() wait(5) end) return 9 end)", "5");
        gives(&world, "return select('#', resume(function() return 1, 2, 3 end))", "3");
        fails(&world, "resume(function() local x = nil + 1 end)",
              "scripts/t.lua:1: attempt to perform arithmetic");
        fails(&world, "resume(function() table.sort({2, 1}, function() wait() end) end)",
              "yield across a C-call");
        gives(&world, "return select(2, pcall(resume, error, 'own'))", "own");
        assert_int_equal(run(&world, "local t = {} resume(function() while true do t[#t + 1] = {} end end)"),
                         AT_NOMEM);
        close_world(&world);
    }
}

/* A state without any guard has the count hook, too. */
static void without_a_guard_the_count_hook_stops(void **state) {
    (void)state;
    struct world world = {0};
    struct at_script_options options = {0};
    const char *source = "while true do pcall(function() while true do end end) end";
    assert_int_equal(at_script_new(&world.script, &options, &world.err), AT_OK);
    assert_int_equal(run_bytes(&world, "scripts/t.lua", source, strlen(source), 10 * MS), AT_STOPPED);
    assert_in_range(world.took_ns, 10 * MS, 10 * MS + SLACK_NS);
    at_script_free(world.script);
}

/* Calls that end at about their deadline; a late signal of one call must not hit the next. */
static void ending_at_the_deadline_is_one_or_the_other(void **state) {
    (void)state;
    const int cases = IS_SANITIZED ? 100 : 1000;
    const char *source =
        "local n = 0 for i = 1, 200000 do n = n + 1 end pcall(function() n = n + 1 end) return n";
    for (enum back_end back_end = BY_SIGNAL; back_end < BACK_ENDS; back_end++) {
        struct world world;
        int stopped_count = 0;
        open_world(&world, back_end, 0);
        for (int i = 0; i < cases; i++) {
            uint64_t budget_ns = 200000 + (uint64_t)i * (IS_SANITIZED ? 50000 : 2000);
            enum at_status status = run_bytes(&world, "scripts/t.lua", source, strlen(source), budget_ns);
            assert_true(status == AT_OK || status == AT_STOPPED);
            if (status == AT_OK) assert_string_equal(world.result, "200001");
            stopped_count += status == AT_STOPPED;
            if (status == AT_STOPPED) renew_script(&world, 0);
            gives(&world, "return 1", "1");
        }
        print_message("%d cases by %s, %d of them stopped\n", cases, back_end_names[back_end], stopped_count);
        close_world(&world);
    }
}

static int raise_number(lua_State *L, void *arg) {
    (void)arg;
    lua_settop(L, 0);
    lua_pushinteger(L, 42);
    return lua_error(L);
}

static int poll_forever(lua_State *L, void *arg) {
    (void)arg;
    for (;;) at_script_poll(L);
    return 0;
}

static int leave_rubbish(lua_State *L, void *arg) {
    (void)arg;
    for (int i = 0; i < 15; i++) lua_pushinteger(L, i);
    return 15;
}

static void the_door_puts_everything_back(void **state) {
    (void)state;
    for (enum back_end back_end = BY_SIGNAL; back_end < BACK_ENDS; back_end++) {
        struct world world;
        open_world(&world, back_end, 0);
        lua_State *L = at_script_lua(world.script);
        assert_int_equal(at_script_call(world.script, MS * 1000, leave_rubbish, NULL, NULL, NULL), AT_OK);
        assert_int_equal(lua_gettop(L), 0);
        assert_int_equal(at_script_call(world.script, MS * 1000, raise_number, NULL, NULL, &world.err),
                         AT_FAILED);
        assert_string_equal(world.err.message, "42");
        assert_int_equal(lua_gettop(L), 0);
        assert_int_equal(at_script_call(world.script, 2 * MS, poll_forever, NULL, NULL, &world.err),
                         AT_STOPPED);
        assert_int_equal(lua_gettop(L), 0);
        assert_int_equal(lua_gethookmask(L), 0);
        close_world(&world);
    }
}

/* Built on one thread, run on another: the guard goes with it. */
static void a_state_changes_its_guard(void **state) {
    (void)state;
    struct world world;
    open_world(&world, BY_SIGNAL, 0);
    struct at_guard other = {0};
    at_script_set_guard(world.script, NULL);
    gives(&world, "return 1", "1");
    at_guard_register(world.watchdog, &other);
    at_script_set_guard(world.script, &other);
    assert_int_equal(run_bytes(&world, "scripts/t.lua", "while true do end", 17, 5 * MS), AT_STOPPED);
    assert_in_range(world.took_ns, 5 * MS, 5 * MS + SLACK_NS);
    at_guard_unregister(&other);
    close_world(&world);
}

static void garbage_is_collected_between_calls(void **state) {
    (void)state;
    struct world world;
    open_world(&world, BY_SIGNAL, 0);
    gives(&world, "local t = {} for i = 1, 20000 do t[i] = {i} end return #t", "20000");
    size_t before = at_script_used_bytes(world.script);
    for (int i = 0; i < 1000; i++) at_script_collect(world.script, 200);
    print_message("%zu KiB, then %zu\n", before / 1024, at_script_used_bytes(world.script) / 1024);
    assert_true(at_script_used_bytes(world.script) < before / 2);
    gives(&world, "return ('x'):upper()", "X");
    close_world(&world);
}

/* Each way to what is behind a read-only table must give the read-only one, or nothing. */
static void iterators_do_not_hand_out_what_is_behind(void **state) {
    (void)state;
    struct world world;
    open_world(&world, BY_COUNT, 0);
    gives(&world, "local f, t = ipairs(frozen) return t == frozen", "true");
    fails(&world, "local f, t = ipairs(frozen) t.seven = 8", "frozen is read-only: 'seven' cannot be set");
    fails(&world, "local f, t = ipairs(_ENV) t.pairs = 8", "cannot be set");
    gives(&world, "local f, t, i = pairs(frozen) return type(t) .. type(i)", "nilnil");
    gives(&world, "local n = 0 for i, v in ipairs(frozen) do n = n + v end return n", "1");
    gives(&world, "local f = ipairs({}) return tostring(f(frozen, 0)) .. tostring(f(frozen, 1))", "1nil");
    gives(&world, "return #frozen .. table.concat(frozen) .. table.unpack(frozen) .. frozen.seven", "1117");
    fails(&world, "ipairs({})(1, 0)", "table expected");
    close_world(&world);
}

/* What Lua really says, not what a table says it says. */
static void real_messages_are_translated(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"local p = {} return p.a.b", "there is nothing in 'a' here"},
        {"local p = {} return p[1].b", "there is nothing in"},
        {"local p = {} return p.a + 1", "cannot be calculated with"},
        {"local p = {} return 'x' .. p.a", "cannot be joined"},
        {"local p = {} return p.a()", "there is no 'a' to call"},
        {"local p = {} return p:go()", "there is no ':go'"},
        {"local p = {} return p.a > 1", "a missing value is compared with a number"},
        {"local p = {} return #p.a", "cannot count it"},
        {"local p = {} p[nil] = 1", "a missing value cannot be a key"},
        {"return 1 // 0", "divided by zero"},
        {"return 1 % 0", "division by zero"},
        {"for i = 1, 'x' do end", "the last value of the for loop is not a number"},
        {"for i = 1, 2, 0 do end", "would never end"},
        {"return math.floor()", "floor needs a number as value 1, but got nothing"},
        {"local function f() return 1 + f() end return f()", "calls itself without end"},
        {"local x = 1 if x != 2 then end", "for \"not equal\" write ~="},
        {"local x = “a”", "curly quotes do not work"},
        {"local x = 1 x += 1", "write x = x + 1"},
        {"local t = {a = 1 b = 2}", "is a comma missing"},
        {"for i = 1 to 3 do end", "write for i = 1, 3 do"},
        {"for x in {} do end", "over a list it goes with ipairs(list)"},
        {"for i = 'a', 3 do end", "the first value of the for loop is not a number"},
        {"for i = 1, 3, {} do end", "the step of the for loop is not a number"},
        {"return 1 < 'a'", "a number is compared with a text"},
        {"return {} < {}", "each a list cannot be compared by size"},
        {"local p = {} p[0/0] = 1", "has no result cannot be a key"},
        {"return {} + 1", "cannot be calculated with"},
        {"local s = 'a' return s()", "'s' is a text and cannot be called"},
        {"assert(false)", "an assert does not hold"},
        {"return 1 | 'a'", "write `and`, `or`"},
        {"if true then\n", "the 'if' of line 1 has no `end`"},
        {"if true then\nif false then", "an `end` is missing"},
        {"local x = 'abc", "a closing quote is missing"}};
    struct world world;
    open_world(&world, BY_COUNT, 0);
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        char out[512];
        assert_int_not_equal(run(&world, cases[i][0]), AT_OK);
        at_script_translate(world.err.message, out, sizeof out);
        if (!strstr(out, cases[i][1])) print_error("%s: %s\n", cases[i][0], out);
        assert_non_null(strstr(out, cases[i][1]));
        if (at_script_is_spent(world.script)) renew_script(&world, 0);
    }
    close_world(&world);
}

static void the_libraries_hold_at_their_edges(void **state) {
    (void)state;
    struct world world;
    open_world(&world, BY_COUNT, 0);
    fails(&world, "return table.unpack({}, math.maxinteger - 1500, math.maxinteger)", "too many results");
    gives(&world, "return select('#', table.unpack({}, math.maxinteger - 5, math.maxinteger))", "6");
    gives(&world, "return select('#', table.unpack({}, math.mininteger, math.mininteger + 9))", "10");
    fails(&world, "return table.concat({}, '', math.maxinteger, math.maxinteger)", "invalid value (a nil)");
    gives(&world, "local f = utf8.codes('abc') return tostring((f('abc', -1))) .. tostring((f('abc', 2)))",
          "nil3");
    gives(&world, "local f = utf8.codes('abc') return tostring((f('abc', math.mininteger)))", "nil");
    gives(&world, "return ('x'):rep(0, ('y'):rep(100)) .. (''):rep(1 << 50)", "");
    gives(&world, "return #('x'):rep(1 << 20)", "1048576");
    fails(&world, "return ('x'):rep((1 << 20) + 1)", "longer than 1048576 bytes");
    gives(&world, "local t = {} for i = 1, 24576 do t[i] = -i end table.sort(t) return t[1]", "-24576");
    gives(&world, "return string.format('%q %q', math.mininteger, 0.5)", "0x8000000000000000 0x1p-1");
    fails(&world, "return string.format('%123d', 1)", "invalid conversion");
    fails(&world, "return 'ten' + 1", "attempt to do arithmetic on a string value");
    fails(&world, "return select(math.mininteger, 'a')", "index out of range");
    fails(&world, "error(('é'):rep(400))", "éé");
    gives(&world, "return math.type(math.modf(3)) .. math.fmod(math.mininteger, -1)", "integer0");
    close_world(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(budgets_of_all_sizes_hold),
                                       cmocka_unit_test(coroutines_cannot_get_away),
                                       cmocka_unit_test(coroutines_give_values_and_errors),
                                       cmocka_unit_test(without_a_guard_the_count_hook_stops),
                                       cmocka_unit_test(ending_at_the_deadline_is_one_or_the_other),
                                       cmocka_unit_test(the_door_puts_everything_back),
                                       cmocka_unit_test(a_state_changes_its_guard),
                                       cmocka_unit_test(garbage_is_collected_between_calls),
                                       cmocka_unit_test(iterators_do_not_hand_out_what_is_behind),
                                       cmocka_unit_test(real_messages_are_translated),
                                       cmocka_unit_test(the_libraries_hold_at_their_edges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
