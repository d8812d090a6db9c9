/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON into an at_bytes: every answer, log row and stored document passes here. Owns nothing; what is
 * written is always valid UTF-8 and, if keys and values alternate as they must, valid JSON.
 */
#include "base/json.h"

#include <math.h>
#include "base/json_simd.h"
#include "base/time.h"
#include "base/utf8.h"

static void put_comma(struct at_json_out *out) {
    if (out->needs_comma) at_bytes_add(out->bytes, ",", 1);
    out->needs_comma = true;
}

void at_json_open(struct at_json_out *out, char bracket) {
    put_comma(out);
    at_bytes_add(out->bytes, &bracket, 1);
    out->needs_comma = false;
}

void at_json_close(struct at_json_out *out, char bracket) {
    at_bytes_add(out->bytes, &bracket, 1);
    out->needs_comma = true;
}

/* ---- strings ---- */

static bool is_special(unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\';
}

/* Not zero if one of eight bytes is special or not ASCII: the classical tests for "a byte below n" and "a
 * byte equal to n". */
static inline uint64_t hits_of(uint64_t x) {
    const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    uint64_t quotes = x ^ (ones * '"'), slashes = x ^ (ones * '\\');
    return (x | (x - ones * 0x20) | (quotes - ones) | (slashes - ones)) & tops;
}

/* Copies a text and says whether it is ASCII and needs no escape: the usual case, seen word by word. False
 * for some that do not either. */
static inline bool put_plain(char *to, const char *text, size_t length) {
    uint64_t word = 0x6161616161616161U, hits = 0; /* letters, where a short text leaves room */
    if (length < 8) {
        for (size_t i = 0; i < length; i++) word = word << 8 | (unsigned char)(to[i] = text[i]);
        return !hits_of(word);
    }
    for (size_t i = 0; i + 8 < length; i += 8) {
        memcpy(&word, text + i, 8);
        memcpy(to + i, &word, 8);
        hits |= hits_of(word);
    }
    memcpy(&word, text + length - 8, 8);
    memcpy(to + length - 8, &word, 8);
    return !(hits | hits_of(word));
}

static size_t plain_length(const char *text, size_t length) {
    size_t i = 0;
    while (i < length && !is_special((unsigned char)text[i])) i++;
    return i;
}

static void put_escape(struct at_bytes *bytes, unsigned char c) {
    static const char DIGITS[] = "0123456789abcdef";
    static const char SHORT[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    char escape[6] = {'\\', 'u', '0', '0', DIGITS[c >> 4], DIGITS[c & 15]};
    char letter = c < 0x20 ? SHORT[c] : (char)c;
    if (letter) escape[1] = letter;
    at_bytes_add(bytes, escape, letter ? 2 : 6);
}

/* Text that is valid UTF-8. */
static void put_escaped(struct at_bytes *bytes, const char *text, size_t length) {
    while (length) {
        size_t plain = plain_length(text, length);
        at_bytes_add(bytes, text, plain);
        if (plain == length) return;
        put_escape(bytes, (unsigned char)text[plain]);
        text += plain + 1;
        length -= plain + 1;
    }
}

/* A text with escapes, or not ASCII. */
static __attribute__((noinline)) void put_checked(struct at_bytes *bytes, struct at_text text) {
    size_t bad = 0;
    while (!at_utf8_valid(text.data, text.length, &bad)) {
        put_escaped(bytes, text.data, bad);
        at_bytes_add(bytes, "\xEF\xBF\xBD", 3); /* U+FFFD for each byte that belongs to no character */
        text.data += bad + 1;
        text.length -= bad + 1;
    }
    put_escaped(bytes, text.data, text.length);
}

/* "before" and "after" are a byte each, 0 for none: comma and colon. */
static inline void put_quoted(struct at_bytes *bytes, char before, struct at_text text, char after) {
    /* room for all of it at once: what follows appends in small pieces */
    if (text.length > SIZE_MAX / 2 || !at_bytes_reserve(bytes, text.length + 4)) {
        bytes->failed = true;
        return;
    }
    char *data = bytes->data;
    size_t length = bytes->length;
    if (before) data[length++] = before;
    data[length++] = '"';
    if (put_plain(data + length, text.data, text.length))
        bytes->length = length + text.length;
    else {
        bytes->length = length;
        put_checked(bytes, text);
        if (!at_bytes_reserve(bytes, 2)) return;
        data = bytes->data;
    }
    data[bytes->length++] = '"';
    if (after) data[bytes->length++] = after;
    data[bytes->length] = '\0';
}

void at_json_key_text(struct at_json_out *out, struct at_text name) {
    put_quoted(out->bytes, out->needs_comma ? ',' : 0, name, ':');
    out->needs_comma = false;
}

void at_json_put_text(struct at_json_out *out, struct at_text text) {
    if (!text.data) return at_json_put_null(out);
    put_quoted(out->bytes, out->needs_comma ? ',' : 0, text, 0);
    out->needs_comma = true;
}

void at_json_put_string(struct at_json_out *out, const char *nul_terminated) {
    at_json_put_text(out, at_text_of(nul_terminated));
}

/* ---- numbers and words ---- */

static void put_unsigned(struct at_json_out *out, uint64_t value, bool is_negative) {
    char digits[24], *p = digits + sizeof(digits);
    do *--p = (char)('0' + value % 10);
    while (value /= 10);
    if (is_negative) *--p = '-';
    at_json_put_raw(out, p, (size_t)(digits + sizeof(digits) - p));
}

void at_json_put_int(struct at_json_out *out, int64_t value) {
    put_unsigned(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void at_json_put_number(struct at_json_out *out, double value) {
    char text[AT_SIMD_NUMBER_SIZE];
    if (!isfinite(value)) {
        at_json_put_null(out);
    } else if (value == 0 && signbit(value)) {
        at_json_put_raw(out, "-0.0", 4); /* "-0" would be read as the integer and lose its sign */
    } else if (fabs(value) < 0x1p63 && value == floor(value)) {
        at_json_put_int(out, (int64_t)value);
    } else {
        at_json_put_raw(out, text, at_simd_number(value, text));
    }
}

void at_json_put_rounded(struct at_json_out *out, double value) {
    char digits[32], *p = digits + sizeof digits;
    if (!(fabs(value) < 1e9)) return at_json_put_number(out, value); /* and what is no number */
    uint64_t millionths = (uint64_t)(fabs(value) * 1e6 + 0.5), fraction = millionths % 1000000;
    bool is_negative = value < 0 && millionths;
    if (!fraction) return put_unsigned(out, millionths / 1000000, is_negative);
    int places = 6;
    for (; fraction % 10 == 0; places--) fraction /= 10;
    for (; places; places--, fraction /= 10) *--p = (char)('0' + fraction % 10);
    *--p = '.';
    uint64_t whole = millionths / 1000000;
    do *--p = (char)('0' + whole % 10);
    while (whole /= 10);
    if (is_negative) *--p = '-';
    at_json_put_raw(out, p, (size_t)(digits + sizeof digits - p));
}

void at_json_put_bool(struct at_json_out *out, bool value) {
    at_json_put_raw(out, value ? "true" : "false", value ? 4 : 5);
}

void at_json_put_null(struct at_json_out *out) {
    at_json_put_raw(out, "null", 4);
}

void at_json_put_time(struct at_json_out *out, int64_t ms) {
    char text[AT_TIME_SIZE + 2];
    size_t length = at_time_format(ms, text + 1);
    text[0] = text[length + 1] = '"';
    at_json_put_raw(out, text, length + 2);
}

void at_json_put_raw(struct at_json_out *out, const char *json, size_t length) {
    put_comma(out);
    at_bytes_add(out->bytes, json, length);
}

/* ---- parsed values ---- */

/* Recursion is as deep as the value: its parser's max_depth. */
static void put_container(struct at_json_out *out, struct at_json value, bool is_object) {
    at_json_open(out, is_object ? '{' : '[');
    struct at_json_each it = at_json_each(value);
    while (!out->bytes->failed && at_json_next(&it)) {
        if (is_object) at_json_key_text(out, it.key);
        at_json_put_value(out, it.value);
    }
    at_json_close(out, is_object ? '}' : ']');
}

void at_json_put_value(struct at_json_out *out, struct at_json value) {
    double number = 0;
    switch (at_json_tag(value)) {
    case '{':
    case '[': put_container(out, value, at_json_is_object(value)); break;
    case '"': at_json_put_text(out, at_json_text(value)); break;
    case 'l': at_json_put_int(out, (int64_t)value.tape[value.at + 1]); break;
    case 'u': put_unsigned(out, value.tape[value.at + 1], false); break;
    case 'd':
        at_json_number(value, &number);
        at_json_put_number(out, number);
        break;
    case 't':
    case 'f': at_json_put_bool(out, at_json_tag(value) == 't'); break;
    default: at_json_put_null(out); break; /* no value is null too, so that the text stays JSON */
    }
}
