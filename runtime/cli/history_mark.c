/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a file was imported, kept by the shop. The name of a mark says how the import is done and how the
 * file begins; in it stand how many records are done and the chain of their hashes. So a file is known by
 * what it holds, whatever its name; one that has grown goes on where it ended before. A mark speaks of what
 * was answered when it was sent, so of nothing that its own request brings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "cli/history.h"

static uint64_t number_of(struct at_json json, const char *name) {
    int64_t n = 0;
    at_json_int(at_json_get(json, name), &n);
    return n > 0 ? (uint64_t)n : 0;
}

static void read_mark(struct at_json row, struct history_mark *mark) {
    struct at_json state = at_json_get(row, "state"), results = at_json_get(row, "results");
    bool is_answered = false;
    struct at_text chain = at_json_text(at_json_get(state, "chain")),
                   at = at_json_text(at_json_get(state, "at"));
    mark->records = number_of(state, "records");
    mark->line = number_of(state, "line");
    mark->chain = chain.length == 16 ? strtoull(chain.data, NULL, 16) : 0;
    /* Marks of before spoke of their own request as well, and were sent before its results were known. */
    at_json_bool(at_json_get(state, "is_answered"), &is_answered);
    if (is_answered) results = (struct at_json){.tape = NULL};
    mark->taken = number_of(state, "taken") + number_of(results, "accepted");
    mark->there = number_of(state, "there") + number_of(results, "duplicate");
    mark->withheld = number_of(state, "withheld") + number_of(results, "withheld");
    mark->bad = number_of(state, "bad") + number_of(results, "invalid") + number_of(results, "conflict");
    mark->derived = number_of(state, "derived");
    at_json_bool(at_json_get(state, "is_whole"), &mark->is_whole);
    snprintf(mark->at, sizeof mark->at, "%.*s", (int)at.length, at.data ? at.data : "");
}

void history_mark_write(const struct history_mark *mark, struct at_json_out *out) {
    char chain[17];
    snprintf(chain, sizeof chain, "%016llx", (unsigned long long)mark->chain);
    at_json_open(out, '{');
    at_json_add_string(out, "name", mark->name);
    at_json_key(out, "state");
    at_json_open(out, '{');
    at_json_add_int(out, "records", (int64_t)mark->records);
    at_json_add_int(out, "line", (int64_t)mark->line);
    at_json_add_string(out, "chain", chain);
    at_json_add_int(out, "taken", (int64_t)mark->taken);
    at_json_add_int(out, "there", (int64_t)mark->there);
    at_json_add_int(out, "withheld", (int64_t)mark->withheld);
    at_json_add_int(out, "bad", (int64_t)mark->bad);
    at_json_add_int(out, "derived", (int64_t)mark->derived);
    at_json_add_bool(out, "is_whole", mark->is_whole);
    at_json_add_bool(out, "is_answered", true);
    at_json_add_time(out, "at", at_clock_now(NULL));
    at_json_close(out, '}');
    at_json_close(out, '}');
}

static bool add_mark(struct history_marks *marks, const struct history_mark *mark) {
    struct history_mark *list = realloc(marks->list, (marks->count + 1) * sizeof *list);
    if (!list) return false;
    marks->list = list;
    marks->list[marks->count++] = *mark;
    return true;
}

/* Marks are numbered without gaps. */
static int read_all(const struct cli_call *call, struct cli_shop *shop, struct history_marks *marks,
                    struct at_json_parser *parser, struct at_bytes *answer) {
    for (;;) {
        struct history_mark mark = {.records = 0};
        struct at_json json;
        char path[140];
        history_marks_fresh(marks, &mark);
        snprintf(path, sizeof path, "/v1/imports/%s", mark.name);
        int status = cli_shop_call(shop, "GET", path, NULL, 0, answer);
        if (status == 404) return EXIT_DONE;
        if (!cli_read(call, status, answer, parser, &json)) return EXIT_FAILED;
        read_mark(json, &mark);
        if (!add_mark(marks, &mark)) return cli_fail(call, EXIT_FAILED, "out of memory");
    }
}

int history_marks_read(const struct cli_call *call, struct cli_shop *shop, const char *prefix, uint64_t first,
                       struct history_marks *marks) {
    struct at_bytes answer;
    struct at_json_parser *parser = at_json_parser_new(1 << 20, 64);
    if (!parser) return cli_fail(call, EXIT_FAILED, "out of memory");
    *marks = (struct history_marks){.list = NULL};
    snprintf(marks->prefix, sizeof marks->prefix, "%.40s-%016llx", prefix, (unsigned long long)first);
    at_bytes_init(&answer, 1 << 20);
    int code = read_all(call, shop, marks, parser, &answer);
    at_bytes_clear(&answer);
    at_json_parser_free(parser);
    return code;
}

void history_marks_clear(struct history_marks *marks) {
    free(marks->list);
    marks->list = NULL;
    marks->count = 0;
}

void history_marks_fresh(const struct history_marks *marks, struct history_mark *mark) {
    *mark = (struct history_mark){.records = 0};
    snprintf(mark->name, sizeof mark->name, "%s-%zu", marks->prefix, marks->count + 1);
}

void history_marks_meet(const struct history_marks *marks, uint64_t records, uint64_t chain,
                        struct history_mark *best) {
    for (size_t i = 0; i < marks->count; i++)
        if (marks->list[i].records == records && marks->list[i].chain == chain) *best = marks->list[i];
}

uint64_t history_marks_most(const struct history_marks *marks) {
    uint64_t most = 0;
    for (size_t i = 0; i < marks->count; i++)
        if (marks->list[i].records > most) most = marks->list[i].records;
    return most;
}

void history_mark_choose(const struct history_marks *marks, struct history_mark *mark, bool is_again) {
    if (is_again || !mark->records) history_marks_fresh(marks, mark);
    for (size_t i = 0; i < marks->count && !is_again && !mark->records; i++)
        if (!marks->list[i].records) *mark = marks->list[i]; /* of a run that was killed before any answer */
    mark->before = mark->records;
}

void history_mark_go_on(const struct history_marks *marks, struct history_mark *mark, const char *what) {
    struct history_mark fresh;
    if (mark->before)
        fprintf(stderr, "the first %llu %s of it were imported before, until %s: going on behind them\n",
                (unsigned long long)mark->before, what, mark->at);
    if (!mark->is_whole) return;
    history_marks_fresh(marks, &fresh);
    memcpy(mark->name, fresh.name, sizeof fresh.name);
    mark->is_whole = false;
}

int history_mark_sum(const struct history_mark *mark, const char *what) {
    bool is_old = mark->is_whole && mark->before == mark->records;
    if (is_old)
        printf("imported before, on %.10s: nothing to do (%llu events; --again imports it once more)\n",
               mark->at, (unsigned long long)mark->taken);
    else
        printf("%llu events taken, %llu already there, %llu withheld for want of consent, %llu %s not "
               "accepted\n",
               (unsigned long long)mark->taken, (unsigned long long)mark->there,
               (unsigned long long)mark->withheld, (unsigned long long)mark->bad, what);
    return mark->bad && !is_old ? EXIT_REFUSED : EXIT_DONE;
}
