/* SPDX-License-Identifier: Apache-2.0
 *
 * The bounded pattern matcher. Called by find.c for string.find, match, gmatch and gsub. Owns nothing.
 * Errors are found as late as in stock Lua: a malformed tail that is never reached is never reported. Every
 * loop pays for its steps through spend(), so a hostile pattern ends by budget or by deadline.
 */
#include "script/pattern.h"

#include <string.h>

#define DEPTH_MAX  200 /* as stock: a pattern of 256 bytes stays below it */
#define POLL_STEPS 1024

/* The C locale's classes, whatever locale the host has set. */
static bool is_upper(unsigned char c) {
    return c >= 'A' && c <= 'Z';
}
static bool is_lower(unsigned char c) {
    return c >= 'a' && c <= 'z';
}
static bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}
static bool is_alnum(unsigned char c) {
    return is_upper(c) || is_lower(c) || is_digit(c);
}
static bool is_hex(unsigned char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
static bool is_graph(unsigned char c) {
    return c > 32 && c < 127;
}

static const char *fail(struct at_pattern *m, const char *error, int index) {
    if (!m->error) {
        m->error = error;
        m->error_index = index;
    }
    return NULL;
}

static bool spend(struct at_pattern *m, size_t steps) {
    m->steps += steps;
    if (m->steps > m->steps_max) fail(m, "pattern too complex: it needs too many steps on this text", 0);
    if (m->steps >= m->next_poll && m->is_over) {
        m->next_poll = m->steps + POLL_STEPS;
        if (m->is_over(m->arg)) {
            m->was_stopped = true;
            fail(m, "stopped", 0);
        }
    }
    return !m->error;
}

void at_pattern_init(struct at_pattern *m, const char *subject, size_t subject_length, const char *pattern,
                     size_t pattern_length, bool has_anchor) {
    memset(m, 0, offsetof(struct at_pattern, captures));
    m->error = NULL;
    m->error_index = 0;
    m->was_stopped = false;
    m->subject = subject;
    m->subject_end = subject + subject_length;
    m->is_anchored = has_anchor && pattern_length && *pattern == '^';
    m->pattern = pattern + m->is_anchored;
    m->pattern_end = pattern + pattern_length;
    m->steps_max = AT_PATTERN_STEPS + 8 * (uint64_t)subject_length;
    m->next_poll = POLL_STEPS;
}

/* The byte at p, 0 past the end: stock reads the strings' terminating zero there. */
static char pattern_at(const struct at_pattern *m, const char *p) {
    return p < m->pattern_end ? *p : '\0';
}
static unsigned char subject_at(const struct at_pattern *m, const char *s) {
    return s < m->subject_end ? (unsigned char)*s : 0;
}

/* A set "[…]": p is past the bracket; the end past the closing one. */
static const char *find_set_end(struct at_pattern *m, const char *p) {
    if (pattern_at(m, p) == '^') p++;
    do {
        if (p >= m->pattern_end) return fail(m, "malformed pattern (missing ']')", 0);
        if (*p++ == '%' && p < m->pattern_end) p++;
    } while (pattern_at(m, p) != ']');
    return p + 1;
}

/* Past the single-byte item at p, before its quantifier. */
static const char *find_item_end(struct at_pattern *m, const char *p) {
    if (*p == '[') return find_set_end(m, p + 1);
    if (*p != '%') return p + 1;
    if (p + 1 >= m->pattern_end) return fail(m, "malformed pattern (ends with '%%')", 0);
    return p + 2;
}

static bool class_holds(unsigned char c, unsigned char class) {
    bool holds;
    switch (is_upper(class) ? class + 32 : class) {
    case 'a': holds = is_upper(c) || is_lower(c); break;
    case 'c': holds = c < 32 || c == 127; break;
    case 'd': holds = is_digit(c); break;
    case 'g': holds = is_graph(c); break;
    case 'l': holds = is_lower(c); break;
    case 'p': holds = is_graph(c) && !is_alnum(c); break;
    case 's': holds = c == ' ' || (c >= 9 && c <= 13); break;
    case 'u': holds = is_upper(c); break;
    case 'w': holds = is_alnum(c); break;
    case 'x': holds = is_hex(c); break;
    case 'z': holds = c == 0; break; /* deprecated, but stock Lua still has it */
    default: return class == c;
    }
    return holds != is_upper(class);
}

/* first is past '[', last at ']'. */
static bool set_holds(unsigned char c, const char *first, const char *last) {
    const unsigned char *p = (const unsigned char *)first, *end = (const unsigned char *)last;
    bool is_negated = p < end && *p == '^';
    for (p += is_negated; p < end; p++) {
        if (*p == '%') { /* after a range up to the first of "%%" the class is the closing ']', as in stock */
            if (class_holds(c, *++p)) return !is_negated;
        } else if (p + 2 < end && p[1] == '-') {
            if (p[0] <= c && c <= p[2]) return !is_negated;
            p += 2;
        } else if (*p == c) {
            return !is_negated;
        }
    }
    return is_negated;
}

static bool item_holds(unsigned char c, const char *p, const char *end) {
    switch (*p) {
    case '.': return true;
    case '%': return class_holds(c, (unsigned char)p[1]);
    case '[': return set_holds(c, p + 1, end - 1);
    default: return (unsigned char)*p == c;
    }
}
static bool item_matches(const struct at_pattern *m, const char *s, const char *p, const char *end) {
    return s < m->subject_end && item_holds((unsigned char)*s, p, end);
}

static const char *match(struct at_pattern *m, const char *s, const char *p);

static const char *open_capture(struct at_pattern *m, const char *s, const char *p) {
    bool is_position = pattern_at(m, p + 1) == ')';
    if (m->level >= AT_PATTERN_CAPTURES_MAX) return fail(m, "too many captures", 0);
    m->captures[m->level] = (struct at_capture){s, is_position ? AT_CAPTURE_POSITION : AT_CAPTURE_OPEN};
    m->level++;
    const char *end = match(m, s, p + (is_position ? 2 : 1));
    if (!end) m->level--;
    return end;
}

static const char *close_capture(struct at_pattern *m, const char *s, const char *p) {
    int i = m->level;
    while (i > 0 && m->captures[i - 1].length != AT_CAPTURE_OPEN) i--;
    if (!i) return fail(m, "invalid pattern capture", 0);
    m->captures[i - 1].length = s - m->captures[i - 1].start;
    const char *end = match(m, s, p + 1);
    if (!end) m->captures[i - 1].length = AT_CAPTURE_OPEN;
    return end;
}

/* "%1": the text of an earlier capture again. */
static const char *match_back(struct at_pattern *m, const char *s, char digit) {
    int i = digit - '1';
    if (i < 0 || i >= m->level || m->captures[i].length == AT_CAPTURE_OPEN)
        return fail(m, "invalid capture index %%%d", i + 1);
    size_t length = (size_t)m->captures[i].length; /* a position: longer than any text */
    if ((size_t)(m->subject_end - s) < length || !spend(m, length / 64)) return NULL;
    return memcmp(m->captures[i].start, s, length) == 0 ? s + length : NULL;
}

/* "%bxy": p at x. */
static const char *match_balance(struct at_pattern *m, const char *s, const char *p) {
    if (p + 1 >= m->pattern_end) return fail(m, "malformed pattern (missing arguments to '%%b')", 0);
    if (s >= m->subject_end || *s != p[0]) return NULL;
    for (size_t open = 1; ++s < m->subject_end;) {
        if (!spend(m, 1)) return NULL;
        if (*s == p[1]) {
            if (--open == 0) return s + 1;
        } else if (*s == p[0]) {
            open++;
        }
    }
    return NULL;
}

/* "%f[…]": p at the bracket; the pattern's rest, or NULL. */
static const char *match_frontier(struct at_pattern *m, const char *s, const char *p) {
    if (pattern_at(m, p) != '[') return fail(m, "missing '[' after '%%f' in pattern", 0);
    const char *end = find_set_end(m, p + 1);
    if (!end) return NULL;
    unsigned char before = s == m->subject ? 0 : (unsigned char)s[-1];
    bool is_edge = !set_holds(before, p + 1, end - 1) && set_holds(subject_at(m, s), p + 1, end - 1);
    return is_edge ? end : NULL;
}

static const char *expand_most(struct at_pattern *m, const char *s, const char *p, const char *end) {
    const char *last = s;
    while (item_matches(m, last, p, end)) {
        if (!spend(m, 1)) return NULL;
        last++;
    }
    for (; last >= s; last--) {
        const char *found = match(m, last, end + 1);
        if (found || m->error) return found;
        if (last == s) break;
    }
    return NULL;
}

static const char *expand_least(struct at_pattern *m, const char *s, const char *p, const char *end) {
    for (;; s++) {
        const char *found = match(m, s, end + 1);
        if (found || m->error) return found;
        if (!item_matches(m, s, p, end)) return NULL;
    }
}

/* One item that may carry a quantifier. True: go on at *s, *p; false: *result is the answer. */
static bool step_item(struct at_pattern *m, const char **s, const char **p, const char **result) {
    const char *end = find_item_end(m, *p);
    *result = NULL;
    if (!end) return false;
    bool holds = item_matches(m, *s, *p, end);
    switch (pattern_at(m, end)) {
    case '?':
        if (holds) *result = match(m, *s + 1, end + 1);
        if (*result || m->error) return false;
        *p = end + 1;
        return true;
    case '+':
        if (holds) *result = expand_most(m, *s + 1, *p, end);
        return false;
    case '*': *result = expand_most(m, *s, *p, end); return false;
    case '-': *result = expand_least(m, *s, *p, end); return false;
    default:
        *s += holds;
        *p = end;
        return holds;
    }
}

/* "%b", "%f", "%1". True: go on at *s, *p (*s NULL: no match); false: an ordinary item. */
static bool step_special(struct at_pattern *m, const char **s, const char **p) {
    char kind = pattern_at(m, *p + 1);
    if (kind == 'b') {
        *s = match_balance(m, *s, *p + 2);
        *p += 4;
    } else if (kind == 'f') {
        const char *rest = match_frontier(m, *s, *p + 2);
        if (!rest) *s = NULL;
        *p = rest;
    } else if (is_digit((unsigned char)kind)) {
        *s = match_back(m, *s, kind);
        *p += 2;
    } else {
        return false;
    }
    return true;
}

static const char *match_from(struct at_pattern *m, const char *s, const char *p) {
    while (p < m->pattern_end) {
        if (!spend(m, 1)) return NULL;
        if (*p == '(') return open_capture(m, s, p);
        if (*p == ')') return close_capture(m, s, p);
        if (*p == '$' && p + 1 == m->pattern_end) return s == m->subject_end ? s : NULL;
        if (*p == '%' && step_special(m, &s, &p)) {
            if (!s) return NULL;
            continue;
        }
        const char *result;
        if (!step_item(m, &s, &p, &result)) return result;
    }
    return s;
}

static const char *match(struct at_pattern *m, const char *s, const char *p) {
    if (m->depth >= DEPTH_MAX) return fail(m, "pattern too complex", 0);
    m->depth++;
    const char *end = match_from(m, s, p);
    m->depth--;
    return end;
}

const char *at_pattern_match(struct at_pattern *m, const char *s) {
    m->level = 0;
    m->depth = 0;
    return spend(m, 1) ? match(m, s, m->pattern) : NULL;
}

ptrdiff_t at_pattern_capture(struct at_pattern *m, int index, const char *s, const char *e,
                             const char **start) {
    if (index >= m->level) {
        *start = index ? fail(m, "invalid capture index %%%d", index + 1) : s;
        return index ? 0 : e - s;
    }
    ptrdiff_t length = m->captures[index].length;
    *start = length == AT_CAPTURE_OPEN ? fail(m, "unfinished capture", 0) : m->captures[index].start;
    return length;
}
