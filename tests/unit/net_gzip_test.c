/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip bodies through the real server: what is inflated equals what was deflated; bombs and broken ones are
 * refused with their status.
 */
#include <zlib.h>
#include "net_world.h"

static struct world world;

static int start(void **state) {
    (void)state;
    world_start(&world, NULL);
    return 0;
}
static int stop(void **state) {
    (void)state;
    world_stop(&world);
    return 0;
}

static void deflate_text(struct at_bytes *out, const char *text, size_t length) {
    z_stream zip = {0};
    assert_int_equal(deflateInit2(&zip, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    size_t most = deflateBound(&zip, length) + 64;
    at_bytes_reset(out);
    assert_true(at_bytes_reserve(out, most));
    zip.next_in = (Bytef *)(uintptr_t)text;
    zip.avail_in = (uInt)length;
    zip.next_out = (Bytef *)out->data;
    zip.avail_out = (uInt)most;
    assert_int_equal(deflate(&zip, Z_FINISH), Z_STREAM_END);
    out->length = most - zip.avail_out;
    deflateEnd(&zip);
}

static struct heard post(const char *path, const char *coding, const struct at_bytes *body, size_t length) {
    struct at_bytes all;
    at_bytes_init(&all, SIZE_MAX);
    at_bytes_printf(
        &all, "POST %s HTTP/1.1\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
        path, coding, length);
    at_bytes_add(&all, body->data, length);
    struct heard heard = ask_raw(&world, all.data, all.length, 3000);
    at_bytes_clear(&all);
    return heard;
}

static void expect_status(const char *path, const char *coding, const struct at_bytes *body, size_t length,
                          int status) {
    struct heard heard = post(path, coding, body, length);
    if (heard.text.length < 12 || atoi(heard.text.data + 9) != status)
        fail_msg("%s %s %zu bytes: wanted %d, got %s", path, coding, length, status, heard.text.data);
    at_bytes_clear(&heard.text);
}

static void random_text(struct at_bytes *text, size_t length, uint64_t letters) {
    at_bytes_reset(text);
    for (size_t i = 0; i < length; i++) {
        char c = (char)('a' + next_random() % letters);
        at_bytes_add(text, &c, 1);
    }
    at_bytes_add(text, "", 0);
}

static void what_was_deflated_is_inflated(void **state) {
    enum { CASES = 1000 };
    struct at_bytes text, zipped;
    (void)state;
    seed_random(CASES);
    at_bytes_init(&text, SIZE_MAX);
    at_bytes_init(&zipped, SIZE_MAX);
    for (int i = 0; i < CASES; i++) {
        bool is_large = i % 50 == 0; /* of few letters: more than four times as large as it came */
        random_text(&text, next_random() % (is_large ? 400000 : 1200), is_large ? 2 : 3 + next_random() % 20);
        deflate_text(&zipped, text.data, text.length);
        struct heard heard = post("/echo", i % 2 ? "gzip" : "GZIP", &zipped, zipped.length);
        const char *body = strstr(heard.text.data, "body=");
        bool is_bomb = text.length > 20 * zipped.length;
        if (is_bomb)
            assert_non_null(strstr(heard.text.data, "HTTP/1.1 413 "));
        else if (!body || strcmp(body + 5, text.data) != 0)
            fail_msg("case %d: %zu bytes, got %.300s", i, text.length, heard.text.data);
        at_bytes_clear(&heard.text);
    }
    at_bytes_clear(&text);
    at_bytes_clear(&zipped);
}

static void bombs_are_413(void **state) {
    struct at_bytes text, zipped, twice;
    (void)state;
    at_bytes_init(&text, SIZE_MAX);
    at_bytes_init(&zipped, SIZE_MAX);
    at_bytes_init(&twice, SIZE_MAX);
    assert_true(at_bytes_reserve(&text, 100u << 20));
    memset(text.data, 'a', 100u << 20);
    deflate_text(&zipped, text.data, 100u << 20); /* 100 MiB in 100 KB */
    expect_status("/echo", "gzip", &zipped, zipped.length, 413);
    expect_status("/large", "gzip", &zipped, zipped.length, 413);
    deflate_text(&zipped, text.data, 3000); /* small, but more than 20 times */
    expect_status("/echo", "gzip", &zipped, zipped.length, 413);
    random_text(&text, 500 * 1024, 16);
    deflate_text(&zipped, text.data, text.length);
    expect_status("/echo", "gzip", &zipped, zipped.length, 200);
    random_text(&text, 500 * 1024 + 1, 16);
    deflate_text(&zipped, text.data, text.length);
    expect_status("/echo", "gzip", &zipped, zipped.length, 413);
    expect_status("/large", "gzip", &zipped, zipped.length, 200); /* takes 4 MiB */
    at_bytes_clear(&text), at_bytes_clear(&zipped), at_bytes_clear(&twice);
}

static void broken_gzip_is_400_and_other_codings_415(void **state) {
    struct at_bytes zipped;
    (void)state;
    const char *text =
        "{\"anonymousId\":\"v\",\"event\":\"Product Viewed\",\"properties\":{\"product_id\":\"A-1\"}}";
    at_bytes_init(&zipped, SIZE_MAX);
    deflate_text(&zipped, text, strlen(text));
    for (size_t n = 0; n < zipped.length; n += 5) expect_status("/echo", "gzip", &zipped, n, 400);
    expect_status("/echo", "gzip", &zipped, zipped.length, 200);
    expect_status("/echo", "identity", &zipped, zipped.length, 200);
    expect_status("/echo", "br", &zipped, zipped.length, 415);
    expect_status("/echo", "gzip, gzip", &zipped, zipped.length, 415);
    zipped.data[zipped.length - 6] ^= 1; /* its checksum */
    expect_status("/echo", "gzip", &zipped, zipped.length, 400);
    zipped.data[zipped.length - 6] ^= 1;
    at_bytes_add_text(&zipped, "more");
    expect_status("/echo", "gzip", &zipped, zipped.length, 400);
    at_bytes_reset(&zipped);
    at_bytes_add_text(&zipped, text);
    expect_status("/echo", "gzip", &zipped, zipped.length, 400);
    expect_status("/echo", "gzip", &zipped, 0, 400);
    at_bytes_clear(&zipped);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_deflated_is_inflated),
        cmocka_unit_test(bombs_are_413),
        cmocka_unit_test(broken_gzip_is_400_and_other_codings_415),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
