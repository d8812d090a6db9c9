/* SPDX-License-Identifier: Apache-2.0
 *
 * What was acknowledged is there, exactly once: after kill -9, after a power cut that forgets every unsynced
 * write, with a slow sync, a failing one, a full disk.
 */
#include "store_help.h"

#include <signal.h>
#include <sys/wait.h>
#include "forgetful_vfs.c"

#define ROUNDS   50
#define CUTS     20
#define FLIGHT   16
#define RUN_ROWS 8000 /* enough to go ahead in slices */

/* ---- power cuts ---- */

struct cut {
    struct at_store *store;
    uint64_t next;               /* number of the next event */
    unsigned char *acknowledged; /* by number */
    uint64_t cap, acknowledged_cursor;
    uint64_t runs[1024], sent_runs; /* first keys of the runs that were acknowledged */
    size_t run_count;
    unsigned seed;
};

static void note_events(struct cut *cut, struct sent *sent) {
    wait_sent(sent);
    for (struct at_write *write = sent->unit.writes; write && sent->is_done; write = write->next)
        cut->acknowledged[write->event.payload_hash] = 1;
    free_sent(sent);
}

static struct sent *send_run(struct cut *cut, struct at_message_row *rows, uint64_t number) {
    struct sent *sent = new_sent();
    for (uint64_t i = 0; i < RUN_ROWS; i++)
        rows[i] = (struct at_message_row){number * RUN_ROWS + i + 1, number, i + 1};
    struct at_write *write = add_write(sent, AT_WRITE_MESSAGES);
    write->messages.rows = rows;
    write->messages.count = RUN_ROWS;
    write->messages.sealed_ms = (int64_t)number;
    write = add_write(sent, AT_WRITE_CURSOR);
    write->name = AT_TEXT("runs");
    write->number = number;
    if (at_store_commit_behind(cut->store, &sent->unit) == AT_OK) return sent;
    free_sent(sent);
    return NULL;
}

static void run_load(struct cut *cut, useconds_t life_us) {
    static struct at_message_row rows[RUN_ROWS];
    struct sent *flight[FLIGHT] = {NULL}, *run = NULL;
    uint64_t until = at_ticks_ns() + life_us * UINT64_C(1000);
    for (uint64_t n = 0; at_ticks_ns() < until; n++) {
        struct sent **slot = &flight[n % FLIGHT];
        if (*slot) note_events(cut, *slot);
        *slot = new_sent();
        for (int i = rand_r(&cut->seed) % 4; i >= 0; i--) add_event(*slot, 1, cut->next++);
        assert_true(cut->next < cut->cap);
        assert_int_equal(at_store_commit(cut->store, &(*slot)->unit), AT_OK);
        if (run && run->is_answered) {
            if (run->is_done) cut->runs[cut->run_count++] = cut->acknowledged_cursor = cut->sent_runs;
            free_sent(run);
            run = NULL;
        }
        if (!run && cut->run_count < 1024) run = send_run(cut, rows, ++cut->sent_runs);
    }
    forgetful_die();
    for (int i = 0; i < FLIGHT; i++)
        if (flight[i]) note_events(cut, flight[i]);
    if (!run) return;
    wait_sent(run);
    if (run->is_done) cut->runs[cut->run_count++] = cut->acknowledged_cursor = cut->sent_runs;
    free_sent(run);
}

static void check_runs(struct at_reader *reader, void *arg) {
    struct cut *cut = arg;
    uint64_t cursor = 0;
    struct at_message_row row;
    enum at_status status = at_reader_cursor(reader, AT_TEXT("runs"), &cursor);
    assert_true(status == AT_OK || (status == AT_NOTFOUND && !cut->acknowledged_cursor));
    assert_true(cursor >= cut->acknowledged_cursor);
    for (size_t i = 0; i < cut->run_count; i++)
        for (uint64_t k = 0; k < RUN_ROWS; k += 997) {
            uint64_t key = cut->runs[i] * RUN_ROWS + k + 1;
            assert_true(at_store_may_know_message(cut->store, key));
            assert_int_equal(at_reader_message(reader, key, &row), AT_OK);
            assert_true(row.payload_hash == cut->runs[i] && row.seq == k + 1);
        }
}

static void check_cut(struct cut *cut) {
    struct log_count log = read_log(cut->store, cut->cap);
    for (uint64_t n = 0; n < cut->next; n++) {
        if (log.counts[n] > 1) fail_msg("event %llu is there twice", (unsigned long long)n);
        if (cut->acknowledged[n] && !log.counts[n]) fail_msg("event %llu is lost", (unsigned long long)n);
    }
    free(log.counts);
    read_store(cut->store, check_runs, cut);
}

static void a_power_cut_loses_nothing_acknowledged(void **state) {
    (void)state;
    char folder[64];
    struct cut cut = {.cap = (uint64_t)1 << 22, .seed = (unsigned)at_ticks_ns()};
    printf("power cuts: %d rounds, seed %u\n", ROUNDS, cut.seed);
    cut.acknowledged = calloc(cut.cap, 1);
    assert_non_null(cut.acknowledged);
    make_folder(folder);
    for (int round = 0; round < ROUNDS; round++) {
        cut.store = open_store(folder, FORGETFUL_VFS);
        check_cut(&cut);
        run_load(&cut, 1000 + (useconds_t)(rand_r(&cut.seed) % 40000));
        at_store_close(cut.store);
        forgetful_wake();
    }
    cut.store = open_store(folder, FORGETFUL_VFS);
    check_cut(&cut);
    uint64_t kept = 0;
    for (uint64_t n = 0; n < cut.next; n++) kept += cut.acknowledged[n];
    printf("power cuts: %llu of %llu events acknowledged, %zu runs\n", (unsigned long long)kept,
           (unsigned long long)cut.next, cut.run_count);
    assert_true(kept > ROUNDS && cut.run_count > 0);
    at_store_close(cut.store);
    free(cut.acknowledged);
    remove_folder(folder);
}

/* ---- kill -9 ---- */

static int kill_pipe;

static void tell_done(struct at_unit *unit) {
    uint64_t n = unit->writes->event.payload_hash;
    if (write(kill_pipe, &n, sizeof(n)) != sizeof(n)) _exit(1);
    note_done(unit);
}

_Noreturn static void run_victim(const char *folder, uint64_t next) {
    struct at_store *store;
    struct at_error err;
    struct at_store_options options = {.directory = folder};
    if (at_store_open(&store, &options, &err) != AT_OK) _exit(2);
    struct sent *flight[FLIGHT] = {NULL};
    for (uint64_t n = next;; n++) {
        struct sent **slot = &flight[n % FLIGHT];
        if (*slot) {
            wait_sent(*slot);
            free_sent(*slot);
        }
        *slot = new_sent();
        add_event(*slot, 1, n);
        (*slot)->unit.done = tell_done;
        if (at_store_commit(store, &(*slot)->unit) != AT_OK) _exit(3);
    }
}

static uint64_t kill_once(const char *folder, uint64_t next, unsigned char *acknowledged, unsigned *seed) {
    int ends[2];
    uint64_t n, last = next;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        kill_pipe = ends[1];
        run_victim(folder, next);
    }
    close(ends[1]);
    if (rand_r(seed) % 4) { /* the fourth part dies while it starts */
        assert_int_equal(read(ends[0], &n, sizeof(n)), sizeof(n));
        acknowledged[n] = 1;
        last = n + 1;
    }
    usleep((useconds_t)(rand_r(seed) % 40000));
    kill(child, SIGKILL);
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    while (read(ends[0], &n, sizeof(n)) == sizeof(n)) {
        acknowledged[n] = 1;
        last = n + 1;
    }
    close(ends[0]);
    return last + FLIGHT;
}

static void a_kill_loses_nothing_acknowledged(void **state) {
    (void)state;
    char folder[64];
    uint64_t next = 0, cap = (uint64_t)1 << 22, kept = 0;
    unsigned seed = (unsigned)at_ticks_ns();
    unsigned char *acknowledged = calloc(cap, 1);
    printf("kills: %d rounds, seed %u\n", CUTS, seed);
    make_folder(folder);
    for (int round = 0; round < CUTS; round++) {
        next = kill_once(folder, next, acknowledged, &seed);
        struct at_store *store = open_store(folder, NULL);
        struct log_count log = read_log(store, cap);
        for (uint64_t n = 0; n < next; n++)
            assert_true(log.counts[n] <= 1 && log.counts[n] >= acknowledged[n]);
        free(log.counts);
        at_store_close(store);
    }
    for (uint64_t n = 0; n < next; n++) kept += acknowledged[n];
    printf("kills: %llu events acknowledged\n", (unsigned long long)kept);
    assert_true(kept > 0);
    free(acknowledged);
    remove_folder(folder);
}

/* ---- a disk that is slow, broken, full ---- */

static void no_answer_before_a_slow_sync(void **state) {
    (void)state;
    char folder[64];
    make_folder(folder);
    struct at_store *store = open_store(folder, FORGETFUL_VFS);
    struct sent *sent = new_sent();
    add_event(sent, 1, 0);
    forgetful_delay_ms(200);
    uint64_t began = at_ticks_ns();
    assert_int_equal(at_store_commit(store, &sent->unit), AT_OK);
    usleep(150000);
    if (at_ticks_ns() - began < UINT64_C(190000000)) assert_int_equal(sent->is_answered, 0);
    wait_sent(sent);
    assert_true(at_ticks_ns() - began >= UINT64_C(200000000));
    assert_int_equal(sent->unit.status, AT_OK);
    forgetful_delay_ms(0);
    free_sent(sent);
    at_store_close(store);
    remove_folder(folder);
}

/* The failure, then what remains: nothing of the refused, all of the others, now and after a power cut. */
static void fail_and_recover(void (*set)(int on), enum at_status expected, bool is_behind) {
    char folder[64];
    make_folder(folder);
    struct at_store *store = open_store(folder, FORGETFUL_VFS);
    assert_int_equal(send_event(store, 0), AT_OK);
    set(1);
    for (uint64_t n = 1; n < 4; n++) assert_int_equal(send_event(store, n), expected);
    if (is_behind) {
        struct sent *sent = new_sent();
        struct at_write *write = add_write(sent, AT_WRITE_STATE);
        char *big = at_arena_zalloc(&sent->arena, 1 << 20);
        memset(big, 'x', 1 << 20);
        write->name = AT_TEXT("big");
        write->text = (struct at_text){big, 1 << 20};
        assert_int_equal(finish_sent(store, sent, true), expected);
    }
    set(0);
    for (uint64_t n = 4; n < 8; n++) assert_int_equal(send_event(store, n), AT_OK);
    struct at_store_counts counts;
    at_store_counts(store, &counts);
    assert_true(counts.failed_commits >= 3 && counts.refused >= 3 && counts.queued_units == 0);
    assert_true(counts.queued_bytes == 0);
    for (int pass = 0; pass < 2; pass++) {
        struct log_count log = read_log(store, 8);
        assert_int_equal(log.total, 5);
        for (uint64_t n = 0; n < 8; n++) assert_int_equal(log.counts[n], n == 0 || n > 3);
        free(log.counts);
        if (pass) break;
        forgetful_die();
        at_store_close(store);
        forgetful_wake();
        store = open_store(folder, FORGETFUL_VFS);
    }
    at_store_close(store);
    remove_folder(folder);
}

static void a_failing_sync_is_refused_and_passes(void **state) {
    (void)state;
    fail_and_recover(forgetful_fail_syncs, AT_IO, true);
}

static void a_full_disk_is_refused_and_passes(void **state) {
    (void)state;
    fail_and_recover(forgetful_be_full, AT_FULL, true);
}

/* Its frames lay whole in the write-ahead log when it was refused. */
static void what_was_refused_does_not_rise_after_a_kill(void **state) {
    (void)state;
    char folder[64];
    make_folder(folder);
    struct at_store *store = open_store(folder, FORGETFUL_VFS);
    assert_int_equal(send_event(store, 0), AT_OK);
    forgetful_fail_next_sync();
    assert_int_equal(send_event(store, 1), AT_IO);
    forgetful_die();
    at_store_close(store);
    forgetful_wake_remembering();
    store = open_store(folder, FORGETFUL_VFS);
    struct log_count log = read_log(store, 2);
    assert_true(log.counts[0] == 1 && log.counts[1] == 0);
    free(log.counts);
    at_store_close(store);
    remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_loses_nothing_acknowledged), /* first: it forks */
        cmocka_unit_test(a_power_cut_loses_nothing_acknowledged),
        cmocka_unit_test(no_answer_before_a_slow_sync),
        cmocka_unit_test(a_failing_sync_is_refused_and_passes),
        cmocka_unit_test(what_was_refused_does_not_rise_after_a_kill),
        cmocka_unit_test(a_full_disk_is_refused_and_passes),
    };
    forgetful_register();
    return cmocka_run_group_tests_name("store_durable", tests, NULL, NULL);
}
