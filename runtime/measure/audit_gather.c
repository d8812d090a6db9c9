/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tables come to once all is fed: counts over their records, scaled where only a sample is there.
 */
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include "base/utf8.h"
#include "measure/audit_internal.h"

/* A count over a table, with what money is in it. */
struct sum {
    const struct at_sample *table;
    uint64_t count;
    double money;
};

static void put(struct at_audit *audit, enum code code, const struct sum *sum) {
    struct tally *tally = &audit->tallies[code];
    tally->count += at_sample_scaled(sum->table, sum->count);
    tally->error = at_sample_error(sum->table, sum->count);
    if (sum->money != 0) audit_money(audit, code, ldexp(sum->money, (int)sum->table->level));
}

static void put_count(struct at_audit *audit, enum code code, const struct at_sample *table, uint64_t count) {
    put(audit, code, &(struct sum){table, count, 0});
}

static void put_part(struct at_audit *audit, enum code code, const char *name, const struct at_sample *table,
                     uint64_t count) {
    if (count) audit_part(audit, code, name, at_sample_scaled(table, count));
}

static void add(struct sum *sum, uint64_t count, double money) {
    sum->count += count;
    sum->money += money;
}

/* ---- people ---- */

enum { USER_IDS, EMAILS, PHONES, CONTACTS };

struct people_sums {
    struct sum unsaid, nobody, loose, conflict, flips, traits, limit, merged, unknown;
    uint64_t people, contacts[CONTACTS], purposes[AT_CONSENT_PURPOSES_MAX];
};

static void gather_identifiers(const struct at_audit *audit, const struct person *person,
                               struct people_sums *sums) {
    static const char *const words[CONTACTS] = {"user_id", "email", "phone"};
    bool conflicts = false, is_full = false;
    for (uint32_t i = 0; i < audit->rules.kind_count; i++) {
        const struct at_identity_kind *kind = &audit->rules.kinds[i];
        is_full |= kind->at_most > 1 && person->of_kind[i] >= kind->at_most;
        for (int k = 0; k < CONTACTS; k++) {
            if (person->of_kind[i] < 2 || !at_text_is(kind->name, words[k])) continue;
            sums->contacts[k]++;
            conflicts = true;
        }
    }
    add(&sums->conflict, conflicts, conflicts ? person->revenue : 0);
    add(&sums->limit, is_full, 0);
}

static void gather_person(const struct at_audit *audit, const struct person *person,
                          struct people_sums *sums) {
    uint32_t all = (uint32_t)(((uint64_t)1 << audit->purpose_count) - 1);
    bool is_unknown = (person->said & all) != all;
    sums->people++;
    add(&sums->unsaid, person->unsaid, 0);
    add(&sums->loose, person->loose_orders, person->loose_revenue);
    if (!person->is_known) add(&sums->nobody, person->orders, person->revenue);
    gather_identifiers(audit, person, sums);
    add(&sums->flips, person->flips > 1, 0);
    add(&sums->traits, person->has_trait_conflict, 0);
    add(&sums->merged, person->merges >= 10, 0);
    add(&sums->unknown, is_unknown, is_unknown ? person->revenue : 0);
    for (uint32_t i = 0; i < audit->purpose_count; i++) sums->purposes[i] += !(person->said >> i & 1);
}

static void put_people(struct at_audit *audit, const struct people_sums *sums) {
    static const char *const words[CONTACTS] = {"several user ids", "several e-mails", "several phones"};
    const struct at_sample *people = &audit->people;
    audit->wholes[OF_PEOPLE] = at_sample_scaled(people, sums->people);
    put(audit, EVENTS_UNSAID, &sums->unsaid);
    put(audit, ORDERS_NOBODY, &sums->nobody);
    put(audit, ORDERS_LOOSE, &sums->loose);
    put(audit, PEOPLE_CONFLICT, &sums->conflict);
    put(audit, PEOPLE_COUNTRY, &sums->flips);
    put(audit, PEOPLE_TRAITS, &sums->traits);
    put(audit, PEOPLE_LIMIT, &sums->limit);
    put(audit, PEOPLE_MERGED, &sums->merged);
    put(audit, CONSENT_UNKNOWN, &sums->unknown);
    for (int k = 0; k < CONTACTS; k++) put_part(audit, PEOPLE_CONFLICT, words[k], people, sums->contacts[k]);
    audit->result.purpose_count = audit->purpose_count;
    for (uint32_t i = 0; i < audit->purpose_count; i++) {
        struct at_audit_purpose *purpose = &audit->result.purposes[i];
        memcpy(purpose->name, audit->purposes[i], sizeof purpose->name);
        purpose->people = audit->wholes[OF_PEOPLE];
        purpose->unknown = at_sample_scaled(people, sums->purposes[i]);
        put_part(audit, CONSENT_UNKNOWN, purpose->name, people, sums->purposes[i]);
    }
}

/* Customers of order lines have a country and nothing else that could contradict itself. */
static void put_customers(struct at_audit *audit, uint64_t customers, uint64_t of_countries) {
    audit->wholes[OF_PEOPLE] = at_sample_scaled(&audit->people, customers);
    put_count(audit, CUSTOMERS_COUNTRIES, &audit->people, of_countries);
}

static void gather_people(struct at_audit *audit) {
    struct people_sums sums = {0};
    struct sum *const all[] = {&sums.unsaid, &sums.nobody, &sums.loose,  &sums.conflict, &sums.flips,
                               &sums.traits, &sums.limit,  &sums.merged, &sums.unknown};
    const struct person *person;
    uint64_t customers = 0, of_countries = 0;
    for (size_t i = 0; i < AT_LENGTH(all); i++) all[i]->table = &audit->people;
    for (size_t i = 0; (person = at_sample_next(&audit->people, &i));) {
        if (person->is_absorbed) continue;
        if (person->is_customer) {
            customers++;
            of_countries += person->flips > 0;
        } else
            gather_person(audit, person, &sums);
    }
    put_people(audit, &sums);
    if (customers) put_customers(audit, customers + sums.people, of_countries);
}

/* ---- visits ---- */

static void gather_visits(struct at_audit *audit) {
    struct at_audit_visits *visits = &audit->result.visits;
    const struct at_sample *table = &audit->browsers;
    uint64_t recognised = 0, became = 0, later = 0, never = 0;
    struct browser *browser;
    for (size_t i = 0; (browser = at_sample_next(table, &i));) {
        if (!browser->visits) continue;
        browser_end_visit(browser);
        recognised += browser->recognised;
        became += browser->became;
        if (browser->is_known)
            later += browser->unknown;
        else
            never += browser->unknown;
    }
    *visits = (struct at_audit_visits){
        .count = at_sample_scaled(table, recognised + became + later + never),
        .recognised = at_sample_scaled(table, recognised),
        .became = at_sample_scaled(table, became),
        .later = at_sample_scaled(table, later),
        .never = at_sample_scaled(table, never),
        .error = at_sample_error(table, table->count),
    };
    audit->wholes[OF_VISITS] = visits->count;
    put_count(audit, VISITS_UNKNOWN, table, later + never);
    put_part(audit, VISITS_UNKNOWN, "known in a later visit", table, later);
    put_part(audit, VISITS_UNKNOWN, "never known", table, never);
}

/* ---- what is shared ---- */

static void gather_shared(struct at_audit *audit) {
    const struct shared *shared;
    uint64_t browsers = 0, addresses = 0, few = 0, many = 0, of_browsers = 0, of_addresses = 0;
    for (size_t i = 0; (shared = at_sample_next(&audit->shared, &i));) {
        of_browsers += !shared->is_address;
        of_addresses += shared->is_address;
        if (shared->is_address) {
            addresses += shared->partners > 1;
            continue;
        }
        if (shared->partners < AT_AUDIT_SHARED_MIN) continue;
        browsers++;
        few += shared->partners < 10;
        many += shared->partners >= 10;
    }
    audit->wholes[OF_BROWSERS] = at_sample_scaled(&audit->shared, of_browsers);
    audit->wholes[OF_ADDRESSES] = at_sample_scaled(&audit->shared, of_addresses);
    put_count(audit, SHARED_BROWSERS, &audit->shared, browsers);
    put_part(audit, SHARED_BROWSERS, "3 to 9 people", &audit->shared, few);
    put_part(audit, SHARED_BROWSERS, "10 people and more", &audit->shared, many);
    put_count(audit, SHARED_ADDRESSES, &audit->shared, addresses);
}

/* ---- orders ---- */

struct order_sums {
    struct sum customers, differs, not_positive, enormous, twice, orphan, large, no_currency;
    uint64_t lines_orders, negative, zero, other_amount;
    double enormous_from;
};

/* The median by a histogram of logarithms: right to a hundredth, which is enough to call something enormous.
 */
#define BUCKETS    4096
#define PER_DECADE (BUCKETS / 20)
static size_t bucket_of(double revenue) {
    double place = (log10(revenue) + 4) * PER_DECADE;
    return place < 0 ? 0 : place >= BUCKETS ? BUCKETS - 1 : (size_t)place;
}

static double median_revenue(const struct at_sample *orders) {
    uint64_t buckets[BUCKETS] = {0}, count = 0, below = 0;
    const struct order *order;
    for (size_t i = 0; (order = at_sample_next(orders, &i));) {
        if (!order->has_order || order->is_cancelled || !(order->revenue > 0)) continue;
        buckets[bucket_of(order->revenue)]++;
        count++;
    }
    for (size_t i = 0; count && i < BUCKETS; i++) {
        below += buckets[i];
        if (below * 2 >= count) return pow(10, ((double)i + 0.5) / PER_DECADE - 4);
    }
    return 0;
}

static void gather_line_order(struct at_audit *audit, const struct order *order, struct order_sums *sums) {
    sums->lines_orders += !order->is_cancelled;
    add(&sums->customers, order->has_other_customer, order->has_other_customer ? order->revenue : 0);
    if (order->is_cancelled) return;
    if (order->revenue <= 0) {
        add(&sums->not_positive, 1, 0);
        sums->negative += order->revenue < 0;
        sums->zero += !(order->revenue < 0);
        audit_example(audit, ORDERS_NOT_POSITIVE, at_text_of(order->id));
    }
    add(&sums->no_currency, !order->has_currency, order->has_currency ? 0 : order->revenue);
    if (!order->has_currency) audit_example(audit, ORDERS_CURRENCY, at_text_of(order->id));
    double off = order->revenue - order->discount - order->subtotal;
    bool differs =
        order->has_subtotal && fabs(off) > 0.01 * (order->lines + 1) + 0.001 * fabs(order->revenue);
    add(&sums->differs, differs, differs ? fabs(order->subtotal) : 0);
    if (differs) audit_example(audit, ORDERS_SUM, at_text_of(order->id));
}

static void gather_order(struct at_audit *audit, const struct order *order, struct order_sums *sums) {
    if (!order->has_order) {
        add(&sums->orphan, order->has_refund, order->refunded);
        if (order->has_refund) audit_example(audit, REFUNDS_ORPHAN, at_text_of(order->id));
        return;
    }
    if (order->is_line) gather_line_order(audit, order, sums);
    bool is_enormous =
        sums->enormous_from > 0 && order->revenue > sums->enormous_from && !order->is_cancelled;
    add(&sums->enormous, is_enormous, is_enormous ? order->revenue : 0);
    add(&sums->twice, order->told > 1, order->has_other_amount ? order->revenue : 0);
    sums->other_amount += order->has_other_amount;
    bool is_large = order->refunded > order->revenue + 0.01 && order->has_refund;
    add(&sums->large, is_large, is_large ? order->refunded - order->revenue : 0);
    if (is_large) audit_example(audit, REFUNDS_LARGE, at_text_of(order->id));
}

static void put_orders(struct at_audit *audit, const struct order_sums *sums) {
    const struct at_sample *orders = &audit->orders;
    audit->wholes[OF_ORDERS] += at_sample_scaled(orders, sums->lines_orders);
    put(audit, ORDERS_SEVERAL_CUSTOMERS, &sums->customers);
    put(audit, ORDERS_SUM, &sums->differs);
    put(audit, ORDERS_NOT_POSITIVE, &sums->not_positive);
    put(audit, ORDERS_ENORMOUS, &sums->enormous);
    put(audit, ORDERS_TWICE, &sums->twice);
    put(audit, REFUNDS_ORPHAN, &sums->orphan);
    put(audit, REFUNDS_LARGE, &sums->large);
    put_count(audit, ORDERS_CURRENCY, orders, sums->no_currency.count);
    if (audit->result.currency[0]) audit_money(audit, ORDERS_CURRENCY, sums->no_currency.money);
    put_part(audit, ORDERS_NOT_POSITIVE, "negative", orders, sums->negative);
    put_part(audit, ORDERS_NOT_POSITIVE, "zero", orders, sums->zero);
    put_part(audit, ORDERS_TWICE, "with another amount", orders, sums->other_amount);
    for (uint32_t i = 0; i < audit->largest_count; i++)
        if (sums->enormous_from > 0 && audit->largest[i].revenue > sums->enormous_from)
            audit_example(audit, ORDERS_ENORMOUS, at_text_of(audit->largest[i].text));
}

static void gather_orders(struct at_audit *audit) {
    struct order_sums sums = {.enormous_from = AT_AUDIT_ENORMOUS * median_revenue(&audit->orders)};
    struct sum *const all[] = {&sums.customers, &sums.differs, &sums.not_positive, &sums.enormous,
                               &sums.twice,     &sums.orphan,  &sums.large,        &sums.no_currency};
    const struct order *order;
    for (size_t i = 0; i < AT_LENGTH(all); i++) all[i]->table = &audit->orders;
    for (size_t i = 0; (order = at_sample_next(&audit->orders, &i));) gather_order(audit, order, &sums);
    put_orders(audit, &sums);
}

/* An id that looked like an example is one if its record still says so. */
static void gather_candidates(struct at_audit *audit) {
    for (uint32_t i = 0; i < audit->nobody.count; i++) {
        const struct person *person = at_sample_get(&audit->people, audit->nobody.list[i].key);
        if (person && !person->is_known && !person->is_absorbed)
            audit_example(audit, ORDERS_NOBODY, at_text_of(audit->nobody.list[i].text));
    }
    for (uint32_t i = 0; i < audit->unbought.count; i++) {
        const struct bought *bought = at_sample_get(&audit->bought, audit->unbought.list[i].key);
        if (bought && bought->net < 0)
            audit_example(audit, CANCELLED_UNBOUGHT, at_text_of(audit->unbought.list[i].text));
    }
}

/* ---- currencies ---- */

static const struct currency *main_currency(struct at_audit *audit) {
    const struct currency *most = NULL;
    if (audit->options.currency.length) return audit_currency(audit, audit->options.currency);
    for (uint32_t i = 0; i < audit->currency_count; i++)
        if (audit->currencies[i].name[0] && (!most || audit->currencies[i].orders > most->orders))
            most = &audit->currencies[i];
    return most;
}

/* Orders of events without a currency are counted here, those of lines with their orders. Where none has one,
 * all are in the same: no money is at stake. */
static void gather_currencies(struct at_audit *audit) {
    const struct currency *most = main_currency(audit);
    if (most) memcpy(audit->result.currency, most->name, sizeof most->name);
    for (uint32_t i = 0; i < audit->currency_count; i++) {
        const struct currency *one = &audit->currencies[i];
        if (!one->orders || one == most) continue;
        enum code code = one->name[0] ? ORDERS_OTHER_CURRENCY : ORDERS_CURRENCY;
        audit->tallies[code].count += one->orders;
        if (one->revenue != 0 && most) audit_money(audit, code, one->revenue);
        if (one->name[0]) audit_part(audit, code, one->name, one->orders);
        audit_example(audit, code, at_text_of(one->example));
    }
}

/* ---- products ---- */

static void gather_products(struct at_audit *audit) {
    struct sum flags[CODES - CODE_PRODUCT_FIRST] = {{0}};
    const struct product *product;
    uint64_t named = 0, missing = 0, titled = 0;
    for (size_t i = 0; (product = at_sample_next(&audit->products, &i));) {
        named += product->is_named;
        missing += product->is_named && !product->is_in_catalog;
        titled += product->has_other_title;
        for (size_t k = 0; k < AT_LENGTH(flags); k++)
            if (product->flags >> k & 1) add(&flags[k], 1, product->revenue);
    }
    for (size_t k = 0; k < AT_LENGTH(flags); k++) {
        flags[k].table = &audit->products;
        put(audit, (enum code)(CODE_PRODUCT_FIRST + k), &flags[k]);
    }
    if (!audit->wholes[OF_PRODUCTS]) audit->wholes[OF_PRODUCTS] = at_sample_scaled(&audit->products, named);
    put_count(audit, PRODUCTS_TITLES, &audit->products, titled);
    if (audit->tallies[EVENTS_PRODUCT].count)
        put_part(audit, EVENTS_PRODUCT, "products missing", &audit->products, missing);
}

/* ---- copies ---- */

static void gather_copies(struct at_audit *audit) {
    struct sum lines = {.table = &audit->lines};
    uint64_t copies = 0, conflicts = 0, below = 0;
    const struct line *line;
    const struct message *message;
    const struct bought *bought;
    for (size_t i = 0; (line = at_sample_next(&audit->lines, &i));)
        add(&lines, line->count - 1, (double)line->amount * (line->count - 1));
    for (size_t i = 0; (message = at_sample_next(&audit->messages, &i));) {
        copies += message->copies;
        conflicts += message->conflicts;
    }
    for (size_t i = 0; (bought = at_sample_next(&audit->bought, &i));) below += bought->net < 0;
    put(audit, LINES_REPEATED, &lines);
    if (copies) put_count(audit, EVENTS_DUPLICATE, &audit->messages, copies);
    if (conflicts) put_count(audit, EVENTS_CONFLICT, &audit->messages, conflicts);
    audit->wholes[OF_PAIRS] = at_sample_scaled(&audit->bought, audit->bought.count);
    put_count(audit, CANCELLED_UNBOUGHT, &audit->bought, below);
    /* Where most codes have no digit, that says nothing. */
    struct tally *odd = &audit->tallies[LINES_NO_PRODUCT];
    if (odd->count * 10 > audit->digits) *odd = (struct tally){0};
}

/* ---- names ---- */

struct named {
    struct at_text text;
    const struct name *name;
    const char *meant;
};

static int by_count(const void *a, const void *b) {
    const struct named *x = a, *y = b;
    if (x->name->count != y->name->count) return x->name->count > y->name->count ? -1 : 1;
    return at_text_order(x->text, y->text);
}

static void put_name(struct at_audit *audit, const struct named *one) {
    char part[sizeof audit->tallies[0].parts[0].name];
    struct tally *tally = &audit->tallies[NAMES_MISSPELT];
    tally->count += one->name->count;
    snprintf(part, sizeof part, "%.*s: %s?", (int)one->text.length, one->text.data, one->meant);
    audit_part(audit, NAMES_MISSPELT, part, one->name->count);
    audit_example(audit, NAMES_MISSPELT, at_text_of(one->name->example));
    if (strcmp(one->meant, "order_completed") == 0) audit_money(audit, NAMES_MISSPELT, one->name->money);
}

static void gather_names(struct at_audit *audit) {
    struct named *list = malloc((audit->names.count + 1) * sizeof *list);
    const struct at_map_slot *slot;
    size_t count = 0, known = 0;
    const char *const *known_names = at_event_known_names();
    audit->is_short |= !list;
    while (known_names[known]) known++;
    for (size_t i = 0; list && (slot = at_map_next(&audit->names, &i));) {
        const struct name *name = &audit->name_list[slot->value];
        const char *meant =
            name->is_known || slot->length > 64 ? NULL : at_suggest(slot->key, known_names, known);
        if (meant) list[count++] = (struct named){{slot->key, slot->length}, name, meant};
    }
    if (count > 1) qsort(list, count, sizeof *list, by_count);
    for (size_t i = 0; i < count; i++) put_name(audit, &list[i]);
    free(list);
    audit->result.names = audit->names.count;
}

void audit_gather(struct at_audit *audit) {
    gather_currencies(audit);
    gather_people(audit);
    gather_visits(audit);
    gather_shared(audit);
    gather_orders(audit);
    gather_candidates(audit);
    gather_products(audit);
    gather_copies(audit);
    gather_names(audit);
}
