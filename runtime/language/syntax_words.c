/* SPDX-License-Identifier: Apache-2.0
 *
 * What a syntax error says to people who do not program: Lua names the token it stumbled over, this names the
 * habit behind it. What is not known keeps Lua's words.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "language/analysis.h"
#include "language/lex.h"

struct place {
    struct at_text source;
    size_t at; /* of the token the error is about */
};

static struct place find_place(struct at_text source, uint32_t line, uint32_t column) {
    struct place place = {source, 0};
    for (uint32_t i = 1; i < line && place.at < source.length; place.at++)
        if (source.data[place.at] == '\n') i++;
    place.at += column ? column - 1 : 0;
    if (place.at > source.length) place.at = source.length;
    return place;
}

static bool stands(const struct place *place, ptrdiff_t shift, const char *text) {
    size_t length = strlen(text);
    if (shift < 0 && (size_t)-shift > place->at) return false;
    size_t at = place->at + (size_t)shift;
    return at + length <= place->source.length && memcmp(place->source.data + at, text, length) == 0;
}

/* "else if" somewhere before: it opens an if of its own, and an end is missing at the end. */
static bool has_else_if(const struct place *place) {
    for (size_t i = 0; i + 7 < place->at; i++) {
        const char *at = place->source.data + i;
        if (memcmp(at, "else", 4) != 0 || (i && (isalnum((unsigned char)at[-1]) || at[-1] == '_'))) continue;
        size_t n = i + 4;
        while (n < place->at && (place->source.data[n] == ' ' || place->source.data[n] == '\t')) n++;
        if (n > i + 4 && n + 3 <= place->source.length && memcmp(place->source.data + n, "if ", 3) == 0)
            return true;
    }
    return false;
}

static bool is_quote(const struct place *place) {
    return stands(place, 0, "\xE2\x80\x9C") || stands(place, 0, "\xE2\x80\x9D") ||
           stands(place, 0, "\xE2\x80\x9E") || stands(place, 0, "\xE2\x80\x98") ||
           stands(place, 0, "\xE2\x80\x99");
}

static bool is_compound(const struct place *place) {
    return place->at < place->source.length && strchr("+-*/%^.", place->source.data[place->at]) &&
           (stands(place, 1, "=") || stands(place, 2, "=")) && !stands(place, 1, "==");
}

static bool says(const char *message, const char *words) {
    return strstr(message, words) != NULL;
}

/* What to write instead; NULL: nothing better to say. *what: the sentence, NULL: Lua's own. */
static const char *advise(const struct place *place, const char *message, const char **what) {
    *what = NULL;
    if (stands(place, 0, "!=")) return *what = "\"!=\" is not known here", "write ~= for \"is not\"";
    if (stands(place, 0, "!")) return *what = "\"!\" is not known here", "write not for \"not\"";
    if (is_quote(place)) return *what = "these are curly quotes", "write straight ones: \"…\"";
    if (stands(place, 0, "&&") || (stands(place, -1, "&&")))
        return *what = "\"&&\" is not known here", "write and";
    if (stands(place, 0, "||") || (stands(place, -1, "||")))
        return *what = "\"||\" is not known here", "write or";
    if (stands(place, 0, "++")) return *what = "\"++\" is not known here", "write x = x + 1";
    if (says(message, "syntax error") && is_compound(place))
        return *what = "there is no short form for changing a value", "write x = x + 1 instead of x += 1";
    if (says(message, "'then' expected near '='")) return *what = "one = sets a value", "write == to compare";
    if (says(message, "'end' expected") && has_else_if(place))
        return *what = "an end is missing: else if opens an if of its own", "write elseif, in one word";
    if (says(message, "'}' expected")) return "is a comma missing before this?";
    if (says(message, "',' expected near 'to'")) return "write for i = 1, 3 do";
    if (says(message, "unfinished string"))
        return *what = "a text has no closing quote", "end it with the quote it began with";
    if (says(message, "malformed number"))
        return "write numbers with a point: 19.99; times and shares in quotes: \"7d\", \"5%\"";
    if (says(message, "<eof>")) return "something opened above is not closed: end, ) or }";
    if (stands(place, 0, "?") || stands(place, 0, "=>"))
        return "write function(…) return … end, or when(condition, yes, no)";
    return NULL;
}

void at_syntax_words(struct at_text source, const char *message, struct at_finding *finding) {
    struct place place = find_place(source, finding->line, finding->column);
    const char *what, *hint = advise(&place, message, &what);
    if (what)
        snprintf(finding->message, sizeof finding->message, "%s (%.150s)", what, message);
    else
        snprintf(finding->message, sizeof finding->message, "%.250s", message);
    if (hint) snprintf(finding->hint, sizeof finding->hint, "%s", hint);
}
