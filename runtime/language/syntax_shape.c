/* SPDX-License-Identifier: Apache-2.0
 *
 * What is missing, too much or in the wrong place: commas, quotes, then, do, end, return, brackets.
 */
#include "language/syntax.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

static void cut_hint(char hint[200], const char *before, const char *text) {
    snprintf(hint, 200, "%s%.150s", before, text);
}

/* ---- numbers and texts ---- */

/* 7d, 1h30m, 1.000.000 */
static bool bare_span(struct syntax *s) {
    if (!syntax_says(s, "malformed number")) return false;
    uint32_t to = s->place, from = s->place;
    while (from && strchr("0123456789.abcdefghijklmnopqrstuvwxyz_", s->source.data[from - 1])) from--;
    while (to < s->source.length && strchr("0123456789.abcdefghijklmnopqrstuvwxyz_", s->source.data[to]))
        to++;
    struct at_text text = syntax_cut(s, from, to);
    struct at_error err;
    int64_t ms;
    char hint[200];
    syntax_point(s, from, to);
    if (at_span_parse(text.data, text.length, &ms, &err) == AT_OK &&
        syntax_fix(s, from, to, "\"%.*s\"", (int)text.length, text.data)) {
        cut_hint(hint, "write ", s->finding->fix);
        return syntax_tell(s, hint, "a time stands in quotes");
    }
    char digits[40];
    size_t n = 0, points = 0;
    for (size_t i = 0; i < text.length && n < sizeof digits - 1; i++)
        if (text.data[i] != '.' && text.data[i] != '_')
            digits[n++] = text.data[i];
        else
            points++;
    digits[n] = 0;
    if (points && strspn(digits, "0123456789") == n && syntax_fix(s, from, to, "%s", digits)) {
        cut_hint(hint, "write ", digits);
        return syntax_tell(s, hint, "thousands are not marked in a number");
    }
    return syntax_tell(s, "numbers are like 19.99; times and shares stand in quotes: \"7d\", \"5%\"",
                       "\"%.*s\" is not a number", (int)(text.length < 60 ? text.length : 60), text.data);
}

/* A text without its second quote: it ends before what closes the line. */
static bool open_quote(struct syntax *s) {
    if (!syntax_says(s, "unfinished string")) return false;
    uint32_t from = s->place, end;
    bool is_here = syntax_stands(s, from, "\"") || syntax_stands(s, from, "'");
    while (!is_here && from && s->source.data[from - 1] != '\n') from--; /* it ends with the file */
    while (from < s->source.length && s->source.data[from] != '"' && s->source.data[from] != '\'') from++;
    if (from >= s->source.length) return false;
    const char *stop = memchr(s->source.data + from, '\n', s->source.length - from);
    end = stop ? (uint32_t)(stop - s->source.data) : (uint32_t)s->source.length;
    char quote[2] = {s->source.data[from], 0};
    syntax_point(s, from, end);
    static const char *const closers[] = {" {", ",", ")", "}", " end", " then", " do", ""};
    uint32_t best = end;
    for (uint32_t at = from + 1; at <= end && best == end; at++) /* the first from which the line reads */
        for (size_t i = 0; i < AT_LENGTH(closers) && best == end; i++)
            if ((*closers[i] ? syntax_stands(s, at, closers[i]) : at == end) &&
                syntax_fix(s, at, at, "%s", quote))
                best = at;
    char hint[200];
    snprintf(hint, sizeof hint, "write %.*s%s", (int)(best - from < 100 ? best - from : 100),
             s->source.data + from, quote);
    return syntax_tell(s, hint, "this text has no closing quote");
}

/* A missing second quote before: the text that begins at the fault was meant to end one. */
static bool bad_escape(struct syntax *s) {
    if (!syntax_says(s, "escape sequence")) return false;
    uint32_t at = s->place;
    while (at && !syntax_stands(s, at, "\\")) at--;
    syntax_point(s, at, at + 2);
    if (!syntax_fix(s, at, at, "\\")) s->finding->fix = NULL;
    return syntax_tell(s, "write \\\\ for one \\", "a \\ in a text begins a special sign, and this is none");
}

/* ---- if, for, while ---- */

static bool else_if(struct syntax *s) {
    if (!syntax_says(s, "'end' expected") && !syntax_says(s, "unexpected symbol") && !syntax_says(s, "<eof>"))
        return false;
    for (uint32_t i = 0; i + 1 < s->count; i++) {
        const struct token *word = &s->tokens[i], *next = &s->tokens[i + 1];
        if (!token_is(word, "else") || !token_is(next, "if") || next->line != word->line) continue;
        if (!syntax_fix(s, word->from, next->to, "elseif")) continue;
        syntax_point(s, word->from, next->to);
        return syntax_tell(s, "write elseif, in one word",
                           "\"else if\" begins an if of its own, which needs its own end");
    }
    return false;
}

/* if x = 5 then, also within brackets and behind and, or */
static bool one_equals(struct syntax *s) {
    const struct token *now = syntax_token(s, 0);
    uint32_t first = syntax_line_start(s, s->at);
    if (!token_is(now, "=")) return false;
    if (syntax_stands(s, now->to, ">") && syntax_fix(s, now->from, now->to + 1, ">=")) {
        syntax_point(s, now->from, now->to + 1);
        return syntax_tell(s, "write >=", "\"=>\" is not known here: \"at least\" is written >=");
    }
    bool asks = false;
    for (uint32_t i = first; i < s->at; i++)
        asks |= token_is(&s->tokens[i], "if") || token_is(&s->tokens[i], "elseif") ||
                token_is(&s->tokens[i], "while") || token_is(&s->tokens[i], "return") ||
                token_is(&s->tokens[i], "until");
    return asks && syntax_fix(s, now->from, now->to, "==") &&
           syntax_tell(s, "write ==", "one = sets a value: to compare it takes two");
}

/* The word that was left out, behind the token before the fault, or in the stead of a wrong one. */
static bool missing_word(struct syntax *s) {
    static const char *const words[] = {"then", "do"};
    for (size_t i = 0; i < AT_LENGTH(words); i++) {
        char expected[20], hint[200];
        snprintf(expected, sizeof expected, "'%s' expected", words[i]);
        if (!syntax_says(s, expected)) continue;
        const struct token *before = syntax_token(s, -1), *now = syntax_token(s, 0);
        snprintf(hint, sizeof hint, "write %s there", words[i]);
        if (token_is(now, words[1 - i]) && syntax_fix(s, now->from, now->to, "%s", words[i]))
            return syntax_tell(s, hint, "after this %s comes %s, not %s", i ? "for or while" : "condition",
                               words[i], words[1 - i]);
        if (token_is(now, ":") && syntax_fix(s, now->from, now->to, " %s", words[i]))
            return syntax_tell(s, hint, "after this %s comes %s, not a colon",
                               i ? "for or while" : "condition", words[i]);
        if (!before->to || !syntax_fix(s, before->to, before->to, " %s", words[i])) continue;
        syntax_point(s, before->from, before->to);
        return syntax_tell(s, hint,
                           i ? "after for … or while … comes do" : "after the condition of an if comes then");
    }
    return false;
}

/* for i = 1 to 3 do */
static bool for_to(struct syntax *s) {
    const struct token *now = syntax_token(s, 0), *before = syntax_token(s, -1);
    return syntax_says(s, "',' expected near 'to'") && syntax_fix(s, before->to, now->to, ",") &&
           syntax_tell(s, "write for i = 1, 3 do",
                       "a loop counts from a number to a number with a comma between");
}

/* ---- loops of other languages ---- */

/* for (i = 0; i < 3; i++) */
static bool c_loop(struct syntax *s) {
    const struct token *now = syntax_token(s, 0);
    if (!token_is(now, "(") || !token_is(syntax_token(s, -1), "for")) return false;
    int i = 1;
    if (syntax_token(s, i + 1)->kind == TOKEN_NAME) i++; /* let, int */
    const struct token *name = syntax_token(s, i), *from = syntax_token(s, i + 2),
                       *less = syntax_token(s, i + 5), *to = syntax_token(s, i + 6);
    uint32_t close = syntax_closing(s, s->at);
    syntax_tell(s, "write for i = 1, 3 do … end", "counting is written without brackets: for i = 1, 3 do");
    if (name->kind != TOKEN_NAME || from->kind != TOKEN_NUMBER || close >= s->count) return true;
    struct at_text first = syntax_cut(s, from->from, from->to), last = syntax_cut(s, to->from, to->to);
    char limit[80];
    snprintf(limit, sizeof limit, "%.*s%s", (int)(last.length < 60 ? last.length : 60), last.data,
             token_is(less, "<") ? " - 1" : "");
    if (to->kind == TOKEN_NUMBER && token_is(less, "<"))
        snprintf(limit, sizeof limit, "%.14g", to->number - 1);
    const struct token *open = close + 1 < s->count ? &s->tokens[close + 1] : now;
    uint32_t end = token_is(open, "{") ? syntax_closing(s, close + 1) : s->count;
    struct at_text body =
        end < s->count ? syntax_cut(s, open->to, s->tokens[end].from) : (struct at_text){"", 0};
    if (end < s->count)
        syntax_fix(s, now->from, s->tokens[end].to, "%.*s = %.*s, %s do%.*send", (int)name->text.length,
                   name->text.data, (int)first.length, first.data, limit, (int)body.length, body.data);
    else
        syntax_fix(s, now->from, s->tokens[close].to, "%.*s = %.*s, %s", (int)name->text.length,
                   name->text.data, (int)first.length, first.data, limit);
    syntax_point(s, now->from, s->tokens[close].to);
    return true;
}

/* ---- functions ---- */

/* The end of the expression that begins at that index: before a comma or a closing bracket, or with the line.
 */
static uint32_t expression_end(const struct syntax *s, uint32_t index) {
    int depth = 0;
    uint32_t line = s->tokens[index].line, i = index;
    for (; i < s->count && (depth || s->tokens[i].line == line); i++) {
        const struct token *token = &s->tokens[i];
        bool closes = token_is(token, ")") || token_is(token, "}") || token_is(token, "]");
        if (!depth && (closes || token_is(token, ",") || token_is(token, ";") || token_is(token, "end")))
            break;
        depth += token_is(token, "(") || token_is(token, "{") || token_is(token, "[");
        depth -= closes;
    }
    return i; /* the first token that is no part of it */
}

/* (product) => …, product => …, function(product) => … */
static bool arrow(struct syntax *s) {
    uint32_t i = s->at > 1 ? s->at - 1 : 0;
    while (i < s->count && i <= s->at + 1 && !syntax_stands(s, s->tokens[i].from, "=>") &&
           !syntax_stands(s, s->tokens[i].from, "->"))
        i++;
    if (i >= s->count || i > s->at + 1 || i < 1 || i + 2 >= s->count) return false;
    uint32_t first = i - 1, body = i + 2;
    if (token_is(&s->tokens[first], ")"))
        while (first && !token_is(&s->tokens[first], "(")) first--;
    struct at_text names = syntax_cut(s, s->tokens[first].from, s->tokens[i - 1].to);
    bool has_brackets = token_is(&s->tokens[first], "(");
    if (first && token_is(&s->tokens[first - 1], "function")) first--;
    bool is_block = token_is(&s->tokens[body], "{");
    uint32_t end = is_block ? syntax_closing(s, body) + 1 : expression_end(s, body);
    if (end > s->count) return false;
    struct at_text text = is_block ? syntax_cut(s, s->tokens[body].to, s->tokens[end - 1].from)
                                   : syntax_cut(s, s->tokens[body].from, s->tokens[end - 1].to);
    syntax_point(s, s->tokens[i].from, s->tokens[i + 1].to);
    if (!syntax_fix(s, s->tokens[first].from, s->tokens[end - 1].to, "function%s%.*s%s%s%.*s end",
                    has_brackets ? "" : "(", (int)names.length, names.data, has_brackets ? "" : ")",
                    is_block ? "" : " return ", (int)text.length, text.data))
        return false;
    return syntax_tell(s, "write function(product) return … end",
                       "a function is not written with an arrow here");
}

/* x > 1 ? a : b */
static bool question_mark(struct syntax *s) {
    if (!token_is(syntax_token(s, 0), "?")) return false;
    uint32_t first = s->at, colon = s->at, end = expression_end(s, s->at);
    while (first && s->tokens[first - 1].line == s->tokens[s->at].line &&
           !token_is(&s->tokens[first - 1], "return") && !token_is(&s->tokens[first - 1], "=") &&
           !token_is(&s->tokens[first - 1], ","))
        first--;
    while (colon < end && !token_is(&s->tokens[colon], ":")) colon++;
    syntax_tell(s, "write when(condition, yes, no)", "there is no ? here: when(condition, yes, no) chooses");
    if (colon >= end || first >= s->at) return true;
    struct at_text condition = syntax_cut(s, s->tokens[first].from, s->tokens[s->at - 1].to),
                   yes = syntax_cut(s, s->tokens[s->at + 1].from, s->tokens[colon - 1].to),
                   no = syntax_cut(s, s->tokens[colon + 1].from, s->tokens[end - 1].to);
    syntax_fix(s, s->tokens[first].from, s->tokens[end - 1].to, "when(%.*s, %.*s, %.*s)",
               (int)condition.length, condition.data, (int)yes.length, yes.data, (int)no.length, no.data);
    return true;
}

/* A value that stands alone, as the last line of a function does elsewhere. */
static bool return_left_out(struct syntax *s) {
    if (!syntax_says(s, "unexpected symbol") && !syntax_says(s, "syntax error")) return false;
    uint32_t first = syntax_line_start(s, s->at < s->count ? s->at : s->count - 1);
    for (uint32_t i = first; i < s->count && i <= s->at;
         i++) { /* the line's first, or what follows function() */
        if (i > first && !token_is(&s->tokens[i - 1], ")") && !token_is(&s->tokens[i - 1], "then") &&
            !token_is(&s->tokens[i - 1], "else"))
            continue;
        if (i + 1 < s->count && token_is(&s->tokens[i + 1], "=")) continue;
        if (token_is(&s->tokens[i], "}") || token_is(&s->tokens[i], ",") || token_is(&s->tokens[i], ")"))
            continue;
        uint32_t at = s->tokens[i].from, end = expression_end(s, i);
        if (end <= i || !syntax_fix(s, at, at, "return ")) continue;
        syntax_point(s, at, s->tokens[end - 1].to);
        return syntax_tell(s, "write return before it",
                           "this value goes nowhere: a function answers with return");
    }
    return false;
}

/* ---- fields and lists ---- */

/* { price: 5 }, { "price": 5 } */
static bool colon_field(struct syntax *s) {
    const struct token *now = syntax_token(s, 0), *key = syntax_token(s, -1), *value = syntax_token(s, 1);
    if (!token_is(now, ":") && syntax_says(s, "expected near") && token_is(key, ":")) {
        value = now;
        now = key;
        key = syntax_token(s, -2);
    }
    if (!token_is(now, ":")) return false;
    bool is_text = key->kind == TOKEN_STRING;
    struct at_text name = is_text ? key->text : syntax_cut(s, key->from, key->to);
    if (!value->to || !syntax_fix(s, key->from, now->to, "%.*s =", (int)name.length, name.data)) return false;
    syntax_point(s, key->from, now->to);
    char hint[200];
    snprintf(hint, sizeof hint, "write %.*s = …", (int)(name.length < 60 ? name.length : 60), name.data);
    return syntax_tell(s, hint, "a field is set by =, not by a colon");
}

/* product:price, customer:orders.count */
static bool colon_read(struct syntax *s) {
    const struct token *now = syntax_token(s, 0), *name = syntax_token(s, -1), *colon = syntax_token(s, -2);
    (void)now;
    if (!syntax_says(s, "function arguments expected") || name->kind != TOKEN_NAME || !token_is(colon, ":") ||
        !syntax_fix(s, colon->from, colon->to, "."))
        return false;
    syntax_point(s, colon->from, name->to);
    char hint[200];
    snprintf(hint, sizeof hint, "write .%.*s", (int)(name->text.length < 60 ? name->text.length : 60),
             name->text.data);
    return syntax_tell(s, hint, "a dot reads, a colon asks: to read a field write a dot");
}

/* [1, 2, 3] */
static bool square_list(struct syntax *s) {
    const struct token *now = syntax_token(s, 0);
    uint32_t close = token_is(now, "[") ? syntax_closing(s, s->at) : s->count;
    if (close >= s->count) return false;
    struct at_text inner = syntax_cut(s, now->to, s->tokens[close].from);
    if (!syntax_fix(s, now->from, s->tokens[close].to, "{ %.*s }", (int)inner.length, inner.data))
        return false;
    syntax_point(s, now->from, s->tokens[close].to);
    return syntax_tell(s, "write { … }", "a list stands in braces");
}

/* score function(…), explore "5%": the = of a field; local x 5 */
static bool equals_left_out(struct syntax *s) {
    const struct token *now = syntax_token(s, 0), *name = syntax_token(s, -1), *before = syntax_token(s, -2);
    for (int shift = 0; shift >= -6; shift--) {
        now = syntax_token(s, shift), name = syntax_token(s, shift - 1), before = syntax_token(s, shift - 2);
        bool opens = token_is(before, "{") || token_is(before, ",") || token_is(before, "local");
        if (name->kind != TOKEN_NAME || !opens || token_is(now, "=")) continue;
        if (now->kind == TOKEN_SIGN && !token_is(now, "{") && !token_is(now, "-")) continue;
        if (!syntax_fix(s, name->to, name->to, " =")) continue;
        char hint[200];
        struct at_text field = name->text;
        snprintf(hint, sizeof hint, "write %.*s = …", (int)(field.length < 60 ? field.length : 60),
                 field.data);
        syntax_point(s, name->from, name->to);
        return syntax_tell(s, hint, "between a name and its value stands =");
    }
    return false;
}

/* A name where a noun wants a text: ranking collection { … }; an = between the name and the fields. */
static bool noun_shape(struct syntax *s) {
    for (int shift = 0; shift >= -2; shift--) {
        const struct token *noun = syntax_token(s, shift - 1), *name = syntax_token(s, shift),
                           *next = syntax_token(s, shift + 1);
        if (noun->kind != TOKEN_NAME) continue;
        if (name->kind == TOKEN_NAME && token_is(next, "{") && name->line == noun->line &&
            syntax_fix(s, name->from, name->to, "\"%.*s\"", (int)name->text.length, name->text.data)) {
            char hint[200];
            cut_hint(hint, "write ", s->finding->fix);
            syntax_point(s, name->from, name->to);
            return syntax_tell(s, hint, "the name of a declaration stands in quotes");
        }
        if ((token_is(name, "=") || token_is(name, ":")) && next->kind == TOKEN_STRING &&
            syntax_fix(s, noun->to, name->to, "%s", "")) {
            syntax_point(s, name->from, name->to);
            return syntax_tell(s, "take it out", "between a declaration and its name stands nothing");
        }
        if (name->kind == TOKEN_STRING && token_is(next, "=") &&
            syntax_fix(s, name->to, next->to, "%s", "")) {
            syntax_point(s, next->from, next->to);
            return syntax_tell(s, "take it out",
                               "between a declaration's name and its fields stands nothing");
        }
    }
    return false;
}

/* env KEY, require lib: what they name is a text. */
static bool named_by_text(struct syntax *s) {
    static const char *const words[] = {"env", "file", "require", "secret", "wait", "entered", "left"};
    const struct token *now = syntax_token(s, 0), *before = syntax_token(s, -1);
    for (size_t i = 0; now->kind == TOKEN_NAME && i < AT_LENGTH(words); i++) {
        if (!token_is(before, words[i]) ||
            !syntax_fix(s, now->from, now->to, "\"%.*s\"", (int)now->text.length, now->text.data))
            continue;
        char hint[200];
        cut_hint(hint, "write ", s->finding->fix);
        return syntax_tell(s, hint, "what %s names stands in quotes", words[i]);
    }
    return false;
}

/* product.stock:above 0 */
static bool call_without_brackets(struct syntax *s) {
    const struct token *now = syntax_token(s, 0), *name = syntax_token(s, -1);
    struct at_text value = syntax_cut(s, now->from, now->to);
    if (!syntax_says(s, "arguments expected") || now->kind != TOKEN_NUMBER || name->kind != TOKEN_NAME ||
        !syntax_fix(s, name->to, now->to, "(%.*s)", (int)value.length, value.data))
        return false;
    char hint[200];
    snprintf(hint, sizeof hint, "write %.*s%s", (int)(name->text.length < 60 ? name->text.length : 60),
             name->text.data, s->finding->fix);
    syntax_point(s, name->from, now->to);
    return syntax_tell(s, hint, "a number that is handed over stands in brackets");
}

/* An end is missing before what closes the fields around, or at the end of a line with an if in it. */
static bool end_left_out(struct syntax *s) {
    const struct token *now = syntax_token(s, 0), *before = syntax_token(s, -1);
    bool closes = token_is(now, "}") || token_is(now, ",") || token_is(now, ")"), asks = false;
    bool is_comma = token_is(before, ","); /* read as one between two values of return */
    const struct token *last = is_comma ? syntax_token(s, -2) : before;
    for (uint32_t i = syntax_line_start(s, s->at ? s->at - 1 : 0); i < s->at; i++)
        asks |= token_is(&s->tokens[i], "then");
    if ((!syntax_says(s, "unexpected symbol") || !closes) && !(syntax_says(s, "'end' expected") && asks))
        return false;
    if (!last->to || !syntax_fix(s, last->to, last->to, " end")) return false;
    syntax_point(s, last->from, last->to);
    return syntax_tell(s, "write end where it is over",
                       asks ? "the if of this line has no \"end\"" : "something before this has no \"end\"");
}

static bool missing_comma(struct syntax *s) {
    const struct token *now = syntax_token(s, 0), *before = syntax_token(s, -1);
    bool in_table = syntax_says(s, "'}' expected"), in_call = syntax_says(s, "')' expected");
    if (!in_table && !in_call) return false;
    if (in_table && token_is(now, "=") && token_is(before, "]")) return false;
    if (token_is(now, ",") || !before->to || !syntax_fix(s, before->to, before->to, ",")) return false;
    syntax_point(s, before->to, before->to + 1);
    return syntax_tell(s, "put a comma here", "between two %s stands a comma",
                       in_table ? "fields" : "values");
}

/* f(x = 1): named values stand in braces. */
static bool named_values(struct syntax *s) {
    if (!token_is(syntax_token(s, 0), "=") || !syntax_says(s, "')' expected")) return false;
    uint32_t open = s->at;
    while (open && !token_is(&s->tokens[open], "(")) open--;
    uint32_t close = syntax_closing(s, open), first = s->at - 1;
    bool is_call = open && (s->tokens[open - 1].kind == TOKEN_NAME || token_is(&s->tokens[open - 1], ")"));
    bool is_first = first && (token_is(&s->tokens[first - 1], "(") || token_is(&s->tokens[first - 1], ","));
    if (close >= s->count || !is_call || !is_first) return false;
    struct at_text inner = syntax_cut(s, s->tokens[first].from, s->tokens[close].from);
    if (!syntax_fix(s, s->tokens[first].from, s->tokens[close].from, "{ %.*s }", (int)inner.length,
                    inner.data))
        return false;
    syntax_point(s, s->tokens[first].from, s->tokens[close].from);
    char hint[200];
    cut_hint(hint, "write ", s->finding->fix);
    return syntax_tell(s, hint, "values with names stand in braces");
}

/* ---- reserved words as names ---- */

static bool reserved_name(struct syntax *s) {
    for (int shift = 0; shift >= -1; shift--) {
        const struct token *word = syntax_token(s, shift), *before = syntax_token(s, shift - 1),
                           *next = syntax_token(s, shift + 1);
        if (word->kind != TOKEN_WORD) continue;
        bool is_read = token_is(before, ".") && syntax_fix(s, before->from, word->to, "[\"%.*s\"]",
                                                           (int)word->text.length, word->text.data);
        bool is_key =
            !is_read && token_is(next, "=") && !token_is(before, "local") &&
            syntax_fix(s, word->from, word->to, "[\"%.*s\"]", (int)word->text.length, word->text.data);
        bool is_local = !is_read && !is_key && token_is(before, "local") && !token_is(word, "function");
        if (!is_read && !is_key && !is_local) continue;
        char hint[200] = "choose another name";
        if (s->finding->fix) cut_hint(hint, "write ", s->finding->fix);
        syntax_point(s, word->from, word->to);
        return syntax_tell(s, hint, "\"%.*s\" is a word of Lua and cannot be a name", (int)word->text.length,
                           word->text.data);
    }
    return false;
}

/* ---- end ---- */

static bool end_too_many(struct syntax *s) {
    const struct token *now = syntax_token(s, 0);
    static const char *const closers[] = {"end", "}", ")", ",", "]", "else"};
    if (!syntax_says(s, "<eof>' expected") && !syntax_says(s, "<eof> expected") &&
        !syntax_says(s, "unexpected symbol") && !(syntax_says(s, "'}' expected") && token_is(now, "end")))
        return false;
    for (size_t i = 0; i < AT_LENGTH(closers); i++)
        if (token_is(now, closers[i]) && syntax_fix(s, now->from, now->to, "%s", ""))
            return syntax_tell(s, "take it out",
                               i == 3 ? "there is one comma too many"
                                      : "there is one \"%s\" too many: nothing is open that it could close",
                               closers[i]);
    return false;
}

/* What stands behind return, in the same block. */
static bool after_return(struct syntax *s) {
    const struct token *now = syntax_token(s, 0);
    if (!syntax_says(s, "'end' expected") && !syntax_says(s, "eof")) return false;
    if (!now->to || token_is(now, "}") || token_is(now, ",") || token_is(now, ")")) return false;
    int depth = 0;
    for (uint32_t i = s->at; i-- > 0;) {
        const struct token *token = &s->tokens[i];
        depth += token_is(token, ")") || token_is(token, "}") || token_is(token, "end");
        depth -= token_is(token, "(") || token_is(token, "{") || token_is(token, "function") ||
                 token_is(token, "if") || token_is(token, "do");
        if (depth < 0 || (!depth && (token_is(token, "then") || token_is(token, "else")))) return false;
        if (!depth && token_is(token, "return"))
            return syntax_tell(s, "put return last, or take this out",
                               "nothing behind return is ever done: return ends the function");
    }
    return false;
}

/* What was begun and not closed before the end of the file, the innermost: its token; NULL: nothing. */
static const struct token *left_open(const struct syntax *s) {
    static const char *const opens[] = {"(", "{", "[", "function", "if", "do", "repeat"};
    static const char *const closes[] = {")", "}", "]", "end", "until"};
    uint32_t depth = 0;
    for (uint32_t i = s->count; i-- > 0;) {
        for (size_t k = 0; k < AT_LENGTH(closes); k++) depth += token_is(&s->tokens[i], closes[k]);
        for (size_t k = 0; k < AT_LENGTH(opens); k++) {
            if (!token_is(&s->tokens[i], opens[k])) continue;
            if (!depth) return &s->tokens[i];
            depth--;
        }
    }
    return NULL;
}

/* 'x' expected (to close 'y' at line 3): y */
static bool unclosed(struct syntax *s) {
    char closer[10], opener[20];
    unsigned line = 0;
    uint32_t end = (uint32_t)s->source.length;
    const struct token *now = syntax_token(s, 0), *before = syntax_token(s, -1);
    const struct token *open = syntax_says(s, "<eof>") ? left_open(s) : NULL;
    if (open) {
        line = open->line;
        snprintf(opener, sizeof opener, "%.*s", (int)open->text.length, open->text.data);
        snprintf(closer, sizeof closer, "%s",
                 token_is(open, "(")   ? ")"
                 : token_is(open, "{") ? "}"
                 : token_is(open, "[") ? "]"
                                       : "end");
    } else if (sscanf(s->message, "'%9[^']' expected (to close '%19[^']' at line %u)", closer, opener,
                      &line) != 3 &&
               sscanf(s->message, "'%9[^']' expected", closer) != 1)
        return false;
    bool is_word = strcmp(closer, "end") == 0;
    if (!is_word && !strchr(")}]", closer[0])) return false;
    while (end && strchr(" \n\t\r", s->source.data[end - 1])) end--;
    bool is_last = !now->to;
    const char *space = is_word ? (is_last ? "\n" : " ") : (is_last && line ? "\n" : "");
    uint32_t at = is_last ? end : before->to;
    if (!syntax_fix(s, at, at, "%s%s", space, closer) &&
        (!before->to || !syntax_fix(s, before->to, before->to, "%s%s", is_word ? " " : "", closer)))
        s->finding->fix = NULL;
    char hint[200];
    snprintf(hint, sizeof hint, is_word ? "write %s where it is over" : "write %s where it ends", closer);
    if (is_last && before->to) syntax_point(s, before->from, before->to);
    if (line) return syntax_tell(s, hint, "the \"%s\" of line %u has no \"%s\"", opener, line, closer);
    if (is_word) return syntax_tell(s, hint, "an \"end\" is missing");
    return syntax_tell(s, hint, "a \"%s\" is missing", closer);
}

const syntax_habit_fn syntax_shapes[] = {
    bare_span,       open_quote,      bad_escape,   else_if,         arrow,
    c_loop,          named_values,    one_equals,   for_to,          syntax_braces,
    missing_word,    question_mark,   square_list,  colon_field,     call_without_brackets,
    colon_read,      reserved_name,   noun_shape,   equals_left_out, named_by_text,
    missing_comma,   syntax_set_back, end_left_out, end_too_many,    after_return,
    return_left_out, unclosed,        NULL};
