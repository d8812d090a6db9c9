/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters and what /ready and /metrics say of them. Names are a contract held by docs/operate.md; labels are
 * bounded: routes of the table, classes of status, accounts of the ledger.
 */
#include <string.h>
#include "shop/shopify.h"

static const char *const NAMES[COUNT_NAMES][2] = {
    [COUNT_EVENTS_ACCEPTED] = {"attune_events_accepted_total", "Events durable in the log"},
    [COUNT_EVENTS_DUPLICATE] = {"attune_events_duplicate_total", "Events that were there already"},
    [COUNT_EVENTS_CONFLICT] = {"attune_events_conflict_total", "Events whose messageId another payload has"},
    [COUNT_EVENTS_INVALID] = {"attune_events_invalid_total", "Events that are none"},
    [COUNT_EVENTS_REFUSED] = {"attune_events_refused_total", "Events sent back with 503"},
    [COUNT_DECISIONS] = {"attune_decisions_total", "Requests for decisions answered"},
    [COUNT_ASKS] = {"attune_asks_total", "Asks within them"},
    [COUNT_FALLBACKS] = {"attune_fallbacks_total", "Asks answered by fallback"},
    [COUNT_BAD_SCORES] = {"attune_bad_scores_total", "Scores that were no finite number"},
    [COUNT_RAIL_FAILURES] = {"attune_rail_failures_total",
                             "Products withheld because a rail could not judge them"},
    [COUNT_SCRIPT_STOPPED] = {"attune_scripts_stopped_total", "Decisions with a rule over its budget"},
    [COUNT_DECISIONS_LOGGED] = {"attune_decisions_logged_total", "Decisions written to the log"},
    [COUNT_DECISIONS_DROPPED] = {"attune_decisions_dropped_total", "Decisions the log had no room for"},
    [COUNT_RELOADS] = {"attune_reloads_total", "Generations that came to serve"},
    [COUNT_RELOADS_REFUSED] = {"attune_reloads_refused_total", "Saves that did not pass"},
    [COUNT_MERGES] = {"attune_merges_total", "People found to be one"},
    [COUNT_UNMERGES] = {"attune_unmerges_total", "People taken apart again"},
    [COUNT_IDENTIFIERS_LIMIT] = {"attune_identifiers_over_limit_total",
                                 "Identifiers left out of an event: the person may have no more of the kind"},
    [COUNT_IDENTIFIERS_BARRED] = {"attune_identifiers_barred_total",
                                  "Identifiers left out of an event: somebody took them apart"},
    [COUNT_IDENTIFIERS_UNPROVEN] =
        {"attune_identifiers_unproven_total",
         "Identifiers left out of an event: its claim to be two people is not proven"},
    [COUNT_IDENTIFIERS_TOO_MANY] =
        {"attune_identifiers_too_many_total",
         "Identifiers left out of an event: the person has 1,000 of them or 100 merges"},
    [COUNT_PROFILE_LOADS] = {"attune_profile_loads_total", "Profiles read from the disk"},
    [COUNT_EVENTS_DELAYED] = {"attune_events_delayed_total",
                              "Events that waited until enough was written behind"},
    [COUNT_FACETS_CUT] = {"attune_facets_cut_total",
                          "Events with a product whose facets had no room beside them"},
    [COUNT_UNMET_DROPPED] = {"attune_unknown_products_dropped_total",
                             "Products no catalog had whose statistics were dropped"},
    [COUNT_EVENTS_WITHHELD] = {"attune_events_withheld_total",
                               "Events of people who did not allow analytics: counted, not kept"},
    [COUNT_EVENTS_UNLEARNED] = {"attune_events_unlearned_total",
                                "Events kept from which nothing learns, for want of consent"},
    [COUNT_CONSENT_STATEMENTS] = {"attune_consent_statements_total", "Statements of consent recorded"},
    [COUNT_CONSENT_UNREADABLE] = {"attune_consent_unreadable_total",
                                  "Consent objects that were none: taken as a no"},
    [COUNT_CONSENT_UNNAMED] = {"attune_consent_unnamed_total",
                               "Statements about a purpose that shop.lua does not name"},
    [COUNT_GPC] = {"attune_gpc_requests_total", "Requests with Sec-GPC: 1"},
    [COUNT_DECISIONS_PLAIN] = {"attune_decisions_unpersonal_total",
                               "Decisions made without what is known of the person, for want of consent"},
    [COUNT_EVENTS_EXPIRED] = {"attune_events_expired_total", "Events that retention let go"},
    [COUNT_ERASURES] = {"attune_erasures_total", "People erased"},
    [COUNT_EVENTS_FORGOTTEN] = {"attune_events_forgotten_total",
                                "Events of before an erasure that came again: not taken in"},
    [COUNT_ACCESS] = {"attune_access_total", "Looks at and changes of a person, noted with the key"},
    [COUNT_ACCESS_LOST] = {"attune_access_lost_total", "Of these, what could not be noted"},
    [COUNT_RULES_TWICE] = {"attune_rules_checked_total", "Times a rule ran both ways, to compare"},
    [COUNT_RULES_DEMOTED] = {"attune_rules_demoted_total",
                             "Rules whose two ways disagreed; the log says how"},
    [COUNT_SEGMENT_FAILURES] = {"attune_segment_failures_total", "Times a segment's script failed"},
    [COUNT_SEGMENT_ENTERED] = {"attune_segment_entered_total", "Times somebody entered a segment"},
    [COUNT_SEGMENT_LEFT] = {"attune_segment_left_total", "Times somebody left one"},
    [COUNT_SHOPIFY_UNSIGNED] = {"attune_shopify_unsigned_total",
                                "Webhooks refused: none of the secrets signed them"},
    [COUNT_SHOPIFY_DUPLICATE] = {"attune_shopify_duplicate_total", "Webhooks that were delivered before"},
    [COUNT_SHOPIFY_CUT] = {"attune_shopify_products_left_out_total",
                           "Lines of orders and carts beyond the 500 of an event"},
    [COUNT_WAITING_DROPPED] = {"attune_waiting_dropped_total",
                               "Refunds and stock levels whose order or product did not come"},
    [COUNT_BACKUPS] = {"attune_backups_total", "Backups made"},
    [COUNT_BACKUPS_FAILED] = {"attune_backups_failed_total", "Backups that were not made; the log says why"},
    [COUNT_LIVE_DROPPED] = {"attune_live_dropped_total", "Messages a slow live reader lost"},
};
static const uint64_t BUCKETS_US[] = {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 500000, 2500000};

bool told_first(_Atomic uint64_t told[TOLD_MAX], uint64_t hash) {
    uint64_t none = 0;
    return atomic_compare_exchange_strong(&told[at_mix64(hash) % TOLD_MAX], &none, hash | 1);
}

void count_add(struct at_shop *shop, enum count_name name, uint64_t n) {
    atomic_fetch_add_explicit(&shop->counts[name], n, memory_order_relaxed);
}

void at_shop_count_answer(struct at_worker *worker, const char *route, int status, uint64_t took_us) {
    struct route_count *count = worker->routes,
                       *end = worker->routes + ROUTES_MAX - 1; /* the last takes what is over */
    while (count < end && count->route && count->route != route && strcmp(count->route, route) != 0) count++;
    if (!count->route) count->route = count == end ? "other" : route;
    int class = status / 100;
    atomic_fetch_add_explicit(&count->by_class[class >= 1 && class <= 5 ? class : 0], 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&count->total_us, took_us, memory_order_relaxed);
    size_t bucket = 0;
    while (bucket < AT_LENGTH(BUCKETS_US) && took_us > BUCKETS_US[bucket]) bucket++;
    atomic_fetch_add_explicit(&count->buckets[bucket], 1, memory_order_relaxed);
}

static void put(struct at_bytes *out, const char *name, const char *help, const char *type, double value) {
    at_bytes_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name, value);
}

/* ---- answers by route ---- */

struct sums {
    const char *route;
    uint64_t by_class[6], buckets[12], total_us;
};

static uint32_t sum_routes(struct at_shop *shop, struct sums *sums) {
    uint32_t count = 0;
    for (uint32_t w = 0; w < shop->worker_count; w++)
        for (uint32_t r = 0; r < ROUTES_MAX; r++) {
            const struct route_count *one = &shop->workers[w].routes[r];
            if (!one->route) break;
            uint32_t i = 0;
            while (i < count && strcmp(sums[i].route, one->route) != 0) i++;
            if (i == count) sums[count++] = (struct sums){.route = one->route};
            for (int c = 0; c < 6; c++)
                sums[i].by_class[c] += atomic_load_explicit(&one->by_class[c], memory_order_relaxed);
            for (int b = 0; b < 12; b++)
                sums[i].buckets[b] += atomic_load_explicit(&one->buckets[b], memory_order_relaxed);
            sums[i].total_us += atomic_load_explicit(&one->total_us, memory_order_relaxed);
        }
    return count;
}

static void put_routes(struct at_shop *shop, struct at_arena *arena, struct at_bytes *out) {
    struct sums *sums = at_arena_zalloc(arena, (size_t)shop->worker_count * ROUTES_MAX * sizeof *sums);
    if (!sums) return;
    uint32_t count = sum_routes(shop, sums);
    at_bytes_printf(
        out,
        "# HELP attune_http_requests_total Requests answered\n# TYPE attune_http_requests_total counter\n");
    for (uint32_t i = 0; i < count; i++)
        for (int c = 1; c < 6; c++)
            if (sums[i].by_class[c])
                at_bytes_printf(out, "attune_http_requests_total{route=\"%s\",status=\"%dxx\"} %llu\n",
                                sums[i].route, c, (unsigned long long)sums[i].by_class[c]);
    at_bytes_printf(out, "# HELP attune_http_request_seconds Time from request to answer\n# TYPE "
                         "attune_http_request_seconds histogram\n");
    for (uint32_t i = 0; i < count; i++) {
        uint64_t below = 0;
        for (size_t b = 0; b < AT_LENGTH(BUCKETS_US); b++) {
            below += sums[i].buckets[b];
            at_bytes_printf(out, "attune_http_request_seconds_bucket{route=\"%s\",le=\"%g\"} %llu\n",
                            sums[i].route, (double)BUCKETS_US[b] / 1e6, (unsigned long long)below);
        }
        below += sums[i].buckets[AT_LENGTH(BUCKETS_US)];
        at_bytes_printf(out, "attune_http_request_seconds_bucket{route=\"%s\",le=\"+Inf\"} %llu\n",
                        sums[i].route, (unsigned long long)below);
        at_bytes_printf(out, "attune_http_request_seconds_sum{route=\"%s\"} %.6f\n", sums[i].route,
                        (double)sums[i].total_us / 1e6);
        at_bytes_printf(out, "attune_http_request_seconds_count{route=\"%s\"} %llu\n", sums[i].route,
                        (unsigned long long)below);
    }
}

static void put_store(struct at_shop *shop, struct at_bytes *out) {
    struct at_store_counts counts;
    at_store_counts(shop->store, &counts);
    put(out, "attune_store_commits_total", "Group commits", "counter", (double)counts.commits);
    put(out, "attune_store_units_total", "Units committed", "counter", (double)counts.units);
    put(out, "attune_store_failed_commits_total", "Group commits that failed", "counter",
        (double)counts.failed_commits);
    put(out, "attune_store_stale_total", "Units computed again", "counter", (double)counts.stale);
    put(out, "attune_store_checkpoints_total", "Checkpoints", "counter", (double)counts.checkpoints);
    put(out, "attune_store_queued_units", "Units waiting for a commit", "gauge", (double)counts.queued_units);
    put(out, "attune_store_queued_bytes", "Bytes waiting for a commit", "gauge", (double)counts.queued_bytes);
    put(out, "attune_store_wal_bytes", "Write-ahead log", "gauge", (double)counts.wal_bytes);
    put(out, "attune_store_last_commit_seconds", "The last group commit", "gauge",
        (double)counts.last_commit_us / 1e6);
    put(out, "attune_erasures_open", "Erased, and the files still hold something of them", "gauge",
        (double)counts.erasures_open);
    put(out, "attune_log_durable_seq", "Events up to here are durable", "gauge", (double)counts.durable_seq);
    at_bytes_printf(out,
                    "# HELP attune_consumer_lag_events Durable events a consumer has not come to yet\n# TYPE "
                    "attune_consumer_lag_events gauge\n");
    static const char *const consumers[] = {"learn", "fold", "segments"};
    for (size_t i = 0; i < AT_LENGTH(consumers); i++) {
        uint64_t place = i == 2 ? segments_place(shop) : learn_place(shop, i == 1);
        at_bytes_printf(out, "attune_consumer_lag_events{consumer=\"%s\"} %llu\n", consumers[i],
                        (unsigned long long)(counts.durable_seq > place ? counts.durable_seq - place : 0));
    }
}

static void put_labelled(struct at_bytes *out, const char *name, const char *help, const char *label,
                         const char *(*word)(uint32_t i), const _Atomic uint64_t *counts) {
    at_bytes_printf(out, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
    for (uint32_t i = 0; word(i); i++)
        if (atomic_load_explicit(&counts[i], memory_order_relaxed))
            at_bytes_printf(out, "%s{%s=\"%s\"} %llu\n", name, label, word(i),
                            (unsigned long long)atomic_load_explicit(&counts[i], memory_order_relaxed));
}

static void put_sources(struct at_shop *shop, struct at_bytes *out) {
    put_labelled(out, "attune_shopify_webhooks_total", "Signed webhooks by topic", "topic",
                 shopify_topic_label, shop->shopify->by_topic);
    put_labelled(out, "attune_shopify_ignored_total", "Webhooks from which nothing follows", "reason",
                 shopify_reason_label, shop->shopify->by_reason);
    put(out, "attune_waiting", "Refunds and stock levels that wait for their order or product", "gauge",
        (double)waiting_count(shop));
}

void at_shop_metrics(struct at_job *job) {
    struct at_shop *shop = job->worker->shop;
    struct at_bytes *out = &job->out;
    for (int i = 0; i < COUNT_NAMES; i++)
        put(out, NAMES[i][0], NAMES[i][1], "counter", (double)atomic_load(&shop->counts[i]));
    put_routes(shop, job->arena, out);
    put_store(shop, out);
    put_sources(shop, out);
    budgets_write(shop, out);
    at_bytes_printf(
        out,
        "# HELP attune_memory_bytes Drawn from an account of the ledger\n# TYPE attune_memory_bytes gauge\n");
    for (int i = 0; i < AT_ACCOUNT_COUNT; i++)
        at_bytes_printf(out, "attune_memory_bytes{account=\"%s\"} %zu\n", shop->ledger.accounts[i].name,
                        at_account_used(&shop->ledger.accounts[i]));
    at_bytes_printf(
        out, "# HELP attune_memory_limit_bytes Share of --memory\n# TYPE attune_memory_limit_bytes gauge\n");
    for (int i = 0; i < AT_ACCOUNT_COUNT; i++)
        at_bytes_printf(out, "attune_memory_limit_bytes{account=\"%s\"} %zu\n", shop->ledger.accounts[i].name,
                        shop->ledger.accounts[i].limit);
    struct at_root *root = at_catalog_root(shop->catalog);
    put(out, "attune_products", "Products for sale", "gauge", at_root_live(root));
    at_root_unref(root);
    put(out, "attune_profiles_in_memory", "Profiles in memory", "gauge", (double)people_count(shop));
    put(out, "attune_events_withheld_today", "Events withheld since midnight, UTC; kept over restarts",
        "gauge", (double)withheld_today(shop));
    put(out, "attune_segments_waiting", "People of events whose segments were not looked at yet", "gauge",
        (double)segments_waiting(shop));
    put(out, "attune_segments_left", "People still to be looked at since the segments changed", "gauge",
        (double)segments_left(shop));
    struct at_baseline *baseline = learn_baseline(shop);
    put(out, "attune_typical_interval_days", "The shop's typical interval between purchases; 0: none yet",
        "gauge", at_baseline_shop_days(baseline));
    at_baseline_unref(baseline);
    put(out, "attune_messages_in_memory", "Message ids not sealed yet", "gauge",
        (double)messages_count(shop));
    struct serving *serving = serving_of(job->worker);
    put(out, "attune_generation", "The generation that serves", "gauge",
        serving ? (double)serving->generation->id : 0);
    put(out, "attune_scripts_held", "1: the folder is held", "gauge", atomic_load(&shop->is_held));
    put(out, "attune_scripts_stale", "1: the folder holds something that does not serve", "gauge",
        atomic_load(&shop->is_stale));
    put(out, "attune_sending_held", "1: the shop was restored and not told to go on", "gauge",
        !shop_may_send(shop));
    put(out, "attune_workers", "Front workers", "gauge", shop->worker_count);
    job_end(job, AT_OK);
}

void at_shop_ready(struct at_job *job) {
    struct at_shop *shop = job->worker->shop;
    struct serving *serving = serving_of(job->worker);
    struct at_root *root = at_catalog_root(shop->catalog);
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_add_bool(&out, "ready", serving != NULL);
    at_json_add_int(&out, "generation", serving ? (int64_t)serving->generation->id : 0);
    at_json_add_bool(&out, "held", atomic_load(&shop->is_held));
    at_json_add_string(&out, "scripts", atomic_load(&shop->is_stale) ? "stale" : "ok");
    at_json_add_string(&out, "sending", shop_may_send(shop) ? "ok" : "held");
    at_json_add_int(&out, "products", at_root_live(root));
    at_json_close(&out, '}');
    at_root_unref(root);
    job_end(job, serving ? AT_OK : at_fail(&job->err, AT_BUSY, "not_ready", "the shop is not ready yet"));
}
