/* SPDX-License-Identifier: Apache-2.0
 *
 * Every publish is a record: what served when, by whom it came and from where, what it touched of what served
 * before; and for one line of a script, which publish brought it. Read from the stored generations, on a
 * reader thread.
 */
#include <string.h>
#include "language/diff.h"
#include "shop/scripts.h"

/* ---- rows ---- */

struct rows {
    struct at_arena *arena;
    struct at_generation_row *list; /* newest first, without files */
    uint32_t count, most;
    enum at_status status;
};

static bool keep_text(struct at_arena *arena, struct at_text *text) {
    text->data = at_arena_dup(arena, text->data ? text->data : "", text->length);
    return text->data != NULL;
}

static bool keep_row(void *arg, const struct at_generation_row *row) {
    struct rows *rows = arg;
    struct at_generation_row kept = *row;
    bool is_kept = keep_text(rows->arena, &kept.tree_hash) && keep_text(rows->arena, &kept.source) &&
                   keep_text(rows->arena, &kept.message) && keep_text(rows->arena, &kept.author);
    if (!is_kept) rows->status = AT_NOMEM;
    if (is_kept && rows->count < rows->most) rows->list[rows->count++] = kept;
    return is_kept;
}

static enum at_status read_rows(struct at_reader *reader, struct at_arena *arena, uint32_t most,
                                struct rows *rows) {
    *rows = (struct rows){arena, at_arena_alloc(arena, most * sizeof *rows->list), 0, most, AT_OK};
    if (!rows->list) return AT_NOMEM;
    enum at_status status = at_reader_generations(reader, most, keep_row, rows);
    return status == AT_OK ? rows->status : status;
}

static uint64_t active_id(struct at_shop *shop) {
    pthread_mutex_lock(&shop->serving_mutex);
    uint64_t id = shop->serving ? shop->serving->generation->id : 0;
    pthread_mutex_unlock(&shop->serving_mutex);
    return id;
}

static void write_row(struct at_json_out *out, const struct at_generation_row *row) {
    at_json_add_time(out, "at", row->at_ms);
    at_json_add_text(out, "author", row->author);
    at_json_add_text(out, "source", row->source);
    at_json_add_text(out, "message", row->message);
}

/* ---- GET /v1/generations ---- */

#define LISTED_MAX  200
#define TOUCHED_MAX 50 /* of so many it is told what they touched */

struct files { /* of one generation; two take turns, each with an arena of its own */
    struct at_arena arena;
    struct at_diff_side side;
};

static enum at_status read_files(struct at_reader *reader, uint64_t id, struct files *files) {
    struct at_generation_row row;
    at_arena_reset(&files->arena);
    files->side = (struct at_diff_side){NULL, 0, {NULL, 0}};
    enum at_status status = at_reader_generation(reader, id, true, &row, &files->arena);
    if (status != AT_OK) return status;
    struct at_source_file *list = at_arena_alloc(&files->arena, (row.file_count + 1) * sizeof *list);
    for (size_t i = 0; list && i < row.file_count; i++) {
        char *path = at_arena_dup(&files->arena, row.files[i].path.data, row.files[i].path.length);
        if (!path) return AT_NOMEM;
        list[i] = (struct at_source_file){{path, row.files[i].path.length}, row.files[i].text};
    }
    files->side.files = list;
    files->side.count = (uint32_t)row.file_count;
    return list ? AT_OK : AT_NOMEM;
}

static enum at_status write_touched(struct at_json_out *out, const struct files *before,
                                    const struct files *after) {
    struct at_arena arena;
    struct at_diff_change *changes;
    struct at_bytes words;
    at_arena_init(&arena, 64u << 20);
    at_bytes_init(&words, 1 << 16);
    enum at_status status = at_diff(&arena, &before->side, &after->side, &changes);
    at_json_key(out, "changes");
    at_json_open(out, '[');
    for (; status == AT_OK && changes; changes = changes->next) {
        at_bytes_reset(&words);
        at_diff_words(changes, &words);
        at_json_put_text(out, (struct at_text){words.data, words.length});
        if (words.failed) status = AT_NOMEM;
    }
    at_json_close(out, ']');
    at_bytes_clear(&words);
    at_arena_clear(&arena);
    return status;
}

static enum at_status write_generations(struct at_reader *reader, const struct rows *rows,
                                        struct files files[2], struct at_json_out *out) {
    enum at_status status = rows->count ? read_files(reader, rows->list[0].id, &files[0]) : AT_OK;
    for (uint32_t i = 0; i < rows->count && status == AT_OK; i++) {
        struct files *after = &files[i % 2], *before = &files[(i + 1) % 2];
        bool is_told = i < TOUCHED_MAX;
        before->side = (struct at_diff_side){NULL, 0, {NULL, 0}};
        if (is_told && i + 1 < rows->count) status = read_files(reader, rows->list[i + 1].id, before);
        if (status != AT_OK) return status;
        at_json_open(out, '{');
        at_json_add_int(out, "id", (int64_t)rows->list[i].id);
        write_row(out, &rows->list[i]);
        at_json_add_int(out, "files", (int64_t)rows->list[i].file_count);
        if (is_told) status = write_touched(out, before, after);
        at_json_close(out, '}');
    }
    return status;
}

static enum at_status list_generations(struct at_job *job, struct at_reader *reader, void *arg) {
    (void)arg;
    struct at_shop *shop = job->worker->shop;
    struct rows rows;
    struct files files[2] = {0};
    struct at_arena arena;
    at_arena_init(&arena, 16u << 20);
    for (int i = 0; i < 2; i++) at_arena_init(&files[i].arena, 256u << 20);
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_add_int(&out, "active", (int64_t)active_id(shop));
    at_json_add_bool(&out, "held", atomic_load(&shop->is_held));
    at_json_key(&out, "generations");
    at_json_open(&out, '[');
    enum at_status status = read_rows(reader, &arena, LISTED_MAX, &rows);
    if (status == AT_OK) status = write_generations(reader, &rows, files, &out);
    at_json_close(&out, ']');
    at_json_close(&out, '}');
    for (int i = 0; i < 2; i++) at_arena_clear(&files[i].arena);
    at_arena_clear(&arena);
    return status;
}

void at_shop_generations(struct at_job *job) {
    enum at_status status = errand_read(job, list_generations, NULL);
    if (status != AT_OK) job_end(job, status);
}

/* ---- GET /v1/blame/{line}/{path} ---- */

#define BLAMED_MAX 1000 /* further back nobody looks */

struct blame {
    struct at_text path;
    uint32_t line;
};
struct version { /* of the file, in one generation; two take turns */
    struct at_arena arena;
    struct at_text text;
    struct at_lines lines;
    bool is_there;
};

static enum at_status read_version(struct at_reader *reader, uint64_t id, struct at_text path,
                                   struct version *out) {
    at_arena_reset(&out->arena);
    out->is_there = false;
    enum at_status status = at_reader_generation_file(reader, id, path, &out->text, &out->arena);
    if (status == AT_NOTFOUND) return AT_OK;
    if (status == AT_OK) status = at_lines_of(&out->arena, out->text, &out->lines);
    out->is_there = status == AT_OK;
    return status;
}

static struct at_text line_of(struct at_text text, uint32_t line) {
    const char *at = text.data, *end = text.data + text.length;
    for (uint32_t i = 1; i < line; i++) at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    size_t length = (size_t)((stop ? stop : end) - at);
    if (length && at[length - 1] == '\r') length--;
    return (struct at_text){at, length};
}

/* Where the line was in the version before; 0: it was not there. */
static enum at_status line_before(struct version *before, const struct version *after, uint32_t *line) {
    if (!before->is_there) return *line = 0, AT_OK;
    uint32_t *from = at_arena_alloc(&before->arena, (after->lines.count + 1) * sizeof *from);
    if (!from) return AT_NOMEM;
    enum at_status status = at_lines_match(&before->arena, &before->lines, &after->lines, from);
    *line = status == AT_OK ? from[*line - 1] : 0;
    return status;
}

static void write_blame(struct at_job *job, const struct blame *blame, struct at_text text,
                        const struct at_generation_row *row, bool is_sure) {
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_add_text(&out, "path", blame->path);
    at_json_add_int(&out, "line", blame->line);
    at_json_add_text(&out, "text", text);
    at_json_add_int(&out, "generation", (int64_t)row->id);
    write_row(&out, row);
    at_json_add_bool(&out, "or_before", !is_sure);
    at_json_close(&out, '}');
}

/* From the serving generation back, as long as the line is found in the one before. */
static enum at_status walk_back(struct at_job *job, struct at_reader *reader, const struct blame *blame,
                                const struct rows *rows, struct version versions[2]) {
    uint64_t active = active_id(job->worker->shop);
    uint32_t at = 0, now = 0, line = blame->line;
    while (at < rows->count && rows->list[at].id > active) at++;
    if (at == rows->count) return at_fail(&job->err, AT_NOTFOUND, "no_generation", "nothing serves yet");
    enum at_status status = read_version(reader, rows->list[at].id, blame->path, &versions[now]);
    if (status != AT_OK) return status;
    if (!versions[now].is_there || line > versions[now].lines.count)
        return at_fail(&job->err, AT_NOTFOUND, "unknown_line", "%.*s has no line %u in generation %llu",
                       (int)blame->path.length, blame->path.data, line,
                       (unsigned long long)rows->list[at].id);
    struct at_text said = line_of(versions[now].text, line);
    struct at_text text = {at_arena_dup(job->arena, said.data, said.length), said.length};
    if (!text.data) return AT_NOMEM;
    for (; at + 1 < rows->count; at++) {
        struct version *after = &versions[now], *before = &versions[1 - now];
        status = read_version(reader, rows->list[at + 1].id, blame->path, before);
        if (status == AT_OK) status = line_before(before, after, &line);
        if (status != AT_OK) return status;
        if (!line) break;
        now = 1 - now;
    }
    write_blame(job, blame, text, &rows->list[at], !line || rows->list[at].id == 1);
    return AT_OK;
}

static enum at_status blame_line(struct at_job *job, struct at_reader *reader, void *arg) {
    struct rows rows;
    struct version versions[2] = {0};
    struct at_arena arena;
    at_arena_init(&arena, 16u << 20);
    for (int i = 0; i < 2; i++) at_arena_init(&versions[i].arena, 64u << 20);
    enum at_status status = read_rows(reader, &arena, BLAMED_MAX, &rows);
    if (status == AT_OK) status = walk_back(job, reader, arg, &rows, versions);
    for (int i = 0; i < 2; i++) at_arena_clear(&versions[i].arena);
    at_arena_clear(&arena);
    return status;
}

void at_shop_blame(struct at_job *job, struct at_text path, uint32_t line) {
    struct blame *blame = at_arena_alloc(job->arena, sizeof *blame);
    enum at_status status = blame ? AT_OK : AT_NOMEM;
    if (blame) *blame = (struct blame){path, line};
    if (status == AT_OK) status = errand_read(job, blame_line, blame);
    if (status != AT_OK) job_end(job, status);
}
