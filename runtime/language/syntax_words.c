/* SPDX-License-Identifier: Apache-2.0
 *
 * What a syntax error says to people who do not program: Lua names the token it stumbled over, this names the
 * habit behind it. Where none is known, Lua's sentence is said in everyday words.
 */
#include "language/syntax.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "language/parse.h"

#define FIXES_MAX 10 /* of one file: each try reads it again; the others come when these are mended */

/* ---- looking around ---- */

const struct token *syntax_token(const struct syntax *s, int shift) {
    static const struct token none = {.kind = TOKEN_END};
    int64_t index = (int64_t)s->at + shift;
    return index >= 0 && index < (int64_t)s->count ? &s->tokens[index] : &none;
}

bool token_is(const struct token *token, const char *text) {
    return token->kind != TOKEN_STRING && token->kind != TOKEN_NUMBER && token->kind != TOKEN_END &&
           at_text_is(token->text, text);
}

bool syntax_stands(const struct syntax *s, int64_t at, const char *text) {
    size_t length = strlen(text);
    return at >= 0 && (uint64_t)at + length <= s->source.length &&
           memcmp(s->source.data + at, text, length) == 0;
}

bool syntax_says(const struct syntax *s, const char *words) {
    return strstr(s->message, words) != NULL;
}

struct at_text syntax_cut(const struct syntax *s, uint32_t from, uint32_t to) {
    return (struct at_text){s->source.data + from, to > from ? to - from : 0};
}

uint32_t syntax_closing(const struct syntax *s, uint32_t open) {
    int depth = 0;
    for (uint32_t i = open; i < s->count; i++) {
        const struct token *token = &s->tokens[i];
        if (token_is(token, "(") || token_is(token, "{") || token_is(token, "[")) depth++;
        if (token_is(token, ")") || token_is(token, "}") || token_is(token, "]")) depth--;
        if (depth == 0) return i;
    }
    return s->count;
}

uint32_t syntax_line_start(const struct syntax *s, uint32_t index) {
    while (index > 0 && index < s->count && s->tokens[index - 1].line == s->tokens[index].line) index--;
    return index;
}

/* A byte order mark is no part of the first line. */
static uint32_t head_of(struct at_text source) {
    return source.length >= 3 && memcmp(source.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* All tokens; what is none stands among them as a sign that Lua does not know. */
static bool read_tokens(struct syntax *s) {
    uint32_t head = head_of(s->source), capacity = (uint32_t)s->source.length + 1;
    struct lexer lexer = {
        .arena = s->scratch, .source = s->source, .line = 1, .at = head, .line_start = head};
    s->tokens = at_arena_alloc(s->scratch, capacity * sizeof *s->tokens);
    if (!s->tokens) return false;
    while (s->count < capacity) {
        struct token *token = &s->tokens[s->count];
        if (!lex_next(&lexer, token)) {
            if (lexer.status != AT_INVALID) break;
            lex_mend(&lexer, token);
        }
        if (token->kind == TOKEN_END) break;
        s->count++;
    }
    while (s->at < s->count && s->tokens[s->at].to <= s->place) s->at++;
    return true;
}

/* ---- telling ---- */

void syntax_point(struct syntax *s, uint32_t from, uint32_t to) {
    struct at_finding *finding = s->finding;
    uint32_t line_start = head_of(s->source);
    finding->line = 1;
    for (uint32_t i = line_start; i < from && i < s->source.length; i++)
        if (s->source.data[i] == '\n') {
            finding->line++;
            line_start = i + 1;
        }
    finding->column = from - line_start + 1;
    finding->from = from;
    finding->to = to;
}

bool syntax_tell(struct syntax *s, const char *hint, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(s->finding->message, sizeof s->finding->message, fmt, args);
    va_end(args);
    if (hint) snprintf(s->finding->hint, sizeof s->finding->hint, "%s", hint);
    return true;
}

/* How many faults the text has, and where the one of that number is; at: UINT32_MAX: there are not so many.
 */
struct reading {
    uint32_t count, at;
};
static struct reading read_again(struct at_text text, uint32_t number) {
    struct at_arena arena;
    struct at_node *block;
    struct at_fault *fault;
    struct reading reading = {0, UINT32_MAX};
    at_arena_init(&arena, 64 << 20);
    if (at_parse(&arena, text, &block, &fault) != AT_OK)
        reading = (struct reading){UINT32_MAX, 0};
    else
        for (; fault; fault = fault->next, reading.count++)
            if (reading.count == number) reading.at = fault->from;
    at_arena_clear(&arena);
    return reading;
}

/* Better: fewer faults; or as many, and where this one was the text reads further. */
static bool reads_further(const struct syntax *s, const struct at_finding *trial) {
    struct at_bytes mended;
    int64_t length = (int64_t)strlen(trial->fix);
    at_bytes_init(&mended, s->source.length + 2000);
    at_finding_mend(&mended, s->source, &trial, 1);
    struct reading now = {UINT32_MAX, 0};
    if (!mended.failed) now = read_again((struct at_text){mended.data, mended.length}, s->number);
    at_bytes_clear(&mended);
    if (now.count != s->fault_count) return now.count < s->fault_count;
    int64_t further = (int64_t)now.at - length + (int64_t)(trial->fix_to - trial->fix_from);
    return further > (int64_t)s->place && now.at >= trial->fix_from + length;
}

bool syntax_fix(struct syntax *s, uint32_t from, uint32_t to, const char *fmt, ...) {
    char text[1000];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct at_finding trial = {.fix = text, .fix_from = from, .fix_to = to};
    if (length < 0 || (size_t)length >= sizeof text || to > s->source.length || s->number >= FIXES_MAX ||
        !reads_further(s, &trial))
        return false;
    const char *kept = at_arena_dup(s->arena, text, (size_t)length);
    if (!kept) return false;
    s->finding->fix = kept;
    s->finding->fix_from = from;
    s->finding->fix_to = to;
    return true;
}

/* ---- when no habit is known ---- */

/* "near 'x'": x; else what stands for the end of the file. */
static void near_words(const char *message, char out[80]) {
    const char *near = strstr(message, " near ");
    const char *quote = near ? strchr(near, '\'') : NULL, *end = quote ? strrchr(quote + 1, '\'') : NULL;
    if (quote && end && end > quote && strncmp(quote + 1, "<\\", 2) != 0)
        snprintf(out, 80, "\"%.*s\"", (int)(end - quote - 1 < 60 ? end - quote - 1 : 60), quote + 1);
    else if (near && strstr(near, "<eof>"))
        snprintf(out, 80, "the end of the file");
    else
        snprintf(out, 80, "this sign");
}

static bool plain_words(struct syntax *s) {
    static const struct {
        const char *lua, *words, *hint;
    } plain[] = {
        {"break outside", "break stands outside of a loop: there is nothing to leave", "take it out"},
        {"no visible label", "goto has no place of that name to go to", "write an if instead"},
        {"const variable", "this local is <const>: it cannot be set again", "take <const> out"},
        {"escape sequence", "a \\ in a text begins a special sign, and this is none",
         "write \\\\ for one \\"},
        {"decimal escape", "a \\ in a text begins a special sign, and this is none", "write \\\\ for one \\"},
        {"hexadecimal digit", "\\x in a text needs two hexadecimal digits", "write \\\\ for one \\"},
        {"unfinished long comment", "the comment that begins with --[[ has no end", "write ]] where it ends"},
        {"unfinished long string", "the text that begins with [[ has no end", "write ]] where it ends"},
        {"outside a vararg", "\"...\" stands for code that was left out: write it", NULL},
        {"too many local variables", "there are more than 200 locals in one function",
         "put some of it into a function of its own"},
        {"C levels", "this is nested too deeply", "put some of it into a function of its own"},
        {"overflow", "this is nested too deeply", "put some of it into a function of its own"},
    };
    for (size_t i = 0; i < AT_LENGTH(plain); i++)
        if (syntax_says(s, plain[i].lua)) return syntax_tell(s, plain[i].hint, "%s", plain[i].words);
    return false;
}

static bool any_words(struct syntax *s) {
    char near[80], wanted[40];
    near_words(s->message, near);
    if (syntax_says(s, "<name> expected")) return syntax_tell(s, NULL, "a name is missing before %s", near);
    if (sscanf(s->message, "'%39[^']' expected", wanted) == 1 && strcmp(wanted, "<eof>") != 0)
        return syntax_tell(s, NULL, "\"%s\" is missing before %s", wanted, near);
    if (syntax_says(s, "<eof>")) return syntax_tell(s, NULL, "something that was begun above has no end");
    if (syntax_says(s, "unexpected symbol") || syntax_says(s, "syntax error") || syntax_says(s, "expected"))
        return syntax_tell(s, NULL, "%s does not belong here", near);
    return syntax_tell(s, NULL, "%.200s", s->message);
}

static bool try_all(struct syntax *s, const syntax_habit_fn *habits) {
    for (; *habits; habits++) {
        s->finding->fix = NULL;
        if ((*habits)(s)) return true;
    }
    s->finding->fix = NULL;
    return false;
}

void at_syntax_words(struct at_arena *arena, struct at_text source, const char *message, uint32_t number,
                     uint32_t fault_count, struct at_finding *finding) {
    struct at_arena scratch;
    struct syntax s = {.arena = arena,
                       .scratch = &scratch,
                       .source = source,
                       .message = message,
                       .finding = finding,
                       .number = number,
                       .fault_count = fault_count,
                       .place = finding->from};
    at_arena_init(&scratch, 64 << 20);
    if (!read_tokens(&s)) s.count = 0;
    if (!plain_words(&s) && !try_all(&s, syntax_signs) && !try_all(&s, syntax_shapes)) any_words(&s);
    at_arena_clear(&scratch);
}
