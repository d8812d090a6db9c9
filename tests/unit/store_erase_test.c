/* SPDX-License-Identifier: Apache-2.0
 *
 * Being exported and being forgotten, held against the schema itself: every table is known to be of people or
 * not; what is of a person is read whole, and after an erasure nothing of it is found in any file.
 */
#include "store_help.h"

#include <dirent.h>
#include <sys/stat.h>
#include "store/internal.h"

#define PERSON UINT64_C(70001)
#define LOSER  UINT64_C(70002)
#define SOURCE UINT64_C(80001)

ONE_STORE(NULL)

static sqlite3 *open_beside(void) {
    sqlite3 *db;
    char path[128];
    snprintf(path, sizeof path, "%s/attune.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    return db;
}

static int64_t number_of(const char *sql) {
    sqlite3 *db = open_beside();
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

/* ---- what the files hold ---- */

static size_t count_in_file(const char *path, const char *needle) {
    FILE *file = fopen(path, "rb");
    if (!file) return 0; /* gone meanwhile */
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file), found = 0, length = strlen(needle);
    rewind(file);
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    size = fread(bytes, 1, size, file); /* fewer than there were: the log was cut meanwhile */
    assert_false(ferror(file));
    for (char *at = bytes; (at = memmem(at, size - (size_t)(at - bytes), needle, length)); at++) found++;
    free(bytes);
    fclose(file);
    return found;
}

static size_t count_in_folder(const char *needle) {
    DIR *directory = opendir(folder);
    size_t found = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.') found += count_in_file(path, needle);
    }
    closedir(directory);
    return found;
}

static void wait_scrubbed(void) {
    struct at_store_counts counts;
    for (int i = 0; i < 2000; i++) {
        at_store_counts(store, &counts);
        if (!counts.erasures_open && !number_of("SELECT count(*) FROM erasure WHERE scrubbed_ms = 0")) return;
        usleep(5000);
    }
    fail_msg("not scrubbed in 10 s");
}

/* ---- an erasure ---- */

static void erase(const char *id, const uint64_t *people, size_t person_count, const uint64_t *sources,
                  size_t source_count) {
    struct sent *sent = new_sent();
    static const struct at_suppressed_row suppressed[] = {{AT_TEXT("00ff"), AT_TEXT("email"), 5}};
    add_write(sent, AT_WRITE_ERASE)->erasure = (struct at_erasure_row){.id = at_text_of(id),
                                                                       .person = people[0],
                                                                       .at_ms = 1234,
                                                                       .author = AT_TEXT("default"),
                                                                       .people = people,
                                                                       .sources = sources,
                                                                       .person_count = person_count,
                                                                       .source_count = source_count,
                                                                       .suppressed = suppressed,
                                                                       .suppressed_count = 1};
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    sent = new_sent();
    struct at_write *write = add_write(sent, AT_WRITE_ERASE_COUNTED);
    write->name = at_text_of(id);
    write->number = 3;
    assert_int_equal(finish_sent(store, sent, true), AT_OK);
}

/* ---- every table ---- */

static void every_table_is_known(void **state) {
    (void)state;
    sqlite3 *db = open_beside();
    sqlite3_stmt *statement;
    size_t known = 0, there = 0;
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table'", -1, &statement, NULL),
        SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        bool is_known = false;
        there++;
        for (const struct at_table *table = at_tables; table->name; table++)
            is_known |= strcmp(table->name, name) == 0;
        if (!is_known) fail_msg("the table %s is not in at_tables (personal.c): is it of people?", name);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    for (const struct at_table *table = at_tables; table->name; table++, known++)
        assert_true(table->select || table->stays);
    assert_int_equal(known, there);
}

/* A column that says whose a row is gets the person or the source; every other one something to look for. */
static const char *value_for(const char *table, const char *column, const char *type, char out[96]) {
    static const struct {
        const char *column;
        uint64_t value;
    } owners[] = {
        {"person", PERSON}, {"survivor", PERSON}, {"loser", LOSER}, {"a", SOURCE}, {"b", SOURCE + 1}};
    bool is_number = strcmp(type, "INTEGER") == 0 || strcmp(type, "REAL") == 0;
    for (size_t i = 0; i < AT_LENGTH(owners); i++)
        if (strcmp(column, owners[i].column) == 0)
            return snprintf(out, 96, "%llu", (unsigned long long)owners[i].value), out;
    if (is_number && strcmp(column, "source") == 0)
        return snprintf(out, 96, "%llu", (unsigned long long)SOURCE), out;
    if (is_number && strcmp(table, "identifier") == 0 && strcmp(column, "id") == 0)
        return snprintf(out, 96, "%llu", (unsigned long long)SOURCE), out;
    if (is_number) return snprintf(out, 96, "4711"), out;
    snprintf(out, 96, "'\"marked:%s.%s\"'", table, column);
    return out;
}

static void fill_table(sqlite3 *db, const struct at_table *table) {
    char sql[2048] = "", query[128], value[96];
    sqlite3_stmt *statement;
    snprintf(query, sizeof query, "SELECT name, type FROM pragma_table_info('%s')", table->name);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &statement, NULL), SQLITE_OK);
    size_t length = (size_t)snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (", table->name);
    for (int i = 0; sqlite3_step(statement) == SQLITE_ROW; i++)
        length += (size_t)snprintf(sql + length, sizeof sql - length, "%s%s", i ? ", " : "",
                                   value_for(table->name, (const char *)sqlite3_column_text(statement, 0),
                                             (const char *)sqlite3_column_text(statement, 1), value));
    snprintf(sql + length, sizeof sql - length, ")");
    sqlite3_finalize(statement);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", sql, message);
}

static void fill_tables(void) {
    sqlite3 *db = open_beside();
    for (const struct at_table *table = at_tables; table->name; table++)
        if (table->select) fill_table(db, table);
    char sql[128];
    snprintf(sql, sizeof sql, "INSERT INTO timeline VALUES (%llu, 4711)", (unsigned long long)SOURCE);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

struct read {
    struct at_bytes text;
    size_t rows, tables;
};

static bool take_table(void *arg, const char *name) {
    struct read *read = arg;
    read->tables++;
    at_bytes_add(&read->text, name, strlen(name));
    return true;
}

static bool take_row(void *arg, const struct at_personal_value *values, uint32_t count) {
    struct read *read = arg;
    read->rows++;
    for (uint32_t i = 0; i < count; i++)
        if (values[i].kind == AT_VALUE_TEXT || values[i].kind == AT_VALUE_JSON)
            at_bytes_add(&read->text, values[i].text.data, values[i].text.length);
    return true;
}

static void read_person(struct at_reader *reader, void *arg) {
    uint64_t people[] = {PERSON, LOSER};
    struct at_personal_rows rows = {take_table, take_row, arg};
    assert_int_equal(at_reader_personal(reader, people, 2, &rows), AT_OK);
}

static struct read read_all_of_person(void) {
    struct read read = {.rows = 0};
    at_bytes_init(&read.text, 1 << 20);
    read_store(store, read_person, &read);
    at_bytes_add(&read.text, "", 1);
    return read;
}

/* Every text of every table of people: in the export before, in no file after. */
static void check_texts(const struct read *read, bool is_erased) {
    sqlite3 *db = open_beside();
    for (const struct at_table *table = at_tables; table->name; table++) {
        sqlite3_stmt *statement;
        char query[128], mark[128];
        if (!table->select || (is_erased && table->stays)) continue;
        snprintf(query, sizeof query, "SELECT name FROM pragma_table_info('%s') WHERE type = 'TEXT'",
                 table->name);
        assert_int_equal(sqlite3_prepare_v2(db, query, -1, &statement, NULL), SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            snprintf(mark, sizeof mark, "marked:%s.%s", table->name,
                     (const char *)sqlite3_column_text(statement, 0));
            if (!is_erased && !strstr(read->text.data, mark)) fail_msg("%s is not in the export", mark);
            if (is_erased && count_in_folder(mark)) fail_msg("%s is in the folder still", mark);
        }
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
}

static void all_of_a_person_is_read_and_then_nothing_is_left(void **state) {
    (void)state;
    fill_tables();
    struct read read = read_all_of_person();
    check_texts(&read, false);
    assert_int_equal(read.rows, read.tables);
    at_bytes_clear(&read.text);
    uint64_t people[] = {PERSON, LOSER}, sources[] = {SOURCE};
    erase("e1", people, 2, sources, 1);
    wait_scrubbed();
    check_texts(NULL, true);
    assert_int_equal(number_of("SELECT count(*) FROM claim WHERE person = 0"), 1);
    read = read_all_of_person();
    assert_int_equal(read.rows, 2); /* request, access */
    at_bytes_clear(&read.text);
}

/* ---- at once, and after a stop ---- */

static bool see_event(void *arg, const struct at_event_row *row) {
    (void)row;
    ++*(size_t *)arg;
    return true;
}
static void see_events(struct at_reader *reader, void *arg) {
    assert_int_equal(at_reader_log(reader, 0, UINT64_MAX >> 1, see_event, arg), AT_OK);
}

static void send_events_of(uint64_t source, uint64_t from, uint64_t count, bool is_indexed) {
    struct sent *sent = new_sent();
    for (uint64_t n = from; n < from + count; n++) {
        struct at_write *write = add_event(sent, source, n);
        char body[64];
        snprintf(body, sizeof body, "{\"who\":\"somebody-%llu\"}", (unsigned long long)source);
        write->event.body = text_in(sent, body);
    }
    uint64_t first = at_store_next_seq(store);
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    if (!is_indexed) return;
    sent = new_sent();
    for (uint64_t n = 0; n < count; n++) {
        struct at_write *write = add_write(sent, AT_WRITE_TIMELINE);
        write->pair.source = source;
        write->pair.seq = first + n;
    }
    assert_int_equal(finish_sent(store, sent, true), AT_OK);
}

static void no_read_finds_them_from_the_first_moment_on(void **state) {
    (void)state;
    uint64_t people[] = {PERSON}, sources[] = {SOURCE};
    size_t seen = 0;
    send_events_of(SOURCE, 0, 600, true);
    send_events_of(7, 1000, 10, true);
    struct sent *sent = new_sent();
    add_write(sent, AT_WRITE_ERASE)->erasure = (struct at_erasure_row){.id = AT_TEXT("e2"),
                                                                       .person = PERSON,
                                                                       .people = people,
                                                                       .sources = sources,
                                                                       .person_count = 1,
                                                                       .source_count = 1};
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    read_store(store, see_events, &seen);
    assert_int_equal(seen, 10);
    assert_int_equal(number_of("SELECT count(*) FROM event"), 610); /* nothing was counted yet: they stay */
}

static void the_last_events_numbers_are_not_given_again(void **state) {
    (void)state;
    uint64_t people[] = {PERSON}, sources[] = {SOURCE};
    send_events_of(7, 1000, 10, true);
    send_events_of(SOURCE, 0, 600, true);
    uint64_t next = at_store_next_seq(store);
    erase("e3", people, 1, sources, 1);
    at_store_close(store); /* a stop finishes it */
    store = NULL;
    assert_int_equal(count_in_folder("somebody-80001"), 0);
    store = open_store(folder, NULL);
    assert_int_equal(at_store_next_seq(store), next);
    assert_int_equal(number_of("SELECT count(*) FROM erasure WHERE scrubbed_ms > 0"), 1);
    assert_true(count_in_folder("somebody-7") > 0);
}

/* As a backup does it: a snapshot is held, and somebody is erased meanwhile. Nobody tries what cannot be
 * done, for writers would wait for it; once the snapshot is given back nothing is left. */
static void during_a_backup_the_log_is_let_be_and_cut_after_it(void **state) {
    (void)state;
    uint64_t people[] = {PERSON}, sources[] = {SOURCE};
    struct at_connection none = {.db = NULL};
    struct at_store_counts before, after;
    send_events_of(SOURCE, 0, 600, true);
    sqlite3 *snapshot = open_beside();
    at_checkpoint_hold(store);
    assert_int_equal(sqlite3_exec(snapshot, "BEGIN; SELECT count(*) FROM event", NULL, NULL, NULL),
                     SQLITE_OK);
    erase("e5", people, 1, sources, 1);
    for (int i = 0; i < 400 && number_of("SELECT count(*) FROM erased_person"); i++) usleep(5000);
    at_store_counts(store, &before);
    usleep(700 * 1000); /* three attempts of the keeper */
    at_store_counts(store, &after);
    assert_int_equal(after.checkpoints, before.checkpoints);
    assert_int_equal(after.erasures_open, 1);
    assert_true(count_in_folder("somebody-80001") > 0);
    sqlite3_close(snapshot);
    at_checkpoint_release(store, &none);
    wait_scrubbed();
    assert_int_equal(count_in_folder("somebody-80001"), 0);
}

static void copies_of_a_migration_go_with_the_first_who_is_erased(void **state) {
    (void)state;
    char path[128];
    uint64_t people[] = {PERSON}, sources[] = {SOURCE};
    snprintf(path, sizeof path, "%s/attune.db.schema-2", folder);
    FILE *file = fopen(path, "w");
    fputs("ann@example.com", file);
    fclose(file);
    erase("e4", people, 1, sources, 1);
    wait_scrubbed();
    assert_int_equal(count_in_folder("ann@example.com"), 0);
}

/* A copy that cannot be removed holds the person still: who was promised an end is not told of one. */
static void a_copy_that_stays_keeps_the_erasure_open(void **state) {
    (void)state;
    char path[128];
    uint64_t people[] = {PERSON}, sources[] = {SOURCE};
    snprintf(path, sizeof path, "%s/attune.db.schema-2", folder);
    assert_int_equal(mkdir(path, 0700), 0); /* no unlink takes that */
    erase("e5", people, 1, sources, 1);
    usleep(300000);
    assert_int_equal(number_of("SELECT count(*) FROM erasure WHERE scrubbed_ms = 0"), 1);
    assert_int_equal(rmdir(path), 0);
    wait_scrubbed();
}

/* A restored database hears of old erasures after new ones. */
static void the_later_moment_of_an_address_holds(void **state) {
    (void)state;
    static const int64_t moments[] = {700, 300, 900, 800};
    for (size_t i = 0; i < AT_LENGTH(moments); i++) {
        char id[8];
        struct sent *sent = new_sent();
        struct at_suppressed_row suppressed = {AT_TEXT("00aa"), AT_TEXT("email"), moments[i]};
        snprintf(id, sizeof id, "m%zu", i);
        add_write(sent, AT_WRITE_ERASE)->erasure = (struct at_erasure_row){.id = text_in(sent, id),
                                                                           .at_ms = moments[i],
                                                                           .author = AT_TEXT("default"),
                                                                           .suppressed = &suppressed,
                                                                           .suppressed_count = 1};
        assert_int_equal(finish_sent(store, sent, false), AT_OK);
        assert_int_equal(number_of("SELECT at_ms FROM suppressed WHERE hash = '00aa'"), i < 2 ? 700 : 900);
    }
}

/* ---- property: whatever was written before, rewritten, moved by the tree ---- */

static uint64_t dice(uint64_t *seed, uint64_t below) {
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    return at_mix64(*seed) % below;
}

static void write_profile(uint64_t person, size_t length) {
    struct sent *sent = new_sent();
    char *body = malloc(length + 64);
    int head =
        snprintf(body, length + 64, "{\"name\":\"owner-%llu-x\",\"pad\":\"", (unsigned long long)person);
    memset(body + head, 'x', length);
    strcpy(body + head + length, "\"}");
    struct at_write *write = add_write(sent, AT_WRITE_PROFILE);
    write->profile = (struct at_profile_row){person, 1, text_in(sent, body), 0};
    free(body);
    assert_int_equal(finish_sent(store, sent, true), AT_OK);
}

static void live_long(uint64_t seed) {
    enum { PEOPLE = 60, STEPS = 1500 };
    bool is_gone[PEOPLE] = {false};
    print_message("property: a long life, seed %llu, %d steps\n", (unsigned long long)seed, STEPS);
    for (int step = 0; step < STEPS; step++) {
        uint64_t who = dice(&seed, PEOPLE), source = 80000 + who;
        if (is_gone[who]) continue;
        uint64_t what = dice(&seed, 100);
        if (what < 60)
            write_profile(who + 1, dice(&seed, 8) == 0 ? dice(&seed, 30000) : dice(&seed, 1500));
        else if (what < 97)
            send_events_of(source, 1000000 + (uint64_t)step * 10, 1 + dice(&seed, 8), true);
        else {
            char id[32];
            uint64_t person = who + 1;
            snprintf(id, sizeof id, "e-%d", step);
            erase(id, &person, 1, &source, 1);
            is_gone[who] = true;
        }
    }
    wait_scrubbed();
    for (uint64_t who = 0; who < PEOPLE; who++) {
        char mark[64], event[64];
        if (!is_gone[who]) continue;
        snprintf(mark, sizeof mark, "owner-%llu-x", (unsigned long long)(who + 1));
        snprintf(event, sizeof event, "somebody-%llu\"", (unsigned long long)(80000 + who));
        if (count_in_folder(mark)) fail_msg("%s is in the folder %zu times", mark, count_in_folder(mark));
        if (count_in_folder(event)) fail_msg("%s is in the folder %zu times", event, count_in_folder(event));
    }
}

/* The first life is one in which rows moved over from another page, and were erased there. */
static void nothing_of_the_erased_is_left_after_a_long_life(void **state) {
    (void)state;
    const char *given = getenv("AT_SEED");
    live_long(UINT64_C(1795788047860));
    close_fresh(state);
    open_fresh(state);
    live_long(given ? strtoull(given, NULL, 0) : (uint64_t)at_clock_now(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_table_is_known, open_fresh, close_fresh),
        cmocka_unit_test_setup_teardown(all_of_a_person_is_read_and_then_nothing_is_left, open_fresh,
                                        close_fresh),
        cmocka_unit_test_setup_teardown(no_read_finds_them_from_the_first_moment_on, open_fresh, close_fresh),
        cmocka_unit_test_setup_teardown(the_last_events_numbers_are_not_given_again, open_fresh, close_fresh),
        cmocka_unit_test_setup_teardown(during_a_backup_the_log_is_let_be_and_cut_after_it, open_fresh,
                                        close_fresh),
        cmocka_unit_test_setup_teardown(copies_of_a_migration_go_with_the_first_who_is_erased, open_fresh,
                                        close_fresh),
        cmocka_unit_test_setup_teardown(a_copy_that_stays_keeps_the_erasure_open, open_fresh, close_fresh),
        cmocka_unit_test_setup_teardown(the_later_moment_of_an_address_holds, open_fresh, close_fresh),
        cmocka_unit_test_setup_teardown(nothing_of_the_erased_is_left_after_a_long_life, open_fresh,
                                        close_fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
