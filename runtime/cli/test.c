/* SPDX-License-Identifier: Apache-2.0
 *
 * attune test: runs the tests beside the scripts and says which passed, how long each took, and what of the
 * rules none of them ran. attune check runs them as well, quietly.
 */
#include "cli/test.h"

#include <stdio.h>
#include <string.h>
#include "shop/folder.h"

static enum at_status read_file(void *arg, const char *path, struct at_arena *arena, struct at_text *out,
                                struct at_error *err) {
    return folder_read_file(arg, path, arena, out, err);
}

static struct at_test_options options_of(const struct cli_call *call, const struct at_build *build,
                                         const struct at_generation *generation) {
    return (struct at_test_options){.generation = generation,
                                    .settings = build->settings,
                                    .guard = build->guard,
                                    .read = read_file,
                                    .read_arg = (void *)(uintptr_t)call->words[0],
                                    .arena = build->arena};
}

static void say_print(void *arg, const char *line) {
    (void)arg;
    printf("    | %s\n", line);
}

static double ms_of(uint64_t ns) {
    return (double)ns / 1e6;
}

/* ---- for people ---- */

static void say_findings(const struct at_build *build) {
    struct at_bytes text;
    at_bytes_init(&text, 16 << 20);
    at_findings_print(build, &text);
    if (text.length) fwrite(text.data, 1, text.length, stdout);
    at_bytes_clear(&text);
}

static void say_result(const struct at_build *build, const struct at_test_result *result) {
    bool has_failed = result->outcome == AT_TEST_FAILED;
    printf("%s %7.1f ms  %s:%u  %s\n", has_failed ? "FAILED" : "ok    ", ms_of(result->taken_ns),
           result->test->path, result->test->line, result->test->name);
    if (!has_failed) return;
    struct at_file_finding finding = {.path = result->path, .finding = result->finding};
    struct at_build one = *build;
    one.findings = &finding;
    say_findings(&one);
}

static void say_coverage(const struct at_test_report *report) {
    for (uint32_t i = 0; i < report->uncovered_count; i++)
        printf("%s:%u:%u  %s\n", report->uncovered[i].path, report->uncovered[i].line,
               report->uncovered[i].column, report->uncovered[i].what);
    if (report->unmeasured) printf("%s is too large to be measured\n", report->unmeasured);
    printf("%u of %u functions and ways through them ran\n", report->covered_count, report->place_count);
}

static int say(const struct cli_call *call, const struct at_build *build,
               const struct at_test_report *report) {
    for (uint32_t i = 0; i < report->count; i++) say_result(build, &report->results[i]);
    if (cli_value(call, "coverage")) say_coverage(report);
    if (!report->count && cli_value(call, "filter"))
        return cli_fail(call, EXIT_REFUSED, "no test has \"%s\" in its name or path",
                        cli_value(call, "filter"));
    printf("%u passed, %u failed\n", report->passed, report->failed);
    return report->failed ? EXIT_REFUSED : EXIT_DONE;
}

/* ---- for programs ---- */

static void put_place(struct at_json_out *out, const char *path, uint32_t line, uint32_t column) {
    at_json_add_string(out, "path", path);
    at_json_add_int(out, "line", line);
    at_json_add_int(out, "column", column);
}

static void put_result(struct at_json_out *out, const struct at_test_result *result) {
    bool has_failed = result->outcome == AT_TEST_FAILED;
    at_json_open(out, '{');
    at_json_add_string(out, "name", result->test->name);
    at_json_add_string(out, "path", result->test->path);
    at_json_add_int(out, "line", result->test->line);
    at_json_add_bool(out, "passed", !has_failed);
    at_json_key(out, "ms");
    at_json_put_rounded(out, ms_of(result->taken_ns));
    if (has_failed) {
        at_json_key(out, "failure");
        at_json_open(out, '{');
        put_place(out, result->path, result->finding.line, result->finding.column);
        at_json_add_string(out, "message", result->finding.message);
        if (result->expected[0]) at_json_add_string(out, "expected", result->expected);
        if (result->expected[0]) at_json_add_string(out, "got", result->got);
        at_json_close(out, '}');
    }
    at_json_close(out, '}');
}

static void put_coverage(struct at_json_out *out, const struct at_test_report *report) {
    at_json_key(out, "uncovered");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < report->uncovered_count; i++) {
        at_json_open(out, '{');
        put_place(out, report->uncovered[i].path, report->uncovered[i].line, report->uncovered[i].column);
        at_json_add_string(out, "what", report->uncovered[i].what);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
    at_json_add_int(out, "covered", report->covered_count);
    at_json_add_int(out, "places", report->place_count);
}

static int put(const struct cli_call *call, const struct at_test_report *report) {
    struct at_bytes text;
    at_bytes_init(&text, 64 << 20);
    struct at_json_out out = at_json_out(&text);
    at_json_open(&out, '{');
    at_json_add_int(&out, "passed", report->passed);
    at_json_add_int(&out, "failed", report->failed);
    at_json_key(&out, "tests");
    at_json_open(&out, '[');
    for (uint32_t i = 0; i < report->count; i++) put_result(&out, &report->results[i]);
    at_json_close(&out, ']');
    if (cli_value(call, "coverage")) put_coverage(&out, report);
    at_json_close(&out, '}');
    if (!text.failed) printf("%s\n", text.data);
    int code = text.failed ? cli_fail(call, EXIT_FAILED, "out of memory") : EXIT_DONE;
    at_bytes_clear(&text);
    return code ? code : report->failed ? EXIT_REFUSED : EXIT_DONE;
}

/* ---- both verbs ---- */

int cli_test(const struct cli_call *call, const struct at_build *build,
             const struct at_generation *generation) {
    struct at_test_options options = options_of(call, build, generation);
    struct at_test_report report;
    struct at_error err = {0};
    options.filter = cli_value(call, "filter");
    if (!cli_value(call, "json")) options.print = say_print;
    options.covers = cli_value(call, "coverage") != NULL;
    if (at_tests_run(&options, &report, &err) != AT_OK) return cli_fail(call, EXIT_FAILED, "%s", err.message);
    return cli_value(call, "json") ? put(call, &report) : say(call, build, &report);
}

int cli_check_tests(const struct cli_call *call, const struct at_build *build,
                    const struct at_generation *generation) {
    struct at_test_options options = options_of(call, build, generation);
    struct at_build failures = *build;
    struct at_test_report report;
    struct at_error err = {0};
    failures.findings = NULL;
    enum at_status status = at_tests_run(&options, &report, &err);
    if (status == AT_OK) status = at_tests_judge(&report, &failures, &err);
    say_findings(&failures);
    if (status != AT_OK && status != AT_UNPROCESSABLE) return cli_fail(call, EXIT_FAILED, "%s", err.message);
    if (report.count) printf("%u tests passed, %u failed\n", report.passed, report.failed);
    if (report.count && report.taken_ns > AT_TESTS_BOUND_NS)
        printf("warning: the tests take %.0f ms, a publish gives them %d ms; the slowest is \"%s\"\n",
               ms_of(report.taken_ns), (int)(AT_TESTS_BOUND_NS / 1000000),
               report.results[report.slowest].test->name);
    return status == AT_OK ? EXIT_DONE : EXIT_REFUSED;
}
