/* SPDX-License-Identifier: Apache-2.0
 *
 * Budgets of scripts, as used: filled by decisions (decide.c), segments (segment_look.c) and loads
 * (serving.c), shown by metrics.c. Counters only; nothing waits.
 */
#include "shop/budgets.h"
#include <string.h>
#include "base/hash.h"
#include "shop/internal.h"

static const uint64_t BUCKETS_US[BUDGET_BUCKETS] = {50,   100,   250,   500,    1000,  2500,
                                                    5000, 10000, 25000, 100000, 500000};

void budget_took(struct at_shop *shop, enum at_budget which, uint64_t took_ns) {
    struct budget_use *use = &shop->budgets.uses[which];
    uint64_t took_us = took_ns / 1000;
    size_t bucket = 0;
    while (bucket < BUDGET_BUCKETS && took_us > BUCKETS_US[bucket]) bucket++;
    atomic_fetch_add_explicit(&use->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&use->total_us, took_us, memory_order_relaxed);
}

/* ---- what is slow ---- */

/* The line, as it stands in the file; "" if it is not to be had. */
static struct at_text source_line(const struct at_generation *generation, const char *path, uint32_t line) {
    for (uint32_t i = 0; generation && i < generation->file_count; i++) {
        if (!at_text_is(generation->files[i].path, path)) continue;
        const char *at = generation->files[i].text.data, *end = at + generation->files[i].text.length;
        for (uint32_t n = 1; n < line && at < end; n++) {
            const char *next = memchr(at, '\n', (size_t)(end - at));
            at = next ? next + 1 : end;
        }
        while (at < end && (*at == ' ' || *at == '\t')) at++;
        const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        size_t length = (size_t)((stop ? stop : end) - at);
        return (struct at_text){at, length < 120 ? length : 120};
    }
    return AT_TEXT("");
}

static void write_slow(const struct at_shop *shop, const struct serving *serving, const struct at_slow *slow,
                       char *out, size_t size) {
    const char *what = at_budget_names[slow->budget];
    double took_ms = (double)slow->took_ns / 1e6,
           whole_ms = (double)at_budget_ns(shop->settings, slow->budget) / 1e6;
    size_t at = 0;
    if (slow->name)
        at =
            (size_t)snprintf(out, size, "%s:%u  %s \"%s\" took %.3g ms of the %.4g ms that budgets.%s allows",
                             slow->path, slow->line, what, slow->name, took_ms, whole_ms, what);
    else
        at = (size_t)snprintf(out, size,
                              "loading the scripts took %.3g ms of the %.4g ms that budgets.%s allows",
                              took_ms, whole_ms, what);
    if (!slow->most_line || at >= size) return;
    struct at_text line = source_line(serving ? serving->generation : NULL, slow->most_path, slow->most_line);
    bool is_same = slow->path && strcmp(slow->most_path, slow->path) == 0;
    snprintf(out + at, size - at, ", most of it in %s%sline %u: %.*s", is_same ? "" : slow->most_path,
             is_same ? "" : ", ", slow->most_line, (int)line.length, line.data);
}

void budget_tell_slow(struct at_shop *shop, struct serving *serving, const struct at_slow *slow) {
    char words[600];
    const char *name = slow->name ? slow->name : "";
    if (!slow->took_ns) return;
    atomic_fetch_add_explicit(&shop->budgets.uses[slow->budget].slow, 1, memory_order_relaxed);
    uint64_t hash = at_hash64(name, strlen(name)) + (uint64_t)slow->budget;
    if (serving && !told_first(serving->told_slow, hash)) return;
    write_slow(shop, serving, slow, words, sizeof words);
    at_log(at_shop_log(shop), AT_LOG_WARN, "script", "%s", words);
}

/* ---- who says it ---- */

static void note_state(struct budgets *budgets, const struct at_language *language) {
    uint64_t bytes = at_language_used_bytes(language),
             most = atomic_load_explicit(&budgets->state_bytes, memory_order_relaxed);
    while (bytes > most && !atomic_compare_exchange_weak(&budgets->state_bytes, &most, bytes)) {}
}

void budgets_note(struct at_shop *shop, struct serving *serving, const struct at_language *language,
                  const struct at_decision_view *view) {
    for (int i = 0; i < AT_BUDGET_COUNT; i++)
        if (view->spent_ns[i]) budget_took(shop, (enum at_budget)i, view->spent_ns[i]);
    budget_tell_slow(shop, serving, &view->slow);
    if (language) note_state(&shop->budgets, language);
}

void budgets_note_load(struct at_shop *shop, struct serving *serving, const struct at_language *language) {
    struct at_slow slow;
    budget_took(shop, AT_BUDGET_LOAD, at_language_took_ns(language));
    if (at_language_loaded_slowly(language, &slow)) budget_tell_slow(shop, serving, &slow);
    note_state(&shop->budgets, language);
}

uint64_t decision_deadline(const struct at_shop *shop) {
    return at_ticks_ns() + at_budget_ns(shop->settings, AT_BUDGET_RANKING) +
           at_budget_ns(shop->settings, AT_BUDGET_RAIL);
}

/* ---- /metrics ---- */

static void write_use(const struct budget_use *use, const char *name, struct at_bytes *out) {
    uint64_t below = 0;
    for (size_t i = 0; i <= BUDGET_BUCKETS; i++) {
        below += atomic_load_explicit(&use->buckets[i], memory_order_relaxed);
        if (i == BUDGET_BUCKETS)
            at_bytes_printf(out, "attune_script_seconds_bucket{noun=\"%s\",le=\"+Inf\"} %llu\n", name,
                            (unsigned long long)below);
        else
            at_bytes_printf(out, "attune_script_seconds_bucket{noun=\"%s\",le=\"%g\"} %llu\n", name,
                            (double)BUCKETS_US[i] / 1e6, (unsigned long long)below);
    }
    at_bytes_printf(
        out, "attune_script_seconds_sum{noun=\"%s\"} %.6f\nattune_script_seconds_count{noun=\"%s\"} %llu\n",
        name, (double)atomic_load_explicit(&use->total_us, memory_order_relaxed) / 1e6, name,
        (unsigned long long)below);
}

void budgets_write(struct at_shop *shop, struct at_bytes *out) {
    at_bytes_printf(
        out, "# HELP attune_script_seconds Time in scripts: of a decision's rankings, its rails, of one "
             "segment and person, of one load\n# TYPE attune_script_seconds histogram\n");
    for (int i = 0; i < AT_BUDGET_COUNT; i++) write_use(&shop->budgets.uses[i], at_budget_names[i], out);
    at_bytes_printf(out, "# HELP attune_script_budget_seconds What they may take\n# TYPE "
                         "attune_script_budget_seconds gauge\n");
    for (int i = 0; i < AT_BUDGET_COUNT; i++)
        at_bytes_printf(out, "attune_script_budget_seconds{noun=\"%s\"} %g\n", at_budget_names[i],
                        (double)at_budget_ns(shop->settings, (enum at_budget)i) / 1e9);
    at_bytes_printf(out,
                    "# HELP attune_scripts_slow_total Times one took more than half of its budget\n# TYPE "
                    "attune_scripts_slow_total counter\n");
    for (int i = 0; i < AT_BUDGET_COUNT; i++)
        at_bytes_printf(out, "attune_scripts_slow_total{noun=\"%s\"} %llu\n", at_budget_names[i],
                        (unsigned long long)atomic_load(&shop->budgets.uses[i].slow));
    at_bytes_printf(out,
                    "# HELP attune_script_state_bytes The most a state of scripts held\n# TYPE "
                    "attune_script_state_bytes gauge\nattune_script_state_bytes %llu\n",
                    (unsigned long long)atomic_load(&shop->budgets.state_bytes));
}
