/* SPDX-License-Identifier: Apache-2.0
 *
 * A host that makes the requests of a file (bench/shop.mjs) through attune.h, one after the other, on a shop
 * whose data folder has its catalog and people: what a request costs without sockets. Under callgrind
 * (--collect-atstart=no) only what is measured is counted; without it the time on the processor is a hint.
 *
 *   calls FOLDER DATA FILE WARM COUNT    prints us= of the processor a request and bytes= an answer
 *
 * With ANSWERS=FILE set, the answers of the counted part go there, a line each, without the decision's id,
 * and the shop begins at a fixed moment: so two builds can be compared.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#endif
#include "attune.h"

#define COMPARED_AT_MS 1796000000000 /* after everything the people did */

static struct attune *shop;
static uv_loop_t *loop;
static char *text;
static struct attune_request *requests;
static size_t request_count, request_next;
static FILE *answers;
static bool is_measured;
static unsigned long long answered, answered_bytes;

static void die(const char *what, const char *why) {
    fprintf(stderr, "calls: %s: %s\n", what, why);
    exit(1);
}
static size_t read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path, "cannot be read");
    fseek(file, 0, SEEK_END);
    size_t length = (size_t)ftell(file);
    rewind(file);
    text = malloc(length + 1);
    if (!text || fread(text, 1, length, file) != length) die(path, "cannot be read");
    text[length] = 0;
    fclose(file);
    return length;
}

/* "POST PATH HTTP/1.1", headers with a Content-Length, the body; one after the other. */
static void find_requests(size_t length) {
    for (size_t at = 0; at < length;) {
        char *head = text + at, *body = strstr(head, "\r\n\r\n");
        char *count = body ? strstr(head, "Content-Length: ") : NULL, *path_end = strstr(head, " HTTP/1.1");
        if (!count || !path_end || strncmp(head, "POST /", 6))
            die("the file", "no POST with a body is there");
        *path_end = 0;
        if (!(request_count & (request_count - 1)))
            requests = realloc(requests, (request_count ? 2 * request_count : 1) * sizeof *requests);
        if (!requests) die("the file", "out of memory");
        struct attune_request one = {"POST", head + 5, body + 4, strtoul(count + 16, NULL, 10)};
        requests[request_count++] = one;
        at = (size_t)(one.body - text) + one.length;
    }
    if (!request_count) die("the file", "no request is there");
}

/* What is looked at here is not counted. Before that, a script may take too long under callgrind. */
static void on_answer(void *arg, const struct attune_answer *answer) {
    (void)arg;
    answered++;
    if (answer->status != 200) die("an answer", answer->body);
    if (!is_measured) return;
    CALLGRIND_TOGGLE_COLLECT;
    if (strstr(answer->body, "\"fallback\"")) die("an answer", answer->body);
    answered_bytes += answer->length;
    const char *rest = strchr(answer->body, ',');
    if (answers) fprintf(answers, "%s\n", rest ? rest : "");
    CALLGRIND_TOGGLE_COLLECT;
}

static void make_calls(unsigned long count) {
    for (unsigned long i = 0; i < count; i++) {
        struct attune_error err = {0};
        unsigned long long before = answered;
        if (attune_call(shop, &requests[request_next], on_answer, NULL, &err)) die("a call", err.message);
        while (answered == before) uv_run(loop, UV_RUN_ONCE);
        request_next = (request_next + 1) % request_count;
        uv_run(loop, UV_RUN_NOWAIT); /* the call's end */
    }
}
static double processor_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}
static void on_closed(void *arg) {
    *(int *)arg = 1;
}

int main(int argc, char **argv) {
    struct attune_error err = {0};
    if (argc != 6) die("usage", "calls FOLDER DATA FILE WARM COUNT");
    unsigned long count = strtoul(argv[5], NULL, 10);
    loop = uv_default_loop();
    find_requests(read_file(argv[3]));
    struct attune_options options = {.shop = argv[1], .data = argv[2], .loop = loop, .watchdog_signal = -1};
    if (getenv("ANSWERS")) options.now_ms = COMPARED_AT_MS;
    if (attune_open(&shop, &options, &err)) die(argv[1], err.message);
    make_calls(strtoul(argv[4], NULL, 10));
    if (getenv("ANSWERS")) answers = fopen(getenv("ANSWERS"), "w");
    is_measured = true;
    double began = processor_us();
    CALLGRIND_TOGGLE_COLLECT;
    make_calls(count);
    CALLGRIND_TOGGLE_COLLECT;
    printf("%s: us=%.2f bytes=%llu\n", strrchr(argv[3], '/') ? strrchr(argv[3], '/') + 1 : argv[3],
           (processor_us() - began) / (double)count, answered_bytes / count);
    if (answers) fclose(answers);
    int is_closed = 0;
    attune_close(shop, on_closed, &is_closed);
    while (!is_closed) uv_run(loop, UV_RUN_ONCE);
    free(requests);
    free(text);
    return 0;
}
