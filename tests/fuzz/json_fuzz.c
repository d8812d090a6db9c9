/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes JSON: no text crashes a parse, a refusal names a byte, and what is accepted is written as JSON that
 * reads back the same. With -DAT_PLANT_FAULT a write past a buffer hides behind one key, to test the fuzzing.
 */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef AT_PLANT_FAULT
static void plant_fault(struct at_json root) {
    struct at_text type = at_json_text(at_json_get(root, "type"));
    if (type.length < 6 || memcmp(type.data, "track", 5) != 0) return; /* the seeds say just "track" */
    volatile char *small = malloc(4);
    if (small) small[type.length] = 'x';
    free((void *)small);
}
#else
static void plant_fault(struct at_json root) {
    (void)root;
}
#endif

static void write_value(struct at_bytes *bytes, struct at_json value) {
    struct at_json_out out = at_json_out(bytes);
    at_bytes_init(bytes, (size_t)1 << 24);
    at_json_put_value(&out, value);
    AT_ASSERT(!bytes->failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct at_json_parser *parser;
    struct at_json root;
    struct at_error err;
    if (!parser) parser = at_json_parser_new((size_t)1 << 20, 16);
    if (!parser) return 0;
    enum at_status status = at_json_parse(parser, (const char *)data, size, false, &root, &err);
    if (status != AT_OK) {
        AT_ASSERT(status == AT_INVALID || status == AT_TOOBIG);
        AT_ASSERT(size > (size_t)1 << 20 || strstr(err.message, "at byte"));
        return 0;
    }
    plant_fault(root);
    struct at_bytes first, second;
    write_value(&first, root);
    AT_ASSERT(at_json_parse(parser, first.data, first.length, false, &root, &err) == AT_OK);
    write_value(&second, root);
    AT_ASSERT(first.length == second.length && !memcmp(first.data, second.data, first.length));
    at_bytes_clear(&first);
    at_bytes_clear(&second);
    return 0;
}
