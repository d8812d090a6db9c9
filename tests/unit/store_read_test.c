/* SPDX-License-Identifier: Apache-2.0
 *
 * Every read function gives back what was written, across a restart too; deduplication against a model: runs
 * sealed, asked, expired at random, the filter never denying a key that is there.
 */
#include <sched.h>
#include "loop/thread.h"
#include "store_help.h"

ONE_STORE(NULL)

static struct at_text text_of(const char *text) {
    return at_text_of(text);
}

/* ---- one unit of everything that goes behind, one of everything in front ---- */

static void write_front(void) {
    struct sent *sent = new_sent();
    for (uint64_t i = 0; i < 3; i++) {
        struct at_product_row *row = &add_write(sent, AT_WRITE_PRODUCT)->product;
        *row = (struct at_product_row){(uint32_t)i, AT_TEXT("old"), 1, false, AT_TEXT("{}")};
        row = &add_write(sent, AT_WRITE_PRODUCT)->product;
        *row = (struct at_product_row){(uint32_t)i, AT_TEXT("mug"), 9, i == 2, AT_TEXT("{\"price\":5}")};
    }
    struct at_file_row *files = at_arena_zalloc(&sent->arena, 2 * sizeof(*files));
    files[0] = (struct at_file_row){AT_TEXT("shop.lua"), AT_TEXT("currency \"EUR\"")};
    files[1] = (struct at_file_row){AT_TEXT("a.lua"), AT_TEXT("same")};
    for (uint64_t id = 1; id <= 3; id++) {
        struct at_generation_row *row = &add_write(sent, AT_WRITE_GENERATION)->generation;
        *row = (struct at_generation_row){
            id,    100 + (int64_t)id, AT_TEXT("tree"), AT_TEXT("folder"), AT_TEXT("first"), AT_TEXT("ann"),
            files, id == 3 ? 2 : 1};
    }
    struct at_write *write = add_write(sent, AT_WRITE_SETTING);
    write->name = AT_TEXT("active_generation");
    write->text = AT_TEXT("2");
    write = add_write(sent, AT_WRITE_SETTING);
    write->name = AT_TEXT("active_generation");
    write->text = AT_TEXT("3");
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
}

static void put_profile(struct sent *sent, uint64_t person, uint64_t applied_seq, const char *body) {
    add_write(sent, AT_WRITE_PROFILE)->profile =
        (struct at_profile_row){person, applied_seq, text_of(body), 0};
}

static void put_decision(struct sent *sent, const char *id, int64_t at_ms, uint64_t person) {
    add_write(sent, AT_WRITE_DECISION)->decision =
        (struct at_decision_row){text_of(id), at_ms, person, AT_TEXT("{\"d\":1}")};
}

static void write_behind(void) {
    struct sent *sent = new_sent();
    put_profile(sent, 1, 10, "{\"n\":1}");
    put_profile(sent, 1, 12, "{\"n\":2}");
    put_profile(sent, 1, 11, "{\"late\":true}");
    put_profile(sent, 2, 5, "{}");
    add_write(sent, AT_WRITE_PROFILE_GONE)->profile.person = 2;
    struct at_write *write = add_write(sent, AT_WRITE_CURSOR);
    write->name = AT_TEXT("fold");
    write->number = 12;
    write = add_write(sent, AT_WRITE_STATE);
    write->name = AT_TEXT("popularity");
    write->text = AT_TEXT("{\"total\":3}");
    write = add_write(sent, AT_WRITE_PRODUCT_STAT);
    write->product.row = 2;
    write->text = AT_TEXT("{\"views\":7}");
    put_decision(sent, "01A", 10, 1);
    put_decision(sent, "01B", 20, 1);
    put_decision(sent, "01C", 30, 0);
    assert_int_equal(finish_sent(store, sent, true), AT_OK);
}

static bool add_text(void *arg, struct at_text text) {
    char *out = arg;
    sprintf(out + strlen(out), "%.*s ", (int)text.length, text.data);
    return true;
}
static bool add_product(void *arg, const struct at_product_row *row) {
    char *out = arg;
    sprintf(out + strlen(out), "%u%s@%lld", row->row, row->is_retired ? "gone" : "",
            (long long)row->updated_ms);
    return add_text(arg, row->id) && add_text(arg, row->body);
}
static bool add_stat(void *arg, uint32_t row, struct at_text body) {
    sprintf((char *)arg + strlen(arg), "%u", row);
    return add_text(arg, body);
}
static bool add_generation(void *arg, const struct at_generation_row *row) {
    sprintf((char *)arg + strlen(arg), "%llu:%zu:", (unsigned long long)row->id, row->file_count);
    return add_text(arg, row->source);
}
static bool add_decision(void *arg, const struct at_decision_row *row) {
    return add_text(arg, row->id);
}

static bool add_state(void *arg, struct at_text name, struct at_text text) {
    return add_text(arg, name) && add_text(arg, text);
}

static void read_people(struct at_reader *reader, struct at_arena *arena) {
    struct at_profile_row profile;
    struct at_text text;
    uint64_t seq;
    assert_int_equal(at_reader_profile(reader, 1, &profile, arena), AT_OK);
    assert_true(profile.person == 1 && profile.applied_seq == 12 && at_text_is(profile.body, "{\"n\":2}"));
    assert_int_equal(at_reader_profile(reader, 2, &profile, arena), AT_NOTFOUND);
    assert_int_equal(at_reader_cursor(reader, AT_TEXT("fold"), &seq), AT_OK);
    assert_int_equal(seq, 12);
    assert_int_equal(at_reader_cursor(reader, AT_TEXT("none"), &seq), AT_NOTFOUND);
    assert_int_equal(at_reader_state(reader, AT_TEXT("popularity"), &text, arena), AT_OK);
    assert_true(at_text_is(text, "{\"total\":3}"));
    assert_int_equal(at_reader_state(reader, AT_TEXT("none"), &text, arena), AT_NOTFOUND);
    char states[512] = "";
    assert_int_equal(at_reader_states(reader, AT_TEXT("pop"), add_state, states), AT_OK);
    assert_string_equal(states, "popularity {\"total\":3} ");
    assert_int_equal(at_reader_states(reader, AT_TEXT("popularity!"), add_state, states), AT_OK);
    assert_string_equal(states, "popularity {\"total\":3} ");
    assert_int_equal(at_reader_setting(reader, AT_TEXT("active_generation"), &text, arena), AT_OK);
    assert_true(at_text_is(text, "3"));
}

static void read_shop(struct at_reader *reader, struct at_arena *arena) {
    char out[512] = "";
    struct at_generation_row row;
    assert_int_equal(at_reader_products(reader, add_product, out), AT_OK);
    assert_string_equal(out, "0@9mug {\"price\":5} 1@9mug {\"price\":5} 2gone@9mug {\"price\":5} ");
    out[0] = 0;
    assert_int_equal(at_reader_product_stats(reader, add_stat, out), AT_OK);
    assert_string_equal(out, "2{\"views\":7} ");
    out[0] = 0;
    assert_int_equal(at_reader_generations(reader, 2, add_generation, out), AT_OK);
    assert_string_equal(out, "3:2:folder 2:1:folder ");
    assert_int_equal(at_reader_generation(reader, 0, true, &row, arena), AT_OK);
    assert_true(row.id == 3 && row.at_ms == 103 && row.file_count == 2 && at_text_is(row.author, "ann"));
    assert_true(at_text_is(row.files[0].path, "a.lua") && at_text_is(row.files[0].text, "same"));
    assert_true(at_text_is(row.files[1].path, "shop.lua") &&
                at_text_is(row.files[1].text, "currency \"EUR\""));
    assert_int_equal(at_reader_generation(reader, 1, true, &row, arena), AT_OK);
    assert_true(row.file_count == 1 && at_text_is(row.tree_hash, "tree") && at_text_is(row.message, "first"));
    assert_int_equal(at_reader_generation(reader, 9, true, &row, arena), AT_NOTFOUND);
}

static void read_decisions(struct at_reader *reader, struct at_arena *arena) {
    char out[512] = "";
    struct at_decision_row row;
    assert_int_equal(at_reader_decision(reader, AT_TEXT("01B"), &row, arena), AT_OK);
    assert_true(row.at_ms == 20 && row.person == 1 && at_text_is(row.id, "01B") &&
                at_text_is(row.body, "{\"d\":1}"));
    assert_int_equal(at_reader_decision(reader, AT_TEXT("01X"), &row, arena), AT_NOTFOUND);
    assert_int_equal(at_reader_decisions_of(reader, 1, 10, add_decision, out), AT_OK);
    assert_string_equal(out, "01B 01A ");
    out[0] = 0;
    assert_int_equal(at_reader_decisions_of(reader, 1, 1, add_decision, out), AT_OK);
    assert_string_equal(out, "01B ");
}

static void read_all(struct at_reader *reader, void *arg) {
    struct at_arena arena;
    (void)arg;
    at_arena_init(&arena, 1 << 20);
    read_people(reader, &arena);
    read_shop(reader, &arena);
    read_decisions(reader, &arena);
    at_arena_clear(&arena);
}

/* Every text is copied into the arena: one that is too small is out of memory, never half a row. */
static void read_without_room(struct at_reader *reader, void *arg) {
    struct at_arena arena;
    struct at_profile_row profile;
    struct at_generation_row row;
    struct at_decision_row decision;
    struct at_text text;
    (void)arg;
    at_arena_init(&arena, 0);
    assert_int_equal(at_reader_profile(reader, 1, &profile, &arena), AT_NOMEM);
    assert_int_equal(at_reader_setting(reader, AT_TEXT("active_generation"), &text, &arena), AT_NOMEM);
    assert_int_equal(at_reader_state(reader, AT_TEXT("popularity"), &text, &arena), AT_NOMEM);
    assert_int_equal(at_reader_generation(reader, 0, true, &row, &arena), AT_NOMEM);
    assert_int_equal(at_reader_decision(reader, AT_TEXT("01B"), &decision, &arena), AT_NOMEM);
    at_arena_clear(&arena);
}

static void what_was_written_is_read(void **state) {
    (void)state;
    write_front();
    write_behind();
    read_store(store, read_all, NULL);
    read_store(store, read_without_room, NULL);
    at_store_close(store);
    store = open_store(folder, NULL);
    read_store(store, read_all, NULL);
}

/* ---- expiry of decisions ---- */

static void read_expired(struct at_reader *reader, void *arg) {
    char out[512] = "";
    struct at_arena arena;
    struct at_decision_row row;
    (void)arg;
    at_arena_init(&arena, 1 << 16);
    assert_int_equal(at_reader_decision(reader, AT_TEXT("01A"), &row, &arena), AT_NOTFOUND);
    assert_int_equal(at_reader_decisions_of(reader, 1, 10, add_decision, out), AT_OK);
    assert_string_equal(out, "01B ");
    at_arena_clear(&arena);
}

static void old_decisions_go_at_once(void **state) {
    (void)state;
    write_behind();
    struct sent *sent = new_sent();
    add_write(sent, AT_WRITE_DECISIONS_EXPIRE)->number = 15;
    assert_int_equal(finish_sent(store, sent, true), AT_OK);
    read_store(store, read_expired, NULL);
    at_store_close(store);
    store = open_store(folder, NULL);
    read_store(store, read_expired, NULL);
}

/* ---- segments ---- */

static void put_member(struct sent *sent, enum at_write_kind kind, uint64_t person, const char *segment,
                       int64_t since_ms) {
    add_write(sent, kind)->member = (struct at_member_row){person, text_of(segment), since_ms};
}
static void put_due(struct sent *sent, uint64_t person, int64_t at_ms) {
    add_write(sent, AT_WRITE_DUE)->due = (struct at_due_row){person, at_ms};
}

static bool add_profile(void *arg, const struct at_profile_row *row) {
    sprintf((char *)arg + strlen(arg), "%llu@%llu", (unsigned long long)row->person,
            (unsigned long long)row->applied_seq);
    return add_text(arg, row->body);
}
static bool add_member(void *arg, const struct at_member_row *row) {
    sprintf((char *)arg + strlen(arg), "%llu@%lld", (unsigned long long)row->person,
            (long long)row->since_ms);
    return add_text(arg, row->segment);
}
static bool add_due(void *arg, const struct at_due_row *row) {
    sprintf((char *)arg + strlen(arg), "%llu@%lld ", (unsigned long long)row->person, (long long)row->at_ms);
    return true;
}
static bool add_count(void *arg, struct at_text segment, uint64_t count) {
    sprintf((char *)arg + strlen(arg), "%llu", (unsigned long long)count);
    return add_text(arg, segment);
}

static char read_out[1024];
#define ASSERT_READ(call, wanted)                                                                            \
    do {                                                                                                     \
        read_out[0] = 0;                                                                                     \
        assert_int_equal(call, AT_OK);                                                                       \
        assert_string_equal(read_out, wanted);                                                               \
    } while (0)

static void read_members(struct at_reader *reader, void *arg) {
    uint64_t count = 99;
    struct at_member_row newest = {.person = INT64_MAX, .since_ms = INT64_MAX};
    (void)arg;
    ASSERT_READ(at_reader_members(reader, 0, INT64_MAX, add_member, read_out),
                "1@10new 1@20vip 2@20vip 3@5vip 4@40vip ");
    ASSERT_READ(at_reader_members(reader, 1, 3, add_member, read_out), "2@20vip 3@5vip ");
    ASSERT_READ(at_reader_members_of(reader, AT_TEXT("vip"), &newest, 2, add_member, read_out),
                "4@40vip 2@20vip ");
    newest = (struct at_member_row){.person = 2, .since_ms = 20};
    ASSERT_READ(at_reader_members_of(reader, AT_TEXT("vip"), &newest, 9, add_member, read_out),
                "1@20vip 3@5vip ");
    ASSERT_READ(at_reader_member_counts(reader, add_count, read_out), "1new 4vip ");
    assert_int_equal(at_reader_member_since(reader, AT_TEXT("vip"), 20, &count), AT_OK);
    assert_int_equal(count, 3);
    assert_int_equal(at_reader_member_since(reader, AT_TEXT("none"), 0, &count), AT_OK);
    assert_int_equal(count, 0);
    ASSERT_READ(at_reader_dues(reader, 0, 2, add_due, read_out), "1@700 2@300 ");
    ASSERT_READ(at_reader_due(reader, 500, 9, add_due, read_out), "2@300 4@500 ");
    ASSERT_READ(at_reader_due(reader, INT64_MAX, 1, add_due, read_out), "2@300 ");
}

static void read_merged(struct at_reader *reader, void *arg) {
    (void)arg;
    ASSERT_READ(at_reader_members(reader, 0, INT64_MAX, add_member, read_out), "2@10new 2@5vip 4@40vip ");
    ASSERT_READ(at_reader_due(reader, INT64_MAX, 9, add_due, read_out), "2@300 4@500 ");
}

static void read_slices(struct at_reader *reader, void *arg) {
    uint64_t last;
    (void)arg;
    ASSERT_READ(at_reader_profiles(reader, 0, 2, add_profile, read_out), "1@1{} 5@2{\"a\":1} ");
    ASSERT_READ(at_reader_profiles(reader, 5, 2, add_profile, read_out), "7@3{} ");
    ASSERT_READ(at_reader_profiles(reader, 7, 2, add_profile, read_out), "");
    assert_int_equal(at_reader_profile_last(reader, &last), AT_OK);
    assert_int_equal(last, 7);
}

static void members_and_dues_are_read_as_they_were_written(void **state) {
    (void)state;
    struct sent *sent = new_sent();
    put_member(sent, AT_WRITE_MEMBER, 1, "vip", 20);
    put_member(sent, AT_WRITE_MEMBER, 1, "vip", 30); /* was in it already */
    put_member(sent, AT_WRITE_MEMBER, 1, "new", 10);
    put_member(sent, AT_WRITE_MEMBER, 2, "vip", 20);
    put_member(sent, AT_WRITE_MEMBER, 3, "vip", 5);
    put_member(sent, AT_WRITE_MEMBER, 4, "vip", 40);
    put_member(sent, AT_WRITE_MEMBER, 4, "new", 40);
    put_member(sent, AT_WRITE_MEMBER_GONE, 4, "new", 0);
    put_member(sent, AT_WRITE_MEMBER_GONE, 4, "never", 0);
    put_due(sent, 1, 900);
    put_due(sent, 1, 700);
    put_due(sent, 2, 300);
    put_due(sent, 3, 100);
    put_due(sent, 3, AT_DUE_NEVER);
    put_due(sent, 4, 500);
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    read_store(store, read_members, NULL);
    at_store_close(store);
    store = open_store(folder, NULL);
    read_store(store, read_members, NULL);
    sent = new_sent();
    for (uint64_t loser = 1; loser <= 3; loser += 2) {
        struct at_write *write = add_write(sent, AT_WRITE_MEMBERS_MERGE);
        write->member.person = 2;
        write->number = loser;
    }
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    read_store(store, read_merged, NULL);
    sent = new_sent();
    put_profile(sent, 7, 3, "{}");
    put_profile(sent, 1, 1, "{}");
    put_profile(sent, 5, 2, "{\"a\":1}");
    assert_int_equal(finish_sent(store, sent, true), AT_OK);
    read_store(store, read_slices, NULL);
}

/* ---- log and timeline ---- */

enum { LOG = 3000 };
struct seqs {
    uint64_t seqs[LOG];
    size_t count, stop_after;
};
static bool keep_seq(void *arg, const struct at_event_row *row) {
    struct seqs *seqs = arg;
    char id[32];
    uint64_t n = row->seq - 1;
    snprintf(id, sizeof(id), "m-%llu", (unsigned long long)n);
    assert_true(row->source == n % 3 + 1 && row->at_ms == 1000 + (int64_t)n &&
                row->received_ms == 2000 + (int64_t)n);
    assert_true(at_text_is(row->message_id, id) && at_text_is(row->origin, "default") &&
                row->payload_hash == n);
    assert_true(at_text_is(row->name, "product_viewed") && at_text_is(row->facts, "{}") &&
                row->message_key == at_mix64(n));
    assert_true(at_text_is(row->body, "{\"event\":\"Product Viewed\"}"));
    seqs->seqs[seqs->count++] = row->seq;
    return seqs->count != seqs->stop_after;
}

static void read_ranges(struct at_reader *reader, void *arg) {
    static struct seqs seqs;
    (void)arg;
    seqs.count = 0;
    assert_int_equal(at_reader_log(reader, 700, 2300, keep_seq, &seqs), AT_OK); /* over several slices */
    assert_true(seqs.count == 1600 && seqs.seqs[0] == 701 && seqs.seqs[1599] == 2300);
    seqs = (struct seqs){.stop_after = 5};
    assert_int_equal(at_reader_log(reader, 0, UINT64_MAX, keep_seq, &seqs), AT_OK);
    assert_int_equal(seqs.count, 5);
    seqs = (struct seqs){.count = 0};
    assert_int_equal(at_reader_events_of(reader, 2, UINT64_MAX, false, keep_seq, &seqs), AT_OK);
    assert_int_equal(seqs.count, LOG / 3);
    for (size_t i = 0; i < seqs.count; i++) assert_int_equal(seqs.seqs[i], i * 3 + 2);
    seqs = (struct seqs){.count = 0};
    assert_int_equal(at_reader_events_of(reader, 2, 2999, true, keep_seq, &seqs), AT_OK);
    assert_int_equal(seqs.count, LOG / 3 - 1);
    for (size_t i = 0; i < seqs.count; i++) assert_int_equal(seqs.seqs[i], LOG - 4 - i * 3);
    seqs = (struct seqs){.stop_after = 2};
    assert_int_equal(at_reader_events_of(reader, 3, UINT64_MAX, true, keep_seq, &seqs), AT_OK);
    assert_true(seqs.count == 2 && seqs.seqs[0] == 3000 && seqs.seqs[1] == 2997);
    seqs = (struct seqs){.count = 0};
    assert_int_equal(at_reader_events_of(reader, 9, UINT64_MAX, true, keep_seq, &seqs), AT_OK);
    assert_int_equal(seqs.count, 0);
}

static void log_and_timeline_are_read_in_slices(void **state) {
    (void)state;
    struct sent *sent = new_sent(), *behind = new_sent();
    for (uint64_t n = 0; n < LOG; n++) {
        add_event(sent, n % 3 + 1, n);
        for (int twice = 0; twice < 2; twice++) {
            struct at_write *write = add_write(behind, AT_WRITE_TIMELINE);
            write->pair.source = n % 3 + 1;
            write->pair.seq = n + 1;
        }
    }
    assert_int_equal(finish_sent(store, sent, false), AT_OK);
    assert_int_equal(finish_sent(store, behind, true), AT_OK);
    read_store(store, read_ranges, NULL);
}

/* ---- reader threads ---- */

struct async_read {
    struct at_read read;
    uint64_t seq;
    _Atomic int is_over;
};
static void run_async(struct at_read *read, struct at_reader *reader) {
    struct async_read *call = (struct async_read *)read;
    assert_int_equal(at_reader_cursor(reader, AT_TEXT("fold"), &call->seq), AT_OK);
    call->is_over = 1;
}
static void reader_threads_run_what_is_queued(void **state) {
    (void)state;
    enum { COUNT = 100 };
    static struct async_read calls[COUNT];
    write_behind();
    for (int i = 0; i < COUNT; i++) {
        calls[i] = (struct async_read){.read = {NULL, run_async}};
        if (i % 10)
            at_store_read(store, &calls[i].read);
        else
            at_store_read_slowly(store, &calls[i].read);
    }
    at_store_close(store); /* runs them all first */
    for (int i = 0; i < COUNT; i++) assert_true(calls[i].is_over && calls[i].seq == 12);
    store = open_store(folder, NULL);
}

struct slow_read {
    struct at_read read;
    struct at_latch *begun, *goes_on;
};
static void run_slow(struct at_read *read, struct at_reader *reader) {
    struct slow_read *call = (struct slow_read *)read;
    (void)reader;
    at_latch_open(call->begun);
    at_latch_wait(call->goes_on);
}
/* However many take long: the others are read meanwhile. */
static void a_slow_read_is_waited_for_by_nobody(void **state) {
    (void)state;
    struct at_latch begun, goes_on;
    struct slow_read slow[4];
    struct async_read quick[20];
    at_latch_init(&begun);
    at_latch_init(&goes_on);
    write_behind();
    for (int i = 0; i < 4; i++) {
        slow[i] = (struct slow_read){{NULL, run_slow}, &begun, &goes_on};
        at_store_read_slowly(store, &slow[i].read);
    }
    at_latch_wait(&begun);
    for (int i = 0; i < 20; i++) {
        quick[i] = (struct async_read){.read = {NULL, run_async}};
        at_store_read(store, &quick[i].read);
    }
    for (int i = 0; i < 20; i++)
        while (!quick[i].is_over) sched_yield();
    at_latch_open(&goes_on);
    at_store_close(store);
    at_latch_clear(&begun);
    at_latch_clear(&goes_on);
    store = open_store(folder, NULL);
}

/* ---- deduplication against a model ---- */

enum { KEYS = 600, CASES = 1200 };
struct model {
    uint64_t keys[KEYS];
    struct at_message_row rows[KEYS];
    int64_t sealed_ms[KEYS]; /* of the newest run that holds it, -1: none */
    int64_t now_ms;
    unsigned seed;
    size_t held, given;
};

static int by_key(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void seal_some(struct model *model) {
    static struct at_message_row rows[KEYS];
    size_t count = 0;
    unsigned share = 1 + (unsigned)rand_r(&model->seed) % 100;
    model->now_ms++;
    for (size_t i = 0; i < KEYS; i++) {
        if ((unsigned)rand_r(&model->seed) % 100 >= share) continue;
        model->rows[i] =
            (struct at_message_row){model->keys[i], (uint64_t)rand_r(&model->seed), (uint64_t)model->now_ms};
        model->sealed_ms[i] = model->now_ms;
        rows[count++] = model->rows[i];
    }
    struct sent *sent = new_sent();
    struct at_write *write = add_write(sent, AT_WRITE_MESSAGES);
    write->messages.rows = rows;
    write->messages.count = count;
    write->messages.sealed_ms = model->now_ms;
    int64_t before_ms = model->now_ms - 3 - rand_r(&model->seed) % 5;
    add_write(sent, AT_WRITE_MESSAGES_EXPIRE)->number = (uint64_t)(before_ms > 0 ? before_ms : 0);
    assert_int_equal(finish_sent(store, sent, true), AT_OK);
    for (size_t i = 0; i < KEYS; i++)
        if (model->sealed_ms[i] < before_ms) model->sealed_ms[i] = -1;
}

static bool check_given(void *arg, const struct at_message_row *row) {
    struct model *model = arg;
    uint64_t *key = bsearch(&row->key, model->keys, KEYS, sizeof(row->key), by_key);
    assert_non_null(key);
    model->given += model->rows[key - model->keys].seq == row->seq;
    return true;
}

static void check_model(struct at_reader *reader, void *arg) {
    struct model *model = arg;
    struct at_message_row row;
    model->held = model->given = 0;
    for (size_t i = 0; i < KEYS; i++) {
        enum at_status status = at_reader_message(reader, model->keys[i], &row);
        if (model->sealed_ms[i] < 0) {
            if (status != AT_NOTFOUND) fail_msg("key %zu is there after it expired", i);
            continue;
        }
        model->held++;
        assert_true(at_store_may_know_message(store, model->keys[i]));
        assert_int_equal(status, AT_OK);
        assert_memory_equal(&row, &model->rows[i], sizeof(row));
        assert_int_equal(at_reader_message(reader, model->keys[i] ^ 0x5555, &row), AT_NOTFOUND);
    }
    assert_int_equal(at_reader_messages(reader, INT64_MIN, check_given, model), AT_OK);
    assert_int_equal(model->given, model->held);
}

static void sealed_runs_hold_what_a_model_holds(void **state) {
    (void)state;
    static struct model model;
    model = (struct model){.seed = (unsigned)at_ticks_ns()};
    printf("property: sealed runs, seed %u, %d cases\n", model.seed, CASES);
    for (size_t i = 0; i < KEYS; i++) {
        model.keys[i] = (uint64_t)rand_r(&model.seed) << 40 ^ (uint64_t)rand_r(&model.seed) << 20 ^ i << 1;
        model.sealed_ms[i] = -1;
    }
    model.keys[0] = 0;
    model.keys[1] = UINT64_MAX;
    qsort(model.keys, KEYS, sizeof(model.keys[0]), by_key);
    for (int i = 0; i < CASES; i++) {
        seal_some(&model);
        read_store(store, check_model, &model);
        if (i % 100) continue;
        at_store_close(store);
        store = open_store(folder, NULL);
        read_store(store, check_model, &model);
    }
}

int main(void) {
#define FRESH(test) cmocka_unit_test_setup_teardown(test, open_fresh, close_fresh)
    const struct CMUnitTest tests[] = {
        FRESH(what_was_written_is_read),
        FRESH(old_decisions_go_at_once),
        FRESH(members_and_dues_are_read_as_they_were_written),
        FRESH(log_and_timeline_are_read_in_slices),
        FRESH(reader_threads_run_what_is_queued),
        FRESH(a_slow_read_is_waited_for_by_nobody),
        FRESH(sealed_runs_hold_what_a_model_holds),
    };
    return cmocka_run_group_tests_name("store_read", tests, NULL, NULL);
}
