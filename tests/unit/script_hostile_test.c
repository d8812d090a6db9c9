/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs every file of tests/hostile (or of $AT_HOSTILE) by both back ends of the limiter. The first line of a
 * file says how it may end ("-- expect: stopped memory"), a second one may say a part of the message
 * ("-- says: read-only"), then one says what it tries ("-- Vector: Parser"): vectors.list names them all, and
 * each has a file that ran. None may take longer than its budget and a slack, nor harm the next state.
 */
#include <dirent.h>
#include "script_world.h"

#define BUDGET_MS   50
#define SLACK_MS    (150.0 * SLOWNESS)
#define PATIENCE_MS 20000
#define FILES_MAX   500
#define VECTORS_MAX 100

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list_files(const char *folder, char **names) {
    size_t count = 0;
    DIR *dir = opendir(folder);
    if (!dir) return 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strstr(entry->d_name, ".lua")) continue;
        assert_true(count < FILES_MAX);
        names[count++] = strdup(entry->d_name);
    }
    closedir(dir);
    qsort(names, count, sizeof(names[0]), compare_names);
    return count;
}

static size_t read_file(const char *folder, const char *name, char *text, size_t size) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(text, 1, size - 1, file);
    fclose(file);
    text[length] = 0;
    return length;
}

/* The rest of the line that begins so, or "". */
static void read_header(const char *text, const char *start, char out[200]) {
    const char *line = strstr(text, start);
    out[0] = 0;
    if (!line || line - text > 300) return;
    line += strlen(start);
    snprintf(out, 200, "%.*s", (int)strcspn(line, "\n"), line);
}

static const char *end_word(enum at_status status) {
    switch (status) {
    case AT_OK: return "ok";
    case AT_STOPPED: return "stopped";
    case AT_NOMEM: return "memory";
    case AT_FAILED: return "failed";
    default: return "another end";
    }
}

static int run_file(const char *name, const char *text, size_t length, bool has_signal) {
    static struct world world;
    char expected[200], says[200];
    int wrong = 0;
    size_t bad;
    read_header(text, "-- expect: ", expected);
    read_header(text, "-- says: ", says);
    open_world(&world, has_signal ? BY_SIGNAL : BY_COUNT, 0);
    double before = worked_ms();
    enum at_status status = run_bytes(&world, "scripts/t.lua", text, length, BUDGET_MS * MS);
    double worked = worked_ms() - before;
    if (status == AT_STOPPED &&
        !strstr(expected, "stopped")) { /* a busy machine: how does it end by itself? */
        close_world(&world);
        open_world(&world, has_signal ? BY_SIGNAL : BY_COUNT, 0);
        status = run_bytes(&world, "scripts/t.lua", text, length, PATIENCE_MS * MS);
    }
    bool is_expected = strstr(expected, end_word(status)) != NULL;
    bool is_said = status == AT_OK || strstr(world.err.message, says);
    bool is_text = status == AT_OK || at_utf8_valid(world.err.message, strlen(world.err.message), &bad);
    if (!*expected || !is_expected || !is_said || !is_text || worked > BUDGET_MS + SLACK_MS) {
        print_error("%s (%s): %s in %.0f ms, not %s: %s\n", name, has_signal ? "signal" : "count",
                    end_word(status), worked, expected, world.err.message);
        wrong = 1;
    }
    close_world(&world);
    return wrong;
}

/* ---- what is covered ---- */

struct vectors {
    char text[8192];
    const char *rows[VECTORS_MAX];
    size_t ran[VECTORS_MAX], count;
};

static void read_vectors(const char *folder, struct vectors *vectors) {
    read_file(folder, "vectors.list", vectors->text, sizeof vectors->text);
    for (char *line = strtok(vectors->text, "\n"); line; line = strtok(NULL, "\n")) {
        if (*line == '#') continue;
        assert_true(vectors->count < VECTORS_MAX);
        vectors->rows[vectors->count++] = line;
    }
    assert_true(vectors->count >= 28);
}

static int note_vector(struct vectors *vectors, const char *name, const char *text) {
    char row[200];
    read_header(text, "-- Vector: ", row);
    for (size_t i = 0; i < vectors->count; i++) {
        if (strcmp(vectors->rows[i], row) != 0) continue;
        vectors->ran[i]++;
        return 0;
    }
    print_error("%s: vectors.list has no \"%s\"\n", name, row);
    return 1;
}

static int missing_vectors(const struct vectors *vectors) {
    int missing = 0;
    for (size_t i = 0; i < vectors->count; i++) {
        if (vectors->ran[i]) continue;
        print_error("\"%s\" has no file\n", vectors->rows[i]);
        missing++;
    }
    return missing;
}

static void test_hostile(void **state) {
    (void)state;
    static char text[AT_SCRIPT_FILE_MAX * 2];
    static char *names[FILES_MAX];
    static struct vectors vectors;
    const char *folder = getenv("AT_HOSTILE") ? getenv("AT_HOSTILE") : "tests/hostile";
    bool is_own = getenv("AT_HOSTILE") == NULL; /* another folder has no list */
    size_t count = list_files(folder, names);
    int wrong = 0;
    if (!count) {
        print_message("skipped: no data (%s)\n", folder);
        return;
    }
    assert_true(count >= 25);
    if (is_own) read_vectors(folder, &vectors);
    for (size_t i = 0; i < count; i++) {
        size_t length = read_file(folder, names[i], text, sizeof text);
        wrong += run_file(names[i], text, length, true) + run_file(names[i], text, length, false);
        if (is_own) wrong += note_vector(&vectors, names[i], text);
        free(names[i]);
    }
    wrong += missing_vectors(&vectors);
    print_message("%zu files by two back ends, %zu vectors\n", count, vectors.count);
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
