/* SPDX-License-Identifier: Apache-2.0
 *
 * From the folder to serving: a picture of the files, checked and built, loaded for every worker, durable,
 * then one switch. What does not pass never serves; the old generation goes on and the log says what to
 * repair.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/hash.h"
#include "language/test.h"
#include "shop/scripts.h"

const struct at_generation *serving_now(struct at_shop *shop) {
    return shop->serving ? shop->serving->generation : NULL; /* only the back worker switches */
}

enum at_status proposal_build(struct at_shop *shop, struct proposal *proposal, struct at_error *err) {
    struct at_root *root = at_catalog_root(shop->catalog);
    proposal->build = (struct at_build){.files = proposal->files,
                                        .file_count = proposal->count,
                                        .settings = shop->settings,
                                        .root = root,
                                        .guard = &shop->back_guard,
                                        .arena = proposal->arena};
    enum at_status status = at_generation_build(&proposal->build, &proposal->generation, err);
    at_root_unref(root);
    return status;
}

static enum at_status read_fixture(void *arg, const char *path, struct at_arena *arena, struct at_text *out,
                                   struct at_error *err) {
    const struct at_shop *shop = arg;
    return folder_read_file(shop->folder, path, arena, out, err);
}

static enum at_status run_tests(struct at_shop *shop, struct proposal *proposal, struct at_error *err) {
    struct at_root *root = at_catalog_root(shop->catalog);
    struct at_test_options options = {.generation = proposal->generation,
                                      .settings = shop->settings,
                                      .root = root,
                                      .guard = &shop->back_guard,
                                      .read = read_fixture,
                                      .read_arg = shop,
                                      .bound_ns = AT_TESTS_BOUND_NS,
                                      .arena = proposal->arena};
    struct at_test_report report;
    enum at_status status = at_tests_run(&options, &report, err);
    at_root_unref(root);
    return status == AT_OK ? at_tests_judge(&report, &proposal->build, err) : status;
}

enum at_status proposal_judge(struct at_shop *shop, struct proposal *proposal, struct at_error *err) {
    enum at_status status = proposal_build(shop, proposal, err);
    if (status == AT_OK) status = rails_check(shop, proposal, err);
    if (status == AT_OK && !proposal->is_way_back) status = run_tests(shop, proposal, err);
    if (status == AT_OK || !proposal->generation) return status;
    at_generation_free(proposal->generation);
    proposal->generation = NULL;
    return status;
}

static char *keep(struct at_generation *generation, const char *text) {
    return at_arena_printf(&generation->arena, "%s", text ? text : "");
}

/* What must change before saving publishes again, one "hash path" a line, so that it outlives the process. */
static bool write_held_bad(struct at_shop *shop, struct at_bytes *out) {
    struct at_map_slot *slot;
    for (size_t i = 0; (slot = at_map_next(&shop->held_bad, &i));)
        at_bytes_printf(out, "%016llx %.*s\n", (unsigned long long)slot->value, (int)slot->length, slot->key);
    return !out->failed;
}

static enum at_status read_held_bad(struct at_shop *shop, const char *text) {
    at_map_clear(&shop->held_bad);
    while (*text) {
        const char *end = strchr(text, '\n');
        size_t length = end ? (size_t)(end - text) : strlen(text);
        if (length > 17) {
            uint64_t *hash = at_map_put(&shop->held_bad, text + 17, length - 17, NULL);
            if (!hash) return AT_NOMEM;
            *hash = strtoull(text, NULL, 16);
        }
        text += length + (end != NULL);
    }
    return AT_OK;
}

static enum at_status store_generation(struct at_shop *shop, struct at_generation *generation, bool holds) {
    struct at_arena arena;
    struct at_unit unit = {0};
    at_arena_init(&arena, SIZE_MAX >> 1);
    struct at_write *row = at_unit_write(&unit, &arena, AT_WRITE_GENERATION);
    struct at_write *active = at_unit_write(&unit, &arena, AT_WRITE_SETTING);
    struct at_write *held = at_unit_write(&unit, &arena, AT_WRITE_SETTING);
    struct at_write *bad = at_unit_write(&unit, &arena, AT_WRITE_SETTING);
    struct at_bytes bad_text;
    at_bytes_init(&bad_text, 1 << 20);
    struct at_file_row *files = at_arena_alloc(&arena, (generation->file_count + 1) * sizeof *files);
    char *number = at_arena_printf(&arena, "%llu", (unsigned long long)generation->id);
    enum at_status status = AT_NOMEM;
    if (row && active && held && bad && files && number && write_held_bad(shop, &bad_text)) {
        bad->name = AT_TEXT("held_bad");
        bad->text = holds && bad_text.length ? (struct at_text){bad_text.data, bad_text.length} : AT_TEXT("");
        for (uint32_t i = 0; i < generation->file_count; i++)
            files[i] = (struct at_file_row){generation->files[i].path, generation->files[i].text};
        row->generation = (struct at_generation_row){generation->id,
                                                     generation->at_ms,
                                                     at_text_of(generation->tree_hash),
                                                     at_text_of(generation->source),
                                                     at_text_of(generation->message),
                                                     at_text_of(generation->author),
                                                     files,
                                                     generation->file_count};
        active->name = AT_TEXT("active_generation");
        active->text = at_text_of(number);
        held->name = AT_TEXT("held");
        held->text = holds ? AT_TEXT("true") : AT_TEXT("false");
        status = commit_and_wait(shop, &unit, false);
    }
    at_bytes_clear(&bad_text);
    at_arena_clear(&arena);
    return status;
}

static void tell(struct at_shop *shop, const struct at_generation *generation) {
    char json[128];
    snprintf(json, sizeof json, "{\"generation\":%llu,\"files\":%u}", (unsigned long long)generation->id,
             generation->file_count);
    at_log(at_shop_log(shop), AT_LOG_INFO, "reload", "generation %llu serves (%u files, %s)",
           (unsigned long long)generation->id, generation->file_count, generation->source);
    if (live_is_watched(shop)) live_send(shop, "reload", at_text_of(json));
}

enum at_status proposal_publish(struct at_shop *shop, struct proposal *proposal, bool holds,
                                struct at_error *err) {
    struct at_generation *generation = proposal->generation;
    proposal->generation = NULL;
    generation->id = shop->next_generation;
    generation->at_ms = at_shop_now(shop);
    generation->source = keep(generation, proposal->source);
    generation->message = keep(generation, proposal->message);
    generation->author = keep(generation, proposal->author);
    struct serving *serving = generation->source && generation->message && generation->author
                                  ? serving_new(shop, generation, err)
                                  : NULL;
    if (!serving) {
        at_generation_free(generation);
        return AT_NOMEM;
    }
    enum at_status status = store_generation(shop, generation, holds);
    if (status != AT_OK) {
        serving_unref(serving); /* its generation goes with it */
        return at_fail(err, status, NULL, "the scripts could not be stored: the ones before serve on");
    }
    shop->next_generation++;
    atomic_store(&shop->is_held, holds);
    atomic_store(&shop->is_stale, holds);
    shop->refused_tree[0] = 0;
    serving_switch(shop, serving);
    count_add(shop, COUNT_RELOADS, 1);
    segments_follow(shop);
    tell(shop, generation);
    return AT_OK;
}

/* ---- findings ---- */

void findings_write(const struct at_build *build, bool errors, struct at_json_out *out) {
    at_json_open(out, '[');
    for (const struct at_file_finding *at = build->findings; at; at = at->next) {
        if (at->finding.is_warning == errors) continue;
        at_finding_write(out, at->path, &at->finding);
    }
    at_json_close(out, ']');
}

void findings_log(struct at_shop *shop, const struct proposal *proposal) {
    const struct at_generation *serving = serving_now(shop);
    for (const struct at_file_finding *at = proposal->build.findings; at; at = at->next)
        if (!at->finding.is_warning)
            at_log(at_shop_log(shop), AT_LOG_ERROR, "reload", "%s:%u:%u  %s %s", at->path, at->finding.line,
                   at->finding.column, at->finding.message, at->finding.hint);
    at_log(at_shop_log(shop), AT_LOG_WARN, "reload",
           "the saved scripts do not serve; generation %llu goes on",
           (unsigned long long)(serving ? serving->id : 0));
}

/* ---- holding ---- */

static uint64_t *bad_of(struct at_shop *shop, const struct at_source_file *file) {
    return at_map_get(&shop->held_bad, file->path.data, file->path.length);
}

static const struct at_source_file *file_of(const struct at_source_file *files, uint32_t count,
                                            struct at_text path) {
    for (uint32_t i = 0; i < count; i++)
        if (at_text_equal(files[i].path, path)) return &files[i];
    return NULL;
}

enum at_status hold_folder(struct at_shop *shop, const struct at_source_file *serving, uint32_t serving_count,
                           const struct at_source_file *folder, uint32_t folder_count) {
    at_map_clear(&shop->held_bad);
    for (uint32_t i = 0; i < folder_count; i++) {
        const struct at_source_file *same = file_of(serving, serving_count, folder[i].path);
        if (same && at_text_equal(same->text, folder[i].text)) continue;
        uint64_t *hash = at_map_put(&shop->held_bad, folder[i].path.data, folder[i].path.length, NULL);
        if (!hash) return AT_NOMEM;
        *hash = at_hash64(folder[i].text.data, folder[i].text.length);
    }
    return AT_OK;
}

bool is_still_held(struct at_shop *shop, const struct at_source_file *folder, uint32_t count) {
    if (!atomic_load(&shop->is_held)) return false;
    if (!shop->held_bad.count) return true; /* only by POST /v1/generations/publish */
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *hash = bad_of(shop, &folder[i]);
        if (hash && *hash == at_hash64(folder[i].text.data, folder[i].text.length)) return true;
    }
    return false;
}

enum at_status set_held(struct at_shop *shop, bool is_held) {
    struct at_arena arena;
    struct at_unit unit = {0};
    at_arena_init(&arena, 16384);
    struct at_write *write = at_unit_write(&unit, &arena, AT_WRITE_SETTING);
    enum at_status status = AT_NOMEM;
    if (write) {
        write->name = AT_TEXT("held");
        write->text = is_held ? AT_TEXT("true") : AT_TEXT("false");
        status = commit_and_wait(shop, &unit, false);
    }
    if (status == AT_OK) atomic_store(&shop->is_held, is_held);
    at_arena_clear(&arena);
    return status;
}

/* ---- the folder ---- */

static bool declares_nothing(const struct at_generation *generation) {
    return !generation || generation->ranking_count + generation->rail_count + generation->segment_count == 0;
}

/* Editors that truncate and write leave a file empty for a moment. */
static bool became_empty(const struct at_generation *serving, const struct proposal *proposal) {
    for (uint32_t i = 0; serving && i < proposal->count; i++) {
        if (proposal->files[i].text.length) continue;
        const struct at_source_file *before =
            file_of(serving->files, serving->file_count, proposal->files[i].path);
        if (before && before->text.length) return true;
    }
    return false;
}

static void refuse(struct at_shop *shop, const struct proposal *proposal, const char *tree) {
    bool is_news = strcmp(shop->refused_tree, tree) != 0;
    memcpy(shop->refused_tree, tree, sizeof shop->refused_tree);
    atomic_store(&shop->is_stale, true);
    if (!is_news) return;
    count_add(shop, COUNT_RELOADS_REFUSED, 1);
    findings_log(shop, proposal);
    if (live_is_watched(shop)) live_send(shop, "reload_refused", AT_TEXT("{\"scripts\":\"stale\"}"));
}

static void reload_files(struct at_shop *shop, struct proposal *proposal) {
    const struct at_generation *serving = serving_now(shop);
    struct at_error err = {0};
    char tree[65];
    at_tree_hash(proposal->files, proposal->count, tree);
    if (serving && strcmp(tree, serving->tree_hash) == 0) {
        atomic_store(&shop->is_stale, false);
        if (atomic_load(&shop->is_held) && set_held(shop, false) == AT_OK)
            at_log(at_shop_log(shop), AT_LOG_INFO, "reload",
                   "the folder is as what serves: it publishes again");
        return;
    }
    if (is_still_held(shop, proposal->files, proposal->count) || strcmp(tree, shop->refused_tree) == 0)
        return;
    enum at_status status = proposal_judge(shop, proposal, &err);
    if (status == AT_OK && declares_nothing(proposal->generation) && !declares_nothing(serving)) {
        at_generation_free(proposal->generation);
        proposal->generation = NULL;
        at_log(at_shop_log(shop), AT_LOG_ERROR, "reload",
               "the scripts declare nothing any more: put the files back, or publish over the API");
        return refuse(shop, proposal, tree);
    }
    if (status == AT_OK) segments_preview(shop, proposal, true);
    if (status == AT_OK)
        status = proposal_publish(shop, proposal, false, &err);
    else if (status == AT_UNPROCESSABLE)
        return refuse(shop, proposal, tree);
    if (status != AT_OK) at_log(at_shop_log(shop), AT_LOG_ERROR, "reload", "%s", err.message);
}

void scripts_reload(struct at_shop *shop) {
    struct at_arena arena;
    struct proposal proposal = {.source = "folder", .message = "", .author = "", .arena = &arena};
    struct at_error err = {0};
    at_arena_init(&arena, SIZE_MAX >> 1);
    enum at_status status = folder_read(shop->folder, &arena, &proposal.files, &proposal.count, &err);
    if (status == AT_OK && became_empty(serving_now(shop), &proposal)) {
        struct timespec second = {1, 0};
        nanosleep(&second, NULL); /* the back worker may wait; the file is most likely being written */
        status = folder_read(shop->folder, &arena, &proposal.files, &proposal.count, &err);
    }
    if (status == AT_OK)
        reload_files(shop, &proposal);
    else
        at_log(at_shop_log(shop), AT_LOG_WARN, "reload", "%s", err.message);
    at_arena_clear(&arena);
}

/* ---- start ---- */

struct stored {
    struct at_read read;
    struct at_arena *arena;
    uint64_t active, newest;
    bool is_held;
    const char *held_bad;
    uint64_t id;
    struct at_generation_row row;
    enum at_status status;
};

static void read_settings(struct at_read *read, struct at_reader *reader) {
    struct stored *stored = (struct stored *)read;
    struct at_text text;
    char number[32] = "";
    stored->status = at_reader_setting(reader, AT_TEXT("active_generation"), &text, stored->arena);
    if (stored->status == AT_OK) {
        memcpy(number, text.data, text.length < sizeof number ? text.length : 0);
        stored->active = strtoull(number, NULL, 10);
        stored->status = at_reader_setting(reader, AT_TEXT("held"), &text, stored->arena);
        stored->is_held = stored->status == AT_OK && at_text_is(text, "true");
        if (stored->is_held && at_reader_setting(reader, AT_TEXT("held_bad"), &text, stored->arena) == AT_OK)
            stored->held_bad = at_arena_dup(stored->arena, text.data, text.length);
    }
    if (stored->status == AT_NOTFOUND) stored->status = AT_OK;
    if (stored->status == AT_OK && stored->active) {
        struct at_generation_row newest;
        stored->status = at_reader_generation(reader, 0, false, &newest, stored->arena);
        stored->newest = newest.id;
    }
}

static void read_files(struct at_read *read, struct at_reader *reader) {
    struct stored *stored = (struct stored *)read;
    stored->status = at_reader_generation(reader, stored->id, true, &stored->row, stored->arena);
}

static enum at_status stored_row(struct at_shop *shop, uint64_t id, struct at_arena *arena,
                                 struct stored *stored, struct at_source_file **files, uint32_t *count) {
    *stored = (struct stored){.read = {.run = read_files}, .arena = arena, .id = id};
    at_store_read_now(shop->store, &stored->read);
    if (stored->status != AT_OK) return stored->status;
    *count = (uint32_t)stored->row.file_count;
    *files = at_arena_alloc(arena, (*count + 1) * sizeof **files);
    if (!*files) return AT_NOMEM;
    for (uint32_t i = 0; i < *count; i++) {
        char *path = at_arena_dup(arena, stored->row.files[i].path.data, stored->row.files[i].path.length);
        if (!path) return AT_NOMEM;
        (*files)[i] =
            (struct at_source_file){{path, stored->row.files[i].path.length}, stored->row.files[i].text};
    }
    return AT_OK;
}

enum at_status stored_files(struct at_shop *shop, uint64_t id, struct at_arena *arena,
                            struct at_source_file **files, uint32_t *count) {
    struct stored stored;
    return stored_row(shop, id, arena, &stored, files, count);
}

/* The stored generation serves again, under its own number. */
static enum at_status serve_stored(struct at_shop *shop, struct at_arena *arena, uint64_t id,
                                   struct at_error *err) {
    struct proposal proposal = {.arena = arena};
    struct stored stored;
    enum at_status status = stored_row(shop, id, arena, &stored, &proposal.files, &proposal.count);
    if (status == AT_OK) status = proposal_build(shop, &proposal, err);
    if (status != AT_OK) return status;
    struct at_generation *generation = proposal.generation;
    generation->id = id;
    generation->at_ms = stored.row.at_ms;
    generation->source = at_arena_dup(&generation->arena, stored.row.source.data, stored.row.source.length);
    generation->message =
        at_arena_dup(&generation->arena, stored.row.message.data, stored.row.message.length);
    generation->author = at_arena_dup(&generation->arena, stored.row.author.data, stored.row.author.length);
    struct serving *serving = serving_new(shop, generation, err);
    if (!serving) {
        at_generation_free(generation);
        return AT_NOMEM;
    }
    serving_switch(shop, serving);
    return AT_OK;
}

/* Nothing good was ever stored: rankings answer in catalog order until the scripts are repaired. */
static enum at_status serve_nothing(struct at_shop *shop, struct at_arena *arena, struct at_error *err) {
    struct proposal proposal = {.arena = arena, .source = "none"};
    enum at_status status = proposal_build(shop, &proposal, err);
    if (status != AT_OK) return status;
    proposal.generation->source = proposal.generation->message = proposal.generation->author = "";
    struct serving *serving = serving_new(shop, proposal.generation, err);
    if (!serving) {
        at_generation_free(proposal.generation);
        return AT_NOMEM;
    }
    serving_switch(shop, serving);
    return AT_OK;
}

enum at_status scripts_open(struct at_shop *shop, struct at_error *err) {
    struct at_arena arena;
    at_arena_init(&arena, SIZE_MAX >> 1);
    at_map_init(&shop->held_bad);
    struct stored stored = {.read = {.run = read_settings}, .arena = &arena};
    at_store_read_now(shop->store, &stored.read);
    enum at_status status = stored.status;
    if (status != AT_OK)
        at_fail(err, status, NULL, "the generations could not be read (%s)", at_status_word(status));
    shop->next_generation = stored.newest + 1;
    bool has_good = false;
    if (status == AT_OK && stored.active) {
        struct at_error why = {0};
        has_good = serve_stored(shop, &arena, stored.active, &why) == AT_OK;
        if (!has_good)
            at_log(at_shop_log(shop), AT_LOG_WARN, "reload", "generation %llu cannot serve any more: %s",
                   (unsigned long long)stored.active, why.message);
    }
    if (status == AT_OK && !has_good) status = serve_nothing(shop, &arena, err);
    atomic_store(&shop->is_held, has_good && stored.is_held);
    if (status == AT_OK && has_good && stored.is_held) {
        status = read_held_bad(shop, stored.held_bad ? stored.held_bad : "");
        atomic_store(&shop->is_stale, true);
    }
    if (status == AT_OK) scripts_reload(shop);
    at_arena_clear(&arena);
    return status;
}
