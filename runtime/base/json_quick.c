/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON as it usually comes, read in one pass into the tape that simdjson would make of it, word for word: for
 * texts of a few kilobytes, most of them short strings, its two passes cost three times as much. Called by
 * json.c before simdjson, for objects and lists. It takes ASCII without escapes, and numbers that are exact
 * by plain arithmetic; at anything else, wrong or only rare, it gives up, and simdjson reads the whole.
 */
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include "base/json_simd.h"

#define DEPTH_MAX  64
#define COUNT_MAX  0xFFFFFFU
#define STEP       16 /* bytes of a string looked at together */
#define DIGITS_MAX 18 /* of a whole number: fits in 63 bits */
#define EXACT_DIGITS                                                                                         \
    15 /* of others: below 2^53, and the power of ten is exact, so one division rounds once */
#define WORD(tag, at) ((uint64_t)(tag) << 56 | (uint64_t)(at))

struct reading {
    const uint8_t *at, *end;
    uint64_t *word; /* of the tape, the next */
    uint8_t *string;
    uint64_t *tape;
    uint8_t *strings;
    uint32_t depth, depth_max;
    uint32_t opened[DEPTH_MAX], counts[DEPTH_MAX]; /* of the containers around */
};

/* Copies a step; a bit for each byte in it that is no plain part of a string: quotes, backslashes, controls,
 * and what is not ASCII. */
static inline uint32_t copy_step(const uint8_t *from, uint8_t *to) {
#if defined(__SSE2__)
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)from);
    _mm_storeu_si128((__m128i *)(void *)to, bytes);
    __m128i odd = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)); /* signed: from 0x80 on too */
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    odd = _mm_or_si128(odd, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    return (uint32_t)_mm_movemask_epi8(odd);
#else
    uint32_t odd = 0;
    for (uint32_t i = 0; i < STEP; i++) {
        uint8_t c = to[i] = from[i];
        odd |= (uint32_t)(c < 0x20 || c >= 0x80 || c == '"' || c == '\\') << i;
    }
    return odd;
#endif
}

static inline void skip_space(struct reading *reading) {
    const uint8_t *at = reading->at;
    while (at < reading->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    reading->at = at;
}

/* At its quote. */
static inline bool read_string(struct reading *reading) {
    const uint8_t *at = reading->at + 1;
    uint8_t *begin = reading->string + sizeof(uint32_t), *to = begin;
    uint32_t odd;
    while (!(odd = copy_step(at, to))) {
        at += STEP;
        to += STEP;
        if (at >= reading->end) return false;
    }
    at += __builtin_ctz(odd);
    to += __builtin_ctz(odd);
    if (*at != '"' || at >= reading->end) return false;
    uint32_t length = (uint32_t)(to - begin);
    memcpy(reading->string, &length, sizeof length);
    *to = 0;
    *reading->word++ = WORD('"', reading->string - reading->strings);
    reading->string = to + 1;
    reading->at = at + 1;
    return true;
}

static inline bool ends_value(uint8_t c) {
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const uint8_t *read_digits(const uint8_t *at, uint64_t *number) {
    for (uint32_t i = 0; i <= DIGITS_MAX && *at >= '0' && *at <= '9'; i++)
        *number = *number * 10 + (*at++ - '0');
    return at;
}

static bool read_number(struct reading *reading) {
    static const double POWERS[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    uint64_t number = 0;
    bool is_negative = *reading->at == '-';
    const uint8_t *begin = reading->at + is_negative, *whole_end = read_digits(begin, &number),
                  *end = whole_end;
    if (whole_end == begin || whole_end - begin > DIGITS_MAX || (*begin == '0' && whole_end - begin > 1))
        return false;
    if (*end == '.') end = read_digits(whole_end + 1, &number);
    if (!ends_value(*end) || (is_negative && !number)) return false;
    if (end == whole_end) {
        *reading->word++ = WORD('l', 0);
        *reading->word++ = is_negative ? 0 - number : number;
    } else {
        int64_t fraction = end - whole_end - 1;
        if (!fraction || whole_end - begin + fraction > EXACT_DIGITS) return false;
        double value = (double)number / POWERS[fraction];
        if (is_negative) value = -value;
        *reading->word++ = WORD('d', 0);
        memcpy(reading->word++, &value, sizeof value);
    }
    reading->at = end;
    return true;
}

static bool read_word(struct reading *reading, const char *word, size_t length) {
    if (memcmp(reading->at, word, length) != 0 || !ends_value(reading->at[length])) return false;
    *reading->word++ = WORD(word[0], 0);
    reading->at += length;
    return true;
}

/* At its bracket. */
static bool open_container(struct reading *reading) {
    if (reading->depth == reading->depth_max) return false;
    reading->opened[reading->depth] = (uint32_t)(reading->word - reading->tape);
    reading->counts[reading->depth++] = 0;
    *reading->word++ = WORD(*reading->at++, 0);
    skip_space(reading);
    return true;
}

static void close_container(struct reading *reading) {
    uint32_t opened = reading->opened[--reading->depth], count = reading->counts[reading->depth];
    *reading->word++ = WORD(*reading->at++, opened);
    if (count > COUNT_MAX) count = COUNT_MAX;
    reading->tape[opened] |= (uint64_t)count << 32 | (uint32_t)(reading->word - reading->tape);
}

/* What is no container. */
static inline bool read_plain(struct reading *reading) {
    switch (*reading->at) {
    case '"': return read_string(reading);
    case 't': return read_word(reading, "true", 4);
    case 'f': return read_word(reading, "false", 5);
    case 'n': return read_word(reading, "null", 4);
    default: return read_number(reading);
    }
}

/* A name and what is between it and its value. */
static inline bool read_name(struct reading *reading) {
    if (*reading->at != '"' || !read_string(reading)) return false;
    skip_space(reading);
    if (*reading->at != ':') return false;
    reading->at++;
    skip_space(reading);
    return true;
}

/* Further texts of a list behind one, without space between them, as most lists are. */
static inline void read_texts(struct reading *reading, uint32_t *count) {
    while (reading->at < reading->end && reading->at[0] == ',' && reading->at[1] == '"') {
        const uint8_t *before = reading->at++;
        if (!read_string(reading)) {
            reading->at = before; /* whoever comes there gives up */
            return;
        }
        ++*count;
    }
}

/* Behind a value: closes what ends here. False: it is not that a further value comes, nor that all is closed.
 */
static bool go_on(struct reading *reading) {
    while (reading->depth) {
        skip_space(reading);
        if (reading->at >= reading->end) return false;
        if (*reading->at == ',') {
            reading->at++;
            skip_space(reading);
            return true;
        }
        bool is_list = reading->tape[reading->opened[reading->depth - 1]] >> 56 == '[';
        if (*reading->at != (is_list ? ']' : '}')) return false;
        close_container(reading);
    }
    return true;
}

static bool read_all(struct reading *reading) {
    do {
        uint32_t inner = reading->depth - 1;
        if (reading->at >= reading->end) return false;
        bool is_list = !reading->depth || reading->tape[reading->opened[inner]] >> 56 == '[';
        if (!is_list && !read_name(reading)) return false;
        if (reading->depth) reading->counts[inner]++;
        if (*reading->at == '{' || *reading->at == '[') {
            if (!open_container(reading)) return false;
            if (*reading->at != '}' && *reading->at != ']') continue;
        } else {
            if (!read_plain(reading)) return false;
            if (is_list) read_texts(reading, &reading->counts[inner]);
        }
        if (!go_on(reading)) return false;
    } while (reading->depth);
    return true;
}

bool at_json_quick(const char *text, size_t length, size_t depth_max, uint64_t *tape, uint8_t *strings) {
    struct reading reading = {.at = (const uint8_t *)text,
                              .end = (const uint8_t *)text + length,
                              .word = tape + 1,
                              .string = strings,
                              .tape = tape,
                              .strings = strings,
                              .depth_max = depth_max < DEPTH_MAX ? (uint32_t)depth_max : DEPTH_MAX};
    skip_space(&reading);
    if (reading.at >= reading.end || (*reading.at != '{' && *reading.at != '[')) return false;
    if (!read_all(&reading)) return false;
    skip_space(&reading);
    if (reading.at != reading.end) return false;
    *reading.word++ = WORD('r', 0);
    tape[0] = WORD('r', reading.word - tape);
    return true;
}
