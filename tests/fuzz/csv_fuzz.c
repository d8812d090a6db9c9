/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes CSV: the first byte says how large the pieces are in which the rest is fed; whole and in pieces the
 * same records come out. With -DAT_PLANT_FAULT a write past a buffer hides behind a header, to test the
 * fuzzing.
 */
// Covers: runtime/base/csv.c
#include <stdlib.h>
#include <string.h>
#include "base/csv.h"
#include "base/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef AT_PLANT_FAULT
static void plant_fault(const struct at_text *fields, size_t count) {
    if (count < 2 || fields[1].length < 6 || memcmp(fields[1].data, "price", 5) != 0)
        return; /* seeds: sku,price */
    volatile char *small = malloc(4);
    if (small) small[fields[1].length] = 'x';
    free((void *)small);
}
#else
static void plant_fault(const struct at_text *fields, size_t count) {
    (void)fields, (void)count;
}
#endif

static uint64_t drain(struct at_csv *csv, uint64_t hash) {
    const struct at_text *fields;
    size_t count, line = 0;
    struct at_error err;
    for (enum at_status s; (s = at_csv_next(csv, &fields, &count, &line, &err)) != AT_NOTFOUND;) {
        AT_ASSERT(s == AT_OK || s == AT_INVALID || s == AT_TOOBIG);
        AT_ASSERT(s != AT_OK || (count >= 1 && count <= 8));
        hash = at_mix64(hash ^ line ^ (uint64_t)s << 32);
        for (size_t i = 0; i < count; i++) hash = at_hash64_seed(fields[i].data, fields[i].length, hash);
        if (s == AT_OK) plant_fault(fields, count);
    }
    return hash;
}

static uint64_t read_all(const char *text, size_t length, size_t piece) {
    struct at_csv *csv = at_csv_new(',', 64, 8);
    uint64_t hash = 0;
    if (!csv) abort();
    for (size_t at = 0, n; at < length || at == 0; at += n) {
        n = piece < length - at ? piece : length - at;
        AT_ASSERT(at_csv_feed(csv, text + at, n, at + n == length) == AT_OK);
        hash = drain(csv, hash);
        if (at + n == length) break;
    }
    at_csv_free(csv);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    const char *text = (const char *)data + 1;
    AT_ASSERT(read_all(text, size - 1, size) == read_all(text, size - 1, data[0] % 16 + 1U));
    return 0;
}
