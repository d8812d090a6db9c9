/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of JSON, for json*.c and json.cc only: the door to simdjson, the quick pass before it, and the
 * slow pass that says where a text is wrong (simdjson says only that it is).
 */
#ifndef AT_BASE_JSON_SIMD_H
#define AT_BASE_JSON_SIMD_H

#ifdef __cplusplus
extern "C" {
#else
#include <stdbool.h>
#endif
#include <stddef.h>
#include <stdint.h>

struct at_simd;
enum at_simd_result { AT_SIMD_OK, AT_SIMD_NOMEM, AT_SIMD_DEPTH, AT_SIMD_WRONG };

struct at_simd *at_simd_new(void); /* NULL: out of memory */
void at_simd_free(struct at_simd *simd);
/* capacity >= length is what the buffers are made for: they are replaced only when it changes, or depth does.
 * text has AT_JSON_PADDING readable bytes behind it. *why (a constant) is simdjson's word when not
 * AT_SIMD_OK. */
enum at_simd_result at_simd_parse(struct at_simd *simd, const char *text, size_t length, size_t capacity,
                                  size_t depth, const uint64_t **tape, const uint8_t **strings,
                                  const char **why);
/* Its buffers, made for that. NULL: out of memory. */
uint64_t *at_simd_buffers(struct at_simd *simd, size_t capacity, size_t depth, uint8_t **strings);
#define AT_SIMD_NUMBER_SIZE 32
/* The shortest decimal that reads back as this finite double; returns its length, no NUL. */
size_t at_simd_number(double value, char out[AT_SIMD_NUMBER_SIZE]);

#ifndef __cplusplus
/* Fills simdjson's buffers as simdjson does. False: it cannot be read this way, what they hold says nothing.
 */
bool at_json_quick(const char *text, size_t length, size_t depth_max, uint64_t *tape, uint8_t *strings);

struct at_json_fault {
    size_t offset;
    const char *what; /* a constant */
    bool is_too_deep;
};
/* The first byte at which the text is no JSON; false: none found. kinds: max_depth / 8 + 1 bytes of work
 * space. */
bool at_json_find_fault(const char *text, size_t length, size_t max_depth, uint8_t *kinds,
                        struct at_json_fault *fault);
#else
}
#endif

#endif
