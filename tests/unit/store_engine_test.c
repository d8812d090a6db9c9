/* SPDX-License-Identifier: Apache-2.0
 *
 * The commit thread's promises (one answer a unit, in order, all or nothing, stale refused before the next is
 * looked at), back-pressure, the lane behind, and every read function against what was written.
 */
#include "store_help.h"

#include "forgetful_vfs.c"

ONE_STORE(FORGETFUL_VFS)

/* ---- order and outcome ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static bool wait_at_gate(struct at_unit *unit) {
    (void)unit;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return true;
}
static bool say_stale(struct at_unit *unit) {
    (void)unit;
    return false;
}
/* Holds the commit thread, so that what is sent after it lands in one group. */
static struct sent *send_gate(void) {
    struct sent *sent = new_sent();
    sent->unit.is_current = wait_at_gate;
    pthread_mutex_lock(&gate);
    assert_int_equal(at_store_commit(store, &sent->unit), AT_OK);
    usleep(20000);
    return sent;
}
static void open_gate(struct sent *sent) {
    pthread_mutex_unlock(&gate);
    wait_sent(sent);
    free_sent(sent);
}

static void answers_come_in_queue_order(void **state) {
    (void)state;
    enum { COUNT = 200 };
    struct sent *sent[COUNT], *held = send_gate();
    uint64_t first = at_store_next_seq(store);
    for (uint64_t i = 0; i < COUNT; i++) {
        sent[i] = new_sent();
        add_event(sent[i], 1, i * 2);
        add_event(sent[i], 1, i * 2 + 1);
        if (i % 5 == 4) sent[i]->unit.is_current = say_stale;
        assert_int_equal(at_store_commit(store, &sent[i]->unit), AT_OK);
        assert_int_equal(sent[i]->unit.first_seq, first + 2 * i);
    }
    open_gate(held);
    at_store_drain(store);
    uint64_t last_done = 0, last_stale = 0;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(sent[i]->is_answered, 1);
        assert_int_equal(sent[i]->unit.status, i % 5 == 4 ? AT_STALE : AT_OK);
        uint64_t *last = sent[i]->is_done ? &last_done : &last_stale;
        assert_true(sent[i]->place > *last);
        *last = sent[i]->place;
    }
    assert_true(sent[COUNT - 1]->place < sent[0]->place); /* refused before the group was durable */
    struct log_count log = read_log(store, 2 * COUNT);
    for (uint64_t n = 0; n < 2 * COUNT; n++) assert_int_equal(log.counts[n], n / 2 % 5 != 4);
    assert_int_equal(log.last_seq, first + 2 * (COUNT - 2) + 1);
    free(log.counts);
    struct at_store_counts counts;
    at_store_counts(store, &counts);
    assert_int_equal(counts.durable_seq, at_store_next_seq(store) - 1);
    assert_true(counts.queued_units == 0 && counts.queued_bytes == 0 && counts.stale == COUNT / 5);
    for (int i = 0; i < COUNT; i++) free_sent(sent[i]);
}

static void a_failed_group_is_refused_whole(void **state) {
    (void)state;
    enum { COUNT = 50 };
    uint64_t last = 0;
    struct sent *sent[COUNT], *held = send_gate();
    for (uint64_t i = 0; i < COUNT; i++) {
        sent[i] = new_sent();
        add_event(sent[i], 1, i);
        assert_int_equal(at_store_commit(store, &sent[i]->unit), AT_OK);
    }
    forgetful_fail_syncs(1);
    open_gate(held); /* whatever became of it */
    at_store_drain(store);
    forgetful_fail_syncs(0);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(sent[i]->is_answered, 1);
        assert_int_equal(sent[i]->unit.status, AT_IO);
        assert_true(sent[i]->place > last);
        last = sent[i]->place;
        free_sent(sent[i]);
    }
    assert_int_equal(send_event(store, COUNT), AT_OK);
    struct log_count log = read_log(store, COUNT + 1);
    assert_int_equal(log.total, 1);
    free(log.counts);
}

/* ---- expectations, claims, identifiers ---- */

static enum at_status claim(const char *key, uint64_t person, bool expects, uint64_t event) {
    struct sent *sent = new_sent();
    struct at_claim what = {AT_TEXT("order"), text_in(sent, key), person, person + 100, -5};
    add_event(sent, 1, event);
    add_write(sent, AT_WRITE_CLAIM)->claim = what;
    if (expects) {
        struct at_expect *expect = at_unit_expect(&sent->unit, &sent->arena, AT_EXPECT_NO_CLAIM);
        assert_non_null(expect);
        expect->claim = what;
    }
    return finish_sent(store, sent, false);
}

static void read_claim(struct at_reader *reader, void *arg) {
    assert_int_equal(at_reader_claim(reader, AT_TEXT("order"), AT_TEXT("1001"), arg), AT_OK);
    struct at_claim none;
    assert_int_equal(at_reader_claim(reader, AT_TEXT("order"), AT_TEXT("nope"), &none), AT_NOTFOUND);
    assert_int_equal(at_reader_claim(reader, AT_TEXT("refund"), AT_TEXT("1001"), &none), AT_NOTFOUND);
}

static void a_claim_is_taken_once(void **state) {
    (void)state;
    struct at_claim found = {0};
    assert_int_equal(claim("1001", 7, true, 0), AT_OK);
    assert_int_equal(claim("1001", 8, true, 1), AT_STALE);
    assert_int_equal(claim("1001", 8, false, 2), AT_DUPLICATE); /* its event goes too */
    assert_int_equal(claim("1002", 8, true, 3), AT_OK);
    read_store(store, read_claim, &found);
    assert_true(found.person == 7 && found.source == 107 && found.at_ms == -5);
    struct log_count log = read_log(store, 4);
    assert_true(log.counts[0] == 1 && log.counts[1] == 0 && log.counts[2] == 0 && log.counts[3] == 1);
    free(log.counts);
}

static void one_claim_in_a_group_wins(void **state) {
    (void)state;
    struct sent *sent[10], *held = send_gate();
    for (uint64_t i = 0; i < 10; i++) {
        sent[i] = new_sent();
        add_event(sent[i], 1, i);
        add_write(sent[i], AT_WRITE_CLAIM)->claim =
            (struct at_claim){AT_TEXT("order"), AT_TEXT("1001"), i, 0, 0};
        at_unit_expect(&sent[i]->unit, &sent[i]->arena, AT_EXPECT_NO_CLAIM)->claim =
            sent[i]->unit.last_write->claim;
        assert_int_equal(at_store_commit(store, &sent[i]->unit), AT_OK);
    }
    open_gate(held);
    at_store_drain(store);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(sent[i]->unit.status, i ? AT_STALE : AT_OK);
        free_sent(sent[i]);
    }
}

static enum at_status name_person(const char *value, uint64_t id, uint64_t person, int64_t expected) {
    struct sent *sent = new_sent();
    struct at_identifier_row row = {id, AT_TEXT("email"), text_in(sent, value), person, 5};
    add_write(sent, AT_WRITE_IDENTIFIER)->identifier = row;
    if (expected >= 0) {
        struct at_expect *expect = at_unit_expect(&sent->unit, &sent->arena, AT_EXPECT_PERSON);
        expect->identifier = row;
        expect->identifier.person = (uint64_t)expected;
    }
    return finish_sent(store, sent, false);
}

static bool collect_identifier(void *arg, const struct at_identifier_row *row) {
    char *out = arg;
    sprintf(out + strlen(out), "%llu:%.*s=%.*s>%llu@%lld ", (unsigned long long)row->id,
            (int)row->kind.length, row->kind.data, (int)row->value.length, row->value.data,
            (unsigned long long)row->person, (long long)row->since_ms);
    return true;
}

static void read_identifiers(struct at_reader *reader, void *arg) {
    char all[512] = "", of[512] = "";
    struct at_arena arena;
    struct at_identifier_row row;
    (void)arg;
    at_arena_init(&arena, 1 << 16);
    assert_int_equal(at_reader_identifiers(reader, collect_identifier, all), AT_OK);
    assert_string_equal(all, "11:email=ann@example.com>2@5 12:email=bob@example.com>2@5 ");
    assert_int_equal(at_reader_identifiers_of(reader, 2, collect_identifier, of), AT_OK);
    assert_string_equal(of, all);
    of[0] = 0;
    assert_int_equal(at_reader_identifiers_of(reader, 1, collect_identifier, of), AT_OK);
    assert_string_equal(of, "");
    assert_int_equal(at_reader_identifier(reader, AT_TEXT("email"), AT_TEXT("ann@example.com"), &row, &arena),
                     AT_OK);
    assert_true(row.id == 11 && row.person == 2 && row.since_ms == 5 &&
                at_text_is(row.value, "ann@example.com"));
    assert_int_equal(at_reader_identifier(reader, AT_TEXT("phone"), AT_TEXT("ann@example.com"), &row, &arena),
                     AT_NOTFOUND);
    at_arena_clear(&arena);
}

static void identifiers_belong_to_whom_they_are_linked(void **state) {
    (void)state;
    assert_int_equal(name_person("ann@example.com", 11, 1, 0), AT_OK);
    assert_int_equal(name_person("ann@example.com", 11, 1, -1), AT_OK);    /* the same again: nothing */
    assert_int_equal(name_person("ann@example.com", 13, 3, -1), AT_STALE); /* somebody was first */
    assert_int_equal(name_person("ann@example.com", 11, 1, 0), AT_STALE);
    assert_int_equal(name_person("bob@example.com", 12, 2, 1), AT_STALE);
    assert_int_equal(name_person("bob@example.com", 12, 2, 0), AT_OK);
    struct sent *sent = new_sent();
    add_write(sent, AT_WRITE_MOVE)->identifier = (struct at_identifier_row){.id = 11, .person = 2};
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    assert_int_equal(name_person("ann@example.com", 11, 2, 2), AT_OK);
    read_store(store, read_identifiers, NULL);
}

/* ---- the ledger of links ---- */

static bool collect_link(void *arg, const struct at_link_row *row) {
    char *out = arg;
    sprintf(out + strlen(out), "%llu-%llu:%.*s/%.*s/%.*s@%lld ", (unsigned long long)row->a,
            (unsigned long long)row->b, (int)row->origin.length, row->origin.data,
            (int)row->message_id.length, row->message_id.data, (int)row->name.length, row->name.data,
            (long long)row->at_ms);
    return true;
}

static bool collect_unlink(void *arg, const struct at_unlink_row *row) {
    char *out = arg;
    sprintf(out + strlen(out), "%llu-%llu:%.*s@%lld ", (unsigned long long)row->a, (unsigned long long)row->b,
            (int)row->author.length, row->author.data, (long long)row->at_ms);
    return true;
}

static bool collect_merge(void *arg, const struct at_merge_row *row) {
    char *out = arg;
    sprintf(out + strlen(out), "%llu<%llu:%llu-%llu@%lld ", (unsigned long long)row->survivor,
            (unsigned long long)row->loser, (unsigned long long)row->a, (unsigned long long)row->b,
            (long long)row->at_ms);
    return true;
}

static void read_ledgers(struct at_reader *reader, void *arg) {
    char links[512] = "", of[512] = "", unlinks[512] = "", merges[512] = "";
    (void)arg;
    assert_int_equal(at_reader_links(reader, collect_link, links), AT_OK);
    assert_string_equal(links, "11-12:web/m-1/identified@5 12-13:web/m-2/aliased@6 ");
    assert_int_equal(at_reader_links_of(reader, 13, collect_link, of), AT_OK);
    assert_string_equal(of, "12-13:web/m-2/aliased@6 ");
    assert_int_equal(at_reader_unlinks(reader, collect_unlink, unlinks), AT_OK);
    assert_string_equal(unlinks, "11-12:office@7 ");
    assert_int_equal(at_reader_merges(reader, collect_merge, merges), AT_OK);
    assert_string_equal(merges, "1<9:11-12@8 ");
}

static void add_link(struct sent *sent, uint64_t a, uint64_t b, const char *message, const char *name) {
    add_write(sent, AT_WRITE_LINK)->link =
        (struct at_link_row){a, b, (int64_t)a - 6, AT_TEXT("web"), at_text_of(message), at_text_of(name)};
}

static void the_ledger_keeps_the_first_evidence(void **state) {
    (void)state;
    struct sent *sent = new_sent();
    add_link(sent, 11, 12, "m-1", "identified");
    add_link(sent, 12, 13, "m-2", "aliased");
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    sent = new_sent();
    add_link(sent, 11, 12, "m-3", "later");
    add_write(sent, AT_WRITE_UNLINK)->unlink = (struct at_unlink_row){11, 12, 7, AT_TEXT("office")};
    add_write(sent, AT_WRITE_UNLINK)->unlink = (struct at_unlink_row){11, 12, 8, AT_TEXT("again")};
    add_write(sent, AT_WRITE_MERGE)->merge = (struct at_merge_row){1, 9, 8, 11, 12};
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    read_store(store, read_ledgers, NULL);
}

/* ---- what waits ---- */

static enum at_status wait_for(uint64_t number, const char *key, const char *part, int64_t at_ms,
                               const char *body) {
    struct sent *sent = new_sent();
    add_write(sent, AT_WRITE_WAITING)->waiting = (struct at_waiting_row){
        number, AT_TEXT("refund"), text_in(sent, key), text_in(sent, part), at_ms, text_in(sent, body)};
    return finish_sent(store, sent, false);
}

static bool collect_waiting(void *arg, const struct at_waiting_row *row) {
    char *out = arg;
    sprintf(out + strlen(out), "%llu:%.*s/%.*s/%.*s@%lld=%.*s ", (unsigned long long)row->number,
            (int)row->kind.length, row->kind.data, (int)row->key.length, row->key.data, (int)row->part.length,
            row->part.data, (long long)row->at_ms, (int)row->body.length, row->body.data);
    return true;
}

static void read_waiting(struct at_reader *reader, void *arg) {
    char all[512] = "", some[512] = "", none[8] = "";
    assert_int_equal(at_reader_waiting(reader, collect_waiting, all), AT_OK);
    assert_string_equal(all, arg);
    assert_int_equal(at_reader_waiting_for(reader, AT_TEXT("refund"), AT_TEXT("1001"), collect_waiting, some),
                     AT_OK);
    assert_string_equal(some, "1:refund/1001/a@5={2} 3:refund/1001/b@7={3} ");
    assert_int_equal(at_reader_waiting_for(reader, AT_TEXT("stock"), AT_TEXT("1001"), collect_waiting, none),
                     AT_OK);
    assert_string_equal(none, "");
}

static void of_what_waits_the_later_stays_until_it_is_taken(void **state) {
    (void)state;
    assert_int_equal(wait_for(1, "1001", "a", 4, "{1}"), AT_OK);
    assert_int_equal(wait_for(2, "1001", "a", 5, "{2}"), AT_OK);
    assert_int_equal(wait_for(3, "1001", "b", 7, "{3}"), AT_OK);
    assert_int_equal(wait_for(4, "1001", "b", 6, "{4}"), AT_OK);
    assert_int_equal(wait_for(5, "1002", "a", 1, "{5}"), AT_OK);
    read_store(store, read_waiting,
               (char[]){"1:refund/1001/a@5={2} 3:refund/1001/b@7={3} 5:refund/1002/a@1={5} "});
    struct sent *sent = new_sent();
    add_write(sent, AT_WRITE_WAITING_GONE)->waiting.number = 5;
    add_write(sent, AT_WRITE_WAITING_GONE)->waiting.number = 99;
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    read_store(store, read_waiting, (char[]){"1:refund/1001/a@5={2} 3:refund/1001/b@7={3} "});
}

/* ---- stale at random ---- */

static void a_share_is_refused_as_stale(void **state) {
    (void)state;
    enum { COUNT = 2000 };
    int stale = 0;
    struct at_error err;
    struct at_store_options options = {.directory = folder, .stale_per_mille = 300, .stale_seed = 42};
    at_store_close(store);
    assert_int_equal(at_store_open(&store, &options, &err), AT_OK);
    struct sent *sent[COUNT];
    for (uint64_t i = 0; i < COUNT; i++) {
        sent[i] = new_sent();
        add_event(sent[i], 1, i);
        sent[i]->unit.is_retriable = i % 2;
        assert_int_equal(at_store_commit(store, &sent[i]->unit), AT_OK);
    }
    at_store_drain(store);
    for (int i = 0; i < COUNT; i++) {
        if (i % 2 == 0) assert_int_equal(sent[i]->unit.status, AT_OK);
        stale += sent[i]->unit.status == AT_STALE;
        free_sent(sent[i]);
    }
    assert_in_range(stale, 220, 380);
}

/* ---- back-pressure, ids ---- */

static void a_full_queue_is_busy_and_drains(void **state) {
    (void)state;
    struct at_ledger ledger;
    struct at_error err;
    enum { COUNT = 1000 };
    struct sent *sent[COUNT];
    at_ledger_init(&ledger, (size_t)16 << 20);
    struct at_store_options options = {.directory = folder, .ledger = &ledger};
    at_store_close(store);
    assert_int_equal(at_store_open(&store, &options, &err), AT_OK);
    struct sent *held = send_gate();
    int taken = 0;
    for (; taken < COUNT; taken++) {
        uint64_t seq = at_store_next_seq(store);
        sent[taken] = new_sent();
        add_event(sent[taken], 1, (uint64_t)taken);
        sent[taken]->unit.bytes = 10000;
        if (at_store_commit(store, &sent[taken]->unit) == AT_OK) continue;
        assert_int_equal(at_store_next_seq(store), seq); /* nothing was spent */
        free_sent(sent[taken]);
        break;
    }
    assert_in_range(taken, 10, COUNT - 1);
    open_gate(held);
    at_store_drain(store);
    for (int i = 0; i < taken; i++) {
        assert_int_equal(sent[i]->unit.status, AT_OK);
        free_sent(sent[i]);
    }
    assert_int_equal(at_account_used(&ledger.accounts[AT_ACCOUNT_QUEUES]), 0);
    held = new_sent();
    add_event(held, 1, COUNT);
    held->unit.bytes = (size_t)64 << 20; /* larger than all, but alone */
    assert_int_equal(finish_sent(store, held, false), AT_OK);
    at_store_close(store);
    for (int i = 0; i < AT_ACCOUNT_COUNT; i++) assert_int_equal(at_account_used(&ledger.accounts[i]), 0);
    store = open_store(folder, NULL);
}

static void ids_are_never_given_twice(void **state) {
    (void)state;
    uint64_t last = 0, last_seq = 0;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 1000; i++) {
            uint64_t id = at_store_next_id(store);
            assert_true(id > last);
            last = id;
        }
        assert_true(at_store_next_seq(store) > last_seq);
        last_seq = at_store_next_seq(store);
        assert_int_equal(send_event(store, (uint64_t)round), AT_OK);
        bool is_cut = round % 2;
        if (is_cut) forgetful_die();
        at_store_close(store);
        if (is_cut) forgetful_wake();
        store = open_store(folder, FORGETFUL_VFS);
    }
}

/* ---- the lane behind ---- */

static void front_units_pass_a_large_unit_behind(void **state) {
    (void)state;
    enum { ROWS = 400000 };
    struct at_message_row *rows = calloc(ROWS, sizeof(*rows));
    for (uint64_t i = 0; i < ROWS; i++) rows[i] = (struct at_message_row){i * 3 + 1, i, i};
    struct sent *large = new_sent();
    struct at_write *write = add_write(large, AT_WRITE_MESSAGES);
    write->messages.rows = rows;
    write->messages.count = ROWS;
    write->messages.sealed_ms = 1;
    assert_int_equal(at_store_commit_behind(store, &large->unit), AT_OK);
    int passed = 0;
    uint64_t worst_ns = 0, n = 0;
    while (!large->is_answered) {
        uint64_t began = at_ticks_ns();
        assert_int_equal(send_event(store, n++), AT_OK);
        uint64_t took = at_ticks_ns() - began;
        if (took > worst_ns) worst_ns = took;
        passed += !large->is_answered;
    }
    printf("%d front units passed, slowest %.1f ms\n", passed, (double)worst_ns / 1e6);
    assert_true(passed > 5);
    assert_int_equal(large->unit.status, AT_OK);
    for (uint64_t i = 0; i < ROWS; i++) assert_true(at_store_may_know_message(store, i * 3 + 1));
    int wrong = 0;
    for (uint64_t i = 0; i < ROWS; i++) wrong += at_store_may_know_message(store, i * 3 + 2);
    printf("filter: %.2f %% of %d absent keys ask the disk\n", 100.0 * wrong / ROWS, ROWS);
    assert_true(wrong < ROWS / 25);
    free(rows);
    free_sent(large);
}

static void a_front_unit_with_a_run_is_refused(void **state) {
    (void)state;
    struct at_message_row row = {1, 1, 1};
    struct sent *sent = new_sent();
    add_event(sent, 1, 0);
    struct at_write *write = add_write(sent, AT_WRITE_MESSAGES);
    write->messages.rows = &row;
    write->messages.count = 1;
    assert_int_equal(finish_sent(store, sent, false), AT_INVALID);
    struct log_count log = read_log(store, 1);
    assert_int_equal(log.total, 0);
    free(log.counts);
}

int main(void) {
#define FRESH(test) cmocka_unit_test_setup_teardown(test, open_fresh, close_fresh)
    const struct CMUnitTest tests[] = {
        FRESH(answers_come_in_queue_order),
        FRESH(a_failed_group_is_refused_whole),
        FRESH(a_claim_is_taken_once),
        FRESH(one_claim_in_a_group_wins),
        FRESH(identifiers_belong_to_whom_they_are_linked),
        FRESH(the_ledger_keeps_the_first_evidence),
        FRESH(of_what_waits_the_later_stays_until_it_is_taken),
        FRESH(a_share_is_refused_as_stale),
        FRESH(a_full_queue_is_busy_and_drains),
        FRESH(ids_are_never_given_twice),
        FRESH(front_units_pass_a_large_unit_behind),
        FRESH(a_front_unit_with_a_run_is_refused),
    };
    forgetful_register();
    return cmocka_run_group_tests_name("store_engine", tests, NULL, NULL);
}
