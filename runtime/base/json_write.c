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

/* Whether one of eight bytes is special: the classical tests for "a byte below n" and "a byte equal to n". */
static bool has_special(const char *p) {
    const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    uint64_t x;
    memcpy(&x, p, 8);
    uint64_t quotes = x ^ (ones * '"'), slashes = x ^ (ones * '\\');
    uint64_t hits = ((x - ones * 0x20) & ~x) | ((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes);
    return (hits & tops) != 0;
}

static size_t plain_length(const char *text, size_t length) {
    size_t i = 0;
    while (length - i >= 8 && !has_special(text + i)) i += 8;
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

static void put_quoted(struct at_bytes *bytes, struct at_text text) {
    size_t bad = 0;
    /* room for all of it at once: what follows appends in small pieces */
    if (text.length > SIZE_MAX / 2 || !at_bytes_reserve(bytes, text.length + 2)) {
        bytes->failed = true;
        return;
    }
    at_bytes_add(bytes, "\"", 1);
    while (!at_utf8_valid(text.data, text.length, &bad)) {
        put_escaped(bytes, text.data, bad);
        at_bytes_add(bytes, "\xEF\xBF\xBD", 3); /* U+FFFD for each byte that belongs to no character */
        text.data += bad + 1;
        text.length -= bad + 1;
    }
    put_escaped(bytes, text.data, text.length);
    at_bytes_add(bytes, "\"", 1);
}

void at_json_key_text(struct at_json_out *out, struct at_text name) {
    put_comma(out);
    put_quoted(out->bytes, name);
    at_bytes_add(out->bytes, ":", 1);
    out->needs_comma = false;
}

void at_json_key(struct at_json_out *out, const char *name) {
    at_json_key_text(out, at_text_of(name));
}

void at_json_put_text(struct at_json_out *out, struct at_text text) {
    put_comma(out);
    if (text.data)
        put_quoted(out->bytes, text);
    else
        at_bytes_add(out->bytes, "null", 4);
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

/* ---- key and value ---- */

void at_json_add_string(struct at_json_out *out, const char *name, const char *value) {
    at_json_key(out, name);
    at_json_put_string(out, value);
}

void at_json_add_text(struct at_json_out *out, const char *name, struct at_text value) {
    at_json_key(out, name);
    at_json_put_text(out, value);
}

void at_json_add_int(struct at_json_out *out, const char *name, int64_t value) {
    at_json_key(out, name);
    at_json_put_int(out, value);
}

void at_json_add_number(struct at_json_out *out, const char *name, double value) {
    at_json_key(out, name);
    at_json_put_number(out, value);
}

void at_json_add_bool(struct at_json_out *out, const char *name, bool value) {
    at_json_key(out, name);
    at_json_put_bool(out, value);
}

void at_json_add_time(struct at_json_out *out, const char *name, int64_t ms) {
    at_json_key(out, name);
    at_json_put_time(out, ms);
}
