/* SPDX-License-Identifier: Apache-2.0
 *
 * Parses a filter. Whatever a shopper's page can send comes through here, so every refusal says which
 * attribute and which value; a text the catalog does not know is not an error, it matches nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/time.h"
#include "base/utf8.h"
#include "catalog/internal.h"
#include "catalog/where_internal.h"

struct parse {
    const struct at_root *root;
    struct at_arena *arena;
    struct at_where *where;
    struct at_error *err;
    const struct at_attribute *attribute; /* of the term being read */
};

enum operator{
    OP_ABOVE,
    OP_BELOW,
    OP_AT_LEAST,
    OP_AT_MOST,
    OP_BETWEEN,
    OP_IS,
    OP_IS_NOT,
    OP_ONE_OF,
    OP_CONTAINS,
    OP_COUNT
};
static const char *const operators[] = {"above", "below",  "at_least", "at_most", "between",
                                        "is",    "is_not", "one_of",   "contains"};

static enum at_status no_memory(struct parse *parse) {
    return at_fail(parse->err, AT_NOMEM, NULL, "no memory for this filter");
}

static enum at_status refuse_value(struct parse *parse, struct at_json value) {
    char shown[80];
    const char *name = parse->attribute->name;
    return at_fail_field(parse->err, AT_UNPROCESSABLE, "wrong_kind", name, "%s is a %s, got %s", name,
                         at_kind_word(parse->attribute->kind), at_value_show(value, shown, sizeof shown));
}

/* A number, a boolean as 0 or 1, a date as its moment. */
static enum at_status read_number(struct parse *parse, struct at_json value, double *out) {
    bool is_true;
    int64_t ms;
    struct at_text text = at_json_text(value);
    switch (parse->attribute->kind) {
    case AT_ATTRIBUTE_NUMBER:
        if (at_json_number(value, out)) return AT_OK;
        break;
    case AT_ATTRIBUTE_BOOL:
        if (!at_json_bool(value, &is_true)) break;
        *out = is_true;
        return AT_OK;
    default:
        if (!text.data || at_time_parse(text.data, text.length, &ms, NULL) != AT_OK) break;
        *out = (double)ms;
        return AT_OK;
    }
    return refuse_value(parse, value);
}

static enum at_status add_term(struct parse *parse, struct at_term **out) {
    struct at_where *where = parse->where;
    if (where->count == AT_WHERE_TERMS_MAX)
        return at_fail(parse->err, AT_UNPROCESSABLE, "too_many_terms", "a filter has at most %d terms",
                       AT_WHERE_TERMS_MAX);
    struct at_term *term = &where->terms[where->count++];
    *term = (struct at_term){
        .attribute = at_root_attribute(parse->root, parse->attribute->name, strlen(parse->attribute->name))};
    *out = term;
    return AT_OK;
}

/* ---- values: one, or a list of alternatives ---- */

static enum at_status read_value(struct parse *parse, struct at_json value, double *numbers, uint32_t *codes,
                                 uint32_t *count) {
    if (!at_kind_has_codes(parse->attribute->kind)) return read_number(parse, value, &numbers[(*count)++]);
    struct at_text text = at_json_text(value);
    if (!text.data) return refuse_value(parse, value);
    int attribute = parse->where->terms[parse->where->count - 1].attribute;
    uint32_t code = at_root_code_of(parse->root, attribute, text.data, text.length);
    if (code) codes[(*count)++] = code;
    return AT_OK;
}

static enum at_status read_values(struct parse *parse, struct at_json value, bool is_not) {
    struct at_term *term;
    enum at_status status = add_term(parse, &term);
    if (status != AT_OK) return status;
    bool is_list = at_json_is_array(value);
    uint32_t count = is_list ? at_json_count(value) : 1, kept = 0;
    if (count > AT_WHERE_VALUES_MAX)
        return at_fail_field(parse->err, AT_UNPROCESSABLE, "too_many_values", parse->attribute->name,
                             "%s: a term has at most %d values, got %u", parse->attribute->name,
                             AT_WHERE_VALUES_MAX, count);
    bool has_codes = at_kind_has_codes(parse->attribute->kind);
    double *numbers = at_arena_alloc(parse->arena, has_codes ? 0 : count * sizeof *numbers);
    uint32_t *codes = at_arena_alloc(parse->arena, has_codes ? count * sizeof *codes : 0);
    if (!numbers || !codes) return no_memory(parse);
    struct at_json_each it = at_json_each(value);
    if (!is_list) status = read_value(parse, value, numbers, codes, &kept);
    while (is_list && status == AT_OK && at_json_next(&it))
        status = read_value(parse, it.value, numbers, codes, &kept);
    if (status != AT_OK) return status;
    if (has_codes && kept) qsort(codes, kept, sizeof *codes, at_codes_compare);
    term->is_not = is_not;
    term->shape = !has_codes                                    ? AT_TERM_NUMBERS
                  : parse->attribute->kind == AT_ATTRIBUTE_LIST ? AT_TERM_SETS
                                                                : AT_TERM_CODES;
    term->numbers = numbers;
    term->codes = codes;
    term->count = kept;
    return AT_OK;
}

/* ---- operators ---- */

static enum at_status read_between(struct parse *parse, struct at_json value, double *low, double *high) {
    struct at_json_each it = at_json_each(value);
    if (!at_json_is_array(value) || at_json_count(value) != 2)
        return at_fail_field(parse->err, AT_UNPROCESSABLE, "wrong_kind", parse->attribute->name,
                             "%s: between takes two values, [from, to]", parse->attribute->name);
    at_json_next(&it);
    enum at_status status = read_number(parse, it.value, low);
    if (status != AT_OK) return status;
    at_json_next(&it);
    return read_number(parse, it.value, high);
}

static enum at_status read_range(struct parse *parse, enum operator op, struct at_json value) {
    struct at_term *term;
    double low = -INFINITY, high = INFINITY;
    if (at_kind_has_codes(parse->attribute->kind) || parse->attribute->kind == AT_ATTRIBUTE_BOOL)
        return at_fail_field(parse->err, AT_UNPROCESSABLE, "wrong_kind", parse->attribute->name,
                             "%s is a %s: \"%s\" compares numbers and dates", parse->attribute->name,
                             at_kind_word(parse->attribute->kind), operators[op]);
    enum at_status status =
        op == OP_BETWEEN ? read_between(parse, value, &low, &high)
                         : read_number(parse, value, op == OP_BELOW || op == OP_AT_MOST ? &high : &low);
    if (status == AT_OK) status = add_term(parse, &term);
    if (status != AT_OK) return status;
    term->shape = AT_TERM_RANGE;
    term->low = op == OP_ABOVE ? nextafter(low, INFINITY) : low;
    term->high = op == OP_BELOW ? nextafter(high, -INFINITY) : high;
    return AT_OK;
}

static enum at_status read_operator(struct parse *parse, struct at_text name, struct at_json value) {
    char word[32];
    int op = 0;
    while (op < OP_COUNT && !at_text_is(name, operators[op])) op++;
    switch (op) {
    case OP_ABOVE:
    case OP_BELOW:
    case OP_AT_LEAST:
    case OP_AT_MOST:
    case OP_BETWEEN: return read_range(parse, (enum operator)op, value);
    case OP_CONTAINS:
        if (parse->attribute->kind != AT_ATTRIBUTE_LIST)
            return at_fail_field(parse->err, AT_UNPROCESSABLE, "wrong_kind", parse->attribute->name,
                                 "%s is a %s: \"contains\" asks a list", parse->attribute->name,
                                 at_kind_word(parse->attribute->kind));
        return read_values(parse, value, false);
    case OP_COUNT: {
        snprintf(word, sizeof word, "%.*s", (int)(name.length < 31 ? name.length : 31), name.data);
        const char *nearest = at_suggest(word, operators, OP_COUNT);
        return at_fail_field(parse->err, AT_UNPROCESSABLE, "unknown_operator", parse->attribute->name,
                             "%s: a filter has no operator \"%s\"%s%s%s", parse->attribute->name, word,
                             nearest ? " — did you mean \"" : "", nearest ? nearest : "",
                             nearest ? "\"?" : "");
    }
    default: return read_values(parse, value, op == OP_IS_NOT);
    }
}

static enum at_status refuse_attribute(struct parse *parse, struct at_text name) {
    const char *names[AT_ATTRIBUTE_MAX];
    char word[64];
    int count = at_root_attribute_count(parse->root);
    for (int i = 0; i < count; i++) names[i] = at_root_attribute_at(parse->root, i)->name;
    snprintf(word, sizeof word, "%.*s", (int)(name.length < 63 ? name.length : 63), name.data);
    const char *nearest = at_suggest(word, names, (size_t)count);
    return at_fail_field(parse->err, AT_UNPROCESSABLE, "unknown_attribute", word,
                         "products have no attribute \"%s\"%s%s%s", word, nearest ? " — did you mean \"" : "",
                         nearest ? nearest : "", nearest ? "\"?" : "");
}

static enum at_status read_term(struct parse *parse, struct at_text name, struct at_json value) {
    int attribute = at_root_attribute(parse->root, name.data, name.length);
    if (attribute < 0) return refuse_attribute(parse, name);
    parse->attribute = at_root_attribute_at(parse->root, attribute);
    if (!at_json_is_object(value)) return read_values(parse, value, false);
    struct at_json_each it = at_json_each(value);
    enum at_status status = AT_OK;
    if (at_json_count(value) == 0)
        return at_fail_field(parse->err, AT_UNPROCESSABLE, "empty_term", parse->attribute->name,
                             "%s: {} has no operator; write {\"%s\":{\"is\":…}}", parse->attribute->name,
                             parse->attribute->name);
    while (status == AT_OK && at_json_next(&it)) status = read_operator(parse, it.key, it.value);
    return status;
}

enum at_status at_where_parse(const struct at_root *root, struct at_arena *arena, struct at_json json,
                              struct at_where **out, struct at_error *err) {
    struct parse parse = {.root = root, .arena = arena, .err = err};
    char shown[80];
    *out = NULL;
    if (!at_json_is_object(json))
        return at_fail_field(err, AT_UNPROCESSABLE, "wrong_kind", "where",
                             "a filter is an object such as {\"category\":\"sofas\"}, got %s",
                             at_value_show(json, shown, sizeof shown));
    parse.where = at_arena_zalloc(arena, sizeof *parse.where);
    if (!parse.where) return no_memory(&parse);
    struct at_json_each it = at_json_each(json);
    while (at_json_next(&it)) {
        enum at_status status = read_term(&parse, it.key, it.value);
        if (status != AT_OK) return status;
    }
    *out = parse.where;
    return AT_OK;
}
