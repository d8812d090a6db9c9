/* SPDX-License-Identifier: Apache-2.0
 *
 * What a change of scripts would touch: files sent, the folder, or a generation, against what serves or
 * another generation. Nothing is built and nothing is kept.
 */
#include <stdlib.h>
#include <string.h>
#include "language/diff.h"
#include "shop/scripts.h"

static enum at_status of_generation(struct at_job *job, uint64_t id, struct at_arena *arena,
                                    struct at_diff_side *side) {
    struct at_source_file *files;
    enum at_status status = stored_files(job->worker->shop, id, arena, &files, &side->count);
    side->files = files;
    if (status != AT_NOTFOUND) return status;
    return at_fail(&job->err, status, "unknown_generation",
                   "there is no generation %llu: GET /v1/generations lists them", (unsigned long long)id);
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct at_source_file *)a)->path.data,
                  ((const struct at_source_file *)b)->path.data);
}

static enum at_status of_files(struct at_job *job, const struct at_comparison *asked, struct at_arena *arena,
                               struct at_diff_side *side) {
    struct at_shop *shop = job->worker->shop;
    struct proposal proposal = {.arena = arena};
    struct folder_change *changes;
    uint32_t count;
    enum at_status status = AT_OK;
    if (!asked->is_complete)
        status = folder_read(shop->folder, arena, &proposal.files, &proposal.count, &job->err);
    if (status == AT_OK && at_json_is_object(asked->files))
        status = proposal_change(job, &proposal, asked->files, &changes, &count);
    if (status != AT_OK) return status;
    if (proposal.count) qsort(proposal.files, proposal.count, sizeof *proposal.files, by_path);
    side->files = proposal.files;
    side->count = proposal.count;
    side->settings = asked->settings;
    if (at_json_is_object(asked->files)) return AT_OK;
    status = folder_read_file(shop->folder, "shop.lua", arena, &side->settings, &job->err);
    return status == AT_NOTFOUND ? AT_OK : status;
}

static void write_comparison(struct at_job *job, uint64_t from, uint64_t to,
                             const struct at_diff_change *changes) {
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_add_int(&out, "from", (int64_t)from);
    at_json_key(&out, "to");
    if (to)
        at_json_put_int(&out, (int64_t)to);
    else
        at_json_put_null(&out);
    at_json_key(&out, "changes");
    at_diff_write(changes, &out);
    at_json_close(&out, '}');
}

static enum at_status compare_in(struct at_job *job, const struct at_comparison *asked,
                                 struct at_arena *arena) {
    struct at_shop *shop = job->worker->shop;
    const struct at_generation *serving = serving_now(shop);
    struct at_diff_side before = {0}, after = {0};
    struct at_diff_change *changes;
    enum at_status status = AT_OK;
    if (asked->from)
        status = of_generation(job, asked->from, arena, &before);
    else if (serving) {
        before = (struct at_diff_side){serving->files, serving->file_count, shop->settings->text};
    }
    if (status != AT_OK) return status;
    status = asked->to ? of_generation(job, asked->to, arena, &after) : of_files(job, asked, arena, &after);
    if (status == AT_OK) status = at_diff(arena, &before, &after, &changes);
    if (status != AT_OK) return status;
    write_comparison(job, asked->from ? asked->from : serving ? serving->id : 0, asked->to, changes);
    return AT_OK;
}

static enum at_status compare(struct at_job *job, void *arg) {
    struct at_arena arena;
    at_arena_init(&arena, 256u << 20);
    enum at_status status = compare_in(job, arg, &arena);
    at_arena_clear(&arena);
    return status;
}

void at_shop_diff(struct at_job *job, const struct at_comparison *asked) {
    struct at_comparison *kept = at_arena_alloc(job->arena, sizeof *kept);
    enum at_status status = kept ? AT_OK : AT_NOMEM;
    if (kept) *kept = *asked;
    if (status == AT_OK) status = errand_post_turn(job, compare, kept);
    if (status == AT_OK) return;
    at_fail(&job->err, status, NULL, "out of memory");
    job_end(job, status);
}
