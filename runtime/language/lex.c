/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua 5.4's lexical rules (reference manual §3.1).
 */
#include "language/lex.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool lex_fail(struct lexer *lexer, struct spot place, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(lexer->message, sizeof lexer->message, fmt, args);
    va_end(args);
    lexer->status = AT_INVALID;
    lexer->bad = place;
    return false;
}

static char peek(const struct lexer *lexer, uint32_t ahead) {
    return lexer->at + ahead < lexer->source.length ? lexer->source.data[lexer->at + ahead] : 0;
}
static bool is_over(const struct lexer *lexer) {
    return lexer->at >= lexer->source.length;
}
static uint32_t column_of(const struct lexer *lexer, uint32_t at) {
    return at - lexer->line_start + 1;
}

/* From there to where it is now. */
static struct spot place_from(const struct lexer *lexer, struct spot begin) {
    begin.to = lexer->at > begin.from ? lexer->at : begin.from;
    return begin;
}
static struct spot place_here(const struct lexer *lexer) {
    return (struct spot){lexer->line, column_of(lexer, lexer->at), lexer->at, lexer->at};
}

static void new_line(struct lexer *lexer) {
    char c = lexer->source.data[lexer->at++];
    char next = peek(lexer, 0);
    if ((next == '\n' || next == '\r') && next != c && !is_over(lexer)) lexer->at++;
    lexer->line++;
    lexer->line_start = lexer->at;
}

/* At "[": the number of "=" if a long bracket begins, else -1. */
static int long_level(const struct lexer *lexer) {
    uint32_t n = 1;
    while (peek(lexer, n) == '=') n++;
    return peek(lexer, n) == '[' ? (int)n - 1 : -1;
}

/* Past a long bracket of that level; *out is what is in it. */
static bool read_long(struct lexer *lexer, int level, struct at_text *out, const char *what) {
    struct spot begin = lexer->begin;
    lexer->at += (uint32_t)level + 2;
    if (peek(lexer, 0) == '\n' || peek(lexer, 0) == '\r') new_line(lexer);
    uint32_t from = lexer->at;
    while (!is_over(lexer)) {
        char c = peek(lexer, 0);
        if (c == ']') {
            uint32_t n = 1;
            while (peek(lexer, n) == '=') n++;
            if ((int)n - 1 == level && peek(lexer, n) == ']') {
                *out = (struct at_text){lexer->source.data + from, lexer->at - from};
                lexer->at += n + 1;
                return true;
            }
            lexer->at += n;
        } else if (c == '\n' || c == '\r')
            new_line(lexer);
        else
            lexer->at++;
    }
    return lex_fail(lexer, place_from(lexer, begin), "unfinished long %s (starting at line %u) near <eof>",
                    what, begin.line);
}

static bool skip_blanks(struct lexer *lexer) {
    while (!is_over(lexer)) {
        char c = peek(lexer, 0);
        if (c == '\n' || c == '\r')
            new_line(lexer);
        else if (c == ' ' || c == '\t' || c == '\v' || c == '\f')
            lexer->at++;
        else if (c == '-' && peek(lexer, 1) == '-') {
            lexer->begin = place_here(lexer);
            lexer->at += 2;
            struct at_text text;
            int level = peek(lexer, 0) == '[' ? long_level(lexer) : -1;
            if (level >= 0) {
                if (!read_long(lexer, level, &text, "comment")) return false;
            } else
                while (!is_over(lexer) && peek(lexer, 0) != '\n' && peek(lexer, 0) != '\r') lexer->at++;
        } else
            break;
    }
    return true;
}

/* ---- texts ---- */

/* A bad escape, where it stands; near it: the text up to and with the byte at the place. */
static bool fail_escape(struct lexer *lexer, struct spot place, const char *what) {
    uint32_t end = is_over(lexer) ? lexer->at : lexer->at + 1, length = end - lexer->begin.from;
    place.to = end;
    if (length > 60) length = 60;
    return lex_fail(lexer, place, "%s near '%.*s'", what, (int)length, lexer->source.data + end - length);
}

static int hex_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t put_utf8(unsigned long code, char *out) {
    char bytes[8];
    size_t n = 1;
    unsigned long limit = 0x3f;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    do {
        bytes[8 - n++] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
        limit >>= 1;
    } while (code > limit);
    bytes[8 - n] = (char)((~limit << 1) | code);
    memcpy(out, bytes + 8 - n, n);
    return n;
}

static bool read_utf8(struct lexer *lexer, char *out, size_t *n) {
    unsigned long code = 0;
    struct spot place = place_here(lexer);
    lexer->at++;
    if (peek(lexer, 0) != '{') return fail_escape(lexer, place, "missing '{'");
    lexer->at++;
    if (hex_of(peek(lexer, 0)) < 0) return fail_escape(lexer, place, "hexadecimal digit expected");
    while (hex_of(peek(lexer, 0)) >= 0) {
        code = code * 16 + (unsigned long)hex_of(peek(lexer, 0));
        if (code > 0x7FFFFFFFUL) return fail_escape(lexer, place, "UTF-8 value too large");
        lexer->at++;
    }
    if (peek(lexer, 0) != '}') return fail_escape(lexer, place, "missing '}'");
    lexer->at++;
    *n += put_utf8(code, out + *n);
    return true;
}

static bool read_escape(struct lexer *lexer, char *out, size_t *n) {
    static const char from[] = "abfnrtv\\\"'", to[] = "\a\b\f\n\r\t\v\\\"'";
    struct spot place = place_here(lexer);
    lexer->at++;
    char c = peek(lexer, 0);
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        out[(*n)++] = to[known - from];
        lexer->at++;
    } else if (c == '\n' || c == '\r') {
        out[(*n)++] = '\n';
        new_line(lexer);
    } else if (c == 'x') {
        int high = hex_of(peek(lexer, 1)), low = high < 0 ? -1 : hex_of(peek(lexer, 2));
        if (low < 0) return fail_escape(lexer, place, "hexadecimal digit expected");
        out[(*n)++] = (char)(high << 4 | low);
        lexer->at += 3;
    } else if (c == 'z') {
        lexer->at++;
        while (!is_over(lexer) && isspace((unsigned char)peek(lexer, 0))) {
            if (peek(lexer, 0) == '\n' || peek(lexer, 0) == '\r')
                new_line(lexer);
            else
                lexer->at++;
        }
    } else if (c == 'u')
        return read_utf8(lexer, out, n);
    else if (isdigit((unsigned char)c)) {
        int code = 0;
        for (int i = 0; i < 3 && isdigit((unsigned char)peek(lexer, 0)); i++)
            code = code * 10 + lexer->source.data[lexer->at++] - '0';
        if (code > 255) return fail_escape(lexer, place, "decimal escape too large");
        out[(*n)++] = (char)code;
    } else
        return fail_escape(lexer, place, "invalid escape sequence");
    return true;
}

static bool read_string(struct lexer *lexer, struct token *out) {
    char quote = peek(lexer, 0);
    uint32_t end = lexer->at + 1;
    while (end < lexer->source.length && lexer->source.data[end] != quote)
        end += lexer->source.data[end] == '\\' ? 2 : 1;
    char *text = at_arena_alloc(lexer->arena,
                                (end > lexer->source.length ? lexer->source.length : end) - lexer->at + 8);
    size_t n = 0;
    if (!text) {
        lexer->status = AT_NOMEM;
        return false;
    }
    lexer->at++;
    for (;;) {
        char c = peek(lexer, 0);
        if (is_over(lexer)) return lex_fail(lexer, place_here(lexer), "unfinished string near <eof>");
        if (c == '\n' || c == '\r') {
            uint32_t shown = lexer->at - out->from < 60 ? lexer->at - out->from : 60;
            return lex_fail(lexer, place_from(lexer, lexer->begin), "unfinished string near '%.*s'",
                            (int)shown, lexer->source.data + out->from);
        }
        if (c == quote) break;
        if (c != '\\') {
            text[n++] = c;
            lexer->at++;
        } else if (!read_escape(lexer, text, &n))
            return false;
    }
    lexer->at++;
    out->kind = TOKEN_STRING;
    out->text = (struct at_text){text, n};
    return true;
}

/* ---- numbers and names ---- */

static bool is_letter(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

static bool read_number(struct lexer *lexer, struct token *out) {
    uint32_t from = lexer->at, point = peek(lexer, 0) == '.'; /* to luac .0x1 begins as 0x1 does */
    bool is_hex = peek(lexer, point) == '0' && (peek(lexer, point + 1) | 32) == 'x', is_float = false;
    if (is_hex) lexer->at += point + 2;
    for (;;) {
        char c = peek(lexer, 0), sign = peek(lexer, 1);
        bool is_exponent = (c | 32) == (is_hex ? 'p' : 'e');
        if (is_exponent)
            lexer->at += sign == '+' || sign == '-' ? 2 : 1;
        else if (isxdigit((unsigned char)c) || c == '.')
            lexer->at++;
        else
            break;
        is_float |= is_exponent || c == '.';
    }
    if (is_letter(peek(lexer, 0))) lexer->at++; /* luac names the first letter too much, and no more */
    char *text = at_arena_dup(lexer->arena, lexer->source.data + from, lexer->at - from), *end;
    if (!text) {
        lexer->status = AT_NOMEM;
        return false;
    }
    out->number = strtod(text, &end);
    /* strtod takes "inf", "nan" and "0x" alone; a number here begins with a digit or a point and has digits
     */
    bool has_digit = strpbrk(text + (is_hex ? 2 : 0), "0123456789abcdefABCDEF") != NULL;
    if (*end || !has_digit) {
        while (is_letter(peek(lexer, 0))) lexer->at++;
        return lex_fail(lexer, place_from(lexer, lexer->begin), "malformed number near '%.60s'", text);
    }
    if (is_hex && !is_float) { /* hexadecimal integers wrap around */
        uint64_t value = 0;
        for (const char *c = text + 2; *c; c++) value = value * 16 + (uint64_t)hex_of(*c);
        out->number = (double)(int64_t)value;
    }
    out->kind = TOKEN_NUMBER;
    out->is_integer = !is_float;
    return true;
}

static bool is_reserved(struct at_text text) {
    static const char *const words[] = {
        "and", "break", "do",  "else", "elseif", "end",    "false",  "for",  "function", "goto",  "if",
        "in",  "local", "nil", "not",  "or",     "repeat", "return", "then", "true",     "until", "while"};
    for (size_t i = 0; i < AT_LENGTH(words); i++)
        if (at_text_is(text, words[i])) return true;
    return false;
}

static bool read_sign(struct lexer *lexer, struct token *out) {
    static const char *const signs[] = {"...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::", "..", "+",
                                        "-",   "*",  "/",  "%",  "^",  "#",  "&",  "~",  "|",  "<",  ">",
                                        "=",   "(",  ")",  "{",  "}",  "[",  "]",  ";",  ":",  ",",  "."};
    for (size_t i = 0; i < AT_LENGTH(signs); i++) {
        size_t n = strlen(signs[i]);
        if (lexer->at + n > lexer->source.length || memcmp(lexer->source.data + lexer->at, signs[i], n) != 0)
            continue;
        lexer->at += (uint32_t)n;
        out->kind = TOKEN_SIGN;
        out->text = (struct at_text){signs[i], n};
        return true;
    }
    out->kind = TOKEN_SIGN; /* no sign of Lua's: the parser says what it expected instead */
    out->text = (struct at_text){lexer->source.data + lexer->at++, 1};
    return true;
}

/* An unfinished long text or comment goes to the end of the file; of a text the line is given up, or what
 * comes up to the quote it began with. */
void lex_mend(struct lexer *lexer, struct token *out) {
    struct spot begin = lexer->begin;
    char quote = begin.from < lexer->source.length ? lexer->source.data[begin.from] : 0;
    lexer->status = AT_OK;
    if (quote == '"' || quote == '\'') {
        for (lexer->at = lexer->at > begin.from ? lexer->at : begin.from + 1;
             !is_over(lexer) && !strchr("\r\n", peek(lexer, 0)) && peek(lexer, 0) != quote; lexer->at++)
            if (peek(lexer, 0) == '\\' && peek(lexer, 1) == quote) lexer->at++;
        if (lexer->at > lexer->source.length) lexer->at = (uint32_t)lexer->source.length;
        if (peek(lexer, 0) == quote) lexer->at++;
    }
    *out = (struct token){.kind = is_over(lexer) && begin.from == lexer->at ? TOKEN_END : TOKEN_SIGN,
                          .from = begin.from,
                          .to = lexer->at,
                          .line = begin.line,
                          .column = begin.column,
                          .is_first = lexer->end_line != begin.line,
                          .text = {lexer->source.data + begin.from, lexer->at - begin.from}};
    lexer->end_line = lexer->line;
}

bool lex_next(struct lexer *lexer, struct token *out) {
    if (lexer->status != AT_OK || !skip_blanks(lexer)) return false;
    memset(out, 0, sizeof *out);
    lexer->begin = place_here(lexer);
    out->from = lexer->begin.from;
    out->line = lexer->begin.line;
    out->column = lexer->begin.column;
    out->is_first = lexer->end_line != out->line;
    bool is_ok = true;
    unsigned char c = (unsigned char)peek(lexer, 0);
    if (is_over(lexer))
        out->kind = TOKEN_END;
    else if (isalpha(c) || c == '_') {
        while (is_letter(peek(lexer, 0))) lexer->at++;
        out->text = (struct at_text){lexer->source.data + out->from, lexer->at - out->from};
        out->kind = is_reserved(out->text) ? TOKEN_WORD : TOKEN_NAME;
    } else if (isdigit(c) || (c == '.' && isdigit((unsigned char)peek(lexer, 1))))
        is_ok = read_number(lexer, out);
    else if (c == '"' || c == '\'')
        is_ok = read_string(lexer, out);
    else if (c == '[' && long_level(lexer) >= 0) {
        out->kind = TOKEN_STRING;
        is_ok = read_long(lexer, long_level(lexer), &out->text, "string");
    } else if (c == '[' && peek(lexer, 1) == '=') {
        do lexer->at++;
        while (peek(lexer, 0) == '=');
        uint32_t length = lexer->at - out->from < 60 ? lexer->at - out->from : 60;
        is_ok = lex_fail(lexer, place_from(lexer, lexer->begin), "invalid long string delimiter near '%.*s'",
                         (int)length, lexer->source.data + out->from);
    } else
        is_ok = read_sign(lexer, out);
    out->to = lexer->at;
    if (is_ok) lexer->end_line = lexer->line;
    return is_ok;
}
