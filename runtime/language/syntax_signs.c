/* SPDX-License-Identifier: Apache-2.0
 *
 * Signs and words of other languages, and those an editor for letters puts in: what to write in their stead.
 */
#include "language/syntax.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- signs that stand for one of Lua's ---- */

static bool a_sign(struct syntax *s) {
    static const struct {
        const char *sign, *fix, *means;
    } signs[] = {
        {"!==", "~=", "\"is not\""},
        {"===", "==", "\"is\""},
        {"!=", "~=", "\"is not\""},
        {"=!", "~=", "\"is not\""},
        {"<>", "~=", "\"is not\""},
        {"=<", "<=", "\"at most\""},
        {"\xE2\x89\xA4", "<=", "\"at most\""},
        {"\xE2\x89\xA5", ">=", "\"at least\""},
        {"\xE2\x89\xA0", "~=", "\"is not\""},
        {"\xC3\x97", "*", "\"times\""},
        {"\xC3\xB7", "/", "\"divided by\""},
        {"\xE2\x88\x92", "-", "\"minus\""},
        {"\xE2\x80\x93", "-", "\"minus\""},
        {"\xE2\x80\x94", "-", "\"minus\""},
        {"&&", "and", "\"and\""},
        {"||", "or", "\"or\""},
        {"!", "not ", "\"not\""},
    };
    for (size_t i = 0; i < AT_LENGTH(signs); i++)
        for (int64_t at = (int64_t)s->place - 2; at <= s->place; at++) {
            uint32_t from = (uint32_t)at, to = from + (uint32_t)strlen(signs[i].sign);
            if (at < 0 || to <= s->place || !syntax_stands(s, at, signs[i].sign)) continue;
            bool is_word = isalpha((unsigned char)signs[i].fix[0]) && signs[i].fix[0] != 'n';
            bool before = is_word && at && !isspace((unsigned char)s->source.data[at - 1]),
                 after = is_word && to < s->source.length && !isspace((unsigned char)s->source.data[to]);
            if (!syntax_fix(s, from, to, "%s%s%s", before ? " " : "", signs[i].fix, after ? " " : ""))
                continue;
            char hint[60];
            snprintf(hint, sizeof hint, "write %.*s", (int)strcspn(signs[i].fix, " "), signs[i].fix);
            syntax_point(s, from, to);
            if (isalpha((unsigned char)signs[i].fix[0]))
                return syntax_tell(s, hint, "\"%s\" is not known here: the word for it is %.*s",
                                   signs[i].sign, (int)strcspn(signs[i].fix, " "), signs[i].fix);
            return syntax_tell(s, hint, "\"%s\" is not known here: %s is written %s", signs[i].sign,
                               signs[i].means, signs[i].fix);
        }
    return false;
}

/* ---- quotes ---- */

static const char *const curly[] = {"\xE2\x80\x9C",
                                    "\xE2\x80\x9D",
                                    "\xE2\x80\x9E",
                                    "\xE2\x80\x9F",
                                    "\xE2\x80\x98",
                                    "\xE2\x80\x99",
                                    "\xE2\x80\x9A",
                                    "\xC2\xAB",
                                    "\xC2\xBB",
                                    "`",
                                    NULL};

static uint32_t quote_at(const struct syntax *s, uint32_t at) { /* its length; 0: none */
    for (const char *const *quote = curly; *quote; quote++)
        if (syntax_stands(s, at, *quote)) return (uint32_t)strlen(*quote);
    return 0;
}

/* “text”, and "text” */
static bool curly_quotes(struct syntax *s) {
    uint32_t from = s->place, first = quote_at(s, from);
    const struct token *before = syntax_token(s, -1);
    if (!first && syntax_says(s, "unfinished string")) {
        from = before->line == s->finding->line && before->to ? before->to : 0;
        while (from < s->place && s->source.data[from] != '"' && s->source.data[from] != '\'') from++;
        first = 1;
    }
    if (!first) return false;
    uint32_t end = from + first, last = 0;
    while (end < s->source.length && s->source.data[end] != '\n' && !(last = quote_at(s, end)) &&
           s->source.data[end] != '"')
        end++;
    if (!last && !(syntax_stands(s, end, "\"") && first > 1)) return false;
    struct at_text inner = syntax_cut(s, from + first, end);
    uint32_t to = end + (last ? last : 1);
    if (memchr(inner.data, '"', inner.length) ||
        !syntax_fix(s, from, to, "\"%.*s\"", (int)inner.length, inner.data))
        return false;
    syntax_point(s, from, to);
    char hint[120];
    snprintf(hint, sizeof hint, "write \"%.*s\"", (int)(inner.length < 90 ? inner.length : 90), inner.data);
    if (syntax_stands(s, from, "`")) return syntax_tell(s, hint, "` does not begin a text: \" does");
    return syntax_tell(s, hint, "these quotes are curly: a text stands in straight ones");
}

/* ---- changing a value in place ---- */

/* Whether what follows on the line can stay without brackets behind an operator. */
static bool is_single(const struct syntax *s, uint32_t first, uint32_t *last) {
    uint32_t line = s->tokens[first].line, i = first;
    bool is_single = true;
    while (i < s->count && s->tokens[i].line == line && !token_is(&s->tokens[i], "end")) {
        if (i > first && s->tokens[i].kind == TOKEN_SIGN && !token_is(&s->tokens[i], ".")) is_single = false;
        i++;
    }
    *last = i - 1;
    return is_single;
}

/* Where the name that ends before that byte begins: x, t.x; the byte itself: there is none. */
static uint32_t target_before(const struct syntax *s, uint32_t at) {
    uint32_t i = 0, from = at;
    while (i < s->count && s->tokens[i].to <= at) i++;
    for (bool wants_name = true; i > 0; wants_name = !wants_name) {
        const struct token *token = &s->tokens[i - 1];
        if (wants_name ? token->kind != TOKEN_NAME : !token_is(token, ".")) break;
        from = token->from;
        i--;
    }
    return from;
}

static bool in_place(struct syntax *s) {
    static const char *const signs[] = {"..=", "//=", "+=", "-=", "*=", "/=", "%=", "^="};
    for (size_t i = 0; i < AT_LENGTH(signs); i++) {
        uint32_t width = (uint32_t)strlen(signs[i]), value = 0, last;
        int64_t at = (int64_t)s->place - (syntax_stands(s, s->place, "=") ? (int64_t)width - 1 : 0);
        if (!syntax_stands(s, at, signs[i])) continue;
        uint32_t sign = (uint32_t)at, target = target_before(s, sign);
        while (value < s->count && s->tokens[value].from < sign + width) value++;
        if (value >= s->count || target == sign) continue;
        struct at_text name = syntax_cut(s, target, sign);
        while (name.length && name.data[name.length - 1] == ' ') name.length--;
        bool single = is_single(s, value, &last);
        struct at_text what = syntax_cut(s, s->tokens[value].from, s->tokens[last].to);
        if (!syntax_fix(s, target, s->tokens[last].to,
                        single ? "%.*s = %.*s %.*s %.*s" : "%.*s = %.*s %.*s (%.*s)", (int)name.length,
                        name.data, (int)name.length, name.data, (int)width - 1, signs[i], (int)what.length,
                        what.data))
            continue;
        char hint[120];
        snprintf(hint, sizeof hint, "write %.100s", s->finding->fix);
        syntax_point(s, target, s->tokens[last].to);
        return syntax_tell(s, hint, "there is no short form like %s here", signs[i]);
    }
    return false;
}

/* x++, x-- (the rest of that line is then a comment) */
static bool count_up(struct syntax *s) {
    for (uint32_t at = s->place ? s->place - 1 : 0; at <= s->place; at++) {
        if (!syntax_stands(s, at, "++")) continue;
        uint32_t target = target_before(s, at);
        struct at_text name = syntax_cut(s, target, at);
        if (!name.length || !syntax_fix(s, target, at + 2, "%.*s = %.*s + 1", (int)name.length, name.data,
                                        (int)name.length, name.data))
            return false;
        syntax_point(s, at, at + 2);
        char hint[120];
        snprintf(hint, sizeof hint, "write %.100s", s->finding->fix);
        return syntax_tell(s, hint, "\"++\" is not known here");
    }
    return false;
}

static bool count_down(struct syntax *s) {
    const struct token *name = syntax_token(s, -1);
    if (name->kind != TOKEN_NAME || !syntax_stands(s, name->to, "--") ||
        !syntax_fix(s, name->from, name->to + 2, "%.*s = %.*s - 1", (int)name->text.length, name->text.data,
                    (int)name->text.length, name->text.data))
        return false;
    syntax_point(s, name->from, name->to + 2);
    char hint[120];
    snprintf(hint, sizeof hint, "write %.100s", s->finding->fix);
    return syntax_tell(s, hint, "\"--\" begins a comment here: it does not count down");
}

/* ---- comments ---- */

static bool comments(struct syntax *s) {
    uint32_t first = syntax_line_start(s, s->at), line = s->finding->line;
    for (uint32_t i = first < s->count ? first : 0; i < s->count && s->tokens[i].line <= line; i++) {
        const struct token *token = &s->tokens[i];
        if (token->line != line) continue;
        bool is_block = syntax_stands(s, token->from, "/*");
        if (is_block) {
            uint32_t end = token->from;
            while (end < s->source.length && !syntax_stands(s, end, "*/")) end++;
            struct at_text inner = syntax_cut(s, token->from + 2, end);
            if (!syntax_fix(s, token->from, end + 2, "--[[%.*s]]", (int)inner.length, inner.data)) continue;
            syntax_point(s, token->from, token->to + 1);
            return syntax_tell(s, "write --[[ … ]]", "/* does not begin a comment here: --[[ does");
        }
        if (!token_is(token, "//") && !(token_is(token, "#") && i == first)) continue;
        if (!syntax_fix(s, token->from, token->to, "--")) continue;
        syntax_point(s, token->from, token->to);
        return syntax_tell(s, "write --", "%s does not begin a comment here: -- does",
                           token_is(token, "//") ? "//" : "#");
    }
    return false;
}

/* ---- words ---- */

/* One token in the stead of the one so many before the fault. */
static bool swap_word(struct syntax *s, int shift, const char *fix, const char *fmt) {
    const struct token *token = syntax_token(s, shift);
    char word[40], hint[60];
    if (!syntax_fix(s, token->from, token->to, "%s", fix)) return false;
    snprintf(word, sizeof word, "%.*s", (int)(token->text.length < 39 ? token->text.length : 39),
             token->text.data);
    snprintf(hint, sizeof hint, "write %s", fix);
    syntax_point(s, token->from, token->to);
    return syntax_tell(s, hint,
                       strcmp(fmt, "case") == 0 ? "\"%s\" is written in small letters: %s"
                                                : "\"%s\" is not known here: it is written %s",
                       word, fix);
}

static bool foreign_word(struct syntax *s) {
    static const struct {
        const char *word, *fix;
    } words[] = {{"elif", "elseif"},   {"elsif", "elseif"}, {"elseIf", "elseif"}, {"else_if", "elseif"},
                 {"var", "local"},     {"let", "local"},    {"const", "local"},   {"def", "function"},
                 {"func", "function"}, {"fn", "function"},  {"is", "=="},         {"equals", "=="},
                 {"endif", "end"},     {"fi", "end"},       {"done", "end"},      {"foreach", "for"},
                 {"mod", "%"}};
    for (int shift = 0; shift >= -2; shift--)
        for (size_t i = 0; i < AT_LENGTH(words); i++)
            if (syntax_token(s, shift)->kind == TOKEN_NAME &&
                token_is(syntax_token(s, shift), words[i].word) && swap_word(s, shift, words[i].fix, ""))
                return true;
    return false;
}

/* IF, Then, RETURN */
static bool capitals(struct syntax *s) {
    static const char *const words[] = {"and", "do",       "else",   "elseif", "end",   "false",
                                        "for", "function", "if",     "in",     "local", "nil",
                                        "not", "or",       "return", "then",   "true",  "while"};
    for (int shift = 0; shift >= -2; shift--) {
        const struct token *token = syntax_token(s, shift);
        for (size_t i = 0; token->kind == TOKEN_NAME && i < AT_LENGTH(words); i++)
            if (token->text.length == strlen(words[i]) &&
                strncasecmp(token->text.data, words[i], token->text.length) == 0 &&
                swap_word(s, shift, words[i], "case"))
                return true;
    }
    return false;
}

/* x is not y */
static bool is_not(struct syntax *s) {
    for (int shift = 0; shift >= -1; shift--) {
        const struct token *is = syntax_token(s, shift), *not_ = syntax_token(s, shift + 1);
        if (is->kind != TOKEN_NAME || !token_is(is, "is") || !token_is(not_, "not")) continue;
        if (!syntax_fix(s, is->from, not_->to, "~=")) continue;
        syntax_point(s, is->from, not_->to);
        return syntax_tell(s, "write ~=", "\"is not\" is written ~= between two values");
    }
    return false;
}

/* A step to the next round of a loop. */
static bool next_round(struct syntax *s) {
    for (int shift = 0; shift >= -1; shift--) {
        const struct token *word = syntax_token(s, shift);
        if (!token_is(word, "continue")) continue;
        syntax_point(s, word->from, word->to);
        return syntax_tell(s, "turn the condition around: if i ~= 2 then … end", "there is no continue here");
    }
    return false;
}

/* ---- money and other signs before or behind a number ---- */

static bool signed_number(struct syntax *s) {
    static const char *const signs[] = {"\xE2\x82\xAC", "$", "\xC2\xA3", "EUR", "USD"};
    for (size_t i = 0; i < AT_LENGTH(signs); i++) {
        uint32_t length = (uint32_t)strlen(signs[i]);
        for (int64_t at = (int64_t)s->place - 3; at <= s->place; at++) {
            if (at < 0 || (uint32_t)at + length <= s->place || !syntax_stands(s, at, signs[i])) continue;
            uint32_t from = (uint32_t)at, to = from + length;
            if (!syntax_fix(s, from, to, "%s", "")) continue;
            syntax_point(s, from, to);
            return syntax_tell(s, "write the number alone, as on a price tag: 19.99",
                               "money is a number without a sign: it is in the shop's currency");
        }
    }
    return false;
}

static bool invisible(struct syntax *s) {
    static const char *const signs[] = {"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x8B", "\xEF\xBB\xBF",
                                        "\xE2\x80\xA8"};
    for (size_t i = 0; i < AT_LENGTH(signs); i++) {
        if (!syntax_stands(s, s->place, signs[i])) continue;
        uint32_t to = s->place + (uint32_t)strlen(signs[i]);
        if (!syntax_fix(s, s->place, to, " ")) continue;
        syntax_point(s, s->place, to);
        return syntax_tell(s, "put a plain space there",
                           "an invisible sign stands here, likely from pasted text");
    }
    return false;
}

/* Where a text is read as a share: the field of a declaration, what is handed over. */
static bool takes_share(const struct syntax *s, int shift) {
    const struct token *sign = syntax_token(s, shift - 1), *before = syntax_token(s, shift - 3);
    bool is_field = token_is(sign, "=") && (token_is(before, "{") || token_is(before, ","));
    return is_field || token_is(sign, "(");
}

/* 5% */
static bool bare_share(struct syntax *s) {
    for (int shift = -2; shift <= 0; shift++) {
        const struct token *number = syntax_token(s, shift), *percent = syntax_token(s, shift + 1);
        if (number->kind != TOKEN_NUMBER || !token_is(percent, "%")) continue;
        struct at_text text = syntax_cut(s, number->from, number->to);
        bool is_text = takes_share(s, shift);
        bool is_mended =
            is_text ? syntax_fix(s, number->from, percent->to, "\"%.*s%%\"", (int)text.length, text.data)
                    : syntax_fix(s, number->from, percent->to, "%.15g", number->number / 100);
        if (!is_mended) continue;
        char hint[60];
        syntax_point(s, number->from, percent->to);
        snprintf(hint, sizeof hint, "write %.40s", s->finding->fix);
        return syntax_tell(s, hint,
                           is_text ? "a share stands in quotes"
                                   : "to calculate with, a share is a number from 0 to 1");
    }
    return false;
}

/* ---- lines set in, as in Python ---- */

struct open_block {
    const struct token *opener;
    uint32_t indent;          /* the column its line begins at */
    bool has_body, is_set_in; /* a line was seen below; it was further right */
};

/* Whether that first token of a line shows a block to be over for who wrote it. */
static bool shows_end(struct open_block *open, const struct token *first) {
    static const char *const closers[] = {"}", ")", "]", ",", "else", "elseif", "until"};
    if (!open->has_body) open->is_set_in = first->column > open->indent;
    open->has_body = true;
    if (!open->is_set_in || first->column > open->indent) return false;
    for (size_t i = 0; i < AT_LENGTH(closers); i++)
        if (token_is(first, closers[i])) return false;
    return !token_is(first, "end") || first->column < open->indent;
}

bool syntax_set_back(struct syntax *s) {
    struct open_block open[64];
    uint32_t depth = 0, indent = 0;
    if (!syntax_says(s, "'end' expected") && !syntax_says(s, "unexpected symbol") && !syntax_says(s, "eof"))
        return false;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct token *token = &s->tokens[i];
        if (token->is_first) indent = token->column;
        if (token->is_first && depth && shows_end(&open[depth - 1], token)) {
            const struct token *opener = open[depth - 1].opener;
            int column = (int)open[depth - 1].indent - 1, back = (int)token->column - 1;
            if (!syntax_fix(s, token->from - (uint32_t)back, token->from, "%*send\n%*s", column, "", back,
                            ""))
                return false;
            syntax_point(s, token->from, token->to);
            return syntax_tell(s, "write end on a line of its own before this",
                               "the %.*s of line %u has no \"end\"", (int)opener->text.length,
                               opener->text.data, opener->line);
        }
        bool closes = token_is(token, "end") || token_is(token, "until");
        bool opens = token_is(token, "function") || token_is(token, "if") || token_is(token, "do") ||
                     token_is(token, "repeat");
        if (opens && depth == AT_LENGTH(open)) return false;
        if (opens) open[depth++] = (struct open_block){.opener = token, .indent = indent};
        depth -= closes && depth;
    }
    return false;
}

const syntax_habit_fn syntax_signs[] = {next_round, in_place,     count_up,   curly_quotes, comments,
                                        is_not,     foreign_word, capitals,   bare_share,   signed_number,
                                        invisible,  a_sign,       count_down, NULL};
