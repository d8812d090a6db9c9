// SPDX-License-Identifier: Apache-2.0
//
// The only C++ of attune: simdjson's DOM parser behind a C door (json_simd.h), called by json.c and
// json_write.c. A parser owns its tape and string buffer and lends both until its next parse. Nothing here
// throws: simdjson answers with codes and allocates with nothrow.
//
// Doubles are written by std::to_chars: simdjson's own to_chars (Grisu2) reads back too, but for about one
// random double in 2,000 it is a digit longer than it need be.

#include "base/json_simd.h"

#include <charconv>
#include <new>
// clang's vptr check needs a C++ runtime that the C driver, which links attune, does not bring along.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("vptr"))), apply_to = function)
#endif
#include <simdjson.h>

struct at_simd {
    simdjson::dom::parser parser;
};

extern "C" at_simd *at_simd_new(void) {
    return new (std::nothrow) at_simd;
}

extern "C" void at_simd_free(at_simd *simd) {
    delete simd;
}

// By hand rather than by simdjson's ensure_capacity, which only grows and, after a failed allocation, forgets
// depth.
static simdjson::error_code fit_buffers(simdjson::dom::parser &parser, size_t capacity, size_t depth) {
    if (parser.doc.capacity() != capacity) {
        simdjson::error_code code = parser.doc.allocate(capacity);
        if (code) return code;
    }
    if (parser.capacity() != capacity || parser.max_depth() != depth) return parser.allocate(capacity, depth);
    return simdjson::SUCCESS;
}

extern "C" at_simd_result at_simd_parse(at_simd *simd, const char *text, size_t length, size_t capacity,
                                        size_t depth, const uint64_t **tape, const uint8_t **strings,
                                        const char **why) {
    simdjson::dom::parser &parser = simd->parser;
    simdjson::error_code code = fit_buffers(parser, capacity, depth);
    if (!code) code = parser.parse_into_document(parser.doc, text, length, false).error();
    *tape = parser.doc.tape.get();
    *strings = parser.doc.string_buf.get();
    if (!code) return AT_SIMD_OK;
    *why = simdjson::error_message(code);
    if (code == simdjson::MEMALLOC) return AT_SIMD_NOMEM;
    return code == simdjson::DEPTH_ERROR ? AT_SIMD_DEPTH : AT_SIMD_WRONG;
}

extern "C" uint64_t *at_simd_buffers(at_simd *simd, size_t capacity, size_t depth, uint8_t **strings) {
    if (fit_buffers(simd->parser, capacity, depth)) return nullptr;
    *strings = simd->parser.doc.string_buf.get();
    return simd->parser.doc.tape.get();
}

extern "C" size_t at_simd_number(double value, char out[AT_SIMD_NUMBER_SIZE]) {
    char *end = out + AT_SIMD_NUMBER_SIZE;
    // without an exponent, a large one would be all digits: an integer beyond 64 bits, which no parse takes
    // back
    bool is_large = value >= 0x1p63 || value <= -0x1p63;
    std::to_chars_result result = is_large ? std::to_chars(out, end, value, std::chars_format::scientific)
                                           : std::to_chars(out, end, value);
    return static_cast<size_t>(result.ptr - out);
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
