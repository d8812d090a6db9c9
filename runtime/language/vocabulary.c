/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking words up in the table, and reading its types.
 */
#include "language/vocabulary.h"
#include "base/utf8.h"

const struct at_owner *at_owner_of(struct at_text class_name) {
    const struct at_owner *owner = at_vocabulary();
    while (owner->words && !at_text_is(class_name, owner->class_name)) owner++;
    return owner->words ? owner : NULL;
}

bool at_word_is_old(const struct at_word *word, struct at_text name) {
    return word->was && at_text_is(name, word->was);
}

const struct at_word *at_word_of(const struct at_owner *owner, struct at_text name) {
    for (const struct at_word *word = owner->words; word->name; word++)
        if (at_text_is(name, word->name)) return word;
    for (const struct at_word *word = owner->words; word->name; word++)
        if (at_word_is_old(word, name)) return word;
    return NULL;
}

const char *at_word_near(const struct at_owner *owner, const char *name, const char *const *more,
                         size_t more_count) {
    const char *names[AT_WORDS_MAX];
    size_t count = 0;
    for (const struct at_word *word = owner->words; word->name && count < AT_WORDS_MAX; word++)
        if (word->since) names[count++] = word->name;
    for (size_t i = 0; i < more_count && count < AT_WORDS_MAX; i++) names[count++] = more[i];
    return at_suggest(name, names, count);
}

/* ---- types ---- */

static struct at_text trimmed(const char *from, const char *to) {
    while (from < to && *from == ' ') from++;
    while (to > from && to[-1] == ' ') to--;
    return (struct at_text){from, (size_t)(to - from)};
}

/* From an opening bracket to behind its closing one. */
static const char *skip_brackets(const char *at, const char *end) {
    int depth = 0;
    for (; at < end; at++) {
        depth += *at == '(' || *at == '<' || *at == '{';
        depth -= *at == ')' || *at == '>' || *at == '}';
        if (!depth) return at + 1;
    }
    return end;
}

/* Where the piece that begins here ends: at a comma outside brackets, or at the end. */
static const char *piece_end(const char *at, const char *end) {
    while (at < end && *at != ',')
        at = *at == '(' || *at == '<' || *at == '{' ? skip_brackets(at, end) : at + 1;
    return at;
}

bool at_type_piece(struct at_text list, uint32_t i, struct at_text *out) {
    const char *at = list.data, *end = list.data + list.length;
    for (; at < end; at = piece_end(at, end) + 1, i--) {
        if (i) continue;
        *out = trimmed(at, piece_end(at, end));
        return true;
    }
    return false;
}

static bool is_function(struct at_text type) {
    return type.length > 5 && memcmp(type.data, "fun(", 4) == 0;
}

static struct at_parameter read_parameter(const char *at, const char *end) {
    const char *colon = memchr(at, ':', (size_t)(end - at));
    struct at_parameter out = {trimmed(at, colon ? colon : end), {"any", 3}, false};
    if (colon) out.type = trimmed(colon + 1, end);
    out.is_optional = out.name.length && out.name.data[out.name.length - 1] == '?';
    out.name.length -= out.is_optional;
    return out;
}

bool at_type_parameter(struct at_text type, uint32_t i, struct at_parameter *out) {
    if (!is_function(type)) return false;
    const char *at = type.data + 4, *end = skip_brackets(type.data + 3, type.data + type.length) - 1;
    for (; at < end; at = piece_end(at, end) + 1, i--) {
        if (i) continue;
        *out = read_parameter(at, piece_end(at, end));
        return true;
    }
    return false;
}

struct at_text at_type_result(struct at_text type) {
    const char *end = type.data + type.length;
    if (!is_function(type)) return (struct at_text){"", 0};
    const char *at = skip_brackets(type.data + 3, end);
    if (at >= end || *at != ':') return (struct at_text){"", 0};
    return trimmed(at + 1, end);
}

struct at_text at_type_core(struct at_text type, bool *is_list) {
    *is_list = false;
    if (is_function(type)) return type;
    if (type.length && type.data[type.length - 1] == '?') type.length--;
    *is_list = type.length > 2 && memcmp(type.data + type.length - 2, "[]", 2) == 0;
    if (*is_list) type.length -= 2;
    return type;
}

static bool is_choice(struct at_text type) {
    return type.length && type.data[0] == '"';
}

struct at_text at_type_plain(struct at_text type, bool *is_list) {
    struct at_text core = at_type_core(type, is_list);
    bool is_inner;
    for (const struct at_alias *alias = at_vocabulary_aliases(); alias->name; alias++)
        if (at_text_is(core, alias->name)) return at_type_plain(at_text_of(alias->type), &is_inner);
    return is_choice(core) ? AT_TEXT("string") : core;
}

uint32_t at_type_choices(struct at_text type, struct at_text *out, uint32_t most) {
    bool is_list;
    uint32_t count = 0;
    struct at_text core = at_type_core(type, &is_list);
    for (const struct at_alias *alias = at_vocabulary_aliases(); alias->name; alias++)
        if (at_text_is(core, alias->name)) core = at_text_of(alias->type);
    for (const char *at = core.data, *end = at + core.length; is_choice(core) && at < end && count < most;) {
        const char *to = memchr(at + 1, '"', (size_t)(end - at - 1));
        out[count++] = (struct at_text){at + 1, (size_t)(to - at - 1)};
        at = to + 2; /* past "| */
    }
    return count;
}
