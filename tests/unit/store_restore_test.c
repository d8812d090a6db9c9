/* SPDX-License-Identifier: Apache-2.0
 *
 * Restores: what the backup had is there, held, with ids beyond all given out; the database before it is kept
 * with its log; what is refused leaves the folder as it was; and killed before any of its system calls there
 * is the old folder or the new one.
 */
#include "store_help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "store/internal.h"

#define KILLED   9
#define EVENTS   100 /* when the backup is made */
#define LATER    50  /* and afterwards */
#define NOW_MS   1764150000000
#define NOW_TEXT "2025-11-26T09:40:00.000Z"

/* ---- the process ends before one of its calls, through the linker's --wrap ---- */

static long calls_left = -1; /* -1: it lives */
static bool is_full;         /* or the disk is */

static void maybe_die(void) {
    if (calls_left >= 0 && calls_left-- == 0) _exit(KILLED);
}
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __real_unlinkat(int folder, const char *name, int flags);
int __real_fsync(int fd);
ssize_t __real_write(int fd, const void *data, size_t length);
ssize_t __real_pwrite(int fd, const void *data, size_t length, off_t offset);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_unlinkat(int folder, const char *name, int flags);
int __wrap_fsync(int fd);
ssize_t __wrap_write(int fd, const void *data, size_t length);
ssize_t __wrap_pwrite(int fd, const void *data, size_t length, off_t offset);

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to) {
    maybe_die();
    return __real_renameat(from_folder, from, to_folder, to);
}
int __wrap_unlinkat(int folder, const char *name, int flags) {
    maybe_die();
    return __real_unlinkat(folder, name, flags);
}
int __wrap_fsync(int fd) {
    maybe_die();
    return __real_fsync(fd);
}
ssize_t __wrap_write(int fd, const void *data, size_t length) {
    maybe_die();
    errno = ENOSPC;
    if (is_full) return -1;
    return __real_write(fd, data, length);
}
ssize_t __wrap_pwrite(int fd, const void *data, size_t length, off_t offset) {
    maybe_die();
    return __real_pwrite(fd, data, length, offset);
}

/* ---- a folder with a backup of earlier ---- */

struct world {
    char folder[64], data[80], copy[80];
};

static void path_in(char out[256], const char *folder, const char *name) {
    snprintf(out, 256, "%s/%s", folder, name);
}
static void put_file(const char *folder, const char *name, const char *text) {
    char path[256];
    path_in(path, folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}
static bool holds(const char *folder, const char *name, const char *text) {
    char path[256], line[64] = "";
    path_in(path, folder, name);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    bool is_it = fgets(line, sizeof(line), file) && strcmp(line, text) == 0;
    fclose(file);
    return is_it;
}
static bool is_there(const char *folder, const char *name) {
    char path[256];
    path_in(path, folder, name);
    return access(path, F_OK) == 0;
}

static void send_events(struct at_store *store, uint64_t from, uint64_t to) {
    struct sent *sent = new_sent();
    for (uint64_t n = from; n < to; n++) add_event(sent, 1, n);
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
}

/* ends_badly: the later events stay in the write-ahead log, as kill -9 leaves them. */
static void begin_world(struct world *world, bool ends_badly) {
    struct at_backup_result result;
    struct at_error err;
    make_folder(world->folder);
    snprintf(world->data, sizeof(world->data), "%s/data", world->folder);
    snprintf(world->copy, sizeof(world->copy), "%s/copy.db", world->folder);
    struct at_store *store = open_store(world->data, NULL);
    send_events(store, 0, EVENTS);
    struct at_backup what = {.path = world->copy, .now_ms = NOW_MS};
    assert_int_equal(at_store_backup(store, &what, &result, &err), AT_OK);
    if (!ends_badly) send_events(store, EVENTS, EVENTS + LATER);
    at_store_close(store);
    if (!ends_badly) return;
    pid_t child = fork();
    if (child == 0) {
        send_events(open_store(world->data, NULL), EVENTS, EVENTS + LATER);
        _exit(0);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_true(is_there(world->data, "attune.db-wal"));
}
static void end_world(struct world *world) {
    remove_folder(world->folder);
}

static enum at_status restore(const struct world *world, struct at_restore what,
                              struct at_restore_result *result, struct at_error *err) {
    if (!what.file) what.file = world->copy;
    if (!what.directory) what.directory = world->data;
    what.now_ms = NOW_MS + 60000;
    return at_store_restore(&what, result, err);
}

static uint64_t count_events(struct at_store *store) {
    struct log_count log = read_log(store, EVENTS + LATER);
    uint64_t total = log.total;
    free(log.counts);
    return total;
}

static void read_restored(struct at_reader *reader, void *arg) {
    struct at_arena arena;
    struct at_text text;
    at_arena_init(&arena, 1 << 16);
    enum at_status status = at_reader_setting(reader, AT_TEXT(AT_STORE_RESTORED), &text, &arena);
    snprintf(arg, 128, "%.*s", status == AT_OK ? (int)text.length : 0, status == AT_OK ? text.data : "");
    at_arena_clear(&arena);
}

/* ---- what is there afterwards ---- */

static void the_backup_is_in_the_place_of_what_was_there(void **state) {
    (void)state;
    for (int ends_badly = 0; ends_badly < 2; ends_badly++) {
        struct world world;
        struct at_restore_result result;
        struct at_error err;
        char restored[128], other[96];
        begin_world(&world, ends_badly);
        put_file(world.data, "erasures.log", "somebody\n");
        put_file(world.data, "erasure.key", "a key\n");
        struct at_restore what = {.replaces = true};
        if (restore(&world, what, &result, &err) != AT_OK) fail_msg("%s", err.message);
        assert_int_equal(result.events, EVENTS);
        assert_int_equal(result.from_ms, NOW_MS);
        assert_true(result.kept[0] && is_there(world.data, result.kept));
        struct at_store *store = open_store(world.data, NULL);
        assert_int_equal(count_events(store), EVENTS);
        read_store(store, read_restored, restored);
        assert_string_equal(restored, "{\"at\":\"2025-11-26T09:41:00.000Z\",\"from\":\"" NOW_TEXT "\"}");
        assert_true(at_store_next_id(store) >= UINT64_C(1) << 32);
        at_store_close(store);
        assert_true(holds(world.data, "erasures.log", "somebody\n"));
        assert_true(holds(world.data, "erasure.key", "a key\n"));
        /* what was there before, its log too, is a folder's database again */
        char from[256], to[256], log_name[160];
        snprintf(other, sizeof(other), "%s/other", world.folder);
        snprintf(log_name, sizeof(log_name), "%s-wal", result.kept);
        assert_int_equal(mkdir(other, 0700), 0);
        assert_int_equal(is_there(world.data, log_name), ends_badly);
        path_in(from, world.data, log_name);
        path_in(to, other, "attune.db-wal");
        if (ends_badly) assert_int_equal(rename(from, to), 0);
        path_in(from, world.data, result.kept);
        path_in(to, other, "attune.db");
        assert_int_equal(rename(from, to), 0);
        store = open_store(other, NULL);
        assert_int_equal(count_events(store), EVENTS + LATER);
        at_store_close(store);
        end_world(&world);
    }
}

static void an_empty_folder_gets_what_it_needs(void **state) {
    (void)state;
    struct world world;
    struct at_restore_result result;
    struct at_error err;
    struct stat found;
    char fresh[96], erasures[96], key[96], path[256];
    mode_t before = umask(0);
    begin_world(&world, false);
    snprintf(fresh, sizeof(fresh), "%s/fresh", world.folder);
    snprintf(erasures, sizeof(erasures), "%s/the.log", world.folder);
    snprintf(key, sizeof(key), "%s/the.key", world.folder);
    put_file(world.folder, "the.log", "somebody\n");
    put_file(world.folder, "the.key", "a key\n");
    struct at_restore what = {.directory = fresh, .erasures = erasures, .key = key};
    if (restore(&world, what, &result, &err) != AT_OK) fail_msg("%s", err.message);
    assert_string_equal(result.kept, "");
    static const char *const names[] = {"attune.db", "erasures.log", "erasure.key", "lock"};
    for (size_t i = 0; i < AT_LENGTH(names); i++) {
        path_in(path, fresh, names[i]);
        assert_int_equal(stat(path, &found), 0);
        assert_int_equal(found.st_mode & 0777, 0600);
    }
    assert_int_equal(stat(fresh, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
    assert_true(holds(fresh, "erasures.log", "somebody\n") && holds(fresh, "erasure.key", "a key\n"));
    struct at_store *store = open_store(fresh, NULL);
    assert_int_equal(count_events(store), EVENTS);
    at_store_close(store);
    umask(before);
    end_world(&world);
}

/* ---- refused ---- */

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Names, sizes and times: what changes when anything is written. */
static void describe(const char *folder, char out[4096]) {
    struct dirent **list;
    int count = scandir(folder, &list, NULL, by_name);
    size_t n = 0;
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        char path[512];
        struct stat found;
        snprintf(path, sizeof(path), "%s/%s", folder, list[i]->d_name);
        if (list[i]->d_name[0] != '.' && strcmp(list[i]->d_name, "lock") != 0 && stat(path, &found) == 0)
            n += (size_t)snprintf(out + n, 4096 - n, "%s %lld %lld.%ld\n", list[i]->d_name,
                                  (long long)found.st_size, (long long)found.st_mtim.tv_sec,
                                  found.st_mtim.tv_nsec);
        free(list[i]);
    }
    free(list);
}

static void expect_refusal(const struct world *world, struct at_restore what, enum at_status status,
                           const char *code, const char *says) {
    struct at_restore_result result;
    struct at_error err;
    char before[4096], after[4096];
    describe(world->data, before);
    enum at_status got = restore(world, what, &result, &err);
    if (got != status || strcmp(err.code, code) != 0 || !strstr(err.message, says))
        fail_msg("%d %s: %s (wanted %d %s: … %s …)", got, err.code, err.message, status, code, says);
    describe(world->data, after);
    assert_string_equal(before, after);
}

static void change_copy(const char *path, const char *sql) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void what_is_no_backup_is_refused(void **state) {
    (void)state;
    struct world world;
    char path[256];
    begin_world(&world, true);
    struct at_restore what = {.replaces = true, .has_no_erasures = true, .file = path};
    path_in(path, world.folder, "none.db");
    expect_refusal(&world, what, AT_IO, "io", "No such file");
    path_in(path, world.folder, "data");
    expect_refusal(&world, what, AT_UNPROCESSABLE, "not_a_file", path);
    path_in(path, world.folder, "text.db");
    put_file(world.folder, "text.db", "no database at all\n");
    expect_refusal(&world, what, AT_UNPROCESSABLE, "not_whole", path);
    path_in(path, world.folder, "empty.db");
    put_file(world.folder, "empty.db", "");
    expect_refusal(&world, what, AT_UNSUPPORTED, "foreign_database", path);
    path_in(path, world.folder, "theirs.db");
    change_copy(path, "CREATE TABLE theirs (x)");
    expect_refusal(&world, what, AT_UNSUPPORTED, "foreign_database", path);
    path_in(path, world.data, "attune.db");
    expect_refusal(&world, what, AT_UNPROCESSABLE, "not_whole", "-wal");
    path_in(path, world.folder, "copy.db");
    change_copy(path, "PRAGMA user_version = 77");
    expect_refusal(&world, what, AT_UNSUPPORTED, "newer_schema", "schema 77");
    char back[48];
    snprintf(back, sizeof(back), "PRAGMA user_version = %d", AT_STORE_SCHEMA);
    change_copy(path, back);
    assert_int_equal(truncate(path, 100000), 0);
    expect_refusal(&world, what, AT_UNPROCESSABLE, "not_whole", path);
    end_world(&world);
}

static void what_would_be_lost_is_refused(void **state) {
    (void)state;
    struct world world;
    char given[256], own[256];
    begin_world(&world, false);
    struct at_restore what = {.replaces = true};
    expect_refusal(&world, (struct at_restore){.has_no_erasures = true}, AT_CONFLICT, "database_exists",
                   "--force");
    path_in(own, world.data, "attune.db");
    expect_refusal(&world, (struct at_restore){.file = own, .replaces = true, .has_no_erasures = true},
                   AT_UNPROCESSABLE, "own_file", own);
    expect_refusal(&world, what, AT_UNPROCESSABLE, "no_erasures", "erasures.log");
    put_file(world.data, "erasures.log", "somebody\n");
    expect_refusal(&world, what, AT_UNPROCESSABLE, "no_erasures", "erasure.key");
    put_file(world.data, "erasure.key", "a key\n");
    put_file(world.folder, "the.log", "somebody else\n");
    path_in(given, world.folder, "the.log");
    what.erasures = given;
    expect_refusal(&world, what, AT_CONFLICT, "erasures_differ", given);
    what.erasures = "/nowhere/the.log";
    expect_refusal(&world, what, AT_CONFLICT, "erasures_differ", "/nowhere/the.log");
    is_full = true;
    expect_refusal(&world, (struct at_restore){.replaces = true}, AT_FULL, "disk_full", world.copy);
    is_full = false;
    struct at_store *store = open_store(world.data, NULL);
    struct at_restore_result result;
    struct at_error err;
    assert_int_equal(restore(&world, (struct at_restore){.replaces = true}, &result, &err), AT_CONFLICT);
    assert_string_equal(err.code, "folder_in_use");
    assert_int_equal(count_events(store), EVENTS + LATER);
    at_store_close(store);
    end_world(&world);
}

/* ---- killed ---- */

static void the_old_folder_or_the_new_one(void **state) {
    (void)state;
    long old = 0, new = 0;
    for (long n = 0;; n++) {
        struct world world;
        char restored[128] = "", given[256], key[256];
        begin_world(&world, true);
        put_file(world.folder, "the.log", "somebody\n");
        put_file(world.folder, "the.key", "a key\n");
        path_in(given, world.folder, "the.log");
        path_in(key, world.folder, "the.key");
        pid_t child = fork();
        if (child == 0) {
            struct at_restore_result result;
            struct at_error err;
            calls_left = n;
            struct at_restore what = {.replaces = true, .erasures = given, .key = key};
            _exit(restore(&world, what, &result, &err) == AT_OK ? 0 : 1);
        }
        int how;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFEXITED(how) && (WEXITSTATUS(how) == 0 || WEXITSTATUS(how) == KILLED));
        struct at_store *store = open_store(world.data, NULL);
        uint64_t count = count_events(store);
        read_store(store, read_restored, restored);
        bool is_new = count == EVENTS;
        assert_int_equal(count, is_new ? EVENTS : EVENTS + LATER);
        assert_int_equal(is_new, restored[0] != 0);
        assert_int_equal(is_new, holds(world.data, "erasures.log", "somebody\n"));
        assert_int_equal(is_new, holds(world.data, "erasure.key", "a key\n"));
        at_store_close(store);
        assert_false(is_there(world.data, "attune.db.restoring"));
        struct at_restore_result result; /* and another time it is done to its end */
        struct at_error err;
        struct at_restore what = {.replaces = true, .erasures = given, .key = key};
        if (restore(&world, what, &result, &err) != AT_OK) fail_msg("after %ld calls: %s", n, err.message);
        assert_false(is_there(world.data, "attune.db.restore.part"));
        end_world(&world);
        is_new ? new ++ : old++;
        if (how == 0) break;
    }
    printf("killed before each of %ld calls: %ld times the old folder, %ld times the new one\n",
           old + new - 1, old, new);
    assert_true(old > 5 && new > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_backup_is_in_the_place_of_what_was_there),
        cmocka_unit_test(an_empty_folder_gets_what_it_needs),
        cmocka_unit_test(what_is_no_backup_is_refused),
        cmocka_unit_test(what_would_be_lost_is_refused),
        cmocka_unit_test(the_old_folder_or_the_new_one),
    };
    return cmocka_run_group_tests_name("store_restore", tests, NULL, NULL);
}
