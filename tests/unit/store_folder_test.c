/* SPDX-License-Identifier: Apache-2.0
 *
 * The data folder: one owner at a time who is named, older schemas migrated after a copy and in one
 * transaction, newer and foreign databases refused by name; opening, committing and reading with every
 * allocation failing once.
 */
#include "store_help.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include "store/internal.h"
#include "store_fail.h"

static enum at_status try_open(const char *folder, struct at_store **store, struct at_error *err) {
    struct at_store_options options = {.directory = folder};
    memset(err, 0, sizeof(*err));
    return at_store_open(store, &options, err);
}

/* ---- the lock ---- */

static void one_owner_who_is_named(void **state) {
    (void)state;
    char folder[64], pid[32];
    struct at_store *store, *second;
    struct at_error err;
    make_folder_in_memory(folder);
    store = open_store(folder, NULL);
    snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    assert_int_equal(try_open(folder, &second, &err), AT_CONFLICT);
    assert_null(second);
    assert_non_null(strstr(err.message, pid));
    pid_t child = fork();
    if (child == 0) {
        enum at_status status = try_open(folder, &second, &err);
        _exit(status == AT_CONFLICT && strstr(err.message, pid) ? 0 : 1);
    }
    int how = 1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    at_store_close(store);
    assert_int_equal(try_open(folder, &store, &err), AT_OK);
    at_store_close(store);
    remove_folder(folder);
}

static void a_folder_is_made_for_its_owner_only(void **state) {
    (void)state;
    char folder[64], inner[96], path[128];
    struct stat found;
    struct at_store *store;
    struct at_error err;
    make_folder_in_memory(folder);
    snprintf(inner, sizeof(inner), "%s/data", folder);
    store = open_store(inner, NULL);
    assert_int_equal(stat(inner, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
    snprintf(path, sizeof(path), "%s/attune.db", inner);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    at_store_close(store);
    assert_int_equal(try_open(path, &store, &err), AT_INVALID); /* a file */
    assert_non_null(strstr(err.message, path));
    remove_folder(folder);
}

static unsigned mode_of(const char *folder, const char *name) {
    struct stat found;
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(stat(path, &found), 0);
    return found.st_mode & 0777;
}

static void files_are_private_whatever_the_umask(void **state) {
    (void)state;
    static const mode_t umasks[] = {0000, 0022, 0077, 0277, 0777};
    for (size_t i = 0; i < AT_LENGTH(umasks); i++) {
        char folder[64], inner[96];
        make_folder_in_memory(folder);
        snprintf(inner, sizeof(inner), "%s/data", folder);
        mode_t before = umask(umasks[i]);
        struct at_store *store = open_store(inner, NULL);
        assert_int_equal(send_event(store, 0), AT_OK);
        static const char *const names[] = {"attune.db", "attune.db-wal", "attune.db-shm", "lock"};
        assert_int_equal(mode_of(folder, "data"), 0700);
        for (size_t k = 0; k < AT_LENGTH(names); k++) assert_int_equal(mode_of(inner, names[k]), 0600);
        at_store_close(store);
        umask(before);
        remove_folder(folder);
    }
}

static void put_file(const char *folder, const char *name) {
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(chmod(path, 0644), 0);
}

static char logged[2100];
static void note_line(void *arg, enum at_log_level level, const char *line) {
    (void)arg;
    if (level == AT_LOG_WARN) snprintf(logged, sizeof(logged), "%s", line);
}

static void what_others_may_read_is_closed(void **state) {
    (void)state;
    char folder[64];
    struct at_log log = {.fd = -1, .hook = note_line};
    struct at_store_options options = {.directory = folder, .log = &log};
    struct at_store *store;
    struct at_error err;
    make_folder_in_memory(folder);
    at_store_close(open_store(folder, NULL));
    assert_int_equal(chmod(folder, 0755), 0);
    put_file(folder, "attune.db.schema-1"); /* as cp leaves it */
    put_file(folder, "erasures.log");
    logged[0] = 0;
    assert_int_equal(at_store_open(&store, &options, &err), AT_OK);
    at_store_close(store);
    assert_int_equal(mode_of(folder, "."), 0700);
    assert_int_equal(mode_of(folder, "attune.db.schema-1"), 0600);
    assert_int_equal(mode_of(folder, "erasures.log"), 0600);
    assert_string_equal(logged, "");
    assert_int_equal(chmod(folder, 0755), 0);
    put_file(folder, "theirs"); /* a folder that is not ours alone stays as it is */
    assert_int_equal(at_store_open(&store, &options, &err), AT_OK);
    at_store_close(store);
    assert_int_equal(mode_of(folder, "."), 0755);
    assert_int_equal(mode_of(folder, "theirs"), 0644);
    assert_int_equal(mode_of(folder, "attune.db"), 0600);
    assert_non_null(strstr(logged, folder));
    assert_non_null(strstr(logged, "0755"));
    remove_folder(folder);
}

/* ---- schemas ---- */

static void change_database(const char *folder, const char *sql) {
    char path[128];
    sqlite3 *db;
    snprintf(path, sizeof(path), "%s/attune.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t ask_database(const char *path, const char *sql) {
    struct at_connection connection;
    struct at_place place = {path, NULL, 1 << 20, true};
    struct at_error err;
    int64_t number = -1;
    assert_int_equal(at_connection_open(&connection, &place, &err), AT_OK);
    (void)at_connection_number(&connection, sql, &number);
    at_connection_close(&connection);
    return number;
}

static void a_newer_schema_is_refused_by_name(void **state) {
    (void)state;
    char folder[64];
    struct at_store *store;
    struct at_error err;
    make_folder_in_memory(folder);
    at_store_close(open_store(folder, NULL));
    change_database(folder, "PRAGMA user_version = 7");
    assert_int_equal(try_open(folder, &store, &err), AT_UNSUPPORTED);
    assert_string_equal(err.code, "newer_schema");
    assert_non_null(strstr(err.message, "schema 7"));
    char back[48];
    snprintf(back, sizeof(back), "PRAGMA user_version = %d", AT_STORE_SCHEMA);
    change_database(folder, back); /* untouched: it opens again */
    assert_int_equal(try_open(folder, &store, &err), AT_OK);
    at_store_close(store);
    remove_folder(folder);
}

static void a_foreign_database_is_refused(void **state) {
    (void)state;
    char folder[64], path[128];
    struct at_store *store;
    struct at_error err;
    make_folder_in_memory(folder);
    change_database(folder, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
    assert_int_equal(try_open(folder, &store, &err), AT_UNSUPPORTED);
    assert_string_equal(err.code, "foreign_database");
    snprintf(path, sizeof(path), "%s/attune.db", folder);
    assert_int_equal(ask_database(path, "SELECT count(*) FROM sqlite_schema"), 1);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++) fputs("no database at all ", file);
    fclose(file);
    assert_int_not_equal(try_open(folder, &store, &err), AT_OK);
    assert_non_null(strstr(err.message, path));
    remove_folder(folder);
}

/* The next schema as a later attune would have it, over a folder of this one's. */
static enum at_status migrate(const char *path, const char *next_step, struct at_error *err) {
    const char *steps[AT_STORE_SCHEMA + 1];
    memcpy(steps, at_schema_current.steps, AT_STORE_SCHEMA * sizeof(*steps));
    steps[AT_STORE_SCHEMA] = next_step;
    struct at_schema schema = {steps, AT_STORE_SCHEMA + 1};
    struct at_connection connection;
    struct at_place place = {path, NULL, 1 << 20, false};
    struct at_log log = {.fd = -1};
    assert_int_equal(at_connection_open(&connection, &place, err), AT_OK);
    enum at_status status = at_schema_bring(&connection, &place, &schema, &log, err);
    at_connection_close(&connection);
    return status;
}

static void an_older_schema_is_copied_then_migrated(void **state) {
    (void)state;
    char folder[64], path[128], copy[160];
    struct at_store *store;
    struct at_error err;
    make_folder_in_memory(folder);
    snprintf(path, sizeof(path), "%s/attune.db", folder);
    snprintf(copy, sizeof(copy), "%s.schema-%d", path, AT_STORE_SCHEMA);
    store = open_store(folder, NULL);
    for (uint64_t n = 0; n < 20; n++) assert_int_equal(send_event(store, n), AT_OK);
    at_store_close(store);

    assert_int_not_equal(migrate(path, "CREATE TABLE fresh (x); INSERT INTO missing VALUES (1)", &err),
                         AT_OK);
    assert_int_equal(ask_database(path, "PRAGMA user_version"), AT_STORE_SCHEMA); /* all or nothing */
    assert_int_equal(ask_database(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'fresh'"), 0);

    assert_int_equal(migrate(path, "ALTER TABLE event ADD COLUMN region TEXT NOT NULL DEFAULT 'eu'", &err),
                     AT_OK);
    assert_int_equal(ask_database(path, "PRAGMA user_version"), AT_STORE_SCHEMA + 1);
    assert_int_equal(ask_database(path, "SELECT count(*) FROM event WHERE region = 'eu'"), 20);
    assert_int_equal(ask_database(copy, "PRAGMA user_version"), AT_STORE_SCHEMA);
    assert_int_equal(ask_database(copy, "SELECT count(*) FROM event"), 20);
    assert_int_equal(try_open(folder, &store, &err), AT_UNSUPPORTED); /* newer than this attune now */

    assert_int_equal(rename(copy, path), 0); /* what the message says one can do */
    store = open_store(folder, NULL);
    struct log_count log = read_log(store, 20);
    assert_int_equal(log.total, 20);
    free(log.counts);
    at_store_close(store);
    remove_folder(folder);
}

/* A folder as an earlier attune left it. */
static void make_schema(const char *folder, const char *path, uint32_t number) {
    struct at_schema first = {at_schema_current.steps, number};
    struct at_connection connection;
    struct at_place place = {path, NULL, 1 << 20, false};
    struct at_log log = {.fd = -1};
    struct at_error err;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(at_connection_open(&connection, &place, &err), AT_OK);
    assert_int_equal(at_schema_bring(&connection, &place, &first, &log, &err), AT_OK);
    at_connection_close(&connection);
    change_database(folder, "INSERT INTO identifier VALUES (2, 'anonymous_id', 'a-1', 1, 100);"
                            "INSERT INTO identifier VALUES (3, 'user_id', '42', 1, 200);"
                            "INSERT INTO identifier VALUES (4, 'email', 'ann@example.com', 1, 300);"
                            "INSERT INTO identifier VALUES (6, 'anonymous_id', 'a-2', 5, 400);");
}

static bool add_link(void *arg, const struct at_link_row *row) {
    char *out = arg;
    sprintf(out + strlen(out), "%llu-%llu@%lld%.*s ", (unsigned long long)row->a, (unsigned long long)row->b,
            (long long)row->at_ms, (int)row->name.length, row->name.data);
    return true;
}

static void read_links(struct at_reader *reader, void *arg) {
    (void)arg;
    char all[256] = "", of[256] = "";
    assert_int_equal(at_reader_links(reader, add_link, all), AT_OK);
    assert_string_equal(all, "2-3@200 2-4@300 ");
    assert_int_equal(at_reader_links_of(reader, 4, add_link, of), AT_OK);
    assert_string_equal(of, "2-4@300 ");
}

static bool count_identifier(void *arg, const struct at_identifier_row *row) {
    (void)row;
    ++*(size_t *)arg;
    return true;
}

static void people_of_schema_1_hold_together(void **state) {
    (void)state;
    char folder[64], path[128];
    make_folder_in_memory(folder);
    snprintf(path, sizeof(path), "%s/attune.db", folder);
    make_schema(folder, path, 1);
    struct at_store *store = open_store(folder, NULL);
    read_store(store, read_links, NULL);
    at_store_close(store);
    assert_int_equal(ask_database(path, "PRAGMA user_version"), AT_STORE_SCHEMA);
    remove_folder(folder);
}

static void count_identifiers(struct at_reader *reader, void *arg) {
    assert_int_equal(at_reader_identifiers(reader, count_identifier, arg), AT_OK);
}

static void every_earlier_schema_opens(void **state) {
    (void)state;
    for (uint32_t number = 1; number < AT_STORE_SCHEMA; number++) {
        char folder[64], path[128];
        size_t count = 0;
        make_folder_in_memory(folder);
        snprintf(path, sizeof(path), "%s/attune.db", folder);
        make_schema(folder, path, number);
        struct at_store *store = open_store(folder, NULL);
        read_store(store, count_identifiers, &count);
        assert_int_equal(count, 4);
        assert_int_equal(send_event(store, 1), AT_OK);
        at_store_close(store);
        assert_int_equal(ask_database(path, "PRAGMA user_version"), AT_STORE_SCHEMA);
        remove_folder(folder);
    }
}

static bool count_member(void *arg, const struct at_member_row *row) {
    assert_true(row->person == 1 && at_text_is(row->segment, "vip") && row->since_ms == 7);
    ++*(int *)arg;
    return true;
}

static void read_first_member(struct at_reader *reader, void *arg) {
    int count = 0;
    uint64_t last = 0;
    (void)arg;
    assert_int_equal(at_reader_members(reader, 0, INT64_MAX, count_member, &count), AT_OK);
    assert_int_equal(at_reader_profile_last(reader, &last), AT_OK);
    assert_true(count == 1 && last == 1);
}

static void people_of_schema_2_can_be_in_segments(void **state) {
    (void)state;
    char folder[64], path[128];
    make_folder_in_memory(folder);
    snprintf(path, sizeof(path), "%s/attune.db", folder);
    make_schema(folder, path, 2);
    change_database(folder, "INSERT INTO profile VALUES (1, 5, '{}');");
    struct at_store *store = open_store(folder, NULL);
    struct sent *sent = new_sent();
    add_write(sent, AT_WRITE_MEMBER)->member = (struct at_member_row){1, AT_TEXT("vip"), 7};
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    read_store(store, read_first_member, NULL);
    at_store_close(store);
    assert_int_equal(ask_database(path, "PRAGMA user_version"), AT_STORE_SCHEMA);
    remove_folder(folder);
}

/* ---- allocations ---- */

static void seal_run(struct at_store *store) {
    static struct at_message_row rows[1000];
    for (uint64_t i = 0; i < 1000; i++) rows[i] = (struct at_message_row){i, i, i};
    struct sent *sent = new_sent();
    struct at_write *write = add_write(sent, AT_WRITE_MESSAGES);
    write->messages.rows = rows;
    write->messages.count = 1000;
    assert_int_equal(finish_sent(store, sent, true), AT_OK);
}

static void opening_survives_every_failed_allocation(void **state) {
    (void)state;
    char folder[64];
    struct at_store *store;
    struct at_error err;
    long n = 0;
    int refused = 0;
    make_folder_in_memory(folder);
    store = open_store(folder, NULL);
    seal_run(store);
    at_store_close(store);
    for (bool is_over = false; !is_over; n++) {
        atomic_store(&allocations_left, n);
        enum at_status status = try_open(folder, &store, &err);
        is_over = atomic_exchange(&allocations_left, -1) >= 0; /* none was left to fail */
        if (status != AT_OK) {
            refused++;
            assert_true(err.message[0] != 0);
            continue;
        }
        for (uint64_t key = 0; key < 1000; key++) assert_true(at_store_may_know_message(store, key));
        at_store_close(store);
        assert_true(n < 100000);
    }
    printf("opening: %ld allocations failed one by one, %d times refused\n", n, refused);
    assert_true(refused > 10);
    remove_folder(folder);
}

/* While it runs: units are answered, and what was acknowledged is there. */
static void committing_survives_every_failed_allocation(void **state) {
    (void)state;
    char folder[64];
    unsigned char done[2000] = {0};
    int refused = 0;
    make_folder_in_memory(folder);
    struct at_store *store = open_store(folder, NULL);
    for (uint64_t n = 0; n < 2000; n++) {
        struct sent *sent = new_sent();
        add_event(sent, 1, n);
        add_write(sent, AT_WRITE_CLAIM)->claim =
            (struct at_claim){AT_TEXT("order"), sent->unit.writes->event.message_id, n, 0, 0};
        if (n % 100 == 0) { /* a connection without its statements */
            at_store_close(store);
            store = open_store(folder, NULL);
        }
        atomic_store(&allocations_left, (long)(n % 100));
        done[n] = send_and_wait(store, sent, false) == AT_OK;
        atomic_store(&allocations_left, -1);
        refused += !done[n];
        free_sent(sent);
    }
    struct log_count log = read_log(store, 2000);
    for (int n = 0; n < 2000; n++) assert_int_equal(log.counts[n], done[n]);
    free(log.counts);
    printf("committing: %d of 2000 units refused\n", refused);
    assert_true(refused > 0 && refused < 1900);
    at_store_close(store);
    remove_folder(folder);
}

/* Reading: a status, and the same read succeeds afterwards. */
struct reading {
    enum at_status status;
    int events;
};
static bool note_event(void *arg, const struct at_event_row *row) {
    (void)row;
    ((struct reading *)arg)->events++;
    return true;
}
static void read_some(struct at_reader *reader, void *arg) {
    struct reading *reading = arg;
    struct at_arena arena;
    struct at_claim claim = {0};
    struct at_profile_row profile;
    struct at_message_row message;
    struct at_text text;
    uint64_t cursor;
    at_arena_init(&arena, 1 << 20);
    reading->events = 0;
    enum at_status statuses[] = {
        at_reader_log(reader, 0, UINT64_MAX >> 1, note_event, reading),
        at_reader_events_of(reader, 1, UINT64_MAX >> 1, true, note_event, reading),
        at_reader_claim(reader, AT_TEXT("order"), AT_TEXT("m-1"), &claim),
        at_reader_profile(reader, 7, &profile, &arena),
        at_reader_message(reader, 7, &message),
        at_reader_cursor(reader, AT_TEXT("none"), &cursor),
        at_reader_state(reader, AT_TEXT("none"), &text, &arena),
    };
    reading->status = AT_OK;
    for (size_t i = 0; i < AT_LENGTH(statuses); i++) {
        assert_true(statuses[i] == AT_OK || statuses[i] == AT_NOTFOUND || statuses[i] == AT_NOMEM);
        if (statuses[i] == AT_NOMEM) reading->status = AT_NOMEM;
    }
    at_arena_clear(&arena);
}

static void reading_survives_every_failed_allocation(void **state) {
    (void)state;
    char folder[64];
    struct reading reading;
    long n = 0, refused = 0;
    make_folder_in_memory(folder);
    struct at_store *store = open_store(folder, NULL);
    for (uint64_t i = 0; i < 100; i++) assert_int_equal(send_event(store, i), AT_OK);
    read_store(store, read_some, &reading);
    int wanted = reading.events;
    for (bool has_more = true; has_more; n++) {
        at_store_close(store); /* a connection without its statements */
        store = open_store(folder, NULL);
        atomic_store(&allocations_left, n);
        read_store(store, read_some, &reading);
        has_more = atomic_exchange(&allocations_left, -1) < 0;
        refused += reading.status != AT_OK;
        read_store(store, read_some, &reading);
        assert_true(reading.status == AT_OK && reading.events == wanted);
    }
    printf("reading: %ld allocations failed one by one, %ld times refused\n", n, refused);
    assert_true(wanted >= 100 && refused > 10);
    at_store_close(store);
    remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_owner_who_is_named),
        cmocka_unit_test(a_folder_is_made_for_its_owner_only),
        cmocka_unit_test(files_are_private_whatever_the_umask),
        cmocka_unit_test(what_others_may_read_is_closed),
        cmocka_unit_test(a_newer_schema_is_refused_by_name),
        cmocka_unit_test(a_foreign_database_is_refused),
        cmocka_unit_test(an_older_schema_is_copied_then_migrated),
        cmocka_unit_test(people_of_schema_1_hold_together),
        cmocka_unit_test(every_earlier_schema_opens),
        cmocka_unit_test(people_of_schema_2_can_be_in_segments),
        cmocka_unit_test(opening_survives_every_failed_allocation),
        cmocka_unit_test(committing_survives_every_failed_allocation),
        cmocka_unit_test(reading_survives_every_failed_allocation),
    };
    hook_sqlite();
    return cmocka_run_group_tests_name("store_folder", tests, NULL, NULL);
}
