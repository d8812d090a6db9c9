/* SPDX-License-Identifier: Apache-2.0
 *
 * test "name" { given, events, catalog, at, run }: the noun, and the run of all tests of a generation. Each
 * has a world of its own; the two states of Lua are kept from test to test until one is stopped.
 */
#include "language/test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "language/world.h"

/* ---- the noun ---- */

static void check_type(lua_State *L, const char *field, int wanted, const char *like) {
    int type = lua_getfield(L, 2, field);
    if (type != LUA_TNIL && type != wanted) at_script_raise(L, "test.%s is %s", field, like);
    lua_pop(L, 1);
}

int declare_test(lua_State *L, const char *name) {
    struct declarations *declarations = declaring(L, "test");
    check_known(L, 2, "Test", NULL);
    for (uint32_t i = 0; i < declarations->test_count; i++)
        if (strcmp(declarations->tests[i].name, name) == 0)
            refuse_twice(L, "test", name, declarations->tests[i].path, declarations->tests[i].line);
    if (declarations->test_count == AT_TESTS_MAX)
        return at_script_raise(L, "there are more than %d tests", AT_TESTS_MAX);
    struct at_test *test = &declarations->tests[declarations->test_count];
    *test = (struct at_test){
        .name = keep_text(L, name), .path = keep_text(L, declarations->path), .line = line_of_caller(L)};
    check_type(L, "given", LUA_TTABLE, "a table, like { customer = { orders = { count = 2 } } }");
    check_type(L, "events", LUA_TSTRING, "a file, like \"fixtures/week.jsonl\"");
    check_type(L, "catalog", LUA_TSTRING, "a file, like \"fixtures/mini.jsonl\"");
    check_type(L, "at", LUA_TSTRING, "a moment, like \"2026-11-27 21:30\"");
    test->run = function_field(L, "test", "run");
    if (!test->run) return at_script_raise(L, "test \"%s\" needs run = function(world) … end", name);
    test->fields = keep_function(L, 2);
    declarations->test_count++;
    return 0;
}

/* ---- states ---- */

static enum at_status load(const struct test_run *run, bool counts, struct at_guard *guard,
                           struct at_language **out, struct at_error *err) {
    const struct at_test_options *options = run->options;
    struct language_options wanted = {.generation = options->generation,
                                      .files = counts ? run->files : options->generation->files,
                                      .settings = options->settings,
                                      .guard = guard,
                                      .ran = counts ? run->ran : NULL};
    return language_load(out, &wanted, err);
}

static void drop_spent(struct at_language **language, bool always) {
    if (!*language || (!always && !at_language_is_spent(*language))) return;
    at_language_free(*language);
    *language = NULL;
}

static void drop_states(struct test_run *run, bool always) {
    drop_spent(&run->outer, always);
    drop_spent(&run->rules, always);
    drop_spent(&run->plain, always);
}

/* A guard watches one call at a time, and rules run within a test: theirs is the guard. */
static enum at_status make_states(struct test_run *run, struct at_error *err) {
    bool counts = run->ran != NULL;
    enum at_status status = AT_OK;
    drop_states(run, false);
    if (!run->outer) status = load(run, counts, NULL, &run->outer, err);
    if (status == AT_OK && !run->rules) status = load(run, counts, run->options->guard, &run->rules, err);
    if (status == AT_OK && counts && !run->plain)
        status = load(run, false, run->options->guard, &run->plain, err);
    return status;
}

/* ---- one test ---- */

struct running {
    struct at_world *world;
    const struct at_test *test;
};

static int run_body(lua_State *L, void *arg) {
    struct running *running = arg;
    push_function(L, running->test->fields);
    world_begin(L, running->world, 1);
    lua_settop(L, 0);
    push_function(L, running->test->run);
    push_view(L, VIEW_WORLD, 0);
    lua_call(L, 1, 0);
    return 0;
}

static const char *keep(const struct test_run *run, const char *text) {
    const char *kept = at_arena_dup(run->options->arena, text, strlen(text));
    return kept ? kept : "";
}

static struct at_text source_of(const struct test_run *run, const char *path) {
    const struct at_generation *generation = run->options->generation;
    for (uint32_t i = 0; i < generation->file_count; i++)
        if (at_text_is(generation->files[i].path, path)) return generation->files[i].text;
    return AT_TEXT("");
}

static void place(const struct test_run *run, struct at_test_result *result, const char *path,
                  uint32_t line) {
    bool is_there = line && source_of(run, path).length;
    result->path = keep(run, is_there ? path : result->test->path);
    result->finding.line = is_there ? line : result->test->line;
    result->finding.column = 1;
}

static void fail_expectation(const struct test_run *run, const struct world_failure *failure,
                             struct at_test_result *result) {
    result->expected = keep(run, failure->expected);
    result->got = keep(run, failure->got);
    place(run, result, failure->path, failure->line);
    find_expectation(run->options->arena, source_of(run, result->path), &result->finding);
    snprintf(result->finding.message, sizeof result->finding.message,
             "test \"%.60s\": expected %.80s, got %.80s", result->test->name, failure->expected,
             failure->got);
}

/* The message begins with the place, which the finding has. */
static void fail_error(const struct test_run *run, const struct at_script_where *where,
                       const struct at_error *err, struct at_test_result *result) {
    const char *message = err->message;
    size_t length = strlen(where->path);
    if (where->line && strncmp(message, where->path, length) == 0 && message[length] == ':') {
        const char *colon = strchr(message + length + 1, ':');
        if (colon) message = colon + 1 + strspn(colon + 1, " ");
    }
    place(run, result, where->path, (uint32_t)where->line);
    snprintf(result->finding.message, sizeof result->finding.message, "test \"%.60s\": %.180s",
             result->test->name, message);
}

static void judge(const struct test_run *run, const struct at_world *world, enum at_status status,
                  const struct at_script_where *where, const struct at_error *err,
                  struct at_test_result *result) {
    static const struct at_script_where nowhere = {"", 0};
    struct at_error says_nothing = {0};
    result->outcome = AT_TEST_PASSED;
    if (status == AT_OK && !world->failure.is_there && world->expectations) return;
    result->outcome = AT_TEST_FAILED;
    snprintf(result->finding.code, sizeof result->finding.code, "test_failed");
    if (world->failure.is_there) return fail_expectation(run, &world->failure, result);
    if (status != AT_OK) return fail_error(run, where, err, result);
    at_fail(&says_nothing, AT_FAILED, NULL, "nothing was expected, so nothing was tested");
    fail_error(run, &nowhere, &says_nothing, result);
    snprintf(result->finding.hint, sizeof result->finding.hint,
             "write expect(…):is(…); a loop over an empty list expects nothing");
}

static enum at_status run_in(struct test_run *run, struct at_world *world, struct at_test_result *result) {
    struct running running = {world, result->test};
    struct at_script_where where = {0};
    struct at_error err = {0};
    kept_free_all(run->rules); /* they know a catalog by its version, and each test may have another */
    if (run->plain) kept_free_all(run->plain);
    world->view.arena = &world->arena;
    run->outer->world = world;
    call_begin(run->outer, &world->view);
    enum at_status status =
        at_script_call(run->outer->script, AT_TEST_BUDGET_NS, run_body, &running, &where, &err);
    call_end(run->outer);
    at_decision_end(run->outer, &world->view);
    run->outer->view = NULL;
    run->outer->world = NULL;
    if (status == AT_NOMEM && !err.message[0]) return AT_NOMEM;
    judge(run, world, status, &where, &err, result);
    return AT_OK;
}

static void say_nothing(void *arg, const char *line) {
    (void)arg;
    (void)line;
}

static void take_prints(const struct test_run *run) {
    const struct at_test_options *options = run->options;
    void (*print)(void *, const char *) = options->print ? options->print : say_nothing;
    at_script_take_prints(run->outer->script, print, options->print_arg);
    at_script_take_prints(run->rules->script, print, options->print_arg);
}

static uint64_t processor_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static bool was_stopped(const struct test_run *run) {
    return at_language_is_spent(run->outer) || at_language_is_spent(run->rules) ||
           (run->plain && at_language_is_spent(run->plain));
}

static enum at_status run_once(struct test_run *run, struct at_test_result *result, bool *is_starved,
                               struct at_error *err) {
    struct at_world world;
    enum at_status status = make_states(run, err);
    if (status != AT_OK) return status;
    uint64_t began_ns = at_ticks_ns(), used_ns = processor_ns();
    status = world_open(&world, run);
    if (status == AT_OK) status = run_in(run, &world, result);
    world_close(&world);
    take_prints(run);
    result->taken_ns = at_ticks_ns() - began_ns;
    *is_starved = was_stopped(run) && processor_ns() - used_ns < AT_TEST_BUDGET_NS / 4;
    return status == AT_NOMEM ? at_fail(err, status, NULL, "out of memory while testing") : status;
}

/* What was stopped although it hardly ran waited for the processor: on a busy machine it gets another turn.
 */
static enum at_status run_one(struct test_run *run, struct at_test_result *result, struct at_error *err) {
    bool is_starved = false;
    struct at_test_result before = *result;
    enum at_status status = run_once(run, result, &is_starved, err);
    for (int turn = 0; turn < 2 && status == AT_OK && is_starved; turn++) {
        *result = before;
        status = run_once(run, result, &is_starved, err);
    }
    return status;
}

/* ---- all of them ---- */

/* The first telephone number of a process takes as long as fifty tests: none of them is to blame for it. */
static void warm(const struct at_test_options *options) {
    const struct at_identity_rules *rules = options->settings ? &options->settings->identity : NULL;
    struct at_identity_rules usual;
    if (!rules) at_identity_rules_default(&usual);
    at_identity_normal(rules ? rules : &usual, AT_TEXT("phone"), AT_TEXT("+4915123456789"), options->arena);
}

static bool is_wanted(const struct at_test_options *options, const struct at_test *test) {
    return !options->filter || strstr(test->name, options->filter) || strstr(test->path, options->filter);
}

static enum at_status choose(const struct at_test_options *options, struct at_test_report *report) {
    const struct at_generation *generation = options->generation;
    *report = (struct at_test_report){0};
    report->results = at_arena_zalloc(options->arena, (generation->test_count + 1) * sizeof *report->results);
    if (!report->results) return AT_NOMEM;
    for (uint32_t i = 0; i < generation->test_count; i++) {
        if (!is_wanted(options, &generation->tests[i])) continue;
        report->results[report->count++] = (struct at_test_result){.test = &generation->tests[i],
                                                                   .outcome = AT_TEST_NOT_RUN,
                                                                   .path = generation->tests[i].path,
                                                                   .expected = "",
                                                                   .got = ""};
    }
    return AT_OK;
}

static void count(struct at_test_report *report, uint32_t at) {
    report->passed += report->results[at].outcome == AT_TEST_PASSED;
    report->failed += report->results[at].outcome == AT_TEST_FAILED;
    if (report->results[at].taken_ns > report->results[report->slowest].taken_ns) report->slowest = at;
}

enum at_status at_tests_run(const struct at_test_options *options, struct at_test_report *report,
                            struct at_error *err) {
    struct test_run run = {.options = options};
    struct coverage *coverage = NULL;
    uint64_t began_ns = processor_ns();
    enum at_status status = choose(options, report);
    if (status == AT_OK && options->covers) status = cover_files(&run, &coverage);
    if (status != AT_OK) return at_fail(err, status, NULL, "out of memory while testing");
    if (report->count) warm(options);
    for (uint32_t i = 0; i < report->count && status == AT_OK && !report->is_over; i++) {
        status = run_one(&run, &report->results[i], err);
        count(report, i);
        report->taken_ns = processor_ns() - began_ns;
        report->is_over = options->bound_ns && report->taken_ns > options->bound_ns;
    }
    if (status == AT_OK && coverage) status = cover_report(coverage, &run, report);
    drop_states(&run, true);
    world_free_catalogs(&run);
    return status;
}

/* ---- as findings ---- */

static bool add_result(struct at_build *build, const struct at_test_result *result) {
    struct at_file_finding *made = add_finding(build, result->path, NULL, false, "test_failed", "%s", "");
    if (!made) return false;
    made->finding = result->finding;
    return true;
}

enum at_status at_tests_judge(const struct at_test_report *report, struct at_build *build,
                              struct at_error *err) {
    bool is_whole = true;
    if (!report->failed && !report->is_over) return AT_OK;
    for (uint32_t i = 0; i < report->count && is_whole; i++)
        if (report->results[i].outcome == AT_TEST_FAILED) is_whole = add_result(build, &report->results[i]);
    if (report->is_over && is_whole) {
        const struct at_test_result *slowest = &report->results[report->slowest];
        struct at_file_finding *made = add_finding(
            build, slowest->test->path, NULL, false, "tests_too_slow",
            "the tests take more than the %d ms they may: test \"%.60s\" took %d of them",
            (int)(AT_TESTS_BOUND_NS / 1000000), slowest->test->name, (int)(slowest->taken_ns / 1000000));
        is_whole = made != NULL;
        if (made) made->finding.line = slowest->test->line;
    }
    if (!is_whole) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    return at_fail(err, AT_UNPROCESSABLE, "tests_failed", "the tests of the scripts do not pass");
}
