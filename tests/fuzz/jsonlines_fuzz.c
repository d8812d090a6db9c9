/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes product feeds and what becomes of them. The first byte chooses the kind of feed and the size of the
 * pieces it comes in; read whole or in pieces it must give the same rows. Each good row is put (or patched)
 * into a catalog; what is accepted must read back, and putting the accepted document again must change
 * nothing.
 */
// Covers: runtime/catalog/feed.c runtime/catalog/feed_csv.c
#include <stdio.h>
#include <stdlib.h>
#include "base/hash.h"
#include "catalog/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct at_json_parser *again;

static void require(bool claim) {
    if (!claim) abort();
}

static enum at_status stage_one(struct at_catalog *catalog, struct at_arena *arena,
                                struct at_change *change) {
    struct at_staging *staging;
    require(at_catalog_stage(catalog, arena, change, 1, &staging, NULL) == AT_OK);
    require(at_staging_publish(staging) == AT_OK);
    require(change->status == AT_OK || change->status == AT_DUPLICATE || change->error.message[0]);
    return change->status;
}

static void change_catalog(struct at_catalog *catalog, struct at_json document, bool is_patch) {
    struct at_arena arena;
    struct at_change change = {.kind = is_patch ? AT_CHANGE_PATCH : AT_CHANGE_PUT, .document = document};
    at_arena_init(&arena, 1 << 22);
    if (stage_one(catalog, &arena, &change) == AT_OK) {
        struct at_root *root = at_catalog_root(catalog);
        struct at_text body = at_root_body(root, change.row), id = at_root_id(root, change.row);
        require(at_text_equal(body, change.body) && at_root_is_live(root, change.row));
        require(at_root_row(root, id.data, id.length) == change.row);
        struct at_change same = {.kind = AT_CHANGE_PUT};
        require(at_json_parse(again, body.data, body.length, false, &same.document, NULL) == AT_OK);
        require(stage_one(catalog, &arena, &same) == AT_DUPLICATE);
        at_root_unref(root);
    }
    at_arena_clear(&arena);
}

/* A hash over all rows; with a catalog each good one goes into it. */
static uint64_t read_feed(enum at_feed_kind kind, const uint8_t *data, size_t size, size_t piece,
                          struct at_catalog *catalog) {
    struct at_feed *feed = at_feed_new(kind, NULL);
    uint64_t hash = 0, rows = 0;
    struct at_bytes text;
    at_bytes_init(&text, 1 << 24);
    require(feed != NULL);
    for (size_t from = 0; from < size || from == 0; from += piece) {
        size_t n = size - from < piece ? size - from : piece, line;
        struct at_json document;
        struct at_error err;
        require(at_feed_give(feed, (const char *)data + from, n, from + n >= size, &err) == AT_OK);
        for (enum at_status status; (status = at_feed_next(feed, &document, &line, &err)) != AT_NOTFOUND;
             rows++) {
            at_bytes_reset(&text);
            struct at_json_out out = at_json_out(&text);
            if (status == AT_OK) at_json_put_value(&out, document);
            hash = at_hash64_seed(text.data ? text.data : "", text.length,
                                  at_mix64(hash + line * 32 + (uint64_t)status));
            if (status == AT_OK && catalog) change_catalog(catalog, document, rows % 2 != 0);
            require(status == AT_OK || err.message[0]);
        }
    }
    at_bytes_clear(&text);
    at_feed_free(feed);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct at_catalog *catalog = NULL;
    if (size < 1) return 0;
    if (!again) again = at_json_parser_new(1 << 18, 80);
    enum at_feed_kind kind = (enum at_feed_kind)(data[0] % 3), told;
    struct at_text head = {(const char *)data + 1, size - 1};
    static const char *const names[] = {NULL, "a.jsonl", "a.JSON", "a.tsv", "a.xml"};
    for (size_t i = 0; i < AT_LENGTH(names); i++) {
        enum at_status status = at_feed_kind_of(names[i], head, &told, NULL);
        require(status == AT_UNSUPPORTED || (status == AT_OK && told <= AT_FEED_CSV));
    }
    size_t piece = 1 + data[0] / 3;
    require(again && at_catalog_new(&catalog, NULL, NULL) == AT_OK);
    uint64_t whole = read_feed(kind, data + 1, size - 1, size, catalog);
    require(whole == read_feed(kind, data + 1, size - 1, piece, NULL));
    at_catalog_free(catalog);
    return 0;
}
