/* SPDX-License-Identifier: Apache-2.0
 *
 * Braces of other languages: if (…) { … } else { … }, while (…) { … }, function() { … }.
 */
#include <string.h>
#include "language/syntax.h"

/* from … { body } becomes words … body end, when the source reads further so. */
static bool brace_body(struct syntax *s, uint32_t open, const char *words) {
    uint32_t close = syntax_closing(s, open);
    if (close >= s->count) return false;
    struct at_text body = syntax_cut(s, s->tokens[open].to, s->tokens[close].from);
    const char *gap = body.length && body.data[0] != ' ' && body.data[0] != '\n' ? " " : "";
    const char *last = body.length && strchr(" \n\t", body.data[body.length - 1]) ? "" : " ";
    uint32_t from = s->tokens[open].from;
    bool joins = *words && from && s->source.data[from - 1] != ' ';
    return syntax_fix(s, from, s->tokens[close].to, "%s%s%s%.*s%send", joins ? " " : "", words, gap,
                      (int)body.length, body.data, last);
}

static bool is_blank_between(const struct syntax *s, uint32_t index) {
    struct at_text gap = syntax_cut(s, s->tokens[index].to, s->tokens[index + 1].from);
    return strspn(gap.data, " \t\r\n") >= gap.length;
}

/* The { of an else, or of an else if with its condition, behind that }; s->count: there is none. */
static uint32_t next_brace(const struct syntax *s, uint32_t close) {
    uint32_t at = close + 1, line = at < s->count ? s->tokens[at].line : 0;
    bool is_else = at + 1 < s->count && token_is(&s->tokens[at], "else") && is_blank_between(s, close);
    if (!is_else || !is_blank_between(s, at)) return s->count;
    if (token_is(&s->tokens[at + 1], "{")) return at + 1;
    if (!token_is(&s->tokens[at + 1], "if")) return s->count;
    while (at < s->count && s->tokens[at].line == line && !token_is(&s->tokens[at], "{")) at++;
    return at < s->count && s->tokens[at].line == line ? at : s->count;
}

/* if … { } else if … { } else { }: all of it, for a part of it does not read. */
static bool brace_chain(struct syntax *s, uint32_t open) {
    const char *text = "then";
    uint32_t from = s->tokens[open].from, close = syntax_closing(s, open), parts = 0;
    for (; close < s->count && text; parts++) {
        uint32_t next = next_brace(s, close);
        struct at_text body = syntax_cut(s, s->tokens[open].to, s->tokens[close].from);
        bool is_last = next >= s->count, has_if = !is_last && next > close + 2;
        bool has_gap = body.length && strchr(" \n\r\t", body.data[0]),
             has_end = body.length && strchr(" \n\r\t", body.data[body.length - 1]);
        text = at_arena_printf(s->scratch, "%s%s%.*s%s%s", text, has_gap ? "" : " ", (int)body.length,
                               body.data, has_end ? "" : " ",
                               is_last  ? "end"
                               : has_if ? "elseif"
                                        : "else");
        if (is_last) break;
        struct at_text condition =
            has_if ? syntax_cut(s, s->tokens[close + 2].to, s->tokens[next].from) : AT_TEXT("");
        if (text && has_if)
            text = at_arena_printf(s->scratch, "%s%.*sthen", text, (int)condition.length, condition.data);
        open = next;
        close = syntax_closing(s, open);
    }
    return text && parts && close < s->count && syntax_fix(s, from, s->tokens[close].to, "%s", text);
}

bool syntax_braces(struct syntax *s) {
    uint32_t open = s->at;
    if (open < s->count && !token_is(&s->tokens[open], "{") && open && token_is(&s->tokens[open - 1], "{"))
        open--;
    for (; open < s->count && open + 3 > s->at;
         open--) { /* the fault may be behind a return or a name in it */
        if (token_is(&s->tokens[open], "{")) break;
        if (!open) return false;
    }
    if (open >= s->count || !token_is(&s->tokens[open], "{")) return false;
    static const struct {
        const char *word, *with, *hint;
    } heads[] = {{"if", "then", "write then … end"},
                 {"elseif", "then", "write then … end"},
                 {"for", "do", "write do … end"},
                 {"while", "do", "write do … end"},
                 {NULL, "", "write function(…) … end"}};
    uint32_t first = syntax_line_start(s, open);
    for (size_t i = 0; i < AT_LENGTH(heads); i++) {
        bool is_it = heads[i].word ? token_is(&s->tokens[first], heads[i].word)
                                   : open && token_is(&s->tokens[open - 1], ")");
        bool is_if = heads[i].word && i < 2;
        if (!is_it || (!(is_if && brace_chain(s, open)) && !brace_body(s, open, heads[i].with))) continue;
        syntax_point(s, s->tokens[open].from, s->tokens[open].to);
        return syntax_tell(s, heads[i].hint,
                           "braces hold fields: what is to be done stands between words, up to end");
    }
    return false;
}
