/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that runs out at every place: making a state, loading, calling, an error on the way, closing. The
 * n-th request for more memory fails, alone or with all after it, for n = 1, 2, … until a whole run passes.
 * Also malloc itself, whose failures come before the state's own allocator.
 */
#include "script_world.h"

#include "base_fail_malloc.h"

static const char SOURCE[] =
    "local t = {} for i = 1, 40 do t['k' .. i] = ('x'):rep(i) .. i end "
    "for k, v in pairs(t) do t[k] = v:gsub('x+', string.upper) end table.sort({3, 1, 2}, function(a, b) "
    "return a < b end) "
    "local ok, e = pcall(error, {1}) print(ok, string.format('%5.1f %s', 1.5, 'text')) "
    "local text = ('word '):rep(300) for w in text:gmatch('%a+') do t[w] = utf8.char(228) end "
    "local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end "
    "return resume(function(...) return select('#', ...) + deep(100) end, table.unpack({1, 2, 3}))";

struct outcome {
    enum at_status made, ran;
    struct at_error err;
};

/* A whole life; everything must be given back whatever fails. */
static struct outcome live(struct world *world, struct at_account *account, uint64_t fail_at,
                           bool is_forever) {
    struct outcome outcome = {AT_OK, AT_OK, {"", "", ""}};
    struct at_script_options options = {.account = account, .guard = &world->guard};
    outcome.made = at_script_new_failing(&world->script, &options, fail_at, is_forever, &outcome.err);
    if (outcome.made) {
        assert_null(world->script);
        return outcome;
    }
    outcome.ran =
        at_script_call(world->script, 5000 * MS, add_words_and_seal, NULL, &world->where, &outcome.err);
    if (!outcome.ran) {
        outcome.ran = run_bytes(world, "scripts/t.lua", SOURCE, sizeof SOURCE - 1, 5000 * MS);
        outcome.err = world->err;
    }
    if (!at_script_is_spent(world->script)) at_script_collect(world->script, 1000);
    return outcome;
}

static void check_outcome(const struct outcome *outcome, uint64_t n) {
    bool is_right = (outcome->made == AT_OK || outcome->made == AT_NOMEM) &&
                    (outcome->ran == AT_OK || outcome->ran == AT_NOMEM);
    /* lua_checkstack cannot tell "no memory" from "too deep" */
    if (outcome->ran == AT_FAILED) is_right = strstr(outcome->err.message, "stack overflow") != NULL;
    if (!is_right)
        print_error("request %llu: made %d, ran %d: %s\n", (unsigned long long)n, outcome->made, outcome->ran,
                    outcome->err.message);
    assert_true(is_right);
    if (outcome->made || outcome->ran) assert_true(outcome->err.message[0] != '\0');
}

static void sweep(bool is_forever) {
    struct world world;
    struct at_account account = {.name = "lua", .limit = 64 << 20};
    uint64_t n = 0, unmade_count = 0, failed_count = 0, saved_count = 0, reached;
    open_world(&world, BY_COUNT, 0);
    at_script_free(world.script);
    do {
        struct outcome outcome = live(&world, &account, ++n, is_forever);
        check_outcome(&outcome, n);
        reached = world.script ? world.script->memory.growth_count : n;
        unmade_count += outcome.made != AT_OK;
        failed_count += !outcome.made && outcome.ran != AT_OK;
        saved_count += !outcome.made && !outcome.ran;
        at_script_free(world.script);
        world.script = NULL;
        assert_int_equal(at_account_used(&account), 0);
    } while (reached >= n);
    print_message("%llu requests: %llu times no state, %llu calls failed, %llu went on after a collection\n",
                  (unsigned long long)n - 1, (unsigned long long)unmade_count,
                  (unsigned long long)failed_count, (unsigned long long)saved_count - 1);
    assert_true(n > 200 && unmade_count > 10);
    assert_true(is_forever ? failed_count > 100 : saved_count > 100);
    close_world(&world);
}

static void each_request_fails_alone(void **state) {
    (void)state;
    sweep(false);
}

static void each_request_and_all_after_it_fail(void **state) {
    (void)state;
    sweep(true);
}

/* From inside at_script_new on: the state's struct, printed lines, userdata. */
static void malloc_itself_fails(void **state) {
    (void)state;
    struct world world;
    struct at_account account = {.name = "lua", .limit = 64 << 20};
    long n = 0;
    bool is_through = false;
    open_world(&world, BY_COUNT, 0);
    at_script_free(world.script);
    for (; !is_through; n++) {
        allocations_left = n;
        struct outcome outcome = live(&world, &account, 0, false);
        is_through = allocations_left > 0;
        allocations_left = -1;
        check_outcome(&outcome, (uint64_t)n);
        at_script_free(world.script);
        world.script = NULL;
        assert_int_equal(at_account_used(&account), 0);
    }
    print_message("%ld calls of malloc failed\n", n - 1);
    assert_true(n > 200);
    close_world(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_request_fails_alone),
                                       cmocka_unit_test(each_request_and_all_after_it_fail),
                                       cmocka_unit_test(malloc_itself_fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
