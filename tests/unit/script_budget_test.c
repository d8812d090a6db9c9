/* SPDX-License-Identifier: Apache-2.0
 *
 * What does not end by itself is ended: loops, recursion, allocation, patterns, comparators, rep, concat, by
 * both back ends, within the budget and a slack, and never caught by the script.
 */
#include "script_world.h"

#define BUDGET_MS 20
#define SLACK_MS  (150.0 * SLOWNESS)

enum end { ENDS_STOPPED, ENDS_NOMEM, ENDS_SOMEHOW };
struct nasty {
    const char *name;
    enum end end;
    const char *text;
};

static const struct nasty NASTY[] = {
    {"an empty loop", ENDS_STOPPED, "while true do end"},
    {"a for loop", ENDS_STOPPED, "for i = 1, math.maxinteger do local x = i end"},
    {"repeat", ENDS_STOPPED, "repeat local x = 1 until false"},
    {"goto", ENDS_STOPPED, "::again:: goto again"},
    {"calls", ENDS_STOPPED, "local function f() end while true do f() end"},
    {"tail calls", ENDS_STOPPED, "local function f() return f() end f()"},
    {"a library call", ENDS_STOPPED, "while true do local x = math.floor(1.5) end"},
    {"pcall around a loop", ENDS_STOPPED, "while true do pcall(function() while true do end end) end"},
    {"xpcall around a loop", ENDS_STOPPED,
     "while true do xpcall(function() while true do end end, function() while true do end end) end"},
    {"a handler that loops", ENDS_STOPPED, "xpcall(error, function() while true do end end)"},
    {"pcall of pcall", ENDS_STOPPED, "while true do pcall(pcall, pcall, error) end"},
    {"select", ENDS_STOPPED, "while true do select('#', 1, 2, 3) end"},
    {"recursion", ENDS_SOMEHOW, "local function f() return 1 + f() end return f()"},
    {"recursion in pcall", ENDS_SOMEHOW, "local function f() return pcall(f) end while true do f() end"},
    {"mutual recursion", ENDS_SOMEHOW,
     "local a, b function a() return (b()) end function b() return (a()) end a()"},
    {"recursion by gsub", ENDS_SOMEHOW,
     "local function f() return (('x'):gsub('x', f)) end while true do pcall(f) end"},
    {"recursion by sort", ENDS_SOMEHOW,
     "local function f() table.sort({1, 2}, f) return true end while true do pcall(f) end"},
    {"tables kept", ENDS_SOMEHOW, "local t = {} while true do t[#t + 1] = {} end"},
    {"tables dropped", ENDS_STOPPED, "while true do local t = {1, 2, 3} end"},
    {"closures", ENDS_SOMEHOW, "local t = {} while true do t[#t + 1] = function() return t end end"},
    {"a text that doubles", ENDS_NOMEM, "local s = 'x' while true do s = s .. s end"},
    {"a text that doubles, caught", ENDS_NOMEM,
     "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end"},
    {"a text that grows", ENDS_SOMEHOW, "local s = '' while true do s = s .. 'xxxxxxxxxxxxxxxx' end"},
    {"texts kept", ENDS_SOMEHOW, "local t, i = {}, 0 while true do i = i + 1 t[i] = 'k' .. i end"},
    {"keys", ENDS_NOMEM, "local t = {} for i = 1, 1e6 do t['k' .. i] = i end"},
    {"keys that collide", ENDS_SOMEHOW, "local t = {} for i = 1, 1e6 do t[i * (2^17 - 1)] = i end"},
    {"whole keys that collide", ENDS_SOMEHOW, "local t = {} for i = 1, 1000000 do t[i * 131071] = i end"},
    {"backtracking", ENDS_SOMEHOW, "return string.find(('a'):rep(26), ('a-'):rep(26) .. 'b')"},
    {"backtracking for ever", ENDS_STOPPED,
     "while true do pcall(string.find, ('a'):rep(26), ('a-'):rep(26) .. 'b') end"},
    {"optional letters", ENDS_SOMEHOW, "return (('a'):rep(30)):gsub(('a?'):rep(30) .. ('a'):rep(30), 'x')"},
    {"stars", ENDS_SOMEHOW, "return string.match(('a'):rep(200000), '.*.*.*.*.*b')"},
    {"stars for ever", ENDS_STOPPED, "while true do pcall(string.match, ('a'):rep(2000), '.*.*.*b') end"},
    {"balance", ENDS_STOPPED, "local s = ('('):rep(200000) while true do pcall(string.find, s, '%b()') end"},
    {"gmatch", ENDS_STOPPED, "while true do for w in ('a'):rep(1000):gmatch('a-') do end end"},
    {"gsub that calls", ENDS_STOPPED, "('a'):rep(1000):gsub('a', function() while true do end end)"},
    {"gsub with a long template", ENDS_STOPPED,
     "local t = ('%0'):rep(1000) while true do pcall(string.gsub, ('a'):rep(1000), 'a', t) end"},
    {"plain find", ENDS_STOPPED,
     "local a, b = ('a'):rep(200000), ('a'):rep(128) .. 'b' while true do a:find(b, 1, true) end"},
    {"a comparator that loops", ENDS_STOPPED, "table.sort({3, 1, 2}, function() while true do end end)"},
    {"a comparator that lies", ENDS_SOMEHOW,
     "local t = {} for i = 1, 40000 do t[i] = i end table.sort(t, function() return true end)"},
    {"a comparator that cuts the list", ENDS_SOMEHOW,
     "local t = {} for i = 1, 40000 do t[i] = -i end "
     "table.sort(t, function(a, b) t[#t] = nil return a < b end)"},
    {"a comparator that lets it grow", ENDS_SOMEHOW,
     "local t = {} for i = 1, 1000 do t[i] = -i end "
     "while true do table.sort(t, function(a, b) t[#t + 1] = 1 return a < b end) end"},
    {"sorting without end", ENDS_STOPPED,
     "local t = {} for i = 1, 20000 do t[i] = (i * 7919) % 20011 end while true do table.sort(t) end"},
    {"sorting long texts", ENDS_STOPPED,
     "local t = {} for i = 1, 20 do t[i] = ('a'):rep(1000000) .. i end while true do table.sort(t) end"},
    {"rep of nothing", ENDS_STOPPED, "while true do string.rep('', 1 << 50) end"},
    {"rep too long", ENDS_STOPPED, "while true do pcall(string.rep, 'x', 1 << 50) end"},
    {"rep", ENDS_STOPPED, "while true do local s = ('x'):rep(1000000) end"},
    {"rep of bytes", ENDS_STOPPED, "while true do local s = ('x'):rep(500000, ',') end"},
    {"table.concat", ENDS_STOPPED,
     "local t = {} for i = 1, 50000 do t[i] = 'xx' end while true do local s = table.concat(t, ', ') end"},
    {"table.concat of a huge range", ENDS_STOPPED,
     "while true do pcall(table.concat, {}, '', 1, math.maxinteger) end"},
    {"unpack of a huge range", ENDS_STOPPED,
     "while true do pcall(table.unpack, {}, math.mininteger, math.maxinteger) end"},
    {"insert in front", ENDS_STOPPED, "local t = {} while true do table.insert(t, 1, 0) end"},
    {"remove in front", ENDS_STOPPED,
     "while true do local t = {} for i = 1, 3000 do t[i] = i end while #t > 0 do table.remove(t, 1) end end"},
    {"upper", ENDS_STOPPED, "local s = ('x'):rep(1000000) while true do s = s:upper():lower():reverse() end"},
    {"format", ENDS_STOPPED, "local s = ('x'):rep(100000) while true do s.format('%s%q', s, s) end"},
    {"utf8", ENDS_STOPPED, "local s = ('ä'):rep(200000) while true do utf8.len(s) end"},
    {"codes", ENDS_STOPPED, "while true do for _, c in utf8.codes(('ä'):rep(1000)) do end end"},
    {"pairs", ENDS_STOPPED,
     "local t = {} for i = 1, 5000 do t[i] = i end while true do for k in pairs(t) do end end"},
    {"pairs over keys", ENDS_STOPPED,
     "local t = {} for i = 1, 4000 do t['k' .. i] = i end while true do for k in pairs(t) do end end"},
    {"next", ENDS_STOPPED,
     "local t = {} for i = 1, 4000 do t['k' .. i] = i end while true do local k = next(t) "
     "while k do k = next(t, k) end end"},
    {"tostring", ENDS_STOPPED, "while true do tostring(1.5) tonumber('12') tonumber('zz', 36) end"},
    {"tonumber of a long text", ENDS_STOPPED,
     "local s = ('1'):rep(1000000) while true do tonumber(s, 10) end"},
    {"print", ENDS_STOPPED, "while true do print(('x'):rep(1000)) end"},
    {"errors", ENDS_STOPPED, "while true do pcall(error, {}) end"},
    {"unknown names", ENDS_STOPPED, "while true do pcall(function() return prnt end) end"},
};

static void run_nasty(const struct nasty *nasty, bool has_signal) {
    static struct world world;
    open_world(&world, has_signal ? BY_SIGNAL : BY_COUNT, 0);
    double before = worked_ms();
    enum at_status status = run_for(&world, nasty->text, BUDGET_MS);
    double worked = worked_ms() - before;
    if (worked > BUDGET_MS + SLACK_MS)
        fail_msg("%s (%s): %.0f ms", nasty->name, has_signal ? "signal" : "count", worked);
    if (status == AT_STOPPED && nasty->end == ENDS_NOMEM) { /* a busy machine: time ran out first */
        close_world(&world);
        open_world(&world, has_signal ? BY_SIGNAL : BY_COUNT, 0);
        status = run_for(&world, nasty->text, 20000);
    }
    bool is_right =
        nasty->end == ENDS_SOMEHOW || status == (nasty->end == ENDS_STOPPED ? AT_STOPPED : AT_NOMEM);
    if (!is_right)
        fail_msg("%s (%s): status %d, %s", nasty->name, has_signal ? "signal" : "count", status,
                 world.err.message);
    assert_int_equal(at_script_is_spent(world.script), status == AT_STOPPED || status == AT_NOMEM);
    if (at_script_is_spent(world.script))
        assert_int_equal(run_for(&world, "return 1", 1000), AT_STOPPED);
    else
        assert_int_equal(run_for(&world, "return 1", 1000), AT_OK);
    close_world(&world);
}

static void test_signal(void **state) {
    (void)state;
    for (size_t i = 0; i < AT_LENGTH(NASTY); i++) run_nasty(&NASTY[i], true);
}

static void test_count(void **state) {
    (void)state;
    for (size_t i = 0; i < AT_LENGTH(NASTY); i++) run_nasty(&NASTY[i], false);
}

/* A loop is never stopped before its time, whatever the deadline of the call before was. */
static void test_not_too_early(void **state) {
    (void)state;
    static struct world world;
    for (int has_signal = 0; has_signal < 2; has_signal++) {
        open_world(&world, has_signal ? BY_SIGNAL : BY_COUNT, 0);
        for (int i = 0; i < 300; i++)
            assert_int_equal(run_for(&world, "local n = 0 for i = 1, 2000 do n = n + i end return n", 2000),
                             AT_OK);
        assert_string_equal(world.result, "2001000");
        close_world(&world);
    }
}

static void test_where_it_stood(void **state) {
    (void)state;
    static struct world world;
    open_world(&world, BY_SIGNAL, 0);
    assert_int_equal(run_for(&world, "local x = 1\n\nwhile true do end", 5), AT_STOPPED);
    assert_says(&world, "scripts/t.lua:3: stopped: it ran longer than 5 ms");
    assert_int_equal(world.where.line, 3);
    close_world(&world);
    open_world(&world, BY_COUNT, 0);
    assert_int_equal(run_for(&world, "return 1", 0), AT_STOPPED);
    assert_false(at_script_is_spent(world.script));
    close_world(&world);
}

static void test_instructions(void **state) {
    (void)state;
    static struct world world;
    const char *text = "local n = 0 for i = 1, 100 do n = n + i end return n";
    open_world(&world, BY_COUNT, 0);
    assert_int_equal(run_for(&world, text, 1000), AT_OK);
    assert_int_equal(at_script_last_instructions(world.script), 0);
    at_script_count_instructions(world.script, 100000);
    assert_int_equal(run_for(&world, text, 1000), AT_OK);
    uint64_t first = at_script_last_instructions(world.script);
    assert_in_range(first, 200, 1000);
    assert_int_equal(run_for(&world, text, 1000), AT_OK);
    assert_int_equal(at_script_last_instructions(world.script), first);
    at_script_count_instructions(world.script, first - 1);
    assert_int_equal(run_for(&world, text, 1000), AT_STOPPED);
    assert_says(&world, "instructions");
    close_world(&world);
}

/* A coroutine of language/ runs under the budget of the call it is in. */
static int run_coroutine(lua_State *L, void *arg) {
    const char *text = arg;
    int count;
    lua_State *coroutine = lua_newthread(L);
    at_script_load(coroutine, "scripts/flow.lua", text, strlen(text));
    int status = at_script_resume(L, coroutine, 0, &count);
    if (status != LUA_OK) return luaL_error(L, "status %d: %s", status, lua_tostring(coroutine, -1));
    return 0;
}

static enum at_status run_flow(struct world *world, uint64_t budget_ms, const char *text) {
    char copy[200];
    snprintf(copy, sizeof copy, "%s", text);
    return at_script_call(world->script, budget_ms * MS, run_coroutine, copy, &world->where, &world->err);
}

static void test_coroutine(void **state) {
    (void)state;
    static struct world world;
    for (int has_signal = 0; has_signal < 2; has_signal++) {
        open_world(&world, has_signal ? BY_SIGNAL : BY_COUNT, 0);
        assert_int_equal(run_flow(&world, 1000, "return 1"), AT_OK);
        assert_int_equal(run_flow(&world, 1000, "error('no')"), AT_FAILED);
        assert_says(&world, "no");
        double before = worked_ms();
        assert_int_equal(
            run_flow(&world, BUDGET_MS, "while true do pcall(function() while true do end end) end"),
            AT_STOPPED);
        assert_true(worked_ms() - before < BUDGET_MS + SLACK_MS);
        close_world(&world);
        open_world(&world, has_signal ? BY_SIGNAL : BY_COUNT, 0);
        assert_int_equal(run_flow(&world, 10000, "local s = 'x' while true do s = s .. s end"), AT_NOMEM);
        close_world(&world);
    }
}

/* Random lengths of work under random short budgets: ends are only OK or STOPPED, a fresh state works. */
static void test_random_deadlines(void **state) {
    (void)state;
    static struct world world;
    const int cases = 1000;
    int stopped = 0;
    seed_random(cases);
    open_world(&world, BY_SIGNAL, 0);
    for (int i = 0; i < cases; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "local t = {} for i = 1, %d do t[i] = pcall(string.rep, 'x', i %% 50) end return #t",
                 (int)(next_random() % 20000) + 1);
        uint64_t budget = next_random() % (2 * MS) + 1;
        if (i % 2) at_script_watch_after(world.script, next_random() % budget);
        enum at_status status = run_bytes(&world, "scripts/t.lua", text, strlen(text), budget);
        assert_true(status == AT_OK || status == AT_STOPPED);
        stopped += status == AT_STOPPED;
        if (status == AT_OK) continue;
        renew_script(&world, 0);
    }
    print_message("%d of %d stopped\n", stopped, cases);
    assert_true(stopped > 0);
    close_world(&world);
}

/* A call that is watched says in which line it spends its time, is not harmed by it, and still ends. */
static void test_watched(void **state) {
    (void)state;
    static struct world world;
    struct at_script_where most;
    for (int back_end = 0; back_end < BACK_ENDS; back_end++) {
        enum at_status status = AT_OK;
        open_world(&world, back_end, 0);
        at_script_watch_after(world.script, 1000 * MS);
        assert_int_equal(run_for(&world, "return 1", 2000), AT_OK);
        assert_false(at_script_was_slow(world.script, &most));
        for (long turns = 1000000; status == AT_OK && turns < 1000000000; turns *= 4) {
            char text[200];
            snprintf(
                text, sizeof text,
                "local n = 0\nfor i = 1, 9 do n = n + 1 end\nfor i = 1, %ld do n = n + i %% 7 end\nreturn 5",
                turns);
            at_script_watch_after(world.script, 10 * MS);
            status = run_for(&world, text, 20000);
            if (at_script_was_slow(world.script, &most)) break;
        }
        assert_int_equal(status, AT_OK);
        assert_string_equal(world.result, "5");
        assert_true(at_script_took_ns(world.script) >= 10 * MS);
        assert_string_equal(most.path, "scripts/t.lua");
        assert_int_equal(most.line, 3);
        at_script_watch_after(world.script, 5 * MS);
        double before = worked_ms();
        assert_int_equal(
            run_for(&world, "local function f()\nwhile true do end\nend\npcall(resume, f)\nf()", BUDGET_MS),
            AT_STOPPED);
        assert_true(worked_ms() - before < BUDGET_MS + SLACK_MS);
        assert_true(at_script_was_slow(world.script, &most));
        assert_int_equal(most.line, 2);
        close_world(&world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signal),           cmocka_unit_test(test_count),
        cmocka_unit_test(test_not_too_early),    cmocka_unit_test(test_where_it_stood),
        cmocka_unit_test(test_instructions),     cmocka_unit_test(test_coroutine),
        cmocka_unit_test(test_random_deadlines), cmocka_unit_test(test_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
