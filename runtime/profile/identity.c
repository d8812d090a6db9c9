/* SPDX-License-Identifier: Apache-2.0
 *
 * Identifiers written the one way, and the values that name nobody. Called for each identifier of an event
 * (event.c) and for each one that somebody is looked up by, so that both say the same.
 */
#include "profile/identity.h"

#include <idn2.h>
#include <string.h>
#include "base/phone.h"
#include "base/time.h"
#include "profile/names.h"

#define EMAIL_MAX 254 /* RFC 5321, 4.5.3.1.3, without the brackets */
#define PHONE_MAX 64  /* as people write them */

static const struct at_text nobody = {"", 0};

void at_identity_rules_default(struct at_identity_rules *rules) {
    memset(rules, 0, sizeof *rules);
    rules->kinds[0] = (struct at_identity_kind){AT_TEXT("user_id"), 1, 0, true};
    rules->kinds[1] = (struct at_identity_kind){AT_TEXT("email"), 5, 0, true};
    rules->kinds[2] = (struct at_identity_kind){AT_TEXT("phone"), 5, 0, true};
    rules->kinds[3] = (struct at_identity_kind){AT_TEXT("anonymous_id"), 5, 30 * AT_DAY_MS, false};
    rules->kind_count = 4;
    rules->country = nobody;
}

uint32_t at_identity_kind_find(const struct at_identity_rules *rules, struct at_text name) {
    for (uint32_t i = 0; i < rules->kind_count; i++)
        if (at_text_equal(rules->kinds[i].name, name)) return i;
    return AT_IDENTITY_KINDS_MAX;
}

static struct at_text trim(struct at_text text) {
    while (text.length && is_space(text.data[0])) text = (struct at_text){text.data + 1, text.length - 1};
    while (text.length && is_space(text.data[text.length - 1])) text.length--;
    return text;
}

/* ---- blocked ---- */

static bool is_same(struct at_text a, struct at_text b) {
    size_t same = 0;
    if (a.length != b.length) return false;
    while (same < a.length && to_lower(a.data[same]) == to_lower(b.data[same])) same++;
    return same == a.length;
}

static bool is_made_of(struct at_text text, const char *letters) {
    for (size_t i = 0; i < text.length; i++)
        if (!memchr(letters, text.data[i], strlen(letters))) return false;
    return true;
}

bool at_identity_is_blocked(const struct at_identity_rules *rules, struct at_text value) {
    static const struct at_text usual[] = {AT_TEXT_OF_TABLE("null"),
                                           AT_TEXT_OF_TABLE("undefined"),
                                           AT_TEXT_OF_TABLE("none"),
                                           AT_TEXT_OF_TABLE("nan"),
                                           AT_TEXT_OF_TABLE("nil"),
                                           AT_TEXT_OF_TABLE("anonymous"),
                                           AT_TEXT_OF_TABLE("guest"),
                                           AT_TEXT_OF_TABLE("distinct_id"),
                                           AT_TEXT_OF_TABLE("unknown"),
                                           AT_TEXT_OF_TABLE("distinctid"),
                                           AT_TEXT_OF_TABLE("id"),
                                           AT_TEXT_OF_TABLE("not_authenticated"),
                                           AT_TEXT_OF_TABLE("email"),
                                           AT_TEXT_OF_TABLE("true"),
                                           AT_TEXT_OF_TABLE("false"),
                                           AT_TEXT_OF_TABLE("[object object]"),
                                           AT_TEXT_OF_TABLE("(null)"),
                                           AT_TEXT_OF_TABLE("(not set)"),
                                           AT_TEXT_OF_TABLE("n/a"),
                                           AT_TEXT_OF_TABLE("-1"),
                                           AT_TEXT_OF_TABLE("test@test.com"),
                                           AT_TEXT_OF_TABLE("none@none.com")};
    value = trim(value);
    if (is_made_of(value, "0-") || is_made_of(value, " \t\"'`")) return true;
    for (size_t i = 0; i < AT_LENGTH(usual); i++)
        if (is_same(value, usual[i])) return true;
    for (uint32_t i = 0; rules && i < rules->blocked_count; i++)
        if (is_same(value, trim(rules->blocked[i]))) return true;
    return false;
}

/* ---- e-mail ---- */

/* Labels of letters, digits and hyphens, two at least. Anything else is no host that takes mail. */
static bool is_domain(struct at_text domain) {
    size_t label = 0, dots = 0;
    for (size_t i = 0; i < domain.length; i++) {
        char c = domain.data[i];
        if (c == '.') {
            if (!label) return false;
            dots++;
            label = 0;
        } else if (is_lower(c) || is_digit(c) || c == '-') {
            if (++label > 63) return false;
        } else {
            return false;
        }
    }
    return dots && label;
}

/* The domain as it goes on the wire, lower case, in the arena. */
static struct at_text wire_domain(struct at_text domain, struct at_arena *arena) {
    bool is_ascii = true;
    for (size_t i = 0; i < domain.length; i++) is_ascii &= (unsigned char)domain.data[i] < 0x80;
    char *text = at_arena_dup(arena, domain.data, domain.length), *wire = NULL;
    if (!text) return (struct at_text){NULL, 0};
    size_t length = domain.length;
    if (!is_ascii) {
        int code = idn2_to_ascii_8z(text, &wire, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        if (code == IDN2_MALLOC) return (struct at_text){NULL, 0};
        if (code != IDN2_OK) return nobody;
        length = strlen(wire);
        text = at_arena_dup(arena, wire, length);
        idn2_free(wire);
        if (!text) return (struct at_text){NULL, 0};
    }
    for (size_t i = 0; i < length; i++) text[i] = to_lower(text[i]);
    return (struct at_text){text, length};
}

static bool is_gmail(struct at_text domain) {
    return at_text_is(domain, "gmail.com") || at_text_is(domain, "googlemail.com");
}

static size_t fold_mailbox(char *local, size_t length) {
    size_t n = 0;
    for (size_t i = 0; i < length && local[i] != '+'; i++)
        if (local[i] != '.') local[n++] = local[i];
    return n;
}

static struct at_text normal_email(const struct at_identity_rules *rules, struct at_text value,
                                   struct at_arena *arena) {
    const char *at = memchr(value.data, '@', value.length);
    if (!at || at == value.data || value.length > EMAIL_MAX) return nobody;
    size_t length = (size_t)(at - value.data);
    struct at_text domain = wire_domain((struct at_text){at + 1, value.length - length - 1}, arena);
    if (!domain.data) return domain;
    if (!is_domain(domain) || length + 1 + domain.length > EMAIL_MAX) return nobody;
    char *out = at_arena_alloc(arena, length + domain.length + 1);
    if (!out) return (struct at_text){NULL, 0};
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)value.data[i] <= ' ' || value.data[i] == 0x7F) return nobody;
        out[i] = to_lower(value.data[i]);
    }
    if (rules->folds_mailboxes && is_gmail(domain)) {
        length = fold_mailbox(out, length);
        domain = AT_TEXT("gmail.com");
    }
    if (!length) return nobody;
    out[length] = '@';
    memcpy(out + length + 1, domain.data, domain.length);
    return (struct at_text){out, length + 1 + domain.length};
}

/* ---- phone ---- */

static struct at_text normal_phone(const struct at_identity_rules *rules, struct at_text value,
                                   struct at_arena *arena) {
    char country[3] = "", out[AT_PHONE_SIZE];
    size_t digits = 0;
    for (size_t i = 0; i < value.length; i++) digits += is_digit(value.data[i]);
    if (value.length > PHONE_MAX || digits < 4) return nobody; /* not worth the library's time */
    if (rules->country.length == 2) memcpy(country, rules->country.data, 2);
    int length = at_phone_normal(value.data, value.length, country, out);
    if (length == 0) return nobody;
    char *kept = length > 0 ? at_arena_dup(arena, out, (size_t)length) : NULL;
    return (struct at_text){kept, kept ? (size_t)length : 0};
}

struct at_text at_identity_normal(const struct at_identity_rules *rules, struct at_text kind,
                                  struct at_text value, struct at_arena *arena) {
    value = trim(value);
    if (!value.length || value.length > AT_IDENTIFIER_MAX || at_identity_is_blocked(rules, value) ||
        at_identity_kind_find(rules, kind) == AT_IDENTITY_KINDS_MAX)
        return nobody;
    struct at_text normal = value;
    if (at_text_is(kind, "email")) normal = normal_email(rules, value, arena);
    if (at_text_is(kind, "phone")) normal = normal_phone(rules, value, arena);
    if (normal.length && normal.data != value.data && at_identity_is_blocked(rules, normal)) return nobody;
    return normal;
}
