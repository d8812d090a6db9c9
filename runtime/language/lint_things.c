/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons of unlike things: a price with a text, a time with a bare number, a list with one value, a text
 * with a word it can never be.
 */
#include "language/lint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "base/utf8.h"

static bool is_order(struct at_text sign) {
    return at_text_is(sign, "<") || at_text_is(sign, "<=") || at_text_is(sign, ">") || at_text_is(sign, ">=");
}
static bool is_equality(struct at_text sign) {
    return at_text_is(sign, "==") || at_text_is(sign, "~=");
}

/* ---- what a literal would be as the other kind ---- */

/* "1h30m" as hours(1) + minutes(30) */
static bool write_span(struct at_text text, char out[80]) {
    static const struct {
        const char *word;
        int64_t ms;
    } units[] = {{"weeks", 7 * AT_DAY_MS},
                 {"days", AT_DAY_MS},
                 {"hours", AT_HOUR_MS},
                 {"minutes", AT_MINUTE_MS},
                 {"seconds", AT_SECOND_MS}};
    struct at_error err;
    int64_t ms;
    if (at_span_parse(text.data, text.length, &ms, &err) != AT_OK || ms <= 0) return false;
    bool in_weeks = memchr(text.data, 'w', text.length) != NULL;
    out[0] = 0;
    for (size_t i = in_weeks ? 0 : 1; i < AT_LENGTH(units) && ms; i++) {
        if (ms < units[i].ms) continue;
        size_t at = strlen(out);
        snprintf(out + at, 80 - at, "%s%s(%lld)", at ? " + " : "", units[i].word,
                 (long long)(ms / units[i].ms));
        ms %= units[i].ms;
    }
    return !ms;
}

/* The number a text holds. */
static bool write_number(struct at_text text, char out[80]) {
    struct at_error err;
    double value;
    char end;
    if (!text.length || text.length > 30) return false;
    if (text.data[text.length - 1] == '%') {
        if (at_share_parse(text.data, text.length, &value, &err) != AT_OK) return false;
    } else {
        char copy[32];
        snprintf(copy, sizeof copy, "%.*s", (int)text.length, text.data);
        if (strspn(copy, "0123456789.-") != text.length || sscanf(copy, "%lf%c", &value, &end) != 1)
            return false;
    }
    snprintf(out, 80, "%.15g", value);
    return true;
}

/* What to write in the literal's stead, to compare it with that kind. */
static bool write_as(const struct at_node *literal, enum lint_kind wanted, char out[80]) {
    if (literal->kind == AT_NODE_STRING) {
        if (wanted == KIND_SPAN) return write_span(literal->text, out);
        if (wanted == KIND_NUMBER || wanted == KIND_SHARE) return write_number(literal->text, out);
        bool is_yes = at_text_is(literal->text, "true") || at_text_is(literal->text, "yes");
        bool is_no = at_text_is(literal->text, "false") || at_text_is(literal->text, "no");
        snprintf(out, 80, "%s", is_yes ? "true" : "false");
        return wanted == KIND_BOOL && (is_yes || is_no);
    }
    if (literal->kind == AT_NODE_NUMBER && wanted == KIND_BOOL &&
        (literal->number == 1 || literal->number == 0)) {
        snprintf(out, 80, "%s", literal->number == 1 ? "true" : "false");
        return true;
    }
    if (literal->kind == AT_NODE_NUMBER && wanted == KIND_TEXT) {
        snprintf(out, 80, "\"%.15g\"", literal->number);
        return true;
    }
    return false;
}

static bool is_literal(const struct at_node *node) {
    return node->kind == AT_NODE_STRING || node->kind == AT_NODE_NUMBER || node->kind == AT_NODE_TRUE ||
           node->kind == AT_NODE_FALSE || node->kind == AT_NODE_TABLE;
}

static void short_cut(const struct lint *lint, const struct at_node *node, char out[64]) {
    struct at_text text = lint_cut(lint, node);
    snprintf(out, 64, "%.*s%s", (int)(text.length < 50 ? text.length : 50), text.data,
             text.length < 50 ? "" : "…");
}

static void add_way(struct lint *lint, struct at_finding *finding, const struct at_node *literal,
                    enum lint_kind wanted) {
    char written[80];
    if (write_as(literal, wanted, written))
        lint_fix(lint, finding, literal->from, literal->to, "%s", written);
    else if (wanted == KIND_MOMENT)
        lint_hint(finding, "compare it with a moment, like now() - days(30)");
    else if (wanted == KIND_SPAN)
        lint_hint(finding, "compare it with a time, like days(30)");
    else
        lint_hint(finding, "compare it with %s", lint_kind_word(wanted));
}

/* ---- == < > ---- */

static bool is_unlike(enum lint_kind a, enum lint_kind b) {
    if (a == KIND_UNKNOWN || b == KIND_UNKNOWN || a == KIND_NIL || b == KIND_NIL) return false;
    if (lint_is_number(a) && lint_is_number(b)) return false;
    return a != b || a == KIND_TABLE || a == KIND_LIST;
}

static void unlike(struct lint *lint, const struct at_node *node, const struct at_node *thing,
                   const struct at_node *other) {
    enum lint_kind kind = lint_kind_of(lint, thing), wrong = lint_kind_of(lint, other);
    char name[64];
    struct at_text sign = node->text;
    short_cut(lint, thing, name);
    if (kind == KIND_LIST && other->kind == AT_NODE_STRING && at_text_is(sign, "==")) {
        struct at_text text = lint_cut(lint, other);
        struct at_finding *finding =
            lint_error(lint, node, "unlike_things", "%s is a list: it holds values, it is not one", name);
        lint_fix(lint, finding, thing->to, node->to, ":contains(%.*s)", (int)text.length, text.data);
        lint_hint(finding, "write %s:contains(%.*s)", name, (int)(text.length < 60 ? text.length : 60),
                  text.data);
        return;
    }
    if (wrong == KIND_TABLE && kind != KIND_LIST) {
        struct at_text text = lint_cut(lint, other);
        struct at_finding *finding =
            lint_error(lint, node, "unlike_things", "%s is one value and never a list", name);
        if (other->list && at_text_is(sign, "=="))
            lint_fix(lint, finding, thing->to, node->to, ":one_of(%.*s)", (int)text.length, text.data);
        return;
    }
    struct at_finding *finding =
        lint_error(lint, node, "unlike_things",
                   is_equality(sign) ? "%s is %s and never %s: this is always %s"
                                     : "%s is %s: it has no order with %s%.0s",
                   name, lint_kind_word(kind), wrong == KIND_BOOL ? "yes or no" : lint_kind_word(wrong),
                   at_text_is(sign, "==") ? "no" : "yes");
    add_way(lint, finding, other, kind);
}

static void bare_number(struct lint *lint, const struct at_node *thing, const struct at_node *number) {
    char name[64];
    if (thing->kind != AT_NODE_INDEX) return; /* worked out: milliseconds may be meant */
    if (number->number == 0 || fabs(number->number) >= 60000) return; /* milliseconds, by who knows */
    short_cut(lint, thing, name);
    struct at_finding *finding =
        lint_warn(lint, number, "bare_number", "%s is a time: %.15g what?", name, number->number);
    lint_hint(finding, "write days(%.15g), hours(%.15g) or the like", number->number, number->number);
}

static void unknown_value(struct lint *lint, const struct at_node *thing, const struct at_node *text) {
    struct at_text texts[8];
    char name[64], said[40], all[160] = "", words[8][16];
    const char *values[8];
    uint32_t count = lint_values_of(lint, thing, texts, AT_LENGTH(texts));
    if (!count || text->kind != AT_NODE_STRING) return;
    for (uint32_t i = 0; i < count; i++) {
        if (at_text_equal(text->text, texts[i])) return;
        snprintf(words[i], sizeof words[i], "%.*s", (int)texts[i].length, texts[i].data);
        values[i] = words[i];
        size_t at = strlen(all);
        snprintf(all + at, sizeof all - at, "%s\"%s\"", i ? i + 1 < count ? ", " : " or " : "", words[i]);
    }
    short_cut(lint, thing, name);
    snprintf(said, sizeof said, "%.*s", (int)(text->text.length < 39 ? text->text.length : 39),
             text->text.data);
    const char *nearest = at_suggest(said, values, count);
    struct at_finding *finding =
        lint_error(lint, text, "unknown_value", "%s is never \"%s\": it is %s", name, said, all);
    if (nearest) lint_fix(lint, finding, text->from, text->to, "\"%s\"", nearest);
}

static bool is_comparison(const struct at_node *node) {
    return node && node->kind == AT_NODE_BINARY && (is_order(node->text) || is_equality(node->text));
}

static void comparison(struct lint *lint, struct at_node *node) {
    if (!is_comparison(node) || !node->a || !node->b || is_comparison(node->a)) return;
    if (node->a->kind == AT_NODE_UNARY && at_text_is(node->a->text, "not")) return; /* lint_habits.c */
    bool is_turned = is_literal(node->a) && !is_literal(node->b);
    const struct at_node *thing = is_turned ? node->b : node->a, *other = is_turned ? node->a : node->b;
    enum lint_kind kind = lint_kind_of(lint, thing), with = lint_kind_of(lint, other);
    if (is_unlike(kind, with))
        unlike(lint, node, thing, other);
    else if ((kind == KIND_SPAN) && other->kind == AT_NODE_NUMBER)
        bare_number(lint, thing, other);
    else if (is_equality(node->text))
        unknown_value(lint, thing, other);
}

/* ---- :above, :is and their kin ---- */

static void method(struct lint *lint, struct at_node *node) {
    static const char *const of_numbers[] = {"above", "below", "at_least", "at_most", "between"};
    static const char *const of_any[] = {"is", "is_not"};
    bool orders = false, equals = false;
    for (size_t i = 0; i < AT_LENGTH(of_numbers); i++) orders |= at_text_is(node->text, of_numbers[i]);
    for (size_t i = 0; i < AT_LENGTH(of_any); i++) equals |= at_text_is(node->text, of_any[i]);
    enum lint_kind kind = lint_kind_of(lint, node->a);
    if ((!orders && !equals) || kind == KIND_UNKNOWN || kind == KIND_TABLE) return;
    char name[64];
    short_cut(lint, node->a, name);
    if (orders && !lint_is_number(kind)) {
        lint_hint(
            lint_error(lint, node, "unlike_things", "%s is %s: it has no order", name, lint_kind_word(kind)),
            "compare it by :is or :one_of");
        return;
    }
    for (const struct at_node *value = node->list; value; value = value->next) {
        enum lint_kind with = lint_kind_of(lint, value);
        bool is_said = value->kind == AT_NODE_STRING && lint_is_number(kind); /* "7d" and "5%" are read */
        char number[80];
        struct at_error err;
        int64_t ms;
        if (kind == KIND_SPAN && value->kind == AT_NODE_NUMBER)
            bare_number(lint, node->a, value);
        else if (is_said &&
                 (kind == KIND_SPAN ? at_span_parse(value->text.data, value->text.length, &ms, &err) == AT_OK
                                    : memchr(value->text.data, '%', value->text.length) &&
                                          write_number(value->text, number)))
            continue;
        else if (is_unlike(kind, with))
            add_way(lint,
                    lint_error(lint, value, "unlike_things", "%s is %s and never %s", name,
                               lint_kind_word(kind), lint_kind_word(with)),
                    value, kind);
        else
            unknown_value(lint, node->a, value);
    }
}

/* ---- arithmetic with texts ---- */

static void arithmetic(struct lint *lint, struct at_node *node) {
    static const char *const signs[] = {"+", "-", "*", "/"};
    bool is_one = false;
    for (size_t i = 0; i < AT_LENGTH(signs); i++) is_one |= at_text_is(node->text, signs[i]);
    if (!is_one || !node->a || !node->b) return;
    const struct at_node *text = node->a->kind == AT_NODE_STRING ? node->a : node->b,
                         *other = text == node->a ? node->b : node->a;
    if (text->kind != AT_NODE_STRING) {
        enum lint_kind a = lint_kind_of(lint, node->a), b = lint_kind_of(lint, node->b);
        const struct at_node *wrong = a == KIND_TEXT ? node->a : node->b;
        char name[64];
        if ((a != KIND_TEXT && b != KIND_TEXT) || (a == KIND_UNKNOWN || b == KIND_UNKNOWN)) return;
        short_cut(lint, wrong, name);
        lint_hint(
            lint_error(lint, node, "text_calculated", "%s is a text and cannot be calculated with", name),
            at_text_is(node->text, "+") ? "to join texts write .." : "take it out");
        return;
    }
    char written[80];
    if (write_span(text->text, written) || write_number(text->text, written)) {
        struct at_finding *finding = lint_error(lint, text, "text_calculated",
                                                "a text cannot be calculated with, though it says a number");
        lint_fix(lint, finding, text->from, text->to, "%s", written);
    } else if (at_text_is(node->text, "+")) {
        struct at_finding *finding =
            lint_error(lint, node, "text_calculated", "texts are joined by .., not by +");
        uint32_t from = node->a->to, to = node->b->from;
        lint_fix(lint, finding, from, to, " .. ");
        lint_hint(finding, "write ..");
    } else {
        lint_error(lint, node, "text_calculated", "a text cannot be calculated with");
    }
    (void)other;
}

const struct lint_rule lint_things[] = {
    {AT_NODE_BINARY, comparison}, {AT_NODE_METHOD, method}, {AT_NODE_BINARY, arithmetic}, {0, NULL}};
