/* SPDX-License-Identifier: Apache-2.0
 *
 * llhttp's own vectors through the real server: what llhttp refuses is refused, what it takes is answered as
 * often as it says or refused by a rule of ours, and bytes one by one give the same answers as all at once.
 */
#include <dirent.h>
#include "net_world.h"

static struct world world;
static int agreed, refused, stricter, others;

/* The input as the vectors' README says: lines joined at a backslash, CRLF, then escapes. */
static void make_input(struct at_bytes *out, const char *at, const char *end) {
    at_bytes_reset(out);
    while (at < end) {
        char c = *at++;
        if (c == '\\' && at < end) {
            char next = *at++, octal[4] = {0};
            if (next == '\n') continue;
            if (next == 'x') {
                char hex[3] = {at[0], at[1], 0};
                c = (char)strtol(hex, NULL, 16);
                at += 2;
            } else if (next >= '0' && next <= '7') {
                size_t n = 0;
                for (at--; n < 3 && *at >= '0' && *at <= '7';) octal[n++] = *at++;
                c = (char)strtol(octal, NULL, 8);
            } else
                c = next == 'r' ? '\r' : next == 'n' ? '\n' : next == 't' ? '\t' : next == 'f' ? '\f' : next;
        } else if (c == '\n')
            at_bytes_add(out, "\r", 1);
        at_bytes_add(out, &c, 1);
    }
}

static struct heard talk(const struct at_bytes *input, size_t piece) {
    int fd = dial(&world), yes = 1;
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &yes, sizeof yes);
    for (size_t at = 0; at < input->length; at += piece)
        if (!say(fd, input->data + at, input->length - at < piece ? input->length - at : piece)) break;
    shutdown(fd, SHUT_WR);
    struct heard heard = hear(fd, 0, 5000);
    assert_true(heard.is_closed);
    close(fd);
    return heard;
}

/* 0: none, -1: a pause of the vector's own or data after a close, which is passed over; else llhttp's code.
 */
static int code_of(const char *log) {
    const char *found = strstr(log, "error code=");
    int code = found ? atoi(found + 11) : 0;
    return code == 5 || (code >= 21 && code <= 24) ? -1 : code;
}

static void judge(const char *file, const char *input, const char *log, const struct heard *heard) {
    struct at_bytes log_text;
    at_bytes_init(&log_text, SIZE_MAX);
    at_bytes_add_text(&log_text, log);
    int wanted = count_of(&log_text, "message complete"), taken = count_of(&heard->text, "HTTP/1.1 200 ");
    int refusals = count_of(&heard->text, "HTTP/1.1 ") - taken, code = code_of(log);
    bool is_right = refusals <= 1 && taken <= (wanted ? wanted : 0);
    if (code > 0) is_right = is_right && refusals == 1;
    if (code == 0 && refusals == 0) is_right = is_right && taken == wanted;
    if (!is_right)
        fail_msg("%s:\n%s\nllhttp: %d messages, code %d; here %d answers, %d refusals\n%s", file, input,
                 wanted, code, taken, refusals, heard->text.data);
    if (code > 0)
        refused++;
    else if (code < 0)
        others++;
    else if (refusals)
        stricter++;
    else
        agreed++;
    at_bytes_clear(&log_text);
}

static void run_case(const char *file, const char *meta, const char *at, const char *end, const char *log) {
    struct at_bytes input;
    at_bytes_init(&input, SIZE_MAX);
    make_input(&input, at, end);
    struct heard once = talk(&input, input.length), pieces = talk(&input, 1);
    if (once.text.length != pieces.text.length || strcmp(once.text.data, pieces.text.data) != 0)
        fail_msg("%s:\n%s\nat once: %s\nby bytes: %s", file, input.data, once.text.data, pieces.text.data);
    const char *type = strstr(meta, "\"type\"");
    /* What more a vector's meta says is for llhttp's own runner: "skipBody", "pause", … */
    bool is_strict =
        type && memmem(type, strcspn(type, "}"), "\"request\"", 9) && !memchr(meta, ',', strcspn(meta, "}"));
    if (is_strict)
        judge(file, input.data, log, &once);
    else
        others++;
    at_bytes_clear(&input);
    at_bytes_clear(&once.text);
    at_bytes_clear(&pieces.text);
}

static void run_file(const char *name, char *text) {
    for (char *at = text; (at = strstr(at, "<!-- meta="));) {
        char *meta = at, *input = strstr(at, "```http\n"), *next = strstr(at + 1, "<!-- meta=");
        at += 1;
        if (!input || (next && input > next)) continue;
        input += 8;
        char *input_end = strstr(input, "\n```"), *log = input_end ? strstr(input_end, "```log\n") : NULL;
        char *log_end = log ? strstr(log, "\n```") : NULL;
        if (!log_end || (next && log > next)) continue;
        char kept = *log_end;
        *log_end = 0;
        run_case(name, meta, input, input_end, log);
        *log_end = kept;
    }
}

static char *read_all(const char *path) {
    FILE *file = fopen(path, "r");
    char buffer[8192];
    struct at_bytes text;
    at_bytes_init(&text, 16u << 20);
    for (size_t n; file && (n = fread(buffer, 1, sizeof buffer, file)) > 0;) at_bytes_add(&text, buffer, n);
    if (file) fclose(file);
    return at_bytes_take(&text, NULL);
}

static void vectors_of_llhttp(void **state) {
    const char *shared = getenv("SHARED_DATA");
    char folder[600], path[1200];
    (void)state;
    snprintf(folder, sizeof folder, "%s/llhttp-vectors/request", shared ? shared : "../shared/data");
    DIR *dir = opendir(folder);
    if (!dir) {
        puts("skipped: no data");
        return;
    }
    world_start(&world, NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strstr(entry->d_name, ".md")) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        char *text = read_all(path);
        assert_non_null(text);
        run_file(entry->d_name, text);
        free(text);
    }
    closedir(dir);
    assert_alive(&world);
    world_stop(&world);
    printf("property: %d vectors: %d answered as llhttp says, %d refused as it says, %d refused by rules of "
           "ours, "
           "%d lenient, paused or without verdict\n",
           agreed + refused + stricter + others, agreed, refused, stricter, others);
    assert_true(agreed >= 30 && refused >= 38 && agreed + refused + stricter + others >= 150);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(vectors_of_llhttp)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
