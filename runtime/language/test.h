/* SPDX-License-Identifier: Apache-2.0
 *
 * The tests beside the scripts: each runs in a world of its own (people, catalog, events, a clock that stands
 * until somebody waits), in which events go through profile/, lists through ranking/ and rails through rail/
 * as in a shop. Nothing of a test leaves its world, nothing comes in but the files it names: the same scripts
 * and fixtures give the same outcome on every machine.
 *
 * Two states of Lua: one runs the tests, the other the rules, as a worker would. A test has AT_TEST_BUDGET_NS
 * of its own; all of a run may have a bound on the time of the processor, after which the rest does not run.
 *
 * What a rule costs (world:cost) is a count: 1 for each instruction of Lua that ranking and rails execute, 1
 * for each value computed in C over columns (nodes of the program times products). Equal scripts, catalog and
 * version of Lua: equal count.
 */
#ifndef AT_LANGUAGE_TEST_H
#define AT_LANGUAGE_TEST_H

#include "language/language.h"

#define AT_TEST_BUDGET_NS (900 * 1000000ULL)       /* by the clock, and others may be busy */
#define AT_TESTS_BOUND_NS (500 * 1000000ULL)       /* of a publish, for all of them */
#define AT_TEST_CATALOG   "fixtures/catalog.jsonl" /* of tests that name none, if it is there */

struct at_test_options {
    const struct at_generation *generation;
    const struct at_settings *settings; /* NULL: the defaults */
    const struct at_root
        *root;              /* its attributes are known besides those of the test's catalog; may be NULL */
    struct at_guard *guard; /* of the calling thread; may be NULL */
    /* The text of a file of the shop's folder; the path was checked: below fixtures/, no "..". AT_NOTFOUND.
     * NULL: there are no files. */
    enum at_status (*read)(void *arg, const char *path, struct at_arena *arena, struct at_text *out,
                           struct at_error *err);
    void *read_arg;
    void (*print)(void *arg, const char *line); /* what a test and its rules print; NULL: nobody looks */
    void *print_arg;
    const char *filter; /* only tests whose name or path holds it; NULL: all */
    uint64_t bound_ns;  /* 0: none */
    bool covers;
    struct at_arena *arena; /* of the report */
};
enum at_test_outcome { AT_TEST_PASSED, AT_TEST_FAILED, AT_TEST_NOT_RUN };
struct at_test_result {
    const struct at_test *test;
    enum at_test_outcome outcome;
    uint64_t taken_ns;
    const char *path; /* of the finding */
    struct at_finding finding;
    const char *expected, *got; /* of an expectation that did not hold; else "" */
};
struct at_uncovered { /* what no test ran: a rule as a whole, or a way through one */
    const char *path;
    uint32_t line, column;
    const char *what;
};
struct at_test_report {
    struct at_test_result *results; /* in the order of the files */
    uint32_t count, passed, failed;
    uint64_t taken_ns; /* of the processor */
    bool is_over;      /* the bound was reached; the slowest by then: */
    uint32_t slowest;
    const struct at_uncovered *uncovered; /* with covers: by place */
    uint32_t uncovered_count, place_count, covered_count;
    const char *unmeasured; /* a file that could not be measured; NULL: all were */
};
/* AT_NOMEM, or AT_FAILED: the scripts could not be loaded. That tests failed is in the report. */
enum at_status at_tests_run(const struct at_test_options *options, struct at_test_report *report,
                            struct at_error *err) AT_MUST_CHECK;
/* The failures as findings of the build, that the bound was passed as one, too. AT_UNPROCESSABLE: there are
 * any. */
enum at_status at_tests_judge(const struct at_test_report *report, struct at_build *build,
                              struct at_error *err) AT_MUST_CHECK;

#endif
