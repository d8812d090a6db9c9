/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a text is no JSON: simdjson is fast because it does not know, so json.c calls this slow, plain scan
 * once a parse has failed. RFC 8259, plus simdjson's limits on numbers and surrogates. One pass, no
 * recursion, no allocation: which containers are open is one bit a level in the caller's work space.
 */
#include "base/json_simd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

struct scan {
    const char *text;
    size_t at, end;
    uint8_t *kinds; /* bit set: an object */
    size_t depth, max_depth;
    const char *what;
    bool is_too_deep;
};

static bool fail(struct scan *s, size_t at, const char *what) {
    s->at = at;
    s->what = what;
    return false;
}

/* '\0' at the end: as wrong as a real NUL wherever it is asked. */
static char peek(const struct scan *s) {
    return s->at < s->end ? s->text[s->at] : '\0';
}

static void skip_space(struct scan *s) {
    while (s->at < s->end && strchr(" \t\n\r", s->text[s->at]) && s->text[s->at]) s->at++;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t skip_digits(struct scan *s) {
    size_t start = s->at;
    while (is_digit(peek(s))) s->at++;
    return s->at - start;
}

/* ---- numbers ---- */

static bool integer_fits(const char *digits, size_t count, bool is_negative) {
    const char *largest = is_negative ? "9223372036854775808" : "18446744073709551615";
    size_t most = strlen(largest);
    return count < most || (count == most && memcmp(digits, largest, most) <= 0);
}

/* Its first 40 significant digits and its exponent as a text of strtod's: no locale's decimal point in it. */
static bool double_overflows(const char *text, size_t length) {
    char decimal[80];
    size_t digits = 0;
    long exponent = 0, shift = 0;
    bool has_point = false;
    for (size_t i = 0; i < length && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] == '.') has_point = true;
        if (!is_digit(text[i])) continue;
        bool is_kept = digits < 40 && (digits || text[i] != '0');
        if (is_kept) decimal[digits++] = text[i];
        if (has_point && (is_kept || !digits)) shift--;
        if (!has_point && !is_kept && digits) shift++;
    }
    if (!digits) return false;
    const char *e = memchr(text, 'e', length), *upper = memchr(text, 'E', length);
    if (!e) e = upper;
    if (e) {
        size_t i = (size_t)(e - text) + 1;
        bool is_negative = i < length && text[i] == '-';
        for (; i < length; i++)
            if (is_digit(text[i]) && exponent < 1000000000) exponent = exponent * 10 + (text[i] - '0');
        if (is_negative) exponent = -exponent;
    }
    snprintf(decimal + digits, sizeof(decimal) - digits, "e%ld", exponent + shift);
    return isinf(strtod(decimal, NULL));
}

static bool scan_number(struct scan *s) {
    size_t start = s->at;
    bool is_negative = peek(s) == '-', is_whole = true;
    if (is_negative) s->at++;
    size_t first = s->at, count = skip_digits(s);
    if (!count) return fail(s, s->at, "a digit is missing");
    if (count > 1 && s->text[first] == '0') return fail(s, first, "a number may not begin with 0");
    if (peek(s) == '.') {
        is_whole = false;
        s->at++;
        if (!skip_digits(s)) return fail(s, s->at, "a digit is missing behind the decimal point");
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        is_whole = false;
        s->at++;
        if (peek(s) == '+' || peek(s) == '-') s->at++;
        if (!skip_digits(s)) return fail(s, s->at, "a digit is missing in the exponent");
    }
    if (is_whole && !integer_fits(s->text + first, count, is_negative))
        return fail(s, start, "this whole number does not fit in 64 bits");
    if (!is_whole && double_overflows(s->text + start, s->at - start))
        return fail(s, start, "this number is too large for a double");
    return true;
}

/* ---- strings and words ---- */

static int read_hex4(const struct scan *s, size_t at) {
    int value = 0;
    if (s->end - at < 4) return -1;
    for (size_t i = at; i < at + 4; i++) {
        char c = s->text[i];
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* At the backslash. */
static bool scan_escape(struct scan *s) {
    size_t start = s->at++;
    char c = peek(s);
    if (c != 'u') {
        if (!c || !strchr("\"\\/bfnrt", c)) return fail(s, start, "there is no such escape in a string");
        s->at++;
        return true;
    }
    int unit = read_hex4(s, s->at + 1);
    if (unit < 0) return fail(s, start, "\\u needs four hexadecimal digits");
    s->at += 5;
    if (unit < 0xD800 || unit > 0xDFFF) return true;
    int low = unit < 0xDC00 && peek(s) == '\\' && s->end - s->at >= 6 && s->text[s->at + 1] == 'u'
                  ? read_hex4(s, s->at + 2)
                  : -1;
    if (low < 0xDC00 || low > 0xDFFF) return fail(s, start, "half of a surrogate pair stands alone");
    s->at += 6;
    return true;
}

static bool scan_string(struct scan *s) {
    size_t start = s->at++;
    while (s->at < s->end) {
        char c = s->text[s->at];
        if (c == '"') {
            s->at++;
            return true;
        }
        if ((unsigned char)c < 0x20) return fail(s, s->at, "a control character in a string must be escaped");
        if (c != '\\')
            s->at++;
        else if (!scan_escape(s))
            return false;
    }
    return fail(s, start, "the string that begins here has no closing quote");
}

static bool scan_word(struct scan *s, const char *word) {
    size_t length = strlen(word);
    if (s->end - s->at < length || memcmp(s->text + s->at, word, length) != 0)
        return fail(s, s->at, "a value is expected; words are true, false and null");
    s->at += length;
    return true;
}

/* ---- structure ---- */

static bool is_in_object(const struct scan *s) {
    size_t level = s->depth - 1;
    return s->kinds[level / 8] >> (level % 8) & 1;
}

static bool open_container(struct scan *s, bool is_object) {
    if (s->depth == s->max_depth) {
        s->is_too_deep = true;
        return fail(s, s->at, "too deep");
    }
    uint8_t bit = (uint8_t)(1U << (s->depth % 8)), *kind = &s->kinds[s->depth / 8];
    *kind = (uint8_t)(is_object ? *kind | bit : *kind & ~bit);
    s->depth++;
    s->at++;
    return true;
}

static bool scan_key(struct scan *s) {
    skip_space(s);
    if (peek(s) != '"') return fail(s, s->at, "a key in double quotes is expected");
    if (!scan_string(s)) return false;
    skip_space(s);
    if (peek(s) != ':') return fail(s, s->at, "a colon is expected behind the key");
    s->at++;
    return true;
}

/* Closing brackets and the comma after a value; *is_done: the text ends here. */
static bool scan_after(struct scan *s, bool *is_done) {
    for (;;) {
        skip_space(s);
        if (!s->depth) {
            *is_done = s->at == s->end;
            return *is_done ? true : fail(s, s->at, "something follows the end of the value");
        }
        bool is_object = is_in_object(s);
        char c = peek(s);
        if (c == ',') {
            s->at++;
            return is_object ? scan_key(s) : true;
        }
        if (s->at == s->end) return fail(s, s->at, "the text ends before the value does");
        if (c != (is_object ? '}' : ']'))
            return fail(s, s->at, is_object ? "a comma or } is expected" : "a comma or ] is expected");
        s->depth--;
        s->at++;
    }
}

/* A scalar, an empty container, or the opening of a full one (*is_open). */
static bool scan_value(struct scan *s, bool *is_open) {
    *is_open = false;
    skip_space(s);
    if (s->at == s->end) return fail(s, s->at, "the text ends where a value is expected");
    char c = peek(s);
    if (c == '{' || c == '[') {
        if (!open_container(s, c == '{')) return false;
        skip_space(s);
        if (peek(s) == (c == '{' ? '}' : ']')) {
            s->depth--;
            s->at++;
            return true;
        }
        *is_open = true;
        return c == '{' ? scan_key(s) : true;
    }
    if (c == '"') return scan_string(s);
    if (c == '-' || is_digit(c)) return scan_number(s);
    return scan_word(s, c == 't' ? "true" : c == 'f' ? "false" : "null");
}

bool at_json_find_fault(const char *text, size_t length, size_t max_depth, uint8_t *kinds,
                        struct at_json_fault *fault) {
    struct scan s = {.text = text, .end = length, .kinds = kinds, .max_depth = max_depth};
    bool is_good = true, is_done = false;
    while (is_good && !is_done) {
        bool is_open;
        is_good = scan_value(&s, &is_open);
        if (is_good && !is_open) is_good = scan_after(&s, &is_done);
    }
    *fault = (struct at_json_fault){s.at, s.what, s.is_too_deep};
    return !is_good;
}
