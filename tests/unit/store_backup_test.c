/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups: of one moment while others write, whole or not there at all (a full disk, a stop, a damaged
 * source, every allocation failing once), never over what they may not replace; the write-ahead log bounded
 * meanwhile and short again after it.
 */
#include "store_help.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "loop/thread.h"
#include "store/internal.h"
#include "store_fail.h"
#include "forgetful_vfs.c"

#define ROW_BYTES 1500
#define ROWS      20000 /* 30 MB: many steps */

static char body[ROW_BYTES];

struct world {
    char folder[64], path[96], part[112];
    struct at_store *store;
    _Atomic uint64_t written; /* units that were acknowledged */
    _Atomic bool is_over;
    pthread_t thread;
};

/* Event, two settings and a cursor, all of them n: in one transaction. */
static struct sent *new_pair(uint64_t n) {
    struct sent *sent = new_sent();
    char number[24];
    snprintf(number, sizeof(number), "%llu", (unsigned long long)n);
    add_event(sent, 1, n)->event.body = (struct at_text){body, ROW_BYTES};
    static const char *const names[] = {"left", "right"};
    for (size_t i = 0; i < AT_LENGTH(names); i++) {
        struct at_write *write = add_write(sent, AT_WRITE_SETTING);
        write->name = at_text_of(names[i]);
        write->text = text_in(sent, number);
    }
    struct at_write *write = add_write(sent, AT_WRITE_CURSOR);
    write->name = AT_TEXT("fold");
    write->number = n;
    return sent;
}

static void write_pairs(void *arg) {
    struct world *world = arg;
    while (!world->is_over) {
        struct sent *flight[16];
        uint64_t n = world->written;
        for (uint64_t i = 0; i < AT_LENGTH(flight); i++) {
            flight[i] = new_pair(n + i + 1);
            assert_int_equal(at_store_commit(world->store, &flight[i]->unit), AT_OK);
        }
        for (size_t i = 0; i < AT_LENGTH(flight); i++) {
            wait_sent(flight[i]);
            assert_int_equal(flight[i]->unit.status, AT_OK);
            free_sent(flight[i]);
        }
        world->written += AT_LENGTH(flight);
    }
}

static void fill(struct world *world, uint64_t rows) {
    for (uint64_t n = 0; n < rows;) {
        struct sent *sent = new_sent();
        for (int i = 0; i < 500; i++)
            add_event(sent, 1, 1000000 + n++)->event.body = (struct at_text){body, ROW_BYTES};
        assert_int_equal(finish_sent(world->store, sent, false), AT_OK);
    }
}

static void begin_world(struct world *world, const char *vfs_name, uint64_t rows) {
    memset(world, 0, sizeof(*world));
    memset(body, 'b', sizeof(body));
    make_folder(world->folder);
    char data[96];
    snprintf(data, sizeof(data), "%s/data", world->folder);
    snprintf(world->path, sizeof(world->path), "%s/a copy%%3f?.db", world->folder);
    snprintf(world->part, sizeof(world->part), "%s.part", world->path);
    world->store = open_store(data, vfs_name);
    fill(world, rows);
}

static void start_writing(struct world *world) {
    struct at_error err;
    assert_int_equal(at_thread_start(&world->thread, "writer", write_pairs, world, 0, &err), AT_OK);
}
static void end_writing(struct world *world) {
    world->is_over = true;
    at_thread_join(world->thread);
}
static void end_world(struct world *world) {
    if (world->store) at_store_close(world->store);
    remove_folder(world->folder);
}

static enum at_status back_up(struct world *world, const struct at_backup *given,
                              struct at_backup_result *result, struct at_error *err) {
    struct at_backup what = *given;
    if (!what.path) what.path = world->path;
    if (!what.now_ms) what.now_ms = 1764150000000;
    memset(err, 0, sizeof(*err));
    return at_store_backup(world->store, &what, result, err);
}

static bool is_there(const char *path) {
    struct stat found;
    return lstat(path, &found) == 0;
}

static int64_t ask(const char *path, const char *sql) {
    struct at_connection connection;
    struct at_error err;
    int64_t number = -1;
    if (at_whole_open(&connection, path, NULL, &err) != AT_OK) fail_msg("%s", err.message);
    assert_int_equal(at_connection_number(&connection, sql, &number), AT_OK);
    at_connection_close(&connection);
    return number;
}

/* ---- one moment ---- */

static void a_copy_is_of_one_moment(void **state) {
    (void)state;
    struct world world;
    struct at_backup_result result;
    struct at_error err;
    int64_t last = 0;
    mode_t before = umask(0);
    begin_world(&world, NULL, ROWS);
    start_writing(&world);
    for (int round = 0; round < 5; round++) {
        while (world.written < (uint64_t)last + 100) usleep(1000);
        int64_t acknowledged = (int64_t)world.written;
        enum at_status status = back_up(&world, &(struct at_backup){.replaces = true}, &result, &err);
        if (status != AT_OK) fail_msg("%s", err.message);
        assert_false(is_there(world.part));
        int64_t left = ask(world.path, "SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'left'");
        assert_int_equal(left,
                         ask(world.path, "SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'right'"));
        assert_int_equal(left, ask(world.path, "SELECT seq FROM cursor WHERE name = 'fold'"));
        assert_int_equal(left, ask(world.path, "SELECT count(*) FROM event WHERE payload_hash < 1000000"));
        assert_int_equal(result.events, left + ROWS);
        assert_true(left >= acknowledged);
        struct stat found;
        assert_int_equal(stat(world.path, &found), 0);
        assert_int_equal(found.st_size, result.bytes);
        assert_int_equal(found.st_mode & 0777, 0600);
        last = left;
        printf("round %d: %lld pairs acknowledged before it began, %lld in it, %lld after it\n", round,
               (long long)acknowledged, (long long)left, (long long)world.written);
    }
    assert_true(world.written > (uint64_t)last); /* it was written to meanwhile */
    end_writing(&world);
    umask(before);
    end_world(&world);
}

/* A folder with nothing but the copy opens and has it all; the copy is one file, without a log of its own. */
static void a_copy_opens_as_a_database(void **state) {
    (void)state;
    struct world world;
    struct at_backup_result result;
    struct at_error err;
    char data[96], path[128];
    begin_world(&world, NULL, 1000);
    assert_int_equal(back_up(&world, &(struct at_backup){0}, &result, &err), AT_OK);
    assert_int_equal(ask(world.path, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 0);
    assert_int_equal(ask(world.path, "SELECT value = '2025-11-26T09:40:00.000Z' FROM setting"
                                     " WHERE name = 'backed_up'"),
                     1);
    snprintf(data, sizeof(data), "%s/other", world.folder);
    snprintf(path, sizeof(path), "%s/attune.db", data);
    assert_int_equal(mkdir(data, 0700), 0);
    assert_int_equal(rename(world.path, path), 0);
    struct at_store *store = open_store(data, NULL);
    struct log_count log = read_log(store, 1001000);
    assert_int_equal(log.total, 1000);
    free(log.counts);
    assert_int_equal(send_event(store, 1), AT_OK);
    at_store_close(store);
    end_world(&world);
}

/* ---- refused ---- */

static void expect_refusal(struct world *world, const struct at_backup *what, enum at_status status,
                           const char *code, const char *says) {
    struct at_backup_result result;
    struct at_error err;
    assert_int_equal(back_up(world, what, &result, &err), status);
    assert_string_equal(err.code, code);
    if (!strstr(err.message, says)) fail_msg("\"%s\" does not say \"%s\"", err.message, says);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static bool holds(const char *path, const char *text) {
    char line[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    bool is_it = fgets(line, sizeof(line), file) && strcmp(line, text) == 0;
    fclose(file);
    return is_it;
}

static void what_is_there_is_not_replaced_unasked(void **state) {
    (void)state;
    struct world world;
    struct at_backup_result result;
    struct at_error err;
    char path[128];
    begin_world(&world, NULL, 500);
    write_file(world.path, "theirs");
    expect_refusal(&world, &(struct at_backup){0}, AT_CONFLICT, "file_exists", world.path);
    assert_true(holds(world.path, "theirs"));
    assert_int_equal(back_up(&world, &(struct at_backup){.replaces = true}, &result, &err), AT_OK);
    assert_int_equal(ask(world.path, "SELECT count(*) FROM event"), 500);
    static const char *const own[] = {"attune.db",    "attune.db-wal", "lock",
                                      "erasures.log", "erasure.key",   "attune.sock"};
    for (size_t i = 0; i < AT_LENGTH(own); i++) {
        snprintf(path, sizeof(path), "%s/data/%s", world.folder, own[i]);
        expect_refusal(&world, &(struct at_backup){.path = path, .replaces = true}, AT_UNPROCESSABLE,
                       "own_file", own[i]);
    }
    snprintf(path, sizeof(path), "%s/none/copy.db", world.folder);
    expect_refusal(&world, &(struct at_backup){.path = path}, AT_UNPROCESSABLE, "no_folder", path);
    snprintf(path, sizeof(path), "%s/data", world.folder);
    expect_refusal(&world, &(struct at_backup){.path = path, .replaces = true}, AT_UNPROCESSABLE,
                   "not_a_file", path);
    assert_int_equal(send_event(world.store, 7), AT_OK);
    end_world(&world);
}

static void what_was_cut_off_is_replaced(void **state) {
    (void)state;
    struct world world;
    struct at_backup_result result;
    struct at_error err;
    char theirs[96];
    begin_world(&world, NULL, 500);
    write_file(world.part, "the beginning of a copy");
    assert_int_equal(back_up(&world, &(struct at_backup){0}, &result, &err), AT_OK);
    assert_int_equal(unlink(world.path), 0);
    snprintf(theirs, sizeof(theirs), "%s/theirs", world.folder); /* nobody leads us to another file */
    write_file(theirs, "theirs");
    assert_int_equal(symlink(theirs, world.part), 0);
    assert_int_equal(back_up(&world, &(struct at_backup){0}, &result, &err), AT_OK);
    assert_true(holds(theirs, "theirs"));
    assert_int_equal(ask(world.path, "SELECT count(*) FROM event"), 500);
    int fd = open(world.part, O_RDWR | O_CREAT, 0600); /* another process writes one there now */
    assert_true(fd >= 0 && flock(fd, LOCK_EX) == 0);
    expect_refusal(&world, &(struct at_backup){.replaces = true}, AT_CONFLICT, "backup_running", world.part);
    assert_true(is_there(world.part));
    close(fd);
    end_world(&world);
}

/* ---- ended early ---- */

struct ending {
    struct world *world;
    bool at_checking;
    enum at_status second; /* of one that was begun meanwhile */
    struct at_error err;
};
static void end_it(void *arg, const struct at_backup_progress *progress) {
    struct ending *ending = arg;
    struct at_backup_result result;
    struct at_backup again = {.path = "/tmp/never"};
    assert_true(progress->done_bytes <= progress->total_bytes && progress->total_bytes > 0);
    ending->second = at_store_backup(ending->world->store, &again, &result, &ending->err);
    if (progress->is_checking == ending->at_checking) at_store_backup_stop(ending->world->store);
}

static void a_stopped_copy_leaves_nothing(void **state) {
    (void)state;
    for (int at_checking = 0; at_checking < 2; at_checking++) {
        struct world world;
        begin_world(&world, NULL, 5000);
        struct ending ending = {.world = &world, .at_checking = at_checking};
        expect_refusal(&world, &(struct at_backup){.progress = end_it, .arg = &ending}, AT_STOPPED, "stopped",
                       world.path);
        assert_int_equal(ending.second, AT_CONFLICT);
        assert_string_equal(ending.err.code, "backup_running");
        assert_false(is_there(world.path) || is_there(world.part));
        expect_refusal(&world, &(struct at_backup){0}, AT_STOPPED, "stopped", "closing");
        assert_int_equal(send_event(world.store, 7), AT_OK);
        end_world(&world);
    }
}

static void fill_disk(void *arg, const struct at_backup_progress *progress) {
    if (!progress->is_checking && progress->done_bytes > *(uint64_t *)arg) forgetful_be_full(1);
}

static void a_full_disk_leaves_nothing(void **state) {
    (void)state;
    struct world world;
    struct at_backup_result result;
    struct at_error err;
    forgetful_register();
    begin_world(&world, FORGETFUL_VFS, 5000);
    for (uint64_t after = 0; after <= 6000000; after += 3000000) {
        struct at_backup what = {.replaces = true, .progress = fill_disk, .arg = &after};
        write_file(world.path, "before");
        expect_refusal(&world, &what, AT_FULL, "disk_full", world.path);
        assert_false(is_there(world.part));
        assert_true(holds(world.path, "before"));
        forgetful_be_full(0);
        assert_int_equal(send_event(world.store, after), AT_OK);
    }
    assert_int_equal(back_up(&world, &(struct at_backup){.replaces = true}, &result, &err), AT_OK);
    assert_int_equal(ask(world.path, "SELECT count(*) FROM event"), 5003);
    forgetful_die();
    assert_int_equal(back_up(&world, &(struct at_backup){.replaces = true}, &result, &err), AT_IO);
    assert_int_equal(ask(world.path, "SELECT count(*) FROM event"), 5003);
    forgetful_wake_remembering();
    end_world(&world);
}

static void a_damaged_database_is_told(void **state) {
    (void)state;
    struct world world;
    char path[128];
    begin_world(&world, NULL, 2000);
    at_store_close(world.store);
    snprintf(path, sizeof(path), "%s/data/attune.db", world.folder);
    int fd = open(path, O_RDWR);
    static char junk[8192];
    memset(junk, 0xa5, sizeof(junk));
    assert_int_equal(pwrite(fd, junk, sizeof(junk), 150 * 8192), sizeof(junk)); /* a leaf of the log */
    close(fd);
    snprintf(path, sizeof(path), "%s/data", world.folder);
    world.store = open_store(path, NULL);
    expect_refusal(&world, &(struct at_backup){0}, AT_UNPROCESSABLE, "not_whole", "damaged");
    assert_false(is_there(world.path) || is_there(world.part));
    end_world(&world);
}

/* ---- the write-ahead log ---- */

static size_t log_bytes(struct world *world) {
    struct at_store_counts counts;
    at_store_counts(world->store, &counts);
    return counts.wal_bytes;
}

/* Goes on when the log is longer than anything the keeper would leave. */
static void wait_for_log(void *arg, const struct at_backup_progress *progress) {
    if (!progress->is_checking)
        while (log_bytes(arg) < (size_t)24 << 20) usleep(1000);
}

static void the_log_is_bounded_and_short_again(void **state) {
    (void)state;
    struct world world;
    struct at_backup_result result;
    struct at_error err;
    begin_world(&world, NULL, ROWS);
    start_writing(&world);
    struct at_backup what = {.log_max_bytes = 20 << 20, .progress = wait_for_log, .arg = &world};
    expect_refusal(&world, &what, AT_BUSY, "log_too_long", "faster disk");
    assert_false(is_there(world.path) || is_there(world.part));
    what.log_max_bytes = 0;
    assert_int_equal(back_up(&world, &what, &result, &err), AT_OK);
    for (int i = 0; i < 20000 && log_bytes(&world) > (size_t)8 << 20; i++) usleep(1000);
    assert_true(log_bytes(&world) <= (size_t)8 << 20);
    end_writing(&world);
    end_world(&world);
}

/* ---- allocations ---- */

static void backing_up_survives_every_failed_allocation(void **state) {
    (void)state;
    struct world world;
    struct at_backup_result result;
    struct at_error err;
    long n = 0, refused = 0;
    begin_world(&world, NULL, 500);
    for (bool has_more = true; has_more; n += 1 + n / 64) { /* each has two syncs of its own */
        unlink(world.path);
        atomic_store(&allocations_left, n);
        enum at_status status = back_up(&world, &(struct at_backup){0}, &result, &err);
        has_more = atomic_exchange(&allocations_left, -1) < 0;
        assert_false(is_there(world.part));
        assert_int_equal(is_there(world.path), status == AT_OK);
        if (status == AT_OK) assert_int_equal(ask(world.path, "SELECT count(*) FROM event"), 500);
        if (status != AT_OK) assert_true(err.message[0] != 0);
        refused += status != AT_OK;
    }
    printf("backing up: one of %ld allocations failed, %ld times refused\n", n, refused);
    assert_true(refused > 10);
    end_world(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_of_one_moment),
        cmocka_unit_test(a_copy_opens_as_a_database),
        cmocka_unit_test(what_is_there_is_not_replaced_unasked),
        cmocka_unit_test(what_was_cut_off_is_replaced),
        cmocka_unit_test(a_stopped_copy_leaves_nothing),
        cmocka_unit_test(a_full_disk_leaves_nothing),
        cmocka_unit_test(a_damaged_database_is_told),
        cmocka_unit_test(the_log_is_bounded_and_short_again),
        cmocka_unit_test(backing_up_survives_every_failed_allocation),
    };
    hook_sqlite();
    return cmocka_run_group_tests_name("store_backup", tests, NULL, NULL);
}
