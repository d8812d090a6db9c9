/* SPDX-License-Identifier: Apache-2.0
 *
 * Scripts over the API: shown, checked, published, rolled back. Publishing writes the folder, because the
 * folder is the truth; it goes the same way as a save.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/scripts.h"

static void add_state(struct at_shop *shop, struct at_json_out *out) {
    const struct at_generation *generation = serving_now(shop);
    at_json_add_int(out, "generation", generation ? (int64_t)generation->id : 0);
    at_json_add_bool(out, "held", atomic_load(&shop->is_held));
}

/* ---- GET /v1/scripts ---- */

static enum at_status scripts_now(struct at_job *job, void *arg) {
    (void)arg;
    struct at_shop *shop = job->worker->shop;
    const struct at_generation *generation = serving_now(shop);
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    add_state(shop, &out);
    at_json_add_string(&out, "scripts", atomic_load(&shop->is_stale) ? "stale" : "ok");
    at_json_key(&out, "files");
    at_json_open(&out, '[');
    for (uint32_t i = 0; generation && i < generation->file_count; i++) {
        at_json_open(&out, '{');
        at_json_add_text(&out, "path", generation->files[i].path);
        at_json_add_int(&out, "size", (int64_t)generation->files[i].text.length);
        at_json_add_text(&out, "text", generation->files[i].text);
        at_json_close(&out, '}');
    }
    at_json_close(&out, ']');
    at_json_close(&out, '}');
    return AT_OK;
}

static void post(struct at_job *job, enum at_status (*fn)(struct at_job *job, void *arg), void *arg) {
    enum at_status status = errand_post_turn(job, fn, arg);
    if (status == AT_OK) return;
    at_fail(&job->err, status, NULL, "out of memory");
    job_end(job, status);
}

void at_shop_scripts(struct at_job *job) {
    post(job, scripts_now, NULL);
}

/* ---- publish ---- */

struct publishing {
    struct at_json files;
    struct at_text message;
    struct at_json confirm;
    uint64_t expect;
    bool is_check;
};

enum at_status proposal_change(struct at_job *job, struct proposal *proposal, struct at_json files,
                               struct folder_change **changes_out, uint32_t *count_out) {
    uint32_t wanted = 0, n = 0;
    struct at_json_each it = at_json_each(files);
    while (at_json_next(&it)) wanted++;
    struct folder_change *changes = at_arena_alloc(job->arena, (wanted + 1) * sizeof *changes);
    struct at_source_file *all =
        at_arena_alloc(proposal->arena, (proposal->count + wanted + 1) * sizeof *all);
    if (!changes || !all) return at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    uint32_t count = proposal->count;
    if (count) memcpy(all, proposal->files, count * sizeof *all);
    it = at_json_each(files);
    while (at_json_next(&it)) {
        enum at_status status = folder_check_path(it.key, &job->err);
        if (status != AT_OK) return status;
        if (!at_json_is_string(it.value) && !at_json_is_null(it.value))
            return at_fail_field(&job->err, AT_INVALID, "bad_file", "files",
                                 "a file is its text, or null to remove it");
        struct at_text path = it.key, text = at_json_text(it.value);
        if (text.data && memchr(text.data, 0, text.length))
            return at_fail_field(&job->err, AT_UNPROCESSABLE, "bad_file", "files",
                                 "a script is text: there is a zero byte in it");
        changes[n++] = (struct folder_change){path, text};
        uint32_t at = 0;
        while (at < count && !at_text_equal(all[at].path, path)) at++;
        if (text.data) {
            all[at] = (struct at_source_file){path, text};
            if (at == count) count++;
        } else if (at < count) {
            memmove(all + at, all + at + 1, (count - at - 1) * sizeof *all);
            count--;
        }
    }
    proposal->files = all;
    proposal->count = count;
    *changes_out = changes;
    *count_out = n;
    return AT_OK;
}

static int by_path(const void *a, const void *b) {
    const struct at_source_file *x = a, *y = b;
    return strcmp(x->path.data, y->path.data);
}

static enum at_status answer_findings(struct at_job *job, const struct at_build *build) {
    const struct at_file_finding *first = build->findings;
    while (first && first->finding.is_warning) first = first->next;
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_key(&out, "error");
    at_json_open(&out, '{');
    at_json_add_string(&out, "code", "invalid_scripts");
    if (first) {
        char message[600];
        snprintf(message, sizeof message, "%s:%u:%u  %s", first->path, first->finding.line,
                 first->finding.column, first->finding.message);
        at_json_add_string(&out, "message", message);
    } else
        at_json_add_string(&out, "message", "the scripts do not pass");
    at_json_add_string(&out, "field", "files");
    at_json_key(&out, "findings");
    findings_write(build, true, &out);
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    return at_fail(&job->err, AT_UNPROCESSABLE, "invalid_scripts", "the scripts do not pass");
}

static enum at_status answer_published(struct at_job *job, const struct at_build *build) {
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    add_state(job->worker->shop, &out);
    at_json_key(&out, "warnings");
    findings_write(build, false, &out);
    at_json_close(&out, '}');
    return AT_OK;
}

static enum at_status publish_files(struct at_job *job, struct publishing *publishing,
                                    struct proposal *proposal) {
    struct at_shop *shop = job->worker->shop;
    const struct at_generation *serving = serving_now(shop);
    struct folder_change *changes = NULL;
    uint32_t count = 0;
    if (publishing->expect && (!serving || serving->id != publishing->expect))
        return at_fail_field(&job->err, AT_CONFLICT, "moved_on", "expect",
                             "generation %llu does not serve any more: %llu does; look at it and try again",
                             (unsigned long long)publishing->expect,
                             (unsigned long long)(serving ? serving->id : 0));
    enum at_status status =
        folder_read(shop->folder, proposal->arena, &proposal->files, &proposal->count, &job->err);
    if (status == AT_OK) status = proposal_change(job, proposal, publishing->files, &changes, &count);
    if (status != AT_OK) return status;
    qsort(proposal->files, proposal->count, sizeof *proposal->files, by_path);
    status = proposal_judge(shop, proposal, &job->err);
    if (status == AT_UNPROCESSABLE) return answer_findings(job, &proposal->build);
    if (status != AT_OK) return status;
    segments_preview(shop, proposal, !publishing->is_check);
    if (!publishing->is_check) status = folder_write(shop->folder, changes, count, &job->err);
    bool is_same = serving && strcmp(proposal->generation->tree_hash, serving->tree_hash) == 0;
    bool is_held = is_still_held(shop, proposal->files, proposal->count);
    if (status == AT_OK && !publishing->is_check && !is_same && !is_held)
        status = proposal_publish(shop, proposal, false, &job->err);
    if (proposal->generation) at_generation_free(proposal->generation);
    return status == AT_OK ? answer_published(job, &proposal->build) : status;
}

static enum at_status publish(struct at_job *job, void *arg) {
    struct at_arena arena;
    struct publishing *publishing = arg;
    char *message = at_arena_dup(job->arena, publishing->message.data ? publishing->message.data : "",
                                 publishing->message.length);
    struct proposal proposal = {.source = "http",
                                .message = message ? message : "",
                                .author = job->source,
                                .arena = &arena,
                                .confirm = publishing->confirm};
    at_arena_init(&arena, SIZE_MAX >> 1);
    enum at_status status = publish_files(job, publishing, &proposal);
    at_arena_clear(&arena);
    return status;
}

void at_shop_publish(struct at_job *job, struct at_json files, struct at_json confirm, struct at_text message,
                     uint64_t expect, bool is_check) {
    struct publishing *publishing = at_arena_alloc(job->arena, sizeof *publishing);
    if (!publishing) {
        at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
        return job_end(job, AT_NOMEM);
    }
    *publishing = (struct publishing){files, message, confirm, expect, is_check};
    post(job, publish, publishing);
}

/* ---- back to an earlier one ---- */

struct activating {
    uint64_t id;
    bool restores;
};

static enum at_status write_back(struct at_shop *shop, struct proposal *proposal,
                                 const struct at_source_file *folder, uint32_t folder_count,
                                 struct at_error *err) {
    struct folder_change *changes =
        at_arena_alloc(proposal->arena, (proposal->count + folder_count + 1) * sizeof *changes);
    if (!changes) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    uint32_t n = 0;
    for (uint32_t i = 0; i < proposal->count; i++)
        changes[n++] = (struct folder_change){proposal->files[i].path, proposal->files[i].text};
    for (uint32_t i = 0; i < folder_count; i++) {
        bool is_kept = false;
        for (uint32_t j = 0; j < proposal->count; j++)
            is_kept |= at_text_equal(proposal->files[j].path, folder[i].path);
        if (!is_kept) changes[n++] = (struct folder_change){folder[i].path, {NULL, 0}};
    }
    return folder_write(shop->folder, changes, n, err);
}

static enum at_status activate_files(struct at_job *job, const struct activating *activating,
                                     struct proposal *proposal) {
    struct at_shop *shop = job->worker->shop;
    struct at_source_file *folder;
    uint32_t folder_count;
    enum at_status status =
        stored_files(shop, activating->id, proposal->arena, &proposal->files, &proposal->count);
    if (status == AT_NOTFOUND)
        return at_fail(&job->err, status, "unknown_generation",
                       "there is no generation %llu: GET /v1/generations lists them",
                       (unsigned long long)activating->id);
    if (status == AT_OK)
        status = folder_read(shop->folder, proposal->arena, &folder, &folder_count, &job->err);
    if (status == AT_OK) status = proposal_judge(shop, proposal, &job->err);
    if (status == AT_UNPROCESSABLE) return answer_findings(job, &proposal->build);
    if (status != AT_OK) return status;
    segments_preview(shop, proposal, true);
    char tree[65];
    at_tree_hash(folder, folder_count, tree);
    bool is_same = strcmp(tree, proposal->generation->tree_hash) == 0;
    if (activating->restores && !is_same) {
        status = write_back(shop, proposal, folder, folder_count, &job->err);
        is_same = status == AT_OK;
    }
    if (status == AT_OK)
        status = hold_folder(shop, proposal->files, proposal->count, folder, is_same ? 0 : folder_count);
    if (status == AT_OK) status = proposal_publish(shop, proposal, !is_same, &job->err);
    if (proposal->generation) at_generation_free(proposal->generation);
    return status == AT_OK ? answer_published(job, &proposal->build) : status;
}

static enum at_status activate(struct at_job *job, void *arg) {
    struct activating *activating = arg;
    struct at_arena arena;
    char message[64];
    snprintf(message, sizeof message, "back to generation %llu", (unsigned long long)activating->id);
    struct proposal proposal = {.source = "rollback",
                                .message = message,
                                .author = job->source,
                                .arena = &arena,
                                .is_way_back = true};
    at_arena_init(&arena, SIZE_MAX >> 1);
    enum at_status status = activate_files(job, activating, &proposal);
    at_arena_clear(&arena);
    return status;
}

void at_shop_activate(struct at_job *job, uint64_t id, bool restores) {
    struct activating *activating = at_arena_alloc(job->arena, sizeof *activating);
    if (!activating) {
        at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
        return job_end(job, AT_NOMEM);
    }
    *activating = (struct activating){id, restores};
    post(job, activate, activating);
}

static enum at_status unhold(struct at_job *job, void *arg) {
    struct at_json *confirm = arg;
    struct at_shop *shop = job->worker->shop;
    struct at_arena arena;
    struct proposal proposal = {.source = "folder",
                                .message = "published by hand",
                                .author = job->source,
                                .arena = &arena,
                                .confirm = *confirm};
    at_arena_init(&arena, SIZE_MAX >> 1);
    const struct at_generation *serving = serving_now(shop);
    enum at_status status = folder_read(shop->folder, &arena, &proposal.files, &proposal.count, &job->err);
    if (status == AT_OK) status = proposal_judge(shop, &proposal, &job->err);
    if (status == AT_OK) segments_preview(shop, &proposal, true);
    if (status == AT_UNPROCESSABLE)
        status = answer_findings(job, &proposal.build);
    else if (status == AT_OK) {
        bool is_same = serving && strcmp(proposal.generation->tree_hash, serving->tree_hash) == 0;
        status = is_same ? set_held(shop, false) : proposal_publish(shop, &proposal, false, &job->err);
        if (proposal.generation) at_generation_free(proposal.generation);
        if (status == AT_OK) atomic_store(&shop->is_stale, false);
        if (status == AT_OK) status = answer_published(job, &proposal.build);
    }
    at_arena_clear(&arena);
    return status;
}

void at_shop_unhold(struct at_job *job, struct at_json confirm) {
    struct at_json *kept = at_arena_alloc(job->arena, sizeof *kept);
    if (!kept) {
        at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
        return job_end(job, AT_NOMEM);
    }
    *kept = confirm;
    post(job, unhold, kept);
}
