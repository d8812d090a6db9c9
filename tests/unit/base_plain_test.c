/* SPDX-License-Identifier: Apache-2.0
 *
 * The plain parts of base: maps against a reference, arena, bytes, ledger, UTF-8, hashes, log, statuses.
 */
#include "base_test.h"
#include "base_fail_malloc.h"
#include <fcntl.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/utf8.h"

/* ---- maps ---- */

enum { KEYS = 200, STEPS = 100000 };

static void test_map_is_its_model(void **state) {
    (void)state;
    struct at_map map;
    bool is_in[KEYS] = {false};
    uint64_t values[KEYS] = {0};
    size_t count = 0;
    at_map_init(&map);
    seed_random(STEPS);
    for (int i = 0; i < STEPS; i++) {
        uint64_t r = next_random();
        /* phases of growth and of emptying, so that clusters form and dissolve */
        size_t k = r % KEYS, phase = (size_t)i / 5000 % 2;
        char key[24];
        size_t length = k ? (size_t)snprintf(key, sizeof(key), "key%zu", k * k) : 0;
        bool is_new;
        uint64_t *value = at_map_get(&map, key, length);
        assert_int_equal(value != NULL, is_in[k]);
        if (value) assert_true(*value == values[k]);
        if (r >> 60 < (phase ? 5 : 11)) {
            value = at_map_put(&map, key, length, &is_new);
            assert_non_null(value);
            assert_int_equal(is_new, !is_in[k]);
            assert_true(*value == (is_in[k] ? values[k] : 0));
            count += !is_in[k];
            is_in[k] = true;
            *value = values[k] = r;
        } else {
            assert_int_equal(at_map_remove(&map, key, length), is_in[k]);
            count -= is_in[k];
            is_in[k] = false;
        }
        assert_int_equal(map.count, count);
    }
    size_t seen = 0;
    struct at_map_slot *slot;
    for (size_t i = 0; (slot = at_map_next(&map, &i));) {
        assert_int_equal(strlen(slot->key), slot->length);
        seen++;
    }
    assert_int_equal(seen, count);
    at_map_clear(&map);
    assert_null(at_map_get(&map, "a", 1));
}

static void test_intmap_is_its_model(void **state) {
    (void)state;
    struct at_intmap map;
    bool is_in[KEYS] = {false};
    uint64_t values[KEYS] = {0};
    size_t count = 0;
    at_intmap_init(&map);
    seed_random(STEPS);
    for (int i = 0; i < STEPS; i++) {
        uint64_t r = next_random();
        size_t k = r % KEYS, phase = (size_t)i / 5000 % 2;
        uint64_t key = k + 1 == KEYS ? UINT64_MAX : k * 64 + 1;
        bool is_new;
        uint64_t *value = at_intmap_get(&map, key);
        assert_int_equal(value != NULL, is_in[k]);
        if (value) assert_true(*value == values[k]);
        if (r >> 60 < (phase ? 5 : 11)) {
            value = at_intmap_put(&map, key, &is_new);
            assert_non_null(value);
            assert_int_equal(is_new, !is_in[k]);
            count += !is_in[k];
            is_in[k] = true;
            *value = values[k] = r;
        } else {
            assert_int_equal(at_intmap_remove(&map, key), is_in[k]);
            count -= is_in[k];
            is_in[k] = false;
        }
        assert_int_equal(map.count, count);
    }
    size_t seen = 0;
    for (size_t i = 0; at_intmap_next(&map, &i);) seen++;
    assert_int_equal(seen, count);
    at_intmap_clear(&map);
}

/* ---- arena and bytes ---- */

static void test_arena_pieces_do_not_overlap(void **state) {
    (void)state;
    enum { COUNT = 2000 };
    struct at_arena arena;
    static unsigned char *pieces[COUNT];
    static size_t sizes[COUNT];
    at_arena_init(&arena, (size_t)64 << 20);
    seed_random(COUNT);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            sizes[i] = next_random() % (i % 100 ? 300 : 100000);
            pieces[i] = at_arena_alloc(&arena, sizes[i]);
            assert_non_null(pieces[i]);
            assert_int_equal((uintptr_t)pieces[i] % 16, 0);
            memset(pieces[i], i & 255, sizes[i]);
        }
        for (int i = 0; i < COUNT; i++)
            for (size_t k = 0; k < sizes[i]; k++)
                if (pieces[i][k] != (i & 255)) fail_msg("piece %d was overwritten", i);
        at_arena_reset(&arena);
        assert_int_equal(arena.used_bytes, 0);
        assert_non_null(arena.head); /* a warm one keeps a block */
    }
    at_arena_clear(&arena);
}

static void test_arena_has_a_ceiling(void **state) {
    (void)state;
    struct at_arena arena;
    at_arena_init(&arena, 64);
    assert_null(at_arena_alloc(&arena, 65));
    assert_null(at_arena_alloc(&arena, SIZE_MAX));
    assert_string_equal(at_arena_printf(&arena, "%d-%s", 7, "ab"), "7-ab");
    assert_string_equal(at_arena_dup(&arena, "xyz", 2), "xy");
    char *zeros = at_arena_zalloc(&arena, 32);
    for (int i = 0; i < 32; i++) assert_int_equal(zeros[i], 0);
    assert_null(at_arena_alloc(&arena, 1));
    assert_null(at_arena_dup(&arena, "", SIZE_MAX));
    at_arena_reset(&arena);
    assert_non_null(at_arena_alloc(&arena, 64));
    at_arena_clear(&arena);
}

static void test_bytes_keep_what_fits(void **state) {
    (void)state;
    struct at_bytes bytes;
    size_t length;
    at_bytes_init(&bytes, 8);
    at_bytes_add(&bytes, "abcd", 4);
    at_bytes_printf(&bytes, "%d", 12345);
    assert_true(bytes.failed);
    assert_string_equal(bytes.data, "abcd");
    at_bytes_add_text(&bytes, "e");
    assert_string_equal(bytes.data, "abcd");
    assert_null(at_bytes_take(&bytes, &length));
    at_bytes_add_text(&bytes, "12345678");
    assert_false(bytes.failed);
    char *taken = at_bytes_take(&bytes, &length);
    assert_string_equal(taken, "12345678");
    assert_int_equal(length, 8);
    free(taken);
    taken = at_bytes_take(&bytes, NULL);
    assert_string_equal(taken, "");
    free(taken);
    assert_false(at_bytes_reserve(&bytes, SIZE_MAX));
    at_bytes_reset(&bytes);
    assert_false(bytes.failed);
    at_bytes_clear(&bytes);
    assert_true(at_text_is(at_text_of(NULL), NULL));
    assert_false(at_text_equal(AT_TEXT("ab"), AT_TEXT("ac")));
    assert_true(at_text_order(AT_TEXT("ab"), AT_TEXT("abc")) < 0 &&
                at_text_order(AT_TEXT("b"), AT_TEXT("abc")) > 0);
    assert_true(at_text_order(AT_TEXT("\xc3"), AT_TEXT("z")) > 0 &&
                at_text_order((struct at_text){NULL, 0}, AT_TEXT("")) == 0);
}

static void test_out_of_memory_changes_nothing(void **state) {
    (void)state;
    struct at_map map;
    struct at_intmap ints;
    struct at_arena arena;
    struct at_bytes bytes;
    at_map_init(&map);
    at_intmap_init(&ints);
    at_arena_init(&arena, 1000);
    at_bytes_init(&bytes, 1000);
    for (uint64_t i = 1; i <= 100; i++) { /* grows several times: each put fails first, then works */
        char key[24];
        size_t length = (size_t)snprintf(key, sizeof(key), "%d", (int)i), tries = 0;
        for (long left = 0; tries < 5; left++, tries++) {
            allocations_left = left;
            uint64_t *value = at_map_put(&map, key, length, NULL);
            allocations_left = -1;
            assert_int_equal(map.count, value ? i : i - 1);
            if (value) break;
        }
        assert_in_range(tries, 1, 2);
        allocations_left = 0;
        uint64_t *value = at_intmap_put(&ints, i, NULL);
        allocations_left = -1;
        if (!value) assert_non_null(at_intmap_put(&ints, i, NULL));
        assert_int_equal(ints.count, i);
    }
    allocations_left = 0;
    assert_null(at_arena_alloc(&arena, 8));
    assert_null(at_arena_printf(&arena, "x"));
    at_bytes_add(&bytes, "x", 1);
    allocations_left = -1;
    assert_true(bytes.failed && !bytes.length);
    assert_non_null(at_arena_alloc(&arena, 8));
    at_arena_clear(&arena);
    at_bytes_clear(&bytes);
    at_intmap_clear(&ints);
    at_map_clear(&map);
}

/* ---- ledger ---- */

static void test_ledger_holds_its_limits(void **state) {
    (void)state;
    struct at_ledger ledger;
    size_t sum = 0;
    at_ledger_init(&ledger, 0);
    assert_int_equal(ledger.limit, (size_t)1 << 30);
    for (size_t i = 0; i < AT_ACCOUNT_COUNT; i++) {
        assert_non_null(ledger.accounts[i].name);
        sum += ledger.accounts[i].limit;
    }
    assert_true(sum <= ledger.limit && sum > ledger.limit - 200);
    struct at_account *lua = &ledger.accounts[AT_ACCOUNT_LUA];
    assert_true(at_account_draw(lua, lua->limit));
    assert_false(at_account_draw(lua, 1));
    assert_true(at_account_draw(lua, 0));
    assert_false(at_account_draw(lua, SIZE_MAX));
    at_account_force(lua, 10);
    assert_true(at_account_over(lua));
    at_account_give(lua, lua->limit + 10);
    assert_int_equal(at_account_used(lua), 0);
}

static void test_sizes(void **state) {
    (void)state;
    static const char *const WRONG[] = {"",    "M",   "-1M",  "1T",  "1MB", "1.5",         "1..5G",
                                        "1.G", "inf", "0x10", "1e9", " 1",  "99999999999G"};
    size_t bytes = 0;
    assert_true(!at_size_parse("256M", &bytes) && bytes == 268435456);
    assert_true(!at_size_parse("1.5G", &bytes) && bytes == 1610612736);
    assert_true(!at_size_parse("4096K", &bytes) && bytes == 4194304);
    assert_true(!at_size_parse("1000000", &bytes) && bytes == 1000000);
    for (size_t i = 0; i < AT_LENGTH(WRONG); i++)
        if (!at_size_parse(WRONG[i], &bytes)) fail_msg("\"%s\" passed", WRONG[i]);
}

/* ---- UTF-8 and names ---- */

static size_t encode(uint32_t c, char out[4]) {
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) return out[0] = (char)(0xC0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
    out[c < 0x10000 ? 2 : 3] = (char)(0x80 | (c & 63));
    out[c < 0x10000 ? 1 : 2] = (char)(0x80 | (c >> 6 & 63));
    if (c < 0x10000) return out[0] = (char)(0xE0 | c >> 12), 3;
    return out[0] = (char)(0xF0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63)), 4;
}

static void test_every_character_is_judged(void **state) {
    (void)state;
    for (uint32_t c = 0; c < 0x120000; c++) {
        char text[16] = "0123456789";
        size_t n = encode(c, text + 7), bad = 99;
        bool is_good = c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
        if (at_utf8_valid(text, 7 + n, &bad) != is_good || bad != (is_good ? 99U : 7U)) fail_msg("U+%04X", c);
        if (n > 1 && at_utf8_valid(text, 7 + n - 1, &bad)) fail_msg("U+%04X cut", c);
    }
    assert_false(at_utf8_valid("\xC0\xAF", 2, NULL));
    assert_false(at_utf8_valid("\xE0\x80\xAF", 3, NULL));
    assert_false(at_utf8_valid("\xF0\x80\x80\xAF", 4, NULL));
    assert_false(at_utf8_valid("\x80", 1, NULL));
    assert_true(at_utf8_valid("", 0, NULL));
}

static void test_suggestions(void **state) {
    (void)state;
    static const char *const NAMES[] = {"price", "brand", "category", "id"};
    assert_string_equal(at_suggest("prise", NAMES, 4), "price");
    assert_string_equal(at_suggest("Prcie", NAMES, 4), "price");
    assert_string_equal(at_suggest("catgeory", NAMES, 4), "category");
    assert_null(at_suggest("weight", NAMES, 4));
    assert_null(at_suggest("xy", NAMES, 4));
    assert_int_equal(at_edit_distance("ca", 2, "ac", 2, 5), 1);
    assert_int_equal(at_edit_distance("kitten", 6, "sitting", 7, 5), 3);
    assert_int_equal(at_edit_distance("kitten", 6, "sitting", 7, 2), 3);
    assert_int_equal(at_edit_distance("", 0, "abc", 3, 5), 3);
}

/* ---- hashes ---- */

static void expect_hex(const uint8_t *data, size_t length, const char *wanted) {
    char text[2 * AT_SHA256_SIZE + 1];
    at_hex(data, length, text);
    assert_string_equal(text, wanted);
}

static void test_known_vectors(void **state) {
    (void)state;
    uint8_t out[AT_SHA256_SIZE];
    assert_true(at_hash64("", 0) == 0x2D06800538D394C2U); /* XXH3's own sanity values */
    assert_true(at_hash64("abc", 3) == at_hash64_seed("abc", 3, 0));
    assert_true(at_hash64_seed("abc", 3, 1) != at_hash64("abc", 3));
    assert_true(at_mix64(0x9E3779B97F4A7C15U) ==
                0xE220A8397B1DCDAFU); /* splitmix64's first number of seed 0 */
    at_sha256("abc", 3, out);
    expect_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    at_sha256("", 0, out);
    expect_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    at_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out); /* RFC 4231, case 2 */
    expect_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_true(at_equal_secret("abc", 3, "abc", 3));
    assert_false(at_equal_secret("abc", 3, "abd", 3));
    assert_false(at_equal_secret("abc", 3, "ab", 2));
    assert_true(at_equal_secret("", 0, "", 0));
}

static void test_base64(void **state) {
    (void)state;
    static const char *const WRONG[] = {
        "Zg", "Zg=", "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Zm 9", "Zm9_", "===="};
    uint8_t out[16];
    assert_int_equal(at_base64_decode("", 0, out), 0);
    assert_int_equal(at_base64_decode("Zg==", 4, out), 1);
    assert_int_equal(at_base64_decode("Zm8=", 4, out), 2);
    assert_int_equal(at_base64_decode("Zm9vYmFy", 8, out), 6);
    assert_memory_equal(out, "foobar", 6);
    for (size_t i = 0; i < AT_LENGTH(WRONG); i++)
        if (at_base64_decode(WRONG[i], strlen(WRONG[i]), out) != -1) fail_msg("%s passed", WRONG[i]);
}

static void test_ulids_sort_by_time(void **state) {
    (void)state;
    char a[AT_ULID_SIZE], b[AT_ULID_SIZE], c[AT_ULID_SIZE];
    at_ulid(1469918176385, a);
    at_ulid(1469918176386, b);
    at_ulid(1469918176385, c);
    assert_memory_equal(a, "01ARYZ6S41", 10); /* the example of the ULID specification */
    assert_int_equal(strlen(a), 26);
    assert_true(strcmp(a, b) < 0);
    assert_string_not_equal(a, c);
}

/* ---- log and status ---- */

static void keep_line(void *arg, enum at_log_level level, const char *line) {
    (void)level;
    snprintf(arg, 4096, "%s", line);
}

static void test_log_lines(void **state) {
    (void)state;
    int ends[2];
    char hooked[4096] = "", written[4096];
    assert_int_equal(pipe(ends), 0);
    struct at_log log = {.fd = ends[1], .hook = keep_line, .hook_arg = hooked};
    at_log(&log, AT_LOG_INFO, "reload", "line\nbreak \x01 \xC3\xA4 \xFF %d", 7);
    ssize_t n = read(ends[0], written, sizeof(written) - 1);
    assert_true(n > 0);
    written[n] = '\0';
    assert_string_equal(written + 23, "Z info  reload: line\\nbreak \\x01 \xC3\xA4 \xEF\xBF\xBD 7\n");
    assert_memory_equal(hooked, written, (size_t)n - 1);
    log.is_json = true;
    at_log(&log, AT_LOG_ERROR, "net", "a \"quote\"\\\n");
    n = read(ends[0], written, sizeof(written) - 1);
    written[n] = '\0';
    assert_string_equal(strchr(written, ','),
                        ",\"level\":\"error\",\"room\":\"net\",\"message\":\"a \\\"quote\\\"\\\\\\n\"}\n");
    char longest[3000];
    memset(longest, '"', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    at_log(&log, AT_LOG_WARN, "net", "%s", longest);
    n = read(ends[0], written, sizeof(written) - 1);
    assert_true(n <= 2001 && !memcmp(written + n - 4, "\"\"}\n", 4));
    close(ends[0]);
    close(ends[1]);
}

static void test_errors_are_cut_between_characters(void **state) {
    (void)state;
    struct at_error err;
    char text[600];
    memset(text, 'x', sizeof(text));
    strcpy(text + 509, "\xE2\x82\xAC!");
    assert_int_equal(at_fail(&err, AT_INVALID, NULL, "%s", text), AT_INVALID);
    assert_int_equal(strlen(err.message), 509);
    assert_string_equal(err.code, "invalid");
    assert_int_equal(at_fail_field(&err, AT_TOOBIG, "big", "body", "too big"), AT_TOOBIG);
    at_error_prefix(&err, "%s: ", err.field);
    assert_string_equal(err.message, "body: too big");
    assert_int_equal(at_fail(NULL, AT_IO, NULL, "x"), AT_IO);
    for (int i = AT_OK; i <= AT_FAILED; i++)
        assert_string_not_equal(at_status_word((enum at_status)i), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_is_its_model),
        cmocka_unit_test(test_intmap_is_its_model),
        cmocka_unit_test(test_arena_pieces_do_not_overlap),
        cmocka_unit_test(test_arena_has_a_ceiling),
        cmocka_unit_test(test_bytes_keep_what_fits),
        cmocka_unit_test(test_out_of_memory_changes_nothing),
        cmocka_unit_test(test_ledger_holds_its_limits),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_every_character_is_judged),
        cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_known_vectors),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_ulids_sort_by_time),
        cmocka_unit_test(test_log_lines),
        cmocka_unit_test(test_errors_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
