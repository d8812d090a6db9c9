/* SPDX-License-Identifier: Apache-2.0
 *
 * A look at source before Lua's compiler sees it: the longest chain of indexing (a.b["c"][d]:e). Lua 5.4.4
 * recurses once for each link when it words an error, which ends a small stack. load.c calls it. The count is
 * never too low: what stands in brackets is added to the chain around it.
 */
#include "script/internal.h"

#include <string.h>

#define NESTING_MAX 220 /* Lua itself refuses above 200 */

struct scan {
    const char *at, *end;
    int line;
    int depth, links[NESTING_MAX + 1]; /* links of the open chain at each depth of brackets */
    bool is_field;                     /* the name that follows goes on with the chain */
};

static bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static char peek(const struct scan *scan, size_t ahead) {
    return (size_t)(scan->end - scan->at) > ahead ? scan->at[ahead] : '\0';
}

static void skip(struct scan *scan, size_t count) {
    for (; count && scan->at < scan->end; count--) scan->line += *scan->at++ == '\n';
}

/* "[", any "=", "[": how long that is; 0: something else. */
static size_t long_bracket(const struct scan *scan, size_t ahead) {
    size_t n = 1;
    if (peek(scan, ahead) != '[') return 0;
    while (peek(scan, ahead + n) == '=') n++;
    return peek(scan, ahead + n) == '[' ? n + 1 : 0;
}

static void skip_long(struct scan *scan, size_t opening) {
    skip(scan, opening);
    for (; scan->at < scan->end; skip(scan, 1)) {
        size_t n = 1;
        if (*scan->at != ']') continue;
        while (peek(scan, n) == '=') n++;
        if (n + 1 != opening || peek(scan, n) != ']') continue;
        skip(scan, opening);
        return;
    }
}

static void skip_comment(struct scan *scan) {
    size_t opening = long_bracket(scan, 2);
    skip(scan, 2);
    if (opening)
        skip_long(scan, opening);
    else
        while (scan->at < scan->end && *scan->at != '\n') skip(scan, 1);
}

static void skip_quoted(struct scan *scan) {
    char quote = *scan->at;
    for (skip(scan, 1); scan->at < scan->end && *scan->at != quote; skip(scan, 1))
        if (*scan->at == '\\') skip(scan, 1);
    skip(scan, 1);
}

/* A number swallows its point and the sign of its exponent. */
static void skip_number(struct scan *scan) {
    while (is_name_byte(peek(scan, 0)) || peek(scan, 0) == '.') {
        bool is_exponent = strchr("eEpP", *scan->at) && (peek(scan, 1) == '+' || peek(scan, 1) == '-');
        skip(scan, is_exponent ? 2 : 1);
    }
}

static bool link(struct scan *scan, int more) {
    scan->links[scan->depth] += more;
    return scan->links[scan->depth] <= AT_SCRIPT_CHAIN_MAX;
}

static bool open_bracket(struct scan *scan) {
    if (scan->depth == NESTING_MAX) return false;
    scan->links[++scan->depth] = 0;
    return true;
}

static bool close_bracket(struct scan *scan) {
    if (!scan->depth) return true; /* the compiler will say so */
    int inner = scan->links[scan->depth--];
    return link(scan, inner);
}

/* One sign; false: the chain is too long. */
static bool read_sign(struct scan *scan) {
    char c = *scan->at, after = peek(scan, 1);
    bool is_double = (c == '.' || c == ':') && after == c;
    skip(scan, is_double ? 2 : 1);
    if (is_double || strchr("+-*/%^#&~|<>=,;", c)) {
        scan->links[scan->depth] = 0;
        return true;
    }
    switch (c) {
    case '.':
    case ':': scan->is_field = true; return link(scan, 1);
    case '[': return link(scan, 1) && open_bracket(scan);
    case '(':
    case '{': return open_bracket(scan);
    case ']':
    case ')':
    case '}': return close_bracket(scan);
    default: return true;
    }
}

static void read_name(struct scan *scan) {
    if (!scan->is_field) scan->links[scan->depth] = 0;
    while (is_name_byte(peek(scan, 0))) skip(scan, 1);
}

static bool read_token(struct scan *scan) {
    char c = *scan->at, after = peek(scan, 1);
    bool was_field = scan->is_field;
    if (strchr(" \t\r\n\f\v", c) || !c) {
        skip(scan, 1);
        return true;
    }
    if (c == '-' && after == '-') {
        skip_comment(scan);
        return true;
    }
    size_t opening = long_bracket(scan, 0);
    bool is_ok = true;
    if ((c >= '0' && c <= '9') || (c == '.' && after >= '0' && after <= '9'))
        skip_number(scan);
    else if (is_name_byte(c))
        read_name(scan);
    else if (c == '"' || c == '\'')
        skip_quoted(scan);
    else if (opening)
        skip_long(scan, opening);
    else
        is_ok = read_sign(scan);
    if (was_field) scan->is_field = false;
    return is_ok;
}

bool at_script_has_long_chain(const char *text, size_t length, int *line_out) {
    struct scan scan = {.at = text, .end = text + length, .line = 1};
    while (scan.at < scan.end)
        if (!read_token(&scan)) {
            *line_out = scan.line;
            return true;
        }
    return false;
}
