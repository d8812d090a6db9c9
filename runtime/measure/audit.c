/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit's life, and what its parts share: tallies with their examples, hashes that keep kinds of keys
 * apart, currencies, the largest orders.
 */
#include "measure/audit_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/hash.h"

/* How a table's memory is shared out, in percent: of a shop's audit, of a history's. */
static const struct share {
    size_t offset, value_bytes;
    bool has_groups;
    unsigned of_shop, of_history;
} SHARES[] = {
    {offsetof(struct at_audit, people), sizeof(struct person), false, 26, 13},
    {offsetof(struct at_audit, browsers), sizeof(struct browser), true, 24, 10},
    {offsetof(struct at_audit, orders), sizeof(struct order), false, 12, 11},
    {offsetof(struct at_audit, products), sizeof(struct product), false, 7, 4},
    {offsetof(struct at_audit, titles), sizeof(struct title), false, 7, 1},
    {offsetof(struct at_audit, shared), sizeof(struct shared), false, 8, 7},
    {offsetof(struct at_audit, pairs), 0, true, 8, 7},
    {offsetof(struct at_audit, traits), sizeof(struct trait), true, 8, 5},
    {offsetof(struct at_audit, messages), sizeof(struct message), false, 0, 18},
    {offsetof(struct at_audit, lines), sizeof(struct line), false, 0, 12},
    {offsetof(struct at_audit, bought), sizeof(struct bought), false, 0, 12},
};

static struct at_sample *table_of(struct at_audit *audit, const struct share *share) {
    return (struct at_sample *)(void *)((char *)audit + share->offset);
}

static void add_purpose(struct at_audit *audit, struct at_text name) {
    if (audit->purpose_count == AT_CONSENT_PURPOSES_MAX || name.length > AT_CONSENT_NAME_MAX) return;
    memcpy(audit->purposes[audit->purpose_count++], name.data, name.length);
}

static void take_purposes(struct at_audit *audit, const struct at_consent_rules *consent) {
    audit->options.consent = NULL;
    audit->has_own_purposes = consent && consent->is_declared;
    if (!audit->has_own_purposes) {
        add_purpose(audit, AT_TEXT("analytics"));
        add_purpose(audit, AT_TEXT("personalization"));
        return;
    }
    for (uint32_t i = 0; i < consent->purpose_count; i++) add_purpose(audit, consent->purposes[i].name);
}

struct at_audit *at_audit_new(const struct at_audit_options *options) {
    struct at_audit *audit = calloc(1, sizeof *audit);
    if (!audit) return NULL;
    audit->options = *options;
    size_t memory = options->memory_bytes ? options->memory_bytes : AT_AUDIT_MEMORY;
    for (size_t i = 0; i < AT_LENGTH(SHARES); i++) {
        const struct share *share = &SHARES[i];
        at_sample_init(table_of(audit, share),
                       &(struct at_sample_options){
                           share->value_bytes,
                           memory / 100 * (options->is_history ? share->of_history : share->of_shop),
                           share->has_groups, options->account});
    }
    if (options->rules)
        audit->rules = *options->rules;
    else
        at_identity_rules_default(&audit->rules);
    at_map_init(&audit->names);
    take_purposes(audit, options->consent);
    return audit;
}

void at_audit_free(struct at_audit *audit) {
    if (!audit) return;
    for (size_t i = 0; i < AT_LENGTH(SHARES); i++) at_sample_clear(table_of(audit, &SHARES[i]));
    at_map_clear(&audit->names);
    free(audit);
}

/* ---- tallies ---- */

/* Cut between characters, with … for the rest. */
static void copy_cut(const char *from, size_t length, char *out, size_t size) {
    size_t n = length;
    if (length >= size) {
        for (n = size - 4; n && ((unsigned char)from[n] & 0xC0) == 0x80; n--) {}
        memcpy(out, from, n);
        memcpy(out + n, "…", 4);
        return;
    }
    memcpy(out, from, n);
    out[n] = '\0';
}

static bool is_like_phone(struct at_text text) {
    size_t digits = 0;
    if (!text.length || text.data[0] != '+') return false;
    for (size_t i = 1; i < text.length; i++) {
        char c = text.data[i];
        if (c >= '0' && c <= '9')
            digits++;
        else if (!strchr(" -()./", c))
            return false;
    }
    return digits >= 6;
}

void audit_mask(struct at_text text, char out[AT_AUDIT_EXAMPLE_MAX]) {
    const char *at = text.length ? memchr(text.data, '@', text.length) : NULL;
    char masked[AT_AUDIT_EXAMPLE_MAX * 2];
    if (at) {
        size_t rest = text.length - (size_t)(at - text.data);
        int first = at > text.data && (unsigned char)text.data[0] < 0x80;
        int n = snprintf(masked, sizeof masked, "%.*s…%.*s", first, text.data,
                         (int)(rest < AT_AUDIT_EXAMPLE_MAX ? rest : AT_AUDIT_EXAMPLE_MAX), at);
        copy_cut(masked, (size_t)n, out, AT_AUDIT_EXAMPLE_MAX);
    } else if (is_like_phone(text))
        snprintf(out, AT_AUDIT_EXAMPLE_MAX, "%.3s…%.2s", text.data, text.data + text.length - 2);
    else
        copy_cut(text.data ? text.data : "", text.length, out, AT_AUDIT_EXAMPLE_MAX);
}

void audit_example(struct at_audit *audit, enum code code, struct at_text example) {
    struct tally *tally = &audit->tallies[code];
    if (!example.length || tally->example_count == AT_AUDIT_EXAMPLES) return;
    audit_mask(example, tally->examples[tally->example_count]);
    for (uint32_t i = 0; i < tally->example_count; i++)
        if (strcmp(tally->examples[i], tally->examples[tally->example_count]) == 0) return;
    tally->example_count++;
}

void audit_count(struct at_audit *audit, enum code code, struct at_text example) {
    audit->tallies[code].count++;
    audit_example(audit, code, example);
}

void audit_money(struct at_audit *audit, enum code code, double money) {
    audit->tallies[code].has_money = true;
    if (!at_is_missing(money)) audit->tallies[code].money += money;
}

void audit_part(struct at_audit *audit, enum code code, const char *name, uint64_t count) {
    struct tally *tally = &audit->tallies[code];
    uint32_t i = 0;
    while (i < tally->part_count && strcmp(tally->parts[i].name, name) != 0) i++;
    if (i == AT_AUDIT_PARTS) i = AT_AUDIT_PARTS - 1; /* the last takes the rest */
    struct at_audit_part *part = &tally->parts[i];
    if (i == tally->part_count) {
        tally->part_count++;
        snprintf(part->name, sizeof part->name, "%s", i == AT_AUDIT_PARTS - 1 ? "others" : name);
    }
    part->count += count;
}

void audit_order_id(struct order *order, struct at_text id) {
    char masked[AT_AUDIT_EXAMPLE_MAX];
    if (order->id[0]) return;
    audit_mask(id, masked);
    copy_cut(masked, strlen(masked), order->id, sizeof order->id);
}

void audit_candidate(struct candidates *list, uint64_t key, struct at_text text) {
    if (list->count == CANDIDATES_MAX || !text.length) return;
    list->list[list->count].key = key;
    audit_mask(text, list->list[list->count++].text);
}

/* ---- keys ---- */

uint64_t audit_hash(enum space space, struct at_text text) {
    uint64_t hash = at_hash64_seed(text.data, text.length, (uint64_t)space + 1);
    return hash ? hash : 1;
}

void *audit_put(struct at_audit *audit, struct at_sample *sample, uint64_t key, uint64_t group,
                bool *is_new) {
    void *value = at_sample_put(sample, key, group, is_new);
    audit->is_short |= sample->has_failed;
    return value;
}

/* The shop's own, or else the usual ones and what is said for a kind of marketing. */
uint32_t audit_purpose(struct at_audit *audit, struct at_text name) {
    static const char marketing[] = "_marketing";
    size_t length = sizeof marketing - 1;
    for (uint32_t i = 0; i < audit->purpose_count; i++)
        if (at_text_is(name, audit->purposes[i])) return i;
    bool is_marketing =
        name.length > length && memcmp(name.data + name.length - length, marketing, length) == 0;
    if (audit->has_own_purposes || !is_marketing || audit->purpose_count == AT_CONSENT_PURPOSES_MAX ||
        name.length > AT_CONSENT_NAME_MAX)
        return AT_CONSENT_PURPOSES_MAX;
    add_purpose(audit, name);
    return audit->purpose_count - 1;
}

/* ---- moments and money ---- */

void audit_moment(struct at_audit *audit, int64_t at_ms) {
    if (!at_ms) return;
    if (!audit->first_ms || at_ms < audit->first_ms) audit->first_ms = at_ms;
    if (!audit->last_ms || at_ms > audit->last_ms) audit->last_ms = at_ms;
}

/* What there is no room for is counted with the last. */
struct currency *audit_currency(struct at_audit *audit, struct at_text name) {
    char word[8] = "";
    size_t length = name.length < sizeof word - 1 ? name.length : sizeof word - 1;
    for (size_t i = 0; i < length; i++) {
        char c = name.data[i];
        word[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    uint32_t i = 0;
    while (i < audit->currency_count && strcmp(audit->currencies[i].name, word) != 0) i++;
    if (i == CURRENCIES_MAX) return &audit->currencies[CURRENCIES_MAX - 1];
    if (i == audit->currency_count)
        memcpy(audit->currencies[audit->currency_count++].name, word, sizeof word);
    return &audit->currencies[i];
}

void audit_currency_order(struct at_audit *audit, struct at_text name, struct at_text order) {
    struct currency *currency = audit_currency(audit, name);
    if (!currency->orders++) audit_mask(order, currency->example);
}

/* An order that grows line by line comes again and again. */
void audit_largest(struct at_audit *audit, uint64_t key, double revenue, struct at_text id) {
    uint32_t least = 0, i = 0;
    while (i < audit->largest_count && audit->largest[i].key != key) i++;
    if (i == audit->largest_count && i < AT_AUDIT_EXAMPLES) audit->largest_count++;
    if (i == AT_AUDIT_EXAMPLES) {
        for (i = 1; i < AT_AUDIT_EXAMPLES; i++)
            if (audit->largest[i].revenue < audit->largest[least].revenue) least = i;
        i = least;
        if (audit->largest[i].revenue >= revenue) return;
    }
    audit->largest[i].key = key;
    audit->largest[i].revenue = revenue;
    audit_mask(id, audit->largest[i].text);
}
